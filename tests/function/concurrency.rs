//! Several events at once, as Lambda Managed Instances hand them over; and one at a time everywhere else.

use std::time::{Duration, Instant};

use authorizer_cli::gateway::EventKind;
use authorizer_cli::runtime_api::RuntimeApi;
use serde_json::{Value, json};

use crate::key_server::KeyServer;
use crate::process::{Function, Settings, keys};
use crate::support::event;

fn by(token: &str) -> Value {
    event(EventKind::RestRequest, token)
}

/// A function that may get so many events at once, whose issuer does not answer yet.
async fn function(concurrency: &str) -> Function<KeyServer> {
    let issuer = KeyServer::start(keys()).await;
    issuer.holds();
    let settings = Settings { key_set: "init_milliseconds = 0", ..Settings::default() };
    let configuration = settings.toml(issuer.url());
    let environment =
        [("AUTHORIZER_CONFIG", configuration.as_str()), ("AWS_LAMBDA_MAX_CONCURRENCY", concurrency)];
    Function::spawn(issuer, environment, RuntimeApi::TIME_LIMIT).await
}

/// Rule K11: an event that waits for keys holds up no other, and all that wait have one fetch between them.
#[tokio::test]
async fn an_event_that_waits_holds_up_no_other() {
    let function = function("8").await;
    let (token, other) = (by(&function.issuer.token()), by("not-a-token"));
    let waiting = async {
        tokio::join!(function.ask(&token), function.ask(&token), function.ask(&token), function.ask(&token))
    };
    let meanwhile = async {
        function.issuer.until("a fetch", |diary| !diary.requests.is_empty()).await;
        let started = Instant::now();
        for _ in 0..20 {
            function.ask(&other).await.is_refused("token_malformed", "while others wait");
        }
        let took = started.elapsed();
        function.issuer.lets_go();
        took
    };
    let (waited, took) = tokio::join!(waiting, meanwhile);
    for answer in [waited.0, waited.1, waited.2, waited.3] {
        answer.is_allowed("waited");
    }
    assert!(took < Duration::from_secs(2), "{took:?}");
    // Discovery and key set.
    assert_eq!(function.issuer.requests(), 2);
    function.ends_without_a_trace_of_tokens().await;
}

/// The neighbour: without the variable, an event comes when the one before it is answered.
#[tokio::test]
async fn one_event_comes_after_the_other_where_nothing_else_is_said() {
    for concurrency in ["1", "none"] {
        let function = function(concurrency).await;
        let (token, other) = (by(&function.issuer.token()), by("not-a-token"));
        let waiting = function.ask(&token);
        let meanwhile = async {
            function.issuer.until("a fetch", |diary| !diary.requests.is_empty()).await;
            let second = function.ask(&other);
            tokio::pin!(second);
            let is_early = tokio::time::timeout(Duration::from_millis(300), &mut second).await.is_ok();
            function.issuer.lets_go();
            if !is_early {
                second.await.is_refused("token_malformed", "after the first");
            }
            is_early
        };
        let (answer, is_early) = tokio::join!(waiting, meanwhile);
        answer.is_allowed("first");
        assert!(!is_early, "{concurrency}");
        function.ends_without_a_trace_of_tokens().await;
    }
}

/// Each answer is that of its own event, whoever else asks at the same time.
#[tokio::test]
async fn nobody_gets_the_answer_of_another() {
    let function = function("64").await;
    function.issuer.lets_go();
    let key = function.issuer.keys().into_iter().next().unwrap();
    let ask = async |number: usize| {
        let mut claims = function.issuer.claims();
        claims["sub"] = json!(format!("user-{number}"));
        if number.is_multiple_of(7) {
            claims["exp"] = json!(1);
        }
        let answer = function.ask(&by(&key.token(&claims).unwrap())).await;
        if number.is_multiple_of(7) {
            answer.is_refused("token_expired", "expired");
        } else {
            answer.is_allowed("valid");
            assert_eq!(answer.json()["principalId"], format!("user-{number}"));
        }
    };
    for round in 0..10 {
        let asked = (0..20).map(|place| ask(round * 20 + place));
        futures_util::future::join_all(asked).await;
    }
    function.ends_without_a_trace_of_tokens().await;
}
