//! [`KeyFile`]: a development key that is kept.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::Error;
use crate::signing::{Algorithm, SigningKey};

/// A key, and whether it is a new one.
#[derive(Debug)]
pub struct KeyFile {
    /// The key, under the name that follows from its public half.
    pub key: SigningKey,
    /// Whether it was made just now.
    pub is_new: bool,
}

const TAG: &str = "PRIVATE KEY";

/// Reads the key; makes one where there is no such file, which only its owner may read.
pub fn open(file: &Path, algorithm: Option<Algorithm>) -> Result<KeyFile, Error> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(KeyFile { key: read(file, &text, algorithm)?, is_new: false }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let algorithm = algorithm.unwrap_or(Algorithm::ES256);
            let key = SigningKey::generate(algorithm, "")?.named_by_thumbprint();
            write(file, &key)?;
            Ok(KeyFile { key, is_new: true })
        }
        Err(error) => Err(format!("cannot read `{}`: {error}", file.display()).into()),
    }
}

fn read(file: &Path, text: &str, algorithm: Option<Algorithm>) -> Result<SigningKey, Error> {
    let shown = file.display();
    let no_key = || {
        format!(
            "`{shown}` is no private key in PEM (PKCS #8)\nhint: name a file that is not there yet, and a key is made"
        )
    };
    let pem = pem::parse(text).map_err(|_| no_key())?;
    if pem.tag() != TAG {
        return Err(no_key().into());
    }
    let usual = SigningKey::from_pkcs8(pem.contents(), None, "").map_err(|_| no_key())?;
    let Some(algorithm) = algorithm else { return Ok(usual.named_by_thumbprint()) };
    let key = SigningKey::from_pkcs8(pem.contents(), Some(algorithm), "").map_err(|_| {
        format!(
            "the key in `{shown}` is one for {}, and does not sign with {}\nhint: another `--key` file for another algorithm",
            usual.algorithm().name(),
            algorithm.name()
        )
    })?;
    Ok(key.named_by_thumbprint())
}

/// A file that is there is never overwritten, and what it is a link to neither.
fn write(file: &Path, key: &SigningKey) -> Result<(), Error> {
    let text = pem::encode(&pem::Pem::new(TAG, key.to_pkcs8()?));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("cannot write `{}`: {error}", file.display()).into())
}
