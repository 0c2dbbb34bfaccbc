//! `authorizer demo`: every event of a directory put to the real function, with a development issuer in
//! the place of the identity provider, and what comes of it beside what is expected.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::Error;
use crate::events::{CONFIGURATION_FILE, ISSUER, KEY_SET_FILE};
use crate::function::FunctionProcess;
use crate::gateway::{Decision, EventKind, Gateway};
use crate::issuer::DevelopmentIssuer;
use crate::runtime_api::{Invocation, Outcome, RuntimeApi};
use crate::scenario::{Keys, Lifetime, SCENARIOS, Scenario, replace_tokens};
use crate::table::{self, Cell};

/// What became of all events.
#[derive(Clone, Debug)]
pub struct Report {
    rows: Vec<Row>,
    /// What is not as expected, a line each; empty when all is well.
    pub differences: Vec<String>,
}

/// What became of one event.
#[derive(Clone, Debug)]
struct Row {
    event: String,
    kind: EventKind,
    principal: String,
    status: u16,
    why: String,
    elapsed: Duration,
    as_expected: bool,
}

/// Puts every event in the directory `events` to the binary `function`.
///
/// Each event gets a fresh token of an issuer that is started for the purpose; the configuration is that
/// of the directory, pointed at this issuer.
pub async fn run(function: &Path, events: &Path) -> Result<Report, Error> {
    let files = event_files(events)?;
    let configuration = events.join(CONFIGURATION_FILE);
    let configuration = fs::read_to_string(&configuration)
        .map_err(|error| format!("cannot read `{}`: {error}", configuration.display()))?;

    let keys = Keys::generate()?;
    let issuer = DevelopmentIssuer::start(keys.issuer().iter().cloned()).await?;
    let runtime_api = RuntimeApi::start().await?;
    let environment = [("AUTHORIZER_CONFIG", point_at(&configuration, issuer.url())?)];
    let process = FunctionProcess::spawn(function, environment, &runtime_api).map_err(|error| {
        format!("cannot start `{}`: {error}\nhint: build it first, with `cargo build`", function.display())
    })?;

    let mut report = Report { rows: Vec::new(), differences: missing_files(&files) };
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let Some(scenario) = Scenario::of(&name) else {
            report.differences.push(format!("`{name}`: no scenario tells what to expect"));
            continue;
        };
        let text = fs::read_to_string(file).map_err(|error| format!("cannot read `{name}`: {error}"))?;
        let event = match scenario.token(&keys, issuer.url(), Lifetime::Short)? {
            Some(token) => match replace_tokens(&text, &token) {
                Some(event) => event,
                None => {
                    report.differences.push(format!("`{name}`: no token in it to replace"));
                    continue;
                }
            },
            None => text,
        };
        let invocation = runtime_api.invoke(event.as_str()).await;
        if let Outcome::InitError(_) | Outcome::Exited(_) = invocation.outcome {
            let ended = process.stop().await;
            let (stdout, stderr) = (ended.stdout, ended.stderr);
            return Err(format!("the function ended at `{name}`, having said:\n{stdout}{stderr}").into());
        }
        let record = process.log_record(&invocation.request_id).await;
        report.add(scenario, &event, &invocation, record.as_ref());
    }
    process.stop().await;
    Ok(report)
}

