//! A request as the client sent it: with its headers' own spelling, and its path not decoded.

use std::net::IpAddr;
use std::time::SystemTime;

use aws_lc_rs::rand;
use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_authorizer::io::rfc3339;
use serde_json::Value;
use std::time::UNIX_EPOCH;

/// A request of a client.
#[derive(Clone, Debug)]
pub(super) struct ClientRequest {
    /// Its method.
    pub method: String,
    /// Its path, percent-encoded as it came.
    pub path: String,
    /// Its query string, without the question mark.
    pub query: String,
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: Bytes,
    /// The client's address.
    pub source_ip: IpAddr,
    /// `clientCert`, where the client has come by mutual TLS.
    pub certificate: Option<Value>,
    /// When it came.
    pub received_at: SystemTime,
    /// The ID that it is given.
    pub id: String,
}

/// Header fields in the order and the spelling in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Headers(Vec<(String, String)>);

impl ClientRequest {
    /// The parameters of the query, decoded.
    #[must_use]
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// Seconds since 1970.
    #[must_use]
    pub(super) fn unix_time(&self) -> f64 {
        self.received_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
    }

    /// The time as `requestTime` has it: `02/May/2023:18:05:45 +0000`.
    #[must_use]
    pub(super) fn common_log_time(&self) -> String {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let time = rfc3339(self.unix_time());
        let parts: Vec<&str> = time.split(['-', 'T', '.', 'Z']).collect();
        let [year, month, day, clock, ..] = parts.as_slice() else { return time };
        let month = month.parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?));
        format!("{day}/{}/{year}:{clock} +0000", month.unwrap_or(&"Jan"))
    }

    /// The `User-Agent`.
    #[must_use]
    pub(super) fn user_agent(&self) -> String {
        self.headers.joined("user-agent").unwrap_or_default()
    }
}

impl Headers {
    /// These fields.
    #[must_use]
    pub(super) fn new(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// All fields.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The values of a field, in whatever spelling.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The values of a field with commas between them. `None` when there is none.
    #[must_use]
    pub(super) fn joined(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.all(name).collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    /// Puts one field in the place of those of this name.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.0.push((name.to_owned(), value.into()));
    }

    /// Takes a field away.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }
}

/// A random ID in the form of a UUID.
#[must_use]
pub(super) fn random_uuid() -> String {
    let mut hex: String = random_bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    for place in [8, 13, 18, 23] {
        hex.insert(place, '-');
    }
    hex
}

/// A random ID in the form of HTTP APIs' and of connections: 16 letters.
#[must_use]
pub(super) fn random_id() -> String {
    STANDARD.encode(random_bytes::<11>())
}

pub(super) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // IDs that are all zeros are still IDs; secrets are made elsewhere.
    let _without_a_source = rand::fill(&mut bytes);
    bytes
}
