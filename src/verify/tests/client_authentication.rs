//! How the function proves to a server which client it is.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, RsaKeyPair};
use base64::engine::general_purpose::STANDARD;

use super::introspection::Setting;
use super::*;

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// A key of each kind, with the algorithms that it may have, and what verifies it.
fn keys() -> Vec<(String, Vec<Algorithm>, Value)> {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = rsa.public_key();
    let rsa_public = json!({
        "kty": "RSA", "kid": "one",
        "n": encode(public.modulus().big_endian_without_leading_zero()),
        "e": encode(public.exponent().big_endian_without_leading_zero()),
    });
    let rsa: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
    let p256 = Signer::new();
    let ed25519 = Ed25519KeyPair::generate().unwrap();
    let ed25519_public =
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": encode(ed25519.public_key().as_ref())});
    // RFC 8037, appendix A.1, and RFC 7515, appendix A.3.1: keys that everybody has.
    let rfc8037 = json!({
        "kty": "OKP", "crv": "Ed25519", "kid": "one", "alg": "EdDSA",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let rfc7515 = json!({
        "kty": "EC", "crv": "P-256", "kid": "one",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    vec![
        (pem("PRIVATE KEY", rsa.as_ref()), vec![Algorithm::RS256, Algorithm::PS256], rsa_public),
        (pem("PRIVATE KEY", p256.0.to_pkcs8v1().unwrap().as_ref()), vec![Algorithm::ES256], p256.jwk()),
        (pem("PRIVATE KEY", ed25519.to_pkcs8v1().unwrap().as_ref()), vec![Algorithm::EdDSA], ed25519_public),
        (
            with(rfc8037.clone(), json!({"d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"})).to_string(),
            vec![Algorithm::EdDSA],
            rfc8037,
        ),
        (
            with(rfc7515.clone(), json!({"d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})).to_string(),
            vec![Algorithm::ES256],
            rfc7515,
        ),
    ]
}

/// RFC 7523, section 3, verified as any verifier would.
#[tokio::test(start_paused = true)]
async fn an_assertion_is_the_clients_for_this_server_and_once() {
    for (text, algorithms, public) in keys() {
        for algorithm in algorithms {
            let key = ClientKey::parse(text.as_bytes(), Some(algorithm), Some("one".into())).unwrap();
            assert_eq!(format!("{key:?}"), format!("ClientKey({})", algorithm.name()));
            let setting = setting(key);
            let mut identifiers = Vec::new();
            for token in ["a", "b"] {
                assert!(setting.verify(token, 0.0).await.is_ok());
                let asked = setting.server.last();
                assert!(!asked.tries_again, "a server takes an assertion once");
                assert_eq!(asked.authorization, None);
                assert_eq!(
                    asked.field("client_assertion_type").as_deref(),
                    Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
                );
                assert_eq!(asked.field("client_id").as_deref(), Some("authorizer"));
                let assertion = asked.field("client_assertion").unwrap();
                let set = KeySet::parse(json!({ "keys": [public] }).to_string().as_bytes()).unwrap();
                let audience = AudienceCheck::OneOf(vec![ISSUER.into()]);
                let mut expected = Expectations::new(Profile::AccessToken, "authorizer", audience);
                expected.algorithms = vec![algorithm];
                expected.key_id = Presence::Required;
                expected.max_lifetime = Some(60.0);
                let principal = verify(&assertion, &set, &expected, NOW).unwrap();
                let claims = principal.claims().clone();
                assert_eq!(claims.named("sub"), Some(&json!("authorizer")));
                assert_eq!(claims.named("aud"), Some(&json!(ISSUER)), "one audience, as a text");
                assert_eq!(claims.named("exp"), Some(&json!(NOW as u64 + 60)));
                let identifier = claims.named("jti").and_then(Value::as_str).unwrap().to_owned();
                assert_eq!(identifier.len(), 22, "128 bits");
                identifiers.push(identifier);
            }
            assert_ne!(identifiers[0], identifiers[1]);
        }
    }
}

fn setting(key: ClientKey) -> Setting {
    let key = std::cell::Cell::new(Some(Box::new(key)));
    Setting::with(
        |settings| {
            let (id, audience) = ("authorizer".to_owned(), ISSUER.to_owned());
            let authentication =
                ClientAuthentication::PrivateKeyJwt { id, audience, key: key.take().unwrap() };
            settings.endpoint = Endpoint::Introspection { authentication, signed: None };
        },
        None,
    )
}

#[test]
fn what_is_no_key_is_refused_and_not_quoted() {
    let parse = |text: &str| ClientKey::parse(text.as_bytes(), None, None).err();
    let keys = keys();
    let (p256, _, public) = &keys[1];
    for text in [
        "",
        "{}",
        "secret",
        &p256.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        &p256.replace("PRIVATE KEY", "CERTIFICATE"),
        &public.to_string(),
        &with(public.clone(), json!({"d": "AQ"})).to_string(),
        r#"{"kty": "oct", "k": "c2VjcmV0"}"#,
        r#"["kty"]"#,
    ] {
        assert_eq!(parse(text), Some(ClientKeyError::NotAKey), "{text}");
    }
    assert_eq!(parse(p256), None);
    for algorithm in [Algorithm::RS256, Algorithm::ES384, Algorithm::EdDSA] {
        let error = ClientKey::parse(p256.as_bytes(), Some(algorithm), None).err();
        assert_eq!(error, Some(ClientKeyError::AlgorithmMismatch), "{algorithm:?}");
    }
    let other = with(serde_json::from_str(&keys[3].0).unwrap(), json!({"alg": "ES256"})).to_string();
    assert_eq!(parse(&other), Some(ClientKeyError::AlgorithmMismatch));
    let mixed = with(serde_json::from_str(&keys[3].0).unwrap(), json!({"x": public["x"]})).to_string();
    assert_eq!(parse(&mixed), Some(ClientKeyError::NotAKey), "the halves of two keys");
}

/// Rule Z8.
#[test]
fn nothing_secret_is_shown() {
    let authentications = [
        ClientAuthentication::basic("id", "correct-horse"),
        ClientAuthentication::Post { id: "id".into(), secret: "correct-horse".into() },
    ];
    for authentication in authentications {
        assert!(!format!("{authentication:?}").contains("horse"));
    }
    for error in [ClientKeyError::NotAKey, ClientKeyError::AlgorithmMismatch] {
        assert!(!error.to_string().contains('`'), "{error}");
    }
}
