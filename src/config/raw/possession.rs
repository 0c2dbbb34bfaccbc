//! What proofs of possession must be like.

use serde::Deserialize;

use crate::jwks::Algorithm;

/// A proof of possession (RFC 7800).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum ProofName {
    /// A DPoP proof (RFC 9449), in the header `DPoP`, with the token behind `Authorization: DPoP`.
    Dpop,
    /// The certificate with which the client came (RFC 8705), where the API's custom domain has mutual TLS.
    MutualTls,
}

/// What becomes of tokens that are bound to no key.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum UnboundName {
    /// Whoever bears one may use it.
    Accepted,
    /// They are refused: every token must be bound.
    Refused,
}

/// Where it is known which proofs were used.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum ReplaysName {
    /// In each process: another one takes a proof once more.
    Process,
    /// In the table of `[dynamodb]` as well, which all processes share. A request with a proof waits until it is written there.
    Table,
}

/// What DPoP proofs must be like.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct DpopSettings {
    /// The algorithms that clients may sign proofs with. Default: every one that is supported.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(in crate::config) algorithms: Option<Vec<Algorithm>>,
    /// How long ago a proof may have been made, in seconds: 1 to 300. The issuer's `leeway_seconds` are added. Default: 60.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 300)))]
    pub(in crate::config) lifetime_seconds: Option<u64>,
    /// The URL of the API as its clients know it, up to where the paths of its routes begin: `https://api.example.com/v1`. Default:
    /// as the event tells, which is right unless a proxy stands before API Gateway. With `development = true` it may be http to loopback.
    pub(in crate::config) url: Option<String>,
    /// Where it is known which proofs were used, so that none is taken twice. Default: `process`. With `table`, the function is built with
    /// the feature `dynamodb`.
    pub(in crate::config) replays: Option<ReplaysName>,
}
