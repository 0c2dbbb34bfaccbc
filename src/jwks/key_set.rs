//! A JWK Set (RFC 7517, section 5), read key by key.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Algorithm, Key, KeyProblem};

/// The usable keys of one issuer.
#[derive(Clone)]
pub struct KeySet {
    keys: Vec<Key>,
    unusable: Vec<UnusableKey>,
}

/// A member of a key set that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableKey {
    /// Its `kid`, where it has one.
    pub id: Option<String>,
    /// What is wrong with it.
    pub problem: KeyProblem,
}

/// Keys verify tokens for the life of a process: more than this is no key set.
const MOST_KEYS: usize = 100;

/// Why a document is no key set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not a JSON object with an array `keys`.
    #[error("the document is not a JWK Set")]
    NotAKeySet,
    /// More keys than an issuer has.
    #[error("the key set has more than {MOST_KEYS} keys")]
    TooManyKeys,
    /// Every key is of a kind that cannot verify.
    #[error("none of the {count} keys of the key set can be used{}", .first.as_ref().map(|first| format!("; of the first: {first}")).unwrap_or_default())]
    NoUsableKey {
        /// How many there are.
        count: usize,
        /// What is wrong with the first.
        first: Option<KeyProblem>,
    },
}

/// What [`KeySet::find`] found.
pub enum KeySearch<'a> {
    /// The only key that may verify the token.
    Found(&'a Key),
    /// No key has the ID, or, without an ID, none fits the algorithm.
    NotFound,
    /// A key has the ID and does not fit the algorithm.
    Mismatch,
    /// Several keys fit.
    Ambiguous,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl KeySet {
    /// Reads a key set. One key that is broken, or of a kind we do not know, does not cost the
    /// others (rule K4).
    ///
    /// # Errors
    ///
    /// When the document is no key set, or holds no key at all that can be used.
    pub fn parse(document: &[u8]) -> Result<Self, KeySetError> {
        let text = std::str::from_utf8(document).map_err(|_| KeySetError::NotAKeySet)?;
        if !text.trim_start().starts_with('{') {
            return Err(KeySetError::NotAKeySet);
        }
        let wire: Wire<'_> = serde_json::from_str(text).map_err(|_| KeySetError::NotAKeySet)?;
        if wire.keys.len() > MOST_KEYS {
            return Err(KeySetError::TooManyKeys);
        }
        let mut keys = Vec::with_capacity(wire.keys.len());
        let mut unusable = Vec::new();
        for member in wire.keys {
            match Key::parse(member.get()) {
                Ok(key) => keys.push(key),
                Err(problem) => unusable.push(UnusableKey { id: id_of(member.get()), problem }),
            }
        }
        if keys.is_empty() {
            return Err(KeySetError::NoUsableKey {
                count: unusable.len(),
                first: unusable.into_iter().next().map(|key| key.problem),
            });
        }
        Ok(Self { keys, unusable })
    }

    /// The keys of another document than a JWK Set.
    #[cfg(feature = "saml")]
    pub(crate) fn of(keys: Vec<Key>, unusable: Vec<UnusableKey>) -> Result<Self, KeySetError> {
        match keys.len() {
            0 => Err(KeySetError::NoUsableKey {
                count: unusable.len(),
                first: unusable.into_iter().next().map(|key| key.problem),
            }),
            1..=MOST_KEYS => Ok(Self { keys, unusable }),
            _ => Err(KeySetError::TooManyKeys),
        }
    }

    /// The members that are used.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The members that are not used.
    #[must_use]
    pub fn unusable(&self) -> &[UnusableKey] {
        &self.unusable
    }

    /// Whether a key has this ID; without one, whether there is any key.
    #[must_use]
    pub fn has(&self, id: Option<&str>) -> bool {
        id.is_none_or(|id| self.keys.iter().any(|key| key.id() == Some(id)))
    }

    /// The key for a token's `kid` and `alg`. No key is ever tried after another (rule A9): exactly
    /// one must fit, though a set may list it several times.
    #[must_use]
    pub fn find(&self, id: Option<&str>, algorithm: Algorithm) -> KeySearch<'_> {
        let mut fitting =
            self.keys.iter().filter(|key| id.is_none_or(|id| key.id() == Some(id)) && key.fits(algorithm));
        match fitting.next() {
            Some(key) if fitting.all(|other| other.is_same_key(key)) => KeySearch::Found(key),
            Some(_) => KeySearch::Ambiguous,
            None if id.is_some() && self.has(id) => KeySearch::Mismatch,
            None => KeySearch::NotFound,
        }
    }
}

/// The `kid` of a member that may be anything.
fn id_of(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        kid: String,
    }
    serde_json::from_str::<Named>(json).ok().map(|named| named.kid)
}
