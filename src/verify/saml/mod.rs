//! SAML 2.0 assertions as bearer credentials: the rules of RFC 7522, section 3, for what stands in the header of a request.
//!
//! The order is that of trust: the form, the issuer (which fixes the keys before any is looked for), the signature, and only then
//! what the signed bytes say.

mod assertion;
mod confirmation;
mod metadata;
mod signature;
mod used;
mod xml;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::time::Instant;

use self::assertion::Assertion;
use self::confirmation::{Confirmed, confirm};
pub(crate) use self::metadata::read as read_metadata_file;
pub use self::metadata::read_metadata;
use self::signature::{Enveloped, SignedAssertion};
use self::used::Used;
use self::xml::Xml;
use super::Expectations;
use super::claims;
use super::credential_verifier::{Asked, CredentialVerifier, Identity, Verification};
use super::explain::{Explain, Explanation};
use super::possession::Presented;
use super::token::LONGEST_TOKEN;
use crate::claims::Claims;
use crate::credential::Presentation;
use crate::error::{Error, Fault, Reason, Rejection};
use crate::io::{UnixTime, rfc3339};
use crate::jwks::{JwksCache, KeySet};

const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";

/// Deeper than the elements of any assertion, which are eight levels or so.
const DEPTH: u32 = 24;

/// What the assertions of one identity provider must be like.
pub struct SamlSettings {
    /// Who issues them, for whom they are, and what is asked of their claims.
    pub expectations: Expectations,
    /// What the `Recipient` of a bearer's confirmation may be.
    pub recipients: Vec<String>,
    /// Which attributes become claims: the names of the claims, and of the attributes.
    pub attributes: Vec<(String, String)>,
    /// Whether an assertion is taken once only, in this process.
    pub is_used_once: bool,
    /// From when on the keys of a file must not be used.
    pub valid_until: Option<UnixTime>,
}

/// Whether a claim says what another part of an assertion says, so that no attribute may become it.
#[must_use]
pub(crate) fn is_claim_of_assertions(name: &str) -> bool {
    claims::is_reserved(name) || matches!(name, "acr" | "auth_time" | "name_id_format")
}

/// Verifies the assertions of one identity provider.
pub(super) struct Saml {
    settings: SamlSettings,
    keys: JwksCache,
    used: Used,
}

impl Saml {
    pub(super) fn new(settings: SamlSettings, keys: JwksCache) -> Self {
        Self { settings, keys, used: Used::default() }
    }

