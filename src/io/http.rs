//! Requests over HTTP, bounded in time and size: whatever answers is not trusted.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use hyper::http::request::Builder;
use hyper::{Method, Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::time::Instant;
use url::Url;

use super::connector::Connector;
use super::freshness;
use super::route::Secured;

/// What [`Session::get`] returns.
pub type FetchFuture<'a> = Pin<Box<dyn Future<Output = Result<Document, FetchError>> + Send + 'a>>;

/// What [`Session::ask`] returns.
pub type ReplyFuture<'a> = Pin<Box<dyn Future<Output = Result<Reply, FetchError>> + Send + 'a>>;

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

    /// What a server says to a question. A session that only fetches takes none.
    fn ask<'a>(&'a self, _question: Question<'a>) -> ReplyFuture<'a> {
        Box::pin(async { Err(FetchError::Transport("nothing is asked here".to_owned())) })
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

/// A question to a server that does not answer everybody the same. What it holds is secret.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Whom it is put to.
    pub url: &'a Url,
    /// The form that is posted, encoded as `application/x-www-form-urlencoded`; without one the question is a `GET`.
    pub form: Option<&'a str>,
    /// The media types that are understood (`Accept`).
    pub accept: &'static str,
    /// The value of `Authorization`, in the place of the connector's.
    pub authorization: Option<&'a str>,
}

/// What a server said: `200`, or one of the statuses with which a refusal comes (RFC 6749, section 5.2; RFC 6750, section 3.1).
/// Its body may be a secret.
#[derive(Clone, PartialEq)]
pub struct Reply {
    /// 200, 400, 401 or 403.
    pub status: u16,
    /// The media type of the body, in lower case and without parameters.
    pub media_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

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

/// As servers know it.
const NAME: &str = concat!("lambda-authorizer/", env!("CARGO_PKG_VERSION"));

impl Fetch for HttpClient {
    fn session(&self, connector: &Connector, effort: Effort) -> Arc<dyn Session> {
        let (client, connector) = (client(connector), connector.clone());
        Arc::new(HttpSession { client, connector, effort, end: Instant::now() + effort.limit })
    }
}

struct HttpSession {
    client: Result<Client<Secured, Full<Bytes>>, FetchError>,
    connector: Connector,
    effort: Effort,
    end: Instant,
}

impl HttpSession {
    async fn in_time(&self, question: Question<'_>) -> Result<Answer, FetchError> {
        // One deadline over all: a limit on each read is defeated by a server that drips.
        tokio::time::timeout_at(self.end, self.ask_or_retry(question))
            .await
            .unwrap_or(Err(FetchError::TimedOut(self.effort.limit)))
    }

    /// Tries once more what failed for no lasting reason: a connection that broke, a server that was not
    /// up to it.
    async fn ask_or_retry(&self, question: Question<'_>) -> Result<Answer, FetchError> {
        match self.ask_once(question).await {
            Err(FetchError::Transport(_) | FetchError::Status { status: 500..=599, retry_after: None })
                if self.effort.tries_again =>
            {
                tokio::time::sleep(RETRY_PAUSE).await;
                self.ask_once(question).await
            }
            answer => answer,
        }
    }

    async fn ask_once(&self, question: Question<'_>) -> Result<Answer, FetchError> {
        let (mut request, body) = match question.form {
            None => (request_to(question.url, Method::GET), Full::default()),
            Some(form) => (
                request_to(question.url, Method::POST)
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded"),
                Full::from(form.to_owned()),
            ),
        };
        request = request.header(ACCEPT, question.accept);
        if let Some(headers) = request.headers_mut() {
            // In the place of those that are there already.
            headers.extend(self.headers(question)?);
        }
        let (headers, answer) = self.send(request, body).await?;
        let status = answer.status().as_u16();
        if !matches!(status, 200 | 400 | 401 | 403) {
            return Err(refused(status, &headers));
        }
        let body = body_of(answer, &headers).await?;
        Ok(Answer { status, headers, body })
    }

    #[cfg(feature = "dynamodb")]
    async fn exchange_once(&self, message: Message) -> Result<RawAnswer, FetchError> {
        let (request, body) = match message.body {
            None => (request_to(&message.url, Method::GET), Full::default()),
            Some(body) => (request_to(&message.url, Method::POST), Full::from(body)),
        };
        let request =
            message.headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let (headers, answer) = self.send(request, body).await?;
        Ok(RawAnswer { status: answer.status().as_u16(), body: body_of(answer, &headers).await? })
    }

    /// The header fields of the answer, and what else is there of it.
    async fn send(
        &self,
        request: Builder,
        body: Full<Bytes>,
    ) -> Result<(HeaderMap, Response<Incoming>), FetchError> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let request = request.body(body).map_err(|error| transport(&error))?;
        let mut answer = client.request(request).await.map_err(|error| transport(&error))?;
        Ok((std::mem::take(answer.headers_mut()), answer))
    }

    fn headers(&self, question: Question<'_>) -> Result<HeaderMap, FetchError> {
        let mut headers = self.connector.headers_for(question.url);
        if let Some(authorization) = question.authorization {
            let unsendable = |_| FetchError::Transport("the credential holds what no header can".to_owned());
            let mut value = HeaderValue::from_str(authorization).map_err(unsendable)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(headers)
    }
}

fn request_to(url: &Url, method: Method) -> Builder {
    let request = Request::builder().method(method).uri(url.as_str());
    request.header(ACCEPT_ENCODING, "identity").header(USER_AGENT, NAME)
}

/// What is not compressed, and no longer than a key set may be.
async fn body_of(mut answer: Response<Incoming>, headers: &HeaderMap) -> Result<Vec<u8>, FetchError> {
    if text(headers, CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(FetchError::Compressed);
    }
    let mut body = Vec::new();
    while let Some(frame) = answer.frame().await {
        let frame = frame.map_err(|error| transport(&error))?;
        let chunk = frame.data_ref().map_or(&[][..], |chunk| chunk);
        if body.len() + chunk.len() > SIZE_LIMIT {
            return Err(FetchError::TooLarge(SIZE_LIMIT));
        }
        body.extend_from_slice(chunk);
    }
    Ok(body)
}

/// A whole answer, with one of the statuses of a [`Reply`].
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn document(self) -> Result<Document, FetchError> {
        if self.status != 200 {
            return Err(refused(self.status, &self.headers));
        }
        let cache_control: Vec<&str> =
            self.headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok()).collect();
        let fresh_for = freshness::fresh_for(&cache_control, text(&self.headers, AGE));
        Ok(Document { body: self.body, fresh_for })
    }

    fn reply(self) -> Reply {
        let media_type = text(&self.headers, CONTENT_TYPE)
            .and_then(|value| value.split(';').next())
            .map(|value| value.trim().to_ascii_lowercase());
        Reply { status: self.status, media_type, body: self.body }
    }
}

fn refused(status: u16, headers: &HeaderMap) -> FetchError {
    FetchError::Status { status, retry_after: text(headers, RETRY_AFTER).and_then(freshness::delay) }
}

const RETRY_PAUSE: Duration = Duration::from_millis(100);

impl Session for HttpSession {
    fn get<'a>(&'a self, url: &'a Url) -> FetchFuture<'a> {
        let question = Question { url, form: None, accept: "application/json", authorization: None };
        Box::pin(async move { self.in_time(question).await?.document() })
    }

    fn ask<'a>(&'a self, question: Question<'a>) -> ReplyFuture<'a> {
        Box::pin(async move { Ok(self.in_time(question).await?.reply()) })
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
fn client(connector: &Connector) -> Result<Client<Secured, Full<Bytes>>, FetchError> {
    let secured = connector.secured().map_err(|error| FetchError::Transport(error.to_string()))?;
    Ok(Client::builder(TokioExecutor::new()).build(secured))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The innermost cause says what happened ("connection refused"); the outer ones repeat the URL.
fn transport(error: &dyn std::error::Error) -> FetchError {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    FetchError::Transport(cause.to_string())
}
