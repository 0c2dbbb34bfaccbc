//! The issuer's token endpoint (RFC 6749, client credentials), its introspection (RFC 7662) and its revocation (RFC 7009).
//!
//! A form at [`TOKEN_PATH`] has `grant_type=client_credentials`, and may have `scope`, `audience`, a JSON object
//! `claims`, and any other field, which becomes a claim that is a string. The client says who it is in HTTP Basic,
//! or in the fields `client_id` and `client_secret`. With `Accept: application/jwt` the answer is the token alone,
//! for a shell to take; otherwise it is the JSON of the RFC. With a header `DPoP` the token is bound to the key of that
//! proof (RFC 9449).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{AUDIENCE, proofs, unix_time};
use crate::loopback::is_of_this_machine;
use crate::signing::SigningKey;

/// Where clients get tokens.
pub const TOKEN_PATH: &str = "/token";

/// Where it is told what a token is.
pub const INTROSPECTION_PATH: &str = "/introspect";

/// Where tokens are revoked.
pub const REVOCATION_PATH: &str = "/revoke";

/// A client that may ask for tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// Its ID, and the `sub` of its tokens.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

/// Shows who it is, never the secret.
impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Client({})", self.id)
    }
}

/// The tokens that a client was given.
#[derive(Debug)]
pub(super) struct Tokens {
    issuer: String,
    client: Client,
    given: Mutex<BTreeMap<String, Map<String, Value>>>,
}

type Form = BTreeMap<String, String>;

/// The fields of a form that are no claims.
const FIELDS: [&str; 6] = ["grant_type", "client_id", "client_secret", "scope", "audience", "claims"];

/// In seconds.
const LIFETIME: u64 = 300;

/// How many tokens are remembered.
const LARGEST: usize = 10_000;

