use super::*;
use serde_json::json;

fn principal(claims: Value) -> Principal {
    Principal::for_tests(claims.as_object().unwrap().clone().into())
}

fn claim(path: &str, test: Test) -> Requirement {
    Requirement::Claim(path.parse().unwrap(), test)
}

fn verdict(requirement: &Requirement, claims: Value) -> Verdict {
    let principal = principal(claims);
    requirement.verdict(&Caller { principal: Some(&principal), ..Caller::default() })
}

/// Rule C8: exact, and what cannot be compared decides nothing, for neither side.
#[test]
fn claims_are_compared_exactly_and_with_their_type() {
    let one_of = |values: &[Value]| Test::OneOf(values.to_vec());
    use Verdict::{Met, Unknown, Unmet};
    for (test, found, expected) in [
        (one_of(&[json!("a")]), json!("a"), Met),
        (one_of(&[json!("a")]), json!("A"), Unmet),
        (one_of(&[json!("a")]), json!("ab"), Unmet),
        (one_of(&[json!("a"), json!("b")]), json!("b"), Met),
        (one_of(&[json!("a")]), json!(["a"]), Unknown),
        (one_of(&[json!("5")]), json!(5), Unknown),
        (one_of(&[json!(5)]), json!(5.0), Met),
        (one_of(&[json!(5)]), json!(6), Unmet),
        (one_of(&[json!(9_007_199_254_740_993_i64)]), json!(9_007_199_254_740_992_i64), Unmet),
        (one_of(&[json!(5.0)]), json!(5), Met),
        (one_of(&[json!(5.5)]), json!(5.5), Met),
        (one_of(&[json!(5.5)]), json!(5), Unmet),
        (one_of(&[json!(-0.0)]), json!(0), Met),
        (one_of(&[json!(u64::MAX)]), json!(u64::MAX), Met),
        (one_of(&[json!(u64::MAX)]), json!(u64::MAX - 1), Unmet),
        (one_of(&[json!(9_007_199_254_740_993_i64)]), json!(9_007_199_254_740_992.0), Unmet),
        (one_of(&[json!(true)]), json!(true), Met),
        (one_of(&[json!(true)]), json!(false), Unmet),
        (one_of(&[json!(true)]), json!("true"), Unknown),
        (Test::Contains(json!("a")), json!(["b", "a"]), Met),
        (Test::Contains(json!("a")), json!(["b"]), Unmet),
        (Test::Contains(json!("a")), json!([]), Unmet),
        (Test::Contains(json!("a")), json!("a"), Met),
        (Test::Contains(json!("a")), json!("a b"), Unmet),
        (Test::Contains(json!("a")), json!(["b", 5]), Unknown),
        (Test::Contains(json!("a")), json!(["a", 5]), Met),
        (Test::Contains(json!("a")), json!({"a": 1}), Unknown),
        (Test::Prefix("a".into()), json!("ab"), Met),
        (Test::Prefix("a".into()), json!("ba"), Unmet),
        (Test::Prefix("a".into()), json!(["ab"]), Unknown),
    ] {
        assert_eq!(verdict(&claim("c", test.clone()), json!({ "c": found })), expected, "{test:?} {found}");
        assert_eq!(verdict(&claim("c", test.clone()), json!({})), Unmet, "{test:?}");
        assert_eq!(verdict(&claim("c", test.clone()), json!({"c": null})), Unmet, "{test:?}");
        let contrary = Requirement::Not(Box::new(claim("c", test.clone())));
        assert_eq!(verdict(&contrary, json!({ "c": found })), expected.not(), "not {test:?} {found}");
    }
}

#[test]
fn scopes_that_cannot_be_read_decide_nothing() {
    let requirement = Requirement::Scope("a".into());
    for (claims, expected) in [
        (json!({"scope": "b a"}), Verdict::Met),
        (json!({"scp": ["a"]}), Verdict::Met),
        (json!({"scope": "b"}), Verdict::Unmet),
        (json!({}), Verdict::Unmet),
        (json!({"scope": 5}), Verdict::Unknown),
        (json!({"scp": ["b", 5]}), Verdict::Unknown),
        (json!({"scope": "a", "scp": 5}), Verdict::Met),
    ] {
        assert_eq!(verdict(&requirement, claims.clone()), expected, "{claims}");
    }
}

