//! What an authorizer answers, as API Gateway reads it, and the status that comes of it.
//!
//! The policy is judged by an evaluator that this project did not write. What AWS does not document is
//! counted as malformed (500), so that an authorizer does not come to depend on it.
//!
//! ```
//! use authorizer_cli::gateway::Gateway;
//! use authorizer_cli::runtime_api::Outcome;
//! use serde_json::json;
//!
//! let event = json!({
//!     "type": "TOKEN",
//!     "authorizationToken": "…",
//!     "methodArn": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/GET/orders",
//! });
//! let answer = json!({
//!     "principalId": "user-7f1c",
//!     "policyDocument": {"Version": "2012-10-17", "Statement": [{
//!         "Action": "execute-api:Invoke",
//!         "Effect": "Allow",
//!         "Resource": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/GET/orders",
//!     }]},
//! });
//! let outcome = Outcome::Response(answer.to_string().into());
//! assert_eq!(Gateway::default().status(&event, &outcome), 200);
//! ```

use std::fmt;

use iam_rs::{
    Arn, Context, Decision as Evaluation, IAMPolicy, IAMRequest, Principal, PrincipalId, evaluate_policy,
};
use serde_json::{Map, Value};

use crate::issuer::unix_time;
use crate::runtime_api::Outcome;

/// How the authorizer is attached to the API.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gateway {
    /// `enableSimpleResponses` of an HTTP API's authorizer with payload format 2.0.
    pub simple_responses: bool,
}

/// The five kinds of authorizer event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// REST API, TOKEN authorizer.
    RestToken,
    /// REST API, REQUEST authorizer.
    RestRequest,
    /// HTTP API, payload format 1.0.
    Http1,
    /// HTTP API, payload format 2.0.
    Http2,
    /// WebSocket API, `$connect`.
    WebSocket,
}

/// A status, read as a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// 200: the integration runs (on a WebSocket API: the upgrade proceeds).
    Allow,
    /// 401 or 403.
    Deny,
    /// 500.
    Error,
}

/// A well-formed answer of an authorizer: what API Gateway keeps in its cache, and evaluates anew for each request.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    body: Value,
    judgement: Judgement,
}

/// What an [`Answer`] says about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may pass.
    Allowed,
    /// Nothing in it allows the request.
    NotAllowed,
    /// It denies the request.
    Denied,
}

/// Why there is no [`Answer`]. None is cached (contract 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The error that REST and WebSocket APIs turn into a 401.
    Unauthorized,
    /// Any other error, an exit, or no answer in time.
    Failed,
    /// An answer of another shape.
    Malformed,
}

/// What a policy's conditions may ask about a request (contract 4.5).
#[derive(Clone, Debug, Default)]
pub(super) struct Circumstances {
    /// `aws:SourceIp`.
    pub source_ip: String,
    /// `aws:UserAgent`.
    pub user_agent: String,
}

#[derive(Clone, Debug)]
enum Judgement {
    Simple(bool),
    Policy(Box<IAMPolicy>),
}

impl Gateway {
    /// The status that the client of `event` gets: 200, 401, 403 or 500.
    #[must_use]
    pub fn status(self, event: &Value, outcome: &Outcome) -> u16 {
        let Some(kind) = EventKind::of(event) else { return 500 };
        let arn = event.get("methodArn").or_else(|| event.get("routeArn")).and_then(Value::as_str);
        let answer = Answer::read(kind, self.simple_responses, outcome);
        let verdict = answer
            .and_then(|answer| answer.verdict(arn.ok_or(Failure::Malformed)?, &Circumstances::default()));
        match verdict {
            Ok(Verdict::Allowed) => 200,
            Ok(Verdict::NotAllowed | Verdict::Denied) => 403,
            Err(Failure::Unauthorized) => 401,
            Err(Failure::Failed | Failure::Malformed) => 500,
        }
    }
}

