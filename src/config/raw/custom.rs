//! The settings of kinds of credential that are verified in code of one's own.

use serde::Deserialize;

/// A kind of credential that code verifies which was added to the function.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["kind", "issuer"])))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct CustomSettings {
    /// What the code calls it, and rules as `credential`: lower-case letters, digits and `_`, a letter first.
    pub(in crate::config) kind: Option<String>,
    /// What rules and logs call who vouches for its callers.
    pub(in crate::config) issuer: Option<String>,
    /// Whether its verifier may look at the request, and not at the credential alone. It needs `cache_seconds = 0` in `[gateway]`:
    /// API Gateway would give an answer to one request to others with the same credential. Default: `false`.
    pub(in crate::config) looks_at_request: bool,
}
