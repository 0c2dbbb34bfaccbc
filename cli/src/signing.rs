//! Development keys: key pairs made on the spot, in every algorithm that the function can verify.
//!
//! ```
//! use authorizer_cli::signing::{Algorithm, SigningKey};
//! use serde_json::json;
//!
//! let key = SigningKey::generate(Algorithm::ES256, "key-1")?;
//! let token = key.token(&json!({"sub": "user-7f1c"}))?;
//! assert_eq!(token.split('.').count(), 3);
//! assert_eq!(key.public_jwk()["crv"], "P-256");
//! # Ok::<(), authorizer_cli::signing::SigningError>(())
//! ```

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaEncoding, RsaKeyPair,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
pub use lambda_authorizer::jwks::Algorithm;
use lambda_authorizer::jwks::thumbprint;
use serde_json::{Value, json};

/// A private key, and the public JWK that belongs to it.
pub struct SigningKey {
    algorithm: Algorithm,
    kid: String,
    pair: Pair,
}

impl SigningKey {
    /// Makes a new key pair; RSA keys have 2048 bits.
    pub fn generate(algorithm: Algorithm, kid: impl Into<String>) -> Result<Self, SigningError> {
        let pair: Result<Pair, Unspecified> = match Kind::of(algorithm) {
            Kind::Rsa(encoding) => {
                RsaKeyPair::generate(KeySize::Rsa2048).map(|pair| Pair::Rsa(pair, encoding))
            }
            Kind::Ec(curve, parameters) => {
                EcdsaKeyPair::generate(parameters).map(|pair| Pair::Ec(curve, pair))
            }
            Kind::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
        };
        Ok(Self { algorithm, kid: kid.into(), pair: pair? })
    }

    /// A key pair from PKCS #8 (RFC 5958), to sign with this algorithm, or with the usual one of its type.
    pub fn from_pkcs8(
        der: &[u8],
        algorithm: Option<Algorithm>,
        kid: impl Into<String>,
    ) -> Result<Self, SigningError> {
        const USUAL: [Algorithm; 5] =
            [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::ES512, Algorithm::EdDSA];
        let candidates = algorithm.as_ref().map_or(USUAL.as_slice(), std::slice::from_ref);
        let read = |algorithm: &Algorithm| {
            let pair = match Kind::of(*algorithm) {
                Kind::Rsa(encoding) => RsaKeyPair::from_pkcs8(der).ok().map(|pair| Pair::Rsa(pair, encoding)),
                Kind::Ec(curve, parameters) => {
                    EcdsaKeyPair::from_pkcs8(parameters, der).ok().map(|pair| Pair::Ec(curve, pair))
                }
                Kind::Ed25519 => Ed25519KeyPair::from_pkcs8(der).ok().map(Pair::Ed25519),
            };
            pair.map(|pair| (*algorithm, pair))
        };
        let (algorithm, pair) = candidates.iter().find_map(read).ok_or(SigningError(()))?;
        Ok(Self { algorithm, kid: kid.into(), pair })
    }

    /// Both halves as PKCS #8: this is the secret.
    pub fn to_pkcs8(&self) -> Result<Vec<u8>, SigningError> {
        match &self.pair {
            Pair::Rsa(pair, _) => Ok(AsDer::<Pkcs8V1Der<'_>>::as_der(pair)?.as_ref().to_vec()),
            Pair::Ec(_, pair) => Ok(pair.to_pkcs8v1()?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.to_pkcs8()?.as_ref().to_vec()),
        }
    }

    /// The same key under the name that follows from its public half (RFC 7638).
    #[must_use]
    pub fn named_by_thumbprint(self) -> Self {
        Self { kid: self.thumbprint(), ..self }
    }

    /// The thumbprint of its public half (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.public_jwk().as_object().and_then(thumbprint).unwrap_or_default()
    }

