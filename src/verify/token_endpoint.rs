//! A provider's token endpoint, and what it answers (RFC 6749, section 5; RFC 8693, section 2.2).

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::inquiries::Failure;
use super::json;
use super::token::LONGEST_TOKEN;
use crate::io::{Connector, Edges, Effort, FetchError, Question, Reply};

/// Where it is, and how it is reached.
pub struct TokenEndpoint {
    /// The URL.
    pub url: Url,
    /// How its server is reached.
    pub connector: Connector,
    /// How long a question may take.
    pub timeout: Duration,
}

/// A token that was issued.
pub(super) struct Issued {
    pub(super) access_token: Arc<str>,
    /// In seconds from now.
    pub(super) expires_in: Option<f64>,
    /// RFC 8693, section 2.2.1.
    pub(super) issued_token_type: Option<String>,
}

/// What it said.
pub(super) enum Said {
    Issued(Issued),
    /// An error code.
    Error(&'static str),
}

/// The error codes of RFC 6749, section 5.2, of RFC 8693, section 2.2.2, and of providers that say more. No other text of an answer goes into a
/// log.
const ERRORS: [&str; 8] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
    "access_denied",
];

impl TokenEndpoint {
    /// What it says to this form.
    ///
    /// # Errors
    ///
    /// That it says nothing that can be understood.
    pub(super) async fn ask(
        &self,
        form: &str,
        authorization: Option<&str>,
        tries_again: bool,
        edges: &Edges,
        patience: Duration,
    ) -> Result<Said, Failure> {
        let effort = Effort { limit: self.timeout.min(patience), tries_again };
        let session = edges.fetch.session(&self.connector, effort);
        let question =
            Question { url: &self.url, form: Some(form), accept: "application/json", authorization };
        let reply = session.ask(question).await.map_err(|error| Failure::outage(error.to_string()))?;
        read(&reply)
    }
}

fn read(reply: &Reply) -> Result<Said, Failure> {
    let members = str::from_utf8(&reply.body).ok().and_then(|text| json::object(text).ok());
    let member = |name: &str| members.iter().flatten().find(|(own, _)| own == name).map(|(_, value)| value);
    if reply.status != 200 {
        let error = member("error").and_then(Value::as_str);
        let known = ERRORS.into_iter().find(|known| Some(*known) == error);
        let status = FetchError::Status { status: reply.status, retry_after: None };
        return known.map(Said::Error).ok_or_else(|| Failure::outage(status.to_string()));
    }
    let issued = || {
        let is_bearer = |kind: &str| ["Bearer", "N_A"].iter().any(|bearer| kind.eq_ignore_ascii_case(bearer));
        member("token_type").and_then(Value::as_str).filter(|kind| is_bearer(kind))?;
        let token = member("access_token").and_then(Value::as_str)?;
        let is_token =
            (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
        let expires_in = match member("expires_in") {
            None | Some(Value::Null) => None,
            // Some providers write it as a text.
            Some(Value::String(text)) => Some(f64::from(text.parse::<u32>().ok()?)),
            Some(value) => Some(value.as_f64().filter(|seconds| *seconds >= 0.0)?),
        };
        let issued_token_type = member("issued_token_type").and_then(Value::as_str).map(str::to_owned);
        is_token.then(|| Issued { access_token: token.into(), expires_in, issued_token_type })
    };
    issued().map(Said::Issued).ok_or_else(|| Failure::unusable("the answer is no token response"))
}
