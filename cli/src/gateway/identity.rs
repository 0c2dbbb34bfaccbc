//! Identity sources: what must be there before an authorizer is asked, and what its answers are cached by.

use serde_json::Value;

use super::api::{LocalApi, LocalAuthorizer};
use super::request::ClientRequest;

/// Why API Gateway answers 401 without asking the authorizer (contract 3.1, 3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// This source is not there, or empty.
    Source(String),
    /// The token does not match the validation expression.
    Invalid,
}

/// The values of the sources in their order.
///
/// Contract 8, no. 3: whether they are checked when nothing is cached is contested; here they always are.
///
/// # Errors
///
/// Why the authorizer is not asked.
pub(super) fn values(
    authorizer: &LocalAuthorizer,
    request: &ClientRequest,
    api: &LocalApi,
    context: &Value,
) -> Result<Vec<String>, Missing> {
    let mut values = Vec::new();
    for source in &authorizer.identity_sources {
        let source = source.to_string();
        match value(&source, request, api, context).filter(|value| !value.is_empty()) {
            Some(value) => values.push(value),
            None => return Err(Missing::Source(source)),
        }
    }
    let is_valid =
        |token: &String| authorizer.validation.as_ref().is_none_or(|expression| expression.is_match(token));
    if values.first().is_none_or(is_valid) { Ok(values) } else { Err(Missing::Invalid) }
}

/// Those of the values that the client sent: what is of the gateway's own making is no secret.
pub(super) fn secrets(authorizer: &LocalAuthorizer, values: &[String]) -> Vec<String> {
    let pairs = authorizer.identity_sources.iter().zip(values);
    let sent = pairs.filter(|(source, _)| source.to_string().starts_with("$request."));
    sent.map(|(_, value)| value.clone()).collect()
}

/// Header names are the same in any case, names of query parameters are not.
fn value(source: &str, request: &ClientRequest, api: &LocalApi, context: &Value) -> Option<String> {
    let source = source.trim_start_matches('$');
    if let Some(name) = source.strip_prefix("request.header.") {
        return request.headers.joined(name);
    }
    if let Some(name) = source.strip_prefix("request.querystring.") {
        let parameters = request.parameters().into_iter().filter(|(other, _)| other == name);
        let values: Vec<String> = parameters.map(|(_, value)| value).collect();
        return (!values.is_empty()).then(|| values.join(","));
    }
    if let Some(name) = source.strip_prefix("stageVariables.") {
        return api.stage_variables.get(name).cloned();
    }
    of_context(context, source.strip_prefix("context.")?)
}

/// A variable of the request's context, wherever the format of the event has it.
fn of_context(context: &Value, name: &str) -> Option<String> {
    let of_http = match name {
        "identity.sourceIp" => "http.sourceIp",
        "identity.userAgent" => "http.userAgent",
        "httpMethod" => "http.method",
        "path" => "http.path",
        name => name,
    };
    let of_rest = match name {
        "routeKey" => "resourceId",
        name => name,
    };
    [name, of_http, of_rest].into_iter().find_map(|name| {
        match context.pointer(&format!("/{}", name.replace('.', "/")))? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(boolean) => Some(boolean.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    })
}
