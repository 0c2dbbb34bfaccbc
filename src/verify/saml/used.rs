//! [`Used`]: the assertions that were taken, so that none is taken twice (RFC 7522, section 3, point 8; SAML 2.0 profiles, section 4.1.4.5).
//!
//! It is the memory of one process. Another one has not seen the assertion.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::io::UnixTime;
use crate::verify::room::make_room;
use crate::verify::verified_tokens::TokenDigest;

/// Assertions that would still be taken, by their IDs, each until its end.
#[derive(Default)]
pub(super) struct Used(Mutex<HashMap<TokenDigest, UnixTime>>);

impl Used {
    /// 48 bytes each. Where there are more, those go first that end first.
    const MOST: usize = 4096;

    /// Whether the assertion was not seen before. It has been from now on.
    pub(super) fn is_first(&self, id: &str, ends_at: UnixTime, now: UnixTime) -> bool {
        let name = TokenDigest::of(id);
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if used.get(&name).is_some_and(|end| *end > now) {
            return false;
        }
        make_room(&mut used, Self::MOST, |end| *end > now, |end| *end);
        used.insert(name, ends_at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_is_used_once_until_it_ends_anyway() {
        let used = Used::default();
        assert!(used.is_first("a", 160.0, 100.0));
        assert!(!used.is_first("a", 160.0, 159.9));
        assert!(used.is_first("b", 160.0, 100.0));
        assert!(used.is_first("a", 260.0, 160.0));
    }

    #[test]
    fn memory_is_bounded() {
        let used = Used::default();
        for number in 0..=Used::MOST {
            assert!(used.is_first(&number.to_string(), 200.0 + number as f64, 100.0));
        }
        assert_eq!(used.0.lock().unwrap().len(), Used::MOST);
        assert!(!used.is_first("1", 201.0, 100.0), "only the first to end has gone");
    }
}
