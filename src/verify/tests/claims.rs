//! What is asked of the claims, each refusal beside what is allowed.

use serde_json::{Value, json};

use super::*;
use crate::claims::ClaimPath;
use crate::error::Code;

/// Checks ordinary claims with these changes against ordinary expectations with those.
fn check_with(changes: &Value, adjust: impl FnOnce(&mut Expectations)) -> Result<Principal, Reason> {
    let signer = Signer::new();
    let mut expectations = expectations();
    adjust(&mut expectations);
    let token = signer.sign(&header(), &with(claims(), changes.clone()));
    check_against(&token, &signer.keys(), &expectations)
}

fn code_with(changes: &Value, adjust: impl FnOnce(&mut Expectations)) -> Option<&'static str> {
    check_with(changes, adjust).err().map(|reason| reason.code().name())
}

fn path(text: &str) -> ClaimPath {
    text.parse().unwrap()
}

/// Rules C1 to C4 and C9, each refusal beside what is allowed.
#[test]
fn claims_are_checked_by_value_and_type() {
    for (changes, expected) in [
        (json!({"iss": [ISSUER]}), Some("claim_invalid")),
        (json!({"iss": null}), Some("claim_missing")),
        (json!({"iss": "https://issuer.example"}), Some("issuer_unknown")),
        (json!({"aud": ["other", "web"]}), None),
        (json!({"aud": ["other"]}), Some("audience_mismatch")),
        (json!({"aud": "API"}), Some("audience_mismatch")),
        (json!({"aud": null}), Some("claim_missing")),
        (json!({"aud": []}), Some("audience_mismatch")),
        (json!({"aud": ["api", 5]}), Some("claim_invalid")),
        (json!({"aud": 5}), Some("claim_invalid")),
        (json!({"aud": {"api": true}}), Some("claim_invalid")),
        (json!({"exp": null}), Some("claim_missing")),
        (json!({"exp": (NOW + 60.0).to_string()}), Some("claim_invalid")),
        (json!({"exp": true}), Some("claim_invalid")),
        (json!({"exp": NOW - 29.5}), None),
        (json!({"exp": NOW - 30.0}), Some("token_expired")),
        (json!({"exp": NOW + 0.5}), None),
        (json!({"exp": 0}), Some("token_expired")),
        (json!({"exp": -1}), Some("claim_invalid")),
        (json!({"exp": 253_402_300_799_i64}), None),
        (json!({"exp": 253_402_300_800_i64}), Some("claim_invalid")),
        (json!({"exp": (NOW + 60.0) * 1e6}), Some("claim_invalid")),
        (json!({"exp": u64::MAX}), Some("claim_invalid")),
        (json!({"exp": 1e300}), Some("claim_invalid")),
        (json!({"exp": [NOW + 60.0]}), Some("claim_invalid")),
        (json!({"nbf": 0}), None),
        (json!({"nbf": NOW + 30.0}), None),
        (json!({"nbf": NOW + 30.5}), Some("token_not_yet_valid")),
        (json!({"nbf": "0"}), Some("claim_invalid")),
        (json!({"iat": NOW - 5.0}), None),
        (json!({"iat": NOW + 3600.0}), None),
        (json!({"iat": "now"}), Some("claim_invalid")),
        (json!({"iat": -1}), Some("claim_invalid")),
        (json!({"sub": null}), Some("claim_missing")),
        (json!({"sub": ""}), Some("claim_invalid")),
        (json!({"sub": 7}), Some("claim_invalid")),
        (json!({"sub": ["me"]}), Some("claim_invalid")),
        (json!({"jti": "1", "client_id": "web", "azp": "web"}), None),
        (json!({"jti": 1}), Some("claim_invalid")),
        (json!({"client_id": 1}), Some("claim_invalid")),
        (json!({"azp": ["web"]}), Some("claim_invalid")),
        (json!({"cnf": "none"}), Some("token_sender_constrained")),
        (
            json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}),
            Some("token_sender_constrained"),
        ),
    ] {
        assert_eq!(check_claims(changes.clone()).err(), expected, "{changes}");
    }
}

