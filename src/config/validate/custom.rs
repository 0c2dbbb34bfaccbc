//! The settings of kinds of credential that are verified in code of one's own.

use std::sync::Arc;

use serde::de::{Deserialize as _, IntoDeserializer as _};

use super::Check;
use crate::config::CustomKind;
use crate::config::gateway::Gateway;
use crate::config::raw::{CredentialName, CustomSettings};

impl Check<'_> {
    /// `issuers` are those whose callers come with other credentials.
    pub(super) fn custom(&mut self, settings: Vec<CustomSettings>, issuers: &[String]) -> Vec<CustomKind> {
        let mut kinds: Vec<CustomKind> = Vec::new();
        for (position, settings) in settings.into_iter().enumerate() {
            let path = |name: &str| format!("custom[{position}].{name}");
            let kind = self.given(&format!("custom[{position}]"), "kind", settings.kind);
            let issuer = self.given(&format!("custom[{position}]"), "issuer", settings.issuer);
            if let Some(kind) = &kind {
                if is_built_in(kind) || kinds.iter().any(|known| *known.name == **kind) {
                    self.problem(path("kind"), format!("there is another kind `{kind}`"));
                }
                if !is_name(kind) {
                    let hint = "lower-case letters, digits and `_`, a letter first";
                    self.problem_with_hint(path("kind"), format!("`{kind}` is no name of a kind"), hint);
                }
            }
            if let Some(issuer) = &issuer {
                self.exact(&path("issuer"), issuer);
                // Rule A10: nobody vouches by two kinds of proof.
                if issuers.contains(issuer) || kinds.iter().any(|known| *known.issuer == **issuer) {
                    let message = format!("`{issuer}` vouches for callers with another credential, too");
                    self.problem_with_hint(path("issuer"), message, "give it a name of its own");
                }
            }
            kinds.extend(kind.zip(issuer).map(|(name, issuer)| CustomKind {
                name: name.into(),
                issuer: Arc::from(issuer),
                looks_at_request: settings.looks_at_request,
            }));
        }
        kinds
    }

    /// An answer to one request would be replayed for others with the same credential.
    pub(super) fn custom_caching(&mut self, kinds: &[CustomKind], gateway: &Gateway) {
        for (position, _) in kinds.iter().enumerate().filter(|(_, kind)| kind.looks_at_request) {
            if gateway.cache_seconds != Some(0) {
                let path = format!("custom[{position}].looks_at_request");
                let message = "API Gateway may keep an answer, and give it to another request";
                let hint = "set `cache_seconds = 0` in `[gateway]`, and the TTL of the authorizer to 0";
                self.problem_with_hint(path, message, hint);
            }
        }
    }
}

/// Whether rules know a kind of this name, whatever is configured.
fn is_built_in(kind: &str) -> bool {
    let name: Result<CredentialName, serde::de::value::Error> =
        CredentialName::deserialize(kind.into_deserializer());
    !matches!(name, Ok(CredentialName::Custom(_)))
}

fn is_name(kind: &str) -> bool {
    kind.starts_with(|first: char| first.is_ascii_lowercase())
        && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
