//! Requirements that no issuer's tokens can meet, or not as they are written.

use std::collections::BTreeSet;

use super::Finding;
use super::rules::place;
use crate::claims::ClaimPath;
use crate::config::{Config, Issuer};
use crate::rules::{Requirement, Rule, Test};
use crate::verify::ClaimRule;

pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (position, rule) in config.compiler.rules().as_slice().iter().enumerate() {
        let issuers: Vec<&Issuer> = config.issuers.iter().filter(|issuer| may_be_of(rule, issuer)).collect();
        for leaf in rule.requirement.leaves() {
            if !issuers.is_empty() && issuers.iter().all(|issuer| is_never_met(leaf, issuer)) {
                findings.push(finding(&place(position, rule), leaf));
            }
        }
        for claim in bound_claims(rule) {
            findings.extend(bound(&place(position, rule), claim, &issuers));
        }
    }
    findings
}

/// The claims that the rule's routes are bound to, each once.
fn bound_claims(rule: &Rule) -> BTreeSet<&ClaimPath> {
    rule.routes.iter().flat_map(|route| route.claims()).collect()
}

/// A claim in a route that no token has, or that means somebody else in another issuer's tokens.
fn bound(place: &str, claim: &ClaimPath, issuers: &[&Issuer]) -> Option<Finding> {
    if !issuers.is_empty() && issuers.iter().all(|issuer| is_never_there(claim, issuer)) {
        let message = format!(
            "its routes are bound to the claim `{claim}`, which no token has by its issuer's `profile`"
        );
        return Some(Finding::warning("claim_never_there", place, message));
    }
    (issuers.len() > 1).then(|| {
        let message = format!(
            "its routes are bound to `{claim}`, which two issuers may give to different people: they share what is bound to it"
        );
        Finding::warning("claim_of_several_issuers", place, message)
            .hint("a rule for each issuer, with `requires = { issuer = \"…\" }` and routes of its own")
    })
}

/// Whether callers of the issuer may meet the rule's requirement, as far as it names issuers.
fn may_be_of(rule: &Rule, issuer: &Issuer) -> bool {
    let own = Requirement::Issuer(issuer.expectations.issuer.to_string());
    Requirement::may_all_be_met(&[&rule.requirement, &own])
}

fn finding(place: &str, leaf: &Requirement) -> Finding {
    let what = match leaf {
        Requirement::Scope(scope) => format!("the scope `{scope}`"),
        Requirement::Claim(claim, _) => format!("the claim `{claim}` as it is compared"),
        Requirement::Anyone
        | Requirement::Authenticated
        | Requirement::Issuer(_)
        | Requirement::Credential(_)
        | Requirement::SourceIp(_)
        | Requirement::All(_)
        | Requirement::Any(_)
        | Requirement::Not(_) => "something".to_owned(),
    };
    let message = format!("it asks for {what}, which no token has by its issuer's `profile`");
    Finding::warning("claim_never_there", place, message)
        .hint("compare the rule with a token of the issuer, and with the profiles of docs/configuration.md")
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

/// Whether the profile asks for another value of the claim.
fn contradicts(claim: &ClaimPath, test: &Test, issuer: &Issuer) -> bool {
    let Test::OneOf(values) = test else { return false };
    issuer.expectations.claims().iter().any(|rule| match rule {
        ClaimRule::Kind { claim: asked, kind } | ClaimRule::KindIfThere { claim: asked, kind } => {
            asked == claim && !values.iter().any(|value| value.as_str() == Some(kind))
        }
        ClaimRule::Present(_)
        | ClaimRule::Text(_)
        | ClaimRule::Value { .. }
        | ClaimRule::Past(_)
        | ClaimRule::NotKind { .. }
        | ClaimRule::Absent(_) => false,
    })
}