impl Tokens {
    pub(super) fn new(issuer: String, client: Client) -> Self {
        Self { issuer, client, given: Mutex::default() }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Answers a form that was posted.
    pub(super) fn answer(
        &self,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
        key: &Arc<SigningKey>,
    ) -> Response {
        if !is_of_this_machine(headers) {
            return refused(StatusCode::FORBIDDEN, "invalid_request", "no such `Host` or `Origin` here");
        }
        let form: Form = form_urlencoded::parse(body).into_owned().collect();
        match path {
            TOKEN_PATH | INTROSPECTION_PATH | REVOCATION_PATH if !self.is_client(headers, &form) => {
                let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"development\"")];
                let refusal =
                    refused(StatusCode::UNAUTHORIZED, "invalid_client", "no such client and secret");
                (challenge, refusal).into_response()
            }
            TOKEN_PATH => self.token(headers, &form, key),
            INTROSPECTION_PATH => self.introspection(&form),
            REVOCATION_PATH => self.revocation(&form),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn is_client(&self, headers: &HeaderMap, form: &Form) -> bool {
        let basic = headers.get(header::AUTHORIZATION).and_then(|value| {
            let encoded = value
                .to_str()
                .ok()?
                .split_once(' ')
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))?
                .1;
            let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
            decoded.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
        });
        let posted = || Some((form.get("client_id")?.clone(), form.get("client_secret")?.clone()));
        basic.or_else(posted) == Some((self.client.id.clone(), self.client.secret.clone()))
    }

    fn token(&self, headers: &HeaderMap, form: &Form, key: &SigningKey) -> Response {
        if form.get("grant_type").map(String::as_str) != Some("client_credentials") {
            let said = "`grant_type` is not `client_credentials`";
            return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", said);
        }
        let mut claims = match self.claims(form) {
            Ok(claims) => claims,
            Err(said) => return refused(StatusCode::BAD_REQUEST, "invalid_request", said),
        };
        match self.key_of_client(headers) {
            Ok(Some(key)) => {
                let bound = claims.entry("cnf").or_insert_with(|| json!({}));
                bound.as_object_mut().and_then(|bound| bound.insert("jkt".to_owned(), key.into()));
            }
            Ok(None) => {}
            Err(said) => return refused(StatusCode::BAD_REQUEST, "invalid_dpop_proof", said),
        }
        let Ok(token) = key.token(&Value::Object(claims.clone())) else {
            return refused(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the key could not sign");
        };
        let scope = claims.get("scope").cloned().unwrap_or_else(|| "".into());
        let answer = json!({
            "access_token": token, "token_type": token_type(&claims), "expires_in": LIFETIME, "scope": scope,
        });
        self.remember(&token, claims);
        let no_store = (header::CACHE_CONTROL, "no-store");
        let wants_jwt = headers.get(header::ACCEPT).is_some_and(|accept| accept == "application/jwt");
        match wants_jwt {
            true => ([no_store, (header::CONTENT_TYPE, "application/jwt")], token).into_response(),
            false => ([no_store, JSON], answer.to_string()).into_response(),
        }
    }

    /// Whose proof came with the request, if any did.
    fn key_of_client(&self, headers: &HeaderMap) -> Result<Option<String>, &'static str> {
        let mut proofs = headers.get_all("dpop").iter();
        match (proofs.next(), proofs.next()) {
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err("there are several proofs"),
            (Some(proof), None) => {
                let endpoint = format!("{}{TOKEN_PATH}", self.issuer.trim_end_matches('/'));
                let proof = proof.to_str().map_err(|_| "the proof is no JWT")?;
                proofs::key_of(proof, &endpoint).map(Some)
            }
        }
    }

    fn claims(&self, form: &Form) -> Result<Map<String, Value>, &'static str> {
        let now = unix_time();
        let mut claims = Map::new();
        claims.insert("iss".into(), self.issuer.clone().into());
        claims.insert("sub".into(), self.client.id.clone().into());
        claims.insert("client_id".into(), self.client.id.clone().into());
        claims.insert(
            "aud".into(),
            form.get("audience").cloned().unwrap_or_else(|| AUDIENCE.to_owned()).into(),
        );
        claims.insert("iat".into(), now.into());
        claims.insert("exp".into(), (now + LIFETIME).into());
        if let Some(scope) = form.get("scope") {
            claims.insert("scope".into(), scope.clone().into());
        }
        let others = form.iter().filter(|(name, _)| !FIELDS.contains(&name.as_str()));
        claims.extend(others.map(|(name, value)| (name.clone(), value.clone().into())));
        if let Some(text) = form.get("claims") {
            let own: Map<String, Value> =
                serde_json::from_str(text).map_err(|_| "`claims` is not a JSON object")?;
            claims.extend(own);
            // As in `mint`: `null` takes a claim away.
            claims.retain(|_, value| !value.is_null());
        }
        match claims.get("iss").and_then(Value::as_str) == Some(&self.issuer) {
            true => Ok(claims),
            false => Err("a development issuer has no other name than its own"),
        }
    }

    fn remember(&self, token: &str, claims: Map<String, Value>) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|_, claims| is_active(claims));
        if given.len() < LARGEST {
            given.insert(token.to_owned(), claims);
        }
    }

    /// A token that was not given here, or is over, is not active: no more is said of it.
    fn introspection(&self, form: &Form) -> Response {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let claims = form.get("token").and_then(|token| given.get(token)).filter(|claims| is_active(claims));
        let mut answer = claims.cloned().unwrap_or_default();
        answer.insert("active".into(), claims.is_some().into());
        if let Some(claims) = claims {
            answer.insert("token_type".into(), token_type(claims).into());
        }
        ([JSON], Value::Object(answer).to_string()).into_response()
    }

    /// RFC 7009, section 2.2: a token that nobody knows is revoked already.
    fn revocation(&self, form: &Form) -> Response {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        form.get("token").and_then(|token| given.remove(token));
        StatusCode::OK.into_response()
    }
}

const JSON: (header::HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

fn token_type(claims: &Map<String, Value>) -> &'static str {
    let is_bound = claims.get("cnf").is_some_and(|bound| bound.get("jkt").is_some());
    if is_bound { "DPoP" } else { "Bearer" }
}

fn is_active(claims: &Map<String, Value>) -> bool {
    claims.get("exp").and_then(Value::as_u64).is_some_and(|expiry| unix_time() < expiry)
}

fn refused(status: StatusCode, error: &str, description: &str) -> Response {
    let body = json!({"error": error, "error_description": description}).to_string();
    (status, [JSON, (header::CACHE_CONTROL, "no-store")], body).into_response()
}