    /// A DPoP proof (RFC 9449, section 4.2) for a request with this token: a claim of `changes` takes the place of the usual one, and
    /// `null` takes it away.
    pub fn dpop_proof(
        &self,
        method: &str,
        url: &str,
        token: &str,
        changes: &Value,
    ) -> Result<String, SigningError> {
        let header = json!({"typ": "dpop+jwt", "alg": self.algorithm.name(), "jwk": self.public_jwk()});
        let digest = encode(digest(&SHA256, token.as_bytes()).as_ref());
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id)?;
        let mut claims = json!({"jti": encode(&id), "htm": method, "htu": url, "iat": crate::issuer::unix_time(), "ath": digest});
        if let (Value::Object(claims), Value::Object(changes)) = (&mut claims, changes) {
            claims.extend(changes.clone());
            claims.retain(|_, value| !value.is_null());
        }
        self.sign(&header, &claims)
    }

    /// The algorithm that this key signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key ID, in the JWK and in [`SigningKey::header`].
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half as a JWK: `kty`, its parameters, `kid`, `alg` and `use`.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair, _) => {
                let public = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": encode(public.modulus().big_endian_without_leading_zero()),
                    "e": encode(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Pair::Ec(curve, pair) => {
                // The uncompressed point of SEC 1: a 4, then x and y at the full length of the field.
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
            }
            Pair::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())})
            }
        };
        if let Value::Object(members) = &mut jwk {
            members.insert("kid".into(), self.kid.clone().into());
            members.insert("alg".into(), self.algorithm.name().into());
            members.insert("use".into(), "sig".into());
        }
        jwk
    }

    /// The header of an ordinary token of this key: `alg`, `kid`, `typ`.
    #[must_use]
    pub fn header(&self) -> Value {
        json!({"alg": self.algorithm.name(), "kid": self.kid, "typ": "JWT"})
    }

    /// An ordinary token with these claims.
    pub fn token(&self, claims: &Value) -> Result<String, SigningError> {
        self.sign(&self.header(), claims)
    }

    /// A token with this header and these claims exactly, however odd they are.
    pub fn sign(&self, header: &Value, claims: &Value) -> Result<String, SigningError> {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// As [`SigningKey::sign`], for what no JSON value can express: duplicate members, no JSON at all.
    pub fn sign_text(&self, header: &str, payload: &str) -> Result<String, SigningError> {
        let input = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
        let signature = self.signature(input.as_bytes())?;
        Ok(format!("{input}.{}", encode(&signature)))
    }

    /// The signature of any bytes, in the form that JWS uses.
    pub fn signature(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)?;
                Ok(signature)
            }
            Pair::Ec(_, pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

/// Shows what the key is called, never the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {})", self.algorithm.name(), self.kid)
    }
}

/// The JWK set of these keys.
pub fn key_set<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> Value {
    json!({"keys": keys.into_iter().map(SigningKey::public_jwk).collect::<Vec<_>>()})
}

/// Verifies with nothing but the token and the JWK, as a stranger would.
///
/// # Errors
///
/// The token's signature is not that of this key, or it is no key for this algorithm.
pub fn verify(token: &str, jwk: &Value, algorithm: Algorithm) -> Result<(), SigningError> {
    let (input, signature) = token.rsplit_once('.').ok_or(SigningError(()))?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| SigningError(()));
    let (message, signature) = (input.as_bytes(), decode(signature)?);
    let member = |name: &str| decode(jwk.get(name).and_then(Value::as_str).ok_or(SigningError(()))?);
    let plain = |algorithm: &'static dyn VerificationAlgorithm, key: Vec<u8>| {
        UnparsedPublicKey::new(algorithm, key).verify(message, &signature)
    };
    let rsa = |parameters: &'static RsaParameters| -> Result<(), SigningError> {
        let key = RsaPublicKeyComponents { n: member("n")?, e: member("e")? };
        Ok(key.verify(parameters, message, &signature)?)
    };
    let point = || -> Result<_, SigningError> { Ok([vec![4], member("x")?, member("y")?].concat()) };
    match algorithm {
        Algorithm::RS256 => rsa(&signature::RSA_PKCS1_2048_8192_SHA256)?,
        Algorithm::RS384 => rsa(&signature::RSA_PKCS1_2048_8192_SHA384)?,
        Algorithm::RS512 => rsa(&signature::RSA_PKCS1_2048_8192_SHA512)?,
        Algorithm::PS256 => rsa(&signature::RSA_PSS_2048_8192_SHA256)?,
        Algorithm::PS384 => rsa(&signature::RSA_PSS_2048_8192_SHA384)?,
        Algorithm::PS512 => rsa(&signature::RSA_PSS_2048_8192_SHA512)?,
        Algorithm::ES256 => plain(&signature::ECDSA_P256_SHA256_FIXED, point()?)?,
        Algorithm::ES384 => plain(&signature::ECDSA_P384_SHA384_FIXED, point()?)?,
        Algorithm::ES512 => plain(&signature::ECDSA_P521_SHA512_FIXED, point()?)?,
        Algorithm::EdDSA | Algorithm::Ed25519 => plain(&signature::ED25519, member("x")?)?,
    }
    Ok(())
}

