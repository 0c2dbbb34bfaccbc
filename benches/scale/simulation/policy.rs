//! What an environment does about its keys: the real [`JwksCache`], and models of other libraries' policies.

use std::borrow::Cow;
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lambda_authorizer::io::{Chance, Clock, Connector, Edges, StandardOutput};
use lambda_authorizer::jwks::{
    JwksCache, KeyServer, KeySet, KeySetEvent, KeySetFile, KeySetSource, Observe, Timing,
};
use url::Url;

use super::line::Line;
use super::scenario::Seconds;
use super::tally::Verdict;

/// Something that an environment waits for.
pub(crate) type Waiting<T> = Pin<Box<dyn Future<Output = T>>>;

/// A policy by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Ours(Ours),
    Other(Other),
}

/// This project, with these settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ours {
    pub(crate) lifetime: Seconds,
    pub(crate) cooldown: Seconds,
    /// `init_milliseconds`, in seconds.
    pub(crate) init: Seconds,
    /// A file of a day before lies in the package.
    pub(crate) has_file: bool,
    /// `linger_milliseconds`, in seconds.
    pub(crate) linger: Seconds,
}

/// Another library: what its documentation and its source say of how it fetches. Everything is fetched in
/// the request that needs it, and in nobody's background.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Other {
    /// How long a key set is used; without end where nothing is said. It is not used after that.
    pub(crate) lifetime: Option<Seconds>,
    /// Whether a key set that lacks a token's key is fetched again.
    pub(crate) looks_for_unknown: bool,
    /// Not within this time of a fetch that succeeded.
    pub(crate) pause_after_success: Seconds,
    /// Not within this time of a fetch that did not bring the key.
    pub(crate) pause_after_miss: Seconds,
    /// Not at all within this time of a fetch that failed.
    pub(crate) pause_after_failure: Seconds,
    pub(crate) limit: Duration,
    /// How often a fetch is tried again at once.
    pub(crate) retries: u32,
}

/// An environment's keys.
pub(crate) trait Keys {
    /// What is done before the first request, if anything.
    fn start(&self) -> Option<Waiting<()>> {
        None
    }

    /// What it stays awake for behind an answer, if anything.
    fn linger(&self) -> Option<Waiting<()>> {
        None
    }

