//! The APIs that are served: what a description says of them, made ready for requests.

use std::collections::BTreeMap;

use lambda_authorizer::check::{
    Api, ApiRoute, Authorizer, AuthorizerKind, GatewayResponse, Protocol, Settings,
};
use lambda_authorizer::config::IdentityExpression;
use regex::Regex;
use serde_json::{Value, json};

use super::answer::EventKind;
use super::route::Route;
use crate::Error;

/// An API, with everything that an event says of it.
#[derive(Clone, Debug)]
pub struct LocalApi {
    /// Its name in the description.
    pub name: String,
    /// What kind of API it is.
    pub protocol: Protocol,
    /// Its ID: ten letters and digits, the same at each start.
    pub id: String,
    /// Its stage.
    pub stage: String,
    /// The variables of its stage.
    pub stage_variables: BTreeMap<String, String>,
    /// Its gateway responses.
    pub responses: Vec<GatewayResponse>,
    /// Its routes.
    pub routes: Vec<Route>,
    /// Its authorizers.
    pub authorizers: Vec<LocalAuthorizer>,
}

/// An authorizer of an API.
#[derive(Clone, Debug)]
pub struct LocalAuthorizer {
    /// Its name.
    pub name: String,
    /// What it is asked with, and what it answers.
    pub kind: AuthorizerKind,
    /// What must be there before it is asked, and tells one cached answer from another.
    pub identity_sources: Vec<IdentityExpression>,
    /// How long an answer is kept, in seconds.
    pub cache_seconds: u32,
    /// What a TOKEN authorizer's token must match from its first letter to its last.
    pub validation: Option<Regex>,
}

/// What the command line says in the place of a description, or beside it.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The stage of every API.
    pub stage: Option<String>,
    /// How long every authorizer's answers are kept.
    pub cache_seconds: Option<u32>,
}

/// What every event says of the account.
pub const ACCOUNT: &str = "123456789012";

/// What every event says of the region.
pub const REGION: &str = "us-east-1";

/// What consoles and libraries propose (contract 3.3); API Gateway's own default for HTTP APIs is not published.
const HTTP_CACHE_SECONDS: u32 = 300;

impl LocalApi {
    /// The APIs of a description.
    ///
    /// # Errors
    ///
    /// A validation expression that cannot be read, or a description without a route.
    pub fn all(api: &Api, overrides: &Overrides) -> Result<Vec<Self>, Error> {
        let mut names: Vec<&str> = Vec::new();
        for route in &api.routes {
            if !names.contains(&route.api.as_str()) {
                names.push(&route.api);
            }
        }
        if names.is_empty() {
            return Err("the description has no route\nhint: name some with `--route 'GET /orders'`".into());
        }
        names.into_iter().map(|name| Self::one(api, name, overrides)).collect()
    }

