//! What is to be done for a request, from what is known about an issuer's keys: a pure function of the
//! past, the request and the time. docs/operations.md has it as a table, and `tests/table.rs` runs that
//! table.

use std::sync::Arc;

use super::server::FetchFailure;
use super::{KeySet, Timing};
use crate::io::UnixTime;

/// A key set and how long it is good, in seconds since it was fetched.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) keys: Arc<KeySet>,
    pub(super) fetched_at: UnixTime,
    /// From this age on it is fetched again, behind the answers that it still gives.
    pub(super) stale_after: f64,
    /// From this age on a request waits for the fetch.
    pub(super) expired_after: f64,
    /// From this age on it is not used, whatever happens.
    pub(super) spent_after: f64,
}

/// The age of what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing is held, or nothing that may still be used.
    None,
    Fresh,
    Stale,
    Expired,
}

/// The latest fetch that came to an end.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// When it began, or, of one that failed, when it ended.
    pub(super) at: UnixTime,
    /// Failures in a row, this one included; none when it succeeded.
    pub(super) failures: u32,
    /// Of the time to the next attempt, how much is waited: 0.5 to 1. Otherwise all that failed together
    /// would come back together.
    pub(super) jitter: f64,
    /// The least time to the next one, as the issuer asks. Chance lengthens it by up to half, and never shortens
    /// it.
    pub(super) retry_after: f64,
    /// Why it failed.
    pub(super) cause: Option<String>,
}

/// All that is known.
#[derive(Clone, Default)]
pub(super) struct Known {
    pub(super) held: Option<Held>,
    pub(super) attempt: Option<Attempt>,
    /// A fetch is under way.
    pub(super) is_fetching: bool,
    /// The latest fetch was cut off by a freeze of the process.
    pub(super) was_cut_off: bool,
    /// The latest time that the clock told since it was set back.
    pub(super) latest: UnixTime,
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Uses what is held.
    Use,
    /// Uses what is held, and starts a fetch that nobody waits for.
    UseAndFetch,
    /// Waits for the fetch that is under way, or starts one.
    Wait,
    /// The issuer was asked just now, and does not have the key.
    Lacks,
    /// Nothing can be said: the issuer does not answer, and it is too soon to ask again.
    Fault,
}

/// While keys serve, there is no hurry to ask an issuer that fails.
const LONGEST_PAUSE: f64 = 60.0;

/// How long after a failure an issuer counts as one that fails: while there are requests, the next attempt
/// comes well within it.
const OUTAGE_MEMORY: f64 = 2.0 * LONGEST_PAUSE;

/// By how much a clock is set back in the course of things.
pub(super) const ADJUSTMENT: f64 = 1.0;

impl Held {
    /// As the issuer sent it. It is fetched again after half of its lifetime to nine tenths, by chance
    /// (`jitter`, from 0 to 1): functions that started together do not come back together.
    pub(super) fn fetched(
        keys: Arc<KeySet>,
        fresh_for: Option<f64>,
        at: UnixTime,
        jitter: f64,
        timing: &Timing,
    ) -> Self {
        let longest = timing.lifetime;
        let lifetime = fresh_for.map_or(longest, |time| time.max(timing.shortest_lifetime).min(longest));
        Self {
            keys,
            fetched_at: at,
            stale_after: lifetime * (0.5 + 0.4 * jitter),
            expired_after: lifetime,
            spent_after: lifetime + timing.stale,
        }
    }

    /// The same, which is not used from this time on, whatever happens.
    pub(super) fn until(mut self, valid_until: Option<UnixTime>) -> Self {
        let rest = valid_until.map_or(f64::INFINITY, |end| (end - self.fetched_at).max(0.0));
        for end in [&mut self.stale_after, &mut self.expired_after, &mut self.spent_after] {
            *end = end.min(rest);
        }
        self
    }

    /// As it lay in the package, `age` seconds old: good for a start, and stale from the start. It does not
    /// expire before it is of no use: an environment may be kept for hours before its first request.
    pub(super) fn of_the_package(keys: Arc<KeySet>, age: f64, now: UnixTime, timing: &Timing) -> Self {
        let spent_after = (timing.lifetime + timing.stale).min(timing.initial_age - age);
        Self { keys, fetched_at: now, stale_after: 0.0, expired_after: spent_after, spent_after }
    }

    pub(super) fn phase(&self, now: UnixTime) -> Phase {
        match elapsed(self.fetched_at, now) {
            age if age >= self.spent_after => Phase::None,
            age if age >= self.expired_after => Phase::Expired,
            age if age >= self.stale_after => Phase::Stale,
            _ => Phase::Fresh,
        }
    }
}

impl Attempt {
    pub(super) fn succeeded(at: UnixTime) -> Self {
        Self { at, failures: 0, jitter: 1.0, retry_after: 0.0, cause: None }
    }

