//! [`JwksCache`]: the current key set of one issuer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use url::Url;

use super::KeySet;
use super::current::Current;
use super::file::KeySetFile;
#[cfg(feature = "saml")]
use super::server::KeyReader;
use super::server::{FetchFailure, Fetched, KeyServer};
use super::state::{Attempt, Held, Known, Step, elapsed};
use crate::error::Fault;
use crate::io::{Edges, Effort, UnixTime};

/// Where the keys of an issuer come from. Never from a token.
#[derive(Clone)]
pub enum KeySetSource {
    /// The `jwks_uri` of the issuer's discovery document.
    Discovery,
    /// A configured `jwks_uri`.
    Url(Url),
    /// Another document than a JWK Set, and who reads the keys in it.
    #[cfg(feature = "saml")]
    Document(Url, KeyReader),
    /// A file of the package, read when the configuration was.
    Fixed(Arc<KeySet>),
}

/// How long key sets are used, and when they are fetched. In seconds, but for the durations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// How long the documents of one fetch may take together.
    pub timeout: Duration,
    /// How long a key set serves before a request waits for the next one, where the issuer does not say
    /// less: a key that it removes stops verifying then at the latest.
    pub lifetime: f64,
    /// How long it serves at least, whatever the issuer says.
    pub shortest_lifetime: f64,
    /// How long after its lifetime it still serves while the issuer cannot be asked.
    pub stale: f64,
    /// The least time between two fetches that tokens with unknown keys ask for.
    pub cooldown: f64,
    /// How old a key set of the package may be when it is used first.
    pub initial_age: f64,
}

/// Something that befell a key set, for the log.
#[derive(Clone, Copy)]
pub enum KeySetEvent<'a> {
    /// It was fetched.
    Fetched {
        /// The keys.
        keys: &'a KeySet,
        /// How long they serve, in seconds.
        lifetime: f64,
    },
    /// It could not be fetched.
    Failed {
        /// Why, without anything of an answer's header or body.
        cause: &'a str,
        /// Whether there are keys that serve meanwhile.
        is_served: bool,
    },
    /// The one of the package is not used.
    TooOld {
        /// Its age, in seconds.
        age: f64,
    },
}

/// Is told what befalls key sets.
pub trait Observe: Send + Sync {
    /// Takes note of an event of this issuer's key set.
    fn key_set(&self, issuer: &str, event: KeySetEvent<'_>);
}

/// The key set of one issuer, in memory: fetched ahead of its end, behind the answers that it gives
/// meanwhile; kept through an outage; and fetched at once, at most once in a cool-down, when a token names
/// a key that it lacks.
///
/// Requests start the fetches, no timer does: Lambda freezes the process between events. A clone is the
/// same cache.
#[derive(Clone)]
pub struct JwksCache(Arc<Shared>);

struct Shared {
    server: KeyServer,
    timing: Timing,
    edges: Edges,
    observer: Arc<dyn Observe>,
    /// What is fresh of the state.
    current: Current,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Known,
    flight: Option<Flight>,
    flights: u64,
}

/// A fetch under way. Only the latest may change what is held: one that a freeze has delayed for an hour
/// must not replace what was fetched since.
struct Flight {
    number: u64,
    started_at: UnixTime,
    task: AbortHandle,
    /// Turns true. It is closed without that where a freeze made the fetch be given up, or by a bug.
    ended: watch::Receiver<bool>,
    is_lingered_for: bool,
}

/// What a timer may be late by. A fetch that took longer than its deadline and this was frozen.
const GRACE: f64 = 1.0;

/// Between the end of a fetch and that of the request that waits for it.
const TIME_TO_LAND: Duration = Duration::from_millis(100);

impl JwksCache {
    /// A cache that has nothing yet, but for what the package brings.
    #[must_use]
    pub fn new(
        server: KeyServer,
        initial: Option<KeySetFile>,
        timing: Timing,
        edges: Edges,
        observer: Arc<dyn Observe>,
    ) -> Self {
        let now = edges.clock.now();
        let mut state = State::default();
        state.notice(now);
        let current = Current::default();
        current.restart(now);
        if let Some(file) = initial {
            let age = elapsed(file.fetched_at, now);
            if age < timing.initial_age {
                state.known.held = Some(Held::of_the_package(file.keys, age, now, &timing));
            } else {
                observer.key_set(&server.issuer, KeySetEvent::TooOld { age });
            }
        }
        current.hold(state.known.held.as_ref());
        Self(Arc::new(Shared { server, timing, edges, observer, current, state: Mutex::new(state) }))
    }