    /// Looks for the key of a request.
    fn look_for(&self, key_id: Cow<'static, str>) -> Waiting<Verdict>;
}

/// The issuer, as in the file of the package.
const ISSUER: &str = "https://login.example.com/";

/// The time at which a simulation begins, in seconds since 1970.
pub(crate) const BEGINNING: u32 = 1_800_000_000;

const DAY: u32 = 86_400;

/// Longer than any fetch, as in the function as it is deployed: what ends a wait is the end of the fetch.
const PATIENCE: Duration = Duration::from_secs(7);

/// A JWK Set of these keys: all the same but for their names, as it is only the names that count here.
pub(crate) fn key_set(ids: &[&str]) -> String {
    // A number of 2048 bits, all of them ones. Nothing is verified with it.
    let n = "_".repeat(341) + "w";
    let keys: Vec<String> = ids
        .iter()
        .map(|id| format!(r#"{{"kty":"RSA","kid":"{id}","use":"sig","n":"{n}","e":"AQAB"}}"#))
        .collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

impl Policy {
    /// The file of the package, read once.
    pub(crate) fn file(&self) -> Option<KeySetFile> {
        let Kind::Ours(Ours { has_file: true, .. }) = self.kind else { return None };
        let text = KeySetFile::text(ISSUER, BEGINNING - DAY, key_set(&["a"]).as_bytes()).unwrap();
        Some(KeySetFile::parse(text.as_bytes(), ISSUER).unwrap())
    }

    /// The keys of an environment that starts.
    pub(crate) fn keys(
        &self,
        line: Line,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        file: Option<KeySetFile>,
    ) -> Rc<dyn Keys> {
        match self.kind {
            Kind::Ours(ours) => {
                let edges =
                    Edges { clock, chance, fetch: Arc::new(line), log: Arc::new(StandardOutput::open()) };
                Rc::new(OurKeys { cache: ours.cache(edges, file), settings: ours })
            }
            Kind::Other(other) => {
                Rc::new(OtherKeys(Rc::new(Shelf { policy: other, line, clock, state: RefCell::default() })))
            }
        }
    }

    /// How long a start waits for its keys.
    pub(crate) fn init(&self) -> Seconds {
        match self.kind {
            Kind::Ours(ours) => ours.init,
            Kind::Other(_) => 0.0,
        }
    }

    /// How long it stays awake behind an answer.
    pub(crate) fn linger(&self) -> Seconds {
        match self.kind {
            Kind::Ours(ours) => ours.linger,
            Kind::Other(_) => 0.0,
        }
    }
}

impl Ours {
    /// As it is without any setting.
    pub(crate) const DEFAULT: Self =
        Self { lifetime: 600.0, cooldown: 10.0, init: 1.0, has_file: false, linger: 3.0 };

    fn cache(&self, edges: Edges, file: Option<KeySetFile>) -> JwksCache {
        let timing = Timing {
            timeout: Duration::from_secs(3),
            lifetime: self.lifetime,
            shortest_lifetime: self.lifetime.min(300.0),
            stale: f64::from(DAY),
            cooldown: self.cooldown,
            initial_age: 7.0 * f64::from(DAY),
        };
        let server = KeyServer {
            issuer: ISSUER.into(),
            source: KeySetSource::Url(Url::parse("https://login.example.com/keys").unwrap()),
            connector: Connector::default(),
            loopback: false,
        };
        JwksCache::new(server, file, timing, edges, Arc::new(Nobody))
    }
}

struct OurKeys {
    cache: JwksCache,
    settings: Ours,
}

struct Nobody;

impl Observe for Nobody {
    fn key_set(&self, _: &str, _: KeySetEvent<'_>) {}
}

impl Keys for OurKeys {
    fn start(&self) -> Option<Waiting<()>> {
        (self.settings.init > 0.0).then(|| {
            self.cache.prefetch();
            Box::pin(self.cache.fetched()) as Waiting<()>
        })
    }

    fn linger(&self) -> Option<Waiting<()>> {
        (self.settings.linger > 0.0).then(|| Box::pin(self.cache.linger()) as Waiting<()>)
    }

    fn look_for(&self, key_id: Cow<'static, str>) -> Waiting<Verdict> {
        let cache = self.cache.clone();
        Box::pin(async move {
            match cache.keys(Some(&key_id), PATIENCE).await {
                Ok(keys) if keys.has(Some(&key_id)) => Verdict::Accepted,
                Ok(_) => Verdict::Refused,
                Err(_) => Verdict::Failed,
            }
        })
    }
}

struct OtherKeys(Rc<Shelf>);

struct Shelf {
    policy: Other,
    line: Line,
    clock: Arc<dyn Clock>,
    state: RefCell<Shelved>,
}

#[derive(Default)]
struct Shelved {
    keys: Option<(KeySet, Seconds)>,
    missed_at: Option<Seconds>,
    failed_at: Option<Seconds>,
}

impl Keys for OtherKeys {
    fn look_for(&self, key_id: Cow<'static, str>) -> Waiting<Verdict> {
        let shelf = Rc::clone(&self.0);
        Box::pin(async move { shelf.look_for(&key_id).await })
    }
}

impl Shelf {
    async fn look_for(&self, key_id: &str) -> Verdict {
        if let Some(verdict) = self.verdict_without_fetch(key_id) {
            return verdict;
        }
        let answer = self.line.get(self.policy.limit, self.policy.retries).await;
        let keys = answer.ok().and_then(|document| KeySet::parse(&document.body).ok());
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        let Some(keys) = keys else {
            state.failed_at = Some(now);
            return Verdict::Failed;
        };
        let has_it = keys.has(Some(key_id));
        *state = Shelved { keys: Some((keys, now)), missed_at: (!has_it).then_some(now), failed_at: None };
        if has_it { Verdict::Accepted } else { Verdict::Refused }
    }

    fn verdict_without_fetch(&self, key_id: &str) -> Option<Verdict> {
        let (policy, state, now) = (&self.policy, self.state.borrow(), self.clock.now());
        let is_within = |since: Option<Seconds>, time| since.is_some_and(|since| now - since < time);
        let held = state.keys.as_ref().filter(|(_, at)| policy.lifetime.is_none_or(|time| now - at < time));
        match held {
            Some((keys, _)) if keys.has(Some(key_id)) => Some(Verdict::Accepted),
            Some((_, at)) => {
                let is_refused = !policy.looks_for_unknown
                    || is_within(Some(*at), policy.pause_after_success)
                    || is_within(state.missed_at, policy.pause_after_miss);
                is_refused.then_some(Verdict::Refused)
            }
            None => is_within(state.failed_at, policy.pause_after_failure).then_some(Verdict::Failed),
        }
    }
}
