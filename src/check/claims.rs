//! Requirements that no issuer's tokens can meet, or not as they are written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Finding;
use super::kinds::Kind;
use super::rules::place;
use crate::claims::ClaimPath;
use crate::config::{Config, Issuer};
use crate::credential::CredentialKind;
use crate::rules::{Effect, Requirement, Rule, Test, Verdict};
use crate::verify::ClaimRule;

pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (position, rule) in config.compiler.rules().as_slice().iter().enumerate() {
        // A token that was got for a client's ID and secret is one of its issuer's, too.
        let exchanged = config.client_credentials.as_ref().map(|settings| &*settings.issuer);
        let of = |issuer: &str, kind: &CredentialKind| {
            let is_exchanged = exchanged == Some(issuer);
            may_be_of(rule, issuer, kind)
                || (is_exchanged && may_be_of(rule, issuer, &CredentialKind::ClientCredentials))
        };
        let is_of = |issuer: &&Issuer| of(&issuer.expectations.issuer, &CredentialKind::Jwt);
        let issuers: Vec<&Issuer> = config.issuers.iter().filter(is_of).collect();
        let others = config.others();
        let others = others.iter().filter(|(issuer, kind)| of(issuer, kind)).count();
        let callers = Callers { issuers, others };
        let place = place(position, rule);
        for leaf in rule.requirement.leaves() {
            findings.extend(never(&place, rule, leaf, &callers));
        }
        for claim in bound_claims(rule) {
            findings.extend(bound(&place, claim, &callers));
        }
    }
    findings
}

/// Who may meet a rule.
struct Callers<'a> {
    /// The issuers of their JWTs.
    issuers: Vec<&'a Issuer>,
    /// How many vouch for callers with opaque tokens or API keys: what these stand for is not known.
    others: usize,
}

impl Callers<'_> {
    /// Whether it is true of each of them, as far as they are known. Of nobody nothing is.
    fn are_all(&self, is_so: impl Fn(&&Issuer) -> bool) -> bool {
        self.others == 0 && !self.issuers.is_empty() && self.issuers.iter().all(is_so)
    }
}

/// The claims that the rule's routes are bound to, each once.
fn bound_claims(rule: &Rule) -> BTreeSet<&ClaimPath> {
    rule.routes.iter().flat_map(|route| route.claims()).collect()
}

/// A claim in a route that no token has, or that means somebody else in another issuer's tokens.
fn bound(place: &str, claim: &ClaimPath, callers: &Callers<'_>) -> Option<Finding> {
    if callers.are_all(|issuer| is_never_there(claim, issuer)) {
        let message = format!(
            "its routes are bound to the claim `{claim}`, which no token has by its issuer's `profile`"
        );
        let hint = "compare the route with a token of the issuer";
        return Some(Finding::warning("claim_never_there", place, message).hint(hint));
    }
    (callers.issuers.len() + callers.others > 1).then(|| {
        let message = format!(
            "its routes are bound to `{claim}`, which two issuers may give to different people: they share what is bound to it"
        );
        Finding::warning("claim_of_several_issuers", place, message)
            .hint("a rule for each issuer, with `requires = { issuer = \"…\" }` and routes of its own")
    })
}

/// Whether callers of the issuer may meet the rule's requirement, as far as it names issuers and kinds of credentials.
fn may_be_of(rule: &Rule, issuer: &str, kind: &CredentialKind) -> bool {
    let own = Requirement::Issuer(issuer.to_owned());
    Requirement::may_all_be_met(&[&rule.requirement, &own, &Requirement::Credential(kind.clone())])
}

/// What none of the callers of these issuers has.
fn never(place: &str, rule: &Rule, leaf: &Requirement, callers: &Callers<'_>) -> Option<Finding> {
    let is_never_met = |issuer: &&Issuer| other_kind(leaf, issuer).is_some() || is_never_met(leaf, issuer);
    if !callers.are_all(is_never_met) {
        return None;
    }
    let issuers = &callers.issuers;
    let what = match (leaf, issuers.iter().find_map(|issuer| other_kind(leaf, issuer))) {
        (Requirement::Claim(claim, _), Some(kind)) => {
            return Some(compared_otherwise(place, rule, claim, kind));
        }
        (Requirement::Scope(scope), _) => format!("the scope `{scope}`"),
        (Requirement::Claim(claim, _), None) => format!("the claim `{claim}` as it is compared"),
        _ => return None,
    };
    let is_by_values = |issuer: &&Issuer| {
        let Requirement::Claim(claim, test) = leaf else { return false };
        !is_never_there(claim, issuer) && is_other_value(claim, test, issuer)
    };
    let by = if issuers.iter().any(is_by_values) { "`required_values`" } else { "its issuer's `profile`" };
    let message = format!("it asks for {what}, which no token has by {by}");
    let hint = "compare the rule with a token of the issuer, and with the profiles of docs/configuration.md";
    Some(Finding::warning("claim_never_there", place, message).hint(hint))
}

