//! `make bench`: the function as Lambda meets it, a process that asks a Runtime API for events, beside the least that
//! such a process can be and beside others that verify tokens. Prints the figures of docs/performance.md.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a program for the desk: it reads files and the clock, and its faults are to end it"
)]

mod bounds;
mod http;
mod key_servers;
mod layout;
mod machine;
mod options;
#[path = "../page/mod.rs"]
mod page;
mod process;
mod runtime_api;
mod soak;
mod start;
mod statistics;
mod subjects;
mod tables;
mod throughput;
mod tokens;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use authorizer_cli::signing::{Algorithm, SigningKey, key_set};

use key_servers::KeyServers;
use options::{Options, Part};
use process::Group;
use start::Events;
use subjects::{Kind, Subject, Subjects, Way};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if let (Some(key_servers::COMMAND), Some(directory)) = (arguments.next().as_deref(), arguments.next()) {
        key_servers::serve(Path::new(&directory));
        return ExitCode::SUCCESS;
    }
    let options = Options::parse();
    let directory = Directory::new();
    let mut servers = KeyServers::start(&directory.0);
    if let Some(path) = &options.layout {
        std::fs::write(path, layout::script(&options, &mut servers, &directory.0)).unwrap();
        return ExitCode::SUCCESS;
    }
    let key = SigningKey::generate(Algorithm::RS256, "key-1").unwrap();
    let keys = key_set([&key]);
    servers.publish("/keys", &keys);
    let Subjects { subjects, missing } = subjects::subjects(&options, &directory.0, &servers, &keys);
    subjects.iter().for_each(Subject::forget);
    let mut page = options.write.as_ref().map(|page| std::fs::read_to_string(page).unwrap());
    let mut show = |name: &str, text: &str| {
        println!("{name}\n\n{text}");
        if let Some(page) = &mut page {
            *page = page::with_figures(page, name, text);
        }
    };
    let mut is_well = true;
    let is_asked = |part| options.parts.contains(&part);
    show(if is_asked(Part::Soak) { "soak machine" } else { "machine" }, &machine::facts(&options));
    if is_asked(Part::Table) {
        let all: Vec<&Subject> = subjects.iter().collect();
        let events = Events::new(&key, options.warm);
        let rows = start::measure(&all, &events, options.rounds, None, options.is_shown);
        show("start", &tables::start(&rows, &missing));
        show("warm", &tables::warm(&rows, &missing));
        show("bounds", &tables::verdicts(&bounds::verdicts(&rows)));
    }
    if is_asked(Part::Quota) {
        for percent in &options.quotas {
            let text = Group::new(*percent).map_or_else(
                |reason| {
                    format!("Not measured: {reason}. The processor time of the other table stands for it.\n")
                },
                |group| {
                    let few: Vec<&Subject> = subjects.iter().filter(|subject| is_limited(subject)).collect();
                    let events = Events::new(&key, 50);
                    let rows =
                        start::measure(&few, &events, options.quota_rounds, Some(&group), options.is_shown);
                    tables::quota(&rows, &missing)
                },
            );
            show(&format!("quota {percent}"), &text);
        }
    }
    if is_asked(Part::Throughput) {
        let loads = throughput::measure(&subjects, &key, 4_000, 5, options.is_shown);
        show("throughput", &tables::throughput(&loads));
    }
    if is_asked(Part::Soak) {
        let subject = deployed(&subjects);
        let outcome = soak::run(&options, subject, &mut servers, &directory.0);
        show("soak", &tables::soak(&outcome, subject.kind.name()));
        outcome.examples.iter().for_each(|example| eprintln!("error: {example}"));
        is_well = outcome.wrong == 0;
    }
    if let Some((path, page)) = options.write.as_ref().zip(page) {
        std::fs::write(path, page).unwrap();
    }
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is measured with a part of a processor: it takes long.
fn is_limited(subject: &Subject) -> bool {
    match subject.kind {
        Kind::Static => subject.way != Way::Plain,
        Kind::Glibc | Kind::Node | Kind::Python => subject.way == Way::Tls,
        Kind::Noop => true,
        Kind::NoopStatic | Kind::Template | Kind::NodeNoop => false,
    }
}

/// The function as it is deployed, or as it is otherwise built.
fn deployed(subjects: &[Subject]) -> &Subject {
    let of = |kind| subjects.iter().find(|subject| subject.kind == kind);
    of(Kind::Static).or_else(|| of(Kind::Glibc)).unwrap_or_else(|| panic!("the function is not built"))
}

/// A directory of this run.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("lambda-authorizer-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _already_gone = std::fs::remove_dir_all(&self.0);
    }
}
