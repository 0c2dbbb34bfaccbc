//! `lambda-authorizer --check FILE`: the check of a configuration before it is deployed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lambda_authorizer::check::{Api, Report};
use lambda_authorizer::io::read_file;

/// What the function is asked to do instead of answering events.
struct Command {
    configuration: PathBuf,
    description: Option<PathBuf>,
}

const USAGE: &str = "usage: lambda-authorizer --check FILE [--api DESCRIPTION]";

/// Nothing of what was asked could be done.
const UNUSABLE: u8 = 2;

/// Does what the arguments ask for. `None` where they ask for nothing: a container image may have some that are none of
/// ours.
pub(super) fn run(arguments: &[OsString]) -> Option<ExitCode> {
    let is_option = |argument: &OsString| argument.to_string_lossy().starts_with("--");
    if !arguments.first().is_some_and(is_option) {
        return None;
    }
    match parse(arguments).and_then(|command| command.report()) {
        Ok(report) => {
            print!("{report}");
            Some(if report.errors() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(message) => {
            eprintln!("{message}");
            Some(ExitCode::from(UNUSABLE))
        }
    }
}

fn parse(arguments: &[OsString]) -> Result<Command, String> {
    let (mut configuration, mut description) = (None, None);
    let mut arguments = arguments.iter();
    while let Some(option) = arguments.next() {
        let slot = match option.to_str() {
            Some("--check") => &mut configuration,
            Some("--api") => &mut description,
            Some("--help") => return Err(USAGE.to_owned()),
            Some(_) | None => return Err(format!("`{}` is no option\n{USAGE}", option.to_string_lossy())),
        };
        let value = arguments.next().ok_or_else(|| format!("a file is missing\n{USAGE}"))?;
        if slot.replace(PathBuf::from(value)).is_some() {
            return Err(format!("`{}` is there twice\n{USAGE}", option.to_string_lossy()));
        }
    }
    let configuration = configuration.ok_or_else(|| format!("`--check` is missing\n{USAGE}"))?;
    Ok(Command { configuration, description })
}

impl Command {
    fn report(&self) -> Result<Report, String> {
        let toml = text(&self.configuration)?;
        let api = self.description.as_deref().map(api).transpose()?;
        Ok(Report::of(&toml, self.configuration.parent(), api.as_ref()))
    }
}

fn api(path: &Path) -> Result<Api, String> {
    Api::parse(&text(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

fn text(path: &Path) -> Result<String, String> {
    let bytes = read_file(path).map_err(|error| format!("{}: it cannot be read: {error}", path.display()))?;
    String::from_utf8(bytes).map_err(|_| format!("{}: it is not UTF-8", path.display()))
}
