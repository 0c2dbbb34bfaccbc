//! What the function gets at a token endpoint, put to the built binary, with a provider on loopback that does what a test wants.

use std::time::Duration;

use authorizer_cli::gateway::EventKind;
use authorizer_cli::runtime_api::RuntimeApi;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::key_server::{Answer, End, KeyServer};
use crate::process::{Function, LOUD, keys};
use crate::support::{KINDS, event};

const CLIENT_SECRET: &str = "the-secret-that-the-client-holds-and-nobody-writes";
const OWN_SECRET: &str = "the-secret-of-the-function-which-nobody-writes";
const BACKEND_TOKEN: &str = "the-token-of-the-backend-which-nobody-writes";
const SECRETS: [&str; 3] = [CLIENT_SECRET, OWN_SECRET, BACKEND_TOKEN];

/// A function whose provider is the server, token endpoint at `/token`.
async fn function(sections: &str) -> Function<KeyServer> {
    let server = KeyServer::start(keys()).await;
    let url = server.url().to_owned();
    let sections = sections.replace("{url}", &url);
    let configuration = format!(
        "development = true\n[[issuer]]\nurl = '{url}'\naudience = 'orders-api'\n[key_set]\ntimeout_milliseconds = 400\n{sections}"
    );
    let own = [("AUTHORIZER_CONFIG", configuration.as_str())];
    Function::spawn(server, own.into_iter().chain(LOUD), RuntimeApi::TIME_LIMIT).await
}

const CLIENT_CREDENTIALS: &str = "[client_credentials]\ntoken_endpoint = '{url}token'\nissuer = '{url}'\ntimeout_milliseconds = 400\nnegative_lifetime_seconds = 0\n[[rule]]\nname = 'orders'\nroutes = ['GET /orders/**', 'GET /orders', '$connect']\nrequires = { credential = 'client_credentials', scope = 'orders:read' }\n";

const TOKEN_EXCHANGE: &str = "[gateway]\ncache_seconds = 300\n[token_exchange]\ntoken_endpoint = '{url}token'\nissuer = '{url}'\nclient_id = 'authorizer'\nclient_secret = 'the-secret-of-the-function-which-nobody-writes'\naudience = 'stock'\ncontext_key = 'backend_token'\ntimeout_milliseconds = 400\nnegative_lifetime_seconds = 0\n[[rule]]\nname = 'orders'\nroutes = ['GET /orders/**', 'GET /orders', '$connect']\nrequires = { scope = 'orders:read' }\n";

fn token_answer(token: &str) -> Answer {
    Answer::ok(json!({"access_token": token, "token_type": "Bearer", "expires_in": 900}).to_string())
}

fn refusal(status: &str, code: &str) -> Answer {
    let body = json!({"error": code, "error_description": CLIENT_SECRET}).to_string();
    Answer::status(status, "Content-Type: application/json\r\n", body)
}

/// The event with a client's ID and secret.
fn with_basic(kind: EventKind, text: &str) -> Value {
    let text = STANDARD.encode(text);
    serde_json::from_str(&event(kind, &text).to_string().replace("Bearer ", "Basic ")).unwrap()
}

fn shop(kind: EventKind) -> Value {
    with_basic(kind, &format!("user-7f1c:{CLIENT_SECRET}"))
}

