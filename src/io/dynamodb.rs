//! [`DynamoDb`]: a table of AWS, over its JSON protocol and the HTTP client that there is.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;
use url::Url;

use super::aws::{AwsEnvironment, Credentialed, signed};
use super::{Connector, Edges, Effort, FetchError, Message, RawAnswer, Session};

/// How DynamoDB is reached.
#[derive(Clone, Debug)]
pub struct DynamoDbSettings {
    /// The region, where it is another one than that of the function.
    pub region: Option<String>,
    /// Its endpoint, where it is another one than that of the region.
    pub endpoint: Option<Url>,
    /// How the endpoint is reached.
    pub connector: Connector,
    /// How long a question may take, all attempts together.
    pub timeout: Duration,
}

/// Asks DynamoDB. What fails for no lasting reason is tried again, a few times, after pauses of a random length.
pub struct DynamoDb {
    settings: DynamoDbSettings,
    region: Option<String>,
    credentials: Credentialed,
    edges: Edges,
}

/// Why there is no answer. Of AWS's, it holds the status and the name of the error.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DynamoDbError {
    /// Nobody has said which.
    #[error("no region is known: `AWS_REGION` is not set")]
    NoRegion,
    /// There are none that could sign the request.
    #[error("no request can be signed: {0}")]
    NoCredentials(String),
    /// The request did not arrive, or its answer did not.
    #[error(transparent)]
    Unreachable(FetchError),
    /// `ResourceNotFoundException`.
    #[error("there is no such table")]
    NoTable,
    /// `AccessDeniedException`.
    #[error("the function may not do this: access is denied")]
    AccessDenied,
    /// The credentials are not taken.
    #[error("the credentials are refused: {0}")]
    CredentialsRefused(String),
    /// More requests than the table has capacity for.
    #[error("the requests are throttled: {0}")]
    Throttled(String),
    /// Any other error, by its name and the status.
    #[error("the server answered with status {status}: {name}")]
    Failed {
        /// The status.
        status: u16,
        /// The name of the error.
        name: String,
    },
    /// What came is none of the answers that DynamoDB gives.
    #[error("the answer is none of DynamoDB's")]
    Malformed,
}

/// How often a request is sent.
const ATTEMPTS: u32 = 4;

/// The longest pause before the second attempt. Each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

impl DynamoDb {
    /// Asks for a function in this environment.
    #[must_use]
    pub fn new(settings: DynamoDbSettings, environment: &AwsEnvironment, edges: Edges) -> Self {
        let region = settings.region.clone().or_else(|| environment.region.clone());
        let credentials = Credentialed::new(environment, edges.clone());
        Self { settings, region, credentials, edges }
    }

    /// The item with this key; `None` where there is none. A read that is consistent sees every write that was done before, and
    /// costs twice as much.
    ///
    /// # Errors
    ///
    /// Why nobody knows.
    pub async fn item(
        &self,
        (table, key): (&str, &Value),
        is_consistent: bool,
        patience: Duration,
    ) -> Result<Option<Item>, DynamoDbError> {
        let input = json!({ "TableName": table, "Key": key, "ConsistentRead": is_consistent });
        match self.call("GetItem", &input, patience).await?.remove("Item") {
            None => Ok(None),
            Some(item) => Item::of(item).ok_or(DynamoDbError::Malformed).map(Some),
        }
    }

