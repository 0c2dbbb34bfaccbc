//! [`JwksCache`]: the current key set of one issuer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::Url;

use super::discovery;
use super::{KeySet, KeySetError};
use crate::error::Fault;
use crate::io::{Edges, Fetch, UnixTime};

/// Where the keys of an issuer come from. Never from a token.
#[derive(Clone)]
pub enum KeySetSource {
    /// The `jwks_uri` of the issuer's discovery document.
    Discovery,
    /// A configured `jwks_uri`.
    Url(Url),
    /// A file of the package, read when the configuration was.
    Fixed(Arc<KeySet>),
}

/// How long a key set is used, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lifetimes {
    /// How long before it is fetched again.
    pub lifetime: f64,
    /// How long after that it still serves while it cannot be fetched.
    pub stale: f64,
    /// The least time between two attempts to fetch it, whatever the tokens ask for.
    pub cooldown: f64,
}

/// The key set of one issuer: fetched when a token needs it, kept in memory, fetched again when it
/// is old or lacks a token's key, at most once in a cool-down.
pub struct JwksCache {
    issuer: Arc<str>,
    source: KeySetSource,
    /// Plain http to loopback addresses is allowed.
    loopback: bool,
    lifetimes: Lifetimes,
    edges: Edges,
    state: Mutex<State>,
    /// Held while a fetch is under way: the others wait for its answer.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    fetched: Option<(Arc<KeySet>, UnixTime)>,
    attempted_at: Option<UnixTime>,
    /// Why the latest attempt failed; `None` when it did not.
    failure: Option<String>,
}

impl JwksCache {
    /// A cache that has nothing yet.
    #[must_use]
    pub fn new(
        issuer: Arc<str>,
        source: KeySetSource,
        loopback: bool,
        lifetimes: Lifetimes,
        edges: Edges,
    ) -> Self {
        let (state, flight) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { issuer, source, loopback, lifetimes, edges, state, flight }
    }

    /// The key set in which a token's key is to be looked for. It may lack the key: then the issuer
    /// has been asked within the cool-down, and does not have it. A token without a key ID finds what
    /// is there, and makes nobody ask before the lifetime is over.
    ///
    /// # Errors
    ///
    /// [`Fault::KeySetUnavailable`] when the issuer cannot be asked, and what is in memory is too
    /// old or lacks the key: then nothing can be said about the caller.
    pub async fn keys(&self, key_id: Option<&str>) -> Result<Arc<KeySet>, Fault> {
        if let KeySetSource::Fixed(keys) = &self.source {
            return Ok(Arc::clone(keys));
        }
        let before = self.state().clone();
        if let Some(keys) = self.fresh(&before).filter(|keys| keys.has(key_id)) {
            return Ok(keys);
        }
        self.refresh(&before).await;
        let after = self.state().clone();
        match (self.servable(&after), after.failure) {
            (Some(keys), None) => Ok(keys),
            (Some(keys), Some(_)) if keys.has(key_id) => Ok(keys),
            (_, failure) => Err(Fault::KeySetUnavailable {
                issuer: Arc::clone(&self.issuer),
                cause: failure.unwrap_or_else(|| "it has not been fetched".to_owned()),
            }),
        }
    }

    /// Fetches, unless somebody did since `before` or the cool-down still runs.
    async fn refresh(&self, before: &State) {
        let _flight = self.flight.lock().await;
        let now = self.edges.clock.now();
        let state = self.state().clone();
        // With no keys that serve, every request is a fault: an issuer that is back is to be noticed soon.
        let cooldown = match self.servable(&state) {
            Some(_) => self.lifetimes.cooldown,
            None => self.lifetimes.cooldown.min(1.0),
        };
        let cooling = state.attempted_at.is_some_and(|at| elapsed(at, now) < cooldown);
        if cooling || state.attempted_at != before.attempted_at {
            return;
        }
        // Set first: a fetch that the freeze of the process cuts off has been an attempt, too.
        self.state().attempted_at = Some(now);
        let answer = self.fetch(self.edges.fetch.as_ref()).await;
        let mut state = self.state();
        match answer {
            Ok(keys) => {
                state.fetched = Some((Arc::new(keys), now));
                state.failure = None;
            }
            Err(cause) => state.failure = Some(cause),
        }
    }

    async fn fetch(&self, client: &dyn Fetch) -> Result<KeySet, String> {
        let url = match &self.source {
            KeySetSource::Url(url) => url.clone(),
            KeySetSource::Discovery | KeySetSource::Fixed(_) => self.discover(client).await?,
        };
        let document = client.get(&url).await.map_err(|error| format!("key set: {error}"))?;
        KeySet::parse(&document).map_err(|error: KeySetError| error.to_string())
    }

    async fn discover(&self, client: &dyn Fetch) -> Result<Url, String> {
        let url = discovery::document_url(&self.issuer)
            .filter(|url| discovery::is_safe(url, self.loopback))
            .ok_or_else(|| "the issuer is not an https URL".to_owned())?;
        let document = client.get(&url).await.map_err(|error| format!("discovery: {error}"))?;
        discovery::key_set_url(&document, &self.issuer, self.loopback).map_err(|error| error.to_string())
    }

    fn fresh(&self, state: &State) -> Option<Arc<KeySet>> {
        self.within(state, self.lifetimes.lifetime)
    }

    fn servable(&self, state: &State) -> Option<Arc<KeySet>> {
        self.within(state, self.lifetimes.lifetime + self.lifetimes.stale)
    }

    fn within(&self, state: &State, age: f64) -> Option<Arc<KeySet>> {
        let (keys, at) = state.fetched.as_ref()?;
        (elapsed(*at, self.edges.clock.now()) < age).then(|| Arc::clone(keys))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it was held left a whole state: each field is set at once.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock that was set back counts as time that has passed: otherwise keys would live until it
/// has caught up.
fn elapsed(since: UnixTime, now: UnixTime) -> f64 {
    (now - since).abs()
}
