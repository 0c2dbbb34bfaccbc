//! The time of day, and elapsed time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970, with fractions, as in a `NumericDate` (RFC 7519, section 2).
pub type UnixTime = f64;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> UnixTime;

    /// The time since some fixed moment: for durations. It may stand still while Lambda freezes us.
    fn elapsed(&self) -> Duration;
}

/// The clock of the machine.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// A clock whose [`Clock::elapsed`] starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock's edge")]
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock's edge")]
    fn now(&self) -> UnixTime {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
