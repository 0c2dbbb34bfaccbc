//! The keys at the start: there before the first event, on their way to it, or in the package.

use std::sync::Arc;
use std::time::Duration;

use authorizer_cli::gateway::EventKind;
use authorizer_cli::runtime_api::RuntimeApi;
use authorizer_cli::signing::{Algorithm, SigningKey};
use serde_json::Value;

use crate::key_server::{Answer, KeyServer};
use crate::process::{Function, LOUD, Settings, keys};
use crate::support::{KINDS, event};
use crate::trouble::Package;

fn by(token: &str) -> Value {
    event(EventKind::RestRequest, token)
}

fn timing(key_set: &str) -> Settings<'_> {
    Settings { issuer: "", key_set, sections: "[response]\nrefusal = 'unauthorized'" }
}

/// The configuration of both issuers, each of which has its key set at a place that needs no discovery.
fn both(one: &KeyServer, other: &KeyServer, key_set: &str) -> String {
    let (keys, url) = (format!("jwks_uri = '{}'", one.keys_url()), other.url());
    let second =
        format!("[[issuer]]\nurl = '{url}'\naudience = 'orders-api'\njwks_uri = '{}'", other.keys_url());
    Settings { issuer: &keys, key_set, sections: &second }.toml(one.url())
}

/// The first caller waits for nobody.
#[tokio::test]
async fn the_keys_are_there_before_the_first_event() {
    let settings = timing("init_milliseconds = 8000\ntimeout_milliseconds = 8000\nlinger_milliseconds = 0");
    let function = Function::of(KeyServer::start(keys()).await, settings).await;
    let issuer = &function.issuer;
    issuer.until("discovery and keys", |diary| diary.answered == 2).await;
    issuer.turns_away();
    for kind in KINDS {
        function.ask(&event(kind, &issuer.token())).await.is_allowed("fetched before");
    }
    assert_eq!(issuer.diary().connections, 2);
    let heads = issuer.diary().requests.into_iter().map(|request| request.head.to_ascii_lowercase());
    for head in heads {
        assert!(head.contains("accept-encoding: identity\r\n"), "{head}");
        assert!(!head.contains("authorization"), "{head}");
    }
    function.ends_without_a_trace_of_tokens().await;
}

#[tokio::test]
async fn without_time_for_the_start_nothing_is_fetched_before_it_is_needed() {
    let function = Function::of(KeyServer::start(keys()).await, timing("init_milliseconds = 0")).await;
    function.takes_events().await;
    assert_eq!(function.issuer.diary().connections, 0);
    function.ask(&by(&function.issuer.token())).await.is_allowed("fetched now");
    assert_eq!(function.issuer.requests(), 2);
    function.ends_without_a_trace_of_tokens().await;
}

