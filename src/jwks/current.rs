//! [`Current`]: the key set that is fresh, for the requests that need no more than it. They read it without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

use super::KeySet;
use super::state::{ADJUSTMENT, Held, elapsed};
use crate::io::UnixTime;

/// A copy of what [`Known`](super::state::Known) holds, as long as that is fresh and the clock goes on. Whatever else there
/// is to decide is decided behind the lock of the state.
#[derive(Default)]
pub(super) struct Current {
    fresh: ArcSwapOption<Fresh>,
    /// The latest time that the clock told, as the bits of the number: those of positive numbers are in their order.
    latest: AtomicU64,
}

struct Fresh {
    keys: Arc<KeySet>,
    fetched_at: UnixTime,
    stale_after: f64,
}

impl Current {
    /// The key set, if it is fresh. Takes note of the time.
    pub(super) fn at(&self, now: UnixTime) -> Option<Arc<KeySet>> {
        let latest = UnixTime::from_bits(self.latest.fetch_max(now.to_bits(), Ordering::Relaxed));
        if latest - now > ADJUSTMENT {
            return None;
        }
        let fresh = self.fresh.load();
        let fresh = fresh.as_ref()?;
        (elapsed(fresh.fetched_at, now) < fresh.stale_after).then(|| Arc::clone(&fresh.keys))
    }

    /// The latest time that any request has seen.
    pub(super) fn latest(&self) -> UnixTime {
        UnixTime::from_bits(self.latest.load(Ordering::Relaxed))
    }

    /// From now on the time is this, whatever it was: the clock was set back, and that was dealt with.
    pub(super) fn restart(&self, now: UnixTime) {
        self.latest.store(now.to_bits(), Ordering::Relaxed);
    }

    /// From now on this is held.
    pub(super) fn hold(&self, held: Option<&Held>) {
        self.fresh.store(held.map(|held| {
            let Held { fetched_at, stale_after, .. } = *held;
            Arc::new(Fresh { keys: Arc::clone(&held.keys), fetched_at, stale_after })
        }));
    }
}
