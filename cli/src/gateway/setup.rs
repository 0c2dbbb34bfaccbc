//! From what the command line asks for to what serves requests.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_authorizer::Level;
use lambda_authorizer::check::{Api, Authorizer, AuthorizerKind, Protocol, check};
use lambda_authorizer::config::{Config, Environment};

use super::api::{LocalApi, Overrides};
use super::authorizer::Function;
use super::backend::{Backend, Proxy};
use super::cache::Cache;
use super::history::History;
use super::listed::listed;
use super::management::OWN;
use super::options::GatewayOptions;
use super::pipeline::Pipeline;
use super::server::Gatehouse;
use crate::Error;
use crate::certificate::ClientCertificate;
use crate::commands::Misuse;
use crate::issuer::{Client, DevelopmentIssuer, TOKEN_PATH};
use crate::local::quiet_edges;
use crate::signing::{Algorithm, SigningKey};

/// The configuration where none is given.
const DEFAULT_CONFIGURATION: &str = include_str!("default.toml");

/// What the built-in configuration has besides for an authorizer with simple responses.
const SIMPLE_RESPONSES: &str = "[gateway]\ncache_seconds = 0\n\n[response]\nhttp_api = \"simple\"\n";

/// The routes where none are given: those that this configuration has rules for, and one that it has none for.
const DEFAULT_ROUTES: [&str; 6] =
    ["GET /orders", "POST /orders", "GET /orders/{id}", "GET /users/{id}", "PUT /users/{id}", "GET /reports"];

/// The port of the development issuer.
const ISSUER_PORT: u16 = 9800;

const ROUTE_CACHE_SECONDS: u32 = 300;

/// Where the configuration of the authorizer comes from.
enum Source<'a> {
    File(&'a Path),
    Environment,
    BuiltIn,
}

impl<'a> Source<'a> {
    fn of(options: &'a GatewayOptions) -> Self {
        match &options.config {
            Some(file) => Self::File(file),
            None if options.environment.is_empty() => Self::BuiltIn,
            None => Self::Environment,
        }
    }
}

pub(super) async fn gatehouse(
    options: &GatewayOptions,
) -> Result<(Gatehouse, Option<DevelopmentIssuer>), Error> {
    let (api, overrides) = (description(options)?, overrides(options));
    let apis = LocalApi::all(&api, &overrides)?;
    let source = Source::of(options);
    let issuer = match (&source, options.issuer) {
        (Source::BuiltIn, address) => {
            Some(issuer(address.unwrap_or((Ipv4Addr::LOCALHOST, ISSUER_PORT).into()), options).await?)
        }
        (Source::File(_) | Source::Environment, Some(address)) => Some(issuer(address, options).await?),
        (Source::File(_) | Source::Environment, None) => None,
    };
    let configured = configuration(options, &source, issuer.as_ref());
    // What a binary is configured with, it says itself.
    let known = configured.as_ref().ok();
    let warnings = warnings(&api, known, &overrides);
    let sources = known.map(|config| config.identity_sources.as_slice()).unwrap_or_default();
    let credentials = sources.iter().map(|source| source.location.clone()).collect();
    let function = match &options.function {
        Some(binary) => process(binary, options, &source, issuer.as_ref()).await?,
        None => Function::in_process(configured?).await,
    };
    let explainer = explainer(&function, options, &source, issuer.as_ref());
    let backend = match &options.backend {
        Some(url) => Backend::Proxy(Proxy::new(url)?),
        None => Backend::Echo,
    };
    let certificate = options.client_certificate.as_deref().map(ClientCertificate::read).transpose()?;
    let certificate = certificate.map(|certificate| certificate.member().clone());
    let house = Gatehouse {
        apis: apis.into_iter().map(Arc::new).collect(),
        pipeline: Pipeline { function, cache: Cache::default(), credentials },
        backend,
        history: History::new(options.history),
        source_ip: options.source_ip,
        certificate,
        explainer,
        warnings,
    };
    Ok((house, issuer))
}

fn overrides(options: &GatewayOptions) -> Overrides {
    Overrides { stage: options.stage.clone(), cache_seconds: options.cache_seconds }
}

