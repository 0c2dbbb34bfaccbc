//! One public key: a JWK (RFC 7517, section 4) that fits a signature algorithm.

use std::str::FromStr as _;
use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::rsa::RsaKey;
use super::{Algorithm, edwards};

/// A key that may verify signatures.
#[derive(Clone)]
pub struct Key {
    id: Option<Arc<str>>,
    /// The key's own `alg`, where it has one.
    algorithm: Option<Algorithm>,
    public: PublicKey,
    material: KeyMaterial,
}

/// The type and the numbers of a key, by which two members of a set, or of two, are known to be one key.
#[derive(Clone)]
pub(crate) struct KeyMaterial(Arc<[u8]>);

impl PartialEq for KeyMaterial {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

/// The key itself, by its type and curve, ready to verify: what is worked out of its numbers is worked out once.
#[derive(Clone)]
pub enum PublicKey {
    /// RSA, 2048 to 8192 bits.
    Rsa(RsaKey),
    /// An elliptic curve point on P-256.
    P256(ParsedPublicKey),
    /// An elliptic curve point on P-384.
    P384(ParsedPublicKey),
    /// An elliptic curve point on P-521.
    P521(ParsedPublicKey),
    /// An Ed25519 key.
    Ed25519(ParsedPublicKey),
}

/// Why a member of a key set is not used. The others are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// Not a JSON object with members of the right types.
    #[error("the key is not a JWK")]
    NotAJwk,
    /// `kty` or `crv` is not one that we verify with.
    #[error("the key's type or curve is not supported")]
    Unsupported,
    /// `use` or `key_ops` keep it for something else.
    #[error("the key is not meant for signatures")]
    NotForSignatures,
    /// `alg` is unknown, or of another kind of key.
    #[error("the key's `alg` does not fit its type")]
    AlgorithmMismatch,
    /// A number is missing, or has an impossible length or value.
    #[error("the key's `{0}` is missing or invalid")]
    InvalidMember(&'static str),
    /// Not a certificate (RFC 5280), or none of version 3.
    #[cfg(feature = "saml")]
    #[error("it is not an X.509 certificate of version 3")]
    NotACertificate,
    /// Not a point of the key's curve, or one that signatures can be forged for.
    #[error("the key is not a usable point of its curve")]
    InvalidPoint,
}

/// The members of a JWK that are used. The others, private ones included, are not even read.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Key {
    /// Reads one member of a key set.
    ///
    /// # Errors
    ///
    /// Why this key cannot verify anything.
    pub fn parse(json: &str) -> Result<Self, KeyProblem> {
        // A derived struct would also be read from an array.
        if !json.starts_with('{') {
            return Err(KeyProblem::NotAJwk);
        }
        let jwk: Jwk = serde_json::from_str(json).map_err(|_| KeyProblem::NotAJwk)?;
        jwk.check_purpose()?;
        let public = jwk.public_key()?;
        let algorithm = match &jwk.alg {
            None => None,
            Some(name) => Some(Algorithm::from_str(name).map_err(|_| KeyProblem::AlgorithmMismatch)?),
        };
        if algorithm.is_some_and(|algorithm| !public.fits(algorithm)) {
            return Err(KeyProblem::AlgorithmMismatch);
        }
        let material = jwk.material();
        Ok(Self { id: jwk.kid.map(Arc::from), algorithm, public, material })
    }

    /// A key that is bound to no algorithm, with the numbers by which it is known again.
    #[cfg(feature = "saml")]
    pub(super) fn new(id: String, public: PublicKey, numbers: &[u8]) -> Self {
        Self { id: Some(id.into()), algorithm: None, public, material: KeyMaterial(numbers.into()) }
    }

    /// `kid`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(crate) fn shared_id(&self) -> Option<Arc<str>> {
        self.id.clone()
    }

    /// The key itself.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Its size: of an RSA key the bits of its modulus, otherwise those of its curve.
    #[must_use]
    pub fn bits(&self) -> usize {
        match &self.public {
            PublicKey::Rsa(key) => key.bits(),
            PublicKey::P256(_) | PublicKey::Ed25519(_) => 256,
            PublicKey::P384(_) => 384,
            PublicKey::P521(_) => 521,
        }
    }

    /// Whether the other is this very key, listed once more.
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        self.material == other.material
    }

    pub(crate) fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// Whether this key may verify signatures of `algorithm` (rule A2): its own `alg` decides, and
    /// where it has none, its type and curve.
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.public.fits(algorithm) && self.algorithm.is_none_or(|own| own.is_same_as(algorithm))
    }
}

