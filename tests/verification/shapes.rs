//! Every claim and every header parameter with every type of JSON: the verdicts are computed from tables, and
//! their number is checked, so that none goes missing.

use lambda_authorizer::jwks::{Algorithm, KeySet};
use lambda_authorizer::verify::Profile;
use serde_json::{Value, json};

use crate::cross::{claims, expectations};
use crate::samples::typical;
use crate::{KEY_SET, NOW, key, verdict, with};

/// Every type that JSON has, by name, with a value that would do if the type did: `good` is one.
fn shapes(good: &Value) -> Vec<(&'static str, Option<Value>)> {
    vec![
        ("absent", None),
        ("null", Some(json!(null))),
        ("false", Some(json!(false))),
        ("true", Some(json!(true))),
        ("good", Some(good.clone())),
        ("integer", Some(json!(NOW as u64 - 10))),
        ("fraction", Some(json!(NOW - 10.5))),
        ("negative", Some(json!(-1))),
        ("milliseconds", Some(json!(NOW * 1000.0))),
        ("string", Some(json!("another"))),
        ("number in quotes", Some(json!("1799999990"))),
        ("empty string", Some(json!(""))),
        ("empty array", Some(json!([]))),
        ("array of good", Some(json!([good]))),
        ("array of strings", Some(json!(["another", "more"]))),
        ("array of good and integer", Some(json!([good, 5]))),
        ("array of integer", Some(json!([5]))),
        ("array of boolean", Some(json!([true]))),
        ("array of null", Some(json!([null]))),
        ("array of array", Some(json!([[good]]))),
        ("array of object", Some(json!([{}]))),
        ("empty object", Some(json!({}))),
        ("object", Some(json!({"value": good}))),
    ]
}

/// What is written for one claim under one profile: by shape, and for every other shape.
struct Row {
    claim: &'static str,
    good: Value,
    by_shape: &'static [(&'static str, &'static str)],
    otherwise: &'static str,
}

fn row(
    claim: &'static str,
    good: Value,
    otherwise: &'static str,
    by_shape: &'static [(&'static str, &'static str)],
) -> Row {
    Row { claim, good, by_shape, otherwise }
}

/// A claim that only an ID token has: whatever it is, if it is there.
const MARK: &[(&str, &str)] = &[("absent", "allowed"), ("null", "allowed")];

/// A claim that may be there, and then is a string. Some issuers write `null` for what they do not know.
const TEXT: &[(&str, &str)] = &[
    ("absent", "allowed"),
    ("null", "allowed"),
    ("good", "allowed"),
    ("string", "allowed"),
    ("number in quotes", "allowed"),
    ("empty string", "allowed"),
];

/// A claim that must be there, and is a string that is not empty.
const REQUIRED_TEXT: &[(&str, &str)] = &[
    ("absent", "claim_missing"),
    ("null", "claim_missing"),
    ("good", "allowed"),
    ("string", "allowed"),
    ("number in quotes", "allowed"),
];

/// A date that may be there, in the past.
const PAST: &[(&str, &str)] =
    &[("absent", "allowed"), ("good", "allowed"), ("integer", "allowed"), ("fraction", "allowed")];

/// A date that must be there, in the past.
const REQUIRED_PAST: &[(&str, &str)] =
    &[("absent", "claim_missing"), ("good", "allowed"), ("integer", "allowed"), ("fraction", "allowed")];

/// The same of Firebase, which asks for more than the type.
const PASSED: &[(&str, &str)] = &[
    ("absent", "claim_missing"),
    ("null", "claim_missing"),
    ("good", "allowed"),
    ("integer", "allowed"),
    ("fraction", "allowed"),
];

/// A claim that must be there, whatever it is, and not be empty.
const REQUIRED: &[(&str, &str)] = &[
    ("absent", "claim_missing"),
    ("null", "claim_missing"),
    ("empty string", "claim_missing"),
    ("empty array", "claim_missing"),
    ("empty object", "claim_missing"),
];

