//! The settings of `[introspection]`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Check;
use super::client::ClientSettings;
use super::possession::Proofs;
use crate::config::AnswerKeys;
use crate::config::raw::{IntrospectionTable, SignedAnswersName};
use crate::verify::{Endpoint, Expectations, IntrospectionSettings, Presence, Profile, SignedAnswers};

impl Check<'_> {
    /// How tokens are asked about, and where the keys are with which answers are signed.
    pub(super) fn introspection(
        &mut self,
        table: IntrospectionTable,
        proofs: &Proofs,
        issuers: &[String],
    ) -> Option<(IntrospectionSettings, Option<AnswerKeys>)> {
        const SECTION: &str = "introspection";
        let path = |name: &str| format!("{SECTION}.{name}");
        let audience = self.audience(&path("audience"), table.audience);
        let rules = self.claim_rules(SECTION, table.required_claims, table.required_values);
        let leeway = self.number(&path("leeway_seconds"), table.leeway_seconds, 30, 0, 300);
        let lifetime = self.number(&path("lifetime_seconds"), table.lifetime_seconds, 60, 0, 3600);
        let negative = table.negative_lifetime_seconds;
        let negative = self.number(&path("negative_lifetime_seconds"), negative, 10, 0, 300);
        let entries = self.number(&path("entries"), table.entries, 256, 0, 100_000);
        let timeout = self.number(&path("timeout_milliseconds"), table.timeout_milliseconds, 3000, 100, 8000);
        let possession = self.possession(SECTION, table.proof_of_possession, table.unbound_tokens, proofs);
        let url = self.given(SECTION, "url", table.url);
        let issuer = self.given(SECTION, "issuer", table.issuer);
        let client_id = table.client_id.clone();
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
        if let Some(issuer) = &issuer {
            self.exact(&path("issuer"), issuer);
        }
        let url = url.and_then(|url| self.key_server(path("url"), &url));
        let connector = self.connector(SECTION, table.ca_file, table.proxy, &BTreeMap::new(), url.as_ref());
        let signed = table.signed_answers.zip(issuer.as_deref().zip(client_id.as_deref())).map(
            |(name, (issuer, client))| {
                let is_required = name == SignedAnswersName::Required;
                Box::new(SignedAnswers::new(issuer, client, leeway.into(), is_required))
            },
        );
        let keys = match (table.signed_answers, table.jwks_uri) {
            (None, None) => None,
            (None, Some(_)) => {
                let hint = "set `signed_answers`, or leave it out";
                self.problem_with_hint(path("jwks_uri"), "no answer is signed", hint);
                None
            }
            (Some(_), Some(uri)) => {
                let connector = Box::new(connector.clone());
                self.key_server(path("jwks_uri"), &uri).map(|url| AnswerKeys::Own { url, connector })
            }
            (Some(_), None) => {
                if issuer.as_ref().is_some_and(|issuer| !issuers.contains(issuer)) {
                    let hint = "set `jwks_uri`, or add an `[[issuer]]` with this `issuer` as its `url`";
                    let message = "nobody knows the keys with which answers are signed";
                    self.problem_with_hint(path("signed_answers"), message, hint);
                }
                Some(AnswerKeys::OfIssuer)
            }
        };
        let mut expectations = Expectations::new(Profile::AccessToken, &issuer?, audience?);
        expectations.leeway = f64::from(leeway);
        expectations.subject = table.subject.unwrap_or(Presence::Required);
        expectations.expiry = Presence::Optional;
        expectations.possession = possession;
        rules.into_iter().for_each(|rule| expectations.require(rule));
        let settings = IntrospectionSettings {
            expectations,
            url: url?,
            connector,
            endpoint: Endpoint::Introspection { authentication: authentication?, signed },
            timeout: Duration::from_millis(timeout.into()),
            lifetime: lifetime.into(),
            negative_lifetime: negative.into(),
            entries: entries as usize,
        };
        Some((settings, keys))
    }
}
