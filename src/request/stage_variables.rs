//! [`StageVariables`]: what the API's own stage says of itself.

use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};

use super::Ambiguous;

/// The variables of the stage on which the API is called. Few rules ask for one: they stay the JSON of the event until then.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StageVariables(Option<Box<str>>);

impl StageVariables {
    /// Those of the event's `stageVariables`. What is no object holds none that can be read.
    #[must_use]
    pub fn of_json(json: Option<&str>) -> Self {
        let is_empty = |json: &str| matches!(json, "null" | "{}" | "[]" | "\"\"");
        Self(json.filter(|json| !is_empty(json)).map(Box::from))
    }

    /// The variable of this name, whose case counts.
    ///
    /// # Errors
    ///
    /// [`Ambiguous`] when it is there twice, is no string, or none can be read.
    pub fn named(&self, name: &str) -> Result<Option<String>, Ambiguous> {
        let Some(json) = &self.0 else { return Ok(None) };
        let mut deserializer = serde_json::Deserializer::from_str(json);
        deserializer.deserialize_map(One(name)).map_err(|_| Ambiguous)
    }
}

/// They may hold what is nobody's business.
impl fmt::Debug for StageVariables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StageVariables(…)")
    }
}

/// Finds the only string of this name in an object.
struct One<'a>(&'a str);

impl<'de> Visitor<'de> for One<'_> {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<String>, A::Error> {
        let mut found = None;
        while let Some((name, value)) = members.next_entry::<String, Option<String>>()? {
            if name != self.0 {
                continue;
            }
            if found.replace(value).is_some() {
                return Err(serde::de::Error::custom("a variable comes twice"));
            }
        }
        Ok(found.flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_a_string_that_is_there_once() {
        for (json, expected) in [
            (None, Ok(None)),
            (Some("null"), Ok(None)),
            (Some("{}"), Ok(None)),
            (Some("[]"), Ok(None)),
            (Some(r#"{"tenant": "acme", "b": "c"}"#), Ok(Some("acme"))),
            (Some(r#"{"tenant": ""}"#), Ok(Some(""))),
            (Some(r#"{"tenant": null}"#), Ok(None)),
            (Some(r#"{"\u0074enant": "acme"}"#), Ok(Some("acme"))),
            (Some(r#"{"Tenant": "acme"}"#), Ok(None)),
            (Some(r#"{"tenant": "acme", "tenant": "acme"}"#), Err(Ambiguous)),
            (Some(r#"{"tenant": null, "tenant": "acme"}"#), Err(Ambiguous)),
            (Some(r#"{"tenant": ["acme"]}"#), Err(Ambiguous)),
            (Some(r#"{"tenant": 5}"#), Err(Ambiguous)),
            (Some(r#"{"other": 5}"#), Err(Ambiguous)),
            (Some(r#"["tenant", "acme"]"#), Err(Ambiguous)),
            (Some("5"), Err(Ambiguous)),
        ] {
            let found = StageVariables::of_json(json).named("tenant");
            assert_eq!(found, expected.map(|text| text.map(str::to_owned)), "{json:?}");
        }
    }
}
