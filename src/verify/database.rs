//! What is looked up in a DynamoDB table: API keys, users, and what is revoked; and what is written there: which proofs were used. One
//! table holds all kinds of items, each under a key that begins with its kind.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::api_keys::{ApiKeySettings, ApiKeys};
use super::basic::{Basic, BasicSettings};
use super::credential_verifier::{Kind, SecondOpinion};
use super::revocation::{ObserveRevocation, Revocation, RevocationSettings};
use super::shared_replays::SharedReplays;
use crate::credential::CredentialKind;
use crate::error::{Error, Fault};
use crate::io::{AwsEnvironment, DynamoDb, DynamoDbSettings, Edges, Item};

/// The table, and what is looked up in it.
pub struct DatabaseSettings {
    /// The name of the table, or its ARN.
    pub table: String,
    /// Whether a read sees every write that was done before.
    pub is_consistent: bool,
    /// How DynamoDB is reached.
    pub dynamodb: DynamoDbSettings,
    /// API keys.
    pub api_keys: Option<ApiKeySettings>,
    /// Names and passwords.
    pub basic: Option<BasicSettings>,
    /// What is revoked.
    pub revocation: Option<RevocationSettings>,
    /// Whether the DPoP proofs that were used are written there.
    pub has_proofs: bool,
}

impl DatabaseSettings {
    /// Who vouches for those who are looked up, and by which kind of credential.
    pub(crate) fn issuers(&self) -> impl Iterator<Item = (&str, CredentialKind)> {
        let api_keys = self.api_keys.as_ref().map(|settings| (&*settings.issuer, CredentialKind::ApiKey));
        let basic = self.basic.as_ref().map(|settings| (&*settings.issuer, CredentialKind::Basic));
        api_keys.into_iter().chain(basic)
    }
}

/// Who looks things up in the table.
pub(super) struct LookUps {
    /// Credentials.
    pub(super) kinds: Vec<Kind>,
    /// What is revoked.
    pub(super) revocation: Option<Arc<dyn SecondOpinion>>,
    /// Which proofs were used.
    pub(super) replays: Option<Arc<dyn SecondOpinion>>,
}

/// The table.
pub(super) struct Table {
    name: Arc<str>,
    is_consistent: bool,
    dynamodb: DynamoDb,
}

/// The name of the table's only key attribute.
const PARTITION_KEY: &str = "pk";

impl DatabaseSettings {
    /// Who looks things up, as a function in this environment.
    pub(super) fn looked_up(
        self,
        environment: &AwsEnvironment,
        edges: Edges,
        observer: Arc<dyn ObserveRevocation>,
    ) -> LookUps {
        let table = Arc::new(Table {
            name: self.table.into(),
            is_consistent: self.is_consistent,
            dynamodb: DynamoDb::new(self.dynamodb, environment, edges),
        });
        let basic = self.basic.map(|settings| {
            let issuer = Arc::clone(&settings.issuer);
            Kind::built_in(CredentialKind::Basic, issuer, Arc::new(Basic::new(settings, Arc::clone(&table))))
        });
        let api_keys = self.api_keys.map(|settings| {
            let issuer = Arc::clone(&settings.issuer);
            let api_keys = ApiKeys::new(settings, Arc::clone(&table));
            Kind::built_in(CredentialKind::ApiKey, issuer, Arc::new(api_keys))
        });
        let replays = self.has_proofs.then(|| Arc::new(SharedReplays::new(Arc::clone(&table))) as _);
        let revocation = self.revocation.map(|settings| Revocation::new(settings, table, observer));
        LookUps {
            kinds: basic.into_iter().chain(api_keys).collect(),
            revocation: revocation.map(|revocation| Arc::new(revocation) as _),
            replays,
        }
    }
}

impl Table {
    /// The item of this key, or in words why nobody knows.
    pub(super) async fn item(&self, key: &str, patience: Duration) -> Result<Option<Item>, String> {
        let key = json!({ PARTITION_KEY: { "S": key } });
        let found = self.dynamodb.item((&self.name, &key), self.is_consistent, patience).await;
        found.map_err(|error| error.to_string())
    }

    /// The items of these keys, of which there need not be any, or in words why nobody knows.
    pub(super) async fn items(&self, keys: &[&str], patience: Duration) -> Result<Vec<Item>, String> {
        let keys = keys.iter().map(|key| json!({ PARTITION_KEY: { "S": key } })).collect();
        let found = self.dynamodb.items((&self.name, keys), self.is_consistent, patience).await;
        found.map_err(|error| error.to_string())
    }

    /// Writes that what has this key is used up, unless it was by another request; whether it is this one's, or in words why nobody knows.
    /// What is written says by which request: where the answer to it is lost, and it is sent again, it finds what it has written itself.
    pub(super) async fn use_up(
        &self,
        key: &str,
        request: &str,
        delete_at: u64,
        patience: Duration,
    ) -> Result<bool, String> {
        let item = json!({
            PARTITION_KEY: { "S": key },
            "used_by": { "S": request },
            "delete_at": { "N": delete_at.to_string() },
        });
        let condition = format!("attribute_not_exists({PARTITION_KEY}) OR used_by = :request");
        let values = json!({ ":request": { "S": request } });
        let written = self.dynamodb.put((&self.name, &item), (&condition, &values), patience).await;
        written.map_err(|error| error.to_string())
    }

    pub(super) fn fault(&self, cause: String) -> Error {
        Fault::TableUnavailable { table: Arc::clone(&self.name), cause }.into()
    }
}
