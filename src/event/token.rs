//! REST APIs, TOKEN authorizers: `type`, `authorizationToken` and `methodArn`, and nothing else.

use super::wire::Envelope;
use super::{malformed, method_arn};
use crate::error::Fault;
use crate::request::{EventKind, Parameters, Request, RequestUrl, StageVariables};

pub(super) fn request(envelope: Envelope<'_>) -> Result<Request, Fault> {
    if envelope.route_arn.is_some() || matches!(envelope.version.as_deref(), Some("1.0" | "2.0")) {
        return Err(malformed("a TOKEN event holds members of an HTTP API's event"));
    }
    let Some(arn) = envelope.method_arn.as_deref() else {
        return Err(malformed("a TOKEN event has a `methodArn`"));
    };
    let arn = method_arn(arn)?;
    let Some(token) = envelope.authorization_token else {
        return Err(malformed("a TOKEN event has an `authorizationToken`"));
    };
    Ok(Request {
        kind: EventKind::RestToken,
        arn,
        route: None,
        request_id: None,
        source_ip: None,
        client_certificate: None,
        stage_variables: StageVariables::default(),
        url: RequestUrl::default(),
        authorization_token: Some(token),
        headers: Parameters::default(),
        query: Parameters::default(),
        cookies: Parameters::default(),
    })
}
