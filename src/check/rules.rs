//! Rules that do nothing, or less than they seem to.

use super::Finding;
use crate::rules::{Effect, Parameter, PathPattern, Requirement, RoutePattern, Rule, Rules, Segment, Shape};

pub(super) fn findings(rules: &Rules) -> Vec<Finding> {
    let mut findings = Vec::new();
    let all = rules.as_slice();
    let is_opening = |rule: &Rule| rule.effect == Effect::Allow && !rule.routes.is_empty();
    if !rules.is_silent() && !all.iter().any(is_opening) {
        let message = "no rule opens a route: every request is refused";
        findings.push(
            Finding::warning("nothing_open", "rule", message)
                .hint("a rule with `routes` and without `effect`"),
        );
    }
    for (position, rule) in all.iter().enumerate() {
        let place = place(position, rule);
        if let Some(twin) = all.iter().take(position).position(|other| other.name == rule.name) {
            let message = format!("rule[{twin}] has the same name: a log record does not tell them apart");
            findings.push(
                Finding::warning("rule_name_twice", &place, message).hint("give each rule a name of its own"),
            );
        }
        findings.extend(twice(position, rule));
        findings.extend(unproven(&place, rule));
        let others = || all.iter().enumerate().filter(|(other, _)| *other != position);
        let never =
            unmet(&place, rule).or_else(|| others().find_map(|(_, other)| closed(&place, rule, other)));
        // Of a rule that never counts it says nothing what it would do beside others.
        if let Some(never) = never {
            findings.push(never);
            continue;
        }
        findings.extend(others().find_map(|(other, twin)| shadowed(&place, rule, twin, other < position)));
        for (_, other) in others() {
            findings.extend(also_open(&place, rule, other));
        }
    }
    findings
}

pub(super) fn place(position: usize, rule: &Rule) -> String {
    format!("rule[{position}] `{}`", rule.name)
}

/// Whether the other rule is for every caller, stage and API that the rule is for.
pub(super) fn is_for_all_of(other: &Rule, rule: &Rule) -> bool {
    is_everywhere_of(other, rule) && rule.requirement.implies(&other.requirement)
}

/// Whether the other rule is for every stage and API that the rule is for.
pub(super) fn is_everywhere_of(other: &Rule, rule: &Rule) -> bool {
    let includes = |other: &[String], own: &[String]| {
        other.is_empty() || (!own.is_empty() && own.iter().all(|value| other.contains(value)))
    };
    includes(&other.stages, &rule.stages) && includes(&other.apis, &rule.apis)
}

fn covers_all(other: &Rule, rule: &Rule) -> bool {
    let is_covered = |route: &RoutePattern| other.routes.iter().any(|wider| wider.covers(route));
    !rule.routes.is_empty() && rule.routes.iter().all(is_covered)
}

/// A route that the rule names, and has named before, in other words perhaps.
fn twice(position: usize, rule: &Rule) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, route) in rule.routes.iter().enumerate() {
        if let Some(first) = rule.routes.iter().take(number).position(|other| other == route) {
            let place = format!("rule[{position}].routes[{number}]");
            let message =
                format!("`{route}` of the rule `{}` is the same as routes[{first}] before it", rule.name);
            findings.push(
                Finding::warning("route_twice", place, message)
                    .hint("leave it out; or write the route that was meant"),
            );
        }
    }
    findings
}

fn unmet(place: &str, rule: &Rule) -> Option<Finding> {
    (!Requirement::may_all_be_met(&[&rule.requirement])).then(|| {
        Finding::warning("rule_unreachable", place, "nobody can meet what it requires").hint(
            "`all` and several members of one table are met together, `any` and `one_of` by one of them",
        )
    })
}

