//! [`Connector`]: how a server is reached.

use std::fmt;
use std::sync::{Arc, LazyLock};

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use url::{Host, Origin, Url};

use super::route::{Proxy, Route, Secured};

/// How the servers of an issuer are reached: whose certificates hold beside those of the public
/// authorities, through which proxy, and with which header fields of one's own.
#[derive(Clone, Default)]
pub struct Connector {
    tls: Option<ClientConfig>,
    proxy: Option<Proxy>,
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
    /// A private key lies where only certificates belong.
    #[error("it holds a private key")]
    PrivateKey,
    /// No http or https URL.
    #[error("it is not an http or https URL")]
    Proxy,
    /// No name of a header field, or one that is not the configuration's to set.
    #[error("`{0}` is not the name of a header field that can be set")]
    HeaderName(String),
    /// The case of a name does not matter: one of the values would not be sent.
    #[error("`{0}` is there twice")]
    HeaderTwice(String),
    /// A value with control characters.
    #[error("the value of `{0}` holds characters that a header field cannot")]
    HeaderValue(String),
}

/// Set by the client itself: with another value the answer could not be read, or the key server would learn
/// what is the proxy's.
const RESERVED: [&str; 7] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "proxy-authorization",
    "transfer-encoding",
];

/// How the label of a private key ends in PEM (RFC 7468).
const PRIVATE_KEY: &[u8] = b"PRIVATE KEY-----";

/// With the public authorities alone: the same for every issuer, so it is made once.
static PUBLIC: LazyLock<Result<ClientConfig, rustls::Error>> = LazyLock::new(|| tls(public_roots()));

impl Connector {
    /// Also trusts the authorities of these certificates, in PEM form.
    ///
    /// # Errors
    ///
    /// When it is no PEM, a certificate in it is none, or it holds more than certificates.
    pub fn trusting(mut self, pem: &[u8]) -> Result<Self, ConnectorError> {
        // In whatever form, encrypted or not.
        if pem.windows(PRIVATE_KEY.len()).any(|label| label == PRIVATE_KEY) {
            return Err(ConnectorError::PrivateKey);
        }
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

    /// Goes through this proxy, by its URL. User and password may stand in it. The proxy gets to see TLS only:
    /// plain http goes to this very machine, and not by way of another one (rule K1).
    ///
    /// # Errors
    ///
    /// When it is no http or https URL.
    pub fn through(mut self, proxy: &str) -> Result<Self, ConnectorError> {
        let url = Url::parse(proxy).map_err(|_| ConnectorError::Proxy)?;
        if !matches!(url.scheme(), "http" | "https") || !is_plain(url.host().as_ref()) {
            return Err(ConnectorError::Proxy);
        }
        self.proxy = Some(Proxy::at(&url).ok_or(ConnectorError::Proxy)?);
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
            if self.headers.insert(parsed, value).is_some() {
                return Err(ConnectorError::HeaderTwice(name.to_owned()));
            }
        }
        self.origin = Some(url.origin());
        Ok(self)
    }

    pub(super) fn secured(&self) -> Result<Secured, rustls::Error> {
        let tls = self.tls.clone().map_or_else(|| PUBLIC.clone(), Ok)?;
        Ok(Route::new(self.proxy.as_ref(), &tls).secured(tls))
    }

