//! Chance drives a cache through hours of rotations, outages, freezes and set clocks, and what is promised of
//! keys is held against what the issuer had published, and what came of asking it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use url::Url;

use super::super::*;
use super::ISSUER;
use super::harness::{Found, TIMING, document};
use crate::io::{
    Chance, Clock, Connector, Edges, Effort, Fetch, FetchError, FetchFuture, Session, StandardOutput,
};

/// What is known of a world of which the cache sees the wall clock and the answers alone.
struct World {
    random: u64,
    /// When the world began, for the timers of the process.
    began: Instant,
    /// For how long it was frozen: its timers stood still.
    frozen: f64,
    /// By how much the wall clock is wrong.
    skew: f64,
    /// When the wall clock was set, and by how much.
    set: Vec<(f64, f64)>,
    behaviour: Behaviour,
    /// The number of the key that was published last.
    newest: u32,
    /// When each key was published. It is removed with the second one after it.
    published: Vec<f64>,
    asked: Vec<f64>,
    /// When an answer did not come, whoever is to blame.
    failed: Vec<f64>,
    /// The latest answer: when it was asked for, and which key was the newest then.
    held: Option<(f64, u32)>,
}

#[derive(Clone, Copy)]
enum Behaviour {
    Answers(f64),
    Fails(f64),
    Hangs,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<World>>);

impl World {
    fn below(&mut self, bound: u64) -> u64 {
        // Knuth's MMIX.
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % bound
    }

    fn one_in(&mut self, number: u64) -> bool {
        self.below(number) == 0
    }

    fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.below(1000)).unwrap()) / 1000.0
    }

    fn now(&self) -> f64 {
        self.began.elapsed().as_secs_f64() + self.frozen
    }

    fn wall(&self) -> f64 {
        1_000_000.0 + self.now() + self.skew
    }

    /// By how much the wall clock was set since then, to and fro.
    fn set_since(&self, time: f64) -> f64 {
        self.set.iter().filter(|(at, _)| *at >= time).map(|(_, by)| by).sum()
    }

    fn rotates(&mut self) {
        self.published.push(self.now());
        self.newest += 1;
    }

    fn removed_at(&self, key: u32) -> Option<f64> {
        self.published.get(key as usize + 2).copied()
    }

    fn behaves(&mut self) {
        self.behaviour = match self.below(6) {
            0 => Behaviour::Hangs,
            1 => Behaviour::Fails(self.fraction() * 2.5),
            2 => Behaviour::Fails(0.0),
            3 => Behaviour::Answers(self.fraction() * 2.5),
            _ => Behaviour::Answers(0.05),
        };
    }
}

/// What the issuer publishes: the key before is good until the next rotation.
fn keys(newest: u32) -> [u32; 2] {
    [newest - 1, newest]
}

