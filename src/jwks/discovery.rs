//! Where an issuer says that its keys are (OpenID Connect Discovery 1.0, section 4).

use serde::Deserialize;
use url::{Host, Url};

/// Why no key set can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DiscoveryError {
    #[error("the discovery document is not one")]
    NotADocument,
    #[error("the discovery document is that of another issuer")]
    OtherIssuer,
    #[error("the discovery document's `jwks_uri` is not an https URL, or it holds a user or a password")]
    UnsafeKeySetUrl,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

/// The URL of the issuer's discovery document.
pub(super) fn document_url(issuer: &str) -> Option<Url> {
    Url::parse(&format!("{}/.well-known/openid-configuration", issuer.strip_suffix('/').unwrap_or(issuer)))
        .ok()
}

/// The `jwks_uri` of the document, if it is this issuer's.
pub(super) fn discovered_url(document: &[u8], issuer: &str, loopback: bool) -> Result<Url, DiscoveryError> {
    let document: Document = serde_json::from_slice(document).map_err(|_| DiscoveryError::NotADocument)?;
    if document.issuer != issuer {
        return Err(DiscoveryError::OtherIssuer);
    }
    let url = Url::parse(&document.jwks_uri).map_err(|_| DiscoveryError::UnsafeKeySetUrl)?;
    if is_safe(&url, loopback) { Ok(url) } else { Err(DiscoveryError::UnsafeKeySetUrl) }
}

/// The URL, if keys may come from there: https, or, where `loopback` says so, plain http from this machine, and
/// no user or password in it.
///
/// ```
/// use lambda_authorizer::jwks::key_set_url;
///
/// assert!(key_set_url("https://login.example.com/keys", false).is_some());
/// assert!(key_set_url("http://login.example.com/keys", true).is_none());
/// assert!(key_set_url("http://127.0.0.1:8080/keys", true).is_some());
/// assert!(key_set_url("https://user:password@login.example.com/keys", false).is_none());
/// ```
#[must_use]
pub fn key_set_url(text: &str, loopback: bool) -> Option<Url> {
    Url::parse(text).ok().filter(|url| is_safe(url, loopback))
}

/// Rule K1: keys come over https, or, where the configuration says so, from this very machine.
pub(crate) fn is_safe(url: &Url, loopback: bool) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    // What logs and errors show of a URL must not be a password.
    let is_open = url.username().is_empty() && url.password().is_none();
    is_open && (url.scheme() == "https" || (loopback && is_loopback && url.scheme() == "http"))
}
