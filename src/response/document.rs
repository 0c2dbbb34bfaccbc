//! The two shapes of an answer, as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::{Answers, HttpApi};
use crate::error::Fault;
use crate::policy::{Effect, Policy};
use crate::request::EventKind;
use crate::rules::ContextKey;

/// Everything that an answer may say.
pub(super) struct Answer<'a> {
    pub(super) principal_id: String,
    pub(super) policy: &'a Policy,
    pub(super) is_authorized: bool,
    pub(super) context: BTreeMap<ContextKey, Value>,
    pub(super) usage_identifier_key: Option<String>,
}

/// Which shape an event of this kind is answered in.
pub(super) fn shape(kind: EventKind, answers: &Answers) -> HttpApi {
    match kind {
        EventKind::Http2 => answers.http_api,
        EventKind::RestToken | EventKind::RestRequest | EventKind::Http1 | EventKind::WebSocket => {
            HttpApi::Policy
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SimpleAnswer<'a> {
    is_authorized: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    context: &'a BTreeMap<ContextKey, Value>,
}

impl Answer<'_> {
    /// The JSON of the answer.
    pub(super) fn to_json(&self, shape: HttpApi) -> Result<Box<RawValue>, Fault> {
        let json = match shape {
            HttpApi::Simple => {
                to_raw_value(&SimpleAnswer { is_authorized: self.is_authorized, context: &self.context })
            }
            // It is read once more: nothing else leaves as an answer but JSON.
            HttpApi::Policy => self.with_policy().and_then(RawValue::from_string),
        };
        json.map_err(|_| Fault::AnswerUnwritable)
    }

    /// The resources are most of an answer, and stand in the policy as they stand here.
    fn with_policy(&self) -> serde_json::Result<String> {
        let resources: usize =
            self.policy.statements().iter().map(|statement| statement.resources.as_json().len()).sum();
        let mut json = String::with_capacity(resources + AROUND_THE_RESOURCES);
        json.push_str(r#"{"principalId":"#);
        json.push_str(&serde_json::to_string(&self.principal_id)?);
        json.push_str(r#","policyDocument":{"Version":"2012-10-17","Statement":["#);
        for (position, statement) in self.policy.statements().iter().enumerate() {
            json.push_str(if position == 0 { "" } else { "," });
            json.push_str(match statement.effect {
                Effect::Allow => r#"{"Action":"execute-api:Invoke","Effect":"Allow","Resource":["#,
                Effect::Deny => r#"{"Action":"execute-api:Invoke","Effect":"Deny","Resource":["#,
            });
            json.push_str(statement.resources.as_json());
            json.push_str("]}");
        }
        json.push_str("]}");
        if !self.context.is_empty() {
            json.push_str(r#","context":"#);
            json.push_str(&serde_json::to_string(&self.context)?);
        }
        if let Some(key) = &self.usage_identifier_key {
            json.push_str(r#","usageIdentifierKey":"#);
            json.push_str(&serde_json::to_string(key)?);
        }
        json.push('}');
        Ok(json)
    }
}

/// Enough where there is no context.
const AROUND_THE_RESOURCES: usize = 512;