/// None is answered before all are asked.
#[tokio::test]
async fn all_issuers_are_asked_at_once() {
    let (one, other) = (KeyServer::start(keys()).await, KeyServer::start(keys()).await);
    let configuration =
        both(&one, &other, "init_milliseconds = 8000\ntimeout_milliseconds = 8000\nlinger_milliseconds = 0");
    for issuer in [&one, &other] {
        issuer.holds();
    }
    let function = Function::configured((one, other), &configuration, RuntimeApi::TIME_LIMIT).await;
    let (one, other) = &function.issuer;
    for issuer in [one, other] {
        issuer.until("asked", |diary| diary.requests.len() == 1).await;
    }
    for issuer in [one, other] {
        assert_eq!(issuer.diary().open, 1);
        issuer.lets_go();
    }
    for issuer in [one, other] {
        function.ask(&by(&issuer.token())).await.is_allowed("fetched at the start");
        assert_eq!(issuer.requests(), 1);
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule K9: one issuer's trouble is nobody else's, at the start and later.
#[tokio::test]
async fn an_issuer_that_hangs_keeps_no_other_waiting() {
    let (hanging, other) = (KeyServer::start(keys()).await, KeyServer::start(keys()).await);
    let configuration = both(
        &hanging,
        &other,
        "init_milliseconds = 100\ntimeout_milliseconds = 8000\nlinger_milliseconds = 0",
    );
    hanging.always(&Answer::silence());
    let function = Function::configured((hanging, other), &configuration, RuntimeApi::TIME_LIMIT).await;
    let (hanging, other) = &function.issuer;
    for kind in KINDS {
        function.ask(&event(kind, &other.token())).await.is_allowed("of the other");
        assert_eq!(hanging.diary().open, 1, "it hangs meanwhile");
    }
    assert_eq!(other.requests(), 1);
    function.ends_without_a_trace_of_tokens().await;
}

/// The same, later: a fetch behind an answer hangs, and neither its own issuer's tokens nor others wait for it.
#[tokio::test]
async fn a_fetch_that_hangs_keeps_nobody_waiting() {
    let (hanging, other) = (KeyServer::start(keys()).await, KeyServer::start(keys()).await);
    hanging.always(&Answer::silence());
    let (package, url) = (Package::with_keys_of(&hanging, 3000), hanging.url());
    let second = format!("[[issuer]]\nurl = '{url}'\naudience = 'orders-api'\n{}", package.setting());
    let settings =
        Settings { sections: &second, ..timing("timeout_milliseconds = 8000\nlinger_milliseconds = 0") };
    let configuration = settings.toml(other.url());
    let function = Function::configured((hanging, other), &configuration, RuntimeApi::TIME_LIMIT).await;
    let (hanging, other) = &function.issuer;
    function.ask(&by(&hanging.token())).await.is_allowed("by the key set of the package");
    hanging.until("a fetch behind the answer", |diary| diary.requests.len() == 1).await;
    for kind in KINDS {
        for issuer in [hanging, other] {
            function.ask(&event(kind, &issuer.token())).await.is_allowed("meanwhile");
        }
        assert_eq!((hanging.diary().open, hanging.requests()), (1, 1), "it hangs still");
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule K11: a request that comes before the keys do waits for them, and asks for no others.
#[tokio::test]
async fn what_is_on_its_way_is_waited_for() {
    let issuer = KeyServer::start(keys()).await;
    issuer.holds();
    let keys_url = format!("jwks_uri = '{}'", issuer.keys_url());
    let settings = Settings {
        issuer: &keys_url,
        ..timing("init_milliseconds = 1\ntimeout_milliseconds = 8000\nlinger_milliseconds = 0")
    };
    let configuration = settings.toml(issuer.url());
    let function = Function::configured(issuer, &configuration, Duration::from_secs(2)).await;
    let issuer = &function.issuer;
    issuer.until("the start", |diary| diary.requests.len() == 1).await;
    function.takes_events().await;
    let answer = function.ask(&by(&issuer.token())).await;
    answer.is_a_fault("key_set_unavailable", "it has waited as long as it may");
    assert!(answer.record["duration_us"].as_u64().unwrap() > 1_000_000, "{}", answer.record);
    let (caller, ()) = (by(&issuer.token()), issuer.lets_go());
    function.ask(&caller).await.is_allowed("there now");
    assert_eq!(issuer.requests(), 1);
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule K9: with a key set in the package a function starts whatever its issuer does.
#[tokio::test]
async fn a_key_set_of_the_package_decides_while_the_issuer_is_down() {
    type Trouble = fn(&KeyServer);
    let troubles: [(&str, Trouble, &[&str]); 3] = [
        ("silent", |issuer| issuer.always(&Answer::silence()), &[]),
        ("404", |issuer| issuer.always(&Answer::status("404 Not Found", "", "")), &["key set not fetched"]),
        ("a closed door", KeyServer::turns_away, &["key set not fetched"]),
    ];
    for (what, trouble, events) in troubles {
        let issuer = KeyServer::start(keys()).await;
        trouble(&issuer);
        let package = Package::with_keys_of(&issuer, 3000);
        let settings = timing("timeout_milliseconds = 8000\nlinger_milliseconds = 0");
        let function = Function::of(issuer, Settings { issuer: &package.setting(), ..settings }).await;
        let issuer = &function.issuer;
        function.takes_events().await;
        assert_eq!(issuer.diary().connections, 0, "{what}: not at the start");
        let known = by(&issuer.token());
        function.ask(&known).await.is_allowed(what);
        issuer.until(what, |diary| diary.connections > 0).await;
        while function.key_set_events().len() < events.len() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        function.ask(&known).await.is_allowed(what);
        assert_eq!(function.key_set_events(), events, "{what}");
        function.ends_without_a_trace_of_tokens().await;
    }
}

/// Rule K8: what the issuer has removed since then is gone with the first fetch, which no caller waits for.
#[tokio::test]
async fn a_key_set_of_the_package_is_replaced_behind_the_first_answer() {
    let issuer = KeyServer::start(keys()).await;
    let (package, removed) = (Package::with_keys_of(&issuer, 3000), by(&issuer.token()));
    issuer.serves([Arc::new(SigningKey::generate(Algorithm::ES256, "new").unwrap())]);
    issuer.holds();
    let settings = timing("timeout_milliseconds = 8000\nlinger_milliseconds = 0");
    let function = Function::of(issuer, Settings { issuer: &package.setting(), ..settings }).await;
    let issuer = &function.issuer;
    for _ in 0..3 {
        function.ask(&removed).await.is_allowed("nothing else is known yet");
    }
    issuer.until("a fetch", |diary| diary.requests.len() == 1).await;
    issuer.lets_go();
    function.ask(&by(&issuer.token())).await.is_allowed("a new key waits for the fetch");
    function.ask(&removed).await.is_unauthorized("key_not_found", "removed");
    assert_eq!(issuer.requests(), 2, "discovery and keys");
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule K8: a key set of the package has an end, whatever the issuer does.
#[tokio::test]
async fn a_key_set_of_the_package_that_is_too_old_is_not_used() {
    for (age, is_used) in [(3000, true), (3700, false)] {
        let issuer = KeyServer::start(keys()).await;
        issuer.turns_away();
        let package = Package::with_keys_of(&issuer, age);
        let settings = timing("initial_max_age_seconds = 3600\ncooldown_seconds = 1");
        let function = Function::of(issuer, Settings { issuer: &package.setting(), ..settings }).await;
        let known = by(&function.issuer.token());
        let answer = function.ask(&known).await;
        if is_used {
            answer.is_allowed("young enough");
        } else {
            answer.is_a_fault("key_set_unavailable", "too old");
            assert_eq!(function.key_set_events()[0], "key set of the package not used");
        }
        function.issuer.heals();
        function.recovers(&known, "the issuer is back").await;
        function.ends_without_a_trace_of_tokens().await;
    }
}

/// A path is relative to the configuration that names it.
#[tokio::test]
async fn a_key_set_lies_beside_its_configuration() {
    let issuer = KeyServer::start(keys()).await;
    let package = Package::with_keys_of(&issuer, 60);
    let settings = Settings { issuer: "initial_jwks_file = 'keys.json'", ..Settings::default() };
    package.write("settings.toml", &settings.toml(issuer.url()));
    let (caller, file) = (by(&issuer.token()), package.path("settings.toml"));
    drop(issuer);
    let environment = [("AUTHORIZER_CONFIG_FILE", file.as_str())].into_iter().chain(LOUD);
    let function = Function::spawn((), environment, RuntimeApi::TIME_LIMIT).await;
    function.ask(&caller).await.is_allowed("without an issuer");
    function.ends_without_a_trace_of_tokens().await;
}
