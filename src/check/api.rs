//! [`Api`]: an API of API Gateway's as its description has it.

use crate::config::Gateway;
use crate::rules::Methods;

/// The routes of an API, and the authorizers that decide about them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Api {
    /// Its routes.
    pub routes: Vec<ApiRoute>,
    /// Its authorizers.
    pub authorizers: Vec<Authorizer>,
}

/// A route of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRoute {
    /// Its methods.
    pub methods: Methods,
    /// What stands between the slashes of its path. `None` for the WebSocket route `$connect`.
    pub path: Option<Vec<ApiSegment>>,
    /// The name of the authorizer that it has; `None` where it has none, and is open to everybody.
    pub authorizer: Option<String>,
    /// Where the description has it, such as `GET /orders/{id}` of `openapi.yaml`.
    pub place: String,
}

/// One segment of a route's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiSegment {
    /// This very text.
    Literal(String),
    /// `{id}`: one segment.
    Parameter,
    /// `{proxy+}`: one segment or more, at the end. HTTP APIs' `$default` is one, too.
    Greedy,
}

/// An authorizer of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    /// Its name, by which routes refer to it.
    pub name: String,
    /// What it is asked with, and what it answers.
    pub kind: AuthorizerKind,
    /// How its answers are cached.
    pub gateway: Gateway,
}

/// What an authorizer is asked with, and what it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizerKind {
    /// A REST API's TOKEN authorizer.
    RestToken,
    /// A REST API's REQUEST authorizer.
    RestRequest,
    /// An HTTP API's, which answers with policies.
    HttpPolicy,
    /// An HTTP API's, which answers with `isAuthorized`.
    HttpSimple,
    /// A WebSocket API's.
    WebSocket,
    /// None of this function's: a user pool, a JWT authorizer, IAM.
    Other,
}
