//! Clients that hold only an ID and a secret: they are exchanged for an access token at the provider's token endpoint (RFC 6749,
//! section 4.4), which is then verified like any other.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use url::form_urlencoded::Serializer;

use super::credential_verifier::{Asked, CredentialVerifier, Identity, Verification};
use super::explain::{Explain, Explanation, plain};
use super::inquiries::{Failure, Inquiries, Told};
use super::token::LONGEST_TOKEN;
use super::token_endpoint::{Said, TokenEndpoint};
use super::verified_tokens::TokenDigest;
use super::{Presented, Principal};
use crate::claims::ClaimPath;
use crate::credential::UserPass;
use crate::error::{Error, Fault, Reason, Rejection};
use crate::io::{Edges, UnixTime};

/// How a client's ID and secret are exchanged for an access token.
pub struct ClientCredentialsSettings {
    /// Who vouches for the tokens.
    pub issuer: Arc<str>,
    /// Where they are got.
    pub endpoint: TokenEndpoint,
    /// Whether ID and secret go into the form, and not into `Authorization` as they came.
    pub in_form: bool,
    /// What else is sent: `scope`, `audience`, `resource`.
    pub parameters: Vec<(&'static str, String)>,
    /// The claim that must name the client; `None` for whichever of the usual ones is there.
    pub client_claim: Option<ClaimPath>,
    /// How long a token is used, in seconds. Never longer than it lives.
    pub lifetime: f64,
    /// How long it is remembered that a client was refused, in seconds.
    pub negative_lifetime: f64,
    /// How many tokens and refusals are kept.
    pub entries: usize,
}

/// Exchanges credentials for tokens, and keeps these for a while.
pub(super) struct ClientCredentials {
    settings: ClientCredentialsSettings,
    inquiries: Inquiries<Grant>,
    edges: Edges,
}

/// What the token endpoint gave for a credential.
#[derive(Clone)]
enum Grant {
    /// An access token, which is a secret.
    Token(Arc<str>),
    /// Nothing.
    Refused,
}

/// The ID and the secret of a client, as they came and as they are meant.
struct Client<'a> {
    encoded: &'a str,
    sent_id: String,
    id: String,
    secret: String,
}

/// A token that is about to expire is not used for another decision, in seconds.
const MARGIN: f64 = 10.0;

impl<'a> Client<'a> {
    /// RFC 6749, section 2.3.1: both were encoded as in a form before they were joined.
    fn read(encoded: &'a str) -> Result<Self, Reason> {
        if encoded.len() > LONGEST_TOKEN {
            return Err(Reason::TokenTooLarge { limit: LONGEST_TOKEN });
        }
        let UserPass { user, password } = UserPass::decode(encoded)?;
        let decoded = |text: &str| form_decoded(text).filter(|text| is_plain(text));
        let (id, secret) = (decoded(&user), decoded(&password));
        let (id, secret) = id.filter(|id| !id.is_empty()).zip(secret).ok_or(Reason::CredentialMalformed)?;
        Ok(Self { encoded, sent_id: user, id, secret })
    }

    fn digest(&self) -> TokenDigest {
        TokenDigest::of(self.encoded)
    }

    fn is_named(&self, claim: &serde_json::Value) -> bool {
        claim.as_str().is_some_and(|name| name == self.id || name == self.sent_id)
    }
}

impl ClientCredentials {
    pub(super) fn new(settings: ClientCredentialsSettings, edges: Edges) -> Self {
        Self { inquiries: Inquiries::new(settings.entries), settings, edges }
    }

    /// What the endpoint gave, as far as it is still known.
    fn known(&self, client: &Client<'_>, now: UnixTime) -> Option<Grant> {
        self.inquiries.known(client.digest(), now)
    }

    /// Does not use what it gave any more.
    fn forget(&self, client: &Client<'_>) {
        self.inquiries.forget(client.digest());
    }

    /// The access token of the client.
    async fn token(&self, client: &Client<'_>, now: UnixTime, patience: Duration) -> Result<Arc<str>, Error> {
        let ask = self.ask(client, now, patience);
        match self.inquiries.answer(client.digest(), now, patience, ask).await {
            Ok(Grant::Token(token)) => Ok(token),
            Ok(Grant::Refused) => {
                let issuer = Some(Arc::clone(&self.settings.issuer));
                Err(Rejection { reason: Reason::ClientRefused, issuer, key_id: None }.into())
            }
            Err(cause) => Err(self.fault(cause)),
        }
    }

    /// The client whose ID and secret the provider takes, by the access token that it gives for them.
    async fn identity(&self, asked: Asked<'_>) -> Result<Identity, Error> {
        let Asked { now, patience, .. } = asked;
        let client = Client::read(asked.presented.token())?;
        let began = Instant::now();
        let mut is_known = self.known(&client, now).is_some();
        loop {
            let left = patience.saturating_sub(began.elapsed());
            let token = self.token(&client, now, left).await?;
            let left = patience.saturating_sub(began.elapsed());
            match asked.tokens.verify(&token, now, left).await {
                // It was revoked, or has expired before its time: a new one may be had.
                Err(Error::Rejection(rejection)) if is_known && rejection.reason.is_over() => {
                    self.forget(&client);
                    is_known = false;
                }
                verified => return self.of_client(verified?, &client),
            }
        }
    }

