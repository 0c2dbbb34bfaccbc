//! Requests over HTTP, bounded in time and size: whatever answers is not trusted.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AGE, CACHE_CONTROL, CONTENT_ENCODING, HeaderMap, RETRY_AFTER};
use tokio::time::Instant;
use url::Url;

use super::connector::Connector;
use super::freshness;

/// What the methods of [`Session`] return.
pub type FetchFuture<'a> = Pin<Box<dyn Future<Output = Result<Document, FetchError>> + Send + 'a>>;

/// Fetches small documents.
pub trait Fetch: Send + Sync {
    /// Documents of one origin, or of several, that are all to be there within the effort's limit.
    /// Connections are kept as long as the session, and no longer: one from before a freeze is dead more
    /// often than not.
    fn session(&self, connector: &Connector, effort: Effort) -> Arc<dyn Session>;
}

/// What may be spent on the documents of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// The time for all of them together.
    pub limit: Duration,
    /// Whether what failed for no lasting reason is tried once more at once.
    pub tries_again: bool,
}

/// A few requests that belong together.
pub trait Session: Send + Sync {
    /// The document of a `200 OK` at `url`.
    fn get<'a>(&'a self, url: &'a Url) -> FetchFuture<'a>;

    /// What a `200 OK` at `url` says to a form that was sent there, encoded as `application/x-www-form-urlencoded`. A session
    /// that only fetches takes none.
    fn post<'a>(&'a self, _url: &'a Url, _form: &'a str) -> FetchFuture<'a> {
        Box::pin(async { Err(FetchError::Transport("no forms are sent here".to_owned())) })
    }

    /// What is answered to this message, whatever the status. It is sent once: whether to try again is for the caller to say. A
    /// session that only fetches sends none.
    #[cfg(feature = "dynamodb")]
    fn exchange(&self, _message: Message) -> ExchangeFuture<'_> {
        Box::pin(async { Err(FetchError::Transport("no messages are sent here".to_owned())) })
    }
}

/// A request in which everything is said, header fields included.
#[cfg(feature = "dynamodb")]
pub struct Message {
    /// Where it is sent.
    pub url: Url,
    /// Header fields beside those of every request. They may be secrets.
    pub headers: Vec<(String, String)>,
    /// What is posted; without it, the request is a `GET`.
    pub body: Option<String>,
}

/// Whatever a server answered to a [`Message`].
#[cfg(feature = "dynamodb")]
#[derive(Clone, Debug, PartialEq)]
pub struct RawAnswer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// What [`Session::exchange`] returns.
#[cfg(feature = "dynamodb")]
pub type ExchangeFuture<'a> = Pin<Box<dyn Future<Output = Result<RawAnswer, FetchError>> + Send + 'a>>;

/// What a server answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The body.
    pub body: Vec<u8>,
    /// How long it stays fresh, in seconds, as far as the server says so: the `max-age` of its
    /// `Cache-Control`, less its `Age` (RFC 9111, section 4.2).
    pub fresh_for: Option<f64>,
}

/// Why a document could not be had. It holds nothing of an answer's header or body, but for the status and
/// the time.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FetchError {
    /// No connection, a broken one, or a certificate that does not hold.
    #[error("the request failed: {0}")]
    Transport(String),
    /// Another status than 200. Redirects are not followed.
    #[error("the server answered with status {status}")]
    Status {
        /// The status.
        status: u16,
        /// The seconds of its `Retry-After`.
        retry_after: Option<f64>,
    },
    /// More bytes than a key set has.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    /// A coding that was not asked for. What is not unpacked cannot be a bomb.
    #[error("the answer is compressed")]
    Compressed,
    /// The deadline for connection, header and body of all documents together has passed.
    #[error("the answer was not complete after {} ms", .0.as_millis())]
    TimedOut(Duration),
}

/// The HTTP client: HTTP/1.1, TLS with the Mozilla root certificates and those of the connector, no
/// redirects, no compression, and a proxy only where the connector has one.
#[derive(Clone, Debug)]
pub struct HttpClient;

/// AWS's own JWT authorizer takes key sets up to 150,000 bytes.
const SIZE_LIMIT: usize = 150_000;

