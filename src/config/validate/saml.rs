//! The settings of `[saml]`.

use std::collections::BTreeMap;

use super::Check;
use crate::config::raw::{SamlReplaysName, SamlTable};
use crate::config::{Saml, values::OneOrMore};
use crate::io::Connector;
use crate::jwks::KeySetSource;
use crate::verify::{
    AudienceCheck, Expectations, SamlSettings, is_claim_of_assertions, read_metadata, read_metadata_file,
};

const SECTION: &str = "saml";

fn path(name: &str) -> String {
    format!("{SECTION}.{name}")
}

impl Check<'_> {
    /// `others` are the names of other issuers; `may_cache` is whether API Gateway may keep answers.
    pub(super) fn saml(&mut self, table: SamlTable, others: &[String], may_cache: bool) -> Option<Saml> {
        let audience = self.audience(&path("audience"), table.audience);
        if audience == Some(AudienceCheck::Unchecked) {
            let hint = "name what the identity provider puts into `Audience` for this API";
            self.problem_with_hint(
                path("audience"),
                "an assertion for everybody is not taken (RFC 7522)",
                hint,
            );
        }
        let recipients = self.recipients(table.recipient);
        let rules = self.claim_rules(SECTION, table.required_claims, table.required_values);
        let leeway = self.number(&path("leeway_seconds"), table.leeway_seconds, 30, 0, 300);
        let max_age = self.seconds(&path("max_age_seconds"), table.max_age_seconds);
        let attributes = self.attributes(table.attributes);
        let is_used_once = table.replays == Some(SamlReplaysName::Refused);
        if is_used_once && may_cache {
            let hint = "set `cache_seconds = 0` in `[gateway]`, and the TTL of the authorizer to 0";
            let message =
                "API Gateway may keep an answer, and give it to whoever presents the assertion again";
            self.problem_with_hint(path("replays"), message, hint);
        }
        let issuer = self.given(SECTION, "issuer", table.issuer);
        if let Some(issuer) = &issuer {
            self.exact(&path("issuer"), issuer);
            if others.contains(issuer) {
                let hint = "rules would take the callers of one for those of the other";
                let message = format!("`{issuer}` is the name of another issuer");
                self.problem_with_hint(path("issuer"), message, hint);
            }
        }
        let url = match (table.metadata_url, &table.metadata_file) {
            (Some(_), Some(_)) => {
                let message = "`metadata_url` is set, too, and they exclude each other";
                self.problem(path("metadata_file"), message);
                return None;
            }
            (None, None) => {
                let message = "it is missing, and so is `metadata_file`: nobody knows the provider's keys";
                self.problem(path("metadata_url"), message);
                return None;
            }
            (url, _) => url,
        };
        let url = url.map(|url| self.key_server(path("metadata_url"), &url));
        let connector = match &url {
            Some(url) => self.connector(SECTION, table.ca_file, table.proxy, &BTreeMap::new(), url.as_ref()),
            None => {
                for (name, is_set) in [("ca_file", table.ca_file.is_some()), ("proxy", table.proxy.is_some())]
                {
                    if is_set {
                        self.problem(path(name), "`metadata_file` is set, and with it no server is asked");
                    }
                }
                Connector::default()
            }
        };
        let (source, valid_until) = match (url, table.metadata_file) {
            (Some(url), _) => (KeySetSource::Document(url?, read_metadata), None),
            (None, Some(file)) => {
                let bytes = self.file(&path("metadata_file"), &file)?;
                let read = read_metadata_file(&bytes, issuer.as_deref()?);
                let read =
                    read.map_err(|error| self.problem(path("metadata_file"), format!("`{file}`: {error}")));
                let read = read.ok()?;
                (KeySetSource::Fixed(read.keys), read.valid_until)
            }
            (None, None) => return None,
        };
        let mut expectations = Expectations::of_assertions(&issuer?, audience?);
        expectations.leeway = f64::from(leeway);
        expectations.max_age = max_age;
        rules.into_iter().for_each(|rule| expectations.require(rule));
        let settings =
            SamlSettings { expectations, recipients: recipients?, attributes, is_used_once, valid_until };
        Some(Saml { settings, source, connector })
    }

    fn recipients(&mut self, recipient: Option<OneOrMore>) -> Option<Vec<String>> {
        let Some(recipients) = recipient.map(OneOrMore::into_vec) else {
            let hint = "the URL to which the identity provider delivers assertions for this API";
            self.problem_with_hint(path("recipient"), "it is missing", hint);
            return None;
        };
        self.not_empty(&path("recipient"), Some(&recipients));
        recipients.iter().for_each(|recipient| self.exact(&path("recipient"), recipient));
        Some(recipients)
    }

    /// What the identity provider calls something must not take the place of what it vouches for.
    fn attributes(&mut self, attributes: BTreeMap<String, String>) -> Vec<(String, String)> {
        for (claim, name) in &attributes {
            let path = path(&format!("attributes.{claim}"));
            self.exact(&path, name);
            if is_claim_of_assertions(claim) {
                self.problem(path, "the assertion itself says what this claim is");
            } else if claim.is_empty() {
                self.problem(path, "the claim has no name");
            }
        }
        attributes.into_iter().collect()
    }
}
