//! Callers by the thousand who name what is not there, against the books of the key server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use authorizer_cli::gateway::EventKind;
use authorizer_cli::runtime_api::{Outcome, RuntimeApi};
use authorizer_cli::signing::{Algorithm, SigningKey};
use serde_json::json;

use crate::key_server::{Answer, KeyServer};
use crate::process::{Function, PATIENCE, Settings, keys};
use crate::support::event;

const REQUESTS: usize = 3000;
const COOLDOWN: Duration = Duration::from_secs(1);
/// Without lines for what is allowed or refused: reading them would take longer than the flood.
const QUIET: (&str, &str) = ("AWS_LAMBDA_LOG_LEVEL", "ERROR");

/// A function that fetches with one request, within this time, and nothing before it is needed.
async fn function(timeout: u32) -> Function<KeyServer> {
    let issuer = KeyServer::start(keys()).await;
    let source = format!("jwks_uri = '{}'", issuer.keys_url());
    let key_set = format!("init_milliseconds = 0\ncooldown_seconds = 1\ntimeout_milliseconds = {timeout}");
    let configuration = Settings { issuer: &source, key_set: &key_set, sections: "" }.toml(issuer.url());
    let environment = [("AUTHORIZER_CONFIG", configuration.as_str()), QUIET];
    Function::spawn(issuer, environment, RuntimeApi::TIME_LIMIT).await
}

/// The event of this caller, as it is sent.
fn by(token: &str) -> String {
    event(EventKind::RestRequest, token).to_string()
}

/// What attackers send: a dozen of each kind, none of which may pass.
fn attacks(issuer: &KeyServer) -> Vec<String> {
    let signer = &issuer.keys()[0];
    let forger = SigningKey::generate(Algorithm::ES256, signer.kid()).unwrap();
    let signed =
        |header: &serde_json::Value, claims: &serde_json::Value| signer.sign(header, claims).unwrap();
    let mut tokens = Vec::new();
    for number in 0..12 {
        let mut foreign = issuer.claims();
        foreign["iss"] = json!(format!("https://{number}.example/"));
        let mut nameless = forger.header();
        nameless.as_object_mut().unwrap().remove("kid");
        tokens.extend([
            issuer.token_under(&format!("unknown-{number}")),
            issuer.token_under(&"x".repeat(number + 1)),
            signed(&signer.header(), &foreign),
            forger.token(&issuer.claims()).unwrap(),
            forger.sign(&nameless, &issuer.claims()).unwrap(),
            format!("{number}.{number}.{number}"),
            format!("{}AAAA", issuer.token()),
        ]);
    }
    tokens.iter().map(|token| by(token)).collect()
}

/// What the function makes of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Allow,
    Deny,
    Fault,
}

async fn decides(function: &Function<KeyServer>, event: &str) -> Decision {
    let outcome = function.invoke(event).await.outcome;
    match &outcome {
        Outcome::Error(error) if error.error_type == "key_set_unavailable" => Decision::Fault,
        Outcome::Response(_) => {
            let effect = &outcome.response().unwrap()["policyDocument"]["Statement"][0]["Effect"];
            if effect == "Allow" { Decision::Allow } else { Decision::Deny }
        }
        Outcome::Error(_) | Outcome::InitError(_) | Outcome::Exited(_) | Outcome::TimedOut => {
            panic!("{outcome:?}")
        }
    }
}

/// The most requests that a flood of this duration may lead to.
fn most(flood: Duration) -> usize {
    2 + usize::try_from(flood.as_secs() / COOLDOWN.as_secs()).unwrap()
}

/// Rules K5, K6 and K7: a fetch in a cool-down, every good token is allowed, and a rotation in the middle of it
/// all is found with the next fetch.
#[tokio::test]
async fn a_flood_neither_reaches_the_issuer_nor_hides_a_rotation() {
    let function = function(8000).await;
    let issuer = &function.issuer;
    let (good, attacks) = (by(&issuer.token()), attacks(issuer));
    assert_eq!(decides(&function, &good).await, Decision::Allow);
    let (started, mut rotated) = (Instant::now(), None);
    let mut number = 0;
    while number < REQUESTS || started.elapsed() < 3 * COOLDOWN {
        number += 1;
        assert_eq!(decides(&function, &attacks[number % attacks.len()]).await, Decision::Deny, "{number}");
        if number % 8 == 0 {
            assert_eq!(decides(&function, &good).await, Decision::Allow, "{number}");
        }
        if number == REQUESTS / 2 {
            let new = Arc::new(SigningKey::generate(Algorithm::ES256, "new").unwrap());
            issuer.serves(issuer.keys().into_iter().chain([Arc::clone(&new)]));
            rotated = Some((by(&issuer.token_by(&new)), issuer.requests()));
        }
        if let Some((token, before)) = &rotated
            && number % 8 == 4
        {
            let decision = decides(&function, token).await;
            let is_found = issuer.requests() > *before;
            assert_eq!(decision, if is_found { Decision::Allow } else { Decision::Deny }, "{number}");
        }
    }
    let (_, before) = rotated.unwrap();
    assert!(issuer.requests() > before, "the rotation was not found");
    let (asked, most) = (issuer.requests(), most(started.elapsed()));
    assert!(asked <= most, "{asked} requests in {:?}", started.elapsed());
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules K5, K8 and K9: the same in an outage. Good tokens are allowed, unknown keys are faults, and the issuer
/// that comes back is found.
#[tokio::test]
async fn a_flood_in_an_outage_neither_reaches_the_issuer_nor_refuses_known_keys() {
    let troubles = [("silent", Answer::silence()), ("404", Answer::status("404 Not Found", "", ""))];
    for outage in troubles.map(|(what, trouble)| tokio::spawn(is_flooded_in_an_outage(what, trouble))) {
        outage.await.unwrap();
    }
}

async fn is_flooded_in_an_outage(what: &'static str, trouble: Answer) {
    let function = function(400).await;
    let issuer = &function.issuer;
    let (good, unknown) = (by(&issuer.token()), by(&issuer.token_under("unknown")));
    is_allowed_in_the_end(&function, &good).await;
    let before = issuer.requests();
    issuer.always(&trouble);
    let mut number = 0;
    while number < REQUESTS / 10 || issuer.requests() < before + 3 {
        number += 1;
        let is_known_outage = issuer.requests() > before;
        let decision = decides(&function, &unknown).await;
        assert_ne!(decision, Decision::Allow, "{what} {number}");
        assert!(decision == Decision::Fault || !is_known_outage, "{what} {number}: {decision:?}");
        assert_eq!(decides(&function, &good).await, Decision::Allow, "{what} {number}");
    }
    for pair in issuer.diary().requests[before..].windows(2) {
        let between = pair[1].at - pair[0].at;
        assert!(between > COOLDOWN.mul_f64(0.95), "{what}: {between:?} between two fetches");
    }
    issuer.serves([Arc::new(SigningKey::generate(Algorithm::ES256, "new").unwrap())]);
    is_allowed_in_the_end(&function, &by(&issuer.token())).await;
    assert_eq!(decides(&function, &good).await, Decision::Deny, "the key is gone");
    function.ends_without_a_trace_of_tokens().await;
}

async fn is_allowed_in_the_end(function: &Function<KeyServer>, event: &str) {
    let started = Instant::now();
    loop {
        match decides(function, event).await {
            Decision::Allow => return,
            Decision::Deny => panic!("an outage is no refusal"),
            Decision::Fault => assert!(started.elapsed() < PATIENCE, "in vain"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
