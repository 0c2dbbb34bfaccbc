//! What an event is taken for: the samples of AWS's documentation and captures of live calls (the files
//! beside this one), the fixtures of the crate `aws_lambda_events`, and every event that differs from
//! one of them by a member that may be absent.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a member that is missing is `null` to a test")]

#[path = "../support/fixtures.rs"]
mod fixtures;
#[path = "../support/library.rs"]
mod library;
mod members;
mod reader;
#[path = "../support/mod.rs"]
mod support;

use authorizer_cli::scenario::replace_tokens;
use lambda_authorizer::Authorizer;
use lambda_authorizer::error::Error;
use lambda_authorizer::policy::{Effect, Policy};
use lambda_authorizer::request::EventKind::{self, Http1, Http2, RestRequest, RestToken, WebSocket};
use serde_json::{Value, json};

use fixtures::aws_fixtures;
use library::{authorizer, decide, request, token};

/// A sample, and what it is: its kind, its method and path, and the decision on it as it stands.
type Sample = (&'static str, &'static str, EventKind, &'static str, &'static str);

/// The samples' tokens have no claims, and the documented HTTP events no token.
const CONTRACT: [Sample; 8] = [
    ("REST TOKEN", include_str!("contract-rest-token.json"), RestToken, "GET /pets/42", "claim_missing"),
    (
        "REST REQUEST",
        include_str!("contract-rest-request.json"),
        RestRequest,
        "GET /request/7",
        "claim_missing",
    ),
    (
        "REST REQUEST, captured",
        include_str!("contract-rest-request-captured.json"),
        RestRequest,
        "POST /csv",
        "credential_malformed",
    ),
    ("HTTP 1.0", include_str!("contract-http-1.0.json"), Http1, "GET /request", "credential_missing"),
    (
        "HTTP 1.0, captured",
        include_str!("contract-http-1.0-captured.json"),
        Http1,
        "GET /api/v1/project/7f1c",
        "claim_missing",
    ),
    ("HTTP 2.0", include_str!("contract-http-2.0.json"), Http2, "GET /request", "credential_missing"),
    ("HTTP 2.0, captured", include_str!("contract-http-2.0-captured.json"), Http2, "GET /", "claim_missing"),
    ("WebSocket", include_str!("contract-websocket.json"), WebSocket, "$connect", "claim_missing"),
];

/// The requests among the crate's fixtures, likewise.
const FIXTURES: [(&str, EventKind, &str, &str); 8] = [
    (
        "example-apigw-custom-auth-request-type-request.json",
        RestRequest,
        "GET /request",
        "credential_missing",
    ),
    ("example-apigw-custom-auth-request.json", RestToken, "GET /", "credential_malformed"),
    ("example-apigw-v2-custom-authorizer-v1-request.json", Http1, "GET /request", "credential_missing"),
    (
        "example-apigw-v2-custom-authorizer-v2-request-null-maps.json",
        Http2,
        "GET /request",
        "credential_missing",
    ),
    (
        "example-apigw-v2-custom-authorizer-v2-request-without-cookies.json",
        Http2,
        "GET /request",
        "credential_missing",
    ),
    (
        "example-apigw-v2-custom-authorizer-v2-request-without-identity-source.json",
        Http2,
        "GET /request",
        "credential_missing",
    ),
    ("example-apigw-v2-custom-authorizer-v2-request.json", Http2, "GET /request", "credential_missing"),
    (
        "example-apigw-v2-custom-authorizer-websocket-request.json",
        WebSocket,
        "$connect",
        "credential_missing",
    ),
];

/// What can be seen of a decision.
#[derive(Debug, PartialEq)]
struct Seen {
    kind: EventKind,
    route: String,
    verdict: Result<(Effect, String, Policy), &'static str>,
}

fn see(authorizer: &Authorizer, event: &Value) -> Seen {
    let request = request(event).unwrap();
    let path = request.arn.path();
    let route = request.arn.method().map_or(path.to_owned(), |method| format!("{method} {path}"));
    let verdict = match decide(authorizer, event) {
        Ok(decision) => {
            Ok((decision.effect(), decision.principal_id().to_owned(), decision.policy().clone()))
        }
        Err(Error::Rejection(rejection)) => Err(rejection.reason.code().name()),
        Err(Error::Fault(fault)) => panic!("{fault}"),
    };
    Seen { kind: request.kind, route, verdict }
}

