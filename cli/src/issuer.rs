//! A development issuer: an identity provider's discovery document and key set, served over loopback HTTP,
//! with every trouble that a real one can give.
//!
//! ```no_run
//! use authorizer_cli::issuer::{Behaviour, DevelopmentIssuer, KEYS_PATH};
//! use authorizer_cli::signing::{Algorithm, SigningKey};
//! use serde_json::{Value, json};
//!
//! # async fn example() -> Result<(), authorizer_cli::Error> {
//! let issuer = DevelopmentIssuer::start([SigningKey::generate(Algorithm::RS256, "key-1")?]).await?;
//! let token = issuer.mint(&json!({"scope": "orders:write", "sub": Value::Null}))?; // null takes a claim away
//! issuer.replace_keys([SigningKey::generate(Algorithm::ES256, "key-2")?]);
//! issuer.behave(Behaviour::Status(503));
//! assert_eq!(issuer.requests(KEYS_PATH), 0);
//! # Ok(()) }
//! ```

mod proofs;
mod tokens;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::signing::{Algorithm, SigningError, SigningKey, key_set};
pub use tokens::{Client, INTROSPECTION_PATH, REVOCATION_PATH, TOKEN_PATH};

/// Where the discovery document is.
pub const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// Where the key set is.
pub const KEYS_PATH: &str = "/keys";

/// The audience of the tokens that [`DevelopmentIssuer::mint`] makes.
pub const AUDIENCE: &str = "orders-api";

/// An identity provider on loopback. Once dropped, its port refuses connections.
#[derive(Debug)]
pub struct DevelopmentIssuer {
    url: String,
    state: Arc<Mutex<Service>>,
    server: JoinHandle<()>,
}

/// How the issuer treats the requests that come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers with the published document.
    #[default]
    Answer,
    /// Answers with this status and an empty body.
    Status(u16),
    /// Takes the request and never answers.
    Hang,
    /// Closes every connection before a request is read, so that none is counted.
    Close,
}

impl DevelopmentIssuer {
    /// Starts serving these keys on a free port of 127.0.0.1.
    pub async fn start<K: Into<Arc<SigningKey>>>(keys: impl IntoIterator<Item = K>) -> io::Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), keys).await
    }

    /// As [`DevelopmentIssuer::start`], at this address.
    pub async fn start_at<K: Into<Arc<SigningKey>>>(
        address: SocketAddr,
        keys: impl IntoIterator<Item = K>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let state = Arc::new(Mutex::new(Service::default()));
        let app = Router::new().fallback(answer).with_state(state.clone());
        let listener = FickleListener { listener, state: state.clone() };
        let server = tokio::spawn(async move {
            let _never_ends = axum::serve(listener, app).await;
        });
        let issuer = Self { url, state, server };
        issuer.publish(DISCOVERY_PATH, issuer.discovery().to_string());
        issuer.replace_keys(keys);
        Ok(issuer)
    }

    /// The issuer's name, exactly as `iss` and the discovery document have it: with a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of the key set.
    #[must_use]
    pub fn jwks_uri(&self) -> String {
        format!("{}{}", self.url.trim_end_matches('/'), KEYS_PATH)
    }

    /// A token of the first key, valid for five minutes: the claims of [`DevelopmentIssuer::claims`] with
    /// those of `overrides` in their place. `null` takes a claim away.
    pub fn mint(&self, overrides: &Value) -> Result<String, MintError> {
        let mut claims = self.claims();
        for (name, value) in overrides.as_object().ok_or(MintError::NotAnObject)? {
            if value.is_null() {
                claims.as_object_mut().and_then(|claims| claims.remove(name));
            } else if let Some(claims) = claims.as_object_mut() {
                claims.insert(name.clone(), value.clone());
            }
        }
        let key = self.state().keys.first().cloned().ok_or(MintError::NoKey)?;
        Ok(key.token(&claims)?)
    }

    /// The claims of an ordinary token, as of now: `iss`, `sub`, `aud`, `scope`, `iat`, `exp`.
    #[must_use]
    pub fn claims(&self) -> Value {
        let now = unix_time();
        json!({
            "iss": self.url,
            "sub": "user-7f1c",
            "aud": AUDIENCE,
            "scope": "orders:read",
            "iat": now,
            "exp": now + 300,
        })
    }

    /// The keys in use, to sign what [`DevelopmentIssuer::mint`] cannot make.
    #[must_use]
    pub fn keys(&self) -> Vec<Arc<SigningKey>> {
        self.state().keys.clone()
    }

    /// Rotates: from now on these keys sign, and these are published at [`KEYS_PATH`].
    pub fn replace_keys<K: Into<Arc<SigningKey>>>(&self, keys: impl IntoIterator<Item = K>) {
        let keys: Vec<Arc<SigningKey>> = keys.into_iter().map(Into::into).collect();
        self.publish(KEYS_PATH, key_set(keys.iter().map(AsRef::as_ref)).to_string());
        self.state().keys = keys;
    }

    /// Gives tokens to whoever has this client's secret (RFC 6749, client credentials), at [`TOKEN_PATH`], bound to a key where a DPoP
    /// proof comes with the request (RFC 9449); tells what they are (RFC 7662), at [`INTROSPECTION_PATH`], and revokes
    /// them (RFC 7009), at [`REVOCATION_PATH`].
    pub fn serve_tokens(&self, client: Client) {
        let mut discovery = self.discovery();
        let url = self.url.trim_end_matches('/');
        if let Value::Object(discovery) = &mut discovery {
            let methods = json!(["client_secret_basic", "client_secret_post"]);
            let algorithms: Vec<&str> = Algorithm::ALL.map(Algorithm::name).into();
            discovery.extend([
                ("token_endpoint".to_owned(), format!("{url}{TOKEN_PATH}").into()),
                ("introspection_endpoint".to_owned(), format!("{url}{INTROSPECTION_PATH}").into()),
                ("revocation_endpoint".to_owned(), format!("{url}{REVOCATION_PATH}").into()),
                ("grant_types_supported".to_owned(), json!(["client_credentials"])),
                ("dpop_signing_alg_values_supported".to_owned(), json!(algorithms)),
                ("token_endpoint_auth_methods_supported".to_owned(), methods),
            ]);
        }
        self.publish(DISCOVERY_PATH, discovery.to_string());
        self.state().tokens = Some(Arc::new(tokens::Tokens::new(self.url.clone(), client)));
    }

    /// The client that [`DevelopmentIssuer::serve_tokens`] gives tokens to.
    #[must_use]
    pub fn client(&self) -> Option<Client> {
        self.state().tokens.as_ref().map(|tokens| tokens.client().clone())
    }

    fn discovery(&self) -> Value {
        json!({
            "issuer": self.url(),
            "jwks_uri": self.jwks_uri(),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        })
    }

    /// Serves these bytes at this path, in place of what was there: another discovery document, a key set
    /// with odd keys, no JSON at all.
    pub fn publish(&self, path: &str, document: impl Into<Vec<u8>>) {
        self.state().documents.insert(path.to_owned(), document.into());
    }

    /// Changes how requests are treated from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.state().behaviour = behaviour;
    }

    /// How many requests came for this path.
    #[must_use]
    pub fn requests(&self, path: &str) -> usize {
        self.state().requests.get(path).copied().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, Service> {
        lock(&self.state)
    }
}

