//! The claims of a token whose signature holds (RFC 7519, section 4.1).

use serde_json::Value;

use super::expectations::{AudienceCheck, AudienceClaim, ClaimRule, Expectations, Presence};
use super::possession::{self, Presented};
use super::signature::Signed;
use crate::claims::{ClaimPath, Claims};
use crate::error::Reason;
use crate::io::UnixTime;

/// Whether a claim says who vouches for whom, to whom, how long, or to whose key it is bound. Attributes that somebody keeps beside a
/// credential never become such a claim.
#[cfg(any(feature = "dynamodb", feature = "saml"))]
pub(super) fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "iss" | "sub" | "aud" | "exp" | "nbf" | "iat" | "jti" | "client_id" | "azp" | "cnf" | "act"
    )
}

/// Checks what the issuer says, but for `iss`, without which there would be no keys. A check that is
/// asked for makes its claim required.
pub(super) fn check(
    signed: &Signed,
    expected: &Expectations,
    presented: &Presented<'_>,
    now: UnixTime,
) -> Result<(), Reason> {
    checks(expected).try_for_each(|check| check.verdict(signed.claims(), expected, presented, now))
}

/// One thing that is checked.
pub(super) enum Check<'a> {
    Rule(&'a ClaimRule),
    Audience(&'a AudienceCheck),
    Expiry,
    NotBefore,
    IssuedAt,
    Age(f64),
    Lifetime(f64),
    Subject,
    /// Some issuers write `null` for what they do not know.
    TextOrNull(&'static str),
    /// Rule C9: whoever stole it cannot show the key either. The last one.
    Possession,
}

/// All that is checked, in its order.
pub(super) fn checks(expected: &Expectations) -> impl Iterator<Item = Check<'_>> {
    let rules = expected.claims().iter().map(Check::Rule);
    let times = [Check::Audience(&expected.audience), Check::Expiry, Check::NotBefore, Check::IssuedAt];
    let limits = [expected.max_age.map(Check::Age), expected.max_lifetime.map(Check::Lifetime)];
    let rest = ["jti", "client_id", "azp"].map(Check::TextOrNull);
    let limits = limits.into_iter().flatten();
    rules.chain(times).chain(limits).chain([Check::Subject]).chain(rest).chain([Check::Possession])
}

impl Check<'_> {
    pub(super) fn verdict(
        &self,
        claims: &Claims,
        expected: &Expectations,
        presented: &Presented<'_>,
        now: UnixTime,
    ) -> Result<(), Reason> {
        match self {
            Self::Rule(rule) => apply(rule, claims, expected.leeway, now),
            Self::Audience(audiences) => audience(claims, expected.audience_claim, audiences),
            Self::Expiry => expiry(claims, expected, now),
            Self::NotBefore => match date(claims, "nbf")?.filter(|at| !has_come(*at, expected, now)) {
                Some(valid_from) => Err(Reason::TokenNotYetValid { valid_from, now }),
                None => Ok(()),
            },
            Self::IssuedAt => match (date(claims, "iat")?, expected.issued_at) {
                (None, Presence::Required) => Err(missing("iat")),
                (None, Presence::Optional) | (Some(_), _) => Ok(()),
            },
            Self::Age(max_age) => age(claims, *max_age, expected, now),
            Self::Lifetime(max_lifetime) => lifetime(claims, *max_lifetime),
            Self::Subject => subject(claims, expected.subject),
            Self::TextOrNull(claim) => match claims.named(claim) {
                None | Some(Value::Null | Value::String(_)) => Ok(()),
                Some(_) => Err(invalid(claim, "a string")),
            },
            Self::Possession => {
                possession::check(claims, &expected.possession, presented, expected.leeway, now)
            }
        }
    }
}

