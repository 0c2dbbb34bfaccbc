//! [`CredentialVerifier`]: one kind of credential beside JWTs. Those that come with the function implement it, and so does what
//! somebody adds in code of his own (docs/extending.md).

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::possession::Presented;
use super::{Principal, Verifiers};
use crate::claims::Claims;
use crate::credential::{CredentialKind, Presentation};
use crate::error::{Error, Reason};
use crate::io::UnixTime;
use crate::jwks::JwksCache;

/// Verifies one kind of credential that is no JWT.
///
/// ```
/// use lambda_authorizer::claims::Claims;
/// use lambda_authorizer::error::CustomCode;
/// use lambda_authorizer::verify::{Asked, CredentialVerifier, Identity, Presented, Verification};
///
/// /// Lets in whoever says `guest~` and a name.
/// struct Guests;
///
/// const NAMELESS: CustomCode = CustomCode::new("guest_nameless");
///
/// impl CredentialVerifier for Guests {
///     fn is_meant(&self, presented: &Presented<'_>) -> bool {
///         presented.token().starts_with("guest~")
///     }
///
///     fn verify<'a>(&'a self, asked: Asked<'a>) -> Verification<'a> {
///         Box::pin(async move {
///             let name = asked.presented.token().strip_prefix("guest~").filter(|name| !name.is_empty());
///             let name = name.ok_or_else(|| NAMELESS.refusal("there is no name behind `guest~`"))?;
///             let claims = serde_json::Map::from_iter([("sub".to_owned(), name.into())]);
///             Ok(Identity { key_id: None, claims: Claims::from(claims) })
///         })
///     }
/// }
/// ```
pub trait CredentialVerifier: Any + Send + Sync {
    /// Whether the credential has the form that this verifier takes. Then it is asked, and nobody else: what it refuses is
    /// refused. The form alone decides; what holds and what does not have to look alike here.
    fn is_meant(&self, presented: &Presented<'_>) -> bool;

    /// Whom the credential proves.
    ///
    /// # Errors
    ///
    /// A [`Rejection`](Error::Rejection) when it proves nobody, a [`Fault`](Error::Fault) when that cannot be said: API Gateway
    /// keeps a refusal, and no fault.
    fn verify<'a>(&'a self, asked: Asked<'a>) -> Verification<'a>;

    /// Keys of its own. They are fetched before the first event, and waited for behind answers, as those of issuers are.
    fn keys(&self) -> Option<&JwksCache> {
        None
    }
}

/// What comes of a verification, once it is there.
pub type Verification<'a> = Pin<Box<dyn Future<Output = Result<Identity, Error>> + Send + 'a>>;

/// Whom a credential proves, by the word of its verifier. It is not a [`Principal`]: of that, kind and issuer are those of the
/// configuration, and only [`Verifiers`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// A public name of the key, or of the credential, for the log.
    pub key_id: Option<Arc<str>>,
    /// What is known of the caller. `sub` is who he is, unless the configuration has another `principal_id`.
    pub claims: Claims,
}

/// The question to a verifier.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Asked<'a> {
    /// What is presented.
    pub presented: Presented<'a>,
    /// The time.
    pub now: UnixTime,
    /// How long the answer may take.
    pub patience: Duration,
    /// For a credential that stands for a token: what verifies those.
    pub tokens: Tokens<'a>,
}

/// Verifies tokens, JWTs and opaque ones, as if they were presented themselves.
#[derive(Clone, Copy)]
pub struct Tokens<'a>(&'a Verifiers);

impl Tokens<'_> {
    /// The principal that the token proves.
    ///
    /// # Errors
    ///
    /// As those of [`Verifiers::verify`].
    pub async fn verify(&self, token: &str, now: UnixTime, patience: Duration) -> Result<Principal, Error> {
        self.0.verify_token(&Presented::bearer(token), now, patience).await
    }

    pub(super) fn verifiers(&self) -> &Verifiers {
        self.0
    }
}

impl<'a> Asked<'a> {
    pub(super) fn new(
        presented: &Presented<'a>,
        now: UnixTime,
        patience: Duration,
        verifiers: &'a Verifiers,
    ) -> Self {
        Self { presented: *presented, now, patience, tokens: Tokens(verifiers) }
    }
}

/// One kind of credential, and who verifies it.
pub(super) struct Kind {
    pub(super) kind: CredentialKind,
    /// Who vouches for the callers.
    pub(super) issuer: Arc<str>,
    pub(super) verifier: Arc<dyn CredentialVerifier>,
    /// Whether it may look at the request, and not at the credential alone. Otherwise its answers can be kept by the credential.
    pub(super) sees_request: bool,
}

impl Kind {
    /// One that comes with the function: whether its answers may be kept is known of it.
    pub(super) fn built_in(
        kind: CredentialKind,
        issuer: Arc<str>,
        verifier: Arc<dyn CredentialVerifier>,
    ) -> Self {
        Self { kind, issuer, verifier, sees_request: true }
    }

    pub(super) fn is_meant(&self, presented: &Presented<'_>) -> bool {
        self.verifier.is_meant(&self.shown(*presented))
    }

    pub(super) async fn principal(&self, asked: Asked<'_>) -> Result<Principal, Error> {
        // RFC 9449, section 7.1: whoever says DPoP is not to get by with what needs no proof.
        if !self.sees_request && asked.presented.presentation() == Presentation::Dpop {
            return Err(Reason::TokenUnbound.into());
        }
        let asked = Asked { presented: self.shown(asked.presented), ..asked };
        let Identity { key_id, claims } = self.verifier.verify(asked).await?;
        Ok(Principal { issuer: Arc::clone(&self.issuer), key_id, kind: self.kind.clone(), claims })
    }

    /// Forms overlap: whatever is no JWT is opaque. The narrowest is asked first.
    pub(super) fn breadth(&self) -> u8 {
        match self.kind {
            CredentialKind::Basic => 0,
            CredentialKind::ClientCredentials => 1,
            CredentialKind::ApiKey | CredentialKind::Saml => 2,
            CredentialKind::Custom(_) => 3,
            CredentialKind::Opaque => 4,
            CredentialKind::Jwt => 5,
        }
    }

    fn shown<'a>(&self, presented: Presented<'a>) -> Presented<'a> {
        if self.sees_request { presented } else { presented.alone() }
    }
}

/// What else is asked about a credential that holds.
pub(super) trait SecondOpinion: Any + Send + Sync {
    /// Nothing, where there is no objection.
    fn check<'a>(
        &'a self,
        presented: &'a Presented<'a>,
        principal: &'a Principal,
        now: UnixTime,
        patience: Duration,
    ) -> Opinion<'a>;
}

pub(super) type Opinion<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;
