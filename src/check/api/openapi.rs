//! OpenAPI documents with API Gateway's extensions.

use serde_json::Value;

use super::document::{Place, Said, boolean, seconds, text, texts};
use super::path;
use super::settings::{self, Protocol};
use super::{Api, ApiError, ApiRoute, Authorizer, AuthorizerKind};
use crate::config::{Gateway, IdentityExpression};

/// Reads a document into an [`Api`].
pub(super) struct Reader<'a> {
    pub(super) document: &'a Value,
    /// What its API is called.
    pub(super) name: String,
    pub(super) protocol: Protocol,
    /// What an operation without security has: SAM's `DefaultAuthorizer`.
    pub(super) default: Said<String>,
}

/// The API of a document that is no part of a template.
const ALONE: &str = "openapi";

/// API Gateway's, where nobody says.
pub(super) const REST_CACHE_SECONDS: u32 = 300;

/// The authorizer of a route whose authorization is IAM's.
pub(super) const IAM: &str = "AWS_IAM";

const EXTENSION: &str = "x-amazon-apigateway-authorizer";

impl<'a> Reader<'a> {
    /// Of a document by itself, whose extensions tell what kind of API it is.
    pub(super) fn alone(document: &'a Value) -> Self {
        let is_http = schemes(document).filter_map(|(_, scheme)| scheme.get(EXTENSION)).any(|authorizer| {
            let sources = texts(authorizer.get("identitySource")).known().unwrap_or_default();
            authorizer.get("authorizerPayloadFormatVersion").is_some()
                || authorizer.get("type").and_then(Value::as_str) == Some("jwt")
                || sources.iter().any(|source| source.starts_with('$'))
        });
        let paths = document.get("paths");
        let has_default =
            ["/$default", "$default"].iter().any(|key| paths.is_some_and(|paths| paths.get(key).is_some()));
        let is_http = is_http || has_default || document.get("x-amazon-apigateway-cors").is_some();
        let protocol = if is_http { Protocol::Http } else { Protocol::Rest };
        Self { document, name: ALONE.to_owned(), protocol, default: Said::Nothing }
    }

