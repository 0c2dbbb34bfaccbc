//! API keys: looked up by their public ID, and compared with what is stored in their place.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::answers::Answers;
use super::api_key::{ApiKey, StoredHash};
use super::database::Table;
use super::explain::Explanation;
use super::flights::Flights;
use super::verified_tokens::TokenDigest;
use super::{Presented, Principal};
use crate::claims::Claims;
use crate::credential::{CredentialKind, Presentation};
use crate::error::{Error, Reason, Rejection};
use crate::io::{Item, UnixTime, rfc3339};

/// How API keys are recognized, and how long what is known of them is used.
pub struct ApiKeySettings {
    /// What rules and logs call who vouches for the keys.
    pub issuer: Arc<str>,
    /// What the keys begin with.
    pub prefix: String,
    /// The secret under which their hashes are made, beside their salts.
    pub pepper: Option<Vec<u8>>,
    /// How long a key that is good is used without looking it up again, in seconds. Never beyond its expiry.
    pub lifetime: f64,
    /// How long it is known of one that is not, in seconds.
    pub negative_lifetime: f64,
    /// How many of each are known.
    pub entries: usize,
}

/// Looks keys up, and knows them for a while.
pub(super) struct ApiKeys {
    settings: ApiKeySettings,
    table: Arc<Table>,
    good: Answers<Answer>,
    /// Apart: whoever sends keys without end must not push the good ones out.
    others: Answers<Answer>,
    flights: Flights,
}

/// What is known of a whole key, its secret included.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    /// Its hash is stored.
    Known(Known),
    /// It is not, whether or not there is a key of its ID.
    Unknown { has_item: bool },
}

/// A key whose secret was right.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    is_disabled: bool,
    expires_at: Option<UnixTime>,
    claims: Claims,
}

/// What a key's item holds.
struct Record {
    hash: StoredHash,
    known: Known,
}

impl ApiKeys {
    pub(super) fn new(settings: ApiKeySettings, table: Arc<Table>) -> Self {
        let [good, others] = [(); 2].map(|()| Answers::new(settings.entries));
        Self { settings, table, good, others, flights: Flights::default() }
    }

    /// Whether the credential is meant as an API key.
    pub(super) fn is_meant(&self, text: &str) -> bool {
        ApiKey::is_meant(text, &self.settings.prefix)
    }

    /// The principal that the key stands for.
    pub(super) async fn verify(
        &self,
        presented: &Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Principal, Error> {
        let key = self.form(presented)?;
        let digest = TokenDigest::of(presented.token());
        let known = || self.known(digest, now);
        let ask = self.look_up(&key, digest, now, patience);
        let answer = self.flights.answer(digest, (now, patience), known, ask).await;
        let answer = answer.map_err(|cause| self.table.fault(cause))?;
        match checks(&answer, now).into_iter().find_map(Result::err) {
            Some(reason) => Err(self.rejection(reason, &key, &answer).into()),
            None => Ok(Principal {
                issuer: Arc::clone(&self.settings.issuer),
                key_id: Some(key.id().into()),
                kind: CredentialKind::ApiKey,
                claims: answer.claims(),
            }),
        }
    }

    fn form<'a>(&self, presented: &Presented<'a>) -> Result<ApiKey<'a>, Reason> {
        // As for a token (RFC 9449, section 7.1): whoever says DPoP is not to get by with what needs no proof.
        if presented.presentation() != Presentation::Bearer {
            return Err(Reason::TokenUnbound);
        }
        ApiKey::parse(presented.token(), &self.settings.prefix).ok_or(Reason::ApiKeyMalformed)
    }

    fn known(&self, digest: TokenDigest, now: UnixTime) -> Option<Answer> {
        self.good.find(digest, now).or_else(|| self.others.find(digest, now))
    }

    async fn look_up(
        &self,
        key: &ApiKey<'_>,
        digest: TokenDigest,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Answer, String> {
        let item = self.table.item(&format!("key#{}", key.id()), patience).await?;
        let record = item.map(|item| Record::of(&item, key.id())).transpose()?;
        let answer = self.compare(key, record);
        if checks(&answer, now).iter().all(Result::is_ok) {
            let end = answer.expires_at().unwrap_or(f64::INFINITY).min(now + self.settings.lifetime);
            self.good.keep(digest, answer.clone(), end, now);
        } else {
            self.others.keep(digest, answer.clone(), now + self.settings.negative_lifetime, now);
        }
        Ok(answer)
    }

    fn compare(&self, key: &ApiKey<'_>, record: Option<Record>) -> Answer {
        let is_right =
            key.is_stored_as(record.as_ref().map(|record| &record.hash), self.settings.pepper.as_deref());
        match record {
            Some(record) if is_right => Answer::Known(record.known),
            record => Answer::Unknown { has_item: record.is_some() },
        }
    }

    fn rejection(&self, reason: Reason, key: &ApiKey<'_>, answer: &Answer) -> Rejection {
        let is_ours = *answer != Answer::Unknown { has_item: false };
        Rejection {
            reason,
            issuer: Some(Arc::clone(&self.settings.issuer)),
            // An ID that nobody has is the caller's own text.
            key_id: is_ours.then(|| key.id().to_owned()),
        }
    }

    /// Every check of a key, as far as it is known.
    pub(super) fn explain(&self, presented: &Presented<'_>, now: UnixTime) -> Explanation {
        let answer = self.known(TokenDigest::of(presented.token()), now);
        let claims = answer.as_ref().map(Answer::claims).filter(|claims| *claims != Claims::default());
        let mut explanation =
            Explanation { header: None, claims: claims.as_ref().map(Claims::to_json), checks: Vec::new() };
        let wanted = format!("`{}_`, an ID, and a secret with its checksum", self.settings.prefix);
        let size = Some(format!("{} bytes", presented.token().len()));
        explanation.add("form", wanted, size, self.form(presented).map(drop));
        let wanted = ["a key of that ID and that secret", "not disabled", "later than now, or no end"];
        let names = ["key", "disabled", "expires_at"];
        match &answer {
            None => names.iter().zip(wanted).for_each(|(name, wanted)| explanation.add_open(name, wanted)),
            Some(answer) => {
                let found = answer.shown();
                let rows = names.iter().zip(wanted).zip(found.into_iter().zip(checks(answer, now)));
                rows.for_each(|((name, wanted), (found, verdict))| {
                    explanation.add(name, wanted, found, verdict);
                });
            }
        }
        explanation
    }
}

