//! WebSocket APIs: the `$connect` route, the only one that an authorizer can be attached to.

use super::wire::{Envelope, cookies_of};
use super::{arn, malformed};
use crate::error::Fault;
use crate::request::{EventKind, Request};

pub(super) fn request(mut envelope: Envelope<'_>) -> Result<Request, Fault> {
    let arn = arn(envelope.method_arn.as_deref().unwrap_or_default())?;
    if !arn.is_connect() {
        return Err(malformed("a WebSocket connection's ARN names another route than `$connect`"));
    }
    let headers = envelope.headers();
    Ok(Request {
        kind: EventKind::WebSocket,
        arn,
        route: None,
        request_id: envelope.context.request_id.take(),
        source_ip: envelope.context.source_ip(),
        client_certificate: envelope.context.client_certificate(),
        stage_variables: envelope.stage_variables(),
        url: envelope.context.url(&headers, EventKind::WebSocket),
        authorization_token: None,
        cookies: cookies_of(&headers),
        headers,
        query: envelope.query(),
    })
}
