//! What TLS is made of here: the library's own suites, and of its key exchanges and certificates' signatures those that
//! servers on the Internet use.
//!
//! The library's own choice also has ML-KEM and ML-DSA, and signs with certificates of clients. Nothing secret comes from a
//! key server, so nothing is to be kept from who records it today; no public authority signs with ML-DSA; and nobody here has a
//! certificate of a client. All of it would be loaded at every cold start.

use std::sync::Arc;

use aws_lc_rs::rand;
use rustls::crypto::aws_lc_rs::{DEFAULT_CIPHER_SUITES, kx_group};
use rustls::crypto::{
    CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, SupportedKxGroup, WebPkiSupportedAlgorithms,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use rustls::{Error, SignatureScheme};
use webpki::aws_lc_rs as signatures;

/// The cryptography of TLS.
pub(super) fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: DEFAULT_CIPHER_SUITES.to_vec(),
        kx_groups: KEY_EXCHANGES.to_vec(),
        signature_verification_algorithms: CERTIFICATES,
        secure_random: &Randomness,
        key_provider: &NoPrivateKeys,
    }
}

const KEY_EXCHANGES: [&dyn SupportedKxGroup; 3] =
    [kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];

/// As the library has them. In TLS 1.2 a scheme does not fix the curve.
const CERTIFICATES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        signatures::ECDSA_P256_SHA256,
        signatures::ECDSA_P256_SHA384,
        signatures::ECDSA_P256_SHA512,
        signatures::ECDSA_P384_SHA256,
        signatures::ECDSA_P384_SHA384,
        signatures::ECDSA_P384_SHA512,
        signatures::ECDSA_P521_SHA256,
        signatures::ECDSA_P521_SHA384,
        signatures::ECDSA_P521_SHA512,
        signatures::ED25519,
        signatures::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        signatures::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        signatures::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        signatures::RSA_PKCS1_2048_8192_SHA256,
        signatures::RSA_PKCS1_2048_8192_SHA384,
        signatures::RSA_PKCS1_2048_8192_SHA512,
        signatures::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
        signatures::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
        signatures::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    ],
    mapping: &[
        (
            SignatureScheme::ECDSA_NISTP384_SHA384,
            &[signatures::ECDSA_P384_SHA384, signatures::ECDSA_P256_SHA384, signatures::ECDSA_P521_SHA384],
        ),
        (
            SignatureScheme::ECDSA_NISTP256_SHA256,
            &[signatures::ECDSA_P256_SHA256, signatures::ECDSA_P384_SHA256, signatures::ECDSA_P521_SHA256],
        ),
        (
            SignatureScheme::ECDSA_NISTP521_SHA512,
            &[signatures::ECDSA_P521_SHA512, signatures::ECDSA_P384_SHA512, signatures::ECDSA_P256_SHA512],
        ),
        (SignatureScheme::ED25519, &[signatures::ED25519]),
        (SignatureScheme::RSA_PSS_SHA512, &[signatures::RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA384, &[signatures::RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA256, &[signatures::RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
        (SignatureScheme::RSA_PKCS1_SHA512, &[signatures::RSA_PKCS1_2048_8192_SHA512]),
        (SignatureScheme::RSA_PKCS1_SHA384, &[signatures::RSA_PKCS1_2048_8192_SHA384]),
        (SignatureScheme::RSA_PKCS1_SHA256, &[signatures::RSA_PKCS1_2048_8192_SHA256]),
    ],
};

#[derive(Debug)]
struct Randomness;

impl SecureRandom for Randomness {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        rand::fill(bytes).map_err(|_| GetRandomFailed)
    }
}

#[derive(Debug)]
struct NoPrivateKeys;

impl KeyProvider for NoPrivateKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("there are no certificates of clients here".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use rustls::crypto::aws_lc_rs::default_provider;

    use super::*;

    /// Whatever the library adds or drops: but for what is left out on purpose, both are the same.
    #[test]
    fn it_is_the_librarys_own_without_what_is_left_out() {
        let (own, theirs) = (provider(), default_provider());
        let names = |provider: &CryptoProvider| -> Vec<String> {
            let groups = provider.kx_groups.iter().map(|group| format!("{:?}", group.name()));
            let schemes = provider.signature_verification_algorithms.mapping.iter();
            let schemes = schemes.map(|(scheme, algorithms)| format!("{scheme:?} by {}", algorithms.len()));
            let suites = provider.cipher_suites.iter().map(|suite| format!("{:?}", suite.suite()));
            groups.chain(schemes).chain(suites).collect()
        };
        let left_out = |name: &String| name.contains("MLKEM") || name.contains("ML_DSA");
        let theirs: Vec<String> = names(&theirs).into_iter().filter(|name| !left_out(name)).collect();
        assert_eq!(names(&own), theirs);
        let post_quantum =
            default_provider().signature_verification_algorithms.all.len() - CERTIFICATES.all.len();
        assert_eq!(post_quantum, 3);
    }
}