/// Rule C2: a string, or for `aud` an array of strings and of nothing else.
fn audience(claims: &Claims, claim: AudienceClaim, expected: &AudienceCheck) -> Result<(), Reason> {
    const STRINGS: &str = "a string or an array of strings";
    let AudienceCheck::OneOf(expected) = expected else { return Ok(()) };
    let found = claims.named(claim.name()).ok_or_else(|| missing(claim.name()))?;
    let is_ours = |audience: &str| expected.iter().any(|ours| ours == audience);
    let names_us = match (found, claim) {
        (Value::String(audience), _) => is_ours(audience),
        (Value::Array(audiences), AudienceClaim::Aud) => {
            if !audiences.iter().all(Value::is_string) {
                return Err(invalid("aud", STRINGS));
            }
            audiences.iter().filter_map(Value::as_str).any(is_ours)
        }
        (_, AudienceClaim::Aud) => return Err(invalid("aud", STRINGS)),
        (_, AudienceClaim::ClientId | AudienceClaim::Azp) => return Err(invalid(claim.name(), "a string")),
    };
    if names_us {
        Ok(())
    } else {
        Err(Reason::AudienceMismatch { claim: claim.name(), found: excerpt(found) })
    }
}

/// Rule C3.
fn expiry(claims: &Claims, expected: &Expectations, now: UnixTime) -> Result<(), Reason> {
    let expired_at = match (date(claims, "exp")?, expected.expiry) {
        (Some(expired_at), _) => expired_at,
        (None, Presence::Required) => return Err(missing("exp")),
        (None, Presence::Optional) => return Ok(()),
    };
    // NaN compares as false: a limit is stated as what must hold, so that it refuses.
    let is_alive = now < expired_at + expected.leeway;
    if is_alive { Ok(()) } else { Err(Reason::TokenExpired { expired_at, now }) }
}

/// Rules C4 and C5.
fn has_come(time: UnixTime, expected: &Expectations, now: UnixTime) -> bool {
    time <= now + expected.leeway
}

fn age(claims: &Claims, max_age: f64, expected: &Expectations, now: UnixTime) -> Result<(), Reason> {
    let issued_at = date(claims, "iat")?.ok_or_else(|| missing("iat"))?;
    // A token from the future would stay young.
    if !has_come(issued_at, expected, now) {
        return Err(Reason::TokenNotYetValid { valid_from: issued_at, now });
    }
    let is_young = now - issued_at < max_age + expected.leeway;
    if is_young { Ok(()) } else { Err(Reason::TokenTooOld { issued_at, now, max_age }) }
}

fn lifetime(claims: &Claims, max_lifetime: f64) -> Result<(), Reason> {
    let expired_at = date(claims, "exp")?.ok_or_else(|| missing("exp"))?;
    let lifetime = expired_at - date(claims, "iat")?.ok_or_else(|| missing("iat"))?;
    let is_short = lifetime <= max_lifetime;
    if is_short { Ok(()) } else { Err(Reason::TokenLifetimeTooLong { lifetime, max_lifetime }) }
}

/// Rule C6: an empty string names nobody, and is what some issuers write for clients that are nobody.
fn subject(claims: &Claims, presence: Presence) -> Result<(), Reason> {
    match (string(claims, "sub")?, presence) {
        (Some(""), Presence::Required) => Err(invalid("sub", TEXT)),
        (Some(_), _) | (None, Presence::Optional) => Ok(()),
        (None, Presence::Required) => Err(missing("sub")),
    }
}

