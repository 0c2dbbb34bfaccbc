//! [`matrix`]: which rules are about which routes, for a person to look at.

use super::api::{Api, ApiRoute, ApiSegment};
use super::relevance::overlaps;
use crate::rules::{PathPattern, RoutePattern, Rule, Rules, Segment, Shape};

/// A route, and what the rules say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixRow<'a> {
    /// The route, as the rule or the API's description has it.
    pub route: String,
    /// Who decides about it.
    pub guard: Guard,
    /// The rules that name it, in their order.
    pub rules: Vec<NamingRule<'a>>,
}

/// Who decides about a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// This function.
    Rules,
    /// Another authorizer, of this name.
    Other(String),
    /// Nobody: it has no authorizer, and is open to everybody.
    Nobody,
}

/// A rule that names a route.
#[derive(Clone, Debug, PartialEq)]
pub struct NamingRule<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Its routes that are only a part of the route, or of which the route is only a part; none where it names all of it.
    pub parts: Vec<&'a RoutePattern>,
}

/// The routes of the API, or where there is no description those of the rules, and the rules that name each of them.
///
/// ```
/// use lambda_authorizer::check::{Api, matrix};
/// use lambda_authorizer::config::Config;
///
/// let config = Config::parse(
///     r#"
///     [[issuer]]
///     url = "https://login.example.com/"
///     audience = "orders-api"
///     [[rule]]
///     name = "read orders"
///     routes = ["GET /orders/**"]
///     requires = { scope = "orders:read" }
///     "#,
///     None,
/// )?;
/// let api = Api::parse(r#"{"openapi": "3.0.1", "paths": {"/orders/{id}": {"get": {}}}}"#)?;
/// let rows = matrix(config.compiler.rules(), Some(&api));
/// assert_eq!((rows[0].route.as_str(), rows[0].rules[0].rule.name.as_str()), ("GET /orders/{id}", "read orders"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn matrix<'a>(rules: &'a Rules, api: Option<&Api>) -> Vec<MatrixRow<'a>> {
    match api {
        Some(api) => {
            // The root and all that is below it are one `$default`.
            let is_one =
                |one: &ApiRoute, other: &ApiRoute| (&one.api, &one.place) == (&other.api, &other.place);
            api.routes.chunk_by(is_one).filter_map(|routes| of_api(rules, api, routes)).collect()
        }
        None => of_rules(rules),
    }
}

/// The row of what is one route to API Gateway.
fn of_api<'a>(rules: &'a Rules, api: &Api, routes: &[ApiRoute]) -> Option<MatrixRow<'a>> {
    let route = routes.first()?;
    let guard = match api.authorizer(route) {
        Some(authorizer) if authorizer.kind.is_lambda() => Guard::Rules,
        Some(authorizer) => Guard::Other(authorizer.name.clone()),
        None => route.authorizer.clone().map_or(Guard::Nobody, Guard::Other),
    };
    let is_whole = |own: &RoutePattern| routes.iter().all(|route| names_all(own, route));
    let rules = naming(rules, is_whole, |own| routes.iter().any(|route| overlaps(own, route)));
    Some(MatrixRow { route: route.place.clone(), guard, rules })
}

fn names_all(own: &RoutePattern, route: &ApiRoute) -> bool {
    match (own.shape(), &route.path) {
        (Shape::Connect, None) => true,
        (Shape::Path(methods, own), Some(path)) => {
            route.methods.without(*methods).is_empty() && own.covers(&pattern(path))
        }
        (Shape::Connect, Some(_)) | (Shape::Path(..), None) => false,
    }
}

fn of_rules(rules: &Rules) -> Vec<MatrixRow<'_>> {
    let mut routes: Vec<&RoutePattern> = Vec::new();
    for route in rules.as_slice().iter().flat_map(|rule| &rule.routes) {
        if !routes.contains(&route) {
            routes.push(route);
        }
    }
    let row = |route: &RoutePattern| MatrixRow {
        route: route.to_string(),
        guard: Guard::Rules,
        rules: naming(rules, |own| own.covers(route), |_| false),
    };
    routes.into_iter().map(row).collect()
}

fn naming(
    rules: &Rules,
    is_whole: impl Fn(&RoutePattern) -> bool,
    is_part: impl Fn(&RoutePattern) -> bool,
) -> Vec<NamingRule<'_>> {
    let mut found = Vec::new();
    for rule in rules.as_slice() {
        let is_named_whole = rule.routes.iter().any(&is_whole);
        let parts: Vec<_> = rule.routes.iter().filter(|route| !is_named_whole && is_part(route)).collect();
        if is_named_whole || !parts.is_empty() {
            found.push(NamingRule { rule, parts });
        }
    }
    found
}

