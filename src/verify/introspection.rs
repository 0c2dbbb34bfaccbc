//! Opaque access tokens: they say nothing, and a server is asked what they stand for (RFC 7662, or OpenID Connect's UserInfo).

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::client_authentication::ClientAuthentication;
use super::credential_verifier::{Asked, CredentialVerifier, Identity, Opinion, SecondOpinion, Verification};
use super::explain::{Explain, Explanation};
use super::inquiries::{Failure, Inquiries, Told};
use super::possession::Presented;
use super::signed_answers::{self, SignedAnswers};
use super::token::LONGEST_TOKEN;
use super::verified_tokens::TokenDigest;
use super::{Expectations, Principal, claims, json};
use crate::claims::Claims;
use crate::error::{Error, Fault, Reason, Rejection};
use crate::io::{Connector, Edges, Effort, FetchError, Question, Reply, UnixTime};
use crate::jwks::JwksCache;

/// How tokens are asked about, and what is asked of them.
pub struct IntrospectionSettings {
    /// What the answers must be like. Their `iss`, where there is one, is the name of the issuer here.
    pub expectations: Expectations,
    /// The endpoint.
    pub url: Url,
    /// How the server is reached.
    pub connector: Connector,
    /// What kind of endpoint it is.
    pub endpoint: Endpoint,
    /// How long a question may take.
    pub timeout: Duration,
    /// How long an answer about an active token is used, in seconds. Never longer than the token lives.
    pub lifetime: f64,
    /// How long one about a token that is not active is used, in seconds.
    pub negative_lifetime: f64,
    /// How many answers are kept.
    pub entries: usize,
}

/// An endpoint that tells what a token stands for.
pub enum Endpoint {
    /// Introspection (RFC 7662).
    Introspection {
        /// How the function proves to it which client it is.
        authentication: ClientAuthentication,
        /// What its answers must be like where they are signed (RFC 9701); `None` where they are not to be.
        signed: Option<Box<SignedAnswers>>,
    },
    /// UserInfo (OpenID Connect Core 1.0, section 5.3), for providers that have no introspection. It says who the user is, and
    /// nothing of the token.
    UserInfo,
}

/// What a server said of one token.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    /// It is active, and stands for this.
    Active(Claims),
    /// It is not: nothing more is said.
    Inactive,
}

/// Asks about tokens, and keeps the answers for a while.
pub(super) struct Introspector {
    settings: IntrospectionSettings,
    inquiries: Inquiries<Answer>,
    /// The keys with which the server signs its answers.
    keys: Option<JwksCache>,
    edges: Edges,
}

const JSON: &str = "application/json";

/// The media types that are asked for where answers may be signed.
const SIGNED: &str = "application/token-introspection+jwt, application/json;q=0.5";

impl Introspector {
    pub(super) fn new(settings: IntrospectionSettings, keys: Option<JwksCache>, edges: Edges) -> Self {
        Self { inquiries: Inquiries::new(settings.entries), settings, keys, edges }
    }

    /// Whose tokens they are, by the name that the configuration gives it.
    pub(super) fn expectations(&self) -> &Expectations {
        &self.settings.expectations
    }

    async fn identity(
        &self,
        presented: Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Identity, Error> {
        let claims = self.active(presented.token(), now, patience).await?;
        match check(&claims, self.expectations(), &presented, now) {
            Ok(()) => Ok(Identity { key_id: None, claims }),
            Err(reason) => Err(self.rejection(reason).into()),
        }
    }

    /// What the server says of an active token.
    async fn active(&self, token: &str, now: UnixTime, patience: Duration) -> Result<Claims, Error> {
        // Rule F4.
        if token.len() > LONGEST_TOKEN {
            return Err(Reason::TokenTooLarge { limit: LONGEST_TOKEN }.into());
        }
        // What no header can hold is no token (RFC 6750, section 2.1), and the server is not to blame for it.
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Reason::TokenMalformed { problem: "it is not visible ASCII" }.into());
        }
        let ask = async {
            let answer = self.ask(token, now, patience).await.map_err(Failure::outage)?;
            Ok(Told { ends_at: self.end_of(&answer, now), answer })
        };
        match self.inquiries.answer(TokenDigest::of(token), now, patience, ask).await {
            Ok(Answer::Active(claims)) => Ok(claims),
            Ok(Answer::Inactive) => Err(self.rejection(Reason::TokenInactive).into()),
            Err(cause) => Err(self.fault(cause)),
        }
    }

    async fn ask(&self, token: &str, now: UnixTime, patience: Duration) -> Result<Answer, String> {
        match &self.settings.endpoint {
            Endpoint::Introspection { authentication, signed } => {
                let fields = [("token", token), ("token_type_hint", "access_token")];
                let form = authentication.form(&fields, now)?;
                let question = Question {
                    url: &self.settings.url,
                    form: Some(&form),
                    accept: match signed {
                        None => JSON,
                        Some(signed) if signed.is_required => signed_answers::MEDIA_TYPE,
                        Some(_) => SIGNED,
                    },
                    authorization: authentication.authorization(),
                };
                let reply = self.put(question, authentication.may_be_repeated(), patience).await?;
                self.introspected(&reply, signed.as_deref(), now, patience).await
            }
            Endpoint::UserInfo => {
                let bearer = format!("Bearer {token}");
                let url = &self.settings.url;
                let question = Question { url, form: None, accept: JSON, authorization: Some(&bearer) };
                user_info(&self.put(question, true, patience).await?)
            }
        }
    }

    async fn put(
        &self,
        question: Question<'_>,
        tries_again: bool,
        patience: Duration,
    ) -> Result<Reply, String> {
        let effort = Effort { limit: self.settings.timeout.min(patience), tries_again };
        let session = self.edges.fetch.session(&self.settings.connector, effort);
        session.ask(question).await.map_err(|error| error.to_string())
    }

    async fn introspected(
        &self,
        reply: &Reply,
        signed: Option<&SignedAnswers>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Answer, String> {
        const NONE: &str = "the answer is no introspection response";
        if reply.status != 200 {
            return Err(of_status(reply.status));
        }
        let is_signed = reply.media_type.as_deref() == Some(signed_answers::MEDIA_TYPE);
        match (signed.zip(self.keys.as_ref()), is_signed) {
            (Some((signed, keys)), true) => {
                let members = signed.read(&reply.body, keys, now, patience).await?;
                let active = members.get("active").and_then(serde_json::Value::as_bool);
                answer(active, || Claims::from(members.clone())).ok_or_else(|| NONE.to_owned())
            }
            (Some((SignedAnswers { is_required: true, .. }, _)), false) => {
                Err("the answer is not signed, and the configuration asks for one that is".to_owned())
            }
            (Some(_), false) | (None, _) => parse(&reply.body).ok_or_else(|| NONE.to_owned()),
        }
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
        let issuer = Arc::clone(&self.expectations().issuer);
        match self.settings.endpoint {
            Endpoint::Introspection { .. } => Fault::IntrospectionUnavailable { issuer, cause },
            Endpoint::UserInfo => Fault::UserinfoUnavailable { issuer, cause },
        }
        .into()
    }

    fn rejection(&self, reason: Reason) -> Rejection {
        Rejection { reason, issuer: Some(Arc::clone(&self.expectations().issuer)), key_id: None }
    }
}

