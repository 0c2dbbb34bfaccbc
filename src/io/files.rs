//! Files that lie in the function's package.

use std::path::Path;

/// The whole file.
///
/// # Errors
///
/// What the operating system says, for the operator to read.
#[expect(clippy::disallowed_methods, reason = "this is the file system's edge")]
pub fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}
