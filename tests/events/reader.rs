//! The crate `aws_lambda_events`, which others read their events with.

use aws_lambda_events::apigw::{
    ApiGatewayCustomAuthorizerRequest, ApiGatewayCustomAuthorizerRequestTypeRequest,
    ApiGatewayV2CustomAuthorizerV1Request, ApiGatewayV2CustomAuthorizerV2Request,
};
use lambda_authorizer::credential::IdentitySources;
use lambda_authorizer::request::EventKind::{self, Http1, Http2, RestRequest, RestToken, WebSocket};
use serde_json::Value;

use crate::library::request;
use crate::samples;

/// What the crate `aws_lambda_events` reads in an event.
struct Reading {
    arn: Option<String>,
    method: Option<String>,
    credential: Option<String>,
}

fn aws_reads(kind: EventKind, event: &Value) -> Reading {
    let event = event.clone();
    match kind {
        RestToken => {
            let read: ApiGatewayCustomAuthorizerRequest = serde_json::from_value(event).unwrap();
            Reading { arn: read.method_arn, method: None, credential: read.authorization_token }
        }
        RestRequest | WebSocket => {
            let read: ApiGatewayCustomAuthorizerRequestTypeRequest = serde_json::from_value(event).unwrap();
            let credential =
                read.multi_value_headers.get("authorization").or(read.headers.get("authorization"));
            Reading {
                arn: read.method_arn,
                method: read.http_method.map(|method| method.to_string()),
                credential: credential.map(|value| value.to_str().unwrap().to_owned()),
            }
        }
        Http1 => {
            let read: ApiGatewayV2CustomAuthorizerV1Request = serde_json::from_value(event).unwrap();
            let credential = read.headers.get("authorization");
            Reading {
                arn: read.method_arn,
                method: Some(read.http_method.to_string()),
                credential: credential.map(|value| value.to_str().unwrap().to_owned()),
            }
        }
        Http2 => {
            let read: ApiGatewayV2CustomAuthorizerV2Request = serde_json::from_value(event).unwrap();
            let credential = read.headers.get("authorization");
            Reading {
                arn: read.route_arn,
                method: Some(read.request_context.http.method.to_string()),
                credential: credential.map(|value| value.to_str().unwrap().to_owned()),
            }
        }
    }
}

/// The certificate's members, in the order of ours.
fn certificate_by_aws(kind: EventKind, event: &Value) -> Option<[Option<String>; 6]> {
    let event = event.clone();
    let certificate = match kind {
        RestToken | Http1 => return None,
        RestRequest | WebSocket => {
            let read: ApiGatewayCustomAuthorizerRequestTypeRequest = serde_json::from_value(event).unwrap();
            let certificate = read.request_context.identity?.client_cert?;
            let validity = certificate.validity;
            [
                certificate.client_cert_pem,
                certificate.subject_dn,
                certificate.issuer_dn,
                certificate.serial_number,
                validity.not_before,
                validity.not_after,
            ]
        }
        Http2 => {
            let read: ApiGatewayV2CustomAuthorizerV2Request = serde_json::from_value(event).unwrap();
            let certificate = read.request_context.authentication?.client_cert?;
            let validity = certificate.validity;
            [
                certificate.client_cert_pem,
                certificate.subject_dn,
                certificate.issuer_dn,
                certificate.serial_number,
                validity.not_before,
                validity.not_after,
            ]
        }
    };
    Some(certificate)
}

#[test]
fn an_independent_reader_reads_the_same_certificate() {
    let mut seen = Vec::new();
    for (name, event) in samples() {
        let ours = request(&event).unwrap();
        let certificate = ours
            .client_certificate
            .map(|own| [own.pem, own.subject, own.issuer, own.serial_number, own.not_before, own.not_after]);
        if ours.kind == Http1 {
            seen.extend(certificate.is_some().then_some(ours.kind));
            continue;
        }
        seen.extend(certificate.is_some().then_some(ours.kind));
        assert_eq!(certificate, certificate_by_aws(ours.kind, &event), "{name}");
    }
    for kind in [RestRequest, Http1, Http2] {
        assert!(seen.contains(&kind), "{kind:?} has no sample with a certificate");
    }
}

#[test]
fn an_independent_reader_reads_the_same() {
    for (name, event) in samples() {
        let ours = request(&event).unwrap();
        let theirs = aws_reads(ours.kind, &event);
        assert_eq!(theirs.arn, Some(ours.arn.to_string()), "{name}");
        let credential = IdentitySources::default().extract(&ours).unwrap();
        assert_eq!(theirs.credential, Some(format!("Bearer {}", credential.expose())), "{name}");
        // AWS's own sample of format 2.0 is a POST of stage `$default`, and a GET of stage `test`.
        let stage = event["requestContext"]["stage"].as_str().unwrap_or_default();
        if ours.arn.stage_prefix().ends_with(&format!("/{stage}/")) {
            assert_eq!(theirs.method.as_deref(), ours.arn.method(), "{name}");
        }
    }
}
