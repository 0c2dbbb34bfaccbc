//! [`Database`]: the DynamoDB table of a configuration, to be made, and to be written to.

use std::path::Path;
use std::time::Duration;

use lambda_authorizer::config::Config;
use lambda_authorizer::io::{AwsEnvironment, Connector, DynamoDb, DynamoDbError, DynamoDbSettings, Edges};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};
use url::Url;

use crate::Error;
use crate::commands::Misuse;
use crate::local;

/// The table.
pub struct Database {
    name: String,
    dynamodb: DynamoDb,
}

/// Which table, where no configuration says so.
#[derive(Clone, Debug)]
pub struct TableOptions {
    /// Its name, or its ARN.
    pub table: String,
    /// Its region, where it is not that of the environment.
    pub region: Option<String>,
    /// Another endpoint than that of the region.
    pub endpoint: Option<String>,
    /// Plain http to loopback addresses is allowed.
    pub development: bool,
}

/// A person waits for it, and no function's timeout.
const LIMIT: Duration = Duration::from_secs(10);

/// How many items are looked at in one request: an answer has no more than 150 KB.
const PAGE: u32 = 100;

/// A new table takes a few seconds.
const LONGEST_MAKING: Duration = Duration::from_secs(120);

impl Database {
    /// That of a configuration, and the configuration.
    ///
    /// # Errors
    ///
    /// It cannot be read, is wrong, or names no table.
    pub fn of(file: Option<&Path>) -> Result<(Self, Config), Error> {
        let mut config = local::configuration(file)?;
        let Some(settings) = config.database.as_mut() else {
            let hint = "hint: a `[dynamodb]` with the name of the `table`; or `--table` here";
            return Err(Misuse::new(format!("the configuration names no table\n{hint}")).into());
        };
        // Where a person waits, there is no hurry.
        settings.dynamodb.timeout = LIMIT;
        let database = Self::new(settings.table.clone(), settings.dynamodb.clone());
        Ok((database, config))
    }

    /// That of the options.
    ///
    /// # Errors
    ///
    /// An endpoint that may not be asked.
    pub fn named(options: TableOptions) -> Result<Self, Error> {
        let endpoint = options.endpoint.map(|text| endpoint(&text, options.development)).transpose()?;
        let connector = Connector::default();
        let settings = DynamoDbSettings { region: options.region, endpoint, connector, timeout: LIMIT };
        Ok(Self::new(options.table, settings))
    }

