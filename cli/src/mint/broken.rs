//! [`Broken`]: tokens that are to be refused, each for one reason.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_authorizer::error::Code;
use serde_json::{Map, Value, json};

use crate::Error;
use crate::issuer::unix_time;
use crate::signing::SigningKey;

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It ended an hour ago.
    Expired,
    /// It begins in an hour.
    NotYetValid,
    /// `exp` is missing.
    NoExpiry,
    /// One bit of the signature is another.
    Signature,
    /// Another key made the signature, under this one's name.
    WrongKey,
    /// It names a key that the issuer does not have.
    UnknownKey,
    /// `alg` is `none`, and there is no signature.
    AlgorithmNone,
    /// `alg` is `HS256`, with the public key for a secret.
    AlgorithmConfusion,
    /// It is of another issuer.
    WrongIssuer,
    /// It is meant for another API.
    WrongAudience,
    /// It has an ID token's `nonce`.
    IdToken,
    /// Its header has a `crit`.
    CriticalHeader,
    /// A claim is there twice.
    DuplicateClaim,
    /// Its claims are no JSON.
    Malformed,
}

impl Broken {
    /// Every one.
    pub const ALL: [Self; 14] = [
        Self::Expired,
        Self::NotYetValid,
        Self::NoExpiry,
        Self::Signature,
        Self::WrongKey,
        Self::UnknownKey,
        Self::AlgorithmNone,
        Self::AlgorithmConfusion,
        Self::WrongIssuer,
        Self::WrongAudience,
        Self::IdToken,
        Self::CriticalHeader,
        Self::DuplicateClaim,
        Self::Malformed,
    ];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::NoExpiry => "no_expiry",
            Self::Signature => "signature",
            Self::WrongKey => "wrong_key",
            Self::UnknownKey => "unknown_key",
            Self::AlgorithmNone => "algorithm_none",
            Self::AlgorithmConfusion => "algorithm_confusion",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::IdToken => "id_token",
            Self::CriticalHeader => "critical_header",
            Self::DuplicateClaim => "duplicate_claim",
            Self::Malformed => "malformed",
        }
    }

    /// The reason for which it is refused, by an issuer without a profile of its own.
    #[must_use]
    pub fn reason(self) -> Code {
        match self {
            Self::Expired => Code::TokenExpired,
            Self::NotYetValid => Code::TokenNotYetValid,
            Self::NoExpiry => Code::ClaimMissing,
            Self::Signature | Self::WrongKey => Code::SignatureInvalid,
            Self::UnknownKey => Code::KeyNotFound,
            Self::AlgorithmNone => Code::TokenUnsigned,
            Self::AlgorithmConfusion => Code::AlgorithmNotAllowed,
            Self::WrongIssuer => Code::IssuerUnknown,
            Self::WrongAudience => Code::AudienceMismatch,
            Self::IdToken => Code::TokenTypeUnexpected,
            Self::CriticalHeader => Code::CriticalHeaderUnsupported,
            Self::DuplicateClaim | Self::Malformed => Code::TokenMalformed,
        }
    }

    pub(super) fn token(self, key: &SigningKey, mut claims: Map<String, Value>) -> Result<String, Error> {
        let now = unix_time();
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        let another = || SigningKey::generate(key.algorithm(), key.kid());
        let mut header = key.header();
        match self {
            Self::Expired => {
                set("iat", json!(now.saturating_sub(7200)));
                set("exp", json!(now.saturating_sub(3600)));
            }
            Self::NotYetValid => {
                set("nbf", json!(now + 3600));
                set("exp", json!(now + 7200));
            }
            Self::NoExpiry => {
                claims.remove("exp");
            }
            Self::WrongIssuer => {
                set("iss", json!("https://another.development.invalid/"));
            }
            Self::WrongAudience => {
                set("aud", json!("another-api"));
            }
            Self::IdToken => {
                set("nonce", json!("n-0S6_WzA2Mj"));
            }
            Self::CriticalHeader => {
                if let Value::Object(members) = &mut header {
                    members.insert("crit".to_owned(), json!(["example"]));
                }
            }
            Self::Signature => return flipped(&key.token(&Value::Object(claims))?),
            Self::WrongKey => return Ok(another()?.token(&Value::Object(claims))?),
            Self::UnknownKey => return Ok(another()?.named_by_thumbprint().token(&Value::Object(claims))?),
            Self::AlgorithmNone => return Ok(unsigned("none", key, claims)),
            Self::AlgorithmConfusion => {
                let input = unsigned("HS256", key, claims);
                let input = input.trim_end_matches('.');
                let secret = hmac::Key::new(hmac::HMAC_SHA256, key.public_jwk().to_string().as_bytes());
                let signature = hmac::sign(&secret, input.as_bytes());
                return Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())));
            }
            Self::DuplicateClaim => {
                let text = Value::Object(claims).to_string();
                let text = text.replacen('{', "{\"sub\":\"somebody-else\",", 1);
                return Ok(key.sign_text(&header.to_string(), &text)?);
            }
            Self::Malformed => return Ok(key.sign_text(&header.to_string(), "not JSON")?),
        }
        Ok(key.sign(&header, &Value::Object(claims))?)
    }
}

/// The same, with another first bit in its signature.
fn flipped(token: &str) -> Result<String, Error> {
    let (input, signature) = token.rsplit_once('.').unwrap_or((token, ""));
    let mut bytes = URL_SAFE_NO_PAD.decode(signature)?;
    if let Some(first) = bytes.first_mut() {
        *first ^= 1;
    }
    Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Header and claims, and nothing behind the second dot.
fn unsigned(algorithm: &str, key: &SigningKey, claims: Map<String, Value>) -> String {
    let header = json!({"alg": algorithm, "kid": key.kid(), "typ": "JWT"});
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(header), part(Value::Object(claims)))
}
