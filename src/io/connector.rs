//! [`Connector`]: how a server is reached.

use std::fmt;
use std::sync::{Arc, LazyLock};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use url::{Origin, Url};

/// How the servers of an issuer are reached: whose certificates hold beside those of the public
/// authorities, through which proxy, and with which header fields of one's own.
#[derive(Clone, Default)]
pub struct Connector {
    tls: Option<ClientConfig>,
    proxy: Option<reqwest::Proxy>,
    headers: HeaderMap,
    /// The only place where the header fields are sent: they may be secrets.
    origin: Option<Origin>,
}

/// Why a server cannot be reached in this way. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectorError {
    /// Something that is no certificate, or none at all.
    #[error("it holds no certificates in PEM form")]
    NotPem,
    /// A certificate that cannot be an authority.
    #[error("one of the certificates cannot be used: {0}")]
    Certificate(String),
    /// No http or https URL.
    #[error("it is not an http or https URL")]
    Proxy,
    /// No name of a header field, or one that is not the configuration's to set.
    #[error("`{0}` is not the name of a header field that can be set")]
    HeaderName(String),
    /// A value with control characters.
    #[error("the value of `{0}` holds characters that a header field cannot")]
    HeaderValue(String),
}

/// Set by the client itself: with another value the answer could not be read.
const RESERVED: [&str; 6] =
    ["accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding"];

/// With the public authorities alone: the same for every issuer, so it is made once.
static PUBLIC: LazyLock<Result<ClientConfig, rustls::Error>> = LazyLock::new(|| tls(public_roots()));

impl Connector {
    /// Also trusts the authorities of these certificates, in PEM form.
    ///
    /// # Errors
    ///
    /// When it is no PEM, or a certificate in it is none.
    pub fn trusting(mut self, pem: &[u8]) -> Result<Self, ConnectorError> {
        let mut roots = public_roots();
        let known = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| ConnectorError::NotPem)?;
            roots.add(certificate).map_err(unusable)?;
        }
        if roots.len() == known {
            return Err(ConnectorError::NotPem);
        }
        self.tls = Some(tls(roots).map_err(unusable)?);
        Ok(self)
    }

    /// Goes through this proxy, by its URL. User and password may stand in it.
    ///
    /// # Errors
    ///
    /// When it is no http or https URL.
    pub fn through(mut self, proxy: &str) -> Result<Self, ConnectorError> {
        let url = Url::parse(proxy).map_err(|_| ConnectorError::Proxy)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ConnectorError::Proxy);
        }
        self.proxy = Some(reqwest::Proxy::all(url).map_err(|_| ConnectorError::Proxy)?);
        Ok(self)
    }

    /// Sends these header fields, and to no other origin than that of `url`: a discovery document does not
    /// get to choose who learns them.
    ///
    /// # Errors
    ///
    /// When a name or a value cannot be sent.
    pub fn sending<'a>(
        mut self,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        url: &Url,
    ) -> Result<Self, ConnectorError> {
        for (name, value) in headers {
            let wrong_name = || ConnectorError::HeaderName(name.to_owned());
            let parsed: HeaderName = name.parse().map_err(|_| wrong_name())?;
            if RESERVED.contains(&parsed.as_str()) {
                return Err(wrong_name());
            }
            let mut value: HeaderValue =
                value.parse().map_err(|_| ConnectorError::HeaderValue(name.to_owned()))?;
            value.set_sensitive(true);
            self.headers.insert(parsed, value);
        }
        self.origin = Some(url.origin());
        Ok(self)
    }

    pub(super) fn tls(&self) -> Result<ClientConfig, rustls::Error> {
        self.tls.clone().map_or_else(|| PUBLIC.clone(), Ok)
    }

    pub(super) fn proxy(&self) -> Option<&reqwest::Proxy> {
        self.proxy.as_ref()
    }

    pub(super) fn headers_for(&self, url: &Url) -> HeaderMap {
        match &self.origin {
            Some(origin) if *origin == url.origin() => self.headers.clone(),
            _ => HeaderMap::new(),
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connector")
            .field("has_authorities", &self.tls.is_some())
            .field("has_proxy", &self.proxy.is_some())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn unusable(error: rustls::Error) -> ConnectorError {
    ConnectorError::Certificate(error.to_string())
}

fn tls(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn public_roots() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}
