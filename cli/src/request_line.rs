//! A request that somebody names in one line, and the event that API Gateway would make of it.

use std::net::IpAddr;
use std::str::FromStr;

use lambda_authorizer::config::Config;
use lambda_authorizer::credential::{IdentitySource, Location, Scheme};
use lambda_authorizer::request::EventKind;
use lambda_authorizer::response::HttpApi;
use serde_json::{Map, Value, json};

use crate::commands::Misuse;

/// A request to make an event of.
#[derive(Clone, Debug)]
pub struct RequestLine {
    method: String,
    path: String,
    query: Vec<(String, String)>,
}

/// What an event says beside the request.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// The kind of event.
    pub kind: EventKind,
    /// The stage.
    pub stage: String,
    /// The client's address.
    pub source_ip: IpAddr,
    /// Headers beside the one with the token.
    pub headers: Vec<Named>,
    /// The variables of the stage.
    pub stage_variables: Vec<Named>,
    /// A DPoP proof, with which the token comes as `DPoP`.
    pub proof: Option<String>,
    /// The client's certificate, as events have it.
    pub certificate: Option<Value>,
    /// The API's own domain, with its base path; otherwise one of API Gateway's, with the stage.
    pub domain: Option<String>,
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl Named {
    /// `X-Tier: gold`, or `tier=gold`: the name, the separator, and the value.
    ///
    /// # Errors
    ///
    /// There is no name, or no separator. What is wrong is not quoted: there may be a secret in it.
    pub fn parse(text: &str, separator: char) -> Result<Self, String> {
        match text.split_once(separator) {
            Some((name, value)) if !name.is_empty() => {
                Ok(Self { name: name.to_owned(), value: value.trim_start().to_owned() })
            }
            Some(_) | None => Err(format!("it is not a name, `{separator}` and a value")),
        }
    }
}

/// The kinds of event, as the command line names them.
pub const KINDS: [(&str, EventKind); 5] = [
    ("rest-token", EventKind::RestToken),
    ("rest-request", EventKind::RestRequest),
    ("http-1.0", EventKind::Http1),
    ("http-2.0", EventKind::Http2),
    ("websocket", EventKind::WebSocket),
];

const CONNECT: &str = "$connect";

impl FromStr for RequestLine {
    type Err = Misuse;

    /// What is wrong is not quoted: there may be a token in it.
    fn from_str(text: &str) -> Result<Self, Misuse> {
        let form = || {
            Misuse::new(
                "`--request` is no request\nhint: a method and a path, as in `GET /orders/7`, or `$connect`",
            )
        };
        let (line, query) = text.split_once('?').unwrap_or((text, ""));
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        if line == CONNECT {
            return Ok(Self { method: String::new(), path: line.to_owned(), query });
        }
        let (method, path) = line.split_once(' ').ok_or_else(form)?;
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_method || !path.starts_with('/') {
            return Err(form());
        }
        Ok(Self { method: method.to_owned(), path: path.to_owned(), query })
    }
}

impl RequestLine {
    /// The kind of event that this request is likely to be, behind a function with this configuration.
    #[must_use]
    pub fn likely_kind(&self, config: &Config) -> EventKind {
        let locations = || config.identity_sources.as_slice().iter().map(|source| &source.location);
        let is_of_token = |location: &Location| *location == Location::AuthorizationToken;
        match config.answers.http_api {
            _ if self.is_connection() => EventKind::WebSocket,
            _ if locations().all(is_of_token) => EventKind::RestToken,
            HttpApi::Simple => EventKind::Http2,
            HttpApi::Policy => EventKind::RestRequest,
        }
    }

    /// The event for this request. The token is where the configuration looks for one first.
    ///
    /// # Errors
    ///
    /// There is no such event, or it has no place for a token that the configuration knows.
    pub fn event(
        &self,
        token: Option<&str>,
        config: &Config,
        circumstances: &Circumstances,
    ) -> Result<String, Misuse> {
        let kind = circumstances.kind;
        if self.is_connection() != (kind == EventKind::WebSocket) {
            return Err(Misuse::new(
                "the request is none of this `--kind`\nhint: `$connect` is a WebSocket API's, and a path is one of the others'",
            ));
        }
        let mut given = circumstances.headers.clone();
        given.extend(
            circumstances.proof.iter().map(|proof| Named { name: "DPoP".to_owned(), value: proof.clone() }),
        );
        let mut parts = Parts { query: self.query.clone(), given, ..Parts::default() };
        if let Some(token) = token {
            let source = config.identity_sources.as_slice().iter().find(|source| has(kind, &source.location));
            let source = source.ok_or_else(|| {
                Misuse::new(format!(
                    "the configuration looks for no credential in a {} event\nhint: `--kind` names another kind of event",
                    name(kind)
                ))
            })?;
            let scheme = if circumstances.proof.is_some() { "DPoP" } else { "Bearer" };
            parts.put(token, scheme, source);
        }
        Ok(self.json(&parts, circumstances).to_string())
    }

