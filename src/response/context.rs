//! What of the claims goes to the backend, in the types that API Gateway takes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{ANONYMOUS, Answers};
use crate::claims::ClaimPath;
use crate::error::Reason;
use crate::request::EventKind;
use crate::rules::{Caller, ContextKey, Rule};

/// The context for a backend behind this kind of API. A claim that is absent or `null` has no key.
///
/// HTTP 2.0 takes JSON as it is. The other kinds refuse a whole answer for one array or object:
/// there these become the base64url of their JSON, which no claim's text can imitate or break.
pub(super) fn context(
    caller: &Caller<'_>,
    applying: &[&Rule],
    kind: EventKind,
    answers: &Answers,
) -> Result<BTreeMap<ContextKey, Value>, Reason> {
    let mut context = BTreeMap::new();
    // Of several rules that give a value, the first one counts, whatever the route: the answer is for all.
    for (key, value) in applying.iter().flat_map(|rule| &rule.context) {
        context.entry(key.clone()).or_insert_with(|| value.clone());
    }
    let certificate = caller.request.and_then(|request| request.client_certificate.as_deref());
    for (key, field) in answers.certificate_context.iter().filter(|_| certificate.is_some()) {
        let unreadable = || Reason::ClientCertificateUnreadable { field: field.to_string() };
        let value = certificate.map_or(Ok(None), |own| own.field(field)).map_err(|_| unreadable())?;
        match value {
            Some(text) if text.contains(char::is_control) => return Err(unreadable()),
            Some(text) => context.insert(key.clone(), Value::from(text)),
            None => None,
        };
    }
    let Some(claims) = caller.claims() else { return Ok(context) };
    // A connection outlives its token: its backend has to know when.
    if let (EventKind::WebSocket, Some(expiry)) = (kind, claims.named("exp")) {
        context.entry(ContextKey::expiry()).or_insert_with(|| expiry.clone());
    }
    for (key, path) in &answers.context {
        let Some(value) = claims.at(path) else { continue };
        context.insert(key.clone(), presentable(value, kind, path)?);
    }
    Ok(context)
}

/// The first of the configured claims that is there, as text.
pub(super) fn principal_id(caller: &Caller<'_>, answers: &Answers) -> Result<String, Reason> {
    let Some(claims) = caller.claims() else { return Ok(ANONYMOUS.to_owned()) };
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

/// The caller's API key, where the API is one that asks: of the claim that the configuration names, or else of the
/// first rule that has one for this caller.
pub(super) fn usage_identifier_key(
    caller: &Caller<'_>,
    applying: &[&Rule],
    kind: EventKind,
    answers: &Answers,
) -> Result<Option<String>, Reason> {
    if !matches!(kind, EventKind::RestToken | EventKind::RestRequest) {
        return Ok(None);
    }
    let claim = answers.usage_identifier_key.as_ref().zip(caller.claims());
    let found = claim.and_then(|(path, claims)| Some((path, claims.at(path)?)));
    let Some((path, value)) = found else {
        let key = applying.iter().find_map(|rule| rule.usage_identifier_key.as_ref());
        return Ok(key.map(|key| key.expose().to_owned()));
    };
    match value {
        Value::String(key) => Ok(Some(plain(key, path)?.to_owned())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(Reason::ClaimInvalid { claim: path.to_string(), expected: "a string" })
        }
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
