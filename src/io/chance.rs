//! Chance, for spreading requests over time. Nothing secret is made of it.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

/// Decides by chance.
pub trait Chance: Send + Sync {
    /// A number from 0 up to 1, 1 excluded, each as likely as any other.
    fn fraction(&self) -> f64;
}

/// The chance of the operating system, as far as the standard library asks it for the seeds of its maps.
#[derive(Clone, Copy, Debug)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn fraction(&self) -> f64 {
        // Each `RandomState` has other keys.
        let bits = RandomState::new().build_hasher().finish();
        f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_spread_from_0_to_1() {
        let fractions: Vec<f64> = (0..1000).map(|_| SystemChance.fraction()).collect();
        assert!(fractions.iter().all(|fraction| (0.0..1.0).contains(fraction)));
        for tenth in 0..10 {
            let from = f64::from(tenth) / 10.0;
            assert!(fractions.iter().any(|fraction| (from..from + 0.1).contains(fraction)), "{tenth}");
        }
    }
}
