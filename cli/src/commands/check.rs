//! `authorizer check`: a configuration, before it is deployed.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use lambda_authorizer::config::schema;

use super::terminal::is_colourful;
use super::{Ending, examples, print};
use crate::Error;
use crate::check::Checked;

pub(super) fn command() -> Command {
    Command::new("check")
        .about("Say everything that is to be said of a configuration, before it is deployed")
        .long_about(
            "Say everything that is to be said of a configuration, before it is deployed: what is wrong with it,\n\
             what nobody may have meant, what IAM cannot say; and which rules are about which routes.\n\
             With the API's description, prove for each of its routes that the policy which API Gateway caches\n\
             decides as the rules do. Ends with 3 where something must not be deployed.",
        )
        .arg(
            Arg::new("configuration")
                .value_name("CONFIG")
                .default_value("authorizer.toml")
                .value_parser(value_parser!(PathBuf))
                .help("The configuration"),
        )
        .arg(
            Arg::new("api")
                .long("api")
                .visible_aliases(["openapi", "template"])
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The API: an OpenAPI document, or a template of SAM's or CloudFormation's"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .default_value("text")
                .value_parser(PossibleValuesParser::new(["text", "json"]))
                .help("For a person, or for a machine"),
        )
        .arg(
            Arg::new("schema")
                .long("schema")
                .action(ArgAction::SetTrue)
                .help("Print the JSON Schema of configurations instead"),
        )
        .after_help(examples(&[
            "authorizer check",
            "authorizer check authorizer.toml --openapi openapi.yaml",
            "authorizer check --template template.yaml --format json",
            "authorizer check --schema",
        ]))
}

pub(super) fn run(matches: &ArgMatches) -> Result<Ending, Error> {
    if matches.get_flag("schema") {
        print(&format!("{:#}\n", schema()))?;
        return Ok(Ending::Done);
    }
    let path = |name| matches.get_one::<PathBuf>(name);
    let configuration = path("configuration").cloned().unwrap_or_default();
    let checked = Checked::of(&configuration, path("api").map(PathBuf::as_path))?;
    match matches.get_one::<String>("format").map(String::as_str) {
        Some("json") => print(&format!("{:#}\n", checked.json()))?,
        Some(_) | None => print(&checked.render(is_colourful()))?,
    }
    Ok(if checked.is_right() { Ending::Done } else { Ending::Invalid })
}
