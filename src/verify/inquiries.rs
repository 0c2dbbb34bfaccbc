//! [`Inquiries`]: questions about credentials to a server that may be slow, or down. What is asked is for others to say.

use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;

use super::answers::Answers;
use super::verified_tokens::TokenDigest;
use crate::io::UnixTime;

/// What was said of credentials, and the way to more of it.
pub(super) struct Inquiries<A> {
    answers: Answers<A>,
    /// One question about a credential at a time: who asks about the same one waits for the answer. Credentials share these by
    /// their digests.
    flights: [Mutex<()>; FLIGHTS],
    rest: StdMutex<Rest>,
}

/// What a server said, and until when that may be used.
pub(super) struct Told<A> {
    pub(super) answer: A,
    pub(super) ends_at: UnixTime,
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

impl<A: Clone> Inquiries<A> {
    /// Nothing yet, and room for so many answers.
    pub(super) fn new(most: usize) -> Self {
        Self {
            answers: Answers::new(most),
            flights: std::array::from_fn(|_| Mutex::default()),
            rest: StdMutex::default(),
        }
    }

    /// What was said, as far as it may still be used.
    pub(super) fn known(&self, digest: TokenDigest, now: UnixTime) -> Option<A> {
        self.answers.find(digest, now)
    }

    /// Does not use what was said any more.
    pub(super) fn forget(&self, digest: TokenDigest) {
        self.answers.forget(digest);
    }

    /// What is said of the credential with this digest: what is known, or what comes of asking, for which there is no more
    /// time than `patience`.
    ///
    /// # Errors
    ///
    /// What has failed, now or a moment ago.
    pub(super) async fn answer(
        &self,
        digest: TokenDigest,
        now: UnixTime,
        patience: Duration,
        ask: impl Future<Output = Result<Told<A>, Failure>>,
    ) -> Result<A, String> {
        if let Some(answer) = self.answers.find(digest, now) {
            return Ok(answer);
        }
        let asked = tokio::time::timeout(patience, self.ask_once(digest, now, ask));
        asked.await.unwrap_or_else(|_| Err("nobody waits any longer".to_owned()))
    }

    async fn ask_once(
        &self,
        digest: TokenDigest,
        now: UnixTime,
        ask: impl Future<Output = Result<Told<A>, Failure>>,
    ) -> Result<A, String> {
        let _only_one = match self.flights.get(digest.number() % FLIGHTS) {
            Some(flight) => Some(flight.lock().await),
            None => None,
        };
        // Somebody may have asked meanwhile.
        if let Some(answer) = self.answers.find(digest, now) {
            return Ok(answer);
        }
        if let Some(cause) = self.rests(now) {
            return Err(cause);
        }
        match ask.await {
            Ok(Told { answer, ends_at }) => {
                self.answers.keep(digest, answer.clone(), ends_at, now);
                Ok(answer)
            }
            Err(Failure { cause, is_outage }) => {
                if is_outage {
                    *self.rest.lock().unwrap_or_else(PoisonError::into_inner) =
                        Rest { until: now + PAUSE, cause: cause.clone() };
                }
                Err(cause)
            }
        }
    }

    /// Why nobody is asked at this time.
    fn rests(&self, now: UnixTime) -> Option<String> {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        (rest.until - PAUSE <= now && now < rest.until).then(|| rest.cause.clone())
    }
}