    /// `jitter` is from 0 to 1.
    pub(super) fn failed(at: UnixTime, failure: FetchFailure, jitter: f64, before: Option<Self>) -> Self {
        Self {
            at,
            failures: before.map_or(0, |before| before.failures).saturating_add(1),
            jitter: 0.5 + 0.5 * jitter,
            retry_after: failure.retry_after.map_or(0.0, |time| time.min(LONGEST_PAUSE)),
            cause: Some(failure.cause),
        }
    }

    /// Whether it is too soon after a failure. The pause doubles with each one, up to `longest`; chance shortens
    /// it, and lengthens the issuer's own wish.
    fn is_pausing(&self, now: UnixTime, longest: f64) -> bool {
        let doubled = 2_f64.powi(self.failures.saturating_sub(1).min(16).cast_signed());
        let wish = self.retry_after.min(longest) * (0.5 + self.jitter);
        let pause = (doubled.min(longest) * self.jitter).max(wish);
        self.failures > 0 && elapsed(self.at, now) < pause
    }
}

impl Known {
    /// Takes note of the time. As much as the clock was set back counts as time passed, and what is held is
    /// expired: nobody knows how old it is, and it must not be young again when the clock has caught up.
    /// Returns by how much a time from before is to be moved.
    pub(super) fn notice(&mut self, now: UnixTime) -> f64 {
        let back = self.latest - now;
        if back <= ADJUSTMENT {
            self.latest = self.latest.max(now);
            return 0.0;
        }
        self.latest = now;
        let moved = -2.0 * back;
        if let Some(held) = &mut self.held {
            (held.stale_after, held.expired_after) = (0.0, 0.0);
            held.fetched_at += moved;
        }
        if let Some(attempt) = &mut self.attempt {
            attempt.at += moved;
        }
        moved
    }

    pub(super) fn phase(&self, now: UnixTime) -> Phase {
        self.held.as_ref().map_or(Phase::None, |held| held.phase(now))
    }

    /// Whether the latest attempt failed.
    pub(super) fn is_failing(&self) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| attempt.failures > 0)
    }

    /// Whether there are keys that may be used.
    pub(super) fn serves(&self, now: UnixTime) -> bool {
        self.phase(now) != Phase::None
    }

    /// What a request does, for which the keys that are held suffice or do not.
    pub(super) fn step(&self, suffices: bool, now: UnixTime, cooldown: f64) -> Step {
        let phase = self.phase(now);
        let latest = self.attempt.as_ref();
        let is_failing =
            |within| latest.is_some_and(|attempt| attempt.failures > 0 && elapsed(attempt.at, now) < within);
        let is_pausing = |longest| latest.is_some_and(|attempt| attempt.is_pausing(now, longest));
        match phase {
            Phase::Fresh if suffices => Step::Use,
            // What a freeze cut off before, it would cut off again: this time it is waited for.
            Phase::Stale | Phase::Expired if suffices && self.was_cut_off && !self.is_fetching => Step::Wait,
            // A failure of long ago says nothing about the issuer of now, which may have removed the key since.
            Phase::Expired if suffices && !is_failing(OUTAGE_MEMORY) => Step::Wait,
            // For an issuer that fails nobody waits while there are keys.
            Phase::Stale | Phase::Expired if suffices && (self.is_fetching || is_pausing(LONGEST_PAUSE)) => {
                Step::Use
            }
            Phase::Stale | Phase::Expired if suffices => Step::UseAndFetch,
            _ if self.is_fetching => Step::Wait,
            // Every request is a fault now: an issuer that is back is to be noticed soon.
            Phase::None if is_pausing(cooldown) => Step::Fault,
            Phase::None => Step::Wait,
            // Counted on time alone, so that no token makes it shorter (rule K5).
            Phase::Fresh | Phase::Stale | Phase::Expired
                if latest.is_some_and(|attempt| elapsed(attempt.at, now) < cooldown) =>
            {
                if is_failing(cooldown) { Step::Fault } else { Step::Lacks }
            }
            Phase::Fresh | Phase::Stale | Phase::Expired if is_pausing(cooldown) => Step::Fault,
            Phase::Fresh | Phase::Stale | Phase::Expired => Step::Wait,
        }
    }

    /// What a request does that has waited for a fetch, in vain if that did not end in time.
    pub(super) fn after_waiting(&self, suffices: bool, now: UnixTime, in_time: bool) -> Step {
        let has_answered = in_time
            && !self.was_cut_off
            && self.attempt.as_ref().is_some_and(|attempt| attempt.failures == 0);
        match self.phase(now) {
            Phase::None => Step::Fault,
            Phase::Fresh | Phase::Stale | Phase::Expired if suffices => Step::Use,
            Phase::Fresh | Phase::Stale | Phase::Expired if has_answered => Step::Lacks,
            Phase::Fresh | Phase::Stale | Phase::Expired => Step::Fault,
        }
    }
}

/// A clock that was set back counts as time that has passed: otherwise keys would live until it has
/// caught up.
pub(super) fn elapsed(since: UnixTime, now: UnixTime) -> f64 {
    (now - since).abs()
}
