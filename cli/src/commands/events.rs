//! `authorizer events`: the sample events, made again.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::{Ending, examples};
use crate::{Error, events};

pub(super) fn command() -> Command {
    Command::new("events")
        .hide(true)
        .about("Make the sample events again: new keys, new tokens")
        .long_about(
            "Make the sample events again: new keys, new tokens, and the public key set beside them. No private\n\
             key is kept.",
        )
        .arg(
            Arg::new("directory")
                .long("directory")
                .value_name("DIRECTORY")
                .default_value("events")
                .value_parser(value_parser!(PathBuf))
                .help("Where to write them"),
        )
        .after_help(examples(&["authorizer events", "authorizer events --directory /tmp/events"]))
}

pub(super) fn run(matches: &ArgMatches) -> Result<Ending, Error> {
    let directory = matches.get_one::<PathBuf>("directory").cloned().unwrap_or_default();
    let count = events::write(&directory)?;
    eprintln!("wrote {count} events and their key set to `{}`", directory.display());
    Ok(Ending::Done)
}
