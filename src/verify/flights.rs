//! [`Flights`]: how somebody is asked who may be slow, or down: once at a time for each credential, and not at all for a moment
//! after a failure.

use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;

use super::verified_tokens::TokenDigest;
use crate::io::UnixTime;

/// The questions that are on their way.
pub(super) struct Flights {
    /// Who asks about the same credential waits for the answer. Credentials share these by their digests.
    flights: [Mutex<()>; FLIGHTS],
    rest: StdMutex<Rest>,
}

/// After a failure nobody is asked for a moment: requests would otherwise each wait for a server that does not answer.
#[derive(Default)]
struct Rest {
    until: UnixTime,
    cause: String,
}

const FLIGHTS: usize = 64;

/// In seconds.
const PAUSE: f64 = 1.0;

impl Default for Flights {
    fn default() -> Self {
        Self { flights: std::array::from_fn(|_| Mutex::default()), rest: StdMutex::default() }
    }
}

impl Flights {
    /// What is known of the credential, or what `ask` makes known; or why nothing is, in words.
    pub(super) async fn answer<A>(
        &self,
        digest: TokenDigest,
        (now, patience): (UnixTime, Duration),
        known: impl Fn() -> Option<A>,
        ask: impl Future<Output = Result<A, String>>,
    ) -> Result<A, String> {
        match known() {
            Some(answer) => Ok(answer),
            None => tokio::time::timeout(patience, self.once(digest, now, known, ask))
                .await
                .unwrap_or_else(|_| Err("nobody waits any longer".to_owned())),
        }
    }

    async fn once<A>(
        &self,
        digest: TokenDigest,
        now: UnixTime,
        known: impl Fn() -> Option<A>,
        ask: impl Future<Output = Result<A, String>>,
    ) -> Result<A, String> {
        let _only_one = match self.flights.get(digest.number() % FLIGHTS) {
            Some(flight) => Some(flight.lock().await),
            None => None,
        };
        // Somebody may have asked meanwhile.
        if let Some(answer) = known() {
            return Ok(answer);
        }
        if let Some(cause) = self.rests(now) {
            return Err(cause);
        }
        let answer = ask.await;
        if let Err(cause) = &answer {
            *self.rest.lock().unwrap_or_else(PoisonError::into_inner) =
                Rest { until: now + PAUSE, cause: cause.clone() };
        }
        answer
    }

    /// Why nobody is asked at this time.
    fn rests(&self, now: UnixTime) -> Option<String> {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        (rest.until - PAUSE <= now && now < rest.until).then(|| rest.cause.clone())
    }
}