/// A rule that opens routes to whoever says the right thing: nobody vouches for a header or a query parameter.
fn unproven(place: &str, rule: &Rule) -> Option<Finding> {
    let leaves = rule.requirement.leaves();
    let is_of_client = |leaf: &Requirement| leaf.parameter().is_some_and(Parameter::is_of_client);
    let said = leaves.iter().find(|leaf| is_of_client(leaf))?;
    let is_proof = |leaf: &&&Requirement| !is_of_client(leaf) && ***leaf != Requirement::Anyone;
    let mut proofs: Vec<Requirement> = leaves.iter().filter(is_proof).map(|leaf| (*leaf).clone()).collect();
    proofs.push(Requirement::Authenticated);
    let is_opening = rule.effect == Effect::Allow && !rule.routes.is_empty();
    (is_opening && !rule.requirement.implies(&Requirement::Any(proofs))).then(|| {
        let who = if rule.is_public() { "whoever sends it" } else { "every verified caller who sends it" };
        let message = format!("it is met by {said} alone, by {who}: that is what the client says, and proves nothing");
        Finding::warning("parameter_proves_nothing", place, message)
            .hint("ask for more: a scope, a claim, or `\"authenticated\"` where that is meant; or take it for a filter, not for a lock")
    })
}

/// A rule that opens what another one closes for the same callers.
fn closed(place: &str, rule: &Rule, other: &Rule) -> Option<Finding> {
    let is_closed = rule.effect == Effect::Allow
        && other.effect == Effect::Deny
        && covers_all(other, rule)
        && is_for_all_of(other, rule);
    is_closed.then(|| {
        let message = format!("`{}` closes all of its routes for all of its callers", other.name);
        Finding::warning("rule_unreachable", place, message)
            .hint("leave it out; or take its routes, or its callers, out of the rule that denies")
    })
}

/// A rule that changes nothing beside another one.
fn shadowed(place: &str, rule: &Rule, other: &Rule, is_earlier: bool) -> Option<Finding> {
    let says_nothing = rule.context.is_empty() && rule.usage_identifier_key.is_none();
    let covers = |one: &Rule, other: &Rule| {
        one.effect == other.effect && covers_all(one, other) && is_for_all_of(one, other)
    };
    // Of two that say the same, the later one is told.
    let is_told = says_nothing && covers(other, rule) && (is_earlier || !covers(rule, other));
    is_told.then(|| {
        let does = if rule.effect == Effect::Allow { "opens" } else { "closes" };
        let message =
            format!("`{}` {does} all of its routes for all of its callers: it changes nothing", other.name);
        Finding::warning("rule_shadowed", place, message)
            .hint("leave it out; or ask for more in the other rule, where this one was to be an exception")
    })
}

/// A route that asks for something, and that a wildcard of another rule opens without it.
fn also_open(place: &str, rule: &Rule, other: &Rule) -> Vec<Finding> {
    if rule.effect == Effect::Deny
        || other.effect == Effect::Deny
        || other.requirement.implies(&rule.requirement)
    {
        return Vec::new();
    }
    // The contrary is an override, and meant: the other rule asks for something of its own.
    let opened = rule.routes.iter().flat_map(|route| {
        other
            .routes
            .iter()
            .filter(|wider| is_called_by_a_wildcard(wider, route))
            .map(move |wider| (route, wider))
    });
    let finding = |(route, wider): (&RoutePattern, &RoutePattern)| {
        let message = format!(
            "`{route}` is also open to the callers of `{}`, whose `{wider}` names it: rules add up, and the closer one does not win",
            other.name,
        );
        let hint =
            "where it is not meant, close it by a rule with `effect = \"deny\"` and `requires = { not = … }`";
        Finding::warning("route_also_open", place, message).hint(hint)
    };
    opened.map(finding).collect()
}

/// Whether the wider route has a wildcard for one segment where the route has a text.
fn is_called_by_a_wildcard(wider: &RoutePattern, route: &RoutePattern) -> bool {
    let (Shape::Path(methods, path), Shape::Path(other_methods, other)) = (wider.shape(), route.shape())
    else {
        return false;
    };
    let is_taken = |path: &PathPattern, other: &PathPattern| {
        path.segments
            .iter()
            .zip(&other.segments)
            .any(|(one, text)| *one == Segment::Any && matches!(text, Segment::Literal(_)))
    };
    !methods.and(*other_methods).is_empty() && !path.is_open && path.covers(other) && is_taken(path, other)
}