fn description(options: &GatewayOptions) -> Result<Api, Error> {
    if let Some(file) = &options.api {
        let shown = file.display();
        let text = fs::read_to_string(file).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
        let api = Api::parse(&text).map_err(|error| format!("{shown}: {error}"))?;
        for note in &api.notes {
            eprintln!("note: {}: {}", note.place, note.message);
        }
        return Ok(api);
    }
    let is_websocket = options.kind == AuthorizerKind::WebSocket;
    let routes = match options.routes.as_slice() {
        [] if is_websocket => vec!["$connect".to_owned()],
        [] => DEFAULT_ROUTES.map(str::to_owned).to_vec(),
        routes => routes.to_vec(),
    };
    let sources = match options.identity_sources.as_slice() {
        // Beside it a browser could use no other (template.yaml tells why).
        [] if is_websocket => Vec::new(),
        [] => vec!["$request.header.Authorization".to_owned()],
        sources => sources.to_vec(),
    };
    // A simple response would be replayed on other routes: the built-in rules are not for that.
    let has_built_in_rules = matches!(Source::of(options), Source::BuiltIn);
    let is_simple = options.kind == AuthorizerKind::HttpSimple;
    let default = if is_simple && has_built_in_rules { 0 } else { ROUTE_CACHE_SECONDS };
    let seconds = options.cache_seconds.unwrap_or(default);
    listed(&routes, options.kind, &sources, options.validation.as_deref(), seconds)
}

async fn issuer(address: SocketAddr, options: &GatewayOptions) -> Result<DevelopmentIssuer, Error> {
    if !address.ip().is_loopback() {
        return Err(format!(
            "`{address}` is not on loopback: a development issuer gives tokens to whoever asks"
        )
        .into());
    }
    let key = SigningKey::generate(Algorithm::ES256, "development-1")?;
    let issuer = DevelopmentIssuer::start_at(address, [key]).await.map_err(|error| {
        format!("the issuer cannot listen on `{address}`: {error}\nhint: choose another with `--issuer`")
    })?;
    let client = match &options.client {
        Some(client) => client.clone(),
        None => random_client()?,
    };
    issuer.serve_tokens(client);
    Ok(issuer)
}

fn random_client() -> Result<Client, Error> {
    let mut bytes = [0; 18];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "there is no source of chance")?;
    Ok(Client { id: "development".to_owned(), secret: URL_SAFE_NO_PAD.encode(bytes) })
}

/// The text of the built-in configuration.
fn built_in(options: &GatewayOptions, issuer: Option<&DevelopmentIssuer>) -> String {
    let own = DEFAULT_CONFIGURATION.replace("{issuer}", issuer.map_or("", DevelopmentIssuer::url));
    let is_simple = options.api.is_none() && options.kind == AuthorizerKind::HttpSimple;
    if is_simple { own.replace("[response]\n", SIMPLE_RESPONSES) } else { own }
}

fn configuration(
    options: &GatewayOptions,
    source: &Source<'_>,
    issuer: Option<&DevelopmentIssuer>,
) -> Result<Config, Error> {
    Ok(match source {
        Source::File(file) => {
            let text = fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
            Config::parse(&text, file.parent())
                .map_err(|error| Misuse::new(format!("{}: {error}", file.display())))?
        }
        Source::Environment => {
            let variables = options.environment.iter().cloned().collect();
            Config::load(&Environment { variables, directory: None })?
        }
        Source::BuiltIn => Config::parse(&built_in(options, issuer), None)?,
    })
}

/// What the console explains with. Where a binary answers, it is this tool's own library with the same configuration.
fn explainer(
    function: &Function,
    options: &GatewayOptions,
    source: &Source<'_>,
    issuer: Option<&DevelopmentIssuer>,
) -> Result<Arc<lambda_authorizer::Authorizer>, String> {
    if let Some(authorizer) = function.authorizer() {
        return Ok(authorizer);
    }
    let config = configuration(options, source, issuer).map_err(|error| error.to_string())?;
    Ok(Arc::new(lambda_authorizer::Authorizer::new(config, Level::Info, quiet_edges())))
}

fn unreadable(file: &Path, error: &std::io::Error) -> String {
    let shown = file.display();
    format!("cannot read `{shown}`: {error}\nhint: `--config` names the configuration, an `authorizer.toml`")
}

async fn process(
    binary: &Path,
    options: &GatewayOptions,
    source: &Source<'_>,
    issuer: Option<&DevelopmentIssuer>,
) -> Result<Function, Error> {
    let environment = match source {
        Source::File(file) => {
            let path = fs::canonicalize(file).map_err(|error| unreadable(file, &error))?;
            vec![("AUTHORIZER_CONFIG_FILE".to_owned(), path.display().to_string())]
        }
        Source::Environment => options.environment.clone(),
        Source::BuiltIn => vec![("AUTHORIZER_CONFIG".to_owned(), built_in(options, issuer))],
    };
    Function::process(binary.to_owned(), environment).await
}

