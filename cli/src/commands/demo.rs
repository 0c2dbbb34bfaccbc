//! `authorizer demo`: every sample event, put to the function.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::terminal::is_colourful;
use super::{Ending, examples, print};
use crate::{Error, demo};

pub(super) fn command() -> Command {
    Command::new("demo")
        .hide(true)
        .about("Put every sample event to the function and show what the client gets")
        .long_about(
            "Put every sample event to the function and show what the client gets. Starts a development\n\
             issuer and a Lambda Runtime API on loopback; needs no network and no account. Ends with 1 if an event\n\
             does not come out as expected.",
        )
        .arg(
            Arg::new("function")
                .long("function")
                .value_name("PATH")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The function's binary"),
        )
        .arg(
            Arg::new("events")
                .long("events")
                .value_name("DIRECTORY")
                .default_value("events")
                .value_parser(value_parser!(PathBuf))
                .help("The sample events"),
        )
        .after_help(examples(&["authorizer demo --function target/debug/lambda-authorizer"]))
}

pub(super) async fn run(matches: &ArgMatches) -> Result<Ending, Error> {
    let path = |name| matches.get_one::<PathBuf>(name).cloned().unwrap_or_default();
    let report = demo::run(&path("function"), &path("events")).await?;
    print(&report.render(is_colourful()))?;
    for difference in &report.differences {
        eprintln!("error: {difference}");
    }
    Ok(if report.differences.is_empty() { Ending::Done } else { Ending::Failed })
}
