//! [`Authorizer`]: runs the stages in order; the only module that knows them all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

#[cfg(feature = "saml")]
use crate::config::Saml;
use crate::config::{AnswerKeys, Config, Gateway, Waits};
use crate::credential::{Credential, CredentialKind, IdentitySources};
use crate::error::{Error, Reason, Rejection};
use crate::event::Event;
#[cfg(feature = "dynamodb")]
use crate::io::AwsEnvironment;
use crate::io::{Edges, UnixTime};
use crate::jwks::{JwksCache, KeyServer, KeySetSource};
use crate::policy::Compiler;
use crate::request::Request;
use crate::response::{Answers, Decision, Failure, Response};
use crate::rules::{Caller, ContextKey};
use crate::telemetry::{Level, Telemetry};
use crate::verify::{ClientCertificates, CredentialVerifier, Presented, Principal, TokenExchange, Verifiers};

/// A complete Lambda authorizer. It is made once and asked for each event.
pub struct Authorizer {
    identity_sources: IdentitySources,
    verifiers: Verifiers,
    certificates: Option<ClientCertificates>,
    compiler: Compiler,
    answers: Answers,
    gateway: Gateway,
    telemetry: Telemetry,
    waits: Waits,
    rest: Rest,
    /// Boxed: who does without it does not carry its size through the start.
    exchange: Option<Box<(ContextKey, TokenExchange)>>,
    edges: Edges,
}