/// What an issuer writes for what it does not know.
#[test]
fn a_claim_that_is_null_is_absent_where_it_may_be() {
    let signer = Signer::new();
    for (claim, expected) in [
        ("jti", None),
        ("client_id", None),
        ("azp", None),
        ("nonce", None),
        ("token_use", None),
        ("sub", Some("claim_invalid")),
        ("aud", Some("claim_invalid")),
        ("iss", Some("claim_invalid")),
        ("exp", Some("claim_invalid")),
        ("nbf", Some("claim_invalid")),
        ("iat", Some("claim_invalid")),
        ("cnf", Some("token_sender_constrained")),
    ] {
        let mut claims = claims();
        claims[claim] = Value::Null;
        let found = check(&signer.sign(&header(), &claims), &signer.keys());
        assert_eq!(found.err().map(|reason| reason.code().name()), expected, "{claim}");
    }
}

/// Rule C2, for issuers whose access tokens name the client instead.
#[test]
fn the_audience_is_looked_for_in_the_claim_that_is_configured() {
    for (claim, changes, expected) in [
        (AudienceClaim::ClientId, json!({"client_id": "api", "aud": null}), None),
        (AudienceClaim::ClientId, json!({"client_id": "web", "aud": "other"}), None),
        (AudienceClaim::ClientId, json!({"client_id": "other", "aud": "api"}), Some("audience_mismatch")),
        (AudienceClaim::ClientId, json!({"client_id": ["api"]}), Some("claim_invalid")),
        (AudienceClaim::ClientId, json!({}), Some("claim_missing")),
        (AudienceClaim::Azp, json!({"azp": "api", "aud": null}), None),
        (AudienceClaim::Azp, json!({"azp": "API"}), Some("audience_mismatch")),
        (AudienceClaim::Azp, json!({"azp": {"api": 1}}), Some("claim_invalid")),
        (AudienceClaim::Aud, json!({"client_id": "api", "azp": "api", "aud": null}), Some("claim_missing")),
    ] {
        assert_eq!(
            code_with(&changes, |expected| expected.audience_claim = claim),
            expected,
            "{claim:?} {changes}"
        );
    }
    let unchecked = |expected: &mut Expectations| expected.audience = AudienceCheck::Unchecked;
    for aud in [json!(null), json!("other"), json!(5)] {
        assert_eq!(code_with(&json!({"aud": aud}), unchecked), None);
    }
}

/// Behind the signature the operator is told for whom the token is, within bounds.
#[test]
fn a_mismatch_tells_the_audience() {
    let found = |aud: Value| match check_with(&json!({"aud": aud}), |_| ()) {
        Err(Reason::AudienceMismatch { claim: "aud", found }) => found,
        other => panic!("{other:?}"),
    };
    assert_eq!(found(json!("other")), "\"other\"");
    assert_eq!(found(json!(["a\n", "b"])), "[\"a\\n\",\"b\"]");
    assert_eq!(found(json!("a\u{202e}\u{7f}é")), "\"a???\"");
    let long = found(json!("e".repeat(500)));
    assert_eq!((long.chars().count(), long.ends_with('…')), (201, true));
    assert_eq!(found(json!("e".repeat(198))), format!("\"{}\"", "e".repeat(198)));
}

/// Rule C6.
#[test]
fn a_subject_may_be_absent_where_the_configuration_says_so() {
    let optional = |expected: &mut Expectations| expected.subject = Presence::Optional;
    for (sub, expected) in
        [(Value::Null, None), (json!("me"), None), (json!(""), None), (json!(7), Some("claim_invalid"))]
    {
        assert_eq!(code_with(&json!({"sub": sub}), optional), expected, "{sub}");
    }
}

