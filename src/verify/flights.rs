//! [`Flights`]: how somebody is asked who may be slow, or down: once at a time for each credential, and not at all for a moment
//! after a failure.

use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;

use super::verified_tokens::TokenDigest;
use crate::io::UnixTime;

/// The questions that are on their way.
pub(super) struct Flights {
    /// One question about a credential at a time: who asks about the same one waits for the answer. Credentials share these by
    /// their digests.
    flights: [Mutex<()>; FLIGHTS],
    rest: StdMutex<Rest>,
}

/// Why nothing was said.
pub(super) struct Failure {
    cause: String,
    /// Whether the next question would fare no better.
    is_outage: bool,
}

impl Failure {
    /// The server cannot be asked, or gives nobody an answer.
    pub(super) fn outage(cause: String) -> Self {
        Self { cause, is_outage: true }
    }

    /// It answered, and what it said is of no use. Somebody else's answer may be: nobody can keep others waiting by this.
    pub(super) fn unusable(cause: &str) -> Self {
        Self { cause: cause.to_owned(), is_outage: false }
    }
}

impl From<String> for Failure {
    fn from(cause: String) -> Self {
        Self::outage(cause)
    }
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
    /// What is known of the credential with this digest, or what `ask` makes known, for which there is no more time than
    /// `patience`.
    ///
    /// # Errors
    ///
    /// What has failed, now or a moment ago.
    pub(super) async fn answer<A>(
        &self,
        digest: TokenDigest,
        (now, patience): (UnixTime, Duration),
        known: impl Fn() -> Option<A>,
        ask: impl Future<Output = Result<A, Failure>>,
    ) -> Result<A, String> {
        match known() {
            Some(answer) => Ok(answer),
            None => tokio::time::timeout(patience, self.ask_once(digest, now, known, ask))
                .await
                .unwrap_or_else(|_| Err("nobody waits any longer".to_owned())),
        }
    }

    async fn ask_once<A>(
        &self,
        digest: TokenDigest,
        now: UnixTime,
        known: impl Fn() -> Option<A>,
        ask: impl Future<Output = Result<A, Failure>>,
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
        ask.await.map_err(|Failure { cause, is_outage }| {
            if is_outage {
                *self.rest.lock().unwrap_or_else(PoisonError::into_inner) =
                    Rest { until: now + PAUSE, cause: cause.clone() };
            }
            cause
        })
    }

    /// Why nobody is asked at this time.
    fn rests(&self, now: UnixTime) -> Option<String> {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        (rest.until - PAUSE <= now && now < rest.until).then(|| rest.cause.clone())
    }
}
