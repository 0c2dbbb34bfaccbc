//! What a cached policy opens, route by route.
//!
//! A parameter of a route may be anything. Each route is tried with [`ANY_VALUE`] in the place of its parameters, and
//! with values that the caller's own claims hold: a rule may open `/users/{id}` for the caller's own `id` alone.
//!
//! Each of `routes` has `route` (its key), `method`, `path` (an example), `opens` and `rule` (or null). `opens` is
//! `everybody` where no authorizer is asked, `foreign` where it is another than the function, `all` where the policy
//! opens the example with any value, `own` where it opens one with a value of the caller's, which `path` then has, and
//! `none`.

use std::collections::BTreeSet;

use lambda_authorizer::arn::MethodArn;
use lambda_authorizer::check::ApiSegment;
use lambda_authorizer::explain::PolicyPart;
use serde_json::{Value, json};

use super::super::api::LocalApi;
use super::super::route::Route;

/// A value that is nobody's.
const ANY_VALUE: &str = "1";

/// Claims are the token's: however many it has, and routes with however many parameters, so many are tried.
const MOST_VALUES: usize = 12;
const MOST_PATHS: usize = 64;

/// The routes of an API to look at a policy for. The name of each is its request line.
pub(super) fn examples(api: &LocalApi, claims: Option<&Value>) -> Vec<(String, MethodArn)> {
    let values = values(claims);
    let mut examples: Vec<(String, MethodArn)> = Vec::new();
    for (method, route) in lines(api) {
        for path in paths(route, &values) {
            let name = line(method, &path);
            let arn = api.arn(&if method.is_empty() { path } else { format!("{method}{path}") });
            if let Ok(arn) = arn.parse()
                && !examples.iter().any(|(known, _)| *known == name)
            {
                examples.push((name, arn));
            }
        }
    }
    examples
}

/// What the policy says of these; without a policy, nothing is open but what is open to everybody.
pub(super) fn opened(api: &LocalApi, claims: Option<&Value>, policy: Option<&PolicyPart>) -> Vec<Value> {
    let values = values(claims);
    let said = |name: String| policy?.routes.iter().find(|other| other.route == name);
    lines(api)
        .map(|(method, route)| {
            let paths = paths(route, &values);
            let any = paths.first().cloned().unwrap_or_default();
            let authorizer = route.authorizer.map(|place| api.authorizers.get(place));
            let is_ours = authorizer.map(|found| found.is_some_and(|found| found.event_kind().is_some()));
            let opening = paths
                .iter()
                .find_map(|path| Some((path, said(line(method, path)).filter(|other| other.allowed)?)));
            let (opens, path, rule) = match (is_ours, opening) {
                (None, _) => ("everybody", &any, None),
                (Some(false), _) => ("foreign", &any, None),
                (Some(true), Some((path, other))) if *path == any => ("all", path, other.rule.as_ref()),
                (Some(true), Some((path, other))) => ("own", path, other.rule.as_ref()),
                (Some(true), None) => ("none", &any, None),
            };
            json!({"route": route.key, "method": method, "path": path, "opens": opens, "rule": rule})
        })
        .collect()
}

/// A request for the first route that the authorizer is asked about, or for the first.
pub(super) fn first(api: &LocalApi) -> (String, String) {
    let route = api.routes.iter().find(|route| route.authorizer.is_some()).or(api.routes.first());
    let method = route.and_then(|route| route.methods.names().find(|name| *name == "GET"));
    let method = method.or_else(|| route.and_then(|route| route.methods.names().next())).unwrap_or("GET");
    let path = route.filter(|route| !route.key.starts_with('$')).and_then(|route| paths(route, &[]).pop());
    (method.to_owned(), path.unwrap_or_else(|| "/".to_owned()))
}

/// Each route with each of its methods; `$connect` has none.
fn lines(api: &LocalApi) -> impl Iterator<Item = (&'static str, &Route)> {
    api.routes.iter().flat_map(|route| {
        let methods = match route.key.as_str() {
            "$connect" => vec![""],
            // HEAD and OPTIONS are rarely what somebody asks about: `/_explain` tells of them, too.
            key if key.starts_with("ANY ") || key == "$default" => {
                vec!["GET", "POST", "PUT", "PATCH", "DELETE"]
            }
            _ => route.methods.names().collect(),
        };
        methods.into_iter().map(move |method| (method, route))
    })
}

