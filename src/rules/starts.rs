//! [`Starts`]: which of many rules may name a route, without asking each of them.

use std::collections::HashMap;

use super::path::Asked;
use super::{Effect, Rule};

/// The rules that allow, by the segment with which their routes begin.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Starts {
    by_literal: HashMap<String, Vec<usize>>,
    /// Those with a route that begins otherwise: with a wildcard or a claim, the root, `$connect`.
    others: Vec<usize>,
}

impl Starts {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut starts = Self::default();
        for (position, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.effect == Effect::Allow) {
            for route in &rule.routes {
                match route.first_literal() {
                    Some(text) => starts.by_literal.entry(text.to_owned()).or_default().push(position),
                    None => starts.others.push(position),
                }
            }
        }
        starts
    }

    /// The positions of all rules that allow and name what is asked for, and of others; in order, each once.
    pub(super) fn candidates(&self, asked: &Asked<'_>) -> Vec<usize> {
        let first = match asked {
            Asked::Path(_, path) => path.segments().first(),
            Asked::Connect | Asked::Nothing => None,
        };
        let alike = first.and_then(|first| self.by_literal.get(*first)).map_or(&[][..], Vec::as_slice);
        let mut positions = [alike, &self.others].concat();
        positions.sort_unstable();
        positions.dedup();
        positions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Requirement;
    use proptest::prelude::*;
    use proptest::sample::select;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_rule_that_names_a_route_is_a_candidate(
            routes in prop::collection::vec(prop::collection::vec(select(vec![
                "GET /", "ANY /**", "GET /a", "GET /a/b", "GET /a/**", "GET /b/{id}", "GET /{id}", "GET /{id}/a",
                "GET /{claims.sub}", "$connect",
            ]), 0..4), 0..5),
            tail in select(vec!["GET/", "GET/a", "GET/a/", "GET/a/b", "GET/b/a", "GET/b", "GET/c", "GET/a//b", "$connect"]),
            denies in any::<u8>(),
        ) {
            let rule = |(position, routes): (usize, &Vec<&str>)| Rule {
                name: "rule".into(),
                effect: if denies & (1 << position) == 0 { Effect::Allow } else { Effect::Deny },
                routes: routes.iter().map(|route| route.parse().unwrap()).collect(),
                requirement: Requirement::Authenticated,
                stages: Vec::new(),
                apis: Vec::new(),
                context: Vec::new(),
                usage_identifier_key: None,
            };
            let rules: Vec<Rule> = routes.iter().enumerate().map(rule).collect();
            let arn = format!("arn:aws:execute-api:us-east-1:123456789012:abc/dev/{tail}").parse().unwrap();
            let asked = Asked::new(&arn);
            let candidates = Starts::new(&rules).candidates(&asked);
            prop_assert!(candidates.is_sorted_by(|one, next| one < next), "{:?}", candidates);
            for (position, rule) in rules.iter().enumerate() {
                let names = rule.effect == Effect::Allow && rule.routes.iter().any(|route| route.is_named(&asked));
                prop_assert!(!names || candidates.contains(&position), "{:?}", rule.routes);
                prop_assert!(rule.effect == Effect::Allow || !candidates.contains(&position));
            }
        }
    }
}
