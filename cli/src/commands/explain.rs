//! `authorizer explain`: why an event is answered as it is.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use lambda_authorizer::config::Config;
use lambda_authorizer::explain::{AnswerPart, AskedRoute, Verdict};
use lambda_authorizer::{Authorizer, Level};
use serde_json::{Value, json};

use super::terminal::is_colourful;
use super::{Ending, Misuse, examples, print};
use crate::certificate::ClientCertificate;
use crate::local;
use crate::request_line::{Circumstances, KINDS, Named, RequestLine};
use crate::runtime_api::Outcome;
use crate::{Error, explanation, reasons};

const NOTHING: &str = "there is nothing to explain\nhint: name an event's file, or `--request 'GET /orders/7'`, or `--reason CODE`";

pub(super) fn command() -> Command {
    let text = |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    Command::new("explain")
        .about("Say why an event is answered as it is")
        .long_about(
            "Decide one event and take the decision apart: where the credential was found, each check of the token with \
             what was wanted and what was there, each rule and why it is for this caller or not, the policy with the \
             rules behind it, what a cached copy of it opens besides, and what the client gets.\n\n\
             The token itself is not shown. Ends with 0 where the request is allowed, and 2 where it is denied.",
        )
        .arg(
            Arg::new("event")
                .value_name("EVENT")
                .value_parser(value_parser!(PathBuf))
                .help("The event's file; `-` for the standard input"),
        )
        .arg(super::configuration_argument())
        .arg(
            text("request", "REQUEST")
                .help("A request instead of an event, as in 'GET /orders/7', or '$connect'")
                .conflicts_with("event"),
        )
        .arg(
            text("kind", "KIND")
                .help("The kind of event: rest-token, rest-request, http-1.0, http-2.0 or websocket [default: what the configuration is for]")
                .value_parser(PossibleValuesParser::new(KINDS.map(|(name, _)| name)))
                .hide_possible_values(true)
                .requires("request"),
        )
        .arg(text("token", "TOKEN").help("Its token, put where the configuration looks for one").requires("request"))
        .arg(
            text("token-file", "FILE")
                .help("A file with its token: a token in a command line is seen by others")
                .value_parser(value_parser!(PathBuf))
                .requires("request")
                .conflicts_with("token"),
        )
        .arg(
            text("proof", "PROOF")
                .help("A DPoP proof of it: the token comes as `DPoP`, and not as `Bearer`")
                .requires("request"),
        )
        .arg(
            text("client-certificate", "FILE")
                .help("The client's certificate (PEM), as if it had come by mutual TLS")
                .value_parser(value_parser!(PathBuf))
                .requires("request"),
        )
        .arg(
            text("domain", "NAME")
                .help("The API's own domain, with the base path, as in api.example.com/v1 [default: one of execute-api, with the stage]")
                .requires("request"),
        )
        .arg(text("stage", "STAGE").help("Its stage").default_value("dev").requires("request"))
        .arg(
            text("source-ip", "ADDRESS")
                .help("The client's address")
                .value_parser(value_parser!(IpAddr))
                .default_value("203.0.113.7")
                .requires("request"),
        )
        .arg(
            text("header", "NAME:VALUE")
                .help("A header of it; may be given several times")
                .value_parser(|text: &str| Named::parse(text, ':'))
                .action(ArgAction::Append)
                .requires("request"),
        )
        .arg(
            text("stage-variable", "NAME=VALUE")
                .help("A variable of its stage; may be given several times")
                .value_parser(|text: &str| Named::parse(text, '='))
                .action(ArgAction::Append)
                .requires("request"),
        )
        .arg(
            text("api", "FILE")
                .value_parser(value_parser!(PathBuf))
                .help("An OpenAPI document or a template: what the cached policy says of its routes [default: of those in the rules]"),
        )
        .arg(super::format_argument())
        .arg(text("reason", "CODE").help("What a reason code means, and what to do").exclusive(true))
        .after_help(examples(&[
            "authorizer explain events/rest-token.json --config events/authorizer.toml",
            "authorizer explain --request 'GET /orders/7' --config events/authorizer.toml",
            "authorizer explain --request 'GET /orders/7' --config events/authorizer.toml --format json",
            "authorizer explain events/rest-token.json --config events/authorizer.toml --api template.yaml",
            "authorizer explain --reason token_expired",
        ]))
}

