mod cache;
mod flights;
mod harness;
mod model;
mod table;

use serde_json::{Value, json};

use super::*;

const ISSUER: &str = "https://issuer.example/";

/// 2048 bits, and of no other use.
fn rsa(members: Value) -> Value {
    merge(json!({"kty": "RSA", "n": modulus(256, 0xc5), "e": "AQAB"}), members)
}

/// An odd number of so many bytes.
fn modulus(length: usize, first: u8) -> String {
    let mut bytes = vec![first; length];
    bytes[length - 1] = 1;
    encode(&bytes)
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// The key of RFC 7517, appendix A.1.
fn p256(members: Value) -> Value {
    let x = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
    let y = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";
    merge(json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}), members)
}

/// The base point of the curve.
fn p384(members: Value) -> Value {
    let x = "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3";
    let y = "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f";
    merge(json!({"kty": "EC", "crv": "P-384", "x": x, "y": y}), members)
}

/// The key of RFC 7515, appendix A.4.
fn p521(members: Value) -> Value {
    let x = "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk";
    let y = "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2";
    merge(json!({"kty": "EC", "crv": "P-521", "x": x, "y": y}), members)
}

/// The key of RFC 8037, appendix A.2.
fn ed25519(members: Value) -> Value {
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    merge(key, members)
}

/// The base point of the curve.
const OTHER_ED25519: &str = "WGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY";

fn merge(mut key: Value, members: Value) -> Value {
    let Value::Object(members) = members else { unreachable!("members are an object") };
    let key_members = key.as_object_mut().unwrap();
    for (name, value) in members {
        if value.is_null() {
            key_members.remove(&name)
        } else {
            key_members.insert(name, value)
        };
    }
    key
}

fn parse(key: &Value) -> Result<Key, KeyProblem> {
    Key::parse(&key.to_string())
}

fn set(keys: &[Value]) -> Result<KeySet, KeySetError> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

/// Rules A2 and A3: a key verifies what its type, curve and own `alg` say, and nothing else.
#[test]
fn a_key_fits_its_algorithms() {
    use Algorithm::*;
    for (key, fits) in [
        (rsa(json!({})), &[RS256, RS384, RS512, PS256, PS384, PS512][..]),
        (rsa(json!({"alg": "PS256"})), &[PS256]),
        (p256(json!({"use": "sig", "key_ops": ["verify", "sign"]})), &[ES256]),
        (p256(json!({"alg": "ES256"})), &[ES256]),
        (p384(json!({})), &[ES384]),
        (p384(json!({"alg": "ES384"})), &[ES384]),
        (p521(json!({})), &[ES512]),
        (p521(json!({"alg": "ES512"})), &[ES512]),
        (ed25519(json!({})), &[EdDSA, Ed25519]),
        (ed25519(json!({"alg": "EdDSA"})), &[EdDSA, Ed25519]),
        (ed25519(json!({"alg": "Ed25519"})), &[EdDSA, Ed25519]),
        // 2048 and 8192 bits, exponents of 3 and of four bytes, and zeros before the number.
        (rsa(json!({"n": modulus(256, 0x80), "e": "Aw"})), &[RS256, RS384, RS512, PS256, PS384, PS512]),
        (rsa(json!({"n": modulus(1024, 0xff), "e": "gAAAAQ"})), &[RS256, RS384, RS512, PS256, PS384, PS512]),
        (rsa(json!({"e": "AAEAAQ", "alg": "RS384"})), &[RS384]),
    ] {
        let parsed = parse(&key).unwrap_or_else(|problem| panic!("{key}: {problem}"));
        for algorithm in Algorithm::ALL {
            assert_eq!(parsed.fits(algorithm), fits.contains(&algorithm), "{key} {}", algorithm.name());
        }
    }
}

