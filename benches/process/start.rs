//! The table: every program is started in every round, in an order of chance, asked for a first decision, and then for
//! many.

use std::time::Duration;

use authorizer_cli::signing::SigningKey;

use crate::process::{Group, Process};
use crate::runtime_api::{Answer, RuntimeApi};
use crate::statistics::{Spread, quantile};
use crate::subjects::Subject;
use crate::tokens::{self, forged, request_event, token, token_event};

/// What one start of a program gave: milliseconds, kilobytes, and microseconds for what is warm.
pub(crate) struct Sample {
    pub(crate) first_poll: f64,
    pub(crate) first_answer: f64,
    /// Until the first answer.
    pub(crate) cpu: f64,
    pub(crate) peak: f64,
    /// Another token with every request.
    pub(crate) fresh: Warm,
    /// The same token again.
    pub(crate) repeated: Warm,
    /// Another token with every request, in a REQUEST event of 4 KB.
    pub(crate) request: Warm,
}

#[derive(Clone, Copy)]
pub(crate) struct Warm {
    pub(crate) median: f64,
    /// What 99 of 100 do not exceed.
    pub(crate) longest: f64,
    pub(crate) cpu: f64,
}

/// The samples of a program.
pub(crate) struct Row<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) samples: Vec<Sample>,
}

impl Row<'_> {
    pub(crate) fn spread(&self, value: impl Fn(&Sample) -> f64) -> Spread {
        Spread::of(self.samples.iter().map(value).collect())
    }
}

/// The events of one process, with no token twice but where that is meant.
pub(crate) struct Events {
    first: Batch,
    warm_up: Batch,
    fresh: Batch,
    repeated: Batch,
    request: Batch,
    forged: Vec<u8>,
}

/// Events, and the number of the caller of each.
#[derive(Clone)]
pub(crate) struct Batch {
    pub(crate) payloads: Vec<Vec<u8>>,
    pub(crate) callers: Vec<usize>,
}

impl Events {
    const WARM_UP: usize = 50;

    pub(crate) fn new(key: &SigningKey, warm: usize) -> Self {
        let mut next = 0;
        let mut batch = |count: usize, event: fn(&str) -> Vec<u8>| {
            let callers: Vec<usize> = (next..next + count).collect();
            next += count;
            let payloads = callers.iter().map(|caller| event(&token(key, *caller, 86_400))).collect();
            Batch { payloads, callers }
        };
        let first = batch(1, token_event);
        let repeated = Batch { payloads: vec![first.payloads[0].clone(); warm], callers: vec![0; warm] };
        Self {
            warm_up: batch(Self::WARM_UP, token_event),
            fresh: batch(warm, token_event),
            request: batch(warm, request_event),
            first,
            repeated,
            forged: token_event(&forged(&token(key, 0, 86_400))),
        }
    }
}

/// All samples. The first round is thrown away: it fills the machine's caches.
pub(crate) fn measure<'a>(
    subjects: &[&'a Subject],
    events: &Events,
    rounds: usize,
    group: Option<&Group>,
    is_shown: bool,
) -> Vec<Row<'a>> {
    let mut rows: Vec<_> =
        subjects.iter().map(|subject| Row { subject, samples: Vec::with_capacity(rounds) }).collect();
    for round in 0..=rounds {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_cached_key(|_| chance());
        for place in order {
            let row = &mut rows[place];
            let sample = sample(row.subject, events, group, is_shown);
            if round > 0 {
                row.samples.push(sample);
            }
        }
        if round % 10 == 0 {
            eprintln!("round {round} of {rounds}");
        }
    }
    rows
}

/// Puts the events to the process, so many at once, and gives the answers once each is what it is to be.
pub(crate) fn ask(subject: &Subject, api: &RuntimeApi, batch: &Batch, in_flight: usize) -> Vec<Answer> {
    api.put(batch.payloads.clone(), in_flight);
    let answers = api.answers().unwrap_or_else(|fault| panic!("{}: {fault}\nhint: --show", subject.name));
    for answer in &answers {
        let principal = tokens::subject(batch.callers[answer.place]);
        let principal = subject.verifies().then_some(principal.as_str());
        let is_right = !answer.is_error && tokens::is(&answer.body, "Allow", principal);
        assert!(is_right, "{}: {}", subject.name, String::from_utf8_lossy(&answer.body));
    }
    answers
}

/// Microseconds from when each event was handed out until it was answered, in ascending order.
pub(crate) fn latencies(answers: &[Answer]) -> Vec<f64> {
    let mut latencies: Vec<f64> =
        answers.iter().map(|answer| (answer.answered_at - answer.handed_at).as_secs_f64() * 1e6).collect();
    latencies.sort_by(f64::total_cmp);
    latencies
}

/// Microseconds of processor for each of so many requests.
pub(crate) fn each(cpu: Duration, count: usize) -> f64 {
    cpu.as_secs_f64() * 1e6 / f64::from(u32::try_from(count).unwrap())
}

fn sample(subject: &Subject, events: &Events, group: Option<&Group>, is_shown: bool) -> Sample {
    let api = RuntimeApi::start();
    api.put(events.first.payloads.clone(), 1);
    let process = Process::start(subject, &api, group, is_shown);
    let first = api.answers().unwrap_or_else(|fault| panic!("{}: {fault}\nhint: --show", subject.name));
    let first = first.first().unwrap();
    let principal = tokens::subject(0);
    let is_right = tokens::is(&first.body, "Allow", subject.verifies().then_some(principal.as_str()));
    assert!(is_right, "{}: {}", subject.name, String::from_utf8_lossy(&first.body));
    let milliseconds = |duration: Duration| duration.as_secs_f64() * 1000.0;
    ask(subject, &api, &events.warm_up, 1);
    let warm = |batch| warm(subject, &api, &process, batch);
    let sample = Sample {
        first_poll: milliseconds(process.since_start(api.first_poll().unwrap())),
        first_answer: milliseconds(process.since_start(first.answered_at)),
        cpu: milliseconds(process.own(first.cpu.unwrap())),
        fresh: warm(&events.fresh),
        repeated: warm(&events.repeated),
        request: warm(&events.request),
        peak: kilobytes(process.memory("VmHWM")),
    };
    if subject.verifies() {
        api.put(vec![events.forged.clone()], 1);
        let answers = api.answers().unwrap();
        assert!(tokens::is(&answers[0].body, "Deny", None), "{} accepts a forged token", subject.name);
    }
    sample
}

fn warm(subject: &Subject, api: &RuntimeApi, process: &Process, batch: &Batch) -> Warm {
    api.wait_for_rest();
    let before = process.cpu();
    let answers = ask(subject, api, batch, 1);
    api.wait_for_rest();
    let cpu = process.cpu() - before;
    let latencies = latencies(&answers);
    Warm {
        median: quantile(&latencies, 0.5),
        longest: quantile(&latencies, 0.99),
        cpu: each(cpu, answers.len()),
    }
}

pub(crate) fn kilobytes(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

fn chance() -> u64 {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    u64::from_le_bytes(bytes)
}
