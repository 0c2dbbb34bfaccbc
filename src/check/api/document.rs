//! A description as a tree, whether it was JSON or YAML, and how its parts are looked at.

use std::fmt;

use serde_json::{Map, Value};

use super::ApiError;

/// Where in the document something is: the names on the way there.
#[derive(Clone, Debug)]
pub(super) struct Place(String);

/// What a description says of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said<T> {
    /// Nothing.
    Nothing,
    /// Something that only a deployment knows.
    Unknown,
    /// This.
    This(T),
}

/// The tree of a text.
pub(super) fn read(text: &str) -> Result<Value, ApiError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let error = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // A map in braces may be YAML, too; one whose names are in quotes is meant to be JSON.
    let is_json = text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'));
    match is_json {
        true => Err(ApiError::Syntax {
            line: error.line(),
            column: error.column(),
            message: without_place(&error),
        }),
        false => yaml(text),
    }
}

#[cfg(feature = "api")]
fn yaml(text: &str) -> Result<Value, ApiError> {
    super::yaml::read(text)
}

#[cfg(not(feature = "api"))]
fn yaml(_text: &str) -> Result<Value, ApiError> {
    Err(ApiError::Yaml)
}

/// `serde_json` puts the place behind its message.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map(|(message, _)| message.to_owned()).unwrap_or(text)
}

impl Place {
    pub(super) fn root() -> Self {
        Self(String::new())
    }

    pub(super) fn at(&self, name: &str) -> Self {
        match self.0.is_empty() {
            true => Self(name.to_owned()),
            false => Self(format!("{}.{name}", self.0)),
        }
    }

    /// The members of a map; of none where there is nothing.
    pub(super) fn members<'a>(
        &self,
        value: Option<&'a Value>,
    ) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, ApiError> {
        let members = match value {
            None | Some(Value::Null) => None,
            Some(Value::Object(members)) => Some(members),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                return Err(ApiError::Shape { place: self.to_string(), message: "it is not a map" });
            }
        };
        Ok(members.into_iter().flat_map(Map::iter))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<T> Said<T> {
    /// This where it says nothing.
    pub(super) fn or(self, default: Self) -> Self {
        match self {
            Self::Nothing => default,
            Self::Unknown | Self::This(_) => self,
        }
    }

    pub(super) fn map<U>(self, map: impl FnOnce(T) -> U) -> Said<U> {
        match self {
            Self::Nothing => Said::Nothing,
            Self::Unknown => Said::Unknown,
            Self::This(this) => Said::This(map(this)),
        }
    }

    /// What it says, if it says something that can be known.
    pub(super) fn known(self) -> Option<T> {
        match self {
            Self::This(this) => Some(this),
            Self::Nothing | Self::Unknown => None,
        }
    }

    /// Unknown where it is said and no such thing.
    fn of(value: Option<&Value>, read: impl FnOnce(&Value) -> Option<T>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Nothing,
            Some(value) => read(value).map_or(Self::Unknown, Self::This),
        }
    }
}

/// A text; a number or a boolean is one that lacks its quotes.
pub(super) fn text(value: Option<&Value>) -> Said<String> {
    Said::of(value, |value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    })
}

/// A number of seconds.
pub(super) fn seconds(value: Option<&Value>) -> Said<u32> {
    match text(value) {
        Said::This(text) => text.trim().parse().map_or(Said::Unknown, Said::This),
        Said::Nothing => Said::Nothing,
        Said::Unknown => Said::Unknown,
    }
}

/// A boolean, in the spellings that templates take.
pub(super) fn boolean(value: Option<&Value>) -> Said<bool> {
    match text(value) {
        Said::This(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Said::This(true),
            "false" | "no" | "off" => Said::This(false),
            _other => Said::Unknown,
        },
        Said::Nothing => Said::Nothing,
        Said::Unknown => Said::Unknown,
    }
}

/// Texts: a list of them, or one, in which commas separate them.
pub(super) fn texts(value: Option<&Value>) -> Said<Vec<String>> {
    Said::of(value, |value| match value {
        Value::Array(items) => items.iter().map(|item| text(Some(item)).known()).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            let text = text(Some(value)).known()?;
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Some(parts.map(str::to_owned).collect())
        }
    })
}
