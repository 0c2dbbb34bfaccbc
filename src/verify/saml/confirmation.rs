//! Whether whoever presents an assertion may: its conditions, and the confirmation of its subject (RFC 7522, section 3).

use super::SamlSettings;
use super::assertion::{Assertion, Conditions, Confirmation};
use crate::error::Reason;
use crate::io::UnixTime;
use crate::verify::expectations::AudienceCheck;
use crate::verify::possession::Presented;

/// That the subject is confirmed, and how long.
pub(super) struct Confirmed {
    /// The assertion's ID.
    pub(super) id: String,
    /// When the first of all ends comes.
    pub(super) expires_at: UnixTime,
    /// When nobody takes it any more, other clocks included.
    pub(super) ends_at: UnixTime,
}

/// How an assertion says that whoever bears it is who it is about.
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// What is not about time: that is asked of the claims.
pub(super) fn conditions(conditions: &Conditions, settings: &SamlSettings) -> Result<(), Reason> {
    if conditions.has_unknown {
        return Err(Reason::SamlConditionUnmet { condition: "one that is not known here" });
    }
    // Whoever takes it must not take it again, and an answer that API Gateway keeps is taken again.
    if conditions.one_time_use && !settings.is_used_once {
        return Err(Reason::SamlConditionUnmet { condition: "`OneTimeUse`, and `replays` are accepted" });
    }
    let AudienceCheck::OneOf(ours) = &settings.expectations.audience else { return Ok(()) };
    // Each restriction holds by itself: to be named in one of two is not enough.
    let is_for_us = |audiences: &Vec<String>| audiences.iter().any(|audience| ours.contains(audience));
    match conditions.audiences.iter().find(|audiences| !is_for_us(audiences)) {
        Some(others) => Err(Reason::AudienceMismatch {
            claim: "aud",
            found: super::claims::excerpt(&serde_json::json!(others)),
        }),
        None => Ok(()),
    }
}

/// The confirmation that holds, of several the one that holds longest.
pub(super) fn confirm(
    assertion: &Assertion,
    recipients: &[String],
    presented: &Presented<'_>,
    leeway: f64,
) -> Result<Confirmed, Reason> {
    let mut nearest = (0, "there is none");
    let mut end: Option<UnixTime> = None;
    for confirmation in &assertion.confirmations {
        match holds_until(confirmation, recipients, presented) {
            Ok(until) => end = Some(end.map_or(until, |end| end.max(until))),
            // Of several that do not hold, the one is told that came nearest.
            Err(problem) if problem.0 > nearest.0 => nearest = problem,
            Err(_) => {}
        }
    }
    let end = end.ok_or(Reason::SamlUnconfirmed { problem: nearest.1 })?;
    let session = assertion.authentication.as_ref().and_then(|authentication| authentication.ends_at);
    let ends = [assertion.conditions.not_on_or_after, session].into_iter().flatten();
    let expires_at = ends.fold(end, f64::min);
    Ok(Confirmed { id: assertion.id.clone(), expires_at, ends_at: expires_at + leeway })
}

/// Until when one confirmation holds; or how far it came, and what does not hold.
fn holds_until(
    confirmation: &Confirmation,
    recipients: &[String],
    presented: &Presented<'_>,
) -> Result<UnixTime, (u8, &'static str)> {
    if confirmation.method != BEARER {
        return Err((1, "none is that of a bearer"));
    }
    let recipient = confirmation.recipient.as_ref().ok_or((2, "it has no `Recipient`"))?;
    if !recipients.contains(recipient) {
        return Err((3, "its `Recipient` is another"));
    }
    if confirmation.not_before.is_some() {
        return Err((4, "it has a `NotBefore`, which a bearer's has not"));
    }
    let client = presented.request().and_then(|request| request.source_ip);
    let is_clients = |address: &String| client.is_some_and(|client| address.parse() == Ok(client));
    if !confirmation.address.as_ref().is_none_or(is_clients) {
        return Err((5, "its `Address` is not the client's"));
    }
    confirmation.not_on_or_after.ok_or((6, "it has no `NotOnOrAfter`"))
}