    pub(super) fn read(&self, place: &Place, api: &mut Api) -> Result<(), ApiError> {
        for (name, scheme) in schemes(self.document) {
            let kind = scheme.get("x-amazon-apigateway-authtype").and_then(Value::as_str);
            match scheme.get(EXTENSION) {
                Some(authorizer) => {
                    let authorizer = self.authorizer(name, scheme, authorizer, api);
                    api.authorizers.push(authorizer);
                }
                None if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("awsSigv4")) => {
                    api.authorizers.push(other(&self.name, name));
                }
                // API Gateway takes no notice of it.
                None => {}
            }
        }
        let place = place.at("paths");
        for (path, item) in place.members(self.document.get("paths"))? {
            self.item(&place, path, item, api)?;
        }
        Ok(())
    }

    fn item(&self, place: &Place, path: &str, item: &Value, api: &mut Api) -> Result<(), ApiError> {
        if path.starts_with("Fn::") || path.starts_with("x-") {
            api.gap(place.at(path), "its paths are not in the description");
            return Ok(());
        }
        let place = place.at(path);
        let paths = match path {
            "$default" | "/$default" if self.protocol == Protocol::Http => path::everything(),
            path => match path::segments(path) {
                Some(segments) => vec![segments],
                None => {
                    let message = "it is no path of API Gateway's, such as `/orders/{id}`";
                    return Err(ApiError::Shape { place: place.to_string(), message });
                }
            },
        };
        for (method, operation) in place.members(Some(item))? {
            if method == "$ref" || method.starts_with("Fn::") {
                api.gap(place.at(method), "what it stands for is not in the description");
            }
            let Some(methods) = path::methods(method) else { continue };
            let place = format!("{methods} {path}");
            let authorizer = self.security(operation, &place, api);
            let key = if path.ends_with("$default") { path::DEFAULT.to_owned() } else { place.clone() };
            let mock = settings::mock(operation.get("x-amazon-apigateway-integration"));
            api.routes.extend(paths.iter().map(|path| ApiRoute {
                api: self.name.clone(),
                key: key.clone(),
                methods,
                path: Some(path.clone()),
                authorizer: authorizer.clone(),
                mock: mock.clone(),
                place: place.clone(),
            }));
        }
        Ok(())
    }

    /// The authorizer of an operation.
    fn security(&self, operation: &Value, place: &str, api: &mut Api) -> Option<String> {
        let auth = operation.get("x-amazon-apigateway-auth").and_then(|auth| auth.get("type"));
        match text(auth) {
            Said::This(kind) if kind.eq_ignore_ascii_case("NONE") => return None,
            Said::This(kind) if kind.eq_ignore_ascii_case(IAM) => {
                return Some(add_iam(&self.name, api));
            }
            Said::This(_) | Said::Nothing | Said::Unknown => {}
        }
        let alternatives = match operation.get("security").or_else(|| self.document.get("security")) {
            None => return self.default_authorizer(place, api),
            Some(Value::Array(alternatives)) => alternatives,
            Some(_) => return Some(unknown(&self.name, place, self.protocol, api)),
        };
        let names: Vec<&String> =
            alternatives.iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys).collect();
        let is_known = |name: &&&String| {
            api.authorizers.iter().any(|authorizer| authorizer.api == self.name && authorizer.name == ***name)
        };
        let known: Vec<_> = names.iter().filter(is_known).map(|name| (*name).clone()).collect();
        if known.len() > 1 {
            api.gap(
                place,
                "it has several authorizers, of which API Gateway takes one; the first is looked at",
            );
        }
        // SAM says so of a route without an authorizer.
        let is_undefined =
            |name: &&String| *name != "NONE" && schemes(self.document).all(|(defined, _)| defined != *name);
        if known.is_empty() && names.iter().any(is_undefined) {
            return Some(unknown(&self.name, place, self.protocol, api));
        }
        known.into_iter().next()
    }

    fn default_authorizer(&self, place: &str, api: &mut Api) -> Option<String> {
        match &self.default {
            Said::Nothing => None,
            Said::Unknown => Some(unknown(&self.name, place, self.protocol, api)),
            Said::This(name) if name == IAM => Some(add_iam(&self.name, api)),
            Said::This(name) if name == "NONE" => None,
            Said::This(name) => Some(name.clone()),
        }
    }

    fn authorizer(&self, name: &str, scheme: &Value, extension: &Value, api: &mut Api) -> Authorizer {
        let kind = match (self.protocol, text(extension.get("type"))) {
            (Protocol::Rest, Said::This(kind)) if kind.eq_ignore_ascii_case("token") => {
                AuthorizerKind::RestToken
            }
            (_, Said::This(kind)) if !kind.eq_ignore_ascii_case("request") => {
                return other(&self.name, name);
            }
            (Protocol::Rest, _) => AuthorizerKind::RestRequest,
            (Protocol::WebSocket, _) => AuthorizerKind::WebSocket,
            (Protocol::Http, _) => http_kind(
                text(extension.get("authorizerPayloadFormatVersion")),
                boolean(extension.get("enableSimpleResponses")),
                &format!("authorizer `{name}`"),
                api,
            ),
        };
        let mut sources = texts(extension.get("identitySource"));
        if kind == AuthorizerKind::RestToken && sources == Said::Nothing {
            sources = match text(scheme.get("name")) {
                Said::This(header) => Said::This(vec![format!("method.request.header.{header}")]),
                Said::Nothing | Said::Unknown => sources,
            };
        }
        let ttl = seconds(extension.get("authorizerResultTtlInSeconds"));
        let gateway = gateway(kind, ttl, sources, &format!("authorizer `{name}`"), api);
        let validation = text(extension.get("identityValidationExpression")).known();
        Authorizer { api: self.name.clone(), name: name.to_owned(), kind, gateway, validation }
    }
}

