//! Every algorithm with every kind of key: the verdicts are computed from tables, and their number is
//! checked, so that none goes missing.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use lambda_authorizer::jwks::Algorithm;
use lambda_authorizer::verify::{AudienceCheck, Expectations, Profile};
use serde_json::{Value, json};

use crate::{NOW, encode, key, keys_of, verdict, with};

const ISSUER: &str = "https://login.example.com/";

/// The five kinds of key, and what each can sign, the first being what a token is signed with that names
/// something else.
const KINDS: [(&str, &[&str]); 5] = [
    ("RSA", &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]),
    ("P-256", &["ES256"]),
    ("P-384", &["ES384"]),
    ("P-521", &["ES512"]),
    ("Ed25519", &["Ed25519", "EdDSA"]),
];

fn algorithm(name: &str) -> Algorithm {
    name.parse().unwrap()
}

pub(crate) fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "orders-api", "sub": "user-7f1c", "exp": NOW + 300.0})
}

pub(crate) fn expectations() -> Expectations {
    Expectations::new(Profile::AccessToken, ISSUER, AudienceCheck::OneOf(vec!["orders-api".into()]))
}

/// A JWK of this key: another `alg`, `use` or `key_ops`, or none.
fn jwk(signer: &str, own: Option<&str>, purpose: &Value) -> Value {
    let plain = with(&key(algorithm(signer)).public_jwk(), &json!({"kid": "tested", "use": null}));
    with(&with(&plain, purpose), &json!({"alg": own}))
}

