//! The configuration as it is written: TOML, member by member. Every comment on a field here is its
//! documentation, in the JSON Schema and in docs/configuration.md.

mod certificate;
mod custom;
mod dynamodb;
mod gateway;
mod introspection;
mod oauth;
mod parameter;
mod possession;
mod rule;
mod saml;
mod section;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::values::{self, OneOrMore, PlainValues};
use crate::jwks::Algorithm;
use crate::verify::{AudienceClaim, Presence, Profile};
pub(super) use certificate::ClientCertificateSettings;
pub(super) use custom::CustomSettings;
#[cfg(feature = "dynamodb")]
pub(super) use dynamodb::OutageName;
pub(super) use dynamodb::{ApiKeysTable, BasicTable, DynamoDbTable, RevocationTable};
pub(super) use gateway::GatewaySettings;
pub(super) use introspection::{ClientAuthenticationName, IntrospectionTable, SignedAnswersName};
pub(super) use oauth::{ClientCredentialsTable, PassedOnName, TokenExchangeTable, UserinfoTable};
pub(super) use parameter::{CertificateTest, ParameterTest};
pub(super) use possession::{DpopSettings, ProofName, ReplaysName, UnboundName};
pub(super) use rule::{
    CredentialName, EffectName, RequirementSettings, RequirementTable, RequirementWord, RuleSettings,
};
#[cfg(feature = "saml")]
pub(super) use saml::SamlReplaysName;
pub(super) use saml::SamlTable;
pub(super) use section::Section;

/// The configuration of lambda-authorizer: `authorizer.toml`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "authorizer.toml"))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// For a machine of your own: key servers on loopback addresses may be reached over plain http.
    /// The function refuses to start with it on AWS Lambda.
    pub(super) development: bool,
    /// The issuers whose tokens are accepted. A token is verified with the keys of the issuer that
    /// it names, and of no other. One is needed, unless there is an `[introspection]`, `[api_keys]`, `[basic]`, `[saml]` or `[[custom]]`.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(super) issuer: Vec<IssuerSettings>,
    /// Where the credential is looked for, in this order; the first place that holds one wins.
    /// Default: the TOKEN event's token, then the header `Authorization`, both with the scheme
    /// `Bearer` (and `Basic`, where there is a `[client_credentials]` or a `[basic]`), then for WebSockets the subprotocol behind
    /// `access_token`.
    pub(super) identity_source: Vec<IdentitySourceSettings>,
    /// Who may call what. Without any rule, a verified caller may invoke the whole stage; with any,
    /// what no rule allows is denied.
    pub(super) rule: Vec<RuleSettings>,
    /// How API Gateway is set up to ask and to cache: what it should be, for the rules that depend on it.
    pub(super) gateway: GatewaySettings,
    /// How API Gateway is answered.
    pub(super) response: ResponseSettings,
    /// How key sets are fetched and kept.
    pub(super) key_set: KeySetSettings,
    /// How an authorization server is asked about opaque tokens, and about those of issuers with `introspection`.
    pub(super) introspection: Option<Section<IntrospectionTable, { cfg!(feature = "introspection") }>>,
    /// How a provider without introspection is asked whose an opaque token is. Not beside `[introspection]`.
    pub(super) userinfo: Option<Section<UserinfoTable, { cfg!(feature = "introspection") }>>,
    /// How clients with an ID and a secret get an access token.
    pub(super) client_credentials: Option<Section<ClientCredentialsTable, { cfg!(feature = "oauth") }>>,
    /// How a caller's token is exchanged for one for the backend.
    pub(super) token_exchange: Option<Section<TokenExchangeTable, { cfg!(feature = "oauth") }>>,
    /// The DynamoDB table in which API keys, users and revocations are looked up.
    pub(super) dynamodb: Option<DynamoDbTable>,
    /// How API keys are recognized and checked.
    pub(super) api_keys: Option<ApiKeysTable>,
    /// How names and passwords are checked.
    pub(super) basic: Option<BasicTable>,
    /// Whether credentials that hold are revoked.
    pub(super) revocation: Option<RevocationTable>,
    /// What SAML assertions must be like.
    pub(super) saml: Option<SamlTable>,
    /// Kinds of credential that code verifies which was added to the function (docs/extending.md).
    pub(super) custom: Vec<CustomSettings>,
    /// What DPoP proofs must be like, for the issuers whose `proof_of_possession` takes them.
    pub(super) dpop: Option<Section<DpopSettings, { cfg!(feature = "possession") }>>,
    /// What the certificate must be like with which a client comes (mutual TLS). Default: whatever it is.
    pub(super) client_certificate: Option<ClientCertificateSettings>,
    /// How tokens are remembered whose signatures held, so that the same token is not verified again and again.
    pub(super) token_cache: TokenCacheSettings,
}

