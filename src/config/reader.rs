//! From TOML to [`Settings`], with every problem of form at once.

use std::path::Path;

use super::problem::{ConfigError, Problem};
use super::raw::Settings;
use super::validate::validate;

impl Settings {
    /// Reads TOML. A member that is unknown or of the wrong type is noted and taken out, and the
    /// rest read again, until all that is wrong is known.
    pub(super) fn parse(toml: &str, directory: Option<&Path>) -> Result<Self, ConfigError> {
        let mut value: toml::Value = toml::from_str::<toml::Table>(toml)
            .map(toml::Value::Table)
            .map_err(|error| syntax_problem(toml, &error))?;
        let mut problems = Vec::new();
        loop {
            let error = match serde_path_to_error::deserialize::<_, Self>(value.clone()) {
                Ok(settings) if problems.is_empty() => return Ok(settings),
                // What is missing only because it was taken out is not told again. In a list the
                // others have moved up: there it is another one.
                Ok(settings) => {
                    let told: Vec<String> =
                        problems.iter().map(|problem: &Problem| problem.path.clone()).collect();
                    let is_told = |path: &str| {
                        told.iter().any(|told| told == path || told.starts_with(&format!("{path}[")))
                    };
                    let more = validate(settings, directory).err();
                    let more = more.iter().flat_map(ConfigError::problems);
                    problems.extend(
                        more.filter(|problem| problem.path.ends_with(']') || !is_told(&problem.path))
                            .cloned(),
                    );
                    return Err(problems.into());
                }
                Err(error) => error,
            };
            let path: Vec<String> = error.path().iter().filter_map(step).collect();
            problems.push(shape_problem(error.path().to_string(), error.inner()));
            if !take_out(&mut value, &path) {
                return Err(problems.into());
            }
        }
    }
}

fn step(segment: &serde_path_to_error::Segment) -> Option<String> {
    match segment {
        serde_path_to_error::Segment::Seq { index } => Some(index.to_string()),
        serde_path_to_error::Segment::Map { key } => Some(key.clone()),
        serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => None,
    }
}

/// Takes out the member at the path; `false` when there is none, so that reading cannot go on.
fn take_out(value: &mut toml::Value, path: &[String]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let parent = parents.iter().try_fold(value, |value, step| match value {
        toml::Value::Table(table) => table.get_mut(step),
        toml::Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        toml::Value::String(_)
        | toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => None,
    });
    match parent {
        Some(toml::Value::Table(table)) => table.remove(last).is_some(),
        Some(toml::Value::Array(items)) => match last.parse::<usize>() {
            Ok(index) if index < items.len() => {
                items.remove(index);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

fn shape_problem(path: String, error: &toml::de::Error) -> Problem {
    let message = error.message().trim();
    match message.split_once(", expected one of ") {
        Some((unknown, known)) if unknown.starts_with("unknown field") => {
            Problem::new(path, "this setting is unknown").hint(format!("one of {known}"))
        }
        _ => Problem::new(path, message),
    }
}

fn syntax_problem(toml: &str, error: &toml::de::Error) -> Problem {
    let before = error.span().and_then(|span| toml.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    Problem::new(format!("line {line}"), format!("not TOML: {}", error.message().trim()))
}
