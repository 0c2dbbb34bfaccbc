//! What becomes of a request, step by step: route, identity sources, cache, authorizer, policy.

use std::sync::Arc;
use std::time::Instant;

use lambda_authorizer::check::{AuthorizerKind, Protocol};
use lambda_authorizer::credential::Location;
use lambda_authorizer::io::rfc3339;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Circumstances, EventKind, Failure, Verdict};
use super::api::{LocalApi, LocalAuthorizer, kind_name};
use super::authorizer::Function;
use super::backend::authorizer_context;
use super::cache::{Cache, Kept, Key};
use super::event::Routed;
use super::history::{printable, redacted};
use super::identity::{self, Missing};
use super::request::ClientRequest;
use super::responses::Refusal;
use super::route::{Route, select};

/// What decides about requests.
pub(super) struct Pipeline {
    pub(super) function: Function,
    pub(super) cache: Cache,
    /// Where the authorizer's configuration looks for credentials, as far as it is known here.
    pub(super) credentials: Vec<Location>,
}

/// What was decided about a request.
pub(super) struct Decided {
    /// Why it goes no further.
    pub(super) refusal: Option<Refusal>,
    /// The authorizer's context, as the backend gets it.
    pub(super) authorizer: Value,
    /// The authorizer's context, as gateway responses may show it.
    pub(super) context: Map<String, Value>,
    /// The `requestContext`, for a connection to keep.
    pub(super) request_context: Value,
    pub(super) trail: Trail,
}

/// What the history tells of a request; see there.
#[derive(Default)]
pub(super) struct Trail {
    id: u64,
    route: Option<String>,
    authorizer: Option<String>,
    kind: Option<&'static str>,
    event: Option<Value>,
    arn: Option<String>,
    decision: Option<&'static str>,
    cache: Option<&'static str>,
    cached_from: Option<u64>,
    reason: Option<String>,
    detail: Option<String>,
    rule: Option<String>,
    principal: Option<String>,
    policy: Option<Value>,
    context: Option<Value>,
    duration_us: u64,
}

/// The largest ARN that API Gateway takes (contract 2.3).
const LONGEST_ARN: usize = 1600;

impl Pipeline {
    /// Decides about a request with this number.
    pub(super) async fn decide(
        &self,
        id: u64,
        api: &LocalApi,
        request: &ClientRequest,
        route: Option<&Route>,
    ) -> Decided {
        let started = Instant::now();
        let mut decided = Decided::new(id);
        match route {
            Some(route) => {
                let parameters = route.parameters(&request.path);
                let routed = Routed { api, route, parameters: &parameters, request };
                decided.trail.route = Some(route.key.clone());
                let refusal = self.authorize(&routed, &mut decided).await;
                decided.refusal = refusal.err();
            }
            None => decided.refuse(Refusal::NoRoute, "no_route", "no route takes this method and path"),
        }
        decided.trail.duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        decided
    }

    async fn authorize(&self, routed: &Routed<'_>, decided: &mut Decided) -> Result<(), Refusal> {
        let arn = routed.arn();
        if arn.len() > LONGEST_ARN {
            decided.trail.reason = Some("arn_too_long".to_owned());
            return Err(Refusal::TooLong);
        }
        let Some(authorizer) = routed.route.authorizer.and_then(|place| routed.api.authorizers.get(place))
        else {
            return Ok(());
        };
        decided.trail.authorizer = Some(authorizer.name.clone());
        decided.trail.kind = Some(kind_name(authorizer.kind));
        decided.trail.arn = Some(arn.clone());
        let Some(kind) = authorizer.event_kind() else {
            decided.trail.fail("not_a_lambda_authorizer", "it is none of this function's, and is refused");
            return Err(if authorizer.name == "AWS_IAM" {
                Refusal::NotALambda
            } else {
                Refusal::Unauthorized
            });
        };
        let context = routed.context(kind);
        decided.request_context = context.clone();
        let values =
            identity::values(authorizer, routed.request, routed.api, &context).map_err(|missing| {
                let (reason, detail) = match missing {
                    Missing::Source(source) => (
                        "identity_source_missing",
                        format!("the identity source `{source}` is missing or empty"),
                    ),
                    Missing::Invalid => {
                        ("validation_failed", "the token does not match the validation expression".into())
                    }
                };
                decided.trail.refuse(reason, &detail);
                Refusal::Unauthorized
            })?;
        let answer = self.answer(routed, (authorizer, kind), context, values, decided).await?;
        decided.judge(&answer, &arn, routed.request, kind)
    }

    /// The answer of the cache, or of the authorizer.
    async fn answer(
        &self,
        routed: &Routed<'_>,
        (authorizer, kind): (&LocalAuthorizer, EventKind),
        context: Value,
        values: Vec<String>,
        decided: &mut Decided,
    ) -> Result<Arc<Answer>, Refusal> {
        let event = routed.event(kind, context, &values);
        let mut secrets = identity::secrets(authorizer, &values);
        secrets.extend(identity::credentials(&self.credentials, routed.request));
        decided.trail.event = Some(redacted(&event, &secrets));
        let key = Key { api: routed.api.name.clone(), authorizer: authorizer.name.clone(), values };
        if let Some(kept) = self.cache.get(&key, Instant::now()) {
            decided.trail.cache = Some("hit");
            decided.trail.cached_from = Some(kept.request);
            return Ok(kept.answer);
        }
        decided.trail.cache = Some(if authorizer.cache_seconds == 0 { "off" } else { "miss" });
        let consulted = self.function.ask(&event).await;
        decided.trail.take_from(consulted.record.as_ref());
        let is_simple = authorizer.kind == AuthorizerKind::HttpSimple;
        match Answer::read(kind, is_simple, &consulted.outcome) {
            Ok(answer) => {
                let answer = Arc::new(answer);
                let kept = Kept { answer: Arc::clone(&answer), request: decided.trail.id };
                self.cache.put(key, kept, authorizer.cache_seconds, Instant::now());
                Ok(answer)
            }
            Err(failure) => Err(decided.trail.failed(failure)),
        }
    }
}