    /// The key set in which a token's key is to be looked for, for a token without a key ID any. It may
    /// lack the key: then the issuer has been asked within the cool-down, and does not have it.
    ///
    /// # Errors
    ///
    /// [`Fault::KeySetUnavailable`] when the issuer cannot be asked, or does not answer within `patience`,
    /// and what is in memory is too old or lacks the key: then nothing can be said about the caller.
    pub async fn keys(&self, key_id: Option<&str>, patience: Duration) -> Result<Arc<KeySet>, Fault> {
        self.keys_that(|keys| keys.has(key_id), patience).await
    }

    /// The key set that is there, whatever its age; nothing is fetched for it.
    #[must_use]
    pub fn current(&self) -> Option<Arc<KeySet>> {
        match &self.0.server.source {
            KeySetSource::Fixed(keys) => Some(Arc::clone(keys)),
            KeySetSource::Discovery | KeySetSource::Url(_) => self.held(),
            #[cfg(feature = "saml")]
            KeySetSource::Document(..) => self.held(),
        }
    }

    /// Another key set than this, if there is one by now, for a token that does not say which key it needs;
    /// or else this one. Counts as the search for an unknown key.
    ///
    /// # Errors
    ///
    /// As [`keys`](Self::keys).
    pub async fn keys_beyond(&self, known: &Arc<KeySet>, patience: Duration) -> Result<Arc<KeySet>, Fault> {
        self.keys_that(|keys| !Arc::ptr_eq(keys, known), patience).await
    }

    /// Starts the first fetch, if nothing is there.
    pub fn prefetch(&self) {
        let mut state = self.state();
        if state.known.held.is_none() && !matches!(self.0.server.source, KeySetSource::Fixed(_)) {
            let now = self.0.edges.clock.now();
            self.fly(&mut state, now, self.0.timing.timeout);
        }
    }

    /// The end of the fetch that is under way, if one is.
    pub fn fetched(&self) -> impl Future<Output = ()> + use<> {
        let ended = self.flight_ended();
        async move {
            ended.await;
        }
    }

    /// The same, for whoever does not need its keys: once for each fetch, so that one that hangs does not hold
    /// the function up again and again.
    pub fn linger(&self) -> impl Future<Output = ()> + use<> {
        let mut state = self.state();
        state.settle(self.0.edges.clock.now(), self.0.longest_flight());
        let flight = state.flight.as_mut().filter(|flight| !flight.is_lingered_for);
        let ended = ended(flight.map(|flight| {
            flight.is_lingered_for = true;
            flight.ended.clone()
        }));
        async move {
            ended.await;
        }
    }

    async fn keys_that(
        &self,
        suffice: impl Fn(&Arc<KeySet>) -> bool,
        patience: Duration,
    ) -> Result<Arc<KeySet>, Fault> {
        if let KeySetSource::Fixed(keys) = &self.0.server.source {
            return Ok(Arc::clone(keys));
        }
        if let Some(keys) = self.0.current.at(self.0.edges.clock.now()).filter(&suffice) {
            return Ok(keys);
        }
        let mut step = {
            let mut state = self.state();
            let now = self.0.edges.clock.now();
            self.0.notice(&mut state, now);
            state.settle(now, self.0.longest_flight());
            let step = state.known.step(state.suffices(&suffice), now, self.0.timing.cooldown);
            match step {
                Step::Wait => self.fly(&mut state, now, self.limit(patience)),
                Step::UseAndFetch => self.fly(&mut state, now, self.0.timing.timeout),
                Step::Use | Step::Lacks | Step::Fault => {}
            }
            step
        };
        if step == Step::Wait {
            let in_time = tokio::time::timeout(patience, self.flight_ended()).await.unwrap_or(false);
            let state = self.state();
            let now = self.0.edges.clock.now();
            step = state.known.after_waiting(state.suffices(&suffice), now, in_time);
        }
        let state = self.state();
        match (step, &state.known.held) {
            (Step::Use | Step::UseAndFetch | Step::Lacks, Some(held)) => Ok(Arc::clone(&held.keys)),
            _ => {
                let cause = state.known.attempt.as_ref().and_then(|attempt| attempt.cause.clone());
                Err(Fault::KeySetUnavailable {
                    issuer: Arc::clone(&self.0.server.issuer),
                    cause: cause.unwrap_or_else(|| "there was no time to wait for it".to_owned()),
                })
            }
        }
    }

    /// How long a fetch may take for which a request waits: it is to fail before that gives up. Otherwise the
    /// freeze behind the answer would hide each failure, and every request of an outage would wait anew.
    fn limit(&self, patience: Duration) -> Duration {
        let timeout = self.0.timing.timeout;
        if patience > 2 * TIME_TO_LAND { timeout.min(patience - TIME_TO_LAND) } else { timeout }
    }