pub(super) async fn run(matches: &ArgMatches) -> Result<Ending, Error> {
    if let Some(code) = matches.get_one::<String>("reason") {
        return reason(code);
    }
    if !matches.contains_id("request") && !matches.contains_id("event") {
        return Err(Misuse::new(NOTHING).into());
    }
    let config = local::configuration(matches.get_one::<PathBuf>("config").map(PathBuf::as_path))?;
    let event = event(matches, &config)?;
    let http_api = config.answers.http_api;
    let authorizer = Authorizer::new(config, Level::Info, local::quiet_edges());
    authorizer.prefetch().await;
    let others = match matches.get_one::<PathBuf>("api") {
        Some(description) => others(description, &event)?,
        None => Vec::new(),
    };
    let explained = authorizer.explain(local::invocation(&event), &others).await;
    let explained = explained.map_err(|fault| format!("{fault}\n{}", local::EVENT_HINT))?;
    let outcome = match &explained.answer {
        AnswerPart::Response(answer) => Outcome::Response(answer.to_string().into()),
        AnswerPart::Failure { error_type, error_message } => local::failure(error_type, error_message),
    };
    let status = local::status(&event, http_api, &outcome);
    if super::is_json(matches) {
        let mut document = serde_json::to_value(&explained)?;
        if let Value::Object(members) = &mut document {
            members.insert("status".to_owned(), json!(status));
        }
        print(&format!("{document:#}\n"))?;
    } else {
        print(&explanation::render(&explained, status, is_colourful()))?;
    }
    Ok(match explained.decision.verdict {
        Verdict::Allow => Ending::Done,
        Verdict::Deny => Ending::Denied,
        Verdict::Error => Ending::Failed,
    })
}

/// The routes to look at the policy for; how many are left out is said.
fn others(description: &Path, event: &str) -> Result<Vec<AskedRoute>, Error> {
    let (routes, left_out) = local::routes(description, event)?;
    if left_out > 0 {
        eprintln!(
            "note: left out, for want of an authorizer that gets such events: {left_out} of the routes"
        );
    }
    Ok(routes)
}

fn event(matches: &ArgMatches, config: &Config) -> Result<String, Error> {
    let Some(request) = matches.get_one::<String>("request") else {
        let file = matches.get_one::<PathBuf>("event").ok_or_else(|| Misuse::new(NOTHING))?;
        return local::event(file);
    };
    let request: RequestLine = request.parse()?;
    let kind = matches.get_one::<String>("kind");
    let kind = kind.and_then(|name| KINDS.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind));
    let certificate = matches.get_one::<PathBuf>("client-certificate");
    let certificate = certificate.map(|file| ClientCertificate::read(file)).transpose()?;
    let circumstances = Circumstances {
        kind: kind.unwrap_or_else(|| request.likely_kind(config)),
        stage: matches.get_one::<String>("stage").cloned().unwrap_or_default(),
        source_ip: matches.get_one("source-ip").copied().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        headers: matches.get_many("header").into_iter().flatten().cloned().collect(),
        stage_variables: matches.get_many("stage-variable").into_iter().flatten().cloned().collect(),
        proof: matches.get_one::<String>("proof").cloned(),
        certificate: certificate.map(|certificate| certificate.member().clone()),
        domain: matches.get_one::<String>("domain").cloned(),
    };
    let token = matches.get_one::<String>("token").map(String::as_str);
    let token = local::token(token, matches.get_one::<PathBuf>("token-file").map(PathBuf::as_path))?;
    Ok(request.event(token.as_deref(), config, &circumstances)?)
}

fn reason(code: &str) -> Result<Ending, Error> {
    let Some(text) = reasons::text(code) else {
        let hint = match reasons::nearest(code) {
            Some(nearest) => format!("`{nearest}` is one"),
            None => "docs/reasons.md lists them".to_owned(),
        };
        return Err(Misuse::new(format!("`{code}` is no reason code\nhint: {hint}")).into());
    };
    print(&text)?;
    Ok(Ending::Done)
}
