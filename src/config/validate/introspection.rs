//! The settings of `[introspection]`.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::byte_serialize;

use super::Check;
use super::possession::Proofs;
use crate::config::raw::{ClientAuthenticationName, IntrospectionTable};
use crate::verify::{Expectations, IntrospectionSettings, Presence, Profile};

impl Check<'_> {
    pub(super) fn introspection(
        &mut self,
        table: IntrospectionTable,
        proofs: &Proofs,
    ) -> Option<IntrospectionSettings> {
        let path = |name: &str| format!("introspection.{name}");
        let audience = self.audience(&path("audience"), table.audience);
        let rules = self.claim_rules("introspection", table.required_claims, table.required_values);
        let leeway = self.number(&path("leeway_seconds"), table.leeway_seconds, 30, 0, 300);
        let lifetime = self.number(&path("lifetime_seconds"), table.lifetime_seconds, 60, 0, 3600);
        let negative = table.negative_lifetime_seconds;
        let negative = self.number(&path("negative_lifetime_seconds"), negative, 10, 0, 300);
        let entries = self.number(&path("entries"), table.entries, 256, 0, 100_000);
        let timeout = self.number(&path("timeout_milliseconds"), table.timeout_milliseconds, 3000, 100, 8000);
        let possession =
            self.possession("introspection", table.proof_of_possession, table.unbound_tokens, proofs);
        let mut given = |name: &str, value: Option<String>| {
            let value = value.filter(|value| !value.is_empty());
            if value.is_none() {
                self.problem(path(name), "it is missing");
            }
            value
        };
        let url = given("url", table.url);
        let issuer = given("issuer", table.issuer);
        let client = given("client_id", table.client_id).zip(given("client_secret", table.client_secret));
        if let Some(issuer) = &issuer {
            self.exact(&path("issuer"), issuer);
        }
        let url = self.key_server(path("url"), &url?)?;
        let (id, secret) = client?;
        let (mut headers, mut form) = (BTreeMap::new(), Vec::new());
        match table.client_authentication.unwrap_or(ClientAuthenticationName::Basic) {
            ClientAuthenticationName::Basic => {
                headers.insert("authorization".to_owned(), basic(&id, &secret));
            }
            ClientAuthenticationName::Post => {
                form.extend([("client_id", id), ("client_secret", secret)]);
            }
        }
        let connector = self.connector("introspection", table.ca_file, table.proxy, &headers, Some(&url));
        let mut expectations = Expectations::new(Profile::AccessToken, &issuer?, audience?);
        expectations.leeway = f64::from(leeway);
        expectations.subject = table.subject.unwrap_or(Presence::Required);
        expectations.expiry = Presence::Optional;
        expectations.possession = possession;
        rules.into_iter().for_each(|rule| expectations.require(rule));
        Some(IntrospectionSettings {
            expectations,
            url,
            connector,
            form,
            timeout: Duration::from_millis(timeout.into()),
            lifetime: lifetime.into(),
            negative_lifetime: negative.into(),
            entries: entries as usize,
        })
    }
}

/// RFC 6749, section 2.3.1: both are encoded as in a form, and only then joined.
fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}