/// A verifier in code of one's own, behind the name of its kind.
pub type CustomVerifier = (&'static str, Arc<dyn CredentialVerifier>);

/// The time between an answer and the next event, in which Lambda freezes the process.
#[derive(Default)]
struct Rest {
    /// As the bits of the time.
    began_at: AtomicU64,
    was_long: AtomicBool,
    /// When Lambda gives up the event that ended it, as the bits of the time.
    deadline: AtomicU64,
}

impl Rest {
    fn begins(&self, now: UnixTime) {
        self.began_at.store(now.to_bits(), Ordering::Relaxed);
    }

    fn ends(&self, now: UnixTime, deadline: Option<UnixTime>) {
        self.deadline.store(deadline.unwrap_or_default().to_bits(), Ordering::Relaxed);
        let began_at = UnixTime::from_bits(self.began_at.load(Ordering::Relaxed));
        // A fetch needs the process awake for each way there and back: events that follow one another faster than
        // this wake it often enough.
        self.was_long.store((now - began_at).abs() > 0.5, Ordering::Relaxed);
    }

    fn deadline(&self) -> UnixTime {
        UnixTime::from_bits(self.deadline.load(Ordering::Relaxed))
    }

    fn was_long(&self) -> bool {
        self.was_long.load(Ordering::Relaxed)
    }
}

impl Authorizer {
    /// The authorizer that the configuration describes. It has no keys yet but those of its package:
    /// [`prefetch`](Self::prefetch) or the first token asks for them.
    #[must_use]
    pub fn new(config: Config, level: Level, edges: Edges) -> Self {
        Self::extended(config, level, edges, Vec::new())
    }

    /// The same, with verifiers of the kinds that the configuration has as `[[custom]]`, by their names. A kind without a verifier
    /// lets nobody in; [`Function`](crate::Function) does not start so. A verifier without a kind is not asked.
    #[must_use]
    pub fn extended(config: Config, level: Level, edges: Edges, custom: Vec<CustomVerifier>) -> Self {
        let telemetry = Telemetry::new(level, edges.clone());
        let observer = Arc::new(telemetry.clone());
        let cache =
            |server, initial| JwksCache::new(server, initial, config.timing, edges.clone(), observer.clone());
        let issuers = config.issuers.into_iter().map(|issuer| {
            let server = KeyServer {
                issuer: Arc::clone(&issuer.expectations.issuer),
                source: issuer.source,
                connector: issuer.connector,
                loopback: config.development,
            };
            (issuer.expectations, cache(server, issuer.initial))
        });
        let issuers: Vec<_> = issuers.collect();
        let introspection = config.introspection.map(|settings| {
            let issuer = &settings.expectations.issuer;
            let keys = config.answer_keys.and_then(|keys| match keys {
                AnswerKeys::OfIssuer => {
                    let known = issuers.iter().find(|(expected, _)| expected.issuer == *issuer);
                    known.map(|(_, cache)| cache.clone())
                }
                AnswerKeys::Own { url, connector } => {
                    let (issuer, source) = (Arc::clone(issuer), KeySetSource::Url(url));
                    let server =
                        KeyServer { issuer, source, connector: *connector, loopback: config.development };
                    Some(cache(server, None))
                }
            });
            (settings, keys)
        });
        let verifiers = Verifiers::new(issuers, config.token_cache);
        // What is not built is not configured (`config/raw/section.rs`). The compiler cannot know that, and would keep it all.
        let verifiers = match introspection {
            Some((settings, keys)) if cfg!(feature = "introspection") => {
                verifiers.asking(settings, keys, edges.clone())
            }
            Some(_) | None => verifiers,
        };
        #[cfg(feature = "dynamodb")]
        let verifiers = match config.database {
            None => verifiers,
            Some(settings) => verifiers.looking_up(
                settings,
                &AwsEnvironment::of_this_process(),
                edges.clone(),
                Arc::new(telemetry.clone()),
            ),
        };
        #[cfg(feature = "saml")]
        let verifiers = match config.saml {
            None => verifiers,
            Some(Saml { settings, source, connector }) => {
                let issuer = Arc::clone(&settings.expectations.issuer);
                let server = KeyServer { issuer, source, connector, loopback: config.development };
                verifiers.taking_assertions(settings, cache(server, None))
            }
        };
        let verifiers = config.custom.iter().fold(verifiers, |verifiers, kind| {
            match custom.iter().find(|(name, _)| **name == *kind.name) {
                None => verifiers,
                Some((_, verifier)) => verifiers.extended(
                    CredentialKind::Custom(Arc::clone(&kind.name)),
                    Arc::clone(&kind.issuer),
                    Arc::clone(verifier),
                    kind.looks_at_request,
                ),
            }
        });
        Self {
            identity_sources: config.identity_sources,
            verifiers: match config.client_credentials {
                Some(settings) if cfg!(feature = "oauth") => verifiers.exchanging(settings, edges.clone()),
                Some(_) | None => verifiers,
            },
            certificates: config.client_certificates,
            exchange: match config.token_exchange {
                Some((key, settings)) if cfg!(feature = "oauth") => {
                    Some(Box::new((key, TokenExchange::new(settings, edges.clone()))))
                }
                Some(_) | None => None,
            },
            compiler: config.compiler,
            answers: config.answers,
            gateway: config.gateway,
            telemetry,
            waits: config.waits,
            rest: Rest::default(),
            edges,
        }
    }

    /// Fetches the keys of all issuers, before the first event: what is not there within the configured
    /// time, the first event waits for.
    pub async fn prefetch(&self) {
        if !self.waits.init.is_zero() {
            self.verifiers.prefetch(self.waits.init).await;
        }
    }

    /// Waits, once an answer is out and before the next event is asked for, for the keys that are being
    /// fetched behind it: Lambda freezes the process as soon as it asks for an event. A process that has
    /// hardly rested before the event does not wait: it gets on with the fetch in the next ones, and held up
    /// by an issuer that hangs, it would leave them to processes without keys.
    pub async fn linger(&self) {
        if self.rest.was_long() {
            let left = patience(Some(self.rest.deadline()), self.edges.clock.now());
            self.verifiers.linger(self.waits.linger.min(left)).await;
        }
        self.rest.begins(self.edges.clock.now());
    }

    /// Answers one event, and records the decision.
    ///
    /// # Errors
    ///
    /// The failure that the invocation is to end with: `Unauthorized` where the configuration asks
    /// for it, and an internal one when nothing could be decided.
    pub async fn authorize(&self, event: Event<'_>) -> Result<Response, Failure> {
        self.rest.ends(self.edges.clock.now(), event.deadline);
        let timer = self.telemetry.start();
        let request = match Request::try_from(event) {
            Ok(request) => request,
            Err(fault) => {
                self.telemetry.record_malformed(&timer, event.invocation_id, &fault);
                return Err(Failure::Internal { code: fault.code().name() });
            }
        };
        let outcome = self.decide(&request, self.patience(&event)).await;
        self.telemetry.record(&timer, event.invocation_id, &request, &outcome);
        Response::new(&request, outcome, &self.answers)
    }

    /// The decision that [`authorize`](Self::authorize) sends. An issuer's keys are waited for no longer
    /// than `patience`.
    ///
    /// # Errors
    ///
    /// Why there is none: the caller's fault, or ours.
    pub async fn decide(&self, request: &Request, patience: Duration) -> Result<Decision, Error> {
        // Who exchanges nothing does not look at the clock.
        let began = self.exchange.is_some().then(Instant::now);
        let principal = self.principal(request, patience).await?;
        self.check_certificate(request, principal.as_ref())?;
        let caller = Caller::of(request, principal.as_ref());
        let decision = Decision::new(&caller, request, &self.compiler, &self.answers, None)?;
        if cfg!(not(feature = "oauth")) {
            return Ok(decision);
        }
        let Some((exchange, principal, credential)) = self.to_be_exchanged(&caller, request, &decision)
        else {
            return Ok(decision);
        };
        let (key, exchange) = exchange;
        let left = patience.saturating_sub(began.map_or(Duration::ZERO, |began| began.elapsed()));
        let token = Box::pin(exchange.exchange(principal, &credential, self.now(), left)).await?;
        Decision::new(&caller, request, &self.compiler, &self.answers, Some((key, &token)))
    }

    /// Whose token is exchanged for one for the backend: a caller's who may do something. The answer is for all routes, so that
    /// the token goes with whatever allows any.
    pub(crate) fn to_be_exchanged<'a>(
        &'a self,
        caller: &Caller<'a>,
        request: &Request,
        decision: &Decision,
    ) -> Option<(&'a (ContextKey, TokenExchange), &'a Principal, Credential)> {
        let exchange = self.exchange.as_deref().filter(|_| !decision.policy().denies_everything())?;
        let credential = self.identity_sources.extract(request).ok()?;
        let principal = caller.principal.filter(|principal| exchange.1.is_for(principal, &credential))?;
        Some((exchange, principal, credential))
    }

    /// Whom the request's credential proves; `None` for a caller without one, where the rules have something for such.
    pub(crate) async fn principal(
        &self,
        request: &Request,
        patience: Duration,
    ) -> Result<Option<Principal>, Error> {
        match self.identity_sources.extract(request) {
            Ok(credential) => self
                .verifiers
                .verify(Presented::new(&credential, request), self.edges.clock.now(), patience)
                .await
                .map(Some),
            Err(Reason::CredentialMissing) if self.compiler.rules().has_public() => Ok(None),
            Err(reason) => Err(reason.into()),
        }
    }

    /// Whether the client may come with its certificate. The credential held before: the refusal says whose it was.
    pub(crate) fn check_certificate(
        &self,
        request: &Request,
        principal: Option<&Principal>,
    ) -> Result<(), Error> {
        let Some(certificates) = &self.certificates else { return Ok(()) };
        certificates.check(request, self.now()).map_err(|reason| {
            let issuer = principal.map(|principal| Arc::clone(principal.issuer()));
            let key_id = principal.and_then(Principal::key_id).map(str::to_owned);
            Rejection { reason, issuer, key_id }.into()
        })
    }

    pub(crate) fn certificates(&self) -> Option<&ClientCertificates> {
        self.certificates.as_ref()
    }

    pub(crate) fn patience(&self, event: &Event<'_>) -> Duration {
        patience(event.deadline, self.now())
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.edges.clock.now()
    }

    pub(crate) fn identity_sources(&self) -> &IdentitySources {
        &self.identity_sources
    }

    pub(crate) fn verifiers(&self) -> &Verifiers {
        &self.verifiers
    }

    pub(crate) fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    pub(crate) fn answers(&self) -> &Answers {
        &self.answers
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }
}

