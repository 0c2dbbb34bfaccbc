//! An execution environment, as Lambda runs it: one request at a time, and frozen in between.

use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::sync::oneshot;

use super::line::Answer;
use super::policy::{Keys, Waiting};
use super::tally::{Caller, Verdict};
use lambda_authorizer::io::Document;

/// Hundredths of a second since the simulation began.
pub(crate) type Tick = u64;

pub(crate) struct Environment {
    /// None before the first start.
    pub(crate) keys: Option<Rc<dyn Keys>>,
    pub(crate) work: Work,
    /// A fetch under way. There is one at a time.
    pub(crate) fetch: Option<Fetching>,
    pub(crate) is_awake: bool,
    pub(crate) frozen_at: Tick,
    /// When its last answer left.
    pub(crate) answered_at: Tick,
}

/// What it is doing.
pub(crate) enum Work {
    Idle,
    /// Waits for its keys before the first request, which came in then.
    Starting(Waiting<()>, Tick),
    /// Has a request, which came in then.
    Looking(Waiting<Verdict>, Caller, Tick),
    /// Has answered then, and does not ask for the next request yet.
    Lingering(Waiting<()>, Tick),
}

/// A fetch on its way: there and back several times, for the name, the connection, its encryption, and the
/// document.
pub(crate) struct Fetching {
    pub(crate) number: u64,
    pub(crate) began_at: Tick,
    pub(crate) answer: oneshot::Sender<Answer>,
    pub(crate) retries: u32,
    /// How long one way there and back takes.
    pub(crate) round_trip: Tick,
    /// How many of them are behind it.
    pub(crate) round_trips: u32,
    /// The document, from when the provider was asked for it.
    pub(crate) document: Option<Document>,
    /// What has come to pass while the process was frozen: the process sees it when it wakes.
    pub(crate) unseen: Option<Arrived>,
}

/// What comes to pass in a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Arrived {
    /// Something comes back from the provider.
    Reply,
    /// It is time to try again.
    Retry,
    /// Its time is over.
    Deadline,
}

impl Environment {
    pub(crate) fn new() -> Self {
        let (keys, work, fetch) = (None, Work::Idle, None);
        Self { keys, work, fetch, is_awake: false, frozen_at: 0, answered_at: 0 }
    }

    /// The request's verdict, if it is there by now.
    pub(crate) fn verdict(&mut self) -> Option<(Verdict, Caller, Tick)> {
        let Work::Looking(waiting, caller, asked_at) = &mut self.work else { return None };
        let verdict = poll(waiting)?;
        let verdict = (verdict, *caller, *asked_at);
        self.work = Work::Idle;
        Some(verdict)
    }

    /// When the first request came in, if the start is over by now.
    pub(crate) fn has_started(&mut self, is_over: bool) -> Option<Tick> {
        let Work::Starting(waiting, asked_at) = &mut self.work else { return None };
        let asked_at = *asked_at;
        let has_started = poll(waiting).is_some() || is_over;
        has_started.then(|| {
            self.work = Work::Idle;
            asked_at
        })
    }

    /// Goes to rest, if there is nothing to stay awake for any more.
    pub(crate) fn rests(&mut self, is_over: bool) {
        if let Work::Lingering(waiting, _) = &mut self.work
            && (poll(waiting).is_some() || is_over)
        {
            self.work = Work::Idle;
        }
    }
}

fn poll<T>(waiting: &mut Waiting<T>) -> Option<T> {
    match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