#[test]
fn combinations_follow_their_parts() {
    let leaf = |leaf: &Requirement| {
        let is = |name: &str| *leaf == Requirement::Scope(name.into());
        if is("met") {
            return Verdict::Met;
        }
        if is("unmet") { Verdict::Unmet } else { Verdict::Unknown }
    };
    let scopes = |names: &[&str]| names.iter().map(|name| Requirement::Scope((*name).into())).collect();
    use Verdict::{Met, Unknown, Unmet};
    for (names, all, any) in [
        (&["met", "met"][..], Met, Met),
        (&["met", "unmet"], Unmet, Met),
        (&["unmet", "unmet"], Unmet, Unmet),
        (&["met", "unknown"], Unknown, Met),
        (&["unmet", "unknown"], Unmet, Unknown),
        (&["unknown", "unmet"], Unmet, Unknown),
        (&["unknown", "unmet", "met"], Unmet, Met),
    ] {
        assert_eq!(Requirement::All(scopes(names)).evaluate(&leaf), all, "all {names:?}");
        assert_eq!(Requirement::Any(scopes(names)).evaluate(&leaf), any, "any {names:?}");
    }
}

/// Without a credential nothing that is asked of one is met, and neither is its contrary.
#[test]
fn a_caller_without_a_credential_meets_what_asks_for_none() {
    let nobody =
        Caller { principal: None, source_ip: Some("10.0.0.1".parse().unwrap()), ..Caller::default() };
    let inside = Requirement::SourceIp(vec!["10.0.0.0/8".parse().unwrap()]);
    let contrary = |requirement: &Requirement| Requirement::Not(Box::new(requirement.clone()));
    assert_eq!(Requirement::Anyone.verdict(&nobody), Verdict::Met);
    assert_eq!(inside.verdict(&nobody), Verdict::Met);
    assert_eq!(contrary(&inside).verdict(&nobody), Verdict::Unmet);
    assert_eq!(Requirement::Authenticated.verdict(&nobody), Verdict::Unmet);
    for requirement in [
        Requirement::Scope("a".into()),
        claim("c", Test::Prefix(String::new())),
        Requirement::Issuer("https://issuer.example/".into()),
        Requirement::Credential(CredentialKind::Jwt),
    ] {
        assert_eq!(requirement.verdict(&nobody), Verdict::Unknown, "{requirement:?}");
        assert_eq!(contrary(&requirement).verdict(&nobody), Verdict::Unknown, "{requirement:?}");
    }
}

/// A provider that makes a text of a list of one, say: neither a claim nor its contrary holds.
#[test]
fn a_claim_in_another_shape_opens_nothing_and_its_contrary_neither() {
    let test = || Test::OneOf(vec![json!("guest")]);
    for (path, claims, expected) in [
        ("roles.0", json!({"roles": ["guest"]}), Verdict::Met),
        ("roles.0", json!({"roles": []}), Verdict::Unmet),
        ("roles.0", json!({}), Verdict::Unmet),
        ("roles.0", json!({"roles": "guest"}), Verdict::Unknown),
        ("account.role", json!({"account": null}), Verdict::Unmet),
        ("account.role", json!({"account": "guest"}), Verdict::Unknown),
        ("account.role", json!({"account": ["guest"]}), Verdict::Unknown),
    ] {
        assert_eq!(verdict(&claim(path, test()), claims.clone()), expected, "{path} {claims}");
        let contrary = Requirement::Not(Box::new(claim(path, test())));
        assert_eq!(verdict(&contrary, claims.clone()), expected.not(), "{path} {claims}");
    }
}

#[test]
fn an_address_that_is_not_told_is_in_no_range_and_out_of_none() {
    let requirement = Requirement::SourceIp(vec!["10.0.0.0/8".parse().unwrap()]);
    assert_eq!(verdict(&requirement, json!({})), Verdict::Unknown);
}
