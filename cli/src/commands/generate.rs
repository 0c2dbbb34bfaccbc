//! `authorizer generate`: the documentation that is made from the sources.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::{Ending, examples};
use crate::{Error, generate};

pub(super) fn command() -> Command {
    Command::new("generate")
        .hide(true)
        .about("Write the documentation that is made from the sources")
        .long_about(
            "Write the documentation that is made from the sources: the settings, their JSON\n\
             Schema, and the reasons.",
        )
        .arg(
            Arg::new("directory")
                .long("directory")
                .value_name("DIRECTORY")
                .default_value("docs")
                .value_parser(value_parser!(PathBuf))
                .help("Where to write it"),
        )
        .after_help(examples(&["authorizer generate"]))
}

pub(super) fn run(matches: &ArgMatches) -> Result<Ending, Error> {
    let directory = matches.get_one::<PathBuf>("directory").cloned().unwrap_or_default();
    for name in generate::write(&directory)? {
        eprintln!("wrote `{}`", directory.join(name).display());
    }
    Ok(Ending::Done)
}
