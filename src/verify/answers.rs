//! [`Answers`]: what the authorization server said of credentials, each for as long as that may be used.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::room::make_room;
use super::verified_tokens::TokenDigest;
use crate::io::UnixTime;

/// A bounded number of answers, by the digests of the whole credentials.
pub(super) struct Answers<A> {
    kept: Mutex<HashMap<TokenDigest, Kept<A>>>,
    most: usize,
}

struct Kept<A> {
    answer: A,
    kept_at: UnixTime,
    ends_at: UnixTime,
}

impl<A> Kept<A> {
    /// A clock that was set back does not make an answer last longer.
    fn serves(&self, now: UnixTime) -> bool {
        self.kept_at <= now && now < self.ends_at
    }
}

impl<A: Clone> Answers<A> {
    pub(super) fn new(most: usize) -> Self {
        Self { kept: Mutex::new(HashMap::new()), most }
    }

    pub(super) fn find(&self, digest: TokenDigest, now: UnixTime) -> Option<A> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&digest).filter(|kept| kept.serves(now)).map(|kept| kept.answer.clone())
    }

    /// Does not use what was said of it any more.
    pub(super) fn forget(&self, digest: TokenDigest) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&digest);
    }

    /// Keeps the answer until then. Where there are too many, those go that no longer serve, or else the one that would be the
    /// first to.
    pub(super) fn keep(&self, digest: TokenDigest, answer: A, ends_at: UnixTime, now: UnixTime) {
        let new = Kept { answer, kept_at: now, ends_at };
        if self.most == 0 || !new.serves(now) {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut kept, self.most, |kept| kept.serves(now), |kept| kept.ends_at);
        kept.insert(digest, new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_used_for_its_token_and_its_time_alone() {
        let answers = Answers::new(8);
        let [one, other] = ["one", "other"].map(TokenDigest::of);
        answers.keep(one, (), 110.0, 100.0);
        assert_eq!(answers.find(one, 109.9), Some(()));
        for (digest, now) in [(one, 110.0), (one, 99.9), (one, f64::NAN), (other, 105.0)] {
            assert_eq!(answers.find(digest, now), None, "{now}");
        }
        answers.keep(other, (), 100.0, 100.0);
        assert_eq!(answers.find(other, 100.0), None, "it has ended already");
        answers.forget(other);
        assert_eq!(answers.find(one, 109.9), Some(()));
        answers.forget(one);
        assert_eq!(answers.find(one, 109.9), None);
    }

    #[test]
    fn there_are_no_more_than_are_set() {
        let answers = Answers::new(3);
        let digests = ["a", "b", "c", "d"].map(TokenDigest::of);
        for (digest, ends_at) in digests.into_iter().zip([140.0, 120.0, 130.0, 150.0]) {
            answers.keep(digest, (), ends_at, 100.0);
        }
        let found = digests.map(|digest| answers.find(digest, 100.0).is_some());
        assert_eq!(found, [true, false, true, true], "the first to end has gone");
        assert_eq!(answers.kept.lock().unwrap().len(), 3);
        let none = Answers::new(0);
        none.keep(digests[0], (), 140.0, 100.0);
        assert_eq!(none.find(digests[0], 100.0), None);
    }
}
