//! The signature of a token. The only place that asks the signature libraries for a verdict.

use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;

use super::token::Token;
use crate::claims::Claims;
use crate::error::Reason;
use crate::jwks::{Algorithm, Key, PublicKey};

/// What a token says, vouched for by the holder of a key. Only [`verify`] makes one.
pub(super) struct Signed {
    claims: Claims,
    key_id: Option<String>,
}

impl Signed {
    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The ID of the key that verified it.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    pub(super) fn into_parts(self) -> (Claims, Option<String>) {
        (self.claims, self.key_id)
    }
}

/// Checks the signature over the token's first two parts as they were received (rule A6).
pub(super) fn verify(token: Token<'_>, key: &Key, algorithm: Algorithm) -> Result<Signed, Reason> {
    // Rule A2 once more, where it counts: whoever chose the key.
    if !key.fits(algorithm) {
        return Err(Reason::KeyMismatch);
    }
    let holds = match key.public() {
        PublicKey::P521(point) => p521(&token, point),
        PublicKey::Rsa(key) | PublicKey::P256(key) | PublicKey::P384(key) | PublicKey::Ed25519(key) => {
            with_jsonwebtoken(&token, key, algorithm)
        }
    };
    if holds {
        Ok(Signed { key_id: key.id().map(str::to_owned), claims: token.into_claims() })
    } else {
        Err(Reason::SignatureInvalid)
    }
}

fn with_jsonwebtoken(token: &Token<'_>, key: &DecodingKey, algorithm: Algorithm) -> bool {
    let algorithm = match algorithm {
        Algorithm::RS256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::RS384 => jsonwebtoken::Algorithm::RS384,
        Algorithm::RS512 => jsonwebtoken::Algorithm::RS512,
        Algorithm::PS256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::PS384 => jsonwebtoken::Algorithm::PS384,
        Algorithm::PS512 => jsonwebtoken::Algorithm::PS512,
        Algorithm::ES256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::ES384 => jsonwebtoken::Algorithm::ES384,
        Algorithm::EdDSA | Algorithm::Ed25519 => jsonwebtoken::Algorithm::EdDSA,
        // `jsonwebtoken` has no P-521, and `Key::fits` lets no other key come here.
        Algorithm::ES512 => return false,
    };
    jsonwebtoken::crypto::verify(token.signature(), token.message(), key, algorithm).unwrap_or(false)
}

fn p521(token: &Token<'_>, point: &[u8]) -> bool {
    let Ok(signature) = URL_SAFE_NO_PAD.decode(token.signature()) else { return false };
    UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point).verify(token.message(), &signature).is_ok()
}
