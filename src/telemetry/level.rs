//! How much is logged.

use serde::Serialize;

/// The levels of Lambda's advanced logging controls. Allowed requests are recorded at `INFO`,
/// refused ones at `WARN`, faults at `ERROR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// As `Info`: there is nothing more that could be told without secrets.
    Trace,
    /// As `Info`.
    Debug,
    /// Every decision.
    Info,
    /// Refusals and faults.
    Warn,
    /// Faults.
    Error,
    /// Nothing but what keeps the function from starting.
    Fatal,
}

impl Level {
    /// The level that `AWS_LAMBDA_LOG_LEVEL` names; without it, or with a word that is none, `Info`.
    #[must_use]
    pub fn named(name: Option<&str>) -> Self {
        match name.map(str::to_ascii_uppercase).as_deref() {
            Some("TRACE") => Self::Trace,
            Some("DEBUG") => Self::Debug,
            Some("WARN") => Self::Warn,
            Some("ERROR") => Self::Error,
            Some("FATAL") => Self::Fatal,
            _ => Self::Info,
        }
    }
}
