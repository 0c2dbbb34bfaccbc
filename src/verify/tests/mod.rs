//! The pure check of one token. What needs a key server is in `tests/function.rs`.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;

#[cfg(feature = "dynamodb")]
mod api_keys;
#[cfg(feature = "dynamodb")]
mod basic;
mod claims;
mod client_authentication;
mod client_credentials;
mod custom;
mod introspection;
#[cfg(feature = "possession")]
mod possession;
mod provider;
#[cfg(feature = "dynamodb")]
mod revocation;
#[cfg(feature = "saml")]
mod saml;
#[cfg(feature = "dynamodb")]
mod shared_replays;
mod signed_answers;
mod token_exchange;
mod userinfo;
mod verified_tokens;
mod waiting;

const ISSUER: &str = "https://issuer.example/";
const NOW: UnixTime = 1_000_000.0;

/// An issuer with one ES256 key.
struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(|half| URL_SAFE_NO_PAD.encode(half));
        json!({"kty": "EC", "crv": "P-256", "kid": "one", "x": x, "y": y})
    }

    fn keys(&self) -> KeySet {
        KeySet::parse(json!({ "keys": [self.jwk()] }).to_string().as_bytes()).unwrap()
    }

    fn sign_text(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "one"})
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "api", "sub": "me", "exp": NOW + 60.0})
}

/// The value with these members set, or, where `null`, taken out.
fn with(mut value: Value, members: Value) -> Value {
    for (name, member) in members.as_object().unwrap() {
        let target = value.as_object_mut().unwrap();
        if member.is_null() {
            target.remove(name)
        } else {
            target.insert(name.clone(), member.clone())
        };
    }
    value
}

fn expectations() -> Expectations {
    let audience = AudienceCheck::OneOf(vec!["api".into(), "web".into()]);
    let mut expectations = Expectations::new(Profile::AccessToken, ISSUER, audience);
    expectations.algorithms = vec![Algorithm::ES256, Algorithm::RS256];
    expectations
}

fn check(token: &str, keys: &KeySet) -> Result<Principal, Reason> {
    check_against(token, keys, &expectations())
}

/// The verdict; the explanation comes to the same.
fn check_against(token: &str, keys: &KeySet, expectations: &Expectations) -> Result<Principal, Reason> {
    let verified = verify(token, keys, expectations, NOW).map_err(|rejection| rejection.reason);
    let explained = explain(Presented::bearer(token), Some(keys), expectations, NOW);
    assert_eq!(verified.as_ref().err(), explained.refusal(), "{explained:#?}");
    verified
}

fn check_claims(changes: Value) -> Result<Principal, &'static str> {
    let signer = Signer::new();
    check(&signer.sign(&header(), &with(claims(), changes)), &signer.keys())
        .map_err(|reason| reason.code().name())
}

fn check_header(changes: Value) -> Result<Principal, &'static str> {
    let signer = Signer::new();
    check(&signer.sign(&with(header(), changes), &claims()), &signer.keys())
        .map_err(|reason| reason.code().name())
}

/// A parameter that is `null` is there: read as absent, it would switch its own check off.
#[test]
fn a_header_parameter_that_is_null_is_not_absent() {
    let signer = Signer::new();
    for (parameter, expected) in [
        ("crit", "critical_header_unsupported"),
        ("b64", "payload_unencoded"),
        ("zip", "token_compressed"),
        ("enc", "token_encrypted"),
        ("cty", "token_malformed"),
        ("kid", "token_malformed"),
        ("typ", "token_malformed"),
        ("alg", "token_malformed"),
    ] {
        let mut header = header();
        header.as_object_mut().unwrap().insert(parameter.to_owned(), Value::Null);
        let token = signer.sign(&header, &claims());
        assert_eq!(
            check(&token, &signer.keys()).map_err(|reason| reason.code().name()),
            Err(expected),
            "{parameter}"
        );
    }
}

#[test]
fn a_good_token_makes_a_principal() {
    let principal = check_claims(json!({})).unwrap();
    assert_eq!((&**principal.issuer(), principal.key_id()), (ISSUER, Some("one")));
    assert_eq!(principal.claims().named("sub"), Some(&json!("me")));
}

