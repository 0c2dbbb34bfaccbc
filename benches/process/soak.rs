//! A long life of one process: tokens of many callers and of keys that come and go, some of them to be refused. Every
//! answer is looked at, and memory on the way.

use std::path::Path;
use std::time::{Duration, Instant};

use authorizer_cli::signing::{Algorithm, SigningKey, key_set};

use crate::key_servers::KeyServers;
use crate::options::Options;
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::subjects::Subject;
use crate::tokens::{self, forged, token, token_event};

/// What came of it.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) allowed: usize,
    pub(crate) refused: usize,
    /// The first answers that were not as they were to be, and how many there were.
    pub(crate) examples: Vec<String>,
    pub(crate) wrong: usize,
    pub(crate) keys: usize,
    pub(crate) seconds: f64,
    /// Resident memory in kilobytes after so many events.
    pub(crate) memory: Vec<(usize, u64)>,
    pub(crate) peak: u64,
}

/// How many events there are before memory is first looked at.
const WARM_UP: usize = 20_000;
const CHUNK: usize = 2_000;
/// How many keys come and go, and how many tokens each of them signs.
const KEYS: usize = 20;
const TOKENS: usize = 1_000;
/// How long a key is published before it is used. Longer than the cool-down, which tokens with unknown keys use up.
const NOTICE: Duration = Duration::from_millis(2_500);

/// Puts as many events to the function as the options say, over keys from these servers.
pub(crate) fn run(
    options: &Options,
    subject: &Subject,
    servers: &mut KeyServers,
    directory: &Path,
) -> Outcome {
    let subject = &configured(subject, servers, directory);
    let mut soak = Soak { outcome: Outcome::default(), options, asked: 0 };
    let mut key = new_key(0);
    servers.publish("/soak", &key_set([&key]));
    let api = RuntimeApi::start();
    let started = if options.in_flight > 1 { &subject.concurrent() } else { subject };
    let process = Process::start(started, &api, None, options.is_shown);
    let began_at = Instant::now();
    let mut events = Events::new(&key, 0);
    while soak.asked < options.events {
        let end = (soak.asked + options.events / KEYS).min(options.events);
        while soak.asked < end {
            soak.ask(&api, &process, &events);
        }
        if soak.asked < options.events {
            soak.outcome.keys += 1;
            let next = new_key(soak.outcome.keys);
            servers.publish("/soak", &key_set([&key, &next]));
            let published_at = Instant::now();
            let next_events = Events::new(&next, soak.outcome.keys * TOKENS);
            while published_at.elapsed() < NOTICE {
                soak.ask(&api, &process, &events);
            }
            (key, events) = (next, next_events);
        }
    }
    soak.outcome.keys += 1;
    soak.outcome.seconds = began_at.elapsed().as_secs_f64();
    soak.look(&process);
    soak.outcome.peak = process.memory("VmHWM");
    soak.outcome
}

struct Soak<'a> {
    outcome: Outcome,
    options: &'a Options,
    asked: usize,
}

/// The tokens of one key, each with what is to become of it.
struct Events {
    events: Vec<(Vec<u8>, Expected)>,
}

#[derive(Debug)]
enum Expected {
    /// For this caller.
    Allowed(String),
    /// With this reason.
    Refused(&'static str),
}

impl Events {
    fn new(key: &SigningKey, first: usize) -> Self {
        let unknown = SigningKey::generate(key.algorithm(), format!("unknown-{first}")).unwrap();
        let event = |number: usize| {
            let caller = first + number;
            // Six of a hundred are refused, for three reasons.
            let (token, expected) = match number % 50 {
                17 => (token(key, caller, -600), Expected::Refused("token_expired")),
                31 => (token(&unknown, caller, 86_400), Expected::Refused("key_not_found")),
                43 => (forged(&token(key, caller, 86_400)), Expected::Refused("signature_invalid")),
                _ => (token(key, caller, 86_400), Expected::Allowed(tokens::subject(caller))),
            };
            (token_event(&token), expected)
        };
        Self { events: (0..TOKENS).map(event).collect() }
    }
}

impl Soak<'_> {
    /// A few of these events, from where the last ones ended.
    fn ask(&mut self, api: &RuntimeApi, process: &Process, events: &Events) {
        let wanted = |place: usize| &events.events[(self.asked + place) % TOKENS];
        api.put((0..CHUNK).map(|place| wanted(place).0.clone()).collect(), self.options.in_flight);
        let answers = api.answers().unwrap_or_else(|fault| panic!("after {} events: {fault}", self.asked));
        for answer in answers {
            let expected = &wanted(answer.place).1;
            let (count, is_right) = match expected {
                Expected::Allowed(caller) => {
                    (&mut self.outcome.allowed, tokens::is(&answer.body, "Allow", Some(caller)))
                }
                Expected::Refused(reason) => {
                    (&mut self.outcome.refused, tokens::is_refusal(&answer.body, reason))
                }
            };
            if is_right && !answer.is_error {
                *count += 1;
                continue;
            }
            self.outcome.wrong += 1;
            if self.outcome.examples.len() < 3 {
                let body = String::from_utf8_lossy(&answer.body);
                self.outcome.examples.push(format!("not {expected:?}: {body}"));
            }
        }
        let before = self.asked;
        self.asked += CHUNK;
        let step = (self.options.events / 10).max(1);
        let passes = |mark: usize| before < mark && self.asked >= mark;
        if passes(WARM_UP.min(step)) || passes(self.asked / step * step) {
            self.look(process);
        }
    }

    /// At the memory of the process, once after so many events.
    fn look(&mut self, process: &Process) {
        if self.outcome.memory.last().is_none_or(|(events, _)| *events < self.asked) {
            self.outcome.memory.push((self.asked, process.memory("VmRSS")));
            eprintln!("{} events, {} wrong", self.asked, self.outcome.wrong);
        }
    }
}

/// RSA, P-256 and Ed25519 in turn.
fn new_key(number: usize) -> SigningKey {
    const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
    SigningKey::generate(ALGORITHMS[number % ALGORITHMS.len()], format!("key-{number}")).unwrap()
}

/// With key sets that live as briefly as they may.
fn configured(subject: &Subject, servers: &KeyServers, directory: &Path) -> Subject {
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = \"{}\"\njwks_uri = \"{}/soak\"\nca_file = \"authority.pem\"\n\
         [key_set]\ncooldown_seconds = 1\nlifetime_seconds = 60\n[response]\nreason_key = \"reason\"\n",
        tokens::ISSUER,
        tokens::AUDIENCE,
        servers.tls,
    );
    let path = directory.join("soak.toml");
    std::fs::write(&path, text).unwrap();
    subject.with_environment(vec![("AUTHORIZER_CONFIG_FILE", path.display().to_string())])
}
