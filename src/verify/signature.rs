//! The signature of a token. The only place that asks the signature libraries for a verdict.

use std::sync::Arc;

use super::token::Token;
use crate::claims::Claims;
use crate::error::Reason;
use crate::jwks::{Algorithm, Key};

/// What a token says, vouched for by the holder of a key. Only [`verify`] makes one.
pub(super) struct Signed {
    claims: Claims,
    key_id: Option<Arc<str>>,
}

impl Signed {
    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The ID of the key that verified it.
    pub(super) fn key_id(&self) -> Option<&Arc<str>> {
        self.key_id.as_ref()
    }
}

/// Checks the signature over the token's first two parts as they were received (rule A6).
pub(super) fn verify(token: Token<'_>, key: &Key, algorithm: Algorithm) -> Result<Signed, Reason> {
    // Rule A2 once more, where it counts: whoever chose the key.
    if !key.fits(algorithm) {
        return Err(Reason::KeyMismatch);
    }
    let public = key.public().ready_for(algorithm);
    match public.map(|public| public.verify_sig(token.message(), token.signature())) {
        Some(Ok(())) => Ok(Signed { key_id: key.shared_id(), claims: token.into_claims() }),
        Some(Err(_)) | None => Err(Reason::SignatureInvalid),
    }
}
