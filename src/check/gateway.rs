//! What API Gateway does before it asks, and with what it is answered, as far as the configuration tells.

use super::Finding;
use super::rules::place;
use crate::config::{Config, IdentityExpression};
use crate::policy::LARGEST_POLICY;
use crate::response::HttpApi;
use crate::rules::Effect;

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
    let largest = config.compiler.largest(usize::MAX);
    (!largest.fits()).then(|| {
        let message = format!(
            "a caller whom {} rules are for would get a policy of {} bytes, and {LARGEST_POLICY} is what API Gateway's 8 KB leave for it",
            largest.rules.len(), largest.bytes,
        );
        Finding::error("policy_too_large", "rule", message).hint("fewer routes for one caller, or `**`; `ANY` only where every method is meant")
    })
}
