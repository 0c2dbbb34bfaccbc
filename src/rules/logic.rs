//! What follows from a requirement, whoever asks: whether anybody can meet it, and whether who meets it meets another.

use std::cell::Cell;

use super::requirement::{Requirement, Test, Verdict};

/// Beyond so many different leaves nothing is said.
const MOST_LEAVES: usize = 12;

impl Requirement {
    /// Whether somebody may meet all of these; `true` where it cannot be told.
    #[must_use]
    pub fn may_all_be_met(requirements: &[&Self]) -> bool {
        some_caller(requirements, |is_met| requirements.iter().all(|requirement| is_met(requirement)))
    }

    /// Whether everybody who meets this meets the other; `false` where it cannot be told.
    ///
    /// ```
    /// use lambda_authorizer::rules::Requirement;
    ///
    /// let scope = |name: &str| Requirement::Scope(name.into());
    /// let both = Requirement::All(vec![scope("read"), scope("write")]);
    /// assert!(both.implies(&scope("read")) && !scope("read").implies(&both));
    /// ```
    #[must_use]
    pub fn implies(&self, other: &Self) -> bool {
        !some_caller(&[self, other], |is_met| is_met(self) && !is_met(other))
    }

    /// Whether nobody meets both, as far as two leaves tell.
    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Issuer(one), Self::Issuer(other)) => one != other,
            (Self::Credential(one), Self::Credential(other)) => one != other,
            (Self::Claim(path, test), Self::Claim(other_path, other_test)) => {
                path == other_path && test.excludes(other_test)
            }
            (Self::Parameter(parameter, test), Self::Parameter(other, other_test)) => {
                parameter == other && test.excludes(other_test)
            }
            _ => false,
        }
    }

    /// Whether whoever meets this leaf meets the other one.
    fn entails(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Anyone) => true,
            (
                Self::Scope(_) | Self::Claim(..) | Self::Issuer(_) | Self::Credential(_),
                Self::Authenticated,
            ) => true,
            (Self::Claim(path, test), Self::Claim(other_path, other_test)) => {
                path == other_path && test.entails(other_test)
            }
            (Self::Parameter(parameter, test), Self::Parameter(other, other_test)) => {
                parameter == other && test.entails(other_test)
            }
            _ => false,
        }
    }
}

impl Test {
    /// Whether nothing stands both, as far as the two tell.
    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::OneOf(one), Self::OneOf(other)) => !one.iter().any(|value| other.contains(value)),
            (Self::Prefix(prefix), Self::OneOf(values)) | (Self::OneOf(values), Self::Prefix(prefix)) => {
                let starts =
                    |value: &serde_json::Value| value.as_str().is_some_and(|text| text.starts_with(prefix));
                !values.iter().any(starts)
            }
            _ => false,
        }
    }

    /// Whether whatever stands this one stands the other.
    fn entails(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::OneOf(one), Self::OneOf(other)) => one.iter().all(|value| other.contains(value)),
            (Self::Prefix(one), Self::Prefix(other)) => one.starts_with(other),
            _ => false,
        }
    }
}

