//! Where a policy differs from the rules, because IAM cannot say what they say, for callers who may exist.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::relevance::are_alike;
use super::rules::{is_everywhere_of, is_for_all_of};
use super::supposed::{self, Choices, bound};
use crate::claims::ClaimPath;
use crate::config::Config;
use crate::policy::{Compiler, Direction, Inexact};
use crate::rules::{
    Bindings, Bound, Effect, Methods, PathPattern, Requirement, RoutePattern, Rule, Shape, Standing,
};

pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let compiler = &config.compiler;
    let rules = compiler.rules().as_slice();
    let everybody: Vec<usize> = (0..rules.len()).collect();
    let mut differences: BTreeMap<(bool, Methods, &PathPattern), Told<'_>> = BTreeMap::new();
    let (sets, mut is_complete) = sets(rules);
    for set in &sets {
        let (supposed, is_whole) = supposed::varied(&choices(config, set), MOST_SUPPOSED);
        is_complete &= is_whole;
        for bindings in supposed {
            let unusual = unusual(&bindings);
            for difference in differing(compiler, set, bindings) {
                let key = (difference.direction == Direction::Opens, difference.methods, difference.path);
                let told = differences.entry(key).or_default();
                // What is closed is another caller's.
                let whose = if difference.direction == Direction::Opens { set } else { &everybody };
                told.own.extend(written(rules, whose, difference.path, difference.methods));
                let open = |path| written(rules, set, path, difference.methods);
                told.others.extend(difference.because_of.iter().flat_map(|path| open(path)));
                told.is_of_usual |= unusual.is_empty();
                told.unusual.extend(unusual.iter().cloned());
            }
        }
    }
    let mut found: Vec<Finding> = differences
        .into_iter()
        .filter_map(|((opens, methods, _), told)| told.finding(opens, methods))
        .collect();
    if !is_complete {
        let message = "there are too many rules that deny, or claims in routes, to try all of them together for what IAM cannot say";
        found.push(
            Finding::note("not_looked_at", "rule", message).hint("`--api` looks at the API's own routes"),
        );
    }
    found
}

/// What differs for a caller of these rules, and of those that follow from them.
fn differing<'a>(compiler: &'a Compiler, set: &[usize], bindings: Bindings<'_>) -> Vec<Inexact<'a>> {
    let rules = compiler.rules().as_slice();
    let standing = |set: &[usize]| Standing {
        rules: (0..rules.len()).filter(|position| set.contains(position)).collect(),
        bindings: bindings.clone(),
    };
    let found = compiler.inexact(&standing(set));
    if found.is_empty() {
        return found;
    }
    // Some follow only from several together. To ask that of every set would take long.
    let together = followed(rules, set);
    if together.len() == set.len() { found } else { compiler.inexact(&standing(&together)) }
}

/// What is to be said of one difference: the routes that it is about, as they are written, and those in the way.
#[derive(Default)]
struct Told<'a> {
    own: BTreeSet<Written<'a>>,
    others: BTreeSet<Written<'a>>,
    /// Whether it is there for a caller who has one harmless value for each claim.
    is_of_usual: bool,
    /// Where it is not: for whom it is.
    unusual: BTreeSet<String>,
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

/// Of so many combinations of claims all are tried.
const MOST_SUPPOSED: usize = 27;

/// So many sets of three rules are tried.
const MOST_TRIPLES: usize = 4_000;

/// What a caller of these rules may have for the claims in their routes: a value, nothing, and where a rule denies, what
/// may not stand in a policy.
fn choices<'a>(config: &'a Config, set: &[usize]) -> Vec<Choices<'a>> {
    let rules = config.compiler.rules().as_slice();
    let mut claims: BTreeMap<&ClaimPath, bool> = BTreeMap::new();
    for rule in set.iter().filter_map(|position| rules.get(*position)) {
        for claim in rule.routes.iter().flat_map(|route| route.claims()) {
            *claims.entry(claim).or_default() |= rule.effect == Effect::Deny;
        }
    }
    let of = |(claim, is_denied): (&'a ClaimPath, bool)| {
        let mut bounds = vec![bound(Some(SOME_VALUE), false)];
        bounds.extend((!supposed::is_always_there(claim, config)).then(|| bound(None, false)));
        bounds.extend(is_denied.then(|| bound(None, true)));
        (claim, bounds)
    };
    claims.into_iter().map(of).collect()
}