fn line(method: &str, path: &str) -> String {
    format!("{method} {path}").trim_start().to_owned()
}

/// The paths of a route, the one without any claim first.
fn paths(route: &Route, values: &[String]) -> Vec<String> {
    match route.key.as_str() {
        "$connect" => return vec!["$connect".to_owned()],
        "$default" => return vec![format!("/{ANY_VALUE}")],
        _ => {}
    }
    let mut paths = vec![String::new()];
    for segment in &route.segments {
        let parts: Vec<&str> = match segment {
            ApiSegment::Literal(text) => vec![text],
            ApiSegment::Parameter | ApiSegment::Greedy => {
                std::iter::once(ANY_VALUE).chain(values.iter().map(String::as_str)).collect()
            }
        };
        paths =
            paths.iter().flat_map(|path| parts.iter().map(move |part| format!("{path}/{part}"))).collect();
        paths.truncate(MOST_PATHS);
    }
    paths.into_iter().map(|path| if path.is_empty() { "/".to_owned() } else { path }).collect()
}

/// The texts among the claims that can be a segment of a path as they are.
fn values(claims: Option<&Value>) -> Vec<String> {
    let mut values = BTreeSet::new();
    let mut open: Vec<&Value> = claims.into_iter().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => open.extend(members.values()),
            Value::Array(items) => open.extend(items),
            Value::String(text) => {
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
                if !text.is_empty() && text.len() <= 128 && text.bytes().all(is_plain) && text != ANY_VALUE {
                    values.insert(text.clone());
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    values.into_iter().take(MOST_VALUES).collect()
}

#[cfg(test)]
mod tests {
    use lambda_authorizer::check::AuthorizerKind;

    use super::super::super::api::Overrides;
    use super::super::super::listed::listed;
    use super::*;

    fn api(routes: &[&str]) -> LocalApi {
        let routes: Vec<String> = routes.iter().map(|route| (*route).to_owned()).collect();
        let description = listed(&routes, AuthorizerKind::RestRequest, &[], None, 0).unwrap();
        LocalApi::all(&description, &Overrides::default()).unwrap().remove(0)
    }

    #[test]
    fn a_parameter_is_tried_with_any_value_first_and_with_the_callers_own() {
        let claims = json!({"sub": "user-7", "iss": "https://issuer.example/", "org": {"id": "acme"}});
        let api = api(&["GET /", "GET /users/{id}", "POST /t/{tenant}/{proxy+}"]);
        let names: Vec<_> = examples(&api, Some(&claims)).into_iter().map(|(name, _)| name).collect();
        let users: Vec<_> = names.iter().filter(|name| name.contains("/users/")).collect();
        assert_eq!(users, ["GET /users/1", "GET /users/acme", "GET /users/user-7"]);
        assert!(names.contains(&"GET /".to_owned()));
        assert_eq!(names.len(), 4 + 9);
        assert!(names.contains(&"POST /t/acme/user-7".to_owned()));
    }

    #[test]
    fn a_claim_that_is_no_segment_of_a_path_is_not_tried() {
        let claims =
            json!({"sub": "a/b", "name": "<img src=x>", "empty": "", "n": 7, "list": ["good", "a b"]});
        assert_eq!(values(Some(&claims)), ["good"]);
    }

    #[test]
    fn many_claims_make_no_flood() {
        let claims: Vec<String> = (0..1000).map(|number| format!("value-{number}")).collect();
        let claims = json!({"groups": claims});
        assert_eq!(values(Some(&claims)).len(), MOST_VALUES);
        let api = api(&["GET /{a}/{b}/{c}/{d}"]);
        assert_eq!(examples(&api, Some(&claims)).len(), MOST_PATHS);
    }

    #[test]
    fn without_a_policy_nothing_is_open() {
        let opened = opened(&api(&["GET /orders"]), None, None);
        assert_eq!(
            opened,
            [
                json!({"route": "GET /orders", "method": "GET", "path": "/orders", "opens": "none", "rule": null})
            ]
        );
    }

    #[test]
    fn the_first_request_is_one_that_the_route_takes() {
        assert_eq!(first(&api(&["POST /orders/{id}"])), ("POST".to_owned(), "/orders/1".to_owned()));
    }
}
