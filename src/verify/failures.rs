//! [`Failures`]: how often somebody has failed of late, so that guessing takes time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::room::make_room;
use super::verified_tokens::TokenDigest;
use crate::io::UnixTime;

/// Failures in a row, of a bounded number of names.
pub(super) struct Failures {
    kept: Mutex<HashMap<TokenDigest, Failed>>,
    /// So many are let pass.
    most: u32,
    /// How long after the latest one they are remembered, in seconds.
    pause: f64,
    entries: usize,
}

#[derive(Clone, Copy)]
struct Failed {
    count: u32,
    latest: UnixTime,
}

impl Failed {
    /// A clock that was set back ends it: nobody would know how long it lasts.
    fn serves(self, now: UnixTime, pause: f64) -> bool {
        self.latest <= now && now < self.latest + pause
    }
}

impl Failures {
    pub(super) fn new(most: u32, pause: f64, entries: usize) -> Self {
        Self { kept: Mutex::default(), most, pause, entries: entries.max(1) }
    }

    /// Until when nobody looks whether the name's password is right; `None` where that is now.
    pub(super) fn pause(&self, name: TokenDigest, now: UnixTime) -> Option<UnixTime> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = kept.get(&name).filter(|failed| failed.serves(now, self.pause))?;
        (failed.count >= self.most).then_some(failed.latest + self.pause)
    }

    pub(super) fn count(&self, name: TokenDigest, now: UnixTime) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before =
            kept.get(&name).filter(|failed| failed.serves(now, self.pause)).map_or(0, |failed| failed.count);
        if !kept.contains_key(&name) {
            make_room(
                &mut kept,
                self.entries,
                |failed| failed.serves(now, self.pause),
                |failed| failed.latest,
            );
        }
        kept.insert(name, Failed { count: before.saturating_add(1), latest: now });
    }

    /// He has not failed this time.
    pub(super) fn forget(&self, name: TokenDigest) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_make_a_pause_that_ends() {
        let failures = Failures::new(3, 30.0, 8);
        let [one, other] = ["one", "other"].map(TokenDigest::of);
        for at in [100.0, 110.0] {
            failures.count(one, at);
            assert_eq!(failures.pause(one, at), None);
        }
        failures.count(one, 120.0);
        assert_eq!(failures.pause(one, 120.0), Some(150.0));
        assert_eq!(failures.pause(one, 149.9), Some(150.0));
        assert_eq!(failures.pause(other, 120.0), None, "of another name");
        for now in [150.0, 119.9, f64::NAN] {
            assert_eq!(failures.pause(one, now), None, "{now}");
        }
        // What is past does not count any more, and neither does what came before a success.
        failures.count(one, 150.0);
        assert_eq!(failures.pause(one, 150.0), None);
        failures.count(one, 151.0);
        failures.forget(one);
        failures.count(one, 152.0);
        assert_eq!(failures.pause(one, 152.0), None);
    }

    #[test]
    fn failures_of_no_more_names_are_counted_than_are_set() {
        let failures = Failures::new(1, 30.0, 3);
        let names = ["a", "b", "c", "d"].map(TokenDigest::of);
        for (name, at) in names.into_iter().zip([100.0, 101.0, 102.0, 103.0]) {
            failures.count(name, at);
        }
        let paused = names.map(|name| failures.pause(name, 104.0).is_some());
        assert_eq!(paused, [false, true, true, true], "the oldest has gone");
    }
}
