//! The settings of `[client_credentials]`, `[token_exchange]` and `[userinfo]`.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use super::Check;
use super::client::ClientSettings;
use crate::config::raw::{ClientCredentialsTable, PassedOnName, TokenExchangeTable, UserinfoTable};
use crate::config::values::OneOrMore;
use crate::credential::{IdentitySources, Presentation};
use crate::response::Answers;
use crate::rules::{ContextKey, Rules};
use crate::verify::{
    AudienceCheck, ClientCredentialsSettings, Endpoint, Expectations, IntrospectionSettings, Presence,
    Profile, TokenEndpoint, TokenExchangeSettings,
};

/// How a server is reached, as it is written.
struct Server {
    url: Option<String>,
    timeout: Option<u64>,
    ca_file: Option<String>,
    proxy: Option<String>,
}

/// How long what was said is used, as it is written.
struct Times {
    lifetime: Option<u64>,
    negative: Option<u64>,
    entries: Option<u64>,
}

/// The same, in seconds.
struct Kept {
    lifetime: f64,
    negative: f64,
    entries: usize,
}

impl Check<'_> {
    pub(super) fn client_credentials(
        &mut self,
        table: ClientCredentialsTable,
        issuers: &[String],
    ) -> Option<ClientCredentialsSettings> {
        const SECTION: &str = "client_credentials";
        let kept = self.kept(
            SECTION,
            &Times {
                lifetime: table.lifetime_seconds,
                negative: table.negative_lifetime_seconds,
                entries: table.entries,
            },
            (300, 3600),
        );
        let server = Server {
            url: table.token_endpoint,
            timeout: table.timeout_milliseconds,
            ca_file: table.ca_file,
            proxy: table.proxy,
        };
        let endpoint = self.token_endpoint(SECTION, "token_endpoint", server);
        let issuer = self.known_issuer(SECTION, table.issuer, issuers);
        let parameters = self.endpoint_parameters(SECTION, table.audience, table.resource, table.scope);
        let client_claim =
            table.client_claim.and_then(|claim| self.claim_path(format!("{SECTION}.client_claim"), &claim));
        Some(ClientCredentialsSettings {
            issuer: issuer?.into(),
            endpoint: endpoint?,
            in_form: table.passed_on == Some(PassedOnName::Post),
            parameters,
            client_claim,
            lifetime: kept.lifetime,
            negative_lifetime: kept.negative,
            entries: kept.entries,
        })
    }

    pub(super) fn token_exchange(
        &mut self,
        table: TokenExchangeTable,
        issuers: &[String],
        cache_seconds: Option<u64>,
    ) -> Option<(ContextKey, TokenExchangeSettings)> {
        const SECTION: &str = "token_exchange";
        let path = |name: &str| format!("{SECTION}.{name}");
        let kept = self.kept(
            SECTION,
            &Times {
                lifetime: table.lifetime_seconds,
                negative: table.negative_lifetime_seconds,
                entries: table.entries,
            },
            (3600, 86_400),
        );
        let remaining = self.least_remaining(table.least_remaining_seconds, cache_seconds);
        let server = Server {
            url: table.token_endpoint,
            timeout: table.timeout_milliseconds,
            ca_file: table.ca_file,
            proxy: table.proxy,
        };
        let endpoint = self.token_endpoint(SECTION, "token_endpoint", server);
        let issuer = self.known_issuer(SECTION, table.issuer, issuers);
        let key = self.given(SECTION, "context_key", table.context_key);
        let key = key.and_then(|key| self.parsed(path("context_key"), &key));
        let client = ClientSettings {
            id: table.client_id,
            secret: table.client_secret,
            authentication: table.client_authentication,
            key_file: table.client_key_file,
            key_id: table.client_key_id,
            key_algorithm: table.client_key_algorithm,
            assertion_audience: table.client_assertion_audience,
        };
        let authentication = self.client(SECTION, client, issuer.as_deref());
        let parameters = self.endpoint_parameters(SECTION, table.audience, table.resource, table.scope);
        if parameters.is_empty() {
            let hint = "set `audience`, `resource` or `scope`";
            let message = "the backend's token would have all rights of the caller's";
            self.problem_with_hint(SECTION, message, hint);
        }
        let usual = "urn:ietf:params:oauth:token-type:access_token";
        let settings = TokenExchangeSettings {
            issuer: issuer?.into(),
            endpoint: endpoint?,
            authentication: authentication?,
            subject_token_type: table.subject_token_type.unwrap_or_else(|| usual.to_owned()),
            requested_token_type: table.requested_token_type,
            parameters,
            least_remaining: remaining.into(),
            lifetime: kept.lifetime,
            negative_lifetime: kept.negative,
            entries: kept.entries,
        };
        Some((key?, settings))
    }

    /// An answer that API Gateway keeps for longer than its token lives hands the backend one that has expired.
    fn least_remaining(&mut self, seconds: Option<u64>, cache_seconds: Option<u64>) -> u32 {
        const PATH: &str = "token_exchange.least_remaining_seconds";
        /// The longest that API Gateway keeps an answer.
        const LONGEST: u64 = 3600;
        let remaining = self.number(PATH, seconds, 300, 0, 3600);
        if cache_seconds.unwrap_or(LONGEST) > remaining.into() {
            let message = "API Gateway may keep an answer for longer than the token in it lives";
            let hint = "set `gateway.cache_seconds` to the TTL of its authorizer, and this to no less";
            self.problem_with_hint(PATH, message, hint);
        }
        remaining
    }

    pub(super) fn userinfo(&mut self, table: UserinfoTable) -> Option<IntrospectionSettings> {
        const SECTION: &str = "userinfo";
        if self.has_introspection {
            let hint =
                "keep `[introspection]`: it says for whom a token is, what it may and how long it lives";
            let message = "`[introspection]` is there, too, and an opaque token is asked about once";
            self.problem_with_hint(SECTION, message, hint);
        }
        if table.audience.as_deref() != Some("unchecked") {
            let hint = "`audience = \"unchecked\"` accepts tokens of all the provider's clients";
            let message = "the endpoint does not say for whom a token is";
            self.problem_with_hint("userinfo.audience", message, hint);
        }
        let rules = self.claim_rules(SECTION, table.required_claims, table.required_values);
        let kept = self.kept(
            SECTION,
            &Times {
                lifetime: table.lifetime_seconds,
                negative: table.negative_lifetime_seconds,
                entries: table.entries,
            },
            (60, 3600),
        );
        let issuer = self.given(SECTION, "issuer", table.issuer);
        if let Some(issuer) = &issuer {
            self.exact("userinfo.issuer", issuer);
        }
        let server = Server {
            url: table.url,
            timeout: table.timeout_milliseconds,
            ca_file: table.ca_file,
            proxy: table.proxy,
        };
        let TokenEndpoint { url, connector, timeout } = self.token_endpoint(SECTION, "url", server)?;
        let mut expectations = Expectations::new(Profile::AccessToken, &issuer?, AudienceCheck::Unchecked);
        expectations.expiry = Presence::Optional;
        rules.into_iter().for_each(|rule| expectations.require(rule));
        Some(IntrospectionSettings {
            expectations,
            url,
            connector,
            endpoint: Endpoint::UserInfo,
            timeout,
            lifetime: kept.lifetime,
            negative_lifetime: kept.negative,
            entries: kept.entries,
        })
    }

    /// `Basic` is taken where a section says what becomes of it, and a section has a place where it is taken.
    pub(super) fn basic_sources(&mut self, sources: &IdentitySources) {
        let has_section = self.has_client_credentials || self.has_basic;
        if self.has_client_credentials && self.has_basic {
            let hint = "keep one of them: nobody could tell whose a name and a password are";
            self.problem_with_hint("basic", "`[client_credentials]` takes `Basic`, too", hint);
        }
        let takes = |presentation| sources.as_slice().iter().any(|source| source.scheme.takes(presentation));
        if has_section && !takes(Presentation::Basic) {
            let hint = "`scheme = \"Basic\"`, or `\"Bearer or Basic\"`, for the header `Authorization`";
            self.problem_with_hint("identity_source", "none of them takes `Basic`", hint);
        }
        if !has_section && takes(Presentation::Basic) {
            let message = "`Basic` is taken, and nothing says what becomes of it";
            self.problem_with_hint(
                "identity_source",
                message,
                "add a `[client_credentials]`, or a `[basic]`",
            );
        }
    }

    /// The backend's token must not stand where something else does.
    pub(super) fn exchanged_key(&mut self, key: &ContextKey, rules: &Rules, answers: &Answers) {
        let is_of_rule =
            rules.as_slice().iter().flat_map(|rule| &rule.context).any(|(other, _)| other == key);
        let is_of_claim = answers.context.iter().any(|(other, _)| other == key);
        let is_of_event = *key == ContextKey::expiry();
        if is_of_rule || is_of_claim || is_of_event || answers.reason_key.as_ref() == Some(key) {
            self.problem("token_exchange.context_key", "something else in the context has the same key");
        }
    }

    fn kept(&mut self, section: &str, times: &Times, (usual, longest): (u32, u32)) -> Kept {
        let path = |name: &str| format!("{section}.{name}");
        let lifetime = self.number(&path("lifetime_seconds"), times.lifetime, usual, 0, longest);
        let negative = self.number(&path("negative_lifetime_seconds"), times.negative, 10, 0, 300);
        let entries = self.number(&path("entries"), times.entries, 256, 0, 100_000);
        Kept { lifetime: lifetime.into(), negative: negative.into(), entries: entries as usize }
    }

    fn token_endpoint(&mut self, section: &str, name: &str, server: Server) -> Option<TokenEndpoint> {
        let timeout = format!("{section}.timeout_milliseconds");
        let timeout = self.number(&timeout, server.timeout, 3000, 100, 8000);
        let url = self.given(section, name, server.url);
        let url = url.and_then(|url| self.key_server(format!("{section}.{name}"), &url));
        let connector = self.connector(section, server.ca_file, server.proxy, &BTreeMap::new(), url.as_ref());
        Some(TokenEndpoint { url: url?, connector, timeout: Duration::from_millis(timeout.into()) })
    }

    fn known_issuer(&mut self, section: &str, issuer: Option<String>, known: &[String]) -> Option<String> {
        let issuer = self.given(section, "issuer", issuer)?;
        if !known.contains(&issuer) {
            let message = format!("`{issuer}` is the `url` of no `[[issuer]]`, and nobody else's `issuer`");
            self.problem_with_hint(format!("{section}.issuer"), message, "a slash at the end counts");
        }
        Some(issuer)
    }

    fn endpoint_parameters(
        &mut self,
        section: &str,
        audience: Option<String>,
        resource: Option<String>,
        scope: Option<OneOrMore>,
    ) -> Vec<(&'static str, String)> {
        let mut parameters = Vec::new();
        if let Some(audience) = audience {
            self.exact(&format!("{section}.audience"), &audience);
            parameters.push(("audience", audience));
        }
        if let Some(resource) = resource {
            // RFC 8707, section 2.
            if Url::parse(&resource).ok().is_none_or(|url| url.fragment().is_some()) {
                let path = format!("{section}.resource");
                self.problem(path, format!("`{resource}` is not an absolute URI without a fragment"));
            }
            parameters.push(("resource", resource));
        }
        if let Some(scope) = scope {
            let scopes = scope.into_vec();
            let path = format!("{section}.scope");
            self.not_empty(&path, Some(&scopes));
            for scope in &scopes {
                if scope.is_empty() || scope.contains(char::is_whitespace) {
                    self.problem_with_hint(
                        &path,
                        "a scope in it is empty, or holds white space",
                        "list several scopes one by one",
                    );
                }
            }
            parameters.push(("scope", scopes.join(" ")));
        }
        parameters
    }
}