    pub(crate) fn headers_for(&self, url: &Url) -> HeaderMap {
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

/// The client silently goes without a proxy whose host it cannot read, and it reads less than [`Url`].
fn is_plain(host: Option<&Host<&str>>) -> bool {
    host.is_some_and(|host| match host {
        Host::Domain(name) => {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        }
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `cryptography`: self-signed authorities, Ed25519. Nobody has their private keys.
    const FIRST: &str = "-----BEGIN CERTIFICATE-----
MIHhMIGUoAMCAQICAQEwBQYDK2VwMBAxDjAMBgNVBAMMBWZpcnN0MB4XDTI2MDEw
MTAwMDAwMFoXDTI3MDEwMTAwMDAwMFowEDEOMAwGA1UEAwwFZmlyc3QwKjAFBgMr
ZXADIQCr2Db3Z6QCMg3cLnfH/TaB3k1eePKwaysLDFAN+VUfLKMTMBEwDwYDVR0T
AQH/BAUwAwEB/zAFBgMrZXADQQBWYRraqYOJr7nLiaG7LDCG/C1R0tu9Q31bHaCm
qPC9Ce+5y5em6o2sTfboEJlHcavHIOghbfRcrbrThnRWoG4I
-----END CERTIFICATE-----
";
    const SECOND: &str = "-----BEGIN CERTIFICATE-----
MIHjMIGWoAMCAQICAQEwBQYDK2VwMBExDzANBgNVBAMMBnNlY29uZDAeFw0yNjAx
MDEwMDAwMDBaFw0yNzAxMDEwMDAwMDBaMBExDzANBgNVBAMMBnNlY29uZDAqMAUG
AytlcAMhAKChf7opMLPaZtKYPNATToel7MlyUFL1vAC0aub0SgnSoxMwETAPBgNV
HRMBAf8EBTADAQH/MAUGAytlcANBAJdkdxdF3xPr+QLtHzAZH3hMPc4rWiKpo4IO
oV94F/Q0fKfG8jQBfjZOcvfjQ3Jmxk2q6AbZiOQFmHqaHramyQM=
-----END CERTIFICATE-----
";
    const SECRET: &str = "correct-horse-battery-staple";

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn trusting(pem: &str) -> Result<Connector, ConnectorError> {
        Connector::default().trusting(pem.as_bytes())
    }

    fn sending(fields: &[(&'static str, &'static str)]) -> Result<Connector, ConnectorError> {
        Connector::default().sending(fields.iter().copied(), &url("https://login.example.com/"))
    }

    #[test]
    fn the_certificates_of_a_bundle_are_trusted_together() {
        for bundle in [
            FIRST.to_owned(),
            format!("{FIRST}{SECOND}"),
            format!("# the old one\n{FIRST}\n\nthe new one:\n{SECOND}"),
            FIRST.replace('\n', "\r\n"),
            format!("{FIRST}{FIRST}"),
        ] {
            assert!(trusting(&bundle).is_ok(), "{bundle}");
        }
    }

    #[test]
    fn what_holds_no_certificates_is_refused() {
        let truncated = FIRST.split_once("-----END").unwrap().0;
        let garbled = FIRST.replace("MIHh", "????");
        for pem in ["", "not a certificate", truncated, &garbled, &format!("{SECOND}{garbled}")] {
            assert_eq!(trusting(pem).err(), Some(ConnectorError::NotPem), "{pem}");
        }
        let request = FIRST.replace("CERTIFICATE", "CERTIFICATE REQUEST");
        assert_eq!(trusting(&request).err(), Some(ConnectorError::NotPem));
        // PEM, and no X.509 in it.
        let other = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
        assert!(matches!(trusting(other), Err(ConnectorError::Certificate(_))));
        assert!(matches!(trusting(&format!("{FIRST}{other}")), Err(ConnectorError::Certificate(_))));
    }

    #[test]
    fn a_private_key_is_refused_beside_certificates_too() {
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
            let key = format!("-----BEGIN {label}-----\naGVsbG8=\n-----END {label}-----\n");
            for pem in [&key, &format!("{key}{FIRST}"), &format!("{FIRST}{key}")] {
                let error = trusting(pem).expect_err("a private key is refused");
                assert_eq!(error, ConnectorError::PrivateKey, "{pem}");
                assert!(!error.to_string().contains("aGVsbG8"), "{error}");
            }
        }
        let public = "-----BEGIN PUBLIC KEY-----\naGVsbG8=\n-----END PUBLIC KEY-----\n";
        assert!(trusting(&format!("{FIRST}{public}")).is_ok());
    }

    #[test]
    fn a_proxy_is_an_http_or_https_url() {
        for proxy in [
            "http://proxy.example:3128",
            "https://proxy.example",
            "HTTP://10.0.0.1:3128/",
            "http://[fd00::1]:3128",
            "http://squid_1:3128",
            "http://user:p%40ss@proxy.example:3128",
        ] {
            assert!(Connector::default().through(proxy).is_ok(), "{proxy}");
        }
        // The last ones are URLs, and the client cannot read them as it reads a proxy's.
        for proxy in [
            "",
            "proxy.example",
            "proxy.example:3128",
            "socks5://proxy.example:1080",
            "ftp://proxy.example",
            "http://",
            "http://{proxy}:3128",
            "http://\"proxy\":3128",
            "http://`proxy`:3128",
        ] {
            let error = Connector::default().through(proxy).err();
            assert_eq!(error, Some(ConnectorError::Proxy), "{proxy}");
        }
    }

    #[test]
    fn no_header_field_goes_to_another_origin() {
        let connector = sending(&[("X-Api-Key", SECRET), ("authorization", "Basic dTpw")]).unwrap();
        for same in [
            "https://login.example.com/",
            "https://login.example.com:443/keys?a=b",
            "https://LOGIN.example.com/a/.well-known/openid-configuration",
        ] {
            let headers = connector.headers_for(&url(same));
            assert_eq!(headers.get("x-api-key").unwrap(), SECRET, "{same}");
            assert_eq!(headers.len(), 2, "{same}");
        }
        for other in [
            "http://login.example.com/",
            "https://login.example.com:8443/",
            "https://login.example.com./",
            "https://keys.login.example.com/",
            "https://example.com/",
            "https://login.example.com@login.example.net/",
            "data:,",
        ] {
            assert!(connector.headers_for(&url(other)).is_empty(), "{other}");
        }
        assert!(Connector::default().headers_for(&url("https://login.example.com/")).is_empty());
    }

    /// Two opaque origins are never the same.
    #[test]
    fn an_origin_that_is_none_gets_nothing() {
        let connector = Connector::default().sending([("x-api-key", SECRET)], &url("data:,")).unwrap();
        assert!(connector.headers_for(&url("data:,")).is_empty());
    }

    #[test]
    fn header_fields_that_cannot_be_set_are_refused() {
        let name = |name: &str| Some(ConnectorError::HeaderName(name.to_owned()));
        for reserved in RESERVED {
            assert_eq!(sending(&[(reserved, SECRET)]).err(), name(reserved));
        }
        for illegal in ["Host", "Accept-Encoding", "", "a b", "a:", "a\r\nb", "\u{e4}"] {
            assert_eq!(sending(&[(illegal, SECRET)]).err(), name(illegal));
        }
        for legal in ["x-api-key", "Authorization", "user-agent", "!#$%&'*+-.^_`|~"] {
            assert!(sending(&[(legal, SECRET)]).is_ok(), "{legal}");
        }
        let twice = sending(&[("X-Api-Key", SECRET), ("x-api-key", "other")]).err();
        assert_eq!(twice, Some(ConnectorError::HeaderTwice("x-api-key".to_owned())));
    }

    #[test]
    fn a_value_with_control_characters_is_refused_and_not_quoted() {
        for illegal in ["\r\nHost: evil", "\n", "\0", "\u{7f}", "\u{1b}[31m"] {
            let value = format!("{SECRET}{illegal}");
            let fields = [("x-api-key", value.as_str())];
            let error = Connector::default().sending(fields, &url("https://a.example/")).err();
            assert_eq!(error, Some(ConnectorError::HeaderValue("x-api-key".to_owned())), "{illegal:?}");
            assert!(!error.unwrap().to_string().contains("horse"));
        }
        assert!(sending(&[("x-api-key", "a b\tc; d=\"e\"")]).is_ok());
    }

    #[test]
    fn nothing_secret_is_shown() {
        let connector = sending(&[("x-api-key", SECRET)]).unwrap();
        let connector = connector.through(&format!("http://user:{SECRET}@proxy.example:3128")).unwrap();
        let shown = format!("{:?}", connector.trusting(FIRST.as_bytes()).unwrap());
        assert_eq!(shown, "Connector { has_authorities: true, has_proxy: true, headers: [\"x-api-key\"] }");
        let headers = sending(&[("x-api-key", SECRET)]).unwrap().headers;
        assert!(!format!("{headers:?}").contains("horse"), "{headers:?}");
    }
}