    async fn identity(
        &self,
        presented: Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Identity, Error> {
        let presented = &presented;
        let enveloped = self.admit(presented)?;
        let began = Instant::now();
        let keys = self.current_keys(now, self.keys.keys(None, patience)).await?;
        let signed = match enveloped.vouched(&keys) {
            Err(reason) if reason.may_be_a_rotation() => {
                let patience = patience.saturating_sub(began.elapsed());
                let newer = self.current_keys(now, self.keys.keys_beyond(&keys, patience)).await?;
                if Arc::ptr_eq(&newer, &keys) {
                    return Err(reason.into());
                }
                enveloped.vouched(&newer)?
            }
            verdict => verdict?,
        };
        let key_id = signed.key_id.clone();
        let judged = self.judge(&signed, presented, now).and_then(|(claims, confirmed)| {
            self.use_once(&confirmed, now)?;
            Ok(claims)
        });
        match judged {
            Ok(claims) => Ok(Identity { key_id, claims }),
            Err(reason) => Err(Rejection {
                reason,
                issuer: Some(Arc::clone(&self.settings.expectations.issuer)),
                key_id: key_id.map(|id| id.to_string()),
            }
            .into()),
        }
    }

    /// The keys, unless they are those of a file whose time is over.
    async fn current_keys(
        &self,
        now: UnixTime,
        keys: impl Future<Output = Result<Arc<KeySet>, Fault>>,
    ) -> Result<Arc<KeySet>, Fault> {
        match self.settings.valid_until.filter(|end| *end <= now) {
            None => keys.await,
            Some(end) => Err(Fault::KeySetUnavailable {
                issuer: Arc::clone(&self.settings.expectations.issuer),
                cause: format!("the metadata was valid until {}", rfc3339(end)),
            }),
        }
    }

    /// What is decided without a key. An assertion that cannot pass costs no fetch.
    fn admit(&self, presented: &Presented<'_>) -> Result<Enveloped, Reason> {
        let text = decode(presented)?;
        let xml = Xml::parse(&text, DEPTH).map_err(malformed)?;
        let root = xml.root().map_err(malformed)?;
        let enveloped = Enveloped::read(root)?;
        match assertion::issuer(root).map_err(malformed)? == *self.settings.expectations.issuer {
            true => Ok(enveloped),
            false => Err(Reason::IssuerUnknown),
        }
    }

    /// What the signed bytes say, where it holds.
    fn judge(
        &self,
        signed: &SignedAssertion,
        presented: &Presented<'_>,
        now: UnixTime,
    ) -> Result<(Claims, Confirmed), Reason> {
        let assertion = read(signed)?;
        let expected = &self.settings.expectations;
        // What was read of it before the signature only spared the others a look for keys.
        if assertion.issuer != *expected.issuer {
            return Err(Reason::IssuerUnknown);
        }
        confirmation::conditions(&assertion.conditions, &self.settings)?;
        let confirmed = confirm(&assertion, &self.settings.recipients, presented, expected.leeway)?;
        let claims = self.claims(&assertion, &confirmed)?;
        claims::checks(expected).try_for_each(|check| check.verdict(&claims, expected, presented, now))?;
        Ok((claims, confirmed))
    }

    /// The last thing that is asked: what does not hold is not used up by it.
    fn use_once(&self, confirmed: &Confirmed, now: UnixTime) -> Result<(), Reason> {
        match !self.settings.is_used_once || self.used.is_first(&confirmed.id, confirmed.ends_at, now) {
            true => Ok(()),
            false => Err(Reason::SamlReplayed),
        }
    }

    /// The claims under which rules and backends find what the assertion says.
    fn claims(&self, assertion: &Assertion, confirmed: &Confirmed) -> Result<Claims, Reason> {
        let audiences = assertion.conditions.audiences.concat();
        let authentication = assertion.authentication.as_ref();
        let name = assertion.name.as_ref();
        let own: [(&str, Option<Value>); 10] = [
            ("iss", Some(json!(assertion.issuer))),
            ("sub", name.map(|name| json!(name.text))),
            ("name_id_format", name.and_then(|name| name.format.as_ref()).map(|format| json!(format))),
            ("aud", (!audiences.is_empty()).then(|| json!(audiences))),
            ("exp", Some(number(confirmed.expires_at))),
            ("nbf", assertion.conditions.not_before.map(number)),
            ("iat", Some(number(assertion.issued_at))),
            ("jti", Some(json!(assertion.id))),
            ("auth_time", authentication.map(|authentication| number(authentication.at))),
            (
                "acr",
                authentication
                    .and_then(|authentication| authentication.context.as_ref())
                    .map(|acr| json!(acr)),
            ),
        ];
        let mut members: Vec<(Cow<'_, str>, Value)> =
            own.into_iter().filter_map(|(name, value)| Some((name.into(), value?))).collect();
        for (claim, attribute) in &self.settings.attributes {
            let Some((_, values)) = assertion.attributes.iter().find(|(name, _)| name == attribute) else {
                continue;
            };
            let texts = values.as_deref();
            let texts = texts.ok_or_else(|| Reason::ClaimInvalid {
                claim: claim.clone(),
                expected: "a text, or several",
            })?;
            match texts {
                [] => {}
                [only] => members.push((claim.as_str().into(), json!(only))),
                several => members.push((claim.as_str().into(), json!(several))),
            }
        }
        Ok(Claims::from_members(members))
    }

    fn explain_signed(
        &self,
        signed: &SignedAssertion,
        presented: &Presented<'_>,
        now: UnixTime,
        explanation: &mut Explanation,
    ) {
        let expected = &self.settings.expectations;
        let assertion = match read(signed) {
            Ok(assertion) => assertion,
            Err(reason) => return explanation.add("assertion", "one of SAML 2.0", None, Err(reason)),
        };
        let conditions = confirmation::conditions(&assertion.conditions, &self.settings);
        let audiences = Some(claims::excerpt(&json!(assertion.conditions.audiences)));
        explanation.add("Conditions", "such as are known, and an audience of each", audiences, conditions);
        let confirmed = confirm(&assertion, &self.settings.recipients, presented, expected.leeway);
        let wanted = "by its bearer, for a `Recipient` of this API, and with an end";
        let verdict = confirmed.as_ref().map(drop).map_err(Clone::clone);
        let recipients: Vec<_> =
            assertion.confirmations.iter().map(|confirmation| &confirmation.recipient).collect();
        let recipients = Some(claims::excerpt(&json!(recipients)));
        explanation.add("SubjectConfirmation", wanted, recipients, verdict);
        let Ok(confirmed) = confirmed else { return };
        match self.claims(&assertion, &confirmed) {
            Ok(claims) => {
                explanation.claims = Some(claims.to_json());
                explanation.add_claims(&claims, expected, presented, now);
            }
            Err(reason) => explanation.add("attributes", "texts", None, Err(reason)),
        }
    }
}

impl CredentialVerifier for Saml {
    fn is_meant(&self, presented: &Presented<'_>) -> bool {
        !presented.is_basic() && is_assertion(presented.token())
    }

    /// Whom the assertion tells of.
    fn verify<'a>(&'a self, asked: Asked<'a>) -> Verification<'a> {
        Box::pin(self.identity(asked.presented, asked.now, asked.patience))
    }

    fn keys(&self) -> Option<&JwksCache> {
        Some(&self.keys)
    }
}

impl Explain for Saml {
    /// Every check of an assertion, with the keys that are there.
    fn explain(&self, asked: &Asked<'_>) -> Explanation {
        let (presented, now) = (&asked.presented, asked.now);
        let mut explanation = Explanation { header: None, claims: None, checks: Vec::new() };
        let size = Some(format!("{} bytes", presented.token().len()));
        let text = decode(presented);
        let read = text.as_ref().map_err(Clone::clone).and_then(|text| {
            let xml = Xml::parse(text, DEPTH).map_err(malformed)?;
            let root = xml.root().map_err(malformed)?;
            Ok((Enveloped::read(root)?, assertion::issuer(root).map_err(malformed)?))
        });
        let wanted = "the base64url of an assertion that is signed itself";
        explanation.add("form", wanted, size, read.as_ref().map(drop).map_err(Clone::clone));
        let Ok((enveloped, issuer)) = read else { return explanation };
        let expected = &self.settings.expectations;
        let verdict = if issuer == *expected.issuer { Ok(()) } else { Err(Reason::IssuerUnknown) };
        explanation.add(
            "Issuer",
            format!("`{}`", expected.issuer),
            Some(claims::excerpt(&json!(issuer))),
            verdict,
        );
        const BY_KEY: &str = "made over this assertion by a key of the metadata";
        let keys = self.keys.current().filter(|_| self.settings.valid_until.is_none_or(|end| now < end));
        let Some(signed) = keys.map(|keys| enveloped.vouched(&keys)) else {
            explanation.add_open("signature", BY_KEY);
            return explanation;
        };
        let algorithm = Some(enveloped.algorithm().name().to_owned());
        explanation.add("signature", BY_KEY, algorithm, signed.as_ref().map(drop).map_err(Clone::clone));
        if let Ok(signed) = signed {
            self.explain_signed(&signed, presented, now, &mut explanation);
        }
        explanation
    }
}

/// Whether the credential is meant as an assertion: the base64url of something that begins with `<`. A JWT begins with `{`,
/// and an API key with a small letter.
pub(super) fn is_assertion(text: &str) -> bool {
    let mut first = text.bytes();
    first.next() == Some(b'P') && matches!(first.next(), Some(b'A'..=b'P')) && !text.contains('.')
}

fn read(signed: &SignedAssertion) -> Result<Assertion, Reason> {
    let xml = signed.xml().map_err(malformed)?;
    xml.root().and_then(Assertion::read).map_err(malformed)
}

/// The XML (RFC 7522, section 2.1). Its size is bounded before anything is decoded (rule F4).
fn decode(presented: &Presented<'_>) -> Result<String, Reason> {
    // As for a token (RFC 9449, section 7.1): whoever says DPoP is not to get by with what needs no proof.
    if presented.presentation() != Presentation::Bearer {
        return Err(Reason::TokenUnbound);
    }
    let text = presented.token();
    if text.len() > LONGEST_TOKEN {
        return Err(Reason::TokenTooLarge { limit: LONGEST_TOKEN });
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed("it is not base64url without padding"))?;
    String::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))
}

fn malformed(problem: xml::Problem) -> Reason {
    Reason::SamlMalformed { problem }
}

/// Times in whole seconds, as issuers of JWTs write them.
#[expect(clippy::cast_possible_truncation, reason = "times of the years 1970 to 9999 are small numbers")]
fn number(time: UnixTime) -> Value {
    json!(time as i64)
}
