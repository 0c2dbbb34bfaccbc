//! Stage 3: where a [`Credential`] is looked for, and the credential that was found there.
//!
//! A credential is a claim and nothing more: only [`verify`](crate::verify) makes a principal of it.

mod basic;

use std::fmt;
use std::sync::Arc;

use crate::error::Reason;
use crate::request::{Ambiguous, EventKind, Request, without_white_space};
pub use basic::UserPass;

/// The credential as the caller presented it: unverified and secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    text: String,
    presentation: Presentation,
}

/// How a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presentation {
    /// By whoever bears it (RFC 6750).
    Bearer,
    /// With a proof that its key is the caller's, in a header of its own (RFC 9449, section 7.1).
    Dpop,
    /// As a user ID and a password (RFC 7617).
    Basic,
}

/// What kind of credential proves who a caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A JWT.
    Jwt,
    /// An access token that says nothing by itself, about which the authorization server was asked (RFC 7662).
    Opaque,
    /// A client's ID and secret, which were exchanged for an access token (RFC 6749, section 4.4).
    ClientCredentials,
    /// An API key, which was looked up.
    ApiKey,
    /// A name and a password, which were looked up.
    Basic,
    /// A SAML assertion.
    Saml,
    /// One of this name, which code of one's own verifies.
    Custom(Arc<str>),
}

impl CredentialKind {
    /// The name in rules.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Jwt => "jwt",
            Self::Opaque => "opaque",
            Self::ClientCredentials => "client_credentials",
            Self::ApiKey => "api_key",
            Self::Basic => "basic",
            Self::Saml => "saml",
            Self::Custom(name) => name,
        }
    }
}

impl Credential {
    /// The token's text, for the verifier.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// How it was presented.
    #[must_use]
    pub fn presentation(&self) -> Presentation {
        self.presentation
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credential(…)")
    }
}

/// The places to look, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentitySources(Vec<IdentitySource>);

/// One place to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentitySource {
    /// The part of the request.
    pub location: Location,
    /// What stands before the credential there.
    pub scheme: Scheme,
}

/// A part of the request. One that the kind of event does not have holds nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// The TOKEN event's `authorizationToken`.
    AuthorizationToken,
    /// A header, by a name whose case does not matter.
    Header(String),
    /// A query parameter. Its value ends up in access logs and browser histories.
    Query(String),
    /// A cookie.
    Cookie(String),
    /// `Sec-WebSocket-Protocol`, the only header that a browser's script can set on a WebSocket:
    /// the value behind this marker, as in `new WebSocket(url, ["access_token", token])`.
    WebSocketProtocol {
        /// The subprotocol that announces the credential.
        marker: String,
    },
}

/// The authentication scheme (RFC 9110, section 11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Bearer` or `DPoP`, in any case, and a space (RFC 6750, section 2.1; RFC 9449, section 7.1).
    Bearer,
    /// `Basic`, in any case, and a space (RFC 7617, section 2).
    Basic,
    /// Either of them.
    BearerOrBasic,
    /// The credential alone.
    None,
}

impl IdentitySources {
    /// Looks in these places, in this order.
    #[must_use]
    pub fn new(sources: Vec<IdentitySource>) -> Self {
        Self(sources)
    }

    /// The places, in their order.
    #[must_use]
    pub fn as_slice(&self) -> &[IdentitySource] {
        &self.0
    }

    /// The same places, at which `Basic` is taken where `Bearer` is.
    #[must_use]
    pub fn taking_basic(self) -> Self {
        let taking = |source: IdentitySource| match source.scheme {
            Scheme::Bearer => IdentitySource { scheme: Scheme::BearerOrBasic, ..source },
            Scheme::Basic | Scheme::BearerOrBasic | Scheme::None => source,
        };
        Self(self.0.into_iter().map(taking).collect())
    }

    /// The credential of the first source that holds one.
    ///
    /// # Errors
    ///
    /// [`Reason::CredentialAmbiguous`] when that source holds several values: a backend could read
    /// another one than was checked. [`Reason::CredentialMalformed`] when it holds something else,
    /// [`Reason::CredentialMissing`] when there is nothing anywhere.
    pub fn extract(&self, request: &Request) -> Result<Credential, Reason> {
        for source in &self.0 {
            let found = source.location.value(request).map_err(|Ambiguous| Reason::CredentialAmbiguous)?;
            // No later source stands in for one that holds something else: API Gateway may cache the
            // answer under this value, which everybody can send.
            if let Some(value) = found {
                let (text, presentation) = source.scheme.credential(value)?;
                return Ok(Credential { text: text.to_owned(), presentation });
            }
        }
        Err(Reason::CredentialMissing)
    }
}

