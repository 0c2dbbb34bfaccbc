//! The authorizer cache: the *policy* is kept, by the values of the identity sources, and judged anew for each
//! request, on whatever route (contract 3.3). What is kept of a simple response is its yes or no.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::answer::Answer;

/// What API Gateway keeps answers by: the API, its authorizer, and the values of the identity sources.
/// Neither method nor path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The API's name.
    pub api: String,
    /// The authorizer's name.
    pub authorizer: String,
    /// The values of the identity sources: a secret.
    pub values: Vec<String>,
}

/// An answer, and the request that it was given to.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The answer.
    pub answer: Arc<Answer>,
    /// The number of the request in the history.
    pub request: u64,
}

/// The answers of all authorizers.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<HashMap<Key, (Instant, Kept)>>);

/// What keeps a flood of credentials from taking all memory.
const LARGEST: usize = 10_000;

impl Cache {
    /// The answer that is kept, unless its time is over.
    #[must_use]
    pub(super) fn get(&self, key: &Key, now: Instant) -> Option<Kept> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|(until, _)| now < *until).map(|(_, kept)| kept.clone())
    }

    /// Keeps an answer for so many seconds; of none, not at all.
    pub(super) fn put(&self, key: Key, answer: Kept, seconds: u32, now: Instant) {
        if seconds == 0 {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (until, _)| now < *until);
        if kept.len() < LARGEST {
            kept.insert(key, (now + Duration::from_secs(seconds.into()), answer));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::answer::EventKind;
    use super::*;
    use crate::runtime_api::Outcome;

    fn kept() -> Kept {
        let outcome = Outcome::Response(json!({"isAuthorized": true}).to_string().into());
        Kept { answer: Arc::new(Answer::read(EventKind::Http2, true, &outcome).unwrap()), request: 1 }
    }

    fn key(value: &str) -> Key {
        Key { api: "api".into(), authorizer: "authorizer".into(), values: vec![value.into()] }
    }

    #[test]
    fn an_answer_lives_for_its_seconds_and_for_its_values() {
        let (cache, now) = (Cache::default(), Instant::now());
        cache.put(key("Bearer a"), kept(), 300, now);
        let seconds = |seconds| now + Duration::from_secs(seconds);
        assert!(cache.get(&key("Bearer a"), seconds(299)).is_some());
        assert!(cache.get(&key("Bearer a"), seconds(300)).is_none());
        assert!(cache.get(&key("bearer a"), now).is_none());
        cache.put(key("Bearer b"), kept(), 0, now);
        assert!(cache.get(&key("Bearer b"), now).is_none());
    }
}
