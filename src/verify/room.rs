//! [`make_room`]: memory that is bounded, whoever fills it.

use std::collections::HashMap;
use std::hash::Hash;

use crate::io::UnixTime;

/// Makes room for one more of at most `most`: what no longer serves goes, or else the one that would be the first to end.
pub(super) fn make_room<K: Copy + Eq + Hash, V>(
    kept: &mut HashMap<K, V>,
    most: usize,
    serves: impl Fn(&V) -> bool,
    ends_at: impl Fn(&V) -> UnixTime,
) {
    if kept.len() >= most {
        kept.retain(|_, value| serves(value));
    }
    if kept.len() >= most {
        let first = kept.iter().min_by(|one, other| ends_at(one.1).total_cmp(&ends_at(other.1)));
        if let Some(first) = first.map(|(key, _)| *key) {
            kept.remove(&first);
        }
    }
}
