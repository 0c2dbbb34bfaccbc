//! JSON as a token may hold it (rule F3): one object, no member of any object twice, and not deep.
//!
//! A parser that takes the first of two members and one that takes the last see two different
//! tokens under one signature (RFC 7519, section 4; RFC 8725, section 2.4).

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Claims that identity providers nest stay below ten levels.
pub(super) const DEEPEST: usize = 32;

/// Why a text is no object that a token may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JsonProblem {
    NotAnObject,
    MemberTwice,
    TooDeep,
}

/// Reads the text whole.
pub(super) fn object(text: &str) -> Result<Map<String, Value>, JsonProblem> {
    let problem = Cell::new(JsonProblem::NotAnObject);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Level { depth: 1, problem: &problem }.deserialize(&mut deserializer);
    match value.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) | Err(_) => Err(problem.get()),
    }
}

/// How deep the value to be read stands. What is found wrong stays in `problem`, whatever becomes of
/// the error.
#[derive(Clone, Copy)]
struct Level<'a> {
    depth: usize,
    problem: &'a Cell<JsonProblem>,
}

impl Level<'_> {
    /// The level of the members of the object, or array, that begins here.
    fn enter<E: Error>(self) -> Result<Self, E> {
        if self.depth > DEEPEST {
            return Err(self.refuse(JsonProblem::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn refuse<E: Error>(self, problem: JsonProblem) -> E {
        self.problem.set(problem);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let level = self.enter()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(level)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let level = self.enter()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(self.refuse(JsonProblem::MemberTwice));
            }
            object.insert(name, members.next_value_seed(level)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rule F3, each refusal beside what is allowed.
    #[test]
    fn one_object_without_doubles_is_read() {
        use JsonProblem::{MemberTwice, NotAnObject};
        for (text, expected) in [
            (r#"{}"#, None),
            (r#" {"a": [1, -1, 1.5, true, null, "x"], "A": {}} "#, None),
            (r#"{"a": {"b": 1}, "b": {"b": 1}}"#, None),
            (r#"{"a": 1, "a": 1}"#, Some(MemberTwice)),
            (r#"{"a": 1, "\u0061": 2}"#, Some(MemberTwice)),
            (r#"{"x": [{"y": {"a": 1, "b": 1, "a": 2}}]}"#, Some(MemberTwice)),
            (r#"[]"#, Some(NotAnObject)),
            (r#""text""#, Some(NotAnObject)),
            (r#"null"#, Some(NotAnObject)),
            (r#""#, Some(NotAnObject)),
            (r#"{} {}"#, Some(NotAnObject)),
            (r#"{"a": 1,}"#, Some(NotAnObject)),
            (r#"{'a': 1}"#, Some(NotAnObject)),
            (r#"{"a": 1e400}"#, Some(NotAnObject)),
            (r#"{"a": NaN}"#, Some(NotAnObject)),
            (r#"{"a": 01}"#, Some(NotAnObject)),
            (r#"{"a": "\ud800"}"#, Some(NotAnObject)),
            ("{\"a\": \"\n\"}", Some(NotAnObject)),
            ("\u{feff}{}", Some(NotAnObject)),
            ("{} // comment", Some(NotAnObject)),
        ] {
            assert_eq!(object(text).err(), expected, "{text}");
        }
    }

    #[test]
    fn values_are_what_they_are_elsewhere() {
        let text = r#"{"a":[1,-1,1.5,true,null,"x\u00e9"],"b":{"c":18446744073709551615}}"#;
        assert_eq!(Value::Object(object(text).unwrap()), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |open: &str, close: &str, levels: usize| {
            format!("{{\"a\":{}1{}}}", open.repeat(levels - 1), close.repeat(levels - 1))
        };
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            assert!(object(&nested(open, close, DEEPEST)).is_ok());
            assert_eq!(object(&nested(open, close, DEEPEST + 1)).err(), Some(JsonProblem::TooDeep));
            assert_eq!(object(&nested(open, close, 5000)).err(), Some(JsonProblem::TooDeep));
        }
    }
}