/// What is asked of a key, in this order: nobody learns anything of a key whose secret he does not have.
fn checks(answer: &Answer, now: UnixTime) -> [Result<(), Reason>; 3] {
    let known = match answer {
        Answer::Known(known) => known,
        Answer::Unknown { has_item } => {
            return [Err(Reason::ApiKeyUnknown { has_item: *has_item }), Ok(()), Ok(())];
        }
    };
    let disabled = if known.is_disabled { Err(Reason::ApiKeyDisabled) } else { Ok(()) };
    // NaN compares as false: what must hold is stated.
    let expired = match known.expires_at {
        Some(expired_at) => {
            let is_alive = now < expired_at;
            if is_alive { Ok(()) } else { Err(Reason::ApiKeyExpired { expired_at, now }) }
        }
        None => Ok(()),
    };
    [Ok(()), disabled, expired]
}

impl Answer {
    fn claims(&self) -> Claims {
        match self {
            Self::Known(known) => known.claims.clone(),
            Self::Unknown { .. } => Claims::default(),
        }
    }

    fn expires_at(&self) -> Option<UnixTime> {
        match self {
            Self::Known(known) => known.expires_at,
            Self::Unknown { .. } => None,
        }
    }

    /// What is there for each of the checks.
    fn shown(&self) -> [Option<String>; 3] {
        match self {
            Self::Known(known) => {
                [Some("there".to_owned()), Some(known.is_disabled.to_string()), known.expires_at.map(rfc3339)]
            }
            Self::Unknown { has_item: true } => [Some("another secret".to_owned()), None, None],
            Self::Unknown { has_item: false } => [None, None, None],
        }
    }
}

/// The claims that an item's other attributes become. `attributes` must not take the place of one.
const OWN_CLAIMS: [&str; 14] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "scope",
    "scp",
    "client_id",
    "azp",
    "cnf",
    "act",
    "usage_plan_key",
];

/// Whether a claim says what another attribute of a key's item says, so that it cannot be one of its `attributes`.
#[must_use]
pub fn is_own_claim(name: &str) -> bool {
    OWN_CLAIMS.contains(&name)
}

impl Record {
    /// An item that is not as it should be says nothing: a key that was to be disabled, or to expire, is not let in because of a typing
    /// error.
    fn of(item: &Item, id: &str) -> Result<Self, String> {
        let wrong = |name: &str| format!("the item of the key `{id}` is not as it should be: `{name}`");
        let text = |name: &str| match item.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.as_str())),
            None => Ok(None),
            Some(_) => Err(wrong(name)),
        };
        let needed = |name: &str| text(name)?.ok_or_else(|| wrong(name));
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(needed(name)?).map_err(|_| wrong(name));
        let time = |name: &str| match item.get(name) {
            None => Ok(None),
            Some(value) => value
                .as_f64()
                .filter(|time| (0.0..END_OF_TIME).contains(time))
                .map(Some)
                .ok_or_else(|| wrong(name)),
        };
        let hash =
            StoredHash { salt: bytes("salt")?, hash: bytes("hash")?.try_into().map_err(|_| wrong("hash"))? };
        let is_disabled = match item.get("disabled") {
            None => false,
            Some(value) => value.as_bool().ok_or_else(|| wrong("disabled"))?,
        };
        let expires_at = time("expires_at")?;
        let mut members: Vec<(Cow<'_, str>, Value)> =
            vec![("sub".into(), needed("owner")?.into()), ("client_id".into(), id.into())];
        members.extend(scopes(item).ok_or_else(|| wrong("scopes"))?.map(|scopes| ("scope".into(), scopes)));
        members.extend(item.get("expires_at").map(|value| ("exp".into(), value.clone())));
        time("created_at")?;
        members.extend(item.get("created_at").map(|value| ("iat".into(), value.clone())));
        members.extend(text("usage_plan_key")?.map(|key| ("usage_plan_key".into(), key.into())));
        match item.get("attributes") {
            None => {}
            Some(Value::Object(attributes)) => {
                if attributes.keys().any(|name| is_own_claim(name)) {
                    return Err(wrong("attributes"));
                }
                let attributes = attributes.iter();
                members.extend(attributes.map(|(name, value)| (name.as_str().into(), value.clone())));
            }
            Some(_) => return Err(wrong("attributes")),
        }
        let claims = Claims::from_members(members);
        Ok(Self { hash, known: Known { is_disabled, expires_at, claims } })
    }
}

/// The first second of the year 10000. Times in milliseconds lie beyond it.
const END_OF_TIME: UnixTime = 253_402_300_800.0;

/// As the claim `scope` has them; `None` where they are no set of words.
fn scopes(item: &Item) -> Option<Option<Value>> {
    let Some(scopes) = item.get("scopes") else { return Some(None) };
    let words: Option<Vec<&str>> = scopes.as_array()?.iter().map(Value::as_str).collect();
    let words = words?;
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
    words.iter().all(is_word).then(|| Some(words.join(" ").into()))
}
