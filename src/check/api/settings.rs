//! What a description says of an API by itself: its stage, and the answers that need no backend.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::document::text;
use super::template::{Template, reference};
use super::{Api, cloudformation, sam};

/// What kind of API it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// A REST API.
    Rest,
    /// An HTTP API.
    Http,
    /// A WebSocket API.
    WebSocket,
}

/// An API by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its name in the description, as its routes have it.
    pub api: String,
    /// What kind of API it is.
    pub protocol: Protocol,
    /// The name of its stage, where the description tells.
    pub stage: Option<String>,
    /// The variables of its stage.
    pub stage_variables: BTreeMap<String, String>,
    /// What a REST API answers by itself, instead of API Gateway's own texts.
    pub responses: Vec<GatewayResponse>,
}

/// A gateway response of a REST API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayResponse {
    /// Its type, such as `UNAUTHORIZED` or `DEFAULT_4XX`.
    pub kind: String,
    /// Its status; `None` for that of the type.
    pub status: Option<u16>,
    /// The fixed headers that it has. Those that a mapping takes from the request are left out.
    pub headers: Vec<(String, String)>,
    /// The template of its JSON body; `None` for that of the type.
    pub template: Option<String>,
}

/// The answer of a route that needs no backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mock {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: String,
}

/// Of a document that is no part of a template.
pub(super) fn of_document(document: &Value, name: &str, protocol: Protocol, api: &mut Api) {
    let mut settings = Settings::new(name, protocol);
    settings.add_responses(document.get("x-amazon-apigateway-gateway-responses"));
    api.settings.push(settings);
}

/// Of the APIs of a template.
pub(super) fn of_template(template: &Template, api: &mut Api) {
    for (kind, global) in [("AWS::Serverless::Api", "Api"), ("AWS::Serverless::HttpApi", "HttpApi")] {
        for resource in template.of(kind) {
            let properties = sam::with_globals(template, global, &resource.properties);
            api.settings.push(Settings::declared(template, &resource.name, &properties));
        }
    }
    for kind in ["AWS::Serverless::WebSocketApi", "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"] {
        for resource in template.of(kind) {
            api.settings.push(Settings::declared(template, &resource.name, &resource.properties));
        }
    }
    for (name, protocol) in [("ServerlessRestApi", Protocol::Rest), ("ServerlessHttpApi", Protocol::Http)] {
        if api.routes.iter().any(|route| route.api == name) {
            api.settings.push(Settings::new(name, protocol));
        }
    }
    stages(template, api);
    responses(template, api);
}

/// The answer of an integration of type `mock`.
pub(super) fn mock(integration: Option<&Value>) -> Option<Mock> {
    let integration = integration?;
    let kind = text(member(integration, ["type", "Type"])).known()?;
    if !kind.eq_ignore_ascii_case("mock") {
        return None;
    }
    let responses = member(integration, ["responses", "IntegrationResponses"]);
    let response = match responses {
        Some(Value::Object(responses)) => responses.get("default").or_else(|| responses.values().next()),
        Some(Value::Array(responses)) => responses.first(),
        _ => None,
    };
    let of_response = |names| response.and_then(|response| member(response, names));
    let status = text(of_response(["statusCode", "StatusCode"])).known();
    let templates = of_response(["responseTemplates", "ResponseTemplates"]);
    Some(Mock {
        status: status.and_then(|status| status.parse().ok()).unwrap_or(200),
        body: templates.and_then(|templates| shown(templates.get(JSON)?)).unwrap_or_default(),
    })
}

const JSON: &str = "application/json";

impl Settings {
    fn new(name: &str, protocol: Protocol) -> Self {
        let (api, stage_variables) = (name.to_owned(), BTreeMap::new());
        Self { api, protocol, stage: None, stage_variables, responses: Vec::new() }
    }

    fn declared(template: &Template, name: &str, properties: &Value) -> Self {
        let protocol = cloudformation::protocol(template, name).unwrap_or(Protocol::WebSocket);
        let mut settings = Self::new(name, protocol);
        settings.deployed(properties);
        settings.add_responses(properties.get("GatewayResponses"));
        for document in ["DefinitionBody", "Body"] {
            let document = properties.get(document);
            settings
                .add_responses(document.and_then(|body| body.get("x-amazon-apigateway-gateway-responses")));
        }
        settings
    }

    fn deployed(&mut self, properties: &Value) {
        if let Some(stage) = text(properties.get("StageName")).known() {
            self.stage = Some(stage);
        }
        let variables = member(properties, ["Variables", "StageVariables"]).and_then(Value::as_object);
        for (name, value) in variables.into_iter().flatten() {
            if let Some(value) = text(Some(value)).known() {
                self.stage_variables.insert(name.clone(), value);
            }
        }
    }

    fn add_responses(&mut self, responses: Option<&Value>) {
        for (kind, response) in responses.and_then(Value::as_object).into_iter().flatten() {
            self.responses.push(GatewayResponse::read(kind, response));
        }
    }
}

impl GatewayResponse {
    fn read(kind: &str, response: &Value) -> Self {
        let status = text(member(response, ["statusCode", "StatusCode"])).known();
        let parameters = member(response, ["responseParameters", "ResponseParameters"]);
        let parameters = parameters.and_then(Value::as_object);
        let sam = parameters.and_then(|parameters| parameters.get("Headers")).and_then(Value::as_object);
        let plain = parameters
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.strip_prefix("gatewayresponse.header.")?, value)));
        let headers = sam.into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value));
        let headers = headers.chain(plain).filter_map(|(name, value)| {
            let value = shown(value)?;
            let fixed = value.strip_prefix('\'')?.strip_suffix('\'')?;
            Some((name.to_owned(), fixed.to_owned()))
        });
        let templates = member(response, ["responseTemplates", "ResponseTemplates"]);
        Self {
            kind: kind.to_owned(),
            status: status.and_then(|status| status.parse().ok()),
            headers: headers.collect(),
            template: templates.and_then(|templates| shown(templates.get(JSON)?)),
        }
    }
}

fn stages(template: &Template, api: &mut Api) {
    for (kind, id) in [
        ("AWS::ApiGateway::Deployment", "RestApiId"),
        ("AWS::ApiGateway::Stage", "RestApiId"),
        ("AWS::ApiGatewayV2::Stage", "ApiId"),
    ] {
        for stage in template.of(kind) {
            if let Some(settings) = of_api(stage.properties.get(id), api) {
                settings.deployed(&stage.properties);
            }
        }
    }
}

fn responses(template: &Template, api: &mut Api) {
    for response in template.of("AWS::ApiGateway::GatewayResponse") {
        let kind = text(response.properties.get("ResponseType")).known();
        let settings = of_api(response.properties.get("RestApiId"), api);
        if let (Some(kind), Some(settings)) = (kind, settings) {
            settings.responses.push(GatewayResponse::read(&kind, &response.properties));
        }
    }
}

fn of_api<'a>(id: Option<&Value>, api: &'a mut Api) -> Option<&'a mut Settings> {
    let name = reference(id).or_else(|| id.and_then(Value::as_str))?;
    api.settings.iter_mut().find(|settings| settings.api == name)
}

/// A member in OpenAPI's spelling, or in CloudFormation's.
fn member<'a>(value: &'a Value, names: [&str; 2]) -> Option<&'a Value> {
    names.into_iter().find_map(|name| value.get(name))
}

/// A text as it can be shown: what only a deployment knows stays as the template has it.
fn shown(value: &Value) -> Option<String> {
    let substituted = || value.get("Fn::Sub").and_then(Value::as_str).map(str::to_owned);
    text(Some(value)).known().or_else(substituted)
}
