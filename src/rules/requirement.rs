//! [`Requirement`]: what a caller must have, and [`Caller`], who may have it.

mod words;

use std::net::IpAddr;

use serde_json::{Number, Value};

use super::address::AddressRange;
use super::parameter::Parameter;
use crate::claims::{ClaimPath, Claims, Scopes};
use crate::credential::CredentialKind;
use crate::request::Request;
use crate::verify::Principal;

/// Who asks: somebody with a verified credential, or with none at all. A credential that does not hold
/// makes no caller.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Caller<'a> {
    /// Whom the credential proves; `None` where there is no credential.
    pub principal: Option<&'a Principal>,
    /// The address that API Gateway saw; `None` where the event does not tell.
    pub source_ip: Option<IpAddr>,
    /// What came with the credential; `None` where nobody knows. Rules look at its parameters.
    pub request: Option<&'a Request>,
}

impl<'a> Caller<'a> {
    /// Whoever sends this request, with the credential that was verified.
    #[must_use]
    pub fn of(request: &'a Request, principal: Option<&'a Principal>) -> Self {
        Self { principal, source_ip: request.source_ip, request: Some(request) }
    }

    /// The verified claims.
    #[must_use]
    pub fn claims(&self) -> Option<&'a Claims> {
        self.principal.map(Principal::claims)
    }
}

/// A caller, with what several requirements ask for taken apart once.
pub(super) struct Known<'a> {
    pub(super) caller: &'a Caller<'a>,
    pub(super) scopes: Scopes<'a>,
}

impl<'a> Known<'a> {
    pub(super) fn new(caller: &'a Caller<'a>) -> Self {
        Self { caller, scopes: caller.claims().map(Claims::scopes).unwrap_or_default() }
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
    /// A parameter of the request that stands the test. A test of one compares strings.
    Parameter(Parameter, Test),
    /// All of these.
    All(Vec<Requirement>),
    /// One of these, at least.
    Any(Vec<Requirement>),
    /// The contrary of this.
    Not(Box<Requirement>),
}

/// How a claim, or a parameter, is compared: exactly, type and case included.
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
        self.verdict_of(&Known::new(caller))
    }

    pub(super) fn verdict_of(&self, known: &Known<'_>) -> Verdict {
        self.evaluate(&|leaf| leaf.leaf_verdict(known))
    }

    /// As [`verdict`](Self::verdict), for a rule that denies: a caller without a credential lacks whatever a
    /// credential could have.
    #[must_use]
    pub fn verdict_to_deny(&self, caller: &Caller<'_>) -> Verdict {
        self.verdict_to_deny_of(&Known::new(caller))
    }

    pub(super) fn verdict_to_deny_of(&self, known: &Known<'_>) -> Verdict {
        self.evaluate(&|leaf| {
            let is_of_a_credential =
                !leaf.is_of_request() && !matches!(leaf, Self::Anyone | Self::Authenticated);
            match known.caller.principal {
                None if is_of_a_credential => Verdict::Unmet,
                _ => leaf.leaf_verdict(known),
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
            | Self::SourceIp(_)
            | Self::Parameter(..) => leaf(self),
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
            | Self::SourceIp(_)
            | Self::Parameter(..) => vec![self],
        }
    }

    /// Whether it is asked of the request, and not of a credential.
    #[must_use]
    pub fn is_of_request(&self) -> bool {
        matches!(self, Self::SourceIp(_) | Self::Parameter(..))
    }

    /// The parameter that it looks at, if it is of one.
    #[must_use]
    pub fn parameter(&self) -> Option<&Parameter> {
        if let Self::Parameter(parameter, _) = self { Some(parameter) } else { None }
    }

    fn leaf_verdict(&self, known: &Known<'_>) -> Verdict {
        let principal = match (self, known.caller.principal) {
            (Self::Anyone, _) => return Verdict::Met,
            (Self::SourceIp(ranges), _) => {
                let Some(address) = known.caller.source_ip else { return Verdict::Unknown };
                return Verdict::of(ranges.iter().any(|range| range.contains(address)));
            }
            (Self::Parameter(parameter, test), _) => return parameter.verdict(test, known.caller.request),
            (Self::Authenticated, principal) => return Verdict::of(principal.is_some()),
            (_, Some(principal)) => principal,
            // Otherwise `not = { claim = … }` would open a route to callers without a credential.
            (_, None) => return Verdict::Unknown,
        };
        match self {
            Self::Scope(scope) => scope_verdict(principal.claims(), &known.scopes, scope),
            Self::Claim(path, test) => match principal.claims().at(path) {
                None => Verdict::Unmet.unless(!principal.claims().lacks(path)),
                Some(value) => test.verdict(value),
            },
            Self::Issuer(issuer) => Verdict::of(&**principal.issuer() == issuer),
            Self::Credential(kind) => Verdict::of(principal.credential_kind() == kind),
            Self::Anyone
            | Self::Authenticated
            | Self::SourceIp(_)
            | Self::Parameter(..)
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

fn scope_verdict(claims: &Claims, scopes: &Scopes<'_>, scope: &str) -> Verdict {
    if scopes.contains(scope) {
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
mod tests;
