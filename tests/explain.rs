//! An explanation comes to what the function answers, for every sample event and every kind of caller.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and fails by panicking"
)]

use std::path::Path;

use lambda_authorizer::config::Config;
use lambda_authorizer::event::Event;
use lambda_authorizer::explain::{AnswerPart, AskedRoute, Cached, Explanation, Verdict};
use lambda_authorizer::io::Edges;
use lambda_authorizer::{Authorizer, Level};
use serde_json::{Value, json};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/events");

fn authorizer(more: &str) -> Authorizer {
    let text = std::fs::read_to_string(Path::new(EVENTS).join("authorizer.toml")).unwrap();
    let config = Config::parse(&format!("{text}\n{more}"), Some(Path::new(EVENTS))).unwrap();
    Authorizer::new(config, Level::Info, Edges::of_this_machine())
}

fn event(payload: &str) -> Event<'_> {
    Event { payload, invocation_id: "1", deadline: None }
}

fn sample(name: &str) -> String {
    std::fs::read_to_string(Path::new(EVENTS).join(name)).unwrap()
}

/// Whether API Gateway is told the policy.
fn is_told(explained: &Explanation) -> bool {
    explained.policy.as_ref().is_some_and(|policy| !policy.statements.is_empty())
}

async fn explain(authorizer: &Authorizer, payload: &str) -> Explanation {
    authorizer.explain(event(payload), &[]).await.unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn every_sample_is_explained_as_it_is_answered() {
    let authorizer = authorizer("");
    let mut verdicts = [0; 3];
    for entry in std::fs::read_dir(EVENTS).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".json") || name == "jwks.json" {
            continue;
        }
        let payload = sample(&name);
        let answered = match authorizer.authorize(event(&payload)).await {
            Ok(response) => serde_json::from_str(response.as_str()).unwrap(),
            Err(failure) => json!([failure.error_type(), failure.error_message()]),
        };
        let Ok(explained) = authorizer.explain(event(&payload), &[]).await else {
            assert_eq!(answered, json!(["event_malformed", "InternalError"]), "{name}");
            continue;
        };
        let told = match &explained.answer {
            AnswerPart::Response(answer) => answer.clone(),
            AnswerPart::Failure { error_type, error_message } => json!([error_type, error_message]),
        };
        assert_eq!(told, answered, "{name}");
        let failed =
            explained.token.iter().flat_map(|token| &token.checks).find_map(|check| check.reason.as_ref());
        match explained.decision.verdict {
            Verdict::Allow => {
                assert!(failed.is_none() && explained.decision.rule.is_some(), "{name}");
                verdicts[0] += 1;
            }
            Verdict::Deny => {
                let reason = explained.decision.reason.as_ref().unwrap();
                // The clock goes on between the two.
                assert!(
                    failed.is_none_or(|failed| failed.code == reason.code),
                    "{name}: {failed:?} {reason:?}"
                );
                verdicts[1] += 1;
            }
            Verdict::Error => verdicts[2] += 1,
        }
    }
    assert!(verdicts.iter().all(|count| *count > 0), "{verdicts:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_policy_is_explained_by_the_rules_behind_it_and_by_what_it_opens_besides() {
    let authorizer = authorizer("");
    let explained = explain(&authorizer, &sample("rest-token.json")).await;
    let policy = explained.policy.unwrap();
    let allow = policy.statements.iter().find(|statement| statement.effect == "Allow").unwrap();
    assert!(
        allow.resources.iter().all(|resource| resource.rules == ["read orders"] && resource.note.is_none())
    );
    let deny = policy.statements.iter().find(|statement| statement.effect == "Deny").unwrap();
    assert!(deny.resources.iter().all(|resource| resource.rules.is_empty() && resource.is_odd));
    let said: Vec<(&str, bool, Option<&str>)> = policy
        .routes
        .iter()
        .map(|other| (other.route.as_str(), other.allowed, other.rule.as_deref()))
        .collect();
    assert_eq!(
        said,
        [
            ("GET /orders", true, Some("read orders")),
            ("GET /orders/**", true, Some("read orders")),
            ("$connect", true, Some("read orders")),
            ("POST /orders", false, None),
        ]
    );
}

