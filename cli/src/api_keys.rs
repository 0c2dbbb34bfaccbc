//! `authorizer keys create` and `create-user`: API keys and users, of whose secrets the table gets a hash and nobody else anything.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_authorizer::verify::{ApiKey, password_hash, user_key};
use serde_json::{Map, Value, json};

use crate::Error;
use crate::database::Database;
use crate::issuer::unix_time;

/// A key to be made.
#[derive(Clone, Debug, Default)]
pub struct KeyToMake {
    /// What it begins with.
    pub prefix: String,
    /// The secret that its hash depends on, beside its salt.
    pub pepper: Option<Vec<u8>>,
    /// Whose it is: `sub`.
    pub owner: String,
    /// What it is good for: `scope`.
    pub scopes: Vec<String>,
    /// How many days it is good for; `None` is for ever.
    pub days: Option<u32>,
    /// The API Gateway key of its usage plan.
    pub usage_plan_key: Option<String>,
    /// Other claims.
    pub attributes: Map<String, Value>,
}

/// A key that was made.
pub struct MadeKey {
    /// The whole key.
    pub text: String,
    /// Its public ID.
    pub id: String,
    /// When it expires.
    pub expires_at: Option<u64>,
}

/// A user to be written.
#[derive(Clone, Debug, Default)]
pub struct UserToMake {
    /// His name, which is also his `sub`.
    pub name: String,
    /// His password; without it, one is made.
    pub password: Option<String>,
    /// How often its hash is hashed again.
    pub iterations: u32,
    /// What he may do: `scope`.
    pub scopes: Vec<String>,
    /// How many days; `None` is for ever.
    pub days: Option<u32>,
    /// The API Gateway key of his usage plan.
    pub usage_plan_key: Option<String>,
    /// Other claims.
    pub attributes: Map<String, Value>,
    /// Whether he may take the place of a user of his name.
    pub replaces: bool,
}

impl UserToMake {
    /// Writes what is to be known of him into the table. The password, where it was made here, and when he expires.
    ///
    /// # Errors
    ///
    /// There is such a user, or what DynamoDB says.
    pub async fn make(self, database: &Database) -> Result<(Option<String>, Option<u64>), Error> {
        let made = match &self.password {
            Some(_) => None,
            None => Some(letters(24)?),
        };
        let password = self.password.or_else(|| made.clone()).unwrap_or_default();
        let mut salt = [0; 16];
        fill(&mut salt)?;
        let now = unix_time();
        let expires_at = self.days.map(|days| now + u64::from(days) * DAY);
        let item = json!({
            "salt": URL_SAFE_NO_PAD.encode(salt),
            "hash": URL_SAFE_NO_PAD.encode(password_hash(&password, &salt, self.iterations)),
            "iterations": self.iterations,
            "scopes": self.scopes,
            "created_at": now,
            "expires_at": expires_at,
            "delete_at": expires_at.map(|at| at + KEPT_FOR),
            "usage_plan_key": self.usage_plan_key,
            "attributes": self.attributes,
        });
        database.insert(&user_key(&self.name), item, self.replaces).await?;
        Ok((made, expires_at))
    }
}

/// How long the item of a key that has expired is kept, in seconds: so long the log says that it has expired, and not that it is unknown.
const KEPT_FOR: u64 = 30 * DAY;

const DAY: u64 = 86_400;

impl KeyToMake {
    /// Makes it, and writes what is to be known of it into the table.
    ///
    /// # Errors
    ///
    /// What DynamoDB says.
    pub async fn make(self, database: &Database) -> Result<MadeKey, Error> {
        let (id, secret) = ApiKey::LENGTHS;
        let text = ApiKey::assemble(&self.prefix, &letters(id)?, &letters(secret)?);
        let text = text.ok_or("a key cannot begin with this prefix")?;
        let key = ApiKey::parse(&text, &self.prefix).ok_or("the key is none")?;
        let mut salt = [0; 16];
        fill(&mut salt)?;
        let hash = key.hash(&salt, self.pepper.as_deref());
        let now = unix_time();
        let expires_at = self.days.map(|days| now + u64::from(days) * DAY);
        let id = key.id().to_owned();
        let item = json!({
            "salt": URL_SAFE_NO_PAD.encode(salt),
            "hash": URL_SAFE_NO_PAD.encode(hash),
            "owner": self.owner,
            "scopes": self.scopes,
            "created_at": now,
            "expires_at": expires_at,
            "delete_at": expires_at.map(|at| at + KEPT_FOR),
            "usage_plan_key": self.usage_plan_key,
            "attributes": self.attributes,
        });
        database.insert(&format!("key#{id}"), item, false).await?;
        Ok(MadeKey { text, id, expires_at })
    }
}

/// Letters and digits, each as likely as any other.
fn letters(count: usize) -> Result<String, Error> {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let mut bytes = [0; 64];
        fill(&mut bytes)?;
        // Of 64 numbers, 62 are digits: the others are drawn again, so that none is likelier.
        let digits = bytes.iter().filter_map(|byte| ApiKey::ALPHABET.get(usize::from(byte & 63)));
        text.extend(digits.take(count - text.len()).map(|digit| char::from(*digit)));
    }
    Ok(text)
}

fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    rand::fill(bytes).map_err(|_| "there is no randomness".into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn letters_are_drawn_from_all_and_never_the_same() {
        let text = letters(10_000).unwrap();
        assert_eq!(text.len(), 10_000);
        for digit in ApiKey::ALPHABET {
            // 161 are expected; the deviation is 13.
            let count = text.bytes().filter(|byte| byte == digit).count();
            assert!((80..250).contains(&count), "{digit}: {count}");
        }
        let many: BTreeSet<String> = (0..100).map(|_| letters(16).unwrap()).collect();
        assert_eq!(many.len(), 100);
    }
}
