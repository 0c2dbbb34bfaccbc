//! What callers send: one event of each kind, with a token where each kind carries it.

use authorizer_cli::gateway::EventKind;
use authorizer_cli::scenario::Scenario;
use serde_json::Value;

/// The five kinds of event.
pub(crate) const KINDS: [EventKind; 5] =
    [EventKind::RestToken, EventKind::RestRequest, EventKind::Http1, EventKind::Http2, EventKind::WebSocket];

/// A `GET` of an order, or the opening of a WebSocket connection, by the bearer of this token.
pub(crate) fn event(kind: EventKind, token: &str) -> Value {
    let file = match kind {
        EventKind::RestToken => "rest-token.json",
        EventKind::RestRequest => "rest-request.json",
        EventKind::Http1 => "http-1.0.json",
        EventKind::Http2 => "http-2.0.json",
        EventKind::WebSocket => "websocket.json",
    };
    // As it stands between the quotes of a JSON string.
    let token = Value::from(token).to_string();
    let token = token.strip_prefix('"').and_then(|token| token.strip_suffix('"'));
    serde_json::from_str(&Scenario::of(file).unwrap().event(token)).unwrap()
}

/// The event's ARN, to be read or replaced.
pub(crate) fn arn_of(event: &mut Value) -> &mut Value {
    let name = if event.get("routeArn").is_some() { "routeArn" } else { "methodArn" };
    &mut event[name]
}