    fn is_connection(&self) -> bool {
        self.path == CONNECT
    }

    /// The domain, and the path that the client asks it for.
    fn url(&self, api: &str, circumstances: &Circumstances) -> (String, String) {
        let Circumstances { kind, stage, domain, .. } = circumstances;
        let domain = match domain {
            Some(domain) => domain.clone(),
            None if *kind != EventKind::RestRequest && stage == "$default" => {
                format!("{api}.execute-api.us-east-1.amazonaws.com")
            }
            None => format!("{api}.execute-api.us-east-1.amazonaws.com/{stage}"),
        };
        let (host, base) = domain.split_once('/').unwrap_or((&domain, ""));
        let base = if base.is_empty() { String::new() } else { format!("/{}", base.trim_end_matches('/')) };
        (host.to_owned(), format!("{base}{}", self.path))
    }

    fn json(&self, parts: &Parts, circumstances: &Circumstances) -> Value {
        let Circumstances { kind, stage, source_ip, stage_variables, certificate, .. } = circumstances;
        let api = "a1b2c3d4e5";
        let identity = match certificate {
            None => json!({ "sourceIp": source_ip }),
            Some(own) => json!({ "sourceIp": source_ip, "clientCert": own }),
        };
        let (domain, path) = self.url(api, circumstances);
        let arn =
            format!("arn:aws:execute-api:us-east-1:123456789012:{api}/{stage}/{}{}", self.method, self.path);
        let mut event = match kind {
            EventKind::RestToken => {
                return json!({
                    "type": "TOKEN", "methodArn": arn,
                    "authorizationToken": parts.authorization_token.clone().unwrap_or_default(),
                });
            }
            EventKind::RestRequest | EventKind::Http1 => json!({
                "type": "REQUEST", "methodArn": arn, "httpMethod": self.method, "path": self.path,
                "requestContext": {
                    "httpMethod": self.method, "apiId": api, "stage": stage, "domainName": domain, "path": path,
                    "identity": identity,
                },
            }),
            EventKind::Http2 => json!({
                "version": "2.0", "type": "REQUEST", "routeArn": arn, "rawPath": path,
                "requestContext": {
                    "apiId": api, "stage": stage, "domainName": domain,
                    "authentication": certificate.as_ref().map(|own| json!({ "clientCert": own })),
                    "http": { "method": self.method, "path": path, "sourceIp": source_ip },
                },
            }),
            EventKind::WebSocket => json!({
                "type": "REQUEST", "methodArn": arn,
                "requestContext": {
                    "routeKey": CONNECT, "eventType": "CONNECT", "connectionId": "Fa1bCcEZIAMCJgQ=", "apiId": api,
                    "stage": stage, "domainName": domain, "identity": identity,
                },
            }),
        };
        if let Value::Object(members) = &mut event {
            members.extend(parts.members(*kind));
            let variables = stage_variables.iter().map(|own| (own.name.clone(), own.value.clone().into()));
            members.insert("stageVariables".to_owned(), Value::Object(variables.collect()));
        }
        event
    }
}

/// Where an event may hold a credential.
#[derive(Default)]
struct Parts {
    authorization_token: Option<String>,
    headers: Map<String, Value>,
    given: Vec<Named>,
    cookie: Option<String>,
    query: Vec<(String, String)>,
}

impl Parts {
    fn put(&mut self, token: &str, scheme: &str, source: &IdentitySource) {
        let value = match source.scheme {
            Scheme::Bearer | Scheme::BearerOrBasic => format!("{scheme} {token}"),
            Scheme::Basic => format!("Basic {token}"),
            Scheme::None => token.to_owned(),
        };
        match &source.location {
            Location::AuthorizationToken => self.authorization_token = Some(value),
            Location::Header(name) => {
                self.headers.insert(name.clone(), value.into());
            }
            Location::Query(name) => self.query.push((name.clone(), value)),
            Location::Cookie(name) => self.cookie = Some(format!("{name}={value}")),
            Location::WebSocketProtocol { marker } => {
                self.headers.insert("Sec-WebSocket-Protocol".to_owned(), format!("{marker}, {value}").into());
            }
        }
    }

