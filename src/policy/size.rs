//! [`Largest`]: how large the policy of one caller may become.

use super::compiler::Compiler;
use super::resources::{LARGEST_POLICY, MOST_VALUES, Resources};
use crate::claims::ClaimPath;
use crate::rules::{Bindings, Bound, Effect, Requirement, Rule, SafeText, Standing};

/// The largest policy that was found, of a caller whom each claim binds to one value of usual length.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Largest {
    /// What its resources take, in bytes.
    pub bytes: usize,
    /// How many resources it has.
    pub resources: usize,
    /// The rules that are for its caller, by position.
    pub rules: Vec<usize>,
}

impl Largest {
    /// Whether API Gateway would take it.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.bytes <= LARGEST_POLICY
    }
}

/// A stage with a name, in a region with a name, of usual length.
const USUAL_PREFIX: &str = "arn:aws:execute-api:ap-southeast-1:123456789012:a1b2c3d4e5/production/";

/// As long as a UUID is, together with a number of four digits.
const USUAL_VALUE: &str = "00000000-0000-0000-0000-00000000";

impl Compiler {
    /// The largest policy of those callers whom as many rules are for as one caller can meet, each beginning with another
    /// one of the first `seeds` rules.
    #[must_use]
    pub fn largest(&self, seeds: usize) -> Largest {
        let rules = self.rules().as_slice();
        let allowing = || rules.iter().enumerate().filter(|(_, rule)| rule.effect == Effect::Allow);
        // A rule that covers what others open makes a policy smaller.
        let narrow = || allowing().filter(|(_, rule)| !self.covers_others(rule));
        let from_seed = |seed: usize| {
            [self.together(seed, allowing()), self.together(seed, narrow())].map(|rules| self.size_of(rules))
        };
        allowing().take(seeds).flat_map(|(seed, _)| from_seed(seed)).max().unwrap_or_default()
    }

    /// A policy that API Gateway would not take, and that some caller would have; `None` where a quick look finds none.
    #[must_use]
    pub fn too_large(&self) -> Option<Largest> {
        const SEEDS: usize = 16;
        let rules = self.rules().as_slice();
        let allowing = || rules.iter().enumerate().filter(|(_, rule)| rule.effect == Effect::Allow);
        let narrow = allowing().filter(|(_, rule)| !self.covers_others(rule));
        // Larger than any that one caller can have, mostly, and made at once.
        let of_everything = self.size_of(narrow.map(|(position, _)| position).collect());
        if of_everything.fits() {
            return None;
        }
        Some(self.largest(SEEDS)).filter(|largest| !largest.fits())
    }

    /// The seed, and of the others, in their order, each that the same caller can meet.
    fn together<'a>(&self, seed: usize, others: impl Iterator<Item = (usize, &'a Rule)>) -> Vec<usize> {
        let Some(first) = self.rules().as_slice().get(seed) else { return Vec::new() };
        let mut rules = vec![first];
        let mut positions = vec![seed];
        for (position, rule) in others {
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
        let fits = |count: &usize| self.size_with(largest.rules.clone(), *count).fits();
        (1..=MOST_VALUES).find(|count| !fits(count)).map(|count| count - 1)
    }

    fn size_of(&self, rules: Vec<usize>) -> Largest {
        self.size_with(rules, 1)
    }

    /// With so many values for each claim in routes.
    fn size_with(&self, rules: Vec<usize>, count: usize) -> Largest {
        let all = self.rules().as_slice();
        let claims: Vec<ClaimPath> =
            all.iter().flat_map(|rule| &rule.routes).flat_map(|route| route.claims().cloned()).collect();
        let values = (0..count).filter_map(|number| SafeText::new(&format!("{USUAL_VALUE}{number:04}")));
        let bound = Bound { values: values.collect(), has_unsafe: false };
        let standing = Standing {
            applies: (0..all.len()).map(|position| rules.contains(&position)).collect(),
            bindings: Bindings::supposed(claims.iter().map(|claim| (claim, bound.clone())).collect()),
        };
        let mut allowed = Resources::without_limit(USUAL_PREFIX);
        let mut denied = Resources::without_limit(USUAL_PREFIX);
        // A resource that is too long is refused when it is made, for whom it is.
        let _complete = self.write(&standing, &mut allowed, &mut denied);
        let ((allowing, allowing_bytes), (denying, denying_bytes)) = (allowed.size(), denied.size());
        Largest { bytes: allowing_bytes + denying_bytes, resources: allowing + denying, rules }
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
        Compiler::new(Rules::new(rules)).largest(usize::MAX)
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
            compiler.values_that_fit(&compiler.largest(usize::MAX))
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
}