impl CredentialVerifier for Introspector {
    fn is_meant(&self, presented: &Presented<'_>) -> bool {
        !presented.is_basic() && is_opaque(presented.token())
    }

    /// The principal for which an active token stands.
    fn verify<'a>(&'a self, asked: Asked<'a>) -> Verification<'a> {
        Box::pin(self.identity(asked.presented, asked.now, asked.patience))
    }

    /// The keys with which the server signs its answers.
    fn keys(&self) -> Option<&JwksCache> {
        self.keys.as_ref()
    }
}

/// Of a JWT that may have been revoked.
impl SecondOpinion for Introspector {
    fn check<'a>(
        &'a self,
        presented: &'a Presented<'a>,
        _principal: &'a Principal,
        now: UnixTime,
        patience: Duration,
    ) -> Opinion<'a> {
        Box::pin(async move { self.active(presented.token(), now, patience).await.map(drop) })
    }
}

/// As far as the authorization server's answer is still known.
impl Explain for Introspector {
    fn explain(&self, asked: &Asked<'_>) -> Explanation {
        let (expected, now) = (self.expectations(), asked.now);
        let known = self.inquiries.known(TokenDigest::of(asked.presented.token()), now);
        let (claims, active) = match known {
            Some(Answer::Active(claims)) => (Some(claims), Some(Ok(()))),
            Some(Answer::Inactive) => (None, Some(Err(Reason::TokenInactive))),
            None => (None, None),
        };
        let mut explanation = Explanation::of_claims(claims.as_ref());
        let wanted = format!("`true`, by the word of `{}`", expected.issuer);
        match active {
            Some(verdict) => explanation.add("active", wanted, Some(verdict.is_ok().to_string()), verdict),
            None => explanation.add_open("active", wanted),
        }
        if let Some(claims) = claims {
            let wanted = format!("`{}`, where it is there", expected.issuer);
            let found = claims.named("iss").map(claims::excerpt);
            explanation.add("iss", wanted, found, issuer(&claims, expected));
            explanation.add_claims(&claims, expected, &asked.presented, now);
        }
        explanation
    }
}

/// Rule C1. An answer need not have an `iss`: who gave it is known.
fn issuer(claims: &Claims, expected: &Expectations) -> Result<(), Reason> {
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
    let active = members.iter().find(|(name, _)| name == "active")?.1.as_bool();
    answer(active, || Claims::from_members(members))
}

fn answer(active: Option<bool>, claims: impl FnOnce() -> Claims) -> Option<Answer> {
    match active? {
        true => Some(Answer::Active(claims())),
        false => Some(Answer::Inactive),
    }
}

/// Whom the token is of: OpenID Connect Core 1.0, section 5.3.2 and 5.3.3.
fn user_info(reply: &Reply) -> Result<Answer, String> {
    match (reply.status, reply.media_type.as_deref()) {
        (401, _) => Ok(Answer::Inactive),
        (200, Some("application/jwt")) => Err("the answer is a JWT, which is not verified here".to_owned()),
        (200, _) => {
            let members = str::from_utf8(&reply.body).ok().and_then(|text| json::object(text).ok());
            let claims = members.map(Claims::from_members).filter(|claims| claims.named("sub").is_some());
            claims.map(Answer::Active).ok_or_else(|| "the answer is no UserInfo response".to_owned())
        }
        (status, _) => Err(of_status(status)),
    }
}

fn of_status(status: u16) -> String {
    FetchError::Status { status, retry_after: None }.to_string()
}

/// Whether a token has the form of a JWT: three parts. What does not is opaque, and nothing is ever tried as both.
fn is_opaque(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() != 2
}