    /// Format 2.0 has its cookies beside the headers, and one text for all values of a query parameter.
    fn members(&self, kind: EventKind) -> Vec<(String, Value)> {
        let is_2 = kind == EventKind::Http2;
        let mut headers = self.headers.clone();
        let mut members = Vec::new();
        let mut several: Map<String, Value> = Map::new();
        for Named { name, .. } in &self.given {
            let own = self.given.iter().filter(|other| other.name == *name);
            let values: Vec<&str> = own.map(|other| other.value.as_str()).collect();
            headers.insert(name.clone(), one_of(&values, is_2));
            several.insert(name.clone(), json!(values));
        }
        if !is_2 && !several.is_empty() {
            members.push(("multiValueHeaders".to_owned(), Value::Object(several)));
        }
        if is_2 {
            headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        }
        if kind == EventKind::Http1 {
            members.push(("version".to_owned(), "1.0".into()));
        }
        match &self.cookie {
            Some(cookie) if is_2 => members.push(("cookies".to_owned(), json!([cookie]))),
            Some(cookie) => {
                headers.insert("Cookie".to_owned(), cookie.as_str().into());
            }
            None => {}
        }
        let mut listed: Map<String, Value> = Map::new();
        for (name, _) in &self.query {
            let values: Vec<&str> = self
                .query
                .iter()
                .filter(|(other, _)| other == name)
                .map(|(_, value)| value.as_str())
                .collect();
            listed.insert(name.clone(), json!(values));
        }
        let single = listed.iter().map(|(name, values)| {
            let values: Vec<&str> =
                values.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            (name.clone(), one_of(&values, is_2))
        });
        members.push(("queryStringParameters".to_owned(), Value::Object(single.collect())));
        if !is_2 {
            members.push(("multiValueQueryStringParameters".to_owned(), Value::Object(listed)));
        }
        members.push(("headers".to_owned(), Value::Object(headers)));
        members
    }
}

/// What stands for several values of one name, where there is room for one: all of them, or the last.
fn one_of(values: &[&str], is_joined: bool) -> Value {
    if is_joined { values.join(",").into() } else { values.last().copied().unwrap_or_default().into() }
}

/// Whether events of this kind may have something there.
fn has(kind: EventKind, location: &Location) -> bool {
    match location {
        Location::AuthorizationToken => kind == EventKind::RestToken,
        Location::WebSocketProtocol { .. } => kind == EventKind::WebSocket,
        Location::Header(_) | Location::Query(_) | Location::Cookie(_) => kind != EventKind::RestToken,
    }
}