/// A client that is the audience: one, and no list.
const CLIENT: &[(&str, &str)] = &[
    ("absent", "claim_missing"),
    ("null", "claim_missing"),
    ("good", "allowed"),
    ("string", "audience_mismatch"),
    ("number in quotes", "audience_mismatch"),
];

/// The claim that tells the kind of token: what it must be, exactly.
const KIND: &[(&str, &str)] = &[("absent", "claim_missing"), ("null", "claim_missing"), ("good", "allowed")];

/// The same, where the claim may be absent.
const KIND_IF_THERE: &[(&str, &str)] = &[("absent", "allowed"), ("null", "allowed"), ("good", "allowed")];

/// A text that is not the one of another kind of token, which here is the good one.
const ANOTHER_KIND: &[(&str, &str)] = &[
    ("absent", "allowed"),
    ("null", "allowed"),
    ("string", "allowed"),
    ("number in quotes", "allowed"),
    ("empty string", "allowed"),
];

/// A claim that nobody looks at.
const FREE: &[(&str, &str)] = &[];

/// Rules C1 to C4, C6 and C9: the same under every profile.
fn common(issuer: &str, audience: &str) -> Vec<Row> {
    vec![
        row(
            "iss",
            json!(issuer),
            "claim_invalid",
            &[
                ("absent", "claim_missing"),
                ("good", "allowed"),
                ("string", "issuer_unknown"),
                ("number in quotes", "issuer_unknown"),
                ("empty string", "issuer_unknown"),
            ],
        ),
        row(
            "aud",
            json!(audience),
            "claim_invalid",
            &[
                ("absent", "claim_missing"),
                ("good", "allowed"),
                ("string", "audience_mismatch"),
                ("number in quotes", "audience_mismatch"),
                ("empty string", "audience_mismatch"),
                ("empty array", "audience_mismatch"),
                ("array of good", "allowed"),
                ("array of strings", "audience_mismatch"),
            ],
        ),
        // The integer and the fraction lie within the leeway.
        row(
            "exp",
            json!(NOW + 300.0),
            "claim_invalid",
            &[
                ("absent", "claim_missing"),
                ("good", "allowed"),
                ("integer", "allowed"),
                ("fraction", "allowed"),
            ],
        ),
        row("nbf", json!(NOW - 300.0), "claim_invalid", PAST),
        row(
            "sub",
            json!("user-7f1c"),
            "claim_invalid",
            &[
                ("absent", "claim_missing"),
                ("good", "allowed"),
                ("string", "allowed"),
                ("number in quotes", "allowed"),
            ],
        ),
        row("cnf", json!({"jkt": "0ZcOCORZNYy"}), "token_sender_constrained", &[("absent", "allowed")]),
    ]
}

