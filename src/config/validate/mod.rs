//! From the settings as they are written to a [`Config`] that is right.

mod certificate;
mod client;
mod custom;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod introspection;
mod issuer;
mod oauth;
mod parameter;
mod possession;
mod rule;
#[cfg(feature = "saml")]
mod saml;

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use super::draft::Draft;
use super::problem::Problem;
use super::raw::{
    HttpApiName, IdentitySourceSettings, KeySetSettings, Place, RefusalName, ReplaysName, ResponseSettings,
    SchemeName, Section, Settings, TokenCacheSettings,
};
use super::{Config, Issuer, Waits};
use crate::claims::ClaimPath;
use crate::credential::{DEFAULT_MARKER, IdentitySource, IdentitySources, Location, Scheme};
use crate::jwks::Timing;
use crate::response::{Answers, HttpApi, Refusal};
use crate::rules::{ContextKey, Rule, Rules};
use crate::verify::{IntrospectionSettings, Presence, TokenCacheLimits};

pub(super) fn validate(settings: Settings, directory: Option<&Path>) -> Draft {
    let mut check = Check {
        problems: Vec::new(),
        development: settings.development,
        directory,
        rule_positions: Vec::new(),
        has_introspection: settings.introspection.is_some(),
        has_opaque_tokens: settings.introspection.is_some() || settings.userinfo.is_some(),
        has_client_credentials: settings.client_credentials.is_some(),
        has_api_keys: settings.api_keys.is_some(),
        has_basic: settings.basic.is_some(),
        has_saml: settings.saml.is_some(),
        custom: settings.custom.iter().filter_map(|custom| custom.kind.clone()).collect(),
    };
    let mut urls: Vec<String> = settings.issuer.iter().filter_map(|issuer| issuer.url.clone()).collect();
    let of_jwts = urls.clone();
    let of_introspection = settings.introspection.as_ref().and_then(Section::as_settings);
    urls.extend(of_introspection.and_then(|table| table.issuer.clone()));
    let of_userinfo = settings.userinfo.as_ref().and_then(Section::as_settings);
    urls.extend(of_userinfo.and_then(|table| table.issuer.clone()));
    check.features(&settings);
    #[cfg(feature = "dynamodb")]
    let database = {
        let has_shared_proofs = has_shared_proofs(&settings);
        let database = check.database(
            settings.dynamodb,
            settings.api_keys,
            settings.basic,
            settings.revocation,
            has_shared_proofs,
            &urls,
        );
        urls.extend(
            database.iter().flat_map(|database| database.issuers()).map(|(issuer, _)| issuer.to_owned()),
        );
        database
    };
    #[cfg(feature = "saml")]
    let saml = {
        let may_cache = settings.gateway.cache_seconds != Some(0);
        let saml = settings.saml.and_then(|table| check.saml(table, &urls, may_cache));
        urls.extend(saml.iter().map(|saml| saml.settings.expectations.issuer.to_string()));
        saml
    };
    let dpop = settings.dpop.and_then(Section::settings).unwrap_or_default();
    let proofs = check.proofs(dpop, settings.gateway.cache_seconds != Some(0));
    let issuers = check.issuers(settings.issuer, &proofs);
    let introspection = settings.introspection.and_then(Section::settings);
    let introspection = introspection.and_then(|table| check.introspection(table, &proofs, &of_jwts));
    let (introspection, answer_keys) =
        introspection.map_or((None, None), |(settings, keys)| (Some(settings), keys));
    let userinfo = settings.userinfo.and_then(Section::settings);
    let userinfo = userinfo.and_then(|table| check.userinfo(table));
    let client_credentials = settings.client_credentials.and_then(Section::settings);
    let client_credentials = client_credentials.and_then(|table| check.client_credentials(table, &urls));
    let cache_seconds = settings.gateway.cache_seconds;
    let token_exchange = settings.token_exchange.and_then(Section::settings);
    let token_exchange = token_exchange.and_then(|table| check.token_exchange(table, &urls, cache_seconds));
    let custom = check.custom(settings.custom, &urls);
    urls.extend(custom.iter().map(|kind| kind.issuer.to_string()));
    let identity_sources = check.identity_sources(settings.identity_source);
    let rules = check.rules(settings.rule, &urls);
    let mut answers = check.answers(settings.response);
    let client_certificates = settings.client_certificate.map(|table| check.client_certificates(table));
    let client_certificates = client_certificates.map(|(certificates, context)| {
        answers.certificate_context = context;
        certificates
    });
    let gateway = check.gateway(settings.gateway);
    let (timing, waits) = check.key_sets(&settings.key_set);
    let token_cache = check.token_cache(&settings.token_cache);
    let of_form = check.problems.len();
    check.context_keys(&rules, &answers);
    check.basic_sources(&identity_sources);
    if let Some((key, _)) = &token_exchange {
        check.exchanged_key(key, &rules, &answers);
    }
    check.caching(&gateway, &rules, &identity_sources, &answers);
    if client_certificates.is_some() {
        check.certificate_caching(&gateway);
    }
    check.custom_caching(&custom, &gateway);
    let compiler = check.compiler(rules);
    check.principal(&issuers, introspection.as_ref(), &answers);
    let config = Config {
        development: settings.development,
        issuers,
        introspection: introspection.or(userinfo),
        client_certificates,
        answer_keys,
        client_credentials,
        token_exchange,
        #[cfg(feature = "dynamodb")]
        database,
        #[cfg(feature = "saml")]
        saml,
        custom,
        identity_sources,
        compiler,
        gateway,
        answers,
        timing,
        waits,
        token_cache,
    };
    Draft::new(config, check.problems, of_form)
}