/// The route that takes a request. A connection is made to the root of a WebSocket API, or to its stage.
pub(super) fn route_of<'a>(api: &'a LocalApi, request: &ClientRequest) -> Option<&'a Route> {
    if api.protocol != Protocol::WebSocket {
        return select(&api.routes, api.protocol, &request.method, &request.path);
    }
    let path = request.path.trim_matches('/');
    let is_connect = request.method == "GET" && (path.is_empty() || path == api.stage);
    api.routes.first().filter(|_| is_connect)
}

impl Decided {
    fn new(id: u64) -> Self {
        let trail = Trail { id, ..Trail::default() };
        let (authorizer, request_context) = (Value::Null, Value::Null);
        Self { refusal: None, authorizer, context: Map::new(), request_context, trail }
    }

    fn refuse(&mut self, refusal: Refusal, reason: &str, detail: &str) {
        self.refusal = Some(refusal);
        (self.trail.reason, self.trail.detail) = (Some(reason.to_owned()), Some(detail.to_owned()));
    }

    /// Judges a request by an answer, whether it was given to this request or to another.
    fn judge(
        &mut self,
        answer: &Answer,
        arn: &str,
        request: &ClientRequest,
        kind: EventKind,
    ) -> Result<(), Refusal> {
        self.context = answer.context();
        self.trail.principal = answer.principal().map(str::to_owned);
        self.trail.policy = answer.policy().cloned();
        let circumstances =
            Circumstances { source_ip: request.source_ip.to_string(), user_agent: request.user_agent() };
        let verdict = answer.verdict(arn, &circumstances).map_err(|failure| self.trail.failed(failure))?;
        let refusal = match verdict {
            Verdict::Allowed => {
                self.authorizer = authorizer_context(kind, answer);
                self.trail.context = Some(self.authorizer.clone());
                self.trail.decision = Some("allow");
                return Ok(());
            }
            Verdict::Denied => Refusal::Denied,
            Verdict::NotAllowed => Refusal::NotAllowed,
        };
        if self.trail.cache == Some("hit") {
            self.trail.refuse("not_in_cached_policy", "the cached answer does not allow this route");
        }
        self.trail.decision = Some("deny");
        Err(refusal)
    }
}

impl Trail {
    /// The authorizer's own record says more than its answer.
    fn take_from(&mut self, record: Option<&Value>) {
        let text = |name: &str| record?.get(name)?.as_str().map(str::to_owned);
        (self.reason, self.detail, self.rule) = (text("reason"), text("detail"), text("rule"));
        self.principal = text("principal");
    }

    fn failed(&mut self, failure: Failure) -> Refusal {
        match failure {
            Failure::Unauthorized => {
                self.decision = Some("deny");
                Refusal::Unauthorized
            }
            Failure::Failed => {
                self.fail("authorizer_failed", "it failed, or gave no answer in time");
                Refusal::AuthorizerFailed
            }
            Failure::Malformed => {
                // Whatever the authorizer said of the request, this is why it fails.
                (self.reason, self.rule) = (None, None);
                self.fail("answer_malformed", "the answer is none that this kind of authorizer may give");
                Refusal::AuthorizerFailed
            }
        }
    }

    /// What the authorizer itself said comes before.
    fn fail(&mut self, reason: &str, detail: &str) {
        self.decision = Some("error");
        if self.reason.is_none() {
            (self.reason, self.detail) = (Some(reason.to_owned()), Some(detail.to_owned()));
        }
    }

    fn refuse(&mut self, reason: &str, detail: &str) {
        self.decision = Some("deny");
        (self.reason, self.detail) = (Some(reason.to_owned()), Some(detail.to_owned()));
    }

    /// The backend did not answer.
    pub(super) fn backend_failed(&mut self, detail: String) {
        (self.reason, self.detail) = (Some("backend_failed".to_owned()), Some(detail));
    }

    /// The record for the history.
    pub(super) fn record(&self, api: &LocalApi, request: &ClientRequest, status: u16) -> Value {
        let record = json!({
            "id": self.id,
            "time": rfc3339(request.unix_time()),
            "api": api.name,
            "method": request.method,
            "path": request.path,
            "route": self.route,
            "authorizer": self.authorizer,
            "kind": self.kind,
            "event": self.event,
            "arn": self.arn,
            "status": status,
            "decision": self.decision,
            "cache": self.cache,
            "cached_from": self.cached_from,
            "reason": self.reason,
            "detail": self.detail,
            "rule": self.rule,
            "principal": self.principal,
            "policy": self.policy,
            "context": self.context,
            "duration_us": self.duration_us,
        });
        redacted(&record, &[])
    }

    /// One line for a person.
    pub(super) fn line(&self, request: &ClientRequest, status: u16) -> String {
        let why = self.rule.as_deref().or(self.reason.as_deref()).unwrap_or("-");
        let cache = self.cache.map(|cache| format!(", cache {cache}")).unwrap_or_default();
        let milliseconds = std::time::Duration::from_micros(self.duration_us).as_secs_f64() * 1000.0;
        let path = printable(&request.path);
        format!("{} {path}: {status} ({why}{cache}, {milliseconds:.1} ms)", request.method)
    }
}
