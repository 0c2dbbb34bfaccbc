//! Token exchange (RFC 8693): a token for the backend, with fewer rights than the caller's, in the answer's context.

use std::sync::Arc;
use std::time::Duration;

use super::Principal;
use super::client_authentication::ClientAuthentication;
use super::inquiries::{Failure, Inquiries, Told};
use super::token_endpoint::{Said, TokenEndpoint};
use super::verified_tokens::TokenDigest;
use crate::credential::{Credential, Presentation};
use crate::error::{Error, Fault, Reason, Rejection};
use crate::io::{Edges, UnixTime};

/// How the tokens of callers are exchanged.
pub struct TokenExchangeSettings {
    /// Whose tokens are: no others are shown to the endpoint.
    pub issuer: Arc<str>,
    /// Where they are exchanged.
    pub endpoint: TokenEndpoint,
    /// How the function proves to it which client it is.
    pub authentication: ClientAuthentication,
    /// `subject_token_type`.
    pub subject_token_type: String,
    /// `requested_token_type`, which the answer must then name.
    pub requested_token_type: Option<String>,
    /// What else is sent: `audience`, `resource`, `scope`.
    pub parameters: Vec<(&'static str, String)>,
    /// How long a token that goes into an answer lives at least, in seconds: an answer may be kept as long.
    pub least_remaining: f64,
    /// How long a token is used, in seconds.
    pub lifetime: f64,
    /// How long it is remembered that a token was refused, in seconds.
    pub negative_lifetime: f64,
    /// How many tokens are kept.
    pub entries: usize,
}

/// Exchanges tokens, and keeps what it got for a while.
pub struct TokenExchange {
    settings: TokenExchangeSettings,
    inquiries: Inquiries<Exchanged>,
    edges: Edges,
}

/// What the endpoint gave for a token.
#[derive(Clone)]
enum Exchanged {
    /// A token, which is a secret.
    Token(Arc<str>),
    /// Nothing.
    Refused,
}

/// RFC 8693, section 2.1.
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

impl TokenExchange {
    /// Exchanges tokens so.
    #[must_use]
    pub fn new(settings: TokenExchangeSettings, edges: Edges) -> Self {
        Self { inquiries: Inquiries::new(settings.entries), settings, edges }
    }

    /// Whether the caller's token is one of those that are exchanged. What came as a secret is no token of the caller's.
    #[must_use]
    pub fn is_for(&self, principal: &Principal, credential: &Credential) -> bool {
        let is_token = match credential.presentation() {
            Presentation::Bearer | Presentation::Dpop => true,
            Presentation::Basic => false,
        };
        is_token && *principal.issuer() == self.settings.issuer
    }

    /// The token for the backend of a caller whose own was verified. It lives so long that an answer which API Gateway
    /// keeps does not outlive it.
    ///
    /// # Errors
    ///
    /// A [`Rejection`](Error::Rejection) where the endpoint does not take the caller's token, a [`Fault`](Error::Fault) where there
    /// is no such token for another reason.
    pub async fn exchange(
        &self,
        principal: &Principal,
        credential: &Credential,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Arc<str>, Error> {
        let subject = credential.expose();
        let ask = self.ask(subject, now, patience);
        match self.inquiries.answer(TokenDigest::of(subject), now, patience, ask).await {
            Ok(Exchanged::Token(token)) => Ok(token),
            Ok(Exchanged::Refused) => Err(Rejection {
                reason: Reason::TokenExchangeRefused,
                issuer: Some(Arc::clone(principal.issuer())),
                key_id: principal.key_id().map(str::to_owned),
            }
            .into()),
            Err(cause) => {
                Err(Fault::TokenExchangeUnavailable { issuer: Arc::clone(&self.settings.issuer), cause }
                    .into())
            }
        }
    }

    async fn ask(
        &self,
        subject: &str,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Told<Exchanged>, Failure> {
        let TokenExchangeSettings { authentication, endpoint, .. } = &self.settings;
        let form = authentication.form(&self.fields(subject), now)?;
        let (authorization, tries_again) = (authentication.authorization(), authentication.may_be_repeated());
        let issued = match endpoint.ask(&form, authorization, tries_again, &self.edges, patience).await? {
            Said::Issued(issued) => issued,
            // Section 2.2.2: the subject token is invalid, or unacceptable.
            Said::Error("invalid_request" | "invalid_grant" | "access_denied") => {
                let ends_at = now + self.settings.negative_lifetime;
                return Ok(Told { answer: Exchanged::Refused, ends_at });
            }
            Said::Error(code) => {
                return Err(Failure::unusable(&format!("the token endpoint says `{code}`")));
            }
        };
        let requested = self.settings.requested_token_type.as_deref();
        if requested.is_some() && issued.issued_token_type.as_deref() != requested {
            return Err(Failure::unusable("the token is not of the type that was asked for"));
        }
        // A backend that gets the caller's own token may do all that the caller may.
        if *issued.access_token == *subject {
            return Err(Failure::unusable("the caller's own token came back"));
        }
        let remaining = issued.expires_in.ok_or(Failure::unusable("the answer has no `expires_in`"))?;
        if remaining < self.settings.least_remaining {
            return Err(Failure::unusable("the token lives for less than `least_remaining_seconds`"));
        }
        let unused = remaining - self.settings.least_remaining;
        let ends_at = now + unused.min(self.settings.lifetime);
        Ok(Told { answer: Exchanged::Token(issued.access_token), ends_at })
    }

    fn fields<'a>(&'a self, subject: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut fields = vec![
            ("grant_type", GRANT_TYPE),
            ("subject_token", subject),
            ("subject_token_type", self.settings.subject_token_type.as_str()),
        ];
        fields
            .extend(self.settings.requested_token_type.as_deref().map(|kind| ("requested_token_type", kind)));
        fields.extend(self.settings.parameters.iter().map(|(name, value)| (*name, value.as_str())));
        fields
    }
}
