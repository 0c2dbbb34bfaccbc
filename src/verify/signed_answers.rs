//! Answers about tokens that the authorization server signs (RFC 9701): what is said then holds whoever has carried it.

use std::time::Duration;

use serde_json::{Map, Value};

use super::token::Token;
use super::{Admitted, AudienceCheck, Expectations, Presence, Presented, Profile, TokenTypes};
use crate::error::Error;
use crate::io::UnixTime;
use crate::jwks::JwksCache;

/// What signed answers must be like.
pub struct SignedAnswers {
    /// Whether an answer that is not signed is none.
    pub is_required: bool,
    expectations: Expectations,
}

/// RFC 9701, section 5.
pub(super) const MEDIA_TYPE: &str = "application/token-introspection+jwt";

/// How long ago an answer may have been given, in seconds. One that was overheard and kept would say that a token is active long after
/// it was revoked.
const LONGEST_AGO: f64 = 60.0;

impl SignedAnswers {
    /// Answers of this issuer to this client, whose clocks may differ by `leeway` seconds.
    #[must_use]
    pub fn new(issuer: &str, client: &str, leeway: f64, is_required: bool) -> Self {
        // Section 5: `sub` and `exp` are left out of it, so that it is never taken for an access token.
        let audience = AudienceCheck::OneOf(vec![client.to_owned()]);
        let mut expectations = Expectations::new(Profile::AccessToken, issuer, audience);
        expectations.types = TokenTypes::new(&[MEDIA_TYPE], false);
        expectations.expiry = Presence::Optional;
        expectations.subject = Presence::Optional;
        expectations.issued_at = Presence::Required;
        expectations.max_age = Some(LONGEST_AGO);
        expectations.leeway = leeway;
        Self { is_required, expectations }
    }

    /// What an answer says of the token: its `token_introspection` alone, and only behind a good signature.
    ///
    /// # Errors
    ///
    /// Why it says nothing.
    pub(super) async fn read(
        &self,
        body: &[u8],
        keys: &JwksCache,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Map<String, Value>, String> {
        let refused = |error: Error| format!("the signed answer does not hold: {error}");
        let text = str::from_utf8(body).map_err(|_| "the signed answer is not text")?.trim_ascii();
        let token = Token::parse(text).map_err(|reason| refused(reason.into()))?;
        let admitted = Admitted::new(token, &self.expectations).map_err(|reason| refused(reason.into()))?;
        let keys = keys.keys(admitted.key_id(), patience).await.map_err(|fault| refused(fault.into()))?;
        let verified = admitted.verify(&keys, &Presented::bearer(text), now);
        let answer = verified.map_err(|rejection| refused(rejection.into()))?;
        match answer.claims().named("token_introspection") {
            Some(Value::Object(members)) => Ok(members.clone()),
            Some(_) | None => Err("the signed answer has no `token_introspection`".to_owned()),
        }
    }
}
