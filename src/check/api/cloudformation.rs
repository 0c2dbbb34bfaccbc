//! The resources of CloudFormation's: `AWS::ApiGateway::…` and `AWS::ApiGatewayV2::…`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::{Said, boolean, seconds, text, texts};
use super::openapi::{self, Reader, add_iam, add_other, gateway, http_kind, other, unknown};
use super::path::{self, RouteKey};
use super::settings::{self, Protocol};
use super::template::{Resource, Template, is_root, reference};
use super::{Api, ApiError, ApiRoute, Authorizer, AuthorizerKind};
use crate::rules::Methods;

pub(super) fn read(template: &Template, api: &mut Api) -> Result<(), ApiError> {
    for authorizer in template.of("AWS::ApiGateway::Authorizer") {
        rest_authorizer(authorizer, api);
    }
    for authorizer in template.of("AWS::ApiGatewayV2::Authorizer") {
        second_authorizer(template, authorizer, api);
    }
    for kind in ["AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"] {
        for resource in template.of(kind) {
            document(template, resource, api)?;
        }
    }
    for method in template.of("AWS::ApiGateway::Method") {
        rest_method(template, method, api);
    }
    for route in template.of("AWS::ApiGatewayV2::Route") {
        second_route(template, route, api);
    }
    Ok(())
}

/// The routes that an API has by a document of its own.
fn document(template: &Template, resource: &Resource, api: &mut Api) -> Result<(), ApiError> {
    if resource.properties.get("BodyS3Location").is_some() {
        api.gap(resource.place.at("BodyS3Location"), "its routes are in another file: check that one, too");
    }
    let Some(document) = resource.properties.get("Body") else { return Ok(()) };
    let protocol = protocol(template, &resource.name).unwrap_or(Protocol::Rest);
    let reader = Reader { document, name: resource.name.clone(), protocol, default: Said::Nothing };
    reader.read(&resource.place.at("Body"), api)
}

pub(super) fn protocol(template: &Template, name: &str) -> Option<Protocol> {
    let kind = |kind| template.named(name, kind);
    if kind("AWS::ApiGateway::RestApi").is_some() || kind("AWS::Serverless::Api").is_some() {
        return Some(Protocol::Rest);
    }
    if kind("AWS::Serverless::HttpApi").is_some() {
        return Some(Protocol::Http);
    }
    let second = kind("AWS::ApiGatewayV2::Api")?;
    match text(second.properties.get("ProtocolType")).known().as_deref() {
        Some("WEBSOCKET") => Some(Protocol::WebSocket),
        _ => Some(Protocol::Http),
    }
}

/// The API that a resource is of.
fn api_of<'a>(resource: &'a Resource, member: &str, api: &mut Api) -> Option<&'a str> {
    let id = resource.properties.get(member);
    let name = reference(id).or_else(|| id.and_then(Value::as_str));
    if name.is_none() {
        api.gap(resource.place.at(member), "of which API it is cannot be told");
    }
    name
}

fn rest_authorizer(resource: &Resource, api: &mut Api) {
    let Some(name) = api_of(resource, "RestApiId", api) else { return };
    let properties = &resource.properties;
    let place = format!("authorizer `{}`", resource.name);
    let kind = match text(properties.get("Type")) {
        Said::This(kind) if kind == "TOKEN" => AuthorizerKind::RestToken,
        Said::This(kind) if kind == "REQUEST" => AuthorizerKind::RestRequest,
        Said::This(_) | Said::Nothing => {
            api.authorizers.push(other(name, &resource.name));
            return;
        }
        Said::Unknown => {
            api.gap(&place, "its type cannot be told; it is taken for REQUEST");
            AuthorizerKind::RestRequest
        }
    };
    let ttl = seconds(properties.get("AuthorizerResultTtlInSeconds"));
    let gateway = gateway(kind, ttl, texts(properties.get("IdentitySource")), &place, api);
    let validation = text(properties.get("IdentityValidationExpression")).known();
    let (name, own) = (name.to_owned(), resource.name.clone());
    api.authorizers.push(Authorizer { api: name, name: own, kind, gateway, validation });
}

