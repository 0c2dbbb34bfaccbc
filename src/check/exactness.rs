//! Where a policy differs from the rules, because IAM cannot say what they say, for callers who may exist.

use std::collections::BTreeMap;

use super::Finding;
use crate::claims::ClaimPath;
use crate::policy::{Compiler, Direction, Inexact};
use crate::rules::{Bindings, Effect, Requirement, Rule, SafeText, Standing};

pub(super) fn findings(compiler: &Compiler) -> Vec<Finding> {
    let rules = compiler.rules().as_slice();
    let claims: Vec<&ClaimPath> =
        rules.iter().flat_map(|rule| &rule.routes).flat_map(|route| route.claims()).collect();
    let value = SafeText::new(SOME_VALUE);
    let mut differences: BTreeMap<(bool, String), Vec<String>> = BTreeMap::new();
    for pair in pairs(rules) {
        let applies = (0..rules.len()).map(|position| pair.contains(&position)).collect();
        let standing =
            Standing { applies, bindings: Bindings::uniform(claims.iter().copied(), value.as_ref()) };
        for difference in compiler.inexact(&standing) {
            let key = (difference.direction == Direction::Opens, route(&difference));
            let others = differences.entry(key).or_default();
            others.extend(difference.because_of.iter().map(|path| format!("`{path}`")));
        }
    }
    let finding = |((opens, route), mut others): ((bool, String), Vec<String>)| {
        others.sort();
        others.dedup();
        told(opens, &route, &others.join(", "))
    };
    differences.into_iter().map(finding).collect()
}

/// Any text that a claim may be.
const SOME_VALUE: &str = "a-value-of-a-caller";

/// Every two rules that one caller may have together, each of them with itself, too: what stands in the way of an exact
/// policy is another route of the same caller.
fn pairs(rules: &[Rule]) -> Vec<[usize; 2]> {
    let mut pairs = Vec::new();
    for (position, rule) in rules.iter().enumerate() {
        for (other_position, other) in rules.iter().enumerate().skip(position) {
            let has_wildcards = rule.has_wildcards()
                || other.has_wildcards()
                || [rule, other].iter().any(|rule| rule.effect == Effect::Deny);
            if has_wildcards && Requirement::may_all_be_met(&[&rule.requirement, &other.requirement]) {
                pairs.push([position, other_position]);
            }
        }
    }
    pairs
}

fn route(difference: &Inexact<'_>) -> String {
    format!("{} {}", difference.methods, difference.path)
}

fn told(opens: bool, route: &str, others: &str) -> Finding {
    match opens {
        true => {
            let message = format!(
                "a cached policy also opens deeper paths that its wildcards take in and no rule names, because {others} must stay open"
            );
            Finding::warning("opens_more", route, message)
                .hint("name the API's other routes below it in rules: what is named and not allowed stays closed. `--api` looks at the API's own routes")
        }
        false => {
            let others = others.replace(", ", " or ");
            let message = format!(
                "where this route is closed, its Deny also closes what {others} opens by the same name, or below it"
            );
            Finding::warning("closes_more", route, message)
                .hint("a policy cannot tell them apart: choose other paths, or let the same callers have both. `--api` looks at the API's own routes")
        }
    }
}
