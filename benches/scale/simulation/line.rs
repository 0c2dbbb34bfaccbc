//! The line between an environment and the provider: the library's own [`Fetch`], whose requests the world
//! picks up, delays, freezes and answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_authorizer::io::{Connector, Document, Effort, Fetch, FetchError, FetchFuture, Session};
use tokio::sync::oneshot;
use url::Url;

/// What comes back.
pub(crate) type Answer = Result<Document, FetchError>;

/// A request that has left an environment.
pub(crate) struct Call {
    pub(crate) environment: usize,
    /// How long it may take.
    pub(crate) limit: Duration,
    /// How often it is tried again when the connection breaks.
    pub(crate) retries: u32,
    /// Closed when nobody waits any more.
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// All calls that have left since they were last looked at.
pub(crate) type Exchange = Arc<Mutex<Vec<Call>>>;

/// The line of one environment.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) environment: usize,
    pub(crate) exchange: Exchange,
}

impl Line {
    /// The key set, or why it is not there.
    pub(crate) async fn get(&self, limit: Duration, retries: u32) -> Answer {
        let (answer, answered) = oneshot::channel();
        let environment = self.environment;
        self.exchange.lock().unwrap().push(Call { environment, limit, retries, answer });
        answered.await.unwrap_or_else(|_| Err(FetchError::Transport("the environment has ended".into())))
    }
}

impl Fetch for Line {
    fn session(&self, _: &Connector, effort: Effort) -> Arc<dyn Session> {
        Arc::new(LineSession { line: self.clone(), effort })
    }
}

struct LineSession {
    line: Line,
    effort: Effort,
}

impl Session for LineSession {
    fn get<'a>(&'a self, _: &'a Url) -> FetchFuture<'a> {
        Box::pin(self.line.get(self.effort.limit, self.effort.tries_again.into()))
    }
}
