//! Values of settings that may be written in several ways.

use std::collections::BTreeMap;

use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// A string, or a list of strings.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(super) enum OneOrMore {
    /// One.
    One(String),
    /// Several.
    More(#[cfg_attr(feature = "schema", schemars(length(min = 1)))] Vec<String>),
}

impl OneOrMore {
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMoreVisitor;
        impl<'de> Visitor<'de> for OneOrMoreVisitor {
            type Value = OneOrMore;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a string or a list of strings")
            }

            fn visit_str<E>(self, text: &str) -> Result<OneOrMore, E> {
                Ok(OneOrMore::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<OneOrMore, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(items)).map(OneOrMore::More)
            }
        }
        deserializer.deserialize_any(OneOrMoreVisitor)
    }
}

/// A value, or a list of values: strings, whole numbers and booleans.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(super) enum PlainValues {
    /// One.
    One(PlainValue),
    /// Several.
    More(#[cfg_attr(feature = "schema", schemars(length(min = 1)))] Vec<PlainValue>),
}

/// A string, a whole number, or a boolean.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(super) enum PlainValue {
    /// Text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// `true` or `false`.
    Boolean(bool),
}

impl PlainValues {
    pub(super) fn into_vec(self) -> Vec<serde_json::Value> {
        match self {
            Self::One(value) => vec![value.into_json()],
            Self::More(values) => values.into_iter().map(PlainValue::into_json).collect(),
        }
    }
}

impl PlainValue {
    pub(super) fn into_json(self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => number.into(),
            Self::Boolean(boolean) => boolean.into(),
        }
    }
}

impl<'de> Deserialize<'de> for PlainValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor { is_list_allowed: true })
    }
}

impl<'de> Deserialize<'de> for PlainValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(PlainVisitor { is_list_allowed: false })? {
            PlainValues::One(value) => Ok(value),
            PlainValues::More(_) => Err(de::Error::custom("a list within a list")),
        }
    }
}

/// Strings by name. Errors do not quote what stands there instead of one, as serde's own do.
pub(super) fn secrets<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let toml::Value::Table(table) = toml::Value::deserialize(deserializer)? else {
        return Err(de::Error::custom("it is not a table of strings"));
    };
    let strings = table.into_iter().map(|(name, value)| match value.as_str() {
        Some(text) => Ok((name, text.to_owned())),
        None => Err(de::Error::custom(format!("the value of `{name}` is not a string"))),
    });
    strings.collect()
}

/// A string. Errors do not quote what stands there instead, as serde's own do.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    value.as_str().map(|text| Some(text.to_owned())).ok_or_else(|| de::Error::custom("it is not a string"))
}

struct PlainVisitor {
    is_list_allowed: bool,
}

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = PlainValues;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = if self.is_list_allowed { ", or a list of such" } else { "" };
        write!(formatter, "a string, a whole number or a boolean{list}")
    }

    fn visit_str<E>(self, text: &str) -> Result<PlainValues, E> {
        Ok(PlainValues::One(PlainValue::Text(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<PlainValues, E> {
        Ok(PlainValues::One(PlainValue::Number(number)))
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<PlainValues, E> {
        Ok(PlainValues::One(PlainValue::Boolean(boolean)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<PlainValues, A::Error> {
        if !self.is_list_allowed {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &self));
        }
        Vec::deserialize(de::value::SeqAccessDeserializer::new(items)).map(PlainValues::More)
    }
}
