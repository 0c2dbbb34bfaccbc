//! Where log lines go.

use std::io::Write as _;

/// Takes finished lines.
pub trait Log: Send + Sync {
    /// Writes one line, without its line feed.
    fn line(&self, line: &str);
}

/// What Lambda sends to CloudWatch Logs.
#[derive(Clone, Copy, Debug)]
pub struct StandardOutput;

impl Log for StandardOutput {
    fn line(&self, line: &str) {
        // A log that cannot be written is no reason to refuse a caller, and there is nobody to tell.
        let _unwritten = writeln!(std::io::stdout().lock(), "{line}");
    }
}
