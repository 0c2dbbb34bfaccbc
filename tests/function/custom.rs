//! A function of one's own, with a kind of credential that its code verifies: `examples/custom_verifier.rs`, as it is built.

use std::path::{Path, PathBuf};

use authorizer_cli::gateway::EventKind::Http2;
use authorizer_cli::issuer::DevelopmentIssuer;
use authorizer_cli::runtime_api::RuntimeApi;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::process::{BINARY, Function, LOUD, Settings, keys};
use crate::start::does_not_start;
use crate::support::{KINDS, event};

const SECRET: &str = "a secret of more than 32 characters";

const RULES: &str = "
    [[custom]]
    kind = 'ticket'
    issuer = 'tickets'
    [[rule]]
    name = 'tickets see orders'
    routes = ['GET /orders', 'GET /orders/**', '$connect']
    requires = { credential = 'ticket' }
    [[rule]]
    name = 'tokens with a scope, too'
    routes = ['GET /orders', 'GET /orders/**', '$connect']
    requires = { credential = 'jwt', scope = 'orders:read' }
";

fn ticket(subject: &str, expiry: u64) -> String {
    signed(&format!("ticket~{subject}~{expiry}"))
}

fn signed(text: &str) -> String {
    let mac = sign(&Key::new(HMAC_SHA256, SECRET.as_bytes()), text.as_bytes());
    format!("{text}~{}", URL_SAFE_NO_PAD.encode(mac))
}

/// The example beside the binary under test.
fn example() -> PathBuf {
    let path = PathBuf::from(BINARY).with_file_name("examples").join("custom_verifier");
    assert!(path.exists(), "hint: `cargo build --examples`");
    path
}

async fn start(sections: &str) -> Function {
    let issuer = DevelopmentIssuer::start(keys()).await.unwrap();
    let configuration = Settings { sections, ..Settings::default() }.toml(issuer.url());
    let own = [("AUTHORIZER_CONFIG", configuration.as_str()), ("TICKET_SECRET", SECRET)];
    Function::spawn_other(&example(), issuer, own.into_iter().chain(LOUD), RuntimeApi::TIME_LIMIT).await
}

#[tokio::test]
async fn a_ticket_of_ones_own_gets_in_and_tokens_beside_it() {
    let function = start(RULES).await;
    let token = function.issuer.mint(&json!({"scope": "orders:read"})).unwrap();
    for kind in KINDS {
        let answer = function.ask(&event(kind, &ticket("alice", 4_000_000_000))).await;
        answer.is_allowed(&kind.to_string());
        let said = (&answer.record["issuer"], &answer.record["principal"], &answer.record["rule"]);
        assert_eq!(said, (&json!("tickets"), &json!("alice"), &json!("tickets see orders")), "{kind}");
        let answer = function.ask(&event(kind, &token)).await;
        answer.is_allowed(&kind.to_string());
        assert_eq!(answer.record["rule"], "tokens with a scope, too", "{kind}");
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// Each kind is tried only where its own form is present, and what is refused by one is tried by no other.
#[tokio::test]
async fn a_ticket_that_does_not_hold_is_refused_by_reasons_of_its_own() {
    let function = start(RULES).await;
    let good = ticket("alice", 4_000_000_000);
    let other = good.replace("alice", "admin");
    for (credential, reason) in [
        (other.as_str(), "ticket_forged"),
        (&good[..good.len() - 1], "ticket_forged"),
        ("ticket~", "ticket_forged"),
        (&signed("ticket~alice"), "ticket_forged"),
        (&ticket("alice", 1_000_000_000), "ticket_expired"),
        (&good.replace("ticket", "Ticket"), "token_malformed"),
    ] {
        function.ask(&event(Http2, credential)).await.is_refused(reason, reason);
    }
    function.ask(&event(Http2, &good)).await.is_allowed("the whole one");
    // RFC 9449, section 7.1.
    let mut dpop = event(Http2, &good);
    dpop["headers"]["authorization"] = json!(format!("DPoP {good}"));
    function.ask(&dpop).await.is_refused("token_unbound", "a proof of what a ticket has not");
    function.ends_without_a_trace_of_tokens().await;
}

/// Nothing that is configured is silently left out.
#[tokio::test]
async fn a_kind_that_nobody_verifies_keeps_the_function_from_starting() {
    const ALONE: &str = "[[custom]]\nkind = 'ticket'\nissuer = 'tickets'";
    let other = ALONE.replace("'ticket'", "'tikket'");
    for (binary, configuration, secret, expected) in [
        (
            Path::new(BINARY),
            ALONE,
            SECRET,
            "custom[0].kind: the function has no verifier of the kind `ticket`",
        ),
        (&example(), &other, SECRET, "custom[0].kind: the function has no verifier of the kind `tikket`"),
        (&example(), ALONE, "short", "`ticket`: `TICKET_SECRET` is not there, or shorter than 32 characters"),
    ] {
        let environment = [("AUTHORIZER_CONFIG", configuration), ("TICKET_SECRET", secret)];
        let (_, record) = does_not_start(binary, environment).await;
        let detail = record["detail"].as_str().unwrap();
        assert!(detail.contains(expected), "{expected}: {detail}");
    }
}

/// What is configured decides what runs: without its section the code is not asked.
#[tokio::test]
async fn a_verifier_that_is_not_configured_is_not_asked() {
    let function = start("").await;
    let answer = function.ask(&event(Http2, &ticket("alice", 4_000_000_000))).await;
    answer.is_refused("token_malformed", "nobody verifies tickets");
    let token = function.issuer.mint(&json!({})).unwrap();
    function.ask(&event(Http2, &token)).await.is_allowed("tokens are verified all the same");
    function.ends_without_a_trace_of_tokens().await;
}
