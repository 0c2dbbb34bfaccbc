//! Every caller, as far as the rules tell callers apart: which of the rules are for whom.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::claims::ClaimPath;
use crate::credential::CredentialKind;
use crate::rules::{Effect, Parameter, Requirement, Rule, Test, Verdict};

/// All callers, or some of them where there are too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Callers {
    /// Those that the rules tell apart.
    pub(super) all: Vec<Caller>,
    /// Whether there are no others.
    pub(super) is_complete: bool,
}

/// A caller, or a great many who are alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Caller {
    /// For each rule, in its order, whether it is for this caller.
    pub(super) applies: Vec<bool>,
    /// Whether there is a credential.
    pub(super) has_credential: bool,
}

impl Caller {
    /// The rules that are for this caller, by position.
    pub(super) fn rules(&self) -> Vec<usize> {
        self.applies
            .iter()
            .enumerate()
            .filter(|(_, applies)| **applies)
            .map(|(position, _)| position)
            .collect()
    }
}

/// Ten requirements that have nothing to do with one another, each of them met, unmet or unknown.
const MOST_COMBINATIONS: usize = 59_049;

/// Where there are more combinations than that, so many are looked at.
const MOST_OF_TOO_MANY: usize = 40_000;

/// What a proof may cost: callers, times rules.
const MOST_WORK: usize = 1_000_000;

/// The most values of one list whose subsets are all tried.
const MOST_CONTAINED: usize = 8;

/// What a caller may make of several requirements that depend on the same thing: their verdicts, by position.
struct Dimension {
    leaves: Vec<usize>,
    /// The first one is that of a caller who has nothing.
    verdicts: Vec<Vec<Verdict>>,
}

/// The callers of whom these rules, by position, may or may not be; no other rule is for any of them.
pub(super) fn callers(
    rules: &[Rule],
    relevant: &[usize],
    issuers: &[&str],
    kinds: &[CredentialKind],
) -> Callers {
    let mut leaves: Vec<&Requirement> = Vec::new();
    let mut asking: Vec<Asking<'_>> = Vec::new();
    for (position, rule) in relevant.iter().filter_map(|position| Some((*position, rules.get(*position)?))) {
        let mut own = Vec::new();
        for leaf in rule.requirement.leaves() {
            let known = leaves.iter().position(|other| *other == leaf);
            own.push((leaf, known.unwrap_or(leaves.len())));
            if known.is_none() {
                leaves.push(leaf);
            }
        }
        asking.push(Asking { position, rule, leaves: own });
    }
    let (dimensions, mut is_complete) = dimensions(&leaves, issuers, kinds);
    let assignments = assignments(&dimensions, leaves.len(), &mut is_complete);
    let mut found = BTreeSet::new();
    for masked in masks(&asking) {
        for assignment in &assignments {
            for has_credential in [true, false] {
                let mut caller = Caller { applies: vec![false; rules.len()], has_credential };
                for (asking, is_off) in asking.iter().zip(&masked) {
                    if let Some(slot) = caller.applies.get_mut(asking.position) {
                        *slot = !is_off && asking.applies(assignment, has_credential);
                    }
                }
                found.insert(caller);
            }
        }
    }
    let mut all: Vec<_> = found.into_iter().collect();
    all.sort_by_key(|caller| caller.applies.iter().filter(|applies| **applies).count());
    let most = MOST_WORK.checked_div(rules.len()).unwrap_or(MOST_WORK);
    if all.len() > most {
        all.truncate(most);
        is_complete = false;
    }
    Callers { all, is_complete }
}

/// A rule, and where each of its leaves is among all.
struct Asking<'a> {
    position: usize,
    rule: &'a Rule,
    leaves: Vec<(&'a Requirement, usize)>,
}