impl Seen {
    fn is(&self, kind: EventKind, route: &str, verdict: Result<(), &str>, what: &str) {
        assert_eq!((self.kind, self.route.as_str()), (kind, route), "{what}");
        match (&self.verdict, verdict) {
            (Ok((Effect::Allow, principal, _)), Ok(())) => assert_eq!(principal, "user-7f1c", "{what}"),
            (Err(reason), Err(expected)) => assert_eq!(*reason, expected, "{what}"),
            (seen, expected) => panic!("{what}: {seen:?} instead of {expected:?}"),
        }
    }
}

/// The requests of the crate's fixtures.
fn fixture_requests() -> Vec<(String, Value)> {
    let mut fixtures = aws_fixtures();
    fixtures.retain(|(name, _)| !name.contains("response"));
    fixtures
}

/// The event with a good token where its kind carries one, and nowhere else.
fn presented(mut event: Value) -> Value {
    let bearer = json!(format!("Bearer {}", token(&json!({}))));
    if event["type"] == "TOKEN" {
        event["authorizationToken"] = bearer;
        return event;
    }
    for (map, value) in [("headers", bearer.clone()), ("multiValueHeaders", json!([bearer]))] {
        if let Some(headers) = event[map].as_object_mut() {
            headers.retain(|name, _| {
                !["authorization", "sec-websocket-protocol"].contains(&name.to_lowercase().as_str())
            });
            headers.insert("Authorization".to_owned(), value);
        }
    }
    // What `[]` made up for reading.
    event.as_object_mut().unwrap().retain(|name, value| name != "multiValueHeaders" || !value.is_null());
    event
}

/// Every sample with a good token.
fn samples() -> Vec<(String, Value)> {
    let contract = CONTRACT.map(|(name, text, ..)| (name.to_owned(), serde_json::from_str(text).unwrap()));
    let own = support::KINDS.map(|kind| (format!("{kind}, our own"), support::event(kind, "x")));
    let all = contract.into_iter().chain(fixture_requests()).chain(own);
    all.map(|(name, event)| (name, presented(event))).collect()
}

#[test]
fn the_samples_of_the_documentation_are_what_they_are() {
    let authorizer = authorizer("");
    for (name, text, kind, route, reason) in CONTRACT {
        let event: Value = serde_json::from_str(text).unwrap();
        see(&authorizer, &event).is(kind, route, Err(reason), name);
        see(&authorizer, &presented(event)).is(kind, route, Ok(()), name);
        // A good token in the very place of the sample's own.
        if reason == "claim_missing" {
            let event = replace_tokens(text, &token(&json!({}))).unwrap();
            see(&authorizer, &serde_json::from_str(&event).unwrap()).is(kind, route, Ok(()), name);
        }
    }
}

/// The capture's token stands alone in its header: a matter of configuration.
#[test]
fn a_bare_token_in_a_header_is_taken_where_the_configuration_says_so() {
    let authorizer =
        authorizer("[[identity_source]]\nfrom = 'header'\nname = 'Authorization'\nscheme = 'none'");
    let (name, text, kind, route, _) = CONTRACT[2];
    let event = replace_tokens(text, &token(&json!({}))).unwrap();
    see(&authorizer, &serde_json::from_str(&event).unwrap()).is(kind, route, Ok(()), name);
}

#[test]
fn the_fixtures_of_aws_are_what_they_are() {
    let authorizer = authorizer("");
    let fixtures = fixture_requests();
    let names: Vec<&str> = fixtures.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, FIXTURES.map(|(name, ..)| name), "the crate has other fixtures than it had");
    for ((_, event), (name, kind, route, reason)) in fixtures.into_iter().zip(FIXTURES) {
        see(&authorizer, &event).is(kind, route, Err(reason), name);
        see(&authorizer, &presented(event)).is(kind, route, Ok(()), name);
    }
}

/// Nothing of the event shows in what a request looks like when it is printed.
#[test]
fn a_request_does_not_show_what_it_holds() {
    for (name, event) in samples() {
        let shown = format!("{:?}", request(&event).unwrap());
        assert!(!shown.contains("eyJ") && !shown.contains("Bearer"), "{name}: {shown}");
    }
}
