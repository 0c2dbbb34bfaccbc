//! What the SAML assertions of an identity provider must be like.

#[cfg(feature = "saml")]
mod section {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use crate::config::values::{OneOrMore, PlainValues};

    /// What SAML 2.0 assertions must be like that callers present as bearers (RFC 7522). Needs the feature `saml`.
    #[derive(Clone, Debug, Default, Deserialize, PartialEq)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["issuer", "audience", "recipient"])))]
    #[serde(deny_unknown_fields, default)]
    pub(in crate::config) struct SamlTable {
        /// Who issues them: the entity ID of the identity provider, compared exactly.
        pub(in crate::config) issuer: Option<String>,
        /// The audience, or a list of audiences: by which the identity provider knows this API. Each `AudienceRestriction` must name
        /// one of them, and there must be one.
        pub(in crate::config) audience: Option<OneOrMore>,
        /// The URL, or the URLs, of which one must be the `Recipient` of the bearer's confirmation: where the identity provider
        /// delivers assertions for this API.
        pub(in crate::config) recipient: Option<OneOrMore>,
        /// A file of the package with the metadata of the identity provider: a path relative to this file. It is never fetched again.
        pub(in crate::config) metadata_file: Option<String>,
        /// Where its metadata is fetched from. `[key_set]` says how; `cacheDuration` makes its time shorter, and beyond
        /// `validUntil` no key is used.
        pub(in crate::config) metadata_url: Option<String>,
        /// Which attributes become claims: claim = `Name` of the attribute. One value is a text, several are a list.
        pub(in crate::config) attributes: BTreeMap<String, String>,
        /// Whether an assertion may be presented more than once. Default: `accepted`, until it ends.
        pub(in crate::config) replays: Option<SamlReplaysName>,
        /// Claims that must be there, and not be empty, by path.
        pub(in crate::config) required_claims: Vec<String>,
        /// Claims that must have a value, by path, as for an issuer.
        #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, PlainValues>"))]
        pub(in crate::config) required_values: BTreeMap<String, PlainValues>,
        /// How long ago an assertion may have been issued (`IssueInstant`), in seconds: 1 to 31622400. Default: no limit but its end.
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 31_622_400)))]
        pub(in crate::config) max_age_seconds: Option<u64>,
        /// How far its clock and ours may differ: 0 to 300 seconds. Default: 30.
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 300)))]
        pub(in crate::config) leeway_seconds: Option<u64>,
        /// Certificates of authorities that vouch for the server of `metadata_url` beside the public ones: the path of a PEM file,
        /// relative to this one.
        pub(in crate::config) ca_file: Option<String>,
        /// The proxy on the way to it, as for an issuer.
        pub(in crate::config) proxy: Option<String>,
    }

    /// Whether an assertion may be presented more than once.
    #[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(rename_all = "snake_case")]
    pub(in crate::config) enum SamlReplaysName {
        /// Until it ends, but for one with the condition `OneTimeUse`, which is refused.
        Accepted,
        /// Each is taken once, by each process. Needs `gateway.cache_seconds = 0`.
        Refused,
    }
}

#[cfg(not(feature = "saml"))]
mod section {
    use serde::de::{Deserialize, Deserializer, IgnoredAny};

    /// Something that the function was built without: it is not even read.
    #[derive(Clone, Debug, PartialEq)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    pub(in crate::config) struct SamlTable {}

    impl<'de> Deserialize<'de> for SamlTable {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            IgnoredAny::deserialize(deserializer).map(|IgnoredAny| Self {})
        }
    }
}

#[cfg(feature = "saml")]
pub(in crate::config) use section::SamlReplaysName;
pub(in crate::config) use section::SamlTable;
