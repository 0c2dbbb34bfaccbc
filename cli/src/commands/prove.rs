//! `authorizer prove`: a DPoP proof.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::{Value, json};
use url::Url;

use super::{Ending, Misuse, examples, print};
use crate::Error;
use crate::local;
use crate::mint::{KeyFile, open};

pub(super) fn command() -> Command {
    let text = |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    let file = |name: &'static str| text(name, "FILE").value_parser(value_parser!(PathBuf));
    Command::new("prove")
        .about("Make a DPoP proof (RFC 9449): that a request is made by who has a key")
        .long_about(
            "Make a DPoP proof (RFC 9449): that a request is made by who has a key. It goes to stdout, and nothing else does.\n\
             It is good for one request, for a minute or so. With a token it is for an API, without one for a token endpoint.",
        )
        .arg(
            Arg::new("request")
                .value_name("REQUEST")
                .required(true)
                .help("The request, as in 'GET https://api.example.com/v1/orders'"),
        )
        .arg(file("key").required(true).help("The client's private key (PEM); it is made where there is none, for its owner alone"))
        .arg(text("token", "TOKEN").help("The token that the request comes with"))
        .arg(
            file("token-file")
                .conflicts_with("token")
                .help("A file with that token: a token in a command line is seen by others"),
        )
        .after_help(examples(&[
            "authorizer prove 'POST http://127.0.0.1:9800/token' --key client.pem",
            "authorizer prove 'GET http://127.0.0.1:9700/orders' --key client.pem --token eyJ0eXAi",
        ]))
}

pub(super) fn run(matches: &ArgMatches) -> Result<Ending, Error> {
    let path = |name| matches.get_one::<PathBuf>(name).map(PathBuf::as_path);
    let request = matches.get_one::<String>("request").map(String::as_str).unwrap_or_default();
    let (method, url) = parse(request)?;
    let token = local::token(matches.get_one::<String>("token").map(String::as_str), path("token-file"))?;
    let file = path("key").unwrap_or(Path::new(""));
    let KeyFile { key, is_new } = open(file, None)?;
    if is_new {
        eprintln!("made a key for {}: `{}`", key.algorithm().name(), file.display());
    }
    let changes = if token.is_some() { json!({}) } else { json!({ "ath": Value::Null }) };
    let proof = key.dpop_proof(method, url.as_str(), token.as_deref().unwrap_or_default(), &changes)?;
    print(&format!("{proof}\n"))?;
    Ok(Ending::Done)
}

/// Method and URL, which has neither query nor fragment in a proof.
fn parse(request: &str) -> Result<(&str, Url), Misuse> {
    let form = || {
        let hint = "hint: a method and a URL, as in `GET https://api.example.com/v1/orders`";
        Misuse::new(format!("the request is none\n{hint}"))
    };
    let (method, url) = request.split_once(' ').ok_or_else(form)?;
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let mut url = Url::parse(url).ok().filter(|url| is_method && url.has_host()).ok_or_else(form)?;
    url.set_query(None);
    url.set_fragment(None);
    Ok((method, url))
}