/// Whether a caller may be such, of all who meet some of the leaves and not the others; `true` where there are
/// too many leaves.
fn some_caller(
    requirements: &[&Requirement],
    is_such: impl Fn(&dyn Fn(&Requirement) -> bool) -> bool,
) -> bool {
    let mut leaves: Vec<&Requirement> = Vec::new();
    for leaf in requirements.iter().flat_map(|requirement| requirement.leaves()) {
        if !leaves.contains(&leaf) {
            leaves.push(leaf);
        }
    }
    if leaves.len() > MOST_LEAVES {
        return true;
    }
    let met = Cell::new(0_u32);
    let holds = |position: usize| met.get() & (1 << position) != 0;
    let is_possible = || {
        leaves.iter().enumerate().all(|(position, leaf)| {
            let others = || leaves.iter().enumerate().filter(move |(other, _)| *other != position);
            match holds(position) {
                true => others().all(|(other, other_leaf)| {
                    !(holds(other) && leaf.excludes(other_leaf))
                        && (holds(other) || !leaf.entails(other_leaf))
                }),
                false => **leaf != Requirement::Anyone,
            }
        })
    };
    let is_met = |requirement: &Requirement| {
        let verdict = requirement.evaluate(&|leaf: &Requirement| match leaves
            .iter()
            .position(|known| *known == leaf)
            .is_some_and(holds)
        {
            true => Verdict::Met,
            false => Verdict::Unmet,
        });
        verdict == Verdict::Met
    };
    (0..1_u32 << leaves.len()).any(|assignment| {
        met.set(assignment);
        is_possible() && is_such(&is_met)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scope(name: &str) -> Requirement {
        Requirement::Scope(name.into())
    }

    fn one_of(values: &[&str]) -> Requirement {
        let values = values.iter().map(|value| json!(value)).collect();
        Requirement::Claim("tier".parse().unwrap(), Test::OneOf(values))
    }

    fn header(name: &str, value: &str) -> Requirement {
        let parameter = crate::rules::Parameter::header(name);
        Requirement::Parameter(parameter, Test::OneOf(vec![json!(value)]))
    }

    fn not(requirement: Requirement) -> Requirement {
        Requirement::Not(Box::new(requirement))
    }

    #[test]
    fn what_nobody_can_meet_is_known() {
        let issuer = |url: &str| Requirement::Issuer(url.into());
        for (requirements, expected) in [
            (vec![scope("a")], true),
            (vec![scope("a"), scope("b")], true),
            (vec![scope("a"), not(scope("a"))], false),
            (vec![one_of(&["gold"]), one_of(&["silver"])], false),
            (vec![one_of(&["gold", "silver"]), one_of(&["silver"])], true),
            (vec![issuer("a"), issuer("b")], false),
            (vec![header("x", "a"), header("X", "b")], false),
            (vec![header("x", "a"), header("y", "b")], true),
            (vec![not(Requirement::Authenticated), header("x", "a")], true),
            (vec![not(Requirement::Anyone)], false),
            (vec![not(Requirement::Authenticated), scope("a")], false),
            (vec![not(Requirement::Authenticated), Requirement::Anyone], true),
            (vec![Requirement::Any(vec![])], false),
            (vec![Requirement::Any(vec![one_of(&["gold"]), scope("a")]), one_of(&["silver"])], true),
        ] {
            let all: Vec<&Requirement> = requirements.iter().collect();
            assert_eq!(Requirement::may_all_be_met(&all), expected, "{requirements:?}");
        }
    }

    #[test]
    fn what_follows_is_known() {
        let both = Requirement::All(vec![scope("a"), scope("b")]);
        let either = Requirement::Any(vec![scope("a"), scope("b")]);
        for (one, other, expected) in [
            (&both, &scope("a"), true),
            (&scope("a"), &both, false),
            (&scope("a"), &either, true),
            (&either, &scope("a"), false),
            (&scope("a"), &Requirement::Authenticated, true),
            (&Requirement::Authenticated, &Requirement::Anyone, true),
            (&Requirement::Anyone, &Requirement::Authenticated, false),
            (&one_of(&["gold"]), &one_of(&["gold", "silver"]), true),
            (&one_of(&["gold", "silver"]), &one_of(&["gold"]), false),
            (&one_of(&["gold"]), &not(one_of(&["silver"])), true),
            (&header("x", "a"), &header("X", "a"), true),
            (&header("x", "a"), &Requirement::Authenticated, false),
        ] {
            assert_eq!(one.implies(other), expected, "{one:?} {other:?}");
        }
    }

    #[test]
    fn of_too_many_leaves_nothing_is_said() {
        let many: Vec<Requirement> = (0..13).map(|number| scope(&number.to_string())).collect();
        let contradiction = [Requirement::All(many), not(scope("0"))];
        assert!(Requirement::may_all_be_met(&contradiction.iter().collect::<Vec<_>>()));
        assert!(!contradiction[0].implies(&scope("0")));
    }
}
