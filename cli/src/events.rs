//! `authorizer events`: writes the sample events, with long-lived tokens of new keys, and the public key
//! set that verifies them.
//!
//! The private keys are gone when it returns: the files can be made again, never added to.

use std::fs;
use std::path::Path;

use crate::Error;
use crate::scenario::{Keys, Lifetime, SCENARIOS};
use crate::signing::key_set;

/// The `iss` of the tokens in the files. Nothing ever answers at a name under `.invalid`.
pub const ISSUER: &str = "https://issuer.development.invalid/";

/// The name of the key set.
pub const KEY_SET_FILE: &str = "jwks.json";

/// The name of the configuration, which is written by hand.
pub const CONFIGURATION_FILE: &str = "authorizer.toml";

/// Writes every event and the key set to `directory`; returns the number of events.
pub fn write(directory: &Path) -> Result<usize, Error> {
    let write = |name: &str, text: String| {
        let path = directory.join(name);
        fs::write(&path, text).map_err(|error| format!("cannot write `{}`: {error}", path.display()))
    };
    fs::create_dir_all(directory)
        .map_err(|error| format!("cannot make the directory `{}`: {error}", directory.display()))?;
    let keys = Keys::generate()?;
    for scenario in SCENARIOS {
        let token = scenario.token(&keys, ISSUER, Lifetime::Long)?;
        write(scenario.file, scenario.event(token.as_deref()))?;
    }
    let set = key_set(keys.issuer().iter().map(AsRef::as_ref));
    write(KEY_SET_FILE, format!("{set:#}\n"))?;
    Ok(SCENARIOS.len())
}