impl Fetch for HttpClient {
    fn session(&self, connector: &Connector, effort: Effort) -> Arc<dyn Session> {
        let (client, connector) = (client(connector), connector.clone());
        Arc::new(HttpSession { client, connector, effort, end: Instant::now() + effort.limit })
    }
}

struct HttpSession {
    client: Result<reqwest::Client, FetchError>,
    connector: Connector,
    effort: Effort,
    end: Instant,
}

impl HttpSession {
    async fn ask(&self, url: &Url, form: Option<&str>) -> Result<Document, FetchError> {
        // One deadline over all: a limit on each read is defeated by a server that drips.
        tokio::time::timeout_at(self.end, self.ask_or_retry(url, form))
            .await
            .unwrap_or(Err(FetchError::TimedOut(self.effort.limit)))
    }

    /// Tries once more what failed for no lasting reason: a connection that broke, a server that was not
    /// up to it.
    async fn ask_or_retry(&self, url: &Url, form: Option<&str>) -> Result<Document, FetchError> {
        match self.ask_once(url, form).await {
            Err(FetchError::Transport(_) | FetchError::Status { status: 500..=599, retry_after: None })
                if self.effort.tries_again =>
            {
                tokio::time::sleep(RETRY_PAUSE).await;
                self.ask_once(url, form).await
            }
            answer => answer,
        }
    }

    async fn ask_once(&self, url: &Url, form: Option<&str>) -> Result<Document, FetchError> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let request = match form {
            None => client.get(url.clone()),
            Some(form) => client
                .post(url.clone())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.to_owned()),
        };
        let answer = request
            .header("accept", "application/json")
            .header("accept-encoding", "identity")
            .headers(self.connector.headers_for(url))
            .send()
            .await
            .map_err(|error| transport(&error))?;
        if answer.status() != reqwest::StatusCode::OK {
            let retry_after = text(answer.headers(), RETRY_AFTER).and_then(freshness::delay);
            return Err(FetchError::Status { status: answer.status().as_u16(), retry_after });
        }
        let cache_control: Vec<&str> =
            answer.headers().get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok()).collect();
        let fresh_for = freshness::fresh_for(&cache_control, text(answer.headers(), AGE));
        Ok(Document { body: body(answer).await?, fresh_for })
    }

    #[cfg(feature = "dynamodb")]
    async fn exchange_once(&self, message: Message) -> Result<RawAnswer, FetchError> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let request = match message.body {
            None => client.get(message.url),
            Some(body) => client.post(message.url).body(body),
        };
        let request =
            message.headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let answer =
            request.header("accept-encoding", "identity").send().await.map_err(|error| transport(&error))?;
        let status = answer.status().as_u16();
        Ok(RawAnswer { status, body: body(answer).await? })
    }
}

/// What is not compressed, and no longer than a key set may be.
async fn body(mut answer: reqwest::Response) -> Result<Vec<u8>, FetchError> {
    if text(answer.headers(), CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"))
    {
        return Err(FetchError::Compressed);
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

const RETRY_PAUSE: Duration = Duration::from_millis(100);

impl Session for HttpSession {
    fn get<'a>(&'a self, url: &'a Url) -> FetchFuture<'a> {
        Box::pin(self.ask(url, None))
    }

    fn post<'a>(&'a self, url: &'a Url, form: &'a str) -> FetchFuture<'a> {
        Box::pin(self.ask(url, Some(form)))
    }

    #[cfg(feature = "dynamodb")]
    fn exchange(&self, message: Message) -> ExchangeFuture<'_> {
        Box::pin(async {
            tokio::time::timeout_at(self.end, self.exchange_once(message))
                .await
                .unwrap_or(Err(FetchError::TimedOut(self.effort.limit)))
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the network's edge")]
fn client(connector: &Connector) -> Result<reqwest::Client, FetchError> {
    let tls = connector.tls().map_err(|error| FetchError::Transport(error.to_string()))?;
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("lambda-authorizer/", env!("CARGO_PKG_VERSION")));
    match connector.proxy() {
        Some(proxy) => builder.proxy(proxy.clone()),
        None => builder.no_proxy(),
    }
    .build()
    .map_err(|error| transport(&error))
}

fn text(headers: &HeaderMap, name: reqwest::header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The innermost cause says what happened ("connection refused"); the outer ones repeat the URL.
fn transport(error: &reqwest::Error) -> FetchError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    FetchError::Transport(cause.to_string())
}
