//! [`ClientKey`]: the private key with which the function proves to an authorization server which client it is.

use std::fmt;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::jwks::Algorithm;

/// A private key, and the algorithm with which it signs.
pub struct ClientKey {
    id: Option<String>,
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Why a text is no [`ClientKey`]. Quotes nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientKeyError {
    /// Neither form of a private key, or one of another kind.
    #[error("it holds no private key that can be used: RSA of 2048 bits and more, P-256 or Ed25519")]
    NotAKey,
    /// The key's own, or the configured one.
    #[error("its algorithm is not one that this key signs with: RS256 or PS256, ES256, EdDSA")]
    AlgorithmMismatch,
}

/// The members of a private JWK (RFC 7518, section 6; RFC 8037, section 2) that are used.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<String>,
    n: Option<String>,
    e: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
}

impl ClientKey {
    /// Reads a key: PKCS #8 in PEM form, not encrypted, or a JWK. `algorithm` and `id` take the place of the JWK's own; without
    /// either, the algorithm is the usual one of the key's kind, and the signature names no key.
    ///
    /// # Errors
    ///
    /// Why there is no such key.
    pub fn parse(
        text: &[u8],
        algorithm: Option<Algorithm>,
        id: Option<String>,
    ) -> Result<Self, ClientKeyError> {
        let is_json = text.trim_ascii_start().first() == Some(&b'{');
        let (pair, own_algorithm, own_id) = if is_json {
            let jwk: Jwk = serde_json::from_slice(text).map_err(|_| ClientKeyError::NotAKey)?;
            let own = jwk.alg.as_deref().map(str::parse::<Algorithm>).transpose();
            let own = own.map_err(|_| ClientKeyError::AlgorithmMismatch)?;
            (jwk.pair().ok_or(ClientKeyError::NotAKey)?, own, jwk.kid)
        } else {
            (Pair::from_pem(text).ok_or(ClientKeyError::NotAKey)?, None, None)
        };
        let algorithm = algorithm.or(own_algorithm).unwrap_or(pair.usual());
        match pair.signs(algorithm) {
            true => Ok(Self { id: id.or(own_id), algorithm, pair }),
            false => Err(ClientKeyError::AlgorithmMismatch),
        }
    }

    /// A JWT with these claims.
    pub(super) fn jwt(&self, claims: &Value) -> Result<String, Unspecified> {
        let mut header = json!({"alg": self.algorithm.name(), "typ": "JWT"});
        if let (Value::Object(members), Some(id)) = (&mut header, &self.id) {
            members.insert("kid".to_owned(), id.clone().into());
        }
        let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encoded(&header), encoded(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.signature(message.as_bytes())?);
        Ok(format!("{message}.{signature}"))
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding: &dyn RsaEncoding =
                    if self.algorithm == Algorithm::PS256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature)?;
                Ok(signature)
            }
            Pair::P256(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

/// Shows how it signs, never the key.
impl fmt::Debug for ClientKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ClientKey({})", self.algorithm.name())
    }
}

impl Pair {
    fn from_pem(text: &[u8]) -> Option<Self> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(text).ok()?;
        let der = der.secret_pkcs8_der();
        let rsa = || RsaKeyPair::from_pkcs8(der).ok().map(Self::Rsa);
        let p256 = || EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok().map(Self::P256);
        let ed25519 = || Ed25519KeyPair::from_pkcs8(der).ok().map(Self::Ed25519);
        ed25519().or_else(p256).or_else(rsa)
    }

    fn usual(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::RS256,
            Self::P256(_) => Algorithm::ES256,
            Self::Ed25519(_) => Algorithm::EdDSA,
        }
    }

    fn signs(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa(_) => matches!(algorithm, Algorithm::RS256 | Algorithm::PS256),
            Self::P256(_) => algorithm == Algorithm::ES256,
            Self::Ed25519(_) => matches!(algorithm, Algorithm::EdDSA | Algorithm::Ed25519),
        }
    }
}

impl Jwk {
    fn pair(&self) -> Option<Pair> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", None) => {
                let [n, e] = [&self.n, &self.e].map(number);
                let components = KeyPairComponents {
                    public_key: PublicKeyComponents { n: n?, e: e? },
                    d: number(&self.d)?,
                    p: number(&self.p)?,
                    q: number(&self.q)?,
                    dP: number(&self.dp)?,
                    dQ: number(&self.dq)?,
                    qInv: number(&self.qi)?,
                };
                RsaKeyPair::from_components(&components).ok().map(Pair::Rsa)
            }
            ("EC", Some("P-256")) => {
                let point = [vec![4], bytes(&self.x)?, bytes(&self.y)?].concat();
                let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, &bytes(&self.d)?, &point);
                pair.ok().map(Pair::P256)
            }
            ("OKP", Some("Ed25519")) => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(&bytes(&self.d)?, &bytes(&self.x)?);
                pair.ok().map(Pair::Ed25519)
            }
            _ => None,
        }
    }
}

fn bytes(member: &Option<String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(member.as_ref()?).ok()
}

/// Without the zeros at its start, which some libraries write.
fn number(member: &Option<String>) -> Option<Vec<u8>> {
    bytes(member).map(|bytes| bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}
