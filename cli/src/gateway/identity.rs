//! Identity sources: what must be there before an authorizer is asked, and what its answers are cached by.

use lambda_authorizer::credential::Location;
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

/// What stands where a configuration looks for credentials, as it may stand in an event: API Gateway need not know of it.
/// Cookies, subprotocols and a TOKEN event's token are never kept.
pub(super) fn credentials(locations: &[Location], request: &ClientRequest) -> Vec<String> {
    let mut found = Vec::new();
    for location in locations {
        match location {
            Location::Header(name) => {
                found.extend(request.headers.all(name).map(str::to_owned));
                found.extend(request.headers.joined(name));
            }
            Location::Query(name) => {
                for pair in request.query.split('&') {
                    let own = form_urlencoded::parse(pair.as_bytes()).filter(|(other, _)| other == name);
                    // As the client wrote it, and decoded.
                    found.extend(own.flat_map(|(_, value)| [pair.to_owned(), value.into_owned()]));
                }
                let values = request.parameters().into_iter().filter(|(other, _)| other == name);
                found.push(values.map(|(_, value)| value).collect::<Vec<_>>().join(","));
            }
            Location::AuthorizationToken | Location::Cookie(_) | Location::WebSocketProtocol { .. } => {}
        }
    }
    found.retain(|value| !value.is_empty());
    found
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
