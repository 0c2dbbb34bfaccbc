//! Several invocations at once in one process, as on Lambda Managed Instances.

use authorizer_cli::signing::SigningKey;

use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::start::{Batch, ask, each, kilobytes, latencies};
use crate::statistics::{Spread, quantile};
use crate::subjects::{Kind, Subject, Way};
use crate::tokens::{token, token_event};

/// How many events may be with the process at once.
pub(crate) const IN_FLIGHT: [usize; 3] = [1, 8, 64];

/// What a program did with so many events at once.
pub(crate) struct Load<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) in_flight: usize,
    /// Answers in a second.
    pub(crate) rate: Spread,
    /// Microseconds.
    pub(crate) median: Spread,
    pub(crate) longest: Spread,
    pub(crate) cpu: Spread,
    /// Kilobytes.
    pub(crate) peak: Spread,
}

/// Puts so many events to each program, as often as there are rounds.
pub(crate) fn measure<'a>(
    subjects: &'a [Subject],
    key: &SigningKey,
    count: usize,
    rounds: usize,
    is_shown: bool,
) -> Vec<Load<'a>> {
    let callers: Vec<usize> = (0..count).collect();
    let payloads = callers.iter().map(|caller| token_event(&token(key, *caller, 86_400))).collect();
    let batch = Batch { payloads, callers };
    let measured = subjects.iter().filter(|subject| match subject.kind {
        Kind::Static | Kind::Glibc => subject.way == Way::Package,
        Kind::Noop => true,
        Kind::NoopStatic | Kind::Template | Kind::NodeNoop | Kind::Node | Kind::Python => false,
    });
    let cells: Vec<(&Subject, usize)> = measured
        .flat_map(|subject| {
            // One event at a time is all that the others take.
            let all = if subject.kind == Kind::Noop { &IN_FLIGHT[..1] } else { &IN_FLIGHT };
            all.iter().map(move |in_flight| (subject, *in_flight))
        })
        .collect();
    let mut samples: Vec<Vec<[f64; 5]>> = cells.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for ((subject, in_flight), samples) in cells.iter().zip(&mut samples) {
            samples.push(sample(subject, &batch, *in_flight, is_shown));
        }
    }
    let loads = cells.into_iter().zip(samples).map(|((subject, in_flight), samples)| {
        let spread = |place: usize| Spread::of(samples.iter().map(|sample| sample[place]).collect());
        Load {
            subject,
            in_flight,
            rate: spread(0),
            median: spread(1),
            longest: spread(2),
            cpu: spread(3),
            peak: spread(4),
        }
    });
    loads.collect()
}

/// Rate, median and longest latency, processor time of each, peak memory.
fn sample(subject: &Subject, batch: &Batch, in_flight: usize, is_shown: bool) -> [f64; 5] {
    let api = RuntimeApi::start();
    let process = Process::start(&subject.concurrent(), &api, None, is_shown);
    let tenth = batch.payloads.len() / 10;
    let warm_up =
        Batch { payloads: batch.payloads[..tenth].to_vec(), callers: batch.callers[..tenth].to_vec() };
    ask(subject, &api, &warm_up, in_flight);
    api.wait_for_rest();
    let before = process.cpu();
    let answers = ask(subject, &api, batch, in_flight);
    api.wait_for_rest();
    let cpu = process.cpu() - before;
    let began_at = answers.iter().map(|answer| answer.handed_at).min().unwrap();
    let ended_at = answers.iter().map(|answer| answer.answered_at).max().unwrap();
    let latencies = latencies(&answers);
    let count = f64::from(u32::try_from(answers.len()).unwrap());
    [
        count / (ended_at - began_at).as_secs_f64(),
        quantile(&latencies, 0.5),
        quantile(&latencies, 0.99),
        each(cpu, answers.len()),
        kilobytes(process.memory("VmHWM")),
    ]
}
