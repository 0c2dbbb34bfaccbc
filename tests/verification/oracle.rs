//! Of all headers and claims, those are allowed, and only those, that an oracle allows: the rules, written
//! here once more.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::LazyLock;

use lambda_authorizer::jwks::{Algorithm, KeySet};
use lambda_authorizer::verify::{AudienceCheck, AudienceClaim, Expectations, Presence, Profile};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::properties::{ISSUER, config};
use crate::{NOW, key, keys_of, verdict, with};

/// The keys of the oracle's issuer: the tokens are signed by `one`.
static TWO_KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let one = with(&key(Algorithm::Ed25519).public_jwk(), &json!({"kid": "one", "alg": null}));
    let two = with(&key(Algorithm::ES256).public_jwk(), &json!({"kid": "two"}));
    keys_of(&json!({"keys": [one, two]}))
});

/// What is expected, and a token. Members without a value are absent.
#[derive(Clone, Debug)]
struct Case {
    profile: Profile,
    audience_claim: AudienceClaim,
    leeway: f64,
    max_age: Option<f64>,
    max_lifetime: Option<f64>,
    key_id: Presence,
    subject: Presence,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Case {
    fn expectations(&self) -> Expectations {
        let audience = AudienceCheck::OneOf(vec!["api".into(), "https://api.example/".into()]);
        let mut expectations = Expectations::new(self.profile, ISSUER, audience);
        expectations.algorithms.retain(|algorithm| *algorithm != Algorithm::RS256);
        expectations.audience_claim = self.audience_claim;
        expectations.leeway = self.leeway;
        expectations.max_age = self.max_age;
        expectations.max_lifetime = self.max_lifetime;
        expectations.key_id = self.key_id;
        expectations.subject = self.subject;
        expectations
    }

    fn token(&self) -> String {
        let [header, claims] = [&self.header, &self.claims].map(|members| Value::Object(members.clone()));
        key(Algorithm::Ed25519).sign(&header, &claims).unwrap()
    }
}

/// A member that mostly is what it should be: `None` stands for absent. Few members of one token are wrong,
/// and of some tokens none.
fn member(
    name: &'static str,
    right: Vec<Option<Value>>,
    wrong: Vec<Option<Value>>,
) -> BoxedStrategy<Option<(String, Value)>> {
    let odd = vec![
        Some(json!(null)),
        Some(json!(true)),
        Some(json!(0)),
        Some(json!(1.5)),
        Some(json!("")),
        Some(json!([])),
        Some(json!([null])),
        Some(json!({})),
        Some(json!("x")),
        Some(json!(["api", "x"])),
        Some(json!({"a": {"b": 1}})),
        None,
    ];
    prop_oneof![50 => select(right), 2 => select(wrong), 1 => select(odd)]
        .prop_map(move |value| value.map(|value| (name.to_owned(), value)))
        .boxed()
}

fn some(values: impl IntoIterator<Item = Value>) -> Vec<Option<Value>> {
    values.into_iter().map(Some).collect()
}

fn or_absent(values: impl IntoIterator<Item = Value>) -> Vec<Option<Value>> {
    let mut values = some(values);
    values.extend([None, None]);
    values
}

fn header_members() -> impl Strategy<Value = Map<String, Value>> {
    let absent = || vec![None];
    let text = |texts: &[&str]| some(texts.iter().map(|text| json!(text)));
    vec![
        member(
            "alg",
            text(&["EdDSA", "Ed25519"]),
            text(&["none", "HS256", "ES256", "ES256", "ES256", "RS256", "eddsa", "PS256", "EdDSA ", "Ed448"]),
        ),
        member(
            "kid",
            or_absent([json!("one"), json!("one"), json!("one")]),
            text(&["two", "One", "one ", "three", "../one"]),
        ),
        member(
            "typ",
            or_absent([json!("at+jwt"), json!("application/at+jwt"), json!("JWT"), json!("AT+JWT")]),
            text(&["dpop+jwt", "JOSE", "jwt ", "application/", "application/application/jwt", "id+jwt"]),
        ),
        member("cty", absent(), text(&["JWT", "jwt", "application/jwt", "application/JWT", "json", "jwt+x"])),
        member("crit", absent(), some([json!(["exp"]), json!(["b64"]), json!(false)])),
        member("b64", absent(), some([json!(true), json!(false)])),
        member("zip", absent(), text(&["DEF", "none"])),
        member("enc", absent(), text(&["A256GCM"])),
        member("jku", or_absent([json!("https://evil.example/")]), absent()),
        member("jwk", or_absent([json!({"kty": "oct", "k": "AA"})]), absent()),
    ]
    .prop_map(|members| members.into_iter().flatten().collect())
}

fn claim_members() -> impl Strategy<Value = Map<String, Value>> {
    let times = |offsets: &[f64]| some(offsets.iter().map(|offset| json!(NOW + offset)));
    let absurd =
        [json!(-1), json!(-0.0), json!(1e300), json!(u64::MAX), json!(NOW * 1000.0), json!("1800000300")];
    let edges = [json!(253_402_300_799_i64), json!(253_402_300_800_i64), json!(253_402_300_799.5)];
    let mut exp_wrong = times(&[-0.5, -10.0, -29.5, -30.0, -30.5, -300.0, -3600.0, 0.0]);
    exp_wrong.extend(some(absurd.clone()));
    exp_wrong.extend(some(edges.clone()));
    let mut nbf_wrong = times(&[0.5, 10.0, 29.5, 30.0, 30.5, 300.0, 301.0, 3600.0]);
    nbf_wrong.extend(some(absurd.clone()));
    nbf_wrong.extend(some(edges));
    let mut iat_wrong = times(&[-99.0, -100.0, -129.5, -130.0, -400.0, -1e6, 29.5, 30.0, 30.5, 400.0]);
    iat_wrong.extend(some(absurd));
    let text = |texts: &[&str]| some(texts.iter().map(|text| json!(text)));
    vec![
        member(
            "iss",
            some([json!(ISSUER)]),
            text(&["https://a.example", "HTTPS://A.EXAMPLE/", "https://a.example/ "]),
        ),
        member(
            "aud",
            some([json!("api"), json!(["api"]), json!(["x", "https://api.example/"]), json!(["api", "api"])]),
            some([
                json!("API"),
                json!("api "),
                json!(["x"]),
                json!(["api", 5]),
                json!([["api"]]),
                json!({"api": 1}),
                json!("x api"),
            ]),
        ),
        member("exp", times(&[0.5, 60.0, 60.0, 90.0, 300.0]), exp_wrong),
        member(
            "nbf",
            {
                let mut past = times(&[0.0, -60.0, -3600.0]);
                past.extend([None, None, None]);
                past
            },
            nbf_wrong,
        ),
        member("iat", times(&[0.0, -1.0, -10.0, -30.0]), iat_wrong),
        member("sub", some([json!("me"), json!(" "), json!("é")]), some([json!(["me"]), json!({"me": 1})])),
        member("jti", some([json!("1"), json!("é")]), some([json!(1), json!(["1"])])),
        member(
            "client_id",
            some([json!("api"), json!("https://api.example/")]),
            some([json!("web"), json!(["api"])]),
        ),
        member("azp", some([json!("api")]), some([json!("web"), json!(["api"])])),
        member("nonce", vec![None], some([json!("n")])),
        member("at_hash", vec![None], some([json!("h")])),
        member("c_hash", vec![None], some([json!("h")])),
        member("s_hash", vec![None], some([json!("h")])),
        member(
            "events",
            vec![None],
            some([json!({"http://schemas.openid.net/event/backchannel-logout": {}})]),
        ),
        member("token_use", vec![None], text(&["id", "access", "ID", "Access"])),
        member("typ", vec![None], text(&["ID", "Bearer", "Refresh", "Offline", "Logout", "id", "bearer"])),
        member("cnf", vec![None], some([json!({"jkt": "x"}), json!({"x5t#S256": "x"})])),
        member("scope", or_absent([json!("a b"), json!(["a"])]), some([json!(5)])),
        member("ISS", or_absent([json!("https://evil.example/")]), some([json!([])])),
    ]
    .prop_map(|members| members.into_iter().flatten().collect())
}

fn case() -> impl Strategy<Value = Case> {
    let presence = || prop_oneof![3 => Just(Presence::Optional), 1 => Just(Presence::Required)];
    let settings = (
        prop_oneof![
            4 => Just(Profile::AccessToken),
            1 => Just(Profile::IdToken),
            1 => Just(Profile::Rfc9068),
        ],
        prop_oneof![4 => Just(AudienceClaim::Aud), 1 => Just(AudienceClaim::ClientId), 1 => Just(AudienceClaim::Azp)],
        select(vec![0.0, 30.0, 300.0]),
        select(vec![None, None, Some(100.0), Some(3600.0)]),
        select(vec![None, None, Some(100.0), Some(3600.0)]),
        presence(),
        presence(),
    );
    let header = |alg: &str, kid: &str| {
        let header = json!({"alg": alg, "kid": kid, "typ": "at+jwt"});
        Just(header.as_object().unwrap().clone())
    };
    // One that is right, and one that names the key that did not sign.
    let header =
        prop_oneof![10 => header_members(), 10 => header("EdDSA", "one"), 1 => header("ES256", "two")];
    (settings, header, claim_members()).prop_map(|(settings, header, claims)| {
        let (profile, audience_claim, leeway, max_age, max_lifetime, key_id, subject) = settings;
        Case { profile, audience_claim, leeway, max_age, max_lifetime, key_id, subject, header, claims }
    })
}

/// The oracle: every rule that the case breaks, by the code of its refusal. Rules A1 to A3, A7, A9, C1 to
/// C7 and C9, and the configuration's limits.
fn broken(case: &Case) -> BTreeSet<&'static str> {
    let mut codes = broken_by_header(case);
    let claim = |name: &str| case.claims.get(name);
    let mut note = |code| {
        codes.insert(code);
    };
    // C1.
    match claim("iss") {
        None => note("claim_missing"),
        Some(Value::String(issuer)) if issuer == ISSUER => {}
        Some(Value::String(_)) => note("issuer_unknown"),
        Some(_) => note("claim_invalid"),
    }
    // C2.
    let ours = |value: &Value| value == "api" || value == "https://api.example/";
    match (claim(case.audience_claim.name()), case.audience_claim) {
        (None, _) => note("claim_missing"),
        (Some(Value::String(one)), _) if ours(&json!(one)) => {}
        (Some(Value::String(_)), _) => note("audience_mismatch"),
        (Some(Value::Array(several)), AudienceClaim::Aud) if several.iter().all(Value::is_string) => {
            if !several.iter().any(ours) {
                note("audience_mismatch");
            }
        }
        (Some(Value::Null), AudienceClaim::ClientId | AudienceClaim::Azp) => {
            // What an issuer does not know is no audience, and not a wrong type.
            note("claim_missing");
            note("claim_invalid");
        }
        (Some(_), _) => note("claim_invalid"),
    }
    // C3 to C5. A date is a number from 1970 to 9999.
    let date = |name: &str| -> Result<Option<f64>, ()> {
        match claim(name) {
            None => Ok(None),
            Some(Value::Number(number)) => {
                let seconds = number.as_f64().unwrap();
                if (0.0..253_402_300_800.0).contains(&seconds) { Ok(Some(seconds)) } else { Err(()) }
            }
            Some(_) => Err(()),
        }
    };
    let [expiry, start, issue] = ["exp", "nbf", "iat"].map(date);
    for date in [expiry, start, issue] {
        if date.is_err() {
            note("claim_invalid");
        }
    }
    match expiry {
        Ok(None) => note("claim_missing"),
        Ok(Some(expiry)) if NOW - expiry >= case.leeway => note("token_expired"),
        _ => {}
    }
    if let Ok(Some(start)) = start
        && start - NOW > case.leeway
    {
        note("token_not_yet_valid");
    }
    let is_dated =
        case.max_age.is_some() || case.max_lifetime.is_some() || case.profile != Profile::AccessToken;
    if is_dated && claim("iat").is_none() {
        note("claim_missing");
    }
    if let (Some(max_age), Ok(Some(issue))) = (case.max_age, issue) {
        if issue - NOW > case.leeway {
            note("token_not_yet_valid");
        }
        if NOW - issue >= max_age + case.leeway {
            note("token_too_old");
        }
    }
    if let (Some(most), Ok(Some(issue)), Ok(Some(expiry))) = (case.max_lifetime, issue, expiry)
        && expiry - issue > most
    {
        note("token_lifetime_too_long");
    }
    // C6.
    match claim("sub") {
        None if case.subject == Presence::Required => note("claim_missing"),
        None => {}
        Some(Value::String(subject)) if !subject.is_empty() || case.subject == Presence::Optional => {}
        Some(_) => note("claim_invalid"),
    }
    // Registered names that are texts where they are known.
    let is_there = |name: &str| claim(name).is_some_and(|value| !value.is_null());
    for name in ["jti", "client_id", "azp"] {
        if is_there(name) && !claim(name).unwrap().is_string() {
            note("claim_invalid");
        }
    }
    if case.profile == Profile::Rfc9068 {
        for name in ["jti", "client_id"] {
            match claim(name) {
                None | Some(Value::Null) => note("claim_missing"),
                Some(Value::String(text)) if !text.is_empty() => {}
                Some(_) => note("claim_invalid"),
            }
        }
    }
    // C7, by what the claims tell.
    let is_not = |name: &str, kind: &str| is_there(name) && claim(name) != Some(&json!(kind));
    let is_of_kind = |kinds: &[&str]| match claim("typ") {
        None | Some(Value::Null) => false,
        Some(Value::String(found)) => kinds.iter().any(|kind| kind.eq_ignore_ascii_case(found)),
        Some(_) => true,
    };
    let is_no_access_token = ["nonce", "at_hash", "c_hash", "s_hash", "events"].into_iter().any(is_there);
    let is_another_kind = if case.profile == Profile::IdToken {
        is_there("events")
            || is_not("token_use", "id")
            || is_of_kind(&["Bearer", "Refresh", "Offline", "Logout"])
    } else if case.profile == Profile::Rfc9068 {
        is_there("events")
    } else {
        is_no_access_token
            || is_not("token_use", "access")
            || is_of_kind(&["ID", "Refresh", "Offline", "Logout"])
    };
    if is_another_kind {
        note("token_type_unexpected");
    }
    // C9.
    if claim("cnf").is_some() {
        note("token_sender_constrained");
    }
    codes
}

