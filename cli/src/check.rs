//! `authorizer check`: everything that is to be said of a configuration before it is deployed, from the library's own
//! check, and which rules are about which routes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use lambda_authorizer::check::{Api, Finding, Guard, MatrixRow, NamingRule, Report, Severity, matrix};
use lambda_authorizer::rules::Effect;
use serde_json::{Value, json};

use crate::Error;
use crate::table::{Cell, GREEN, RED, YELLOW, render};

/// A configuration, and the API that it is for, where its description is there.
#[derive(Debug)]
pub struct Checked {
    report: Report,
    api: Option<Api>,
}

impl Checked {
    /// Looks at the files.
    pub fn of(configuration: &Path, description: Option<&Path>) -> Result<Self, Error> {
        let toml = read(configuration, "name the file, as in `authorizer check authorizer.toml`")?;
        let api = description.map(api).transpose()?;
        let report = Report::of(&toml, configuration.parent(), api.as_ref());
        Ok(Self { report, api })
    }

    /// Whether it may be deployed.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.report.errors() == 0
    }

    /// For a person: the routes with their rules, the findings, and how many there are.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let mut text = self.routes(colour);
        if !text.is_empty() {
            text.push('\n');
        }
        let report = self.report.to_string();
        if !colour {
            return text + &report;
        }
        for finding in &self.report.findings {
            _ = writeln!(text, "{}", coloured(finding));
        }
        // The last line of the report counts them.
        text + report.lines().last().unwrap_or_default() + "\n"
    }

    /// The same for a machine.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "findings": self.report.findings,
            "errors": self.report.errors(),
            "warnings": self.report.count(Severity::Warning),
            "routes": self.rows().iter().map(row_json).collect::<Vec<_>>(),
        })
    }

    fn rows(&self) -> Vec<MatrixRow<'_>> {
        let rules = self.report.compiler.as_ref().map(|compiler| compiler.rules());
        rules.map(|rules| matrix(rules, self.api.as_ref())).unwrap_or_default()
    }

    /// Whether whoever is verified may invoke every route.
    fn is_silent(&self) -> bool {
        self.report.compiler.as_ref().is_some_and(|compiler| compiler.rules().is_silent())
    }

    fn routes(&self, colour: bool) -> String {
        let rows: Vec<[Cell; 4]> = self.rows().iter().flat_map(|row| cells(row, self.is_silent())).collect();
        match (rows.is_empty(), self.is_silent()) {
            (true, true) => {
                "No rule names a route: whoever is verified may invoke the whole stage.\n".to_owned()
            }
            (true, false) => String::new(),
            (false, _) => render(["ROUTE", "EFFECT", "RULE", "REQUIRES"], &rows, colour),
        }
    }
}

fn api(path: &Path) -> Result<Api, Error> {
    let hint =
        "hint: an OpenAPI 3 document with `paths`, or a SAM or CloudFormation template, in JSON or YAML";
    let text = read(path, "name the API's description, as in `authorizer check --api openapi.yaml`")?;
    Api::parse(&text).map_err(|error| format!("`{}`: {error}\n{hint}", path.display()).into())
}

fn read(path: &Path, hint: &str) -> Result<String, Error> {
    fs::read_to_string(path)
        .map_err(|error| format!("cannot read `{}`: {error}\nhint: {hint}", path.display()).into())
}

