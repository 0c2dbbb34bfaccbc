//! An RSA key, which may be used with six algorithms.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents,
};

use super::Algorithm;

/// Modulus and exponent, and the key as the signature library takes it, which binds each to one algorithm. It is made when
/// the first token of that algorithm comes: a set lists keys that no token names.
#[derive(Clone)]
pub struct RsaKey(Arc<Shared>);

struct Shared {
    numbers: RsaPublicKeyComponents<Vec<u8>>,
    /// In the order of [`PARAMETERS`].
    ready: [OnceLock<Option<ParsedPublicKey>>; PARAMETERS.len()],
}

const PARAMETERS: [(Algorithm, &RsaParameters); 6] = [
    (Algorithm::RS256, &RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::RS384, &RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::RS512, &RSA_PKCS1_2048_8192_SHA512),
    (Algorithm::PS256, &RSA_PSS_2048_8192_SHA256),
    (Algorithm::PS384, &RSA_PSS_2048_8192_SHA384),
    (Algorithm::PS512, &RSA_PSS_2048_8192_SHA512),
];

impl RsaKey {
    /// From big-endian numbers without leading zeros: the library below refuses those.
    pub(super) fn new(modulus: Vec<u8>, exponent: Vec<u8>) -> Self {
        let numbers = RsaPublicKeyComponents { n: modulus, e: exponent };
        Self(Arc::new(Shared { numbers, ready: Default::default() }))
    }

    pub(super) fn modulus(&self) -> &[u8] {
        &self.0.numbers.n
    }

    pub(super) fn exponent(&self) -> &[u8] {
        &self.0.numbers.e
    }

    /// The length of the modulus.
    pub(super) fn bits(&self) -> usize {
        let first = self.modulus().first();
        self.modulus().len() * 8 - first.map_or(0, |byte| byte.leading_zeros() as usize)
    }

    /// The key for this algorithm; `None` for one that is not of RSA, or where the numbers are no key.
    pub(super) fn ready_for(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        let mut slots = PARAMETERS.iter().zip(&self.0.ready);
        let ((_, parameters), slot) = slots.find(|((own, _), _)| *own == algorithm)?;
        slot.get_or_init(|| self.0.numbers.to_parsed_public_key(parameters).ok()).as_ref()
    }
}