impl Drop for DevelopmentIssuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Why no token could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MintError {
    /// The overrides are not a JSON object.
    NotAnObject,
    /// The issuer has no key.
    NoKey,
    /// The key could not sign.
    Signing(SigningError),
}

impl std::fmt::Display for MintError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MintError::NotAnObject => f.write_str("the claims are not a JSON object"),
            MintError::NoKey => f.write_str("the issuer has no key to sign with"),
            MintError::Signing(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for MintError {}

impl From<SigningError> for MintError {
    fn from(error: SigningError) -> Self {
        MintError::Signing(error)
    }
}

/// Seconds since 1970, as `iat` and `exp` count them.
#[must_use]
pub fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[derive(Debug, Default)]
struct Service {
    keys: Vec<Arc<SigningKey>>,
    documents: BTreeMap<String, Vec<u8>>,
    behaviour: Behaviour,
    requests: BTreeMap<String, usize>,
    tokens: Option<Arc<tokens::Tokens>>,
}

fn lock(state: &Mutex<Service>) -> MutexGuard<'_, Service> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(state): State<Arc<Mutex<Service>>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let (behaviour, document, tokens, key) = {
        let mut state = lock(&state);
        *state.requests.entry(path.clone()).or_default() += 1;
        let key = state.keys.first().cloned();
        (state.behaviour, state.documents.get(&path).cloned(), state.tokens.clone(), key)
    };
    let response = match (behaviour, document, tokens.zip(key)) {
        (Behaviour::Hang, ..) => std::future::pending().await,
        (Behaviour::Status(status), ..) => StatusCode::from_u16(status).unwrap_or_default().into_response(),
        (Behaviour::Answer | Behaviour::Close, Some(document), _) => document.into_response(),
        (Behaviour::Answer | Behaviour::Close, None, Some((tokens, key)))
            if request.method() == Method::POST =>
        {
            let (parts, body) = request.into_parts();
            match to_bytes(body, LARGEST_FORM).await {
                Ok(form) => tokens.answer(&path, &parts.headers, &form, &key),
                Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
            }
        }
        (Behaviour::Answer | Behaviour::Close, None, _) => StatusCode::NOT_FOUND.into_response(),
    };
    served(response)
}

/// Nobody sends more to ask for a token.
const LARGEST_FORM: usize = 64 * 1024;

/// One request a connection: otherwise `Behaviour::Close` would not reach a client that keeps its own.
fn served(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    let is_said = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind != "application/octet-stream");
    if !is_said {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

/// A listener that drops its connections while the issuer is told to.
struct FickleListener {
    listener: TcpListener,
    state: Arc<Mutex<Service>>,
}

impl Listener for FickleListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let connection = Listener::accept(&mut self.listener).await;
            if lock(&self.state).behaviour != Behaviour::Close {
                return connection;
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

#[cfg(test)]
mod tests;