/// Where a profile asks for more than the type.
fn of_profile(profile: Profile) -> Vec<Row> {
    use Profile::{AccessToken, Auth0, AwsIam, CognitoAccess, CognitoId, Entra, Firebase, Google, IdToken};
    use Profile::{Keycloak, Okta, Rfc9068};
    let text = |claim, rule| row(claim, json!("web"), "claim_invalid", rule);
    let marks = ["nonce", "at_hash", "c_hash", "s_hash"];
    let mark = match profile {
        AccessToken | Auth0 => ("token_type_unexpected", MARK),
        // What else they ask for says more than the want of a mark.
        IdToken | Rfc9068 | CognitoAccess | CognitoId | Okta | Entra | Keycloak | Google | Firebase
        | AwsIam => ("allowed", FREE),
    };
    let mut rows: Vec<Row> = marks.map(|claim| row(claim, json!("n-0S6"), mark.0, mark.1)).into();
    rows.push(match profile {
        AccessToken | Rfc9068 | Auth0 | Okta | Entra | IdToken => {
            row("events", json!({}), "token_type_unexpected", MARK)
        }
        CognitoAccess | CognitoId | Keycloak | Google | Firebase | AwsIam => {
            row("events", json!({}), "allowed", FREE)
        }
    });
    let kind = |claim, good: &str, rule| row(claim, json!(good), "token_type_unexpected", rule);
    rows.push(match profile {
        CognitoAccess => kind("token_use", "access", KIND),
        CognitoId => kind("token_use", "id", KIND),
        AccessToken => kind("token_use", "access", KIND_IF_THERE),
        IdToken => kind("token_use", "id", KIND_IF_THERE),
        Rfc9068 | Auth0 | Okta | Entra | Keycloak | Google | Firebase | AwsIam => {
            row("token_use", json!("id"), "allowed", FREE)
        }
    });
    rows.push(match profile {
        Keycloak => kind("typ", "Bearer", KIND),
        AccessToken => kind("typ", "ID", ANOTHER_KIND),
        IdToken => kind("typ", "Bearer", ANOTHER_KIND),
        Rfc9068 | CognitoAccess | CognitoId | Auth0 | Okta | Entra | Google | Firebase | AwsIam => {
            row("typ", json!("ID"), "allowed", FREE)
        }
    });
    rows.push(match profile {
        Firebase => row("iat", json!(NOW - 60.0), "claim_invalid", PASSED),
        IdToken | Rfc9068 | Google | AwsIam => row("iat", json!(NOW - 60.0), "claim_invalid", REQUIRED_PAST),
        AccessToken | CognitoAccess | CognitoId | Auth0 | Okta | Entra | Keycloak => {
            row("iat", json!(NOW - 60.0), "claim_invalid", PAST)
        }
    });
    let past = json!(NOW - 60.0);
    rows.push(if profile == Firebase {
        row("auth_time", past, "claim_invalid", PASSED)
    } else {
        row("auth_time", past, "allowed", FREE)
    });
    rows.push(if profile == CognitoAccess {
        row("client_id", json!(typical(profile).audience), "claim_invalid", CLIENT)
    } else {
        text("client_id", if profile == Rfc9068 { REQUIRED_TEXT } else { TEXT })
    });
    let of =
        |profiles: [Profile; 2], rule, otherwise| if profiles.contains(&profile) { rule } else { otherwise };
    rows.push(text("jti", of([Rfc9068, AwsIam], REQUIRED_TEXT, TEXT)));
    rows.push(text("azp", of([Auth0, Entra], REQUIRED_TEXT, TEXT)));
    // What a scope is worth is asked when a route asks for it (rule C8).
    rows.push(row("scope", json!("orders:read"), "allowed", FREE));
    rows.push(row("scp", json!("orders:read"), "allowed", of([Okta, Entra], REQUIRED, FREE)));
    rows.push(if profile == Okta {
        text("cid", REQUIRED_TEXT)
    } else {
        row("cid", json!("web"), "allowed", FREE)
    });
    rows
}

#[test]
fn every_claim_with_every_type_under_every_profile() {
    let mut combinations = 0;
    for profile in Profile::ALL {
        let sample = typical(profile);
        // Ed25519 is the fastest. Which algorithms a profile has is tested in `profiles`.
        let mut expectations = sample.expectations(profile);
        expectations.algorithms = vec![Algorithm::Ed25519];
        let header = with(&sample.header, &json!({"alg": "Ed25519", "kid": "Ed25519"}));
        let mut rows = common(&expectations.issuer, sample.audience);
        if profile == Profile::CognitoAccess {
            // Its audience is in `client_id`, below.
            rows.retain(|row| row.claim != "aud");
            rows.push(row("aud", json!("https://api.example.com"), "allowed", FREE));
        }
        rows.extend(of_profile(profile));
        for row in rows {
            let shapes = shapes(&row.good);
            for (name, _) in row.by_shape {
                assert!(shapes.iter().any(|(shape, _)| shape == name), "{name} is no shape");
            }
            for (shape, value) in shapes {
                let expected = row.by_shape.iter().find(|(name, _)| *name == shape);
                let expected = expected.map_or(row.otherwise, |(_, expected)| *expected);
                let mut claims = sample.claims.clone();
                claims.as_object_mut().unwrap().remove(row.claim);
                if let Some(value) = value {
                    claims[row.claim] = value;
                }
                let token = key(Algorithm::Ed25519).sign(&header, &claims).unwrap();
                let found = verdict(&token, &KEY_SET, &expectations, NOW);
                assert_eq!(found, expected, "{profile:?}, `{}`, {shape}: {claims}", row.claim);
                combinations += 1;
            }
        }
    }
    assert_eq!(combinations, 12 * (6 + 15) * 23);
}

