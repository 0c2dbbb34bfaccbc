//! What the configuration says of API Gateway's authorizer.

use serde::Deserialize;

/// How API Gateway is set up to ask and to cache.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct GatewaySettings {
    /// How long it keeps an answer (`AuthorizerResultTtlInSeconds`, `ReauthorizeEvery`): 0 to 3600. Default: unknown, so
    /// that answers may be cached.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 3600)))]
    pub(in crate::config) cache_seconds: Option<u64>,
    /// Its identity sources, by which it keeps answers apart, in its own words:
    /// `["$request.header.Authorization", "$context.identity.sourceIp"]`. Default: unknown.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(in crate::config) identity_sources: Option<Vec<String>>,
}
