//! What is counted.

use super::scenario::{Scenario, Seconds};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The key is there.
    Accepted,
    /// The key is not there: 401 or 403.
    Refused,
    /// Nothing could be said: 500.
    Failed,
}

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// With a token of the current key.
    Honest,
    /// With a `kid` that nobody has.
    Inventor,
    /// With a token of a key that was taken back.
    Thief,
}

/// The counts of one simulation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    counted_from: Seconds,
    /// Requests at the provider in each second from the beginning, retries included.
    fetches: Vec<u32>,
    /// Those of them that were tried again.
    pub(crate) retries: u64,
    /// Requests of honest callers.
    pub(crate) requests: u64,
    /// Those of them that failed, and that were refused, in each second.
    failed: Vec<u32>,
    refused: Vec<u32>,
    /// How many honest callers waited so many hundredths of a second.
    delays: Vec<u64>,
    /// When a key that was taken back was last accepted.
    pub(crate) last_theft: Option<Seconds>,
}

impl Tally {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self { counted_from: scenario.counted_from, ..Self::default() }
    }

    pub(crate) fn fetch(&mut self, now: Seconds, is_retry: bool) {
        count(&mut self.fetches, now as usize);
        if now >= self.counted_from {
            self.retries += u64::from(is_retry);
        }
    }

    /// A request that came in at `asked_at` and was answered after `delay`, in hundredths of a second.
    pub(crate) fn request(&mut self, caller: Caller, verdict: Verdict, asked_at: Seconds, delay: u64) {
        if asked_at < self.counted_from {
            return;
        }
        let answered_at = asked_at + delay as f64 / 100.0;
        match (caller, verdict) {
            (Caller::Thief, Verdict::Accepted) => self.last_theft = Some(asked_at),
            (Caller::Honest, verdict) => {
                self.requests += 1;
                match verdict {
                    Verdict::Accepted => {}
                    Verdict::Refused => count(&mut self.refused, answered_at as usize),
                    Verdict::Failed => count(&mut self.failed, answered_at as usize),
                }
                let delay = delay as usize;
                if self.delays.len() <= delay {
                    self.delays.resize(delay + 1, 0);
                }
                self.delays[delay] += 1;
            }
            (Caller::Inventor | Caller::Thief, _) => {}
        }
    }

    /// Requests at the provider.
    pub(crate) fn fetched(&self) -> u64 {
        self.fetched_within(self.counted_from, f64::INFINITY)
    }

    pub(crate) fn fetched_within(&self, from: Seconds, to: Seconds) -> u64 {
        sum(slice(&self.fetches, from, to))
    }

    /// The most requests at the provider in a second.
    pub(crate) fn peak(&self) -> u32 {
        self.peak_within(self.counted_from, f64::INFINITY)
    }

    pub(crate) fn peak_within(&self, from: Seconds, to: Seconds) -> u32 {
        slice(&self.fetches, from, to).iter().copied().max().unwrap_or(0)
    }

    pub(crate) fn failed(&self) -> u64 {
        sum(&self.failed)
    }

    pub(crate) fn failed_within(&self, from: Seconds, to: Seconds) -> u64 {
        sum(slice(&self.failed, from, to))
    }

    pub(crate) fn refused(&self) -> u64 {
        sum(&self.refused)
    }

    /// When an honest caller was last refused, or failed.
    pub(crate) fn last_harm(&self) -> Option<Seconds> {
        let last = |counts: &[u32]| counts.iter().rposition(|count| *count > 0);
        last(&self.failed).max(last(&self.refused)).map(|second| second as f64 + 1.0)
    }

    /// Honest callers who waited.
    pub(crate) fn delayed(&self) -> u64 {
        self.delays.iter().skip(1).sum()
    }

    /// How long those waited on the average.
    pub(crate) fn mean_delay(&self) -> Seconds {
        let total: u64 = self.delays.iter().enumerate().map(|(delay, count)| delay as u64 * count).sum();
        total as f64 / 100.0 / self.delayed().max(1) as f64
    }

    /// How long the 99 of 100 of those waited at most.
    pub(crate) fn longest_delay(&self) -> Seconds {
        let (all, mut so_far) = (self.delayed(), 0);
        let place = self.delays.iter().enumerate().skip(1).find(|(_, count)| {
            so_far += **count;
            so_far * 100 >= all * 99
        });
        place.map_or(0.0, |(delay, _)| delay as f64 / 100.0)
    }
}

fn count(counts: &mut Vec<u32>, second: usize) {
    if counts.len() <= second {
        counts.resize(second + 1, 0);
    }
    counts[second] += 1;
}

fn slice(counts: &[u32], from: Seconds, to: Seconds) -> &[u32] {
    let to = (to as usize).min(counts.len());
    &counts[(from as usize).min(to)..to]
}

fn sum(counts: &[u32]) -> u64 {
    counts.iter().map(|count| u64::from(*count)).sum()
}
