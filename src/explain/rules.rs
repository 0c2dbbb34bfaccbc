//! Why each rule is, or is not, for a caller and a request.

use serde::Serialize;

use crate::arn::MethodArn;
use crate::rules::{Caller, Effect, Requirement, RoutePattern, Rule, Rules, Verdict};

/// How a caller stands to one rule.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RulePart {
    /// The rule's name.
    pub name: String,
    /// `allow` or `deny`.
    pub effect: &'static str,
    /// Whether it is for the caller; `None` where nobody knows who that is.
    pub applies: Option<bool>,
    /// Whether it is for this API and stage.
    pub is_on_stage: bool,
    /// What it asks of the caller.
    pub requirement: RequirementPart,
    /// Its routes.
    pub routes: Vec<RoutePart>,
}

/// A requirement, and whether the caller meets it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RequirementPart {
    /// What is asked for.
    pub text: String,
    /// `met`, `unmet`, or `unknown`; `None` where nobody knows who the caller is.
    pub verdict: Option<&'static str>,
    /// What it is made of.
    pub parts: Vec<RequirementPart>,
}

/// A route of a rule.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RoutePart {
    /// As the rule writes it.
    pub route: String,
    /// Whether it names what is asked for, for some caller.
    pub names_request: bool,
    /// Whether it does for this one; `None` where nobody knows who that is.
    pub matches_request: Option<bool>,
}

pub(super) fn explain(rules: &Rules, caller: Option<&Caller<'_>>, arn: &MethodArn) -> Vec<RulePart> {
    let standing = caller.map(|caller| rules.standing(caller, arn));
    let part = |(position, rule): (usize, &Rule)| {
        let route = |route: &RoutePattern| RoutePart {
            route: route.to_string(),
            names_request: route.names(arn),
            matches_request: standing.as_ref().map(|standing| match rule.effect {
                Effect::Allow => route.is_open_to(arn, &standing.bindings),
                Effect::Deny => route.is_closed_to(arn, &standing.bindings),
            }),
        };
        RulePart {
            name: rule.name.clone(),
            effect: match rule.effect {
                Effect::Allow => "allow",
                Effect::Deny => "deny",
            },
            applies: standing.as_ref().map(|standing| standing.rules.contains(&position)),
            is_on_stage: rule.is_on_stage_of(arn),
            requirement: requirement(&rule.requirement, rule.effect, caller),
            routes: rule.routes.iter().map(route).collect(),
        }
    };
    rules.as_slice().iter().enumerate().map(part).collect()
}

fn requirement(asked: &Requirement, effect: Effect, caller: Option<&Caller<'_>>) -> RequirementPart {
    let verdict = caller.map(|caller| match effect {
        Effect::Allow => asked.verdict(caller),
        Effect::Deny => asked.verdict_to_deny(caller),
    });
    let parts: &[Requirement] = match asked {
        Requirement::All(parts) | Requirement::Any(parts) => parts,
        Requirement::Not(part) => std::slice::from_ref(part),
        Requirement::Anyone
        | Requirement::Authenticated
        | Requirement::Scope(_)
        | Requirement::Claim(..)
        | Requirement::Issuer(_)
        | Requirement::Credential(_)
        | Requirement::SourceIp(_)
        | Requirement::Parameter(..) => &[],
    };
    RequirementPart {
        text: text(asked),
        verdict: verdict.map(|verdict| match verdict {
            Verdict::Met => "met",
            Verdict::Unmet => "unmet",
            Verdict::Unknown => "unknown",
        }),
        parts: parts.iter().map(|part| requirement(part, effect, caller)).collect(),
    }
}

/// What is asked for, without the parts.
fn text(asked: &Requirement) -> String {
    match asked {
        Requirement::All(_) => "all of".to_owned(),
        Requirement::Any(_) => "one of".to_owned(),
        Requirement::Not(_) => "not".to_owned(),
        Requirement::Anyone
        | Requirement::Authenticated
        | Requirement::Scope(_)
        | Requirement::Claim(..)
        | Requirement::Issuer(_)
        | Requirement::Credential(_)
        | Requirement::SourceIp(_)
        | Requirement::Parameter(..) => asked.to_string(),
    }
}
