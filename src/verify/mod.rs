//! Stage 4: a [`Credential`] becomes a [`Principal`], which can be made nowhere else.
//!
//! The order is that of trust: the form of the token, its issuer (which fixes the keys before any is
//! looked for, rule A10), its algorithm, its key, its signature, and only then its claims.

mod claims;
mod signature;
mod token;

use std::sync::Arc;

use crate::claims::Claims;
use crate::credential::Credential;
use crate::error::{Error, Reason, Rejection};
use crate::io::UnixTime;
use crate::jwks::{Algorithm, JwksCache, KeySearch, KeySet};
pub use claims::AudienceCheck;
use token::Token;

/// A caller whose credential was verified.
///
/// Its fields are private and it has no constructor: to hold one is to have verified something.
///
/// ```compile_fail
/// use lambda_authorizer::verify::Principal;
///
/// let forged = Principal { issuer: "me".into(), key_id: None, claims: Default::default() };
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
}

#[cfg(test)]
impl Principal {
    /// A principal that nobody vouches for, for the tests of the later stages.
    pub(crate) fn for_tests(claims: Claims) -> Self {
        Self { issuer: Arc::from("https://issuer.example/"), key_id: None, claims }
    }
}

/// What a token of one issuer must be like.
#[derive(Clone, Debug)]
pub struct Expectations {
    /// `iss`, compared exactly.
    pub issuer: Arc<str>,
    /// What `aud` must name.
    pub audience: AudienceCheck,
    /// The algorithms that the issuer signs with; no other is tried.
    pub algorithms: Vec<Algorithm>,
    /// How far clocks may differ, in seconds.
    pub leeway: f64,
}

/// Verifies the tokens of the configured issuers, each with that issuer's keys alone.
pub struct Verifiers(Vec<(Expectations, JwksCache)>);

impl Verifiers {
    /// Verifies with these.
    #[must_use]
    pub fn new(issuers: Vec<(Expectations, JwksCache)>) -> Self {
        Self(issuers)
    }

    /// The principal that the credential proves.
    ///
    /// # Errors
    ///
    /// A [`Rejection`](Error::Rejection) when it proves nothing, a [`Fault`](Error::Fault) when the
    /// issuer's keys cannot be had.
    pub async fn verify(&self, credential: &Credential, now: UnixTime) -> Result<Principal, Error> {
        let token = Token::parse(credential.expose())?;
        let issuer = token.unverified_issuer()?;
        let (expectations, cache) = self
            .0
            .iter()
            .find(|(expectations, _)| &*expectations.issuer == issuer)
            .ok_or(Reason::IssuerUnknown)?;
        // Before the keys are asked for: a token that cannot pass costs no fetch.
        allowed_algorithm(&token, expectations)?;
        let keys = cache.keys(token.key_id()).await?;
        Ok(verify(token, &keys, expectations, now)?)
    }
}

/// The whole check of one token, as a function of what it depends on.
fn verify(
    token: Token<'_>,
    keys: &KeySet,
    expectations: &Expectations,
    now: UnixTime,
) -> Result<Principal, Rejection> {
    let algorithm = allowed_algorithm(&token, expectations)?;
    let key = match keys.find(token.key_id(), algorithm) {
        KeySearch::Found(key) => key,
        KeySearch::NotFound => return Err(Reason::KeyNotFound.into()),
        KeySearch::Mismatch => return Err(Reason::KeyMismatch.into()),
        KeySearch::Ambiguous => return Err(Reason::KeyAmbiguous.into()),
    };
    signature::verify(&token, key.public(), algorithm)?;
    // From here on the issuer vouches for what the token says.
    let issuer = Arc::clone(&expectations.issuer);
    let key_id = key.id().map(str::to_owned);
    let claims = token.into_claims();
    match claims::check(&claims, expectations, now) {
        Ok(()) => Ok(Principal { issuer, key_id, claims }),
        Err(reason) => Err(Rejection { reason, issuer: Some(issuer), key_id }),
    }
}

/// Rule A1: the issuer's list decides, the header only chooses from it.
fn allowed_algorithm(token: &Token<'_>, expectations: &Expectations) -> Result<Algorithm, Reason> {
    token
        .algorithm()
        .filter(|algorithm| expectations.algorithms.contains(algorithm))
        .ok_or(Reason::AlgorithmNotAllowed)
}

#[cfg(test)]
mod tests;