    /// The caller whom the verified token proves: the client itself, by the word of the issuer that was meant.
    fn of_client(&self, principal: Principal, client: &Client<'_>) -> Result<Identity, Error> {
        let cause = if *principal.issuer() == self.settings.issuer {
            match self.is_bound(&principal, client) {
                true => return Ok(Identity { key_id: principal.key_id, claims: principal.claims }),
                false => "the token is another client's",
            }
        } else {
            "the token is of another issuer"
        };
        self.forget(client);
        Err(self.fault(cause.to_owned()))
    }

    /// An endpoint, or something before it, that mixes up two answers would give one client the rights of another.
    fn is_bound(&self, principal: &Principal, client: &Client<'_>) -> bool {
        const USUAL: [&str; 4] = ["client_id", "azp", "cid", "appid"];
        let claims = principal.claims();
        match &self.settings.client_claim {
            Some(path) => claims.at(path).is_some_and(|claim| client.is_named(claim)),
            None => USUAL.iter().filter_map(|name| claims.named(name)).all(|claim| client.is_named(claim)),
        }
    }

    async fn ask(
        &self,
        client: &Client<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Told<Grant>, Failure> {
        let form = self.form(client);
        let basic = (!self.settings.in_form).then(|| format!("Basic {}", client.encoded));
        let endpoint = &self.settings.endpoint;
        match endpoint.ask(&form, basic.as_deref(), true, &self.edges, patience).await? {
            Said::Issued(issued) => {
                let expiry = issued.expires_in.map_or(f64::INFINITY, |seconds| now + seconds - MARGIN);
                let ends_at = expiry.min(now + self.settings.lifetime);
                Ok(Told { answer: Grant::Token(issued.access_token), ends_at })
            }
            Said::Error("invalid_client" | "unauthorized_client" | "access_denied") => {
                Ok(Told { answer: Grant::Refused, ends_at: now + self.settings.negative_lifetime })
            }
            Said::Error(code) => Err(Failure::unusable(&format!("the token endpoint says `{code}`"))),
        }
    }

    fn form(&self, client: &Client<'_>) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials").extend_pairs(&self.settings.parameters);
        if self.settings.in_form {
            form.append_pair("client_id", &client.id).append_pair("client_secret", &client.secret);
        }
        form.finish()
    }

    fn fault(&self, cause: String) -> Error {
        Fault::ClientCredentialsUnavailable { issuer: Arc::clone(&self.settings.issuer), cause }.into()
    }
}

impl CredentialVerifier for ClientCredentials {
    fn is_meant(&self, presented: &Presented<'_>) -> bool {
        presented.is_basic()
    }

    fn verify<'a>(&'a self, asked: Asked<'a>) -> Verification<'a> {
        Box::pin(self.identity(asked))
    }
}

/// Of ID and secret, and of the token for which they were exchanged, as far as it is still known.
impl Explain for ClientCredentials {
    fn explain(&self, asked: &Asked<'_>) -> Explanation {
        let mut explanation = Explanation::of_claims(None);
        let wanted = "the ID and the secret of a client, in Base64";
        let client = match Client::read(asked.presented.token()) {
            Ok(client) => client,
            Err(reason) => {
                explanation.add("form", wanted, None, Err(reason));
                return explanation;
            }
        };
        explanation.add("form", wanted, None, Ok(()));
        // What the client calls itself: nobody vouches for it.
        let found = Some(format!("`{}`", plain(&client.id)));
        let wanted = format!("a client to which `{}` gives a token", self.settings.issuer);
        match self.known(&client, asked.now) {
            Some(Grant::Token(token)) => {
                let of_token = asked.tokens.explain(&token, asked.now);
                explanation.add("client", wanted, found, Ok(()));
                explanation.checks.extend(of_token.checks);
                Explanation { checks: explanation.checks, ..of_token }
            }
            Some(Grant::Refused) => {
                explanation.add("client", wanted, found, Err(Reason::ClientRefused));
                explanation
            }
            None => {
                explanation.add_open("client", wanted);
                explanation
            }
        }
    }
}

/// Text of a form, each `%` of which begins an escape; `None` for any other.
fn form_decoded(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let escape = after.get(..2).filter(|escape| escape.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        rest = after.strip_prefix(escape)?;
    }
    // An `&` or a `=` would divide it.
    let escaped: Cow<'_, str> = text.replace('&', "%26").replace('=', "%3D").into();
    let pair = [escaped.as_bytes(), b"="].concat();
    let decoded = url::form_urlencoded::parse(&pair).next().map(|(name, _)| name.into_owned());
    // What is no UTF-8 is replaced by a sign that nobody has sent.
    decoded.or_else(|| text.is_empty().then(String::new)).filter(|decoded| !decoded.contains('\u{fffd}'))
}

/// RFC 6749, appendix A: IDs and secrets are visible ASCII and spaces. Nothing else is carried on to the endpoint, which might fail on it.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}
