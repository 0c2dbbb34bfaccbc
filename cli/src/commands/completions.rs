//! `authorizer completions`: what a shell completes.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use clap_complete::{Shell, generate};

use super::{Ending, examples, print};
use crate::Error;

pub(super) fn command() -> Command {
    Command::new("completions")
        .about("Print what a shell needs to complete commands and options")
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(PossibleValuesParser::new(["bash", "zsh", "fish"]))
                .help("The shell"),
        )
        .after_help(examples(&["authorizer completions bash", "authorizer completions fish"]))
}

pub(super) fn run(matches: &ArgMatches) -> Result<Ending, Error> {
    let shell = match matches.get_one::<String>("shell").map(String::as_str) {
        Some("zsh") => Shell::Zsh,
        Some("fish") => Shell::Fish,
        Some(_) | None => Shell::Bash,
    };
    let mut script = Vec::new();
    generate(shell, &mut super::command(), "authorizer", &mut script);
    print(&String::from_utf8(script)?)?;
    Ok(Ending::Done)
}
