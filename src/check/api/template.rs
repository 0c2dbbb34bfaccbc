//! Templates of CloudFormation's, with SAM's transform or without: what their functions stand for, and their
//! resources.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::document::Place;
use super::{Api, ApiError, Note, cloudformation, sam, settings};

/// A template whose parameters have their defaults.
pub(super) struct Template {
    pub(super) resources: Vec<Resource>,
    /// SAM's `Globals`.
    pub(super) globals: Value,
}

/// A resource of a template.
pub(super) struct Resource {
    /// Its logical ID.
    pub(super) name: String,
    /// Its type, such as `AWS::Serverless::Api`.
    pub(super) kind: String,
    pub(super) properties: Value,
    pub(super) place: Place,
}

/// Reads the APIs of a template.
pub(super) fn read(document: &Value, api: &mut Api) -> Result<(), ApiError> {
    let mut resolver = Resolver { document, settings: Vec::new(), defaults: BTreeSet::new() };
    let place = Place::root().at("Resources");
    let mut resources = Vec::new();
    for (name, resource) in place.members(document.get("Resources"))? {
        if name.starts_with("Fn::") {
            api.gap(place.at(name), "its resources are not in the description");
            continue;
        }
        let place = place.at(name);
        let Some(kind) = resource.get("Type").and_then(Value::as_str) else {
            return Err(ApiError::Shape { place: place.at("Type").to_string(), message: "it is missing" });
        };
        let kind = kind.to_owned();
        let properties = match looks_at(&kind) {
            true => resolver.resolve(resource.get("Properties").unwrap_or(&Value::Null)),
            false => Value::Null,
        };
        resources.push(Resource { name: name.clone(), kind, properties, place: place.at("Properties") });
    }
    let globals = resolver.resolve(document.get("Globals").unwrap_or(&Value::Null));
    for (parameter, setting, default) in resolver.defaults {
        let message =
            format!("its default, `{default}`, is taken for `{setting}`; what is deployed may be another");
        api.notes.push(Note { place: format!("parameter `{parameter}`"), message, is_gap: false });
    }
    let template = Template { resources, globals };
    sam::read(&template, api)?;
    cloudformation::read(&template, api)?;
    settings::of_template(&template, api);
    Ok(())
}

fn looks_at(kind: &str) -> bool {
    ["AWS::Serverless::", "AWS::ApiGateway"].iter().any(|prefix| kind.starts_with(prefix))
}

impl Template {
    /// The resources of a type.
    pub(super) fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.resources.iter().filter(move |resource| resource.kind == kind)
    }

    /// The resource of this name, if it is of the type.
    pub(super) fn named(&self, name: &str, kind: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.kind == kind && resource.name == name)
    }
}

/// The logical ID that a value refers to: `!Ref Api`, or `!GetAtt Api.RootResourceId`.
pub(super) fn reference(value: Option<&Value>) -> Option<&str> {
    let value = value?;
    if let Some(name) = value.get("Ref") {
        return name.as_str();
    }
    match value.get("Fn::GetAtt")? {
        Value::String(text) => text.split('.').next(),
        Value::Array(parts) => parts.first()?.as_str(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// Whether a value refers to the root of a REST API.
pub(super) fn is_root(value: Option<&Value>) -> bool {
    let attribute = match value.and_then(|value| value.get("Fn::GetAtt")) {
        Some(Value::String(text)) => text.split_once('.').map(|(_, attribute)| attribute),
        Some(Value::Array(parts)) => parts.get(1).and_then(Value::as_str),
        _ => None,
    };
    attribute == Some("RootResourceId")
}

/// Puts defaults in the place of parameters.
struct Resolver<'a> {
    document: &'a Value,
    /// The names on the way to what is resolved.
    settings: Vec<String>,
    /// Parameter, setting and default, of the settings on which it depends whether caching is safe.
    defaults: BTreeSet<(String, String, String)>,
}

const CACHE_SETTINGS: [&str; 4] = [
    "ReauthorizeEvery",
    "AuthorizerResultTtlInSeconds",
    "authorizerResultTtlInSeconds",
    "EnableSimpleResponses",
];

impl Resolver<'_> {
    /// What cannot be known stays as it is: a map of a function, and no text.
    fn resolve(&mut self, value: &Value) -> Value {
        match value {
            Value::Array(items) => Value::Array(
                items.iter().filter(|item| !is_no_value(item)).map(|item| self.resolve(item)).collect(),
            ),
            Value::Object(members) => match only(members) {
                Some(("Ref", Value::String(name))) => self.default(name).unwrap_or_else(|| value.clone()),
                Some(("Fn::Sub", Value::String(text))) => {
                    self.substituted(text).map_or_else(|| value.clone(), Value::String)
                }
                _ => {
                    let mut resolved = Map::new();
                    for (name, member) in members.iter().filter(|(_, member)| !is_no_value(member)) {
                        self.settings.push(name.clone());
                        resolved.insert(name.clone(), self.resolve(member));
                        self.settings.pop();
                    }
                    Value::Object(resolved)
                }
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    fn default(&mut self, name: &str) -> Option<Value> {
        let parameter = self.document.get("Parameters")?.get(name)?;
        let kind = parameter.get("Type").and_then(Value::as_str).unwrap_or_default();
        // The default is the name of something that is looked up when the template is deployed.
        if kind.starts_with("AWS::SSM::Parameter::Value") {
            return None;
        }
        let default = parameter.get("Default")?;
        let setting = self.settings.last().filter(|setting| CACHE_SETTINGS.contains(&setting.as_str()));
        if let Some(setting) = setting {
            let text = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
            self.defaults.insert((name.to_owned(), setting.clone(), text));
        }
        let is_list = kind.starts_with("List<") || kind == "CommaDelimitedList";
        match default.as_str().filter(|_| is_list) {
            Some(text) => Some(text.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>().into()),
            None => Some(default.clone()),
        }
    }

    /// The text in which each `${Name}` is a parameter with a default.
    fn substituted(&mut self, text: &str) -> Option<String> {
        let mut substituted = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, behind) = after.split_once('}')?;
            substituted.push_str(before);
            match self.default(name)? {
                Value::String(text) => substituted.push_str(&text),
                Value::Number(number) => substituted.push_str(&number.to_string()),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
            }
            rest = behind;
        }
        substituted.push_str(rest);
        Some(substituted)
    }
}

/// The only member of a map.
fn only(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut all = members.iter();
    match (all.next(), all.next()) {
        (Some((name, value)), None) => Some((name, value)),
        _ => None,
    }
}

/// `!Ref AWS::NoValue` is as if it were not there.
fn is_no_value(value: &Value) -> bool {
    value.as_object().and_then(only) == Some(("Ref", &Value::String("AWS::NoValue".to_owned())))
}