fn pattern(segments: &[ApiSegment]) -> PathPattern {
    let fixed = segments.iter().filter_map(|segment| match segment {
        ApiSegment::Literal(text) => Some(Segment::Literal(text.clone())),
        ApiSegment::Parameter => Some(Segment::Any),
        ApiSegment::Greedy => None,
    });
    PathPattern { segments: fixed.collect(), is_open: segments.last() == Some(&ApiSegment::Greedy) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const RULES: &str = "
        [[issuer]]
        url = 'https://login.example.com/'
        audience = 'orders-api'
        [[rule]]
        name = 'read'
        routes = ['GET /orders', 'GET /orders/{id}']
        requires = { scope = 'read' }
        [[rule]]
        name = 'own'
        routes = ['ANY /users/{claims.sub}']
        requires = 'authenticated'
        [[rule]]
        name = 'admin'
        routes = ['ANY /**']
        requires = { scope = 'admin' }
        [[rule]]
        name = 'guests'
        effect = 'deny'
        routes = ['GET /orders/{id}', '$connect']
        requires = { claim = 'guest', equals = true }
        ";

    fn shown(rows: &[MatrixRow<'_>]) -> Vec<String> {
        let rule = |naming: &NamingRule<'_>| naming.rule.name.clone();
        let line =
            |row: &MatrixRow<'_>| [vec![row.route.clone()], row.rules.iter().map(rule).collect()].concat();
        rows.iter().map(|row| line(row).join(" | ")).collect()
    }

    #[test]
    fn the_routes_of_rules_are_listed_once_each() {
        let config = Config::parse(RULES, None).unwrap();
        assert_eq!(
            shown(&matrix(config.compiler.rules(), None)),
            [
                "GET /orders | read | admin",
                "GET /orders/{id} | read | admin | guests",
                "ANY /users/{claims.sub} | own | admin",
                "ANY /** | admin",
                "$connect | guests",
            ]
        );
    }

    #[test]
    fn the_routes_of_an_api_have_the_rules_that_name_them_or_a_part() {
        let config = Config::parse(RULES, None).unwrap();
        let api = Api::parse(
            r#"{"openapi": "3.0.1",
                "paths": {
                    "/orders/{order}": {"get": {"security": [{"ours": []}]}},
                    "/users/{id}": {"get": {"security": [{"pool": []}]}},
                    "/files/{proxy+}": {"x-amazon-apigateway-any-method": {"security": [{"ours": []}]}},
                    "/health": {"get": {}}
                },
                "components": {"securitySchemes": {
                    "ours": {"x-amazon-apigateway-authorizer": {"type": "request"}},
                    "pool": {"x-amazon-apigateway-authtype": "cognito_user_pools",
                        "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools"}}
                }}}"#,
        )
        .unwrap();
        let rows = matrix(config.compiler.rules(), Some(&api));
        let of = |route: &str| rows.iter().find(|row| row.route == route).unwrap();
        let named = |route: &str| -> Vec<(&str, usize)> {
            of(route).rules.iter().map(|naming| (naming.rule.name.as_str(), naming.parts.len())).collect()
        };
        assert_eq!(named("GET /orders/{order}"), [("read", 0), ("admin", 0), ("guests", 0)]);
        assert_eq!(named("GET /users/{id}"), [("own", 1), ("admin", 0)]);
        assert_eq!(named("ANY /files/{proxy+}"), [("admin", 0)]);
        assert_eq!(of("GET /orders/{order}").guard, Guard::Rules);
        assert_eq!(of("GET /users/{id}").guard, Guard::Other("pool".into()));
        assert_eq!(of("GET /health").guard, Guard::Nobody);
    }

    #[test]
    fn a_default_route_is_one_row() {
        let config = Config::parse(RULES, None).unwrap();
        let api = Api::parse(
            r#"{"openapi": "3.0.1",
                "paths": {"/$default": {"x-amazon-apigateway-any-method": {}}, "/orders": {"get": {}}}}"#,
        )
        .unwrap();
        let rows = matrix(config.compiler.rules(), Some(&api));
        let routes: Vec<&str> = rows.iter().map(|row| row.route.as_str()).collect();
        assert_eq!(routes.iter().filter(|route| route.contains("$default")).count(), 1, "{routes:?}");
        assert_eq!(routes.len(), 2);
        let default = rows.iter().find(|row| row.route.contains("$default")).unwrap();
        let named: Vec<_> =
            default.rules.iter().map(|named| (named.rule.name.as_str(), named.parts.len())).collect();
        assert_eq!(named, [("read", 2), ("own", 1), ("admin", 0), ("guests", 1)]);
    }
}
