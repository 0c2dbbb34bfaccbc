//! What the command line asks for.

use std::path::{Path, PathBuf};
use std::process::exit;

/// What is measured, of which programs.
pub(crate) struct Options {
    pub(crate) parts: Vec<Part>,
    pub(crate) rounds: usize,
    pub(crate) quota_rounds: usize,
    /// How many requests a warm measurement has.
    pub(crate) warm: usize,
    /// How many events the soak has.
    pub(crate) events: usize,
    /// How many of the soak's events are with the process at once.
    pub(crate) in_flight: usize,
    pub(crate) quotas: Vec<u32>,
    pub(crate) glibc: PathBuf,
    pub(crate) artefact: PathBuf,
    /// Where the functions are that do nothing.
    pub(crate) noop: PathBuf,
    /// The first of them, built as the function is deployed.
    pub(crate) static_noop: PathBuf,
    pub(crate) node: PathBuf,
    pub(crate) node_modules: PathBuf,
    pub(crate) python: PathBuf,
    /// The function as it is deployed, but with the names of its functions.
    pub(crate) traced: PathBuf,
    /// Where the linker script is written.
    pub(crate) layout: Option<PathBuf>,
    /// The page whose figures are replaced.
    pub(crate) write: Option<PathBuf>,
    /// Lets the programs' own output through.
    pub(crate) is_shown: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Table,
    Quota,
    Throughput,
    Soak,
}

impl Options {
    /// Those of the command line; with a fault in it, the program ends.
    pub(crate) fn parse() -> Self {
        let mut options = Self::usual(&target_directory());
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value =
                || arguments.next().unwrap_or_else(|| fault(&format!("`{argument}` needs a value")));
            match argument.as_str() {
                "table" => options.parts.push(Part::Table),
                "quota" => options.parts.push(Part::Quota),
                "throughput" => options.parts.push(Part::Throughput),
                "soak" => options.parts.push(Part::Soak),
                "--rounds" => options.rounds = number(&value()),
                "--quota-rounds" => options.quota_rounds = number(&value()),
                "--warm" => options.warm = number(&value()),
                "--events" => options.events = number(&value()),
                "--in-flight" => options.in_flight = number(&value()),
                "--quotas" => {
                    options.quotas =
                        value().split(',').map(number).map(|quota| quota.try_into().unwrap()).collect();
                }
                "--glibc" => options.glibc = value().into(),
                "--static" => options.artefact = value().into(),
                "--noop" => options.noop = value().into(),
                "--static-noop" => options.static_noop = value().into(),
                "--traced" => options.traced = value().into(),
                "--layout" => options.layout = Some(value().into()),
                "--node" => options.node = value().into(),
                "--node-modules" => options.node_modules = value().into(),
                "--python" => options.python = value().into(),
                "--write" => options.write = Some(value().into()),
                "--show" => options.is_shown = true,
                // `cargo bench` says so to every benchmark.
                "--bench" => {}
                "--help" => {
                    println!("{HELP}");
                    exit(0);
                }
                other => fault(&format!("`{other}` is unknown")),
            }
        }
        if options.parts.is_empty() {
            options.parts = vec![Part::Table, Part::Quota, Part::Throughput];
        }
        options
    }

    /// What `make bench` builds, in the numbers of docs/performance.md.
    fn usual(target: &Path) -> Self {
        Self {
            parts: Vec::new(),
            rounds: 40,
            quota_rounds: 15,
            warm: 300,
            events: 1_000_000,
            in_flight: 1,
            quotas: vec![7, 29],
            glibc: target.join("release/lambda-authorizer"),
            artefact: target.join("static/lambda-authorizer/bootstrap"),
            noop: target.join("peers/release"),
            static_noop: target.join("static/noop/bootstrap"),
            traced: target.join("traced/lambda-authorizer/bootstrap"),
            layout: None,
            node: found("node"),
            node_modules: target.join("tools/node_modules"),
            python: target.join("tools/venv/bin/python"),
            write: None,
            is_shown: false,
        }
    }
}

const HELP: &str = "process [table] [quota] [throughput] [soak] [OPTION]...

Measures the function as a process, as Lambda starts and asks it. Without a part: table, quota and throughput.

  --rounds N, --quota-rounds N   how often each program is started
  --warm N                       requests of each warm measurement
  --quotas N,...                 percentages of a processor
  --events N, --in-flight N      of the soak
  --glibc FILE, --static FILE    the function, built for glibc, and as it is deployed
  --noop DIRECTORY               where `noop` and `template` are
  --static-noop FILE             the first of them, built as the function is deployed
  --node FILE, --node-modules DIRECTORY, --python FILE
  --layout FILE                  measures nothing, and writes which functions lie together
  --traced FILE                  the function as it is deployed, not stripped: for that
  --write PAGE                   replaces the figures of this page
  --show                         lets the programs' output through";

/// This program is in `target/<profile>/deps`.
fn target_directory() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(3).unwrap().to_owned()
}

/// The program of this name, where it is in the `PATH`.
fn found(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| name.into())
}

fn number(text: &str) -> usize {
    text.replace('_', "").parse().unwrap_or_else(|_| fault(&format!("`{text}` is no number")))
}

fn fault(problem: &str) -> ! {
    eprintln!("error: {problem}\nhint: --help");
    exit(2);
}
