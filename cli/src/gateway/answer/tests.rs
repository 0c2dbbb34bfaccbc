use serde_json::json;

use super::*;
use crate::runtime_api::FunctionError;

const API: &str = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5";

fn event(kind: EventKind) -> Value {
    match kind {
        EventKind::RestToken => json!({"type": "TOKEN", "methodArn": format!("{API}/dev/GET/orders")}),
        EventKind::RestRequest => {
            json!({"type": "REQUEST", "methodArn": format!("{API}/dev/GET/orders")})
        }
        EventKind::Http1 => {
            json!({"type": "REQUEST", "version": "1.0", "methodArn": format!("{API}/$default/GET/orders")})
        }
        EventKind::Http2 => {
            json!({"type": "REQUEST", "version": "2.0", "routeArn": format!("{API}/dev/GET/orders")})
        }
        EventKind::WebSocket => json!({"type": "REQUEST", "methodArn": format!("{API}/dev/$connect")}),
    }
}

const KINDS: [EventKind; 5] =
    [EventKind::RestToken, EventKind::RestRequest, EventKind::Http1, EventKind::Http2, EventKind::WebSocket];

fn answer(statements: Value) -> Value {
    json!({"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": statements}})
}

fn statement(effect: &str, resource: &str) -> Value {
    json!({"Action": "execute-api:Invoke", "Effect": effect, "Resource": [resource]})
}

fn status(kind: EventKind, answer: &Value) -> u16 {
    Gateway::default().status(&event(kind), &Outcome::Response(answer.to_string().into()))
}

#[test]
fn kinds_are_told_apart() {
    for kind in KINDS {
        assert_eq!(EventKind::of(&event(kind)), Some(kind));
    }
    assert_eq!(EventKind::of(&json!({})), None);
    assert_eq!(EventKind::of(&json!([])), None);
}

#[test]
fn the_policy_is_evaluated_at_the_arn_of_the_event() {
    let orders = format!("{API}/dev/GET/orders");
    for (resource, expected) in [
        (format!("{API}/dev/*"), 200),
        (orders.clone(), 200),
        ("*".into(), 200),
        (format!("{API}/dev/GET/orders/*"), 403),
        (format!("{API}/prod/*"), 403),
        (format!("{API}/dev/get/orders"), 403),
    ] {
        let answer = answer(json!([statement("Allow", &resource)]));
        assert_eq!(status(EventKind::RestToken, &answer), expected, "{resource}");
    }
    let dollar = answer(json!([statement("Allow", &format!("{API}/$default/GET/orders"))]));
    assert_eq!(status(EventKind::Http1, &dollar), 200);
    let connect = answer(json!([statement("Allow", &format!("{API}/dev/$connect"))]));
    assert_eq!(status(EventKind::WebSocket, &connect), 200);
}

/// A bug of iam-rs 0.8 that is kept away from it.
#[test]
fn a_wildcard_in_the_path_is_data() {
    let everything = json!({
        "principalId": "user",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement("Allow", &format!("{API}/dev/*"))]},
    });
    let outcome = Outcome::Response(everything.to_string().into());
    let answer = Answer::read(EventKind::RestToken, false, &outcome).unwrap();
    let verdict = |arn: String| answer.verdict(&arn, &Circumstances::default()).unwrap();
    assert_eq!(verdict(format!("{API}/dev/GET/a/*/b")), Verdict::Allowed);
    assert_eq!(verdict(format!("{API}/prod/GET/a/*/b")), Verdict::NotAllowed);
}

#[test]
fn deny_wins_and_silence_refuses() {
    let both = answer(json!([statement("Allow", "*"), statement("Deny", "*")]));
    for kind in KINDS {
        assert_eq!(status(kind, &both), 403);
        assert_eq!(status(kind, &answer(json!([]))), 403);
    }
}

#[test]
fn only_rest_and_websocket_know_unauthorized() {
    let error = |message: &str| {
        let (error_type, message) = (String::new(), message.to_owned());
        Outcome::Error(FunctionError { error_type, message, body: "".into() })
    };
    let gateway = Gateway::default();
    let statuses = KINDS.map(|kind| gateway.status(&event(kind), &error("Unauthorized")));
    assert_eq!(statuses, [401, 401, 500, 500, 401]);
    for message in ["unauthorized", "Unauthorized ", "InternalError", ""] {
        assert_eq!(gateway.status(&event(EventKind::RestToken), &error(message)), 500, "{message}");
    }
    for outcome in [Outcome::Exited(Some(1)), Outcome::TimedOut] {
        assert_eq!(gateway.status(&event(EventKind::RestToken), &outcome), 500);
    }
}

#[test]
fn malformed_answers_are_our_fault() {
    let good = answer(json!([statement("Allow", "*")]));
    let with = |name: &str, value: Value| {
        let mut answer = good.clone();
        answer[name] = value;
        answer
    };
    for (what, answer) in [
        ("no object", json!("Unauthorized")),
        ("another shape", json!({"statusCode": 401})),
        ("no principal", with("principalId", Value::Null)),
        ("empty principal", with("principalId", json!(""))),
        ("null context", with("context", Value::Null)),
        ("null in the context", with("context", json!({"a": null}))),
        ("reserved key", with("context", json!({"claims": "x"}))),
        ("key that is no text", with("usageIdentifierKey", json!(1))),
        ("long resource", with("policyDocument", answer(json!([statement("Allow", &"x".repeat(513))])))),
        (
            "misspelt effect",
            with(
                "policyDocument",
                json!({"Version": "2012-10-17", "Statement": [{
                    "Action": "execute-api:Invoke", "Effect": "allow", "Resource": "*"
                }]}),
            ),
        ),
        ("simple answer", json!({"isAuthorized": true})),
    ] {
        for kind in KINDS {
            assert_eq!(status(kind, &answer), 500, "{what}");
        }
    }
    let structured = with("context", json!({"roles": ["a"]}));
    assert_eq!(KINDS.map(|kind| status(kind, &structured)), [500, 500, 500, 200, 500]);
    let large = with("context", json!({"text": "x".repeat(8192)}));
    assert_eq!(KINDS.map(|kind| status(kind, &large)), [200, 200, 200, 200, 500]);
}

#[test]
fn simple_responses_are_understood_where_they_are_enabled() {
    let gateway = Gateway { simple_responses: true };
    let status =
        |kind, answer: Value| gateway.status(&event(kind), &Outcome::Response(answer.to_string().into()));
    assert_eq!(status(EventKind::Http2, json!({"isAuthorized": true})), 200);
    assert_eq!(status(EventKind::Http2, json!({"isAuthorized": false})), 403);
    assert_eq!(status(EventKind::Http2, json!({"isAuthorized": "true"})), 500);
    assert_eq!(status(EventKind::Http2, answer(json!([statement("Allow", "*")]))), 500);
    assert_eq!(status(EventKind::Http1, json!({"isAuthorized": true})), 500);
}
