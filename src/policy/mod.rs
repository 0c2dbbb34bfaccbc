//! Stage 6: the [`Policy`] of one caller, which *is* the decision. What API Gateway is sent, what it
//! caches and replays on other routes, and the verdict on this very request are one and the same.

mod compiler;
mod glob;
mod inexact;
mod list;
mod plan;
mod resources;
mod size;
mod verbs;

use crate::arn::MethodArn;
pub use crate::rules::Effect;
pub use compiler::Compiler;
pub use inexact::{Direction, Inexact};
pub use list::ResourceList;
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
    pub resources: ResourceList,
}

impl Policy {
    /// The policy that refuses everything, in so many words: beside a resource policy that allows,
    /// an authorizer that is merely silent lets the call through.
    #[must_use]
    pub fn deny_everything() -> Self {
        Self::of(Effect::Deny, "", "*")
    }

    /// Everything on the stage of `arn`.
    fn of_stage(arn: &MethodArn) -> Self {
        Self::of(Effect::Allow, arn.stage_prefix(), "*")
    }

    fn of(effect: Effect, start: &str, end: &str) -> Self {
        let letters = start.len() + end.len() + AROUND_A_RESOURCE;
        let resources = ResourceList::new(start, 1, letters, std::iter::once(("", end)));
        Self { statements: vec![Statement { effect, resources }], room: 0 }
    }

    /// The same policy with an explicit Deny for `arn`, should it not have one: where its wildcards open what
    /// no rule allows, or where it is silent.
    fn refusing(mut self, arn: &MethodArn) -> Self {
        let text = arn.as_str();
        if self.says(Effect::Deny, text) {
            return self;
        }
        // The root has three spellings, and the ARN that is compared need not have ours. Elsewhere a slash at the
        // end makes no other route.
        let (shortest, slashes) = match (arn.method(), text.strip_suffix('/')) {
            (Some(_), Some(without)) if arn.path() == "/" => (without, &["", "/", "//"][..]),
            (Some(_), Some(without)) if !without.ends_with('/') => (without, &["", "/"][..]),
            (Some(_), None) => (text, &["", "/"][..]),
            (Some(_), Some(_)) | (None, _) => (text, &[""][..]),
        };
        let mut denied: Vec<String> = slashes.iter().map(|slashes| literal([shortest, slashes])).collect();
        denied.sort_unstable();
        denied.dedup();
        let taken: usize = denied.iter().map(|resource| resource.len() + AROUND_A_RESOURCE).sum();
        let ends = denied.iter().map(|resource| ("", resource.as_str()));
        let resources = ResourceList::new("", denied.len(), taken, ends);
        self.room = self.room.saturating_sub(taken + AROUND_A_REFUSAL);
        self.statements.push(Statement { effect: Effect::Deny, resources });
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
        if self.says(Effect::Allow, arn.as_str()) && !self.says(Effect::Deny, arn.as_str()) {
            Effect::Allow
        } else {
            Effect::Deny
        }
    }

    fn says(&self, effect: Effect, arn: &str) -> bool {
        let mut says = self.statements.iter().filter(|statement| statement.effect == effect);
        says.any(|statement| statement.resources.matches(arn))
    }
}

/// A pattern for this very ARN. The path is the client's: what is not known to be harmless in a
/// policy becomes `?`, one character whatever it is (contract 4.4). A path that is too long for a resource is denied
/// with all that begin as it does.
fn literal(arn: [&str; 2]) -> String {
    let is_plain = |letter: char| {
        letter.is_ascii_alphanumeric()
            || matches!(
                letter,
                '.' | '_' | '~' | ':' | '@' | ',' | ';' | '=' | '+' | '|' | '/' | '%' | '-' | '$'
            )
    };
    let mut text = arn.concat();
    if !text.bytes().all(|byte| is_plain(byte.into())) {
        text = text.chars().map(|letter| if is_plain(letter) { letter } else { '?' }).collect();
    }
    if text.len() > LONGEST_RESOURCE {
        text.truncate(LONGEST_RESOURCE - 1);
        text.push('*');
    }
    text
}

#[cfg(test)]
mod tests;
