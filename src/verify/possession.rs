//! Proof of possession (RFC 7800): a token that `cnf` binds to a key of the client is worth nothing to whoever stole it, as
//! long as nobody takes it without a proof of that key.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use super::dpop::{self, DpopProofs};
use super::replays::Usage;
#[cfg(feature = "dynamodb")]
use super::replays::UsedProof;
use crate::claims::Claims;
use crate::credential::{Credential, Presentation};
use crate::error::Reason;
use crate::io::UnixTime;
use crate::request::Request;

/// Which proofs are taken with the tokens of one issuer. By default none: a token that is bound to a key is then refused.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProofOfPossession {
    /// DPoP (RFC 9449), and what its proofs must be like.
    pub dpop: Option<Arc<DpopProofs>>,
    /// The certificate with which the client came (RFC 8705, section 3).
    pub mutual_tls: bool,
    /// Whether a token that is bound to no key is refused.
    pub is_required: bool,
}

/// A token, and what came with it.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    token: &'a str,
    presentation: Presentation,
    request: Option<&'a Request>,
    usage: Option<&'a Usage<'a>>,
}

impl<'a> Presented<'a> {
    /// The credential of this request.
    #[must_use]
    pub fn new(credential: &'a Credential, request: &'a Request) -> Self {
        Self {
            token: credential.expose(),
            presentation: credential.presentation(),
            request: Some(request),
            usage: None,
        }
    }

    /// A token with which nothing came.
    #[must_use]
    pub fn bearer(token: &'a str) -> Self {
        Self { token, presentation: Presentation::Bearer, request: None, usage: None }
    }

    /// A name and a password.
    #[cfg(all(test, feature = "dynamodb"))]
    pub(super) fn basic(text: &'a str) -> Self {
        Self { presentation: Presentation::Basic, ..Self::bearer(text) }
    }

    /// The same; a proof that was seen before is refused, and this one is used up.
    pub(super) fn once(self, usage: &'a Usage<'a>) -> Self {
        Self { usage: Some(usage), ..self }
    }

    /// The same, without the request.
    pub(super) fn alone(self) -> Self {
        Self { request: None, ..self }
    }

    /// The credential's text, without its scheme. It is a secret, and nobody vouches for it.
    #[must_use]
    pub fn token(&self) -> &'a str {
        self.token
    }

    /// The proof that came with it, where it held.
    #[cfg(feature = "dynamodb")]
    pub(super) fn used_proof(&self) -> Option<UsedProof> {
        self.usage?.used()
    }

    /// How it is presented.
    #[must_use]
    pub fn presentation(&self) -> Presentation {
        self.presentation
    }

    /// The request that it came with, where there is one, and where it may be looked at: of a verifier in code of one's own, the
    /// configuration says so by `looks_at_request`.
    #[must_use]
    pub fn request(&self) -> Option<&'a Request> {
        self.request
    }

    /// Whether it is no token, but a user ID and a password.
    pub(super) fn is_basic(&self) -> bool {
        self.presentation == Presentation::Basic
    }
}

/// Whether whoever presents the token has the key that `cnf` binds it to (rule C9). This is the last check: what it remembers
/// of a proof is then of a token that holds.
pub(super) fn check(
    claims: &Claims,
    expected: &ProofOfPossession,
    presented: &Presented<'_>,
    leeway: f64,
    now: UnixTime,
) -> Result<(), Reason> {
    let Some(confirmation) = claims.named("cnf") else {
        // RFC 9449, section 7.1: whoever says DPoP is not to get by with a token that needs no proof.
        let is_bearer = presented.presentation == Presentation::Bearer && !expected.is_required;
        return if is_bearer { Ok(()) } else { Err(Reason::TokenUnbound) };
    };
    // Built without what looks at proofs, the function takes no token that needs one, whatever is expected.
    if cfg!(not(feature = "possession")) {
        return Err(Reason::TokenSenderConstrained);
    }
    let Bound { key, certificate } = Bound::read(confirmation).ok_or(Reason::TokenSenderConstrained)?;
    if certificate.is_some() && !expected.mutual_tls {
        return Err(Reason::TokenSenderConstrained);
    }
    let proofs = match (key, presented.presentation, &expected.dpop) {
        (Some(key), Presentation::Dpop, Some(proofs)) => Some((key, proofs)),
        // RFC 9449, section 7.2: presented as a bearer token, it proves nothing.
        (Some(_), _, _) => return Err(Reason::TokenSenderConstrained),
        (None, Presentation::Dpop, _) => return Err(Reason::TokenUnbound),
        (None, Presentation::Bearer, _) => None,
        // A secret is exchanged for a token, and is none.
        (None, Presentation::Basic, _) => return Err(Reason::TokenUnbound),
    };
    if let Some(expected) = certificate {
        let shown = presented.request.and_then(|request| request.client_certificate.as_deref());
        let shown = shown.and_then(|certificate| certificate.pem.as_deref());
        let shown = shown.ok_or(Reason::ClientCertificateMissing)?;
        if certificate_thumbprint(shown).as_deref() != Some(expected) {
            return Err(Reason::ClientCertificateMismatch);
        }
    }
    let Some((key, proofs)) = proofs else { return Ok(()) };
    let request = presented.request.ok_or(Reason::DpopProofMissing)?;
    let proof = dpop::verify(request, presented.token, proofs, leeway, now)?;
    if proof.thumbprint != key {
        return Err(Reason::DpopProofInvalid {
            problem: "it was made with another key than the token is bound to",
        });
    }
    match presented.usage.is_none_or(|usage| usage.is_first(&proof, now)) {
        true => Ok(()),
        false => Err(Reason::DpopProofReplayed),
    }
}

/// What `cnf` binds a token to.
struct Bound<'a> {
    /// `jkt`: the thumbprint of a key (RFC 9449, section 6.1).
    key: Option<&'a str>,
    /// `x5t#S256`: the thumbprint of a certificate (RFC 8705, section 3.1).
    certificate: Option<&'a str>,
}

impl<'a> Bound<'a> {
    /// `None` where there is a way to bind it that we do not know: it would be left unchecked.
    fn read(confirmation: &'a Value) -> Option<Self> {
        let mut bound = Self { key: None, certificate: None };
        for (member, value) in confirmation.as_object()? {
            match member.as_str() {
                "jkt" => bound.key = Some(value.as_str()?),
                "x5t#S256" => bound.certificate = Some(value.as_str()?),
                _ => return None,
            }
        }
        (bound.key.is_some() || bound.certificate.is_some()).then_some(bound)
    }
}

/// Of the certificate in the event, which API Gateway has verified the client by.
fn certificate_thumbprint(pem: &str) -> Option<String> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    Some(URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate)))
}
