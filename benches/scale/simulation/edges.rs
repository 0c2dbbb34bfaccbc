//! Time and chance, which are the world's own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lambda_authorizer::io::{Chance, Clock, UnixTime};

use super::policy::BEGINNING;

/// Stands until the world sets it.
#[derive(Default)]
pub(crate) struct VirtualClock(pub(crate) AtomicU64);

impl Clock for VirtualClock {
    fn now(&self) -> UnixTime {
        f64::from(BEGINNING) + self.0.load(Ordering::Relaxed) as f64 / 100.0
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// Chance that is the same every time (`SplitMix64`).
pub(crate) struct Dice(pub(crate) AtomicU64);

impl Chance for Dice {
    fn fraction(&self) -> f64 {
        let step = 0x9E37_79B9_7F4A_7C15;
        let mut bits = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
