//! The resources of SAM's: `AWS::Serverless::Api`, `HttpApi`, `WebSocketApi`, and the events of functions.

use serde_json::{Map, Value};

use super::document::{Place, Said, boolean, seconds, text, texts};
use super::openapi::{self, Reader, add_iam, gateway, http_kind, other, unknown};
use super::path::{self, RouteKey};
use super::settings::{Mock, Protocol};
use super::template::{Resource, Template, reference};
use super::{Api, ApiError, ApiRoute, Authorizer, AuthorizerKind};
use crate::rules::Methods;

/// An API, and what SAM adds to its routes.
struct Served {
    name: String,
    protocol: Protocol,
    auth: Value,
    has_cors: bool,
}

pub(super) fn read(template: &Template, api: &mut Api) -> Result<(), ApiError> {
    let mut served = Vec::new();
    for (kind, global, protocol) in [
        ("AWS::Serverless::Api", "Api", Protocol::Rest),
        ("AWS::Serverless::HttpApi", "HttpApi", Protocol::Http),
    ] {
        for resource in template.of(kind) {
            let properties = with_globals(template, global, &resource.properties);
            served.push(declared(resource, protocol, &properties, api)?);
        }
    }
    for resource in template.of("AWS::Serverless::WebSocketApi") {
        websocket(resource, api);
    }
    for function in template.of("AWS::Serverless::Function") {
        let place = function.place.at("Events");
        for (name, event) in place.members(function.properties.get("Events"))? {
            let protocol = match event.get("Type").and_then(Value::as_str) {
                Some("Api") => Protocol::Rest,
                Some("HttpApi") => Protocol::Http,
                _ => continue,
            };
            let event = Event { place: place.at(name), properties: event.get("Properties"), protocol };
            event.read(template, &mut served, api)?;
        }
    }
    for served in served.iter().filter(|served| served.has_cors) {
        served.add_preflights(api);
    }
    Ok(())
}