/// What a deployment of this would fail with.
fn warnings(api: &Api, config: Option<&Config>, overrides: &Overrides) -> Vec<String> {
    let mut warnings = Vec::new();
    let found = config.map(|config| check(config, Some(api))).unwrap_or_default();
    for finding in found.iter().filter(|finding| finding.code == "answer_kind_differs") {
        warnings.push(format!("{}: {}", finding.place, finding.message));
    }
    let has_none = |authorizer: &&Authorizer| {
        let seconds = overrides.cache_seconds.or(authorizer.gateway.cache_seconds);
        authorizer.kind == AuthorizerKind::RestRequest
            && seconds != Some(0)
            && authorizer.gateway.identity_sources.as_ref().is_none_or(Vec::is_empty)
    };
    for authorizer in api.authorizers.iter().filter(has_none) {
        warnings.push(format!(
            "authorizer `{}`: AWS refuses a TTL without an identity source; nothing is cached here",
            authorizer.name
        ));
    }
    warnings
}

/// What a person is told at the start: where everything is, and where the gateway reads AWS's words strictly.
pub(super) fn greeting(
    house: &Gatehouse,
    addresses: &[(String, SocketAddr)],
    issuer: Option<&DevelopmentIssuer>,
) -> String {
    let mut text = String::new();
    let mut line = |said: String| {
        let _always_written = writeln!(text, "{said}");
    };
    for (api, (_, address)) in house.apis.iter().zip(addresses) {
        let scheme = if api.protocol == Protocol::WebSocket { "ws" } else { "http" };
        line(format!("{scheme}://{address}  API `{}` ({}), stage `{}`", api.name, api.id, api.stage));
        for route in &api.routes {
            let authorizer = route.authorizer.and_then(|place| api.authorizers.get(place));
            let behind = authorizer.map_or("open to everybody", |authorizer| &authorizer.name);
            line(format!("  {:32} {behind}", route.key));
            if OWN.iter().any(|own| route.resource().starts_with(own)) {
                line(format!("warning: `{}` is not served: the path is the gateway's own", route.key));
            }
        }
        line(format!("  http://{address}/_console  see every decision in the browser"));
        if !address.ip().is_loopback() {
            line(format!(
                "warning: `{address}` is open to other machines: whoever reaches it sees `/_requests`"
            ));
        }
    }
    if let Some(issuer) = issuer {
        let url = issuer.url().trim_end_matches('/');
        line(format!("{url}  development issuer"));
        if let Some(client) = issuer.client() {
            line(format!(
                "  curl -s -u {}:{} -d grant_type=client_credentials -d scope=orders:read {url}{TOKEN_PATH}",
                client.id, client.secret
            ));
        }
    }
    for warning in &house.warnings {
        line(format!("warning: {warning}"));
    }
    for reading in strict_readings(house) {
        line(format!("strict: {reading}"));
    }
    text
}

/// Where AWS says nothing (contract 8), the gateway does what asks more of an authorizer.
fn strict_readings(house: &Gatehouse) -> Vec<&'static str> {
    let has_protocol = |protocol| house.apis.iter().any(|api| api.protocol == protocol);
    let authorizers = || house.apis.iter().flat_map(|api| &api.authorizers);
    let mut readings = Vec::new();
    if has_protocol(Protocol::Http) {
        readings.push("the error `Unauthorized` is a 500 on an HTTP API");
    }
    if has_protocol(Protocol::Rest) {
        readings.push("a REST resource without the method is a 403, whatever `{proxy+}` there is");
    }
    if authorizers().any(|authorizer| authorizer.validation.is_some()) {
        readings.push("a validation expression must match the whole token");
    }
    let is_uncached = |authorizer: &super::api::LocalAuthorizer| {
        authorizer.cache_seconds == 0 && !authorizer.identity_sources.is_empty()
    };
    if authorizers().any(is_uncached) {
        readings.push("identity sources must be there even where nothing is cached");
    }
    if authorizers().any(|authorizer| authorizer.kind == AuthorizerKind::Other) {
        readings.push("routes behind another kind of authorizer are refused");
    }
    readings.push("an answer without `principalId`, or with `null` in its context, is a 500");
    readings
}
