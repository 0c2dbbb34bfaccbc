//! API Gateway as the client sees it: the status that comes of what an authorizer posts.
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

use iam_rs::{Arn, Decision as Evaluation, IAMPolicy, IAMRequest, Principal, PrincipalId, evaluate_policy};
use serde_json::Value;

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

impl Gateway {
    /// The status that the client of `event` gets: 200, 401, 403 or 500.
    #[must_use]
    pub fn status(self, event: &Value, outcome: &Outcome) -> u16 {
        let Some(kind) = EventKind::of(event) else { return 500 };
        match outcome {
            Outcome::Response(body) => {
                let allowed = serde_json::from_slice(body).ok().and_then(|answer| {
                    if self.simple_responses && kind == EventKind::Http2 {
                        simple_response(&answer)
                    } else {
                        policy_response(kind, body.len(), event, &answer)
                    }
                });
                match allowed {
                    Some(true) => 200,
                    Some(false) => 403,
                    None => 500,
                }
            }
            Outcome::Error(error) if error.message == "Unauthorized" => match kind {
                EventKind::RestToken | EventKind::RestRequest | EventKind::WebSocket => 401,
                EventKind::Http1 | EventKind::Http2 => 500,
            },
            Outcome::Error(_) | Outcome::InitError(_) | Outcome::Exited(_) | Outcome::TimedOut => 500,
        }
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
fn policy_response(kind: EventKind, size: usize, event: &Value, answer: &Value) -> Option<bool> {
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
    }
    evaluate(document, event.get("methodArn").or_else(|| event.get("routeArn"))?.as_str()?)
}

/// Whether the policy allows to invoke what the ARN names; `None` when it cannot be evaluated.
fn evaluate(document: &Value, arn: &str) -> Option<bool> {
    let policy: IAMPolicy = serde_json::from_value(document.clone()).ok()?;
    // A policy of an authorizer names no principal: any will do.
    let caller = Principal::Service(PrincipalId::String("apigateway.amazonaws.com".into()));
    // iam-rs 0.8 takes a `*` of the text for that of a pattern, and goes on behind both: `a/*` then fails to
    // match `a/*/b`. To a pattern any letter that it does not hold is as good.
    let arn = arn.replace('*', "\u{2217}");
    let request = IAMRequest::new(caller, "execute-api:Invoke", Arn::parse(&arn).ok()?);
    match evaluate_policy(&policy, &request).ok()? {
        Evaluation::Allow => Some(true),
        Evaluation::Deny | Evaluation::NotApplicable => Some(false),
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::runtime_api::FunctionError;

    const API: &str = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5";

    fn event(kind: EventKind) -> Value {
        match kind {
            EventKind::RestToken => json!({"type": "TOKEN", "methodArn": format!("{API}/dev/GET/orders")}),
            EventKind::RestRequest => {
                json!({"type": "REQUEST", "methodArn": format!("{API}/dev/GET/orders")})
            }
            EventKind::Http1 => {
                json!({"type": "REQUEST", "version": "1.0", "methodArn": format!("{API}/$default/GET/orders")})
            }
            EventKind::Http2 => {
                json!({"type": "REQUEST", "version": "2.0", "routeArn": format!("{API}/dev/GET/orders")})
            }
            EventKind::WebSocket => json!({"type": "REQUEST", "methodArn": format!("{API}/dev/$connect")}),
        }
    }

    const KINDS: [EventKind; 5] = [
        EventKind::RestToken,
        EventKind::RestRequest,
        EventKind::Http1,
        EventKind::Http2,
        EventKind::WebSocket,
    ];

    fn answer(statements: Value) -> Value {
        json!({"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": statements}})
    }

    fn statement(effect: &str, resource: &str) -> Value {
        json!({"Action": "execute-api:Invoke", "Effect": effect, "Resource": [resource]})
    }

    fn status(kind: EventKind, answer: &Value) -> u16 {
        Gateway::default().status(&event(kind), &Outcome::Response(answer.to_string().into()))
    }

    #[test]
    fn kinds_are_told_apart() {
        for kind in KINDS {
            assert_eq!(EventKind::of(&event(kind)), Some(kind));
        }
        assert_eq!(EventKind::of(&json!({})), None);
        assert_eq!(EventKind::of(&json!([])), None);
    }

    #[test]
    fn the_policy_is_evaluated_at_the_arn_of_the_event() {
        let orders = format!("{API}/dev/GET/orders");
        for (resource, expected) in [
            (format!("{API}/dev/*"), 200),
            (orders.clone(), 200),
            ("*".into(), 200),
            (format!("{API}/dev/GET/orders/*"), 403),
            (format!("{API}/prod/*"), 403),
            (format!("{API}/dev/get/orders"), 403),
        ] {
            let answer = answer(json!([statement("Allow", &resource)]));
            assert_eq!(status(EventKind::RestToken, &answer), expected, "{resource}");
        }
        let dollar = answer(json!([statement("Allow", &format!("{API}/$default/GET/orders"))]));
        assert_eq!(status(EventKind::Http1, &dollar), 200);
        let connect = answer(json!([statement("Allow", &format!("{API}/dev/$connect"))]));
        assert_eq!(status(EventKind::WebSocket, &connect), 200);
    }

    /// A bug of iam-rs 0.8 that is kept away from it.
    #[test]
    fn a_wildcard_in_the_path_is_data() {
        let everything = json!({
            "principalId": "user",
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement("Allow", &format!("{API}/dev/*"))]},
        });
        assert_eq!(evaluate(&everything["policyDocument"], &format!("{API}/dev/GET/a/*/b")), Some(true));
        assert_eq!(evaluate(&everything["policyDocument"], &format!("{API}/prod/GET/a/*/b")), Some(false));
    }

    #[test]
    fn deny_wins_and_silence_refuses() {
        let both = answer(json!([statement("Allow", "*"), statement("Deny", "*")]));
        for kind in KINDS {
            assert_eq!(status(kind, &both), 403);
            assert_eq!(status(kind, &answer(json!([]))), 403);
        }
    }

    #[test]
    fn only_rest_and_websocket_know_unauthorized() {
        let error = |message: &str| {
            let (error_type, message) = (String::new(), message.to_owned());
            Outcome::Error(FunctionError { error_type, message, body: "".into() })
        };
        let gateway = Gateway::default();
        let statuses = KINDS.map(|kind| gateway.status(&event(kind), &error("Unauthorized")));
        assert_eq!(statuses, [401, 401, 500, 500, 401]);
        for message in ["unauthorized", "Unauthorized ", "InternalError", ""] {
            assert_eq!(gateway.status(&event(EventKind::RestToken), &error(message)), 500, "{message}");
        }
        for outcome in [Outcome::Exited(Some(1)), Outcome::TimedOut] {
            assert_eq!(gateway.status(&event(EventKind::RestToken), &outcome), 500);
        }
    }

    #[test]
    fn malformed_answers_are_our_fault() {
        let good = answer(json!([statement("Allow", "*")]));
        let with = |name: &str, value: Value| {
            let mut answer = good.clone();
            answer[name] = value;
            answer
        };
        for (what, answer) in [
            ("no object", json!("Unauthorized")),
            ("another shape", json!({"statusCode": 401})),
            ("no principal", with("principalId", Value::Null)),
            ("empty principal", with("principalId", json!(""))),
            ("null context", with("context", Value::Null)),
            ("null in the context", with("context", json!({"a": null}))),
            ("reserved key", with("context", json!({"claims": "x"}))),
            ("key that is no text", with("usageIdentifierKey", json!(1))),
            ("long resource", with("policyDocument", answer(json!([statement("Allow", &"x".repeat(513))])))),
            (
                "misspelt effect",
                with(
                    "policyDocument",
                    json!({"Version": "2012-10-17", "Statement": [{
                        "Action": "execute-api:Invoke", "Effect": "allow", "Resource": "*"
                    }]}),
                ),
            ),
            ("simple answer", json!({"isAuthorized": true})),
        ] {
            for kind in KINDS {
                assert_eq!(status(kind, &answer), 500, "{what}");
            }
        }
        let structured = with("context", json!({"roles": ["a"]}));
        assert_eq!(KINDS.map(|kind| status(kind, &structured)), [500, 500, 500, 200, 500]);
        let large = with("context", json!({"text": "x".repeat(8192)}));
        assert_eq!(KINDS.map(|kind| status(kind, &large)), [200, 200, 200, 200, 500]);
    }

    #[test]
    fn simple_responses_are_understood_where_they_are_enabled() {
        let gateway = Gateway { simple_responses: true };
        let status =
            |kind, answer: Value| gateway.status(&event(kind), &Outcome::Response(answer.to_string().into()));
        assert_eq!(status(EventKind::Http2, json!({"isAuthorized": true})), 200);
        assert_eq!(status(EventKind::Http2, json!({"isAuthorized": false})), 403);
        assert_eq!(status(EventKind::Http2, json!({"isAuthorized": "true"})), 500);
        assert_eq!(status(EventKind::Http2, answer(json!([statement("Allow", "*")]))), 500);
        assert_eq!(status(EventKind::Http1, json!({"isAuthorized": true})), 500);
    }
}
