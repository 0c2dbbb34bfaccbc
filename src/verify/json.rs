//! JSON as a token may hold it (rule F3): one object, no member of any object twice, and not deep.
//!
//! A parser that takes the first of two members and one that takes the last see two different
//! tokens under one signature (RFC 7519, section 4; RFC 8725, section 2.4).

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// Claims that identity providers nest stay below ten levels.
pub(super) const DEEPEST: usize = 32;

/// The members of an object, in the order in which they stand.
pub(super) type Members<'a> = Vec<(Cow<'a, str>, Value)>;

/// Why a text is no object that a token may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JsonProblem {
    NotAnObject,
    MemberTwice,
    TooDeep,
}

/// Reads the text whole.
pub(super) fn object(text: &str) -> Result<Members<'_>, JsonProblem> {
    let problem = Cell::new(JsonProblem::NotAnObject);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_map(Top(Level { depth: 2, problem: &problem }));
    match members.and_then(|members| deserializer.end().map(|()| members)) {
        Ok(members) if names_one_twice(&members) => Err(JsonProblem::MemberTwice),
        Ok(members) => Ok(members),
        Err(_) => Err(problem.get()),
    }
}

/// Few names are marked in a set of 64 bits, and compared only where two have the same mark. Many are sorted: it must not take
/// the time of their square.
fn names_one_twice(members: &Members<'_>) -> bool {
    const FEW: usize = 32;
    if members.len() <= FEW {
        let mut marks = 0_u64;
        return members.iter().enumerate().any(|(place, (name, _))| {
            let mark = mark(name);
            let is_taken = marks & mark != 0;
            marks |= mark;
            is_taken && members.iter().take(place).any(|(earlier, _)| earlier == name)
        });
    }
    let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| matches!(pair, [one, next] if one == next))
}

/// The same bit for the same name, and most of the time another for another.
fn mark(name: &str) -> u64 {
    let [first, last] =
        [name.bytes().next(), name.bytes().next_back()].map(|byte| u64::from(byte.unwrap_or_default()));
    1 << ((name.len() as u64 * 5 + first * 3 + last) % 64)
}

/// The object itself, whose members are of this level.
struct Top<'a>(Level<'a>);

impl<'de> Visitor<'de> for Top<'_> {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Members<'de>, A::Error> {
        // As many as most claims sets have, and no more than allocators have at hand.
        let mut object = Vec::with_capacity(18);
        while let Some(name) = members.next_key_seed(Name)? {
            object.push((name, members.next_value_seed(self.0)?));
        }
        Ok(object)
    }
}

/// A name, which is copied only where it holds an escape.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
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
            match object.entry(name) {
                Entry::Vacant(place) => drop(place.insert(members.next_value_seed(level)?)),
                Entry::Occupied(_) => return Err(self.refuse(JsonProblem::MemberTwice)),
            }
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
        let text = r#"{"a":[1,-1,1.5,true,null,"x\u00e9"],"b":{"c":18446744073709551615},"\u0063":"d"}"#;
        let members = object(text).unwrap().into_iter().map(|(name, value)| (name.into_owned(), value));
        assert_eq!(Value::Object(members.collect()), serde_json::from_str::<Value>(text).unwrap());
    }

    /// Rule F3, of few members and of so many that they are compared in another way.
    #[test]
    fn a_member_that_comes_twice_is_found_among_many() {
        for count in [2, 31, 32, 33, 500] {
            let names = || (0..count).map(|number| format!("\"{number}\":0"));
            let text = |last: String| format!("{{{}}}", names().chain([last]).collect::<Vec<_>>().join(","));
            assert_eq!(object(&text("\"other\":0".into())).map(|members| members.len()), Ok(count + 1));
            for twice in [0, count / 2, count - 1] {
                let text = text(format!("\"{twice}\":0"));
                assert_eq!(object(&text).err(), Some(JsonProblem::MemberTwice), "{text}");
            }
        }
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