impl Answer {
    /// Reads what became of an event.
    ///
    /// # Errors
    ///
    /// The failure that the client hears of as 401 or 500.
    pub(super) fn read(kind: EventKind, simple_responses: bool, outcome: &Outcome) -> Result<Self, Failure> {
        match outcome {
            Outcome::Response(bytes) => {
                let body: Value = serde_json::from_slice(bytes).map_err(|_| Failure::Malformed)?;
                let judgement = if simple_responses && kind == EventKind::Http2 {
                    simple_response(&body).map(Judgement::Simple)
                } else {
                    policy_response(kind, bytes.len(), &body)
                        .map(|policy| Judgement::Policy(Box::new(policy)))
                };
                Ok(Self { judgement: judgement.ok_or(Failure::Malformed)?, body })
            }
            Outcome::Error(error) if error.message == "Unauthorized" => match kind {
                EventKind::RestToken | EventKind::RestRequest | EventKind::WebSocket => {
                    Err(Failure::Unauthorized)
                }
                EventKind::Http1 | EventKind::Http2 => Err(Failure::Failed),
            },
            Outcome::Error(_) | Outcome::InitError(_) | Outcome::Exited(_) | Outcome::TimedOut => {
                Err(Failure::Failed)
            }
        }
    }

    /// What it says about a request for this ARN.
    ///
    /// # Errors
    ///
    /// [`Failure::Malformed`] for a policy that cannot be evaluated.
    pub(super) fn verdict(&self, arn: &str, circumstances: &Circumstances) -> Result<Verdict, Failure> {
        match &self.judgement {
            Judgement::Simple(true) => Ok(Verdict::Allowed),
            Judgement::Simple(false) => Ok(Verdict::NotAllowed),
            Judgement::Policy(policy) => evaluate(policy, arn, circumstances).ok_or(Failure::Malformed),
        }
    }

    /// The `principalId`; a simple response has none.
    #[must_use]
    pub(super) fn principal(&self) -> Option<&str> {
        self.body.get("principalId").and_then(Value::as_str)
    }

    /// The `policyDocument`; a simple response has none.
    #[must_use]
    pub(super) fn policy(&self) -> Option<&Value> {
        self.body.get("policyDocument")
    }

    /// The `context`, empty when there is none.
    #[must_use]
    pub(super) fn context(&self) -> Map<String, Value> {
        self.body.get("context").and_then(Value::as_object).cloned().unwrap_or_default()
    }
}

impl EventKind {
    /// The kind of an event, unless it is none.
    #[must_use]
    pub fn of(event: &Value) -> Option<Self> {
        let text = |pointer| event.pointer(pointer).and_then(Value::as_str);
        let is_connect = || {
            text("/requestContext/connectionId").is_some()
                || text("/methodArn").is_some_and(|arn| arn.ends_with("/$connect"))
        };
        match (text("/type")?, text("/version")) {
            ("TOKEN", _) => Some(EventKind::RestToken),
            ("REQUEST", Some("2.0")) => Some(EventKind::Http2),
            ("REQUEST", Some("1.0")) => Some(EventKind::Http1),
            ("REQUEST", _) if is_connect() => Some(EventKind::WebSocket),
            ("REQUEST", _) if text("/methodArn").is_some() => Some(EventKind::RestRequest),
            _ => None,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EventKind::RestToken => "REST TOKEN",
            EventKind::RestRequest => "REST REQUEST",
            EventKind::Http1 => "HTTP 1.0",
            EventKind::Http2 => "HTTP 2.0",
            EventKind::WebSocket => "WebSocket",
        })
    }
}

impl Decision {
    /// What a status says.
    #[must_use]
    pub fn of(status: u16) -> Self {
        match status {
            200 => Decision::Allow,
            401 | 403 => Decision::Deny,
            _ => Decision::Error,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Decision::Allow => "allow",
            Decision::Deny => "deny",
            Decision::Error => "error",
        })
    }
}

