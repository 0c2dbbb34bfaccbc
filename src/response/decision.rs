//! [`Decision`]: a caller's policy, what it says of this request, and the answer that carries it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::document::{self, Answer};
use super::{Answers, context};
use crate::error::{Error, Reason, Rejection};
use crate::policy::{Compiler, Effect, LARGEST_ANSWER, Policy};
use crate::request::Request;
use crate::rules::{Caller, ContextKey, Rule, Ruling};
use crate::verify::Principal;

/// What was decided for a caller with a verified credential, or with none.
#[derive(Clone, Debug)]
pub struct Decision {
    principal: Option<Principal>,
    principal_id: String,
    policy: Policy,
    denied: Option<Reason>,
    rule: Option<String>,
    answer: Box<RawValue>,
}

impl Decision {
    /// Compiles the caller's policy, evaluates it at the request's ARN, and writes the answer, with one value more in its context
    /// where there is one.
    ///
    /// # Errors
    ///
    /// A [`Rejection`](Error::Rejection) when the caller's policy, or the caller, cannot be told to API Gateway as the
    /// configuration asks: a backend must not take a missing or shortened claim for the whole truth.
    pub(crate) fn new(
        caller: &Caller<'_>,
        request: &Request,
        compiler: &Compiler,
        answers: &Answers,
        more: Option<(&ContextKey, &str)>,
    ) -> Result<Self, Error> {
        // The credential held: the record says whose it was.
        let refuse = |reason| Rejection {
            reason,
            issuer: caller.principal.map(|principal| Arc::clone(principal.issuer())),
            key_id: caller.principal.and_then(Principal::key_id).map(str::to_owned),
        };
        let standing = compiler.rules().standing(caller, &request.arn);
        let (policy, ruling) = compiler.decide(&standing, &request.arn).map_err(refuse)?;
        let rule = match &ruling {
            Ruling::Allowed(rule) => Some(rule.name.clone()),
            Ruling::Unruled | Ruling::Refused(_) => None,
        };
        let denied = match (policy.evaluate(&request.arn), ruling) {
            (Effect::Allow, _) => None,
            (Effect::Deny, Ruling::Refused(reason @ Reason::RouteDenied { .. })) => Some(reason),
            (Effect::Deny, Ruling::Refused(_)) if caller.principal.is_none() => {
                Some(Reason::CredentialMissing)
            }
            (Effect::Deny, Ruling::Refused(reason)) => Some(reason),
            (Effect::Deny, Ruling::Allowed(_) | Ruling::Unruled) => Some(Reason::RouteNotExpressible),
        };
        if let Some(reason) = denied.as_ref().filter(|reason| answers.are_401(request.kind, reason)) {
            return Err(refuse(reason.clone()).into());
        }
        let applying: Vec<&Rule> = compiler.rules().applying(&standing).collect();
        let mut context = context::context(caller, &applying, request.kind, answers).map_err(refuse)?;
        context.extend(more.map(|(key, value)| (key.clone(), value.into())));
        if let Some(reason) = denied.as_ref().filter(|_| policy.denies_everything()) {
            // A policy that allows something is replayed on those routes, its context with it.
            let reasons: BTreeMap<_, _> =
                answers.reason_key.iter().map(|key| (key.clone(), reason.code().name().into())).collect();
            context.extend(reasons);
        }
        let answer = Answer {
            principal_id: context::principal_id(caller, answers).map_err(refuse)?,
            policy: &policy,
            is_authorized: denied.is_none(),
            context,
            usage_identifier_key: context::usage_identifier_key(caller, &applying, request.kind, answers)
                .map_err(refuse)?,
        };
        let json = answer.to_json(document::shape(request.kind, answers))?;
        if json.get().len() + policy.room() > LARGEST_ANSWER {
            return Err(refuse(Reason::AnswerTooLarge { bytes: json.get().len() }).into());
        }
        let principal_id = answer.principal_id;
        Ok(Self { principal: caller.principal.cloned(), principal_id, policy, denied, rule, answer: json })
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

    /// Who asked; `None` for a caller without a credential.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::ClaimPath;
    use crate::request::{EventKind, Parameters, RequestUrl, StageVariables};
    use crate::response::{HttpApi, Refusal};
    use crate::rules::{Requirement, Rules};
    use serde_json::json;

    fn request(tail: &str) -> Request {
        Request {
            kind: EventKind::RestRequest,
            arn: format!("arn:aws:execute-api:us-east-1:123456789012:abc/dev/{tail}").parse().unwrap(),
            route: None,
            request_id: None,
            source_ip: None,
            client_certificate: None,
            stage_variables: StageVariables::default(),
            url: RequestUrl::default(),
            authorization_token: None,
            headers: Parameters::default(),
            query: Parameters::default(),
            cookies: Parameters::default(),
        }
    }

    fn decided(tail: &str, padding: usize) -> Result<Decision, Error> {
        let rules = Rules::new(vec![Rule {
            name: "orders".into(),
            effect: Effect::Allow,
            routes: vec!["GET /orders".parse().unwrap()],
            requirement: Requirement::Authenticated,
            stages: Vec::new(),
            apis: Vec::new(),
            context: vec![("padding".parse::<ContextKey>().unwrap(), json!("x".repeat(padding)))],
            usage_identifier_key: None,
        }]);
        let answers = Answers {
            refusal: Refusal::Deny,
            http_api: HttpApi::Policy,
            principal_id: vec![ClaimPath::of(["sub"])],
            usage_identifier_key: None,
            reason_key: None,
            context: Vec::new(),
            certificate_context: Vec::new(),
        };
        let principal = Principal::for_tests(json!({"sub": "u1"}).as_object().unwrap().clone().into());
        let caller = Caller { principal: Some(&principal), ..Caller::default() };
        Decision::new(&caller, &request(tail), &Compiler::new(rules), &answers, None)
    }

    /// Otherwise a caller whose policy is too large would be refused a route, or not, by what was asked for before.
    #[test]
    fn whether_there_is_an_answer_depends_on_the_caller_alone() {
        let length = |decision: &Decision| decision.answer.get().len() + decision.policy.room();
        let tails = ["GET/orders", "POST/orders", "GET/", "GET/a/../b", &format!("GET/{}", "a".repeat(1500))];
        let own = length(&decided("GET/orders", 0).unwrap());
        for tail in tails {
            assert_eq!(length(&decided(tail, 0).unwrap()), own, "{tail}");
            assert!(decided(tail, LARGEST_ANSWER - own).is_ok(), "{tail}");
            assert!(decided(tail, LARGEST_ANSWER - own + 1).is_err(), "{tail}");
        }
    }
}