/// Rule Z8: nothing of what is a secret, in whatever spelling it travels.
async fn ends_without_a_trace_of_secrets(function: Function<KeyServer>, others: &[&str]) {
    let ended = function.process.stop().await;
    assert_eq!((ended.status.unwrap().code(), ended.stderr.as_str()), (None, ""), "it had ended by itself");
    let own = STANDARD.encode(format!("user-7f1c:{CLIENT_SECRET}"));
    for secret in SECRETS.iter().chain(others).copied().chain([own.as_str(), "eyJ"]) {
        assert!(!ended.stdout.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn an_id_and_a_secret_are_exchanged_in_every_kind_of_api() {
    let function = function(CLIENT_CREDENTIALS).await;
    let token = function.issuer.token();
    function.issuer.answers("/token", token_answer(&token));
    for kind in KINDS {
        function.ask(&shop(kind)).await.is_allowed("an ID and a secret");
        let wrong = event(kind, &token);
        let answer = function.ask(&wrong).await;
        assert_eq!(
            answer.record["reason"], "insufficient_scope",
            "the same token as such is of another kind"
        );
    }
    let asked = function.issuer.diary().requests;
    let asked: Vec<_> = asked.iter().filter(|request| request.head.starts_with("POST /token ")).collect();
    assert_eq!(asked.len(), 1, "it is kept");
    let own = STANDARD.encode(format!("user-7f1c:{CLIENT_SECRET}"));
    assert!(asked[0].head.contains(&format!("authorization: Basic {own}\r\n")), "as it came");
    ends_without_a_trace_of_secrets(function, &[&token]).await;
}

#[tokio::test]
async fn a_refused_client_is_told_from_an_endpoint_in_trouble() {
    let function = function(CLIENT_CREDENTIALS).await;
    let kind = EventKind::RestRequest;
    function.issuer.answers("/token", refusal("401 Unauthorized", "invalid_client"));
    function.ask(&shop(kind)).await.is_refused("client_refused", "401");
    function.issuer.answers("/token", refusal("400 Bad Request", "unauthorized_client"));
    function.ask(&shop(kind)).await.is_refused("client_refused", "400");
    for (what, answer) in [
        ("another error", refusal("400 Bad Request", "invalid_scope")),
        ("an error that nobody knows", refusal("400 Bad Request", CLIENT_SECRET)),
        ("500", refusal("500 Internal Server Error", "invalid_client")),
        ("a redirect", Answer::status("302 Found", "Location: /elsewhere\r\n", "")),
        ("silence", Answer::silence()),
        ("half", token_answer("x").cut_to(60)),
        ("reset", Answer::raw("").and(End::Reset)),
        ("no token", Answer::ok("{}")),
        ("a page", Answer::ok("<html>")),
    ] {
        function.issuer.answers("/token", answer);
        let outcome = function.ask(&shop(kind)).await;
        outcome.is_a_fault("client_credentials_unavailable", what);
        let taken = outcome.record["duration_us"].as_u64().unwrap();
        assert!(taken < 1_500_000, "{what}: {}", outcome.record);
        tokio::time::sleep(Duration::from_millis(1050)).await;
    }
    for malformed in ["user-7f1c", ":x", "a:b\r\nc", "a:%zz"] {
        function.ask(&with_basic(kind, malformed)).await.is_refused("credential_malformed", malformed);
    }
    function.issuer.answers("/token", token_answer(&function.issuer.token()));
    function.ask(&shop(kind)).await.is_allowed("it is over");
    ends_without_a_trace_of_secrets(function, &[]).await;
}

/// The context is what API Gateway hands to the backend, and the only place where the token is.
#[tokio::test]
async fn the_backends_token_is_in_the_context_and_nowhere_else() {
    let function = function(TOKEN_EXCHANGE).await;
    let token = function.issuer.token();
    function.issuer.answers("/token", token_answer(BACKEND_TOKEN));
    for kind in KINDS {
        let answer = function.ask(&event(kind, &token)).await;
        answer.is_allowed("a token");
        assert_eq!(answer.json()["context"]["backend_token"], BACKEND_TOKEN, "{kind:?}");
    }
    let exchanges = || {
        function.issuer.diary().requests.iter().filter(|request| request.head.starts_with("POST ")).count()
    };
    assert_eq!(exchanges(), 1, "it is kept");
    let mut poor = function.issuer.claims();
    poor["scope"] = json!("nothing");
    let poor = function.issuer.keys()[0].token(&poor).unwrap();
    let denied = function.ask(&event(EventKind::RestRequest, &poor)).await;
    assert_eq!(denied.record["reason"], "insufficient_scope");
    assert_eq!(denied.json().get("context"), None, "whoever may do nothing gets none");
    assert_eq!(exchanges(), 1);
    ends_without_a_trace_of_secrets(function, &[&token]).await;
}

#[tokio::test]
async fn a_failed_exchange_is_no_answer_and_a_refused_one_is_a_refusal() {
    let function = function(TOKEN_EXCHANGE).await;
    let event = event(EventKind::RestRequest, &function.issuer.token());
    function.issuer.answers("/token", refusal("400 Bad Request", "invalid_grant"));
    function.ask(&event).await.is_refused("token_exchange_refused", "the subject token");
    let short = json!({"access_token": BACKEND_TOKEN, "token_type": "Bearer", "expires_in": 299}).to_string();
    let large = token_answer(&"x".repeat(9000));
    for (what, answer) in [
        ("the function's client", refusal("401 Unauthorized", "invalid_client")),
        ("a token that ends before the answer", Answer::ok(short)),
        ("500", refusal("500 Internal Server Error", "invalid_grant")),
        ("silence", Answer::silence()),
    ] {
        function.issuer.answers("/token", answer);
        function.ask(&event).await.is_a_fault("token_exchange_unavailable", what);
        tokio::time::sleep(Duration::from_millis(1050)).await;
    }
    function.issuer.answers("/token", large);
    function.ask(&event).await.is_refused("answer_too_large", "more than API Gateway takes");
    ends_without_a_trace_of_secrets(function, &[]).await;
}
