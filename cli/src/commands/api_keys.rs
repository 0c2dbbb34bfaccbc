//! `authorizer keys create`, `create-user`, `list`, `disable` and `enable`: API keys and users in a DynamoDB table.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use lambda_authorizer::verify::user_key;
use serde_json::{Map, Value};

use super::terminal::is_colourful;
use super::{Ending, Misuse, configuration_argument, examples, format_argument, is_json, print};
use crate::Error;
use crate::api_keys::{KeyToMake, UserToMake};
use crate::database::{Database, TableOptions};
use crate::key_list::{KeyList, Listed};
use crate::local;

pub(super) fn create() -> Command {
    let command = Command::new("create")
        .about("Make an API key, and write its hash into the table")
        .long_about(
            "Make an API key, and write its hash into the table of `[dynamodb]`. The key is printed once, and\n\
             kept nowhere. AWS is asked with the credentials of the environment, as the function has them.",
        )
        .arg(Arg::new("owner").long("owner").value_name("NAME").required(true).help("Whose it is: `sub`"));
    of_somebody(command)
        .arg(
            Arg::new("prefix")
                .long("prefix")
                .value_name("PREFIX")
                .requires("table")
                .help("What the key begins with, with `--table`"),
        )
        .after_help(examples(&[
            "authorizer keys create --owner acme --scope orders:read --expires-in 365",
            "authorizer keys create --owner acme --expires-in never --attribute tenant=t1 --create-table",
            "authorizer keys create --owner acme --expires-in 90 --table authorizer --prefix orders",
        ]))
}

pub(super) fn create_user() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let command = Command::new("create-user")
        .about("Write a user for `[basic]` into the table")
        .long_about(
            "Write a user for `[basic]` into the table of `[dynamodb]`, with PBKDF2 of his password. A password\n\
             that is made here is printed once, and kept nowhere.",
        )
        .arg(Arg::new("name").long("name").value_name("NAME").required(true).help("His name, and his `sub`"));
    of_somebody(command)
        .arg(flag("password-stdin").help("Read his password from the standard input, instead of making one"))
        .arg(flag("replace").help("In the place of the user of that name"))
        .after_help(examples(&[
            "authorizer keys create-user --name alice --scope orders:read --expires-in 365",
            "authorizer keys create-user --name alice --expires-in never --password-stdin --replace",
        ]))
}

/// What is the same for whoever is written into the table.
fn of_somebody(command: Command) -> Command {
    let several = |name: &'static str, value: &'static str| {
        Arg::new(name).long(name).value_name(value).action(ArgAction::Append)
    };
    let command = command
        .arg(several("scope", "SCOPE").help("What it is good for; may come several times"))
        .arg(
            Arg::new("expires-in")
                .long("expires-in")
                .value_name("DAYS")
                .required(true)
                .help("After how many days it ends, or `never`"),
        )
        .arg(
            several("attribute", "NAME=VALUE")
                .help("Another claim: JSON, or else a text; may come several times"),
        )
        .arg(
            Arg::new("usage-plan-key")
                .long("usage-plan-key")
                .value_name("KEY")
                .help("The API Gateway key whose usage plan it uses up"),
        );
    of_a_table(command).arg(
        Arg::new("create-table")
            .long("create-table")
            .action(ArgAction::SetTrue)
            .help("Make the table first, where there is none"),
    )
}

pub(super) fn disable() -> Command {
    switch("disable", "Switch an API key, or a user, off").after_help(examples(&[
        "authorizer keys disable 4fVbJ0cXyZ81mNpQ",
        "authorizer keys disable 4fVbJ0cXyZ81mNpQ --table authorizer",
        "authorizer keys disable --user alice",
    ]))
}

pub(super) fn enable() -> Command {
    switch("enable", "Switch an API key, or a user, on again").after_help(examples(&[
        "authorizer keys enable 4fVbJ0cXyZ81mNpQ",
        "authorizer keys enable --user alice",
    ]))
}

pub(super) fn list() -> Command {
    let command = Command::new("list")
        .about("List the API keys of the table, or its users: whose they are, and until when")
        .arg(Arg::new("users").long("users").action(ArgAction::SetTrue).help("Users, instead of keys"));
    of_a_table(command).arg(format_argument()).after_help(examples(&[
        "authorizer keys list",
        "authorizer keys list --users --table authorizer",
        "authorizer keys list --format json",
    ]))
}

fn switch(name: &'static str, about: &'static str) -> Command {
    let id = Arg::new("id").value_name("ID").required_unless_present("user");
    let user = Arg::new("user").long("user").value_name("NAME").conflicts_with("id");
    of_a_table(
        Command::new(name)
            .about(about)
            .arg(id.help("The public part of the key, between its `_`"))
            .arg(user.help("A user's name, instead of a key")),
    )
}

