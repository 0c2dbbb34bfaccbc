//! The form of a token: a compact JWS (RFC 7515, section 7.1) whose payload is a claims set.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::claims::Claims;
use crate::error::Reason;
use crate::jwks::Algorithm;

/// A token whose form holds. Nothing of it is verified.
pub(super) struct Token<'a> {
    /// What was signed: the first two parts as they came (rule A6).
    message: &'a str,
    signature: &'a str,
    header: Header,
    claims: Claims,
}

/// The header parameters that are used (RFC 7515, section 4.1). `jwk`, `jku`, `x5u` and `x5c` are
/// not: a token does not bring its own key (rule A8).
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "present")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    b64: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    zip: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    enc: Option<IgnoredAny>,
}

/// A parameter that is there is there, `null` included: `"crit": null` must not read as no `crit`.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// API Gateway takes 10,240 bytes of headers, and as much again of a URL.
const LONGEST_TOKEN: usize = 16 * 1024;

impl<'a> Token<'a> {
    /// Takes the token apart. Its size is bounded before anything is decoded (rule F4).
    pub(super) fn parse(text: &'a str) -> Result<Self, Reason> {
        if text.len() > LONGEST_TOKEN {
            return Err(malformed("it is longer than 16 KB"));
        }
        let (message, signature) = text.rsplit_once('.').ok_or(THREE_PARTS)?;
        let (header, payload) = message.split_once('.').ok_or(THREE_PARTS)?;
        if payload.contains('.') || [header, payload, signature].contains(&"") {
            return Err(THREE_PARTS);
        }
        let header = json_object(header, "the header is not base64url", "the header is not a JSON object")?;
        let header: Header = serde_json::from_str(&header).map_err(|_| {
            malformed("the header lacks `alg`, or a parameter has the wrong type or comes twice")
        })?;
        header.check_supported()?;
        let claims =
            json_object(payload, "the claims are not base64url", "the claims are not a JSON object")?;
        let claims =
            serde_json::from_str(&claims).map_err(|_| malformed("the claims are not a JSON object"))?;
        Ok(Self { message, signature, header, claims })
    }

    pub(super) fn message(&self) -> &[u8] {
        self.message.as_bytes()
    }

    pub(super) fn signature(&self) -> &str {
        self.signature
    }

    /// The algorithm that the header names, if it is one of ours.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        self.header.alg.parse().ok()
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The issuer that the token claims to have: it selects the keys, and proves nothing.
    pub(super) fn unverified_issuer(&self) -> Result<&str, Reason> {
        match self.claims.named("iss") {
            Some(Value::String(issuer)) => Ok(issuer),
            Some(_) => Err(Reason::ClaimInvalid { claim: "iss".into(), expected: "a string" }),
            None => Err(Reason::ClaimMissing { claim: "iss".into() }),
        }
    }

    /// The claims, which hold no more than the signature does.
    pub(super) fn into_claims(self) -> Claims {
        self.claims
    }
}

impl Header {
    /// What changes the meaning of the other parts is refused (rules A7 and C7).
    fn check_supported(&self) -> Result<(), Reason> {
        let refused = [("crit", &self.crit), ("b64", &self.b64), ("zip", &self.zip), ("enc", &self.enc)];
        if let Some((parameter, _)) = refused.into_iter().find(|(_, value)| value.is_some()) {
            return Err(Reason::HeaderUnsupported { parameter });
        }
        let media_type = self.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        match media_type.strip_prefix("application/").unwrap_or(&media_type) {
            "jwt" | "at+jwt" => Ok(()),
            _ => Err(Reason::HeaderUnsupported { parameter: "typ" }),
        }
    }
}

const THREE_PARTS: Reason = Reason::TokenMalformed { problem: "it has not three parts" };

fn malformed(problem: &'static str) -> Reason {
    Reason::TokenMalformed { problem }
}

/// Rules F2 and F3: canonical base64url without padding, and UTF-8 that starts as an object. (A
/// derived struct would also be read from an array.)
fn json_object(part: &str, not_base64: &'static str, not_an_object: &'static str) -> Result<String, Reason> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed(not_base64))?;
    String::from_utf8(bytes)
        .ok()
        .filter(|text| text.trim_ascii_start().starts_with('{'))
        .ok_or(malformed(not_an_object))
}
