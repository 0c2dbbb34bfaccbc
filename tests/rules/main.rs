//! The cases of `docs/rules.md` decide as their tables say: asked afresh, and out of API Gateway's cache.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test reads the page, and fails by panicking"
)]
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a member that is missing is `null` to a test"
)]

mod cases;
#[path = "../support/iam.rs"]
mod iam;
#[path = "../support/library.rs"]
#[expect(dead_code, reason = "the callers of the page have tokens of several issuers")]
mod library;
#[path = "../support/mod.rs"]
mod support;

use std::sync::{Arc, LazyLock};

use authorizer_cli::gateway::EventKind::{self, WebSocket};
use authorizer_cli::signing::{Algorithm, SigningKey, key_set};
use iam_rs::IAMPolicy;
use lambda_authorizer::Authorizer;
use lambda_authorizer::arn::MethodArn;
use lambda_authorizer::config::Config;
use lambda_authorizer::error::Error;
use lambda_authorizer::event::Event;
use lambda_authorizer::jwks::{KeySet, KeySetSource};
use lambda_authorizer::policy::{Direction, Effect};
use lambda_authorizer::rules::Caller;
use serde_json::{Value, json};

use cases::{Case, Row, cases};
use library::{NOW, at_once, authorizer_of, decide};
use support::{KINDS, arn_of, event};

/// RS256, which is all that some profiles take.
static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::RS256, "key").unwrap());

const ISSUER: &str = "[[issuer]]\nurl = \"https://login.example.com/\"\naudience = \"orders-api\"\n";

/// An authorizer of a case, and the claims that a token of its first issuer has whoever it is for.
fn set_up(case: &Case) -> (Authorizer, Value) {
    let own = case.toml.contains("[[issuer]]");
    let toml = if own { case.toml.clone() } else { format!("{ISSUER}{}", case.toml) };
    let mut config = Config::parse(&toml, None).unwrap_or_else(|error| panic!("`{}`: {error}", case.title));
    let keys = Arc::new(KeySet::parse(key_set([&*KEY]).to_string().as_bytes()).unwrap());
    for issuer in &mut config.issuers {
        issuer.source = KeySetSource::Fixed(Arc::clone(&keys));
    }
    let quoted = |setting: &str| {
        let rest = toml.split(&format!("\n{setting} = \"")).nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let mut claims = json!({"iss": quoted("url"), "sub": "user-7f1c", "exp": NOW + 300, "iat": NOW});
    // What the profiles of AWS ask for beside that.
    if toml.contains("\"aws_iam\"") {
        claims["jti"] = json!("xyz123-def456");
    }
    if toml.contains("\"cognito_id\"") {
        claims["token_use"] = json!("id");
    }
    // Access tokens of Cognito name the app client in place of an audience.
    let audience = if toml.contains("\"cognito_access\"") {
        claims["token_use"] = json!("access");
        "client_id"
    } else {
        "aud"
    };
    let several = toml.contains("\naudience = [");
    claims[audience] = if several { Value::Null } else { json!(quoted("audience")) };
    (authorizer_of(config), claims)
}

/// The event of a row's request, and its ARN.
fn asking(row: &Row, kind: EventKind, issued: &Value) -> (Value, String) {
    let token = row.caller.as_ref().map(|caller| {
        let mut claims = issued.clone();
        for (name, value) in caller.as_object().unwrap() {
            claims[name] = value.clone();
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            }
        }
        KEY.token(&claims).unwrap()
    });
    let mut event = event(kind, token.as_deref().unwrap_or_default());
    if token.is_none() {
        for name in ["headers", "multiValueHeaders"] {
            event[name] = json!({});
        }
        event["authorizationToken"] = json!("");
    }
    let arn = arn_of(&mut event);
    let stage = arn.as_str().unwrap().split('/').take(2).collect::<Vec<_>>().join("/");
    let asked = format!("{stage}/{}", row.request.replacen(' ', "", 1));
    *arn = json!(asked);
    (event, asked)
}

/// The kinds of event with which somebody may ask for this.
fn kinds(row: &Row) -> impl Iterator<Item = EventKind> {
    let is_connect = row.request == "$connect";
    KINDS.into_iter().filter(move |kind| (*kind == WebSocket) == is_connect)
}