fn second_authorizer(template: &Template, resource: &Resource, api: &mut Api) {
    let Some(name) = api_of(resource, "ApiId", api) else { return };
    let properties = &resource.properties;
    let place = format!("authorizer `{}`", resource.name);
    if matches!(text(properties.get("AuthorizerType")), Said::This(kind) if kind != "REQUEST") {
        api.authorizers.push(other(name, &resource.name));
        return;
    }
    let is_websocket = match protocol(template, name) {
        Some(protocol) => protocol == Protocol::WebSocket,
        // An HTTP API's must say so.
        None => properties.get("AuthorizerPayloadFormatVersion").is_none(),
    };
    let kind = match is_websocket {
        true => AuthorizerKind::WebSocket,
        false => http_kind(
            text(properties.get("AuthorizerPayloadFormatVersion")),
            boolean(properties.get("EnableSimpleResponses")),
            &place,
            api,
        ),
    };
    let ttl = seconds(properties.get("AuthorizerResultTtlInSeconds"));
    let gateway = gateway(kind, ttl, texts(properties.get("IdentitySource")), &place, api);
    let validation = text(properties.get("IdentityValidationExpression")).known();
    let (name, own) = (name.to_owned(), resource.name.clone());
    api.authorizers.push(Authorizer { api: name, name: own, kind, gateway, validation });
}

fn rest_method(template: &Template, resource: &Resource, api: &mut Api) {
    let Some(name) = api_of(resource, "RestApiId", api) else { return };
    let properties = &resource.properties;
    let methods = text(properties.get("HttpMethod")).known().and_then(|method| path::methods(&method));
    let parts = parts(template, properties.get("ResourceId"));
    let segments = parts.as_ref().and_then(|parts| parts.iter().map(|part| path::segment(part)).collect());
    let (Some(methods), Some(parts), Some(segments)) = (methods, parts, segments) else {
        api.gap(&resource.place, "its path and method cannot be told");
        return;
    };
    let place = format!("{methods} /{}", parts.join("/"));
    let authorizer = authorizer(resource, name, (&place, Protocol::Rest), api);
    let mock = settings::mock(properties.get("Integration"));
    let (name, key, path) = (name.to_owned(), place.clone(), Some(segments));
    api.routes.push(ApiRoute { api: name, key, methods, path, authorizer, mock, place });
}

/// The path of a resource, by its parents. `None` for a chain that has no end, or leaves the template.
fn parts(template: &Template, resource: Option<&Value>) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = resource;
    while !is_root(next) {
        let name = reference(next)?;
        if !seen.insert(name) {
            return None;
        }
        let resource = template.named(name, "AWS::ApiGateway::Resource")?;
        parts.push(text(resource.properties.get("PathPart")).known()?);
        next = resource.properties.get("ParentId");
    }
    parts.reverse();
    Some(parts)
}

fn second_route(template: &Template, resource: &Resource, api: &mut Api) {
    let Some(name) = api_of(resource, "ApiId", api) else { return };
    let protocol = protocol(template, name).unwrap_or(Protocol::Http);
    let Some(key) = text(resource.properties.get("RouteKey")).known() else {
        api.gap(resource.place.at("RouteKey"), "it cannot be told");
        return;
    };
    let (methods, paths) = match path::route_key(&key, protocol == Protocol::WebSocket) {
        Some(RouteKey::Connect) => (Methods::NONE, vec![None]),
        Some(RouteKey::Paths(methods, paths)) => (methods, paths.into_iter().map(Some).collect()),
        Some(RouteKey::Message) => return,
        None => {
            api.gap(resource.place.at("RouteKey"), format!("`{key}` is no route key"));
            return;
        }
    };
    let authorizer = authorizer(resource, name, (&key, protocol), api);
    for path in paths {
        let (name, authorizer, place) = (name.to_owned(), authorizer.clone(), key.clone());
        let key = key.clone();
        api.routes.push(ApiRoute { api: name, key, methods, path, authorizer, mock: None, place });
    }
}

/// What no Lambda function decides about, whichever authorizer it is.
const OF_POOLS: [&str; 2] = ["JWT", "COGNITO_USER_POOLS"];

/// The authorizer of a method or a route.
fn authorizer(
    resource: &Resource,
    name: &str,
    (route, protocol): (&str, Protocol),
    api: &mut Api,
) -> Option<String> {
    let properties = &resource.properties;
    match text(properties.get("AuthorizationType")) {
        Said::This(kind) if kind == "NONE" => None,
        Said::Nothing => None,
        Said::This(kind) if kind == openapi::IAM => Some(add_iam(name, api)),
        Said::This(_) | Said::Unknown => {
            let id = properties.get("AuthorizerId");
            let known = reference(id).or_else(|| id.and_then(Value::as_str)).filter(|id| {
                api.authorizers.iter().any(|authorizer| authorizer.api == name && authorizer.name == *id)
            });
            match (known, text(properties.get("AuthorizationType"))) {
                (Some(known), _) => Some(known.to_owned()),
                (None, Said::This(kind)) if OF_POOLS.contains(&kind.as_str()) => {
                    Some(add_other(name, &kind, api))
                }
                (None, _) => Some(unknown(name, &format!("{route} of `{name}`"), protocol, api)),
            }
        }
    }
}
