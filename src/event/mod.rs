//! Stage 1, the wire in: an authorizer event as API Gateway sends it becomes a [`Request`].
//!
//! Sources: "Input to an API Gateway Lambda authorizer" (REST), "Control access to HTTP APIs with
//! AWS Lambda authorizers" (HTTP 1.0 and 2.0) and "Control access to WebSocket APIs with REQUEST
//! authorizers". Absent, `null` and empty members mean the same, unknown ones are ignored.

mod http;
mod rest;
mod token;
mod websocket;
mod wire;

use crate::arn::MethodArn;
use crate::error::Fault;
use crate::io::UnixTime;
use crate::request::Request;
use wire::Envelope;

/// One invocation: the event's JSON, and what Lambda says about it.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    /// The event as it came.
    pub payload: &'a str,
    /// Lambda's ID of this invocation.
    pub invocation_id: &'a str,
    /// When Lambda gives it up, in seconds since 1970; `None` where it does not.
    pub deadline: Option<UnixTime>,
}

impl TryFrom<Event<'_>> for Request {
    type Error = Fault;

    /// Decodes an event.
    ///
    /// # Errors
    ///
    /// [`Fault::EventMalformed`] for what API Gateway does not send, and for an event that is two
    /// kinds at once. The problem is a fixed text: an event is full of credentials.
    fn try_from(event: Event<'_>) -> Result<Self, Fault> {
        let envelope = Envelope::decode(event.payload)?;
        match envelope.kind.as_deref() {
            Some("TOKEN") => token::request(envelope),
            Some("REQUEST") => request_event(envelope),
            _ => Err(malformed("`type` is neither `TOKEN` nor `REQUEST`")),
        }
    }
}

/// Which of the four REQUEST events this is. The presence of `version` proves nothing (a merged
/// Lambda context has one too), only its exact values do.
fn request_event(envelope: Envelope<'_>) -> Result<Request, Fault> {
    let has_token = envelope.authorization_token.as_ref().is_some_and(|token| !token.is_empty());
    if has_token && envelope.version.as_deref() != Some("1.0") {
        return Err(malformed("a REQUEST event holds the `authorizationToken` of a TOKEN event"));
    }
    let connects = envelope.is_connection();
    match (envelope.version.as_deref(), &envelope.method_arn, &envelope.route_arn) {
        (_, Some(_), Some(_)) => Err(malformed("`methodArn` and `routeArn` exclude each other")),
        (Some("1.0"), _, Some(_)) => Err(malformed("`routeArn` belongs to payload format 2.0")),
        (Some("2.0"), _, None) => Err(malformed("payload format 2.0 has a `routeArn`")),
        (_, None, Some(_)) if !connects => http::request_2(envelope),
        (Some("1.0"), Some(_), None) if !connects => http::request_1(envelope),
        (Some("1.0" | "2.0"), ..) | (_, None, Some(_)) => {
            Err(malformed("an HTTP API's event holds a WebSocket connection"))
        }
        (_, Some(_), None) if connects => websocket::request(envelope),
        (_, Some(_), None) => rest::request(envelope),
        (_, None, None) => Err(malformed("neither `methodArn` nor `routeArn` is there")),
    }
}

/// The ARN of an API's method.
fn method_arn(text: &str) -> Result<MethodArn, Fault> {
    let arn = arn(text)?;
    if arn.is_connect() {
        return Err(malformed("the ARN names a WebSocket route, the event is of another kind"));
    }
    Ok(arn)
}

fn arn(text: &str) -> Result<MethodArn, Fault> {
    text.parse().map_err(|_| malformed("the ARN is not that of an API's method"))
}

fn malformed(problem: &'static str) -> Fault {
    Fault::EventMalformed { problem }
}

#[cfg(test)]
mod tests;
