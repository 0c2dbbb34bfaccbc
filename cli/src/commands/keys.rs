//! `authorizer keys`: an issuer's key set, and API keys.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::terminal::is_colourful;
use super::{Ending, Misuse, api_keys, examples, print};
use crate::Error;
use crate::keys::KeysToFetch;

pub(super) fn command() -> Command {
    Command::new("keys")
        .about("An issuer's key set; API keys and users in a table")
        .subcommand_required(true)
        .subcommands([
            fetch(),
            api_keys::create(),
            api_keys::create_user(),
            api_keys::list(),
            api_keys::disable(),
            api_keys::enable(),
        ])
}

fn fetch() -> Command {
    let file = |name: &'static str| {
        Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf))
    };
    Command::new("fetch")
        .about("Write an issuer's key set to a file, and say what is in it")
        .long_about(
            "Write an issuer's key set to a file, for `initial_jwks_file`, and say what is in it: each key's ID,\n\
             type and size, the algorithms that it verifies, and what makes it unusable.",
        )
        .arg(
            Arg::new("issuer").long("issuer").value_name("URL").required(true).help("The issuer, as in `iss`"),
        )
        .arg(file("output").required(true).help("Where to write it"))
        .arg(
            Arg::new("jwks-uri")
                .long("jwks-uri")
                .value_name("URL")
                .help("Where its keys are [default: by discovery]"),
        )
        .arg(file("ca-file").help("Certificates to trust beside the public ones"))
        .arg(Arg::new("proxy").long("proxy").value_name("URL").help("The proxy on the way"))
        .arg(
            Arg::new("header")
                .long("header")
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .help("A header field to send; may come several times"),
        )
        .arg(
            Arg::new("development")
                .long("development")
                .action(ArgAction::SetTrue)
                .help("Allow plain http to loopback addresses"),
        )
        .after_help(examples(&[
            "authorizer keys fetch --issuer https://login.example.com/ --output jwks.json",
            "authorizer keys fetch --issuer https://login.example.com/ --output jwks.json --jwks-uri https://login.example.com/keys",
        ]))
}

/// Not quoted in its error: there may be a secret in it.
fn header(text: &str) -> Result<(String, String), Misuse> {
    let (name, value) = text.split_once('=').ok_or_else(|| Misuse::new("a header field is `NAME=VALUE`"))?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(super) async fn run(matches: &ArgMatches) -> Result<Ending, Error> {
    match matches.subcommand() {
        Some(("fetch", matches)) => run_fetch(matches).await,
        Some(("create", matches)) => api_keys::run_create(matches).await,
        Some(("create-user", matches)) => api_keys::run_create_user(matches).await,
        Some(("list", matches)) => api_keys::run_list(matches).await,
        Some(("disable", matches)) => api_keys::run_switch(matches, true).await,
        Some(("enable", matches)) => api_keys::run_switch(matches, false).await,
        Some(_) | None => Ok(Ending::Invalid),
    }
}

async fn run_fetch(matches: &ArgMatches) -> Result<Ending, Error> {
    let text = |name| matches.get_one::<String>(name).cloned();
    let path = |name| matches.get_one::<PathBuf>(name).cloned();
    let keys = KeysToFetch {
        issuer: text("issuer").unwrap_or_default(),
        jwks_uri: text("jwks-uri"),
        ca_file: path("ca-file"),
        proxy: text("proxy"),
        headers: matches
            .get_many::<String>("header")
            .into_iter()
            .flatten()
            .map(|text| header(text))
            .collect::<Result<_, _>>()?,
        development: matches.get_flag("development"),
    };
    let output = path("output").unwrap_or_default();
    let report = keys.write(&output).await?;
    print(&report.render(is_colourful()))?;
    eprintln!("wrote `{}`", output.display());
    Ok(Ending::Done)
}
