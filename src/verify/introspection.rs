//! Opaque access tokens: they say nothing, and the authorization server is asked what they stand for (RFC 7662).

use std::sync::Arc;
use std::time::Duration;

use url::Url;
use url::form_urlencoded::Serializer;

use super::answers::Answers;
use super::flights::Flights;
use super::possession::Presented;
use super::token::LONGEST_TOKEN;
use super::verified_tokens::TokenDigest;
use super::{Expectations, Principal, claims, json};
use crate::claims::Claims;
use crate::credential::CredentialKind;
use crate::error::{Error, Fault, Reason, Rejection};
use crate::io::{Connector, Edges, Effort, FetchError, UnixTime};

/// How tokens are asked about, and what is asked of them.
pub struct IntrospectionSettings {
    /// What the answers must be like. Their `iss`, where there is one, is the name of the issuer here.
    pub expectations: Expectations,
    /// The introspection endpoint.
    pub url: Url,
    /// How the server is reached. Where the client proves itself by HTTP's own authentication, that is in here.
    pub connector: Connector,
    /// What else is sent with the token, in its order: where the client proves itself in the form, its ID and its secret.
    pub form: Vec<(&'static str, String)>,
    /// How long a question may take.
    pub timeout: Duration,
    /// How long an answer about an active token is used, in seconds. Never longer than the token lives.
    pub lifetime: f64,
    /// How long one about a token that is not active is used, in seconds.
    pub negative_lifetime: f64,
    /// How many answers are kept.
    pub entries: usize,
}

/// What the server said of one token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// It is active, and stands for this.
    Active(Claims),
    /// It is not: nothing more is said.
    Inactive,
}

/// Asks about tokens, and keeps the answers for a while.
pub(super) struct Introspector {
    settings: IntrospectionSettings,
    answers: Answers<Answer>,
    flights: Flights,
    edges: Edges,
}

impl Introspector {
    pub(super) fn new(settings: IntrospectionSettings, edges: Edges) -> Self {
        let answers = Answers::new(settings.entries);
        Self { settings, answers, flights: Flights::default(), edges }
    }

    /// Whose tokens they are, by the name that the configuration gives it.
    pub(super) fn expectations(&self) -> &Expectations {
        &self.settings.expectations
    }

    /// The principal for which an active token stands.
    pub(super) async fn verify(
        &self,
        presented: &Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Principal, Error> {
        let claims = self.active(presented.token(), now, patience).await?;
        let expected = self.expectations();
        match check(&claims, expected, presented, now) {
            Ok(()) => Ok(Principal {
                issuer: Arc::clone(&expected.issuer),
                key_id: None,
                kind: CredentialKind::Opaque,
                claims,
            }),
            Err(reason) => Err(self.rejection(reason).into()),
        }
    }

    /// What the server says of an active token.
    pub(super) async fn active(
        &self,
        token: &str,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Claims, Error> {
        // Rule F4.
        if token.len() > LONGEST_TOKEN {
            return Err(Reason::TokenTooLarge { limit: LONGEST_TOKEN }.into());
        }
        let digest = TokenDigest::of(token);
        let known = || self.answers.find(digest, now);
        let ask = self.ask(token, digest, now, patience);
        let answer = self.flights.answer(digest, (now, patience), known, ask).await;
        match answer.map_err(|cause| self.fault(cause))? {
            Answer::Active(claims) => Ok(claims),
            Answer::Inactive => Err(self.rejection(Reason::TokenInactive).into()),
        }
    }

    /// What was said of the token, as far as it is still known.
    pub(super) fn known(&self, token: &str, now: UnixTime) -> Option<Answer> {
        self.answers.find(TokenDigest::of(token), now)
    }

    async fn ask(
        &self,
        token: &str,
        digest: TokenDigest,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Answer, String> {
        let form = self.form(token);
        let effort = Effort { limit: self.settings.timeout.min(patience), tries_again: true };
        let session = self.edges.fetch.session(&self.settings.connector, effort);
        let answer = session.post(&self.settings.url, &form).await;
        let body = answer.map_err(|error: FetchError| error.to_string())?.body;
        let answer = parse(&body).ok_or_else(|| "the answer is no introspection response".to_owned())?;
        self.answers.keep(digest, answer.clone(), self.end_of(&answer, now), now);
        Ok(answer)
    }

    fn form(&self, token: &str) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token).append_pair("token_type_hint", "access_token");
        form.extend_pairs(&self.settings.form);
        form.finish()
    }

    fn end_of(&self, answer: &Answer, now: UnixTime) -> UnixTime {
        match answer {
            Answer::Inactive => now + self.settings.negative_lifetime,
            Answer::Active(claims) => {
                let expiry = claims.named("exp").and_then(serde_json::Value::as_f64).unwrap_or(f64::INFINITY);
                expiry.min(now + self.settings.lifetime)
            }
        }
    }

    fn fault(&self, cause: String) -> Error {
        Fault::IntrospectionUnavailable { issuer: Arc::clone(&self.expectations().issuer), cause }.into()
    }

    fn rejection(&self, reason: Reason) -> Rejection {
        Rejection { reason, issuer: Some(Arc::clone(&self.expectations().issuer)), key_id: None }
    }
}

/// Rule C1. An answer need not have an `iss`: who gave it is known.
pub(super) fn issuer(claims: &Claims, expected: &Expectations) -> Result<(), Reason> {
    match claims.named("iss") {
        Some(issuer) if issuer.as_str() != Some(&expected.issuer) => Err(Reason::IssuerUnknown),
        Some(_) | None => Ok(()),
    }
}

fn check(
    claims: &Claims,
    expected: &Expectations,
    presented: &Presented<'_>,
    now: UnixTime,
) -> Result<(), Reason> {
    issuer(claims, expected)?;
    claims::checks(expected).try_for_each(|check| check.verdict(claims, expected, presented, now))
}

/// The answer; `None` where it is none. Only `true` itself makes a token active.
fn parse(body: &[u8]) -> Option<Answer> {
    let members = json::object(str::from_utf8(body).ok()?).ok()?;
    let (_, active) = members.iter().find(|(name, _)| name == "active")?;
    match active.as_bool()? {
        true => Some(Answer::Active(Claims::from_members(members))),
        false => Some(Answer::Inactive),
    }
}

/// Whether a token has the form of a JWT: three parts. What does not is opaque, and nothing is ever tried as both.
pub(super) fn is_opaque(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() != 2
}
