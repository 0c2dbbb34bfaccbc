//! Routes of the command line, as a description would have them: one reader for both.

use lambda_authorizer::check::{Api, AuthorizerKind};
use serde_json::{Map, Value, json};

use super::with;
use crate::Error;
use crate::commands::Misuse;

/// A description of these routes behind one authorizer, as OpenAPI and CloudFormation would write it.
///
/// # Errors
///
/// A route that API Gateway would not take.
pub(super) fn listed(
    routes: &[String],
    kind: AuthorizerKind,
    identity_sources: &[String],
    validation: Option<&str>,
    cache_seconds: u32,
) -> Result<Api, Error> {
    routes.iter().try_for_each(|route| well_written(route))?;
    let mut resources = Map::new();
    let (protocol, authorizer) = match kind {
        AuthorizerKind::WebSocket => ("WEBSOCKET", json!({"AuthorizerType": "REQUEST"})),
        AuthorizerKind::HttpVersion1 => ("HTTP", json!({"AuthorizerPayloadFormatVersion": "1.0"})),
        AuthorizerKind::HttpPolicy => ("HTTP", json!({"AuthorizerPayloadFormatVersion": "2.0"})),
        AuthorizerKind::HttpSimple => {
            ("HTTP", json!({"AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": true}))
        }
        AuthorizerKind::RestToken | AuthorizerKind::RestRequest | AuthorizerKind::Other => {
            return rest(routes, kind, identity_sources, validation, cache_seconds);
        }
    };
    resources.insert(
        "api".into(),
        json!({"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": protocol}}),
    );
    let properties = with(
        authorizer,
        [
            ("ApiId", json!({"Ref": "api"})),
            ("AuthorizerResultTtlInSeconds", cache_seconds.into()),
            ("IdentitySource", json!(identity_sources)),
        ],
    );
    resources.insert(
        "authorizer".into(),
        json!({"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": properties}),
    );
    for (place, route) in routes.iter().enumerate() {
        resources.insert(
            format!("route{place}"),
            json!({"Type": "AWS::ApiGatewayV2::Route", "Properties": {
                "ApiId": {"Ref": "api"},
                "RouteKey": route,
                "AuthorizationType": "CUSTOM",
                "AuthorizerId": {"Ref": "authorizer"},
            }}),
        );
    }
    parsed(&json!({"Resources": resources}), routes)
}

fn rest(
    routes: &[String],
    kind: AuthorizerKind,
    identity_sources: &[String],
    validation: Option<&str>,
    cache_seconds: u32,
) -> Result<Api, Error> {
    // In a REST API's words: the others would make the document one of an HTTP API's.
    let sources = identity_sources.iter().map(|source| match source.strip_prefix("$") {
        Some(source) if source.starts_with("request.") => format!("method.{source}"),
        Some(source) => source.to_owned(),
        None => source.clone(),
    });
    let extension = json!({
        "type": if kind == AuthorizerKind::RestToken { "token" } else { "request" },
        "identitySource": sources.collect::<Vec<_>>().join(", "),
        "authorizerResultTtlInSeconds": cache_seconds,
        "identityValidationExpression": validation,
    });
    let mut paths = Map::new();
    for route in routes {
        let (method, path) = route.split_once(' ').ok_or_else(|| no_route(route))?;
        let method = match method {
            "ANY" => "x-amazon-apigateway-any-method".to_owned(),
            method => method.to_ascii_lowercase(),
        };
        let item = paths.entry(path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(method, json!({}));
        }
    }
    let document = json!({
        "openapi": "3.0.1",
        "paths": paths,
        "security": [{"authorizer": []}],
        "components": {"securitySchemes": {"authorizer": {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "x-amazon-apigateway-authorizer": extension,
        }}},
    });
    parsed(&document, routes)
}

/// What API Gateway would take for something else than was meant.
fn well_written(route: &str) -> Result<(), Misuse> {
    let Some((_, path)) = route.split_once(' ') else {
        return if route.starts_with('$') { Ok(()) } else { Err(no_route(route)) };
    };
    if path.contains('*') {
        return Err(Misuse::new(format!(
            "`{route}`: `*` is no wildcard in a route of API Gateway's\nhint: write `{{proxy+}}` for the rest of a path, `{{id}}` for one segment"
        )));
    }
    if path.starts_with('/') { Ok(()) } else { Err(no_route(route)) }
}

fn no_route(route: &str) -> Misuse {
    Misuse::new(format!("`{route}` is no route of this kind of API\nhint: such as `GET /orders/{{id}}`"))
}

/// Every route that was asked for must be there: a typing error must not leave it out.
fn parsed(document: &Value, routes: &[String]) -> Result<Api, Error> {
    let api = Api::parse(&document.to_string())
        .map_err(|error| Misuse::new(format!("the routes cannot be served: {error}")))?;
    if let Some(note) = api.notes.iter().find(|note| note.is_gap) {
        return Err(Misuse::new(format!("{}: {}", note.place, note.message)).into());
    }
    let is_there = |key: &String| api.routes.iter().any(|route| route.key == *key);
    match routes.iter().find(|route| !is_there(route)) {
        Some(lost) => Err(no_route(lost).into()),
        None => Ok(api),
    }
}
