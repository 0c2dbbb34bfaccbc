//! Revocation: a deny list of credentials that hold, by what names them: their own ID, their subject, their client, or their issuer.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::answers::Answers;
use super::credential_verifier::{Opinion, SecondOpinion};
use super::database::Table;
use super::flights::{Failure, Flights};
use super::verified_tokens::TokenDigest;
use super::{Presented, Principal};
use crate::claims::Claims;
use crate::error::{Error, Reason, Rejection};
use crate::io::{Item, UnixTime};

/// How it is asked whether a credential is revoked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RevocationSettings {
    /// How long what the table says is used, in seconds: the delay with which a revocation is heeded.
    pub lifetime: f64,
    /// How many things are known, of which a credential has four or so.
    pub entries: usize,
    /// Whether a credential is let in where nobody knows.
    pub allows_on_outage: bool,
}

/// What is told of a deny list that could not be asked.
pub trait ObserveRevocation: Send + Sync {
    /// A credential was let in without it, because the configuration says so.
    fn unchecked(&self, cause: &str);
}

/// What a revocation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokedBy {
    /// A credential's own ID: `jti`.
    Jti,
    /// A subject: all credentials of his.
    Subject,
    /// A client: all credentials that it was given.
    Client,
    /// An issuer: all its credentials.
    Issuer,
}

/// Asks about credentials, and knows the answers for a while.
pub(super) struct Revocation {
    settings: RevocationSettings,
    table: Arc<Table>,
    known: Answers<Entry>,
    flights: Flights,
    observer: Arc<dyn ObserveRevocation>,
}

/// What the table says of one thing.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Entry {
    /// Nothing.
    Clear,
    /// What was issued before then is revoked.
    Before(UnixTime),
    /// It is revoked.
    Entirely,
}

/// The claims that name a client, of which issuers have one or another.
const CLIENTS: [&str; 4] = ["client_id", "azp", "cid", "appid"];

/// The most bytes that a key of DynamoDB's has: under a longer one nothing can be stored.
const LONGEST_KEY: usize = 2048;

impl RevokedBy {
    /// The word in keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jti => "jti",
            Self::Subject => "sub",
            Self::Client => "client",
            Self::Issuer => "issuer",
        }
    }

    /// The key of the item that revokes it. No two things have the same one, whatever they hold.
    ///
    /// ```
    /// use lambda_authorizer::verify::RevokedBy;
    ///
    /// assert_eq!(RevokedBy::Subject.key("https://a.example/", "u#1"), "revoked#sub#https://a.example/#u%231");
    /// assert_eq!(RevokedBy::Issuer.key("https://a.example/", ""), "revoked#issuer#https://a.example/");
    /// ```
    #[must_use]
    pub fn key(self, issuer: &str, value: &str) -> String {
        let plain = |text: &str| text.replace('%', "%25").replace('#', "%23");
        match self {
            Self::Issuer => format!("revoked#issuer#{}", plain(issuer)),
            Self::Jti | Self::Subject | Self::Client => {
                format!("revoked#{}#{}#{}", self.name(), plain(issuer), plain(value))
            }
        }
    }
}

impl Revocation {
    pub(super) fn new(
        settings: RevocationSettings,
        table: Arc<Table>,
        observer: Arc<dyn ObserveRevocation>,
    ) -> Self {
        let known = Answers::new(settings.entries);
        Self { settings, table, known, flights: Flights::default(), observer }
    }

    /// Refuses a principal whose credential is revoked.
    async fn refuse(&self, principal: &Principal, now: UnixTime, patience: Duration) -> Result<(), Error> {
        let names = names(principal.issuer(), principal.claims());
        let keys: Vec<&str> = names.iter().map(|(_, key)| key.as_str()).collect();
        let known = || self.known(&keys, now);
        let ask = self.look_up(&keys, now, patience);
        let digest = TokenDigest::of(&keys.join("\n"));
        let entries = match self.flights.answer(digest, (now, patience), known, ask).await {
            Ok(entries) => entries,
            Err(cause) if self.settings.allows_on_outage => {
                self.observer.unchecked(&cause);
                return Ok(());
            }
            Err(cause) => return Err(self.table.fault(cause)),
        };
        verdict(&names, &entries, principal.claims()).map_err(|reason| {
            let issuer = Some(Arc::clone(principal.issuer()));
            Rejection { reason, issuer, key_id: principal.key_id().map(str::to_owned) }.into()
        })
    }

