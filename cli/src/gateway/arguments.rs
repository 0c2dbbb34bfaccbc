//! The command line of `authorizer gateway`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use lambda_authorizer::check::AuthorizerKind;
use lexopt::prelude::*;

use super::api::KINDS;
use crate::issuer::Client;

/// What `authorizer gateway --help` says.
pub const HELP: &str = "\
A local API Gateway in front of the authorizer.

Usage: authorizer gateway [OPTIONS]

Without options: a REST API with a few routes of an orders service, rules for
them, and a development issuer that gives out tokens.

The API:
  --api FILE              a SAM or CloudFormation template, or an OpenAPI document;
                          several APIs in it are served on as many ports
  --route 'GET /orders/{id}'  a route; may come several times, instead of --api
  --kind KIND             of the authorizer of these routes: rest-token,
                          rest-request, http-1.0, http-2.0, http-2.0-simple or
                          websocket [default: rest-request]
  --identity-source SOURCE  of this authorizer, in API Gateway's words; may come
                          several times [default: the Authorization header]
  --validation REGEX      the validation expression of a rest-token authorizer
  --cache-seconds N       how long answers are kept [default: as in the
                          description; of routes, 300]
  --stage NAME            the stage [default: as in the description, or `$default`
                          for an HTTP API and `dev` for the others]

The authorizer:
  --config FILE           its configuration [default: AUTHORIZER_... in the
                          environment, or the built-in one]
  --function PATH         the function's binary, over a Runtime API
                          [default: the library, in this process]

The backend:
  --backend URL           where requests go that may pass [default: a built-in
                          one that shows what it was told]

The development issuer:
  --issuer ADDRESS        its address; starts it beside a configuration of yours,
                          too [default: 127.0.0.1:9800]
  --client ID:SECRET      who may have tokens [default: a random secret, shown]

  --listen ADDRESS        [default: 127.0.0.1:9700]
  --source-ip ADDRESS     the client's address, as events have it
  --history N             how many requests are kept [default: 200]
  -h, --help              Show this help.

Examples:
  authorizer gateway --api template.yaml --config authorizer.toml
  authorizer gateway --kind http-2.0 --route 'GET /orders' --route '$default'
  authorizer gateway --function target/debug/lambda-authorizer
";

/// What a gateway is to be.
#[derive(Clone, Debug)]
pub struct GatewayOptions {
    /// The description of the API.
    pub api: Option<PathBuf>,
    /// Routes, in the place of a description.
    pub routes: Vec<String>,
    /// The kind of the authorizer of these routes.
    pub kind: AuthorizerKind,
    /// Its identity sources; none is the `Authorization` header.
    pub identity_sources: Vec<String>,
    /// Its validation expression.
    pub validation: Option<String>,
    /// How long answers are kept.
    pub cache_seconds: Option<u32>,
    /// The stage.
    pub stage: Option<String>,
    /// The configuration of the authorizer.
    pub config: Option<PathBuf>,
    /// The binary, in the place of the library.
    pub function: Option<PathBuf>,
    /// The backend, in the place of the built-in one.
    pub backend: Option<String>,
    /// The address of the development issuer, where one is wanted beside a configuration.
    pub issuer: Option<SocketAddr>,
    /// The client of the development issuer.
    pub client: Option<Client>,
    /// The address of the first API; each of the others has the next port.
    pub listen: SocketAddr,
    /// The client's address in events.
    pub source_ip: Option<IpAddr>,
    /// How many requests are kept.
    pub history: usize,
    /// The variables of the environment that configure the authorizer.
    pub environment: Vec<(String, String)>,
}

/// What a command line asks for.
#[derive(Clone, Debug)]
pub enum Request {
    /// The help.
    Help,
    /// A gateway.
    Run(Box<GatewayOptions>),
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            api: None,
            routes: Vec::new(),
            kind: AuthorizerKind::RestRequest,
            identity_sources: Vec::new(),
            validation: None,
            cache_seconds: None,
            stage: None,
            config: None,
            function: None,
            backend: None,
            issuer: None,
            client: None,
            listen: (Ipv4Addr::LOCALHOST, 9700).into(),
            source_ip: None,
            history: 200,
            environment: Vec::new(),
        }
    }
}

/// Reads what follows `gateway` on the command line.
///
/// # Errors
///
/// An option that is unknown, or whose value is none.
pub fn parse(parser: &mut lexopt::Parser) -> Result<Request, lexopt::Error> {
    let mut options = GatewayOptions { environment: environment(), ..GatewayOptions::default() };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Long("api") => options.api = Some(parser.value()?.into()),
            Long("route") => options.routes.push(parser.value()?.string()?),
            Long("kind") => options.kind = kind(&parser.value()?.string()?)?,
            Long("identity-source") => options.identity_sources.push(parser.value()?.string()?),
            Long("validation") => options.validation = Some(parser.value()?.string()?),
            Long("cache-seconds") => options.cache_seconds = Some(parser.value()?.parse()?),
            Long("stage") => options.stage = Some(parser.value()?.string()?),
            Long("config") => options.config = Some(parser.value()?.into()),
            Long("function") => options.function = Some(parser.value()?.into()),
            Long("backend") => options.backend = Some(parser.value()?.string()?),
            Long("issuer") => options.issuer = Some(parser.value()?.parse()?),
            Long("client") => options.client = Some(client(&parser.value()?.string()?)?),
            Long("listen") => options.listen = parser.value()?.parse()?,
            Long("source-ip") => options.source_ip = Some(parser.value()?.parse()?),
            Long("history") => options.history = parser.value()?.parse()?,
            argument @ (Short(_) | Long(_) | Value(_)) => return Err(argument.unexpected()),
        }
    }
    let of_routes_only = [
        ("--route", !options.routes.is_empty()),
        ("--identity-source", !options.identity_sources.is_empty()),
        ("--validation", options.validation.is_some()),
    ];
    match of_routes_only.into_iter().find(|(_, is_given)| *is_given && options.api.is_some()) {
        Some((name, _)) => Err(format!("`{name}` is for routes; `--api` has its own").into()),
        None => Ok(Request::Run(Box::new(options))),
    }
}

fn kind(name: &str) -> Result<AuthorizerKind, lexopt::Error> {
    let known = KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
    let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
    known
        .ok_or_else(|| format!("`{name}` is no kind of authorizer\nhint: one of {}", names.join(", ")).into())
}

fn client(text: &str) -> Result<Client, lexopt::Error> {
    match text.split_once(':') {
        Some((id, secret)) if !id.is_empty() && !secret.is_empty() => {
            Ok(Client { id: id.to_owned(), secret: secret.to_owned() })
        }
        _ => Err("`--client` is `ID:SECRET`".into()),
    }
}

fn environment() -> Vec<(String, String)> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    variables.filter(|(name, value)| name.starts_with("AUTHORIZER_") && !value.trim().is_empty()).collect()
}
