//! [`Largest`]: how large the policy of one caller may become.

use std::collections::BTreeSet;

use super::compiler::Compiler;
use super::resources::{LARGEST_POLICY, MOST_VALUES, Resources};
use crate::claims::ClaimPath;
use crate::rules::{Bindings, Bound, Effect, Requirement, Rule, SafeText, Standing};

/// The largest policy that was found, of a caller whom each claim binds to one usual value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Largest {
    /// What its resources take, in bytes.
    pub bytes: usize,
    /// How many resources it has.
    pub resources: usize,
    /// The rules that are for its caller, by position.
    pub rules: Vec<usize>,
    /// What its caller has for each claim in a route.
    pub value: UsualValue,
}

/// What a claim in a route usually is, as far as a policy's size depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum UsualValue {
    /// A UUID.
    #[default]
    Uuid,
    /// Such as `auth0|507f1f77bcf86cd799439011`, which a path may spell in two ways: each takes room.
    TwoSpellings,
}

impl UsualValue {
    /// As long as such a value is, with a number in it.
    fn numbered(self, number: usize) -> String {
        match self {
            Self::Uuid => format!("00000000-0000-0000-0000-00000000{number:04}"),
            Self::TwoSpellings => format!("auth0|00000000000000000000{number:04}"),
        }
    }
}

impl Largest {
    /// Whether API Gateway would take it.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.bytes <= LARGEST_POLICY
    }
}

/// A stage with a name, in a region with a name, of usual length.
pub const USUAL_PREFIX: &str = "arn:aws:execute-api:ap-southeast-1:123456789012:a1b2c3d4e5/production/";

impl Compiler {
    /// The largest policy of those callers whom as many rules are for as one caller can meet, each beginning with another
    /// one of the first `seeds` rules, and each having such a value for each claim in a route.
    #[must_use]
    pub fn largest(&self, seeds: usize, value: UsualValue) -> Largest {
        let choices = self.choices();
        let together = |seed| choices.iter().map(move |choice| self.together(seed, choice));
        let different: BTreeSet<Vec<usize>> =
            (0..self.rules().as_slice().len()).take(seeds).flat_map(together).collect();
        different.into_iter().map(|rules| self.size_of(rules, value)).max().unwrap_or_default()
    }

    /// A policy that API Gateway would not take, and that some caller would have; `None` where a quick look finds none.
    #[must_use]
    pub fn too_large(&self) -> Option<Largest> {
        const SEEDS: usize = 16;
        let choices = self.choices();
        // Larger than any that one caller can have, mostly, and made at once.
        if choices.iter().all(|choice| self.size_of(choice.clone(), UsualValue::Uuid).fits()) {
            return None;
        }
        // The first will do: of rules that one caller can meet many of, a start does not look at all.
        let seeds = 0..self.rules().as_slice().len().min(SEEDS);
        let together = seeds.flat_map(|seed| choices.iter().map(move |choice| self.together(seed, choice)));
        let mut policies = together.map(|rules| self.size_of(rules, UsualValue::Uuid));
        policies.find(|largest| !largest.fits())
    }

    /// Of which rules the largest policies may be. A rule that covers what others open makes a policy smaller, if it
    /// allows as if it denies; but what it denies of what one opens takes room, too.
    fn choices(&self) -> Vec<Vec<usize>> {
        let rules = self.rules().as_slice();
        let is_narrow: Vec<bool> = rules.iter().map(|rule| !self.covers_others(rule)).collect();
        let of = |is_chosen: &dyn Fn(Effect, bool) -> bool| -> Vec<usize> {
            let chosen = rules.iter().zip(&is_narrow).enumerate();
            chosen
                .filter(|(_, (rule, is_narrow))| is_chosen(rule.effect, **is_narrow))
                .map(|(position, _)| position)
                .collect()
        };
        let choices = BTreeSet::from([
            of(&|effect, _| effect == Effect::Allow),
            of(&|effect, is_narrow| effect == Effect::Allow && is_narrow),
            of(&|_, _| true),
            of(&|effect, is_narrow| effect == Effect::Allow || is_narrow),
            of(&|_, is_narrow| is_narrow),
        ]);
        choices.into_iter().collect()
    }