/// The security schemes of OpenAPI 3, and of 2.
fn schemes(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let third = document.get("components").and_then(|components| components.get("securitySchemes"));
    let second = document.get("securityDefinitions");
    [third, second].into_iter().flatten().filter_map(Value::as_object).flatten()
}

/// An authorizer that is none of this function's.
pub(super) fn other(api: &str, name: &str) -> Authorizer {
    let gateway = Gateway::default();
    let (api, name) = (api.to_owned(), name.to_owned());
    Authorizer { api, name, kind: AuthorizerKind::Other, gateway, validation: None }
}

/// The authorization of IAM's, as an authorizer.
pub(super) fn add_iam(api_name: &str, api: &mut Api) -> String {
    add_other(api_name, IAM, api)
}

/// An authorizer that is none of this function's, by the name of its kind.
pub(super) fn add_other(api_name: &str, kind: &str, api: &mut Api) -> String {
    add(other(api_name, kind), api)
}

/// An authorizer that cannot be told: taken for this function's, and for one that caches.
pub(super) fn unknown(api_name: &str, place: &str, protocol: Protocol, api: &mut Api) -> String {
    api.gap(place, "which authorizer it has cannot be told; it is taken for this function's");
    let kind = match protocol {
        Protocol::Rest => AuthorizerKind::RestRequest,
        Protocol::Http => AuthorizerKind::HttpPolicy,
        Protocol::WebSocket => AuthorizerKind::WebSocket,
    };
    let (gateway, name) = (Gateway::default(), "(unknown)".to_owned());
    add(Authorizer { api: api_name.to_owned(), name, kind, gateway, validation: None }, api)
}

fn add(authorizer: Authorizer, api: &mut Api) -> String {
    let name = authorizer.name.clone();
    if !api.authorizers.contains(&authorizer) {
        api.authorizers.push(authorizer);
    }
    name
}

/// What an HTTP API's authorizer answers with.
pub(super) fn http_kind(
    version: Said<String>,
    is_simple: Said<bool>,
    place: &str,
    api: &mut Api,
) -> AuthorizerKind {
    match (version, is_simple) {
        (Said::This(version), _) if version.starts_with('1') => AuthorizerKind::HttpVersion1,
        (_, Said::This(true)) => AuthorizerKind::HttpSimple,
        (_, Said::This(false) | Said::Nothing) => AuthorizerKind::HttpPolicy,
        (_, Said::Unknown) => {
            api.gap(
                place,
                "whether it has simple responses cannot be told; it is taken for one with policies",
            );
            AuthorizerKind::HttpPolicy
        }
    }
}

/// How an authorizer's answers are cached.
pub(super) fn gateway(
    kind: AuthorizerKind,
    ttl: Said<u32>,
    sources: Said<Vec<String>>,
    place: &str,
    api: &mut Api,
) -> Gateway {
    let identity_sources = match sources {
        Said::This(texts) => {
            let mut expressions: Vec<IdentityExpression> = Vec::new();
            for text in texts {
                match text.parse() {
                    Ok(expression) => expressions.push(expression),
                    Err(_) => api.gap(place, format!("its identity source `{text}` cannot be read")),
                }
            }
            Some(expressions)
        }
        Said::Nothing => Some(Vec::new()),
        Said::Unknown => {
            api.gap(place, "its identity sources cannot be told");
            None
        }
    };
    let is_http = matches!(
        kind,
        AuthorizerKind::HttpPolicy | AuthorizerKind::HttpSimple | AuthorizerKind::HttpVersion1
    );
    let cache_seconds = match ttl {
        // WebSocket APIs have no cache.
        _ if kind == AuthorizerKind::WebSocket => Some(0),
        Said::This(seconds) => Some(seconds),
        // There is nothing to keep answers by.
        Said::Nothing if is_http && identity_sources.as_ref().is_some_and(Vec::is_empty) => Some(0),
        Said::Nothing if is_http => None,
        Said::Nothing => Some(REST_CACHE_SECONDS),
        Said::Unknown => {
            api.gap(place, "how long it caches cannot be told; it is taken for one that does");
            None
        }
    };
    Gateway { cache_seconds, identity_sources }
}
