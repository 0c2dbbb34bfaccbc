//! [`Expectations`]: what a token of one issuer must be like.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{Profile, ProofOfPossession};
use crate::claims::ClaimPath;
use crate::jwks::Algorithm;

/// What a token of one issuer must be like. [`Expectations::new`] makes those of a [`Profile`]; what
/// is set afterwards takes the place of what the profile says.
///
/// ```
/// use lambda_authorizer::verify::{AudienceCheck, Expectations, Profile};
///
/// let audience = AudienceCheck::OneOf(vec!["orders-api".into()]);
/// let mut expectations = Expectations::new(Profile::Keycloak, "https://id.example.com/realms/orders", audience);
/// expectations.max_age = Some(3600.0);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Expectations {
    /// `iss`, compared exactly (rule C1).
    pub issuer: Arc<str>,
    /// Whom the token must be meant for (rule C2).
    pub audience: AudienceCheck,
    /// The claim that says whom it is meant for.
    pub audience_claim: AudienceClaim,
    /// The algorithms that the issuer signs with; no other is tried (rule A1).
    pub algorithms: Vec<Algorithm>,
    /// What the header's `typ` may be (rule C7).
    pub types: TokenTypes,
    /// Whether `kid` may be absent, which selects the only key that fits.
    pub key_id: Presence,
    /// Whether `sub` may be absent (rule C6).
    pub subject: Presence,
    /// Whether `exp` may be absent: an authorization server that is asked about a token need not tell it (rule C3).
    pub expiry: Presence,
    /// Whether the authorization server is asked, too, whether a token is active.
    pub is_introspected: bool,
    /// Whether `iat` may be absent.
    pub issued_at: Presence,
    claims: Vec<ClaimRule>,
    /// How long ago `iat` may be, in seconds.
    pub max_age: Option<f64>,
    /// How long `exp` may be after `iat`, in seconds.
    pub max_lifetime: Option<f64>,
    /// How far clocks may differ, in seconds (rule C5).
    pub leeway: f64,
    /// The proofs that a key is the caller's (rule C9).
    pub possession: ProofOfPossession,
}

impl Expectations {
    /// What the profile asks of the tokens of this issuer, with 30 seconds of leeway.
    #[must_use]
    pub fn new(profile: Profile, issuer: &str, audience: AudienceCheck) -> Self {
        Self {
            issuer: issuer.into(),
            audience,
            audience_claim: profile.audience_claim(),
            algorithms: profile.algorithms().to_vec(),
            types: profile.types(),
            key_id: Presence::Optional,
            subject: Presence::Required,
            expiry: Presence::Required,
            is_introspected: false,
            issued_at: profile.issued_at(),
            claims: profile.claims(),
            max_age: None,
            max_lifetime: None,
            leeway: 30.0,
            possession: ProofOfPossession::default(),
        }
    }
}

impl Expectations {
    /// What is asked of the SAML assertions of this issuer: nothing by a profile of JWTs.
    #[cfg(feature = "saml")]
    #[must_use]
    pub fn of_assertions(issuer: &str, audience: AudienceCheck) -> Self {
        let usual = Self::new(Profile::AccessToken, issuer, audience);
        Self { claims: Vec::new(), issued_at: Presence::Required, ..usual }
    }

    /// What else is asked of the claims: by the profile, and by [`require`](Self::require).
    #[must_use]
    pub fn claims(&self) -> &[ClaimRule] {
        &self.claims
    }

    /// Asks for one thing more. What the profile asks for cannot be taken back.
    pub fn require(&mut self, rule: ClaimRule) {
        self.claims.push(rule);
    }
}

/// Whom a token must be meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudienceCheck {
    /// One of these, exactly.
    OneOf(Vec<String>),
    /// Anybody: only where the configuration says `unchecked`.
    Unchecked,
}

/// The claim that says whom a token is meant for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AudienceClaim {
    /// The audience of RFC 7519: a string, or an array of strings.
    Aud,
    /// The client that the token was issued to, as in access tokens of Amazon Cognito.
    ClientId,
    /// The authorized party: the client that the token was issued to, under OpenID Connect's name.
    Azp,
}

impl AudienceClaim {
    /// The name of the claim.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aud => "aud",
            Self::ClientId => "client_id",
            Self::Azp => "azp",
        }
    }
}

/// Whether something that may be absent may be absent here.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It must be there.
    Required,
    /// It may be absent.
    Optional,
}

/// What the header's `typ` may be (RFC 8725, section 3.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenTypes {
    /// These, in lower case and without `application/`.
    pub named: Vec<String>,
    /// Whether a token that does not name its type will do.
    pub unnamed: bool,
}

impl TokenTypes {
    /// These types, and whether a token without one will do.
    #[must_use]
    pub fn new(named: &[&str], unnamed: bool) -> Self {
        let normal = |name: &&str| {
            let name = name.to_ascii_lowercase();
            name.strip_prefix("application/").map(str::to_owned).unwrap_or(name)
        };
        Self { named: named.iter().map(normal).collect(), unnamed }
    }

    pub(super) fn include(&self, media_type: Option<&str>) -> bool {
        media_type.map_or(self.unnamed, |media_type| self.named.iter().any(|named| named == media_type))
    }
}

/// One more thing that is asked of the claims. A claim that is `null` is not there.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimRule {
    /// One of these is there, and not empty.
    Present(Vec<ClaimPath>),
    /// One of these is a string that is not empty.
    Text(Vec<ClaimPath>),
    /// It is one of these values, or an array that holds one of them.
    Value {
        /// The claim.
        claim: ClaimPath,
        /// Strings, numbers or booleans, of which one must be equal, type included.
        values: Vec<Value>,
    },
    /// It is a time that has passed.
    Past(ClaimPath),
    /// It is this text: the claim tells what kind of token this is.
    Kind {
        /// The claim.
        claim: ClaimPath,
        /// What it must be.
        kind: &'static str,
    },
    /// Where it is there, it is this text.
    KindIfThere {
        /// The claim.
        claim: ClaimPath,
        /// What it must be.
        kind: &'static str,
    },
    /// Where it is there, it is a text and none of these, in any case: each would tell that this is
    /// another kind of token.
    NotKind {
        /// The claim.
        claim: ClaimPath,
        /// What it must not be.
        kinds: &'static [&'static str],
    },
    /// It is not there: only another kind of token has it.
    Absent(ClaimPath),
}
