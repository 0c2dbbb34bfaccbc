//! The function's process: the real binary, in an environment like Lambda's, with everything it prints kept.
//!
//! ```no_run
//! use authorizer_cli::function::FunctionProcess;
//! use authorizer_cli::runtime_api::RuntimeApi;
//!
//! # async fn example() -> Result<(), authorizer_cli::Error> {
//! let runtime_api = RuntimeApi::start().await?;
//! let environment = [("AUTHORIZER_ISSUER", "https://issuer.example/"), ("AUTHORIZER_AUDIENCE", "api")];
//! let function = FunctionProcess::spawn("target/debug/lambda-authorizer", environment, &runtime_api)?;
//! let invocation = runtime_api.invoke("{}").await;
//! let ended = function.stop().await;
//! assert!(!ended.stdout.contains("eyJ") && !ended.stderr.contains("eyJ"));
//! # Ok(()) }
//! ```

use std::ffi::OsStr;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::runtime_api::{Outcome, RuntimeApi};

/// A running function. Dropping it kills the process.
#[derive(Debug)]
pub struct FunctionProcess {
    id: Option<u32>,
    stdout: Capture,
    stderr: Capture,
    kill: oneshot::Sender<()>,
    status: JoinHandle<Option<ExitStatus>>,
}

/// What a function leaves behind.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How the process ended; a signal when it was stopped.
    pub status: Option<ExitStatus>,
    /// Everything it wrote to standard output.
    pub stdout: String,
    /// Everything it wrote to standard error.
    pub stderr: String,
}

impl FunctionProcess {
    /// Starts the binary with nothing in its environment but these variables and those that the runtime
    /// cannot do without. `environment` may replace the latter.
    ///
    /// Variables that only AWS itself sets (`AWS_EXECUTION_ENV`, `LAMBDA_TASK_ROOT`, …) are not set.
    pub fn spawn<K, V>(
        binary: impl AsRef<OsStr>,
        environment: impl IntoIterator<Item = (K, V)>,
        runtime_api: &RuntimeApi,
    ) -> io::Result<Self>
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        let mut child = Command::new(binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", "lambda-authorizer")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let id = child.id();
        let (stdout, stderr) = (Capture::of(child.stdout.take()), Capture::of(child.stderr.take()));
        let (kill, killed) = oneshot::channel();
        let end = runtime_api.end();
        end.send_replace(None);
        let status = tokio::spawn(watch_over(child, killed, end));
        Ok(Self { id, stdout, stderr, kill, status })
    }

    /// The ID of the process, for the operating system's books: how much memory it took.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.id
    }

    /// What it has written to standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has written to standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// The JSON line on standard output whose `request_id` is this one. Waits a moment for it, because the
    /// answer and the line travel different ways.
    pub async fn log_record(&self, request_id: &str) -> Option<Value> {
        let of_this_request = |line: &str| {
            let record: Value = serde_json::from_str(line).ok()?;
            (record.get("request_id")? == request_id).then_some(record)
        };
        for _ in 0..100 {
            if let Some(record) = self.stdout().lines().find_map(of_this_request) {
                return Some(record);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        None
    }

    /// The decision records so far: the JSON lines on standard output that have a `request_id`.
    #[must_use]
    pub fn records(&self) -> Vec<Value> {
        let records = self.stdout();
        let records = records.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        records.filter(|record| record.get("request_id").is_some()).collect()
    }

    /// Waits until the process ends by itself, and kills it if it has not after `limit`.
    pub async fn wait(mut self, limit: Duration) -> Ended {
        let in_time = tokio::time::timeout(limit, &mut self.status).await;
        match in_time {
            Ok(status) => Self::collect(status.ok().flatten(), self.stdout, self.stderr).await,
            Err(_elapsed) => self.stop().await,
        }
    }

    /// Kills the process and returns all that it has written.
    pub async fn stop(self) -> Ended {
        let _already_ended = self.kill.send(());
        let status = self.status.await.ok().flatten();
        Self::collect(status, self.stdout, self.stderr).await
    }

    async fn collect(status: Option<ExitStatus>, stdout: Capture, stderr: Capture) -> Ended {
        Ended { status, stdout: stdout.whole().await, stderr: stderr.whole().await }
    }
}

/// Owns the child: ends it when told to, or when `kill` is dropped, and reports its end.
async fn watch_over(
    mut child: Child,
    killed: oneshot::Receiver<()>,
    end: watch::Sender<Option<Outcome>>,
) -> Option<ExitStatus> {
    let status = tokio::select! {
        status = child.wait() => status,
        _told_or_dropped = killed => {
            let _already_ended = child.start_kill();
            child.wait().await
        }
    };
    let status = status.ok();
    // An error that was reported before says more than the exit that follows it.
    end.send_if_modified(|end| {
        let first = end.is_none();
        if first {
            *end = Some(Outcome::Exited(status.and_then(|status| status.code())));
        }
        first
    });
    status
}

/// A stream read to its end in the background.
#[derive(Debug)]
struct Capture {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Capture {
    fn of(stream: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let reader = tokio::spawn(async move {
            let Some(mut stream) = stream else { return };
            let mut chunk = Vec::with_capacity(8192);
            while let Ok(1..) = stream.read_buf(&mut chunk).await {
                sink.lock().unwrap_or_else(PoisonError::into_inner).append(&mut chunk);
            }
        });
        Self { bytes, reader }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    async fn whole(mut self) -> String {
        // A grandchild may hold the stream open for ever.
        let _still_open = tokio::time::timeout(Duration::from_secs(1), &mut self.reader).await;
        self.text()
    }
}
