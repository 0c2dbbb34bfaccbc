//! `authorizer gateway`: a local API Gateway in front of the authorizer.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use lambda_authorizer::check::AuthorizerKind;

use super::{Ending, examples};
use crate::Error;
use crate::gateway::{GatewayOptions, LocalGateway, kind};
use crate::issuer::Client;

const API: &str = "The API";
const AUTHORIZER: &str = "The authorizer";
const AROUND: &str = "What is around it";

pub(super) fn command() -> Command {
    let option = |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    let file = |name: &'static str| option(name, "FILE").value_parser(value_parser!(PathBuf));
    Command::new("gateway")
        .about("Serve a local API Gateway in front of the authorizer")
        .long_about(
            "Serve a local API Gateway in front of the authorizer, until Ctrl-C. Without options it is a REST API with a few \
             routes of an orders service, rules for them, and a development issuer that gives out tokens.",
        )
        .next_help_heading(API)
        .arg(file("api").help("A SAM or CloudFormation template, or an OpenAPI document; several APIs in it are served on as many ports"))
        .arg(
            option("route", "ROUTE")
                .action(ArgAction::Append)
                .conflicts_with("api")
                .help("A route, as in 'GET /orders/{id}'; may come several times"),
        )
        .arg(
            option("kind", "KIND")
                .value_parser(|name: &str| kind(name))
                .default_value("rest-request")
                .help("The kind of authorizer of these routes: rest-token, rest-request, http-1.0, http-2.0, http-2.0-simple or websocket"),
        )
        .arg(
            option("identity-source", "SOURCE")
                .action(ArgAction::Append)
                .conflicts_with("api")
                .help("Its identity source, in API Gateway's words; may come several times [default: the Authorization header]"),
        )
        .arg(
            option("validation", "REGEX")
                .conflicts_with("api")
                .help("The validation expression of a rest-token authorizer"),
        )
        .arg(
            option("cache-seconds", "N")
                .value_parser(value_parser!(u32).range(0..=3600))
                .help("How long answers are kept, up to 3600 [default: as in the description; of routes, 300]"),
        )
        .arg(option("stage", "NAME").help("The stage [default: as in the description, or `$default` for an HTTP API and `dev` for the others]"))
        .next_help_heading(AUTHORIZER)
        .arg(file("config").help("Its configuration [default: AUTHORIZER_... in the environment, or the built-in one]"))
        .arg(
            option("function", "PATH")
                .value_parser(value_parser!(PathBuf))
                .help("The function's binary, over a Runtime API [default: the library, in this process]"),
        )
        .next_help_heading(AROUND)
        .arg(option("backend", "URL").help("Where requests go that may pass [default: a built-in one that shows what it was told]"))
        .arg(
            option("issuer", "ADDRESS")
                .value_parser(value_parser!(SocketAddr))
                .help("The development issuer's address; starts it beside a configuration of yours, too [default: 127.0.0.1:9800]"),
        )
        .arg(option("client", "ID:SECRET").value_parser(client).help("Who may have tokens of it [default: a random secret, shown]"))
        .arg(
            option("listen", "ADDRESS")
                .value_parser(value_parser!(SocketAddr))
                .help("The address of the first API [default: 127.0.0.1:9700]"),
        )
        .arg(
            option("source-ip", "ADDRESS")
                .value_parser(value_parser!(IpAddr))
                .help("The client's address, as events have it [default: the connection's]"),
        )
        .arg(file("client-certificate").help("The certificate (PEM) of every client, as if it had come by mutual TLS"))
        .arg(option("history", "N").value_parser(value_parser!(usize)).help("How many requests are kept [default: 200]"))
        .after_help(examples(&[
            "authorizer gateway",
            "authorizer gateway --api template.yaml --config authorizer.toml",
            "authorizer gateway --kind http-2.0 --route 'GET /orders' --route '$default'",
            "authorizer gateway --function target/debug/lambda-authorizer",
        ]))
}

pub(super) async fn run(matches: &ArgMatches) -> Result<Ending, Error> {
    let gateway = LocalGateway::start(&options(matches)).await?;
    eprint!("{}", gateway.greeting());
    tokio::signal::ctrl_c().await?;
    Ok(Ending::Done)
}

fn options(matches: &ArgMatches) -> GatewayOptions {
    let usual = GatewayOptions { environment: environment(), ..GatewayOptions::default() };
    let texts = |name| matches.get_many::<String>(name).into_iter().flatten().cloned().collect();
    let text = |name| matches.get_one::<String>(name).cloned();
    let file = |name| matches.get_one::<PathBuf>(name).cloned();
    GatewayOptions {
        api: file("api"),
        routes: texts("route"),
        kind: matches.get_one::<AuthorizerKind>("kind").copied().unwrap_or(usual.kind),
        identity_sources: texts("identity-source"),
        validation: text("validation"),
        cache_seconds: matches.get_one("cache-seconds").copied(),
        stage: text("stage"),
        config: file("config"),
        function: file("function"),
        backend: text("backend"),
        issuer: matches.get_one("issuer").copied(),
        client: matches.get_one("client").cloned(),
        listen: matches.get_one("listen").copied().unwrap_or(usual.listen),
        source_ip: matches.get_one("source-ip").copied(),
        client_certificate: file("client-certificate"),
        history: matches.get_one("history").copied().unwrap_or(usual.history),
        environment: usual.environment,
    }
}

fn client(text: &str) -> Result<Client, &'static str> {
    match text.split_once(':') {
        Some((id, secret)) if !id.is_empty() && !secret.is_empty() => {
            Ok(Client { id: id.to_owned(), secret: secret.to_owned() })
        }
        Some(_) | None => Err("a client is `ID:SECRET`"),
    }
}

fn environment() -> Vec<(String, String)> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    variables.filter(|(name, value)| name.starts_with("AUTHORIZER_") && !value.trim().is_empty()).collect()
}
