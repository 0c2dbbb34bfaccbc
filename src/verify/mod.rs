//! Stage 4: a [`Credential`] becomes a [`Principal`], which can be made nowhere else.
//!
//! The order is that of trust: the form of the token, its issuer (which fixes the keys before any is
//! looked for, rule A10), its type and algorithm, its key, its signature, and only then its claims.
//! Each step makes the type that the next one takes.

mod admission;
mod claims;
mod expectations;
mod explain;
mod json;
mod profile;
mod signature;
mod token;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::claims::Claims;
use crate::credential::{Credential, CredentialKind};
use crate::error::{Error, Reason, Rejection};
use crate::io::UnixTime;
use crate::jwks::{Algorithm, JwksCache, KeySet};
pub use expectations::{AudienceCheck, AudienceClaim, ClaimRule, Expectations, Presence, TokenTypes};
pub use explain::{Checked, Explanation, Verdict, explain};
pub use profile::Profile;
use signature::Signed;
use token::Token;

/// A caller whose credential was verified.
///
/// Its fields are private and it has no constructor: to hold one is to have verified something. Who
/// holds one may look at it:
///
/// ```
/// use lambda_authorizer::claims::Claims;
/// use lambda_authorizer::verify::Principal;
///
/// fn claims_of(principal: &Principal) -> Claims {
///     principal.claims().clone()
/// }
/// ```
///
/// Nobody puts one together,
///
/// ```compile_fail,E0451
/// use lambda_authorizer::claims::Claims;
/// use lambda_authorizer::verify::Principal;
///
/// fn forged(claims: Claims) -> Principal {
///     Principal { issuer: "https://issuer.example/".into(), key_id: None, claims }
/// }
/// ```
///
/// changes one,
///
/// ```compile_fail,E0616
/// use lambda_authorizer::claims::Claims;
/// use lambda_authorizer::verify::Principal;
///
/// fn promoted(mut principal: Principal, claims: Claims) -> Principal {
///     principal.claims = claims;
///     principal
/// }
/// ```
///
/// or reads one from somewhere.
///
/// ```compile_fail,E0308
/// use lambda_authorizer::claims::Claims;
/// use lambda_authorizer::verify::Principal;
///
/// fn converted(claims: Claims) -> Principal {
///     Principal::from(claims)
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    issuer: Arc<str>,
    key_id: Option<String>,
    claims: Claims,
}

impl Principal {
    /// The configured issuer that vouches for the claims.
    #[must_use]
    pub fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    /// The ID of the key that verified the token.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The verified claims.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// What kind of credential was verified.
    #[must_use]
    pub fn credential_kind(&self) -> CredentialKind {
        CredentialKind::Jwt
    }
}

#[cfg(test)]
impl Principal {
    /// A principal that nobody vouches for, for the tests of the later stages.
    pub(crate) fn for_tests(claims: Claims) -> Self {
        Self { issuer: Arc::from("https://issuer.example/"), key_id: None, claims }
    }
}

/// Verifies a token: a function of the token, the issuer's keys, what is expected, and the time, in
/// seconds since 1970.
///
/// ```
/// use lambda_authorizer::jwks::KeySet;
/// use lambda_authorizer::verify::{AudienceCheck, Expectations, Profile, verify};
///
/// // RFC 8037, appendix A.2.
/// let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// let keys = KeySet::parse(keys.as_bytes())?;
/// let audience = AudienceCheck::OneOf(vec!["orders-api".into()]);
/// let expectations = Expectations::new(Profile::AccessToken, "https://login.example.com/", audience);
///
/// let rejection = verify("not-a-token", &keys, &expectations, 1_800_000_000.0).unwrap_err();
/// assert_eq!(rejection.reason.code().name(), "token_malformed");
/// # Ok::<(), lambda_authorizer::jwks::KeySetError>(())
/// ```
///
/// # Errors
///
/// Why the token proves nothing, or not what is expected. The rejection names issuer and key only
/// where the signature holds.
pub fn verify(
    token: &str,
    keys: &KeySet,
    expectations: &Expectations,
    now: UnixTime,
) -> Result<Principal, Rejection> {
    Admitted::new(Token::parse(token)?, expectations)?.verify(keys, now)
}

/// Verifies the tokens of the configured issuers, each with that issuer's keys alone.
pub struct Verifiers(Vec<(Expectations, JwksCache)>);

impl Verifiers {
    /// Verifies with these.
    #[must_use]
    pub fn new(issuers: Vec<(Expectations, JwksCache)>) -> Self {
        Self(issuers)
    }

    /// The principal that the credential proves. The issuer's keys are waited for no longer than `patience`.
    ///
    /// # Errors
    ///
    /// A [`Rejection`](Error::Rejection) when it proves nothing, a [`Fault`](Error::Fault) when the
    /// issuer's keys cannot be had.
    pub async fn verify(
        &self,
        credential: &Credential,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Principal, Error> {
        let text = credential.expose();
        let token = Token::parse(text)?;
        let issuer = token.unverified_issuer()?;
        let (expectations, cache) = self
            .0
            .iter()
            .find(|(expectations, _)| &*expectations.issuer == issuer)
            .ok_or(Reason::IssuerUnknown)?;
        // Before the keys are asked for: a token that cannot pass costs no fetch.
        let admitted = Admitted::new(token, expectations)?;
        let names_its_key = admitted.token.key_id().is_some();
        let began = Instant::now();
        let keys = cache.keys(admitted.token.key_id(), patience).await?;
        match admitted.verify(&keys, now) {
            Err(rejection) if !names_its_key && rejection.reason.may_be_a_rotation() => {
                let patience = patience.saturating_sub(began.elapsed());
                let newer = cache.keys_beyond(&keys, patience).await?;
                if Arc::ptr_eq(&newer, &keys) {
                    return Err(rejection.into());
                }
                Ok(verify(text, &newer, expectations, now)?)
            }
            verified => Ok(verified?),
        }
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
        self.0.iter().map(|(_, cache)| cache)
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

/// A token for which it is worth asking for keys.
struct Admitted<'a> {
    token: Token<'a>,
    algorithm: Algorithm,
    expectations: &'a Expectations,
}

impl<'a> Admitted<'a> {
    /// What is decided without a key.
    fn new(token: Token<'a>, expectations: &'a Expectations) -> Result<Self, Reason> {
        admission::issuer(&token, expectations)?;
        admission::media_type(&token, expectations)?;
        let algorithm = admission::algorithm(&token, expectations)?;
        admission::key_id(&token, expectations)?;
        Ok(Self { token, algorithm, expectations })
    }

    fn verify(self, keys: &KeySet, now: UnixTime) -> Result<Principal, Rejection> {
        let Self { token, algorithm, expectations } = self;
        let key = admission::key(&token, algorithm, keys)?;
        let signed = signature::verify(token, key, algorithm)?;
        match claims::check(&signed, expectations, now) {
            Ok(()) => Ok(Principal::vouched_for(signed, expectations)),
            Err(reason) => Err(Rejection {
                reason,
                issuer: Some(Arc::clone(&expectations.issuer)),
                key_id: signed.key_id().map(str::to_owned),
            }),
        }
    }
}

impl Principal {
    fn vouched_for(signed: Signed, expectations: &Expectations) -> Self {
        let (claims, key_id) = signed.into_parts();
        Self { issuer: Arc::clone(&expectations.issuer), key_id, claims }
    }
}

#[cfg(test)]
mod tests;
