//! [`Reason`]: why a credential, or a route, was refused.

use super::{Code, CustomCode, Outcome};
use crate::io::{UnixTime, rfc3339};

/// Why a credential, or a route, was refused. For the operator: the caller learns the status only.
///
/// Up to the signature, nothing here holds text of the request or of the token. Behind it, a reason
/// may tell what the issuer said.
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

    /// Longer than any token that API Gateway lets through.
    #[error("the token is longer than {limit} bytes")]
    TokenTooLarge {
        /// The most that is decoded.
        limit: usize,
    },
    /// Not a compact JWS with a JSON header and JSON claims.
    #[error("the token is malformed: {problem}")]
    TokenMalformed {
        /// Which part of the form does not hold.
        problem: &'static str,
    },
    /// A JWE (RFC 7516).
    #[error("the token is encrypted, and only signed tokens are verified")]
    TokenEncrypted,
    /// The third part is empty.
    #[error("the token has no signature")]
    TokenUnsigned,
    /// `cty` is `JWT` (RFC 7519, section 5.2).
    #[error("the token holds another token")]
    TokenNested,
    /// `zip` is there.
    #[error("the token's header holds `zip`: signed tokens are not compressed")]
    TokenCompressed,
    /// `b64` is there (RFC 7797, section 7).
    #[error("the token's header holds `b64`: the payload of a token is always encoded")]
    PayloadUnencoded,
    /// `crit` is there (RFC 7515, section 4.1.11).
    #[error("the token's header holds `crit`: no extension is implemented")]
    CriticalHeaderUnsupported,
    /// The token is of another kind than the profile takes.
    #[error("by its `{member}`, the token is not of the kind that the issuer's profile takes")]
    TokenTypeUnexpected {
        /// The header parameter or claim that tells.
        member: String,
    },

    /// `iss` is not a configured issuer.
    #[error("the token's issuer is not configured")]
    IssuerUnknown,
    /// `alg` is not one of the issuer's algorithms.
    #[error("the token's algorithm is not one that is allowed for its issuer")]
    AlgorithmNotAllowed,
    /// There is no `kid`, and the configuration asks for one.
    #[error("the token names no key ID, and the configuration asks for one")]
    KeyIdMissing,
    /// The issuer's current key set has no usable key of this ID.
    #[error("the issuer's key set has no key that the token could have been signed with{}", explained(.unusable))]
    KeyNotFound {
        /// Why the key of this ID was dropped when the set was read, where one was.
        unusable: Option<String>,
    },
    /// The key of this ID is of another kind, or meant for something else.
    #[error("the key with the token's key ID does not fit the token's algorithm")]
    KeyMismatch,
    /// Several keys could have made the signature.
    #[error("several keys of the issuer fit the token, so none is chosen")]
    KeyAmbiguous,
    /// The signature was not made by the issuer's key over these bytes.
    #[error("the signature does not hold")]
    SignatureInvalid,

    /// A claim that is asked for is absent, or empty.
    #[error("the claim `{claim}` is missing or empty")]
    ClaimMissing {
        /// The path of the claim; of several that would do, all.
        claim: String,
    },
    /// A claim has another type, or an absurd value.
    #[error("the claim `{claim}` is not {expected}")]
    ClaimInvalid {
        /// The path of the claim.
        claim: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A claim has none of the values that the configuration requires.
    #[error("the claim `{claim}` has none of the required values")]
    ClaimMismatch {
        /// The path of the claim.
        claim: String,
    },
    /// None of the configured audiences is named.
    #[error("the token is for another audience: `{claim}` is {found}")]
    AudienceMismatch {
        /// The claim that names it.
        claim: &'static str,
        /// What it names, as JSON, cut where it is long.
        found: String,
    },
    /// `exp` has passed.
    #[error("the token expired at {}, it is {}", rfc3339(*expired_at), rfc3339(*now))]
    TokenExpired {
        /// `exp`.
        expired_at: UnixTime,
        /// The time of the decision.
        now: UnixTime,
    },
    /// `nbf` has not come, or `iat` where it must not lie in the future.
    #[error("the token is valid from {} on, it is {}", rfc3339(*valid_from), rfc3339(*now))]
    TokenNotYetValid {
        /// `nbf`, or `iat`.
        valid_from: UnixTime,
        /// The time of the decision.
        now: UnixTime,
    },
    /// Issued longer ago than the configuration allows.
    #[error("the token was issued at {}, it is {}, and {max_age} seconds are allowed", rfc3339(*issued_at), rfc3339(*now))]
    TokenTooOld {
        /// `iat`.
        issued_at: UnixTime,
        /// The time of the decision.
        now: UnixTime,
        /// The configured age, in seconds.
        max_age: f64,
    },
    /// Valid for longer than the configuration allows.
    #[error("the token lives for {lifetime} seconds, and {max_lifetime} are allowed")]
    TokenLifetimeTooLong {
        /// From `iat` to `exp`, in seconds.
        lifetime: f64,
        /// The configured lifetime, in seconds.
        max_lifetime: f64,
    },
    /// `cnf` binds the token to a key that a bearer does not show (RFC 9449, section 7.1; RFC 8705).
    #[error("the token is bound to its client's key and cannot be used as a bearer token")]
    TokenSenderConstrained,
    /// A token that is bound to no key, where the configuration, or `DPoP` before the token, asks for one that is.
    #[error("the token is not bound to a key of the client, as it has to be here")]
    TokenUnbound,
    /// A token that is bound to a key came as `DPoP`, and the header of that name is not there.
    #[error("the request has no DPoP proof")]
    DpopProofMissing,
    /// The proof is none, or one for something else (RFC 9449, section 4.3).
    #[error("the DPoP proof is not taken: {problem}")]
    DpopProofInvalid {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// This process has seen the proof before.
    #[error("the DPoP proof was used before")]
    DpopProofReplayed,
    /// The token is bound to a certificate, or the configuration asks for one, and the event holds none.
    #[error("a certificate is needed, and the client came without one")]
    ClientCertificateMissing,
    /// The token is bound to another certificate.
    #[error("the token is bound to another certificate than the client's")]
    ClientCertificateMismatch,
    /// The certificate's issuer is none that the configuration names.
    #[error("the client's certificate is of an issuer that the configuration does not name")]
    ClientCertificateUntrusted,
    /// `notAfter` has passed.
    #[error("the client's certificate expired at {}, it is {}", rfc3339(*expired_at), rfc3339(*now))]
    ClientCertificateExpired {
        /// `notAfter`.
        expired_at: UnixTime,
        /// The time of the decision.
        now: UnixTime,
    },
    /// `notBefore` has not come.
    #[error("the client's certificate is valid from {} on, it is {}", rfc3339(*valid_from), rfc3339(*now))]
    ClientCertificateNotYetValid {
        /// `notBefore`.
        valid_from: UnixTime,
        /// The time of the decision.
        now: UnixTime,
    },
    /// The event tells something of the certificate in a form that is not known, twice, or not at all.
    #[error("of the client's certificate, `{field}` cannot be read")]
    ClientCertificateUnreadable {
        /// The field, as configurations name it.
        field: String,
    },

    /// The authorization server does not vouch for it (RFC 7662, section 2.2).
    #[error("the authorization server says that the token is not active")]
    TokenInactive,

    /// The provider's token endpoint does not take the client's ID and secret (RFC 6749, section 5.2).
    #[error("the token endpoint gives the client no token for its ID and secret")]
    ClientRefused,
    /// The token endpoint does not take the caller's token (RFC 8693, section 2.2.2).
    #[error("the token endpoint gives no other token for the caller's")]
    TokenExchangeRefused,
    /// It begins like an API key, and is none.
    #[error("the API key does not have the form of one: it is damaged, or made up")]
    ApiKeyMalformed,
    /// There is no such key. The caller does not learn whether there is one of its ID.
    #[error("{}", if *.has_item { "there is an API key of this ID, with another secret" } else { "there is no API key of this ID" })]
    ApiKeyUnknown {
        /// Whether there is one with its public ID.
        has_item: bool,
    },
    /// Its owner, or whoever keeps the table, has switched it off.
    #[error("the API key is disabled")]
    ApiKeyDisabled,
    /// Its time is over.
    #[error("the API key expired at {}, it is {}", rfc3339(*expired_at), rfc3339(*now))]
    ApiKeyExpired {
        /// When.
        expired_at: UnixTime,
        /// The time of the decision.
        now: UnixTime,
    },

    /// Nobody has this name and this password. The caller does not learn whether somebody has the name.
    #[error("{}", if *.has_item { "there is a user of this name, with another password" } else { "there is no user of this name" })]
    UserUnknown {
        /// Whether somebody has the name.
        has_item: bool,
    },
    /// Whoever keeps the table has switched the user off.
    #[error("the user is disabled")]
    UserDisabled,
    /// The user's time is over.
    #[error("the user expired at {}, it is {}", rfc3339(*expired_at), rfc3339(*now))]
    UserExpired {
        /// When.
        expired_at: UnixTime,
        /// The time of the decision.
        now: UnixTime,
    },

    /// It begins like an assertion, and is none that can be read.
    #[error("the SAML assertion is malformed: {problem}")]
    SamlMalformed {
        /// What does not hold.
        problem: &'static str,
    },
    /// It has no signature of its own. That of a message around it would not be its own.
    #[error("the SAML assertion is not signed")]
    SamlUnsigned,
    /// Its signature is not of the one form that is taken.
    #[error("the signature of the SAML assertion is not taken: {problem}")]
    SamlSignatureUnsupported {
        /// What is different.
        problem: &'static str,
    },
    /// No confirmation of its subject holds for whoever presents it here.
    #[error("the subject of the SAML assertion is not confirmed: of its confirmations, {problem}")]
    SamlUnconfirmed {
        /// What does not hold of the confirmation that came nearest.
        problem: &'static str,
    },
    /// One of its conditions is not met.
    #[error("the SAML assertion has a condition that is not met: {condition}")]
    SamlConditionUnmet {
        /// Which.
        condition: &'static str,
    },
    /// It may be used once, and this process has seen it.
    #[error("the SAML assertion was used before")]
    SamlReplayed,

    /// It holds, and the deny list has it.
    #[error("the credential is revoked, by its {by}")]
    TokenRevoked {
        /// `jti`, `sub`, `client` or `issuer`.
        by: &'static str,
    },

    /// What a verifier in code of one's own has against the credential.
    #[error("{detail}")]
    Custom {
        /// Its code.
        code: CustomCode,
        /// What is wrong, without anything of the credential that nobody vouches for.
        detail: String,
    },

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

    /// The caller's policy is larger than API Gateway takes.
    #[error(
        "the policy of this caller would be larger than {limit} bytes, which is what API Gateway's 8 KB leave for it"
    )]
    PolicyTooLarge {
        /// The most that is sent, in bytes.
        limit: usize,
    },
    /// One resource of the caller's policy is longer than API Gateway takes.
    #[error(
        "a resource of this caller's policy would have {length} characters, more than the {limit} that API Gateway takes"
    )]
    ResourceTooLong {
        /// Its length.
        length: usize,
        /// The most that API Gateway takes.
        limit: usize,
    },
    /// A claim that routes are bound to has more values than a policy is made of.
    #[error("the claim `{claim}`, which routes are bound to, has {count} values, and {limit} are taken")]
    RouteClaimTooLong {
        /// The path of the claim.
        claim: String,
        /// How many it has.
        count: usize,
        /// How many are taken.
        limit: usize,
    },

    /// No rule names this route.
    #[error("no rule allows this route")]
    RouteNotAllowed,
    /// A rule names this route, for callers with more scopes.
    #[error("the caller does not meet what {rules} asks for on this route")]
    InsufficientScope {
        /// The rules that name the route.
        rules: String,
    },
    /// A rule denies this route to this caller.
    #[error("the rule `{rule}` denies this route")]
    RouteDenied {
        /// What the operator calls it.
        rule: String,
    },
    /// The caller's rule names this route for another value of a claim.
    #[error("the route belongs to another value of the claim `{claim}`")]
    RouteOfAnother {
        /// The path of the claim.
        claim: String,
    },
    /// The caller's rule names this route for a claim that is missing, or that no policy may hold.
    #[error("the route is bound to the claim `{claim}`, which {}", if *.is_missing { "is missing" } else { "holds what may not stand in a policy" })]
    RouteClaimUnusable {
        /// The path of the claim.
        claim: String,
        /// Whether there is none.
        is_missing: bool,
    },
    /// A rule allows this route, and no policy could allow it without opening another one.
    #[error("a policy cannot tell this path from one that is not allowed")]
    RouteNotExpressible,
}