impl PublicKey {
    /// Its type and curve, for a person.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RSA",
            Self::P256(_) => "EC P-256",
            Self::P384(_) => "EC P-384",
            Self::P521(_) => "EC P-521",
            Self::Ed25519(_) => "Ed25519",
        }
    }

    /// The key as the signature library takes it for this algorithm; `None` where it cannot.
    #[must_use]
    pub fn ready_for(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        if !self.fits(algorithm) {
            return None;
        }
        match self {
            Self::Rsa(key) => key.ready_for(algorithm),
            Self::P256(key) | Self::P384(key) | Self::P521(key) | Self::Ed25519(key) => Some(key),
        }
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{ES256, ES384, ES512, Ed25519, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        match self {
            Self::Rsa(_) => matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
            Self::P256(_) => algorithm == ES256,
            Self::P384(_) => algorithm == ES384,
            Self::P521(_) => algorithm == ES512,
            Self::Ed25519(_) => matches!(algorithm, EdDSA | Ed25519),
        }
    }
}

impl Jwk {
    /// Rule A3.
    fn check_purpose(&self) -> Result<(), KeyProblem> {
        let for_signatures = self.r#use.as_deref().is_none_or(|purpose| purpose == "sig");
        let may_verify =
            self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|name| name == "verify"));
        (for_signatures && may_verify).then_some(()).ok_or(KeyProblem::NotForSignatures)
    }

    fn material(&self) -> KeyMaterial {
        let members = [
            Some(&self.kty),
            self.crv.as_ref(),
            self.n.as_ref(),
            self.e.as_ref(),
            self.x.as_ref(),
            self.y.as_ref(),
        ];
        KeyMaterial(members.map(|member| member.map_or("", String::as_str)).join(" ").into_bytes().into())
    }

    fn public_key(&self) -> Result<PublicKey, KeyProblem> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => self.rsa(),
            ("EC", Some("P-256")) => self.point::<32>(&ECDSA_P256_SHA256_FIXED).map(PublicKey::P256),
            ("EC", Some("P-384")) => self.point::<48>(&ECDSA_P384_SHA384_FIXED).map(PublicKey::P384),
            ("EC", Some("P-521")) => self.point::<66>(&ECDSA_P521_SHA512_FIXED).map(PublicKey::P521),
            ("OKP", Some("Ed25519")) => self.edwards(),
            _ => Err(KeyProblem::Unsupported),
        }
    }

    fn rsa(&self) -> Result<PublicKey, KeyProblem> {
        rsa(decode("n", &self.n)?, decode("e", &self.e)?)
    }

    /// Rule A4: a point that lies on its curve.
    fn point<const LENGTH: usize>(
        &self,
        curve: &'static EcdsaVerificationAlgorithm,
    ) -> Result<ParsedPublicKey, KeyProblem> {
        let x: [u8; LENGTH] = coordinate("x", &self.x)?;
        let y: [u8; LENGTH] = coordinate("y", &self.y)?;
        // SEC 1, section 2.3.3: uncompressed.
        let point = [&[4], x.as_slice(), y.as_slice()].concat();
        ParsedPublicKey::new(curve, point).map_err(|_| KeyProblem::InvalidPoint)
    }

    fn edwards(&self) -> Result<PublicKey, KeyProblem> {
        let x = coordinate("x", &self.x)?;
        if !edwards::is_key(&x) {
            return Err(KeyProblem::InvalidPoint);
        }
        ParsedPublicKey::new(&ED25519, x).map(PublicKey::Ed25519).map_err(|_| KeyProblem::InvalidPoint)
    }
}

/// A full-length octet string (RFC 7518, section 6.2.1.2; RFC 8037, section 2).
fn coordinate<const LENGTH: usize>(
    name: &'static str,
    value: &Option<String>,
) -> Result<[u8; LENGTH], KeyProblem> {
    decode(name, value)?.try_into().map_err(|_| KeyProblem::InvalidMember(name))
}

/// Rule A4: an odd modulus of 2048 to 8192 bits, and an odd exponent from 3 up, of four bytes at
/// the most.
pub(super) fn rsa(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<PublicKey, KeyProblem> {
    // The library below refuses the leading zeros that some key sets carry.
    let modulus = integer("n", modulus)?;
    let exponent = integer("e", exponent)?;
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    let key = RsaKey::new(modulus, exponent);
    if !(2048..=8192).contains(&key.bits()) || !is_odd(key.modulus()) {
        return Err(KeyProblem::InvalidMember("n"));
    }
    if !is_odd(key.exponent()) || key.exponent().len() > 4 || key.exponent() == [1] {
        return Err(KeyProblem::InvalidMember("e"));
    }
    Ok(PublicKey::Rsa(key))
}

/// A positive integer without its leading zeros.
fn integer(name: &'static str, number: Vec<u8>) -> Result<Vec<u8>, KeyProblem> {
    let bytes: Vec<u8> = number.into_iter().skip_while(|byte| *byte == 0).collect();
    if bytes.is_empty() { Err(KeyProblem::InvalidMember(name)) } else { Ok(bytes) }
}

fn decode(name: &'static str, value: &Option<String>) -> Result<Vec<u8>, KeyProblem> {
    let text = value.as_deref().unwrap_or_default();
    URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyProblem::InvalidMember(name))
}