/// Globals, and what a resource says beside them or instead.
pub(super) fn with_globals(template: &Template, name: &str, properties: &Value) -> Value {
    let mut merged = template.globals.get(name).cloned().unwrap_or_default();
    merge(&mut merged, properties);
    merged
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (_, Value::Null) => {}
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// An API that is a resource of the template: its authorizers, and the routes of its document.
fn declared(
    resource: &Resource,
    protocol: Protocol,
    properties: &Value,
    api: &mut Api,
) -> Result<Served, ApiError> {
    let served = Served::new(&resource.name, protocol, properties);
    served.add_authorizers(&resource.place, api)?;
    if properties.get("DefinitionUri").is_some() {
        let message = "its routes are in another file: check that one, too";
        api.gap(resource.place.at("DefinitionUri"), message);
    }
    if let Some(document) = properties.get("DefinitionBody") {
        let place = resource.place.at("DefinitionBody");
        if document.get("Fn::Transform").is_some() {
            api.gap(&place, "its routes are in another file: check that one, too");
        }
        let default = text(served.auth.get("DefaultAuthorizer"));
        let reader = Reader { document, name: resource.name.clone(), protocol, default };
        reader.read(&place, api)?;
    }
    Ok(served)
}

impl Served {
    fn new(name: &str, protocol: Protocol, properties: &Value) -> Self {
        let auth = properties.get("Auth").cloned().unwrap_or_default();
        let has_cors = protocol == Protocol::Rest && properties.get("Cors").is_some();
        Self { name: name.to_owned(), protocol, auth, has_cors }
    }

    fn add_authorizers(&self, place: &Place, api: &mut Api) -> Result<(), ApiError> {
        let place = place.at("Auth").at("Authorizers");
        for (name, authorizer) in place.members(self.auth.get("Authorizers"))? {
            let authorizer = self.authorizer(name, authorizer, api);
            api.authorizers.push(authorizer);
        }
        Ok(())
    }

    fn authorizer(&self, name: &str, properties: &Value, api: &mut Api) -> Authorizer {
        if properties.get("FunctionArn").is_none() {
            return other(&self.name, name);
        }
        let place = format!("authorizer `{name}`");
        let kind = match self.protocol {
            Protocol::Rest => match text(properties.get("FunctionPayloadType")) {
                Said::This(kind) if kind.eq_ignore_ascii_case("REQUEST") => AuthorizerKind::RestRequest,
                Said::This(_) | Said::Nothing => AuthorizerKind::RestToken,
                Said::Unknown => {
                    api.gap(&place, "its payload type cannot be told; it is taken for REQUEST");
                    AuthorizerKind::RestRequest
                }
            },
            Protocol::Http | Protocol::WebSocket => http_kind(
                text(properties.get("AuthorizerPayloadFormatVersion")),
                boolean(properties.get("EnableSimpleResponses")),
                &place,
                api,
            ),
        };
        let identity = properties.get("Identity").unwrap_or(&Value::Null);
        let sources = match kind {
            AuthorizerKind::RestToken => {
                let default = Said::This("Authorization".to_owned());
                let header = text(identity.get("Header")).or(default);
                header.map(|header| vec![format!("method.request.header.{header}")])
            }
            AuthorizerKind::RestRequest
            | AuthorizerKind::HttpVersion1
            | AuthorizerKind::HttpPolicy
            | AuthorizerKind::HttpSimple
            | AuthorizerKind::WebSocket
            | AuthorizerKind::Other => identity_sources(identity),
        };
        let ttl = seconds(identity.get("ReauthorizeEvery"));
        let gateway = gateway(kind, ttl, sources, &place, api);
        let validation = text(identity.get("ValidationExpression")).known();
        Authorizer { api: self.name.clone(), name: name.to_owned(), kind, gateway, validation }
    }

    /// A browser asks with OPTIONS before it asks, and SAM adds the routes for that.
    fn add_preflights(&self, api: &mut Api) {
        let default = text(self.auth.get("DefaultAuthorizer"));
        let setting = boolean(self.auth.get("AddDefaultAuthorizerToCorsPreflight"));
        let (Said::This(default), Said::This(true) | Said::Nothing | Said::Unknown) = (default, setting)
        else {
            return;
        };
        let options = path::methods("OPTIONS").unwrap_or_default();
        let mut added: Vec<ApiRoute> = Vec::new();
        let own = |route: &&ApiRoute| route.api == self.name && route.path.is_some();
        for route in api.routes.iter().filter(own) {
            let is_there = |other: &ApiRoute| {
                other.api == route.api && other.path == route.path && !other.methods.and(options).is_empty()
            };
            if !api.routes.iter().chain(&added).any(is_there) {
                let path = route.place.split_once(' ').map_or("", |(_, path)| path);
                added.push(ApiRoute {
                    key: format!("OPTIONS {path}"),
                    methods: options,
                    authorizer: Some(default.clone()),
                    mock: Some(Mock { status: 200, body: String::new() }),
                    place: format!("OPTIONS {path}"),
                    ..route.clone()
                });
            }
        }
        api.routes.extend(added);
    }
}

/// The `Identity` of an authorizer that takes several sources.
fn identity_sources(identity: &Value) -> Said<Vec<String>> {
    let mut sources = Vec::new();
    for (member, prefix) in [
        ("Headers", "$request.header."),
        ("QueryStrings", "$request.querystring."),
        ("StageVariables", "$stageVariables."),
        ("Context", "$context."),
    ] {
        match texts(identity.get(member)) {
            Said::This(names) => {
                let bare = |name: String| name.strip_prefix("$context.").map(str::to_owned).unwrap_or(name);
                sources.extend(names.into_iter().map(|name| format!("{prefix}{}", bare(name))));
            }
            Said::Nothing => {}
            Said::Unknown => return Said::Unknown,
        }
    }
    if sources.is_empty() { Said::Nothing } else { Said::This(sources) }
}

/// `AWS::Serverless::WebSocketApi`: one authorizer, on `$connect`.
fn websocket(resource: &Resource, api: &mut Api) {
    let auth = resource.properties.get("Auth").unwrap_or(&Value::Null);
    let authorizer = match text(auth.get("AuthType")) {
        Said::This(kind) if kind == "CUSTOM" => {
            let name = text(auth.get("Name")).known().unwrap_or_else(|| "authorizer".to_owned());
            let sources = texts(auth.get("IdentitySource"));
            let kind = AuthorizerKind::WebSocket;
            let gateway = gateway(kind, Said::Nothing, sources, &format!("authorizer `{name}`"), api);
            api.authorizers.push(Authorizer {
                api: resource.name.clone(),
                name: name.clone(),
                kind,
                gateway,
                validation: None,
            });
            Some(name)
        }
        Said::This(kind) if kind == openapi::IAM => Some(add_iam(&resource.name, api)),
        Said::This(_) | Said::Nothing => None,
        Said::Unknown => Some(unknown(&resource.name, "$connect", Protocol::WebSocket, api)),
    };
    let route = ApiRoute {
        api: resource.name.clone(),
        key: "$connect".to_owned(),
        methods: Methods::NONE,
        path: None,
        authorizer,
        mock: None,
        place: "$connect".to_owned(),
    };
    api.routes.push(route);
}

/// An event of a function: one route.
struct Event<'a> {
    place: Place,
    properties: Option<&'a Value>,
    protocol: Protocol,
}

