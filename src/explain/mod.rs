//! [`Explanation`]: a decision taken apart, for a person who asks why. It is made by the stages that make decisions, and
//! says what they said; what a decision leaves out because an earlier stage refused is looked at, too.
//!
//! It holds what the token says, and never the token.

mod cached;
mod policy;
mod rules;

use serde::Serialize;
use serde_json::Value;

use crate::authorizer::Authorizer;
use crate::credential::{IdentitySources, Location, Scheme};
use crate::error::{Error, Fault, Reason};
use crate::event::Event;
use crate::request::Request;
use crate::response::{Decision, Response};
use crate::rules::Caller;
use crate::verify::{self, Presented};
pub use cached::Cached;
pub use policy::{AskedRoute, OtherRoute, PolicyPart, ResourcePart, StatementPart};
pub use rules::{RequirementPart, RoutePart, RulePart};

/// Why one event is answered as it is.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// What is asked for.
    pub event: EventPart,
    /// The places where a credential is looked for, in their order.
    pub credential: Vec<PlacePart>,
    /// What was found; `None` where there is no credential.
    pub token: Option<TokenPart>,
    /// The checks of the client's certificate; none where the configuration asks for none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client_certificate: Vec<CheckPart>,
    /// How the caller stands to each rule.
    pub rules: Vec<RulePart>,
    /// The caller's policy; `None` where there is none. Where API Gateway is told a bare yes or no, it has no statements.
    pub policy: Option<PolicyPart>,
    /// What was decided.
    pub decision: DecisionPart,
    /// What API Gateway is told.
    pub answer: AnswerPart,
    /// What API Gateway keeps of it.
    pub cached: Cached,
}

/// The request that an event is about.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct EventPart {
    /// The kind of event, as in the log.
    pub kind: &'static str,
    /// The ARN of the method.
    pub arn: String,
    /// `GET`; `None` for a WebSocket route.
    pub method: Option<String>,
    /// The path as the client sent it, or `$connect`.
    pub path: String,
    /// The stage.
    pub stage: String,
    /// The route as API Gateway has it.
    pub route: Option<String>,
    /// The client's address.
    pub source_ip: Option<String>,
}

/// A place where a credential may be.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PlacePart {
    /// Such as `header Authorization`.
    pub place: String,
    /// `Bearer`, or nothing.
    pub scheme: Option<&'static str>,
    /// What came of looking.
    pub outcome: Looked,
    /// Why what is there is none.
    pub reason: Option<ReasonPart>,
}

/// What came of looking for a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Looked {
    /// It is there.
    Found,
    /// There is nothing.
    Empty,
    /// There is something else.
    Refused,
    /// An earlier place had something.
    NotLooked,
}

/// What a token says, and each check of it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TokenPart {
    /// The header, as far as it can be read.
    pub header: Option<Value>,
    /// The claims, as far as they can be read. They are true only where every check has passed.
    pub claims: Option<Value>,
    /// The checks, in their order.
    pub checks: Vec<CheckPart>,
}

/// One check of a token.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CheckPart {
    /// What is checked.
    pub name: String,
    /// What it must be like.
    pub expected: String,
    /// What is there.
    pub found: Option<String>,
    /// Whether it holds; `None` where the check could not be made.
    pub passed: Option<bool>,
    /// Why it does not.
    pub reason: Option<ReasonPart>,
}

/// A reason, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReasonPart {
    /// The stable code.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What causes it.
    pub cause: &'static str,
    /// What to do.
    pub action: &'static str,
}

/// What was decided.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DecisionPart {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not `allow`.
    pub reason: Option<ReasonPart>,
    /// The rule that allows.
    pub rule: Option<String>,
    /// What API Gateway is told of who asked.
    pub principal_id: Option<String>,
    /// The issuer that vouches for the caller.
    pub issuer: Option<String>,
}

/// Yes, no, or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The caller may.
    Allow,
    /// The caller may not.
    Deny,
    /// Nothing could be decided.
    Error,
}

/// What API Gateway is told.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerPart {
    /// This answer.
    Response(Value),
    /// That the invocation has failed.
    Failure {
        /// The error's type.
        error_type: &'static str,
        /// The error's message.
        error_message: &'static str,
    },
}

impl Authorizer {
    /// Decides one event and takes the decision apart. Nothing is recorded. `others` are further routes that
    /// the caller's policy is looked at for; without any, those that the rules name.
    ///
    /// # Errors
    ///
    /// The event is none that API Gateway sends.
    pub async fn explain(&self, event: Event<'_>, others: &[AskedRoute]) -> Result<Explanation, Fault> {
        let request = Request::try_from(event)?;
        let patience = self.patience(&event);
        let principal = self.principal(&request, patience).await;
        let principal = principal.and_then(|principal| {
            self.check_certificate(&request, principal.as_ref())?;
            Ok(principal)
        });
        let certificate = self.certificates().map(|certificates| certificates.explain(&request, self.now()));
        let caller = principal.as_ref().ok().map(|principal| Caller::of(&request, principal.as_ref()));
        let credential = self.identity_sources().extract(&request);
        let token = credential
            .as_ref()
            .ok()
            .map(|credential| self.verifiers().explain(Presented::new(credential, &request), self.now()));
        let outcome = match (&caller, &principal) {
            (Some(caller), _) => self.decision(caller, &request),
            (None, Err(error)) => Err(error.clone()),
            (None, Ok(_)) => Err(Reason::CredentialMissing.into()),
        };
        let rules = rules::explain(self.compiler().rules(), caller.as_ref(), &request.arn);
        let policy = caller
            .as_ref()
            .and_then(|caller| policy::explain(self.compiler(), caller, &request.arn, others))
            .map(|policy| if cached::is_simple(&request, self.answers()) { policy.untold() } else { policy });
        let decision = DecisionPart::of(&outcome);
        let answer = AnswerPart::of(Response::new(&request, outcome, self.answers()));
        Ok(Explanation {
            event: EventPart::of(&request),
            credential: places(self.identity_sources(), &request),
            token: token.map(TokenPart::of),
            client_certificate: certificate.into_iter().flatten().map(CheckPart::of).collect(),
            rules,
            policy,
            decision,
            cached: Cached::of(&answer, &request, self.answers(), self.gateway()),
            answer,
        })
    }
}

