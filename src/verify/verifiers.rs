//! [`Verifiers`]: the configured issuers, each with its own keys, and the tokens of theirs that were verified before.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::client_credentials::{ClientCredentials, ClientCredentialsSettings};
use super::credential_verifier::{Asked, CredentialVerifier, Kind, SecondOpinion};
#[cfg(feature = "dynamodb")]
use super::database::{DatabaseSettings, LookUps};
use super::introspection::{IntrospectionSettings, Introspector};
use super::replays::{Replays, Usage};
#[cfg(feature = "dynamodb")]
use super::revocation::ObserveRevocation;
#[cfg(feature = "saml")]
use super::saml::{Saml, SamlSettings};
use super::token::{LONGEST_TOKEN, Token};
use super::verified_tokens::{TokenCacheLimits, TokenDigest, VerifiedToken, VerifiedTokens};
use super::{Admitted, Expectations, Presented, Principal, Vouched};
use crate::credential::CredentialKind;
use crate::error::{Error, Reason};
#[cfg(feature = "dynamodb")]
use crate::io::AwsEnvironment;
use crate::io::{Edges, UnixTime};
use crate::jwks::{JwksCache, KeySearch, KeySet};

/// Verifies credentials: JWTs of the configured issuers, each with that issuer's keys alone, and what else is configured.
pub struct Verifiers {
    issuers: Vec<(Expectations, JwksCache)>,
    verified: Option<VerifiedTokens>,
    /// Kinds beside JWTs, in the order in which their forms are looked for. Behind pointers: who does without them does not carry
    /// their sizes through the start.
    kinds: Vec<Kind>,
    /// Whether JWTs hold that are to be asked about, too.
    of_jwts: Option<Arc<dyn SecondOpinion>>,
    /// Whether what holds is revoked.
    pub(super) of_all: Option<Arc<dyn SecondOpinion>>,
    /// Whether another process has taken the proof that came with what holds.
    of_proofs: Option<Arc<dyn SecondOpinion>>,
    replays: Replays,
}

impl Verifiers {
    /// Verifies with these, and remembers what was verified within these limits.
    #[must_use]
    pub fn new(issuers: Vec<(Expectations, JwksCache)>, limits: TokenCacheLimits) -> Self {
        Self {
            issuers,
            verified: VerifiedTokens::new(limits),
            kinds: Vec::new(),
            of_jwts: None,
            of_all: None,
            of_proofs: None,
            replays: Replays::default(),
        }
    }

    /// The same, which also verifies credentials of this kind, and calls this issuer who vouches for them. The verifier sees the
    /// credential alone, unless it `looks_at_request`: then no answer may be kept by the credential (docs/extending.md).
    #[must_use]
    pub fn extended(
        self,
        kind: CredentialKind,
        issuer: Arc<str>,
        verifier: Arc<dyn CredentialVerifier>,
        looks_at_request: bool,
    ) -> Self {
        self.with(Kind { kind, issuer, verifier, sees_request: looks_at_request })
    }

    /// The same, which also asks a server about tokens. `keys` are those with which it signs its answers.
    #[must_use]
    pub fn asking(self, settings: IntrospectionSettings, keys: Option<JwksCache>, edges: Edges) -> Self {
        let introspector = Arc::new(Introspector::new(settings, keys, edges));
        let issuer = Arc::clone(&introspector.expectations().issuer);
        let of_jwts = Some(Arc::clone(&introspector) as Arc<dyn SecondOpinion>);
        Self { of_jwts, ..self.with(Kind::built_in(CredentialKind::Opaque, issuer, introspector)) }
    }

    /// The same, which also exchanges the IDs and secrets of clients for tokens.
    #[must_use]
    pub fn exchanging(self, settings: ClientCredentialsSettings, edges: Edges) -> Self {
        let issuer = Arc::clone(&settings.issuer);
        let endpoint = Arc::new(ClientCredentials::new(settings, edges));
        self.with(Kind::built_in(CredentialKind::ClientCredentials, issuer, endpoint))
    }

    /// The same, which also looks up in a table, as a function in this environment.
    #[cfg(feature = "dynamodb")]
    #[must_use]
    pub fn looking_up(
        self,
        settings: DatabaseSettings,
        environment: &AwsEnvironment,
        edges: Edges,
        observer: Arc<dyn ObserveRevocation>,
    ) -> Self {
        let LookUps { kinds, revocation, replays } = settings.looked_up(environment, edges, observer);
        let verifiers = kinds.into_iter().fold(self, Self::with);
        Self { of_all: revocation, of_proofs: replays, ..verifiers }
    }

