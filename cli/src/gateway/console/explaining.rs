//! The gateway's pipeline with an authorizer in it that explains: the event is the gateway's own, and so is what is made
//! of the answer.

use std::sync::{Arc, Mutex, PoisonError};

use lambda_authorizer::Authorizer;
use lambda_authorizer::credential::Location;
use lambda_authorizer::error::Fault;
use lambda_authorizer::explain::{AnswerPart, AskedRoute, Explanation};
use serde_json::{Value, json};

use super::super::api::LocalApi;
use super::super::authorizer::{Consulted, Function};
use super::super::cache::Cache;
use super::super::pipeline::Pipeline;
use super::routes;
use crate::local;
use crate::runtime_api::Outcome;

/// An authorizer that explains what it answers.
pub(in super::super) struct Explaining {
    authorizer: Arc<Authorizer>,
    api: Arc<LocalApi>,
    made: Mutex<Option<Explanation>>,
}

/// A pipeline for one question. Its cache is empty.
pub(super) fn pipeline(
    authorizer: Arc<Authorizer>,
    api: Arc<LocalApi>,
    credentials: Vec<Location>,
) -> Pipeline {
    let explaining = Explaining { authorizer, api, made: Mutex::default() };
    Pipeline { function: Function::Explaining(Box::new(explaining)), cache: Cache::default(), credentials }
}

impl Function {
    /// What an explaining one was asked for, once.
    pub(super) fn explained(&self) -> Option<Explanation> {
        match self {
            Self::Explaining(function) => function.made.lock().unwrap_or_else(PoisonError::into_inner).take(),
            Self::InProcess(_) | Self::Process(_) => None,
        }
    }
}

impl Explaining {
    pub(in super::super) async fn ask(&self, payload: String) -> Consulted {
        match self.explain(&payload).await {
            Ok(explanation) => {
                let outcome = match &explanation.answer {
                    AnswerPart::Response(answer) => Outcome::Response(answer.to_string().into()),
                    AnswerPart::Failure { error_type, error_message } => {
                        local::failure(error_type, error_message)
                    }
                };
                let record = record(&explanation);
                *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(explanation);
                Consulted { outcome, record: Some(record) }
            }
            Err(fault) => {
                let code = fault.code().name();
                let record = json!({"reason": code, "detail": fault.to_string()});
                Consulted { outcome: local::failure(code, &fault.to_string()), record: Some(record) }
            }
        }
    }

    /// The first look is for the claims that the routes' examples are made with.
    async fn explain(&self, payload: &str) -> Result<Explanation, Fault> {
        let first = self.authorizer.explain(local::invocation(payload), &[]).await?;
        let claims = first.token.as_ref().and_then(|token| token.claims.as_ref());
        let examples = routes::examples(&self.api, claims).into_iter().map(|(name, arn)| AskedRoute {
            examples: vec![(name.clone(), arn)],
            name,
            parameters: Vec::new(),
        });
        self.authorizer.explain(local::invocation(payload), &examples.collect::<Vec<_>>()).await
    }
}

/// As the authorizer's log would have it.
fn record(explanation: &Explanation) -> Value {
    let decision = &explanation.decision;
    json!({
        "reason": decision.reason.as_ref().map(|reason| reason.code),
        "detail": decision.reason.as_ref().map(|reason| &reason.message),
        "rule": decision.rule,
        "principal": decision.principal_id,
    })
}
