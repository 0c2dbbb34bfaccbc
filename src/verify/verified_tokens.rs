//! [`VerifiedTokens`]: tokens whose signatures held, so that one that comes again costs a digest instead of a signature.
//!
//! What is kept is no verdict. A token that is found here is asked everything again but for its form and its signature:
//! whether its key is still the issuer's, and each check of its claims.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;
use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

use super::signature::Signed;
use crate::io::UnixTime;
use crate::jwks::{Algorithm, KeyMaterial};

/// How many tokens are kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenCacheLimits {
    /// How many; none turns it off.
    pub entries: usize,
    /// How much memory they take together, as far as that can be told from the lengths of the tokens.
    pub bytes: usize,
    /// How long one is kept, in seconds.
    pub lifetime: f64,
}

/// The SHA-256 of a whole token: of its header, its claims and its signature. Two tokens do not share one, so nothing else
/// is found by it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenDigest([u8; SHA256_OUTPUT_LEN]);

/// A token whose signature held.
pub(super) struct VerifiedToken {
    /// Which of the configured issuers it is of.
    pub(super) issuer: usize,
    pub(super) algorithm: Algorithm,
    /// The `kid` of its header.
    pub(super) key_id: Option<Arc<str>>,
    /// The key that its signature was made with.
    pub(super) key: KeyMaterial,
    pub(super) signed: Signed,
}

/// A table of places, each of which is read and written without a lock. A token has eight places to go, by its digest; where
/// they are taken, the one goes that would have ended first.
pub(super) struct VerifiedTokens {
    sets: Box<[[ArcSwapOption<Entry>; WAYS]]>,
    bytes: AtomicUsize,
    /// The set that is emptied next, where there are too many bytes.
    hand: AtomicUsize,
    limits: TokenCacheLimits,
}

/// A token that is kept.
pub(super) struct Entry {
    digest: TokenDigest,
    kept_at: UnixTime,
    ends_at: UnixTime,
    weight: usize,
    token: VerifiedToken,
}

const WAYS: usize = 8;

impl TokenDigest {
    pub(super) fn of(token: &str) -> Self {
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(bytes)
    }

    /// A number that is spread as evenly as the digest is.
    pub(super) fn number(self) -> usize {
        let [first, second, third, fourth, ..] = self.0;
        u32::from_le_bytes([first, second, third, fourth]) as usize
    }
}

impl VerifiedTokens {
    /// `None` where none are to be kept.
    pub(super) fn new(limits: TokenCacheLimits) -> Option<Self> {
        let sets = limits.entries.div_ceil(WAYS);
        (sets > 0 && limits.bytes > 0).then(|| Self {
            sets: (0..sets).map(|_| Default::default()).collect(),
            bytes: AtomicUsize::new(0),
            hand: AtomicUsize::new(0),
            limits,
        })
    }

    /// The token of this digest, if it is kept and has not ended.
    pub(super) fn find(&self, digest: TokenDigest, now: UnixTime) -> Option<Arc<Entry>> {
        let entries = self.set(digest).iter().filter_map(|place| {
            let entry = place.load();
            entry.as_ref().filter(|entry| entry.digest == digest).map(Arc::clone)
        });
        { entries }.find(|entry| !entry.has_ended(now))
    }

    /// Keeps a token of so many bytes until it expires at `expiry`, or for as long as the limits say.
    pub(super) fn keep(
        &self,
        digest: TokenDigest,
        token: VerifiedToken,
        length: usize,
        expiry: UnixTime,
        now: UnixTime,
    ) {
        let ends_at = expiry.min(now + self.limits.lifetime);
        let entry = Entry { digest, kept_at: now, ends_at, weight: weight(length), token };
        if entry.has_ended(now) || entry.weight > self.limits.bytes {
            return;
        }
        let end = |place: &&ArcSwapOption<Entry>| match place.load().as_ref() {
            Some(old) if old.digest != digest && !old.has_ended(now) => old.ends_at,
            Some(_) | None => 0.0,
        };
        let Some(place) = self.set(digest).iter().min_by(|one, other| end(one).total_cmp(&end(other))) else {
            return;
        };
        self.bytes.fetch_add(entry.weight, Ordering::Relaxed);
        self.let_go(place.swap(Some(Arc::new(entry))));
        self.make_room();
    }

    fn make_room(&self) {
        for _ in 0..self.sets.len() {
            if self.bytes.load(Ordering::Relaxed) <= self.limits.bytes {
                return;
            }
            let hand = self.hand.fetch_add(1, Ordering::Relaxed);
            for place in self.set_number(hand) {
                self.let_go(place.swap(None));
            }
        }
    }

    fn let_go(&self, entry: Option<Arc<Entry>>) {
        if let Some(entry) = entry {
            self.bytes.fetch_sub(entry.weight, Ordering::Relaxed);
        }
    }

    fn set(&self, digest: TokenDigest) -> &[ArcSwapOption<Entry>] {
        self.set_number(digest.number())
    }

    fn set_number(&self, number: usize) -> &[ArcSwapOption<Entry>] {
        self.sets.get(number % self.sets.len()).map_or(&[], |set| set.as_slice())
    }
}

#[cfg(test)]
impl VerifiedTokens {
    pub(super) fn usage(&self) -> (usize, usize) {
        let entries: Vec<Arc<Entry>> =
            self.sets.iter().flatten().filter_map(ArcSwapOption::load_full).collect();
        let weight: usize = entries.iter().map(|entry| entry.weight).sum();
        assert_eq!(weight, self.bytes.load(Ordering::Relaxed));
        (entries.len(), weight)
    }
}

impl Entry {
    pub(super) fn token(&self) -> &VerifiedToken {
        &self.token
    }

    /// A clock that was set back ends it: nobody knows how long it has been kept.
    fn has_ended(&self, now: UnixTime) -> bool {
        // NaN compares as false: what must hold is stated, so that it ends.
        let is_alive = self.kept_at <= now + CLOCK_ADJUSTMENT && now < self.ends_at;
        !is_alive
    }
}

/// By how many seconds a clock is set back in the course of things.
const CLOCK_ADJUSTMENT: f64 = 1.0;

/// What a token's claims take in memory, as an estimate: three times its length, and some for the entry. The token itself is
/// not kept.
fn weight(length: usize) -> usize {
    3 * length + 700
}
