//! Stage 7, the wire out: what API Gateway is answered. "Output from an API Gateway Lambda
//! authorizer" (REST, WebSocket, HTTP 1.0) and the simple response of payload format 2.0.
//!
//! The one place that turns a [`Rejection`] or a [`Fault`](crate::error::Fault) into what a caller gets: a status.

mod context;
mod decision;
mod document;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::claims::ClaimPath;
use crate::error::{Error, Reason, Rejection};
use crate::policy::Policy;
use crate::request::{CertificateField, EventKind, Request};
use crate::rules::ContextKey;
pub use decision::Decision;

/// How answers are made up, by configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// What a refused credential is answered with.
    pub refusal: Refusal,
    /// What a payload format 2.0 event is answered with: the event does not say what its authorizer
    /// was set up for.
    pub http_api: HttpApi,
    /// The claims of which the first that is there is the principal ID.
    pub principal_id: Vec<ClaimPath>,
    /// The claim whose value is the caller's API key (REST APIs only).
    pub usage_identifier_key: Option<ClaimPath>,
    /// The context key under which a refusal's reason code is given.
    pub reason_key: Option<ContextKey>,
    /// What of the claims the backend gets.
    pub context: Vec<(ContextKey, ClaimPath)>,
    /// What of the client's certificate the backend gets.
    pub certificate_context: Vec<(ContextKey, CertificateField)>,
}

impl Answers {
    /// Whether this reason is answered with 401 behind this kind of API.
    fn are_401(&self, kind: EventKind, reason: &Reason) -> bool {
        let has_401 = match kind {
            EventKind::RestToken | EventKind::RestRequest | EventKind::WebSocket => true,
            EventKind::Http1 | EventKind::Http2 => false,
        };
        self.refusal == Refusal::Unauthorized && has_401 && reason.is_of_the_credential()
    }
}

/// What a refused credential is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A policy that denies everything: 403 for the client, and cached.
    Deny,
    /// The error that REST and WebSocket APIs turn into 401; on HTTP APIs, where it would be a 500,
    /// the policy.
    Unauthorized,
}

/// The two shapes that a payload format 2.0 authorizer can be set up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpApi {
    /// An IAM policy, as for every other kind.
    Policy,
    /// `{"isAuthorized": …}`.
    Simple,
}

/// What the function returns: JSON for API Gateway to read.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Response(Box<RawValue>);

/// What the function fails with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// 401, on REST and WebSocket APIs.
    Unauthorized,
    /// 500, never cached: nothing was decided.
    Internal {
        /// The fault's code.
        code: &'static str,
    },
}

impl Failure {
    /// The error's type: for people who read the invocation's record.
    #[must_use]
    pub fn error_type(self) -> &'static str {
        match self {
            Self::Unauthorized => "Unauthorized",
            Self::Internal { code } => code,
        }
    }

    /// The error's message. API Gateway makes a 401 of exactly `Unauthorized`, and a 500 of all else.
    #[must_use]
    pub fn error_message(self) -> &'static str {
        match self {
            Self::Unauthorized => "Unauthorized",
            Self::Internal { .. } => "InternalError",
        }
    }
}

impl Response {
    /// The answer to a request, once it is decided or could not be.
    ///
    /// # Errors
    ///
    /// The failure that the invocation ends with instead.
    pub fn new(
        request: &Request,
        outcome: Result<Decision, Error>,
        answers: &Answers,
    ) -> Result<Self, Failure> {
        match outcome {
            Ok(decision) => Ok(Self(decision.into_answer())),
            Err(Error::Rejection(rejection)) => Self::refusing(request, &rejection, answers),
            Err(Error::Fault(fault)) => Err(Failure::Internal { code: fault.code().name() }),
        }
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Nothing of the token is in it: no principal, no claim (rule Z7).
    fn refusing(request: &Request, rejection: &Rejection, answers: &Answers) -> Result<Self, Failure> {
        if answers.are_401(request.kind, &rejection.reason) {
            return Err(Failure::Unauthorized);
        }
        let context = answers
            .reason_key
            .iter()
            .map(|key| (key.clone(), rejection.reason.code().name().into()))
            .collect();
        let answer = document::Answer {
            principal_id: ANONYMOUS.to_owned(),
            policy: &Policy::deny_everything(),
            is_authorized: false,
            context,
            usage_identifier_key: None,
        };
        answer
            .to_json(document::shape(request.kind, answers))
            .map(Self)
            .map_err(|fault| Failure::Internal { code: fault.code().name() })
    }
}

/// The principal ID of whoever proved nothing: API Gateway asks for one in every answer.
const ANONYMOUS: &str = "anonymous";
