//! A token that comes again: it is remembered that its signature held, and nothing more.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use authorizer_cli::gateway::EventKind;
use authorizer_cli::signing::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::process::{Function, Settings};
use crate::support::event;

fn by(token: &str) -> Value {
    event(EventKind::RestRequest, token)
}

/// Rule C3: remembered or not, it ends with its `exp`.
#[tokio::test]
async fn a_token_that_comes_again_is_refused_when_it_has_expired() {
    for cache in ["", "[token_cache]\nentries = 0"] {
        let settings = Settings { issuer: "leeway_seconds = 0", sections: cache, ..Settings::default() };
        let function = Function::start(settings).await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let (brief, lasting) = (
            by(&function.issuer.mint(&json!({"exp": now + 3.0})).unwrap()),
            by(&function.issuer.mint(&json!({"exp": now + 300.0})).unwrap()),
        );
        for event in [&brief, &lasting, &brief, &lasting] {
            function.ask(event).await.is_allowed("not expired");
        }
        tokio::time::sleep(Duration::from_millis(3100)).await;
        function.ask(&brief).await.is_refused("token_expired", "expired meanwhile");
        function.ask(&lasting).await.is_allowed("still valid");
        function.ends_without_a_trace_of_tokens().await;
    }
}

/// What a remembered token has proved is of use for no other, not even with the same header and claims.
#[tokio::test]
async fn a_token_lends_its_signature_to_no_other() {
    let function = Function::start(Settings::default()).await;
    let key = &function.issuer.keys()[0];
    let (header, claims) = (key.header(), function.issuer.claims());
    let forger = SigningKey::generate(Algorithm::ES256, key.kid()).unwrap();
    let token = key.sign(&header, &claims).unwrap();
    function.ask(&by(&token)).await.is_allowed("signed");
    function.ask(&by(&token)).await.is_allowed("again");
    let forged = forger.sign(&header, &claims).unwrap();
    function.ask(&by(&forged)).await.is_refused("signature_invalid", "by another key of the same name");
    let (message, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = forged.rsplit_once('.').unwrap();
    let transplanted = format!("{message}.{signature}");
    function.ask(&by(&transplanted)).await.is_refused("signature_invalid", "another signature");
    function.ask(&by(&token)).await.is_allowed("and again");
    function.ends_without_a_trace_of_tokens().await;
}
