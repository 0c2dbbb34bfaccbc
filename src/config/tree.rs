//! [`Tree`]: from TOML's values to the settings, by Serde, with the place of what is wrong.
//!
//! TOML's own deserializer takes any value for any setting, and what follows the place wraps it once more: for each
//! table of the configuration code that is never run. Here a table is read from a table only.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use toml::Value;

/// A value, and everything below it.
pub(super) struct Tree<'a>(pub(super) &'a Value);

/// Something that cannot be read as what it should be.
#[derive(Debug)]
pub(super) struct ShapeError {
    pub(super) message: String,
    /// From the inside to the outside.
    steps: Vec<Step>,
}

/// From a value to one directly below it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Member(String),
    Item(usize),
}

impl ShapeError {
    /// From the root to what is wrong.
    pub(super) fn path(&self) -> impl DoubleEndedIterator<Item = &Step> + ExactSizeIterator {
        self.steps.iter().rev()
    }

    /// The path as it is shown: `issuer[0].audience`.
    pub(super) fn shown_path(&self) -> String {
        self.path().fold(String::new(), |path, step| match step {
            Step::Item(index) => format!("{path}[{index}]"),
            Step::Member(name) if path.is_empty() => name.clone(),
            Step::Member(name) => format!("{path}.{name}"),
        })
    }

    #[cold]
    fn below(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl de::Error for ShapeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), steps: Vec::new() }
    }
}

impl std::error::Error for ShapeError {}

impl fmt::Display for ShapeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Tree<'_> {
    #[cold]
    fn unexpected(&self, expected: &dyn de::Expected) -> ShapeError {
        let unexpected = match self.0 {
            Value::String(text) => Unexpected::Str(text),
            Value::Integer(number) => Unexpected::Signed(*number),
            Value::Float(number) => Unexpected::Float(*number),
            Value::Boolean(value) => Unexpected::Bool(*value),
            Value::Datetime(_) => Unexpected::Other("date or time"),
            Value::Array(_) => Unexpected::Seq,
            Value::Table(_) => Unexpected::Map,
        };
        ShapeError::invalid_type(unexpected, expected)
    }
}

impl<'de> Deserializer<'de> for Tree<'de> {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.0 {
            Value::String(text) => visitor.visit_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Boolean(value) => visitor.visit_bool(*value),
            Value::Datetime(_) => Err(self.unexpected(&visitor)),
            Value::Array(items) => visitor.visit_seq(Items { items, next: 0 }),
            Value::Table(members) => visitor.visit_map(Members { members: members.iter(), value: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_some(self)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.0.as_str() {
            Some(text) => visitor.visit_str(text),
            None => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.0.as_bool() {
            Some(value) => visitor.visit_bool(value),
            None => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.0.as_integer() {
            Some(number) => visitor.visit_i64(number),
            None => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.0.as_array() {
            Some(items) => visitor.visit_seq(Items { items, next: 0 }),
            None => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.0.as_table() {
            Some(members) => visitor.visit_map(Members { members: members.iter(), value: None }),
            None => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        match self.0.as_str() {
            Some(text) => visitor.visit_enum(StrDeserializer::new(text)),
            None => Err(self.unexpected(&"a string")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char bytes byte_buf unit unit_struct newtype_struct tuple
        tuple_struct
    }
}

struct Members<'a> {
    members: toml::map::Iter<'a, String, Value>,
    value: Option<(&'a str, &'a Value)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = ShapeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ShapeError> {
        let Some((name, value)) = self.members.next() else { return Ok(None) };
        self.value = Some((name, value));
        let read = seed.deserialize(StrDeserializer::new(name));
        read.map(Some).map_err(|error: ShapeError| error.below(Step::Member(name.to_owned())))
    }

    // By itself, so that settings of the same type share it.
    #[inline(never)]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ShapeError> {
        let (name, value) = self.value.take().ok_or_else(|| ShapeError::custom("a value without a name"))?;
        seed.deserialize(Tree(value)).map_err(|error| error.below(Step::Member(name.to_owned())))
    }
}

struct Items<'a> {
    items: &'a [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = ShapeError;

    #[inline(never)]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ShapeError> {
        let Some(item) = self.items.get(self.next) else { return Ok(None) };
        let step = Step::Item(self.next);
        self.next += 1;
        seed.deserialize(Tree(item)).map(Some).map_err(|error| error.below(step))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::IgnoredAny;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Shelf {
        #[serde(default)]
        boxes: Vec<Case>,
        label: Option<String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Case {
        size: u64,
        sort: Option<Sort>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Sort {
        Open,
    }

    fn read(toml: &str) -> Result<Shelf, (String, String)> {
        let value = Value::Table(toml::from_str(toml).unwrap());
        Shelf::deserialize(Tree(&value)).map_err(|error| (error.shown_path(), error.message))
    }

    #[test]
    fn what_has_the_right_form_is_read() {
        let read = read("label = 'a'\n[[boxes]]\nsize = 1\n[[boxes]]\nsize = 2\nsort = 'open'").unwrap();
        let boxes = vec![Case { size: 1, sort: None }, Case { size: 2, sort: Some(Sort::Open) }];
        assert_eq!(read, Shelf { boxes, label: Some("a".into()) });
    }

    #[test]
    fn what_has_another_form_is_told_with_its_place() {
        for (toml, place) in [
            ("label = 5", "label"),
            ("label = 2026-11-30", "label"),
            ("labels = 'a'", "labels"),
            ("boxes = {}", "boxes"),
            ("boxes = [{ size = 1 }, 'b']", "boxes[1]"),
            ("boxes = [{ size = 1 }, [2]]", "boxes[1]"),
            ("boxes = [{}]", "boxes[0]"),
            ("boxes = [{ size = -1 }]", "boxes[0].size"),
            ("boxes = [{ size = 1.0 }]", "boxes[0].size"),
            ("boxes = [{ size = 1, sort = 'Open' }]", "boxes[0].sort"),
            ("boxes = [{ size = 1, sort = true }]", "boxes[0].sort"),
            ("boxes = [{ size = 1, sort = { open = 1 } }]", "boxes[0].sort"),
        ] {
            let (found, message) = read(toml).unwrap_err();
            assert_eq!(found, place, "{toml}: {message}");
        }
    }

    #[test]
    fn anything_may_be_passed_over() {
        for text in ["a = 1", "a = 2026-11-30", "a = [[1], { b = 'c' }]"] {
            let value = Value::Table(toml::from_str(text).unwrap());
            assert!(IgnoredAny::deserialize(Tree(value.get("a").unwrap())).is_ok(), "{text}");
        }
    }
}