/// Header parameters, by type (rules A7, A9, C7 and F3): one of another type is no parameter of ours.
#[test]
fn every_header_parameter_with_every_type() {
    let keys: &KeySet = &KEY_SET;
    let mut combinations = 0;
    for row in [
        row(
            "alg",
            json!("Ed25519"),
            "token_malformed",
            &[
                ("good", "allowed"),
                ("string", "algorithm_not_allowed"),
                ("number in quotes", "algorithm_not_allowed"),
                ("empty string", "algorithm_not_allowed"),
            ],
        ),
        row(
            "kid",
            json!("Ed25519"),
            "token_malformed",
            &[
                // Two keys of the set are Ed25519 keys.
                ("absent", "key_ambiguous"),
                ("good", "allowed"),
                ("string", "key_not_found"),
                ("number in quotes", "key_not_found"),
                ("empty string", "key_not_found"),
            ],
        ),
        row(
            "typ",
            json!("JWT"),
            "token_malformed",
            &[
                ("absent", "allowed"),
                ("good", "allowed"),
                ("string", "token_type_unexpected"),
                ("number in quotes", "token_type_unexpected"),
                ("empty string", "token_type_unexpected"),
            ],
        ),
        row(
            "cty",
            json!("JWT"),
            "token_malformed",
            &[
                ("absent", "allowed"),
                ("good", "token_nested"),
                ("string", "allowed"),
                ("number in quotes", "allowed"),
                ("empty string", "allowed"),
            ],
        ),
        row("crit", json!(["exp"]), "critical_header_unsupported", &[("absent", "allowed")]),
        row("b64", json!(false), "payload_unencoded", &[("absent", "allowed")]),
        row("zip", json!("DEF"), "token_compressed", &[("absent", "allowed")]),
        row("enc", json!("A256GCM"), "token_encrypted", &[("absent", "allowed")]),
        // Rule A8: never used, whatever they hold.
        row("jwk", json!({"kty": "oct", "k": "AA"}), "allowed", FREE),
        row("jku", json!("https://evil.example/"), "allowed", FREE),
        row("x5u", json!("https://evil.example/"), "allowed", FREE),
        row("x5c", json!(["MIID"]), "allowed", FREE),
        row("x5t", json!("bwcK0esc3ACC3DB2Y5_lESsXE8o"), "allowed", FREE),
        row("x5t#S256", json!("bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"), "allowed", FREE),
        row("nonce", json!("n"), "allowed", FREE),
        row("url", json!("https://evil.example/"), "allowed", FREE),
        // Names are compared exactly (rule F5).
        row("Crit", json!(["exp"]), "allowed", FREE),
        row("KID", json!("ES256"), "allowed", FREE),
    ] {
        for (shape, value) in shapes(&row.good) {
            let mut header = json!({"alg": "Ed25519", "kid": "Ed25519", "typ": "JWT"});
            header.as_object_mut().unwrap().remove(row.claim);
            if let Some(value) = value {
                header[row.claim] = value;
            }
            let expected = row.by_shape.iter().find(|(name, _)| *name == shape);
            let expected = expected.map_or(row.otherwise, |(_, expected)| *expected);
            let token = key(Algorithm::Ed25519).sign(&header, &claims()).unwrap();
            assert_eq!(verdict(&token, keys, &expectations(), NOW), expected, "{shape}: {header}");
            combinations += 1;
        }
    }
    assert_eq!(combinations, 18 * 23);
}