/// Rule A9: a token that names no key is refused where the configuration says so.
#[test]
fn a_key_id_may_be_required() {
    let signer = Signer::new();
    let mut expectations = expectations();
    let mut code = |header: &Value, key_id| {
        expectations.key_id = key_id;
        let verified = verify(&signer.sign(header, &claims()), &signer.keys(), &expectations, NOW);
        verified.err().map(|rejection| rejection.reason.code())
    };
    let unnamed = json!({"alg": "ES256"});
    assert_eq!(code(&unnamed, Presence::Optional), None);
    assert_eq!(code(&unnamed, Presence::Required), Some(Code::KeyIdMissing));
    assert_eq!(code(&header(), Presence::Required), None);
}

#[test]
fn the_age_of_a_token_may_be_limited() {
    let limited = |expected: &mut Expectations| expected.max_age = Some(100.0);
    for (iat, expected) in [
        (json!(NOW), None),
        (json!(NOW - 129.5), None),
        (json!(NOW - 130.0), Some("token_too_old")),
        (json!(NOW + 30.0), None),
        (json!(NOW + 30.5), Some("token_not_yet_valid")),
        (json!(NOW.to_string()), Some("claim_invalid")),
        (Value::Null, Some("claim_missing")),
    ] {
        assert_eq!(code_with(&json!({"iat": iat}), limited), expected, "{iat}");
    }
    assert_eq!(code_with(&json!({"iat": 0}), |_| ()), None);
}

/// A library's user may compute a time that is no number: it is no time at which a token is valid.
#[test]
fn what_is_no_number_is_no_limit_that_holds() {
    let signer = Signer::new();
    let token = signer.sign(&header(), &with(claims(), json!({"iat": NOW, "nbf": NOW})));
    let code = |expectations: &Expectations, now| {
        verify(&token, &signer.keys(), expectations, now).err().map(|rejection| rejection.reason.code())
    };
    assert_eq!(code(&expectations(), NOW), None);
    assert_eq!(code(&expectations(), f64::NAN), Some(Code::TokenExpired));
    let adjusted = |adjust: fn(&mut Expectations)| {
        let mut expectations = expectations();
        adjust(&mut expectations);
        code(&expectations, NOW)
    };
    assert_eq!(adjusted(|expected| expected.leeway = f64::NAN), Some(Code::TokenExpired));
    assert_eq!(adjusted(|expected| expected.max_age = Some(f64::NAN)), Some(Code::TokenTooOld));
    assert_eq!(adjusted(|expected| expected.max_lifetime = Some(f64::NAN)), Some(Code::TokenLifetimeTooLong));
}

#[test]
fn the_lifetime_of_a_token_may_be_limited() {
    let limited = |expected: &mut Expectations| expected.max_lifetime = Some(100.0);
    for (iat, exp, expected) in [
        (json!(NOW - 40.0), NOW + 60.0, None),
        (json!(NOW - 41.0), NOW + 60.0, Some("token_lifetime_too_long")),
        (json!(NOW), NOW + 100.0, None),
        (json!(NOW), NOW + 101.0, Some("token_lifetime_too_long")),
        (json!(NOW), NOW - 30.0, Some("token_expired")),
        (json!("0"), NOW + 60.0, Some("claim_invalid")),
        (Value::Null, NOW + 60.0, Some("claim_missing")),
    ] {
        assert_eq!(code_with(&json!({"iat": iat, "exp": exp}), limited), expected, "{iat} {exp}");
    }
}