    /// What is known of a credential of this issuer with these claims; `None` where something has to be asked.
    pub(super) fn known_verdict(
        &self,
        issuer: &str,
        claims: &Claims,
        now: UnixTime,
    ) -> Option<Result<(), Reason>> {
        let names = names(issuer, claims);
        let keys: Vec<&str> = names.iter().map(|(_, key)| key.as_str()).collect();
        Some(verdict(&names, &self.known(&keys, now)?, claims))
    }

    /// Of each of these, if it is known of all.
    fn known(&self, keys: &[&str], now: UnixTime) -> Option<Vec<Entry>> {
        keys.iter().map(|key| self.known.find(TokenDigest::of(key), now)).collect()
    }

    /// Asks about those that are not known, all at once.
    async fn look_up(&self, keys: &[&str], now: UnixTime, patience: Duration) -> Result<Vec<Entry>, Failure> {
        let found: Vec<Option<Entry>> =
            keys.iter().map(|key| self.known.find(TokenDigest::of(key), now)).collect();
        let unknown: Vec<&str> =
            keys.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(key, _)| *key).collect();
        let items = self.table.items(&unknown, patience).await?;
        let entry = |key: &str| {
            let is_of = |item: &&Item| item.get("pk").and_then(Value::as_str) == Some(key);
            items.iter().find(is_of).map_or(Entry::Clear, Entry::of)
        };
        let entries = keys.iter().zip(found).map(|(key, found)| {
            found.unwrap_or_else(|| {
                let entry = entry(key);
                self.known.keep(TokenDigest::of(key), entry, now + self.settings.lifetime, now);
                entry
            })
        });
        Ok(entries.collect())
    }
}

impl SecondOpinion for Revocation {
    fn check<'a>(
        &'a self,
        _presented: &'a Presented<'a>,
        principal: &'a Principal,
        now: UnixTime,
        patience: Duration,
    ) -> Opinion<'a> {
        Box::pin(self.refuse(principal, now, patience))
    }
}

impl Entry {
    /// What cannot be read was meant to revoke something.
    fn of(item: &Item) -> Self {
        match item.get("issued_before") {
            None => Self::Entirely,
            Some(value) => value.as_f64().map_or(Self::Entirely, Self::Before),
        }
    }

    /// A credential that does not tell when it was issued may be as old as any.
    fn revokes(self, issued_at: Option<UnixTime>) -> bool {
        match self {
            Self::Clear => false,
            Self::Entirely => true,
            Self::Before(time) => {
                let is_newer = issued_at.is_some_and(|issued_at| issued_at >= time);
                !is_newer
            }
        }
    }
}

/// By what a credential may be revoked, each with its key. None is there twice.
fn names(issuer: &str, claims: &Claims) -> Vec<(RevokedBy, String)> {
    let text = |name: &str| claims.named(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let own = [("jti", RevokedBy::Jti), ("sub", RevokedBy::Subject)].into_iter();
    let clients = CLIENTS.into_iter().map(|name| (name, RevokedBy::Client));
    let named = own.chain(clients).filter_map(|(name, by)| Some((by, by.key(issuer, text(name)?))));
    let all = named.chain([(RevokedBy::Issuer, RevokedBy::Issuer.key(issuer, ""))]);
    let mut names: Vec<(RevokedBy, String)> = Vec::with_capacity(5);
    for (by, key) in all.filter(|(_, key)| key.len() <= LONGEST_KEY) {
        if !names.iter().any(|(_, known)| *known == key) {
            names.push((by, key));
        }
    }
    names
}

fn verdict(names: &[(RevokedBy, String)], entries: &[Entry], claims: &Claims) -> Result<(), Reason> {
    let issued_at = claims.named("iat").and_then(Value::as_f64);
    let mut both = names.iter().zip(entries);
    match both.find(|(_, entry)| entry.revokes(issued_at)) {
        Some(((by, _), _)) => Err(Reason::TokenRevoked { by: by.name() }),
        None => Ok(()),
    }
}

/// Whether something is revoked, in words.
pub(super) fn shown(verdict: &Result<(), Reason>) -> Cow<'static, str> {
    match verdict {
        Err(Reason::TokenRevoked { by }) => format!("by its {by}").into(),
        Ok(()) | Err(_) => "no".into(),
    }
}
