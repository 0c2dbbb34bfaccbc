//! `authorizer invoke`: one event in, the exact answer out.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use lambda_authorizer::response::HttpApi;
use lambda_authorizer::{Authorizer, Level};
use serde_json::Value;

use super::{Ending, Misuse, examples, print};
use crate::Error;
use crate::http_client;
use crate::local;
use crate::runtime_api::{FunctionError, Outcome};

pub(super) fn command() -> Command {
    Command::new("invoke")
        .about("Put one event to the authorizer, and print its exact answer")
        .long_about(
            "Put one event to the authorizer, and print its exact answer: what the function returns, or the error that \
             the invocation ends with. The status that API Gateway makes of it goes to stderr.\n\n\
             Ends with 0 where the client gets through, 2 where it gets 401 or 403, and 1 where it gets 500.",
        )
        .arg(
            Arg::new("event")
                .value_name("EVENT")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The event's file; `-` for the standard input"),
        )
        .arg(super::configuration_argument())
        .arg(
            Arg::new("endpoint")
                .long("endpoint")
                .value_name("URL")
                .conflicts_with("config")
                .help("Ask a running function instead, at its invoke endpoint"),
        )
        .arg(
            Arg::new("simple")
                .long("simple")
                .requires("endpoint")
                .action(clap::ArgAction::SetTrue)
                .help("The function behind the endpoint answers with `isAuthorized`"),
        )
        .after_help(examples(&[
            "authorizer invoke events/rest-token.json --config events/authorizer.toml",
            "authorizer invoke events/rest-token.json --endpoint http://127.0.0.1:9000/2015-03-31/functions/function/invocations",
        ]))
}

pub(super) async fn run(matches: &ArgMatches) -> Result<Ending, Error> {
    let file = matches.get_one::<PathBuf>("event").ok_or_else(|| Misuse::new("there is no event"))?;
    let event = local::event(file)?;
    let (outcome, http_api) = match matches.get_one::<String>("endpoint") {
        Some(endpoint) => {
            let http_api = if matches.get_flag("simple") { HttpApi::Simple } else { HttpApi::Policy };
            (ask(endpoint, &event).await?, http_api)
        }
        None => {
            let config = local::configuration(matches.get_one::<PathBuf>("config").map(PathBuf::as_path))?;
            let http_api = config.answers.http_api;
            let authorizer = Authorizer::new(config, Level::Info, local::quiet_edges());
            authorizer.prefetch().await;
            let outcome = match authorizer.authorize(local::invocation(&event)).await {
                Ok(response) => Outcome::Response(response.as_str().to_owned().into()),
                Err(failure) => local::failure(failure.error_type(), failure.error_message()),
            };
            (outcome, http_api)
        }
    };
    match &outcome {
        Outcome::Response(body) => print(&format!("{}\n", String::from_utf8_lossy(body)))?,
        Outcome::Error(error) => print(&format!("{}\n", String::from_utf8_lossy(&error.body)))?,
        Outcome::InitError(_) | Outcome::Exited(_) | Outcome::TimedOut => {}
    }
    let status = local::status(&event, http_api, &outcome);
    eprintln!("the client gets {status}");
    Ok(match status {
        200 => Ending::Done,
        401 | 403 => Ending::Denied,
        _ => Ending::Failed,
    })
}

/// Local stand-ins for Lambda tell of a failed invocation in the body of a 200, or by the status.
async fn ask(endpoint: &str, event: &str) -> Result<Outcome, Error> {
    let sent = http_client()?.post(endpoint).body(event.to_owned()).send();
    let answer = sent.await.map_err(|error| {
        format!(
            "`{endpoint}` does not answer: {}\nhint: start the function with `cargo lambda watch`, say",
            error.without_url()
        )
    })?;
    let (has_failed, body) = (!answer.status().is_success(), answer.bytes().await?);
    let text = |document: &Value, name: &str| Some(document.get(name)?.as_str()?.to_owned());
    let document: Value = serde_json::from_slice(&body).unwrap_or_default();
    Ok(match (text(&document, "errorType"), text(&document, "errorMessage")) {
        (Some(error_type), Some(message)) => Outcome::Error(FunctionError { error_type, message, body }),
        _ if has_failed => {
            Outcome::Error(FunctionError { error_type: "Unhandled".to_owned(), message: String::new(), body })
        }
        _ => Outcome::Response(body),
    })
}
