//! The last requests, in memory only.
//!
//! `GET /_requests` answers with a JSON array of them, the oldest first. `GET /_requests/stream` is a stream of
//! server-sent events (`text/event-stream`): each has the number of a request as its `id` and one such object as
//! its `data`; the requests that are kept come first. An object:
//!
//! | member | type | |
//! |---|---|---|
//! | `id` | number | counts from 1 |
//! | `time` | string | RFC 3339 |
//! | `api` | string | the API's name, as in `/_api` |
//! | `method`, `path` | string | as the client wrote them, without the query |
//! | `route` | string or null | the route key, as in `/_api`; null where no route takes the request |
//! | `authorizer` | string or null | the authorizer's name, as in `/_api` |
//! | `kind` | string or null | `rest-token`, `rest-request`, `http-1.0`, `http-2.0`, `http-2.0-simple`, `websocket` |
//! | `event` | object or null | what the authorizer is asked; every credential is `(redacted)` |
//! | `arn` | string or null | what the policy was judged by |
//! | `status` | number | what the client got; 101 for a WebSocket connection |
//! | `decision` | string or null | `allow`, `deny` or `error`; null where no authorizer was needed |
//! | `cache` | string or null | `hit`, `miss` or `off`; null where the authorizer was not needed |
//! | `cached_from` | number or null | of a hit, the `id` of the request that the authorizer was asked about |
//! | `reason` | string or null | the authorizer's reason code (docs/reasons.md), or the gateway's: `identity_source_missing`, `validation_failed`, `not_in_cached_policy`, `no_route`, `arn_too_long`, `not_a_lambda_authorizer`, `answer_malformed`, `authorizer_failed`, `backend_failed` |
//! | `detail` | string or null | the reason in words |
//! | `rule` | string or null | the rule that allowed it; of a hit, null: no rule was asked |
//! | `principal` | string or null | the `principalId` of the answer |
//! | `policy` | object or null | the policy document of the answer; null of a simple response |
//! | `context` | object or null | what the backend is told: the `authorizer` of its request context |
//! | `duration_us` | number | from the request to the answer, without the backend |

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use tokio::sync::broadcast;

/// The last requests.
#[derive(Debug)]
pub struct History {
    limit: usize,
    kept: Mutex<Kept>,
    news: broadcast::Sender<Value>,
}

#[derive(Debug, Default)]
struct Kept {
    count: u64,
    records: VecDeque<Value>,
}

impl History {
    /// Keeps so many.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, kept: Mutex::default(), news: broadcast::Sender::new(256) }
    }

    /// The number of the next request.
    #[must_use]
    pub fn next(&self) -> u64 {
        let mut kept = self.kept();
        kept.count += 1;
        kept.count
    }

    /// Keeps a record.
    pub fn add(&self, record: Value) {
        let mut kept = self.kept();
        kept.records.push_back(record.clone());
        while kept.records.len() > self.limit {
            kept.records.pop_front();
        }
        let _nobody_listens = self.news.send(record);
    }

    /// Those that are kept, the oldest first.
    #[must_use]
    pub fn records(&self) -> Vec<Value> {
        self.kept().records.iter().cloned().collect()
    }

    /// Those that are kept, and those that come: none is in both, and none is missing.
    #[must_use]
    pub fn follow(&self) -> (Vec<Value>, broadcast::Receiver<Value>) {
        let kept = self.kept();
        (kept.records.iter().cloned().collect(), self.news.subscribe())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text in the place of a credential.
const REDACTED: &str = "(redacted)";

/// Members that hold credentials, whatever they are.
const CREDENTIALS: [&str; 14] = [
    "authorization",
    "authorizationtoken",
    "proxy-authorization",
    "cookie",
    "cookies",
    "x-api-key",
    "apikey",
    "sec-websocket-protocol",
    "access_token",
    "id_token",
    "token",
    "password",
    "client_secret",
    "code",
];

/// An event without its credentials: what is in a place for them, these values of identity sources wherever they are,
/// and whatever looks like a JWT.
#[must_use]
pub fn redacted(event: &Value, identity: &[String]) -> Value {
    match event {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| {
                    let is_credential = CREDENTIALS.contains(&name.to_ascii_lowercase().as_str());
                    let value = if is_credential { hidden(value) } else { redacted(value, identity) };
                    (name.clone(), value)
                })
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => items.iter().map(|item| redacted(item, identity)).collect(),
        Value::String(text) if is_secret(text, identity) => REDACTED.into(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => event.clone(),
    }
}

/// A path for a terminal: without what plays tricks on one, and without a token.
pub(super) fn printable(path: &str) -> String {
    match is_secret(path, &[]) {
        true => REDACTED.to_owned(),
        false => path.chars().filter(char::is_ascii_graphic).collect(),
    }
}

fn hidden(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(hidden).collect(),
        Value::String(_) | Value::Object(_) | Value::Number(_) | Value::Bool(_) => REDACTED.into(),
        Value::Null => Value::Null,
    }
}

fn is_secret(text: &str, identity: &[String]) -> bool {
    let names_one = CREDENTIALS.iter().any(|name| text.contains(&format!("{name}=")));
    // The Base64 of `{"`, with which the header of a JWT begins.
    names_one
        || text.contains("eyJ")
        || identity.iter().any(|value| text == value || (is_long(value) && text.contains(value)))
}

/// A short value, such as a tenant's number, is part of much else.
fn is_long(value: &str) -> bool {
    value.len() >= 8
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_credential_is_kept() {
        let event = json!({
            "authorizationToken": "Bearer secret-token",
            "identitySource": ["Bearer secret-token", "7"],
            "headers": {"Authorization": "Bearer secret-token", "accept": "*/*", "x-tenant": "7", "x-build": "1.7"},
            "multiValueHeaders": {"cookie": ["a=secret"], "accept": ["*/*"]},
            "queryStringParameters": {"access_token": "secret", "page": "2"},
            "rawQueryString": "access_token=secret&page=2",
            "requestContext": {"x": "eyJhbGciOiJub25lIn0.e30."},
        });
        let kept = redacted(&event, &["Bearer secret-token".to_owned(), "7".to_owned()]);
        assert!(!kept.to_string().contains("secret") && !kept.to_string().contains("eyJ"), "{kept}");
        assert_eq!(kept["headers"]["accept"], "*/*");
        assert_eq!(kept["headers"]["x-tenant"], "(redacted)");
        assert_eq!(kept["headers"]["x-build"], "1.7");
        assert_eq!(kept["queryStringParameters"]["page"], "2");
    }

    #[test]
    fn the_oldest_goes_first() {
        let history = History::new(2);
        for id in 1..=3 {
            assert_eq!(history.next(), id);
            history.add(json!({"id": id}));
        }
        assert_eq!(history.records(), [json!({"id": 2}), json!({"id": 3})]);
        let (before, mut after) = history.follow();
        history.add(json!({"id": 4}));
        assert_eq!((before.len(), after.try_recv().unwrap()), (2, json!({"id": 4})));
    }
}
