//! [`Decision`]: a caller's policy, what it says of this request, and the answer that carries it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::document::{self, Answer};
use super::{Answers, context};
use crate::error::{Error, Reason, Rejection};
use crate::policy::{Effect, Policy};
use crate::request::Request;
use crate::rules::Rules;
use crate::verify::Principal;

/// What was decided for a verified caller.
#[derive(Clone, Debug)]
pub struct Decision {
    principal: Principal,
    principal_id: String,
    policy: Policy,
    denied: Option<Reason>,
    rule: Option<String>,
    answer: Box<RawValue>,
}

/// API Gateway's limit for WebSocket APIs, the only one that is published; kept for all.
const LARGEST_ANSWER: usize = 8 * 1024;

impl Decision {
    /// Evaluates the policy at the request's ARN and writes the answer.
    ///
    /// # Errors
    ///
    /// A [`Rejection`](Error::Rejection) when the principal cannot be told to API Gateway as the
    /// configuration asks: a backend must not take a missing or shortened claim for the whole truth.
    pub(crate) fn new(
        principal: Principal,
        policy: Policy,
        request: &Request,
        rules: &Rules,
        answers: &Answers,
    ) -> Result<Self, Error> {
        // The credential held: the record says whose it was.
        let refuse = |reason| Rejection {
            reason,
            issuer: Some(Arc::clone(principal.issuer())),
            key_id: principal.key_id().map(str::to_owned),
        };
        let denied = match policy.evaluate(&request.arn) {
            Effect::Allow => None,
            Effect::Deny if rules.naming(&request.arn).next().is_some() => Some(Reason::InsufficientScope),
            Effect::Deny => Some(Reason::RouteNotAllowed),
        };
        let rule = rules.granting(&principal, &request.arn).map(|rule| rule.name.clone());
        let claims = principal.claims();
        let mut context = context::context(claims, request.kind, answers).map_err(refuse)?;
        if let Some(reason) = denied.as_ref().filter(|_| policy.denies_everything()) {
            // A policy that allows something is replayed on those routes, its context with it.
            let reasons: BTreeMap<_, _> =
                answers.reason_key.iter().map(|key| (key.clone(), reason.code().name().into())).collect();
            context.extend(reasons);
        }
        let answer = Answer {
            principal_id: context::principal_id(claims, answers).map_err(refuse)?,
            policy: &policy,
            is_authorized: denied.is_none(),
            context,
            usage_identifier_key: context::usage_identifier_key(claims, request.kind, answers)
                .map_err(refuse)?,
        };
        let json = answer.to_json(document::shape(request.kind, answers))?;
        if json.get().len() > LARGEST_ANSWER {
            return Err(refuse(Reason::AnswerTooLarge { bytes: json.get().len() }).into());
        }
        let principal_id = answer.principal_id;
        Ok(Self { principal, principal_id, policy, denied, rule, answer: json })
    }

    /// The verdict on this request.
    #[must_use]
    pub fn effect(&self) -> Effect {
        if self.denied.is_none() { Effect::Allow } else { Effect::Deny }
    }

    /// Why the policy denies this request; `None` when it allows it.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        self.denied.as_ref()
    }

    /// The name of the rule that allows this request; `None` when there are no rules, or none does.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// Who asked.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// What API Gateway is told of who asked.
    #[must_use]
    pub fn principal_id(&self) -> &str {
        &self.principal_id
    }

    /// The caller's policy, valid for every route of the stage.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(super) fn into_answer(self) -> Box<RawValue> {
        self.answer
    }
}