/// A key that has nothing to do with the token, and is of another kind than the one that has.
fn bystander(kind: &str) -> (&'static str, &'static [&'static str]) {
    if kind == "Ed25519" { ("ES256", KINDS[1].1) } else { ("Ed25519", KINDS[4].1) }
}

/// `EdDSA` and `Ed25519` are two names of one algorithm, where the key is an Ed25519 key.
fn one_algorithm(first: &str, second: &str) -> bool {
    first == second || [first, second].iter().all(|name| ["EdDSA", "Ed25519"].contains(name))
}

/// Rules A1 to A3 and A9: a token verifies exactly when its key is meant for its algorithm, is found, and
/// the issuer's list names the algorithm. The token is always signed by the tested key.
#[test]
fn every_algorithm_with_every_key() {
    let purposes = [
        (json!({}), true),
        (json!({"use": "sig"}), true),
        (json!({"key_ops": ["verify"]}), true),
        (json!({"use": "sig", "key_ops": ["sign", "verify"]}), true),
        (json!({"use": "enc"}), false),
        (json!({"use": "Sig"}), false),
        (json!({"key_ops": ["sign"]}), false),
        (json!({"key_ops": []}), false),
        (json!({"use": "sig", "key_ops": ["encrypt"]}), false),
        (json!({"use": "enc", "key_ops": ["verify"]}), false),
    ];
    let mut sets = BTreeMap::new();
    let (mut combinations, mut allowed) = (0, 0);
    for named in Algorithm::ALL.map(Algorithm::name) {
        for (kind, signs) in KINDS {
            let agree = signs.contains(&named);
            let signer = if agree { named } else { signs[0] };
            let tokens = [Some("tested"), None, Some("unknown")].map(|kid| {
                let header = with(&json!({"alg": named}), &json!({"kid": kid}));
                (kid, key(algorithm(signer)).sign(&header, &claims()).unwrap())
            });
            let own_algorithms = [None, Some(signer)].into_iter();
            let others = ["RS512", "ES256", "EdDSA", "HS256", "RSA-OAEP"].into_iter().map(Some);
            for own in own_algorithms.chain(others) {
                for (position, (purpose, for_signatures)) in purposes.iter().enumerate() {
                    let (other, others_sign) = bystander(kind);
                    let keys = sets.entry((signer, own, position)).or_insert_with(|| {
                        let set = [jwk(signer, own, purpose), key(algorithm(other)).public_jwk()];
                        keys_of(&json!({ "keys": set }))
                    });
                    let usable = *for_signatures && own.is_none_or(|own| signs.contains(&own));
                    let fits = usable && agree && own.is_none_or(|own| one_algorithm(own, named));
                    let bystander_fits = others_sign.contains(&named) && one_algorithm(other, named);
                    for listed in [true, false] {
                        let mut expectations = expectations();
                        expectations.algorithms.retain(|algorithm| (algorithm.name() == named) == listed);
                        for (kid, token) in &tokens {
                            let expected = match kid {
                                _ if !listed => "algorithm_not_allowed",
                                Some("tested") if !usable => "key_not_found",
                                Some("tested") if !fits => "key_mismatch",
                                Some("tested") => "allowed",
                                Some(_) => "key_not_found",
                                None if fits => "allowed",
                                // The only key that fits did not sign it; the one that did is not tried.
                                None if bystander_fits => "signature_invalid",
                                None => "key_not_found",
                            };
                            let found = verdict(token, keys, &expectations, NOW);
                            let what = format!("{named} by {kind} of {own:?} {purpose} as {kid:?}, {listed}");
                            assert_eq!(found, expected, "{what}");
                            combinations += 1;
                            allowed += u32::from(found == "allowed");
                        }
                    }
                }
            }
        }
    }
    assert_eq!(combinations, 11 * 5 * 7 * 10 * 2 * 3);
    // Eleven pairs agree. Four purposes and two IDs will do, and of the `alg`s of the JWK none, the right
    // one, and for RS512, ES256 and the two names of Ed25519 the one among the others.
    assert_eq!(allowed, (11 * 2 + 4) * 4 * 2);
}

/// Rule A9: of several keys that fit, none is tried, and an ID tells them apart.
#[test]
fn two_keys_of_a_kind_need_an_id() {
    for (first, second, without) in [
        ("RS256", "RS256", "allowed"),
        ("RS256", "RS384", "key_ambiguous"),
        ("EdDSA", "Ed25519", "key_ambiguous"),
        ("ES256", "ES384", "allowed"),
    ] {
        let plain = |name: &str, kid: &str| {
            with(&key(algorithm(name)).public_jwk(), &json!({"kid": kid, "alg": null}))
        };
        let keys = keys_of(&json!({"keys": [plain(first, "first"), plain(second, "second")]}));
        let sign = |kid: Value| {
            let header = with(&json!({"alg": first}), &json!({ "kid": kid }));
            key(algorithm(first)).sign(&header, &claims()).unwrap()
        };
        let found = verdict(&sign(Value::Null), &keys, &expectations(), NOW);
        assert_eq!(found, without, "{first} {second}");
        assert_eq!(verdict(&sign(json!("first")), &keys, &expectations(), NOW), "allowed");
        let of_second = verdict(&sign(json!("second")), &keys, &expectations(), NOW);
        let expected = match (first, second) {
            ("RS256", "RS256") => "allowed",
            ("ES256", "ES384") => "key_mismatch",
            _ => "signature_invalid",
        };
        assert_eq!(of_second, expected, "{first} {second}");
    }
}

/// CVE-2015-9235, CVE-2016-10555, CVE-2026-48526: a public key is never a secret, in whatever form the
/// forger thinks that it is kept; and no spelling of `none` is an algorithm.
#[test]
fn no_key_verifies_an_hmac_or_nothing() {
    let mut combinations = 0;
    for (kind, signs) in KINDS {
        let public = key(algorithm(signs[0])).public_jwk();
        let numbers = ["n", "x", "y"].map(|member| public[member].as_str().unwrap_or_default().to_owned());
        let raw: Vec<u8> = numbers.iter().flat_map(|number| crate::decode(number)).collect();
        let plain = with(&public, &json!({"kid": null, "alg": null, "use": null}));
        let secrets = [
            raw.clone(),
            [vec![4], raw].concat(),
            numbers.concat().into_bytes(),
            public.to_string().into_bytes(),
            plain.to_string().into_bytes(),
            serde_json::to_vec_pretty(&public).unwrap(),
            signs[0].as_bytes().to_vec(),
            Vec::new(),
        ];
        for own in [None, Some(signs[0])] {
            let keys = keys_of(&json!({"keys": [jwk(signs[0], own, &json!({}))]}));
            let good = json!({"alg": signs[0], "kid": "tested"});
            let good = key(algorithm(signs[0])).sign(&good, &claims()).unwrap();
            assert_eq!(verdict(&good, &keys, &expectations(), NOW), "allowed");
            for kid in [Some("tested"), None] {
                let message = |name: &str| {
                    let header = with(&json!({"alg": name}), &json!({"kid": kid}));
                    format!("{}.{}", encode(header.to_string()), encode(claims().to_string()))
                };
                for (name, digest) in [
                    ("HS256", hmac::HMAC_SHA256),
                    ("HS384", hmac::HMAC_SHA384),
                    ("HS512", hmac::HMAC_SHA512),
                    // The name of what would verify, the tag of an HMAC.
                    (signs[0], hmac::HMAC_SHA256),
                ] {
                    for secret in &secrets {
                        let message = message(name);
                        let tag = hmac::sign(&hmac::Key::new(digest, secret), message.as_bytes());
                        let token = format!("{message}.{}", encode(tag));
                        let expected =
                            if name == signs[0] { "signature_invalid" } else { "algorithm_not_allowed" };
                        assert_eq!(verdict(&token, &keys, &expectations(), NOW), expected, "{kind} {name}");
                        combinations += 1;
                    }
                }
                for name in ["none", "None", "NONE", "nOnE", "none ", "", "null"] {
                    for (signature, expected) in [
                        (String::new(), "token_unsigned"),
                        (encode("none"), "algorithm_not_allowed"),
                        (crate::parts(&good)[2].to_owned(), "algorithm_not_allowed"),
                    ] {
                        let token = format!("{}.{signature}", message(name));
                        assert_eq!(verdict(&token, &keys, &expectations(), NOW), expected, "{kind} {name}");
                        combinations += 1;
                    }
                }
            }
        }
    }
    assert_eq!(combinations, 5 * 2 * 2 * (4 * 8 + 7 * 3));
}
