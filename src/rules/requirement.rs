//! [`Requirement`]: what a caller must have, and [`Caller`], who may have it.

use std::net::IpAddr;

use serde_json::{Number, Value};

use super::address::AddressRange;
use crate::claims::{ClaimPath, Claims};
use crate::credential::CredentialKind;
use crate::verify::Principal;

/// Who asks: somebody with a verified credential, or with none at all. A credential that does not hold
/// makes no caller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Caller<'a> {
    /// Whom the credential proves; `None` where there is no credential.
    pub principal: Option<&'a Principal>,
    /// The address that API Gateway saw; `None` where the event does not tell.
    pub source_ip: Option<IpAddr>,
}

impl<'a> Caller<'a> {
    /// The verified claims.
    #[must_use]
    pub fn claims(&self) -> Option<&'a Claims> {
        self.principal.map(Principal::claims)
    }
}

/// What a caller must have.
#[derive(Clone, Debug, PartialEq)]
pub enum Requirement {
    /// Nothing, not even a credential.
    Anyone,
    /// A verified credential.
    Authenticated,
    /// This scope.
    Scope(String),
    /// A claim that stands the test.
    Claim(ClaimPath, Test),
    /// A credential of this issuer.
    Issuer(String),
    /// A credential of this kind.
    Credential(CredentialKind),
    /// An address of one of these ranges.
    SourceIp(Vec<AddressRange>),
    /// All of these.
    All(Vec<Requirement>),
    /// One of these, at least.
    Any(Vec<Requirement>),
    /// The contrary of this.
    Not(Box<Requirement>),
}

/// How a claim is compared: exactly, type and case included.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It is one of these strings, numbers or booleans.
    OneOf(Vec<Value>),
    /// It is a list that holds this value, or it is this value.
    Contains(Value),
    /// It is a string that starts so.
    Prefix(String),
}

/// Whether a requirement is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Met,
    /// It is not.
    Unmet,
    /// The claim has a type that cannot be compared, or the event lacks what is asked for. Neither a
    /// requirement nor its contrary is met then: a rule that allows does not allow, and one that denies denies.
    Unknown,
}

impl Verdict {
    fn of(is_met: bool) -> Self {
        if is_met { Self::Met } else { Self::Unmet }
    }

