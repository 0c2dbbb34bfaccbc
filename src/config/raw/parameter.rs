//! What a rule asks of the request's parameters.

use serde::{Deserialize, Serialize};

/// What a header, a query parameter or a stage variable must be, with one of the three comparisons. They are exact: case
/// counts. A value with a comma in it is taken for several, and then nothing is met.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["name"])))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct ParameterTest {
    /// Its name. Of a header the case does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) name: Option<String>,
    /// It is this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) equals: Option<String>,
    /// It is one of these.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) one_of: Option<Vec<String>>,
    /// It starts so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) prefix: Option<String>,
}

/// What a field of the client's certificate must be, with one of the three comparisons.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["field"])))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct CertificateTest {
    /// `subject`, `issuer` or `serial`, or an attribute of one of the two names, such as `subject.O`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) field: Option<String>,
    /// It is this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) equals: Option<String>,
    /// It is one of these.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) one_of: Option<Vec<String>>,
    /// It starts so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) prefix: Option<String>,
}