impl Asking<'_> {
    /// As [`Rules::standing`](crate::rules::Rules::standing) has it.
    fn applies(&self, assignment: &[Verdict], has_credential: bool) -> bool {
        let given = |leaf: &Requirement| {
            let own = self.leaves.iter().find(|(own, _)| std::ptr::eq(*own, leaf));
            own.and_then(|(_, position)| assignment.get(*position)).copied().unwrap_or(Verdict::Unknown)
        };
        let without = match self.rule.effect {
            Effect::Allow => Verdict::Unknown,
            Effect::Deny => Verdict::Unmet,
        };
        let verdict = self.rule.requirement.evaluate(&|leaf: &Requirement| match (leaf, has_credential) {
            (Requirement::Anyone, _) | (Requirement::Authenticated, true) => Verdict::Met,
            (Requirement::Authenticated, false) => Verdict::Unmet,
            (_, true) => given(leaf),
            (leaf, false) if leaf.is_of_request() => given(leaf),
            (_, false) => without,
        });
        match self.rule.effect {
            Effect::Allow => verdict == Verdict::Met,
            Effect::Deny => verdict != Verdict::Unmet,
        }
    }
}

/// Which rules are off on one stage or another, of one API or another. Each that is named, and one that is not.
fn masks(asking: &[Asking<'_>]) -> Vec<Vec<bool>> {
    let named = |list: fn(&Rule) -> &Vec<String>| {
        let names: BTreeSet<&str> =
            asking.iter().flat_map(|asking| list(asking.rule)).map(String::as_str).collect();
        names.into_iter().map(Some).chain([None]).collect::<Vec<_>>()
    };
    let is_off = |list: &[String], name: Option<&str>| {
        !list.is_empty() && !list.iter().any(|listed| Some(listed.as_str()) == name)
    };
    let mut masks = BTreeSet::new();
    for stage in named(|rule| &rule.stages) {
        for api in named(|rule| &rule.apis) {
            let mask = asking
                .iter()
                .map(|Asking { rule, .. }| is_off(&rule.stages, stage) || is_off(&rule.apis, api));
            masks.insert(mask.collect::<Vec<bool>>());
        }
    }
    masks.into_iter().collect()
}

/// A caller without a credential, of whose address and parameters nothing is known, and on whom no rule of one stage or API bears.
pub(super) fn nobody(rules: &[Rule]) -> Caller {
    let applies = rules.iter().map(|rule| {
        let asking = Asking { position: 0, rule, leaves: Vec::new() };
        rule.stages.is_empty() && rule.apis.is_empty() && asking.applies(&[], false)
    });
    Caller { applies: applies.collect(), has_credential: false }
}

/// What callers can make of the leaves, those that depend on one another together.
fn dimensions(leaves: &[&Requirement], issuers: &[&str], kinds: &[CredentialKind]) -> (Vec<Dimension>, bool) {
    let mut is_complete = true;
    let mut dimensions = Vec::new();
    let mut claims: BTreeMap<&ClaimPath, Vec<(usize, &Test)>> = BTreeMap::new();
    let mut parameters: BTreeMap<&Parameter, Vec<(usize, &Test)>> = BTreeMap::new();
    let mut named: Vec<(usize, &str)> = Vec::new();
    let mut of_kind: Vec<(usize, CredentialKind)> = Vec::new();
    for (position, leaf) in leaves.iter().enumerate() {
        match leaf {
            Requirement::Claim(path, test) => claims.entry(path).or_default().push((position, test)),
            Requirement::Parameter(parameter, test) => {
                parameters.entry(parameter).or_default().push((position, test));
            }
            Requirement::Issuer(issuer) => named.push((position, issuer)),
            Requirement::Credential(kind) => of_kind.push((position, kind.clone())),
            Requirement::Scope(_) | Requirement::SourceIp(_) => {
                let verdicts = [Verdict::Unmet, Verdict::Met, Verdict::Unknown].map(|verdict| vec![verdict]);
                dimensions.push(Dimension { leaves: vec![position], verdicts: verdicts.into() });
            }
            Requirement::Anyone
            | Requirement::Authenticated
            | Requirement::All(_)
            | Requirement::Any(_)
            | Requirement::Not(_) => {}
        }
    }
    for tests in claims.values() {
        let values = values(tests, &mut is_complete);
        let none = vec![Verdict::Unmet; tests.len()];
        let mut verdicts = vec![none];
        for value in &values {
            let found: Vec<_> = tests.iter().map(|(_, test)| test.verdict(value)).collect();
            if !verdicts.contains(&found) {
                verdicts.push(found);
            }
        }
        dimensions
            .push(Dimension { leaves: tests.iter().map(|(position, _)| *position).collect(), verdicts });
    }
    for tests in parameters.values() {
        // Absent, or something else; a text that some test names; and what the event does not tell.
        let mut verdicts = vec![vec![Verdict::Unmet; tests.len()], vec![Verdict::Unknown; tests.len()]];
        for value in values(tests, &mut is_complete).iter().filter(|value| value.is_string()) {
            let found: Vec<_> = tests.iter().map(|(_, test)| test.verdict(value)).collect();
            if !verdicts.contains(&found) {
                verdicts.push(found);
            }
        }
        dimensions
            .push(Dimension { leaves: tests.iter().map(|(position, _)| *position).collect(), verdicts });
    }
    dimensions.extend(exclusive(&named, issuers));
    dimensions.extend(exclusive(&of_kind, kinds));
    (dimensions, is_complete)
}

/// Leaves of which a caller meets those of one value.
fn exclusive<T: PartialEq>(leaves: &[(usize, T)], values: &[T]) -> Option<Dimension> {
    if leaves.is_empty() {
        return None;
    }
    let only = |value: &T| {
        let verdict = |own: &T| if own == value { Verdict::Met } else { Verdict::Unmet };
        leaves.iter().map(|(_, own)| verdict(own)).collect::<Vec<_>>()
    };
    let mut verdicts: Vec<_> = values.iter().map(only).collect();
    verdicts.sort_by_key(|verdicts| verdicts.contains(&Verdict::Met));
    verdicts.dedup();
    Some(Dimension { leaves: leaves.iter().map(|(position, _)| *position).collect(), verdicts })
}

/// Values of one claim, such that every other value meets the same tests as one of them.
fn values(tests: &[(usize, &Test)], is_complete: &mut bool) -> Vec<Value> {
    let mut values = vec![json!({}), json!(["\u{1}", {}]), json!([{}]), json!([]), json!("\u{1}")];
    values.extend([json!(-0.5), json!(true), json!(false), json!(["\u{1}"])]);
    let mut contained: Vec<Value> = Vec::new();
    for (_, test) in tests {
        match test {
            Test::OneOf(several) => values.extend(several.iter().cloned()),
            Test::Contains(value) => {
                values.push(value.clone());
                if !contained.contains(value) {
                    contained.push(value.clone());
                }
            }
            Test::Prefix(prefix) => values.extend([json!(prefix), json!(format!("{prefix}\u{1}"))]),
        }
    }
    let mut lists: Vec<Vec<Value>> = vec![Vec::new()];
    for (position, value) in contained.iter().enumerate() {
        let is_small = position < MOST_CONTAINED;
        *is_complete &= is_small;
        let longer = |list: &Vec<Value>| [list.as_slice(), std::slice::from_ref(value)].concat();
        let added: Vec<_> = lists.iter().filter(|list| is_small || list.len() < 2).map(longer).collect();
        lists.extend(added);
    }
    for list in lists {
        // With an item that cannot be compared, what the list does not hold is unknown.
        values.push(Value::Array([list.as_slice(), &[json!({})]].concat()));
        values.push(Value::Array(list));
    }
    values
}

/// Every combination; where there are too many, those that differ from a caller who has nothing in a few things, in
/// three where that is possible.
fn assignments(dimensions: &[Dimension], leaves: usize, is_complete: &mut bool) -> Vec<Vec<Verdict>> {
    let combinations = dimensions
        .iter()
        .try_fold(1_usize, |product, dimension| product.checked_mul(dimension.verdicts.len().max(1)));
    let is_small = combinations.is_some_and(|combinations| combinations <= MOST_COMBINATIONS);
    *is_complete &= is_small;
    let deepest = if is_small { dimensions.len() } else { 3 };
    let mut base = vec![Verdict::Unmet; leaves];
    for dimension in dimensions {
        dimension.set(&mut base, 0);
    }
    let mut all = Vec::new();
    // Each with the first dimension that is still to be changed.
    let mut level = vec![(base, 0)];
    for depth in 0..=deepest {
        let mut next = Vec::new();
        for (assignment, from) in &level {
            let others = dimensions.iter().enumerate().skip(*from);
            for (position, dimension) in others.filter(|_| depth < deepest) {
                for choice in 1..dimension.verdicts.len() {
                    if !is_small && depth > 0 && all.len() + level.len() + next.len() >= MOST_OF_TOO_MANY {
                        break;
                    }
                    let mut changed = assignment.clone();
                    dimension.set(&mut changed, choice);
                    next.push((changed, position + 1));
                }
            }
        }
        all.extend(level.into_iter().map(|(assignment, _)| assignment));
        level = next;
    }
    all
}

impl Dimension {
    fn set(&self, assignment: &mut [Verdict], choice: usize) {
        let Some(verdicts) = self.verdicts.get(choice) else { return };
        for (leaf, verdict) in self.leaves.iter().zip(verdicts) {
            if let Some(slot) = assignment.get_mut(*leaf) {
                *slot = *verdict;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(effect: Effect, requirement: Requirement) -> Rule {
        Rule {
            name: "a rule".into(),
            effect,
            routes: Vec::new(),
            requirement,
            stages: Vec::new(),
            apis: Vec::new(),
            context: Vec::new(),
            usage_identifier_key: None,
        }
    }

    fn applying(rules: &[Rule]) -> Vec<Vec<bool>> {
        let relevant: Vec<usize> = (0..rules.len()).collect();
        let callers =
            callers(rules, &relevant, &["https://a.example/", "https://b.example/"], &[CredentialKind::Jwt]);
        assert!(callers.is_complete);
        let found: BTreeSet<_> = callers
            .all
            .into_iter()
            .filter(|caller| caller.has_credential)
            .map(|caller| caller.applies)
            .collect();
        found.into_iter().collect()
    }

    fn scope(name: &str) -> Requirement {
        Requirement::Scope(name.into())
    }

    fn claim(test: Test) -> Requirement {
        Requirement::Claim(ClaimPath::of(["c"]), test)
    }

    #[test]
    fn what_has_nothing_to_do_with_one_another_is_combined() {
        let rules = [rule(Effect::Allow, scope("a")), rule(Effect::Allow, scope("b"))];
        assert_eq!(applying(&rules), [[false, false], [false, true], [true, false], [true, true]]);
    }

    #[test]
    fn what_excludes_or_includes_one_another_is_not() {
        let one_of = |values: &[&str]| claim(Test::OneOf(values.iter().map(|value| json!(value)).collect()));
        let issuer = |url: &str| Requirement::Issuer(url.into());
        let neither = [false, false];
        let (first, second, both) = ([true, false], [false, true], [true, true]);
        for (left, right, expected) in [
            (one_of(&["x"]), one_of(&["y"]), vec![neither, second, first]),
            (one_of(&["x"]), one_of(&["x", "y"]), vec![neither, second, both]),
            (one_of(&["x", "y"]), one_of(&["y", "z"]), vec![neither, second, first, both]),
            (claim(Test::Prefix("x".into())), one_of(&["xy"]), vec![neither, first, both]),
            (claim(Test::Prefix("x".into())), claim(Test::Prefix("xy".into())), vec![neither, first, both]),
            (
                claim(Test::Contains(json!("x"))),
                claim(Test::Contains(json!("y"))),
                vec![neither, second, first, both],
            ),
            (claim(Test::Contains(json!("x"))), one_of(&["x"]), vec![neither, first, both]),
            (issuer("https://a.example/"), issuer("https://b.example/"), vec![second, first]),
            (scope("a"), Requirement::Not(Box::new(scope("a"))), vec![neither, second, first]),
            (Requirement::Authenticated, Requirement::Anyone, vec![both]),
        ] {
            let rules = [rule(Effect::Allow, left), rule(Effect::Allow, right)];
            assert_eq!(applying(&rules), expected, "{rules:?}");
        }
    }

    /// A parameter has one value, is absent, or cannot be told; and is the request's, with a credential or without.
    #[test]
    fn tests_of_one_parameter_depend_on_one_another() {
        let tier = |test| Requirement::Parameter(Parameter::header("tier"), test);
        let one_of = |values: &[&str]| tier(Test::OneOf(values.iter().map(|value| json!(value)).collect()));
        let other = Requirement::Parameter(Parameter::Query("tier".into()), Test::Prefix("x".into()));
        let neither = [false, false];
        let (first, second, both) = ([true, false], [false, true], [true, true]);
        for (left, right, expected) in [
            (one_of(&["x"]), one_of(&["y"]), vec![neither, second, first]),
            (one_of(&["x"]), one_of(&["x", "y"]), vec![neither, second, both]),
            (tier(Test::Prefix("x".into())), one_of(&["xy"]), vec![neither, first, both]),
            (one_of(&["x"]), Requirement::Not(Box::new(one_of(&["x"]))), vec![neither, second, first]),
            (one_of(&["x"]), other, vec![neither, second, first, both]),
        ] {
            let rules = [rule(Effect::Allow, left), rule(Effect::Allow, right)];
            assert_eq!(applying(&rules), expected, "{rules:?}");
        }
        let public = Requirement::All(vec![Requirement::Anyone, one_of(&["x"])]);
        let rules = [rule(Effect::Allow, public), rule(Effect::Deny, one_of(&["y"]))];
        let callers = callers(&rules, &[0, 1], &[], &[]);
        let nobody: BTreeSet<_> = callers
            .all
            .iter()
            .filter(|caller| !caller.has_credential)
            .map(|caller| &caller.applies)
            .collect();
        // What cannot be told is met by nobody, and denies.
        assert_eq!(nobody, [vec![false, false], vec![false, true], vec![true, false]].iter().collect());
    }

    /// A scope that cannot be read is neither had nor lacked: a rule that denies is for such a caller.
    #[test]
    fn what_cannot_be_decided_denies_and_does_not_allow() {
        let rules = [rule(Effect::Allow, scope("a")), rule(Effect::Deny, scope("a"))];
        assert_eq!(applying(&rules), [[false, false], [false, true], [true, true]]);
    }

    #[test]
    fn a_rule_of_one_stage_may_be_off() {
        let mut rules = [
            rule(Effect::Allow, Requirement::Authenticated),
            rule(Effect::Allow, Requirement::Authenticated),
        ];
        rules[0].stages = vec!["prod".into()];
        assert_eq!(applying(&rules), [[false, true], [true, true]]);
    }

    #[test]
    fn without_a_credential_only_what_asks_for_none_is_met() {
        let rules = [
            rule(Effect::Allow, Requirement::Anyone),
            rule(Effect::Allow, scope("a")),
            rule(Effect::Deny, scope("a")),
        ];
        let callers = callers(&rules, &[0, 1, 2], &[], &[]);
        let nobody: Vec<_> = callers.all.iter().filter(|caller| !caller.has_credential).collect();
        assert_eq!(nobody, [&Caller { applies: vec![true, false, false], has_credential: false }]);
    }

    #[test]
    fn with_too_many_requirements_some_callers_are_left_out() {
        for (count, is_complete) in [(10, true), (11, false), (60, false)] {
            let rules: Vec<_> =
                (0..count).map(|name| rule(Effect::Allow, scope(&name.to_string()))).collect();
            let relevant: Vec<usize> = (0..count).collect();
            let callers = callers(&rules, &relevant, &[], &[]);
            assert_eq!(callers.is_complete, is_complete, "{count}");
            let met = |caller: &Caller| caller.applies.iter().filter(|applies| **applies).count();
            assert!(callers.all.iter().any(|caller| met(caller) == 3), "{count}");
            assert_eq!(callers.all.iter().filter(|caller| met(caller) == 1).count(), count);
        }
    }
}
