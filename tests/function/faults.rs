//! An issuer in trouble: an error that API Gateway does not cache, never a refusal, and over when it is.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use authorizer_cli::gateway::EventKind;
use authorizer_cli::issuer::{Behaviour, DISCOVERY_PATH, DevelopmentIssuer, KEYS_PATH};
use authorizer_cli::signing::key_set;
use serde_json::{Value, json};

use crate::process::{Function, Settings, keys};
use crate::support::{KINDS, event};

/// Fast to fail and fast to try again, and 401 for refusals, so that a fault cannot hide among them.
const IMPATIENT: Settings<'_> = Settings {
    issuer: "",
    key_set: "init_milliseconds = 0\ntimeout_milliseconds = 300\ncooldown_seconds = 1",
    sections: "[response]\nrefusal = 'unauthorized'",
};

const KIND: EventKind = EventKind::RestRequest;

/// What goes wrong with an issuer.
type Trouble = Box<dyn FnOnce(&DevelopmentIssuer) + Send>;

/// Rules Z6 and K9: while the issuer is like this there is no decision, and soon after there is.
async fn are_faults_until_they_heal<const N: usize>(troubles: [(&'static str, Trouble); N]) {
    let functions = troubles.map(|(what, trouble)| tokio::spawn(is_a_fault_until_it_heals(what, trouble)));
    for function in functions {
        function.await.unwrap();
    }
}

async fn is_a_fault_until_it_heals(what: &'static str, trouble: Trouble) {
    let function = Function::start(IMPATIENT).await;
    let issuer = &function.issuer;
    let token = issuer.mint(&json!({})).unwrap();
    trouble(issuer);
    for kind in KINDS {
        function.ask(&event(kind, &token)).await.is_a_fault("key_set_unavailable", what);
    }
    issuer.behave(Behaviour::Answer);
    issuer.publish(DISCOVERY_PATH, discovery(issuer).to_string());
    issuer.replace_keys(issuer.keys());
    function.recovers(&event(KIND, &token), what).await;
    function.ends_without_a_trace_of_tokens().await;
}

fn discovery(issuer: &DevelopmentIssuer) -> Value {
    json!({"issuer": issuer.url(), "jwks_uri": issuer.jwks_uri()})
}

/// Rules K1 and K2: nothing but a 200 counts, a redirect leads nowhere, and one deadline is over all.
#[tokio::test]
async fn an_issuer_that_does_not_answer_is_a_fault() {
    let behaves = |behaviour| -> Trouble { Box::new(move |issuer| issuer.behave(behaviour)) };
    let started = Instant::now();
    are_faults_until_they_heal([
        ("503", behaves(Behaviour::Status(503))),
        ("404", behaves(Behaviour::Status(404))),
        ("302", behaves(Behaviour::Status(302))),
        ("204", behaves(Behaviour::Status(204))),
        ("hanging", behaves(Behaviour::Hang)),
        ("closing", behaves(Behaviour::Close)),
    ])
    .await;
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

/// Rules K3 and K4: what is no key set, or too large to be one, is none.
#[tokio::test]
async fn a_key_set_that_is_none_is_a_fault() {
    let bodies = [
        ("empty", ""),
        ("HTML", "<html>"),
        ("an array", "[]"),
        ("null", "null"),
        ("no list", "{}"),
        ("no array", r#"{"keys":{}}"#),
        ("no keys", r#"{"keys":[]}"#),
        ("a secret", r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#),
    ];
    let publishes =
        |body: &'static str| -> Trouble { Box::new(move |issuer| issuer.publish(KEYS_PATH, body)) };
    are_faults_until_they_heal(bodies.map(|(what, body)| (what, publishes(body)))).await;
    // The very keys, in too many bytes.
    let large: Trouble = Box::new(|issuer| {
        let mut set = key_set(issuer.keys().iter().map(AsRef::as_ref));
        set["filler"] = json!("x".repeat(200_000));
        issuer.publish(KEYS_PATH, set.to_string());
    });
    are_faults_until_they_heal([("200 KB", large)]).await;
}

/// A key server of one answer, byte by byte if it takes its time.
fn key_server(answer: String, pause: Duration) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut connection, answer) = (connection.unwrap(), answer.clone());
            std::thread::spawn(move || {
                let _request = connection.read(&mut [0; 4096]);
                for byte in answer.bytes() {
                    if connection.write_all(&[byte]).is_err() {
                        return;
                    }
                    std::thread::sleep(pause);
                }
            });
        }
    });
    url
}

/// Rules K1 and K2: keys that are elsewhere, or on their way for ever, are no keys.
#[tokio::test]
async fn a_key_server_that_redirects_or_drips_is_a_fault() {
    let issuer = DevelopmentIssuer::start(keys()).await.unwrap();
    let set = key_set(issuer.keys().iter().map(AsRef::as_ref)).to_string();
    let whole = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{set}", set.len());
    let elsewhere =
        format!("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", issuer.jwks_uri());
    let token = issuer.mint(&json!({})).unwrap();
    for (what, answer, pause, is_fault) in
        [("whole", &whole, 0, false), ("dripping", &whole, 20, true), ("redirecting", &elsewhere, 0, true)]
    {
        let server = key_server(answer.clone(), Duration::from_millis(pause));
        let second =
            format!("[[issuer]]\nurl = '{}'\naudience = 'orders-api'\njwks_uri = '{server}'", issuer.url());
        let key_set = if is_fault { IMPATIENT.key_set } else { "" };
        let function = Function::start(Settings { sections: &second, key_set, ..IMPATIENT }).await;
        let started = Instant::now();
        let answer = function.ask(&event(KIND, &token)).await;
        if is_fault {
            answer.is_a_fault("key_set_unavailable", what);
            assert!(started.elapsed() < Duration::from_secs(3), "{what}: {:?}", started.elapsed());
        } else {
            answer.is_allowed(what);
        }
        function.ends_without_a_trace_of_tokens().await;
    }
    assert_eq!(issuer.requests(KEYS_PATH), 0, "the redirect was followed");
}

/// Rules A8 and K1: discovery is believed for its own issuer, and leads to safe places only.
#[tokio::test]
async fn a_discovery_document_of_another_kind_is_a_fault() {
    let says = |name: &'static str, value: fn(&DevelopmentIssuer) -> Value| -> Trouble {
        Box::new(move |issuer| {
            let mut document = discovery(issuer);
            document[name] = value(issuer);
            issuer.publish(DISCOVERY_PATH, document.to_string());
        })
    };
    are_faults_until_they_heal([
        ("another issuer", says("issuer", |_| json!("https://login.example.com/"))),
        ("no slash", says("issuer", |issuer| json!(issuer.url().trim_end_matches('/')))),
        ("no issuer", says("issuer", |_| Value::Null)),
        ("no keys", says("jwks_uri", |_| Value::Null)),
        ("a file", says("jwks_uri", |_| json!("file:///etc/passwd"))),
        ("plain http", says("jwks_uri", |_| json!("http://192.0.2.1/keys"))),
    ])
    .await;
}

#[tokio::test]
async fn a_key_server_that_refuses_connections_is_a_fault_on_every_kind() {
    let function = Function::start(Settings::default()).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    let gone = DevelopmentIssuer::start(keys()).await.unwrap();
    let configuration = format!("jwks_uri = '{}'", gone.jwks_uri());
    drop(gone);
    let settings = Settings { issuer: &configuration, ..IMPATIENT };
    let stranded = Function::start(settings).await;
    let lost = stranded.issuer.mint(&json!({})).unwrap();
    for kind in KINDS {
        function.ask(&event(kind, &token)).await.is_allowed("reachable");
        stranded.ask(&event(kind, &lost)).await.is_a_fault("key_set_unavailable", "refused");
    }
    // What is refused without any key is refused all the same.
    stranded.ask(&event(KIND, "a.b.c")).await.is_unauthorized("token_malformed", "no key needed");
    stranded.ends_without_a_trace_of_tokens().await;
    function.ends_without_a_trace_of_tokens().await;
}