impl Default for IdentitySources {
    /// What works for each kind of event: the TOKEN event's token, the header `Authorization`, and
    /// for browsers' WebSockets the subprotocol behind `access_token`.
    fn default() -> Self {
        let bearer = |location| IdentitySource { location, scheme: Scheme::Bearer };
        let marker = DEFAULT_MARKER.to_owned();
        Self(vec![
            bearer(Location::AuthorizationToken),
            bearer(Location::Header("Authorization".to_owned())),
            IdentitySource { location: Location::WebSocketProtocol { marker }, scheme: Scheme::None },
        ])
    }
}

/// The subprotocol that announces a token where the configuration names no other.
pub const DEFAULT_MARKER: &str = "access_token";

impl Location {
    /// The only value that is there, without the white space around it; `None` when it is empty.
    fn value<'a>(&self, request: &'a Request) -> Result<Option<&'a str>, Ambiguous> {
        let value = match self {
            Self::AuthorizationToken => request.authorization_token.as_deref(),
            Self::Header(name) => request.headers.header(name)?,
            Self::Query(name) => request.query.exact(name)?,
            Self::Cookie(name) => request.cookies.exact(name)?,
            Self::WebSocketProtocol { marker } => return websocket_protocol(request, marker),
        };
        Ok(value.map(without_white_space).filter(|value| !value.is_empty()))
    }
}

/// The subprotocol that follows the marker, if the client offered it.
fn websocket_protocol<'a>(request: &'a Request, marker: &str) -> Result<Option<&'a str>, Ambiguous> {
    if request.kind != EventKind::WebSocket {
        return Ok(None);
    }
    let offered = request.headers.header("Sec-WebSocket-Protocol")?.unwrap_or_default();
    let mut protocols =
        offered.split(',').map(without_white_space).skip_while(|protocol| *protocol != marker).skip(1);
    let token = protocols.next().filter(|token| !token.is_empty());
    if protocols.any(|protocol| protocol == marker) {
        return Err(Ambiguous);
    }
    Ok(token)
}

impl Scheme {
    /// The credential behind the scheme, and how it is presented.
    fn credential(self, value: &str) -> Result<(&str, Presentation), Reason> {
        let (credential, presentation) = match self {
            Self::None => (value, Presentation::Bearer),
            Self::Bearer | Self::Basic | Self::BearerOrBasic => {
                let (scheme, rest) = value.split_once(' ').ok_or(Reason::CredentialMalformed)?;
                let presentation =
                    Presentation::named(scheme).filter(|presentation| self.takes(*presentation));
                (rest.trim_start_matches(' '), presentation.ok_or(Reason::CredentialMalformed)?)
            }
        };
        if credential.is_empty() {
            return Err(Reason::CredentialMalformed);
        }
        // All bytes of a credential are letters, digits and some signs. This looks at them all at once, and only what it
        // does not pass is looked at letter by letter.
        if credential.bytes().fold(true, |is_plain, byte| is_plain & (byte > b',' && byte <= b'~')) {
            return Ok((credential, presentation));
        }
        // Payload format 2.0 joins repeated headers and query parameters with a comma, and so do
        // proxies; no credential that we take has one.
        if credential.contains(',') {
            return Err(Reason::CredentialAmbiguous);
        }
        if credential.contains(char::is_whitespace) {
            return Err(Reason::CredentialMalformed);
        }
        Ok((credential, presentation))
    }

    /// Whether a credential is taken that is presented so.
    pub(crate) fn takes(self, presentation: Presentation) -> bool {
        match self {
            Self::Bearer => presentation != Presentation::Basic,
            Self::Basic => presentation == Presentation::Basic,
            Self::BearerOrBasic => true,
            Self::None => false,
        }
    }
}

impl Presentation {
    fn named(scheme: &str) -> Option<Self> {
        let mut all = [("Bearer", Self::Bearer), ("DPoP", Self::Dpop), ("Basic", Self::Basic)].into_iter();
        all.find_map(|(name, presentation)| scheme.eq_ignore_ascii_case(name).then_some(presentation))
    }
}

#[cfg(test)]
mod tests;
