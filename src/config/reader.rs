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
        let mut problems: Vec<Problem> = Vec::new();
        let mut taken = Vec::new();
        loop {
            let error = match serde_path_to_error::deserialize::<_, Self>(value.clone()) {
                Ok(settings) if problems.is_empty() => return Ok(settings),
                Ok(settings) => {
                    let more = validate(settings, directory).err();
                    for problem in more.iter().flat_map(ConfigError::problems) {
                        let path = as_written(&problem.path, &taken);
                        // What is missing only because it was taken out is not told again.
                        let is_told = |told: &Problem| {
                            let below = told.path.strip_prefix(&path);
                            below.is_some_and(|below| below.is_empty() || below.starts_with(['[', '.']))
                        };
                        if !problems.iter().any(is_told) {
                            problems.push(Problem { path, ..problem.clone() });
                        }
                    }
                    return Err(problems.into());
                }
                Err(error) => error,
            };
            let path: Vec<String> = error.path().iter().filter_map(step).collect();
            let shown = error.path().to_string();
            problems.push(shape_problem(as_written(&shown, &taken), error.inner()));
            if !take_out(&mut value, &path) {
                return Err(problems.into());
            }
            taken.push(shown);
        }
    }
}

/// The path in the text as it was written: where items of a list were taken out, those behind them have
/// moved up.
fn as_written(path: &str, taken: &[String]) -> String {
    taken.iter().rev().fold(path.to_owned(), |path, taken| {
        let moved = || {
            let (list, position) = taken.strip_suffix(']')?.rsplit_once('[')?;
            let (index, rest) = path.strip_prefix(list)?.strip_prefix('[')?.split_once(']')?;
            let (index, position): (usize, usize) = (index.parse().ok()?, position.parse().ok()?);
            (index >= position).then(|| format!("{list}[{}]{rest}", index + 1))
        };
        moved().unwrap_or(path)
    })
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