#[test]
fn claims_may_be_required() {
    let one = ClaimRule::Present(vec![path("org.tenant")]);
    let either = ClaimRule::Present(vec![path("scp"), path("roles")]);
    let text = ClaimRule::Text(vec![path("a"), path("b")]);
    for (rule, changes, expected) in [
        (&one, json!({"org": {"tenant": "t"}}), None),
        (&one, json!({"org": {"tenant": 0}}), None),
        (&one, json!({"org": {"tenant": ["t"]}}), None),
        (&one, json!({"org": {"tenant": ""}}), Some("claim_missing")),
        (&one, json!({"org": {"tenant": []}}), Some("claim_missing")),
        (&one, json!({"org": {"tenant": {}}}), Some("claim_missing")),
        (&one, json!({"org": {"tenant": null}}), Some("claim_missing")),
        (&one, json!({"org": {"Tenant": "t"}}), Some("claim_missing")),
        (&one, json!({"org": "tenant"}), Some("claim_missing")),
        (&either, json!({"roles": ["x"]}), None),
        (&either, json!({"scp": "x", "roles": ["x"]}), None),
        (&either, json!({"scp": [], "roles": ["x"]}), None),
        (&either, json!({"role": ["x"]}), Some("claim_missing")),
        (&text, json!({"a": "x"}), None),
        (&text, json!({"a": "", "b": "x"}), None),
        (&text, json!({"a": ["x"]}), Some("claim_invalid")),
        (&text, json!({"b": false}), Some("claim_invalid")),
        (&text, json!({"b": ""}), Some("claim_invalid")),
        (&text, json!({"c": "x"}), Some("claim_missing")),
    ] {
        assert_eq!(code_with(&changes, |expected| expected.require(rule.clone())), expected, "{changes}");
    }
    let missing = check_with(&json!({}), |expected| expected.require(either)).unwrap_err();
    assert_eq!(missing.to_string(), "the claim `scp` or `roles` is missing or empty");
}

/// A value is one of a type: `"5"` is not 5, and `"true"` not true.
#[test]
fn values_of_claims_may_be_required() {
    let rule =
        |values: Value| ClaimRule::Value { claim: path("a.b"), values: values.as_array().unwrap().clone() };
    for (values, found, expected) in [
        (json!(["x"]), json!("x"), None),
        (json!(["x", "y"]), json!("y"), None),
        (json!(["x"]), json!(["w", "x"]), None),
        (json!([5]), json!(5), None),
        (json!([true]), json!(true), None),
        (json!([true]), json!([false, true]), None),
        (json!(["x"]), json!("X"), Some("claim_mismatch")),
        (json!(["x"]), json!("x y"), Some("claim_mismatch")),
        (json!(["x"]), json!([]), Some("claim_mismatch")),
        (json!(["x"]), json!([["x"]]), Some("claim_mismatch")),
        (json!(["5"]), json!(5), Some("claim_mismatch")),
        (json!([5]), json!("5"), Some("claim_mismatch")),
        (json!([true]), json!("true"), Some("claim_mismatch")),
        (json!([true]), json!(1), Some("claim_mismatch")),
        (json!(["x"]), json!({"x": true}), Some("claim_invalid")),
        (json!(["x"]), Value::Null, Some("claim_missing")),
    ] {
        let changes = json!({"a": {"b": found}});
        let required = |expected: &mut Expectations| expected.require(rule(values.clone()));
        assert_eq!(code_with(&changes, required), expected, "{values} {changes}");
    }
}

#[test]
fn a_time_may_have_to_have_passed() {
    let rule = ClaimRule::Past(path("auth_time"));
    for (time, expected) in [
        (json!(NOW - 1.0), None),
        (json!(NOW + 30.0), None),
        (json!(NOW + 30.5), Some("claim_invalid")),
        (json!("0"), Some("claim_invalid")),
        (json!(-1), Some("claim_invalid")),
        (Value::Null, Some("claim_missing")),
    ] {
        let past = |expected: &mut Expectations| expected.require(rule.clone());
        assert_eq!(code_with(&json!({"auth_time": time}), past), expected, "{time}");
    }
}