/// Rules A1, A2, A7, A8, A9 and C7.
#[test]
fn the_header_chooses_and_does_not_decide() {
    for (changes, expected) in [
        (json!({"typ": "JWT"}), None),
        (json!({"typ": "application/at+jwt"}), None),
        (json!({"kid": null}), None),
        (
            json!({"jku": "https://evil.example/", "jwk": {"kty": "oct"}, "x5c": ["a"], "other": {"a": 1}}),
            None,
        ),
        (json!({"typ": "dpop+jwt"}), Some("token_type_unexpected")),
        (json!({"typ": "id_token+jwt"}), Some("token_type_unexpected")),
        (json!({"typ": ""}), Some("token_type_unexpected")),
        (json!({"typ": ["JWT"]}), Some("token_malformed")),
        (json!({"crit": ["exp"], "exp": 1}), Some("critical_header_unsupported")),
        (json!({"crit": []}), Some("critical_header_unsupported")),
        (json!({"b64": false, "crit": ["b64"]}), Some("payload_unencoded")),
        (json!({"b64": true}), Some("payload_unencoded")),
        (json!({"zip": "DEF"}), Some("token_compressed")),
        (json!({"enc": "A256GCM", "zip": "DEF"}), Some("token_encrypted")),
        (json!({"cty": "JWT"}), Some("token_nested")),
        (json!({"cty": "application/jwt"}), Some("token_nested")),
        (json!({"cty": "json"}), None),
        (json!({"alg": "none"}), Some("algorithm_not_allowed")),
        (json!({"alg": "None"}), Some("algorithm_not_allowed")),
        (json!({"alg": "HS256"}), Some("algorithm_not_allowed")),
        (json!({"alg": "ES384"}), Some("algorithm_not_allowed")),
        (json!({"alg": "es256"}), Some("algorithm_not_allowed")),
        (json!({"alg": "RS256"}), Some("key_mismatch")),
        (json!({"alg": null}), Some("token_malformed")),
        (json!({"alg": 5}), Some("token_malformed")),
        (json!({"kid": "two"}), Some("key_not_found")),
        (json!({"kid": "../one"}), Some("key_not_found")),
        (json!({"kid": 1}), Some("token_malformed")),
    ] {
        assert_eq!(check_header(changes.clone()).err(), expected, "{changes}");
    }
}

