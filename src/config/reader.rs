//! From TOML to [`Settings`], and to a [`Draft`], with every problem at once.

use std::path::Path;

use serde::Deserialize as _;

use super::draft::Draft;
use super::problem::{ConfigError, Problem};
use super::raw::Settings;
use super::tree::{ShapeError, Step, Tree};
use super::validate::validate;

/// What could be read, and what had to be taken out for it.
pub(super) struct Form {
    settings: Option<Settings>,
    problems: Vec<Problem>,
    taken: Vec<String>,
}

/// Reads TOML. A member that is unknown or of the wrong type is noted and taken out, and the
/// rest read again, until all that is wrong is known.
pub(super) fn read(toml: &str) -> Result<Form, ConfigError> {
    let mut value: toml::Value = toml::from_str::<toml::Table>(toml)
        .map(toml::Value::Table)
        .map_err(|error| syntax_problem(toml, &error))?;
    let mut form = Form { settings: None, problems: Vec::new(), taken: Vec::new() };
    loop {
        let error = match Settings::deserialize(Tree(&value)) {
            Ok(settings) => return Ok(Form { settings: Some(settings), ..form }),
            Err(error) => error,
        };
        let shown = error.shown_path();
        form.problems.push(shape_problem(as_written(&shown, &form.taken), &error));
        if !take_out(&mut value, &error) {
            return Ok(form);
        }
        form.taken.push(shown);
    }
}

impl Form {
    /// The settings, where they are as they should be.
    pub(super) fn settings(self, directory: Option<&Path>) -> Result<Settings, ConfigError> {
        match self.settings {
            Some(settings) if self.problems.is_empty() => Ok(settings),
            settings => Err(Self { settings, ..self }.draft(directory)?.problems.into()),
        }
    }

    /// What follows from what could be read, and everything that is wrong.
    pub(super) fn draft(self, directory: Option<&Path>) -> Result<Draft, ConfigError> {
        let Some(settings) = self.settings else { return Err(self.problems.into()) };
        let draft = validate(settings, directory);
        let mut own: Vec<Problem> = Vec::new();
        for problem in &draft.problems {
            let path = as_written(&problem.path, &self.taken);
            // What is missing only because it was taken out is not told again.
            let is_told = |told: &Problem| {
                let below = told.path.strip_prefix(&path);
                below.is_some_and(|below| below.is_empty() || below.starts_with(['[', '.']))
            };
            if !self.problems.iter().chain(&own).any(is_told) {
                own.push(Problem { path, ..problem.clone() });
            }
        }
        Ok(draft.with(self.problems, own))
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

/// Takes out what is wrong; `false` when it is not there, so that reading cannot go on.
fn take_out(value: &mut toml::Value, error: &ShapeError) -> bool {
    let mut path = error.path();
    let Some(last) = path.next_back() else { return false };
    let parent = path.try_fold(value, |value, step| match (value, step) {
        (toml::Value::Table(table), Step::Member(name)) => table.get_mut(name),
        (toml::Value::Array(items), Step::Item(index)) => items.get_mut(*index),
        _ => None,
    });
    match (parent, last) {
        (Some(toml::Value::Table(table)), Step::Member(name)) => table.remove(name).is_some(),
        (Some(toml::Value::Array(items)), Step::Item(index)) if *index < items.len() => {
            items.remove(*index);
            true
        }
        _ => false,
    }
}

fn shape_problem(path: String, error: &ShapeError) -> Problem {
    let message = error.message.trim();
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
