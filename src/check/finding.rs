//! [`Finding`]: one thing that the check has to say.

use std::fmt;

use serde::Serialize;

/// One thing that the check has to say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is: a word that does not change between versions.
    pub code: &'static str,
    /// Where it is: a setting (`rule[2].requires`), or a route of the API (`GET /orders/{id}`).
    pub place: String,
    /// What it is.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The function does not start, or somebody is let in, or refused, against the rules. Not to be deployed.
    Error,
    /// It may be meant.
    Warning,
    /// Good to know.
    Note,
}

/// `error`, `warning` or `note`.
impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

impl Finding {
    /// Something that must not be deployed.
    pub(super) fn error(code: &'static str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, place: place.into(), message: message.into(), hint: None }
    }

    /// Something to look at.
    pub(super) fn warning(code: &'static str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, message) }
    }

    /// Something to know.
    pub(super) fn note(code: &'static str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, place, message) }
    }

    /// With what to do about it.
    #[must_use]
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// On one line, or on two with the hint.
impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}[{}]: {}: {}", self.severity, self.code, self.place, self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}
