//! How an authorization server is asked about tokens.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ProofName, UnboundName};
use crate::config::values::{self, OneOrMore, PlainValues};
use crate::jwks::Algorithm;
use crate::verify::Presence;

/// How an authorization server is asked about tokens that say nothing by themselves (RFC 7662).
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["url", "issuer", "audience", "client_id"])))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct IntrospectionTable {
    /// The introspection endpoint.
    pub(in crate::config) url: Option<String>,
    /// Who vouches for the tokens: what rules and logs call their issuer. An `iss` in an answer must be this, exactly.
    pub(in crate::config) issuer: Option<String>,
    /// The audience, or a list of audiences, of which an answer must name one in `aud`. `"unchecked"` written out accepts
    /// tokens that are meant for others, and answers that do not say for whom they are.
    pub(in crate::config) audience: Option<OneOrMore>,
    /// By what name the function is known to the server.
    pub(in crate::config) client_id: Option<String>,
    /// Its secret there, for `basic` and `post`.
    #[serde(deserialize_with = "values::secret")]
    pub(in crate::config) client_secret: Option<String>,
    /// How it proves itself. Default: `basic`.
    pub(in crate::config) client_authentication: Option<ClientAuthenticationName>,
    /// For `private_key_jwt`: the file of its private key, relative to this one. PKCS #8 in PEM form, or a JWK: P-256, RSA or
    /// Ed25519.
    pub(in crate::config) client_key_file: Option<String>,
    /// The name of the key at the server (`kid`). Default: the JWK's own, or none.
    pub(in crate::config) client_key_id: Option<String>,
    /// What the key signs with: `RS256`, `PS256`, `ES256` or `EdDSA`. Default: the JWK's own, or the first that its kind
    /// has.
    pub(in crate::config) client_key_algorithm: Option<Algorithm>,
    /// For whom the JWT is that it signs (`aud`). Default: `issuer`, as RFC 7523 is being revised to ask for; some servers want the
    /// URL of their token endpoint.
    pub(in crate::config) client_assertion_audience: Option<String>,
    /// Whether its answers are to be signed (RFC 9701): `required` takes no others, `accepted` asks for them and takes others, too.
    /// Default: they are not asked for.
    pub(in crate::config) signed_answers: Option<SignedAnswersName>,
    /// Where the keys are with which it signs its answers. Default: those of the `[[issuer]]` whose `url` is this `issuer`.
    pub(in crate::config) jwks_uri: Option<String>,
    /// Whether an answer must have a `sub`. Default: `required`. Where it is `optional`, `principal_id` needs another claim,
    /// too.
    pub(in crate::config) subject: Option<Presence>,
    /// Claims that must be there, and not be empty, by path.
    pub(in crate::config) required_claims: Vec<String>,
    /// Claims that must have a value, by path, as for an issuer.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, PlainValues>"))]
    pub(in crate::config) required_values: BTreeMap<String, PlainValues>,
    /// How long an answer about an active token is used, in seconds: 0 to 3600, and never beyond its `exp`. A token that is
    /// revoked meanwhile is still taken. Default: 60.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 3600)))]
    pub(in crate::config) lifetime_seconds: Option<u64>,
    /// How long an answer about a token that is not active is used, in seconds: 0 to 300. Default: 10.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 300)))]
    pub(in crate::config) negative_lifetime_seconds: Option<u64>,
    /// How many answers are kept: 0 to 100000. Default: 256.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100_000)))]
    pub(in crate::config) entries: Option<u64>,
    /// How long a question may take, in milliseconds: 100 to 8000. Default: 3000.
    #[cfg_attr(feature = "schema", schemars(range(min = 100, max = 8000)))]
    pub(in crate::config) timeout_milliseconds: Option<u64>,
    /// How far its clock and ours may differ: 0 to 300 seconds. Default: 30.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 300)))]
    pub(in crate::config) leeway_seconds: Option<u64>,
    /// How callers may prove that a token which is bound to a key (`cnf`) is theirs, as for an issuer.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(in crate::config) proof_of_possession: Option<Vec<ProofName>>,
    /// What becomes of tokens that are bound to no key. Default: `accepted`.
    pub(in crate::config) unbound_tokens: Option<UnboundName>,
    /// Certificates of authorities that vouch for its server beside the public ones: the path of a PEM file, relative to this
    /// one.
    pub(in crate::config) ca_file: Option<String>,
    /// The proxy on the way to its server, as for an issuer.
    pub(in crate::config) proxy: Option<String>,
}

/// How the function proves itself to the authorization server (RFC 6749, section 2.3.1; RFC 7523).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum ClientAuthenticationName {
    /// With HTTP's Basic authentication.
    Basic,
    /// With its ID and its secret in the form.
    Post,
    /// With a JWT that it signs (RFC 7523).
    PrivateKeyJwt,
}

/// Whether answers are signed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum SignedAnswersName {
    /// They must be.
    Required,
    /// They may be.
    Accepted,
}