fn id(key: u32) -> String {
    format!("key-{key}")
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

impl Clock for Shared {
    fn now(&self) -> f64 {
        self.world().wall()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

impl Chance for Shared {
    fn fraction(&self) -> f64 {
        self.world().fraction()
    }
}

impl Fetch for Shared {
    fn session(&self, _: &Connector, effort: Effort) -> Arc<dyn Session> {
        Arc::new(Asked { world: self.clone(), limit: effort.limit })
    }
}

struct Asked {
    world: Shared,
    limit: Duration,
}

impl Session for Asked {
    fn get<'a>(&'a self, _: &'a Url) -> FetchFuture<'a> {
        Box::pin(async {
            let (behaviour, newest, asked_at, frozen) = {
                let mut world = self.world.world();
                let now = world.now();
                world.asked.push(now);
                (world.behaviour, world.newest, now, world.frozen)
            };
            let ids = keys(newest).map(id);
            let ids = ids.each_ref().map(String::as_str);
            let answer = tokio::time::timeout(self.limit, async {
                let (Behaviour::Answers(delay) | Behaviour::Fails(delay)) = behaviour else {
                    return std::future::pending().await;
                };
                tokio::time::sleep(Duration::from_secs_f64(delay)).await;
                if self.world.world().frozen > frozen {
                    // Its connection is dead.
                    return std::future::pending().await;
                }
                match behaviour {
                    Behaviour::Answers(_) => Ok(document(None, &ids)),
                    Behaviour::Fails(_) | Behaviour::Hangs => {
                        Err(FetchError::Status { status: 500, retry_after: None })
                    }
                }
            });
            let answer = answer.await.unwrap_or(Err(FetchError::TimedOut(self.limit)));
            let mut world = self.world.world();
            match &answer {
                Ok(_) => {
                    let older = world.held.is_some_and(|(_, held)| held > newest);
                    assert!(!older, "a newer answer was overwritten");
                    world.held = Some((asked_at, newest));
                }
                // Nothing that the issuer is to blame for.
                Err(_) if world.frozen > frozen + 4.0 => {}
                Err(_) => {
                    let now = world.now();
                    world.failed.push(now);
                }
            }
            answer
        })
    }
}

struct Silence;

impl Observe for Silence {
    fn key_set(&self, _: &str, _: KeySetEvent<'_>) {}
}

/// The cache takes the time a little later than the model.
const INSTANT: f64 = 0.01;

/// A request, and what it came to.
struct Request {
    key: u32,
    from: f64,
    until: f64,
    /// What was held when it came.
    held: Option<(f64, u32)>,
    found: Found,
}

async fn request(cache: JwksCache, world: Shared, key: u32, patience: Duration) -> Request {
    let (from, held) = {
        let world = world.world();
        (world.now(), world.held)
    };
    let id = id(key);
    let found = match cache.keys(Some(&id), patience).await {
        Ok(keys) if keys.has(Some(&id)) => Found::Key,
        Ok(_) => Found::NoKey,
        Err(_) => Found::Fault,
    };
    let until = world.world().now();
    Request { key, from, until, held, found }
}

impl World {
    /// What is promised, held against a request.
    fn check(&self, request: &Request, patience: Duration) {
        let Request { key, from, until, held, found } = *request;
        assert!(until - from <= patience.as_secs_f64() + INSTANT, "waited too long");
        // Nobody can tell by how much a clock is set while the process is not looking.
        let since = |time: f64| from - time - self.set_since(time) - INSTANT;
        let has_waited_in_vain = until - from >= patience.as_secs_f64();
        let has_failed = |within: f64| {
            has_waited_in_vain || self.failed.iter().any(|at| *at >= from - within && *at <= until)
        };
        // A removed key is gone with the lifetime, unless the issuer fails.
        if let Some(age) = self.removed_at(key).map(since).filter(|_| found == Found::Key) {
            let longest = if has_failed(120.0) { TIMING.lifetime + TIMING.stale } else { TIMING.lifetime };
            assert!(age <= longest, "removed {age} seconds ago");
        }
        // A new key is found within the cool-down, in which there is time for a fetch.
        let is_published = self.removed_at(key).is_none_or(|at| at >= until);
        let published_at = self.published.get(key as usize).copied().filter(|_| is_published);
        if let Some(age) = published_at.map(since).filter(|_| found == Found::NoKey) {
            assert!(age <= TIMING.cooldown, "published {age} seconds ago");
        }
        // A fault has a reason.
        let has_reason =
            has_failed(TIMING.cooldown + INSTANT) || self.set_since(from - TIMING.cooldown) > 0.0;
        assert!(found != Found::Fault || has_reason, "a fault without a failure");
        // A key that is held is neither refused nor a fault, and while it is fresh waits for nothing.
        let held = held.filter(|_| self.held == held);
        if let Some((asked_at, _)) = held.filter(|(_, newest)| keys(*newest).contains(&key)) {
            let age = until - asked_at + 2.0 * self.set_since(asked_at);
            assert!(found == Found::Key || age > TIMING.lifetime + TIMING.stale, "held for {age} seconds");
            let is_fresh = age < TIMING.lifetime * 0.5 && self.set_since(asked_at) == 0.0;
            assert!(!is_fresh || until - from < INSTANT, "waited for a fresh key");
        }
    }
}

async fn run(seed: u64) {
    let world = Shared(Arc::new(Mutex::new(World {
        random: seed,
        began: Instant::now(),
        frozen: 0.0,
        skew: 0.0,
        set: Vec::new(),
        behaviour: Behaviour::Answers(0.05),
        newest: 1,
        published: vec![0.0, 0.0],
        asked: Vec::new(),
        failed: Vec::new(),
        held: None,
    })));
    let edges = Edges {
        clock: Arc::new(world.clone()),
        chance: Arc::new(world.clone()),
        fetch: Arc::new(world.clone()),
        log: Arc::new(StandardOutput::open()),
    };
    let server = KeyServer {
        issuer: ISSUER.into(),
        source: KeySetSource::Url(Url::parse("https://keys.example/").unwrap()),
        connector: Connector::default(),
        loopback: false,
    };
    let cache = JwksCache::new(server, None, TIMING, edges, Arc::new(Silence));
    let is_frozen_often = world.world().one_in(2);
    let sets_the_clock = world.world().one_in(4);
    // More and less than a fetch may take.
    let patience = Duration::from_secs(if world.world().one_in(2) { 5 } else { 2 });
    let is_up = world.world().one_in(3);
    if world.world().one_in(2) {
        cache.prefetch();
    }
    for _ in 0..60 {
        let (requests, pause, is_frozen) = {
            let mut world = world.world();
            if world.one_in(6) {
                world.rotates();
            }
            if !is_up && world.one_in(4) {
                world.behaves();
            }
            if sets_the_clock && world.one_in(10) {
                let (now, by) = (world.now(), (world.fraction() - 0.5) * 4000.0);
                world.set.push((now, by.abs()));
                world.skew += by;
            }
            let requests: Vec<u32> = (0..=world.below(3))
                .map(|_| match world.below(6) {
                    0 => 1_000_000,
                    1 => world.newest.saturating_sub(2),
                    2 => world.newest.saturating_sub(1),
                    _ => world.newest,
                })
                .collect();
            let longest = [0.2, 2.0, 30.0, 300.0, 2000.0][usize::try_from(world.below(5)).unwrap()];
            let is_frozen = is_frozen_often && world.one_in(2);
            (requests, world.fraction() * longest, is_frozen)
        };
        let mut under_way = JoinSet::new();
        for key in requests {
            under_way.spawn(request(cache.clone(), world.clone(), key, patience));
        }
        while let Some(done) = under_way.join_next().await {
            let done = done.unwrap();
            world.world().check(&done, patience);
        }
        if is_frozen {
            world.world().frozen += pause;
        } else {
            tokio::time::sleep(Duration::from_secs_f64(pause)).await;
        }
    }
    let world = world.world();
    // Half a second is the shortest pause after a failure.
    let pauses: Vec<f64> = world.asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if world.skew == 0.0 {
        assert!(pauses.iter().all(|pause| *pause >= 0.5), "{pauses:?}");
    }
    if is_up && world.skew == 0.0 {
        assert!(pauses.iter().all(|pause| *pause >= 4.0), "{pauses:?}");
    }
}

/// Rules K5 and K7 to K11.
#[test]
fn what_is_promised_of_keys_holds_in_any_course_of_events() {
    for seed in 0..COURSES {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let course = AssertUnwindSafe(|| runtime.block_on(run(seed)));
        assert!(catch_unwind(course).is_ok(), "the course of events {seed}");
    }
}

const COURSES: u64 = 300;
