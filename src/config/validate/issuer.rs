//! The settings of an issuer: what its tokens must be like, and where its keys are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use url::{ParseError, Url};

use super::Check;
use super::possession::Proofs;
use crate::config::Issuer;
use crate::config::raw::IssuerSettings;
use crate::config::values::{OneOrMore, PlainValues};
use crate::io::{Connector, ConnectorError, read_file};
use crate::jwks::{self, KeySet, KeySetFile, KeySetSource};
use crate::verify::{AudienceCheck, ClaimRule, Expectations, Presence, TokenTypes};

impl Check<'_> {
    pub(super) fn issuers(&mut self, settings: Vec<IssuerSettings>, proofs: &Proofs) -> Vec<Issuer> {
        let has_others = self.has_opaque_tokens
            || self.has_api_keys
            || self.has_basic
            || self.has_saml
            || !self.custom.is_empty();
        if settings.is_empty() && !has_others {
            self.problem_with_hint(
                "issuer",
                "there is none",
                "add an `[[issuer]]` with its `url` and `audience`, an `[introspection]`, `[api_keys]`, `[basic]` or `[saml]`",
            );
        }
        let mut seen = BTreeSet::new();
        let mut issuers = Vec::new();
        for (position, mut settings) in settings.into_iter().enumerate() {
            let path = format!("issuer[{position}]");
            if let Some(url) = settings.url.clone().filter(|url| !seen.insert(url.clone())) {
                self.problem(format!("{path}.url"), format!("`{url}` is configured twice"));
            }
            let possession =
                self.possession(&path, settings.proof_of_possession.take(), settings.unbound_tokens, proofs);
            let is_introspected = settings.introspection == Some(Presence::Required);
            if is_introspected && !self.has_introspection {
                let path = format!("{path}.introspection");
                self.problem_with_hint(path, "nobody can be asked", "add an `[introspection]`");
            }
            if let Some(mut issuer) = self.issuer(&path, settings) {
                issuer.expectations.possession = possession;
                issuer.expectations.is_introspected = is_introspected;
                issuers.push(issuer);
            }
        }
        issuers
    }

    fn issuer(&mut self, path: &str, settings: IssuerSettings) -> Option<Issuer> {
        let audience = self.audience(&format!("{path}.audience"), settings.audience);
        if audience == Some(AudienceCheck::Unchecked) && settings.audience_claim.is_some() {
            self.problem(format!("{path}.audience_claim"), "no audience is checked, in this claim neither");
        }
        let leeway = self.number(&format!("{path}.leeway_seconds"), settings.leeway_seconds, 30, 0, 300);
        let rules = self.claim_rules(path, settings.required_claims, settings.required_values);
        let max_age = self.seconds(&format!("{path}.max_age_seconds"), settings.max_age_seconds);
        let max_lifetime =
            self.seconds(&format!("{path}.max_lifetime_seconds"), settings.max_lifetime_seconds);
        self.not_empty(&format!("{path}.algorithms"), settings.algorithms.as_deref());
        self.not_empty(&format!("{path}.types"), settings.types.as_deref());
        for kind in settings.types.iter().flatten() {
            self.exact(&format!("{path}.types"), kind.strip_prefix("application/").unwrap_or(kind));
        }
        let url = settings.url.filter(|url| !url.is_empty());
        if let Some(url) = &url {
            self.exact(&format!("{path}.url"), url);
        }
        if url.is_none() {
            let hint = "the `iss` of the issuer's tokens, exactly";
            self.problem_with_hint(format!("{path}.url"), "it is missing", hint);
        }
        let initial = match (settings.initial_jwks_file, url.as_deref()) {
            (Some(_), _) if settings.jwks_file.is_some() => {
                let path = format!("{path}.initial_jwks_file");
                self.problem(path, "`jwks_file` is set, too, and they exclude each other");
                None
            }
            (Some(file), Some(url)) => self.initial_file(&format!("{path}.initial_jwks_file"), &file, url),
            _ => None,
        };
        let is_reached = settings.jwks_file.is_none();
        let source = self.key_source(path, url.as_deref(), settings.jwks_uri, settings.jwks_file);
        let reached = source.as_ref().and_then(|source| match source {
            KeySetSource::Url(uri) => Some(uri.clone()),
            KeySetSource::Discovery => Url::parse(url.as_deref()?).ok(),
            KeySetSource::Fixed(_) => None,
            #[cfg(feature = "saml")]
            KeySetSource::Document(..) => None,
        });
        let connector = if is_reached {
            self.connector(path, settings.ca_file, settings.proxy, &settings.headers, reached.as_ref())
        } else {
            let has_headers = !settings.headers.is_empty();
            self.nobody_is_asked(path, settings.ca_file.is_some(), settings.proxy.is_some(), has_headers);
            Connector::default()
        };

        let profile = settings.profile.unwrap_or_default();
        let mut expected = Expectations::new(profile, &url?, audience?);
        expected.leeway = f64::from(leeway);
        expected.audience_claim = settings.audience_claim.unwrap_or(expected.audience_claim);
        expected.key_id = settings.key_id.unwrap_or(expected.key_id);
        expected.subject = settings.subject.unwrap_or(expected.subject);
        for rule in rules {
            expected.require(rule);
        }
        (expected.max_age, expected.max_lifetime) = (max_age, max_lifetime);
        if let Some(algorithms) = settings.algorithms {
            expected.algorithms = algorithms;
        }
        if let Some(types) = settings.types {
            expected.types = TokenTypes::new(&types.iter().map(String::as_str).collect::<Vec<_>>(), false);
        }
        Some(Issuer { profile, expectations: expected, source: source?, initial, connector })
    }

    fn key_source(
        &mut self,
        path: &str,
        issuer: Option<&str>,
        uri: Option<String>,
        file: Option<String>,
    ) -> Option<KeySetSource> {
        match (uri, file) {
            (Some(_), Some(_)) => {
                let path = format!("{path}.jwks_file");
                self.problem(path, "`jwks_uri` is set, too, and they exclude each other");
                None
            }
            (Some(uri), None) => self.key_server(format!("{path}.jwks_uri"), &uri).map(KeySetSource::Url),
            (None, Some(file)) => self.key_file(&format!("{path}.jwks_file"), &file),
            (None, None) => {
                let known = self.problems.len();
                let server = self.key_server(format!("{path}.url"), issuer?);
                // The name of an issuer need not be where its keys are.
                for problem in self.problems.iter_mut().skip(known).filter(|problem| problem.hint.is_none()) {
                    problem.hint = Some("`jwks_uri` says where the keys are".to_owned());
                }
                server.map(|_| KeySetSource::Discovery)
            }
        }
    }

    pub(super) fn claim_rules(
        &mut self,
        path: &str,
        required: Vec<String>,
        values: BTreeMap<String, PlainValues>,
    ) -> Vec<ClaimRule> {
        let mut rules = Vec::new();
        for (position, claim) in required.iter().enumerate() {
            let claim = self.claim_path(format!("{path}.required_claims[{position}]"), claim);
            rules.extend(claim.map(|claim| ClaimRule::Present(vec![claim])));
        }
        for (claim, values) in values {
            let path = format!("{path}.required_values.{claim}");
            let values = values.into_vec();
            self.not_empty(&path, Some(&values));
            let claim = self.claim_path(path, &claim);
            rules.extend(claim.map(|claim| ClaimRule::Value { claim, values }));
        }
        rules
    }

    /// What is compared to the letter: a space too much would never be found in a token.
    pub(super) fn exact(&mut self, path: &str, text: &str) {
        if text.is_empty() || text.trim() != text {
            self.problem(path, format!("`{text}` is empty, or has white space around it"));
        }
    }

    /// A limit that holds for every token there is would be none.
    pub(super) fn seconds(&mut self, path: &str, value: Option<u64>) -> Option<f64> {
        const LONGEST: u32 = 366 * 24 * 60 * 60;
        value.map(|_| f64::from(self.number(path, value, LONGEST, 1, LONGEST)))
    }

    pub(super) fn audience(&mut self, path: &str, audience: Option<OneOrMore>) -> Option<AudienceCheck> {
        match audience {
            Some(OneOrMore::One(word)) if word == "unchecked" => Some(AudienceCheck::Unchecked),
            Some(audience) => {
                let audiences = audience.into_vec();
                self.not_empty(path, Some(&audiences));
                for audience in &audiences {
                    self.exact(path, audience);
                }
                Some(AudienceCheck::OneOf(audiences))
            }
            None => {
                self.problem_with_hint(
                    path,
                    "it is missing",
                    "name what the issuer puts into `aud` for this API; `\"unchecked\"` accepts tokens meant for others",
                );
                None
            }
        }
    }

    /// Rule K1: keys come over https, or from loopback where `development` says so.
    pub(super) fn key_server(&mut self, path: String, text: &str) -> Option<Url> {
        let url = match Url::parse(text) {
            Ok(url) => url,
            Err(error) => {
                self.not_a_url(path, text, error);
                return None;
            }
        };
        if jwks::is_safe(&url, self.development) {
            return Some(url);
        }
        if !url.username().is_empty() || url.password().is_some() {
            let hint =
                "`headers = { authorization = \"Basic …\" }` sends them, and the log does not show them";
            self.problem_with_hint(path, "it holds a user or a password", hint);
            return None;
        }
        if jwks::is_safe(&url, true) {
            let hint = "`development = true` allows loopback addresses";
            self.problem_with_hint(path, format!("`{text}` is not https"), hint);
        } else {
            self.problem(path, format!("`{text}` is not https, and keys are fetched from there"));
        }
        None
    }

    /// A host name in other letters than ASCII is not looked up: two that look alike need not be the same.
    fn not_a_url(&mut self, path: String, text: &str, error: ParseError) {
        let message = format!("`{text}` is not a URL");
        if error == ParseError::IdnaError && !text.is_ascii() {
            let hint = "a host name is ASCII: an internationalized one is written as `xn--…` (Punycode)";
            self.problem_with_hint(path, message, hint);
        } else {
            self.problem(path, message);
        }
    }

    /// Keys of a file that is never fetched again come from no server.
    fn nobody_is_asked(&mut self, path: &str, has_authorities: bool, has_proxy: bool, has_headers: bool) {
        for (name, is_set) in [("ca_file", has_authorities), ("proxy", has_proxy), ("headers", has_headers)] {
            if is_set {
                let hint = "with `initial_jwks_file` the keys of a file are fetched anew";
                let message = "`jwks_file` is set, too, and with it no server is asked";
                self.problem_with_hint(format!("{path}.{name}"), message, hint);
            }
        }
    }

    /// How the issuer's servers are reached.
    pub(super) fn connector(
        &mut self,
        path: &str,
        authorities: Option<String>,
        proxy: Option<String>,
        headers: &BTreeMap<String, String>,
        url: Option<&Url>,
    ) -> Connector {
        let mut connector = Connector::default();
        if let Some(file) = authorities {
            let path = format!("{path}.ca_file");
            if let Some(pem) = self.file(&path, &file) {
                let trusting = connector.clone().trusting(&pem);
                connector = self.connected(&path, &format!("`{file}`: "), trusting, connector);
            }
        }
        if let Some(proxy) = proxy {
            // Not quoted: a password may stand in it.
            let through = connector.clone().through(&proxy);
            connector = self.connected(&format!("{path}.proxy"), "", through, connector);
        }
        if let Some(url) = url.filter(|_| !headers.is_empty()) {
            let fields = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let sending = connector.clone().sending(fields, url);
            connector = self.connected(&format!("{path}.headers"), "", sending, connector);
        }
        connector
    }

    fn connected(
        &mut self,
        path: &str,
        what: &str,
        connector: Result<Connector, ConnectorError>,
        before: Connector,
    ) -> Connector {
        connector.unwrap_or_else(|error| {
            self.problem_with_hint(path, format!("{what}{error}"), hint(&error));
            before
        })
    }

    pub(super) fn file(&mut self, path: &str, file: &str) -> Option<Vec<u8>> {
        let whole = self.directory.unwrap_or(Path::new("")).join(file);
        let hint = "relative to the configuration file, or to the function where that is a variable";
        read_file(&whole)
            .map_err(|error| self.problem_with_hint(path, format!("`{file}` cannot be read: {error}"), hint))
            .ok()
    }

    fn initial_file(&mut self, path: &str, file: &str, issuer: &str) -> Option<KeySetFile> {
        let bytes = self.file(path, file)?;
        let hint = "`authorizer keys fetch` writes such a file";
        KeySetFile::parse(&bytes, issuer)
            .map_err(|error| self.problem_with_hint(path, format!("`{file}`: {error}"), hint))
            .ok()
    }

    fn key_file(&mut self, path: &str, file: &str) -> Option<KeySetSource> {
        let bytes = self.file(path, file)?;
        let keys =
            KeySet::parse(&bytes).map_err(|error| self.problem(path, format!("`{file}`: {error}"))).ok()?;
        Some(KeySetSource::Fixed(Arc::new(keys)))
    }
}

fn hint(error: &ConnectorError) -> &'static str {
    match error {
        ConnectorError::NotPem | ConnectorError::Certificate(_) | ConnectorError::PrivateKey => {
            "the certificates of your authorities, each from `-----BEGIN CERTIFICATE-----` to its end, and nothing else"
        }
        ConnectorError::Proxy => "such as `http://proxy.example:3128`",
        ConnectorError::HeaderName(_) => "some are set by the function itself, such as `host` and `accept`",
        ConnectorError::HeaderTwice(_) => "the case of a name does not matter",
        ConnectorError::HeaderValue(_) => "no line feeds, and no other control characters",
    }
}
