//! What of the claims goes to the backend, in the types that API Gateway takes.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;

use super::Answers;
use crate::claims::{ClaimPath, Claims};
use crate::error::Reason;
use crate::request::EventKind;

/// A key of the context: a plain identifier, so that mapping templates can name it, and none that
/// API Gateway uses itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ContextKey(String);

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

/// The context for a backend behind this kind of API. A claim that is absent or `null` has no key.
///
/// HTTP 2.0 takes JSON as it is. The other kinds refuse a whole answer for one array or object:
/// there these become the base64url of their JSON, which no claim's text can imitate or break.
pub(super) fn context(
    claims: &Claims,
    kind: EventKind,
    answers: &Answers,
) -> Result<BTreeMap<ContextKey, Value>, Reason> {
    let mut context = BTreeMap::new();
    for (key, path) in &answers.context {
        let Some(value) = claims.at(path) else { continue };
        context.insert(key.clone(), presentable(value, kind, path)?);
    }
    Ok(context)
}

/// The first of the configured claims that is there, as text.
pub(super) fn principal_id(claims: &Claims, answers: &Answers) -> Result<String, Reason> {
    let found = answers.principal_id.iter().find_map(|path| Some((path, claims.at(path)?)));
    let Some((path, value)) = found else {
        let claim = answers.principal_id.first().map(ToString::to_string).unwrap_or_default();
        return Err(Reason::ClaimMissing { claim });
    };
    match value {
        Value::String(text) if !text.is_empty() => Ok(plain(text, path)?.to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Err(Reason::ClaimInvalid { claim: path.to_string(), expected: "a text that is not empty" })
        }
    }
}

/// The caller's API key, where the configuration names its claim and the API is one that asks.
pub(super) fn usage_identifier_key(
    claims: &Claims,
    kind: EventKind,
    answers: &Answers,
) -> Result<Option<String>, Reason> {
    let is_rest = matches!(kind, EventKind::RestToken | EventKind::RestRequest);
    let Some(path) = answers.usage_identifier_key.as_ref().filter(|_| is_rest) else { return Ok(None) };
    match claims.at(path) {
        None => Ok(None),
        Some(Value::String(key)) => Ok(Some(plain(key, path)?.to_owned())),
        Some(_) => Err(Reason::ClaimInvalid { claim: path.to_string(), expected: "a string" }),
    }
}

fn presentable(value: &Value, kind: EventKind, path: &ClaimPath) -> Result<Value, Reason> {
    match value {
        Value::String(text) => Ok(Value::from(plain(text, path)?)),
        Value::Array(_) | Value::Object(_) if !is_plain(value) => {
            Err(Reason::ClaimUnsafe { claim: path.to_string() })
        }
        Value::Array(_) | Value::Object(_) if kind != EventKind::Http2 => {
            Ok(Value::from(URL_SAFE_NO_PAD.encode(value.to_string())))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Ok(value.clone())
        }
    }
}

/// Whether no string within holds a control character.
fn is_plain(value: &Value) -> bool {
    let is_plain_text = |text: &str| !text.contains(char::is_control);
    match value {
        Value::String(text) => is_plain_text(text),
        Value::Array(items) => items.iter().all(is_plain),
        Value::Object(members) => members.iter().all(|(name, value)| is_plain_text(name) && is_plain(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Backends get context values as headers, and logs as lines: no control character may pass.
fn plain<'a>(text: &'a str, path: &ClaimPath) -> Result<&'a str, Reason> {
    if text.contains(char::is_control) {
        return Err(Reason::ClaimUnsafe { claim: path.to_string() });
    }
    Ok(text)
}
