//! `lambda-authorizer --check FILE`: the check of a configuration before it is deployed.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lambda_authorizer::check::{Api, Finding, Severity, check};
use lambda_authorizer::config::Config;
use lambda_authorizer::io::read_file;
use lambda_authorizer::policy::{Compiler, LARGEST_POLICY};

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
        Ok((report, is_right)) => {
            print!("{report}");
            Some(if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
    /// What is to be said, and whether the configuration may be deployed.
    fn report(&self) -> Result<(String, bool), String> {
        let toml = text(&self.configuration)?;
        let api = self.description.as_deref().map(api).transpose()?;
        let mut report = String::new();
        let config = match Config::parse(&toml, self.configuration.parent()) {
            Ok(config) => config,
            Err(error) => {
                for problem in error.problems() {
                    line(&mut report, &format!("error: {problem}"));
                }
                line(&mut report, &summary(error.problems().len(), 0));
                return Ok((report, false));
            }
        };
        let findings = check(&config, api.as_ref());
        for note in api.iter().flat_map(|api| &api.notes).filter(|note| !note.is_gap) {
            line(&mut report, &format!("note: {}: {}", note.place, note.message));
        }
        for finding in &findings {
            line(&mut report, &finding.to_string());
        }
        let count =
            |severity| findings.iter().filter(|finding: &&Finding| finding.severity == severity).count();
        let errors = count(Severity::Error);
        if !config.compiler.rules().is_silent() {
            line(&mut report, &size(&config.compiler));
        }
        line(&mut report, &summary(errors, count(Severity::Warning)));
        Ok((report, errors == 0))
    }
}

fn line(report: &mut String, text: &str) {
    let _always_written = writeln!(report, "{text}");
}

fn size(compiler: &Compiler) -> String {
    let largest = compiler.largest(usize::MAX);
    let (resources, bytes) = (largest.resources, largest.bytes);
    let told = format!(
        "note: the largest policy of one caller has {resources} resources, which take {bytes} of {LARGEST_POLICY} bytes"
    );
    match compiler.values_that_fit(&largest).filter(|count| *count > 0) {
        Some(count) => format!(
            "{told}, with one value as long as a UUID for each claim in a route; a caller with more than {count} such values for each is refused everywhere"
        ),
        None => told,
    }
}

fn summary(errors: usize, warnings: usize) -> String {
    let counted = |count, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"))
}

fn api(path: &Path) -> Result<Api, String> {
    Api::parse(&text(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

fn text(path: &Path) -> Result<String, String> {
    let bytes = read_file(path).map_err(|error| format!("{}: it cannot be read: {error}", path.display()))?;
    String::from_utf8(bytes).map_err(|_| format!("{}: it is not UTF-8", path.display()))
}
