//! Which route takes a request: API Gateway's order of precedence.

use lambda_authorizer::check::{ApiSegment, Mock, Protocol};
use lambda_authorizer::rules::Methods;

/// A route of a local API.
#[derive(Clone, Debug)]
pub struct Route {
    /// As the description has it: `GET /orders/{id}`, `ANY /x/{proxy+}`, `$default` or `$connect`.
    pub key: String,
    /// Its methods.
    pub methods: Methods,
    /// Its path; empty for `$connect`.
    pub segments: Vec<ApiSegment>,
    /// The place of its authorizer among those of its API. `None` when it is open to everybody.
    pub authorizer: Option<usize>,
    /// What API Gateway answers in the place of a backend.
    pub mock: Option<Mock>,
}

/// The parameters of a path, by name.
pub(super) type Parameters = Vec<(String, String)>;

impl Route {
    /// The path as the description has it, `/orders/{id}`.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.key.split_once(' ').map_or(&self.key, |(_, path)| path)
    }

    /// The parameters of a path that this route takes.
    #[must_use]
    pub fn parameters(&self, path: &str) -> Parameters {
        let names = self.resource().split('/').skip(1);
        let given = parts(path);
        let mut parameters = Vec::new();
        for (place, (name, segment)) in names.zip(&self.segments).enumerate() {
            let name = name.trim_start_matches('{').trim_end_matches('}').trim_end_matches('+');
            match segment {
                ApiSegment::Literal(_) => {}
                ApiSegment::Parameter => {
                    parameters.extend(given.get(place).map(|part| (name.to_owned(), (*part).to_owned())));
                }
                ApiSegment::Greedy => {
                    let rest = given.get(place..).unwrap_or_default().join("/");
                    parameters.push((name.to_owned(), rest));
                }
            }
        }
        parameters
    }

    fn takes(&self, given: &[&str]) -> bool {
        let mut given = given.iter();
        for segment in &self.segments {
            let Some(part) = given.next() else { return false };
            match segment {
                ApiSegment::Literal(text) if text == part => {}
                ApiSegment::Literal(_) => return false,
                ApiSegment::Parameter if part.is_empty() => return false,
                ApiSegment::Parameter => {}
                ApiSegment::Greedy => return true,
            }
        }
        given.next().is_none()
    }

    /// The more specific, the smaller: a literal before a parameter before the rest of a path, from the left.
    fn rank(&self) -> (bool, Vec<u8>) {
        let rank = |segment: &ApiSegment| match segment {
            ApiSegment::Literal(_) => 0,
            ApiSegment::Parameter => 1,
            ApiSegment::Greedy => 2,
        };
        (self.key == "$default", self.segments.iter().map(rank).collect())
    }
}

/// The route that takes a request.
///
/// A REST API looks for the resource first: one that lacks the method is the end of it. An HTTP API looks on for
/// a route that has the method. A slash at the end of a path makes no difference (contract 4.2).
#[must_use]
pub(super) fn select<'a>(
    routes: &'a [Route],
    protocol: Protocol,
    method: &str,
    path: &str,
) -> Option<&'a Route> {
    let given = parts(path);
    let has_method = |route: &&Route| route.methods.includes(method);
    let mut taking: Vec<&Route> = routes.iter().filter(|route| route.takes(&given)).collect();
    // `ANY` comes behind the method's own name; its methods are without those already.
    taking.sort_by_key(|route| (route.rank(), route.methods.names().count()));
    match protocol {
        Protocol::Rest => {
            let best = taking.first()?.rank();
            taking.into_iter().filter(|route| route.rank() == best).find(has_method)
        }
        Protocol::Http => taking.into_iter().find(has_method),
        Protocol::WebSocket => None,
    }
}

fn parts(path: &str) -> Vec<&str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    match path.strip_suffix('/').unwrap_or(path) {
        "" => Vec::new(),
        path => path.split('/').collect(),
    }
}

#[cfg(test)]
mod tests {
    use lambda_authorizer::check::Api;
    use serde_json::{Map, json};

    use super::*;

    fn routes(keys: &[&str]) -> Vec<Route> {
        let mut paths = Map::new();
        for key in keys {
            let (method, path) = key.split_once(' ').unwrap_or(("any", key));
            let method =
                if method == "ANY" { "x-amazon-apigateway-any-method".into() } else { method.to_lowercase() };
            let item = paths.entry(path).or_insert_with(|| json!({}));
            item[if method == "any" { "x-amazon-apigateway-any-method".to_owned() } else { method }] =
                json!({});
        }
        let api = Api::parse(&json!({"openapi": "3.0.1", "paths": paths}).to_string()).unwrap();
        let route = |route: lambda_authorizer::check::ApiRoute| Route {
            key: route.key,
            methods: route.methods,
            segments: route.path.unwrap_or_default(),
            authorizer: None,
            mock: None,
        };
        api.routes.into_iter().map(route).collect()
    }

    fn selected(keys: &[&str], protocol: Protocol, method: &str, path: &str) -> Option<String> {
        select(&routes(keys), protocol, method, path).map(|route| route.key.clone())
    }

    #[test]
    fn a_literal_is_before_a_parameter_and_a_parameter_before_the_rest() {
        let keys = ["GET /a/{x}", "GET /a/b", "GET /{proxy+}", "GET /", "GET /{y}/b/c"];
        for (path, expected) in [
            ("/a/b", Some("GET /a/b")),
            ("/a/b/", Some("GET /a/b")),
            ("/a/c", Some("GET /a/{x}")),
            ("/a/b/c", Some("GET /{y}/b/c")),
            ("/x", Some("GET /{proxy+}")),
            ("/", Some("GET /")),
            ("/a//", Some("GET /{proxy+}")),
        ] {
            for protocol in [Protocol::Rest, Protocol::Http] {
                assert_eq!(selected(&keys, protocol, "GET", path).as_deref(), expected, "{path}");
            }
        }
    }

    #[test]
    fn a_method_is_before_any() {
        let keys = ["ANY /a", "GET /a"];
        for (method, expected) in [("GET", "GET /a"), ("PUT", "ANY /a")] {
            assert_eq!(selected(&keys, Protocol::Rest, method, "/a").as_deref(), Some(expected));
        }
        assert_eq!(selected(&keys, Protocol::Rest, "PROPFIND", "/a"), None);
    }

    #[test]
    fn a_resource_without_the_method_is_the_end_on_rest_only() {
        let keys = ["POST /a", "ANY /{proxy+}"];
        assert_eq!(selected(&keys, Protocol::Rest, "GET", "/a"), None);
        assert_eq!(selected(&keys, Protocol::Http, "GET", "/a").as_deref(), Some("ANY /{proxy+}"));
        assert_eq!(selected(&keys, Protocol::Rest, "POST", "/a").as_deref(), Some("POST /a"));
    }

    #[test]
    fn the_default_route_is_the_last() {
        let keys = ["ANY /{proxy+}", "$default"];
        assert_eq!(selected(&keys, Protocol::Http, "GET", "/a").as_deref(), Some("ANY /{proxy+}"));
        assert_eq!(selected(&keys, Protocol::Http, "GET", "/").as_deref(), Some("$default"));
    }

    #[test]
    fn parameters_are_as_the_client_wrote_them() {
        let routes = routes(&["GET /a/{x}/{rest+}"]);
        let expected =
            [("x", "1%2F2"), ("rest", "b/c")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(routes[0].parameters("/a/1%2F2/b/c"), expected);
    }
}