/// Rule C7, where the claims say what the token is.
#[test]
fn a_claim_tells_what_kind_of_token_it_is() {
    let kind = ClaimRule::Kind { claim: path("use"), kind: "access" };
    let if_there = ClaimRule::KindIfThere { claim: path("use"), kind: "access" };
    let not_kind = ClaimRule::NotKind { claim: path("use"), kinds: &["id", "refresh"] };
    let absent = ClaimRule::Absent(path("use"));
    for (rule, found, expected) in [
        (&kind, json!("access"), None),
        (&kind, json!("id"), Some("token_type_unexpected")),
        (&kind, json!(["access"]), Some("token_type_unexpected")),
        (&kind, Value::Null, Some("claim_missing")),
        (&if_there, json!("access"), None),
        (&if_there, Value::Null, None),
        (&if_there, json!("Access"), Some("token_type_unexpected")),
        (&if_there, json!("refresh"), Some("token_type_unexpected")),
        (&if_there, json!(["access"]), Some("token_type_unexpected")),
        (&not_kind, json!("access"), None),
        (&not_kind, json!("Idea"), None),
        (&not_kind, json!(5), Some("token_type_unexpected")),
        (&not_kind, json!(["id"]), Some("token_type_unexpected")),
        (&not_kind, json!("ID"), Some("token_type_unexpected")),
        (&not_kind, Value::Null, None),
        (&not_kind, json!("id"), Some("token_type_unexpected")),
        (&not_kind, json!("refresh"), Some("token_type_unexpected")),
        (&absent, Value::Null, None),
        (&absent, json!(""), Some("token_type_unexpected")),
        (&absent, json!(false), Some("token_type_unexpected")),
    ] {
        let told = |expected: &mut Expectations| expected.require(rule.clone());
        assert_eq!(code_with(&json!({"use": found}), told), expected, "{rule:?} {found}");
    }
    let told = check_with(&json!({"use": "id"}), |expected| expected.require(absent)).unwrap_err();
    assert_eq!(told, Reason::TokenTypeUnexpected { member: "use".into() });
}

/// What tells the most is told first: of a token that is wrong in every way, what it is, not when it ended.
#[test]
fn the_kind_of_a_token_counts_before_its_audience_and_that_before_its_times() {
    let wrong = json!({"nonce": "n", "aud": "other", "exp": 0, "sub": null, "cnf": {}});
    let codes: Vec<_> =
        [json!({}), json!({"nonce": null}), json!({"aud": "api"}), json!({"exp": NOW}), json!({"sub": "me"})]
            .into_iter()
            .scan(wrong, |claims, change| {
                for (name, value) in change.as_object().unwrap() {
                    claims[name] = value.clone();
                }
                Some(code_with(claims, |_| ()))
            })
            .collect();
    let expected = [
        "token_type_unexpected",
        "audience_mismatch",
        "token_expired",
        "claim_missing",
        "token_sender_constrained",
    ];
    assert_eq!(codes, expected.map(Some));
}

/// Who looks for what is wrong sees all of it at once, and what cannot be looked at.
#[test]
fn an_explanation_goes_on_behind_what_fails() {
    let signer = Signer::new();
    let explain = |token: &str, keys: &KeySet| {
        let explained = explain(Presented::bearer(token), Some(keys), &expectations(), NOW);
        let verdict = |checked: &Checked| match &checked.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed(reason) => reason.code().name(),
            Verdict::Open => "open",
        };
        let of = |name: &str| explained.checks.iter().find(|checked| checked.name == name).map(verdict);
        ["form", "iss", "typ", "alg", "key", "signature", "aud", "exp", "sub"]
            .map(|name| of(name).unwrap_or("-"))
    };
    let token = signer.sign(&header(), &with(claims(), json!({"exp": NOW - 60.0, "aud": "other"})));
    assert_eq!(
        explain(&token, &signer.keys()),
        [
            "passed",
            "passed",
            "passed",
            "passed",
            "passed",
            "passed",
            "audience_mismatch",
            "token_expired",
            "passed"
        ]
    );
    let good = signer.sign(&header(), &claims());
    assert_eq!(explain(&good, &signer.keys()), ["passed"; 9]);
    assert_eq!(explain(&good, &Signer::new().keys())[4..6], ["passed", "signature_invalid"]);
    let unknown = signer.sign(&with(header(), json!({"kid": "two", "typ": "id+jwt"})), &claims());
    assert_eq!(
        explain(&unknown, &signer.keys())[2..6],
        ["token_type_unexpected", "passed", "key_not_found", "open"]
    );
    assert_eq!(explain("a.b", &signer.keys())[..2], ["token_malformed", "-"]);
}
