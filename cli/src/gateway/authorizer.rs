//! The authorizer that is asked: the library in this process, or the real binary over a Runtime API.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_authorizer::config::Config;
use lambda_authorizer::event::Event;
use lambda_authorizer::io::{Edges, Log};
use lambda_authorizer::{Authorizer, Level};
use serde_json::Value;

use super::console::Explaining;
use super::request::random_uuid;
use crate::Error;
use crate::function::FunctionProcess;
use crate::runtime_api::{FunctionError, Outcome, RuntimeApi};

/// What an authorizer made of an event, and its own record of the decision.
#[derive(Clone, Debug)]
pub(super) struct Consulted {
    /// What it posted.
    pub outcome: Outcome,
    /// The line of its log, where there is one.
    pub record: Option<Value>,
}

/// An authorizer.
pub(super) enum Function {
    /// The library, in this process.
    InProcess(InProcess),
    /// A binary of its own.
    Process(Box<Process>),
    /// The library for one question of the console.
    Explaining(Box<Explaining>),
}

/// The library, in this process.
pub(super) struct InProcess {
    authorizer: Arc<Authorizer>,
    records: Arc<Records>,
}

/// A binary, started again whenever it has ended, as Lambda does.
pub(super) struct Process {
    binary: PathBuf,
    environment: Vec<(String, String)>,
    runtime_api: RuntimeApi,
    running: tokio::sync::Mutex<Option<Arc<FunctionProcess>>>,
}

/// How long an HTTP API waits for its authorizer (contract 3.9). What the others do is not published.
const TIME_LIMIT: Duration = Duration::from_secs(10);

impl Function {
    /// The library, where it is in this process.
    pub(super) fn authorizer(&self) -> Option<Arc<Authorizer>> {
        match self {
            Self::InProcess(function) => Some(Arc::clone(&function.authorizer)),
            Self::Process(_) | Self::Explaining(_) => None,
        }
    }

    /// The library with this configuration. It fetches the issuers' keys before it returns.
    pub(super) async fn in_process(config: Config) -> Self {
        let records = Arc::new(Records::default());
        let edges = Edges { log: records.clone(), ..Edges::of_this_machine() };
        let authorizer = Arc::new(Authorizer::new(config, Level::Info, edges));
        authorizer.prefetch().await;
        Self::InProcess(InProcess { authorizer, records })
    }

    /// The binary with nothing in its environment but this.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub(super) async fn process(binary: PathBuf, environment: Vec<(String, String)>) -> Result<Self, Error> {
        let runtime_api = RuntimeApi::with_time_limit(TIME_LIMIT).await?;
        let process = Process { binary, environment, runtime_api, running: tokio::sync::Mutex::default() };
        process.running().await?;
        Ok(Self::Process(Box::new(process)))
    }

    /// Puts an event to it.
    pub(super) async fn ask(&self, event: &Value) -> Consulted {
        match self {
            Self::InProcess(function) => function.ask(event.to_string()).await,
            Self::Process(function) => function.ask(event.to_string()).await,
            Self::Explaining(function) => function.ask(event.to_string()).await,
        }
    }
}

impl InProcess {
    async fn ask(&self, payload: String) -> Consulted {
        let id = random_uuid();
        let (authorizer, invocation) = (Arc::clone(&self.authorizer), id.clone());
        let asked = tokio::spawn(async move {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let deadline = Some((now + TIME_LIMIT).as_secs_f64());
            authorizer.authorize(Event { payload: &payload, invocation_id: &invocation, deadline }).await
        });
        let outcome = match tokio::time::timeout(TIME_LIMIT, asked).await {
            Ok(Ok(Ok(response))) => Outcome::Response(response.as_str().to_owned().into()),
            Ok(Ok(Err(failure))) => {
                let (error_type, message) =
                    (failure.error_type().to_owned(), failure.error_message().to_owned());
                Outcome::Error(FunctionError { error_type, message, body: "".into() })
            }
            // It has panicked: a bug.
            Ok(Err(_)) => Outcome::Exited(None),
            Err(_) => Outcome::TimedOut,
        };
        Consulted { outcome, record: self.records.take(&id) }
    }
}

impl Process {
    async fn ask(&self, payload: String) -> Consulted {
        let function = match self.running().await {
            Ok(function) => function,
            Err(error) => {
                eprintln!("error: {error}");
                return Consulted { outcome: Outcome::Exited(None), record: None };
            }
        };
        let invocation = self.runtime_api.invoke(payload).await;
        let record = match invocation.outcome {
            Outcome::Response(_) | Outcome::Error(_) => function.log_record(&invocation.request_id).await,
            Outcome::InitError(_) | Outcome::Exited(_) => {
                eprintln!("the function ended, having said:\n{}{}", function.stdout(), function.stderr());
                self.running.lock().await.take();
                None
            }
            Outcome::TimedOut => None,
        };
        Consulted { outcome: invocation.outcome, record }
    }

    async fn running(&self) -> Result<Arc<FunctionProcess>, Error> {
        let mut running = self.running.lock().await;
        if let Some(function) = running.as_ref() {
            return Ok(Arc::clone(function));
        }
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        let function = FunctionProcess::spawn(&self.binary, environment, &self.runtime_api)
            .map_err(|error| format!("cannot start `{}`: {error}", self.binary.display()))?;
        Ok(Arc::clone(running.insert(Arc::new(function))))
    }
}

/// The decisions' records, by the ID of their invocation; all else that the library has to say goes to standard
/// error.
#[derive(Default)]
struct Records(Mutex<HashMap<String, Value>>);

impl Records {
    fn take(&self, id: &str) -> Option<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id)
    }
}

impl Log for Records {
    fn line(&self, line: &str) {
        let record: Option<Value> = serde_json::from_str(line).ok();
        let id = record.as_ref().and_then(|record| record.get("request_id")?.as_str().map(str::to_owned));
        match (record, id) {
            (Some(record), Some(id)) => {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, record);
            }
            _ => eprintln!("{line}"),
        }
    }
}
