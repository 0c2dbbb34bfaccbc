//! [`Replays`]: the DPoP proofs that were taken, so that none is taken twice (RFC 9449, section 11.1).
//!
//! It is the memory of one process. Another one has not seen the proof: within its short life, a stolen proof may be used
//! once more in each, for the same method, URL and token, unless they share a table (`shared_replays.rs`).

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

use super::dpop::Proof;
use super::room::make_room;
use crate::io::UnixTime;

/// Proofs that would still be taken, each until it is too old.
#[derive(Default)]
pub(super) struct Replays(Mutex<HashMap<[u8; SHA256_OUTPUT_LEN], UnixTime>>);

/// What one request uses up: one proof at the most.
pub(super) struct Usage<'a> {
    replays: &'a Replays,
    used: OnceLock<UsedProof>,
}

/// A proof that was used up.
#[derive(Clone, Copy)]
pub(super) struct UsedProof {
    /// Tells it from all others: a digest of its key and of its `jti`.
    pub(super) name: [u8; SHA256_OUTPUT_LEN],
    /// When it is too old.
    pub(super) ends_at: UnixTime,
}

impl<'a> Usage<'a> {
    pub(super) fn of(replays: &'a Replays) -> Self {
        Self { replays, used: OnceLock::new() }
    }

    /// Whether this request is the first with the proof. It is used up then.
    pub(super) fn is_first(&self, proof: &Proof, now: UnixTime) -> bool {
        let used = UsedProof { name: name(proof), ends_at: proof.ends_at };
        self.replays.is_first(&used, now) && self.used.set(used).is_ok()
    }

    /// What was used up.
    #[cfg(feature = "dynamodb")]
    pub(super) fn used(&self) -> Option<UsedProof> {
        self.used.get().copied()
    }

    /// Nothing was decided about the request: whoever has made the proof may send it again.
    pub(super) fn undo(&self) {
        if let Some(used) = self.used.get() {
            self.replays.forget(used);
        }
    }
}

impl Replays {
    /// 48 bytes each. Where there are more, those go first that end first.
    const MOST: usize = 4096;

    /// Whether the proof was not seen before. It has been from now on.
    fn is_first(&self, proof: &UsedProof, now: UnixTime) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(&proof.name).is_some_and(|ends_at| *ends_at > now) {
            return false;
        }
        make_room(&mut seen, Self::MOST, |ends_at| *ends_at > now, |ends_at| *ends_at);
        seen.insert(proof.name, proof.ends_at);
        true
    }

    fn forget(&self, proof: &UsedProof) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&proof.name);
    }
}

/// `jti` is unique among the proofs of one key, not among those of all.
fn name(proof: &Proof) -> [u8; SHA256_OUTPUT_LEN] {
    let mut context = Context::new(&SHA256);
    // A thumbprint has one length, so that no other pair makes the same text.
    context.update(proof.thumbprint.as_bytes());
    context.update(proof.id.as_bytes());
    let mut name = [0; SHA256_OUTPUT_LEN];
    name.copy_from_slice(context.finish().as_ref());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(key: &str, id: &str, ends_at: UnixTime) -> UsedProof {
        let name = name(&Proof { thumbprint: key.into(), id: id.into(), ends_at });
        UsedProof { name, ends_at }
    }

    #[test]
    fn a_proof_is_taken_once_by_its_key_and_until_it_is_too_old_anyway() {
        let replays = Replays::default();
        assert!(replays.is_first(&proof("a", "1", 160.0), 100.0));
        assert!(!replays.is_first(&proof("a", "1", 160.0), 159.9));
        assert!(replays.is_first(&proof("a", "2", 160.0), 100.0));
        assert!(replays.is_first(&proof("b", "1", 160.0), 100.0));
        assert!(replays.is_first(&proof("a", "1", 260.0), 160.0));
    }

    #[test]
    fn memory_is_bounded_and_what_has_ended_goes_first() {
        let replays = Replays::default();
        let count = || replays.0.lock().unwrap().len();
        for number in 0..Replays::MOST {
            assert!(replays.is_first(&proof("a", &number.to_string(), 200.0 + number as f64), 100.0));
        }
        assert!(replays.is_first(&proof("a", "one more", 300.0), 100.0));
        assert_eq!(count(), Replays::MOST);
        assert!(!replays.is_first(&proof("a", "1", 201.0), 100.0), "only the first to end has gone");
        assert!(replays.is_first(&proof("a", "later", 9000.0), 1000.0));
        assert!(count() < Replays::MOST);
    }
}
