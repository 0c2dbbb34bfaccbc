//! Behind the answer: Lambda freezes the process when it asks for the next event, so it does not ask before the
//! key set is there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use authorizer_cli::gateway::EventKind;
use authorizer_cli::signing::{Algorithm, SigningKey};
use serde_json::Value;

use crate::key_server::{Answer, KeyServer};
use crate::process::{Function, Settings, keys};
use crate::support::event;
use crate::trouble::Package;

/// More than a busy function rests between two events.
const RESTED: Duration = Duration::from_millis(700);

fn by(token: &str) -> Value {
    event(EventKind::RestRequest, token)
}

/// A function whose package has a key that its issuer has removed, and what the bearer of a token of that key
/// sends.
async fn function(issuer: KeyServer, key_set: &str) -> (Function<KeyServer>, Value, Package) {
    let (package, removed) = (Package::with_keys_of(&issuer, 3000), by(&issuer.token()));
    issuer.serves([Arc::new(SigningKey::generate(Algorithm::ES256, "new").unwrap())]);
    let settings = Settings { issuer: &package.setting(), key_set, ..Settings::default() };
    (Function::of(issuer, settings).await, removed, package)
}

/// Rules K8 and K10: the fetch is done before the process can be frozen, and so before the next event. The first
/// caller does not wait for it.
#[tokio::test]
async fn the_next_event_comes_after_the_fetch_behind_the_answer() {
    for (linger, is_awaited) in [("linger_milliseconds = 8000", true), ("linger_milliseconds = 0", false)] {
        let issuer = KeyServer::start(keys()).await;
        issuer.holds();
        let (function, removed, _package) = function(issuer, linger).await;
        function.ask(&removed).await.is_allowed("the issuer has not answered yet");
        function.issuer.until("the fetch", |diary| diary.requests.len() == 1).await;
        let next = async {
            if !is_awaited {
                return function.ask(&removed).await;
            }
            // Whoever comes while it is awake is served by another environment; here there is only this one.
            let (answer, ()) = tokio::join!(function.ask(&removed), async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                function.issuer.lets_go();
            });
            answer
        };
        let answer = next.await;
        if is_awaited {
            answer.is_refused("key_not_found", "removed");
        } else {
            answer.is_allowed("nobody has waited");
        }
        function.ends_without_a_trace_of_tokens().await;
    }
}

/// Rule K9: an issuer that hangs does not hold the function up again and again.
#[tokio::test]
async fn a_fetch_that_hangs_is_lingered_for_once() {
    let issuer = KeyServer::start(keys()).await;
    let linger = Duration::from_millis(1500);
    let (function, known, _package) =
        function(issuer, "timeout_milliseconds = 8000\nlinger_milliseconds = 1500").await;
    function.issuer.always(&Answer::silence());
    let mut waited = Vec::new();
    for number in ["first", "second", "third"] {
        let asked = Instant::now();
        function.ask(&known).await.is_allowed(number);
        waited.push(asked.elapsed());
        if number != "first" {
            tokio::time::sleep(RESTED).await;
        }
    }
    assert!(waited[1] > linger - Duration::from_millis(500), "{waited:?}");
    assert!(waited[2] < linger, "{waited:?}");
    assert_eq!(function.issuer.diary().connections, 1);
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule K9: a function that is busy is not frozen for long, and gets on with its fetch as it goes. Held up by an
/// issuer that hangs, it would leave its callers to environments that have no keys.
#[tokio::test]
async fn a_busy_function_does_not_linger() {
    let issuer = KeyServer::start(keys()).await;
    let (function, known, _package) = function(issuer, "timeout_milliseconds = 8000").await;
    function.issuer.always(&Answer::silence());
    function.takes_events().await;
    let asked = Instant::now();
    for _ in 0..20 {
        function.ask(&known).await.is_allowed("known");
    }
    assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
    assert_eq!(function.issuer.diary().open, 1, "it hangs still");
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule K2: what Lambda gives the event is the limit of the lingering, too. Beyond it, Lambda would stop the process.
#[tokio::test]
async fn the_function_asks_for_the_next_event_within_its_time() {
    let issuer = KeyServer::start(keys()).await;
    let (package, known) = (Package::with_keys_of(&issuer, 3000), by(&issuer.token()));
    issuer.always(&Answer::silence());
    let key_set = "timeout_milliseconds = 8000\nlinger_milliseconds = 8000";
    let settings = Settings { issuer: &package.setting(), key_set, ..Settings::default() };
    let (limit, configuration) = (Duration::from_secs(3), settings.toml(issuer.url()));
    let function = Function::configured(issuer, &configuration, limit).await;
    function.ask(&known).await.is_allowed("the first");
    // The Runtime API gives an event up after its limit, the wait for the function included.
    function.ask(&known).await.is_allowed("the second");
    function.ends_without_a_trace_of_tokens().await;
}
