//! [`KeySetFile`]: a key set that lies in the function's package, with its date.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{KeySet, KeySetError};
use crate::io::UnixTime;

/// A key set in the package: a JWK Set with two more members, of whom it is and when it was fetched. Readers
/// that know neither pass over them (RFC 7517, section 5).
///
/// ```
/// use lambda_authorizer::jwks::KeySetFile;
///
/// // RFC 8037, appendix A.2.
/// let fetched = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// let text = KeySetFile::text("https://login.example.com/", 1_800_000_000, fetched.as_bytes())?;
/// let file = KeySetFile::parse(text.as_bytes(), "https://login.example.com/")?;
/// assert_eq!(file.fetched_at, 1_800_000_000.0);
/// assert!(KeySetFile::parse(text.as_bytes(), "https://login.example.net/").is_err());
/// assert!(KeySetFile::parse(fetched.as_bytes(), "https://login.example.com/").is_err());
/// # Ok::<(), lambda_authorizer::jwks::KeySetFileError>(())
/// ```
#[derive(Clone)]
pub struct KeySetFile {
    /// The keys.
    pub keys: Arc<KeySet>,
    /// When they were fetched.
    pub fetched_at: UnixTime,
}

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetFileError {
    /// No key set.
    #[error(transparent)]
    KeySet(#[from] KeySetError),
    /// Nobody can say how old it is.
    #[error("it does not say of which `issuer` it is and when it was fetched (`fetched_at`)")]
    Undated,
    /// Keys belong to one issuer.
    #[error("it holds the keys of another issuer, `{0}`")]
    OtherIssuer(String),
}

#[derive(Deserialize, Serialize)]
struct Wire<'a> {
    issuer: String,
    /// Seconds since 1970.
    fetched_at: u32,
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Keys<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl KeySetFile {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// When it is no key set of this issuer with its date.
    pub fn parse(bytes: &[u8], issuer: &str) -> Result<Self, KeySetFileError> {
        let keys = Arc::new(KeySet::parse(bytes)?);
        let wire: Wire<'_> = serde_json::from_slice(bytes).map_err(|_| KeySetFileError::Undated)?;
        if wire.issuer != issuer {
            return Err(KeySetFileError::OtherIssuer(wire.issuer));
        }
        Ok(Self { keys, fetched_at: wire.fetched_at.into() })
    }

    /// The text of a file with this key set, fetched at this time, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// When it is no key set.
    pub fn text(issuer: &str, fetched_at: u32, key_set: &[u8]) -> Result<String, KeySetFileError> {
        KeySet::parse(key_set)?;
        let Keys { keys } = serde_json::from_slice(key_set).map_err(|_| KeySetError::NotAKeySet)?;
        let wire = Wire { issuer: issuer.to_owned(), fetched_at, keys };
        let text = serde_json::to_string_pretty(&wire).map_err(|_| KeySetError::NotAKeySet)?;
        Ok(text + "\n")
    }
}
