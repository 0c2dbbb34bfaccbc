//! The two shapes of an answer, as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::{Answers, HttpApi};
use crate::error::Fault;
use crate::policy::{Effect, Policy, ResourceList};
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
struct PolicyAnswer<'a> {
    principal_id: &'a str,
    policy_document: PolicyDocument<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    context: &'a BTreeMap<ContextKey, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_identifier_key: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SimpleAnswer<'a> {
    is_authorized: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    context: &'a BTreeMap<ContextKey, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDocument<'a> {
    version: &'static str,
    statement: Vec<PolicyStatement<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyStatement<'a> {
    action: &'static str,
    effect: &'static str,
    resource: &'a ResourceList,
}

impl Answer<'_> {
    /// The JSON of the answer.
    pub(super) fn to_json(&self, shape: HttpApi) -> Result<Box<RawValue>, Fault> {
        let json = match shape {
            HttpApi::Simple => {
                to_raw_value(&SimpleAnswer { is_authorized: self.is_authorized, context: &self.context })
            }
            HttpApi::Policy => to_raw_value(&PolicyAnswer {
                principal_id: &self.principal_id,
                policy_document: document(self.policy),
                context: &self.context,
                usage_identifier_key: self.usage_identifier_key.as_deref(),
            }),
        };
        json.map_err(|_| Fault::AnswerUnwritable)
    }
}

fn document(policy: &Policy) -> PolicyDocument<'_> {
    let statement = policy
        .statements()
        .iter()
        .map(|statement| PolicyStatement {
            action: "execute-api:Invoke",
            effect: match statement.effect {
                Effect::Allow => "Allow",
                Effect::Deny => "Deny",
            },
            resource: &statement.resources,
        })
        .collect();
    PolicyDocument { version: "2012-10-17", statement }
}