fn broken_by_header(case: &Case) -> BTreeSet<&'static str> {
    let mut codes = BTreeSet::new();
    let mut note = |code| {
        codes.insert(code);
    };
    for (name, code) in [
        ("enc", "token_encrypted"),
        ("zip", "token_compressed"),
        ("b64", "payload_unencoded"),
        ("crit", "critical_header_unsupported"),
    ] {
        if case.header.contains_key(name) {
            note(code);
        }
    }
    let media_type = |name: &str| match case.header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => {
            let text = text.to_lowercase();
            Ok(Some(text.strip_prefix("application/").unwrap_or(&text).to_owned()))
        }
        Some(_) => Err(()),
    };
    match media_type("cty") {
        Err(()) => note("token_malformed"),
        Ok(Some(kind)) if kind == "jwt" => note("token_nested"),
        Ok(_) => {}
    }
    let types: &[Option<&str>] = if case.profile == Profile::IdToken {
        &[None, Some("jwt")]
    } else if case.profile == Profile::Rfc9068 {
        &[Some("at+jwt")]
    } else {
        &[None, Some("jwt"), Some("at+jwt")]
    };
    match media_type("typ") {
        Err(()) => note("token_malformed"),
        Ok(kind) if types.contains(&kind.as_deref()) => {}
        Ok(_) => note("token_type_unexpected"),
    }
    let known = ["RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
    let algorithm = case.header.get("alg").and_then(Value::as_str);
    match algorithm {
        None => note("token_malformed"),
        Some(algorithm) if known.contains(&algorithm) => {}
        Some(_) => note("algorithm_not_allowed"),
    }
    let of_one = matches!(algorithm, Some("EdDSA" | "Ed25519"));
    match case.header.get("kid") {
        None if case.key_id == Presence::Required => note("key_id_missing"),
        None if of_one => {}
        None if algorithm == Some("ES256") => note("signature_invalid"),
        None => note("key_not_found"),
        Some(Value::String(id)) if id == "one" && of_one => {}
        Some(Value::String(id)) if id == "two" && algorithm == Some("ES256") => note("signature_invalid"),
        Some(Value::String(id)) if id == "one" || id == "two" => note("key_mismatch"),
        Some(Value::String(_)) => note("key_not_found"),
        Some(_) => note("token_malformed"),
    }
    codes
}

