//! One public key: a JWK (RFC 7517, section 4) that fits a signature algorithm.

use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;

use super::Algorithm;

/// A key that may verify signatures.
#[derive(Clone)]
pub struct Key {
    id: Option<String>,
    /// The key's own `alg`, where it has one.
    algorithm: Option<Algorithm>,
    public: PublicKey,
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
        Ok(Self { id: jwk.kid, algorithm, public, material })
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
            ("EC", Some("P-256")) => Ok(PublicKey::P256(self.elliptic(32)?)),
            ("EC", Some("P-384")) => Ok(PublicKey::P384(self.elliptic(48)?)),
            ("EC", Some("P-521")) => self.p521(),
            ("OKP", Some("Ed25519")) => {
                let [x] = coordinates(32, [("x", &self.x)])?;
                DecodingKey::from_ed_components(&encode(&x))
                    .map(PublicKey::Ed25519)
                    .map_err(|_| KeyProblem::InvalidMember("x"))
            }
            _ => Err(KeyProblem::Unsupported),
        }
    }

    /// Rule A4: 2048 to 8192 bits, and an odd exponent from 3 up, of four bytes at the most.
    fn rsa(&self) -> Result<PublicKey, KeyProblem> {
        // The library below refuses the leading zeros that some key sets carry.
        let modulus = integer("n", &self.n)?;
        let exponent = integer("e", &self.e)?;
        let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
        if !(2048..=8192).contains(&bits) {
            return Err(KeyProblem::InvalidMember("n"));
        }
        let is_odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
        if !is_odd || exponent.len() > 4 || exponent.as_slice() == [1] {
            return Err(KeyProblem::InvalidMember("e"));
        }
        Ok(PublicKey::Rsa(DecodingKey::from_rsa_raw_components(&modulus, &exponent)))
    }

    fn elliptic(&self, length: usize) -> Result<DecodingKey, KeyProblem> {
        let [x, y] = coordinates(length, [("x", &self.x), ("y", &self.y)])?;
        DecodingKey::from_ec_components(&encode(&x), &encode(&y)).map_err(|_| KeyProblem::InvalidMember("x"))
    }

    fn p521(&self) -> Result<PublicKey, KeyProblem> {
        let [x, y] = coordinates(66, [("x", &self.x), ("y", &self.y)])?;
        // Uncompressed (SEC 1, section 2.3.3).
        Ok(PublicKey::P521([vec![4], x, y].concat()))
    }
}

type Member<'a> = (&'static str, &'a Option<String>);

/// Full-length octet strings (RFC 7518, section 6.2.1.2; RFC 8037, section 2).
fn coordinates<const N: usize>(length: usize, members: [Member<'_>; N]) -> Result<[Vec<u8>; N], KeyProblem> {
    let mut decoded = [const { Vec::new() }; N];
    for (slot, (name, value)) in decoded.iter_mut().zip(members) {
        *slot = decode(name, value)?;
        if slot.len() != length {
            return Err(KeyProblem::InvalidMember(name));
        }
    }
    Ok(decoded)
}

/// A positive integer without its leading zeros.
fn integer(name: &'static str, value: &Option<String>) -> Result<Vec<u8>, KeyProblem> {
    let bytes: Vec<u8> = decode(name, value)?.into_iter().skip_while(|byte| *byte == 0).collect();
    if bytes.is_empty() { Err(KeyProblem::InvalidMember(name)) } else { Ok(bytes) }
}

fn decode(name: &'static str, value: &Option<String>) -> Result<Vec<u8>, KeyProblem> {
    let text = value.as_deref().unwrap_or_default();
    URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyProblem::InvalidMember(name))
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
