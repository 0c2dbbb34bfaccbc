//! One HTTP GET, bounded in time and size: whatever answers is not trusted.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

/// What [`Fetch::get`] returns.
pub type FetchFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>>;

/// Fetches small documents.
pub trait Fetch: Send + Sync {
    /// The body of a `200 OK` at `url`.
    fn get<'a>(&'a self, url: &'a Url) -> FetchFuture<'a>;
}

/// Why a document could not be had. It holds nothing of an answer's header or body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No connection, a broken one, or a certificate that does not hold.
    #[error("the request failed: {0}")]
    Transport(String),
    /// Another status than 200. Redirects are not followed.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// More bytes than a key set has.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    /// The deadline for connection, header and body together has passed.
    #[error("the answer was not complete after {} ms", .0.as_millis())]
    TimedOut(Duration),
}

/// The HTTP client: HTTP/1.1, TLS with the Mozilla root certificates, no redirects, no proxy, no
/// compression.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    timeout: Duration,
}

/// AWS's own JWT authorizer takes key sets up to 150,000 bytes.
const SIZE_LIMIT: usize = 150_000;

impl HttpClient {
    /// A client that gives every answer `timeout` to be complete.
    ///
    /// # Errors
    ///
    /// When the TLS library cannot be set up.
    #[expect(clippy::disallowed_methods, reason = "this is the network's edge")]
    pub fn new(timeout: Duration) -> Result<Self, FetchError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // A connection from before a freeze is dead more often than not.
            .pool_idle_timeout(Duration::from_secs(5))
            .user_agent(concat!("lambda-authorizer/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| transport(&error))?;
        Ok(Self { client, timeout })
    }

    async fn read(&self, url: &Url) -> Result<Vec<u8>, FetchError> {
        let mut answer = self
            .client
            .get(url.clone())
            .header("accept", "application/json")
            .send()
            .await
            .map_err(|error| transport(&error))?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| transport(&error))? {
            if body.len() + chunk.len() > SIZE_LIMIT {
                return Err(FetchError::TooLarge(SIZE_LIMIT));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

impl Fetch for HttpClient {
    fn get<'a>(&'a self, url: &'a Url) -> FetchFuture<'a> {
        Box::pin(async move {
            // One deadline over all: a limit on each read is defeated by a server that drips.
            tokio::time::timeout(self.timeout, self.read(url))
                .await
                .unwrap_or(Err(FetchError::TimedOut(self.timeout)))
        })
    }
}

fn tls() -> Result<rustls::ClientConfig, FetchError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| FetchError::Transport(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// The innermost cause says what happened ("connection refused"); the outer ones repeat the URL.
fn transport(error: &reqwest::Error) -> FetchError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    FetchError::Transport(cause.to_string())
}