fn name(kind: EventKind) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == kind).map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use lambda_authorizer::event::Event;
    use lambda_authorizer::request::Request;

    use super::*;

    fn config(sources: &str) -> Config {
        let issuer = "[[issuer]]\nurl = 'https://login.example.com/'\naudience = 'orders'\n";
        Config::parse(&format!("{issuer}{sources}"), None).unwrap()
    }

    fn named((name, value): (&str, &str)) -> Named {
        Named { name: name.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn a_name_and_its_value_are_taken_apart() {
        assert_eq!(Named::parse("X-Tier: a:b", ':'), Ok(named(("X-Tier", "a:b"))));
        assert_eq!(Named::parse("tier=", '='), Ok(named(("tier", ""))));
        for text in ["", "tier", "=a"] {
            assert!(Named::parse(text, '=').is_err(), "{text}");
        }
    }

    #[test]
    fn headers_and_stage_variables_are_in_the_event() {
        for (name, kind) in KINDS.into_iter().filter(|(_, kind)| *kind != EventKind::RestToken) {
            let line = if kind == EventKind::WebSocket { "$connect" } else { "GET /orders" };
            let request = made(line, kind, "", None).unwrap();
            assert_eq!(request.headers.header("x-tier"), Ok(Some("gold")), "{name}");
            let twice = request.headers.header("X-Twice");
            assert_eq!(twice.ok(), (kind == EventKind::Http2).then_some(Some("a,b")), "{name}");
            assert_eq!(request.stage_variables.named("tier"), Ok(Some("internal".to_owned())), "{name}");
        }
    }

    fn made(line: &str, kind: EventKind, sources: &str, token: Option<&str>) -> Result<Request, Misuse> {
        let circumstances = Circumstances {
            kind,
            stage: "dev".to_owned(),
            source_ip: "192.0.2.7".parse().unwrap(),
            headers: [("X-Tier", "gold"), ("X-Twice", "a"), ("X-Twice", "b")].map(named).into(),
            stage_variables: [("tier", "internal")].map(named).into(),
            proof: None,
            certificate: None,
            domain: None,
        };
        let payload = line.parse::<RequestLine>()?.event(token, &config(sources), &circumstances)?;
        let request =
            Request::try_from(Event { payload: &payload, invocation_id: "1", deadline: None }).unwrap();
        assert_eq!((request.kind, request.arn.stage()), (kind, "dev"));
        Ok(request)
    }

    #[test]
    fn a_token_is_where_the_configuration_looks_for_one() {
        for (sources, at) in [
            ("", "rest-token rest-request http-1.0 http-2.0 websocket"),
            ("[[identity_source]]\nfrom = 'authorization_token'", "rest-token"),
            (
                "[[identity_source]]\nfrom = 'header'\nname = 'X-Token'\nscheme = 'none'",
                "rest-request http-1.0 http-2.0 websocket",
            ),
            (
                "[[identity_source]]\nfrom = 'cookie'\nname = 'session'",
                "rest-request http-1.0 http-2.0 websocket",
            ),
            (
                "[[identity_source]]\nfrom = 'query'\nname = 'token'",
                "rest-request http-1.0 http-2.0 websocket",
            ),
            ("[[identity_source]]\nfrom = 'websocket_protocol'\nname = 'jwt'", "websocket"),
        ] {
            let expected = config(sources).identity_sources;
            for (name, kind) in KINDS {
                let line = if kind == EventKind::WebSocket { "$connect" } else { "GET /orders" };
                let found = made(line, kind, sources, Some("a.b.c"));
                match at.split(' ').any(|other| other == name) {
                    true => {
                        assert_eq!(expected.extract(&found.unwrap()).unwrap().expose(), "a.b.c", "{name}")
                    }
                    false => assert!(found.unwrap_err().to_string().contains("--kind"), "{name}: {sources}"),
                }
            }
        }
    }

    #[test]
    fn a_query_is_no_part_of_the_path() {
        let sources = "[[identity_source]]\nfrom = 'query'\nname = 'access_token'";
        for (name, kind) in KINDS.into_iter().filter(|(_, kind)| *kind != EventKind::RestToken) {
            let line = if kind == EventKind::WebSocket { "$connect" } else { "GET /orders/7" };
            let request = made(&format!("{line}?a=%2F&access_token=a.b.c"), kind, sources, None).unwrap();
            assert_eq!(
                config(sources).identity_sources.extract(&request).unwrap().expose(),
                "a.b.c",
                "{name}"
            );
            assert_eq!(request.query.exact("a"), Ok(Some("/")), "{name}");
            assert!(!request.arn.to_string().contains('?'), "{name}");
        }
    }

    #[test]
    fn the_likely_kind_is_one_that_has_a_credential() {
        let kind =
            |line: &str, sources: &str| line.parse::<RequestLine>().unwrap().likely_kind(&config(sources));
        assert_eq!(kind("GET /", ""), EventKind::RestRequest);
        assert_eq!(kind("$connect", ""), EventKind::WebSocket);
        assert_eq!(kind("GET /", "[[identity_source]]\nfrom = 'authorization_token'"), EventKind::RestToken);
        assert_eq!(
            kind("GET /", "[gateway]\ncache_seconds = 0\n[response]\nhttp_api = 'simple'"),
            EventKind::Http2
        );
    }

    /// A token may stand in it.
    #[test]
    fn what_is_no_request_is_not_quoted() {
        for line in ["get /orders?token=secret", "/orders?token=secret", "GET orders?token=secret", ""] {
            let error = line.parse::<RequestLine>().unwrap_err().to_string();
            assert!(error.contains("hint: ") && !error.contains("secret"), "{error}");
        }
        let error = made("$connect", EventKind::Http2, "", None).unwrap_err();
        assert!(error.to_string().contains("none of this `--kind`"), "{error}");
    }
}
