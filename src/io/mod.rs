//! The edges: the clock, the HTTP client, files and the log. Nothing else in the library reads the
//! outside world.

mod clock;
mod files;
mod http;
mod log;

pub use clock::{Clock, SystemClock, UnixTime, rfc3339};
pub use files::read_file;
pub use http::{Fetch, FetchError, FetchFuture, HttpClient};
pub use log::{Log, StandardOutput};

use std::sync::Arc;

/// The edges that an [`Authorizer`](crate::Authorizer) uses. Tests give others.
#[derive(Clone)]
pub struct Edges {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where key sets come from.
    pub fetch: Arc<dyn Fetch>,
    /// Where log lines go.
    pub log: Arc<dyn Log>,
}
