//! [`ContextKey`]: a name under which a backend is told something about its caller.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A key of the context: a plain identifier, so that mapping templates can name it, and none that
/// API Gateway uses itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ContextKey(String);

impl ContextKey {
    /// `exp`: when the caller's token expires.
    #[must_use]
    pub fn expiry() -> Self {
        Self("exp".to_owned())
    }
}

/// `$context.authorizer.…` names of API Gateway's own.
const RESERVED: [&str; 12] = [
    "claims",
    "error",
    "iam",
    "integrationLatency",
    "integrationStatus",
    "jwt",
    "lambda",
    "latency",
    "principalId",
    "property",
    "requestId",
    "status",
];

impl FromStr for ContextKey {
    type Err = ContextKeyError;

    fn from_str(text: &str) -> Result<Self, ContextKeyError> {
        let starts_well = text.starts_with(|first: char| first.is_ascii_alphabetic());
        if !starts_well || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(ContextKeyError::NotAnIdentifier);
        }
        if RESERVED.contains(&text) {
            return Err(ContextKeyError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ContextKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why a text is no [`ContextKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextKeyError {
    /// Not letters, digits and underscores behind a letter.
    #[error("a context key is made of ASCII letters, digits and `_`, and starts with a letter")]
    NotAnIdentifier,
    /// API Gateway gives this name another meaning.
    #[error("API Gateway uses this name itself")]
    Reserved,
}
