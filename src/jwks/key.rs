//! One public key: a JWK (RFC 7517, section 4) that fits a signature algorithm.

use std::str::FromStr as _;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, EcdsaVerificationAlgorithm,
    ParsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;

use super::{Algorithm, edwards};

/// A key that may verify signatures.
#[derive(Clone)]
pub struct Key {
    id: Option<String>,
    /// The key's own `alg`, where it has one.
    algorithm: Option<Algorithm>,
    public: PublicKey,
    bits: usize,
    /// The numbers of the key, by which two members of a set are known to be one key.
    material: Vec<u8>,
}

/// The key itself, by its type and curve.
#[derive(Clone)]
pub enum PublicKey {
    /// RSA, 2048 to 8192 bits.
    Rsa(DecodingKey),
    /// An elliptic curve point on P-256.
    P256(DecodingKey),
    /// An elliptic curve point on P-384.
    P384(DecodingKey),
    /// An elliptic curve point on P-521, uncompressed.
    P521(Vec<u8>),
    /// An Ed25519 key.
    Ed25519(DecodingKey),
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
        let bits = match &public {
            PublicKey::Rsa(_) => bits(&integer("n", &jwk.n)?),
            PublicKey::P256(_) | PublicKey::Ed25519(_) => 256,
            PublicKey::P384(_) => 384,
            PublicKey::P521(_) => 521,
        };
        let material = jwk.material();
        Ok(Self { id: jwk.kid, algorithm, public, bits, material })
    }

    /// `kid`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The key itself.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Its size: of an RSA key the bits of its modulus, otherwise those of its curve.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// Whether the other is this very key, listed once more.
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        self.material == other.material
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

    fn material(&self) -> Vec<u8> {
        let members = [
            Some(&self.kty),
            self.crv.as_ref(),
            self.n.as_ref(),
            self.e.as_ref(),
            self.x.as_ref(),
            self.y.as_ref(),
        ];
        members.map(|member| member.map_or("", String::as_str)).join(" ").into_bytes()
    }

    fn public_key(&self) -> Result<PublicKey, KeyProblem> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => self.rsa(),
            ("EC", Some("P-256")) => {
                let [x, y] = self.point::<32>(&ECDSA_P256_SHA256_FIXED)?;
                elliptic(&x, &y).map(PublicKey::P256)
            }
            ("EC", Some("P-384")) => {
                let [x, y] = self.point::<48>(&ECDSA_P384_SHA384_FIXED)?;
                elliptic(&x, &y).map(PublicKey::P384)
            }
            ("EC", Some("P-521")) => {
                self.point::<66>(&ECDSA_P521_SHA512_FIXED).map(|[x, y]| PublicKey::P521(uncompressed(&x, &y)))
            }
            ("OKP", Some("Ed25519")) => self.edwards(),
            _ => Err(KeyProblem::Unsupported),
        }
    }

    /// Rule A4: an odd modulus of 2048 to 8192 bits, and an odd exponent from 3 up, of four bytes at
    /// the most.
    fn rsa(&self) -> Result<PublicKey, KeyProblem> {
        // The library below refuses the leading zeros that some key sets carry.
        let modulus = integer("n", &self.n)?;
        let exponent = integer("e", &self.e)?;
        let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
        if !(2048..=8192).contains(&bits(&modulus)) || !is_odd(&modulus) {
            return Err(KeyProblem::InvalidMember("n"));
        }
        if !is_odd(&exponent) || exponent.len() > 4 || exponent == [1] {
            return Err(KeyProblem::InvalidMember("e"));
        }
        Ok(PublicKey::Rsa(DecodingKey::from_rsa_raw_components(&modulus, &exponent)))
    }

    /// Rule A4: a point that lies on its curve.
    fn point<const LENGTH: usize>(
        &self,
        curve: &'static EcdsaVerificationAlgorithm,
    ) -> Result<[[u8; LENGTH]; 2], KeyProblem> {
        let (x, y) = (coordinate("x", &self.x)?, coordinate("y", &self.y)?);
        match ParsedPublicKey::new(curve, uncompressed(&x, &y)) {
            Ok(_) => Ok([x, y]),
            Err(_) => Err(KeyProblem::InvalidPoint),
        }
    }

    fn edwards(&self) -> Result<PublicKey, KeyProblem> {
        let x = coordinate("x", &self.x)?;
        if !edwards::is_key(&x) {
            return Err(KeyProblem::InvalidPoint);
        }
        DecodingKey::from_ed_components(&encode(&x))
            .map(PublicKey::Ed25519)
            .map_err(|_| KeyProblem::InvalidMember("x"))
    }
}

fn elliptic(x: &[u8], y: &[u8]) -> Result<DecodingKey, KeyProblem> {
    DecodingKey::from_ec_components(&encode(x), &encode(y)).map_err(|_| KeyProblem::InvalidMember("x"))
}

/// SEC 1, section 2.3.3.
fn uncompressed(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

/// A full-length octet string (RFC 7518, section 6.2.1.2; RFC 8037, section 2).
fn coordinate<const LENGTH: usize>(
    name: &'static str,
    value: &Option<String>,
) -> Result<[u8; LENGTH], KeyProblem> {
    decode(name, value)?.try_into().map_err(|_| KeyProblem::InvalidMember(name))
}

/// A positive integer without its leading zeros.
fn integer(name: &'static str, value: &Option<String>) -> Result<Vec<u8>, KeyProblem> {
    let bytes: Vec<u8> = decode(name, value)?.into_iter().skip_while(|byte| *byte == 0).collect();
    if bytes.is_empty() { Err(KeyProblem::InvalidMember(name)) } else { Ok(bytes) }
}

fn bits(number: &[u8]) -> usize {
    number.len() * 8 - number.first().map_or(0, |byte| byte.leading_zeros() as usize)
}

fn decode(name: &'static str, value: &Option<String>) -> Result<Vec<u8>, KeyProblem> {
    let text = value.as_deref().unwrap_or_default();
    URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyProblem::InvalidMember(name))
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
