//! `authorizer revoke`: entries of the deny list of `[revocation]`.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use lambda_authorizer::verify::RevokedBy;
use serde_json::json;

use super::api_keys::{named_table, of_a_table};
use super::{Ending, Misuse, examples};
use crate::Error;
use crate::database::Database;
use crate::issuer::unix_time;
use crate::local;

pub(super) fn command() -> Command {
    let text = |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let command = Command::new("revoke")
        .about("Revoke credentials that hold, for a function with `[revocation]`")
        .long_about(
            "Revoke credentials that hold, for a function with `[revocation]`: one, by its ID; or all of a subject,\n\
             of a client or of an issuer, those issued before now or all that ever come. The function heeds it after\n\
             the delay of its configuration, and API Gateway after its TTL.",
        )
        .arg(text("issuer", "ISSUER").required(true).help("Whose they are: `iss`, or the configured name"))
        .arg(text("jti", "ID").help("The one with this `jti`"))
        .arg(text("subject", "SUBJECT").help("Those of this `sub`"))
        .arg(text("client", "CLIENT").help("Those of this client: `client_id`, `azp`, `cid` or `appid`"))
        .arg(flag("all").help("All of the issuer"))
        .group(ArgGroup::new("what").args(["jti", "subject", "client", "all"]).required(true))
        .arg(flag("entirely").conflicts_with("jti").help("Those to come, too, and not only those issued before now"))
        .arg(text("days", "DAYS").help("After how many days the entry may go [default: never]"))
        .arg(flag("undo").help("Take the entry back"));
    of_a_table(command).after_help(examples(&[
        "authorizer revoke --issuer https://login.example.com/ --subject user-7f1c",
        "authorizer revoke --issuer https://login.example.com/ --jti 2b9f --days 7",
        "authorizer revoke --issuer https://login.example.com/ --client shop --entirely",
        "authorizer revoke --issuer https://login.example.com/ --client shop --undo",
    ]))
}

pub(super) async fn run(matches: &ArgMatches) -> Result<Ending, Error> {
    let text = |name| matches.get_one::<String>(name).cloned();
    let issuer = text("issuer").unwrap_or_default();
    let named = [("jti", RevokedBy::Jti), ("subject", RevokedBy::Subject), ("client", RevokedBy::Client)];
    let named = named.into_iter().find_map(|(name, by)| text(name).map(|value| (by, value)));
    let (by, value) = named.unwrap_or((RevokedBy::Issuer, String::new()));
    if issuer.is_empty() || (by != RevokedBy::Issuer && value.is_empty()) {
        return Err(Misuse::new("what is to be revoked is empty").into());
    }
    let days = text("days").map(|days| match days.parse::<u32>() {
        Ok(days) if (1..=36_500).contains(&days) => Ok(u64::from(days) * 86_400),
        _ => Err(Misuse::new(format!("`{days}` is no number of days\nhint: 1 to 36500"))),
    });
    let days = days.transpose()?;
    let database = match named_table(matches)? {
        Some(database) => database,
        None => Database::of(matches.get_one::<PathBuf>("config").map(PathBuf::as_path))?.0,
    };
    let key = by.key(&issuer, &value);
    if matches.get_flag("undo") {
        database.remove(&key).await?;
        eprintln!("`{key}` is revoked no more");
        return Ok(Ending::Done);
    }
    let now = unix_time();
    let issued_before = (by != RevokedBy::Jti && !matches.get_flag("entirely")).then_some(now);
    let item = json!({
        "issued_before": issued_before,
        "created_at": now,
        "delete_at": days.map(|seconds| now + seconds),
    });
    database.insert(&key, item, true).await?;
    let what = match issued_before {
        Some(at) => format!("what was issued before {}", local::time(at)),
        None => "whatever is issued".to_owned(),
    };
    eprintln!("`{key}` is revoked: {what}");
    Ok(Ending::Done)
}
