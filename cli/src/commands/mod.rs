//! The commands as they are typed: each module has its arguments, its help with examples, and what it does with them.
//!
//! A command is a module with `command()` and `run()`, one line in [`command`] and one in [`run`]. Its examples are
//! run by `tests/help.rs`.

mod api_keys;
mod check;
mod completions;
mod demo;
mod events;
mod explain;
mod gateway;
mod generate;
mod invoke;
mod keys;
mod mint;
mod prove;
mod revoke;
mod terminal;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{fmt, io};

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;

use crate::Error;
pub use terminal::{is_broken_pipe, print};

/// What a command ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is done, or the request is allowed: 0.
    Done,
    /// It could not be done: 1.
    Failed,
    /// The request is denied: 2.
    Denied,
    /// The configuration is not to be deployed, or the command is not typed as it should be: 3.
    Invalid,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Done => Self::SUCCESS,
            Ending::Failed => Self::FAILURE,
            Ending::Denied => Self::from(2),
            Ending::Invalid => Self::from(3),
        }
    }
}

/// What is typed wrongly, and could not be told before the command looked at it.
#[derive(Clone, Debug)]
pub struct Misuse(String);

impl Misuse {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

const AFTER_HELP: &str = "\
`authorizer COMMAND --help` has the options of a command, and examples.

Ends with 0 where all is well or allowed, 1 where something failed, 2 where a request is
denied, 3 where the configuration or the command is wrong.
What is data goes to stdout, and what is talk to stderr. NO_COLOR switches the colours off.";

/// The whole tool.
#[must_use]
pub fn command() -> Command {
    Command::new("authorizer")
        .about("The developer's tool of lambda-authorizer.")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(AFTER_HELP)
        .disable_help_subcommand(true)
        .subcommands([
            explain::command(),
            invoke::command(),
            gateway::command(),
            check::command(),
            mint::command(),
            prove::command(),
            keys::command(),
            revoke::command(),
            demo::command(),
            events::command(),
            generate::command(),
            completions::command(),
        ])
}

/// Does what was typed; without a command, the help.
pub async fn run(matches: &ArgMatches) -> Result<Ending, Error> {
    match matches.subcommand() {
        Some(("explain", matches)) => explain::run(matches).await,
        Some(("invoke", matches)) => invoke::run(matches).await,
        Some(("gateway", matches)) => gateway::run(matches).await,
        Some(("check", matches)) => check::run(matches),
        Some(("mint", matches)) => mint::run(matches),
        Some(("prove", matches)) => prove::run(matches),
        Some(("keys", matches)) => keys::run(matches).await,
        Some(("revoke", matches)) => revoke::run(matches).await,
        Some(("demo", matches)) => demo::run(matches).await,
        Some(("events", matches)) => events::run(matches),
        Some(("generate", matches)) => generate::run(matches),
        Some(("completions", matches)) => completions::run(matches),
        Some(_) | None => {
            print(&command().render_help().to_string())?;
            Ok(Ending::Done)
        }
    }
}

/// Whether the words of a command line ask for JSON, even where they are no command.
pub fn asks_for_json(words: impl Iterator<Item = OsString>) -> bool {
    let words: Vec<OsString> = words.collect();
    words.windows(2).any(|pair| pair == ["--format", "json"])
        || words.iter().any(|word| word == "--format=json")
}

/// A failure for a machine: what is wrong, and the last hint.
pub fn print_failure(text: &str) -> io::Result<()> {
    let (message, hint) = match text.rsplit_once("\nhint: ") {
        Some((message, hint)) => (message, Some(hint)),
        None => (text, None),
    };
    print(&format!("{:#}\n", json!({ "error": message, "hint": hint })))
}

/// What was typed wrongly, in the words of the house, and what to do next.
#[must_use]
pub fn misuse(error: &clap::Error) -> String {
    let text = error.to_string().replace('\'', "`");
    let lines = text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let mut told: Vec<String> =
        lines.filter(|line| !line.is_empty()).map(|line| line.replacen("  tip: ", "hint: ", 1)).collect();
    if !told.iter().any(|line| line.starts_with("hint: ")) {
        told.push(
            "hint: `authorizer --help` lists the commands, and `--help` behind one its options".to_owned(),
        );
    }
    told.join("\n")
}

/// `--config FILE`.
fn configuration_argument() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("The configuration [default: authorizer.toml here, or AUTHORIZER_... in the environment]")
}

/// `--format text|json`.
fn format_argument() -> Arg {
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(["text", "json"])
        .default_value("text")
        .help("For a person, or for a machine")
}

fn is_json(matches: &ArgMatches) -> bool {
    matches.get_one::<String>("format").is_some_and(|format| format == "json")
}

/// The lines below a command's help, each of which does what it says.
fn examples(lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| format!("  {line}")).collect();
    format!("Examples:\n{}", lines.join("\n"))
}