/// Rules F1 to F4.
#[test]
fn what_is_no_compact_jws_is_refused_before_its_signature() {
    let signer = Signer::new();
    let keys = signer.keys();
    let good = signer.sign(&header(), &claims());
    assert!(check(&good, &keys).is_ok());
    let [head, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { unreachable!() };
    let json = header().to_string();
    let claims = claims().to_string();
    let nested = |levels: usize| {
        claims.replacen('{', &format!("{{\"a\":{}{},", "[".repeat(levels), "]".repeat(levels)), 1)
    };
    assert!(check(&signer.sign_text(&json, &nested(31)), &keys).is_ok());
    for (expected, token) in [
        ("token_malformed", String::new()),
        ("token_malformed", ".".into()),
        ("token_malformed", "..".into()),
        ("token_malformed", "...".into()),
        ("token_malformed", format!("{head}.{payload}")),
        ("token_malformed", format!("{head}..{signature}")),
        ("token_malformed", format!(".{payload}.{signature}")),
        ("token_malformed", format!("{good}.{signature}")),
        ("token_malformed", format!("{good}...")),
        ("token_malformed", format!("{head}=.{payload}.{signature}")),
        ("token_malformed", format!("{head} .{payload}.{signature}")),
        ("token_malformed", format!("{head}.{payload}\n.{signature}")),
        ("token_malformed", format!("{head}.{payload}.{signature}==")),
        ("token_malformed", format!("{head}.{payload}.!")),
        (
            "token_malformed",
            json!({"protected": head, "payload": payload, "signature": signature}).to_string(),
        ),
        ("token_malformed", signer.sign_text("[\"ES256\", \"one\"]", &claims)),
        ("token_malformed", signer.sign_text(&json, "[]")),
        ("token_malformed", signer.sign_text(&json, "\"text\"")),
        ("token_malformed", signer.sign_text(&json, &format!("\u{feff}{claims}"))),
        ("token_malformed", signer.sign_text(&json, &format!("{claims} {{}}"))),
        ("token_malformed", signer.sign_text("{\"alg\":\"ES256\",\"alg\":\"none\"}", &claims)),
        ("token_malformed", signer.sign_text("{\"alg\":\"ES256\",\"x\":1,\"x\":1}", &claims)),
        ("token_malformed", signer.sign_text(&json, &claims.replacen('{', "{\"x\":{\"y\":1,\"y\":1},", 1))),
        ("token_malformed", signer.sign_text(&json, &claims.replacen('{', "{\"sub\":\"root\",", 1))),
        ("token_malformed", signer.sign_text(&json, &nested(32))),
        ("token_malformed", signer.sign_text(&json, "{\"iss\":1e400}")),
        ("token_unsigned", format!("{head}.{payload}.")),
        ("token_encrypted", format!("{good}..")),
        ("token_encrypted", format!("{good}.{payload}.{signature}")),
        ("token_too_large", format!("{good}{}", "A".repeat(16 * 1024))),
    ] {
        assert_eq!(check(&token, &keys).map_err(|reason| reason.code().name()), Err(expected), "{token}");
    }
}

/// Rule F4.
#[test]
fn the_size_of_a_token_is_bounded_before_it_is_looked_at() {
    let keys = Signer::new().keys();
    for (length, expected) in [(16 * 1024, "token_malformed"), (16 * 1024 + 1, "token_too_large")] {
        let refused = check(&".".repeat(length), &keys).unwrap_err();
        assert_eq!(refused.code().name(), expected);
    }
}

/// The operator is told which part it is, and what is wrong with it.
#[test]
fn a_malformed_token_tells_its_problem() {
    let signer = Signer::new();
    let keys = signer.keys();
    let (json, claims) = (header().to_string(), claims().to_string());
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let twice = r#"{"a":1,"a":1}"#;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
    for (token, expected) in [
        ("a".to_owned(), "it has not three parts"),
        ("a.b".to_owned(), "it has not three parts"),
        (".b.c".to_owned(), "it has not three parts"),
        ("a..c".to_owned(), "it has not three parts"),
        ("a.b.c.d".to_owned(), "it has not three parts"),
        ("=.b.c".to_owned(), "the header is not base64url"),
        (format!("{}.b.c", encode(b"\xff")), "the header is not UTF-8"),
        (format!("{}.b.c", encode(b"[]")), "the header is not a JSON object"),
        (format!("{}.b.c", encode(twice.as_bytes())), "the header holds a member twice"),
        (format!("{}.b.c", encode(deep.as_bytes())), "the header is nested too deeply"),
        (format!("{}.b.c", encode(b"{}")), "the header has no `alg`"),
        (format!("{}.=.c", encode(json.as_bytes())), "the claims are not base64url"),
        (format!("{}.{}.c", encode(json.as_bytes()), encode(b"\xff")), "the claims are not UTF-8"),
        (signer.sign_text(&json, "7"), "the claims are not a JSON object"),
        (signer.sign_text(&json, twice), "the claims hold a member twice"),
        (signer.sign_text(&json, &deep), "the claims are nested too deeply"),
        (format!("{}=", signer.sign_text(&json, &claims)), "the signature is not base64url"),
    ] {
        assert_eq!(check(&token, &keys), Err(Reason::TokenMalformed { problem: expected }), "{token}");
    }
    for (parameter, expected) in [
        ("alg", "`alg` is not a string"),
        ("kid", "`kid` is not a string"),
        ("typ", "`typ` is not a string"),
        ("cty", "`cty` is not a string"),
    ] {
        let token = signer.sign(&with(header(), json!({parameter: 5})), &self::claims());
        assert_eq!(check(&token, &keys), Err(Reason::TokenMalformed { problem: expected }), "{parameter}");
    }
}

/// The operator learns that the issuer has the key, and why it is of no use; nothing else is quoted.
#[test]
fn a_key_that_was_dropped_is_explained() {
    let signer = Signer::new();
    let keys = json!({"keys": [signer.jwk(), {"kty": "RSA", "kid": "weak", "n": "AQAB", "e": "AQAB"}, {"kty": "oct"}]});
    let keys = KeySet::parse(keys.to_string().as_bytes()).unwrap();
    let refused = |header: &Value| check(&signer.sign(header, &claims()), &keys).unwrap_err().to_string();
    let not_found = "the issuer's key set has no key that the token could have been signed with";
    assert_eq!(
        refused(&with(header(), json!({"kid": "weak"}))),
        format!("{not_found}: of the one with its key ID, the key's `n` is missing or invalid")
    );
    assert_eq!(refused(&with(header(), json!({"kid": "other"}))), not_found);
    assert_eq!(refused(&json!({"alg": "RS256"})), not_found);
    assert!(check(&signer.sign(&header(), &claims()), &keys).is_ok());
}

/// Rules A5 and A6: the literal bytes, whole.
#[test]
fn a_signature_of_other_bytes_or_another_key_does_not_hold() {
    let signer = Signer::new();
    let keys = signer.keys();
    let good = signer.sign(&header(), &claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let other = signer.sign(&header(), &with(claims(), json!({"sub": "root"})));
    let (other_message, _) = other.rsplit_once('.').unwrap();
    let zeros = URL_SAFE_NO_PAD.encode([0; 64]);
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    for token in [
        format!("{other_message}.{signature}"),
        Signer::new().sign(&header(), &claims()),
        // CVE-2022-21449.
        format!("{message}.{zeros}"),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(&raw[..63])),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode([&raw, &[0][..]].concat())),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(&raw[..1])),
    ] {
        assert_eq!(check(&token, &keys), Err(Reason::SignatureInvalid), "{token}");
    }
}

/// What the log may state as a fact: the issuer and the key, once the signature holds.
#[test]
fn a_rejection_names_the_issuer_only_behind_a_good_signature() {
    let signer = Signer::new();
    let rejected = |token: String| verify(&token, &signer.keys(), &expectations(), NOW).unwrap_err();
    let expired = rejected(signer.sign(&header(), &with(claims(), json!({"exp": 1}))));
    assert_eq!((expired.issuer.as_deref(), expired.key_id.as_deref()), (Some(ISSUER), Some("one")));
    let forged = rejected(Signer::new().sign(&header(), &claims()));
    assert_eq!((forged.issuer, forged.key_id), (None, None));
}