/// A comparison that is undecided for every token that has the claim.
fn compared_otherwise(place: &str, rule: &Rule, claim: &ClaimPath, kind: Kind) -> Finding {
    let so = match rule.effect {
        Effect::Allow => "it is never met, and neither is its contrary",
        Effect::Deny => "it is never decided, and the rule denies whoever has the claim",
    };
    let message = format!(
        "it compares the claim `{claim}`, which is {} in every token that has it, with something else: {so}",
        kind.name()
    );
    Finding::warning("claim_of_other_type", place, message).hint(kind.hint())
}

/// The type of the claim, where it cannot be compared so.
fn other_kind(leaf: &Requirement, issuer: &Issuer) -> Option<Kind> {
    let Requirement::Claim(claim, test) = leaf else { return None };
    Kind::of(claim, issuer).filter(|kind| !kind.is_comparable(test))
}

fn is_never_met(leaf: &Requirement, issuer: &Issuer) -> bool {
    match leaf {
        Requirement::Scope(_) => !issuer.profile.has_scopes(),
        Requirement::Claim(claim, test) => is_never_there(claim, issuer) || contradicts(claim, test, issuer),
        Requirement::Anyone
        | Requirement::Authenticated
        | Requirement::Issuer(_)
        | Requirement::Credential(_)
        | Requirement::SourceIp(_)
        | Requirement::Parameter(..)
        | Requirement::All(_)
        | Requirement::Any(_)
        | Requirement::Not(_) => false,
    }
}

/// Whether the profile refuses tokens with the claim, or knows that its issuer gives it to none.
fn is_never_there(claim: &ClaimPath, issuer: &Issuer) -> bool {
    let is_absent = |rule: &ClaimRule| matches!(rule, ClaimRule::Absent(absent) if absent == claim);
    let is_scope = ["scope", "scp"].iter().any(|name| *claim == ClaimPath::of([*name]));
    issuer.expectations.claims().iter().any(is_absent) || (is_scope && !issuer.profile.has_scopes())
}

/// Whether the issuer, or the configuration, asks for another value of the claim.
fn contradicts(claim: &ClaimPath, test: &Test, issuer: &Issuer) -> bool {
    let fails = |value: &Value| test.verdict(value) != Verdict::Met;
    let is_other_issuer = || fails(&json!(&*issuer.expectations.issuer));
    if *claim == ClaimPath::of(["iss"]) && is_other_issuer() {
        return true;
    }
    let is_other_kind = issuer.expectations.claims().iter().any(|rule| match rule {
        ClaimRule::Kind { claim: asked, kind } | ClaimRule::KindIfThere { claim: asked, kind } => {
            asked == claim && fails(&json!(kind))
        }
        ClaimRule::Value { .. }
        | ClaimRule::Present(_)
        | ClaimRule::Text(_)
        | ClaimRule::Past(_)
        | ClaimRule::NotKind { .. }
        | ClaimRule::Absent(_) => false,
    });
    is_other_kind || is_other_value(claim, test, issuer)
}

/// Whether the configuration's `required_values` ask for another value of the claim.
fn is_other_value(claim: &ClaimPath, test: &Test, issuer: &Issuer) -> bool {
    issuer.expectations.claims().iter().any(|rule| match rule {
        // A list of others may hold one of these: `contains` may be met.
        ClaimRule::Value { claim: asked, values } => {
            let fails = |value: &Value| test.verdict(value) != Verdict::Met;
            asked == claim && !matches!(test, Test::Contains(_)) && values.iter().all(fails)
        }
        ClaimRule::Kind { .. }
        | ClaimRule::KindIfThere { .. }
        | ClaimRule::Present(_)
        | ClaimRule::Text(_)
        | ClaimRule::Past(_)
        | ClaimRule::NotKind { .. }
        | ClaimRule::Absent(_) => false,
    })
}