impl Event<'_> {
    fn read(&self, template: &Template, served: &mut Vec<Served>, api: &mut Api) -> Result<(), ApiError> {
        let nothing = Value::Object(Map::new());
        let properties = self.properties.unwrap_or(&nothing);
        let (member, implicit, global) = match self.protocol {
            Protocol::Rest => ("RestApiId", "ServerlessRestApi", "Api"),
            Protocol::Http | Protocol::WebSocket => ("ApiId", "ServerlessHttpApi", "HttpApi"),
        };
        let name = match properties.get(member) {
            None => implicit,
            Some(id) => match reference(Some(id)).or(id.as_str()) {
                Some(name) => name,
                None => {
                    api.gap(&self.place, "of which API it is a route cannot be told");
                    return Ok(());
                }
            },
        };
        if !served.iter().any(|served| served.name == name) {
            // SAM makes an API of its own, or it is one of a kind that has no authorizers of SAM's.
            let globals =
                if name == implicit { with_globals(template, global, &Value::Null) } else { Value::Null };
            let implicit = Served::new(name, self.protocol, &globals);
            implicit.add_authorizers(&Place::root().at("Globals").at(global), api)?;
            served.push(implicit);
        }
        let Some(served) = served.iter().find(|served| served.name == name) else { return Ok(()) };
        let Some(RouteKey::Paths(methods, paths)) = self.route_key(properties) else {
            api.gap(&self.place, "its path and method cannot be told");
            return Ok(());
        };
        let path = text(properties.get("Path")).known();
        let place = path.map_or_else(|| path::DEFAULT.to_owned(), |path| format!("{methods} {path}"));
        let authorizer = self.authorizer(served, properties, &place, api);
        for path in paths {
            // SAM writes the event over the operation of the document.
            let same = |route: &ApiRoute| {
                route.api == name && route.path.as_ref() == Some(&path) && route.methods == methods
            };
            api.routes.retain(|route| !same(route));
            api.routes.push(ApiRoute {
                api: name.to_owned(),
                key: place.clone(),
                methods,
                path: Some(path),
                authorizer: authorizer.clone(),
                mock: None,
                place: place.clone(),
            });
        }
        Ok(())
    }

    fn route_key(&self, properties: &Value) -> Option<RouteKey> {
        match (text(properties.get("Method")), text(properties.get("Path"))) {
            (Said::This(method), Said::This(path)) => {
                Some(RouteKey::Paths(path::methods(&method)?, vec![path::segments(&path)?]))
            }
            (Said::Nothing, Said::Nothing) if self.protocol == Protocol::Http => {
                Some(RouteKey::Paths(Methods::ANY, path::everything()))
            }
            (Said::Nothing, Said::This(path)) if self.protocol == Protocol::Http => {
                Some(RouteKey::Paths(Methods::ANY, vec![path::segments(&path)?]))
            }
            _ => None,
        }
    }

    fn authorizer(&self, served: &Served, properties: &Value, place: &str, api: &mut Api) -> Option<String> {
        let own = text(properties.get("Auth").and_then(|auth| auth.get("Authorizer")));
        let said = own.or(text(served.auth.get("DefaultAuthorizer")));
        match said {
            Said::Nothing => None,
            Said::Unknown => Some(unknown(&served.name, place, self.protocol, api)),
            Said::This(name) if name == "NONE" => None,
            Said::This(name) if name == openapi::IAM => Some(add_iam(&served.name, api)),
            Said::This(name) => Some(name),
        }
    }
}
