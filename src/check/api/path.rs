//! The paths, methods and route keys of a description.

use super::ApiSegment;
use crate::rules::Methods;

/// What a route key names: `GET /orders/{id}`, `ANY /x`, `$default` or `$connect`.
pub(super) enum RouteKey {
    /// `$connect`.
    Connect,
    /// Methods, and the paths that one key stands for.
    Paths(Methods, Vec<Vec<ApiSegment>>),
    /// A WebSocket route that is never asked about.
    Message,
}

/// The key of the route for what no other takes.
pub(super) const DEFAULT: &str = "$default";

/// The paths of `$default`: the root, and all below.
pub(super) fn everything() -> Vec<Vec<ApiSegment>> {
    vec![Vec::new(), vec![ApiSegment::Greedy]]
}

/// The key of a route of an HTTP API, or of a WebSocket API.
pub(super) fn route_key(key: &str, is_websocket: bool) -> Option<RouteKey> {
    match key {
        "$connect" => Some(RouteKey::Connect),
        _ if is_websocket => Some(RouteKey::Message),
        DEFAULT => Some(RouteKey::Paths(Methods::ANY, everything())),
        key => {
            let (method, path) = key.split_once(' ')?;
            Some(RouteKey::Paths(methods(method)?, vec![segments(path)?]))
        }
    }
}

/// A method's name in any case; `any`, `*` and OpenAPI's `x-amazon-apigateway-any-method` are all.
pub(super) fn methods(name: &str) -> Option<Methods> {
    let name = name.to_ascii_uppercase();
    match name.as_str() {
        "ANY" | "*" | "X-AMAZON-APIGATEWAY-ANY-METHOD" => Some(Methods::ANY),
        name => Methods::named(name),
    }
}

/// `/orders/{id}/{proxy+}`; a slash at the end makes no difference. `None` for what API Gateway would not take.
pub(super) fn segments(path: &str) -> Option<Vec<ApiSegment>> {
    let path = path.trim().strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    let segments: Vec<ApiSegment> = path.split('/').map(segment).collect::<Option<_>>()?;
    let greedy = segments.iter().position(|segment| *segment == ApiSegment::Greedy);
    greedy.is_none_or(|position| position + 1 == segments.len()).then_some(segments)
}

/// One segment.
pub(super) fn segment(text: &str) -> Option<ApiSegment> {
    match text.strip_prefix('{').map(|rest| rest.strip_suffix('}')) {
        Some(Some(name)) if name.ends_with('+') => Some(ApiSegment::Greedy),
        Some(Some(name)) if !name.is_empty() => Some(ApiSegment::Parameter),
        Some(_) => None,
        None if text.is_empty() || text.contains(['{', '}', '/']) => None,
        None => Some(ApiSegment::Literal(text.to_owned())),
    }
}
