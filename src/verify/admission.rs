//! What is decided of a token before its signature, in this order: which issuer's it would be, of which type, and with which
//! of the issuer's keys it would have been signed.

use super::expectations::{Expectations, Presence};
use super::token::Token;
use crate::error::Reason;
use crate::jwks::{Algorithm, Key, KeySearch, KeySet, UnusableKey};

/// `iss` is not vouched for yet: that the keys are those of this issuer is what makes it true, if the signature holds
/// (rules A10 and C1).
pub(super) fn issuer(token: &Token<'_>, expected: &Expectations) -> Result<(), Reason> {
    if token.unverified_issuer()? == &*expected.issuer { Ok(()) } else { Err(Reason::IssuerUnknown) }
}

/// Rule C7.
pub(super) fn media_type(token: &Token<'_>, expected: &Expectations) -> Result<(), Reason> {
    match expected.types.include(token.media_type()) {
        true => Ok(()),
        false => Err(Reason::TokenTypeUnexpected { member: "typ".into() }),
    }
}

/// Rule A1: the issuer's list decides, the header only chooses from it.
pub(super) fn algorithm(token: &Token<'_>, expected: &Expectations) -> Result<Algorithm, Reason> {
    let algorithm = token.algorithm().filter(|algorithm| expected.algorithms.contains(algorithm));
    algorithm.ok_or(Reason::AlgorithmNotAllowed)
}

/// Whether it names its key, where that is asked for.
pub(super) fn key_id(token: &Token<'_>, expected: &Expectations) -> Result<(), Reason> {
    match (expected.key_id, token.key_id()) {
        (Presence::Required, None) => Err(Reason::KeyIdMissing),
        (Presence::Required, Some(_)) | (Presence::Optional, _) => Ok(()),
    }
}

/// The only key that may have signed it.
pub(super) fn key<'a>(token: &Token<'_>, algorithm: Algorithm, keys: &'a KeySet) -> Result<&'a Key, Reason> {
    match keys.find(token.key_id(), algorithm) {
        KeySearch::Found(key) => Ok(key),
        KeySearch::NotFound => {
            let is_named = |key: &&UnusableKey| key.id.is_some() && key.id.as_deref() == token.key_id();
            let unusable = keys.unusable().iter().find(is_named).map(|key| key.problem.to_string());
            Err(Reason::KeyNotFound { unusable })
        }
        KeySearch::Mismatch => Err(Reason::KeyMismatch),
        KeySearch::Ambiguous => Err(Reason::KeyAmbiguous),
    }
}
