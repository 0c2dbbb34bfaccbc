//! Where a policy differs from the rules, because IAM cannot say what they say, for callers who may exist.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::claims::ClaimPath;
use crate::policy::{Compiler, Direction};
use crate::rules::{Bindings, Effect, Methods, PathPattern, Requirement, Rule, SafeText, Shape, Standing};

pub(super) fn findings(compiler: &Compiler) -> Vec<Finding> {
    let rules = compiler.rules().as_slice();
    let claims: Vec<&ClaimPath> =
        rules.iter().flat_map(|rule| &rule.routes).flat_map(|route| route.claims()).collect();
    let value = SafeText::new(SOME_VALUE);
    let mut differences: BTreeMap<(bool, Methods, &PathPattern), Told<'_>> = BTreeMap::new();
    for pair in pairs(rules) {
        let applies = (0..rules.len()).map(|position| pair.contains(&position)).collect();
        let standing =
            Standing { applies, bindings: Bindings::uniform(claims.iter().copied(), value.as_ref()) };
        for difference in compiler.inexact(&standing) {
            let key = (difference.direction == Direction::Opens, difference.methods, difference.path);
            let told = differences.entry(key).or_default();
            // What is closed is another caller's.
            let everybody: Vec<usize> = (0..rules.len()).collect();
            let whose = if difference.direction == Direction::Opens { pair.as_slice() } else { &everybody };
            told.own.extend(written(rules, whose, difference.path, difference.methods));
            let open = |path| written(rules, &pair, path, difference.methods);
            told.others.extend(difference.because_of.iter().flat_map(|path| open(path)));
        }
    }
    differences.into_iter().filter_map(|((opens, methods, _), told)| told.finding(opens, methods)).collect()
}

/// What is to be said of one difference: the routes that it is about, as they are written, and those in the way.
#[derive(Default)]
struct Told<'a> {
    own: BTreeSet<Written<'a>>,
    others: BTreeSet<Written<'a>>,
}

/// The path of a rule's route, as it is written, and the rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Written<'a> {
    rule: usize,
    path: String,
    name: &'a str,
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

/// The routes of these rules that have the path with one of the methods.
fn written<'a>(rules: &'a [Rule], of: &[usize], path: &PathPattern, methods: Methods) -> Vec<Written<'a>> {
    let mut found = Vec::new();
    for (position, rule) in of.iter().filter_map(|position| Some((*position, rules.get(*position)?))) {
        for route in &rule.routes {
            match route.shape() {
                Shape::Path(own, own_path) if own_path == path && !own.and(methods).is_empty() => {
                    let text = route.to_string();
                    let path = text.split_once(' ').map_or(text.as_str(), |(_, path)| path).to_owned();
                    found.push(Written { rule: position, path, name: &rule.name });
                }
                Shape::Path(..) | Shape::Connect => {}
            }
        }
    }
    found
}

/// `/orders/{id}` of `read`, and whatever else there is.
fn listed(written: &BTreeSet<Written<'_>>, word: &str) -> String {
    let texts: Vec<_> =
        written.iter().map(|Written { path, name, .. }| format!("`{path}` of `{name}`")).collect();
    texts.join(word)
}

impl Told<'_> {
    fn finding(&self, opens: bool, methods: Methods) -> Option<Finding> {
        let place = format!("{methods} {}", self.own.first()?.path);
        let names: BTreeSet<String> = self.own.iter().map(|own| format!("`{}`", own.name)).collect();
        let names = names.into_iter().collect::<Vec<_>>().join(" and ");
        if opens {
            let others = listed(&self.others, ", ");
            let message = format!(
                "a cached policy also opens deeper paths that the wildcards of {names} take in and no rule names, because {others} must stay open"
            );
            let hint = "name the API's other routes below it in rules: what is named and not allowed stays closed. `--api` looks at the API's own routes";
            return Some(Finding::warning("opens_more", place, message).hint(hint));
        }
        let others = listed(&self.others, " or ");
        let message = format!(
            "where this route of {names} is closed, its Deny also closes what {others} opens by the same name, or below it"
        );
        let hint = "a policy cannot tell them apart: choose other paths, or let the same callers have both. `--api` looks at the API's own routes";
        Some(Finding::warning("closes_more", place, message).hint(hint))
    }
}
