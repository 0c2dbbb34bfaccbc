//! The proofs with which clients ask for tokens that are bound to a key of theirs (RFC 9449, section 5).

use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_authorizer::jwks::thumbprint;
use serde_json::{Map, Value};
use url::Url;

use super::unix_time;
use crate::signing::{Algorithm, verify};

/// How old a proof may be, in seconds.
const LIFETIME: u64 = 300;

/// What no public key has.
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

/// The thumbprint of the key that has made this proof for a token of this endpoint.
///
/// # Errors
///
/// What is wrong with it, as an authorization server would tell the client.
pub(super) fn key_of(proof: &str, endpoint: &str) -> Result<String, &'static str> {
    let mut parts = proof.split('.').map(object);
    let header = parts.next().flatten().ok_or("the proof is no JWT")?;
    let claims = parts.next().flatten().ok_or("the proof is no JWT")?;
    if text(&header, "typ") != Some("dpop+jwt") {
        return Err("the proof's `typ` is not `dpop+jwt`");
    }
    let algorithm = text(&header, "alg").and_then(|name| Algorithm::from_str(name).ok());
    let algorithm = algorithm.ok_or("the proof's `alg` is none that there is")?;
    let jwk = header.get("jwk").and_then(Value::as_object).ok_or("the proof has no `jwk`")?;
    if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
        return Err("the proof's `jwk` holds a private key");
    }
    verify(proof, &Value::Object(jwk.clone()), algorithm)
        .map_err(|_| "the proof's signature is not that of its `jwk`")?;
    if text(&claims, "htm") != Some("POST") {
        return Err("the proof's `htm` is not `POST`");
    }
    let target = text(&claims, "htu").and_then(|url| Url::parse(url).ok());
    if target.is_none() || target != Url::parse(endpoint).ok() {
        return Err(
            "the proof's `htu` is not the URL of the token endpoint, as the discovery document has it",
        );
    }
    let issued_at = claims.get("iat").and_then(Value::as_u64).ok_or("the proof has no `iat`")?;
    if unix_time().abs_diff(issued_at) > LIFETIME {
        return Err("the proof's `iat` is not of now");
    }
    if text(&claims, "jti").is_none_or(str::is_empty) {
        return Err("the proof has no `jti`");
    }
    thumbprint(jwk).ok_or("the proof's `jwk` has no thumbprint")
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}