/// Each check of the certificate is told, and the first that fails is the reason.
#[tokio::test(flavor = "current_thread")]
async fn a_certificate_is_explained_check_by_check() {
    let certificates = "
        [gateway]
        cache_seconds = 0
        [client_certificate]
        issuers = ['CN=QWAC CA']
        [[rule]]
        name = 'the bank'
        routes = ['GET /bank']
        requires = { client_certificate = { field = 'subject.O', equals = 'Bank' }, header = { name = 'X-Tier', equals = 'gold' } }";
    let authorizer = authorizer(certificates);
    let mut payload: Value = serde_json::from_str(&sample("rest-request.json")).unwrap();
    let checks = |explained: &Explanation| -> Vec<(String, Option<bool>)> {
        explained.client_certificate.iter().map(|check| (check.name.clone(), check.passed)).collect()
    };
    let named = |passed: [Option<bool>; 3]| -> Vec<(String, Option<bool>)> {
        ["certificate", "issuer", "validity"].map(str::to_owned).into_iter().zip(passed).collect()
    };
    let explained = explain(&authorizer, &payload.to_string()).await;
    assert_eq!(checks(&explained), named([Some(false), None, None]));
    assert_eq!(explained.decision.reason.unwrap().code, "client_certificate_missing");

    let validity = |until: &str| json!({"notBefore": "May 28 12:30:02 2019 GMT", "notAfter": until});
    let certificate = |issuer: &str, until: &str| json!({"subjectDN": "O=Bank,CN=a", "issuerDN": issuer, "validity": validity(until)});
    payload["requestContext"]["identity"]["clientCert"] = certificate("CN=other", "Aug  5 09:36:04 2021 GMT");
    let explained = explain(&authorizer, &payload.to_string()).await;
    assert_eq!(checks(&explained), named([Some(true), Some(false), Some(false)]));
    assert_eq!(explained.decision.reason.unwrap().code, "client_certificate_untrusted");

    payload["requestContext"]["identity"]["clientCert"] =
        certificate("CN=QWAC CA", "Aug  5 09:36:04 2121 GMT");
    payload["headers"]["X-Tier"] = json!("gold,silver");
    let explained = explain(&authorizer, &payload.to_string()).await;
    assert_eq!(checks(&explained), named([Some(true); 3]));
    assert_eq!(explained.decision.verdict, Verdict::Allow, "`read orders` asks for no certificate");
    let rule = explained.rules.iter().find(|rule| rule.name == "the bank").unwrap();
    let parts: Vec<_> =
        rule.requirement.parts.iter().map(|part| (part.text.as_str(), part.verdict)).collect();
    assert_eq!(
        parts,
        [
            ("header `x-tier` is `gold`", Some("unknown")),
            ("client certificate's `subject.O` is `Bank`", Some("met")),
        ]
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_rule_says_why_it_is_for_nobody_here() {
    let rules = "
        [[rule]]
        name = 'open'
        routes = ['GET /health']
        requires = 'anyone'
        [[rule]]
        name = 'elsewhere'
        routes = ['GET /orders']
        stages = ['prod']
        requires = { any = [{ scope = 'x' }, { not = { claim = 'guest', equals = true } }] }";
    let authorizer = authorizer(rules);
    let payload = json!({
        "type": "REQUEST", "headers": {}, "httpMethod": "GET", "path": "/orders",
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/GET/orders",
        "requestContext": {"identity": {"sourceIp": "203.0.113.7"}},
    });
    let explained = explain(&authorizer, &payload.to_string()).await;
    let rules: Value = serde_json::to_value(&explained.rules).unwrap();
    let rule = |name: &str| rules.as_array().unwrap().iter().find(|rule| rule["name"] == name).unwrap();
    assert_eq!(
        (&rule("open")["applies"], &rule("open")["routes"][0]["names_request"]),
        (&json!(true), &json!(false))
    );
    let elsewhere = rule("elsewhere");
    assert_eq!((&elsewhere["applies"], &elsewhere["is_on_stage"]), (&json!(false), &json!(false)));
    let parts = &elsewhere["requirement"]["parts"];
    assert_eq!(
        (&parts[0]["verdict"], &parts[1]["parts"][0]["text"]),
        (&json!("unknown"), &json!("claim `guest` is `true`"))
    );
    assert_eq!(explained.decision.reason.unwrap().code, "credential_missing");
    assert!(
        explained.policy.unwrap().routes.iter().any(|other| other.route == "GET /health" && other.allowed)
    );
}

fn arn(tail: &str) -> lambda_authorizer::arn::MethodArn {
    format!("arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/{tail}").parse().unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn a_route_is_looked_at_with_the_callers_own_value_where_a_rule_asks_for_one() {
    let authorizer = authorizer(
        "[[rule]]\nname = 'own'\nroutes = ['GET /users/{claims.sub}', 'GET /other/{claims.sub}']\nrequires = 'authenticated'",
    );
    let asked = |name: &str, tails: &[&str], parameters: &[usize]| AskedRoute {
        name: name.to_owned(),
        examples: tails.iter().map(|tail| (tail.split('/').next().unwrap().to_owned(), arn(tail))).collect(),
        parameters: parameters.to_vec(),
    };
    let others = [
        asked("GET /users/{id}", &["GET/users/~1"], &[1]),
        asked("GET /users/me", &["GET/users/me"], &[]),
        asked("ANY /orders", &["GET/orders", "PUT/orders"], &[]),
        asked("ANY /reports", &["GET/reports", "PUT/reports"], &[]),
    ];
    let payload = sample("rest-token.json");
    let explained = authorizer.explain(event(&payload), &others).await.unwrap();
    let routes = explained.policy.unwrap().routes;
    let said: Vec<(&str, bool, bool)> =
        routes.iter().map(|other| (other.route.as_str(), other.allowed, other.own)).collect();
    assert_eq!(
        said,
        [
            ("GET /users/{id}", true, true),
            ("GET /users/me", false, false),
            ("GET, of ANY /orders", true, false),
            ("PUT, of ANY /orders", false, false),
            ("ANY /reports", false, false),
        ]
    );
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_cached_is_what_api_gateway_is_told() {
    let connect = sample("websocket.json");
    let (token, http) = (sample("rest-token.json"), sample("http-2.0-insufficient-scope.json"));
    let uncached = "[gateway]\ncache_seconds = 0\n";
    for (more, payload, expected) in [
        ("", &token, Cached::Policy),
        ("", &http, Cached::Policy),
        ("", &connect, Cached::Nothing),
        (uncached, &token, Cached::Nothing),
    ] {
        let explained = explain(&authorizer(more), payload).await;
        assert_eq!((explained.cached, is_told(&explained)), (expected, true), "{more}");
    }
    // The error `Unauthorized`.
    let explained = explain(&authorizer(""), &sample("rest-token-expired.json")).await;
    assert_eq!(explained.cached, Cached::Nothing);
    let keyed = "[gateway]\nidentity_sources = ['$request.header.Authorization', '$context.routeKey']\n";
    for (gateway, expected) in [(uncached, Cached::Nothing), (keyed, Cached::AnswerForRoute)] {
        let explained = explain(&simple(gateway, true), &http).await;
        assert_eq!((explained.cached, is_told(&explained)), (expected, false), "{gateway}");
        assert!(matches!(explained.answer, AnswerPart::Response(answer) if answer["isAuthorized"] == false));
    }
    let explained = explain(&simple("", false), &http).await;
    assert_eq!(explained.cached, Cached::AnswerForApi);
}

/// The sample configuration, for simple responses.
fn simple(gateway: &str, has_rules: bool) -> Authorizer {
    let text = std::fs::read_to_string(Path::new(EVENTS).join("authorizer.toml")).unwrap();
    let (issuers, rest) = text.split_once("[[rule]]").unwrap();
    let (rules, response) = rest.split_once("[response]").unwrap();
    let rules = if has_rules {
        format!("[[rule]]{}", rules.replace("GET /orders/**", "GET /reports"))
    } else {
        String::new()
    };
    let text = format!("{issuers}{rules}{gateway}[response]\nhttp_api = 'simple'{response}");
    let config = Config::parse(&text, Some(Path::new(EVENTS))).unwrap();
    Authorizer::new(config, Level::Info, Edges::of_this_machine())
}

/// Rule Z8: who explains a decision needs no token of the backend's, and gets none.
#[tokio::test(flavor = "current_thread")]
async fn no_token_for_the_backend_is_explained() {
    // Nobody listens there: a question would end in a fault.
    let authorizer = authorizer(
        "[gateway]\ncache_seconds = 0\n[token_exchange]\ntoken_endpoint = 'http://127.0.0.1:1/token'\nissuer = 'https://issuer.development.invalid/'\n\
         client_id = 'a'\nclient_secret = 'b'\naudience = 'stock'\ncontext_key = 'backend_token'\n",
    );
    let payload = sample("rest-request.json");
    let explained = explain(&authorizer, &payload).await;
    assert_eq!(explained.decision.verdict, Verdict::Allow, "{explained:#?}");
    let AnswerPart::Response(answer) = &explained.answer else { panic!("{explained:#?}") };
    assert_eq!(answer.pointer("/context/backend_token"), Some(&json!("(a token for the backend)")));
    assert!(authorizer.authorize(event(&payload)).await.is_err(), "a decision needs the token itself");
}
