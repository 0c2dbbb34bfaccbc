//! One fetch of an issuer's key set: where it is, and what came of asking there.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::{KeySet, KeySetFile, KeySetSource, discovery};
use crate::io::{Connector, Document, Edges, Effort, FetchError, Session, UnixTime};

/// Whose keys, where they are, and how to get there.
#[derive(Clone)]
pub struct KeyServer {
    /// The issuer, as in `iss`.
    pub issuer: Arc<str>,
    /// Where its key set is.
    pub source: KeySetSource,
    /// How its servers are reached.
    pub connector: Connector,
    /// Plain http to loopback addresses is allowed.
    pub loopback: bool,
}

/// A key set as it came from the issuer.
pub(super) struct Fetched {
    pub(super) keys: Arc<KeySet>,
    /// How long the issuer lets it be used, in seconds.
    pub(super) fresh_for: Option<f64>,
    /// From when on it must not be used, even where the issuer cannot be asked.
    pub(super) valid_until: Option<UnixTime>,
}

/// Reads the keys of this issuer in a document, at this time.
#[cfg(feature = "saml")]
pub type KeyReader = fn(document: &[u8], issuer: &str, now: UnixTime) -> Result<ReadKeys, String>;

/// The keys in a document, and how long it says that they hold.
#[cfg(feature = "saml")]
#[derive(Clone)]
pub struct ReadKeys {
    /// The keys.
    pub keys: Arc<KeySet>,
    /// How long they may be used before they are fetched again, in seconds.
    pub fresh_for: Option<f64>,
    /// From when on they must not be used.
    pub valid_until: Option<UnixTime>,
}

/// Why there is none, without anything of an answer's header or body.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{cause}")]
pub struct FetchFailure {
    pub(super) cause: String,
    /// When the issuer wants to be asked again, in seconds from now.
    pub(super) retry_after: Option<f64>,
}

impl KeyServer {
    /// The text of a file for the function's package: the key set as the issuer has it now. All documents
    /// together are to be there within `limit`.
    ///
    /// # Errors
    ///
    /// What failed on the way, or that the answer is no key set.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float that is out of range becomes the nearest integer"
    )]
    pub async fn fetch_file(&self, edges: &Edges, limit: Duration) -> Result<String, FetchFailure> {
        let fetched_at = edges.clock.now() as u32;
        let document = self.document(edges, Effort { limit, tries_again: true }).await?;
        KeySetFile::text(&self.issuer, fetched_at, &document.body)
            .map_err(|error| FetchFailure::because(&error))
    }

    /// Asks the issuer.
    pub(super) async fn fetch(&self, edges: &Edges, effort: Effort) -> Result<Fetched, FetchFailure> {
        let document = self.document(edges, effort).await?;
        #[cfg(feature = "saml")]
        if let KeySetSource::Document(_, read) = &self.source {
            let read = read(&document.body, &self.issuer, edges.clock.now());
            let ReadKeys { keys, fresh_for, valid_until } =
                read.map_err(|cause| FetchFailure::because(&cause))?;
            let fresh_for = [document.fresh_for, fresh_for].into_iter().flatten().reduce(f64::min);
            return Ok(Fetched { keys, fresh_for, valid_until });
        }
        let keys = KeySet::parse(&document.body).map_err(|error| FetchFailure::because(&error))?;
        Ok(Fetched { keys: Arc::new(keys), fresh_for: document.fresh_for, valid_until: None })
    }

    async fn document(&self, edges: &Edges, effort: Effort) -> Result<Document, FetchFailure> {
        let session = edges.fetch.session(&self.connector, effort);
        let url = match &self.source {
            KeySetSource::Url(url) => url.clone(),
            #[cfg(feature = "saml")]
            KeySetSource::Document(url, _) => url.clone(),
            KeySetSource::Discovery | KeySetSource::Fixed(_) => self.discover(session.as_ref()).await?,
        };
        session.get(&url).await.map_err(|error| FetchFailure::of("key set", &error))
    }

    async fn discover(&self, session: &dyn Session) -> Result<Url, FetchFailure> {
        let url = discovery::document_url(&self.issuer)
            .filter(|url| discovery::is_safe(url, self.loopback))
            .ok_or_else(|| {
                FetchFailure::because(&"the issuer is not an https URL, or it holds a user or a password")
            })?;
        let document = session.get(&url).await.map_err(|error| FetchFailure::of("discovery", &error))?;
        discovery::discovered_url(&document.body, &self.issuer, self.loopback)
            .map_err(|error| FetchFailure::because(&error))
    }
}

impl FetchFailure {
    fn of(what: &str, error: &FetchError) -> Self {
        let retry_after = match error {
            FetchError::Status { retry_after, .. } => *retry_after,
            FetchError::Transport(_)
            | FetchError::TooLarge(_)
            | FetchError::Compressed
            | FetchError::TimedOut(_) => None,
        };
        Self { cause: format!("{what}: {error}"), retry_after }
    }

    fn because(cause: &dyn std::fmt::Display) -> Self {
        Self { cause: cause.to_string(), retry_after: None }
    }
}