fn page(name: &str) -> String {
    std::fs::read_to_string(format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn every_case_decides_as_it_says() {
    let mut all = Vec::new();
    for (name, count) in [("rules.md", 10), ("aws.md", 4)] {
        let cases = cases(&page(name)).unwrap();
        assert_eq!(cases.len(), count, "{name}");
        all.extend(cases);
    }
    for case in &all {
        let (authorizer, issued) = set_up(case);
        for (row, kind) in case.rows.iter().flat_map(|row| kinds(row).map(move |kind| (row, kind))) {
            let what = format!("`{}`, {kind}, {row:?}", case.title);
            let (event, arn) = asking(row, kind, &issued);
            let decision = decide(&authorizer, &event);
            let answer = match &decision {
                Ok(decision) => decision.reason().map_or("allow", |reason| reason.code().name()),
                Err(Error::Rejection(rejection)) => rejection.reason.code().name(),
                Err(Error::Fault(fault)) => panic!("{what}: {fault:?}"),
            };
            assert_eq!(answer, row.answer, "{what}");
            let kept = kept(&authorizer, &event);
            // The caller's other requests, as API Gateway answers them from its cache.
            for other in case.rows.iter().filter(|other| other.caller == row.caller) {
                let stage = arn.split('/').take(2).collect::<Vec<_>>().join("/");
                let arn = format!("{stage}/{}", other.request.replacen(' ', "", 1));
                let expected = other.answer == "allow";
                assert_eq!(iam::allows(&kept, &arn), expected, "{what}, and then {arn}: {kept:?}");
                if let Ok(decision) = &decision {
                    let ours = decision.policy().evaluate(&arn.parse().unwrap());
                    assert_eq!(ours == Effect::Allow, expected, "{what}, and then {arn}");
                }
            }
        }
    }
}

/// The example of docs/certificates.md, with a token that is bound to the client's certificate.
#[test]
fn the_example_of_certificates_decides_as_the_page_says() {
    const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIEZTCCAk0CAQEwDQYJ\n-----END CERTIFICATE-----\n";
    // The SHA-256 of these bytes, in base64url: `printf MIIEZTCCAk0CAQEwDQYJ | base64 -d | openssl sha256 -binary`.
    const THUMBPRINT: &str = "SKl01_KLpgJTLyAo6SFUkFt8BKliCvY3EIQEC0lp5WI";
    let page = page("certificates.md");
    let toml = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap().to_owned();
    let (authorizer, issued) = set_up(&Case { title: "certificates".into(), toml, rows: Vec::new() });
    let row = |claims: Value| Row {
        caller: Some(claims),
        request: "GET /payments/7".into(),
        answer: String::new(),
    };
    let bound = json!({"scope": "payments", "cnf": {"x5t#S256": THUMBPRINT}});
    let shown = json!({
        "clientCertPem": PEM, "subjectDN": "C=DE,O=Bank,2.5.4.97=PSDDE-BAFIN-123456,CN=tpp.example.com",
        "issuerDN": "C=DE,O=Trust Centre,CN=QWAC CA 2", "serialNumber": "1",
        "validity": {"notBefore": "May 28 12:30:02 2019 GMT", "notAfter": "Aug  5 09:36:04 2121 GMT"},
    });
    let with = |member: &str, value: Value| {
        let mut changed = shown.clone();
        changed[member] = value;
        changed
    };
    let expired = json!({"notBefore": "May 28 12:30:02 2019 GMT", "notAfter": "Aug  5 09:36:04 2021 GMT"});
    let other = "-----BEGIN CERTIFICATE-----\nMIIEZTCCAk0CAQEwDQYK\n-----END CERTIFICATE-----\n";
    for (claims, certificate, expected) in [
        (bound.clone(), shown.clone(), "allow"),
        (bound.clone(), Value::Null, "client_certificate_missing"),
        (bound.clone(), with("clientCertPem", json!(other)), "client_certificate_mismatch"),
        (json!({"scope": "payments"}), shown.clone(), "token_unbound"),
        (
            bound.clone(),
            with("issuerDN", json!("C=DE,O=Trust Centre,CN=QWAC CA 3")),
            "client_certificate_untrusted",
        ),
        (bound.clone(), with("validity", expired), "client_certificate_expired"),
        (bound.clone(), with("subjectDN", json!("C=DE,O=Bank,2.5.4.97=VATDE-123456")), "insufficient_scope"),
        (
            bound.clone(),
            with("subjectDN", json!(r"C=DE,O=Bank,CN=a\,2.5.4.97=PSDDE-BAFIN-123456")),
            "insufficient_scope",
        ),
        (
            bound.clone(),
            with("subjectDN", json!("O=Bank,O=Thief,2.5.4.97=PSDDE-BAFIN-123456")),
            "client_certificate_unreadable",
        ),
        (json!({"scope": "accounts", "cnf": {"x5t#S256": THUMBPRINT}}), shown.clone(), "insufficient_scope"),
    ] {
        for (kind, client) in [
            (EventKind::RestRequest, "identity"),
            (EventKind::Http1, "identity"),
            (EventKind::Http2, "authentication"),
        ] {
            let (mut event, _) = asking(&row(claims.clone()), kind, &issued);
            event["requestContext"][client]["clientCert"] = certificate.clone();
            let answer = match decide(&authorizer, &event) {
                Ok(decision) => decision.reason().map_or("allow", |reason| reason.code().name()),
                Err(Error::Rejection(rejection)) => rejection.reason.code().name(),
                Err(Error::Fault(fault)) => panic!("{fault:?}"),
            };
            assert_eq!(answer, expected, "{kind} {certificate}");
            if expected == "allow" {
                let event = Event { payload: &event.to_string(), invocation_id: "1", deadline: None };
                let answer = at_once(authorizer.authorize(event)).unwrap();
                let answer: Value = serde_json::from_str(answer.as_str()).unwrap();
                assert_eq!(
                    answer["context"],
                    json!({"tpp": "PSDDE-BAFIN-123456", "tpp_name": "Bank"}),
                    "{kind}"
                );
            }
        }
    }
}

/// The policy that API Gateway keeps after this event.
fn kept(authorizer: &Authorizer, event: &Value) -> IAMPolicy {
    let event = Event { payload: &event.to_string(), invocation_id: "1", deadline: None };
    let response = at_once(authorizer.authorize(event)).unwrap();
    let mut answer: Value = serde_json::from_str(response.as_str()).unwrap();
    serde_json::from_value(answer["policyDocument"].take()).unwrap()
}

/// What the page says of IAM's limits: a path that no rule names is open out of the cache, and the compiler says so; one
/// that a rule names is closed, and takes one of the same name with it.
#[test]
fn what_iam_cannot_say_is_as_the_page_says() {
    const OPEN: &str = "
        [[rule]]
        name = 'orders'
        routes = ['GET /orders/{id}/audit', 'GET /orders/{id}/notes/{note}']
        requires = 'anyone'
    ";
    const NAMED: &str = "
        [[rule]]
        name = 'parts'
        routes = ['GET /orders/{id}/{part}/audit']
        requires = { scope = 'auditor' }
    ";
    let arn = |path| -> MethodArn {
        format!("arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/GET{path}").parse().unwrap()
    };
    let nobody = Caller::default();
    for (rules, beside, direction) in [
        (OPEN.to_owned(), Effect::Allow, Direction::Opens),
        (format!("{OPEN}{NAMED}"), Effect::Deny, Direction::Closes),
    ] {
        let compiler = Config::parse(&format!("{ISSUER}{rules}"), None).unwrap().compiler;
        let standing = compiler.rules().standing(&nobody, &arn("/"));
        let kept = compiler.compile(&standing, &arn("/orders/7/audit")).unwrap();
        assert_eq!(kept.evaluate(&arn("/orders/7/audit")), Effect::Allow, "{rules}");
        assert_eq!(kept.evaluate(&arn("/orders/7/notes/3")), Effect::Allow, "{rules}");
        assert_eq!(kept.evaluate(&arn("/orders/7/x/audit")), beside, "{rules}");
        assert_eq!(kept.evaluate(&arn("/orders/7/notes/audit")), beside, "{rules}");
        let fresh = compiler.compile(&standing, &arn("/orders/7/x/audit")).unwrap();
        assert_eq!(fresh.evaluate(&arn("/orders/7/x/audit")), Effect::Deny, "{rules}");
        let told = compiler.inexact(&standing);
        assert!(told.iter().any(|inexact| inexact.direction == direction), "{told:?}");
        let about = |path| told.iter().any(|inexact| inexact.opens(&arn(path)) || inexact.closes(&arn(path)));
        assert!(about("/orders/7/x/audit") || about("/orders/7/notes/audit"), "{told:?}");
        assert!(!about("/orders/7/notes/3"), "{told:?}");
    }
}
