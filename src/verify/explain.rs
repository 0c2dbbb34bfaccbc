//! [`Explanation`]: every check of a token, whether or not an earlier one has failed. A decision stops at the first that
//! does; who looks for what is wrong wants to see all.

use std::any::Any;
use std::time::Duration;

use serde_json::Value;

#[cfg(feature = "dynamodb")]
use super::api_keys::ApiKeys;
#[cfg(feature = "dynamodb")]
use super::basic::Basic;
use super::claims::{self, Check};
use super::client_credentials::ClientCredentials;
use super::credential_verifier::{Asked, CredentialVerifier, Kind, Tokens};
use super::expectations::{AudienceCheck, ClaimRule, Expectations, Presence, TokenTypes};
use super::introspection::Introspector;
#[cfg(feature = "dynamodb")]
use super::revocation::{self, Revocation};
#[cfg(feature = "saml")]
use super::saml::Saml;
use super::token::Token;
use super::{Presented, ProofOfPossession, Verifiers, admission, signature};
use crate::claims::{ClaimPath, Claims};
use crate::error::Reason;
use crate::io::{UnixTime, rfc3339};
use crate::jwks::{Algorithm, Key, KeySet};

/// What was looked at in a token, and what was found. Nothing of it is vouched for unless every check has passed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The header, as far as it can be read.
    pub header: Option<Value>,
    /// The claims, as far as they can be read.
    pub claims: Option<Value>,
    /// The checks, in their order. The reason of the first that has failed is that of the refusal.
    pub checks: Vec<Checked>,
}

/// One check.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Checked {
    /// What is checked: a header parameter, a claim, `form`, `key` or `signature`.
    pub name: String,
    /// What it must be like.
    pub expected: String,
    /// What is there; `None` for nothing.
    pub found: Option<String>,
    /// What comes of it.
    pub verdict: Verdict,
}

/// What comes of a check.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not.
    Failed(Reason),
    /// It cannot be made, because of another one that has failed, or for want of keys.
    Open,
}

impl Explanation {
    /// The reason for which the token is refused; `None` where no check has failed.
    #[must_use]
    pub fn refusal(&self) -> Option<&Reason> {
        self.checks.iter().find_map(|checked| match &checked.verdict {
            Verdict::Failed(reason) => Some(reason),
            Verdict::Passed | Verdict::Open => None,
        })
    }
}

/// What a verifier tells of a credential. It is apart from [`CredentialVerifier`]: the function, which never asks, does not carry it.
pub(super) trait Explain {
    /// Every check, as far as it is known. Nobody is asked for it.
    fn explain(&self, asked: &Asked<'_>) -> Explanation;
}

/// Of the kinds that come with the function.
fn explaining(verifier: &dyn CredentialVerifier) -> Option<&dyn Explain> {
    let verifier: &dyn Any = verifier;
    let client_credentials = verifier.downcast_ref::<ClientCredentials>().map(|known| known as &dyn Explain);
    let introspector = verifier.downcast_ref::<Introspector>().map(|known| known as &dyn Explain);
    let known = client_credentials.or(introspector);
    #[cfg(feature = "dynamodb")]
    let known = known
        .or_else(|| verifier.downcast_ref::<ApiKeys>().map(|known| known as &dyn Explain))
        .or_else(|| verifier.downcast_ref::<Basic>().map(|known| known as &dyn Explain));
    #[cfg(feature = "saml")]
    let known = known.or_else(|| verifier.downcast_ref::<Saml>().map(|known| known as &dyn Explain));
    known
}

impl Tokens<'_> {
    /// Every check of a token that a credential stands for.
    pub(super) fn explain(&self, token: &str, now: UnixTime) -> Explanation {
        self.verifiers().explain_token(&Presented::bearer(token), now)
    }
}

impl Verifiers {
    /// Every check of the token, with the keys that are there. A decision was made before: nothing is fetched for this.
    pub(crate) fn explain(&self, presented: Presented<'_>, now: UnixTime) -> Explanation {
        let explanation = match self.kind_of(&presented) {
            Some(kind) => self.explain_kind(kind, &presented, now),
            None => self.explain_token(&presented, now),
        };
        #[cfg(feature = "dynamodb")]
        let explanation = self.with_revocation(explanation, presented, now);
        explanation
    }