fn explained(unusable: &Option<String>) -> String {
    unusable.as_ref().map(|problem| format!(": of the one with its key ID, {problem}")).unwrap_or_default()
}

impl Reason {
    /// The stable code: in the log, in metrics, and, where configured, in the answer's context.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::CredentialMissing => Code::CredentialMissing,
            Self::CredentialAmbiguous => Code::CredentialAmbiguous,
            Self::CredentialMalformed => Code::CredentialMalformed,
            Self::TokenTooLarge { .. } => Code::TokenTooLarge,
            Self::TokenMalformed { .. } => Code::TokenMalformed,
            Self::TokenEncrypted => Code::TokenEncrypted,
            Self::TokenUnsigned => Code::TokenUnsigned,
            Self::TokenNested => Code::TokenNested,
            Self::TokenCompressed => Code::TokenCompressed,
            Self::PayloadUnencoded => Code::PayloadUnencoded,
            Self::CriticalHeaderUnsupported => Code::CriticalHeaderUnsupported,
            Self::TokenTypeUnexpected { .. } => Code::TokenTypeUnexpected,
            Self::IssuerUnknown => Code::IssuerUnknown,
            Self::AlgorithmNotAllowed => Code::AlgorithmNotAllowed,
            Self::KeyIdMissing => Code::KeyIdMissing,
            Self::KeyNotFound { .. } => Code::KeyNotFound,
            Self::KeyMismatch => Code::KeyMismatch,
            Self::KeyAmbiguous => Code::KeyAmbiguous,
            Self::SignatureInvalid => Code::SignatureInvalid,
            Self::ClaimMissing { .. } => Code::ClaimMissing,
            Self::ClaimInvalid { .. } => Code::ClaimInvalid,
            Self::ClaimMismatch { .. } => Code::ClaimMismatch,
            Self::AudienceMismatch { .. } => Code::AudienceMismatch,
            Self::TokenExpired { .. } => Code::TokenExpired,
            Self::TokenNotYetValid { .. } => Code::TokenNotYetValid,
            Self::TokenTooOld { .. } => Code::TokenTooOld,
            Self::TokenLifetimeTooLong { .. } => Code::TokenLifetimeTooLong,
            Self::TokenSenderConstrained => Code::TokenSenderConstrained,
            Self::TokenUnbound => Code::TokenUnbound,
            Self::DpopProofMissing => Code::DpopProofMissing,
            Self::DpopProofInvalid { .. } => Code::DpopProofInvalid,
            Self::DpopProofReplayed => Code::DpopProofReplayed,
            Self::ClientCertificateMissing => Code::ClientCertificateMissing,
            Self::ClientCertificateMismatch => Code::ClientCertificateMismatch,
            Self::ClientCertificateUntrusted => Code::ClientCertificateUntrusted,
            Self::ClientCertificateExpired { .. } => Code::ClientCertificateExpired,
            Self::ClientCertificateNotYetValid { .. } => Code::ClientCertificateNotYetValid,
            Self::ClientCertificateUnreadable { .. } => Code::ClientCertificateUnreadable,
            Self::TokenInactive => Code::TokenInactive,
            Self::ClientRefused => Code::ClientRefused,
            Self::TokenExchangeRefused => Code::TokenExchangeRefused,
            Self::ApiKeyMalformed => Code::ApiKeyMalformed,
            Self::ApiKeyUnknown { .. } => Code::ApiKeyUnknown,
            Self::ApiKeyDisabled => Code::ApiKeyDisabled,
            Self::ApiKeyExpired { .. } => Code::ApiKeyExpired,
            Self::UserUnknown { .. } => Code::UserUnknown,
            Self::UserDisabled => Code::UserDisabled,
            Self::UserExpired { .. } => Code::UserExpired,
            Self::SamlMalformed { .. } => Code::SamlMalformed,
            Self::SamlUnsigned => Code::SamlUnsigned,
            Self::SamlSignatureUnsupported { .. } => Code::SamlSignatureUnsupported,
            Self::SamlUnconfirmed { .. } => Code::SamlUnconfirmed,
            Self::SamlConditionUnmet { .. } => Code::SamlConditionUnmet,
            Self::SamlReplayed => Code::SamlReplayed,
            Self::TokenRevoked { .. } => Code::TokenRevoked,
            Self::Custom { code, .. } => Code::CustomRefusal(*code),
            Self::ClaimUnsafe { .. } => Code::ClaimUnsafe,
            Self::AnswerTooLarge { .. } => Code::AnswerTooLarge,
            Self::PolicyTooLarge { .. } => Code::PolicyTooLarge,
            Self::ResourceTooLong { .. } => Code::ResourceTooLong,
            Self::RouteClaimTooLong { .. } => Code::RouteClaimTooLong,
            Self::RouteNotAllowed => Code::RouteNotAllowed,
            Self::InsufficientScope { .. } => Code::InsufficientScope,
            Self::RouteDenied { .. } => Code::RouteDenied,
            Self::RouteOfAnother { .. } => Code::RouteOfAnother,
            Self::RouteClaimUnusable { .. } => Code::RouteClaimUnusable,
            Self::RouteNotExpressible => Code::RouteNotExpressible,
        }
    }

    /// Whether, for a token that names no key, newer keys might be what is missing.
    #[must_use]
    pub fn may_be_a_rotation(&self) -> bool {
        matches!(self, Self::SignatureInvalid | Self::KeyNotFound { .. } | Self::KeyAmbiguous)
    }

    /// Whether the token was good once, and is not any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::TokenExpired { .. } | Self::TokenInactive)
    }

    /// Whether API Gateway's limits are what it is refused for: no caller can do anything about that.
    #[must_use]
    pub fn is_a_limit(&self) -> bool {
        matches!(
            self,
            Self::PolicyTooLarge { .. }
                | Self::ResourceTooLong { .. }
                | Self::RouteClaimTooLong { .. }
                | Self::AnswerTooLarge { .. }
        )
    }

    /// Whether another token of the same caller might do: what a client does upon 401. It would ask
    /// for ever when the configuration is what does not fit the caller.
    #[must_use]
    pub fn is_of_the_credential(&self) -> bool {
        self.code().outcome() == Outcome::RefusedCredential
    }
}
