//! [`Verifiers`]: the configured issuers, each with its own keys, and the tokens of theirs that were verified before.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

#[cfg(feature = "dynamodb")]
use super::api_keys::ApiKeys;
#[cfg(feature = "dynamodb")]
use super::basic::Basic;
use super::client_credentials::{Client, ClientCredentials, ClientCredentialsSettings};
#[cfg(feature = "dynamodb")]
use super::database::{Database, DatabaseSettings};
use super::introspection::{IntrospectionSettings, Introspector, is_opaque};
use super::replays::Replays;
#[cfg(feature = "dynamodb")]
use super::revocation::{ObserveRevocation, Revocation};
use super::token::{LONGEST_TOKEN, Token};
use super::verified_tokens::{TokenCacheLimits, TokenDigest, VerifiedToken, VerifiedTokens};
use super::{Admitted, Expectations, Presented, Principal, Vouched};
use crate::error::{Error, Reason};
#[cfg(feature = "dynamodb")]
use crate::io::AwsEnvironment;
use crate::io::{Edges, UnixTime};
use crate::jwks::{JwksCache, KeySearch, KeySet};

/// Verifies the tokens of the configured issuers, each with that issuer's keys alone.
pub struct Verifiers {
    issuers: Vec<(Expectations, JwksCache)>,
    verified: Option<VerifiedTokens>,
    /// Boxed: who does without it does not carry its size through the start.
    introspector: Option<Box<Introspector>>,
    client_credentials: Option<Box<ClientCredentials>>,
    #[cfg(feature = "dynamodb")]
    database: Option<Box<Database>>,
    replays: Replays,
}

impl Verifiers {
    /// Verifies with these, and remembers what was verified within these limits.
    #[must_use]
    pub fn new(issuers: Vec<(Expectations, JwksCache)>, limits: TokenCacheLimits) -> Self {
        Self {
            issuers,
            verified: VerifiedTokens::new(limits),
            introspector: None,
            client_credentials: None,
            #[cfg(feature = "dynamodb")]
            database: None,
            replays: Replays::default(),
        }
    }

    /// The same, which also asks a server about tokens. `keys` are those with which it signs its answers.
    #[must_use]
    pub fn asking(self, settings: IntrospectionSettings, keys: Option<JwksCache>, edges: Edges) -> Self {
        Self { introspector: Some(Box::new(Introspector::new(settings, keys, edges))), ..self }
    }

    /// The same, which also exchanges the IDs and secrets of clients for tokens.
    #[must_use]
    pub fn exchanging(self, settings: ClientCredentialsSettings, edges: Edges) -> Self {
        Self { client_credentials: Some(Box::new(ClientCredentials::new(settings, edges))), ..self }
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
        Self { database: Some(Box::new(Database::new(settings, environment, edges, observer))), ..self }
    }

    /// The principal that the token proves, and what comes with it. The issuer's keys are waited for no longer than `patience`.
    ///
    /// # Errors
    ///
    /// A [`Rejection`](Error::Rejection) when it proves nothing, a [`Fault`](Error::Fault) when the
    /// issuer's keys cannot be had.
    pub async fn verify(
        &self,
        presented: Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Principal, Error> {
        let presented = presented.once(&self.replays);
        #[cfg(feature = "dynamodb")]
        if let Some(revocation) = self.revocation() {
            let began = Instant::now();
            let principal = self.verify_any(&presented, now, patience).await?;
            let patience = patience.saturating_sub(began.elapsed());
            return Box::pin(revocation.check(&principal, now, patience)).await.map(|()| principal);
        }
        self.verify_any(&presented, now, patience).await
    }

    /// Of whatever kind the credential is. What comes as `Basic` is never tried as a token, nor the other way round.
    async fn verify_any(
        &self,
        presented: &Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Principal, Error> {
        // Boxed: a decision about a token does not carry their sizes.
        if presented.is_basic() {
            #[cfg(feature = "dynamodb")]
            if let Some(basic) = self.basic() {
                return Box::pin(basic.verify(presented, now, patience)).await;
            }
            return Box::pin(self.verify_client(presented, now, patience)).await;
        }
        #[cfg(feature = "dynamodb")]
        if let Some(api_keys) = self.api_keys(presented.token()) {
            return Box::pin(api_keys.verify(presented, now, patience)).await;
        }
        self.verify_token(presented, now, patience).await
    }

    /// The client whose ID and secret the provider takes, by the access token that it gives for them.
    async fn verify_client(
        &self,
        presented: &Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Principal, Error> {
        let Some(endpoint) = &self.client_credentials else { return Err(Reason::CredentialMalformed.into()) };
        let client = Client::read(presented.token())?;
        let began = Instant::now();
        let mut is_known = endpoint.known(&client, now).is_some();
        loop {
            let left = patience.saturating_sub(began.elapsed());
            let token = endpoint.token(&client, now, left).await?;
            let left = patience.saturating_sub(began.elapsed());
            match self.verify_token(&Presented::bearer(&token), now, left).await {
                // It was revoked, or has expired before its time: a new one may be had.
                Err(Error::Rejection(rejection)) if is_known && rejection.reason.is_over() => {
                    endpoint.forget(&client);
                    is_known = false;
                }
                verified => return endpoint.principal(verified?, &client),
            }
        }
    }

    async fn verify_token(
        &self,
        presented: &Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Principal, Error> {
        match &self.introspector {
            Some(introspector) if is_opaque(presented.token()) => {
                introspector.verify(presented, now, patience).await
            }
            Some(introspector) => {
                let began = Instant::now();
                let principal = self.verify_jwt(presented, now, patience).await?;
                if self.is_introspected(&principal) {
                    let patience = patience.saturating_sub(began.elapsed());
                    introspector.active(presented.token(), now, patience).await?;
                }
                Ok(principal)
            }
            None => self.verify_jwt(presented, now, patience).await,
        }
    }

    /// Who looks the credential up, where it is meant as an API key.
    #[cfg(feature = "dynamodb")]
    pub(super) fn api_keys(&self, text: &str) -> Option<&ApiKeys> {
        self.database.as_ref()?.api_keys.as_ref().filter(|api_keys| api_keys.is_meant(text))
    }

    #[cfg(feature = "dynamodb")]
    pub(super) fn basic(&self) -> Option<&Basic> {
        self.database.as_ref()?.basic.as_ref()
    }

    #[cfg(feature = "dynamodb")]
    pub(super) fn revocation(&self) -> Option<&Revocation> {
        self.database.as_ref()?.revocation.as_ref()
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

    pub(super) fn introspector(&self) -> Option<&Introspector> {
        self.introspector.as_deref()
    }

    pub(super) fn client_credentials(&self) -> Option<&ClientCredentials> {
        self.client_credentials.as_deref()
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
        let of_answers = self.introspector.iter().filter_map(|introspector| introspector.keys());
        self.issuers.iter().map(|(_, cache)| cache).chain(of_answers)
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
