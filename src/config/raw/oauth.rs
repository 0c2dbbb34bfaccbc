//! Tokens that are got for callers, and providers that are asked who they are.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ClientAuthenticationName;
use crate::config::values::{self, OneOrMore, PlainValues};
use crate::jwks::Algorithm;

/// How clients that hold only an ID and a secret (`Authorization: Basic`) get an access token (RFC 6749, section 4.4), which is then
/// verified like any other.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["token_endpoint", "issuer"])))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct ClientCredentialsTable {
    /// The provider's token endpoint.
    pub(in crate::config) token_endpoint: Option<String>,
    /// Who vouches for its tokens: the `url` of an `[[issuer]]`, or the `issuer` of `[introspection]` or `[userinfo]`.
    pub(in crate::config) issuer: Option<String>,
    /// How ID and secret are passed on: `basic` as they came, `post` in the form. Default: `basic`.
    pub(in crate::config) passed_on: Option<PassedOnName>,
    /// The scope that is asked for, or several. Default: none, so that the provider chooses.
    pub(in crate::config) scope: Option<OneOrMore>,
    /// The `audience` that is asked for, of providers that take one.
    pub(in crate::config) audience: Option<String>,
    /// The `resource` that is asked for (RFC 8707): a URI.
    pub(in crate::config) resource: Option<String>,
    /// The claim that must hold the client's ID, by path. Default: each of `client_id`, `azp`, `cid` and `appid` that is there.
    pub(in crate::config) client_claim: Option<String>,
    /// How long a token is used, in seconds: 0 to 3600, and never beyond its `expires_in`. Default: 300. A client whose secret was
    /// changed meanwhile is still let in.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 3600)))]
    pub(in crate::config) lifetime_seconds: Option<u64>,
    /// How long it is remembered that a client was refused, in seconds: 0 to 300. Default: 10.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 300)))]
    pub(in crate::config) negative_lifetime_seconds: Option<u64>,
    /// How many tokens and refusals are kept: 0 to 100000. Default: 256.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100_000)))]
    pub(in crate::config) entries: Option<u64>,
    /// How long the exchange may take, in milliseconds: 100 to 8000. Default: 3000.
    #[cfg_attr(feature = "schema", schemars(range(min = 100, max = 8000)))]
    pub(in crate::config) timeout_milliseconds: Option<u64>,
    /// Certificates of authorities that vouch for its server, as for an issuer.
    pub(in crate::config) ca_file: Option<String>,
    /// The proxy on the way to its server, as for an issuer.
    pub(in crate::config) proxy: Option<String>,
}

/// How a client's ID and secret are passed on.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum PassedOnName {
    /// In HTTP's Basic authentication, as they came.
    Basic,
    /// In the form.
    Post,
}