/// The largest answer that a WebSocket API takes.
const LARGEST_WEBSOCKET_ANSWER: usize = 8 * 1024;

/// The longest `Resource`.
const LONGEST_RESOURCE: usize = 512;

/// `None` when the answer is malformed.
fn simple_response(answer: &Value) -> Option<bool> {
    context_is_valid(EventKind::Http2, answer).then_some(())?;
    answer.get("isAuthorized")?.as_bool()
}

/// `None` when the answer is malformed.
fn policy_response(kind: EventKind, size: usize, answer: &Value) -> Option<IAMPolicy> {
    let principal = answer.get("principalId")?.as_str()?;
    let usage_identifier_key = answer.get("usageIdentifierKey");
    let is_valid = !principal.is_empty()
        && usage_identifier_key.is_none_or(Value::is_string)
        && context_is_valid(kind, answer)
        && (kind != EventKind::WebSocket || size <= LARGEST_WEBSOCKET_ANSWER);
    is_valid.then_some(())?;

    let document = answer.get("policyDocument")?;
    for statement in document.get("Statement")?.as_array()? {
        let resource = statement.get("Resource")?;
        let one = std::slice::from_ref(resource);
        let too_long = |resource: &Value| resource.as_str().is_none_or(|text| text.len() > LONGEST_RESOURCE);
        if resource.as_array().map_or(one, Vec::as_slice).iter().any(too_long) {
            return None;
        }
        conditions_are_known(statement).then_some(())?;
    }
    serde_json::from_value(document.clone()).ok()
}

/// A condition on a key that a request does not have makes its statement void: of a Deny, that would open what is
/// to be closed. Such a policy is none at all.
fn conditions_are_known(statement: &Value) -> bool {
    let Some(condition) = statement.get("Condition") else { return true };
    let keys = condition.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object);
    condition.is_object()
        && keys
            .flat_map(Map::keys)
            .all(|key| CONDITION_KEYS.iter().any(|known| known.eq_ignore_ascii_case(key)))
}

const CONDITION_KEYS: [&str; 4] = ["aws:EpochTime", "aws:SecureTransport", "aws:SourceIp", "aws:UserAgent"];

/// What the policy says about the invocation of what the ARN names; `None` when it cannot be evaluated.
fn evaluate(policy: &IAMPolicy, arn: &str, circumstances: &Circumstances) -> Option<Verdict> {
    // A policy of an authorizer names no principal: any will do.
    let caller = Principal::Service(PrincipalId::String("apigateway.amazonaws.com".into()));
    // iam-rs 0.8 takes a `*` of the text for that of a pattern, and goes on behind both: `a/*` then fails to
    // match `a/*/b`. To a pattern any letter that it does not hold is as good.
    let arn = arn.replace('*', "\u{2217}");
    let context = Context::new()
        .with_string("aws:SourceIp", &circumstances.source_ip)
        .with_string("aws:UserAgent", &circumstances.user_agent)
        .with_boolean("aws:SecureTransport", true)
        .with_number("aws:EpochTime", f64::from(u32::try_from(unix_time()).ok()?));
    let request = IAMRequest::new_with_context(caller, "execute-api:Invoke", Arn::parse(&arn).ok()?, context);
    match evaluate_policy(policy, &request).ok()? {
        Evaluation::Allow => Some(Verdict::Allowed),
        Evaluation::Deny => Some(Verdict::Denied),
        Evaluation::NotApplicable => Some(Verdict::NotAllowed),
    }
}

fn context_is_valid(kind: EventKind, answer: &Value) -> bool {
    let Some(context) = answer.get("context") else { return true };
    let is_allowed = |value: &Value| match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => true,
        Value::Array(_) | Value::Object(_) => kind == EventKind::Http2,
        Value::Null => false,
    };
    context
        .as_object()
        .is_some_and(|context| context.iter().all(|(key, value)| key != "claims" && is_allowed(value)))
}

#[cfg(test)]
mod tests;