    /// Whether it is revoked is the last that is asked.
    #[cfg(feature = "dynamodb")]
    fn with_revocation(
        &self,
        mut explanation: Explanation,
        presented: Presented<'_>,
        now: UnixTime,
    ) -> Explanation {
        let revocation = self.of_all.as_deref().map(|opinion| opinion as &dyn Any);
        let Some(revocation) = revocation.and_then(|opinion| opinion.downcast_ref::<Revocation>()) else {
            return explanation;
        };
        let claims = explanation.claims.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
        let claims = Claims::from(claims);
        let issuer = match self.kind_of(&presented) {
            Some(kind) => Some(&*kind.issuer),
            None => claims.named("iss").and_then(Value::as_str),
        };
        let verdict = issuer
            .filter(|_| explanation.refusal().is_none())
            .and_then(|issuer| revocation.known_verdict(issuer, &claims, now));
        const WANTED: &str = "no, by its ID, its subject, its client or its issuer";
        match verdict {
            None => explanation.add_open("revoked", WANTED),
            Some(verdict) => {
                let found = Some(revocation::shown(&verdict).into_owned());
                explanation.add("revoked", WANTED, found, verdict);
            }
        }
        explanation
    }

    fn explain_kind(&self, kind: &Kind, presented: &Presented<'_>, now: UnixTime) -> Explanation {
        let asked = Asked::new(presented, now, Duration::ZERO, self);
        explaining(&*kind.verifier).map_or_else(
            || {
                let mut explanation = Explanation::of_claims(None);
                let wanted = format!("what its verifier takes for one of the kind `{}`", kind.kind.name());
                explanation.add_open("credential", wanted);
                explanation
            },
            |verifier| verifier.explain(&asked),
        )
    }

    fn explain_token(&self, presented: &Presented<'_>, now: UnixTime) -> Explanation {
        if let Some(kind) = self.opaque(presented) {
            return self.explain_kind(kind, presented, now);
        }
        if presented.is_basic() {
            let mut explanation = Explanation::of_claims(None);
            explanation.add("form", "a token", None, Err(Reason::CredentialMalformed));
            return explanation;
        }
        let text = presented.token();
        let issuer =
            Token::parse(text).ok().and_then(|token| Some(token.unverified_issuer().ok()?.to_owned()));
        let known = self.issuers().iter().find(|(expected, _)| Some(&*expected.issuer) == issuer.as_deref());
        match known {
            Some((expected, cache)) => explain(*presented, cache.current().as_deref(), expected, now),
            None => self.of_nobody(text),
        }
    }

    /// Of a token that no configured issuer has made.
    fn of_nobody(&self, text: &str) -> Explanation {
        let names = self.issuers().iter().map(|(expected, _)| &*expected.issuer);
        let issuers = one_of(names);
        let mut explanation = Explanation::of_form(text);
        if let Ok(token) = Token::parse(text) {
            let verdict = token.unverified_issuer().and(Err(Reason::IssuerUnknown));
            explanation.add("iss", issuers, found(explanation.claim("iss")), verdict);
        } else {
            explanation.add_open("iss", issuers);
        }
        explanation
    }
}

/// Every check of one token: a function of what is presented, the issuer's keys, what is expected, and the time. A proof is
/// looked at, and not remembered.
#[must_use]
pub fn explain(
    presented: Presented<'_>,
    keys: Option<&KeySet>,
    expected: &Expectations,
    now: UnixTime,
) -> Explanation {
    let text = presented.token();
    let mut explanation = Explanation::of_form(text);
    let Ok(token) = Token::parse(text) else { return explanation };
    let iss = found(explanation.claim("iss"));
    explanation.add("iss", format!("`{}`", expected.issuer), iss, admission::issuer(&token, expected));
    let media_type = found(explanation.parameter("typ"));
    explanation.add("typ", types(&expected.types), media_type, admission::media_type(&token, expected));
    let algorithm = admission::algorithm(&token, expected);
    let algorithms = one_of(expected.algorithms.iter().map(|algorithm| algorithm.name()));
    explanation.add("alg", algorithms, found(explanation.parameter("alg")), algorithm.clone().map(drop));
    let key_id = match expected.key_id {
        Presence::Required => "a key ID",
        Presence::Optional => "a key ID, or none where one key fits",
    };
    explanation.add("kid", key_id, found(explanation.parameter("kid")), admission::key_id(&token, expected));
    explanation.add_signature(text, token, algorithm.ok(), keys);
    let claims: Claims =
        explanation.claims.as_ref().and_then(Value::as_object).cloned().unwrap_or_default().into();
    explanation.add_claims(&claims, expected, &presented, now);
    explanation
}