/// An issuer of tokens.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["url", "audience"])))]
#[serde(deny_unknown_fields, default)]
pub(super) struct IssuerSettings {
    /// The `iss` of its tokens, compared exactly, slash at the end included.
    pub(super) url: Option<String>,
    /// The audience, or a list of audiences, of which the token must name one exactly.
    /// `"unchecked"` written out accepts tokens that are meant for others.
    pub(super) audience: Option<OneOrMore>,
    /// What kind of token its callers send. Default: `access_token`.
    pub(super) profile: Option<Profile>,
    /// The claim that holds the audience. Default: as the profile says, `aud` mostly.
    pub(super) audience_claim: Option<AudienceClaim>,
    /// The algorithms that it signs with. Default: those of the profile, or every one that is
    /// supported.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(super) algorithms: Option<Vec<Algorithm>>,
    /// What the header's `typ` must be: one of these, in any case, with `application/` or without;
    /// a token without `typ` is then refused. Default: as the profile says.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(super) types: Option<Vec<String>>,
    /// Whether a token must name its key by `kid`. Default: `optional`; a token without one is then
    /// verified only if exactly one key of the set fits its algorithm.
    pub(super) key_id: Option<Presence>,
    /// Whether a token must have a `sub`. Default: `required`. Where it is `optional`,
    /// `principal_id` needs another claim, too.
    pub(super) subject: Option<Presence>,
    /// Claims that must be there, and not be empty, by path, such as `["jti", "org.tenant_id"]`.
    pub(super) required_claims: Vec<String>,
    /// Claims that must have a value, by path: `{ email_verified = true, tier = ["gold", "silver"] }`.
    /// Of several values one must be there; a claim that is an array must hold it.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, PlainValues>"))]
    pub(super) required_values: BTreeMap<String, PlainValues>,
    /// How long ago a token may have been issued (`iat`), in seconds: 1 to 31622400. Default: no limit
    /// but `exp`.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 31_622_400)))]
    pub(super) max_age_seconds: Option<u64>,
    /// How long a token may live from `iat` to `exp`, in seconds: 1 to 31622400. Default: no limit.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 31_622_400)))]
    pub(super) max_lifetime_seconds: Option<u64>,
    /// Where its key set is. Default: where its discovery document
    /// (`<url>/.well-known/openid-configuration`) says.
    pub(super) jwks_uri: Option<String>,
    /// A key set in the package, for an issuer that cannot be reached: a path relative to this file. It is
    /// never fetched again.
    pub(super) jwks_file: Option<String>,
    /// A key set in the package, or in a layer, for the start: a path relative to this file. The first
    /// decision needs no network then; the key set is fetched behind it. `authorizer keys fetch` writes the
    /// file. A key that the issuer has removed since then still verifies until that fetch is done.
    pub(super) initial_jwks_file: Option<String>,
    /// Certificates of authorities that vouch for its servers beside the public ones: the path of a PEM
    /// file, relative to this one.
    pub(super) ca_file: Option<String>,
    /// The proxy on the way to its servers: `http://proxy.example:3128`, with user and password where it
    /// needs them. Default: none; no environment variable is looked at.
    pub(super) proxy: Option<String>,
    /// Header fields for the requests to `jwks_uri`, or to `url` where that is not set, such as
    /// `{ x-api-key = "…" }`. They are not sent to another origin, should the discovery document lead there.
    #[serde(deserialize_with = "values::secrets")]
    pub(super) headers: BTreeMap<String, String>,
    /// How far its clock and ours may differ: 0 to 300 seconds. Default: 30.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 300)))]
    pub(super) leeway_seconds: Option<u64>,
    /// How callers may prove that a token which is bound to a key (`cnf`) is theirs. Needs `gateway.cache_seconds = 0`: a cached
    /// answer would be replayed to whoever has the token alone. Default: in no way, so that such tokens are refused.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(super) proof_of_possession: Option<Vec<ProofName>>,
    /// What becomes of tokens that are bound to no key. Default: `accepted`.
    pub(super) unbound_tokens: Option<UnboundName>,
    /// Whether `[introspection]` is asked, too, whether a token is active: it may have been revoked. Default: `optional`, which
    /// does not ask.
    pub(super) introspection: Option<Presence>,
}

