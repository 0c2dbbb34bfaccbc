//! Where a credential is looked for, kind by kind, and what is refused before any token is read.

use authorizer_cli::gateway::EventKind::{self, Http1, Http2, RestRequest, RestToken, WebSocket};
use serde_json::{Value, json};

use crate::process::{Function, Settings};
use crate::support::{KINDS, event};

/// The event with its credential, scheme and all, replaced wherever its kind carries it.
fn with_credential(kind: EventKind, credential: &str) -> Value {
    let text = event(kind, "TOKEN").to_string();
    let escaped = json!(credential).to_string();
    serde_json::from_str(&text.replace("Bearer TOKEN", &escaped[1..escaped.len() - 1])).unwrap()
}

#[tokio::test]
async fn the_scheme_is_bearer_in_any_case_and_one_word_follows() {
    let function = Function::start(Settings::default()).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in KINDS {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR", " Bearer", "Bearer "] {
            let event = with_credential(kind, &format!("{scheme} {token}"));
            function.ask(&event).await.is_allowed(&format!("{kind}, `{scheme}`"));
        }
        for credential in [
            token.clone(),
            "Bearer".into(),
            format!("Basic {token}"),
            format!("Bearer{token}"),
            format!("Bearer\t{token}"),
            format!("Bearer {token} {token}"),
            format!("Bearer Bearer {token}"),
            format!("Digest {token}"),
            "é".repeat(9),
        ] {
            let answer = function.ask(&with_credential(kind, &credential)).await;
            answer.is_refused("credential_malformed", &format!("{kind}, `{credential}`"));
        }
        for nothing in ["", " ", "\t"] {
            let answer = function.ask(&with_credential(kind, nothing)).await;
            answer.is_refused("credential_missing", &format!("{kind}, `{nothing}`"));
        }
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule Z2: nothing but the configured place counts.
#[tokio::test]
async fn without_its_header_a_request_has_no_credential() {
    let function = Function::start(Settings::default()).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in [RestRequest, Http1, Http2, WebSocket] {
        let whole = event(kind, &token);
        function.ask(&whole).await.is_allowed("the header");
        for (what, name, value) in [
            ("a query parameter", "queryStringParameters", json!({"access_token": token, "token": token})),
            ("a cookie", "cookies", json!([format!("token={token}")])),
            ("another header", "headers", json!({"X-Authorization": format!("Bearer {token}")})),
            ("a joined identity source", "identitySource", json!(format!("Bearer {token}"))),
        ] {
            let mut event = whole.clone();
            (event["headers"], event["multiValueHeaders"]) = (json!({}), json!({}));
            event[name] = value;
            let answer = function.ask(&event).await;
            answer.is_refused("credential_missing", &format!("{kind}, {what}"));
        }
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule Z2: a backend could read another of two values than was checked here.
#[tokio::test]
async fn two_values_of_one_header_are_ambiguous() {
    let function = Function::start(Settings::default()).await;
    let one = format!("Bearer {}", function.issuer.mint(&json!({})).unwrap());
    let two = format!("Bearer {}", function.issuer.mint(&json!({"sub": "admin"})).unwrap());
    for kind in [RestRequest, WebSocket] {
        for (what, headers, every) in [
            ("two values", json!({"Authorization": two}), json!({"Authorization": [one, two]})),
            ("one value twice", json!({"Authorization": one}), json!({"Authorization": [one, one]})),
            ("two spellings", json!({"Authorization": one, "authorization": two}), Value::Null),
            ("maps that disagree", json!({"Authorization": one}), json!({"Authorization": [two]})),
            ("spellings apart", json!({"Authorization": one}), json!({"AUTHORIZATION": [one]})),
            ("joined values", json!({"Authorization": format!("{one}, {two}")}), Value::Null),
        ] {
            let mut event = event(kind, "x");
            (event["headers"], event["multiValueHeaders"]) = (headers, every);
            let answer = function.ask(&event).await;
            answer.is_refused("credential_ambiguous", &format!("{kind}, {what}"));
        }
        for (what, headers, every) in [
            ("both maps", json!({"AUTHORIZATION": one}), json!({"AUTHORIZATION": [one]})),
            ("the first map alone", json!({"authorization": one}), json!({})),
            ("the second map alone", Value::Null, json!({"authorization": [one]})),
        ] {
            let mut event = event(kind, "x");
            (event["headers"], event["multiValueHeaders"]) = (headers, every);
            function.ask(&event).await.is_allowed(&format!("{kind}, {what}"));
        }
    }
    for kind in [Http1, Http2] {
        let mut event = event(kind, "x");
        event["headers"] = json!({"authorization": format!("{one},{two}")});
        function.ask(&event).await.is_refused("credential_ambiguous", "joined by API Gateway");
        event["headers"] = json!({"authorization": one, "Authorization": one});
        function.ask(&event).await.is_refused("credential_ambiguous", "two spellings");
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// The one header that a browser's script can set on a WebSocket.
#[tokio::test]
async fn a_browser_offers_its_token_as_a_subprotocol() {
    let function = Function::start(Settings::default()).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    let ask = async |kind, offered: String| {
        let mut event = event(kind, "x");
        (event["headers"], event["multiValueHeaders"]) =
            (json!({"sec-websocket-protocol": offered}), json!({"sec-websocket-protocol": [offered]}));
        function.ask(&event).await
    };
    for offered in [
        format!("access_token, {token}"),
        format!("chat,access_token,{token}"),
        format!("access_token,{token},v1"),
    ] {
        ask(WebSocket, offered).await.is_allowed("behind the marker");
    }
    for (reason, offered) in [
        ("credential_missing", token.clone()),
        ("credential_missing", "access_token".into()),
        ("credential_missing", format!("{token}, access_token")),
        ("credential_missing", format!("Access_Token, {token}")),
        ("credential_ambiguous", format!("access_token, {token}, access_token, {token}")),
    ] {
        ask(WebSocket, offered.clone()).await.is_refused(reason, &offered);
    }
    ask(RestRequest, format!("access_token, {token}")).await.is_refused("credential_missing", "no WebSocket");
    function.ends_without_a_trace_of_tokens().await;
}

#[tokio::test]
async fn configured_places_are_looked_at_in_order() {
    let sections = "
        [[identity_source]]
        from = 'query'
        name = 'token'
        [[identity_source]]
        from = 'cookie'
        name = 'session'
        [[identity_source]]
        from = 'header'
        name = 'X-Api-Token'
        scheme = 'none'
    ";
    let function = Function::start(Settings { sections, ..Settings::default() }).await;
    let (good, bad) = (function.issuer.mint(&json!({})).unwrap(), "x.y.z");
    for kind in [RestRequest, Http1, Http2, WebSocket] {
        let ask = async |query: Value, headers: Value| {
            let mut event = event(kind, &good);
            event["multiValueHeaders"] = Value::Null;
            (event["queryStringParameters"], event["headers"]) = (query, headers);
            function.ask(&event).await
        };
        let cookie = json!({"Cookie": format!("a=b; session={good}")});
        ask(json!({"token": good}), json!({})).await.is_allowed("query");
        ask(json!({}), cookie.clone()).await.is_allowed("cookie");
        ask(json!({}), json!({"x-api-token": good})).await.is_allowed("header");
        ask(json!({"token": ""}), cookie.clone()).await.is_allowed("an empty place holds nothing");
        ask(json!({"token": bad}), cookie).await.is_refused("token_malformed", "the first place counts");
        let authorization = json!({"Authorization": format!("Bearer {good}")});
        ask(json!({}), authorization).await.is_refused("credential_missing", "the default counts no more");
        let twice = json!({"Cookie": format!("session={good}; session={good}")});
        ask(json!({}), twice).await.is_refused("credential_ambiguous", "two cookies");
    }
    let answer = function.ask(&event(RestToken, &good)).await;
    answer.is_refused("credential_missing", "a TOKEN event has none of these places");
    function.ends_without_a_trace_of_tokens().await;
}