impl Authorizer {
    /// What is decided of a verified caller. No token is exchanged for it, and none is shown.
    fn decision(&self, caller: &Caller<'_>, request: &Request) -> Result<Decision, Error> {
        const PLACEHOLDER: &str = "(a token for the backend)";
        let decision = Decision::new(caller, request, self.compiler(), self.answers(), None)?;
        match self.to_be_exchanged(caller, request, &decision) {
            None => Ok(decision),
            Some(((key, _), ..)) => {
                Decision::new(caller, request, self.compiler(), self.answers(), Some((key, PLACEHOLDER)))
            }
        }
    }
}

impl EventPart {
    fn of(request: &Request) -> Self {
        Self {
            kind: request.kind.name(),
            arn: request.arn.to_string(),
            method: request.arn.method().map(str::to_owned),
            path: request.arn.path().to_owned(),
            stage: request.arn.stage().to_owned(),
            route: request.route.clone(),
            source_ip: request.source_ip.map(|address| address.to_string()),
        }
    }
}

fn places(sources: &IdentitySources, request: &Request) -> Vec<PlacePart> {
    let mut is_over = false;
    let place = |source: &crate::credential::IdentitySource| {
        let (outcome, reason) = match IdentitySources::new(vec![source.clone()]).extract(request) {
            _ if is_over => (Looked::NotLooked, None),
            Ok(_) => (Looked::Found, None),
            Err(Reason::CredentialMissing) => (Looked::Empty, None),
            Err(reason) => (Looked::Refused, Some(ReasonPart::of(&reason))),
        };
        is_over |= outcome != Looked::Empty;
        let scheme = match source.scheme {
            Scheme::Bearer => Some("Bearer"),
            Scheme::Basic => Some("Basic"),
            Scheme::BearerOrBasic => Some("Bearer or Basic"),
            Scheme::None => None,
        };
        PlacePart { place: name_of(&source.location), scheme, outcome, reason }
    };
    sources.as_slice().iter().map(place).collect()
}

fn name_of(location: &Location) -> String {
    match location {
        Location::AuthorizationToken => "authorizationToken".to_owned(),
        Location::Header(name) => format!("header {name}"),
        Location::Query(name) => format!("query parameter {name}"),
        Location::Cookie(name) => format!("cookie {name}"),
        Location::WebSocketProtocol { marker } => format!("subprotocol behind {marker}"),
    }
}

impl TokenPart {
    fn of(explanation: verify::Explanation) -> Self {
        Self {
            header: explanation.header,
            claims: explanation.claims,
            checks: explanation.checks.into_iter().map(CheckPart::of).collect(),
        }
    }
}

impl CheckPart {
    fn of(checked: verify::Checked) -> Self {
        let (passed, reason) = match &checked.verdict {
            verify::Verdict::Passed => (Some(true), None),
            verify::Verdict::Failed(reason) => (Some(false), Some(ReasonPart::of(reason))),
            verify::Verdict::Open => (None, None),
        };
        Self { name: checked.name, expected: checked.expected, found: checked.found, passed, reason }
    }
}

impl ReasonPart {
    fn of(reason: &Reason) -> Self {
        let code = reason.code();
        Self { code: code.name(), message: reason.to_string(), cause: code.cause(), action: code.action() }
    }

    fn of_fault(fault: &Fault) -> Self {
        let code = fault.code();
        Self { code: code.name(), message: fault.to_string(), cause: code.cause(), action: code.action() }
    }
}

impl DecisionPart {
    fn of(outcome: &Result<Decision, Error>) -> Self {
        let none =
            Self { verdict: Verdict::Deny, reason: None, rule: None, principal_id: None, issuer: None };
        match outcome {
            Ok(decision) => Self {
                verdict: if decision.reason().is_none() { Verdict::Allow } else { Verdict::Deny },
                reason: decision.reason().map(ReasonPart::of),
                rule: decision.rule().map(str::to_owned),
                principal_id: Some(decision.principal_id().to_owned()),
                issuer: decision.principal().map(|principal| principal.issuer().to_string()),
            },
            Err(Error::Rejection(rejection)) => Self {
                reason: Some(ReasonPart::of(&rejection.reason)),
                issuer: rejection.issuer.as_ref().map(ToString::to_string),
                ..none
            },
            Err(Error::Fault(fault)) => {
                Self { verdict: Verdict::Error, reason: Some(ReasonPart::of_fault(fault)), ..none }
            }
        }
    }
}

impl AnswerPart {
    fn of(answer: Result<Response, crate::response::Failure>) -> Self {
        match answer {
            Ok(response) => Self::Response(serde_json::from_str(response.as_str()).unwrap_or_default()),
            Err(failure) => {
                Self::Failure { error_type: failure.error_type(), error_message: failure.error_message() }
            }
        }
    }
}
