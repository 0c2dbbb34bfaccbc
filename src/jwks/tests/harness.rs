//! A cache in a world of its own: the time stands until it is set, chance is known, and the issuer answers
//! as it is told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::super::*;
use super::{ISSUER, p256};
use crate::io::{
    Chance, Clock, Connector, Document, Edges, Effort, Fetch, FetchError, FetchFuture, Session,
    StandardOutput, UnixTime,
};

/// The timing of the tests, and what follows from it with a chance of one half.
pub(super) const TIMING: Timing = Timing {
    timeout: Duration::from_secs(3),
    lifetime: 600.0,
    shortest_lifetime: 300.0,
    stale: 3600.0,
    cooldown: 10.0,
    initial_age: 86_400.0,
};
pub(super) const STALE: UnixTime = 420.0;
pub(super) const EXPIRED: UnixTime = 600.0;
pub(super) const TOO_OLD: UnixTime = 4200.0;

/// A clock that is set by hand.
#[derive(Default)]
pub(super) struct HandClock(Mutex<UnixTime>);

impl Clock for HandClock {
    fn now(&self) -> UnixTime {
        *self.0.lock().unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

struct Half;

impl Chance for Half {
    fn fraction(&self) -> f64 {
        0.5
    }
}

/// What the issuer does with a request.
#[derive(Clone)]
pub(super) enum Behaviour {
    Answers(Document),
    Fails(FetchError),
    Hangs,
    Panics,
    /// Answers or fails, once it is told to.
    Late(Arc<tokio::sync::Notify>, Result<Document, FetchError>),
}

/// A server whose answers are laid out beforehand; without one it fails.
#[derive(Default)]
pub(super) struct Server {
    answers: Mutex<VecDeque<Behaviour>>,
    asked: AtomicU32,
    efforts: Mutex<Vec<Effort>>,
}

struct Asked(Arc<Server>);

impl Fetch for Arc<Server> {
    fn session(&self, _: &Connector, effort: Effort) -> Arc<dyn Session> {
        self.efforts.lock().unwrap().push(effort);
        Arc::new(Asked(Arc::clone(self)))
    }
}

impl Session for Asked {
    fn get<'a>(&'a self, _: &'a Url) -> FetchFuture<'a> {
        Box::pin(async {
            self.0.asked.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            let answer = self.0.answers.lock().unwrap().pop_front();
            match answer.unwrap_or(Behaviour::Fails(FetchError::Status { status: 503, retry_after: None })) {
                Behaviour::Answers(document) => Ok(document),
                Behaviour::Fails(error) => Err(error),
                Behaviour::Panics => panic!("a bug"),
                Behaviour::Hangs => std::future::pending().await,
                Behaviour::Late(told, answer) => {
                    told.notified().await;
                    answer
                }
            }
        })
    }
}

/// What befell the key set.
#[derive(Default)]
pub(super) struct Diary(Mutex<Vec<&'static str>>);

impl Observe for Diary {
    fn key_set(&self, issuer: &str, event: KeySetEvent<'_>) {
        assert_eq!(issuer, ISSUER);
        self.0.lock().unwrap().push(match event {
            KeySetEvent::Fetched { .. } => "fetched",
            KeySetEvent::Failed { is_served: true, .. } => "failed, served",
            KeySetEvent::Failed { is_served: false, .. } => "failed",
            KeySetEvent::TooOld { .. } => "too old",
        });
    }
}

pub(super) struct Setting {
    clock: Arc<HandClock>,
    server: Arc<Server>,
    diary: Arc<Diary>,
    pub(super) cache: JwksCache,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Key,
    NoKey,
    Fault,
}

impl Setting {
    pub(super) fn new() -> Self {
        Self::with(TIMING, None, 0.0)
    }

    /// A function that starts at `now` with this file in its package.
    pub(super) fn with(timing: Timing, initial: Option<KeySetFile>, now: UnixTime) -> Self {
        let (clock, server) = (Arc::new(HandClock(Mutex::new(now))), Arc::new(Server::default()));
        let (diary, chance) = (Arc::new(Diary::default()), Arc::new(Half));
        let fetch = Arc::new(Arc::clone(&server));
        let edges = Edges { clock: clock.clone(), chance, fetch, log: Arc::new(StandardOutput::open()) };
        let key_server = KeyServer {
            issuer: ISSUER.into(),
            source: KeySetSource::Url(Url::parse("https://keys.example/").unwrap()),
            connector: Connector::default(),
            loopback: false,
        };
        let cache = JwksCache::new(key_server, initial, timing, edges, diary.clone());
        Self { clock, server, diary, cache }
    }

    /// The issuer's next answer is these keys.
    pub(super) fn serves(&self, ids: &[&str]) {
        self.serves_for(None, ids);
    }

    /// The same, fresh for so many seconds.
    pub(super) fn serves_for(&self, fresh_for: Option<f64>, ids: &[&str]) {
        self.does(Behaviour::Answers(document(fresh_for, ids)));
    }

    /// What the issuer does next.
    pub(super) fn does(&self, behaviour: Behaviour) {
        self.server.answers.lock().unwrap().push_back(behaviour);
    }

    /// Sets the clock.
    pub(super) fn at(&self, time: UnixTime) {
        *self.clock.0.lock().unwrap() = time;
    }

    /// How often the issuer was asked.
    pub(super) fn asked(&self) -> u32 {
        self.server.asked.load(Ordering::Relaxed)
    }

    /// Of each fetch, whether what fails was to be tried once more.
    pub(super) fn tries_again(&self) -> Vec<bool> {
        self.server.efforts.lock().unwrap().iter().map(|effort| effort.tries_again).collect()
    }

    /// How long the latest fetch may take.
    pub(super) fn limit(&self) -> Duration {
        self.server.efforts.lock().unwrap().last().unwrap().limit
    }

    /// What befell the key set so far.
    pub(super) fn diary(&self) -> Vec<&'static str> {
        self.diary.0.lock().unwrap().clone()
    }

    /// A request with a token of this key.
    pub(super) async fn finds(&self, id: &str) -> Found {
        match self.cache.keys(Some(id), Duration::from_secs(5)).await {
            Ok(keys) if keys.has(Some(id)) => Found::Key,
            Ok(_) => Found::NoKey,
            Err(_) => Found::Fault,
        }
    }

    /// Lets what goes on behind the answers go on.
    pub(super) async fn settles(&self) {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
}

pub(super) fn document(fresh_for: Option<f64>, ids: &[&str]) -> Document {
    Document { body: key_set(ids).into_bytes(), fresh_for }
}

pub(super) fn key_set(ids: &[&str]) -> String {
    let keys: Vec<Value> = ids.iter().map(|id| p256(json!({ "kid": id }))).collect();
    json!({ "keys": keys }).to_string()
}