    /// The same, which also takes the SAML assertions of an identity provider with these keys.
    #[cfg(feature = "saml")]
    #[must_use]
    pub fn taking_assertions(self, settings: SamlSettings, keys: JwksCache) -> Self {
        let issuer = Arc::clone(&settings.expectations.issuer);
        self.with(Kind::built_in(CredentialKind::Saml, issuer, Arc::new(Saml::new(settings, keys))))
    }

    fn with(mut self, kind: Kind) -> Self {
        let place = self.kinds.partition_point(|known| known.breadth() <= kind.breadth());
        self.kinds.insert(place, kind);
        self
    }

    /// The principal that the credential proves, and what comes with it. Nobody is waited for longer than `patience`.
    ///
    /// # Errors
    ///
    /// A [`Rejection`](Error::Rejection) when it proves nothing, a [`Fault`](Error::Fault) when the
    /// issuer's keys, or somebody who has to be asked, cannot be had.
    pub async fn verify(
        &self,
        presented: Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Principal, Error> {
        let usage = Usage::of(&self.replays);
        let verified = self.verify_once(&presented.once(&usage), now, patience).await;
        if let Err(Error::Fault(_)) = &verified {
            usage.undo();
        }
        verified
    }

    /// What is asked about every credential comes behind all else: whether it is revoked, and whether another process has taken its proof.
    async fn verify_once(
        &self,
        presented: &Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Principal, Error> {
        if self.of_all.is_none() && self.of_proofs.is_none() {
            return self.verify_any(presented, now, patience).await;
        }
        let began = Instant::now();
        let principal = self.verify_any(presented, now, patience).await?;
        for opinion in [&self.of_all, &self.of_proofs].into_iter().flatten() {
            let left = patience.saturating_sub(began.elapsed());
            opinion.check(presented, &principal, now, left).await?;
        }
        Ok(principal)
    }

    /// Of whatever kind the credential is. Its form decides, and none is tried as another.
    async fn verify_any(
        &self,
        presented: &Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Principal, Error> {
        match self.kind_of(presented) {
            Some(kind) => kind.principal(Asked::new(presented, now, patience, self)).await,
            // What comes as `Basic` is no token.
            None if presented.is_basic() => Err(Reason::CredentialMalformed.into()),
            None => self.verify_signed(presented, now, patience).await,
        }
    }

    /// A token, JWT or opaque. One that another credential stands for is never such a credential itself.
    pub(super) async fn verify_token(
        &self,
        presented: &Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Principal, Error> {
        match self.opaque(presented) {
            Some(kind) => kind.principal(Asked::new(presented, now, patience, self)).await,
            None => self.verify_signed(presented, now, patience).await,
        }
    }

    /// A JWT, about which the authorization server is asked, too, where its issuer is configured so.
    async fn verify_signed(
        &self,
        presented: &Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Principal, Error> {
        let Some(server) = &self.of_jwts else { return self.verify_jwt(presented, now, patience).await };
        let began = Instant::now();
        let principal = self.verify_jwt(presented, now, patience).await?;
        if self.is_introspected(&principal) {
            let patience = patience.saturating_sub(began.elapsed());
            server.check(presented, &principal, now, patience).await?;
        }
        Ok(principal)
    }

    /// The kind of the credential, by its form; `None` for a JWT, and for what is nothing.
    pub(super) fn kind_of(&self, presented: &Presented<'_>) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.is_meant(presented))
    }

    pub(super) fn opaque(&self, presented: &Presented<'_>) -> Option<&Kind> {
        let mut opaque = self.kinds.iter().filter(|kind| kind.kind == CredentialKind::Opaque);
        opaque.find(|kind| kind.is_meant(presented))
    }

    fn is_introspected(&self, principal: &Principal) -> bool {
        let mut issuers = self.issuers.iter().map(|(expectations, _)| expectations);
        issuers.any(|expected| expected.is_introspected && expected.issuer == *principal.issuer())
    }

    async fn verify_jwt(
        &self,
        presented: &Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Principal, Error> {
        let text = presented.token();
        // Rule F4: what is too long for a token is not even digested.
        let Some(verified) = self.verified.as_ref().filter(|_| text.len() <= LONGEST_TOKEN) else {
            return self.verify_anew(presented, now, patience, |_, _| {}).await;
        };
        let digest = TokenDigest::of(text);
        if let Some(principal) = self.verify_again(presented, (verified, digest), now, patience).await? {
            return Ok(principal);
        }
        let keep = |token: VerifiedToken, principal: &Principal| {
            if let Some(expiry) = principal.claims().named("exp").and_then(Value::as_f64) {
                verified.keep(digest, token, text.len(), expiry, now);
            }
        };
        self.verify_anew(presented, now, patience, keep).await
    }

    /// A token whose signature held before: that of a key which is still the issuer's. `None` for any other, also where
    /// its key is gone: what that means is for the whole verification to say.
    async fn verify_again(
        &self,
        presented: &Presented<'_>,
        (verified, digest): (&VerifiedTokens, TokenDigest),
        now: UnixTime,
        patience: Duration,
    ) -> Result<Option<Principal>, Error> {
        let Some(entry) = verified.find(digest, now) else { return Ok(None) };
        let token = entry.token();
        let Some((expectations, cache)) = self.issuers.get(token.issuer) else { return Ok(None) };
        let key_id = token.key_id.as_deref();
        let keys = cache.keys(key_id, patience).await?;
        match keys.find(key_id, token.algorithm) {
            KeySearch::Found(key) if *key.material() == token.key => {
                Ok(Some(token.signed.principal(expectations, presented, now)?))
            }
            KeySearch::Found(_) | KeySearch::NotFound | KeySearch::Mismatch | KeySearch::Ambiguous => {
                Ok(None)
            }
        }
    }

    async fn verify_anew(
        &self,
        presented: &Presented<'_>,
        now: UnixTime,
        patience: Duration,
        keep: impl Fn(VerifiedToken, &Principal),
    ) -> Result<Principal, Error> {
        let text = presented.token();
        let (place, admitted) = self.admit(text)?;
        let Some((_, cache)) = self.issuers.get(place) else { return Err(Reason::IssuerUnknown.into()) };
        let names_its_key = admitted.names_its_key();
        let judge = |admitted: Admitted<'_>, keys: &KeySet| {
            let Vouched { signed, key, algorithm, expectations } = admitted.vouched(keys)?;
            let principal = signed.principal(expectations, presented, now)?;
            let key_id = signed.key_id().filter(|_| names_its_key).cloned();
            let key = key.material().clone();
            keep(VerifiedToken { issuer: place, algorithm, key_id, key, signed }, &principal);
            Ok(principal)
        };
        let began = Instant::now();
        let keys = cache.keys(admitted.key_id(), patience).await?;
        match judge(admitted, &keys) {
            Err(Error::Rejection(rejection)) if !names_its_key && rejection.reason.may_be_a_rotation() => {
                let patience = patience.saturating_sub(began.elapsed());
                let newer = cache.keys_beyond(&keys, patience).await?;
                if Arc::ptr_eq(&newer, &keys) {
                    return Err(rejection.into());
                }
                let (_, admitted) = self.admit(text)?;
                judge(admitted, &newer)
            }
            verdict => verdict,
        }
    }

    /// The token, and the place of the issuer whose it would be. Before the keys are asked for: a token that cannot pass
    /// costs no fetch.
    fn admit<'a>(&'a self, text: &'a str) -> Result<(usize, Admitted<'a>), Reason> {
        let token = Token::parse(text)?;
        let issuer = token.unverified_issuer()?;
        let mut issuers = self.issuers.iter().enumerate();
        let known = issuers.find(|(_, (expectations, _))| &*expectations.issuer == issuer);
        let (place, (expectations, _)) = known.ok_or(Reason::IssuerUnknown)?;
        Ok((place, Admitted::new(token, expectations)?))
    }

    /// The issuers, each with its keys.
    pub(super) fn issuers(&self) -> &[(Expectations, JwksCache)] {
        &self.issuers
    }

    /// Fetches the keys of every issuer, all at once, and waits for them no longer than `budget`.
    pub async fn prefetch(&self, budget: Duration) {
        self.caches().for_each(JwksCache::prefetch);
        all_within(budget, self.caches().map(JwksCache::fetched).collect()).await;
    }

    /// Waits for the keys that are being fetched, no longer than `budget`, and only once for each fetch.
    pub async fn linger(&self, budget: Duration) {
        if !budget.is_zero() {
            all_within(budget, self.caches().map(JwksCache::linger).collect()).await;
        }
    }

    fn caches(&self) -> impl Iterator<Item = &JwksCache> {
        let of_kinds = self.kinds.iter().filter_map(|kind| kind.verifier.keys());
        self.issuers.iter().map(|(_, cache)| cache).chain(of_kinds)
    }
}

#[cfg(test)]
impl Verifiers {
    /// Whether the signature of this token need not be verified.
    pub(super) fn remembers(&self, token: &str, now: UnixTime) -> bool {
        self.verified.as_ref().is_some_and(|verified| verified.find(TokenDigest::of(token), now).is_some())
    }

    /// How many tokens are remembered, and what they take together.
    pub(super) fn remembered(&self) -> (usize, usize) {
        self.verified.as_ref().map_or((0, 0), VerifiedTokens::usage)
    }
}

/// They go on by themselves: it does not matter in which order they are waited for. What is too late is waited
/// for by the request that needs it.
async fn all_within(budget: Duration, fetches: Vec<impl Future<Output = ()>>) {
    let all = async {
        for fetch in fetches {
            fetch.await;
        }
    };
    let _in_time = tokio::time::timeout(budget, all).await;
}