    fn not(self) -> Self {
        match self {
            Self::Met => Self::Unmet,
            Self::Unmet => Self::Met,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl Requirement {
    /// Whether the caller meets it.
    #[must_use]
    pub fn verdict(&self, caller: &Caller<'_>) -> Verdict {
        self.evaluate(&|leaf| leaf.leaf_verdict(caller))
    }

    /// As [`verdict`](Self::verdict), for a rule that denies: a caller without a credential lacks whatever a
    /// credential could have.
    #[must_use]
    pub fn verdict_to_deny(&self, caller: &Caller<'_>) -> Verdict {
        self.evaluate(&|leaf| {
            let is_of_a_credential = !matches!(leaf, Self::Anyone | Self::Authenticated | Self::SourceIp(_));
            match caller.principal {
                None if is_of_a_credential => Verdict::Unmet,
                _ => leaf.leaf_verdict(caller),
            }
        })
    }

    /// The whole from its leaves, which hold no other requirements.
    pub fn evaluate(&self, leaf: &impl Fn(&Self) -> Verdict) -> Verdict {
        match self {
            Self::All(all) => decisive(all, Verdict::Unmet, leaf),
            Self::Any(any) => decisive(any, Verdict::Met, leaf),
            Self::Not(not) => not.evaluate(leaf).not(),
            Self::Anyone
            | Self::Authenticated
            | Self::Scope(_)
            | Self::Claim(..)
            | Self::Issuer(_)
            | Self::Credential(_)
            | Self::SourceIp(_) => leaf(self),
        }
    }

    /// Every requirement within that holds no other, itself perhaps.
    pub fn leaves(&self) -> Vec<&Self> {
        match self {
            Self::All(several) | Self::Any(several) => several.iter().flat_map(Self::leaves).collect(),
            Self::Not(not) => not.leaves(),
            Self::Anyone
            | Self::Authenticated
            | Self::Scope(_)
            | Self::Claim(..)
            | Self::Issuer(_)
            | Self::Credential(_)
            | Self::SourceIp(_) => vec![self],
        }
    }

    fn leaf_verdict(&self, caller: &Caller<'_>) -> Verdict {
        let principal = match (self, caller.principal) {
            (Self::Anyone, _) => return Verdict::Met,
            (Self::SourceIp(ranges), _) => {
                let Some(address) = caller.source_ip else { return Verdict::Unknown };
                return Verdict::of(ranges.iter().any(|range| range.contains(address)));
            }
            (Self::Authenticated, principal) => return Verdict::of(principal.is_some()),
            (_, Some(principal)) => principal,
            // Otherwise `not = { claim = … }` would open a route to callers without a credential.
            (_, None) => return Verdict::Unknown,
        };
        match self {
            Self::Scope(scope) => scope_verdict(principal.claims(), scope),
            Self::Claim(path, test) => match principal.claims().at(path) {
                None => Verdict::Unmet.unless(!principal.claims().lacks(path)),
                Some(value) => test.verdict(value),
            },
            Self::Issuer(issuer) => Verdict::of(&**principal.issuer() == issuer),
            Self::Credential(kind) => Verdict::of(principal.credential_kind() == *kind),
            Self::Anyone
            | Self::Authenticated
            | Self::SourceIp(_)
            | Self::All(_)
            | Self::Any(_)
            | Self::Not(_) => Verdict::Unknown,
        }
    }
}

/// One decisive verdict decides; without it one that is unknown; else the contrary.
fn decisive(several: &[Requirement], decisive: Verdict, leaf: &impl Fn(&Requirement) -> Verdict) -> Verdict {
    let mut verdict = decisive.not();
    for requirement in several {
        match requirement.evaluate(leaf) {
            found if found == decisive => return decisive,
            Verdict::Unknown => verdict = Verdict::Unknown,
            Verdict::Met | Verdict::Unmet => {}
        }
    }
    verdict
}

fn scope_verdict(claims: &Claims, scope: &str) -> Verdict {
    if claims.has_scope(scope) {
        return Verdict::Met;
    }
    let is_readable = |claim: &str| match claims.named(claim) {
        None | Some(Value::Null | Value::String(_)) => true,
        Some(Value::Array(items)) => items.iter().all(Value::is_string),
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => false,
    };
    if is_readable("scope") && is_readable("scp") { Verdict::Unmet } else { Verdict::Unknown }
}

impl Test {
    /// Whether a claim that is there, and this, stands the test.
    #[must_use]
    pub fn verdict(&self, found: &Value) -> Verdict {
        match (self, found) {
            (Self::OneOf(values), found) => one_of(values, found),
            (Self::Contains(value), Value::Array(items)) => {
                let verdicts = || items.iter().map(|item| one_of(std::slice::from_ref(value), item));
                if verdicts().any(|verdict| verdict == Verdict::Met) {
                    return Verdict::Met;
                }
                Verdict::of(false).unless(verdicts().any(|verdict| verdict == Verdict::Unknown))
            }
            (Self::Contains(value), found) => one_of(std::slice::from_ref(value), found),
            (Self::Prefix(prefix), Value::String(text)) => Verdict::of(text.starts_with(prefix)),
            (
                Self::Prefix(_),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_),
            ) => Verdict::Unknown,
        }
    }
}

impl Verdict {
    fn unless(self, is_unknown: bool) -> Self {
        if is_unknown { Self::Unknown } else { self }
    }
}

/// Met by an equal value, unmet by another one of the same type.
fn one_of(values: &[Value], found: &Value) -> Verdict {
    if values.iter().any(|value| is_equal(value, found)) {
        return Verdict::Met;
    }
    let has_type = |value: &Value| std::mem::discriminant(value) == std::mem::discriminant(found);
    Verdict::Unmet.unless(!values.iter().any(has_type))
}

/// `5` and `5.0` are one number in JSON.
fn is_equal(value: &Value, found: &Value) -> bool {
    match (value, found) {
        (Value::Number(value), Value::Number(found)) => {
            value == found || {
                let (value, found) = (whole(value), whole(found));
                value.is_some() && value == found
            }
        }
        _ => value == found,
    }
}

/// A whole number, of a fraction that is none, too, as far as it stands for one number only.
fn whole(number: &Number) -> Option<i128> {
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let of_fraction = || {
        let fraction = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < LARGEST)?;
        format!("{fraction:.0}").parse().ok()
    };
    number.as_i128().or_else(of_fraction)
}

#[cfg(test)]
mod tests {
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
        requirement.verdict(&Caller { principal: Some(&principal), source_ip: None })
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
            assert_eq!(
                verdict(&claim("c", test.clone()), json!({ "c": found })),
                expected,
                "{test:?} {found}"
            );
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
        let nobody = Caller { principal: None, source_ip: Some("10.0.0.1".parse().unwrap()) };
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
}