/// Every refusal is of a rule that the token breaks, and what breaks none is allowed.
#[test]
fn an_oracle_agrees() {
    const CASES: u32 = 6000;
    let (allowed, seen) = (Cell::new(0), RefCell::new(BTreeSet::new()));
    let mut runner = TestRunner::new(config(CASES));
    let outcome = runner.run(&case(), |case| {
        let broken = broken(&case);
        let found = verdict(&case.token(), &TWO_KEYS, &case.expectations(), NOW);
        if broken.is_empty() {
            prop_assert_eq!(found, "allowed");
            allowed.set(allowed.get() + 1);
        } else {
            prop_assert!(broken.contains(found), "{}, and broken is {:?}", found, broken);
            seen.borrow_mut().insert(found);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    // Neither verdict is rare, and no rule goes untested.
    let allowed: u32 = allowed.get();
    assert!(allowed * 10 >= CASES && (CASES - allowed) * 10 >= CASES, "{allowed} of {CASES} are allowed");
    let every = [
        "algorithm_not_allowed",
        "audience_mismatch",
        "claim_invalid",
        "claim_missing",
        "critical_header_unsupported",
        "issuer_unknown",
        "key_id_missing",
        "key_mismatch",
        "key_not_found",
        "payload_unencoded",
        "signature_invalid",
        "token_compressed",
        "token_encrypted",
        "token_expired",
        "token_lifetime_too_long",
        "token_malformed",
        "token_nested",
        "token_not_yet_valid",
        "token_sender_constrained",
        "token_too_old",
        "token_type_unexpected",
    ];
    assert_eq!(seen.into_inner(), BTreeSet::from(every));
}