/// Whether it is to be written to the table which proofs were used.
fn has_shared_proofs(settings: &Settings) -> bool {
    let dpop = settings.dpop.as_ref().and_then(Section::as_settings);
    dpop.and_then(|dpop| dpop.replays) == Some(ReplaysName::Table)
}

/// Collects the problems on the way.
struct Check<'a> {
    problems: Vec<Problem>,
    development: bool,
    directory: Option<&'a Path>,
    /// Where the rules stand that could be read.
    rule_positions: Vec<usize>,
    /// Whether it can be asked whether tokens are active.
    has_introspection: bool,
    /// Whether somebody can be asked about opaque tokens.
    has_opaque_tokens: bool,
    /// Whether IDs and secrets of clients are exchanged for tokens.
    has_client_credentials: bool,
    /// Whether API keys can be looked up.
    has_api_keys: bool,
    /// Whether names and passwords can be checked.
    has_basic: bool,
    /// Whether SAML assertions are taken.
    has_saml: bool,
    /// The kinds of credential that code of one's own verifies.
    custom: Vec<String>,
}

impl Check<'_> {
    #[cold]
    #[inline(never)]
    fn problem(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem::new(path, message));
    }

    #[cold]
    #[inline(never)]
    fn problem_with_hint(&mut self, path: impl Into<String>, message: impl Into<String>, hint: &str) {
        self.problems.push(Problem::new(path, message).hint(hint));
    }

    /// What is configured, and was left out when the function was built, must not be silently ignored.
    fn features(&mut self, settings: &Settings) {
        for (feature, is_built, sections) in [
            (
                "dynamodb",
                cfg!(feature = "dynamodb"),
                &[
                    ("dynamodb", settings.dynamodb.is_some()),
                    ("api_keys", settings.api_keys.is_some()),
                    ("basic", settings.basic.is_some()),
                    ("revocation", settings.revocation.is_some()),
                    ("dpop.replays", has_shared_proofs(settings)),
                ][..],
            ),
            (
                "introspection",
                cfg!(feature = "introspection"),
                &[
                    ("introspection", settings.introspection.is_some()),
                    ("userinfo", settings.userinfo.is_some()),
                ],
            ),
            (
                "oauth",
                cfg!(feature = "oauth"),
                &[
                    ("client_credentials", settings.client_credentials.is_some()),
                    ("token_exchange", settings.token_exchange.is_some()),
                ],
            ),
            ("possession", cfg!(feature = "possession"), &[("dpop", settings.dpop.is_some())]),
            ("saml", cfg!(feature = "saml"), &[("saml", settings.saml.is_some())]),
        ] {
            for (section, _) in sections.iter().filter(|(_, is_there)| *is_there && !is_built) {
                self.unbuilt(*section, feature);
            }
        }
    }

    /// A setting with which this function can do nothing.
    fn unbuilt(&mut self, path: impl Into<String>, feature: &str) {
        let hint = format!("build it with the feature `{feature}`: `make package FEATURES={feature}`");
        self.problem_with_hint(path, "this function is built without what it needs", &hint);
    }

    /// The value in the range, or its default; a problem when it is outside.
    fn number(&mut self, path: &str, value: Option<u64>, default: u32, from: u32, to: u32) -> u32 {
        match value.map(u32::try_from) {
            None => default,
            Some(Ok(value)) if (from..=to).contains(&value) => value,
            Some(_) => {
                self.problem(path, format!("it is not between {from} and {to}"));
                default
            }
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, path: String, text: &str) -> Option<T> {
        text.parse().map_err(|error| self.problem(path, format!("`{text}`: {error}"))).ok()
    }

    fn not_empty<T>(&mut self, path: &str, list: Option<&[T]>) {
        if list.is_some_and(<[T]>::is_empty) {
            self.problem(path, "it is empty");
        }
    }

    /// As `parsed`; dots within a name are easily overlooked.
    fn claim_path(&mut self, path: String, text: &str) -> Option<ClaimPath> {
        if text.contains("://") && !text.contains('"') {
            let hint = format!("names that hold a dot stand in double quotes: `'\"{text}\"'`");
            self.problem_with_hint(path, format!("`{text}` would be taken apart at its dots"), &hint);
            return None;
        }
        self.parsed(path, text)
    }

    /// Without a principal ID there is no answer.
    fn principal(
        &mut self,
        issuers: &[Issuer],
        introspection: Option<&IntrospectionSettings>,
        answers: &Answers,
    ) {
        let mut all = issuers
            .iter()
            .map(|issuer| &issuer.expectations)
            .chain(introspection.map(|settings| &settings.expectations));
        if all.any(|expected| expected.subject == Presence::Optional)
            && answers.principal_id == [ClaimPath::of(["sub"])]
        {
            self.problem_with_hint(
                "response.principal_id",
                "it is `sub`, which may be absent where `subject` is `optional`",
                "name what is there instead, such as `[\"sub\", \"client_id\"]`",
            );
        }
    }

    fn identity_sources(&mut self, settings: Vec<IdentitySourceSettings>) -> IdentitySources {
        if settings.is_empty() {
            let usual = IdentitySources::default();
            let takes_basic = self.has_client_credentials || self.has_basic;
            return if takes_basic { usual.taking_basic() } else { usual };
        }
        let mut sources = Vec::new();
        for (position, settings) in settings.into_iter().enumerate() {
            sources.extend(self.identity_source(&format!("identity_source[{position}]"), settings));
        }
        IdentitySources::new(sources)
    }

    fn identity_source(&mut self, path: &str, settings: IdentitySourceSettings) -> Option<IdentitySource> {
        let Some(from) = settings.from else {
            self.problem(format!("{path}.from"), "it is missing");
            return None;
        };
        let path = format!("{path}.name");
        let name = settings.name.filter(|name| !name.is_empty());
        let (location, default) = match (from, name) {
            (Place::AuthorizationToken, None) => (Location::AuthorizationToken, Scheme::Bearer),
            (Place::AuthorizationToken, Some(_)) => {
                self.problem(path, "a TOKEN event has one token, which has no name");
                return None;
            }
            (Place::WebsocketProtocol, name) => {
                let marker = name.unwrap_or_else(|| DEFAULT_MARKER.to_owned());
                (Location::WebSocketProtocol { marker }, Scheme::None)
            }
            (Place::Header, Some(name)) => (Location::Header(name), Scheme::Bearer),
            (Place::Query, Some(name)) => (Location::Query(name), Scheme::None),
            (Place::Cookie, Some(name)) => (Location::Cookie(name), Scheme::None),
            (Place::Header | Place::Query | Place::Cookie, None) => {
                self.problem(path, "it is missing");
                return None;
            }
        };
        let scheme = match settings.scheme {
            None => default,
            Some(SchemeName::Bearer) => Scheme::Bearer,
            Some(SchemeName::Basic) => Scheme::Basic,
            Some(SchemeName::BearerOrBasic) => Scheme::BearerOrBasic,
            Some(SchemeName::None) => Scheme::None,
        };
        Some(IdentitySource { location, scheme })
    }

    fn answers(&mut self, settings: ResponseSettings) -> Answers {
        let principal_id = settings.principal_id.unwrap_or_else(|| vec!["sub".to_owned()]);
        if principal_id.is_empty() {
            self.problem("response.principal_id", "it is empty");
        }
        let mut claims: Vec<ClaimPath> = Vec::new();
        for (position, claim) in principal_id.iter().enumerate() {
            claims.extend(self.claim_path(format!("response.principal_id[{position}]"), claim));
        }
        let mut context = Vec::new();
        for (key, claim) in &settings.context {
            let path = format!("response.context.{key}");
            let key = self.parsed(path.clone(), key);
            context.extend(key.zip(self.claim_path(path, claim)));
        }
        let reason_key = settings.reason_key.and_then(|key| self.parsed("response.reason_key".into(), &key));
        if context.iter().any(|(key, _): &(ContextKey, ClaimPath)| Some(key) == reason_key.as_ref()) {
            self.problem("response.reason_key", "a claim of `response.context` has the same key");
        }
        let usage_identifier_key = settings
            .usage_identifier_key
            .and_then(|path| self.parsed("response.usage_identifier_key".into(), &path));
        Answers {
            refusal: match settings.refusal {
                RefusalName::Deny => Refusal::Deny,
                RefusalName::Unauthorized => Refusal::Unauthorized,
            },
            http_api: match settings.http_api {
                HttpApiName::Policy => HttpApi::Policy,
                HttpApiName::Simple => HttpApi::Simple,
            },
            principal_id: claims,
            usage_identifier_key,
            reason_key,
            context,
            certificate_context: Vec::new(),
        }
    }

    /// What a rule tells backends must not stand where a claim of the caller's does.
    fn context_keys(&mut self, rules: &Rules, answers: &Answers) {
        for (key, _) in &answers.certificate_context {
            let is_taken = answers.context.iter().any(|(other, _)| other == key);
            let is_of_rule = |rule: &Rule| rule.context.iter().any(|(other, _)| other == key);
            if is_taken || answers.reason_key.as_ref() == Some(key) || rules.as_slice().iter().any(is_of_rule)
            {
                let path = format!("client_certificate.context.{key}");
                self.problem(path, "`[response]`, or a rule, has the same key");
            }
        }
        for (position, rule) in self.rule_positions.clone().into_iter().zip(rules.as_slice()) {
            for (key, _) in &rule.context {
                let is_taken = answers.context.iter().any(|(other, _)| other == key);
                if is_taken || answers.reason_key.as_ref() == Some(key) {
                    let path = format!("rule[{position}].context.{key}");
                    self.problem(
                        path,
                        "`[response]` has the same key: a caller's claim would take its place",
                    );
                }
            }
        }
    }

    fn key_sets(&mut self, settings: &KeySetSettings) -> (Timing, Waits) {
        let timeout =
            self.number("key_set.timeout_milliseconds", settings.timeout_milliseconds, 3000, 100, 8000);
        let init = self.number("key_set.init_milliseconds", settings.init_milliseconds, 1000, 0, 8000);
        let linger =
            self.number("key_set.linger_milliseconds", settings.linger_milliseconds, timeout, 0, 8000);
        let lifetime = self.number("key_set.lifetime_seconds", settings.lifetime_seconds, 600, 60, 86_400);
        let shortest = settings.shortest_lifetime_seconds;
        let shortest =
            self.number("key_set.shortest_lifetime_seconds", shortest, lifetime.min(300), 60, lifetime);
        let stale = self.number(
            "key_set.stale_if_error_seconds",
            settings.stale_if_error_seconds,
            86_400,
            0,
            604_800,
        );
        let cooldown = self.number("key_set.cooldown_seconds", settings.cooldown_seconds, 10, 1, 300);
        let initial_age = settings.initial_max_age_seconds;
        let initial_age =
            self.number("key_set.initial_max_age_seconds", initial_age, 604_800, 3600, 7_776_000);
        if cooldown > shortest {
            let message = "it is longer than the shortest lifetime, which it would extend";
            self.problem("key_set.cooldown_seconds", message);
        }
        let milliseconds = |number| Duration::from_millis(u64::from(number));
        let timing = Timing {
            timeout: milliseconds(timeout),
            lifetime: lifetime.into(),
            shortest_lifetime: shortest.into(),
            stale: stale.into(),
            cooldown: cooldown.into(),
            initial_age: initial_age.into(),
        };
        (timing, Waits { init: milliseconds(init), linger: milliseconds(linger) })
    }

    fn token_cache(&mut self, settings: &TokenCacheSettings) -> TokenCacheLimits {
        let entries = self.number("token_cache.entries", settings.entries, 256, 0, 100_000);
        let kilobytes = self.number("token_cache.kilobytes", settings.kilobytes, 1000, 1, 1_000_000);
        let lifetime = self.number("token_cache.lifetime_seconds", settings.lifetime_seconds, 300, 1, 86_400);
        TokenCacheLimits {
            entries: entries as usize,
            bytes: kilobytes as usize * 1000,
            lifetime: lifetime.into(),
        }
    }
}
