//! [`Authorizer`]: runs the stages in order; the only module that knows them all.

use std::sync::Arc;

use crate::config::Config;
use crate::credential::IdentitySources;
use crate::error::Error;
use crate::event::Event;
use crate::io::Edges;
use crate::jwks::JwksCache;
use crate::policy::Policy;
use crate::request::Request;
use crate::response::{Answers, Decision, Failure, Response};
use crate::rules::Rules;
use crate::telemetry::{Level, Telemetry};
use crate::verify::Verifiers;

/// A complete Lambda authorizer. It is made once and asked for each event.
pub struct Authorizer {
    identity_sources: IdentitySources,
    verifiers: Verifiers,
    rules: Rules,
    answers: Answers,
    telemetry: Telemetry,
    edges: Edges,
}

impl Authorizer {
    /// The authorizer that the configuration describes. It has no keys yet: the first token asks
    /// for them.
    #[must_use]
    pub fn new(config: Config, level: Level, edges: Edges) -> Self {
        let lifetimes = config.lifetimes;
        let issuers = config.issuers.into_iter().map(|issuer| {
            let name = Arc::clone(&issuer.expectations.issuer);
            let cache = JwksCache::new(name, issuer.source, config.development, lifetimes, edges.clone());
            (issuer.expectations, cache)
        });
        Self {
            identity_sources: config.identity_sources,
            verifiers: Verifiers::new(issuers.collect()),
            rules: config.rules,
            answers: config.answers,
            telemetry: Telemetry::new(level, edges.clone()),
            edges,
        }
    }

    /// Answers one event, and records the decision.
    ///
    /// # Errors
    ///
    /// The failure that the invocation is to end with: `Unauthorized` where the configuration asks
    /// for it, and an internal one when nothing could be decided.
    pub async fn authorize(&self, event: Event<'_>) -> Result<Response, Failure> {
        let timer = self.telemetry.start();
        let request = match Request::try_from(event) {
            Ok(request) => request,
            Err(fault) => {
                self.telemetry.record_malformed(&timer, event.invocation_id, &fault);
                return Err(Failure::Internal { code: fault.code().name() });
            }
        };
        let outcome = self.decide(&request).await;
        self.telemetry.record(&timer, event.invocation_id, &request, &outcome);
        Response::new(&request, outcome, &self.answers)
    }

    /// The decision that [`authorize`](Self::authorize) sends.
    ///
    /// # Errors
    ///
    /// Why there is none: the caller's fault, or ours.
    pub async fn decide(&self, request: &Request) -> Result<Decision, Error> {
        let credential = self.identity_sources.extract(request)?;
        let principal = self.verifiers.verify(&credential, self.edges.clock.now()).await?;
        let policy = Policy::compile(&self.rules, &principal, &request.arn);
        Decision::new(principal, policy, request, &self.rules, &self.answers)
    }
}
