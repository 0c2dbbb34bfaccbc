//! REST APIs, REQUEST authorizers.

use super::method_arn;
use super::wire::{Envelope, cookies_of};
use crate::error::Fault;
use crate::request::{EventKind, Request};

pub(super) fn request(envelope: Envelope<'_>) -> Result<Request, Fault> {
    with_headers(EventKind::RestRequest, envelope)
}

/// REST REQUEST and HTTP 1.0 events differ in what they may be answered with, not in what is read.
/// `requestContext.path` decides nothing: it holds the stage, or a custom domain's base path.
pub(super) fn with_headers(kind: EventKind, mut envelope: Envelope<'_>) -> Result<Request, Fault> {
    let arn = method_arn(envelope.method_arn.as_deref().unwrap_or_default())?;
    let headers = envelope.headers();
    Ok(Request {
        kind,
        arn,
        route: envelope.resource.take(),
        request_id: envelope.context.request_id.take(),
        source_ip: envelope.context.source_ip(),
        client_certificate: envelope.context.client_certificate(),
        stage_variables: envelope.stage_variables(),
        url: envelope.context.url(&headers, kind),
        // Format 1.0 repeats the joined identity sources here; a header is read from the headers.
        authorization_token: None,
        cookies: cookies_of(&headers),
        headers,
        query: envelope.query(),
    })
}
