//! [`Report`]: everything that is to be said of the text of a configuration.

use std::fmt;
use std::path::Path;

use super::{Api, Finding, Severity, findings};
use crate::config::{Config, Problem};
use crate::policy::{Compiler, LARGEST_POLICY, USUAL_PREFIX, UsualValue};

/// Everything that is to be said of the text of a configuration: what is wrong with it, what the check finds in what could
/// be read, and what is good to know.
///
/// ```
/// use lambda_authorizer::check::Report;
///
/// let report = Report::of("[[issuer]]\nurl = 'https://login.example.com/'\naudiance = 'orders'", None, None);
/// assert_eq!(report.errors(), 2);
/// assert!(report.to_string().starts_with("error[configuration]: issuer[0].audiance: this setting is unknown"));
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    /// What is wrong with the configuration, in its order; then what was found, the worst first.
    pub findings: Vec<Finding>,
    /// The rules, where they could be read.
    pub compiler: Option<Compiler>,
}

impl Report {
    /// What is to be said of the text; of an API, too, where its description is there. Files that the configuration names
    /// are looked for in `directory`.
    #[must_use]
    pub fn of(toml: &str, directory: Option<&Path>, api: Option<&Api>) -> Self {
        let draft = match Config::draft(toml, directory) {
            Ok(draft) => draft,
            Err(error) => {
                return Self {
                    findings: error.problems().iter().map(Finding::of_problem).collect(),
                    compiler: None,
                };
            }
        };
        let has_read = |section: &str| draft.has_read(section);
        let mut findings: Vec<Finding> = draft.problems.iter().map(Finding::of_problem).collect();
        let mut found = findings::of(&draft.config, api, &has_read);
        // What the configuration cannot have, the check would say again in other words.
        let is_told = |found: &Finding| draft.problems.iter().any(|problem| problem.path == found.place);
        found.retain(|found| !is_told(found));
        findings.append(&mut found);
        findings.extend(unread(&draft.unread()));
        findings.extend(api.into_iter().flat_map(defaults));
        let compiler = has_read("rule").then_some(draft.config.compiler);
        findings.extend(compiler.as_ref().and_then(size));
        Self { findings, compiler }
    }

    /// How many findings are so bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// How many findings forbid to deploy the configuration.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.count(Severity::Error)
    }
}

/// Every finding, and how many there are.
impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.findings.iter().try_for_each(|finding| writeln!(formatter, "{finding}"))?;
        let counted = |severity, noun: &str| match self.count(severity) {
            1 => format!("1 {noun}"),
            count => format!("{count} {noun}s"),
        };
        let (errors, warnings) = (counted(Severity::Error, "error"), counted(Severity::Warning, "warning"));
        writeln!(formatter, "{errors}, {warnings}")
    }
}

impl Finding {
    fn of_problem(problem: &Problem) -> Self {
        let finding = Self::error("configuration", &problem.path, &problem.message);
        Self { hint: problem.hint.clone(), ..finding }
    }
}

fn unread(sections: &[&str]) -> Option<Finding> {
    let sections: Vec<_> = sections.iter().map(|section| format!("`{section}`")).collect();
    (!sections.is_empty()).then(|| {
        let message = format!("what depends on {} was not looked at", sections.join(", "));
        Finding::note("not_looked_at", "configuration", message)
            .hint("correct what is wrong there, and check again")
    })
}

/// What was taken for the parameters of a template.
fn defaults(api: &Api) -> impl Iterator<Item = Finding> {
    let notes = api.notes.iter().filter(|note| !note.is_gap);
    notes.map(|note| Finding::note("description_default", &note.place, &note.message))
}

/// How large the policies become.
fn size(compiler: &Compiler) -> Option<Finding> {
    if compiler.rules().is_silent() {
        return None;
    }
    let [plain, spelled] =
        [UsualValue::Uuid, UsualValue::TwoSpellings].map(|value| compiler.largest(usize::MAX, value));
    let is_bound = spelled.bytes != plain.bytes;
    let largest = if spelled.bytes > plain.bytes { spelled } else { plain };
    let told = format!(
        "the largest policy of one caller has {} resources, which take {} of {LARGEST_POLICY} bytes",
        largest.resources, largest.bytes
    );
    let value = match largest.value {
        UsualValue::Uuid => "as long as a UUID",
        UsualValue::TwoSpellings => "such as `auth0|507f1f77bcf86cd799439011`, in its two spellings,",
    };
    let message = match compiler.values_that_fit(&largest).filter(|_| is_bound) {
        Some(0) => format!("{told}, with one value {value} for each claim in a route"),
        Some(count) => format!(
            "{told}, with one value {value} for each claim in a route; a caller with more than {count} such values for each is refused everywhere"
        ),
        None => told,
    };
    let message = format!("{message}; ARNs are taken to begin with `{USUAL_PREFIX}`");
    Some(Finding::note("policy_size", "rule", message))
}

#[cfg(test)]
mod tests;