/// A command that has to do with a table: that of a configuration, or one that is named here.
pub(super) fn of_a_table(command: Command) -> Command {
    let text = |name: &'static str, value: &'static str| {
        Arg::new(name).long(name).value_name(value).requires("table")
    };
    command
        .arg(configuration_argument())
        .arg(
            Arg::new("table")
                .long("table")
                .value_name("TABLE")
                .conflicts_with("config")
                .help("The table, where no configuration is to say so"),
        )
        .arg(text("region", "REGION").help("Its region [default: AWS_REGION]"))
        .arg(text("endpoint", "URL").help("Another endpoint than that of the region"))
        .arg(
            Arg::new("development")
                .long("development")
                .action(ArgAction::SetTrue)
                .help("Allow plain http to loopback addresses, with `--endpoint`"),
        )
}

/// The table that is named here; `None` where a configuration is to say which.
pub(super) fn named_table(matches: &ArgMatches) -> Result<Option<Database>, Error> {
    let text = |name| matches.get_one::<String>(name).cloned();
    let Some(table) = text("table") else { return Ok(None) };
    let development = matches.get_flag("development");
    let options = TableOptions { table, region: text("region"), endpoint: text("endpoint"), development };
    Database::named(options).map(Some)
}

pub(super) async fn run_create(matches: &ArgMatches) -> Result<Ending, Error> {
    let text = |name| matches.get_one::<String>(name).cloned();
    let several = |name| matches.get_many::<String>(name).into_iter().flatten();
    let owner = text("owner").filter(|owner| !owner.is_empty());
    let mut key = KeyToMake {
        owner: owner.ok_or_else(|| Misuse::new("`--owner` is empty: whose key is it?"))?,
        scopes: several("scope").map(|scope| word(scope)).collect::<Result<_, _>>()?,
        days: days(&text("expires-in").unwrap_or_default())?,
        usage_plan_key: text("usage-plan-key").filter(|key| !key.is_empty()),
        attributes: attributes(several("attribute"))?,
        ..KeyToMake::default()
    };
    let database = match named_table(matches)? {
        Some(database) => {
            key.prefix = text("prefix").ok_or_else(|| {
                Misuse::new("nobody says what keys begin with\nhint: `--prefix`, as in `[api_keys]`")
            })?;
            database
        }
        None => {
            let file = matches.get_one::<PathBuf>("config").map(PathBuf::as_path);
            let (database, config) = Database::of(file)?;
            let Some(settings) = config.database.and_then(|database| database.api_keys) else {
                return Err(Misuse::new("the configuration has no `[api_keys]`").into());
            };
            (key.prefix, key.pepper) = (settings.prefix, settings.pepper);
            database
        }
    };
    if matches.get_flag("create-table") && database.create().await? {
        eprintln!("made the table `{}`", database.name());
    }
    let owner = key.owner.clone();
    let made = key.make(&database).await?;
    print(&format!("{}\n", made.text))?;
    let end = match made.expires_at {
        None => "it does not expire".to_owned(),
        Some(at) => format!("it expires at {}", local::time(at)),
    };
    eprintln!("made the key `{}` of `{owner}`; {end}. It is shown this once, and kept nowhere.", made.id);
    Ok(Ending::Done)
}

pub(super) async fn run_create_user(matches: &ArgMatches) -> Result<Ending, Error> {
    let text = |name| matches.get_one::<String>(name).cloned();
    let several = |name| matches.get_many::<String>(name).into_iter().flatten();
    let mut user = UserToMake {
        name: user_name(text("name").unwrap_or_default())?,
        password: matches.get_flag("password-stdin").then(typed_password).transpose()?,
        iterations: 600_000,
        scopes: several("scope").map(|scope| word(scope)).collect::<Result<_, _>>()?,
        days: days(&text("expires-in").unwrap_or_default())?,
        usage_plan_key: text("usage-plan-key").filter(|key| !key.is_empty()),
        attributes: attributes(several("attribute"))?,
        replaces: matches.get_flag("replace"),
    };
    let database = match named_table(matches)? {
        Some(database) => database,
        None => {
            let (database, config) =
                Database::of(matches.get_one::<PathBuf>("config").map(PathBuf::as_path))?;
            let settings = config.database.and_then(|database| database.basic);
            user.iterations = settings.map_or(user.iterations, |settings| settings.iterations);
            database
        }
    };
    if matches.get_flag("create-table") && database.create().await? {
        eprintln!("made the table `{}`", database.name());
    }
    let name = user.name.clone();
    let (password, expires_at) = user.make(&database).await?;
    if let Some(password) = &password {
        print(&format!("{password}\n"))?;
    }
    let end = match expires_at {
        None => "he does not expire".to_owned(),
        Some(at) => format!("he expires at {}", local::time(at)),
    };
    let once = if password.is_some() { ". The password is shown this once, and kept nowhere." } else { "" };
    eprintln!("wrote the user `{name}`; {end}{once}");
    Ok(Ending::Done)
}

