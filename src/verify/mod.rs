//! Stage 4: a [`Credential`](crate::credential::Credential) becomes a [`Principal`], which can be made nowhere else.
//!
//! The order is that of trust: the form of the token, its issuer (which fixes the keys before any is
//! looked for, rule A10), its type and algorithm, its key, its signature, and only then its claims.
//! Each step makes the type that the next one takes.

mod admission;
mod answers;
#[cfg(feature = "dynamodb")]
mod api_key;
#[cfg(feature = "dynamodb")]
mod api_keys;
#[cfg(feature = "dynamodb")]
mod basic;
mod certificates;
mod claims;
mod client_authentication;
mod client_credentials;
mod client_key;
mod credential_verifier;
#[cfg(feature = "dynamodb")]
mod database;
mod dpop;
mod expectations;
mod explain;
#[cfg(feature = "dynamodb")]
mod failures;
#[cfg(feature = "dynamodb")]
mod findings;
mod flights;
mod inquiries;
mod introspection;
mod json;
mod possession;
mod profile;
#[cfg(feature = "dynamodb")]
mod records;
mod replays;
#[cfg(feature = "dynamodb")]
mod revocation;
mod room;
#[cfg(feature = "saml")]
mod saml;
#[cfg(feature = "dynamodb")]
mod shared_replays;
mod signature;
mod signed_answers;
mod token;
mod token_endpoint;
mod token_exchange;
mod verified_tokens;
mod verifiers;

use std::sync::Arc;

use crate::claims::Claims;
use crate::credential::CredentialKind;
use crate::error::{Reason, Rejection};
use crate::io::UnixTime;
use crate::jwks::{Algorithm, Key, KeySet};
#[cfg(feature = "dynamodb")]
pub use api_key::ApiKey;
#[cfg(feature = "dynamodb")]
pub use api_keys::ApiKeySettings;
#[cfg(feature = "dynamodb")]
pub use basic::{BasicSettings, ITERATIONS, password_hash, user_key};
pub use certificates::ClientCertificates;
pub use client_authentication::ClientAuthentication;
pub use client_credentials::ClientCredentialsSettings;
pub use client_key::{ClientKey, ClientKeyError};
pub use credential_verifier::{Asked, CredentialVerifier, Identity, Tokens, Verification};
#[cfg(feature = "dynamodb")]
pub use database::DatabaseSettings;
pub use dpop::DpopProofs;
pub use expectations::{AudienceCheck, AudienceClaim, ClaimRule, Expectations, Presence, TokenTypes};
pub use explain::{Checked, Explanation, Verdict, explain};
pub use introspection::{Endpoint, IntrospectionSettings};
pub use possession::{Presented, ProofOfPossession};
pub use profile::Profile;
#[cfg(feature = "dynamodb")]
pub use records::is_own_claim;
#[cfg(feature = "dynamodb")]
pub use revocation::{ObserveRevocation, RevocationSettings, RevokedBy};
#[cfg(feature = "saml")]
pub use saml::{SamlSettings, read_metadata};
#[cfg(feature = "saml")]
pub(crate) use saml::{is_claim_of_assertions, read_metadata_file};
use signature::Signed;
pub use signed_answers::SignedAnswers;
use token::Token;
pub use token_endpoint::TokenEndpoint;
pub use token_exchange::{TokenExchange, TokenExchangeSettings};
pub use verified_tokens::TokenCacheLimits;
pub use verifiers::Verifiers;

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
/// use lambda_authorizer::credential::CredentialKind;
/// use lambda_authorizer::verify::Principal;
///
/// fn forged(claims: Claims) -> Principal {
///     Principal { issuer: "https://issuer.example/".into(), key_id: None, kind: CredentialKind::Jwt, claims }
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
    key_id: Option<Arc<str>>,
    kind: CredentialKind,
    claims: Claims,
}

impl Principal {
    /// The configured issuer that vouches for the claims.
    #[must_use]
    pub fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    /// The ID of the key that verified the token, or of the API key.
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
    pub fn credential_kind(&self) -> &CredentialKind {
        &self.kind
    }
}

#[cfg(test)]
impl Principal {
    /// A principal that nobody vouches for, for the tests of the later stages.
    pub(crate) fn for_tests(claims: Claims) -> Self {
        Self { issuer: Arc::from("https://issuer.example/"), key_id: None, kind: CredentialKind::Jwt, claims }
    }
}

/// Verifies a bearer token: a function of the token, the issuer's keys, what is expected, and the time, in
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
    Admitted::new(Token::parse(token)?, expectations)?.verify(keys, &Presented::bearer(token), now)
}

/// A token for which it is worth asking for keys.
struct Admitted<'a> {
    token: Token<'a>,
    algorithm: Algorithm,
    expectations: &'a Expectations,
}

/// A token that a key has signed, and under which expectations it was admitted.
struct Vouched<'a, 'keys> {
    signed: Signed,
    key: &'keys Key,
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

    fn verify(self, keys: &KeySet, presented: &Presented<'_>, now: UnixTime) -> Result<Principal, Rejection> {
        let Vouched { signed, expectations, .. } = self.vouched(keys)?;
        signed.principal(expectations, presented, now)
    }

    fn key_id(&self) -> Option<&str> {
        self.token.key_id()
    }

    fn names_its_key(&self) -> bool {
        self.key_id().is_some()
    }

    /// What one of these keys vouches for.
    fn vouched<'keys>(self, keys: &'keys KeySet) -> Result<Vouched<'a, 'keys>, Reason> {
        let Self { token, algorithm, expectations } = self;
        let key = admission::key(&token, algorithm, keys)?;
        let signed = signature::verify(token, key, algorithm)?;
        Ok(Vouched { signed, key, algorithm, expectations })
    }
}

impl Signed {
    /// What is decided of its claims, which depends on the time and on what comes with the token.
    fn principal(
        &self,
        expectations: &Expectations,
        presented: &Presented<'_>,
        now: UnixTime,
    ) -> Result<Principal, Rejection> {
        match claims::check(self, expectations, presented, now) {
            Ok(()) => Ok(Principal::vouched_for(self, expectations)),
            Err(reason) => Err(Rejection {
                reason,
                issuer: Some(Arc::clone(&expectations.issuer)),
                key_id: self.key_id().map(|id| id.to_string()),
            }),
        }
    }
}

impl Principal {
    fn vouched_for(signed: &Signed, expectations: &Expectations) -> Self {
        Self {
            issuer: Arc::clone(&expectations.issuer),
            key_id: signed.key_id().cloned(),
            kind: CredentialKind::Jwt,
            claims: signed.claims().clone(),
        }
    }
}

#[cfg(test)]
mod tests;
