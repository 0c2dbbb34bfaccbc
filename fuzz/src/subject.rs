//! What is fuzzed, as the targets call it: the pure check of a token, and the whole authorizer with
//! everything outside it held still.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lambda_authorizer::config::Config;
use lambda_authorizer::error::Code;
use lambda_authorizer::io::{Clock, Connector, Edges, Effort, Fetch, Log, Session, SystemChance, UnixTime};
use lambda_authorizer::jwks::{Algorithm, KeySet, KeySetSource};
use lambda_authorizer::verify::{AudienceCheck, Expectations, Principal, Profile};
use lambda_authorizer::{Authorizer, Level};

use crate::{AUDIENCE, ISSUER, KEYS, NOW};

/// The pure check, as an access token of any issuer.
pub fn verify(token: &str, keys: &KeySet) -> Result<Principal, Code> {
    verify_as(Profile::AccessToken, token, keys)
}

/// The pure check, as the profile has it, but for the algorithms: the key that signs is none of RSA.
pub fn verify_as(profile: Profile, token: &str, keys: &KeySet) -> Result<Principal, Code> {
    let audience = AudienceCheck::OneOf(vec![AUDIENCE.into()]);
    let mut expectations = Expectations::new(profile, ISSUER, audience);
    expectations.algorithms = Algorithm::ALL.to_vec();
    expectations.types.named.push("jwt".into());
    lambda_authorizer::verify::verify(token, keys, &expectations, NOW)
        .map_err(|rejection| rejection.reason.code())
}

/// An authorizer, and what it has logged.
pub struct Subject {
    /// The authorizer.
    pub authorizer: Authorizer,
    lines: Arc<Lines>,
}

impl Subject {
    /// An authorizer of the issuer, with these sections in its configuration.
    pub fn new(sections: &str) -> Self {
        let toml = format!("issuer = [{{ url = '{ISSUER}', audience = '{AUDIENCE}' }}]\n{sections}");
        let mut config = Config::parse(&toml, None).expect("a configuration");
        for issuer in &mut config.issuers {
            issuer.source = KeySetSource::Fixed(Arc::new(KEYS.clone()));
        }
        let lines = Arc::default();
        let edges = Edges {
            clock: Arc::new(Still),
            chance: Arc::new(SystemChance),
            fetch: Arc::new(NoNetwork),
            log: Arc::<Lines>::clone(&lines),
        };
        Self { authorizer: Authorizer::new(config, Level::Trace, edges), lines }
    }

    /// The lines that were logged since this was last asked.
    pub fn logged(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.0.lock().expect("no panic is survived"))
    }
}

/// With the keys at hand there is nothing to wait for.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for something"),
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> UnixTime {
        NOW
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

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn line(&self, line: &str) {
        self.0.lock().expect("no panic is survived").push(line.to_owned());
    }
}
