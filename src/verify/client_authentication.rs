//! [`ClientAuthentication`]: how the function proves to an authorization server which client it is. All of the server's
//! endpoints are asked by it.

use std::fmt;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::client_key::ClientKey;
use crate::io::UnixTime;

/// How the function proves which client it is.
pub enum ClientAuthentication {
    /// By the value of `Authorization` (RFC 6749, section 2.3.1).
    Basic(String),
    /// By its ID and its secret in the form.
    Post {
        /// Its ID.
        id: String,
        /// Its secret.
        secret: String,
    },
    /// By a JWT that it signs (RFC 7523, section 2.2).
    PrivateKeyJwt {
        /// Its ID.
        id: String,
        /// For whom the JWT is: the authorization server's name.
        audience: String,
        /// What it is signed with.
        key: Box<ClientKey>,
    },
}

/// In seconds. The server's clock may be behind by nearly as much.
const ASSERTION_LIFETIME: u64 = 60;

/// RFC 7523, section 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl ClientAuthentication {
    /// RFC 6749, section 2.3.1: both are encoded as in a form, and only then joined.
    #[must_use]
    pub fn basic(id: &str, secret: &str) -> Self {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        Self::Basic(format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)))))
    }

    /// The value of `Authorization`.
    pub(super) fn authorization(&self) -> Option<&str> {
        match self {
            Self::Basic(authorization) => Some(authorization),
            Self::Post { .. } | Self::PrivateKeyJwt { .. } => None,
        }
    }

    /// A form with these fields, and with what proves who asks.
    ///
    /// # Errors
    ///
    /// The key could not sign.
    pub(super) fn form(&self, fields: &[(&str, &str)], now: UnixTime) -> Result<String, String> {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(fields);
        match self {
            Self::Basic(_) => {}
            Self::Post { id, secret } => {
                form.append_pair("client_id", id).append_pair("client_secret", secret);
            }
            Self::PrivateKeyJwt { id, audience, key } => {
                let assertion = assertion(id, audience, key, now);
                let assertion = assertion.ok_or("the client's key could not sign")?;
                form.append_pair("client_id", id)
                    .append_pair("client_assertion_type", JWT_BEARER)
                    .append_pair("client_assertion", &assertion);
            }
        }
        Ok(form.finish())
    }

    /// Whether the same form may be sent twice. A server takes a JWT once (RFC 7523, section 3).
    pub(super) fn may_be_repeated(&self) -> bool {
        !matches!(self, Self::PrivateKeyJwt { .. })
    }
}

/// Shows how, and nothing that is secret.
impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Basic(_) => "Basic(…)",
            Self::Post { .. } => "Post(…)",
            Self::PrivateKeyJwt { .. } => "PrivateKeyJwt(…)",
        })
    }
}

/// RFC 7523, section 3. Its `jti` is of chance, so that nobody can use it twice; its only audience is the server's, so that
/// nobody else can use it at all.
fn assertion(id: &str, audience: &str, key: &ClientKey, now: UnixTime) -> Option<String> {
    let mut identifier = [0; 16];
    rand::fill(&mut identifier).ok()?;
    // Whole seconds: some servers read no others.
    let issued_at = now as u64;
    let claims = json!({
        "iss": id,
        "sub": id,
        "aud": audience,
        "jti": URL_SAFE_NO_PAD.encode(identifier),
        "iat": issued_at,
        "exp": issued_at + ASSERTION_LIFETIME,
    });
    key.jwt(&claims).ok()
}