/// A place where a credential may be.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["from"])))]
#[serde(deny_unknown_fields, default)]
pub(super) struct IdentitySourceSettings {
    /// The part of the request.
    pub(super) from: Option<Place>,
    /// The name of the header, query parameter or cookie. For `websocket_protocol` the subprotocol
    /// that announces the credential (default `access_token`).
    pub(super) name: Option<String>,
    /// What stands before the credential. Default: `Bearer` for `authorization_token` and `header`,
    /// `none` elsewhere.
    pub(super) scheme: Option<SchemeName>,
}

/// A part of a request.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// The TOKEN event's `authorizationToken`.
    AuthorizationToken,
    /// A header; the case of its name does not matter.
    Header,
    /// A query parameter. It ends up in access logs: prefer a header.
    Query,
    /// A cookie.
    Cookie,
    /// `Sec-WebSocket-Protocol`: the only header that a browser's script can set on a WebSocket.
    WebsocketProtocol,
}

/// An authentication scheme.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum SchemeName {
    /// `Bearer`, in any case, before the token.
    Bearer,
    /// `Basic`, in any case, before a client's ID and secret for `[client_credentials]`, or a name and a password for `[basic]`.
    Basic,
    /// Either of them.
    #[serde(rename = "Bearer or Basic")]
    BearerOrBasic,
    /// The token alone.
    #[serde(rename = "none")]
    None,
}

/// How API Gateway is answered.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct ResponseSettings {
    /// What a refused credential is answered with. Default: `deny`.
    pub(super) refusal: RefusalName,
    /// What an HTTP API with payload format 2.0 is answered with; it must agree with the
    /// authorizer's `EnableSimpleResponses`. Default: `policy`.
    pub(super) http_api: HttpApiName,
    /// The claims of which the first that is there becomes the principal ID. Default: `["sub"]`.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(super) principal_id: Option<Vec<String>>,
    /// The claim that holds the caller's API key, for REST APIs whose API key source is the
    /// authorizer. A caller without it uses up the key of the first rule that has one for them.
    pub(super) usage_identifier_key: Option<String>,
    /// The context key under which a refusal tells its reason code. Default: none.
    pub(super) reason_key: Option<String>,
    /// What the backend gets: context key = claim path. Paths are names and positions joined by
    /// dots (`realm_access.roles`); a name that holds a dot stands in double quotes. Where API
    /// Gateway takes no arrays and objects (everywhere but payload format 2.0), they arrive as the
    /// base64url of their JSON.
    pub(super) context: BTreeMap<String, String>,
}

/// What a refused credential is answered with.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum RefusalName {
    /// A policy that denies everything: status 403.
    #[default]
    Deny,
    /// The error that REST and WebSocket APIs answer with status 401; elsewhere as `deny`.
    Unauthorized,
}

/// The two shapes of an answer to payload format 2.0.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum HttpApiName {
    /// An IAM policy.
    #[default]
    Policy,
    /// `{"isAuthorized": true}`, which API Gateway caches for every route alike. With rules, `[gateway]` says how
    /// that is kept from happening.
    Simple,
}

