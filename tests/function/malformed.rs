//! Rule Z1: what is no event of API Gateway's is an error that quotes nothing of it, and the next event
//! finds the function alive.

use authorizer_cli::gateway::EventKind::{self, Http1, Http2, RestRequest, RestToken, WebSocket};
use serde_json::{Value, json};

use crate::process::{Function, Settings, is_internal_error};
use crate::support::{KINDS, event};

const METHOD_ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/dev/GET/orders";

/// Each is an error, and the function goes on.
async fn are_errors(payloads: Vec<(String, Vec<u8>)>) {
    let function = Function::start(Settings::default()).await;
    let caller = event(RestRequest, &function.issuer.mint(&json!({})).unwrap());
    for (what, payload) in payloads {
        let invocation = function.invoke(payload).await;
        is_internal_error(&invocation.outcome, "event_malformed", &what);
        let record = function.process.log_record(&invocation.request_id).await.expect(&what);
        assert_eq!(
            (&record["decision"], &record["reason"]),
            (&json!("fault"), &json!("event_malformed")),
            "{what}"
        );
        function.ask(&caller).await.is_allowed(&what);
    }
    function.ends_without_a_trace_of_tokens().await;
}

const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUuY29tLyJ9.c2lnbmF0dXJl";

/// Lambda takes nothing but JSON. Should it hand over something else, the runtime answers before we are
/// asked: an error as well, which quotes nothing either.
#[tokio::test]
async fn what_is_no_json_is_an_error() {
    let function = Function::start(Settings::default()).await;
    let caller = event(RestRequest, &function.issuer.mint(&json!({})).unwrap());
    let payloads: [(&str, Vec<u8>); 6] = [
        ("nothing", vec![]),
        ("a space", b" ".to_vec()),
        ("no JSON", format!("Bearer {TOKEN}").into()),
        ("half an object", format!(r#"{{"type": "TOKEN", "authorizationToken": "{TOKEN}"#).into()),
        ("not UTF-8", b"{\"type\": \"\xff\"}".to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
    ];
    for (what, payload) in payloads {
        let outcome = function.invoke(payload).await.outcome;
        let error = outcome.error().expect(what);
        assert!(error.message.starts_with("failed to deserialize the incoming data"), "{what}: {error:?}");
        assert!(!String::from_utf8_lossy(&error.body).contains("eyJ"), "{what}: {error:?}");
        function.ask(&caller).await.is_allowed(what);
    }
    function.ends_without_a_trace_of_tokens().await;
}

#[tokio::test]
async fn what_is_no_object_is_an_error() {
    let payloads = [
        ("two objects", "{}{}".into()),
        ("null", "null".into()),
        ("a number", "1".into()),
        ("a text", json!(TOKEN).to_string()),
        ("an empty array", "[]".into()),
        ("an array", json!(["TOKEN", null, METHOD_ARN, null, TOKEN]).to_string()),
        ("an empty object", "{}".into()),
        ("deep nesting", format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))),
        ("deep members", format!(r#"{}1{}"#, r#"{"type":"#.repeat(50_000), "}".repeat(50_000))),
    ];
    are_errors(payloads.map(|(what, payload)| (what.to_owned(), payload.into())).into()).await;
}

/// An event of this kind with members replaced; `null` takes one away.
fn changed(kind: EventKind, members: &Value) -> Vec<u8> {
    let mut event = event(kind, TOKEN);
    for (name, value) in members.as_object().unwrap() {
        event[name] = value.clone();
    }
    event.to_string().into()
}

#[tokio::test]
async fn members_of_a_wrong_type_are_an_error() {
    let mut payloads = Vec::new();
    for kind in KINDS {
        let arn = if kind == Http2 { "routeArn" } else { "methodArn" };
        for (name, value) in [
            ("type", json!(null)),
            ("type", json!("token")),
            ("type", json!("")),
            ("type", json!(["TOKEN"])),
            (arn, json!(null)),
            (arn, json!("")),
            (arn, json!(5)),
            (arn, json!("arn:aws:lambda:us-east-1:123456789012:function:f")),
            (arn, json!("arn:aws:execute-api:us-east-1:123456789012:abc")),
            (arn, json!("arn:aws:execute-api:us-east-1:123456789012:*/dev/GET/")),
        ] {
            payloads.push((format!("{kind}, {name} = {value}"), changed(kind, &json!({name: value}))));
        }
    }
    for kind in [RestRequest, Http1, Http2, WebSocket] {
        for (name, value) in [
            ("headers", json!("x")),
            ("headers", json!(["x"])),
            ("headers", json!({"Authorization": ["Bearer x"]})),
            ("headers", json!({"Authorization": 5})),
            ("multiValueHeaders", json!({"Authorization": "Bearer x"})),
            ("queryStringParameters", json!({"a": {}})),
            ("requestContext", json!("x")),
            ("requestContext", json!(["x"])),
            ("requestContext", json!({"requestId": {}})),
        ] {
            payloads.push((format!("{kind}, {name} = {value}"), changed(kind, &json!({name: value}))));
        }
    }
    for value in [json!(null), json!(5), json!(["Bearer x"])] {
        payloads
            .push((format!("token = {value}"), changed(RestToken, &json!({"authorizationToken": value}))));
    }
    are_errors(payloads).await;
}

/// An event that is two kinds at once is refused, not guessed.
#[tokio::test]
async fn contradictions_are_an_error() {
    let connect = "arn:aws:execute-api:us-east-1:123456789012:abc/dev/$connect";
    let payloads = [
        ("both ARNs", RestRequest, json!({"routeArn": METHOD_ARN})),
        ("both ARNs, 1.0", Http1, json!({"routeArn": METHOD_ARN})),
        ("both ARNs, 2.0", Http2, json!({"methodArn": METHOD_ARN})),
        ("both ARNs, TOKEN", RestToken, json!({"routeArn": METHOD_ARN})),
        ("2.0 with a `methodArn` alone", RestRequest, json!({"version": "2.0"})),
        ("1.0 with a `routeArn` alone", Http2, json!({"version": "1.0"})),
        ("a TOKEN event of format 2.0", RestToken, json!({"version": "2.0"})),
        ("a REQUEST event with a TOKEN's token", RestRequest, json!({"authorizationToken": "Bearer x"})),
        ("a TOKEN event that connects", RestToken, json!({"methodArn": connect})),
        ("a method that connects", RestRequest, json!({"methodArn": connect})),
        ("a connection to a method", WebSocket, json!({"methodArn": METHOD_ARN})),
        ("a 2.0 event that connects", Http2, json!({"routeArn": connect})),
        ("a connection of format 2.0", WebSocket, json!({"version": "2.0"})),
    ];
    let mut payloads: Vec<_> = payloads
        .into_iter()
        .map(|(what, kind, members)| (what.to_owned(), changed(kind, &members)))
        .collect();
    for (name, value) in
        [("type", "\"TOKEN\""), ("methodArn", "\"x\""), ("headers", "{}"), ("requestContext", "{}")]
    {
        let whole = event(RestRequest, "x.y.z").to_string();
        payloads.push((format!("`{name}` twice"), format!(r#"{{"{name}":{value},{}"#, &whole[1..]).into()));
    }
    are_errors(payloads).await;
}

/// Lambda itself takes 6 MB.
#[tokio::test]
async fn huge_events_are_answered() {
    let function = Function::start(Settings::default()).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    let filler = "x".repeat(5_000_000);
    let mut caller = event(RestRequest, &token);
    caller["filler"] = json!(filler);
    function.ask(&caller).await.is_allowed("an unknown member of 5 MB");
    let many: Value = (0..50_000)
        .map(|number| (format!("X-{number}"), json!("x")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    caller = event(RestRequest, &token);
    caller["queryStringParameters"] = many;
    function.ask(&caller).await.is_allowed("50,000 parameters");
    function.ask(&event(RestRequest, &filler)).await.is_refused("token_too_large", "a token of 5 MB");
    caller = event(RestRequest, &token);
    caller["methodArn"] = json!(format!("{METHOD_ARN}/{filler}"));
    let answer = function.ask(&caller).await;
    assert_eq!(answer.status(), 200, "without rules, the path does not matter");
    function.ends_without_a_trace_of_tokens().await;
}
