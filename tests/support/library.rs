//! The library with everything outside it held still: the time is fixed, the network is not there, and
//! what it logs is thrown away. A decision then is a function of the configuration, the event and the
//! token.

use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use authorizer_cli::signing::{Algorithm, SigningKey, key_set};
use lambda_authorizer::config::{Config, ConfigError};
use lambda_authorizer::error::{Error, Fault};
use lambda_authorizer::event::Event;
use lambda_authorizer::io::{Clock, Connector, Edges, Effort, Fetch, Log, Session, SystemChance, UnixTime};
use lambda_authorizer::jwks::{KeySet, KeySetSource};
use lambda_authorizer::request::Request;
use lambda_authorizer::response::Decision;
use lambda_authorizer::{Authorizer, Level};
use serde_json::{Value, json};

/// The time, in seconds since 1970.
pub(crate) const NOW: u32 = 1_800_000_000;

const ISSUER: &str = "https://login.example.com/";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::ES256, "key").unwrap());

/// The configuration of one issuer, with these sections behind it.
pub(crate) fn config(sections: &str) -> Result<Config, ConfigError> {
    let issuer = format!("url = '{ISSUER}'\naudience = 'orders-api'");
    let mut config = Config::parse(&format!("[[issuer]]\n{issuer}\n{sections}"), None)?;
    let keys = KeySet::parse(key_set([&*KEY]).to_string().as_bytes()).unwrap();
    config.issuers[0].source = KeySetSource::Fixed(Arc::new(keys));
    Ok(config)
}

/// An authorizer of this configuration.
pub(crate) fn authorizer(sections: &str) -> Authorizer {
    authorizer_of(config(sections).unwrap())
}

/// An authorizer of a configuration whose keys are all at hand.
pub(crate) fn authorizer_of(config: Config) -> Authorizer {
    let edges = Edges {
        clock: Arc::new(Still),
        chance: Arc::new(SystemChance),
        fetch: Arc::new(NoNetwork),
        log: Arc::new(NoLog),
    };
    Authorizer::new(config, Level::Trace, edges)
}

/// A valid token with these claims in the place of the usual ones; `null` stays `null`.
pub(crate) fn token(claims: &Value) -> String {
    let mut all = machine_claims();
    all["sub"] = json!("user-7f1c");
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    sign(&all)
}

/// A token of the issuer.
pub(crate) fn sign(claims: &Value) -> String {
    KEY.token(claims).unwrap()
}

/// What a client gets for itself: a token without a subject.
pub(crate) fn machine_claims() -> Value {
    json!({"iss": ISSUER, "aud": "orders-api", "scope": "orders:read", "exp": NOW + 300})
}

/// Stages 1 and 2.
pub(crate) fn request(event: &Value) -> Result<Request, Fault> {
    Event { payload: &event.to_string(), invocation_id: "1", deadline: None }.try_into()
}

/// What is decided about an event of API Gateway's.
pub(crate) fn decide(authorizer: &Authorizer, event: &Value) -> Result<Decision, Error> {
    at_once(authorizer.decide(&request(event).unwrap(), Duration::ZERO))
}

/// With the keys at hand there is nothing to wait for.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for something"),
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> UnixTime {
        NOW.into()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

struct NoNetwork;

impl Fetch for NoNetwork {
    fn session(&self, _: &Connector, _: Effort) -> Arc<dyn Session> {
        panic!("a request")
    }
}

struct NoLog;

impl Log for NoLog {
    fn line(&self, _: &str) {}
}