    /// Starts a fetch within this limit, unless one is under way. It goes on when nobody waits for it.
    fn fly(&self, state: &mut State, now: UnixTime, limit: Duration) {
        if state.flight.is_some() {
            return;
        }
        state.flights += 1;
        let (number, shared) = (state.flights, Arc::clone(&self.0));
        let (end, ended) = watch::channel(false);
        // An issuer that fails already is not asked twice at once: so many others ask it, too.
        let effort = Effort { limit, tries_again: !state.known.is_failing() };
        let task = tokio::spawn(async move {
            let answer = shared.server.fetch(&shared.edges, effort).await;
            shared.land(number, answer);
            end.send_replace(true);
        });
        let task = task.abort_handle();
        state.flight = Some(Flight { number, started_at: now, task, ended, is_lingered_for: false });
        state.known.is_fetching = true;
    }

    /// The end of the fetch that is under way; false where it came to none.
    fn flight_ended(&self) -> impl Future<Output = bool> + use<> {
        ended(self.state().flight.as_ref().map(|flight| flight.ended.clone()))
    }

    fn held(&self) -> Option<Arc<KeySet>> {
        self.state().known.held.as_ref().map(|held| Arc::clone(&held.keys))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }
}

async fn ended(flight: Option<watch::Receiver<bool>>) -> bool {
    match flight {
        Some(mut ended) => ended.wait_for(|has_ended| *has_ended).await.is_ok(),
        None => true,
    }
}

impl Shared {
    /// Takes the answer of a fetch, unless another one was started since.
    fn land(&self, number: u64, answer: Result<Fetched, FetchFailure>) {
        let mut state = self.state();
        let now = self.edges.clock.now();
        self.notice(&mut state, now);
        let Some(flight) = state.flight.take_if(|flight| flight.number == number) else { return };
        state.known.is_fetching = false;
        let jitter = self.edges.chance.fraction();
        let issuer = &self.server.issuer;
        match answer {
            Ok(Fetched { keys, fresh_for, valid_until }) => {
                // As old as the question: the answer may have lain in a buffer while the process was frozen.
                let held = Held::fetched(keys, fresh_for, flight.started_at, jitter, &self.timing);
                let held = held.until(valid_until);
                let event = KeySetEvent::Fetched { keys: &held.keys, lifetime: held.expired_after };
                self.observer.key_set(issuer, event);
                self.current.hold(Some(&held));
                state.known.held = Some(held);
                state.known.attempt = Some(Attempt::succeeded(flight.started_at));
                state.known.was_cut_off = false;
            }
            // Nothing that the issuer is to blame for, unless it happens again.
            Err(_) if !state.known.was_cut_off && elapsed(flight.started_at, now) > self.longest_flight() => {
                state.known.was_cut_off = true;
            }
            Err(failure) => {
                let is_served = state.known.serves(now);
                self.observer.key_set(issuer, KeySetEvent::Failed { cause: &failure.cause, is_served });
                state.known.attempt = Some(Attempt::failed(now, failure, jitter, state.known.attempt.take()));
                state.known.was_cut_off = false;
            }
        }
    }

    /// Takes note of the time, which requests may have seen later than the state has.
    fn notice(&self, state: &mut State, now: UnixTime) {
        state.known.latest = state.known.latest.max(self.current.latest());
        if state.notice(now) != 0.0 {
            self.current.hold(state.known.held.as_ref());
            self.current.restart(now);
        }
    }

    fn longest_flight(&self) -> f64 {
        self.timing.timeout.as_secs_f64() + GRACE
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it was held left a whole state: each field is set at once.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes note of the time, that of a clock that may have been set back. Returns by how much a time from before is to be
    /// moved.
    fn notice(&mut self, now: UnixTime) -> f64 {
        let moved = self.known.notice(now);
        if let Some(flight) = &mut self.flight {
            flight.started_at += moved;
        }
        moved
    }

    /// Gives up a fetch that was frozen: its connection is dead, and its deadline may stand still.
    fn settle(&mut self, now: UnixTime, longest: f64) {
        if let Some(flight) = self.flight.take_if(|flight| elapsed(flight.started_at, now) > longest) {
            flight.task.abort();
            self.known.is_fetching = false;
            self.known.was_cut_off = true;
        }
    }

    fn suffices(&self, suffice: impl Fn(&Arc<KeySet>) -> bool) -> bool {
        self.known.held.as_ref().is_some_and(|held| suffice(&held.keys))
    }
}
