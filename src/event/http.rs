//! HTTP APIs, payload formats 1.0 and 2.0.

use super::wire::{Envelope, cookies_of};
use super::{method_arn, rest};
use crate::error::Fault;
use crate::request::{EventKind, Parameters, Request};

pub(super) fn request_1(envelope: Envelope<'_>) -> Result<Request, Fault> {
    rest::with_headers(EventKind::Http1, envelope)
}

pub(super) fn request_2(mut envelope: Envelope<'_>) -> Result<Request, Fault> {
    let arn = method_arn(envelope.route_arn.as_deref().unwrap_or_default())?;
    let headers = envelope.headers();
    let mut cookies = envelope.cookies();
    // API Gateway takes cookies out of the headers, and has been seen not to.
    if cookies == Parameters::default() {
        cookies = cookies_of(&headers);
    }
    Ok(Request {
        kind: EventKind::Http2,
        arn,
        route: envelope.route_key.take(),
        request_id: envelope.context.request_id.take(),
        source_ip: envelope.context.source_ip(),
        client_certificate: envelope.context.client_certificate(),
        stage_variables: envelope.stage_variables(),
        url: envelope.context.url(&headers, EventKind::Http2),
        authorization_token: None,
        headers,
        query: envelope.query(),
        cookies,
    })
}
