//! What the fuzz targets share: an issuer whose only private key is known to everybody, a time that does
//! not pass, and no network. What a target does is a function of its input alone, so that every finding
//! can be repeated.

pub mod answer;
pub mod assertions;
pub mod expected;
pub mod json;
pub mod possession;
mod subject;

use std::sync::LazyLock;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_authorizer::jwks::{Algorithm, Key, KeySet};
use serde_json::json;

pub use subject::{Subject, at_once, verify, verify_as};

/// `iss` of a token that is accepted.
pub const ISSUER: &str = "https://issuer.fuzz.invalid/";

/// `aud` of a token that is accepted.
pub const AUDIENCE: &str = "orders-api";

/// The ID of the key that signs.
pub const KEY_ID: &str = "fuzz";

/// The time, in seconds since 1970.
pub const NOW: f64 = 1_800_000_000.0;

/// How far clocks may differ, in seconds.
pub const LEEWAY: f64 = 30.0;

/// The header of the accepted token.
pub const HEADER: &str = r#"{"alg":"EdDSA","kid":"fuzz","typ":"JWT"}"#;

/// The claims of the accepted token.
pub const CLAIMS: &str = concat!(
    r#"{"iss":"https://issuer.fuzz.invalid/","aud":"orders-api","sub":"user-7f1c","scope":"orders:read","#,
    r#""iat":1799999000,"exp":1800003600,"org":{"tenant_id":"tenant-42"}}"#
);

/// Stands for the accepted token in an input: a mutation of the token itself only breaks its signature.
pub const MARKER: &str = "$TOKEN";

/// The one token that is accepted.
pub static TOKEN: LazyLock<String> = LazyLock::new(|| sign(HEADER.as_bytes(), CLAIMS.as_bytes()));

// Ed25519 has no randomness in its signatures: the same input makes the same token in every run.
static KEY: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[42; 32]).expect("any seed is a private key"));

/// The JWK of the key that signs.
pub static JWK: LazyLock<String> = LazyLock::new(|| {
    let x = encode(KEY.public_key().as_ref());
    format!(r#"{{"kty":"OKP","crv":"Ed25519","use":"sig","kid":"{KEY_ID}","x":"{x}"}}"#)
});

/// The issuer's keys: the one that signs, and one of every other kind, whose private halves exist nowhere.
pub static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let others = include_str!("../../events/jwks.json");
    let document = others.replacen('[', &format!("[{},", *JWK), 1);
    KeySet::parse(document.as_bytes()).expect("a key set")
});

/// The token of these bytes, whatever they are.
pub fn sign(header: &[u8], claims: &[u8]) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = encode(KEY.sign(message.as_bytes()).as_ref());
    format!("{message}.{signature}")
}

/// Base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Tokens that claim to be signed by the key, with signatures that need no private key: those that hold
/// under a weak key, or in a verifier that forgets a check.
pub fn without_a_key(key: &Key) -> Vec<String> {
    let Some(algorithm) = Algorithm::ALL.into_iter().find(|algorithm| key.fits(*algorithm)) else {
        return Vec::new();
    };
    let mut header = json!({"alg": algorithm.name()});
    if let Some(id) = key.id() {
        header["kid"] = id.into();
    }
    let signatures: Vec<Vec<u8>> = match algorithm {
        // The neutral point, and 0: holds under a key of order 8 for every eighth message.
        Algorithm::EdDSA | Algorithm::Ed25519 => vec![[&[1][..], &[0; 63]].concat(); 12],
        // CVE-2022-21449.
        Algorithm::ES256 => vec![vec![0; 64]],
        Algorithm::ES384 => vec![vec![0; 96]],
        Algorithm::ES512 => vec![vec![0; 132]],
        Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 => vec![vec![0; 256], vec![1; 256]],
        Algorithm::PS256 | Algorithm::PS384 | Algorithm::PS512 => vec![vec![0; 256]],
    };
    let forge = |(number, signature): (usize, Vec<u8>)| {
        let claims = CLAIMS.replacen('{', &format!("{{\"jti\":\"{number}\","), 1);
        format!(
            "{}.{}.{}",
            encode(header.to_string().as_bytes()),
            encode(claims.as_bytes()),
            encode(&signature)
        )
    };
    signatures.into_iter().enumerate().map(forge).collect()
}
