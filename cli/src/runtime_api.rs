//! A Lambda Runtime API on loopback: hands events to a function and keeps, byte for byte, what it posts.
//!
//! ```no_run
//! use authorizer_cli::function::FunctionProcess;
//! use authorizer_cli::runtime_api::{Outcome, RuntimeApi};
//!
//! # async fn example() -> Result<(), authorizer_cli::Error> {
//! let runtime_api = RuntimeApi::start().await?;
//! let function = FunctionProcess::spawn("target/debug/lambda-authorizer", [("K", "v")], &runtime_api)?;
//! let invocation = runtime_api.invoke("{ malformed").await;
//! assert!(matches!(invocation.outcome, Outcome::Error { .. }));
//! # Ok(()) }
//! ```

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, serve};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// The Runtime API of one function.
#[derive(Debug)]
pub struct RuntimeApi {
    address: String,
    limit: Duration,
    events: mpsc::UnboundedSender<Event>,
    service: Arc<Service>,
    server: JoinHandle<()>,
}

/// One event, and what became of it.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The request ID that the function was given.
    pub request_id: String,
    /// What the function made of the event.
    pub outcome: Outcome,
    /// From the moment when the function took the event: its start does not count.
    pub elapsed: Duration,
}

/// What a function makes of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It posted an answer.
    Response(Bytes),
    /// It posted an error.
    Error(FunctionError),
    /// It reported that it could not start.
    InitError(FunctionError),
    /// Its process ended, with this code unless a signal ended it.
    Exited(Option<i32>),
    /// Nothing came within the time limit.
    TimedOut,
}

/// An error as the function posted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// `errorType`, empty when there is none.
    pub error_type: String,
    /// `errorMessage`, empty when there is none.
    pub message: String,
    /// The whole body.
    pub body: Bytes,
}

impl RuntimeApi {
    /// The longest time that [`RuntimeApi::start`] grants an event, the start of the function included.
    pub const TIME_LIMIT: Duration = Duration::from_secs(20);

    /// Starts serving on a free port of 127.0.0.1.
    pub async fn start() -> io::Result<Self> {
        Self::with_time_limit(Self::TIME_LIMIT).await
    }

