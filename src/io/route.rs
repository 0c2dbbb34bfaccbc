//! [`Route`]: the connection on which a request goes out.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use hyper::header::HeaderValue;
use hyper::http::uri::Scheme;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;
use url::Url;

/// What speaks TLS where the URL says so, on a connection that is a [`Route`].
pub(super) type Secured = HttpsConnector<Route>;

/// An HTTP proxy that is asked for tunnels.
#[derive(Clone)]
pub(super) struct Proxy {
    address: Uri,
    authorization: Option<HeaderValue>,
}

/// A connection to the server itself, or a tunnel through a proxy where there is one. The proxy gets to see TLS only:
/// plain http goes to this very machine, and not by way of another one (rule K1).
#[derive(Clone)]
pub(super) struct Route {
    tcp: HttpConnector,
    /// The proxy, and what speaks TLS to it where its URL says so.
    proxy: Option<(Proxy, HttpsConnector<HttpConnector>)>,
}

impl Proxy {
    /// The proxy at this URL, with the user and the password that stand in it; `None` where it can be no host's.
    pub(super) fn at(url: &Url) -> Option<Self> {
        let host = url.host_str()?;
        let port = url.port_or_known_default()?;
        let address = format!("{}://{host}:{port}/", url.scheme()).parse().ok()?;
        let authorization = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some(basic(user, password.unwrap_or_default())?),
        };
        Some(Self { address, authorization })
    }
}

impl Route {
    /// Through the proxy, if there is one. `tls` is how this machine speaks to a proxy over https.
    pub(super) fn new(proxy: Option<&Proxy>, tls: &ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let proxy = proxy.map(|proxy| (proxy.clone(), secured(tls.clone(), tcp.clone())));
        Self { tcp, proxy }
    }

    pub(super) fn secured(self, tls: ClientConfig) -> Secured {
        secured(tls, self)
    }
}

impl Service<Uri> for Route {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // None of the connectors has anything to wait for.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        match &self.proxy {
            Some((proxy, connector)) if server.scheme() == Some(&Scheme::HTTPS) => {
                let tunnel = Tunnel::new(proxy.address.clone(), connector.clone());
                let mut tunnel = match &proxy.authorization {
                    Some(authorization) => tunnel.with_auth(authorization.clone()),
                    None => tunnel,
                };
                Box::pin(async move { Ok(tunnel.call(server).await?) })
            }
            Some(_) | None => {
                let connected = self.tcp.call(server);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(connected.await?)) })
            }
        }
    }
}

fn secured<C>(tls: ClientConfig, connector: C) -> HttpsConnector<C> {
    HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(connector)
}

/// RFC 7617, section 2.
fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    let decoded = |text| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [decoded(user), decoded(password)].join(&b':');
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    fn proxy(url: &str) -> Proxy {
        Proxy::at(&url.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_proxy_has_the_port_of_its_scheme() {
        for (url, address) in [
            ("http://proxy.example", "http://proxy.example:80/"),
            ("https://proxy.example", "https://proxy.example:443/"),
            ("http://proxy.example:3128/a?b", "http://proxy.example:3128/"),
            ("http://[fd00::1]", "http://[fd00::1]:80/"),
        ] {
            assert_eq!(proxy(url).address, address, "{url}");
        }
    }

    #[test]
    fn user_and_password_are_sent_as_they_are_meant() {
        for (userinfo, pair) in [
            ("user:p%40s%3As@", Some("user:p@s:s")),
            ("user@", Some("user:")),
            (":key@", Some(":key")),
            ("", None),
        ] {
            let sent = proxy(&format!("http://{userinfo}proxy.example")).authorization;
            let expected = pair.map(|pair| format!("Basic {}", STANDARD.encode(pair)));
            assert_eq!(sent.as_ref().map(|value| value.to_str().unwrap()), expected.as_deref());
            assert!(sent.is_none_or(|value| value.is_sensitive()));
        }
    }

    /// Otherwise a loopback address would be that of the proxy's machine. Rule K1.
    #[tokio::test]
    async fn only_https_goes_through_the_proxy() {
        let (server, proxy) = (listener().await, listener().await);
        let (server_at, proxy_at) = (server.local_addr().unwrap(), proxy.local_addr().unwrap());
        let url = format!("http://user@{proxy_at}").parse().unwrap();
        let tls = ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let mut route = Route::new(Proxy::at(&url).as_ref(), &tls);

        let plain = route.call(format!("http://{server_at}/keys").parse().unwrap()).await;
        assert!(matches!(plain, Ok(MaybeHttpsStream::Http(_))));
        server.accept().await.unwrap();

        tokio::spawn(route.call(format!("https://{server_at}/keys").parse().unwrap()));
        let (mut asked, _) = proxy.accept().await.unwrap();
        let mut head = vec![0; 512];
        let length = asked.read(&mut head).await.unwrap();
        let head = String::from_utf8(head[..length].to_vec()).unwrap();
        assert!(head.starts_with(&format!("CONNECT {server_at} HTTP/1.1\r\n")), "{head}");
        let authorization = format!("basic {}\r\n", STANDARD.encode("user:")).to_lowercase();
        assert!(head.to_lowercase().contains(&format!("proxy-authorization: {authorization}")), "{head}");
    }

    async fn listener() -> TcpListener {
        TcpListener::bind(("127.0.0.1", 0)).await.unwrap()
    }
}
