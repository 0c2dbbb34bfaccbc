//! `authorizer keys fetch`: writes an issuer's key set to a file for the function's package.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lambda_authorizer::io::{Connector, Edges};
use lambda_authorizer::jwks::{Algorithm, Key, KeyServer, KeySetFile, KeySetSource, key_set_url};

use crate::Error;
use crate::commands::Misuse;
use crate::table::{Cell, YELLOW, render};

/// Whose keys to fetch, and from where.
#[derive(Clone, Default)]
pub struct KeysToFetch {
    /// The issuer, as in `iss`.
    pub issuer: String,
    /// Where its key set is; otherwise its discovery document says so.
    pub jwks_uri: Option<String>,
    /// Certificates of authorities beside the public ones.
    pub ca_file: Option<PathBuf>,
    /// The proxy on the way.
    pub proxy: Option<String>,
    /// Header fields of one's own.
    pub headers: Vec<(String, String)>,
    /// Plain http to loopback addresses is allowed.
    pub development: bool,
}

/// What was fetched.
#[derive(Clone, Debug)]
pub struct Report {
    rows: Vec<[Cell; 4]>,
    unusable: usize,
}

/// A person waits for it, and no function's timeout.
const LIMIT: Duration = Duration::from_secs(10);

impl KeysToFetch {
    /// Fetches the key set, writes it to `file`, and reports what is in it.
    pub async fn write(&self, file: &Path) -> Result<Report, Error> {
        let text = self.source()?.fetch_file(&Edges::of_this_machine(), LIMIT).await?;
        let report = Report::of(&KeySetFile::parse(text.as_bytes(), &self.issuer)?);
        fs::write(file, text).map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
        Ok(report)
    }

    fn source(&self) -> Result<KeyServer, Error> {
        let (option, place) =
            self.jwks_uri.as_ref().map_or(("--issuer", &self.issuer), |uri| ("--jwks-uri", uri));
        // Not quoted: a password may stand in it.
        let url = key_set_url(place, self.development).ok_or_else(|| {
            let hint = match key_set_url(place, true) {
                Some(_) => "`--development` allows plain http to loopback addresses",
                None => "`--jwks-uri` says where the keys are, and `--header` sends a password",
            };
            Misuse::new(format!(
                "`{option}` is not an https URL, or it holds a user or a password\nhint: {hint}"
            ))
        })?;
        let mut connector = Connector::default();
        if let Some(file) = &self.ca_file {
            let shown = file.display();
            let pem = fs::read(file).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
            connector = connector.trusting(&pem).map_err(|error| format!("`{shown}`: {error}"))?;
        }
        if let Some(proxy) = &self.proxy {
            connector =
                connector.through(proxy).map_err(|error| Misuse::new(format!("the proxy: {error}")))?;
        }
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let connector = connector.sending(headers, &url)?;
        Ok(KeyServer {
            issuer: self.issuer.as_str().into(),
            source: if self.jwks_uri.is_some() { KeySetSource::Url(url) } else { KeySetSource::Discovery },
            connector,
            loopback: self.development,
        })
    }
}

impl Report {
    fn of(file: &KeySetFile) -> Self {
        let name = |id: Option<&str>| Cell::new(id.unwrap_or("-").escape_debug().to_string());
        let usable = file.keys.keys().iter().map(|key| {
            [
                name(key.id()),
                Cell::new(key.public().name()),
                Cell::new(key.bits().to_string()).right(),
                Cell::new(algorithms(key)),
            ]
        });
        let unusable = file.keys.unusable().iter().map(|key| {
            [
                name(key.id.as_deref()),
                Cell::new("unusable").coloured(YELLOW),
                Cell::new("-").right(),
                Cell::new(key.problem.to_string()),
            ]
        });
        Self { rows: usable.chain(unusable).collect(), unusable: file.keys.unusable().len() }
    }

    /// As a table, for a person.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let table = render(["KEY ID", "TYPE", "BITS", "VERIFIES"], &self.rows, colour);
        let unusable = match self.unusable {
            0 => String::new(),
            count => format!(", {count} of them unusable"),
        };
        let noun = if self.rows.len() == 1 { "key" } else { "keys" };
        format!("{table}\n{} {noun}{unusable}\n", self.rows.len())
    }
}

fn algorithms(key: &Key) -> String {
    let fitting = Algorithm::ALL.iter().filter(|algorithm| key.fits(**algorithm));
    fitting.map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(" ")
}