/// How long an event may wait, so that there is time left to answer it. Some stand-ins for Lambda set a deadline
/// that has always passed: that is none.
fn patience(deadline: Option<UnixTime>, now: UnixTime) -> Duration {
    match deadline.map(|deadline| deadline - now).filter(|left| *left > 0.0) {
        None => LONGEST_PATIENCE,
        Some(left) => {
            Duration::try_from_secs_f64(left - TIME_TO_ANSWER).unwrap_or_default().min(LONGEST_PATIENCE)
        }
    }
}

/// In seconds. A function with the least memory, and so with 7 % of a core, writes an answer in a tenth of it.
const TIME_TO_ANSWER: f64 = 0.3;

/// Fetches have deadlines of their own, which are shorter.
const LONGEST_PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    /// Rule K2: the time to answer is left.
    #[test]
    fn an_event_waits_no_longer_than_until_it_can_still_be_answered() {
        for (deadline, milliseconds) in [
            (None, 30_000),
            (Some(1002.0), 1700),
            (Some(1000.3), 0),
            (Some(1000.1), 0),
            (Some(5000.0), 30_000),
            (Some(600.0), 30_000),
            (Some(f64::NAN), 30_000),
        ] {
            let waits = patience(deadline, 1000.0).as_millis();
            assert!(waits.abs_diff(milliseconds) <= 1, "{deadline:?}: {waits}");
        }
    }
}