fn apply(rule: &ClaimRule, claims: &Claims, leeway: f64, now: UnixTime) -> Result<(), Reason> {
    match rule {
        ClaimRule::Present(any) => {
            let mut found = any.iter().filter_map(|claim| claims.at(claim));
            if found.any(|value| !is_empty(value)) { Ok(()) } else { Err(missing(&alternatives(any))) }
        }
        ClaimRule::Text(any) => {
            let mut found = any.iter().filter_map(|claim| claims.at(claim)).peekable();
            if found.peek().is_none() {
                return Err(missing(&alternatives(any)));
            }
            let is_text = |value: &Value| value.is_string() && !is_empty(value);
            if found.any(is_text) { Ok(()) } else { Err(invalid(&alternatives(any), TEXT)) }
        }
        ClaimRule::Value { claim, values } => {
            let found = claims.at(claim).ok_or_else(|| missing(&claim.to_string()))?;
            let has_one = match found {
                Value::Array(items) => items.iter().any(|item| values.contains(item)),
                Value::String(_) | Value::Number(_) | Value::Bool(_) => values.contains(found),
                Value::Object(_) | Value::Null => return Err(invalid(&claim.to_string(), "a plain value")),
            };
            if has_one { Ok(()) } else { Err(Reason::ClaimMismatch { claim: claim.to_string() }) }
        }
        ClaimRule::Past(claim) => {
            let name = claim.to_string();
            let at = claims.at(claim).ok_or_else(|| missing(&name))?;
            let at = seconds(at, &name)?;
            if at <= now + leeway { Ok(()) } else { Err(invalid(&name, "a time that has passed")) }
        }
        ClaimRule::Kind { claim, kind } => match claims.at(claim) {
            Some(Value::String(found)) if found == kind => Ok(()),
            Some(_) => Err(other_kind(claim)),
            None => Err(missing(&claim.to_string())),
        },
        ClaimRule::KindIfThere { claim, kind } => match claims.at(claim) {
            Some(Value::String(found)) if found == kind => Ok(()),
            Some(_) => Err(other_kind(claim)),
            None => Ok(()),
        },
        ClaimRule::NotKind { claim, kinds } => match claims.at(claim) {
            Some(Value::String(found)) if !kinds.iter().any(|kind| kind.eq_ignore_ascii_case(found)) => {
                Ok(())
            }
            Some(_) => Err(other_kind(claim)),
            None => Ok(()),
        },
        ClaimRule::Absent(claim) => match claims.at(claim) {
            Some(_) => Err(other_kind(claim)),
            None => Ok(()),
        },
    }
}

const TEXT: &str = "a string that is not empty";

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A registered claim that is a string wherever it is there.
fn string<'a>(claims: &'a Claims, claim: &'static str) -> Result<Option<&'a str>, Reason> {
    match claims.named(claim) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid(claim, "a string")),
    }
}

fn date(claims: &Claims, claim: &'static str) -> Result<Option<UnixTime>, Reason> {
    claims.named(claim).map(|value| seconds(value, claim)).transpose()
}

/// The first second of the year 10000. Times in milliseconds lie beyond it, and would never come.
const END_OF_TIME: UnixTime = 253_402_300_800.0;

/// Rules C3 and C4: a JSON number, with a fraction or without. JSON has no infinities, and the parser
/// refuses what overflows.
fn seconds(value: &Value, claim: &str) -> Result<UnixTime, Reason> {
    let Value::Number(number) = value else { return Err(invalid(claim, "a number")) };
    let seconds = number.as_f64().filter(|seconds| (0.0..END_OF_TIME).contains(seconds));
    seconds.ok_or_else(|| invalid(claim, "a time in seconds since 1970"))
}

/// What may stand in a log line: not a list of a thousand audiences, and nothing that plays tricks on
/// who reads it.
pub(super) fn excerpt(value: &Value) -> String {
    const LONGEST: usize = 200;
    let printable = |letter: char| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' };
    let text: String = value.to_string().chars().map(printable).collect();
    match text.split_at_checked(LONGEST) {
        Some((start, rest)) if !rest.is_empty() => format!("{start}…"),
        _ => text,
    }
}

fn alternatives(claims: &[ClaimPath]) -> String {
    claims.iter().map(ToString::to_string).collect::<Vec<_>>().join("` or `")
}

fn missing(claim: &str) -> Reason {
    Reason::ClaimMissing { claim: claim.to_owned() }
}

fn invalid(claim: &str, expected: &'static str) -> Reason {
    Reason::ClaimInvalid { claim: claim.to_owned(), expected }
}

fn other_kind(claim: &ClaimPath) -> Reason {
    Reason::TokenTypeUnexpected { member: claim.to_string() }
}
