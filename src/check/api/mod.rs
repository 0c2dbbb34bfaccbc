//! [`Api`]: the APIs of API Gateway's that a description has: an OpenAPI document, or a template of SAM's or
//! CloudFormation's.

mod cloudformation;
mod document;
mod openapi;
mod path;
mod sam;
mod settings;
mod template;
#[cfg(feature = "api")]
mod yaml;

pub use settings::{GatewayResponse, Mock, Protocol, Settings};

use crate::config::Gateway;
use crate::rules::Methods;
use document::Place;

/// The routes of one API or of several, and the authorizers that decide about them.
///
/// ```
/// use lambda_authorizer::check::Api;
///
/// let api = Api::parse(r#"{"openapi": "3.0.1", "paths": {"/orders/{id}": {"get": {}}}}"#)?;
/// assert_eq!(api.routes.len(), 1);
/// assert!(Api::parse("{}").is_err());
/// # Ok::<(), lambda_authorizer::check::ApiError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Api {
    /// Their routes.
    pub routes: Vec<ApiRoute>,
    /// Their authorizers.
    pub authorizers: Vec<Authorizer>,
    /// What the description says of each API by itself.
    pub settings: Vec<Settings>,
    /// What the description leaves open.
    pub notes: Vec<Note>,
}

/// A route of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRoute {
    /// The name that its API has in the description: a resource of the template, or `openapi`.
    pub api: String,
    /// Its route key as the description has it: `GET /orders/{id}`, `ANY /x/{proxy+}`, `$default` or `$connect`.
    pub key: String,
    /// Its methods; of `ANY`, those that no other route of this path has.
    pub methods: Methods,
    /// What stands between the slashes of its path. `None` for the WebSocket route `$connect`.
    pub path: Option<Vec<ApiSegment>>,
    /// The name of the authorizer that it has; `None` where it has none, and is open to everybody.
    pub authorizer: Option<String>,
    /// What API Gateway answers by itself, where it has no backend.
    pub mock: Option<Mock>,
    /// Where the description has it, such as `GET /orders/{id}`; of several APIs, with the API's name.
    pub place: String,
}

/// One segment of a route's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiSegment {
    /// This very text.
    Literal(String),
    /// `{id}`: one segment.
    Parameter,
    /// `{proxy+}`: one segment or more, at the end. HTTP APIs' `$default` is one, and the root.
    Greedy,
}

/// An authorizer of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    /// The name of its API.
    pub api: String,
    /// Its name, by which the routes of the API refer to it.
    pub name: String,
    /// What it is asked with, and what it answers.
    pub kind: AuthorizerKind,
    /// How its answers are cached.
    pub gateway: Gateway,
    /// The regular expression that a TOKEN authorizer's token must match, or the authorizer is not asked.
    pub validation: Option<String>,
}

/// What an authorizer is asked with, and what it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizerKind {
    /// A REST API's TOKEN authorizer.
    RestToken,
    /// A REST API's REQUEST authorizer.
    RestRequest,
    /// An HTTP API's with payload format 1.0, which answers with policies.
    HttpVersion1,
    /// An HTTP API's, which answers with policies.
    HttpPolicy,
    /// An HTTP API's, which answers with `isAuthorized`.
    HttpSimple,
    /// A WebSocket API's.
    WebSocket,
    /// None of this function's: a user pool, a JWT authorizer, IAM.
    Other,
}

/// Something that a description leaves open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub place: String,
    /// What.
    pub message: String,
    /// Whether the check lacks something for it. Otherwise it has taken a parameter's default.
    pub is_gap: bool,
}

/// Why a text describes no API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Neither JSON nor YAML.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// From 1 on.
        line: usize,
        /// From 1 on.
        column: usize,
        /// What the reader says.
        message: String,
    },
    /// YAML, and no reader for it in this build.
    #[error(
        "it is not JSON, and this build reads no YAML\n  hint: `cargo build --features api`, or convert the description to JSON"
    )]
    Yaml,
    /// Too deep, too large, or something of YAML's that nobody needs here.
    #[error("line {line}: {message}")]
    Unsupported {
        /// From 1 on.
        line: usize,
        /// What.
        message: &'static str,
    },
    /// Another kind of document.
    #[error(
        "it is neither an OpenAPI document (`openapi`, `paths`) nor a template of SAM's or CloudFormation's (`Resources`) with an API in it"
    )]
    NoApi,
    /// A part of it is not what it should be.
    #[error("{place}: {message}")]
    Shape {
        /// The names on the way there.
        place: String,
        /// What it should be.
        message: &'static str,
    },
}

impl Api {
    /// Reads a description: OpenAPI 3 (or 2) with API Gateway's extensions, or a template of SAM's or
    /// CloudFormation's. JSON always, YAML with the feature `api`.
    ///
    /// What only a deployment knows, such as the value of a parameter without a default, is not guessed: it is in the
    /// notes.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and where.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let document = document::read(text)?;
        let mut api = Self::default();
        if document.get("Resources").is_some() {
            template::read(&document, &mut api)?;
        } else if document.get("paths").is_some() {
            let reader = openapi::Reader::alone(&document);
            reader.read(&Place::root(), &mut api)?;
            settings::of_document(&document, &reader.name, reader.protocol, &mut api);
        }
        if api.routes.is_empty() && api.authorizers.is_empty() && api.notes.is_empty() {
            return Err(ApiError::NoApi);
        }
        api.leave_any_the_rest();
        api.distinguish();
        Ok(api)
    }

    /// The authorizer of a route.
    #[must_use]
    pub fn authorizer(&self, route: &ApiRoute) -> Option<&Authorizer> {
        let name = route.authorizer.as_ref()?;
        self.authorizers.iter().find(|authorizer| authorizer.api == route.api && authorizer.name == *name)
    }

    fn gap(&mut self, place: impl ToString, message: impl Into<String>) {
        self.notes.push(Note { place: place.to_string(), message: message.into(), is_gap: true });
    }

    /// Beside a route for a method, `ANY` is the other methods.
    fn leave_any_the_rest(&mut self) {
        let named: Vec<_> =
            self.routes.iter().filter(|route| route.methods != Methods::ANY).cloned().collect();
        for any in self.routes.iter_mut().filter(|route| route.methods == Methods::ANY) {
            for route in named.iter().filter(|route| route.api == any.api && route.path == any.path) {
                any.methods = any.methods.without(route.methods);
            }
        }
    }

    /// The routes of several APIs may be called alike.
    fn distinguish(&mut self) {
        let first = self.routes.first().map(|route| route.api.clone());
        if self.routes.iter().any(|route| Some(&route.api) != first.as_ref()) {
            for route in &mut self.routes {
                route.place = format!("{} of `{}`", route.place, route.api);
            }
        }
    }
}

impl AuthorizerKind {
    /// Whether it may be this function.
    #[must_use]
    pub fn is_lambda(self) -> bool {
        self != Self::Other
    }
}

#[cfg(test)]
mod tests;
