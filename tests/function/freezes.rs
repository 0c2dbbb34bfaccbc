//! Rule K10: Lambda freezes the process between events, for as long as it likes. Here SIGSTOP does.

use std::sync::Arc;
use std::time::Duration;

use authorizer_cli::gateway::EventKind;
use authorizer_cli::issuer::KEYS_PATH;
use authorizer_cli::signing::{Algorithm, SigningKey};
use serde_json::Value;

use crate::key_server::{Answer, End, KeyServer};
use crate::process::{self, Function, Settings, keys};
use crate::support::event;
use crate::trouble::Package;

/// A fetch has 600 ms, and the benefit of the doubt for a second more.
const TIMING: &str = "init_milliseconds = 1\ntimeout_milliseconds = 600\ncooldown_seconds = 1";
const FROZEN: Duration = Duration::from_millis(1900);

/// What the issuer does with a request while the process is frozen.
const MEANWHILE: [&str; 4] = ["closes", "resets", "answers", "says nothing"];

fn by(token: &str) -> Value {
    event(EventKind::RestRequest, token)
}

fn new_key() -> Arc<SigningKey> {
    Arc::new(SigningKey::generate(Algorithm::ES256, "new").unwrap())
}

/// Freezes the function while its only request is held, and the issuer does `what`.
async fn freezes_while_the_issuer(what: &str, function: &Function<KeyServer>) {
    let issuer = &function.issuer;
    issuer.until("a fetch under way", |diary| diary.requests.len() == 1).await;
    function.freezes();
    issuer.answers(
        KEYS_PATH,
        match what {
            "closes" => Answer::raw(""),
            "resets" => Answer::raw("").and(End::Reset),
            "answers" => Answer::ok(issuer.key_set()),
            _ => Answer::silence(),
        },
    );
    issuer.lets_go();
    if what != "says nothing" {
        issuer.until("given", |diary| diary.open == 0).await;
    }
}

/// Puts an event to the frozen function, which thaws it as Lambda does: the event, the deadline and what the
/// issuer has said are there all at once.
async fn thaws_for(
    function: &Function<KeyServer>,
    event: &Value,
    change: impl FnOnce(&KeyServer),
) -> process::Answer {
    let thaw = async {
        tokio::time::sleep(FROZEN).await;
        change(&function.issuer);
        function.thaws();
    };
    tokio::join!(function.ask(event), thaw).0
}

/// What the freeze cut off was begun anew once, and is not held against the issuer.
async fn ends_without_a_failure(function: Function<KeyServer>, what: &str) {
    assert_eq!(function.key_set_events(), ["key set fetched"], "{what}: no failure");
    assert!(function.issuer.requests() <= 2, "{what}");
    function.ends_without_a_trace_of_tokens().await;
}

/// The fetch that nobody waited for is begun anew, waited for, and is not held against the issuer.
#[tokio::test]
async fn a_fetch_behind_an_answer_that_a_freeze_cuts_off_is_begun_anew() {
    let tests = MEANWHILE.map(|what| {
        tokio::spawn(async move {
            let issuer = KeyServer::start(keys()).await;
            let (package, removed) = (Package::with_keys_of(&issuer, 3000), by(&issuer.token()));
            issuer.serves([new_key()]);
            issuer.holds();
            let source = format!("jwks_uri = '{}'\n{}", issuer.keys_url(), package.setting());
            let settings = Settings { issuer: &source, key_set: TIMING, sections: "" };
            let function = Function::of(issuer, settings).await;
            let issuer = &function.issuer;
            function.ask(&removed).await.is_allowed("by the key set of the package");
            freezes_while_the_issuer(what, &function).await;
            let answer = thaws_for(&function, &removed, KeyServer::heals).await;
            answer.is_refused("key_not_found", what);
            function.ask(&by(&issuer.token())).await.is_allowed(what);
            ends_without_a_failure(function, what).await;
        })
    });
    for test in tests {
        test.await.unwrap();
    }
}

/// The same, when there is no key set yet: what the start began, hours before the first event perhaps.
#[tokio::test]
async fn a_fetch_of_the_start_that_a_freeze_cuts_off_is_begun_anew() {
    let tests = MEANWHILE.map(|what| {
        tokio::spawn(async move {
            let issuer = KeyServer::start(keys()).await;
            issuer.holds();
            let source = format!("jwks_uri = '{}'", issuer.keys_url());
            let settings = Settings { issuer: &source, key_set: TIMING, sections: "" };
            let function = Function::of(issuer, settings).await;
            let issuer = &function.issuer;
            freezes_while_the_issuer(what, &function).await;
            thaws_for(&function, &by(&issuer.token()), KeyServer::heals).await.is_allowed(what);
            ends_without_a_failure(function, what).await;
        })
    });
    for test in tests {
        test.await.unwrap();
    }
}

/// The neighbour: what fails after the thaw has failed, and the keys that are there serve.
#[tokio::test]
async fn an_issuer_that_is_down_after_the_thaw_has_failed() {
    let issuer = KeyServer::start(keys()).await;
    let (package, known) = (Package::with_keys_of(&issuer, 3000), by(&issuer.token()));
    issuer.holds();
    let source = format!("jwks_uri = '{}'\n{}", issuer.keys_url(), package.setting());
    let function = Function::of(issuer, Settings { issuer: &source, key_set: TIMING, sections: "" }).await;
    function.ask(&known).await.is_allowed("before");
    freezes_while_the_issuer("closes", &function).await;
    let is_gone = |issuer: &KeyServer| issuer.always(&Answer::status("404 Not Found", "", ""));
    thaws_for(&function, &known, is_gone).await.is_allowed("by the key set of the package, still");
    assert_eq!(function.key_set_events(), ["key set not fetched"]);
    function.ends_without_a_trace_of_tokens().await;
}

/// No connection outlives a fetch, so none is dead after the thaw; and time has passed.
#[tokio::test]
async fn a_rotation_during_a_freeze_is_found_with_the_first_request() {
    let function =
        Function::of(KeyServer::start(keys()).await, Settings { key_set: TIMING, ..Settings::default() })
            .await;
    let issuer = &function.issuer;
    let old = by(&issuer.token());
    function.recovers(&old, "before").await;
    function.freezes();
    issuer.serves([new_key()]);
    thaws_for(&function, &by(&issuer.token()), |_| {}).await.is_allowed("the new key");
    function.ask(&old).await.is_refused("key_not_found", "the old key");
    function.ends_without_a_trace_of_tokens().await;
}

/// A freeze that is shorter than the deadline delays and does no more.
#[tokio::test]
async fn a_short_freeze_in_the_middle_of_a_request_is_none() {
    let issuer = KeyServer::start(keys()).await;
    issuer.holds();
    let key_set = "init_milliseconds = 0\ntimeout_milliseconds = 8000";
    let function = Function::of(issuer, Settings { key_set, ..Settings::default() }).await;
    let issuer = &function.issuer;
    let caller = by(&issuer.token());
    let freeze = async {
        issuer.until("a fetch under way", |diary| diary.requests.len() == 1).await;
        function.freezes();
        issuer.lets_go();
        issuer.until("answered", |diary| diary.answered == 1).await;
        function.thaws();
    };
    let (answer, ()) = tokio::join!(function.ask(&caller), freeze);
    answer.is_allowed("late");
    assert_eq!(issuer.requests(), 2, "discovery and keys");
    function.ends_without_a_trace_of_tokens().await;
}