/// How key sets are fetched and kept.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeySetSettings {
    /// How long a fetch may take, discovery document and key set together: 100 to 8000. Default: 3000.
    #[cfg_attr(feature = "schema", schemars(range(min = 100, max = 8000)))]
    pub(super) timeout_milliseconds: Option<u64>,
    /// How long the start waits for the key sets, which are fetched all at once: 0 to 8000. Default: 1000.
    /// The first request waits for what is then still on its way. With 0, the start fetches nothing.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 8000)))]
    pub(super) init_milliseconds: Option<u64>,
    /// How long the function stays awake behind an answer for a key set that is being fetched: 0 to 8000.
    /// Default: `timeout_milliseconds`. The caller has the answer by then. Lambda would freeze the fetch otherwise.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 8000)))]
    pub(super) linger_milliseconds: Option<u64>,
    /// How long a key set is used at most before a request waits for the next one: 60 to 86400. Default:
    /// 600. A key that the issuer removes stops verifying then at the latest, but for an outage. The
    /// `max-age` of the issuer's `Cache-Control` makes it shorter.
    #[cfg_attr(feature = "schema", schemars(range(min = 60, max = 86400)))]
    pub(super) lifetime_seconds: Option<u64>,
    /// How long a key set is used at least, whatever `Cache-Control` says: 60 to `lifetime_seconds`.
    /// Default: 300, or `lifetime_seconds` where that is less.
    #[cfg_attr(feature = "schema", schemars(range(min = 60, max = 86400)))]
    pub(super) shortest_lifetime_seconds: Option<u64>,
    /// How long after its lifetime it still serves while the issuer cannot be reached: 0 to 604800.
    /// Default: 86400. A key that is withdrawn in an outage stops verifying after both at the latest.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 604800)))]
    pub(super) stale_if_error_seconds: Option<u64>,
    /// The least time between two fetches that tokens with unknown keys ask for: 1 to 300. Default: 10.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 300)))]
    pub(super) cooldown_seconds: Option<u64>,
    /// How old an `initial_jwks_file` may be when it is used: 3600 to 7776000. Default: 604800, a week.
    #[cfg_attr(feature = "schema", schemars(range(min = 3600, max = 7776000)))]
    pub(super) initial_max_age_seconds: Option<u64>,
}

/// How tokens are remembered whose signatures held. Their claims are checked each time, and so is whether their key is still
/// the issuer's.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct TokenCacheSettings {
    /// How many tokens are remembered at most: 0 to 100000. Default: 256. With 0, none is.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100_000)))]
    pub(super) entries: Option<u64>,
    /// How much memory they take together at most, in kB: 1 to 1000000. Default: 1000.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1_000_000)))]
    pub(super) kilobytes: Option<u64>,
    /// How long a token is remembered at most: 1 to 86400. Default: 300. It ends with its `exp`, and with the removal of its
    /// key, in any case.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 86_400)))]
    pub(super) lifetime_seconds: Option<u64>,
}

/// The variables that stand for a whole configuration of one issuer, and what each means.
pub const ENVIRONMENT_VARIABLES: [(&str, &str); 9] = [
    ("AUTHORIZER_ISSUER", "The issuer's `url`."),
    ("AUTHORIZER_AUDIENCE", "Its `audience`; several are separated by commas."),
    ("AUTHORIZER_PROFILE", "Its `profile`. Default: `access_token`."),
    ("AUTHORIZER_JWKS_URI", "Its `jwks_uri`. Default: discovery."),
    ("AUTHORIZER_ALGORITHMS", "Its `algorithms`, separated by commas."),
    ("AUTHORIZER_API_KEY_TABLE", "The `table` of `[dynamodb]`, for `[api_keys]` beside it."),
    ("AUTHORIZER_API_KEY_PREFIX", "The `prefix` of `[api_keys]`."),
    ("AUTHORIZER_CONFIG", "A whole configuration as TOML, instead of the above."),
    ("AUTHORIZER_CONFIG_FILE", "The path of a configuration file, instead of the above."),
];

/// The JSON Schema of `authorizer.toml`.
#[cfg(feature = "schema")]
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Settings).to_value();
    forget_null(&mut schema);
    schema
}

/// TOML has no null: what may be left out is left out.
#[cfg(feature = "schema")]
fn forget_null(schema: &mut serde_json::Value) {
    use serde_json::Value;
    match schema {
        Value::Object(members) => {
            members.retain(|name, value| !(name == "default" && (value.is_null() || value.is_object())));
            members.values_mut().for_each(forget_null);
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    members.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    members.remove("anyOf");
                    members.extend(only);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(forget_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
