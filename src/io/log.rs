//! Where log lines go.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

/// Takes finished lines.
pub trait Log: Send + Sync {
    /// Writes one line, without its line feed.
    fn line(&self, line: &str);
}

/// What Lambda sends to CloudWatch Logs. Each line is written at once and by one call: without a buffer that a freeze would
/// keep, and without the lock of the standard library's handle, for which invocations would wait that run side by side.
#[derive(Debug)]
pub struct StandardOutput(io::Result<File>);

impl StandardOutput {
    /// The process's standard output.
    #[must_use]
    pub fn open() -> Self {
        Self(io::stdout().as_fd().try_clone_to_owned().map(File::from))
    }
}

impl Log for StandardOutput {
    fn line(&self, line: &str) {
        // A log that cannot be written is no reason to refuse a caller, and there is nobody to tell.
        if let Ok(mut output) = self.0.as_ref() {
            let _unwritten = output.write_all([line, "\n"].concat().as_bytes());
        }
    }
}
