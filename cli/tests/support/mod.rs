//! What a command prints, compared with what it printed when somebody last looked.

use std::path::Path;
use std::{env, fs};

/// Compares with `tests/snapshots/NAME.txt`; with `UPDATE_SNAPSHOTS=1`, writes it.
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(format!("{name}.txt"));
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, text).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == text,
        "`{}` differs. It is now:\n{text}\nhint: look at it, and run the test again with `UPDATE_SNAPSHOTS=1`",
        path.display()
    );
}
