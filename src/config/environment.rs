//! Where a function's configuration is: in its environment, or in a file beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde::de::{self, IntoDeserializer as _};

use super::problem::{ConfigError, Problem};
use super::raw::{ApiKeysTable, DynamoDbTable, ENVIRONMENT_VARIABLES, IssuerSettings, Settings};
use super::reader;
use super::values::OneOrMore;
use crate::io::read_file;
use crate::jwks::Algorithm;
use crate::verify::Profile;

/// The environment of a process, as far as the configuration looks at it.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The environment variables.
    pub variables: BTreeMap<String, String>,
    /// The directory of the executable, where `authorizer.toml` may lie.
    pub directory: Option<PathBuf>,
}

/// A configuration as it was found.
pub(super) struct Located {
    pub(super) raw: Settings,
    /// Where the files that it names are.
    pub(super) directory: Option<PathBuf>,
}

const FILE: &str = "authorizer.toml";

impl Environment {
    /// Whether this is AWS Lambda itself, and not something that stands in for it on a developer's
    /// machine. Lambda documents the variable as reserved and sets it in every environment.
    pub(super) fn is_lambda(&self) -> bool {
        self.variables.contains_key("AWS_LAMBDA_INITIALIZATION_TYPE")
    }

    /// How many events Lambda hands over at once: more than one on a Managed Instance only. As `lambda_runtime` reads it.
    #[must_use]
    pub fn concurrency(&self) -> u32 {
        let limit = self.variables.get("AWS_LAMBDA_MAX_CONCURRENCY").and_then(|limit| limit.parse().ok());
        limit.unwrap_or(1).max(1)
    }

    /// Finds the one place that holds a configuration. Two would leave it to chance which counts.
    pub(super) fn locate(&self) -> Result<Located, ConfigError> {
        let mut problems = self.unknown_variables();
        let inline = self.variable("AUTHORIZER_CONFIG");
        let named = self.variable("AUTHORIZER_CONFIG_FILE").map(PathBuf::from);
        let simple = SINGLE_ISSUER.iter().any(|name| self.variable(name).is_some());
        let beside =
            self.directory.as_ref().map(|directory| directory.join(FILE)).filter(|path| path.is_file());
        let is_forgotten = beside.is_some() && named != beside;
        let given = [
            ("AUTHORIZER_CONFIG", inline.is_some()),
            ("AUTHORIZER_CONFIG_FILE", named.is_some()),
            ("AUTHORIZER_ISSUER", simple),
            (FILE, is_forgotten),
        ];
        let given: Vec<&str> =
            given.into_iter().filter(|(_, is_given)| *is_given).map(|(place, _)| place).collect();
        if let [first, second, ..] = given.as_slice() {
            problems.push(
                Problem::new(*first, format!("`{second}` is there, too, and they exclude each other"))
                    .hint("keep one of them"),
            );
        }
        if !problems.is_empty() {
            return Err(problems.into());
        }
        match (inline, named) {
            (Some(toml), _) => Ok(Located {
                raw: reader::read(toml)?.settings(self.directory.as_deref())?,
                directory: self.directory.clone(),
            }),
            (None, Some(path)) => from_file(&path),
            (None, None) if simple => Ok(Located { raw: self.single_issuer()?, directory: None }),
            (None, None) => match beside {
                Some(path) => from_file(&path),
                None => Err(Problem::new("configuration", "there is none")
                    .hint(format!(
                        "set AUTHORIZER_ISSUER and AUTHORIZER_AUDIENCE, or put an `{FILE}` beside the binary"
                    ))
                    .into()),
            },
        }
    }

    /// A typing error in the name of a variable must not be silently ignored.
    fn unknown_variables(&self) -> Vec<Problem> {
        let is_known = |name: &str| ENVIRONMENT_VARIABLES.iter().any(|(known, _)| *known == name);
        let ours = self.variables.keys().filter(|name| name.starts_with(PREFIX));
        ours.filter(|name| !is_known(name))
            .map(|name| {
                let known: Vec<_> =
                    ENVIRONMENT_VARIABLES.iter().map(|(known, _)| format!("`{known}`")).collect();
                Problem::new(name, "this variable is unknown").hint(format!("one of {}", known.join(", ")))
            })
            .collect()
    }

