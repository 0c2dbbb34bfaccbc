//! The form of a token: a compact JWS (RFC 7515, section 7.1) whose payload is a claims set.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use memchr::memchr_iter;
use serde_json::Value;

use super::json::{self, JsonProblem, Members};
use crate::claims::Claims;
use crate::error::Reason;
use crate::jwks::Algorithm;

/// A token whose form holds. Nothing of it is verified.
pub(super) struct Token<'a> {
    /// What was signed: the first two parts as they came (rule A6).
    message: &'a str,
    signature: Vec<u8>,
    header: Header,
    claims: Claims,
}

/// The header parameters that are used (RFC 7515, section 4.1). `jku`, `x5u` and `x5c` are not, and `jwk` in DPoP proofs
/// alone: a token does not bring its own key (rule A8).
struct Header {
    /// `None` when it is none of ours.
    algorithm: Option<Algorithm>,
    key_id: Option<String>,
    media_type: Option<String>,
    /// `jwk`, which only a DPoP proof may bring.
    own_key: Option<Value>,
}

/// API Gateway takes 10,240 bytes of headers, and as much again of a URL.
pub(super) const LONGEST_TOKEN: usize = 16 * 1024;

impl<'a> Token<'a> {
    /// Takes the token apart. Its size is bounded before anything is decoded (rule F4).
    pub(super) fn parse(text: &'a str) -> Result<Self, Reason> {
        if text.len() > LONGEST_TOKEN {
            return Err(Reason::TokenTooLarge { limit: LONGEST_TOKEN });
        }
        let (message, header, payload, signature) = parts(text)?;
        // One buffer for all three: what remains in it is the signature.
        let mut buffer = Vec::with_capacity(payload.len());
        let header = object(header, &mut buffer, &HEADER, Header::read)??;
        let claims = object(payload, &mut buffer, &CLAIMS, Claims::from_members)?;
        decode(signature, &mut buffer, "the signature is not base64url")?;
        Ok(Self { message, signature: buffer, header, claims })
    }

    pub(super) fn message(&self) -> &[u8] {
        self.message.as_bytes()
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The algorithm that the header names, if it is one of ours.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        self.header.algorithm
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.key_id.as_deref()
    }

    /// `typ`, in lower case and without the `application/` that may be left out (RFC 7515, section
    /// 4.1.9).
    pub(super) fn media_type(&self) -> Option<&str> {
        self.header.media_type.as_deref()
    }

    /// Takes out the key that a DPoP proof brings. What it signs proves that its holder made this proof, and nothing else.
    pub(super) fn take_own_key(&mut self) -> Option<Value> {
        self.header.own_key.take()
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

/// Header and claims of whatever text, each as far as it is JSON: for a person to look at, and for nothing else.
pub(super) fn readable(text: &str) -> [Option<Value>; 2] {
    let mut parts = text.get(..LONGEST_TOKEN).unwrap_or(text).split('.');
    let mut part = || {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object)
    };
    [part(), part()]
}

impl Header {
    /// What changes the meaning of the token is refused where it stands, whatever its value: a
    /// parameter that is `null` is there (rule A7).
    fn read(mut parameters: Members<'_>) -> Result<Self, Reason> {
        for (name, reason) in [
            ("enc", Reason::TokenEncrypted),
            ("zip", Reason::TokenCompressed),
            ("b64", Reason::PayloadUnencoded),
            ("crit", Reason::CriticalHeaderUnsupported),
        ] {
            if parameters.iter().any(|(own, _)| own == name) {
                return Err(reason);
            }
        }
        let content = text(&mut parameters, "cty", "`cty` is not a string")?;
        if content.is_some_and(|content| media_type(content) == "jwt") {
            return Err(Reason::TokenNested);
        }
        let algorithm = text(&mut parameters, "alg", "`alg` is not a string")?;
        Ok(Self {
            algorithm: algorithm.ok_or(malformed("the header has no `alg`"))?.parse().ok(),
            key_id: text(&mut parameters, "kid", "`kid` is not a string")?,
            media_type: text(&mut parameters, "typ", "`typ` is not a string")?.map(media_type),
            own_key: parameters.into_iter().find(|(name, _)| name == "jwk").map(|(_, key)| key),
        })
    }
}

/// Header and claims are told apart in the reasons, and nowhere else.
struct Part {
    not_base64: &'static str,
    not_utf8: &'static str,
    not_an_object: &'static str,
    member_twice: &'static str,
    too_deep: &'static str,
}

const HEADER: Part = Part {
    not_base64: "the header is not base64url",
    not_utf8: "the header is not UTF-8",
    not_an_object: "the header is not a JSON object",
    member_twice: "the header holds a member twice",
    too_deep: "the header is nested too deeply",
};

const CLAIMS: Part = Part {
    not_base64: "the claims are not base64url",
    not_utf8: "the claims are not UTF-8",
    not_an_object: "the claims are not a JSON object",
    member_twice: "the claims hold a member twice",
    too_deep: "the claims are nested too deeply",
};

/// Rule F1: the signed text, header, payload and signature.
fn parts(text: &str) -> Result<(&str, &str, &str, &str), Reason> {
    const THREE_PARTS: Reason = malformed("it has not three parts");
    let mut dots = memchr_iter(b'.', text.as_bytes());
    let (Some(first), Some(second)) = (dots.next(), dots.next()) else { return Err(THREE_PARTS) };
    match dots.count() {
        0 => {}
        2 => return Err(Reason::TokenEncrypted),
        _ => return Err(THREE_PARTS),
    }
    let parts = (text.get(..second), text.get(..first), text.get(first + 1..second), text.get(second + 1..));
    let (Some(message), Some(header), Some(payload), Some(signature)) = parts else {
        return Err(THREE_PARTS);
    };
    if header.is_empty() || payload.is_empty() {
        return Err(THREE_PARTS);
    }
    if signature.is_empty() {
        return Err(Reason::TokenUnsigned);
    }
    Ok((message, header, payload, signature))
}

/// Rule F2: canonical, without padding. The buffer holds the part, and nothing else.
fn decode(part: &str, buffer: &mut Vec<u8>, not_base64: &'static str) -> Result<(), Reason> {
    buffer.clear();
    URL_SAFE_NO_PAD.decode_vec(part, buffer).map_err(|_| malformed(not_base64))
}

/// Rule F3. What is made of the members may keep none of the text.
fn object<T>(
    encoded: &str,
    buffer: &mut Vec<u8>,
    part: &Part,
    then: impl FnOnce(Members<'_>) -> T,
) -> Result<T, Reason> {
    decode(encoded, buffer, part.not_base64)?;
    let text = str::from_utf8(buffer).map_err(|_| malformed(part.not_utf8))?;
    json::object(text).map(then).map_err(|problem| {
        malformed(match problem {
            JsonProblem::NotAnObject => part.not_an_object,
            JsonProblem::MemberTwice => part.member_twice,
            JsonProblem::TooDeep => part.too_deep,
        })
    })
}

/// Takes out a parameter that must be a string where it is there.
fn text(parameters: &mut Members<'_>, name: &str, problem: &'static str) -> Result<Option<String>, Reason> {
    let value = parameters.iter_mut().find(|(own, _)| own == name).map(|(_, value)| value.take());
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(malformed(problem)),
    }
}

fn media_type(mut text: String) -> String {
    text.make_ascii_lowercase();
    text.strip_prefix("application/").map(str::to_owned).unwrap_or(text)
}

const fn malformed(problem: &'static str) -> Reason {
    Reason::TokenMalformed { problem }
}