    /// The seed, and of the others, in their order, each that the same caller can meet.
    fn together(&self, seed: usize, others: &[usize]) -> Vec<usize> {
        let all = self.rules().as_slice();
        let Some(first) = all.get(seed) else { return Vec::new() };
        let mut rules = vec![first];
        let mut positions = vec![seed];
        for (position, rule) in others.iter().filter_map(|position| Some((*position, all.get(*position)?))) {
            let is_possible = |chosen: &&Rule| is_for_one_caller(chosen, rule);
            if position != seed && rules.iter().all(is_possible) {
                rules.push(rule);
                positions.push(position);
            }
        }
        positions.sort_unstable();
        positions
    }

    fn covers_others(&self, rule: &Rule) -> bool {
        let routes = || self.rules().as_slice().iter().flat_map(|other| &other.routes);
        rule.routes.iter().any(|route| routes().any(|other| other != route && route.covers(other)))
    }

    /// How many values each claim in its routes may have at most, until a policy is too large; `None` where no number of
    /// them makes it so.
    #[must_use]
    pub fn values_that_fit(&self, largest: &Largest) -> Option<usize> {
        let fits = |count: &usize| self.size_with(largest.rules.clone(), largest.value, *count).fits();
        (1..=MOST_VALUES).find(|count| !fits(count)).map(|count| count - 1)
    }

    fn size_of(&self, rules: Vec<usize>, value: UsualValue) -> Largest {
        self.size_with(rules, value, 1)
    }

    /// With so many values for each claim in routes.
    fn size_with(&self, rules: Vec<usize>, value: UsualValue, count: usize) -> Largest {
        let all = self.rules().as_slice();
        let claims: Vec<ClaimPath> =
            all.iter().flat_map(|rule| &rule.routes).flat_map(|route| route.claims().cloned()).collect();
        let values = (0..count).filter_map(|number| SafeText::new(&value.numbered(number)));
        let bound = Bound { values: values.collect(), has_unsafe: false };
        let standing = Standing {
            rules: rules.clone(),
            bindings: Bindings::supposed(claims.iter().map(|claim| (claim, bound.clone())).collect()),
        };
        let mut allowed = Resources::without_limit(USUAL_PREFIX);
        let mut denied = Resources::without_limit(USUAL_PREFIX);
        // A resource that is too long is refused when it is made, for whom it is.
        let _complete = self.write(&standing, &mut allowed, &mut denied);
        let ((allowing, allowing_bytes), (denying, denying_bytes)) = (allowed.size(), denied.size());
        Largest { bytes: allowing_bytes + denying_bytes, resources: allowing + denying, rules, value }
    }
}

