//! API keys: looked up by their public ID, and compared with what is stored in their place.

use std::sync::Arc;
use std::time::Duration;

use super::answers::Answers;
use super::api_key::{ApiKey, StoredHash};
use super::database::Table;
use super::explain::Explanation;
use super::flights::{Failure, Flights};
use super::records::{Fields, Record};
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
    Known(Record),
    /// It is not, whether or not there is a key of its ID.
    Unknown { has_item: bool },
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

    /// Who vouches for the keys.
    pub(super) fn issuer(&self) -> &str {
        &self.settings.issuer
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
    ) -> Result<Answer, Failure> {
        let item = self.table.item(&format!("key#{}", key.id()), patience).await?;
        // Whoever has such a key does not keep others from theirs.
        let stored = item.map(|item| stored(&item, key.id())).transpose();
        let stored = stored.map_err(|cause| Failure::unusable(&cause))?;
        let answer = self.compare(key, stored);
        if checks(&answer, now).iter().all(Result::is_ok) {
            let end = answer.expires_at().unwrap_or(f64::INFINITY).min(now + self.settings.lifetime);
            self.good.keep(digest, answer.clone(), end, now);
        } else {
            self.others.keep(digest, answer.clone(), now + self.settings.negative_lifetime, now);
        }
        Ok(answer)
    }

    fn compare(&self, key: &ApiKey<'_>, stored: Option<(StoredHash, Record)>) -> Answer {
        let hash = stored.as_ref().map(|(hash, _)| hash);
        let is_right = key.is_stored_as(hash, self.settings.pepper.as_deref());
        match stored {
            Some((_, record)) if is_right => Answer::Known(record),
            stored => Answer::Unknown { has_item: stored.is_some() },
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
    let record = match answer {
        Answer::Known(record) => record,
        Answer::Unknown { has_item } => {
            return [Err(Reason::ApiKeyUnknown { has_item: *has_item }), Ok(()), Ok(())];
        }
    };
    let disabled = if record.is_disabled { Err(Reason::ApiKeyDisabled) } else { Ok(()) };
    let expired = match record.ended_at(now) {
        Some(expired_at) => Err(Reason::ApiKeyExpired { expired_at, now }),
        None => Ok(()),
    };
    [Ok(()), disabled, expired]
}

impl Answer {
    fn claims(&self) -> Claims {
        match self {
            Self::Known(record) => record.claims.clone(),
            Self::Unknown { .. } => Claims::default(),
        }
    }

    fn expires_at(&self) -> Option<UnixTime> {
        match self {
            Self::Known(record) => record.expires_at,
            Self::Unknown { .. } => None,
        }
    }

    /// What is there for each of the checks.
    fn shown(&self) -> [Option<String>; 3] {
        match self {
            Self::Known(record) => [
                Some("there".to_owned()),
                Some(record.is_disabled.to_string()),
                record.expires_at.map(rfc3339),
            ],
            Self::Unknown { has_item: true } => [Some("another secret".to_owned()), None, None],
            Self::Unknown { has_item: false } => [None, None, None],
        }
    }
}

/// What the item of a key holds.
fn stored(item: &Item, id: &str) -> Result<(StoredHash, Record), String> {
    let fields = Fields { item, what: format!("key `{id}`") };
    let hash = StoredHash { salt: fields.bytes("salt")?, hash: fields.hash("hash")? };
    Ok((hash, Record::of(&fields, fields.needed("owner")?, Some(id))?))
}
