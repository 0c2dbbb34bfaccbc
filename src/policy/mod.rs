//! Stage 6: the [`Policy`] of one caller, which *is* the decision. What API Gateway is sent, what it
//! caches and replays on other routes, and the verdict on this very request are one and the same.

use crate::arn::{ArnPattern, MethodArn};
use crate::rules::{ODD_PATHS, Rules};
use crate::verify::Principal;

/// Yes or no. There is no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The caller may.
    Allow,
    /// The caller may not.
    Deny,
}

/// What one caller may invoke, on every route of the stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    statements: Vec<Statement>,
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
        Self { statements: vec![Statement::new(Effect::Deny, vec![ArnPattern::new("*")])] }
    }

    /// What the rules grant the principal on the stage of `arn`; everything on that stage where
    /// there are no rules. When they do not grant `arn` itself, the policy denies it in so many
    /// words, and stays right for every other route on which API Gateway replays it.
    #[must_use]
    pub fn compile(rules: &Rules, principal: &Principal, arn: &MethodArn) -> Self {
        let on_stage = |resource: &str| ArnPattern::new(format!("{}{resource}", arn.stage_prefix()));
        if rules.is_empty() {
            return Self { statements: vec![Statement::new(Effect::Allow, vec![on_stage("*")])] };
        }
        let granted: Vec<_> = rules.granted_to(principal).collect();
        if granted.is_empty() {
            return Self::deny_everything();
        }
        let resources = granted.iter().flat_map(|route| route.resources());
        let mut statements =
            vec![Statement::new(Effect::Allow, resources.map(|text| on_stage(&text)).collect())];
        if granted.iter().any(|route| route.is_open_ended()) {
            statements.push(Statement::new(Effect::Deny, ODD_PATHS.into_iter().map(on_stage).collect()));
        }
        Self { statements }.refusing(arn)
    }

    /// The same policy with an explicit Deny for `arn`, should it be silent about it.
    fn refusing(mut self, arn: &MethodArn) -> Self {
        let text = arn.to_string();
        if self.says(Effect::Allow, &text) || self.says(Effect::Deny, &text) {
            return self;
        }
        // The root has three spellings, and the ARN that is compared need not have ours.
        let spellings = match (arn.method(), arn.path()) {
            (Some(method), "/") => {
                ["", "/", "//"].map(|root| format!("{}{method}{root}", arn.stage_prefix())).into()
            }
            _ => vec![text],
        };
        let denied = spellings.iter().map(|arn| literal(arn)).collect();
        self.statements.push(Statement::new(Effect::Deny, denied));
        self
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
/// policy becomes `?`, one character whatever it is (contract 4.4). Of a path that is too long the
/// beginning will do: no pattern of a rule is as long, so that all that begin so are alike.
fn literal(arn: &str) -> ArnPattern {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._~:@,;=+/%-$".contains(letter);
    let mut text: String = arn.chars().map(|letter| if is_plain(letter) { letter } else { '?' }).collect();
    if text.len() > LONGEST_RESOURCE {
        text.truncate(LONGEST_RESOURCE - 1);
        text.push('*');
    }
    ArnPattern::new(text)
}

/// API Gateway takes no longer `Resource`.
const LONGEST_RESOURCE: usize = 512;

#[cfg(test)]
mod tests;
