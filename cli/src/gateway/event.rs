//! The events that API Gateway builds for its authorizers, each exactly as the captures of live calls have it.

use lambda_authorizer::check::Protocol;
use serde_json::{Map, Value, json};

use super::answer::EventKind;
use super::api::{ACCOUNT, LocalApi};
use super::request::{ClientRequest, Headers, random_id, random_uuid};
use super::route::{Parameters, Route};
use super::with;

/// A request that found its route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Routed<'a> {
    /// The API.
    pub api: &'a LocalApi,
    /// The route.
    pub route: &'a Route,
    /// The parameters of the path.
    pub parameters: &'a Parameters,
    /// The request, its headers as the gateway forwards them.
    pub request: &'a ClientRequest,
}

impl Routed<'_> {
    /// The ARN that a policy is judged by. The path is the client's own, not decoded; a WebSocket API's has none.
    #[must_use]
    pub(super) fn arn(&self) -> String {
        match self.route.key.as_str() {
            "$connect" => self.api.arn("$connect"),
            _ => {
                let path = self.request.path.strip_prefix('/').unwrap_or(&self.request.path);
                self.api.arn(&format!("{}/{path}", self.request.method))
            }
        }
    }

    /// The event for an authorizer of this kind, whose identity sources have these values.
    #[must_use]
    pub(super) fn event(&self, kind: EventKind, context: Value, identity: &[String]) -> Value {
        match kind {
            EventKind::RestToken => json!({
                "type": "TOKEN",
                "authorizationToken": identity.first(),
                "methodArn": self.arn(),
            }),
            EventKind::RestRequest => self.rest_request(context),
            EventKind::Http1 => self.http_1(context, identity),
            EventKind::Http2 => self.http_2(context, identity),
            EventKind::WebSocket => self.websocket(context),
        }
    }

    /// The `requestContext` of the event. A TOKEN event has none, and is asked about one all the same: the echo
    /// backend shows it.
    #[must_use]
    pub(super) fn context(&self, kind: EventKind) -> Value {
        match kind {
            EventKind::RestToken | EventKind::RestRequest => with(
                self.rest_context(),
                [
                    ("resourceId", resource_id(self.route.resource()).into()),
                    ("identity", self.identity(&REST_IDENTITY)),
                    ("path", format!("/{}{}", self.api.stage, self.request.path).into()),
                    ("extendedRequestId", random_id().into()),
                ],
            ),
            EventKind::Http1 => with(
                self.rest_context(),
                [
                    ("resourceId", self.route.key.clone().into()),
                    ("identity", self.identity(&HTTP_IDENTITY)),
                    ("path", self.staged_path().into()),
                    ("extendedRequestId", self.request.id.clone().into()),
                ],
            ),
            EventKind::Http2 => self.http_2_context(),
            EventKind::WebSocket => self.websocket_context(),
        }
    }

    fn rest_request(&self, context: Value) -> Value {
        json!({
            "type": "REQUEST",
            "methodArn": self.arn(),
            "resource": self.route.resource(),
            "path": self.request.path,
            "httpMethod": self.request.method,
            "headers": last(self.request.headers.iter()),
            "multiValueHeaders": all(self.request.headers.iter()),
            "queryStringParameters": last(pairs(&self.request.parameters())),
            "multiValueQueryStringParameters": all(pairs(&self.request.parameters())),
            "pathParameters": last(pairs(self.parameters)),
            "stageVariables": self.api.stage_variables,
            "requestContext": context,
        })
    }

    fn http_1(&self, context: Value, identity: &[String]) -> Value {
        let event = json!({
            "version": "1.0",
            "type": "REQUEST",
            "methodArn": self.arn(),
            "resource": self.route.resource(),
            "path": self.request.path,
            "httpMethod": self.request.method,
            "headers": last(self.request.headers.iter()),
            "queryStringParameters": last(pairs(&self.request.parameters())),
            "pathParameters": last(pairs(self.parameters)),
            "stageVariables": self.api.stage_variables,
            "requestContext": context,
        });
        let joined = identity.join(",");
        match identity {
            [] => event,
            _ => with(
                event,
                [("identitySource", joined.clone().into()), ("authorizationToken", joined.into())],
            ),
        }
    }

    /// What there is nothing of is absent.
    fn http_2(&self, context: Value, identity: &[String]) -> Value {
        let event = json!({
            "version": "2.0",
            "type": "REQUEST",
            "routeArn": self.arn(),
            "routeKey": self.route.key,
            "rawPath": self.staged_path(),
            "rawQueryString": self.request.query,
            "headers": joined(self.lower_case_headers().iter()),
            "requestContext": context,
        });
        let cookies = cookies(&self.request.headers);
        let optional = [
            ("identitySource", json!(identity)),
            ("cookies", json!(cookies)),
            ("queryStringParameters", joined(pairs(&self.request.parameters()))),
            ("pathParameters", last(pairs(self.parameters))),
            ("stageVariables", json!(self.api.stage_variables)),
        ];
        let is_empty = |value: &Value| {
            value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
        };
        optional
            .into_iter()
            .filter(|(_, value)| !is_empty(value))
            .fold(event, |event, member| with(event, [member]))
    }

    fn websocket(&self, context: Value) -> Value {
        let event = json!({
            "type": "REQUEST",
            "methodArn": self.arn(),
            "headers": last(self.request.headers.iter()),
            "multiValueHeaders": all(self.request.headers.iter()),
            "stageVariables": self.api.stage_variables,
            "requestContext": context,
        });
        match self.request.parameters().as_slice() {
            [] => event,
            parameters => with(
                event,
                [
                    ("queryStringParameters", last(pairs(parameters))),
                    ("multiValueQueryStringParameters", all(pairs(parameters))),
                ],
            ),
        }
    }

    fn rest_context(&self) -> Value {
        json!({
            "resourcePath": self.route.resource(),
            "httpMethod": self.request.method,
            "requestTime": self.request.common_log_time(),
            "accountId": ACCOUNT,
            "protocol": "HTTP/1.1",
            "stage": self.api.stage,
            "domainPrefix": self.api.id,
            "requestTimeEpoch": self.milliseconds(),
            "requestId": self.request.id,
            "domainName": self.api.domain(),
            "apiId": self.api.id,
        })
    }

    fn http_2_context(&self) -> Value {
        let context = json!({
            "accountId": ACCOUNT,
            "apiId": self.api.id,
            "domainName": self.api.domain(),
            "domainPrefix": self.api.id,
            "http": {
                "method": self.request.method,
                "path": self.staged_path(),
                "protocol": "HTTP/1.1",
                "sourceIp": self.request.source_ip.to_string(),
                "userAgent": self.request.user_agent(),
            },
            "requestId": self.request.id,
            "routeKey": self.route.key,
            "stage": self.api.stage,
            "time": self.request.common_log_time(),
            "timeEpoch": self.milliseconds(),
        });
        match &self.request.certificate {
            None => context,
            Some(own) => with(context, [("authentication", json!({ "clientCert": own }))]),
        }
    }

    fn websocket_context(&self) -> Value {
        let id = self.request.id.clone();
        json!({
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "extendedRequestId": id,
            "requestTime": self.request.common_log_time(),
            "messageDirection": "IN",
            "stage": self.api.stage,
            "connectedAt": self.milliseconds(),
            "requestTimeEpoch": self.milliseconds(),
            "identity": {
                "sourceIp": self.request.source_ip.to_string(),
                "userAgent": self.request.user_agent(),
            },
            "requestId": id,
            "domainName": self.api.domain(),
            "connectionId": random_id(),
            "apiId": self.api.id,
        })
    }

    /// Everything that is not known is `null`.
    fn identity(&self, names: &[&str]) -> Value {
        let mut identity: Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        identity.insert("sourceIp".into(), self.request.source_ip.to_string().into());
        identity.insert("userAgent".into(), self.request.user_agent().into());
        // Live calls without one do not have it, not even as `null`.
        identity.extend(self.request.certificate.iter().map(|own| ("clientCert".to_owned(), own.clone())));
        identity.into()
    }

    /// On a named stage an HTTP API's path has the stage in front; its ARN has not.
    fn staged_path(&self) -> String {
        match self.api.stage.as_str() {
            "$default" => self.request.path.clone(),
            stage => format!("/{stage}{}", self.request.path),
        }
    }

    fn lower_case_headers(&self) -> Headers {
        let fields = self.request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("cookie"));
        Headers::new(fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect())
    }

    fn milliseconds(&self) -> u64 {
        let since = self.request.received_at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

const REST_IDENTITY: [&str; 10] = [
    "cognitoIdentityPoolId",
    "accountId",
    "cognitoIdentityId",
    "caller",
    "principalOrgId",
    "accessKey",
    "cognitoAuthenticationType",
    "cognitoAuthenticationProvider",
    "userArn",
    "user",
];

const HTTP_IDENTITY: [&str; 11] = [
    "accessKey",
    "accountId",
    "caller",
    "cognitoAmr",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
];

/// The headers of an event: the client's without those of the connection, and those that API Gateway adds.
#[must_use]
pub(super) fn forwarded(headers: &Headers, protocol: Protocol, source_ip: &str) -> Headers {
    let mut forwarded = headers.clone();
    match protocol {
        Protocol::WebSocket => {
            forwarded.set("Connection", "upgrade");
            forwarded.set("content-length", "0");
        }
        Protocol::Rest | Protocol::Http => {
            for name in HOP_BY_HOP {
                forwarded.remove(name);
            }
        }
    }
    if protocol == Protocol::Http && headers.joined("content-length").is_none() {
        forwarded.set("Content-Length", "0");
    }
    let before = headers.joined("x-forwarded-for").map(|before| format!("{before}, ")).unwrap_or_default();
    if headers.joined("x-amzn-trace-id").is_none() {
        forwarded.set("X-Amzn-Trace-Id", trace_id());
    }
    forwarded.set("X-Forwarded-For", format!("{before}{source_ip}"));
    forwarded.set("X-Forwarded-Port", "443");
    forwarded.set("X-Forwarded-Proto", "https");
    forwarded
}

/// The headers that are the connection's, not the request's.
pub(super) const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];

fn trace_id() -> String {
    let digits = random_uuid().replace('-', "");
    let (time, rest) = digits.split_at(8);
    format!("Root=1-{time}-{rest}")
}

fn cookies(headers: &Headers) -> Vec<String> {
    let all = headers.all("cookie").flat_map(|value| value.split(';'));
    all.map(|cookie| cookie.trim().to_owned()).filter(|cookie| !cookie.is_empty()).collect()
}

fn pairs(list: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    list.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

/// Of several values, the last.
fn last<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    pairs.map(|(name, value)| (name.to_owned(), value.into())).collect::<Map<_, _>>().into()
}

/// Of several values, all in their order.
fn all<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        if let Value::Array(values) = map.entry(name).or_insert_with(|| json!([])) {
            values.push(value.into());
        }
    }
    map.into()
}

/// Of several values, all with commas between them.
fn joined<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        let before =
            map.get(name).and_then(Value::as_str).map(|before| format!("{before},")).unwrap_or_default();
        map.insert(name.to_owned(), format!("{before}{value}").into());
    }
    map.into()
}

/// Six letters and digits, the same at each start.
fn resource_id(resource: &str) -> String {
    let sum = resource.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("{:06x}", sum & 0x00ff_ffff)
}
