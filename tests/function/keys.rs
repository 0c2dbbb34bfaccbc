//! The key set over time: rotation, outages, and callers who name keys that are not there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use authorizer_cli::gateway::EventKind;
use authorizer_cli::issuer::{Behaviour, DISCOVERY_PATH, KEYS_PATH};
use authorizer_cli::runtime_api::RuntimeApi;
use authorizer_cli::signing::{Algorithm, SigningKey, key_set};
use serde_json::{Value, json};

use crate::key_server::{Answer, KeyServer};
use crate::process::{Function, Settings, keys};
use crate::support::event;

const EAGER: Settings<'_> =
    Settings { issuer: "", key_set: "init_milliseconds = 0\ncooldown_seconds = 1", sections: "" };

fn by(token: &str) -> Value {
    event(EventKind::RestRequest, token)
}

/// A token under a key ID that the issuer does not have.
fn unknown(function: &Function, kid: &str) -> Value {
    let key = &function.issuer.keys()[0];
    let mut header = key.header();
    header["kid"] = json!(kid);
    by(&key.sign(&header, &function.issuer.claims()).unwrap())
}

#[tokio::test]
async fn keys_are_fetched_once_for_many_callers() {
    let function = Function::start(Settings::default()).await;
    for _ in 0..20 {
        function.ask(&by(&function.issuer.mint(&json!({})).unwrap())).await.is_allowed("known");
    }
    let requests = (function.issuer.requests(DISCOVERY_PATH), function.issuer.requests(KEYS_PATH));
    assert_eq!(requests, (1, 1));
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule K5: whatever the callers name, the issuer is asked once in a cool-down.
#[tokio::test]
async fn unknown_keys_are_asked_for_once_in_a_cool_down() {
    let function = Function::start(EAGER).await;
    let known = by(&function.issuer.mint(&json!({})).unwrap());
    function.ask(&known).await.is_allowed("known");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let before = function.issuer.requests(KEYS_PATH);
    let started = Instant::now();
    for number in 0..30 {
        function.ask(&unknown(&function, &format!("{number}"))).await.is_refused("key_not_found", "unknown");
        function.ask(&known).await.is_allowed("known meanwhile");
    }
    let requests = function.issuer.requests(KEYS_PATH) - before;
    let most = 1 + usize::try_from(started.elapsed().as_secs()).unwrap();
    assert!((1..=most).contains(&requests), "{requests} requests in {:?}", started.elapsed());
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule K6, and the order of the checks: what cannot pass costs no fetch.
#[tokio::test]
async fn bad_tokens_under_a_known_key_fetch_nothing() {
    let function = Function::start(EAGER).await;
    let issuer = &function.issuer;
    let forger = SigningKey::generate(Algorithm::ES256, "first").unwrap();
    function.ask(&by("a.b.c")).await.is_refused("token_malformed", "before any key");
    let foreign = issuer.mint(&json!({"iss": "https://evil.example/"})).unwrap();
    function.ask(&by(&foreign)).await.is_refused("issuer_unknown", "before any key");
    assert_eq!(issuer.requests(DISCOVERY_PATH), 0);
    function.ask(&by(&issuer.mint(&json!({})).unwrap())).await.is_allowed("known");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for _ in 0..5 {
        let forged = by(&forger.token(&issuer.claims()).unwrap());
        function.ask(&forged).await.is_refused("signature_invalid", "forged");
    }
    assert_eq!(issuer.requests(KEYS_PATH), 1);
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules K7 and K8: a new key is noticed, and a withdrawn one is gone with it.
#[tokio::test]
async fn rotation_heals() {
    let function = Function::start(EAGER).await;
    let old = by(&function.issuer.mint(&json!({})).unwrap());
    function.ask(&old).await.is_allowed("the old key");
    function.issuer.replace_keys([SigningKey::generate(Algorithm::ES256, "new").unwrap()]);
    let new = by(&function.issuer.mint(&json!({})).unwrap());
    tokio::time::sleep(Duration::from_millis(1100)).await;
    function.ask(&new).await.is_allowed("the new key");
    function.ask(&old).await.is_refused("key_not_found", "the old key");
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule K8: what the issuer says of the lifetime counts within the bounds of the configuration.
#[tokio::test]
async fn the_lifetime_is_the_issuers_within_bounds() {
    let issuer = KeyServer::start(keys()).await;
    let (settings, caller) = (Settings::default().toml(issuer.url()), by(&issuer.token()));
    for (lines, lifetime) in [
        ("", 600.0),
        ("Cache-Control: public, max-age=400\r\n", 400.0),
        ("Cache-Control: max-age=400\r\nAge: 50\r\n", 350.0),
        ("Cache-Control: max-age=15\r\n", 300.0),
        ("Cache-Control: max-age=86400\r\n", 600.0),
        ("Cache-Control: max-age=400\r\nCache-Control: no-store\r\n", 300.0),
    ] {
        issuer.answers(KEYS_PATH, Answer::status("200 OK", lines, issuer.key_set()));
        let function = Function::configured((), &settings, RuntimeApi::TIME_LIMIT).await;
        function.ask(&caller).await.is_allowed(lines);
        let record: Value = serde_json::from_str(function.process.stdout().lines().next().unwrap()).unwrap();
        assert_eq!((&record["message"], &record["keys"]), (&json!("key set fetched"), &json!(4)), "{lines}");
        assert_eq!(record["lifetime_seconds"], json!(lifetime), "{lines}");
        function.ends_without_a_trace_of_tokens().await;
    }
}

/// Rule K4: one odd key does not cost the others, and a bad answer none that are known.
#[tokio::test]
async fn odd_members_of_a_key_set_are_passed_over() {
    let function = Function::start(EAGER).await;
    let issuer = &function.issuer;
    let mut members: Vec<Value> = issuer.keys().iter().map(|key| key.public_jwk()).collect();
    members.splice(
        1..1,
        [
            json!("no object"),
            json!(null),
            json!({"kty": 5}),
            json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA", "kid": "post-quantum"}),
            json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "coin"}),
            json!({"kty": "OKP", "crv": "X25519", "x": "AA", "kid": "agreement"}),
            json!({"kty": "oct", "k": "c2VjcmV0", "kid": "secret"}),
            json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "small"}),
        ],
    );
    issuer.publish(KEYS_PATH, json!({"keys": members, "more": 1}).to_string());
    for key in issuer.keys() {
        function.ask(&by(&key.token(&issuer.claims()).unwrap())).await.is_allowed(key.kid());
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules K5 and K8: in an outage nothing can be said of an unknown key, and everything of a known one.
#[tokio::test]
async fn a_failing_refetch_keeps_known_keys_working() {
    let function = Function::start(EAGER).await;
    let issuer = &function.issuer;
    let known = by(&issuer.mint(&json!({})).unwrap());
    function.ask(&known).await.is_allowed("before the outage");
    for (what, behaviour) in
        [("503", Behaviour::Status(503)), ("closing", Behaviour::Close), ("no keys", Behaviour::Answer)]
    {
        if behaviour == Behaviour::Answer {
            issuer.publish(KEYS_PATH, r#"{"keys":[]}"#);
        }
        issuer.behave(behaviour);
        tokio::time::sleep(Duration::from_millis(1100)).await;
        for _ in 0..3 {
            function.ask(&unknown(&function, "unknown")).await.is_a_fault("key_set_unavailable", what);
            function.ask(&known).await.is_allowed(what);
        }
    }
    issuer.replace_keys([SigningKey::generate(Algorithm::ES256, "new").unwrap()]);
    function.recovers(&by(&issuer.mint(&json!({})).unwrap()), "back").await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules K4, K5, K7 and K8: whatever the issuer says in turn, its latest good answer decides, and a failure
/// takes nothing away.
#[tokio::test]
async fn an_issuer_that_changes_its_mind_is_believed_each_time() {
    let [old, new] = ["old", "new"].map(|id| Arc::new(SigningKey::generate(Algorithm::ES256, id).unwrap()));
    let issuer = KeyServer::start([]).await;
    let set = |keys: &[&SigningKey]| Answer::ok(key_set(keys.iter().copied()).to_string());
    // The keys of each answer; none is a failure.
    let turns: [(&[&str], Answer); 6] = [
        (&["old"], set(&[&old])),
        (&[], Answer::status("404 Not Found", "", "")),
        (&["new"], set(&[&new])),
        (&["old", "new"], set(&[&old, &new])),
        (&[], Answer::ok("<html>")),
        (&["old"], set(&[&old])),
    ];
    issuer.alternates(turns.iter().map(|(_, answer)| answer.clone()).collect());
    issuer.answers(DISCOVERY_PATH, Answer::status("404 Not Found", "", ""));
    let source = format!("jwks_uri = '{}'", issuer.keys_url());
    let function = Function::of(issuer, Settings { issuer: &source, ..EAGER }).await;
    let issuer = &function.issuer;
    let callers = [&old, &new].map(|key| (key.kid(), by(&issuer.token_by(key))));
    let unknown = by(&issuer.token_by(&SigningKey::generate(Algorithm::ES256, "unknown").unwrap()));
    let is_asked = async |(id, caller): (&str, &Value)| {
        let answer = function.ask(caller).await;
        // Nothing is fetched but while a request waits for it: what was given by now is what decided.
        let given = issuer.requests().checked_sub(1).expect("an answer without a request");
        let (latest, _) = &turns[given % turns.len()];
        let good = (0..=given).rev().map(|turn| turns[turn % turns.len()].0).find(|keys| !keys.is_empty());
        let what = format!("{id}, answer {given}");
        if good.is_some_and(|keys| keys.contains(&id)) {
            answer.is_allowed(&what);
        } else if latest.is_empty() {
            answer.is_a_fault("key_set_unavailable", &what);
        } else {
            answer.is_refused("key_not_found", &what);
        }
    };
    let started = Instant::now();
    while issuer.requests() <= turns.len() {
        for (id, caller) in &callers {
            is_asked((id, caller)).await;
        }
        is_asked(("unknown", &unknown)).await;
        assert!(started.elapsed() < Duration::from_secs(30), "the issuer is not asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// One key, listed twice, is one; two of one name are none, and no token is tried with both (rule A9).
#[tokio::test]
async fn two_keys_of_one_name_are_ambiguous() {
    let function = Function::start(EAGER).await;
    let issuer = &function.issuer;
    let mut members: Vec<Value> = issuer.keys().iter().map(|key| key.public_jwk()).collect();
    let twice = members[0].clone();
    members[1]["kid"] = json!("third");
    members[2]["kid"] = json!("third");
    members[2]["alg"] = json!("ES384");
    let mut same = SigningKey::generate(Algorithm::ES256, "third").unwrap().public_jwk();
    same["use"] = json!("sig");
    members.extend([twice, same]);
    issuer.publish(KEYS_PATH, json!({"keys": members}).to_string());
    let keys = issuer.keys();
    let token = |key: &SigningKey, id: &str| {
        let mut header = key.header();
        header["kid"] = json!(id);
        by(&key.sign(&header, &issuer.claims()).unwrap())
    };
    function.ask(&token(&keys[0], "first")).await.is_allowed("listed twice");
    function.ask(&token(&keys[2], "third")).await.is_allowed("the only one of its algorithm");
    function.ask(&token(&keys[1], "third")).await.is_refused("key_ambiguous", "two of one name");
    function.ends_without_a_trace_of_tokens().await;
}
