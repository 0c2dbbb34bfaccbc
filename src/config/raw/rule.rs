//! Rules as they are written.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::parameter::{CertificateTest, ParameterTest};
use crate::config::values::{self, OneOrMore, PlainValue, PlainValues};

/// A rule: some routes, for callers who have what it takes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["name", "requires"])))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct RuleSettings {
    /// What you call it.
    pub(in crate::config) name: Option<String>,
    /// Whether it opens its routes or closes them. Default: `allow`.
    pub(in crate::config) effect: EffectName,
    /// The routes: `GET /orders`, `GET /orders/{id}`, `ANY /users/{claims.sub}/**`, or `$connect`. A rule without any
    /// says something about its callers only.
    pub(in crate::config) routes: Vec<String>,
    /// `"authenticated"`, `"anyone"`, or a table: `{ scope = "orders:read" }`,
    /// `{ claim = "realm_access.roles", contains = "clerk" }`. Of several all are needed.
    pub(in crate::config) requires: Option<RequirementSettings>,
    /// The stages that it is for. Default: all.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(in crate::config) stages: Option<Vec<String>>,
    /// The IDs of the APIs that it is for. Default: all.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(in crate::config) apis: Option<Vec<String>>,
    /// What backends are told about its callers, on whatever route: `{ plan = "gold" }`. Of several rules that give a
    /// key, the first one counts.
    pub(in crate::config) context: BTreeMap<String, PlainValue>,
    /// The value of the API key that its callers use up, for REST APIs whose API key source is the authorizer. Of
    /// several rules that have one, the first one counts.
    #[serde(deserialize_with = "values::secret")]
    pub(in crate::config) usage_identifier_key: Option<String>,
}

/// What a rule does with its routes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum EffectName {
    /// It opens them for its callers.
    #[default]
    Allow,
    /// It closes them for its callers, whatever other rules open.
    Deny,
}

/// What a caller must have.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(in crate::config) enum RequirementSettings {
    /// A requirement that has no parameters.
    Word(RequirementWord),
    /// Something that the caller has.
    Table(Box<RequirementTable>),
}

/// The requirements that have no parameters.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum RequirementWord {
    /// Any verified caller.
    Authenticated,
    /// Whoever asks, without a credential, too. One that is sent must hold all the same.
    Anyone,
}

/// What a caller must have: of several members all are needed.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct RequirementTable {
    /// One scope, or several, of which all are needed. They are looked for in `scope` and `scp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) scope: Option<OneOrMore>,
    /// The path of a claim, with one of the four comparisons below. They are exact: type and case count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) claim: Option<String>,
    /// The claim is this string, whole number or boolean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) equals: Option<PlainValue>,
    /// The claim is one of these.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) one_of: Option<Vec<PlainValue>>,
    /// The claim is a list that holds this, or it is this; of several all are needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) contains: Option<PlainValues>,
    /// The claim is a string that starts so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) prefix: Option<String>,
    /// The credential is one of this issuer, or of one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) issuer: Option<OneOrMore>,
    /// The credential is of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) credential: Option<CredentialName>,
    /// The caller's address is in this range, or in one of these, such as `10.0.0.0/8`. `[gateway]` must say that
    /// `$context.identity.sourceIp` is an identity source, or that nothing is cached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) source_ip: Option<OneOrMore>,
    /// A header of the request, which is what its sender says, and proves nothing by itself. `[gateway]` must say that it is an
    /// identity source (`$request.header.X-Tenant`), or that nothing is cached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) header: Option<ParameterTest>,
    /// A query parameter: as `header`, with `$request.querystring.tenant`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) query: Option<ParameterTest>,
    /// A variable of the API's stage: as `header`, with `$stageVariables.tier`. It is the operator's word, not the caller's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) stage_variable: Option<ParameterTest>,
    /// A field of the certificate by which API Gateway has verified the client: as `header`, with
    /// `$context.identity.clientCert.subjectDN`, `issuerDN`, `serialNumber` or `clientCertPem`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) client_certificate: Option<CertificateTest>,
    /// All of these.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) all: Option<Vec<RequirementSettings>>,
    /// One of these, at least.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) any: Option<Vec<RequirementSettings>>,
    /// The contrary of this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) not: Option<RequirementSettings>,
}

/// A kind of credential.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum CredentialName {
    /// A JWT.
    Jwt,
    /// An access token about which `[introspection]` or `[userinfo]` asks.
    Opaque,
    /// A client's ID and secret, for which `[client_credentials]` gets a token.
    ClientCredentials,
    /// An API key, which `[api_keys]` is about.
    ApiKey,
    /// A name and a password, which `[basic]` is about.
    Basic,
    /// A SAML assertion, which `[saml]` is about.
    Saml,
    /// The `kind` of a `[[custom]]`.
    #[serde(untagged)]
    Custom(String),
}

impl<'de> Deserialize<'de> for RequirementSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RequirementVisitor;
        impl<'de> Visitor<'de> for RequirementVisitor {
            type Value = RequirementSettings;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter
                    .write_str("`authenticated`, `anyone`, or a table such as { scope = \"orders:read\" }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RequirementSettings, E> {
                RequirementWord::deserialize(de::value::StrDeserializer::new(text))
                    .map(RequirementSettings::Word)
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<RequirementSettings, A::Error> {
                RequirementTable::deserialize(de::value::MapAccessDeserializer::new(members))
                    .map(|table| RequirementSettings::Table(Box::new(table)))
            }
        }
        deserializer.deserialize_any(RequirementVisitor)
    }
}