    /// The items with these keys, no more than a hundred, as far as there are any. A read that is consistent sees every write that was
    /// done before, and costs twice as much.
    ///
    /// # Errors
    ///
    /// Why nobody knows. Where DynamoDB leaves some out, and does so again, the requests are throttled.
    pub async fn items(
        &self,
        (table, mut keys): (&str, Vec<Value>),
        is_consistent: bool,
        patience: Duration,
    ) -> Result<Vec<Item>, DynamoDbError> {
        let end = Instant::now() + self.settings.timeout.min(patience);
        let mut items = Vec::new();
        for attempt in 0..ATTEMPTS {
            if keys.is_empty() {
                return Ok(items);
            }
            if attempt > 0 {
                tokio::time::sleep(self.pause(attempt)).await;
            }
            let asked = json!({ "Keys": keys, "ConsistentRead": is_consistent });
            let mut input = json!({ "RequestItems": {} });
            if let Some(Value::Object(tables)) = input.get_mut("RequestItems") {
                tables.insert(table.to_owned(), asked);
            }
            let left = end.saturating_duration_since(Instant::now());
            let mut answer = self.call("BatchGetItem", &input, left).await?;
            let Some(Value::Object(found)) = answer.remove("Responses") else {
                return Err(DynamoDbError::Malformed);
            };
            for found in found.into_iter().map(|(_, found)| found) {
                let Value::Array(found) = found else { return Err(DynamoDbError::Malformed) };
                for item in found {
                    items.push(Item::of(item).ok_or(DynamoDbError::Malformed)?);
                }
            }
            keys = left_out(answer.remove("UnprocessedKeys")).ok_or(DynamoDbError::Malformed)?;
        }
        match keys.is_empty() {
            true => Ok(items),
            false => Err(DynamoDbError::Throttled("UnprocessedKeys".to_owned())),
        }
    }

