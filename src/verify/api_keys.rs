//! API keys: looked up by their public ID, and compared with what is stored in their place.

use std::sync::Arc;
use std::time::Duration;

use super::Presented;
use super::api_key::{ApiKey, StoredHash};
use super::credential_verifier::{Asked, CredentialVerifier, Identity, Verification};
use super::database::Table;
use super::explain::{Explain, Explanation};
use super::findings::{self, Finding, Findings, Words};
use super::flights::{Failure, Flights};
use super::records::{Fields, Record};
use super::verified_tokens::TokenDigest;
use crate::credential::Presentation;
use crate::error::{Error, Reason, Rejection};
use crate::io::{Item, UnixTime};

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
    findings: Findings,
    flights: Flights,
}

const WORDS: Words = Words {
    unknown: |has_item| Reason::ApiKeyUnknown { has_item },
    disabled: Reason::ApiKeyDisabled,
    expired: |expired_at, now| Reason::ApiKeyExpired { expired_at, now },
    name: "key",
    wanted: "a key of that ID and that secret",
    another_secret: "another secret",
};

impl ApiKeys {
    pub(super) fn new(settings: ApiKeySettings, table: Arc<Table>) -> Self {
        let findings = Findings::new(settings.entries, settings.lifetime, settings.negative_lifetime);
        Self { settings, table, findings, flights: Flights::default() }
    }

    async fn identity(
        &self,
        presented: Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Identity, Error> {
        let key = self.form(&presented)?;
        let digest = TokenDigest::of(presented.token());
        let known = || self.findings.find(digest, now);
        let ask = self.look_up(&key, digest, now, patience);
        let finding = self.flights.answer(digest, (now, patience), known, ask).await;
        let finding = finding.map_err(|cause| self.table.fault(cause))?;
        match finding.refusal(now, &WORDS) {
            Some(reason) => Err(self.rejection(reason, &key, &finding).into()),
            None => Ok(Identity { key_id: Some(key.id().into()), claims: finding.claims() }),
        }
    }

    fn form<'a>(&self, presented: &Presented<'a>) -> Result<ApiKey<'a>, Reason> {
        // As for a token (RFC 9449, section 7.1): whoever says DPoP is not to get by with what needs no proof.
        if presented.presentation() != Presentation::Bearer {
            return Err(Reason::TokenUnbound);
        }
        ApiKey::parse(presented.token(), &self.settings.prefix).ok_or(Reason::ApiKeyMalformed)
    }

    async fn look_up(
        &self,
        key: &ApiKey<'_>,
        digest: TokenDigest,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Finding, Failure> {
        let item = self.table.item(&format!("key#{}", key.id()), patience).await?;
        // Whoever has such a key does not keep others from theirs.
        let stored = item.map(|item| stored(&item, key.id())).transpose();
        let stored = stored.map_err(|cause| Failure::unusable(&cause))?;
        let (hash, record) = stored.unzip();
        let is_right = key.is_stored_as(hash.as_ref(), self.settings.pepper.as_deref());
        let finding = Finding::new(record, is_right);
        self.findings.keep(digest, &finding, now, &WORDS);
        Ok(finding)
    }

    fn rejection(&self, reason: Reason, key: &ApiKey<'_>, finding: &Finding) -> Rejection {
        let is_ours = *finding != Finding::Unknown { has_item: false };
        Rejection {
            reason,
            issuer: Some(Arc::clone(&self.settings.issuer)),
            // An ID that nobody has is the caller's own text.
            key_id: is_ours.then(|| key.id().to_owned()),
        }
    }
}

impl CredentialVerifier for ApiKeys {
    fn is_meant(&self, presented: &Presented<'_>) -> bool {
        !presented.is_basic() && ApiKey::is_meant(presented.token(), &self.settings.prefix)
    }

    /// The owner of the key.
    fn verify<'a>(&'a self, asked: Asked<'a>) -> Verification<'a> {
        Box::pin(self.identity(asked.presented, asked.now, asked.patience))
    }
}

impl Explain for ApiKeys {
    fn explain(&self, asked: &Asked<'_>) -> Explanation {
        let (text, now) = (asked.presented.token(), asked.now);
        let finding = self.findings.find(TokenDigest::of(text), now);
        let wanted = format!("`{}_`, an ID, and a secret with its checksum", self.settings.prefix);
        let form = self.form(&asked.presented).map(drop);
        findings::explain((wanted, text.len(), form), finding.as_ref(), now, &WORDS)
    }
}

/// What the item of a key holds.
fn stored(item: &Item, id: &str) -> Result<(StoredHash, Record), String> {
    let fields = Fields { item, what: format!("key `{id}`") };
    let hash = StoredHash { salt: fields.bytes("salt")?, hash: fields.hash("hash")? };
    Ok((hash, Record::of(&fields, fields.needed("owner")?, Some(id))?))
}