impl Report {
    /// The table and the closing line, with colours or without.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let headings = ["event", "kind", "decision", "principal", "client gets", "why", "time"];
        let rows: Vec<_> = self.rows.iter().map(Row::cells).collect();
        let table = table::render(headings, &rows, colour);
        let as_expected = self.rows.iter().filter(|row| row.as_expected).count();
        format!("{table}\n{} events, {as_expected} as expected\n", self.rows.len())
    }

    fn add(&mut self, scenario: &Scenario, event: &str, invocation: &Invocation, record: Option<&Value>) {
        let event: Value = serde_json::from_str(event).unwrap_or_default();
        let status = Gateway::default().status(&event, &invocation.outcome);
        let answer = invocation.outcome.response().unwrap_or_default();
        let in_record = |name: &str| record?.get(name)?.as_str();
        let reason = in_record("reason");

        let mut differences = Vec::new();
        if status != scenario.status {
            let (got, expected) = (Decision::of(status), Decision::of(scenario.status));
            differences.push(format!("{got} ({status}) instead of {expected} ({})", scenario.status));
        }
        if scenario.reason.is_some() && reason != scenario.reason {
            let (got, expected) = (reason.unwrap_or("none"), scenario.reason.unwrap_or("none"));
            differences.push(format!("reason `{got}` instead of `{expected}`"));
        }
        if record.is_none() {
            differences.push("no line in the log".to_owned());
        }
        let name = scenario.file.trim_end_matches(".json");
        if !differences.is_empty() {
            self.differences.push(format!("`{name}`: {}", differences.join(", ")));
        }
        self.rows.push(Row {
            event: name.to_owned(),
            kind: scenario.kind,
            principal: answer.get("principalId").and_then(Value::as_str).unwrap_or("-").to_owned(),
            status,
            why: in_record(if status == 200 { "rule" } else { "reason" }).unwrap_or("-").to_owned(),
            elapsed: invocation.elapsed,
            as_expected: differences.is_empty(),
        });
    }
}

impl Row {
    fn cells(&self) -> [Cell; 7] {
        let decision = Decision::of(self.status);
        let colour = match (self.as_expected, decision) {
            (true, Decision::Allow) => table::GREEN,
            (true, Decision::Deny | Decision::Error) => table::YELLOW,
            (false, _) => table::RED,
        };
        [
            Cell::new(&self.event),
            Cell::new(self.kind.to_string()),
            Cell::new(decision.to_string()).coloured(colour),
            Cell::new(&self.principal),
            Cell::new(self.status.to_string()).coloured(colour),
            Cell::new(&self.why),
            Cell::new(format!("{:.1} ms", self.elapsed.as_secs_f64() * 1000.0)).right(),
        ]
    }
}

/// The event files, those with a scenario first and in its order.
fn event_files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let cannot_read = |error| format!("cannot read the directory `{}`: {error}", directory.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(cannot_read)? {
        let path = entry.map_err(cannot_read)?.path();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        if is_json && path.file_name().is_some_and(|name| name != KEY_SET_FILE) {
            files.push(path);
        }
    }
    let position = |path: &PathBuf| SCENARIOS.iter().position(|scenario| path.ends_with(scenario.file));
    files.sort_by_key(|path| (position(path).unwrap_or(usize::MAX), path.clone()));
    Ok(files)
}

fn missing_files(files: &[PathBuf]) -> Vec<String> {
    SCENARIOS
        .iter()
        .filter(|scenario| !files.iter().any(|file| file.ends_with(scenario.file)))
        .map(|scenario| format!("`{}`: the file is missing", scenario.file))
        .collect()
}

/// The configuration of the files, with another issuer whose keys are found by discovery.
fn point_at(configuration: &str, issuer: &str) -> Result<String, Error> {
    if !configuration.contains(ISSUER) {
        return Err(format!("`{CONFIGURATION_FILE}` does not name the issuer `{ISSUER}`").into());
    }
    let lines = configuration.lines().filter(|line| !line.trim_start().starts_with("jwks_file"));
    Ok(lines.map(|line| line.replace(ISSUER, issuer) + "\n").collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_pointed_at_the_issuer() {
        let text = "[[issuer]]\nurl = \"https://issuer.development.invalid/\"\njwks_file = \"jwks.json\"\n";
        assert_eq!(
            point_at(text, "http://127.0.0.1:1/").unwrap(),
            "[[issuer]]\nurl = \"http://127.0.0.1:1/\"\n"
        );
        assert!(point_at("", "http://127.0.0.1:1/").is_err());
    }
}