impl Explanation {
    /// No check yet, of a credential of which this is known.
    pub(super) fn of_claims(claims: Option<&Claims>) -> Self {
        Self { header: None, claims: claims.map(Claims::to_json), checks: Vec::new() }
    }

    fn of_form(text: &str) -> Self {
        let [header, claims] = super::token::readable(text);
        let mut explanation = Self { header, claims, checks: Vec::new() };
        let size = Some(format!("{} bytes", text.len()));
        explanation.add(
            "form",
            "a signed JWT: header, claims and signature",
            size,
            Token::parse(text).map(drop),
        );
        explanation
    }

    fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.as_ref()?.get(name)
    }

    fn parameter(&self, name: &str) -> Option<&Value> {
        self.header.as_ref()?.get(name)
    }

    pub(super) fn add(
        &mut self,
        name: &str,
        expected: impl Into<String>,
        found: Option<String>,
        verdict: Result<(), Reason>,
    ) {
        let verdict = match verdict {
            Ok(()) => Verdict::Passed,
            Err(reason) => Verdict::Failed(reason),
        };
        self.checks.push(Checked { name: name.to_owned(), expected: expected.into(), found, verdict });
    }

    pub(super) fn add_claims(
        &mut self,
        claims: &Claims,
        expected: &Expectations,
        presented: &Presented<'_>,
        now: UnixTime,
    ) {
        for check in claims::checks(expected) {
            let (name, wanted) = described(&check, expected, now);
            let verdict = check.verdict(claims, expected, presented, now);
            self.add(&name, wanted, shown(&check, claims, &name, now), verdict);
        }
    }

    pub(super) fn add_open(&mut self, name: &str, expected: impl Into<String>) {
        let (name, expected) = (name.to_owned(), expected.into());
        self.checks.push(Checked { name, expected, found: None, verdict: Verdict::Open });
    }

    fn add_signature(
        &mut self,
        text: &str,
        token: Token<'_>,
        algorithm: Option<Algorithm>,
        keys: Option<&KeySet>,
    ) {
        const BY_KEY: &str = "made by that key over this header and these claims";
        let Some((algorithm, keys)) = algorithm.zip(keys) else {
            self.add_open("key", "a key of the issuer that fits");
            self.add_open("signature", BY_KEY);
            return;
        };
        let whose = match keys.keys().len() {
            1 => "the issuer's only key".to_owned(),
            count => format!("one of the issuer's {count} keys"),
        };
        let wanted = format!("{whose}, for {}", algorithm.name());
        match admission::key(&token, algorithm, keys) {
            Ok(key) => {
                self.add("key", wanted, Some(name_of(key)), Ok(()));
                let verdict = signature::verify(token, key, algorithm).map(drop);
                let length = text.rsplit('.').next().map_or(0, str::len);
                self.add("signature", BY_KEY, Some(format!("{length} characters")), verdict);
            }
            Err(reason) => {
                let ids = keys.keys().iter().map(|key| key.id().unwrap_or("a key without an ID"));
                self.add("key", format!("{wanted}: {}", one_of(ids)), None, Err(reason));
                self.add_open("signature", BY_KEY);
            }
        }
    }
}

fn name_of(key: &Key) -> String {
    match key.id() {
        Some(id) => format!("`{}`, {}", plain(id), key.public().name()),
        None => format!("without an ID, {}", key.public().name()),
    }
}

/// The name of a check, and what it asks for.
fn described(check: &Check<'_>, expected: &Expectations, now: UnixTime) -> (String, String) {
    let leeway = expected.leeway;
    let optional = |presence, text: &str| match presence {
        Presence::Required => text.to_owned(),
        Presence::Optional => format!("{text}, where it is there"),
    };
    let (name, wanted) = match check {
        Check::Rule(rule) => return described_rule(rule),
        Check::Audience(AudienceCheck::OneOf(names)) => {
            (expected.audience_claim.name(), one_of(names.iter().map(String::as_str)))
        }
        Check::Audience(AudienceCheck::Unchecked) => {
            (expected.audience_claim.name(), "anybody: the configuration says `unchecked`".to_owned())
        }
        Check::Expiry => ("exp", format!("later than {}, with {leeway} s of leeway", moment(now))),
        Check::NotBefore => ("nbf", format!("no later than {}, with {leeway} s of leeway", moment(now))),
        Check::IssuedAt => ("iat", optional(expected.issued_at, "a time")),
        Check::Age(most) => ("iat", format!("at most {most} s ago, with {leeway} s of leeway")),
        Check::Lifetime(most) => ("exp", format!("at most {most} s after `iat`")),
        Check::Subject => ("sub", optional(expected.subject, "a text that is not empty")),
        Check::TextOrNull(claim) => (*claim, "a text, where it is there".to_owned()),
        Check::Possession => ("cnf", proofs(&expected.possession)),
    };
    (name.to_owned(), wanted)
}

