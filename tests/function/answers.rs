//! What is posted and logged, by kind of event and by configuration.

use authorizer_cli::gateway::EventKind::{Http1, Http2, RestRequest, RestToken, WebSocket};
use authorizer_cli::gateway::{EventKind, Gateway};
use authorizer_cli::issuer::unix_time;
use serde_json::{Value, json};

use crate::process::{Function, Settings};
use crate::support::{KINDS, arn_of, event};

const RULES: &str = "
    [[rule]]
    name = 'read orders'
    routes = ['GET /orders', 'GET /orders/**', '$connect']
    requires = { scope = 'orders:read' }
    [[rule]]
    name = 'write orders'
    routes = ['POST /orders', 'DELETE /orders/**']
    requires = { scope = ['orders:read', 'orders:write'] }
";

fn name_in_the_log(kind: EventKind) -> &'static str {
    match kind {
        RestToken => "rest_token",
        RestRequest => "rest_request",
        Http1 => "http_1.0",
        Http2 => "http_2.0",
        WebSocket => "websocket",
    }
}

pub(crate) fn at(kind: EventKind, token: &str, method: &str, path: &str) -> Value {
    let mut event = event(kind, token);
    let arn = arn_of(&mut event);
    let stage = arn.as_str().unwrap().split('/').take(2).collect::<Vec<_>>().join("/");
    *arn = json!(format!("{stage}/{method}{path}"));
    event
}

