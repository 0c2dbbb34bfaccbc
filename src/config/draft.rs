//! [`Draft`]: what could be read of a configuration, and all that is wrong with it.

use super::Config;
use super::problem::{ConfigError, Problem};

/// A configuration that may be wrong: the check looks at one, and nothing is decided by it.
pub(crate) struct Draft {
    /// What could be read. Where there are problems, something is missing or stands for something else.
    pub(crate) config: Config,
    /// What is wrong, in the order of the configuration.
    pub(crate) problems: Vec<Problem>,
    /// The sections that are not as they were written.
    unread: Vec<String>,
}

/// The sections of a configuration.
const SECTIONS: [&str; 8] = [
    "issuer",
    "identity_source",
    "rule",
    "gateway",
    "response",
    "client_certificate",
    "key_set",
    "token_cache",
];

impl Draft {
    /// A configuration with these problems, of which so many are of what is written, and the others between parts that
    /// are each right by themselves.
    pub(super) fn new(config: Config, problems: Vec<Problem>, of_form: usize) -> Self {
        let unread = problems.iter().take(of_form).map(section).collect();
        Self { config, problems, unread }
    }

    /// With these problems before its own.
    pub(super) fn with(self, form: Vec<Problem>, own: Vec<Problem>) -> Self {
        let unread = form.iter().map(section).chain(self.unread).collect();
        Self { problems: form.into_iter().chain(own).collect(), unread, ..self }
    }

    /// Whether all of the section is as it was written.
    pub(crate) fn has_read(&self, section: &str) -> bool {
        // `[[rules]]` may have been meant for any of them.
        !self.unread.iter().any(|unread| unread == section || !SECTIONS.contains(&unread.as_str()))
    }

    /// The sections that are not as they were written.
    pub(crate) fn unread(&self) -> Vec<&'static str> {
        SECTIONS.into_iter().filter(|section| !self.has_read(section)).collect()
    }

    pub(super) fn finish(self) -> Result<Config, ConfigError> {
        if self.problems.is_empty() { Ok(self.config) } else { Err(self.problems.into()) }
    }
}

fn section(problem: &Problem) -> String {
    let path = problem.path.as_str();
    path.split(['[', '.']).next().unwrap_or(path).to_owned()
}
