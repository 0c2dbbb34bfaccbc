//! What the certificates of clients must be like.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What the certificate must be like with which a client comes (mutual TLS), whoever is verified. Needs
/// `gateway.cache_seconds = 0`, or `$context.identity.clientCert.clientCertPem` as an identity source.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct ClientCertificateSettings {
    /// Whether a client without one is refused. With `false`, one that comes must hold all the same. Default: `true`.
    pub(in crate::config) required: Option<bool>,
    /// The issuers whose certificates are taken, each as the event names it in `issuerDN`, exactly. Default: every one in
    /// API Gateway's truststore.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(in crate::config) issuers: Option<Vec<String>>,
    /// How far the issuers' clocks and ours may differ, in seconds: 0 to 300. Default: 30.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 300)))]
    pub(in crate::config) leeway_seconds: Option<u64>,
    /// What of it the backend gets: context key = field. Fields are `subject`, `issuer` and `serial`, and attributes of the two
    /// names, such as `subject.O` or `subject.organizationIdentifier`.
    pub(in crate::config) context: BTreeMap<String, String>,
}
