//! A configuration from this machine, the authorizer that it makes, and the events to put to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lambda_authorizer::arn::MethodArn;
use lambda_authorizer::check::{Api, ApiRoute, ApiSegment, AuthorizerKind, Protocol};
use lambda_authorizer::config::{Config, ConfigError, Environment};
use lambda_authorizer::event::Event;
use lambda_authorizer::explain::AskedRoute;
use lambda_authorizer::io::{Edges, Log};
use lambda_authorizer::request::{EventKind, Request};
use lambda_authorizer::response::HttpApi;
use serde_json::{Value, json};

use crate::Error;
use crate::commands::Misuse;
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
        let directory = std::env::current_dir().ok();
        return Config::load(&Environment { variables, directory }).map_err(|error| {
            if error.problems().iter().any(|problem| problem.path == "configuration") {
                return Misuse::new(NO_CONFIGURATION).into();
            }
            error.into()
        });
    };
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(|error| {
        format!(
            "cannot read `{shown}`: {error}\nhint: `--config` names the configuration, an `authorizer.toml`"
        )
    })?;
    Ok(Config::parse(&text, file.parent())?)
}

const NO_CONFIGURATION: &str = "there is no configuration\nhint: `--config FILE` names one; without it, `authorizer.toml` \
                                in this directory counts, or AUTHORIZER_... in the environment";

/// A time, in seconds since 1970, as a person reads it.
#[must_use]
pub fn time(at: u64) -> String {
    lambda_authorizer::io::rfc3339(Duration::from_secs(at).as_secs_f64())
}

/// Whether a failure is the configuration's.
#[must_use]
pub fn is_of_configuration(error: &Error) -> bool {
    error.is::<ConfigError>()
}

/// The token that is typed, or that a file holds.
///
/// # Errors
///
/// The file cannot be read.
pub fn token(typed: Option<&str>, file: Option<&Path>) -> Result<Option<String>, Error> {
    match file {
        Some(file) => {
            let text = fs::read_to_string(file);
            let text = text.map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
            Ok(Some(text.trim().to_owned()))
        }
        None => Ok(typed.map(str::to_owned)),
    }
}

/// The text of an event: of a file, or for `-` of the standard input.
///
/// # Errors
///
/// It cannot be read, or is no JSON.
pub fn event(file: &Path) -> Result<String, Error> {
    let shown = if file == Path::new("-") { "the event".to_owned() } else { format!("`{}`", file.display()) };
    let text = match file == Path::new("-") {
        true => std::io::read_to_string(std::io::stdin()),
        false => fs::read_to_string(file),
    };
    let hint = "hint: the sample events are in `events/`, and `-` is the standard input";
    let text = text.map_err(|error| format!("cannot read {shown}: {error}\n{hint}"))?;
    // Where it is wrong, and nothing of it: an event is full of credentials.
    serde_json::from_str::<Value>(&text).map_err(|error| {
        format!("{shown} is no JSON: line {}, column {}\n{EVENT_HINT}", error.line(), error.column())
    })?;
    Ok(text)
}

/// What to do about an event that is none.
pub const EVENT_HINT: &str = "hint: an event is what API Gateway sends, as those in `events/`";

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

/// The routes of an API's description that the event's API may have, each with examples on the stage of the event, to look
/// at a policy for; and how many were left out: no policy of this authorizer's decides about them.
///
/// # Errors
///
/// The description cannot be read.
pub fn routes(description: &Path, event: &str) -> Result<(Vec<AskedRoute>, usize), Error> {
    let shown = description.display();
    let text = fs::read_to_string(description).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    let api = Api::parse(&text).map_err(|error| format!("`{shown}`: {error}"))?;
    let request = Request::try_from(invocation(event)).map_err(|fault| fault.to_string())?;
    let is_decided = |route: &&ApiRoute| {
        api.authorizer(route)
            .is_some_and(|authorizer| protocol(authorizer.kind) == Some(of_event(request.kind)))
    };
    let (decided, left_out): (Vec<_>, Vec<_>) = api.routes.iter().partition(is_decided);
    let mut asked: Vec<AskedRoute> = Vec::new();
    for route in decided {
        let route = asked_route(route, request.arn.stage_prefix());
        // `$default` is two: all that is below the root, and the root.
        match asked.iter_mut().find(|known| known.name == route.name) {
            Some(known) => known.examples.extend(route.examples),
            None => asked.push(route),
        }
    }
    Ok((asked, left_out.len()))
}

fn asked_route(route: &ApiRoute, stage_prefix: &str) -> AskedRoute {
    let arn = |tail: &str| format!("{stage_prefix}{tail}").parse::<MethodArn>().ok();
    let segments = route.path.as_deref().unwrap_or_default();
    let path: String = segments
        .iter()
        .enumerate()
        .map(|(position, segment)| match segment {
            ApiSegment::Literal(text) => format!("/{text}"),
            ApiSegment::Parameter => format!("/~{position}"),
            ApiSegment::Greedy => format!("/~{position}/~"),
        })
        .collect();
    let path = if path.is_empty() { "/" } else { path.as_str() };
    let example = |method: &str| Some((method.to_owned(), arn(&format!("{method}{path}"))?));
    let examples = match &route.path {
        Some(_) => route.methods.names().filter_map(example).collect(),
        None => arn("$connect").map(|arn| (String::new(), arn)).into_iter().collect(),
    };
    let is_parameter = |(_, segment): &(usize, &ApiSegment)| **segment == ApiSegment::Parameter;
    let parameters = segments.iter().enumerate().filter(is_parameter).map(|(position, _)| position).collect();
    AskedRoute { name: route.place.clone(), examples, parameters }
}

/// The kind of API that has such an authorizer; `None` for one that is none of this function's.
fn protocol(kind: AuthorizerKind) -> Option<Protocol> {
    match kind {
        AuthorizerKind::RestToken | AuthorizerKind::RestRequest => Some(Protocol::Rest),
        AuthorizerKind::HttpVersion1 | AuthorizerKind::HttpPolicy | AuthorizerKind::HttpSimple => {
            Some(Protocol::Http)
        }
        AuthorizerKind::WebSocket => Some(Protocol::WebSocket),
        AuthorizerKind::Other => None,
    }
}

fn of_event(kind: EventKind) -> Protocol {
    match kind {
        EventKind::RestToken | EventKind::RestRequest => Protocol::Rest,
        EventKind::Http1 | EventKind::Http2 => Protocol::Http,
        EventKind::WebSocket => Protocol::WebSocket,
    }
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
