//! What a person at a terminal sees.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};

use crate::Error;

/// As `print!`, without its panic when nobody reads.
pub fn print(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

/// Whether colours help: at a terminal, unless `NO_COLOR` is set.
pub(super) fn is_colourful() -> bool {
    io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether whoever read the output has seen enough.
#[must_use]
pub fn is_broken_pipe(error: &Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
