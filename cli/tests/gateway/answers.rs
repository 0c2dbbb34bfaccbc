//! Answers and errors of an authorizer, and what the client gets.

use serde_json::json;

use crate::support::{faked, last, send};

fn policy(condition: serde_json::Value) -> serde_json::Value {
    let mut statement = json!({"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"});
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    json!({"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}})
}

#[tokio::test]
async fn an_error_is_401_or_500() {
    let null = r#"{"message":null}"#;
    for (kind, error, status, body) in [
        ("rest-token", "Unauthorized", 401, r#"{"message":"Unauthorized"}"#),
        ("rest-request", "Unauthorized", 401, r#"{"message":"Unauthorized"}"#),
        ("rest-token", "unauthorized", 500, null),
        ("rest-request", "Unauthorized.", 500, null),
        ("http-1.0", "Unauthorized", 500, r#"{"message":"Internal Server Error"}"#),
        ("http-2.0", "Unauthorized", 500, r#"{"message":"Internal Server Error"}"#),
    ] {
        let gateway = faked(kind, &[("ERROR", error)]).await;
        let answer = send(&gateway, "GET /orders", &["Authorization: x"]).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{kind} {error}");
        if kind.starts_with("rest") && status == 500 {
            assert_eq!(answer.header("x-amzn-errortype"), Some("AuthorizerConfigurationException"));
        }
    }
}

#[tokio::test]
async fn an_answer_of_another_shape_is_500() {
    let allowed = policy(json!(null));
    for (kind, answer, status) in [
        ("rest-token", allowed.clone(), 200),
        ("http-2.0", allowed.clone(), 200),
        ("rest-token", json!({"statusCode": 401}), 500),
        ("http-2.0", json!({"isAuthorized": true}), 500),
        ("http-2.0-simple", json!({"isAuthorized": true}), 200),
        ("http-2.0-simple", json!({"isAuthorized": "true"}), 500),
        ("http-2.0-simple", allowed.clone(), 500),
        (
            "rest-token",
            json!({"principalId": "p", "policyDocument": allowed["policyDocument"], "context": {"a": []}}),
            500,
        ),
        (
            "http-2.0",
            json!({"principalId": "p", "policyDocument": allowed["policyDocument"], "context": {"a": []}}),
            200,
        ),
    ] {
        let gateway = faked(kind, &[("ANSWER", &answer.to_string())]).await;
        let got = send(&gateway, "GET /orders", &["Authorization: x"]).await;
        assert_eq!(got.status, status, "{kind} {answer}");
        if status == 500 {
            assert_eq!(last(&gateway)["reason"], "answer_malformed");
        }
    }
}

#[tokio::test]
async fn a_condition_is_judged_for_each_request() {
    for (condition, status) in [
        (json!({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}), 200),
        (json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), 403),
        // What a request does not have cannot be judged.
        (json!({"StringEquals": {"aws:PrincipalTag/team": "a"}}), 500),
    ] {
        let gateway = faked("rest-request", &[("ANSWER", &policy(condition.clone()).to_string())]).await;
        let got = send(&gateway, "GET /orders", &["Authorization: x"]).await;
        assert_eq!(got.status, status, "{condition}");
    }
}

#[tokio::test]
async fn a_function_that_ends_is_started_again() {
    let gateway = faked("rest-request", &[("BEHAVIOUR", "exit")]).await;
    for _ in 0..2 {
        assert_eq!(send(&gateway, "GET /orders", &["Authorization: x"]).await.status, 500);
        assert_eq!(last(&gateway)["reason"], "authorizer_failed");
    }
    let gateway = faked("rest-request", &[]).await;
    assert_eq!(send(&gateway, "GET /orders", &["Authorization: x"]).await.status, 200);
    assert_eq!(last(&gateway)["rule"], "everything");
}

#[tokio::test]
async fn a_context_is_delivered_as_its_kind_of_api_does() {
    let mut answer = policy(json!(null));
    answer["context"] = json!({"level": 3, "admin": false, "name": "é"});
    for (kind, expected) in [
        ("rest-token", json!({"principalId": "p", "level": "3", "admin": "false", "name": "é"})),
        ("rest-request", json!({"principalId": "p", "level": "3", "admin": "false", "name": "é"})),
        ("http-2.0", json!({"lambda": {"level": 3, "admin": false, "name": "é"}})),
    ] {
        let gateway = faked(kind, &[("ANSWER", &answer.to_string())]).await;
        let got = send(&gateway, "GET /orders", &["Authorization: x"]).await;
        assert_eq!(got.json()["authorizer"], expected, "{kind}");
    }
}
