//! Why a request was not allowed: [`Rejection`], the caller's fault, and [`Fault`], ours or that of
//! something we depend on. A rejection is an answer; a fault is none, and must never look like one.

mod code;
mod custom;
mod reason;

use std::sync::Arc;

use crate::io::{UnixTime, rfc3339};

pub use code::{Code, Outcome};
pub use custom::CustomCode;
pub use reason::Reason;

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

/// What kept us from deciding. API Gateway answers 500 and does not cache it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
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
    /// The authorization server could not be asked about a token, or did not answer what can be understood.
    #[error("the introspection of tokens by `{issuer}` is not available: {cause}")]
    IntrospectionUnavailable {
        /// The configured name of who vouches for the tokens.
        issuer: Arc<str>,
        /// What failed, without anything of an answer's header or body.
        cause: String,
    },
    /// The provider could not be asked whose a token is, or did not answer what can be understood.
    #[error("the UserInfo endpoint of `{issuer}` is not available: {cause}")]
    UserinfoUnavailable {
        /// The configured name of the provider.
        issuer: Arc<str>,
        /// What failed, without anything of an answer's header or body.
        cause: String,
    },
    /// A client's ID and secret could not be exchanged for a token, or it is not that client's.
    #[error("the token endpoint of `{issuer}` has no token for the client: {cause}")]
    ClientCredentialsUnavailable {
        /// The configured issuer of the token.
        issuer: Arc<str>,
        /// What failed, without anything of an answer's header or body but for a known error code.
        cause: String,
    },
    /// The caller's token could not be exchanged for one that a backend can use.
    #[error("the token endpoint of `{issuer}` has no token for the backend: {cause}")]
    TokenExchangeUnavailable {
        /// The configured issuer of the caller's token.
        issuer: Arc<str>,
        /// What failed, without anything of an answer's header or body but for a known error code.
        cause: String,
    },
    /// The table of API keys and the like could not be asked, or what it holds cannot be understood.
    #[error("the table `{table}` is not available: {cause}")]
    TableUnavailable {
        /// The configured name of the table.
        table: Arc<str>,
        /// What failed, without anything of an answer's header or body.
        cause: String,
    },
    /// The name has failed too often of late.
    #[error("the name has failed too often, and is not checked until {}, it is {}", rfc3339(*until), rfc3339(*now))]
    BasicThrottled {
        /// When it is checked again.
        until: UnixTime,
        /// The time of the decision.
        now: UnixTime,
    },
    /// The answer could not be written as JSON.
    #[error("the answer could not be written")]
    AnswerUnwritable,
    /// What a verifier in code of one's own could not find out.
    #[error("{cause}")]
    Custom {
        /// Its code.
        code: CustomCode,
        /// What failed, without anything of a credential.
        cause: String,
    },
}

impl Fault {
    /// The stable code: in the log, and as the `errorType` of the invocation's error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::EventMalformed { .. } => Code::EventMalformed,
            Self::KeySetUnavailable { .. } => Code::KeySetUnavailable,
            Self::IntrospectionUnavailable { .. } => Code::IntrospectionUnavailable,
            Self::UserinfoUnavailable { .. } => Code::UserinfoUnavailable,
            Self::ClientCredentialsUnavailable { .. } => Code::ClientCredentialsUnavailable,
            Self::TokenExchangeUnavailable { .. } => Code::TokenExchangeUnavailable,
            Self::TableUnavailable { .. } => Code::TableUnavailable,
            Self::BasicThrottled { .. } => Code::BasicThrottled,
            Self::AnswerUnwritable => Code::AnswerUnwritable,
            Self::Custom { code, .. } => Code::CustomFault(*code),
        }
    }
}
