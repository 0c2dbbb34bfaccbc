//! [`Inquiries`]: questions about credentials to a server that may be slow, or down, and what was answered. What is asked is for
//! others to say.

use std::time::Duration;

use super::answers::Answers;
pub(super) use super::flights::Failure;
use super::flights::Flights;
use super::verified_tokens::TokenDigest;
use crate::io::UnixTime;

/// What was said of credentials, and the way to more of it.
pub(super) struct Inquiries<A> {
    answers: Answers<A>,
    flights: Flights,
}

/// What a server said, and until when that may be used.
pub(super) struct Told<A> {
    pub(super) answer: A,
    pub(super) ends_at: UnixTime,
}

impl<A: Clone> Inquiries<A> {
    /// Nothing yet, and room for so many answers.
    pub(super) fn new(most: usize) -> Self {
        Self { answers: Answers::new(most), flights: Flights::default() }
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
        let ask = async {
            let Told { answer, ends_at } = ask.await?;
            self.answers.keep(digest, answer.clone(), ends_at, now);
            Ok(answer)
        };
        self.flights.answer(digest, (now, patience), || self.known(digest, now), ask).await
    }
}