#[tokio::test]
async fn a_verified_caller_may_invoke_the_stage_of_every_kind() {
    let function = Function::start(Settings::default()).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in KINDS {
        let mut event = event(kind, &token);
        let answer = function.ask(&event).await;
        answer.is_allowed(&kind.to_string());
        let arn = arn_of(&mut event).as_str().unwrap().to_owned();
        let stage = arn.split('/').take(2).collect::<Vec<_>>().join("/");
        let expected = json!({
            "principalId": "user-7f1c",
            "policyDocument": {"Version": "2012-10-17", "Statement": [{
                "Action": "execute-api:Invoke", "Effect": "Allow", "Resource": [format!("{stage}/*")],
            }]},
        });
        let mut answer = answer.json();
        // The only kind whose backend has to know when the token ends.
        let context = answer.as_object_mut().unwrap().remove("context");
        assert_eq!(context.is_some(), kind == WebSocket, "{kind}");
        assert_eq!(answer, expected, "{kind}");
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// The record of a decision, and what it is made of.
#[tokio::test]
async fn every_decision_is_one_line_with_the_same_keys() {
    let function = Function::start(Settings { sections: RULES, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    let url = function.issuer.url();
    for kind in KINDS {
        let answer = function.ask(&event(kind, &token)).await;
        let record = &answer.record;
        for (key, expected) in [
            ("level", json!("INFO")),
            ("kind", json!(name_in_the_log(kind))),
            ("decision", json!("allow")),
            ("rule", json!("read orders")),
            ("issuer", json!(url)),
            ("principal", json!("user-7f1c")),
            ("key_id", json!("first")),
        ] {
            assert_eq!(record[key], expected, "{kind}, {key}");
        }
        let method = if kind == WebSocket { Value::Null } else { json!("GET") };
        assert_eq!(record["method"], method, "{kind}");
        assert!(record["route"].is_string() && record["duration_us"].is_u64(), "{record}");

        let expired = function.issuer.mint(&json!({"exp": unix_time() - 60})).unwrap();
        let record = function.ask(&event(kind, &expired)).await.record;
        assert_eq!((&record["level"], &record["key_id"]), (&json!("WARN"), &json!("first")), "{kind}");
        assert_eq!(record["issuer"], url, "whose key verified the signature");
        let record = function.ask(&event(kind, "a.b.c")).await.record;
        assert_eq!((record.get("issuer"), record.get("key_id")), (None, None), "{kind}");
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule Z8: what the client writes stays within the line that is about it.
#[tokio::test]
async fn a_clients_path_makes_no_line_of_its_own() {
    let function = Function::start(Settings::default()).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    let paths = [
        "/a\n{\"decision\":\"allow\"}",
        "/\r\n\r\nx",
        "/\u{1b}[2Jx",
        "/\u{0}",
        "/\u{2028}x",
        "/\u{202e}x",
        "/\"}",
    ];
    for path in paths {
        let answer = function.ask(&at(RestToken, &token, "GET", path)).await;
        let shown: String =
            path.chars().map(|letter| if letter.is_ascii_graphic() { letter } else { '?' }).collect();
        assert_eq!(answer.record["route"], shown, "as a value, and as visible ASCII");
    }
    let written = function.process.stdout();
    assert_eq!(function.process.records().len(), paths.len());
    assert_eq!(written.lines().count(), paths.len() + 1, "and that of the key set");
    assert!(!written.contains(|letter: char| letter.is_control() && letter != '\n'), "{written:?}");
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules decide for a verified caller: the answer names them, and refuses this route in so many words.
#[tokio::test]
async fn routes_are_refused_with_an_explicit_deny() {
    let function = Function::start(Settings { sections: RULES, ..Settings::default() }).await;
    let reader = function.issuer.mint(&json!({})).unwrap();
    let writer = function.issuer.mint(&json!({"scope": "orders:write orders:read"})).unwrap();
    let stranger = function.issuer.mint(&json!({"scope": "orders:read2 orders"})).unwrap();
    for kind in [RestToken, RestRequest, Http1, Http2] {
        for (reason, token, method, path, allowed) in [
            ("insufficient_scope", &reader, "POST", "/orders", &writer),
            ("insufficient_scope", &reader, "DELETE", "/orders/7", &writer),
            ("insufficient_scope", &stranger, "GET", "/orders", &reader),
            ("insufficient_scope", &stranger, "GET", "/orders/7/items", &reader),
        ] {
            let what = format!("{kind}, {method} {path}");
            let answer = function.ask(&at(kind, token, method, path)).await;
            is_denied_by_name(&answer, reason, &what);
            function.ask(&at(kind, allowed, method, path)).await.is_allowed(&what);
        }
        for (method, path) in [("GET", "/invoices"), ("PUT", "/orders"), ("GET", "/ordersx"), ("GET", "/")] {
            let what = format!("{kind}, {method} {path}");
            let answer = function.ask(&at(kind, &writer, method, path)).await;
            is_denied_by_name(&answer, "route_not_allowed", &what);
        }
    }
    is_denied_by_name(&function.ask(&event(WebSocket, &stranger)).await, "insufficient_scope", "$connect");
    function.ask(&event(WebSocket, &reader)).await.is_allowed("$connect");
    function.ends_without_a_trace_of_tokens().await;
}

pub(crate) fn is_denied_by_name(answer: &crate::process::Answer, reason: &str, what: &str) {
    assert_eq!(answer.status(), 403, "{what}");
    assert_eq!(
        (&answer.record["decision"], &answer.record["reason"]),
        (&json!("deny"), &json!(reason)),
        "{what}"
    );
    assert_eq!(answer.record["principal"], "user-7f1c", "{what}");
    let json = answer.json();
    assert_eq!(json["principalId"], "user-7f1c", "{what}");
    let statements = json["policyDocument"]["Statement"].as_array().unwrap();
    assert!(statements.iter().any(|statement| statement["Effect"] == "Deny"), "{what}: {json}");
}

/// Rule Z6: 401 is for a credential that is missing or bad, on the kinds that have it.
#[tokio::test]
async fn refusals_are_401_where_the_configuration_says_so() {
    let sections = format!("[response]\nrefusal = 'unauthorized'\n{RULES}");
    let function = Function::start(Settings { sections: &sections, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    let expired = function.issuer.mint(&json!({"exp": unix_time() - 60})).unwrap();
    for kind in [RestToken, RestRequest, WebSocket] {
        for (reason, token) in
            [("token_expired", expired.as_str()), ("token_malformed", "x"), ("credential_malformed", "")]
        {
            function.ask(&event(kind, token)).await.is_unauthorized(reason, &kind.to_string());
        }
        function.ask(&event(kind, &token)).await.is_allowed(&kind.to_string());
    }
    for kind in [Http1, Http2] {
        function.ask(&event(kind, &expired)).await.is_refused("token_expired", &kind.to_string());
        function.ask(&event(kind, "x")).await.is_refused("token_malformed", &kind.to_string());
        function.ask(&event(kind, &token)).await.is_allowed(&kind.to_string());
    }
    for kind in [RestToken, RestRequest, Http1, Http2] {
        let answer = function.ask(&at(kind, &token, "POST", "/orders")).await;
        is_denied_by_name(&answer, "insufficient_scope", "whoever is known is not asked to log in again");
    }
    function.ends_without_a_trace_of_tokens().await;
}

#[tokio::test]
async fn payload_format_2_is_answered_simply_where_the_configuration_says_so() {
    let sections = format!(
        "[gateway]\ncache_seconds = 0\n[response]\nhttp_api = 'simple'\n[response.context]\nscope = 'scope'\nroles = 'roles'\n{RULES}"
    );
    let function = Function::start(Settings { sections: &sections, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({"roles": ["a", "b"]})).unwrap();
    let context = json!({"scope": "orders:read", "roles": ["a", "b"]});
    let answer = function.ask(&event(Http2, &token)).await;
    assert_eq!(answer.json(), json!({"isAuthorized": true, "context": context}));
    let answer = function.ask(&at(Http2, &token, "POST", "/orders")).await;
    assert_eq!(
        (&answer.json()["isAuthorized"], &answer.record["reason"]),
        (&json!(false), &json!("insufficient_scope"))
    );
    let answer = function.ask(&event(Http2, "a.b.c")).await;
    assert_eq!(answer.json(), json!({"isAuthorized": false}));
    for kind in [RestToken, RestRequest, Http1, WebSocket] {
        function.ask(&event(kind, &token)).await.is_allowed(&kind.to_string());
        function.ask(&event(kind, "a.b.c")).await.is_refused("token_malformed", &kind.to_string());
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// The caller learns the reason where the configuration gives it a key, and nothing else.
#[tokio::test]
async fn a_refusal_tells_its_reason_under_the_configured_key() {
    let sections = "[response]\nreason_key = 'why'\nprincipal_id = ['email', 'sub']\n[response.context]\ntenant = 'tenant'";
    let function = Function::start(Settings { sections, ..Settings::default() }).await;
    let claims = json!({"exp": unix_time() - 60, "tenant": "acme", "email": "a@example.com"});
    let expired = function.issuer.mint(&claims).unwrap();
    let good = function.issuer.mint(&json!({"tenant": "acme"})).unwrap();
    for kind in KINDS {
        let event = event(kind, &expired);
        let answer = function.ask(&event).await.json();
        assert_eq!(answer["context"], json!({"why": "token_expired"}), "{kind}");
        assert_eq!(answer["principalId"], "anonymous", "{kind}");
        let answer = function.ask(&crate::support::event(kind, &good)).await;
        assert_eq!(answer.json()["context"]["tenant"], "acme", "{kind}");
        assert_eq!(answer.json()["context"].get("why"), None, "{kind}");
        assert_eq!(answer.json()["principalId"], "user-7f1c", "{kind}");
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// Levels take lines away, never add what must not be there.
#[tokio::test]
async fn the_log_level_chooses_lines() {
    let levels = [
        // Beside the three decisions, that the key set was fetched.
        ("TRACE", 4),
        ("DEBUG", 4),
        ("INFO", 4),
        ("", 4),
        ("info", 4),
        ("WARN", 2),
        ("ERROR", 1),
        ("FATAL", 0),
    ];
    for (level, lines) in levels {
        let environment =
            [("AWS_LAMBDA_LOG_LEVEL", level), ("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")];
        let function = Function::start_with(Settings::default(), environment).await;
        let token = function.issuer.mint(&json!({})).unwrap();
        let forged = format!("{token}AAAA");
        let allowed = function.invoke(event(RestRequest, &token).to_string()).await;
        assert_eq!(Gateway::default().status(&event(RestRequest, &token), &allowed.outcome), 200, "{level}");
        function.invoke(event(RestRequest, &forged).to_string()).await;
        let fault = function.invoke(format!(r#"{{"type":"REQUEST","headers":"{token}"}}"#)).await;
        if lines > 0 {
            function.process.log_record(&fault.request_id).await.expect("the last line");
        } else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(function.process.stdout().lines().count(), lines, "{level}");
        function.ends_without_a_trace_of_tokens().await;
    }
}
