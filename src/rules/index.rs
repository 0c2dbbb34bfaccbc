//! [`Index`]: which of many rules one caller may meet, without asking each of them.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::requirement::{Known, Requirement, Test};
use super::{Effect, Rule};
use crate::claims::ClaimPath;

/// The rules that allow, by a text that a caller must have in some place to meet them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Index {
    by_scope: HashMap<String, Vec<usize>>,
    by_claim: BTreeMap<ClaimPath, HashMap<String, Vec<usize>>>,
    /// Those of which that cannot be said.
    others: Vec<usize>,
}

/// What a caller must have to meet a requirement: one of these texts, in this place.
enum Key<'a> {
    Scope(&'a str),
    Claim(&'a ClaimPath, Vec<&'a str>),
}

impl Index {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (position, rule) in rules.iter().enumerate() {
            let key = Some(&rule.requirement).filter(|_| rule.effect == Effect::Allow).and_then(key);
            match key {
                Some(Key::Scope(scope)) => {
                    index.by_scope.entry(scope.to_owned()).or_default().push(position);
                }
                Some(Key::Claim(path, texts)) => {
                    let by_text = index.by_claim.entry(path.clone()).or_default();
                    for text in texts {
                        by_text.entry(text.to_owned()).or_default().push(position);
                    }
                }
                None => index.others.push(position),
            }
        }
        index
    }

    /// The positions of all rules that this caller meets, and of others; in order, each once.
    pub(super) fn candidates(&self, known: &Known<'_>) -> Vec<usize> {
        let mut found = self.others.clone();
        if let Some(claims) = known.caller.claims() {
            for scope in known.scopes.iter() {
                found.extend_from_slice(self.by_scope.get(scope).map_or(&[], Vec::as_slice));
            }
            for (path, by_text) in &self.by_claim {
                let texts = match claims.at(path) {
                    Some(Value::Array(items)) => items.as_slice(),
                    Some(value) => std::slice::from_ref(value),
                    None => &[],
                };
                for text in texts.iter().filter_map(Value::as_str) {
                    found.extend_from_slice(by_text.get(text).map_or(&[], Vec::as_slice));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// A key of the requirement, if it can only be met with one: of several that must all be met, any.
fn key(requirement: &Requirement) -> Option<Key<'_>> {
    match requirement {
        Requirement::Scope(scope) => Some(Key::Scope(scope)),
        Requirement::Claim(path, Test::OneOf(values)) => {
            Some(Key::Claim(path, values.iter().map(Value::as_str).collect::<Option<_>>()?))
        }
        Requirement::Claim(path, Test::Contains(value)) => Some(Key::Claim(path, vec![value.as_str()?])),
        Requirement::All(all) => all.iter().find_map(key),
        Requirement::Claim(_, Test::Prefix(_))
        | Requirement::Anyone
        | Requirement::Authenticated
        | Requirement::Issuer(_)
        | Requirement::Credential(_)
        | Requirement::SourceIp(_)
        | Requirement::Parameter(..)
        | Requirement::Any(_)
        | Requirement::Not(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Caller, Verdict};
    use crate::verify::Principal;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::json;

    fn leaf() -> impl Strategy<Value = Requirement> {
        let text = || select(vec!["a", "b", "c", ""]);
        let value = select(vec![json!("a"), json!("b"), json!(1), json!(true)]);
        let path = || select(vec!["t", "o.t", "o.l.0"]).prop_map(|path| path.parse().unwrap());
        prop_oneof![
            text().prop_map(|scope| Requirement::Scope(scope.into())),
            (path(), prop::collection::vec(value.clone(), 1..3))
                .prop_map(|(path, values)| Requirement::Claim(path, Test::OneOf(values))),
            (path(), value).prop_map(|(path, value)| Requirement::Claim(path, Test::Contains(value))),
            (path(), text()).prop_map(|(path, text)| Requirement::Claim(path, Test::Prefix(text.into()))),
            Just(Requirement::Authenticated),
        ]
    }

    fn requirement() -> impl Strategy<Value = Requirement> {
        leaf().prop_recursive(2, 6, 3, |inner| {
            let several = || prop::collection::vec(inner.clone(), 1..3);
            prop_oneof![
                several().prop_map(Requirement::All),
                several().prop_map(Requirement::Any),
                inner.clone().prop_map(|inner| Requirement::Not(Box::new(inner))),
            ]
        })
    }

    fn claims() -> impl Strategy<Value = Value> {
        let value = || {
            select(vec![
                json!("a"),
                json!("b"),
                json!(["a", "c"]),
                json!(["b", 1]),
                json!(1),
                json!(null),
                json!([[]]),
            ])
        };
        let scope =
            select(vec![json!("a"), json!("a  b "), json!(["c", ""]), json!(["a", 1]), json!(7), json!("")]);
        (scope, value(), value(), value())
            .prop_map(|(scope, t, o, l)| json!({"scope": scope, "scp": l, "t": t, "o": {"t": o, "l": l}}))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_rule_that_is_met_is_a_candidate(
            requirements in prop::collection::vec(requirement(), 1..5),
            claims in prop::option::weighted(0.9, claims()),
            denies in any::<u8>(),
        ) {
            let rule = |(position, requirement): (usize, &Requirement)| Rule {
                name: "rule".into(),
                effect: if denies & (1 << position) == 0 { Effect::Allow } else { Effect::Deny },
                routes: Vec::new(),
                requirement: requirement.clone(),
                stages: Vec::new(),
                apis: Vec::new(),
                context: Vec::new(),
                usage_identifier_key: None,
            };
            let rules: Vec<Rule> = requirements.iter().enumerate().map(rule).collect();
            let principal = claims.map(|claims| Principal::for_tests(claims.as_object().unwrap().clone().into()));
            let caller = Caller { principal: principal.as_ref(), ..Caller::default() };
            let candidates = Index::new(&rules).candidates(&Known::new(&caller));
            for (position, rule) in rules.iter().enumerate() {
                let is_possible = match rule.effect {
                    Effect::Allow => rule.requirement.verdict(&caller) == Verdict::Met,
                    Effect::Deny => true,
                };
                prop_assert!(!is_possible || candidates.contains(&position), "{:?}", rule.requirement);
            }
        }
    }

    #[test]
    fn of_many_rules_a_callers_scopes_and_roles_find_few() {
        let rule = |requirement| Rule {
            name: "rule".into(),
            effect: Effect::Allow,
            routes: Vec::new(),
            requirement,
            stages: Vec::new(),
            apis: Vec::new(),
            context: Vec::new(),
            usage_identifier_key: None,
        };
        let of_role = |number: usize| {
            Requirement::Claim("roles".parse().unwrap(), Test::Contains(json!(format!("r{number}"))))
        };
        let rules: Vec<Rule> = (0..100)
            .flat_map(|number| {
                let scope = Requirement::Scope(format!("s{number}"));
                [rule(Requirement::All(vec![Requirement::Authenticated, scope])), rule(of_role(number))]
            })
            .collect();
        let principal = Principal::for_tests(
            json!({"scope": "s3 s7", "roles": ["r5"]}).as_object().unwrap().clone().into(),
        );
        let caller = Caller { principal: Some(&principal), ..Caller::default() };
        let candidates = Index::new(&rules).candidates(&Known::new(&caller));
        assert_eq!(candidates, [6, 11, 14]);
    }
}