    /// As [`RuntimeApi::start`], with another time limit.
    pub async fn with_time_limit(limit: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let (events, queue) = mpsc::unbounded_channel();
        let service = Arc::new(Service {
            limit,
            queue: tokio::sync::Mutex::new(queue),
            pending: Mutex::default(),
            end: watch::Sender::new(None),
        });
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::max(LARGEST_ANSWER))
            .with_state(service.clone());
        let server = tokio::spawn(async move {
            let _never_ends = serve(listener, app).await;
        });
        Ok(Self { address, limit, events, service, server })
    }

    /// `host:port`, for `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Puts an event to the function, as the bytes it is, and waits for what becomes of it.
    pub async fn invoke(&self, payload: impl Into<Vec<u8>>) -> Invocation {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let request_id = format!("00000000-0000-4000-8000-{:012x}", COUNT.fetch_add(1, Ordering::Relaxed));
        let asked = Instant::now();
        let (answer, answered) = oneshot::channel();
        self.service.pending().insert(request_id.clone(), Pending { taken: None, answer });
        let mut end = self.service.end.subscribe();
        let _served_until_dropped =
            self.events.send(Event { request_id: request_id.clone(), payload: payload.into() });
        let (outcome, elapsed) = tokio::select! {
            biased;
            Ok(answer) = answered => answer,
            Ok(end) = end.wait_for(Option::is_some) => {
                (end.clone().unwrap_or(Outcome::Exited(None)), asked.elapsed())
            }
            () = tokio::time::sleep(self.limit) => (Outcome::TimedOut, asked.elapsed()),
        };
        self.service.pending().remove(&request_id);
        Invocation { request_id, outcome, elapsed }
    }

    /// What tells this Runtime API that its function has ended (`Some`) or started (`None`).
    pub(crate) fn end(&self) -> watch::Sender<Option<Outcome>> {
        self.service.end.clone()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Outcome {
    /// The answer as JSON, if the function posted one and it is JSON.
    #[must_use]
    pub fn response(&self) -> Option<Value> {
        match self {
            Outcome::Response(body) => serde_json::from_slice(body).ok(),
            Outcome::Error(_) | Outcome::InitError(_) | Outcome::Exited(_) | Outcome::TimedOut => None,
        }
    }

    /// The error that the function posted for the event.
    #[must_use]
    pub fn error(&self) -> Option<&FunctionError> {
        match self {
            Outcome::Error(error) => Some(error),
            Outcome::Response(_) | Outcome::InitError(_) | Outcome::Exited(_) | Outcome::TimedOut => None,
        }
    }
}

/// Lambda's own limit on a synchronous answer.
const LARGEST_ANSWER: usize = 6 * 1024 * 1024;

const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:lambda-authorizer";

#[derive(Debug)]
struct Event {
    request_id: String,
    payload: Vec<u8>,
}

#[derive(Debug)]
struct Pending {
    taken: Option<Instant>,
    answer: oneshot::Sender<(Outcome, Duration)>,
}

#[derive(Debug)]
struct Service {
    limit: Duration,
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<Event>>,
    pending: Mutex<HashMap<String, Pending>>,
    end: watch::Sender<Option<Outcome>>,
}

impl Service {
    fn pending(&self) -> MutexGuard<'_, HashMap<String, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the answer to an event that is waiting for one: the first, and none for an unknown event.
    fn answer(&self, request_id: &str, outcome: Outcome) -> Response {
        match self.pending().remove(request_id) {
            Some(Pending { taken: Some(taken), answer }) => {
                let _nobody_waits = answer.send((outcome, taken.elapsed()));
                (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response()
            }
            Some(Pending { taken: None, .. }) | None => {
                let body = r#"{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}"#;
                (StatusCode::BAD_REQUEST, body).into_response()
            }
        }
    }
}

async fn next(State(service): State<Arc<Service>>) -> Response {
    loop {
        let Some(event) = service.queue.lock().await.recv().await else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        // An event that nobody waits for any more is not for the function that comes next.
        match service.pending().get_mut(&event.request_id) {
            Some(pending) => pending.taken = Some(Instant::now()),
            None => continue,
        }
        let deadline = SystemTime::now() + service.limit;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("lambda-runtime-aws-request-id", event.request_id),
            ("lambda-runtime-deadline-ms", deadline.to_string()),
            ("lambda-runtime-invoked-function-arn", FUNCTION_ARN.to_owned()),
            ("lambda-runtime-trace-id", "Root=1-645150f9-573ffa3016d1eb004e4d4c18;Sampled=0".to_owned()),
        ];
        return (headers, event.payload).into_response();
    }
}

async fn response(State(service): State<Arc<Service>>, Path(id): Path<String>, body: Bytes) -> Response {
    service.answer(&id, Outcome::Response(body))
}

async fn error(State(service): State<Arc<Service>>, Path(id): Path<String>, body: Bytes) -> Response {
    service.answer(&id, Outcome::Error(FunctionError::from(body)))
}

async fn init_error(State(service): State<Arc<Service>>, body: Bytes) -> Response {
    service.end.send_replace(Some(Outcome::InitError(FunctionError::from(body))));
    (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response()
}

impl From<Bytes> for FunctionError {
    fn from(body: Bytes) -> Self {
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        let member = |name| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { error_type: member("errorType"), message: member("errorMessage"), body }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    async fn request(address: &str, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let length = body.len();
        let request = format!(
            "{head} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Takes one event and posts `body` to `path`, where `{id}` is the event's ID. Returns the event as it
    /// came over the wire and the status of the post.
    async fn function(address: String, path: &str, body: &str) -> (String, String) {
        let event = request(&address, "GET /2018-06-01/runtime/invocation/next", "").await;
        let id = event.split_once("lambda-runtime-aws-request-id: ").unwrap().1;
        let id = id.split_once("\r\n").unwrap().0;
        let path = format!("POST /2018-06-01/runtime/{}", path.replace("{id}", id));
        let posted = request(&address, &path, body).await;
        (event, posted.lines().next().unwrap().to_owned())
    }

    #[tokio::test]
    async fn bytes_pass_both_ways_unchanged() {
        let api = RuntimeApi::start().await.unwrap();
        let answer = r#" {"principalId" : "\u0061"}"#;
        let function = function(api.address().to_owned(), "invocation/{id}/response", answer);
        let (invocation, (event, posted)) = tokio::join!(api.invoke("{ malformed"), function);
        assert!(event.ends_with("\r\n\r\n{ malformed"));
        for header in ["request-id", "deadline-ms", "invoked-function-arn", "trace-id"] {
            assert!(event.contains(header), "no {header}");
        }
        assert_eq!(posted, "HTTP/1.1 202 Accepted");
        assert_eq!(invocation.outcome, Outcome::Response(answer.into()));
        assert_eq!(invocation.outcome.response().unwrap()["principalId"], "a");
    }

    #[tokio::test]
    async fn errors_are_taken_apart_and_kept_whole() {
        let api = RuntimeApi::start().await.unwrap();
        let body = r#"{"errorType":"t","errorMessage":"Unauthorized","stackTrace":[]}"#;
        let function = function(api.address().to_owned(), "invocation/{id}/error", body);
        let (invocation, _) = tokio::join!(api.invoke("{}"), function);
        let error = invocation.outcome.error().unwrap();
        assert_eq!((error.error_type.as_str(), error.message.as_str()), ("t", "Unauthorized"));
        assert_eq!(error.body, body);
    }

    #[tokio::test]
    async fn an_answer_to_another_event_is_refused() {
        let api = RuntimeApi::with_time_limit(Duration::from_millis(200)).await.unwrap();
        let function = function(api.address().to_owned(), "invocation/other/response", "{}");
        let (invocation, (_, posted)) = tokio::join!(api.invoke("{}"), function);
        assert_eq!(posted, "HTTP/1.1 400 Bad Request");
        assert_eq!(invocation.outcome, Outcome::TimedOut);
    }

    #[tokio::test]
    async fn an_event_given_up_is_not_handed_out_later() {
        let api = RuntimeApi::with_time_limit(Duration::from_millis(100)).await.unwrap();
        assert_eq!(api.invoke("first").await.outcome, Outcome::TimedOut);
        let function = function(api.address().to_owned(), "invocation/{id}/response", "{}");
        let (_, (event, _)) = tokio::join!(api.invoke("second"), function);
        assert!(event.ends_with("second"));
    }

    #[tokio::test]
    async fn an_init_error_ends_the_wait() {
        let api = RuntimeApi::start().await.unwrap();
        let body = r#"{"errorType":"t","errorMessage":"m"}"#;
        let head = "POST /2018-06-01/runtime/init/error";
        let (invocation, _) = tokio::join!(api.invoke("{}"), request(api.address(), head, body));
        assert!(matches!(invocation.outcome, Outcome::InitError(error) if error.message == "m"));
    }
}