/// What a caller who has this for the claims has not as usual.
fn unusual(bindings: &Bindings<'_>) -> Vec<String> {
    let told = |(claim, bound): (&ClaimPath, &Bound)| match (bound.has_unsafe, bound.values.len()) {
        (true, _) => Some(format!("a caller whose `{claim}` may not stand in a policy")),
        (false, 0) => Some(format!("a caller without `{claim}`")),
        (false, _) => None,
    };
    bindings.iter().filter_map(told).collect()
}

/// Every two rules that one caller may have together, each of them with itself, too, and every rule that denies with two
/// others of like paths; with those that follow from one of them. What stands in the way of an exact policy is another
/// route of the same caller. Whether these are all.
fn sets(rules: &[Rule]) -> (BTreeSet<Vec<usize>>, bool) {
    let follow: Vec<Vec<usize>> = rules
        .iter()
        .map(|rule| {
            let others = rules.iter().enumerate();
            others.filter(|(_, other)| is_for_all_of(other, rule)).map(|(position, _)| position).collect()
        })
        .collect();
    let whole = |set: &[usize]| -> Vec<usize> {
        let followed = set.iter().filter_map(|position| follow.get(*position)).flatten();
        set.iter().chain(followed).copied().collect::<BTreeSet<_>>().into_iter().collect()
    };
    let mut sets: BTreeSet<Vec<usize>> = pairs(rules).iter().map(|pair| whole(pair)).collect();
    let mut triples = triples(rules);
    let some: Vec<_> = triples.by_ref().take(MOST_TRIPLES).collect();
    sets.extend(some.iter().map(|triple| whole(triple)));
    let is_complete = triples.next().is_none();
    (sets, is_complete)
}

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

/// A rule that denies, one that opens some of it, and another whose routes are below it.
fn triples(rules: &[Rule]) -> impl Iterator<Item = [usize; 3]> {
    let all = || rules.iter().enumerate();
    let denying = all().filter(|(_, rule)| rule.effect == Effect::Deny && rule.routes.iter().any(is_path));
    denying.flat_map(move |(denied, deny)| {
        let alike: Vec<_> = all()
            .filter(|(position, rule)| {
                *position != denied && rule.effect == Effect::Allow && is_alike(deny, rule)
            })
            .collect();
        let mut found = Vec::new();
        for (index, (position, rule)) in alike.iter().enumerate() {
            for (other_position, other) in alike.iter().skip(index + 1) {
                let requirements = [&deny.requirement, &rule.requirement, &other.requirement];
                if found.len() <= MOST_TRIPLES && Requirement::may_all_be_met(&requirements) {
                    found.push([denied, *position, *other_position]);
                }
            }
        }
        found
    })
}

fn is_path(route: &RoutePattern) -> bool {
    matches!(route.shape(), Shape::Path(..))
}

/// Whether routes of both may be one path, or the start of it.
fn is_alike(one: &Rule, other: &Rule) -> bool {
    one.routes.iter().any(|route| other.routes.iter().any(|own| are_alike(route, own)))
}

/// The set, with the rules that are for whoever has all of them.
fn followed(rules: &[Rule], set: &[usize]) -> Vec<usize> {
    let own: Vec<&Rule> = set.iter().filter_map(|position| rules.get(*position)).collect();
    let all = Requirement::All(own.iter().map(|rule| rule.requirement.clone()).collect());
    let follows = |rule: &Rule| {
        let is_everywhere = own.iter().any(|own| is_everywhere_of(rule, own));
        is_everywhere && all.implies(&rule.requirement)
    };
    let others = rules.iter().enumerate();
    others
        .filter(|(position, rule)| set.contains(position) || follows(rule))
        .map(|(position, _)| position)
        .collect()
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
        let unusual: Vec<_> = self.unusual.iter().map(String::as_str).collect();
        let whom = match self.is_of_usual || unusual.is_empty() {
            true => String::new(),
            false => format!("; that is so for {}", unusual.join(" or ")),
        };
        if opens {
            let others = listed(&self.others, ", ");
            let message = format!(
                "a cached policy also opens deeper paths that the wildcards of {names} take in and no rule names, because {others} must stay open"
            );
            let hint = "name the API's other routes below it in rules: what is named and not allowed stays closed. `--api` looks at the API's own routes";
            return Some(Finding::warning("opens_more", place, format!("{message}{whom}")).hint(hint));
        }
        let others = listed(&self.others, " or ");
        let message = format!(
            "where this route of {names} is closed, its Deny also closes what {others} opens by the same name, or below it{whom}"
        );
        let hint = "a policy cannot tell them apart: choose other paths, or let the same callers have both. `--api` looks at the API's own routes";
        Some(Finding::warning("closes_more", place, message).hint(hint))
    }
}
