//! A provider that answers everybody the same, and keeps what it was asked.

use std::sync::Mutex;
use std::time::Duration;

use url::Url;

use super::*;
use crate::io::{Connector, Effort, Fetch, FetchError, FetchFuture, Question, Reply, ReplyFuture, Session};

pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// The provider.
pub(super) struct Server {
    reply: Mutex<Result<Reply, FetchError>>,
    delay: Mutex<Duration>,
    asked: Mutex<Vec<Asked>>,
}

/// What it was asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) url: String,
    pub(super) form: Option<String>,
    pub(super) accept: &'static str,
    pub(super) authorization: Option<String>,
    pub(super) tries_again: bool,
}

impl Asked {
    /// A field of the form.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let form = url::form_urlencoded::parse(self.form.as_deref()?.as_bytes());
        form.into_owned().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}

/// The way to it.
#[derive(Clone)]
pub(super) struct Line(pub(super) Arc<Server>);

struct Call(Arc<Server>, bool);

impl Server {
    /// Answers with this JSON.
    pub(super) fn answering(body: &str) -> Arc<Self> {
        let reply = Err(FetchError::TooLarge(0));
        let server = Self { reply: Mutex::new(reply), delay: Mutex::default(), asked: Mutex::default() };
        server.answers(200, "application/json", body);
        Arc::new(server)
    }

    pub(super) fn answers(&self, status: u16, media_type: &str, body: &str) {
        let (media_type, body) = (Some(media_type.to_owned()), body.as_bytes().to_vec());
        *self.reply.lock().unwrap() = Ok(Reply { status, media_type, body });
    }

    pub(super) fn fails(&self, error: FetchError) {
        *self.reply.lock().unwrap() = Err(error);
    }

    pub(super) fn is_slow_by(&self, delay: Duration) {
        *self.delay.lock().unwrap() = delay;
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    pub(super) fn last(&self) -> Asked {
        self.asked.lock().unwrap().last().unwrap().clone()
    }
}

impl Fetch for Line {
    fn session(&self, _: &Connector, effort: Effort) -> Arc<dyn Session> {
        Arc::new(Call(Arc::clone(&self.0), effort.tries_again))
    }
}

impl Session for Call {
    fn get<'a>(&'a self, _: &'a Url) -> FetchFuture<'a> {
        Box::pin(async { unreachable!("nothing is fetched") })
    }

    fn ask<'a>(&'a self, question: Question<'a>) -> ReplyFuture<'a> {
        Box::pin(async move {
            self.0.asked.lock().unwrap().push(Asked {
                url: question.url.to_string(),
                form: question.form.map(str::to_owned),
                accept: question.accept,
                authorization: question.authorization.map(str::to_owned),
                tries_again: self.1,
            });
            let delay = *self.0.delay.lock().unwrap();
            tokio::time::sleep(delay).await;
            self.0.reply.lock().unwrap().clone()
        })
    }
}
