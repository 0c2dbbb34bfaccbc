//! The claims of a token whose signature holds (RFC 7519, section 4.1).

use serde_json::Value;

use super::Expectations;
use crate::claims::Claims;
use crate::error::Reason;
use crate::io::UnixTime;

/// What `aud` must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudienceCheck {
    /// One of these, exactly.
    OneOf(Vec<String>),
    /// Anything, or nothing: only where the configuration says `unchecked`.
    Unchecked,
}

/// Checks issuer, audience and times. A check that is asked for makes its claim required.
pub(super) fn check(claims: &Claims, expected: &Expectations, now: UnixTime) -> Result<(), Reason> {
    issuer(claims, &expected.issuer)?;
    audience(claims, &expected.audience)?;
    let expired_at = date(claims, "exp")?.ok_or_else(|| missing("exp"))?;
    if now >= expired_at + expected.leeway {
        return Err(Reason::TokenExpired { expired_at, now });
    }
    if let Some(not_before) = date(claims, "nbf")?
        && not_before > now + expected.leeway
    {
        return Err(Reason::TokenNotYetValid { not_before, now });
    }
    date(claims, "iat")?;
    // Rule C9: whoever stole it cannot show the key either.
    if claims.named("cnf").is_some() {
        return Err(Reason::TokenSenderConstrained);
    }
    Ok(())
}

/// Rule C1.
fn issuer(claims: &Claims, expected: &str) -> Result<(), Reason> {
    match claims.named("iss") {
        Some(Value::String(issuer)) if issuer == expected => Ok(()),
        Some(Value::String(_)) => Err(Reason::IssuerUnknown),
        Some(_) => Err(invalid("iss", "a string")),
        None => Err(missing("iss")),
    }
}

/// Rule C2: a string, or an array of strings and of nothing else.
fn audience(claims: &Claims, expected: &AudienceCheck) -> Result<(), Reason> {
    let AudienceCheck::OneOf(expected) = expected else { return Ok(()) };
    let named: Vec<&str> = match claims.named("aud") {
        Some(Value::String(audience)) => vec![audience],
        Some(Value::Array(audiences)) => audiences
            .iter()
            .map(Value::as_str)
            .collect::<Option<_>>()
            .ok_or_else(|| invalid("aud", "a string or an array of strings"))?,
        Some(_) => return Err(invalid("aud", "a string or an array of strings")),
        None => return Err(missing("aud")),
    };
    let is_meant = named.iter().any(|audience| expected.iter().any(|ours| ours == audience));
    if is_meant { Ok(()) } else { Err(Reason::AudienceMismatch) }
}

/// Rules C3 and C4: a JSON number. JSON has no infinities, and the parser refuses what overflows.
fn date(claims: &Claims, claim: &'static str) -> Result<Option<UnixTime>, Reason> {
    match claims.named(claim) {
        None => Ok(None),
        Some(Value::Number(number)) => {
            number.as_f64().filter(|date| date.is_finite()).map(Some).ok_or_else(|| invalid(claim, "a time"))
        }
        Some(_) => Err(invalid(claim, "a number")),
    }
}

fn missing(claim: &str) -> Reason {
    Reason::ClaimMissing { claim: claim.to_owned() }
}

fn invalid(claim: &str, expected: &'static str) -> Reason {
    Reason::ClaimInvalid { claim: claim.to_owned(), expected }
}