/// Whether one caller may have both rules on one stage.
fn is_for_one_caller(one: &Rule, other: &Rule) -> bool {
    let is_shared = |one: &[String], other: &[String]| {
        one.is_empty() || other.is_empty() || one.iter().any(|value| other.contains(value))
    };
    is_shared(&one.stages, &other.stages)
        && is_shared(&one.apis, &other.apis)
        && Requirement::may_all_be_met(&[&one.requirement, &other.requirement])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::rule;
    use crate::rules::{Rules, Test};
    use serde_json::json;

    fn tier(name: &str) -> Requirement {
        Requirement::Claim("tier".parse().unwrap(), Test::OneOf(vec![json!(name)]))
    }

    fn largest(rules: Vec<Rule>) -> Largest {
        Compiler::new(Rules::new(rules)).largest(usize::MAX, UsualValue::Uuid)
    }

    #[test]
    fn the_largest_policy_is_that_of_a_caller_whom_all_rules_are_for() {
        let rules = |requirement: fn(usize) -> Requirement| {
            (0..3).map(|number| rule(&[&format!("GET /r{number}")], requirement(number))).collect::<Vec<_>>()
        };
        let any = largest(rules(|number| Requirement::Scope(number.to_string())));
        assert_eq!((any.rules.as_slice(), any.resources), (&[0, 1, 2][..], 6));
        let exclusive = largest(rules(|number| tier(&number.to_string())));
        assert_eq!((exclusive.rules.len(), exclusive.resources), (1, 2));
    }

    #[test]
    fn each_value_of_a_claim_in_a_route_takes_room() {
        let fit = |route: &str| {
            let compiler = Compiler::new(Rules::new(vec![rule(&[route], Requirement::Authenticated)]));
            compiler.values_that_fit(&compiler.largest(usize::MAX, UsualValue::Uuid))
        };
        assert_eq!(fit("GET /**"), None);
        let (of_one_method, of_all) = (fit("GET /{claims.t}").unwrap(), fit("ANY /{claims.t}/x").unwrap());
        assert!(0 < of_all && of_all < of_one_method && of_one_method < MOST_VALUES);
    }

    #[test]
    fn whom_everything_is_open_has_a_small_policy() {
        let mut rules: Vec<Rule> =
            (0..100).map(|number| rule(&[&format!("GET /r{number}")], Requirement::Authenticated)).collect();
        assert!(!largest(rules.clone()).fits());
        rules.truncate(10);
        assert!(largest(rules.clone()).fits());
        rules.push(rule(&["ANY /**"], Requirement::Scope("admin".into())));
        let with_admin = largest(rules);
        assert!(with_admin.fits() && !with_admin.rules.contains(&10) && with_admin.resources == 20);
    }
    /// What is denied of what is open takes room as what is open does.
    #[test]
    fn what_is_denied_counts() {
        let denied = |routes: Vec<String>, requirement: Requirement| {
            let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
            Rule { effect: Effect::Deny, ..rule(&routes, requirement) }
        };
        let sections =
            |count: usize| (0..count).map(|n| format!("ANY /administration/section-{n}")).collect();
        let all = rule(&["ANY /**"], Requirement::Authenticated);
        for (count, fits) in [(5, true), (20, false)] {
            let rules = vec![all.clone(), denied(sections(count), tier("guest"))];
            assert_eq!(largest(rules.clone()).fits(), fits, "{count}");
            let found = Compiler::new(Rules::new(rules)).too_large();
            assert_eq!(found.map(|largest| largest.rules), (!fits).then(|| vec![0, 1]), "{count}");
        }
        // Nobody has both, or nothing of it is open.
        let others = rule(&["ANY /**"], tier("member"));
        assert!(largest(vec![others, denied(sections(20), tier("guest"))]).fits());
        let elsewhere = rule(&["ANY /orders/**"], Requirement::Authenticated);
        assert!(largest(vec![elsewhere, denied(sections(20), tier("guest"))]).fits());
        // What closes everything leaves the others as large as they are.
        let blocked = denied(vec!["ANY /**".to_owned()], tier("blocked"));
        assert!(
            !largest(vec![all.clone(), denied(sections(20), Requirement::Authenticated), blocked]).fits()
        );
        let bound = vec![all, denied(vec!["ANY /t/{claims.t}".to_owned()], Requirement::Authenticated)];
        let compiler = Compiler::new(Rules::new(bound));
        assert!(compiler.values_that_fit(&compiler.largest(usize::MAX, UsualValue::Uuid)).is_some());
    }

    #[test]
    fn a_value_of_two_spellings_takes_more_room() {
        let own = |count: usize| {
            let routes: Vec<_> = (0..count).map(|n| format!("ANY /part-{n}/{{claims.sub}}/**")).collect();
            let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
            let compiler = Compiler::new(Rules::new(vec![rule(&routes, Requirement::Authenticated)]));
            [UsualValue::Uuid, UsualValue::TwoSpellings]
                .map(|value| compiler.largest(usize::MAX, value).fits())
        };
        assert_eq!(own(2), [true, true]);
        assert_eq!(own(7), [true, false]);
    }
}
