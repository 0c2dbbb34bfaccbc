use super::*;
use crate::request::EventKind;
use serde_json::{Value, json};

const METHOD: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/dev/GET/orders";
const CONNECT: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/dev/$connect";

fn decode(event: &Value) -> Result<Request, Fault> {
    Event { payload: &event.to_string(), invocation_id: "1", deadline: None }.try_into()
}

fn kind(event: &Value) -> Option<EventKind> {
    decode(event).ok().map(|request| request.kind)
}

#[test]
fn each_kind_is_told_by_its_own_members() {
    for (event, expected) in [
        (json!({"type": "TOKEN", "authorizationToken": "", "methodArn": METHOD}), EventKind::RestToken),
        (json!({"type": "REQUEST", "methodArn": METHOD}), EventKind::RestRequest),
        (json!({"type": "REQUEST", "methodArn": METHOD, "version": "$LATEST"}), EventKind::RestRequest),
        (
            json!({
                "type": "REQUEST", "methodArn": METHOD, "routeArn": "", "authorizationToken": "", "version": "",
                "requestContext": {"connectionId": "", "eventType": ""},
            }),
            EventKind::RestRequest,
        ),
        (json!({"type": "REQUEST", "methodArn": CONNECT, "httpMethod": ""}), EventKind::WebSocket),
        (json!({"type": "REQUEST", "methodArn": METHOD, "version": "1.0"}), EventKind::Http1),
        (
            json!({"type": "REQUEST", "methodArn": METHOD, "version": "1.0", "authorizationToken": "a,b"}),
            EventKind::Http1,
        ),
        (json!({"type": "REQUEST", "routeArn": METHOD, "version": "2.0"}), EventKind::Http2),
        (json!({"type": "REQUEST", "routeArn": METHOD}), EventKind::Http2),
        (json!({"type": "REQUEST", "methodArn": CONNECT}), EventKind::WebSocket),
        (
            json!({"type": "REQUEST", "methodArn": CONNECT, "requestContext": {"connectionId": "a"}}),
            EventKind::WebSocket,
        ),
        (
            json!({"type": "REQUEST", "methodArn": CONNECT, "requestContext": {"eventType": "CONNECT"}}),
            EventKind::WebSocket,
        ),
    ] {
        assert_eq!(kind(&event), Some(expected), "{event}");
    }
}

/// Rule Z1: an event that is two kinds at once, or none, is not guessed at.
#[test]
fn contradictory_and_malformed_events_are_faults() {
    let connection = json!({"connectionId": "a"});
    for event in [
        json!(null),
        json!([]),
        json!("TOKEN"),
        json!({}),
        json!({"type": "token", "authorizationToken": "a", "methodArn": METHOD}),
        json!({"type": 1, "authorizationToken": "a", "methodArn": METHOD}),
        json!({"type": "TOKEN", "authorizationToken": "a"}),
        json!({"type": "TOKEN", "methodArn": METHOD}),
        json!({"type": "TOKEN", "authorizationToken": 5, "methodArn": METHOD}),
        json!({"type": "TOKEN", "authorizationToken": "a", "methodArn": CONNECT}),
        json!({"type": "TOKEN", "authorizationToken": "a", "methodArn": METHOD, "routeArn": METHOD}),
        json!({"type": "TOKEN", "authorizationToken": "a", "methodArn": METHOD, "version": "2.0"}),
        json!({"type": "REQUEST"}),
        json!({"type": "REQUEST", "methodArn": "orders"}),
        json!({"type": "REQUEST", "methodArn": METHOD, "routeArn": METHOD}),
        json!({"type": "REQUEST", "methodArn": METHOD, "version": "2.0"}),
        json!({"type": "REQUEST", "routeArn": METHOD, "version": "1.0"}),
        json!({"type": "REQUEST", "methodArn": METHOD, "authorizationToken": "a"}),
        json!({"type": "REQUEST", "methodArn": METHOD, "requestContext": connection}),
        json!({"type": "REQUEST", "methodArn": CONNECT, "version": "1.0", "requestContext": connection}),
        json!({"type": "REQUEST", "routeArn": METHOD, "version": "2.0", "requestContext": connection}),
        json!({"type": "REQUEST", "methodArn": CONNECT, "httpMethod": "GET"}),
        json!({"type": "REQUEST", "methodArn": METHOD, "headers": {"Authorization": 5}}),
        json!({"type": "REQUEST", "methodArn": METHOD, "headers": ["Authorization"]}),
        json!({"type": "REQUEST", "methodArn": METHOD, "headers": "Authorization: a"}),
        json!({"type": "REQUEST", "methodArn": METHOD, "multiValueHeaders": {"Authorization": "a"}}),
        json!({"type": "REQUEST", "methodArn": METHOD, "requestContext": ["a"]}),
        json!({"type": "REQUEST", "methodArn": METHOD, "requestContext": "a"}),
    ] {
        assert!(matches!(decode(&event), Err(Fault::EventMalformed { .. })), "{event}");
    }
}

#[test]
fn a_member_that_comes_twice_is_malformed() {
    let twice = format!(
        r#"{{"type":"TOKEN","authorizationToken":"a","authorizationToken":"b","methodArn":"{METHOD}"}}"#
    );
    assert!(Request::try_from(Event { payload: &twice, invocation_id: "1", deadline: None }).is_err());
}

/// A header that comes twice in the JSON is not quietly one header.
#[test]
fn no_header_is_lost() {
    let event = format!(
        r#"{{"type":"REQUEST","methodArn":"{METHOD}","headers":{{"Authorization":"a","Authorization":"b"}}}}"#
    );
    let request = Request::try_from(Event { payload: &event, invocation_id: "1", deadline: None }).unwrap();
    assert!(request.headers.header("authorization").is_err());
}

#[test]
fn a_fault_does_not_quote_the_event() {
    let event = json!({"type": "REQUEST", "methodArn": "secret", "headers": {"Authorization": "secret"}});
    assert!(!decode(&event).unwrap_err().to_string().contains("secret"));
}

#[test]
fn cookies_come_from_their_member_or_their_header() {
    let cookies =
        |event: Value| decode(&event).unwrap().cookies.exact("session").map(|value| value.map(str::to_owned));
    let two =
        json!({"type": "REQUEST", "routeArn": METHOD, "version": "2.0", "cookies": ["a=1", "session=x=y"]});
    assert_eq!(cookies(two), Ok(Some("x=y".into())));
    let both = json!({
        "type": "REQUEST", "routeArn": METHOD, "cookies": ["session=s"], "headers": {"cookie": "session=s"},
    });
    assert_eq!(cookies(both), Ok(Some("s".into())));
    let header = json!({"type": "REQUEST", "methodArn": METHOD, "headers": {"cookie": "a=1; session=s"}});
    assert_eq!(cookies(header), Ok(Some("s".into())));
    let split = json!({
        "type": "REQUEST", "methodArn": METHOD,
        "headers": {"cookie": "a=1"}, "multiValueHeaders": {"cookie": ["session=s", "a=1"]},
    });
    assert_eq!(cookies(split), Ok(Some("s".into())));
    let double = json!({
        "type": "REQUEST", "methodArn": METHOD, "multiValueHeaders": {"Cookie": ["session=s", "session=t"]},
    });
    assert!(cookies(double).is_err());
}
