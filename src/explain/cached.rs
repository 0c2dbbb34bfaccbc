//! What API Gateway keeps of an answer.

use serde::Serialize;

use super::AnswerPart;
use crate::config::{Gateway, IdentityExpression};
use crate::request::{EventKind, Request};
use crate::response::{Answers, HttpApi};

/// What API Gateway keeps of an answer, and replays on other requests with the same identity sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cached {
    /// Nothing: a WebSocket API has no cache, the configuration says that there is none, or it is an error.
    Nothing,
    /// The policy, which is evaluated anew on each route.
    Policy,
    /// The bare yes or no, for this route: `$context.routeKey` is an identity source.
    AnswerForRoute,
    /// The bare yes or no, for every route of the API.
    AnswerForApi,
}

impl Cached {
    pub(super) fn of(answer: &AnswerPart, request: &Request, answers: &Answers, gateway: &Gateway) -> Self {
        let is_failure = matches!(answer, AnswerPart::Failure { .. });
        if is_failure || request.kind == EventKind::WebSocket || !gateway.may_cache() {
            return Self::Nothing;
        }
        if !is_simple(request, answers) {
            return Self::Policy;
        }
        match gateway.tells_apart(&IdentityExpression::route_key()) {
            true => Self::AnswerForRoute,
            false => Self::AnswerForApi,
        }
    }
}

/// Whether the answer is a bare yes or no.
pub(super) fn is_simple(request: &Request, answers: &Answers) -> bool {
    request.kind == EventKind::Http2 && answers.http_api == HttpApi::Simple
}
