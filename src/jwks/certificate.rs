//! The key in a certificate. Who issued it, and until when it is valid, is not looked at: whoever publishes it vouches for the
//! key.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, EcdsaVerificationAlgorithm,
    ParsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;

use super::key::rsa;
use super::{Key, KeyProblem, PublicKey};

/// `rsaEncryption` (RFC 3279, section 2.3.1).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// `id-ecPublicKey` (RFC 5480, section 2.1.1), and its curves.
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];

impl Key {
    /// The key of an X.509 certificate in DER form. Its ID is the certificate's SHA-256 thumbprint, as in `x5t#S256`
    /// (RFC 7515, section 4.1.8).
    ///
    /// # Errors
    ///
    /// Why the key cannot verify anything.
    pub fn of_certificate(certificate: &[u8]) -> Result<Self, KeyProblem> {
        let der = CertificateDer::from(certificate);
        let parsed = ParsedCertificate::try_from(&der).map_err(|_| KeyProblem::NotACertificate)?;
        let info = parsed.subject_public_key_info();
        let id = URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate));
        Ok(Self::new(id, public_key(&info)?, &info))
    }
}

/// `SubjectPublicKeyInfo` (RFC 5280, section 4.1).
fn public_key(info: &[u8]) -> Result<PublicKey, KeyProblem> {
    let (algorithm, key) = parts(info).ok_or(KeyProblem::NotACertificate)?;
    let (name, parameters) = tagged(algorithm, OBJECT_IDENTIFIER).ok_or(KeyProblem::NotACertificate)?;
    let curve = tagged(parameters, OBJECT_IDENTIFIER).map(|(curve, _)| curve);
    match (name, curve) {
        (RSA, _) => {
            let (modulus, exponent) = numbers(key).ok_or(KeyProblem::InvalidMember("n"))?;
            rsa(modulus.to_vec(), exponent.to_vec())
        }
        (EC, Some(P256)) => point(&ECDSA_P256_SHA256_FIXED, key).map(PublicKey::P256),
        (EC, Some(P384)) => point(&ECDSA_P384_SHA384_FIXED, key).map(PublicKey::P384),
        (EC, Some(P521)) => point(&ECDSA_P521_SHA512_FIXED, key).map(PublicKey::P521),
        _ => Err(KeyProblem::Unsupported),
    }
}

fn point(curve: &'static EcdsaVerificationAlgorithm, key: &[u8]) -> Result<ParsedPublicKey, KeyProblem> {
    ParsedPublicKey::new(curve, key).map_err(|_| KeyProblem::InvalidPoint)
}

/// The algorithm with its parameters, and the bits of the key.
fn parts(info: &[u8]) -> Option<(&[u8], &[u8])> {
    let (info, _) = tagged(info, SEQUENCE)?;
    let (algorithm, rest) = tagged(info, SEQUENCE)?;
    let (bits, _) = tagged(rest, BIT_STRING)?;
    // No bits are left over: the first byte counts them.
    Some((algorithm, bits.strip_prefix(&[0])?))
}

/// `RSAPublicKey` (RFC 8017, appendix A.1.1).
fn numbers(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (key, _) = tagged(key, SEQUENCE)?;
    let (modulus, rest) = tagged(key, INTEGER)?;
    let (exponent, _) = tagged(rest, INTEGER)?;
    Some((modulus, exponent))
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// What is under this tag, and what follows it (X.690, section 8.1). A key needs no more than two bytes for a length.
fn tagged(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match der.strip_prefix(&[tag])? {
        [0x81, length, rest @ ..] => (usize::from(*length), rest),
        [0x82, high, low, rest @ ..] => (usize::from(*high) << 8 | usize::from(*low), rest),
        [length @ ..=0x7f, rest @ ..] => (usize::from(*length), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwks::Algorithm;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    fn certificate(key: &KeyPair) -> Vec<u8> {
        CertificateParams::default().self_signed(key).unwrap().der().to_vec()
    }

    #[test]
    fn the_key_of_a_certificate_fits_the_algorithms_of_its_type() {
        for (of, algorithm, bits) in [
            (&PKCS_ECDSA_P256_SHA256, Algorithm::ES256, 256),
            (&PKCS_ECDSA_P384_SHA384, Algorithm::ES384, 384),
        ] {
            let der = certificate(&KeyPair::generate_for(of).unwrap());
            let key = Key::of_certificate(&der).unwrap();
            assert_eq!(key.bits(), bits);
            assert!(key.public().ready_for(algorithm).is_some());
            assert!(Algorithm::ALL.iter().filter(|other| key.fits(**other)).eq([&algorithm]));
        }
    }

    #[test]
    fn a_certificate_of_another_kind_or_none_is_told() {
        let edwards = certificate(&KeyPair::generate_for(&PKCS_ED25519).unwrap());
        assert_eq!(Key::of_certificate(&edwards).err(), Some(KeyProblem::Unsupported));
        let der = certificate(&KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap());
        let (cut, _) = der.split_at(der.len() / 2);
        for other in [&[], cut, b"certificate".as_slice(), [&der, cut].concat().as_slice()] {
            assert_eq!(Key::of_certificate(other).err(), Some(KeyProblem::NotACertificate));
        }
        assert!(Key::of_certificate(&der).is_ok());
    }
}