fn described_rule(rule: &ClaimRule) -> (String, String) {
    let any = |claims: &[ClaimPath]| claims.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    match rule {
        ClaimRule::Present(claims) => (any(claims), "there, and not empty".into()),
        ClaimRule::Text(claims) => (any(claims), "a text that is not empty".into()),
        ClaimRule::Value { claim, values } => {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            (claim.to_string(), one_of(values.iter().map(String::as_str)))
        }
        ClaimRule::Past(claim) => (claim.to_string(), "a time that has passed".into()),
        ClaimRule::Kind { claim, kind } => (claim.to_string(), format!("`{kind}`")),
        ClaimRule::KindIfThere { claim, kind } => (claim.to_string(), format!("`{kind}`, where it is there")),
        ClaimRule::NotKind { claim, kinds } => {
            (claim.to_string(), format!("not {}, where it is there", one_of(kinds.iter().copied())))
        }
        ClaimRule::Absent(claim) => (claim.to_string(), "nothing: only another kind of token has it".into()),
    }
}

/// What is there for a check.
fn shown(check: &Check<'_>, claims: &Claims, name: &str, now: UnixTime) -> Option<String> {
    let time = |value: &Value| match value.as_f64() {
        Some(at) => format!("{}, {}", moment(at), distance(at, now)),
        None => claims::excerpt(value),
    };
    match check {
        Check::Rule(ClaimRule::Present(any) | ClaimRule::Text(any)) => {
            any.iter().find_map(|claim| claims.at(claim)).map(claims::excerpt)
        }
        Check::Rule(ClaimRule::Past(claim)) => claims.at(claim).map(time),
        Check::Rule(
            ClaimRule::Value { claim, .. }
            | ClaimRule::Kind { claim, .. }
            | ClaimRule::KindIfThere { claim, .. }
            | ClaimRule::NotKind { claim, .. }
            | ClaimRule::Absent(claim),
        ) => claims.at(claim).map(claims::excerpt),
        Check::Expiry | Check::NotBefore | Check::IssuedAt | Check::Age(_) | Check::Lifetime(_) => {
            claims.named(name).map(time)
        }
        Check::Audience(_) | Check::Subject | Check::TextOrNull(_) | Check::Possession => {
            claims.named(name).map(claims::excerpt)
        }
    }
}

fn proofs(expected: &ProofOfPossession) -> String {
    let proofs = match (&expected.dpop, expected.mutual_tls) {
        (None, false) => return "nothing: no proof of a key is taken here".to_owned(),
        (Some(_), false) => "a key that a DPoP proof shows",
        (None, true) => "the client's certificate",
        (Some(_), true) => "a key that a DPoP proof shows, or the client's certificate",
    };
    let or_nothing = if expected.is_required { "" } else { ", or nothing" };
    format!("{proofs}{or_nothing}")
}

fn types(types: &TokenTypes) -> String {
    match (one_of(types.named.iter().map(String::as_str)), types.unnamed) {
        (named, true) => format!("{named}, or none"),
        (named, false) => named,
    }
}

/// `a`, `b` or `c`.
fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.map(|name| format!("`{}`", plain(name))).collect();
    match names.pop() {
        None => "none".to_owned(),
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} or {last}", names.join(", ")),
    }
}

fn found(value: Option<&Value>) -> Option<String> {
    value.map(claims::excerpt)
}

/// Without what moves a cursor or turns a line around.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' }).collect()
}

fn moment(at: UnixTime) -> String {
    rfc3339(at)
}

fn distance(at: UnixTime, now: UnixTime) -> String {
    let seconds = (at - now).abs();
    let amount = match seconds {
        _ if seconds < 120.0 => format!("{seconds:.0} s"),
        _ if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        _ if seconds < 172_800.0 => format!("{:.0} h", seconds / 3600.0),
        _ => format!("{:.0} days", seconds / 86_400.0),
    };
    if at < now { format!("{amount} ago") } else { format!("in {amount}") }
}