/// How a caller's token is exchanged for one for the backend (RFC 8693), which goes into the answer's context.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["token_endpoint", "issuer", "client_id", "context_key"])))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct TokenExchangeTable {
    /// The provider's token endpoint.
    pub(in crate::config) token_endpoint: Option<String>,
    /// Whose tokens are exchanged: the `url` of an `[[issuer]]`, or the `issuer` of `[introspection]` or `[userinfo]`. Callers with others
    /// get no token.
    pub(in crate::config) issuer: Option<String>,
    /// The key of the context under which the backend finds the token.
    pub(in crate::config) context_key: Option<String>,
    /// By what name the function is known to the provider.
    pub(in crate::config) client_id: Option<String>,
    /// Its secret there, for `basic` and `post`.
    #[serde(deserialize_with = "values::secret")]
    pub(in crate::config) client_secret: Option<String>,
    /// How it proves itself. Default: `basic`.
    pub(in crate::config) client_authentication: Option<ClientAuthenticationName>,
    /// For `private_key_jwt`: the file of its private key, as for `[introspection]`.
    pub(in crate::config) client_key_file: Option<String>,
    /// The name of the key at the provider (`kid`). Default: the JWK's own, or none.
    pub(in crate::config) client_key_id: Option<String>,
    /// What the key signs with: `RS256`, `PS256`, `ES256` or `EdDSA`. Default: the JWK's own, or the first that its kind has.
    pub(in crate::config) client_key_algorithm: Option<Algorithm>,
    /// For whom the JWT is that it signs (`aud`). Default: `issuer`.
    pub(in crate::config) client_assertion_audience: Option<String>,
    /// The `audience` of the token: the backend's name at the provider. One of `audience`, `resource` and `scope` is needed: the token
    /// would otherwise have all rights of the caller's.
    pub(in crate::config) audience: Option<String>,
    /// The `resource` of the token (RFC 8707): the backend's URI.
    pub(in crate::config) resource: Option<String>,
    /// The scope of the token, or several.
    pub(in crate::config) scope: Option<OneOrMore>,
    /// What the callers' tokens are. Default: `urn:ietf:params:oauth:token-type:access_token`.
    pub(in crate::config) subject_token_type: Option<String>,
    /// What is asked for, and what the answer must then say that it is. Default: the provider chooses.
    pub(in crate::config) requested_token_type: Option<String>,
    /// How long a token that goes into an answer lives at least, in seconds: 0 to 3600. At least `gateway.cache_seconds`, so that no
    /// kept answer outlives its token. Default: 300.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 3600)))]
    pub(in crate::config) least_remaining_seconds: Option<u64>,
    /// How long a token is put into answers, in seconds: 0 to 86400. It ends when less than `least_remaining_seconds` are left, in any
    /// case. Default: 3600.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 86_400)))]
    pub(in crate::config) lifetime_seconds: Option<u64>,
    /// How long it is remembered that a token was refused, in seconds: 0 to 300. Default: 10.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 300)))]
    pub(in crate::config) negative_lifetime_seconds: Option<u64>,
    /// How many tokens are kept: 0 to 100000. Default: 256.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100_000)))]
    pub(in crate::config) entries: Option<u64>,
    /// How long the exchange may take, in milliseconds: 100 to 8000. Default: 3000.
    #[cfg_attr(feature = "schema", schemars(range(min = 100, max = 8000)))]
    pub(in crate::config) timeout_milliseconds: Option<u64>,
    /// Certificates of authorities that vouch for its server, as for an issuer.
    pub(in crate::config) ca_file: Option<String>,
    /// The proxy on the way to its server, as for an issuer.
    pub(in crate::config) proxy: Option<String>,
}

/// How a provider without introspection is asked whose an opaque token is (OpenID Connect Core 1.0, section 5.3). It does not say for whom
/// the token is, nor how long it lives, nor what it may: a token of any of the provider's clients gets in.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["url", "issuer", "audience"])))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct UserinfoTable {
    /// The UserInfo endpoint.
    pub(in crate::config) url: Option<String>,
    /// Who vouches for the tokens: what rules and logs call their issuer.
    pub(in crate::config) issuer: Option<String>,
    /// `"unchecked"`, written out: the endpoint does not say for whom a token is.
    pub(in crate::config) audience: Option<String>,
    /// Claims that must be there, and not be empty, by path.
    pub(in crate::config) required_claims: Vec<String>,
    /// Claims that must have a value, by path, as for an issuer.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, PlainValues>"))]
    pub(in crate::config) required_values: BTreeMap<String, PlainValues>,
    /// How long an answer about an active token is used, in seconds: 0 to 3600. A token that is over meanwhile is still taken. Default: 60.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 3600)))]
    pub(in crate::config) lifetime_seconds: Option<u64>,
    /// How long one about a token that is not active is used, in seconds: 0 to 300. Default: 10.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 300)))]
    pub(in crate::config) negative_lifetime_seconds: Option<u64>,
    /// How many answers are kept: 0 to 100000. Default: 256.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100_000)))]
    pub(in crate::config) entries: Option<u64>,
    /// How long a question may take, in milliseconds: 100 to 8000. Default: 3000.
    #[cfg_attr(feature = "schema", schemars(range(min = 100, max = 8000)))]
    pub(in crate::config) timeout_milliseconds: Option<u64>,
    /// Certificates of authorities that vouch for its server, as for an issuer.
    pub(in crate::config) ca_file: Option<String>,
    /// The proxy on the way to its server, as for an issuer.
    pub(in crate::config) proxy: Option<String>,
}
