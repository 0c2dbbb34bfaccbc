//! The edges: the clock, chance, the HTTP client, files and the log. Nothing else in the library reads
//! the outside world.

#[cfg(feature = "dynamodb")]
mod aws;
mod chance;
mod clock;
mod connector;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod files;
mod freshness;
mod http;
#[cfg(all(test, feature = "dynamodb"))]
mod line;
mod log;
mod route;

#[cfg(feature = "dynamodb")]
pub use aws::AwsEnvironment;
pub use chance::{Chance, SystemChance};
#[cfg(feature = "saml")]
pub(crate) use clock::parse_rfc3339;
pub use clock::{Clock, SystemClock, UnixTime, rfc3339};
pub use connector::{Connector, ConnectorError};
#[cfg(feature = "dynamodb")]
pub(crate) use dynamodb::is_region;
#[cfg(feature = "dynamodb")]
pub use dynamodb::{DynamoDb, DynamoDbError, DynamoDbSettings, Item};
pub use files::read_file;
pub use http::{
    Document, Effort, Fetch, FetchError, FetchFuture, HttpClient, Question, Reply, ReplyFuture, Session,
};
#[cfg(feature = "dynamodb")]
pub use http::{ExchangeFuture, Message, RawAnswer};
#[cfg(all(test, feature = "dynamodb"))]
pub(crate) use line::{Answer, Line};
pub use log::{Log, StandardOutput};

use std::sync::Arc;

/// The edges that an [`Authorizer`](crate::Authorizer) uses. Tests give others.
///
/// ```
/// use lambda_authorizer::io::Edges;
///
/// let edges = Edges::of_this_machine();
/// assert!(edges.clock.now() > 1_700_000_000.0);
/// ```
#[derive(Clone)]
pub struct Edges {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What spreads the requests of many functions over time.
    pub chance: Arc<dyn Chance>,
    /// Where key sets come from.
    pub fetch: Arc<dyn Fetch>,
    /// Where log lines go.
    pub log: Arc<dyn Log>,
}

impl Edges {
    /// The machine's own clock and chance, its network, and the standard output.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self {
            clock: Arc::new(SystemClock::start()),
            chance: Arc::new(SystemChance),
            fetch: Arc::new(HttpClient),
            log: Arc::new(StandardOutput::open()),
        }
    }
}