    fn single_issuer(&self) -> Result<Settings, ConfigError> {
        let list = |name| -> Vec<String> {
            let text: &str = self.variable(name).unwrap_or_default();
            text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
        };
        let mut problems = Vec::new();
        let mut algorithms: Vec<Algorithm> = Vec::new();
        let is_restricted = self.variable("AUTHORIZER_ALGORITHMS").is_some();
        for name in list("AUTHORIZER_ALGORITHMS") {
            match name.parse() {
                Ok(algorithm) => algorithms.push(algorithm),
                Err(error) => {
                    problems.push(Problem::new("AUTHORIZER_ALGORITHMS", format!("`{name}`: {error}")))
                }
            }
        }
        let audience = match list("AUTHORIZER_AUDIENCE") {
            audiences if audiences.is_empty() => None,
            // The word means the same alone as in a file, and no audience beside others.
            audiences if audiences.len() == 1 => audiences.into_iter().next().map(OneOrMore::One),
            audiences => Some(OneOrMore::More(audiences)),
        };
        if audience.is_none() {
            problems.push(Problem::new("AUTHORIZER_AUDIENCE", "it is not set").hint(
                "name the audience that your issuer puts into `aud`; `unchecked` accepts tokens meant for others",
            ));
        }
        let profile = self.variable("AUTHORIZER_PROFILE").map(|name| {
            let name: de::value::StrDeserializer<'_, de::value::Error> = name.into_deserializer();
            Profile::deserialize(name)
        });
        let profile = profile.transpose().unwrap_or_else(|error| {
            problems.push(Problem::new("AUTHORIZER_PROFILE", error.to_string()));
            None
        });
        let url = self.variable("AUTHORIZER_ISSUER").map(str::to_owned);
        if url.is_none() {
            problems.push(Problem::new("AUTHORIZER_ISSUER", "it is not set"));
        }
        if !problems.is_empty() {
            return Err(problems.into());
        }
        let issuer = IssuerSettings {
            url,
            audience,
            profile,
            algorithms: is_restricted.then_some(algorithms),
            jwks_uri: self.variable("AUTHORIZER_JWKS_URI").map(str::to_owned),
            ..IssuerSettings::default()
        };
        let (table, prefix) =
            (self.variable("AUTHORIZER_API_KEY_TABLE"), self.variable("AUTHORIZER_API_KEY_PREFIX"));
        Ok(Settings {
            issuer: vec![issuer],
            dynamodb: table.map(DynamoDbTable::named),
            api_keys: table.or(prefix).map(|_| ApiKeysTable::with(prefix)),
            ..Settings::default()
        })
    }

    /// A variable that is set to nothing is not set: templates have no other way to leave one out.
    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

const PREFIX: &str = "AUTHORIZER_";

/// The variables that are a configuration by themselves.
const SINGLE_ISSUER: [&str; 7] = [
    "AUTHORIZER_ISSUER",
    "AUTHORIZER_AUDIENCE",
    "AUTHORIZER_PROFILE",
    "AUTHORIZER_JWKS_URI",
    "AUTHORIZER_ALGORITHMS",
    "AUTHORIZER_API_KEY_TABLE",
    "AUTHORIZER_API_KEY_PREFIX",
];

fn from_file(path: &Path) -> Result<Located, ConfigError> {
    let shown = path.display().to_string();
    let bytes =
        read_file(path).map_err(|error| Problem::new(&shown, format!("it cannot be read: {error}")))?;
    let toml = String::from_utf8(bytes).map_err(|_| Problem::new(&shown, "it is not UTF-8"))?;
    let directory = path.parent();
    let raw = reader::read(&toml)?.settings(directory)?;
    Ok(Located { raw, directory: directory.map(Path::to_owned) })
}
