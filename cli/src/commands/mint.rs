//! `authorizer mint`: a token of a development issuer.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Map, Value};

use super::{Ending, Misuse, examples, print};
use crate::Error;
use crate::certificate::ClientCertificate;
use crate::events::ISSUER;
use crate::issuer::AUDIENCE;
use crate::mint::{Broken, KeyFile, Mint, open, write_key_set};
use crate::signing::Algorithm;

pub(super) fn command() -> Command {
    let text = |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    let file = |name: &'static str| text(name, "FILE").value_parser(value_parser!(PathBuf));
    Command::new("mint")
        .about("Make a token of a development issuer, or a broken one")
        .long_about(
            "Make a token of a development issuer, or a broken one. The token goes to stdout, and nothing else does.\n\
             An issuer whose name somebody may own is refused: only loopback, and names below `.invalid`,\n\
             `.localhost` and `.test`, are nobody's.",
        )
        .arg(file("key").required(true).help("The private key (PEM); it is made where there is none, for its owner alone"))
        .arg(file("jwks").help("Write the public key set, for `jwks_file`"))
        .arg(
            text("algorithm", "NAME")
                .value_parser(PossibleValuesParser::new(Algorithm::ALL.map(Algorithm::name)))
                .hide_possible_values(true)
                .help("RS256, PS256, ES256, EdDSA or another [default: the key's; ES256 for a new one]"),
        )
        .arg(text("issuer", "URL").default_value(ISSUER).help("`iss`"))
        .arg(
            text("audience", "NAME")
                .action(ArgAction::Append)
                .default_value(AUDIENCE)
                .help("`aud`; may come several times"),
        )
        .arg(text("subject", "NAME").default_value("user-7f1c").help("`sub`"))
        .arg(
            text("expires-in", "SECONDS")
                .default_value("300")
                .value_parser(value_parser!(i64))
                .allow_negative_numbers(true)
                .help("How long it is valid; it has expired where this is negative"),
        )
        .arg(
            text("claim", "NAME=VALUE")
                .action(ArgAction::Append)
                .help("A claim: JSON, or else a text; `null` takes one away; may come several times"),
        )
        .arg(file("claims").help("A JSON object of claims"))
        .arg(file("dpop-key").help("The client's private key (PEM): the token is bound to it; it is made where there is none"))
        .arg(file("client-certificate").help("The client's certificate (PEM): the token is bound to it"))
        .arg(
            text("broken", "HOW")
                .value_parser(PossibleValuesParser::new(Broken::ALL.map(Broken::name)))
                .help("What is to be wrong with it"),
        )
        .after_help(examples(&[
            "authorizer mint --key development.pem --jwks jwks.json --claim 'scope=orders:read orders:write'",
            "authorizer mint --key rsa.pem --algorithm PS256 --subject u1 --claim 'org={\"tier\": \"gold\"}'",
            "authorizer mint --key development.pem --issuer http://127.0.0.1:8080/ --expires-in 3600",
            "authorizer mint --key development.pem --dpop-key client.pem --claim scope=orders:read",
            "authorizer mint --key development.pem --broken expired",
        ]))
}

pub(super) fn run(matches: &ArgMatches) -> Result<Ending, Error> {
    let text = |name| matches.get_one::<String>(name).cloned().unwrap_or_default();
    let path = |name| matches.get_one::<PathBuf>(name).map(PathBuf::as_path);
    let broken = text("broken");
    let mut mint = Mint {
        issuer: text("issuer"),
        audience: matches.get_many("audience").into_iter().flatten().cloned().collect(),
        subject: text("subject"),
        expires_in: matches.get_one("expires-in").copied().unwrap_or_default(),
        claims: claims(path("claims"), matches.get_many("claim").into_iter().flatten())?,
        broken: Broken::ALL.into_iter().find(|known| known.name() == broken),
    };
    // Before there is a key for it.
    mint.refuse_others().map_err(|error| Misuse::new(error.to_string()))?;
    bind(&mut mint.claims, path("dpop-key"), path("client-certificate"))?;
    let algorithm = matches.get_one::<String>("algorithm").and_then(|name| Algorithm::from_str(name).ok());
    let file = path("key").unwrap_or(Path::new(""));
    let KeyFile { key, is_new } = open(file, algorithm)?;
    let token = mint.token(&key)?;
    if is_new {
        eprintln!("made a key for {}: `{}`", key.algorithm().name(), file.display());
    }
    if let Some(file) = path("jwks") {
        write_key_set(file, &mint.issuer, &key)?;
        eprintln!("wrote its public key set: `{}`", file.display());
    }
    eprintln!(
        "a token of `{}` for `{}`, signed with {}, key ID `{}`",
        mint.issuer,
        mint.audience.join("`, `"),
        key.algorithm().name(),
        key.kid()
    );
    if let Some(broken) = mint.broken {
        eprintln!("broken as asked, `{}`: it is refused with `{}`", broken.name(), broken.reason().name());
    }
    print(&format!("{token}\n"))?;
    Ok(Ending::Done)
}

/// Puts what the token is bound to into its claims; a `cnf` of one's own stays.
fn bind(
    claims: &mut Map<String, Value>,
    key: Option<&Path>,
    certificate: Option<&Path>,
) -> Result<(), Error> {
    let mut confirmation = Map::new();
    if let Some(file) = key {
        let KeyFile { key, is_new } = open(file, None)?;
        if is_new {
            eprintln!("made the client's key, for {}: `{}`", key.algorithm().name(), file.display());
        }
        eprintln!("`authorizer prove --key {}` makes the proofs of it", file.display());
        confirmation.insert("jkt".to_owned(), key.thumbprint().into());
    }
    if let Some(file) = certificate {
        let thumbprint = ClientCertificate::read(file)?.thumbprint().to_owned();
        confirmation.insert("x5t#S256".to_owned(), thumbprint.into());
    }
    if !confirmation.is_empty() {
        claims.entry("cnf").or_insert(Value::Object(confirmation));
    }
    Ok(())
}

/// Those of the file, and those that are typed in their place.
fn claims<'a>(
    file: Option<&Path>,
    typed: impl Iterator<Item = &'a String>,
) -> Result<Map<String, Value>, Error> {
    let mut claims = match file {
        None => Map::new(),
        Some(file) => {
            let shown = file.display();
            let text = fs::read(file).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
            serde_json::from_slice(&text).map_err(|error| {
                format!(
                    "`{shown}` is no JSON object: {error}\nhint: such as `{{\"scope\": \"orders:read\"}}`"
                )
            })?
        }
    };
    for claim in typed {
        let (name, value) = claim.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
            Misuse::new(format!(
                "`{claim}` is no claim\nhint: `--claim NAME=VALUE`, such as `--claim scope=orders:read`"
            ))
        })?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        claims.insert(name.to_owned(), value);
    }
    Ok(claims)
}
