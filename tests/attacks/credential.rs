//! The way in: what a request holds beside the token, or instead of it.

use authorizer_cli::gateway::EventKind::{Http1, Http2, RestRequest, RestToken, WebSocket};
use authorizer_cli::issuer::{Behaviour, DISCOVERY_PATH};
use authorizer_cli::signing::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::process::{Function, Settings};
use crate::support::event;

/// Every way to send two tokens.
fn pairs(one: &str, two: &str) -> Vec<(String, Value)> {
    let (one, two) = (format!("Bearer {one}"), format!("Bearer {two}"));
    let mut events = Vec::new();
    for kind in [RestRequest, WebSocket] {
        for (what, headers, every) in [
            ("two headers", json!({"Authorization": two}), json!({"Authorization": [one, two]})),
            ("two spellings", json!({"Authorization": one, "authorization": two}), Value::Null),
            ("a joined header", json!({"Authorization": format!("{one}, {two}")}), Value::Null),
            ("maps that disagree", json!({"Authorization": one}), json!({"authorization": [two]})),
        ] {
            let mut event = event(kind, "x");
            (event["headers"], event["multiValueHeaders"]) = (headers, every);
            events.push((format!("{kind}, {what}"), event));
        }
    }
    for kind in [Http1, Http2] {
        let mut event = event(kind, "x");
        event["headers"] = json!({"authorization": format!("{one},{two}")});
        events.push((format!("{kind}, joined"), event));
    }
    let mut event = event(RestToken, "x");
    event["authorizationToken"] = json!(format!("{one}, {two}"));
    events.push((format!("{RestToken}, joined"), event));
    events
}

/// Rule Z2. A request with two tokens, of which one is verified here and the other read behind: neither is.
/// CVE-2025-64527: two tokens, and an issuer that cannot be asked for its keys.
#[tokio::test]
async fn two_tokens_in_one_request_are_refused_with_keys_and_without() {
    let function = Function::start(Settings {
        key_set: "init_milliseconds = 0\ncooldown_seconds = 1",
        ..Settings::default()
    })
    .await;
    let issuer = &function.issuer;
    let good = issuer.mint(&json!({})).unwrap();
    let forged = SigningKey::generate(Algorithm::ES256, "first").unwrap().token(&issuer.claims()).unwrap();
    let unknown = SigningKey::generate(Algorithm::ES256, "unknown").unwrap().token(&issuer.claims()).unwrap();
    for behaviour in [Behaviour::Status(503), Behaviour::Close, Behaviour::Answer] {
        issuer.behave(behaviour);
        for (one, two) in
            [(&good, &forged), (&forged, &good), (&good, &good), (&unknown, &unknown), (&unknown, &good)]
        {
            for (what, event) in pairs(one, two) {
                function.ask(&event).await.is_refused("credential_ambiguous", &what);
            }
        }
        if behaviour != Behaviour::Answer {
            // The same token by itself is a question that nobody can answer now.
            for token in [&good, &unknown] {
                let answer = function.ask(&event(RestRequest, token)).await;
                answer.is_a_fault("key_set_unavailable", "one token");
            }
        }
    }
    for kind in [RestToken, RestRequest, Http1, Http2, WebSocket] {
        function.recovers(&event(kind, &good), "one token").await;
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule Z2. What makes one program see a token, and the next none or another.
#[tokio::test]
async fn a_token_in_disguise_is_refused() {
    let function = Function::start(Settings::default()).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    let disguises = [
        ("credential_malformed", format!("Bearer\u{b}{token}")),
        ("credential_malformed", format!("Bearer\n{token}")),
        ("credential_malformed", format!("Bearer\u{a0}{token}")),
        ("credential_malformed", format!("Bearer\0 {token}")),
        ("credential_malformed", format!("\u{200b}Bearer {token}")),
        ("credential_malformed", format!("Ｂearer {token}")),
        ("credential_malformed", format!("Bearer: {token}")),
        ("credential_malformed", format!("Bearer={token}")),
        ("credential_malformed", format!("Basic {token}")),
        ("token_unbound", format!("DPoP {token}")),
        ("credential_malformed", format!("Bearer x {token}")),
        ("credential_malformed", format!("Bearer {token} x")),
        ("credential_malformed", format!("Bearer {token}\r\nX-Admin: 1")),
        ("credential_ambiguous", format!("Bearer {token},")),
        ("credential_ambiguous", format!("Bearer {token},Basic eDp5")),
        ("token_malformed", format!("Bearer {token};a=b")),
        ("token_malformed", format!("Bearer \"{token}\"")),
        ("token_malformed", format!("Bearer token={token}")),
        ("token_malformed", format!("Bearer {token}\0")),
        ("token_malformed", format!("Bearer \u{feff}{token}")),
        ("token_malformed", format!("Bearer {token}%20")),
        ("token_malformed", format!("Bearer {}", token.replace('.', "%2E"))),
        ("token_malformed", format!("Bearer {}", token.replace('.', "。"))),
    ];
    for (reason, value) in disguises {
        let mut disguised = event(RestToken, &token);
        function.ask(&disguised).await.is_allowed("undisguised");
        disguised["authorizationToken"] = json!(value);
        function.ask(&disguised).await.is_refused(reason, &value);
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules A10 and K5. Tokens that cannot pass, in any number, make nobody ask the issuer for anything.
#[tokio::test]
async fn tokens_that_cannot_pass_cost_no_request() {
    let function = Function::start(Settings {
        issuer: "algorithms = ['ES256']",
        key_set: "init_milliseconds = 0",
        ..Settings::default()
    })
    .await;
    let issuer = &function.issuer;
    let forger = SigningKey::generate(Algorithm::ES256, "first").unwrap();
    let claims = issuer.claims();
    let with = |name: &str, value: Value| {
        let mut header = forger.header();
        header[name] = value;
        forger.sign(&header, &claims).unwrap()
    };
    let mut foreign = claims.clone();
    foreign["iss"] = json!("http://127.0.0.1:9/");
    for (reason, token) in [
        ("issuer_unknown", forger.token(&foreign).unwrap()),
        ("algorithm_not_allowed", with("alg", json!("HS256"))),
        ("algorithm_not_allowed", with("alg", json!("EdDSA"))),
        ("token_type_unexpected", with("typ", json!("dpop+jwt"))),
        ("critical_header_unsupported", with("crit", json!(["x"]))),
        ("token_encrypted", with("enc", json!("A256GCM"))),
        ("token_compressed", with("zip", json!("DEF"))),
        ("payload_unencoded", with("b64", json!(false))),
        ("token_nested", with("cty", json!("JWT"))),
        ("token_malformed", with("kid", json!(["first"]))),
        ("token_unsigned", forger.token(&claims).unwrap().rsplit_once('.').unwrap().0.to_owned() + "."),
    ] {
        for _ in 0..3 {
            function.ask(&event(RestRequest, &token)).await.is_refused(reason, reason);
        }
    }
    assert_eq!(issuer.requests(DISCOVERY_PATH), 0);
    function.ask(&event(RestRequest, &issuer.mint(&json!({})).unwrap())).await.is_allowed("the issuer's");
    assert_eq!(issuer.requests(DISCOVERY_PATH), 1);
    function.ends_without_a_trace_of_tokens().await;
}