/// What can be sent as one: without a colon (RFC 7617, section 2).
fn user_name(name: String) -> Result<String, Misuse> {
    let is_name = (1..=256).contains(&name.len())
        && !name.contains(|letter: char| letter == ':' || letter.is_control());
    is_name
        .then_some(name)
        .ok_or_else(|| Misuse::new("a name has 1 to 256 characters, no colon and no control characters"))
}

/// Not quoted in its error.
fn typed_password() -> Result<String, Error> {
    let text = std::io::read_to_string(std::io::stdin())?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.chars().count() < SHORTEST_PASSWORD || password.contains(char::is_control) {
        let hint = "hint: without `--password-stdin` one is made";
        let message = format!(
            "a password has {SHORTEST_PASSWORD} characters or more, and no control characters\n{hint}"
        );
        return Err(Misuse::new(message).into());
    }
    Ok(password.to_owned())
}

/// As NIST SP 800-63B-4 wants it of a password that stands alone.
const SHORTEST_PASSWORD: usize = 15;

pub(super) async fn run_switch(matches: &ArgMatches, is_disabled: bool) -> Result<Ending, Error> {
    let text = |name| matches.get_one::<String>(name).cloned();
    let (what, key) = match text("user") {
        Some(name) => (format!("user `{name}`"), user_key(&name)),
        None => {
            let id = text("id").unwrap_or_default();
            // Not quoted: it may be the whole key.
            if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) || id.is_empty() {
                let hint = "hint: of `orders_4fVbJ0cXyZ81mNpQ_…`, it is `4fVbJ0cXyZ81mNpQ`";
                return Err(Misuse::new(format!("this is not the ID of a key\n{hint}")).into());
            }
            (format!("key `{id}`"), format!("key#{id}"))
        }
    };
    let database = match named_table(matches)? {
        Some(database) => database,
        None => Database::of(matches.get_one::<PathBuf>("config").map(PathBuf::as_path))?.0,
    };
    if !database.set(&key, "disabled", is_disabled.into()).await? {
        return Err(format!("there is no {what} in the table `{}`", database.name()).into());
    }
    eprintln!("the {what} is {}", if is_disabled { "disabled" } else { "enabled" });
    Ok(Ending::Done)
}

pub(super) async fn run_list(matches: &ArgMatches) -> Result<Ending, Error> {
    let database = match named_table(matches)? {
        Some(database) => database,
        None => Database::of(matches.get_one::<PathBuf>("config").map(PathBuf::as_path))?.0,
    };
    let listed = if matches.get_flag("users") { Listed::Users } else { Listed::Keys };
    let list = KeyList::read(&database, listed).await?;
    match is_json(matches) {
        true => print(&format!("{:#}\n", list.to_json()))?,
        false => print(&list.render(is_colourful()))?,
    }
    Ok(Ending::Done)
}

fn word(scope: &str) -> Result<String, Misuse> {
    let is_word = !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic());
    let hint = "hint: `--scope` comes once for each";
    is_word
        .then(|| scope.to_owned())
        .ok_or_else(|| Misuse::new(format!("`{scope}` is not one scope\n{hint}")))
}

/// What never ends is written, and not forgotten.
fn days(text: &str) -> Result<Option<u32>, Misuse> {
    match (text, text.parse::<u32>()) {
        ("never", _) => Ok(None),
        (_, Ok(days)) if (1..=36_500).contains(&days) => Ok(Some(days)),
        _ => Err(Misuse::new(format!("`{text}` is no number of days\nhint: 1 to 36500, or `never`"))),
    }
}

fn attributes<'a>(typed: impl Iterator<Item = &'a String>) -> Result<Map<String, Value>, Misuse> {
    let one = |text: &'a String| {
        let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
            Misuse::new(format!(
                "`{text}` is no attribute\nhint: `--attribute NAME=VALUE`, such as `--attribute tenant=t1`"
            ))
        })?;
        if lambda_authorizer::verify::is_own_claim(name) {
            let hint = "hint: it is made of what the other options say";
            return Err(Misuse::new(format!("`{name}` cannot be an attribute\n{hint}")));
        }
        Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
    };
    typed.map(one).collect()
}