/// Rules A1, A3 and A4.
#[test]
fn what_cannot_verify_is_no_key() {
    use KeyProblem::*;
    let short = "yQ".repeat(100);
    let beyond = encode(&[0xff; 32]);
    let even = encode(&[&[0xc5_u8; 255][..], &[0x02]].concat());
    for (key, expected) in [
        (json!("key"), NotAJwk),
        (json!([]), NotAJwk),
        (json!({"kty": 5}), NotAJwk),
        (rsa(json!({"kid": 5})), NotAJwk),
        (rsa(json!({"key_ops": "verify"})), NotAJwk),
        (json!({"kty": "oct", "k": "c2VjcmV0"}), Unsupported),
        (json!({"kty": "AKP", "alg": "ML-DSA-44"}), Unsupported),
        (p256(json!({"crv": "secp256k1"})), Unsupported),
        (ed25519(json!({"crv": "X25519"})), Unsupported),
        (rsa(json!({"use": "enc"})), NotForSignatures),
        (rsa(json!({"key_ops": ["encrypt"]})), NotForSignatures),
        (rsa(json!({"alg": "HS256"})), AlgorithmMismatch),
        (rsa(json!({"alg": "RSA-OAEP"})), AlgorithmMismatch),
        (rsa(json!({"alg": "ES256"})), AlgorithmMismatch),
        (p256(json!({"alg": "ES384"})), AlgorithmMismatch),
        (rsa(json!({"n": null})), InvalidMember("n")),
        (rsa(json!({"n": short})), InvalidMember("n")),
        (rsa(json!({"e": "AQ"})), InvalidMember("e")),
        (rsa(json!({"e": "Ag"})), InvalidMember("e")),
        (rsa(json!({"e": "AQAAAAE"})), InvalidMember("e")),
        (rsa(json!({"e": "AQAB="})), InvalidMember("e")),
        (rsa(json!({"n": modulus(255, 0xc5)})), InvalidMember("n")),
        (rsa(json!({"n": modulus(256, 0x7f)})), InvalidMember("n")),
        (rsa(json!({"n": modulus(1025, 0xc5)})), InvalidMember("n")),
        (rsa(json!({"n": even})), InvalidMember("n")),
        (rsa(json!({"e": "AAAA"})), InvalidMember("e")),
        (rsa(json!({"n": [1]})), NotAJwk),
        (p256(json!({"x": "AQ"})), InvalidMember("x")),
        (p256(json!({"x": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})), InvalidPoint),
        (p256(json!({"y": p256(json!({}))["x"]})), InvalidPoint),
        (p256(json!({"x": beyond, "y": beyond})), InvalidPoint),
        (p384(json!({"crv": "P-256"})), InvalidMember("x")),
        (p384(json!({"y": p384(json!({}))["x"]})), InvalidPoint),
        (p521(json!({"y": p521(json!({}))["x"]})), InvalidPoint),
        (p521(json!({"alg": "ES384"})), AlgorithmMismatch),
        (ed25519(json!({"x": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})), InvalidPoint),
        (ed25519(json!({"x": "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})), InvalidPoint),
        (p256(json!({"y": null})), InvalidMember("y")),
        (ed25519(json!({"x": "AQ"})), InvalidMember("x")),
    ] {
        assert_eq!(parse(&key).err(), Some(expected), "{key}");
    }
}

/// Rule K4.
#[test]
fn a_broken_key_does_not_cost_the_others() {
    let keys =
        set(&[json!("?"), json!({"kty": "XYZ", "kid": "other"}), p256(json!({"kid": "good"}))]).unwrap();
    let unusable = |id: Option<&str>, problem| UnusableKey { id: id.map(str::to_owned), problem };
    assert_eq!(
        keys.unusable(),
        [unusable(None, KeyProblem::NotAJwk), unusable(Some("other"), KeyProblem::Unsupported)]
    );
    assert!(matches!(keys.find(Some("good"), Algorithm::ES256), KeySearch::Found(_)));
    assert!(matches!(
        set(&[json!("?")]),
        Err(KeySetError::NoUsableKey { count: 1, first: Some(KeyProblem::NotAJwk) })
    ));
    assert!(matches!(set(&[]), Err(KeySetError::NoUsableKey { count: 0, first: None })));
    assert!(set(&vec![p256(json!({})); 100]).is_ok());
    assert!(matches!(set(&vec![p256(json!({})); 101]), Err(KeySetError::TooManyKeys)));
    for document in ["", "[]", "{}", "{\"keys\": {}}", "{\"keys\": []", "\u{feff}{\"keys\": []}"] {
        assert!(matches!(KeySet::parse(document.as_bytes()), Err(KeySetError::NotAKeySet)), "{document}");
    }
}

/// Rule A9: the ID is compared exactly, and no key is tried after another.
#[test]
fn a_key_is_found_by_its_id_or_when_it_is_the_only_one() {
    let keys = set(&[
        p256(json!({"kid": "a"})),
        ed25519(json!({"kid": "b"})),
        ed25519(json!({"kid": "c", "x": OTHER_ED25519})),
    ])
    .unwrap();
    assert!(matches!(keys.find(Some("a"), Algorithm::ES256), KeySearch::Found(_)));
    assert!(matches!(keys.find(Some("A"), Algorithm::ES256), KeySearch::NotFound));
    assert!(matches!(keys.find(Some("b"), Algorithm::ES256), KeySearch::Mismatch));
    assert!(matches!(keys.find(None, Algorithm::ES256), KeySearch::Found(_)));
    assert!(matches!(keys.find(None, Algorithm::EdDSA), KeySearch::Ambiguous));
    assert!(matches!(keys.find(None, Algorithm::RS256), KeySearch::NotFound));
    let twice = set(&[ed25519(json!({"kid": "a"})), ed25519(json!({"kid": "a", "alg": "EdDSA"}))]).unwrap();
    assert!(matches!(twice.find(Some("a"), Algorithm::EdDSA), KeySearch::Found(_)), "one key, listed twice");
}

#[test]
fn discovery_is_that_of_the_issuer_and_leads_to_https() {
    let document = |issuer: &str, uri: &str| json!({"issuer": issuer, "jwks_uri": uri}).to_string();
    let find = |document: String, loopback| discovery::discovered_url(document.as_bytes(), ISSUER, loopback);
    assert!(find(document(ISSUER, "https://keys.example/"), false).is_ok());
    assert!(find(document(ISSUER, "http://127.0.0.1:9/"), true).is_ok());
    for (document, loopback) in [
        (document("https://issuer.example", "https://keys.example/"), false),
        (document(ISSUER, "http://127.0.0.1:9/"), false),
        (document(ISSUER, "http://keys.example/"), true),
        (document(ISSUER, "keys"), true),
        (document(ISSUER, "https://user:password@keys.example/"), false),
        ("{}".to_owned(), true),
    ] {
        assert!(find(document.clone(), loopback).is_err(), "{document}");
    }
    for issuer in ["https://a.example", "https://a.example/"] {
        let url = discovery::document_url(issuer).unwrap();
        assert_eq!(url.as_str(), "https://a.example/.well-known/openid-configuration");
    }
}