    fn one(api: &Api, name: &str, overrides: &Overrides) -> Result<Self, Error> {
        let settings = api.settings.iter().find(|settings| settings.api == name);
        let authorizers: Vec<&Authorizer> =
            api.authorizers.iter().filter(|authorizer| authorizer.api == name).collect();
        let routes: Vec<&ApiRoute> = api.routes.iter().filter(|route| route.api == name).collect();
        let protocol = settings.map_or_else(|| protocol(&authorizers, &routes), |settings| settings.protocol);
        let stage = overrides.stage.clone().or_else(|| settings.and_then(|settings| settings.stage.clone()));
        let default_stage = if protocol == Protocol::Http { "$default" } else { "dev" };
        let route = |route: &&ApiRoute| Route {
            key: route.key.clone(),
            methods: route.methods,
            segments: route.path.clone().unwrap_or_default(),
            authorizer: route
                .authorizer
                .as_ref()
                .and_then(|name| authorizers.iter().position(|authorizer| authorizer.name == *name)),
            mock: route.mock.clone(),
        };
        if let Some(lost) =
            routes.iter().find(|route| route.authorizer.is_some() && api.authorizer(route).is_none())
        {
            let named = lost.authorizer.as_deref().unwrap_or_default();
            return Err(format!(
                "`{}` names the authorizer `{named}`, which is not in the description",
                lost.place
            )
            .into());
        }
        Ok(Self {
            name: name.to_owned(),
            protocol,
            id: id(name),
            stage: stage.unwrap_or_else(|| default_stage.to_owned()),
            stage_variables: settings.map(|settings| settings.stage_variables.clone()).unwrap_or_default(),
            responses: settings.map(|settings: &Settings| settings.responses.clone()).unwrap_or_default(),
            routes: routes.iter().map(route).collect(),
            authorizers: authorizers
                .iter()
                .map(|authorizer| LocalAuthorizer::new(authorizer, overrides))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Where AWS would serve it.
    #[must_use]
    pub fn domain(&self) -> String {
        format!("{}.execute-api.{REGION}.amazonaws.com", self.id)
    }

    /// The ARN of what follows the stage: `GET/orders`, or `$connect`.
    #[must_use]
    pub fn arn(&self, tail: &str) -> String {
        format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{}/{}/{tail}", self.id, self.stage)
    }

    /// As `/_api` shows it.
    #[must_use]
    pub fn json(&self) -> Value {
        let authorizer = |route: &Route| route.authorizer.and_then(|place| self.authorizers.get(place));
        let routes: Vec<Value> = self
            .routes
            .iter()
            .map(|route| {
                json!({
                    "route": route.key,
                    "methods": route.methods.names().collect::<Vec<_>>(),
                    "path": route.resource(),
                    "authorizer": authorizer(route).map(|authorizer| &authorizer.name),
                    "is_mocked": route.mock.is_some(),
                })
            })
            .collect();
        json!({
            "name": self.name,
            "protocol": protocol_name(self.protocol),
            "id": self.id,
            "stage": self.stage,
            "routes": routes,
            "authorizers": self.authorizers.iter().map(LocalAuthorizer::json).collect::<Vec<_>>(),
        })
    }
}

impl LocalAuthorizer {
    fn new(authorizer: &Authorizer, overrides: &Overrides) -> Result<Self, Error> {
        let validation = authorizer.validation.as_ref().map(|expression| {
            // Contract 8, no. 5: whether it must match the whole token is not documented.
            Regex::new(&format!("{BEGIN}{expression}{END}")).map_err(|error| {
                format!("authorizer `{}`: its validation expression cannot be read: {error}", authorizer.name)
            })
        });
        let mut identity_sources = authorizer.gateway.identity_sources.clone().unwrap_or_default();
        if authorizer.kind == AuthorizerKind::RestToken && identity_sources.is_empty() {
            // There is no event without a token.
            identity_sources.push(IdentityExpression::header("Authorization"));
        }
        let cache_seconds = match authorizer.kind {
            AuthorizerKind::WebSocket | AuthorizerKind::Other => 0,
            // Nothing tells one cached answer from another.
            _ if identity_sources.is_empty() => 0,
            AuthorizerKind::RestToken
            | AuthorizerKind::RestRequest
            | AuthorizerKind::HttpVersion1
            | AuthorizerKind::HttpPolicy
            | AuthorizerKind::HttpSimple => {
                overrides.cache_seconds.or(authorizer.gateway.cache_seconds).unwrap_or(HTTP_CACHE_SECONDS)
            }
        };
        Ok(Self {
            name: authorizer.name.clone(),
            kind: authorizer.kind,
            identity_sources,
            cache_seconds,
            validation: validation.transpose()?,
        })
    }

    /// The event that it is asked with. `None` for an authorizer that is no Lambda function.
    #[must_use]
    pub fn event_kind(&self) -> Option<EventKind> {
        match self.kind {
            AuthorizerKind::RestToken => Some(EventKind::RestToken),
            AuthorizerKind::RestRequest => Some(EventKind::RestRequest),
            AuthorizerKind::HttpVersion1 => Some(EventKind::Http1),
            AuthorizerKind::HttpPolicy | AuthorizerKind::HttpSimple => Some(EventKind::Http2),
            AuthorizerKind::WebSocket => Some(EventKind::WebSocket),
            AuthorizerKind::Other => None,
        }
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "kind": kind_name(self.kind),
            "identity_sources": self.identity_sources.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "cache_seconds": self.cache_seconds,
            "validation": self.validation.as_ref().map(|expression| within(expression.as_str())),
        })
    }
}

const BEGIN: &str = "^(?:";
const END: &str = ")$";

/// A validation expression as the description has it.
fn within(expression: &str) -> &str {
    let inner = expression.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
    inner.unwrap_or(expression)
}

/// The kinds of authorizer, as the command line and the JSON name them.
pub const KINDS: [(&str, AuthorizerKind); 6] = [
    ("rest-token", AuthorizerKind::RestToken),
    ("rest-request", AuthorizerKind::RestRequest),
    ("http-1.0", AuthorizerKind::HttpVersion1),
    ("http-2.0", AuthorizerKind::HttpPolicy),
    ("http-2.0-simple", AuthorizerKind::HttpSimple),
    ("websocket", AuthorizerKind::WebSocket),
];

/// The name of a kind of authorizer.
#[must_use]
pub fn kind_name(kind: AuthorizerKind) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == kind).map_or("other", |(name, _)| name)
}

fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Rest => "rest",
        Protocol::Http => "http",
        Protocol::WebSocket => "websocket",
    }
}

/// Of an API whose description does not say: by what it has.
fn protocol(authorizers: &[&Authorizer], routes: &[&ApiRoute]) -> Protocol {
    if routes.iter().any(|route| route.path.is_none()) {
        return Protocol::WebSocket;
    }
    let is_http = |authorizer: &&Authorizer| {
        matches!(
            authorizer.kind,
            AuthorizerKind::HttpVersion1 | AuthorizerKind::HttpPolicy | AuthorizerKind::HttpSimple
        )
    };
    if authorizers.iter().any(is_http) { Protocol::Http } else { Protocol::Rest }
}

/// FNV-1a of the name, in ten letters and digits of which the first is a letter.
fn id(name: &str) -> String {
    let mut hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut id = String::from("a");
    for _ in 0..9 {
        id.extend(char::from_digit(u32::try_from(hash % 36).unwrap_or_default(), 36));
        hash /= 36;
    }
    id
}
