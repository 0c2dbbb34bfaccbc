//! The token chooses how it is verified: confusion of algorithms, of keys and of secrets.

use authorizer_cli::issuer::KEYS_PATH;
use authorizer_cli::signing::{Algorithm, SigningKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::encodings::forms;
use crate::forgery::{header, parts, with_header};
use crate::{are_refused, function_with};

const HMACS: [(&str, hmac::Algorithm); 3] =
    [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)];

/// A token with an HMAC under this secret, which names this key.
fn hmac_token(algorithm: usize, secret: &[u8], kid: &str, claims: &Value) -> String {
    let (name, algorithm) = HMACS[algorithm];
    let header = json!({"alg": name, "kid": kid, "typ": "JWT"}).to_string();
    let message =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// Rule A1. The public key is known to everybody; whoever takes it for a secret lets everybody sign.
///
/// CVE-2015-9235 and CVE-2016-10555 (the first of them), CVE-2016-5431, CVE-2022-23541; CVE-2017-11424
/// (PKCS#1 PEM), CVE-2022-29217 and CVE-2024-33663 (OpenSSH and DER), CVE-2023-48223, CVE-2026-34950
/// (GHSA-mvf2-f6gm-w987, PEM behind white space) and GHSA-ww5h-9m49-7xx4 (PEM behind anything),
/// CVE-2024-37568, CVE-2026-48526 (a JWK), CVE-2026-22817.
#[tokio::test]
async fn a_public_key_is_no_secret_of_an_hmac() {
    let kids = [(Algorithm::RS256, "rsa"), (Algorithm::ES256, "ec"), (Algorithm::EdDSA, "ed")];
    let function = function_with(kids).await;
    let claims = function.issuer.claims();
    let mut cases = Vec::new();
    for key in function.issuer.keys() {
        let neighbour = key.token(&claims).unwrap();
        for (position, (form, secret)) in forms(&key).into_iter().enumerate() {
            let attack = hmac_token(position % HMACS.len(), &secret, key.kid(), &claims);
            cases.push((format!("{form} of {}", key.kid()), attack, neighbour.clone()));
        }
    }
    are_refused(&function, "algorithm_not_allowed", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A1. A secret that was not found, and so is empty, or one that many have: CVE-2026-44351 and
/// CVE-2026-45363, and the null byte in which a `kid` of `/dev/null` ends.
#[tokio::test]
async fn an_hmac_under_no_secret_is_refused() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let claims = function.issuer.claims();
    let neighbour = function.issuer.keys()[0].token(&claims).unwrap();
    let mut cases = Vec::new();
    for secret in ["", "\0", "AA==", "secret", "your-256-bit-secret", "null", "undefined", "orders-api"] {
        for (algorithm, kid) in ["key", "unknown", "/dev/null"].into_iter().enumerate() {
            let attack = hmac_token(algorithm, secret.as_bytes(), kid, &claims);
            cases.push((format!("{secret:?}, {kid}"), attack, neighbour.clone()));
        }
    }
    are_refused(&function, "algorithm_not_allowed", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A2. CVE-2026-22818: a JWK that does not name its algorithm leaves the choice to its type and curve,
/// not to the token.
#[tokio::test]
async fn a_key_that_names_no_algorithm_does_not_leave_the_choice_to_the_token() {
    let kids = [(Algorithm::RS256, "rsa"), (Algorithm::ES256, "ec"), (Algorithm::EdDSA, "ed")];
    let function = function_with(kids).await;
    let keys = function.issuer.keys();
    let mut set: Vec<Value> = keys.iter().map(|key| key.public_jwk()).collect();
    for jwk in &mut set {
        jwk.as_object_mut().unwrap().remove("alg");
    }
    function.issuer.publish(KEYS_PATH, json!({"keys": set}).to_string());
    let claims = function.issuer.claims();
    let neighbours: Vec<String> = keys.iter().map(|key| key.token(&claims).unwrap()).collect();

    let mut confused = Vec::new();
    for (key, neighbour) in keys.iter().zip(&neighbours) {
        for (position, (form, secret)) in forms(key).into_iter().enumerate() {
            let attack = hmac_token(position % HMACS.len(), &secret, key.kid(), &claims);
            confused.push((format!("{form} of {}", key.kid()), attack, neighbour.clone()));
        }
    }
    are_refused(&function, "algorithm_not_allowed", confused).await;

    let family = |algorithm: Algorithm| match algorithm.name() {
        name if ["RS", "PS"].contains(&&name[..2]) => "RSA",
        name if name.starts_with("Ed") => "Edwards",
        name => name,
    };
    let mismatched = mismatches(&keys, &claims, |own, other| family(own) != family(other));
    are_refused(&function, "key_mismatch", mismatched).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A2. CVE-2022-23539, and every confusion within a family: RS256 for a key of PS256, ES384 for one of
/// ES256.
#[tokio::test]
async fn a_key_verifies_its_own_algorithm_only() {
    let function = function_with([
        (Algorithm::RS256, "rsa"),
        (Algorithm::PS384, "pss"),
        (Algorithm::ES256, "small"),
        (Algorithm::ES512, "large"),
        (Algorithm::Ed25519, "edwards"),
    ])
    .await;
    let claims = function.issuer.claims();
    let cases = mismatches(&function.issuer.keys(), &claims, |own, other| {
        own != other && ![own, other].iter().all(|one| [Algorithm::EdDSA, Algorithm::Ed25519].contains(one))
    });
    are_refused(&function, "key_mismatch", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Tokens that each key signed properly, under the name of every other algorithm that is wrong for it.
fn mismatches(
    keys: &[std::sync::Arc<SigningKey>],
    claims: &Value,
    is_wrong: impl Fn(Algorithm, Algorithm) -> bool,
) -> Vec<(String, String, String)> {
    let mut cases = Vec::new();
    for key in keys {
        for other in Algorithm::ALL.into_iter().filter(|other| is_wrong(key.algorithm(), *other)) {
            let mut header = key.header();
            header["alg"] = json!(other.name());
            let attack = key.sign(&header, claims).unwrap();
            cases.push((format!("{} with {}", other.name(), key.kid()), attack, key.token(claims).unwrap()));
        }
    }
    cases
}

/// Every spelling of `none` that a verifier has let through.
const NONES: [&str; 9] = ["none", "None", "NONE", "nOnE", "noNe", " none", "none ", "none\0", "ｎｏｎｅ"];

/// Rule A1. CVE-2015-2951, CVE-2018-1000531, CVE-2021-22160, CVE-2022-23540: the token says that it is not
/// signed. What stands in the place of the signature changes nothing.
#[tokio::test]
async fn a_token_that_says_it_is_unsigned_is_refused() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let neighbour = issuer.mint(&json!({})).unwrap();
    let [_, _, its_signature] = parts(&neighbour);
    let (mut signed, mut unsigned) = (Vec::new(), Vec::new());
    for name in NONES {
        let properly = with_header(issuer, json!({"alg": name}));
        let [header, claims, _] = parts(&properly);
        unsigned.push((name, format!("{header}.{claims}."), neighbour.clone()));
        signed.push((name, format!("{header}.{claims}.{its_signature}"), neighbour.clone()));
        signed.push((name, format!("{header}.{claims}.AA"), neighbour.clone()));
        signed.push((name, properly, neighbour.clone()));
    }
    are_refused(&function, "token_unsigned", unsigned).await;
    are_refused(&function, "algorithm_not_allowed", signed).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules A1 and F1. What is missing, empty or of another type stands for nothing, `none` least of all.
#[tokio::test]
async fn a_token_that_does_not_say_how_it_is_signed_is_refused() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let key = &issuer.keys()[0];
    let claims = issuer.claims();
    let neighbour = issuer.mint(&json!({})).unwrap();
    let mut malformed = vec![
        ("no algorithm".to_owned(), key.sign(&json!({"kid": "key"}), &claims).unwrap(), neighbour.clone()),
        ("an empty header".to_owned(), key.sign(&json!({}), &claims).unwrap(), neighbour.clone()),
        ("another case".to_owned(), key.sign(&json!({"ALG": "ES256"}), &claims).unwrap(), neighbour.clone()),
    ];
    for value in [json!(null), json!(false), json!(0), json!(["ES256"]), json!({"ES256": 1}), json!(["none"])]
    {
        let attack = with_header(issuer, json!({"alg": value}));
        malformed.push((format!("{value}"), attack, neighbour.clone()));
    }
    are_refused(&function, "token_malformed", malformed).await;
    let names =
        ["", " ", "es256", "ES256 ", "ES256\0", "ES256,none", "ＥS256", "ES-256", "null", "*", "RS1", "HS1"];
    let names = names.map(|name| (name, with_header(issuer, json!({"alg": name})), neighbour.clone()));
    are_refused(&function, "algorithm_not_allowed", names).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A1. Registered algorithms that encrypt keys, and those of curves and hashes that are not ours.
#[tokio::test]
async fn an_algorithm_that_does_not_sign_is_refused() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let neighbour = issuer.mint(&json!({})).unwrap();
    let names = [
        "dir",
        "RSA1_5",
        "RSA-OAEP",
        "A128KW",
        "A256GCMKW",
        "ECDH-ES",
        "PBES2-HS256+A128KW",
        "ES256K",
        "Ed448",
    ];
    let cases = names.map(|name| {
        assert_eq!(header(issuer, json!({"alg": name}))["kid"], "key");
        (name, with_header(issuer, json!({"alg": name})), neighbour.clone())
    });
    are_refused(&function, "algorithm_not_allowed", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}