/// The lines of one route: one for each rule.
fn cells(row: &MatrixRow<'_>, is_silent: bool) -> Vec<[Cell; 4]> {
    let only =
        |effect: Cell, what: String| vec![[Cell::new(&row.route), effect, Cell::new("-"), Cell::new(what)]];
    match &row.guard {
        Guard::Nobody => {
            return only(Cell::new("allow").coloured(YELLOW), "no authorizer: everybody".to_owned());
        }
        Guard::Other(name) => {
            return only(Cell::new("-"), format!("decided by the authorizer `{name}`, which is another one"));
        }
        Guard::Rules if is_silent => {
            return only(Cell::new("allow").coloured(GREEN), "authenticated".to_owned());
        }
        Guard::Rules => {}
    }
    let line = |(position, naming): (usize, &NamingRule<'_>)| {
        let route = if position == 0 { row.route.as_str() } else { "" };
        let effect = match naming.rule.effect {
            Effect::Allow => Cell::new("allow").coloured(GREEN),
            Effect::Deny => Cell::new("deny").coloured(RED),
        };
        [Cell::new(route), effect, Cell::new(&naming.rule.name), Cell::new(requires(naming))]
    };
    let mut lines: Vec<_> = row.rules.iter().enumerate().map(line).collect();
    if row.rules.iter().all(|naming| naming.rule.effect == Effect::Deny) {
        let route = if lines.is_empty() { row.route.as_str() } else { "" };
        let what = "no rule opens it: everybody is refused";
        lines.push([Cell::new(route), Cell::new("deny").coloured(RED), Cell::new("-"), Cell::new(what)]);
    }
    lines
}

/// What the rule asks for, and of which part of the route.
fn requires(naming: &NamingRule<'_>) -> String {
    let mut text = naming.rule.requirement.to_string();
    let parts: Vec<_> = naming.parts.iter().map(|part| format!("`{part}`")).collect();
    if !parts.is_empty() {
        _ = write!(text, "; only {}", parts.join(", "));
    }
    for (word, names) in [("stages", &naming.rule.stages), ("APIs", &naming.rule.apis)] {
        if !names.is_empty() {
            _ = write!(text, "; {word} `{}`", names.join("`, `"));
        }
    }
    text
}

fn row_json(row: &MatrixRow<'_>) -> Value {
    let (guard, authorizer) = match &row.guard {
        Guard::Rules => ("rules", None),
        Guard::Other(name) => ("other", Some(name)),
        Guard::Nobody => ("nobody", None),
    };
    let rule = |naming: &NamingRule<'_>| {
        let effect = match naming.rule.effect {
            Effect::Allow => "allow",
            Effect::Deny => "deny",
        };
        json!({
            "name": naming.rule.name,
            "effect": effect,
            "requires": naming.rule.requirement.to_string(),
            "only": naming.parts.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "stages": naming.rule.stages,
            "apis": naming.rule.apis,
        })
    };
    json!({
        "route": row.route,
        "guard": guard,
        "authorizer": authorizer,
        "rules": row.rules.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn coloured(finding: &Finding) -> String {
    let text = finding.to_string();
    let code = match finding.severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Note => return text,
    };
    let label = finding.severity.to_string();
    text.replacen(&label, &format!("\x1b[{code}m{label}\x1b[0m"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_change_nothing_but_colours() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/wrong.toml");
        let checked = Checked::of(&file, None).unwrap();
        let (plain, coloured) = (checked.render(false), checked.render(true));
        for part in
            ["\x1b[31merror\x1b[0m[configuration]: ", "\x1b[33mwarning\x1b[0m[opens_more]: ", "\nnote["]
        {
            assert!(coloured.contains(part), "{part:?} is not in {coloured}");
        }
        let without = ["\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"]
            .iter()
            .fold(coloured, |text, code| text.replace(code, ""));
        assert_eq!(without, plain);
    }

    #[test]
    fn without_rules_whoever_is_verified_may_invoke_everything() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
        let silent = directory.join("tests/check/silent.toml");
        let alone = Checked::of(&silent, None).unwrap().render(false);
        assert!(alone.starts_with("No rule names a route: whoever is verified "), "{alone}");
        let api = directory.join("tests/check/openapi.yaml");
        let with_api = Checked::of(&silent, Some(&api)).unwrap().render(false);
        assert!(with_api.contains("GET /orders       allow   -     authenticated\n"), "{with_api}");
    }
}