/// The signature library refused to make a key or a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningError(());

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature library could not make the key or the signature")
    }
}

impl std::error::Error for SigningError {}

impl From<Unspecified> for SigningError {
    fn from(_: Unspecified) -> Self {
        Self(())
    }
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(&'static str, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// What an algorithm signs with.
enum Kind {
    Rsa(&'static dyn RsaEncoding),
    Ec(&'static str, &'static EcdsaSigningAlgorithm),
    Ed25519,
}

impl Kind {
    fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::RS256 => Self::Rsa(&signature::RSA_PKCS1_SHA256),
            Algorithm::RS384 => Self::Rsa(&signature::RSA_PKCS1_SHA384),
            Algorithm::RS512 => Self::Rsa(&signature::RSA_PKCS1_SHA512),
            Algorithm::PS256 => Self::Rsa(&signature::RSA_PSS_SHA256),
            Algorithm::PS384 => Self::Rsa(&signature::RSA_PSS_SHA384),
            Algorithm::PS512 => Self::Rsa(&signature::RSA_PSS_SHA512),
            Algorithm::ES256 => Self::Ec("P-256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::ES384 => Self::Ec("P-384", &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::ES512 => Self::Ec("P-521", &signature::ECDSA_P521_SHA512_FIXED_SIGNING),
            Algorithm::EdDSA | Algorithm::Ed25519 => Self::Ed25519,
        }
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    fn decode(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn verify(token: &str, jwk: &Value) -> Result<(), SigningError> {
        let algorithm = Algorithm::from_str(jwk["alg"].as_str().unwrap()).unwrap();
        super::verify(token, jwk, algorithm)
    }

    #[test]
    fn every_algorithm_signs_what_its_jwk_verifies() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::generate(algorithm, "k").unwrap();
            let token = key.token(&json!({"sub": "user"})).unwrap();
            verify(&token, &key.public_jwk()).unwrap_or_else(|_| panic!("{}", algorithm.name()));
        }
    }

    #[test]
    fn another_key_of_the_same_name_does_not_verify() {
        for algorithm in [Algorithm::PS256, Algorithm::ES512, Algorithm::Ed25519] {
            let [ours, theirs] = [(); 2].map(|()| SigningKey::generate(algorithm, "k").unwrap());
            let token = theirs.token(&json!({})).unwrap();
            assert!(verify(&token, &ours.public_jwk()).is_err());
        }
    }

    #[test]
    fn header_and_payload_are_signed_as_they_are_given() {
        let key = SigningKey::generate(Algorithm::ES256, "k").unwrap();
        let token = key.sign_text(r#"{"alg":"ES256","alg":"none"}"#, "not json").unwrap();
        let parts: Vec<_> = token.split('.').collect();
        assert_eq!(decode(parts[0]), br#"{"alg":"ES256","alg":"none"}"#);
        assert_eq!(decode(parts[1]), b"not json");
        verify(&token, &key.public_jwk()).unwrap();
    }

    #[test]
    fn a_jwk_holds_nothing_private() {
        for algorithm in Algorithm::ALL {
            let jwk = SigningKey::generate(algorithm, "k").unwrap().public_jwk();
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(jwk.get(private).is_none(), "{} has `{private}`", algorithm.name());
            }
        }
    }

    #[test]
    fn a_key_is_the_same_after_it_was_written_and_read() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::generate(algorithm, "k").unwrap().named_by_thumbprint();
            let der = key.to_pkcs8().unwrap();
            let read = SigningKey::from_pkcs8(&der, Some(algorithm), "k").unwrap().named_by_thumbprint();
            assert_eq!(read.public_jwk(), key.public_jwk(), "{}", algorithm.name());
            let usual = SigningKey::from_pkcs8(&der, None, "k").unwrap();
            assert_eq!(usual.public_jwk().get("kty"), key.public_jwk().get("kty"));
        }
        let der = SigningKey::generate(Algorithm::ES256, "k").unwrap().to_pkcs8().unwrap();
        assert!(SigningKey::from_pkcs8(&der, Some(Algorithm::ES384), "k").is_err());
        assert!(SigningKey::from_pkcs8(&der, Some(Algorithm::RS256), "k").is_err());
        assert!(SigningKey::from_pkcs8(b"no key", None, "k").is_err());
    }

    #[test]
    fn debug_shows_the_name_only() {
        let key = SigningKey::generate(Algorithm::ES256, "key-1").unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey(ES256, key-1)");
    }
}
