//! What API Gateway does before it asks, and with what it is answered, as far as the configuration tells.

use std::collections::BTreeSet;

use super::finding::{Finding, Severity};
use super::kinds::Kind;
use super::rules::place;
use crate::claims::ClaimPath;
use crate::config::{Config, IdentityExpression};
use crate::policy::{LARGEST_POLICY, UsualValue};
use crate::response::HttpApi;
use crate::rules::Effect;
use crate::verify::Profile;

pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(public_routes(config));
    findings.extend(simple_answers(config));
    findings
}

/// API Gateway answers 401 by itself to a request that lacks an identity source.
fn public_routes(config: &Config) -> Vec<Finding> {
    let rules = config.compiler.rules();
    let public = rules
        .as_slice()
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.effect == Effect::Allow && !rule.routes.is_empty() && rule.is_public());
    let sources = config.identity_sources.as_slice().iter();
    let credentials: Vec<_> = sources.filter_map(|source| IdentityExpression::of(&source.location)).collect();
    let finding = |place: String| {
        match &config.gateway.identity_sources {
        None => {
            let message = "API Gateway answers 401 by itself to a caller without a credential, where its authorizer has the credential's place as an identity source";
            Some(Finding::warning("public_refused_by_gateway", place, message).hint("such routes need an authorizer without it, or none at all; tell `gateway.identity_sources` what it has"))
        }
        Some(sources) => sources.iter().find(|source| credentials.contains(source)).map(|source| {
            let message = format!("API Gateway answers 401 by itself to a caller without a credential: `{source}` is an identity source");
            Finding::warning("public_refused_by_gateway", place, message).hint("such routes need an authorizer without it, or none at all")
        }),
    }
    };
    public.filter_map(|(position, rule)| finding(place(position, rule))).collect()
}

/// The validation has seen to it that answers are kept apart by route; a route has many paths.
fn simple_answers(config: &Config) -> Option<Finding> {
    let is_replayed = config.answers.http_api == HttpApi::Simple && config.gateway.may_cache();
    (is_replayed && !config.compiler.rules().is_silent()).then(|| {
        let message =
            "a simple answer is replayed for every path of a route key: it must be the same for all of them";
        Finding::warning("simple_cached", "response.http_api", message)
            .hint("`--api` looks at the API's own routes; `\"policy\"` needs no such care")
    })
}

/// A policy that API Gateway would not take, of whomever.
pub(super) fn size(config: &Config) -> Option<Finding> {
    const HINT: &str = "fewer routes for one caller, or `**`; `ANY` only where every method is meant";
    let [plain, spelled] =
        [UsualValue::Uuid, UsualValue::TwoSpellings].map(|value| config.compiler.largest(usize::MAX, value));
    let is_plain = !plain.fits();
    let largest = if is_plain { plain } else { spelled };
    if largest.fits() {
        return None;
    }
    let who = match is_plain {
        true => "",
        false => ", and whose claims are such as `auth0|507f1f77bcf86cd799439011`, which has two spellings,",
    };
    let message = format!(
        "a caller whom {} rules are for{who} would get a policy of {} bytes, and {LARGEST_POLICY} is what API Gateway's 8 KB leave for it",
        largest.rules.len(),
        largest.bytes,
    );
    let finding = Finding::error("policy_too_large", "rule", message).hint(HINT);
    let is_certain = is_plain || is_auth0(config, &largest.rules);
    Some(if is_certain { finding } else { Finding { severity: Severity::Warning, ..finding } })
}

/// Whether the routes of these rules, by position, are bound to the subject, which Auth0's tokens have with a `|`.
fn is_auth0(config: &Config, rules: &[usize]) -> bool {
    let rules = rules.iter().filter_map(|position| config.compiler.rules().as_slice().get(*position));
    let mut claims = rules.flat_map(|rule| &rule.routes).flat_map(|route| route.claims());
    claims.any(|claim| *claim == ClaimPath::of(["sub"]))
        && config.issuers.iter().any(|issuer| issuer.profile == Profile::Auth0)
}

/// With so few values of a claim, callers who have a list of them are soon refused everywhere.
const FEW_VALUES: usize = 5;

/// Routes that are bound to a claim that may be a list, of which few values fit.
pub(super) fn values(config: &Config) -> Option<Finding> {
    let compiler = &config.compiler;
    let kinds = |claim: &ClaimPath| -> Vec<Option<Kind>> {
        // Of what an authorization server says of a token, and of what is stored of a key, nothing is known.
        let others = config.others().into_iter().map(|_| None);
        config.issuers.iter().map(|issuer| Kind::of(claim, issuer)).chain(others).collect()
    };
    let may_be_several =
        |claim: &&ClaimPath| kinds(claim).iter().any(|kind| kind.is_none_or(|kind| kind == Kind::List));
    let routes = compiler.rules().as_slice().iter().flat_map(|rule| &rule.routes);
    let several: BTreeSet<&ClaimPath> =
        routes.flat_map(|route| route.claims()).filter(may_be_several).collect();
    if several.is_empty() {
        return None;
    }
    let count = compiler.values_that_fit(&compiler.largest(usize::MAX, UsualValue::Uuid))?;
    (1..FEW_VALUES).contains(&count).then(|| {
        let values = if count == 1 { "one value".to_owned() } else { format!("{count} values") };
        let names: Vec<_> = several.iter().map(|claim| format!("`{claim}`")).collect();
        let message = format!(
            "the largest policy fits with no more than {values} of each claim in its routes: a caller with a longer list in {} is refused everywhere",
            names.join(" or "),
        );
        let is_a_list = several.iter().any(|claim| kinds(claim).contains(&Some(Kind::List)));
        let finding = Finding::warning("values_limited", "rule", message)
            .hint("fewer routes with the claim, or `**`; or see to it that the issuer gives few values");
        if is_a_list { finding } else { Finding { severity: Severity::Note, ..finding } }
    })
}