    fn new(name: String, settings: DynamoDbSettings) -> Self {
        let environment = AwsEnvironment::of_this_process();
        Self { name, dynamodb: DynamoDb::new(settings, &environment, Edges::of_this_machine()) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes the table where there is none, and waits until it can be used. Items go by themselves behind the time in `delete_at`.
    /// `false` where there was one already.
    ///
    /// # Errors
    ///
    /// What DynamoDB says, or that it takes too long.
    pub async fn create(&self) -> Result<bool, Error> {
        let made = self
            .call(
                "CreateTable",
                json!({
                    "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
                    "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
                    "BillingMode": "PAY_PER_REQUEST",
                }),
            )
            .await;
        match made {
            Ok(_) => {}
            Err(DynamoDbError::Failed { name, .. }) if name == "ResourceInUseException" => return Ok(false),
            Err(error) => return Err(self.explained(&error)),
        }
        let began = Instant::now();
        loop {
            let described =
                self.call("DescribeTable", json!({})).await.map_err(|error| self.explained(&error))?;
            let status = described.get("Table").and_then(|table| table.get("TableStatus"));
            if status.is_some_and(|status| status == "ACTIVE") {
                break;
            }
            if began.elapsed() > LONGEST_MAKING {
                return Err(format!("the table `{}` is still not there", self.name).into());
            }
            sleep(Duration::from_millis(500)).await;
        }
        let times = json!({ "TimeToLiveSpecification": { "AttributeName": "delete_at", "Enabled": true } });
        if let Err(error) = self.call("UpdateTimeToLive", times).await {
            eprintln!("note: items that have ended will not go by themselves: {error}");
        }
        Ok(true)
    }

    /// Writes an item, in the place of one with its key only where that is meant. Attributes that are `null` or empty are left out.
    ///
    /// # Errors
    ///
    /// There is one, or what DynamoDB says.
    pub async fn insert(&self, key: &str, attributes: Value, replaces: bool) -> Result<(), Error> {
        let Value::Object(mut attributes) = attributes else { return Err("the item is none".into()) };
        attributes.retain(|_, value| !value.is_null() && *value != json!([]) && *value != json!({}));
        let mut item: Map<String, Value> =
            attributes.into_iter().map(|(name, value)| (name, attribute(value))).collect();
        item.insert("pk".to_owned(), json!({ "S": key }));
        let input = match replaces {
            true => json!({ "Item": item }),
            false => json!({ "Item": item, "ConditionExpression": "attribute_not_exists(pk)" }),
        };
        match self.call("PutItem", input).await {
            Ok(_) => Ok(()),
            Err(error) if is_condition(&error) => Err(format!("there is a `{key}` already").into()),
            Err(error) => Err(self.explained(&error)),
        }
    }

    /// Sets one attribute of an item; `false` where there is no item with this key.
    ///
    /// # Errors
    ///
    /// What DynamoDB says.
    pub async fn set(&self, key: &str, name: &str, value: Value) -> Result<bool, Error> {
        let input = json!({
            "Key": { "pk": { "S": key } },
            "ConditionExpression": "attribute_exists(pk)",
            "UpdateExpression": "SET #name = :value",
            "ExpressionAttributeNames": { "#name": name },
            "ExpressionAttributeValues": { ":value": attribute(value) },
        });
        match self.call("UpdateItem", input).await {
            Ok(_) => Ok(true),
            Err(error) if is_condition(&error) => Ok(false),
            Err(error) => Err(self.explained(&error)),
        }
    }

    /// These attributes of all items whose keys begin so, as DynamoDB writes them. The whole table is read.
    ///
    /// # Errors
    ///
    /// What DynamoDB says.
    pub async fn scan(&self, kind: &str, attributes: &[&str]) -> Result<Vec<Map<String, Value>>, Error> {
        // By other names than their own: some of those are words of DynamoDB's.
        let names: Map<String, Value> =
            attributes.iter().map(|name| (format!("#{name}"), (*name).into())).collect();
        let mut input = json!({
            "FilterExpression": "begins_with(#pk, :kind)",
            "ProjectionExpression": names.keys().cloned().collect::<Vec<_>>().join(", "),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": { ":kind": { "S": kind } },
            "Limit": PAGE,
        });
        let mut items = Vec::new();
        loop {
            let mut answer =
                self.call("Scan", input.clone()).await.map_err(|error| self.explained(&error))?;
            let malformed = || self.explained(&DynamoDbError::Malformed);
            let Some(Value::Array(page)) = answer.remove("Items") else { return Err(malformed()) };
            for item in page {
                let Value::Object(item) = item else { return Err(malformed()) };
                items.push(item);
            }
            match (answer.remove("LastEvaluatedKey"), &mut input) {
                (Some(last), Value::Object(members)) => {
                    members.insert("ExclusiveStartKey".to_owned(), last);
                }
                (Some(_) | None, _) => return Ok(items),
            }
        }
    }

    /// Removes an item, if it is there.
    ///
    /// # Errors
    ///
    /// What DynamoDB says.
    pub async fn remove(&self, key: &str) -> Result<(), Error> {
        let removed = self.call("DeleteItem", json!({ "Key": { "pk": { "S": key } } })).await;
        removed.map(drop).map_err(|error| self.explained(&error))
    }

    async fn call(&self, operation: &str, mut input: Value) -> Result<Map<String, Value>, DynamoDbError> {
        if let Value::Object(members) = &mut input {
            members.insert("TableName".to_owned(), self.name.as_str().into());
        }
        self.dynamodb.call(operation, &input, LIMIT).await
    }

    fn explained(&self, error: &DynamoDbError) -> Error {
        let hint = match error {
            DynamoDbError::NoTable => "\nhint: `--create-table` makes it",
            DynamoDbError::NoRegion => "\nhint: set AWS_REGION, or `region` in `[dynamodb]`",
            DynamoDbError::NoCredentials(_) => {
                "\nhint: `eval \"$(aws configure export-credentials --format env)\"` sets them as a function has them"
            }
            DynamoDbError::AccessDenied
            | DynamoDbError::Unreachable(_)
            | DynamoDbError::CredentialsRefused(_)
            | DynamoDbError::Throttled(_)
            | DynamoDbError::Failed { .. }
            | DynamoDbError::Malformed => "",
        };
        format!("the table `{}`: {error}{hint}", self.name).into()
    }
}

fn is_condition(error: &DynamoDbError) -> bool {
    matches!(error, DynamoDbError::Failed { name, .. } if name == "ConditionalCheckFailedException")
}

fn endpoint(text: &str, development: bool) -> Result<Url, Error> {
    lambda_authorizer::jwks::key_set_url(text, development).ok_or_else(|| {
        let hint = "hint: `--development` allows plain http to loopback addresses";
        Misuse::new(format!("`--endpoint` is not an https URL, or it holds a user or a password\n{hint}"))
            .into()
    })
}

/// As DynamoDB writes a value.
fn attribute(value: Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(truth) => json!({ "BOOL": truth }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(items) => json!({ "L": items.into_iter().map(attribute).collect::<Vec<_>>() }),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, attribute(value)));
            json!({ "M": members.collect::<Map<_, _>>() })
        }
    }
}
