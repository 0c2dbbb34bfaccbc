//! Stage 6: the [`Policy`] of one caller, which *is* the decision. What API Gateway is sent, what it
//! caches and replays on other routes, and the verdict on this very request are one and the same.

mod compiler;
mod glob;
mod inexact;
mod plan;
mod resources;
mod size;

use crate::arn::{ArnPattern, MethodArn};
pub use crate::rules::Effect;
pub use compiler::Compiler;
pub use inexact::{Direction, Inexact};
use resources::{AROUND_A_REFUSAL, AROUND_A_RESOURCE, LONGEST_RESOURCE};
pub use resources::{LARGEST_ANSWER, LARGEST_POLICY, LARGEST_REFUSAL};
pub use size::{Largest, USUAL_PREFIX, UsualValue};

/// What one caller may invoke, on every route of the stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    statements: Vec<Statement>,
    room: usize,
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it says.
    pub effect: Effect,
    /// Of what.
    pub resources: Vec<ArnPattern>,
}

impl Statement {
    /// The same resources make the same statement, whatever the order of the rules.
    fn new(effect: Effect, mut resources: Vec<ArnPattern>) -> Self {
        resources.sort_unstable();
        resources.dedup();
        Self { effect, resources }
    }
}

impl Policy {
    /// The policy that refuses everything, in so many words: beside a resource policy that allows,
    /// an authorizer that is merely silent lets the call through.
    #[must_use]
    pub fn deny_everything() -> Self {
        Self { statements: vec![Statement::new(Effect::Deny, vec![ArnPattern::new("*")])], room: 0 }
    }

    /// Everything on the stage of `arn`.
    fn of_stage(arn: &MethodArn) -> Self {
        let everything = ArnPattern::new(format!("{}*", arn.stage_prefix()));
        Self { statements: vec![Statement::new(Effect::Allow, vec![everything])], room: 0 }
    }

    /// The same policy with an explicit Deny for `arn`, should it not have one: where its wildcards open what
    /// no rule allows, or where it is silent.
    fn refusing(mut self, arn: &MethodArn) -> Self {
        let text = arn.to_string();
        if self.says(Effect::Deny, &text) {
            return self;
        }
        // The root has three spellings, and the ARN that is compared need not have ours. Elsewhere a slash at the
        // end makes no other route.
        let spellings = match (arn.method(), arn.path()) {
            (Some(method), "/") => {
                ["", "/", "//"].map(|root| format!("{}{method}{root}", arn.stage_prefix())).into()
            }
            (Some(_), _) => match text.strip_suffix('/') {
                Some(without) if without.ends_with('/') => vec![text],
                Some(without) => vec![without.to_owned(), text],
                None => vec![format!("{text}/"), text],
            },
            (None, _) => vec![text],
        };
        let denied = spellings.iter().map(|arn| literal(arn)).collect();
        let refusal = Statement::new(Effect::Deny, denied);
        let bytes = |resource: &ArnPattern| resource.as_str().len() + AROUND_A_RESOURCE;
        let taken: usize = refusal.resources.iter().map(bytes).sum();
        self.room = self.room.saturating_sub(taken + AROUND_A_REFUSAL);
        self.statements.push(refusal);
        self
    }

    /// What the Deny of a route may still add. An answer leaves it free, so that it depends on the caller alone whether
    /// there is one: the refusal of a caller's other routes is cached, too.
    #[must_use]
    pub fn room(&self) -> usize {
        self.room
    }

    /// The statements, in the order of the document.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Whether nothing at all is allowed.
    #[must_use]
    pub fn denies_everything(&self) -> bool {
        self.statements.iter().all(|statement| statement.effect == Effect::Deny)
    }

    /// The verdict on one method, as IAM reaches it: a Deny wins, and silence is a Deny.
    #[must_use]
    pub fn evaluate(&self, arn: &MethodArn) -> Effect {
        let text = arn.to_string();
        if self.says(Effect::Allow, &text) && !self.says(Effect::Deny, &text) {
            Effect::Allow
        } else {
            Effect::Deny
        }
    }

    fn says(&self, effect: Effect, arn: &str) -> bool {
        self.statements
            .iter()
            .filter(|statement| statement.effect == effect)
            .flat_map(|statement| &statement.resources)
            .any(|resource| resource.matches(arn))
    }
}

/// A pattern for this very ARN. The path is the client's: what is not known to be harmless in a
/// policy becomes `?`, one character whatever it is (contract 4.4). A path that is too long for a resource is denied
/// with all that begin as it does.
fn literal(arn: &str) -> ArnPattern {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._~:@,;=+|/%-$".contains(letter);
    let mut text: String = arn.chars().map(|letter| if is_plain(letter) { letter } else { '?' }).collect();
    if text.len() > LONGEST_RESOURCE {
        text.truncate(LONGEST_RESOURCE - 1);
        text.push('*');
    }
    ArnPattern::new(text)
}

#[cfg(test)]
mod tests;
