//! Why a request was not allowed: [`Rejection`], the caller's fault, and [`Fault`], ours or that of
//! something we depend on. A rejection is an answer; a fault is none, and must never look like one.

use std::sync::Arc;

/// What ended a decision before there was a policy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The caller's credential does not hold.
    #[error(transparent)]
    Rejection(#[from] Rejection),
    /// Nothing can be said about the caller.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Self::Rejection(reason.into())
    }
}

/// A refused credential, with what was established before it was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct Rejection {
    /// Why.
    pub reason: Reason,
    /// The configured issuer whose key verified the signature; `None` when none did.
    pub issuer: Option<Arc<str>>,
    /// The ID of that key.
    pub key_id: Option<String>,
}

impl From<Reason> for Rejection {
    fn from(reason: Reason) -> Self {
        Self { reason, issuer: None, key_id: None }
    }
}

/// Why a credential, or a route, was refused. For the operator: the caller learns the status only.
///
/// Nothing here holds text of the request or of an unverified token.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Reason {
    /// No identity source of the configuration holds anything.
    #[error("the request carries no credential where the configuration looks for one")]
    CredentialMissing,
    /// One identity source holds several values.
    #[error("the request carries several values, or spellings, of one identity source")]
    CredentialAmbiguous,
    /// A value is there, but not of the scheme that the identity source asks for.
    #[error("the credential does not have the scheme that its identity source asks for")]
    CredentialMalformed,

    /// Not a compact JWS with a JSON header and JSON claims.
    #[error("the token is malformed: {problem}")]
    TokenMalformed {
        /// Which part of the form does not hold.
        problem: &'static str,
    },
    /// The header asks for something that this verifier does not do.
    #[error("the token's header holds `{parameter}`, which is not supported")]
    HeaderUnsupported {
        /// The header parameter.
        parameter: &'static str,
    },
    /// `alg` is not one of the issuer's algorithms.
    #[error("the token's algorithm is not one that the configuration allows for its issuer")]
    AlgorithmNotAllowed,
    /// `iss` is not a configured issuer.
    #[error("the token's issuer is not configured")]
    IssuerUnknown,
    /// The issuer's current key set has no key of this ID.
    #[error("the issuer's key set has no key with the token's key ID")]
    KeyNotFound,
    /// The key of this ID is of another kind, or meant for something else.
    #[error("the key with the token's key ID does not fit the token's algorithm")]
    KeyMismatch,
    /// Several keys could have made the signature.
    #[error("several keys of the issuer fit the token, so none is chosen")]
    KeyAmbiguous,
    /// The signature was not made by the issuer's key over these bytes.
    #[error("the signature does not hold")]
    SignatureInvalid,

    /// A claim that the configuration checks is absent.
    #[error("the token has no claim `{claim}`")]
    ClaimMissing {
        /// The claim.
        claim: String,
    },
    /// A claim has another type, or an absurd value.
    #[error("the claim `{claim}` is not {expected}")]
    ClaimInvalid {
        /// The claim.
        claim: String,
        /// What it should be.
        expected: &'static str,
    },
    /// `exp` has passed. Times are in seconds since 1970.
    #[error("the token expired at {expired_at}, it is {now}")]
    TokenExpired {
        /// `exp`.
        expired_at: f64,
        /// The time of the decision.
        now: f64,
    },
    /// `nbf` has not come. Times are in seconds since 1970.
    #[error("the token is valid from {not_before} on, it is {now}")]
    TokenNotYetValid {
        /// `nbf`.
        not_before: f64,
        /// The time of the decision.
        now: f64,
    },
    /// `cnf` binds the token to a key that a bearer does not show (RFC 9449, section 7.1; RFC 8705).
    #[error("the token is bound to its client's key and cannot be used as a bearer token")]
    TokenSenderConstrained,
    /// `aud` names none of the configured audiences.
    #[error("the token is for another audience")]
    AudienceMismatch,

    /// A claim that the configuration passes on cannot be put into an answer.
    #[error("the claim `{claim}` holds a control character and cannot be passed on")]
    ClaimUnsafe {
        /// The path of the claim.
        claim: String,
    },
    /// API Gateway takes 8 KB at the most; a shortened answer would be another answer.
    #[error("the answer for this caller has {bytes} bytes, more than API Gateway takes")]
    AnswerTooLarge {
        /// Its size.
        bytes: usize,
    },

    /// No rule names this route.
    #[error("no rule allows this route")]
    RouteNotAllowed,
    /// A rule names this route, for callers with more scopes.
    #[error("the route asks for a scope that the token does not carry")]
    InsufficientScope,
}

impl Reason {
    /// Whether another token of the same caller might do: what a client does upon 401. It would ask
    /// for ever when the configuration is what does not fit the caller.
    #[must_use]
    pub fn is_of_the_credential(&self) -> bool {
        !matches!(
            self,
            Self::ClaimUnsafe { .. }
                | Self::AnswerTooLarge { .. }
                | Self::RouteNotAllowed
                | Self::InsufficientScope
        )
    }

    /// The stable code: in the log, in metrics, and, where configured, in the answer's context.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::CredentialMissing => "credential_missing",
            Self::CredentialAmbiguous => "credential_ambiguous",
            Self::CredentialMalformed => "credential_malformed",
            Self::TokenMalformed { .. } => "token_malformed",
            Self::HeaderUnsupported { .. } => "header_unsupported",
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::IssuerUnknown => "issuer_unknown",
            Self::KeyNotFound => "key_not_found",
            Self::KeyMismatch => "key_mismatch",
            Self::KeyAmbiguous => "key_ambiguous",
            Self::SignatureInvalid => "signature_invalid",
            Self::ClaimMissing { .. } => "claim_missing",
            Self::ClaimInvalid { .. } => "claim_invalid",
            Self::TokenExpired { .. } => "token_expired",
            Self::TokenNotYetValid { .. } => "token_not_yet_valid",
            Self::TokenSenderConstrained => "token_sender_constrained",
            Self::AudienceMismatch => "audience_mismatch",
            Self::ClaimUnsafe { .. } => "claim_unsafe",
            Self::AnswerTooLarge { .. } => "answer_too_large",
            Self::RouteNotAllowed => "route_not_allowed",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

/// What kept us from deciding. API Gateway answers 500 and does not cache it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The event is none that API Gateway sends, or contradicts itself. Never quotes it.
    #[error("the event is malformed: {problem}")]
    EventMalformed {
        /// What does not hold.
        problem: &'static str,
    },
    /// The keys of an issuer could not be had, and none that may still be used are in memory.
    #[error("the key set of `{issuer}` is not available: {cause}")]
    KeySetUnavailable {
        /// The configured issuer.
        issuer: Arc<str>,
        /// What failed, without anything of an answer's header or body.
        cause: String,
    },
    /// The answer could not be written as JSON.
    #[error("the answer could not be written")]
    AnswerUnwritable,
}

impl Fault {
    /// The stable code: in the log, and as the `errorType` of the invocation's error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::EventMalformed { .. } => "event_malformed",
            Self::KeySetUnavailable { .. } => "key_set_unavailable",
            Self::AnswerUnwritable => "answer_unwritable",
        }
    }
}