    /// Writes an item where the condition holds, in which there are these values; whether it was written. An answer may be lost, and the item be
    /// sent again: the condition must hold of the item itself, too.
    ///
    /// # Errors
    ///
    /// Why nobody knows.
    pub async fn put(
        &self,
        (table, item): (&str, &Value),
        (condition, values): (&str, &Value),
        patience: Duration,
    ) -> Result<bool, DynamoDbError> {
        let input = json!({
            "TableName": table,
            "Item": item,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
        });
        match self.call("PutItem", &input, patience).await {
            Ok(_) => Ok(true),
            Err(DynamoDbError::Failed { name, .. }) if name == "ConditionalCheckFailedException" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Before the attempt behind this one: up to twice as long each time, so that those who fail together do not come back together.
    fn pause(&self, attempt: u32) -> Duration {
        (FIRST_PAUSE * 2_u32.pow(attempt - 1)).mul_f64(self.edges.chance.fraction())
    }

    /// What DynamoDB answers to an operation of its API, by the name that it has there.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub async fn call(
        &self,
        operation: &str,
        input: &Value,
        patience: Duration,
    ) -> Result<Map<String, Value>, DynamoDbError> {
        let limit = self.settings.timeout.min(patience);
        let end = Instant::now() + limit;
        let session =
            self.edges.fetch.session(&self.settings.connector, Effort { limit, tries_again: false });
        let body = input.to_string();
        for attempt in 1.. {
            let left = end.saturating_duration_since(Instant::now());
            let error = match self.attempt(session.as_ref(), operation, &body, left).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if let DynamoDbError::CredentialsRefused(_) = &error {
                self.credentials.are_refused();
            }
            let pause = self.pause(attempt);
            // Nobody would wait for the next answer.
            if !error.may_pass() || attempt >= ATTEMPTS || Instant::now() + pause >= end {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
        Err(DynamoDbError::Malformed)
    }

    async fn attempt(
        &self,
        session: &dyn Session,
        operation: &str,
        body: &str,
        patience: Duration,
    ) -> Result<Map<String, Value>, DynamoDbError> {
        let region = self.region.as_deref().filter(|region| is_region(region));
        let region = region.ok_or(DynamoDbError::NoRegion)?;
        let url =
            self.settings.endpoint.clone().or_else(|| endpoint(region)).ok_or(DynamoDbError::NoRegion)?;
        let credentials = self.credentials.current(patience).await.map_err(DynamoDbError::NoCredentials)?;
        let headers = vec![
            ("content-type".to_owned(), "application/x-amz-json-1.0".to_owned()),
            ("x-amz-target".to_owned(), format!("DynamoDB_20120810.{operation}")),
        ];
        let place = (region, "dynamodb");
        let headers = signed(&url, headers, body, place, &credentials, self.edges.clock.now())
            .ok_or_else(|| DynamoDbError::NoCredentials("they hold what cannot be sent".to_owned()))?;
        let message = Message { url, headers, body: Some(body.to_owned()) };
        read(&session.exchange(message).await.map_err(DynamoDbError::Unreachable)?)
    }
}

/// The keys about which DynamoDB has said nothing yet; `None` where that is not said as it should be.
fn left_out(tables: Option<Value>) -> Option<Vec<Value>> {
    let Some(tables) = tables else { return Some(Vec::new()) };
    let Value::Object(tables) = tables else { return None };
    let keys = tables.into_iter().map(|(_, mut left)| match left.get_mut("Keys").map(Value::take) {
        Some(Value::Array(keys)) => Some(keys),
        Some(_) | None => None,
    });
    keys.collect::<Option<Vec<_>>>().map(|keys| keys.concat())
}

/// Whether it may be the name of a region: it becomes a part of a host's name.
pub(crate) fn is_region(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn endpoint(region: &str) -> Option<Url> {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    Url::parse(&format!("https://dynamodb.{region}.{suffix}/")).ok()
}

fn read(reply: &RawAnswer) -> Result<Map<String, Value>, DynamoDbError> {
    let answer = match serde_json::from_slice(&reply.body) {
        Ok(Value::Object(answer)) => Some(answer),
        Ok(_) | Err(_) => None,
    };
    if reply.status == 200 {
        return answer.ok_or(DynamoDbError::Malformed);
    }
    let name = answer.as_ref().and_then(|answer| answer.get("__type")).and_then(Value::as_str);
    // Behind the name of its version; a load balancer in between has none.
    let name = name.and_then(|name| name.rsplit('#').next()).unwrap_or_default();
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
    Err(match name.as_str() {
        "ResourceNotFoundException" => DynamoDbError::NoTable,
        "AccessDeniedException" => DynamoDbError::AccessDenied,
        "ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded" => {
            DynamoDbError::Throttled(name)
        }
        "ExpiredTokenException"
        | "IncompleteSignatureException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "UnrecognizedClientException" => DynamoDbError::CredentialsRefused(name),
        _ => DynamoDbError::Failed { status: reply.status, name },
    })
}

impl DynamoDbError {
    /// Whether the same request may be answered in a moment.
    fn may_pass(&self) -> bool {
        match self {
            Self::Throttled(_) | Self::Unreachable(FetchError::Transport(_)) => true,
            // New ones are asked for.
            Self::CredentialsRefused(name) => name == "ExpiredTokenException",
            Self::Failed { status, .. } => *status >= 500,
            Self::Unreachable(_)
            | Self::NoRegion
            | Self::NoCredentials(_)
            | Self::NoTable
            | Self::AccessDenied
            | Self::Malformed => false,
        }
    }
}

/// An item of a table: attributes, of which each says its type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item(Map<String, Value>);

impl Item {
    /// `None` where something in it is no attribute.
    fn of(item: Value) -> Option<Self> {
        let Value::Object(members) = item else { return None };
        let plain = members.into_iter().map(|(name, value)| Some((name, plain(value)?)));
        plain.collect::<Option<Map<_, _>>>().map(Self)
    }

    /// What an attribute holds, as plain JSON: a set is an array, and what is binary is its base64.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

/// The value of an attribute.
fn plain(attribute: Value) -> Option<Value> {
    let Value::Object(members) = attribute else { return None };
    let mut members = members.into_iter();
    let (kind, value) = members.next().filter(|_| members.len() == 0)?;
    let all = |value: Value, plain: fn(Value) -> Option<Value>| {
        let Value::Array(items) = value else { return None };
        items.into_iter().map(plain).collect::<Option<Vec<_>>>().map(Value::Array)
    };
    match kind.as_str() {
        "S" | "B" => text(value),
        "N" => number(value),
        "BOOL" => value.is_boolean().then_some(value),
        "NULL" => Some(Value::Null),
        "SS" | "BS" => all(value, text),
        "NS" => all(value, number),
        "L" => all(value, plain),
        "M" => Item::of(value).map(|item| Value::Object(item.0)),
        _ => None,
    }
}

fn text(value: Value) -> Option<Value> {
    value.is_string().then_some(value)
}

/// They come as text.
fn number(value: Value) -> Option<Value> {
    value.as_str()?.parse().ok().map(Value::Number)
}

#[cfg(test)]
mod tests;
