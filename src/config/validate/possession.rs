//! The settings of proofs of possession.

use std::sync::Arc;

use url::Url;

use super::Check;
use crate::config::raw::{DpopSettings, ProofName, UnboundName};
use crate::jwks::{self, Algorithm};
use crate::verify::{DpopProofs, ProofOfPossession};

/// What is the same for all who issue tokens.
pub(super) struct Proofs {
    dpop: Arc<DpopProofs>,
    may_cache: bool,
}

impl Check<'_> {
    pub(super) fn proofs(&mut self, settings: DpopSettings, may_cache: bool) -> Proofs {
        self.not_empty("dpop.algorithms", settings.algorithms.as_deref());
        let lifetime = self.number("dpop.lifetime_seconds", settings.lifetime_seconds, 60, 1, 300);
        let url = settings.url.as_deref().and_then(|url| self.api_url(url));
        let algorithms = settings.algorithms.unwrap_or_else(|| Algorithm::ALL.to_vec());
        Proofs { dpop: Arc::new(DpopProofs { algorithms, lifetime: lifetime.into(), url }), may_cache }
    }

    fn api_url(&mut self, text: &str) -> Option<Url> {
        let url: Url = self.parsed("dpop.url".to_owned(), text)?;
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        // A gateway of one's own on loopback has no TLS.
        let is_secure = matches!(url.scheme(), "https" | "wss") || jwks::is_safe(&url, self.development);
        if !is_secure || !is_plain || url.password().is_some() {
            let hint =
                "it is such as `https://api.example.com/v1`; `development = true` allows http to loopback";
            self.problem_with_hint("dpop.url", format!("`{text}` is not the URL of an API"), hint);
            return None;
        }
        Some(url)
    }

    /// Where API Gateway keeps answers by the token, only the first request with it needs a proof: whoever has stolen the token
    /// uses it within the time that the answer is kept.
    pub(super) fn possession(
        &mut self,
        path: &str,
        names: Option<Vec<ProofName>>,
        unbound: Option<UnboundName>,
        proofs: &Proofs,
    ) -> ProofOfPossession {
        let own = format!("{path}.proof_of_possession");
        self.not_empty(&own, names.as_deref());
        let is_required = unbound == Some(UnboundName::Refused);
        let Some(names) = names else {
            if is_required {
                let hint = "set `proof_of_possession`, too";
                let path = format!("{path}.unbound_tokens");
                self.problem_with_hint(path, "no token at all would be accepted", hint);
            }
            return ProofOfPossession::default();
        };
        // Rule C9: without what looks at proofs, a token that is bound to a key is refused, whatever is configured.
        if cfg!(not(feature = "possession")) {
            self.unbuilt(own, "possession");
            return ProofOfPossession::default();
        }
        if proofs.may_cache {
            let hint = "set `cache_seconds = 0` in `[gateway]`, and the TTL of the authorizer to 0";
            let message =
                "API Gateway may keep an answer, and give it to whoever has the token without its key";
            self.problem_with_hint(own, message, hint);
        }
        ProofOfPossession {
            dpop: names.contains(&ProofName::Dpop).then(|| Arc::clone(&proofs.dpop)),
            mutual_tls: names.contains(&ProofName::MutualTls),
            is_required,
        }
    }
}
