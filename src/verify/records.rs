//! [`Record`]: what the table says of somebody who may have a credential, whatever its kind.

use std::borrow::Cow;

use aws_lc_rs::digest::SHA256_OUTPUT_LEN;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::claims;
use crate::claims::Claims;
use crate::io::{Item, UnixTime};

/// Whether he may use it, how long, and who he is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) is_disabled: bool,
    pub(super) expires_at: Option<UnixTime>,
    pub(super) claims: Claims,
}

/// Whether a claim says what another attribute of an item says, so that it cannot be one of its `attributes`.
#[must_use]
pub fn is_own_claim(name: &str) -> bool {
    claims::is_reserved(name) || matches!(name, "scope" | "scp" | "usage_plan_key")
}

/// An item, and what to call it in an error.
pub(super) struct Fields<'a> {
    pub(super) item: &'a Item,
    pub(super) what: String,
}

/// An item that is not as it should be says nothing: who was to be kept out is not let in because of a typing error.
impl<'a> Fields<'a> {
    fn wrong(&self, name: &str) -> String {
        format!("the item of the {} is not as it should be: `{name}`", self.what)
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, String> {
        match self.item.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.as_str())),
            None => Ok(None),
            Some(_) => Err(self.wrong(name)),
        }
    }

    pub(super) fn needed(&self, name: &str) -> Result<&'a str, String> {
        self.text(name)?.ok_or_else(|| self.wrong(name))
    }

    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        URL_SAFE_NO_PAD.decode(self.needed(name)?).map_err(|_| self.wrong(name))
    }

    pub(super) fn hash(&self, name: &str) -> Result<[u8; SHA256_OUTPUT_LEN], String> {
        self.bytes(name)?.try_into().map_err(|_| self.wrong(name))
    }

    pub(super) fn number(&self, name: &str, from: u32, to: u32) -> Result<u32, String> {
        let number =
            self.item.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
        number.filter(|number| (from..=to).contains(number)).ok_or_else(|| self.wrong(name))
    }

    fn flag(&self, name: &str) -> Result<bool, String> {
        self.item.get(name).map_or(Ok(false), |value| value.as_bool().ok_or_else(|| self.wrong(name)))
    }

    pub(super) fn time(&self, name: &str) -> Result<Option<UnixTime>, String> {
        let Some(value) = self.item.get(name) else { return Ok(None) };
        let time = value.as_f64().filter(|time| (0.0..END_OF_TIME).contains(time));
        time.map(Some).ok_or_else(|| self.wrong(name))
    }

    /// As the claim `scope` has them.
    fn scopes(&self) -> Result<Option<Value>, String> {
        let Some(scopes) = self.item.get("scopes") else { return Ok(None) };
        let words =
            scopes.as_array().and_then(|words| words.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
        let words = words.filter(|words| words.iter().all(is_word));
        words.map(|words| Some(words.join(" ").into())).ok_or_else(|| self.wrong("scopes"))
    }
}

/// The first second of the year 10000. Times in milliseconds lie beyond it.
const END_OF_TIME: UnixTime = 253_402_300_800.0;

impl Record {
    /// Of this subject, and of this client where there is one.
    pub(super) fn of(fields: &Fields<'_>, subject: &str, client: Option<&str>) -> Result<Self, String> {
        let (is_disabled, expires_at) = (fields.flag("disabled")?, fields.time("expires_at")?);
        let mut members: Vec<(Cow<'_, str>, Value)> = vec![("sub".into(), subject.into())];
        members.extend(client.map(|client| ("client_id".into(), client.into())));
        members.extend(fields.scopes()?.map(|scopes| ("scope".into(), scopes)));
        for (attribute, claim) in [("expires_at", "exp"), ("created_at", "iat")] {
            fields.time(attribute)?;
            members.extend(fields.item.get(attribute).map(|value| (claim.into(), value.clone())));
        }
        members.extend(fields.text("usage_plan_key")?.map(|key| ("usage_plan_key".into(), key.into())));
        match fields.item.get("attributes") {
            None => {}
            Some(Value::Object(own)) if !own.keys().any(|name| is_own_claim(name)) => {
                members.extend(own.iter().map(|(name, value)| (name.as_str().into(), value.clone())));
            }
            Some(_) => return Err(fields.wrong("attributes")),
        }
        Ok(Self { is_disabled, expires_at, claims: Claims::from_members(members) })
    }

    /// When it ended, where it has. There is no leeway: whoever wrote the time is whoever looks at it.
    pub(super) fn ended_at(&self, now: UnixTime) -> Option<UnixTime> {
        // NaN compares as false: what must hold is stated.
        let is_over = |end: &UnixTime| {
            let is_alive = now < *end;
            !is_alive
        };
        self.expires_at.filter(is_over)
    }
}
