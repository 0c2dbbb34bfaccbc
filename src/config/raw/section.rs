//! [`Section`]: a section that not every build of the function can do something with.

use serde::de::{Deserialize, Deserializer, IgnoredAny};

/// A section of the configuration, and whether the function was built with what it needs (a feature of Cargo's). Without, it is not even
/// read: what reads it, and whatever it configures, is then not in the function.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::config) struct Section<T, const BUILT: bool>(Option<T>);

impl<T, const BUILT: bool> Section<T, BUILT> {
    /// Its settings, where they can be used. `BUILT` is known to the compiler, and so is what never follows.
    pub(in crate::config) fn settings(self) -> Option<T> {
        if BUILT { self.0 } else { None }
    }

    pub(in crate::config) fn as_settings(&self) -> Option<&T> {
        if BUILT { self.0.as_ref() } else { None }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Section<T, true> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|settings| Self(Some(settings)))
    }
}

impl<'de, T> Deserialize<'de> for Section<T, false> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|IgnoredAny| Self(None))
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema, const BUILT: bool> schemars::JsonSchema for Section<T, BUILT> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_built_is_not_read() {
        let read: Result<Section<u8, true>, _> = toml::Value::from("many").try_into();
        assert!(read.is_err());
        let read: Section<u8, true> = toml::Value::from(7).try_into().unwrap();
        assert_eq!((read.as_settings(), read.clone().settings()), (Some(&7), Some(7)));
        let read: Section<u8, false> = toml::Value::from("many").try_into().unwrap();
        assert_eq!((read.as_settings(), read.clone().settings()), (None, None));
    }
}
