//! An issuer that speaks HTTP by hand over loopback, so that it can also say what no HTTP server says. What it
//! does may be changed while it runs; it counts its connections and keeps what it was asked.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use authorizer_cli::issuer::{AUDIENCE, DISCOVERY_PATH, KEYS_PATH, unix_time};
use authorizer_cli::signing::{SigningKey, key_set};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::process::PATIENCE;

/// An issuer with a discovery document and a key set. Once dropped, its port refuses connections.
pub(crate) struct KeyServer {
    url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What the server does with a request.
#[derive(Clone)]
pub(crate) struct Answer {
    bytes: Arc<[u8]>,
    delay: Duration,
    /// After each byte, and after each of what is repeated.
    pause: Option<Duration>,
    end: End,
}

/// What it does after its last byte.
#[derive(Clone)]
pub(crate) enum End {
    Close,
    /// An RST instead of a FIN.
    Reset,
    /// Keeps the connection, and says nothing more.
    Stay,
    /// Says this again and again.
    Repeat(Arc<[u8]>),
}

/// What came in so far.
#[derive(Clone, Default)]
pub(crate) struct Diary {
    pub(crate) connections: usize,
    /// Of those, how many neither side has closed.
    pub(crate) open: usize,
    /// How many answers were given to the end.
    pub(crate) answered: usize,
    pub(crate) requests: Vec<Request>,
}

#[derive(Clone)]
pub(crate) struct Request {
    /// Request line and header.
    pub(crate) head: String,
    pub(crate) at: Instant,
}

struct Shared {
    plan: Mutex<Plan>,
    /// Requests wait, unanswered, while this is so.
    is_holding: watch::Sender<bool>,
    diary: watch::Sender<Diary>,
}

#[derive(Default)]
struct Plan {
    keys: Vec<Arc<SigningKey>>,
    /// By path, in turn.
    answers: BTreeMap<String, Vec<Answer>>,
    given: usize,
    turns_away: bool,
}

impl KeyServer {
    /// Serves these keys on a free port of 127.0.0.1.
    pub(crate) async fn start(keys: impl IntoIterator<Item = SigningKey>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            plan: Mutex::default(),
            is_holding: watch::Sender::new(false),
            diary: watch::Sender::default(),
        });
        let server = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(Arc::clone(&server).serve(stream));
            }
        });
        let server = Self { url, shared, task };
        server.serves(keys.into_iter().map(Arc::new));
        server
    }

    /// Its name, exactly as `iss` has it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn keys_url(&self) -> String {
        format!("{}{}", self.url.trim_end_matches('/'), KEYS_PATH)
    }

    /// The discovery document.
    pub(crate) fn discovery(&self) -> Value {
        json!({"issuer": self.url, "jwks_uri": self.keys_url()})
    }

    /// The keys that it signs with.
    pub(crate) fn keys(&self) -> Vec<Arc<SigningKey>> {
        self.plan().keys.clone()
    }

    /// Its key set, as it is published.
    pub(crate) fn key_set(&self) -> String {
        key_set(self.keys().iter().map(AsRef::as_ref)).to_string()
    }

    /// A token of its first key.
    pub(crate) fn token(&self) -> String {
        self.token_by(&self.keys()[0])
    }

    /// A token of this key, whether it is published or not.
    pub(crate) fn token_by(&self, key: &SigningKey) -> String {
        key.token(&self.claims()).unwrap()
    }

    /// A token of its first key under the ID of another.
    pub(crate) fn token_under(&self, id: &str) -> String {
        let key = &self.keys()[0];
        let mut header = key.header();
        header["kid"] = json!(id);
        key.sign(&header, &self.claims()).unwrap()
    }

    pub(crate) fn claims(&self) -> Value {
        let exp = unix_time() + 300;
        json!({"iss": self.url, "sub": "user-7f1c", "aud": AUDIENCE, "scope": "orders:read", "exp": exp})
    }

    /// Signs with these keys, and publishes them; all trouble is over.
    pub(crate) fn serves(&self, keys: impl IntoIterator<Item = Arc<SigningKey>>) {
        self.plan().keys = keys.into_iter().collect();
        self.heals();
    }

    /// Answers as an issuer should.
    pub(crate) fn heals(&self) {
        self.plan().turns_away = false;
        self.answers(DISCOVERY_PATH, Answer::ok(self.discovery().to_string()));
        self.answers(KEYS_PATH, Answer::ok(self.key_set()));
        self.lets_go();
    }

    /// Answers all requests in this way.
    pub(crate) fn always(&self, answer: &Answer) {
        self.answers(DISCOVERY_PATH, answer.clone());
        self.answers(KEYS_PATH, answer.clone());
    }

    /// Answers requests for this path in this way.
    pub(crate) fn answers(&self, path: &str, answer: Answer) {
        self.plan().answers.insert(path.to_owned(), vec![answer]);
    }

    /// Answers requests for the key set in these ways, one after another, and from the start again.
    pub(crate) fn alternates(&self, answers: Vec<Answer>) {
        let mut plan = self.plan();
        plan.given = 0;
        plan.answers.insert(KEYS_PATH.to_owned(), answers);
    }

    /// Closes connections before it has read anything.
    pub(crate) fn turns_away(&self) {
        self.plan().turns_away = true;
    }

    /// Keeps requests waiting.
    pub(crate) fn holds(&self) {
        self.shared.is_holding.send_replace(true);
    }

    /// Answers the requests that wait, in the way that is in force now.
    pub(crate) fn lets_go(&self) {
        self.shared.is_holding.send_replace(false);
    }

    pub(crate) fn diary(&self) -> Diary {
        self.shared.diary.borrow().clone()
    }

    /// How many requests came in.
    pub(crate) fn requests(&self) -> usize {
        self.shared.diary.borrow().requests.len()
    }

    /// Waits until it is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl FnMut(&Diary) -> bool) {
        let mut diary = self.shared.diary.subscribe();
        let waited = tokio::time::timeout(PATIENCE, diary.wait_for(is_so)).await;
        waited.unwrap_or_else(|_| panic!("{what}: in vain")).unwrap();
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.shared.plan.lock().unwrap()
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Answer {
    /// These bytes, and the end of the connection.
    pub(crate) fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Self { bytes: bytes.as_ref().into(), delay: Duration::ZERO, pause: None, end: End::Close }
    }

    /// A `200 OK` with this document.
    pub(crate) fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::status("200 OK", "Content-Type: application/json\r\n", body)
    }

    /// An answer with this status and with these header lines beside the usual ones.
    pub(crate) fn status(status: &str, lines: &str, body: impl AsRef<[u8]>) -> Self {
        let length = body.as_ref().len();
        let head =
            format!("HTTP/1.1 {status}\r\nConnection: close\r\n{lines}Content-Length: {length}\r\n\r\n");
        Self::raw([head.as_bytes(), body.as_ref()].concat())
    }

    /// Nothing at all, for ever.
    pub(crate) fn silence() -> Self {
        Self::raw("").and(End::Stay)
    }

    /// The same, later.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The same, byte by byte.
    pub(crate) fn dripping(self, pause: Duration) -> Self {
        Self { pause: Some(pause), ..self }
    }

    /// The same, with another end.
    pub(crate) fn and(self, end: End) -> Self {
        Self { end, ..self }
    }

    /// The same, without what comes after so many bytes.
    pub(crate) fn cut_to(self, length: usize) -> Self {
        Self { bytes: self.bytes[..length].into(), ..self }
    }

    async fn give(self, stream: &mut TcpStream) -> std::io::Result<()> {
        tokio::time::sleep(self.delay).await;
        match self.pause {
            None => stream.write_all(&self.bytes).await?,
            Some(pause) => {
                for byte in self.bytes.iter() {
                    stream.write_all(&[*byte]).await?;
                    tokio::time::sleep(pause).await;
                }
            }
        }
        match self.end {
            End::Close => {}
            End::Reset => stream.set_zero_linger()?,
            End::Stay => closed(stream).await,
            End::Repeat(bytes) => loop {
                stream.write_all(&bytes).await?;
                tokio::time::sleep(self.pause.unwrap_or_default()).await;
            },
        }
        Ok(())
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        self.diary.send_modify(|diary| {
            diary.connections += 1;
            diary.open += 1;
        });
        if !self.plan.lock().unwrap().turns_away {
            self.serve_request(&mut stream).await;
        }
        drop(stream);
        self.diary.send_modify(|diary| diary.open -= 1);
    }

    async fn serve_request(&self, stream: &mut TcpStream) {
        let Some(head) = head(stream).await else { return };
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let request = Request { head, at: Instant::now() };
        self.diary.send_modify(|diary| diary.requests.push(request));
        let mut is_holding = self.is_holding.subscribe();
        tokio::select! {
            biased;
            _ = is_holding.wait_for(|is_holding| !is_holding) => {}
            () = closed(stream) => return,
        }
        if self.next(&path).give(stream).await.is_ok() {
            self.diary.send_modify(|diary| diary.answered += 1);
        }
    }

    fn next(&self, path: &str) -> Answer {
        let mut plan = self.plan.lock().unwrap();
        let Some(answers) = plan.answers.get(path) else {
            return Answer::status("404 Not Found", "", "");
        };
        let answer = answers[plan.given % answers.len()].clone();
        plan.given += usize::from(path == KEYS_PATH);
        answer
    }
}

/// Waits until the client has closed the connection.
async fn closed(stream: &mut TcpStream) {
    while let Ok(1..) = stream.read(&mut [0; 1024]).await {}
}

/// A request up to the empty line. What is posted is read, too: otherwise the answer would be lost with the connection.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    stream.read_exact(&mut vec![0; length.unwrap_or(0)]).await.ok()?;
    Some(head)
}
