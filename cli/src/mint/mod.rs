//! `authorizer mint`: tokens of a development issuer, and broken ones to see them refused.
//!
//! A token is made for a name that nobody can own: loopback, `.invalid`, `.localhost` and `.test` (RFC 6761). What
//! trusts such a name is no production.

mod broken;
mod key_file;

use std::fs;
use std::path::Path;

use lambda_authorizer::jwks::KeySetFile;
use serde_json::{Map, Value, json};
use url::{Host, Url};

use crate::Error;
use crate::issuer::unix_time;
use crate::signing::{SigningKey, key_set};
pub use broken::Broken;
pub use key_file::{KeyFile, open};

/// What a token is to say.
#[derive(Clone, Debug)]
pub struct Mint {
    /// `iss`.
    pub issuer: String,
    /// `aud`: one is a text, several are a list.
    pub audience: Vec<String>,
    /// `sub`.
    pub subject: String,
    /// How long it is valid, in seconds; it has expired where this is negative.
    pub expires_in: i64,
    /// Other claims, and others in the place of these; `null` takes one away.
    pub claims: Map<String, Value>,
    /// What is to be wrong with it.
    pub broken: Option<Broken>,
}

impl Mint {
    /// The token.
    pub fn token(&self, key: &SigningKey) -> Result<String, Error> {
        self.refuse_others()?;
        let claims = self.all_claims();
        match self.broken {
            None => Ok(key.token(&Value::Object(claims))?),
            Some(broken) => broken.token(key, claims),
        }
    }

    /// Fails for an issuer that somebody may have, however it got there.
    pub fn refuse_others(&self) -> Result<(), Error> {
        refuse_others(&self.issuer)?;
        match self.all_claims().get("iss") {
            None => Ok(()),
            Some(Value::String(issuer)) => refuse_others(issuer),
            Some(_) => Err("the claim `iss` is no text\nhint: `--issuer` sets it".into()),
        }
    }

    fn all_claims(&self) -> Map<String, Value> {
        let now = unix_time();
        let audience = match self.audience.as_slice() {
            [only] => json!(only),
            several => json!(several),
        };
        let mut claims = Map::new();
        for (name, value) in [
            ("iss", json!(self.issuer)),
            ("sub", json!(self.subject)),
            ("aud", audience),
            ("iat", json!(now)),
            ("exp", json!(now.saturating_add_signed(self.expires_in))),
        ] {
            claims.insert(name.to_owned(), value);
        }
        for (name, value) in &self.claims {
            let _replaced = match value.is_null() {
                true => claims.remove(name),
                false => claims.insert(name.clone(), value.clone()),
            };
        }
        claims
    }
}

/// Writes the public key set, as the configuration's `jwks_file` and `initial_jwks_file` take it.
pub fn write_key_set(file: &Path, issuer: &str, key: &SigningKey) -> Result<(), Error> {
    let now = u32::try_from(unix_time()).unwrap_or(u32::MAX);
    let text = KeySetFile::text(issuer, now, key_set([key]).to_string().as_bytes())?;
    fs::write(file, text).map_err(|error| format!("cannot write `{}`: {error}", file.display()).into())
}

/// Fails for an issuer that somebody may have.
pub fn refuse_others(issuer: &str) -> Result<(), Error> {
    if is_of_development(issuer) {
        return Ok(());
    }
    Err(format!(
        "`{issuer}` may be a real issuer's name, and tokens are made for development only: whoever trusts the key would \
         take them for that issuer's\nhint: a name on loopback or below `.invalid`, `.localhost` or `.test`, such as \
         `https://issuer.development.invalid/`"
    )
    .into())
}

/// Whether nobody can own the name.
fn is_of_development(issuer: &str) -> bool {
    let Ok(url) = Url::parse(issuer) else { return false };
    // `https://login.example.com@issuer.test/` reads as another one.
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => {
            let last = name.trim_end_matches('.').rsplit('.').next();
            last.is_some_and(|last| ["invalid", "localhost", "test"].contains(&last))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests;
