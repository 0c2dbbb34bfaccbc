//! A configuration from this machine, the authorizer that it makes, and the events to put to it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use lambda_authorizer::arn::MethodArn;
use lambda_authorizer::check::{Api, ApiRoute, ApiSegment};
use lambda_authorizer::config::{Config, ConfigError, Environment};
use lambda_authorizer::event::Event;
use lambda_authorizer::io::{Edges, Log};
use lambda_authorizer::request::Request;
use lambda_authorizer::response::HttpApi;
use lambda_authorizer::rules::Methods;
use serde_json::{Value, json};

use crate::Error;
use crate::gateway::Gateway;
use crate::runtime_api::{FunctionError, Outcome};

/// The configuration of a file; without one, what the function would find: `authorizer.toml` in this directory, or the
/// environment variables.
///
/// # Errors
///
/// [`ConfigError`], with every problem, or that the file cannot be read.
pub fn configuration(file: Option<&Path>) -> Result<Config, Error> {
    let Some(file) = file else {
        let ours = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let variables: BTreeMap<String, String> = std::env::vars_os().filter_map(ours).collect();
        return Ok(Config::load(&Environment { variables, directory: std::env::current_dir().ok() })?);
    };
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(|error| {
        format!(
            "cannot read `{shown}`: {error}\nhint: `--config` names the configuration, an `authorizer.toml`"
        )
    })?;
    Ok(Config::parse(&text, file.parent())?)
}

/// Whether a failure is the configuration's.
#[must_use]
pub fn is_of_configuration(error: &Error) -> bool {
    error.is::<ConfigError>()
}

/// The text of an event: of a file, or for `-` of the standard input.
///
/// # Errors
///
/// It cannot be read.
pub fn event(file: &Path) -> Result<String, Error> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| format!("cannot read the event: {error}"))?;
        return Ok(text);
    }
    let shown = file.display();
    fs::read_to_string(file).map_err(|error| {
        format!("cannot read `{shown}`: {error}\nhint: the sample events are in `events/`, and `-` is the standard input")
            .into()
    })
}

/// The edges of this machine, without a log: what is decided is said otherwise.
#[must_use]
pub fn quiet_edges() -> Edges {
    Edges { log: Arc::new(Silence), ..Edges::of_this_machine() }
}

struct Silence;

impl Log for Silence {
    fn line(&self, _line: &str) {}
}

/// An invocation with this event, which nobody gives up.
#[must_use]
pub fn invocation(payload: &str) -> Event<'_> {
    Event { payload, invocation_id: "00000000-0000-0000-0000-000000000000", deadline: None }
}

/// A request to make an event of.
#[derive(Clone, Debug)]
pub struct RequestLine {
    method: String,
    path: String,
}

impl std::str::FromStr for RequestLine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "a request is a method and a path, as in `GET /orders/7`, or `$connect`";
        if text == "$connect" {
            return Ok(Self { method: String::new(), path: text.to_owned() });
        }
        let (method, path) = text.split_once(' ').ok_or(FORM)?;
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_method || !path.starts_with('/') {
            return Err(FORM.to_owned());
        }
        Ok(Self { method: method.to_owned(), path: path.to_owned() })
    }
}

impl RequestLine {
    /// A REST API's REQUEST event, or a WebSocket API's, for this request with this token.
    #[must_use]
    pub fn event(&self, token: Option<&str>, stage: &str, source_ip: &str) -> String {
        let (api, identity) = ("a1b2c3d4e5", json!({ "sourceIp": source_ip }));
        let arn = |tail: &str| format!("arn:aws:execute-api:us-east-1:123456789012:{api}/{stage}/{tail}");
        let headers = token.map(|token| json!({ "Authorization": format!("Bearer {token}") }));
        let headers = headers.unwrap_or_else(|| json!({}));
        let event = match self.method.as_str() {
            "" => json!({
                "type": "REQUEST", "methodArn": arn("$connect"), "headers": headers,
                "requestContext": {
                    "routeKey": "$connect", "eventType": "CONNECT", "connectionId": "Fa1bCcEZIAMCJgQ=", "apiId": api,
                    "stage": stage, "identity": identity,
                },
            }),
            method => json!({
                "type": "REQUEST", "methodArn": arn(&format!("{method}{}", self.path)), "headers": headers,
                "httpMethod": method, "path": self.path,
                "requestContext": { "httpMethod": method, "apiId": api, "stage": stage, "identity": identity },
            }),
        };
        event.to_string()
    }
}

/// The routes of an API's description, each with an example on the stage of the event, to look at a policy for.
///
/// # Errors
///
/// The description cannot be read.
pub fn routes(description: &Path, event: &str) -> Result<Vec<(String, MethodArn)>, Error> {
    let shown = description.display();
    let text = fs::read_to_string(description).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    let api = Api::parse(&text).map_err(|error| format!("`{shown}`: {error}"))?;
    let request = Request::try_from(invocation(event)).map_err(|fault| fault.to_string())?;
    let example = |route: &ApiRoute| -> Vec<(String, MethodArn)> {
        let arn = |tail: &str| format!("{}{tail}", request.arn.stage_prefix()).parse().ok();
        let Some(segments) = &route.path else {
            return arn("$connect").map(|arn| (route.place.clone(), arn)).into_iter().collect();
        };
        let path: String = segments
            .iter()
            .enumerate()
            .map(|(position, segment)| match segment {
                ApiSegment::Literal(text) => format!("/{text}"),
                ApiSegment::Parameter => format!("/~{position}"),
                ApiSegment::Greedy => format!("/~{position}/~"),
            })
            .collect();
        let path = if path.is_empty() { "/".to_owned() } else { path };
        let named = |method: &'static str| {
            let name = match route.methods == Methods::ANY {
                true => format!("{method}, of {}", route.place),
                false => route.place.clone(),
            };
            Some((name, arn(&format!("{method}{path}"))?))
        };
        route.methods.names().filter_map(named).collect()
    };
    Ok(api.routes.iter().flat_map(example).collect())
}

/// The status that the client gets for an answer to this event.
#[must_use]
pub fn status(event: &str, http_api: HttpApi, outcome: &Outcome) -> u16 {
    let event: Value = serde_json::from_str(event).unwrap_or_default();
    Gateway { simple_responses: http_api == HttpApi::Simple }.status(&event, outcome)
}

/// An invocation's failure, as the Runtime API is told of it.
#[must_use]
pub fn failure(error_type: &str, error_message: &str) -> Outcome {
    let body = json!({ "errorMessage": error_message, "errorType": error_type }).to_string();
    Outcome::Error(FunctionError {
        error_type: error_type.to_owned(),
        message: error_message.to_owned(),
        body: body.into(),
    })
}
