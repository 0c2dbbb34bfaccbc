//! `authorizer generate`: what the documentation takes from the sources. The JSON Schema of the configuration
//! and its page come from the doc comments of the settings themselves, the page of reasons from the table of
//! their codes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use lambda_authorizer::config::{ENVIRONMENT_VARIABLES, schema};
use lambda_authorizer::error::{Code, Outcome};
use serde_json::{Map, Value};

use crate::Error;

/// The JSON Schema.
pub const SCHEMA_FILE: &str = "authorizer.schema.json";

/// The page on the configuration.
pub const CONFIGURATION_FILE: &str = "configuration.md";

/// The page on the reasons.
pub const REASONS_FILE: &str = "reasons.md";

/// What stands on the pages before what is generated.
const CONFIGURATION: &str = include_str!("generate/configuration.md");
const REASONS: &str = include_str!("generate/reasons.md");

/// Writes the generated files to `directory` and returns their names.
pub fn write(directory: &Path) -> Result<[&'static str; 3], Error> {
    let files = files();
    for (name, text) in &files {
        let path = directory.join(name);
        fs::write(&path, text).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    }
    Ok(files.map(|(name, _)| name))
}

fn files() -> [(&'static str, String); 3] {
    let schema = schema();
    [
        (SCHEMA_FILE, format!("{schema:#}\n")),
        (CONFIGURATION_FILE, configuration(&schema)),
        (REASONS_FILE, reasons()),
    ]
}

/// The page on the reasons: every code, its cause, and what to do.
fn reasons() -> String {
    let mut page = REASONS.to_owned();
    for (outcome, heading) in [
        (Outcome::RefusedCredential, "The credential is refused: 401 or 403"),
        (Outcome::RefusedRequest, "The credential holds, and the request is refused: 403"),
        (Outcome::Fault, "Nothing could be decided: 500"),
    ] {
        _ = write!(page, "\n## {heading}\n\n| code | cause | what to do |\n|---|---|---|\n");
        for code in Code::ALL.iter().filter(|code| code.outcome() == outcome) {
            _ = writeln!(page, "| `{code}` | {} | {} |", code.cause(), code.action());
        }
    }
    page
}

/// The page on the configuration.
fn configuration(schema: &Value) -> String {
    let mut page = CONFIGURATION.to_owned();
    page.push_str("\n## Environment variables\n\n| variable | meaning |\n|---|---|\n");
    for (name, meaning) in ENVIRONMENT_VARIABLES {
        _ = writeln!(page, "| `{name}` | {meaning} |");
    }
    page.push_str(
        "\n## Settings\n\nA setting without a default need not be there unless it is **required**.\n",
    );
    table(&mut page, schema, schema);
    for (name, setting) in properties(schema).into_iter().flatten() {
        let (heading, section) = match setting.get("items") {
            Some(items) => (format!("[[{name}]]"), resolve(schema, items)),
            None => (format!("[{name}]"), resolve(schema, setting)),
        };
        if section.get("properties").is_some() {
            _ = write!(page, "\n### `{heading}`\n\n{}\n", description(setting));
            table(&mut page, schema, section);
        }
    }
    page
}

fn table(page: &mut String, schema: &Value, section: &Value) {
    page.push_str("\n| setting | type | meaning |\n|---|---|---|\n");
    let required = section.get("required").and_then(Value::as_array);
    for (name, setting) in properties(section).into_iter().flatten() {
        let is_required = required.is_some_and(|names| names.iter().any(|required| required == name));
        let mark = if is_required { "**required** " } else { "" };
        let meaning = format!("{mark}{}{}", description(setting), choices(schema, setting));
        _ = writeln!(page, "| `{name}` | {} | {meaning} |", type_of(schema, setting));
    }
}

/// The words that a setting may be, each with its meaning.
fn choices(schema: &Value, setting: &Value) -> String {
    let resolved = resolve(schema, setting);
    let mut text = String::new();
    for choice in resolved.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
        if let Some(word) = choice.get("const").and_then(Value::as_str) {
            _ = write!(text, "<br>`\"{word}\"`: {}", description(choice));
        }
    }
    text
}

fn type_of(schema: &Value, setting: &Value) -> String {
    let resolved = resolve(schema, setting);
    if let Some(names) = resolved.get("enum").and_then(Value::as_array) {
        return names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    }
    if let Some(choices) = resolved.get("anyOf").and_then(Value::as_array) {
        let types: Vec<_> = choices.iter().map(|choice| type_of(schema, choice)).collect();
        return types.join(" or ");
    }
    if resolved.get("oneOf").is_some() {
        return "word".to_owned();
    }
    match resolved.get("type").and_then(Value::as_str) {
        Some("array") => {
            let items =
                resolved.get("items").map_or_else(|| "value".to_owned(), |items| type_of(schema, items));
            format!("list of {items}")
        }
        Some("object") => "table".to_owned(),
        Some(name) => name.to_owned(),
        None => "value".to_owned(),
    }
}

/// The definition behind a reference.
fn resolve<'a>(schema: &'a Value, value: &'a Value) -> &'a Value {
    let reference =
        value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    reference.and_then(|pointer| schema.pointer(pointer)).unwrap_or(value)
}

fn properties(section: &Value) -> Option<&Map<String, Value>> {
    section.get("properties")?.as_object()
}

/// A doc comment on one line, as a table wants it.
fn description(value: &Value) -> String {
    let text = value.get("description").and_then(Value::as_str).unwrap_or_default();
    text.replace('\n', " ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_on_the_page() {
        let page = configuration(&schema());
        for name in
            ["development", "jwks_uri", "leeway_seconds", "from", "requires", "refusal", "cooldown_seconds"]
        {
            assert!(page.contains(&format!("| `{name}` |")), "{name}");
        }
        assert!(page.contains("| `url` | string | **required** "), "{page}");
    }

    #[test]
    fn the_example_of_everything_is_a_configuration() {
        let example =
            CONFIGURATION.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let config = lambda_authorizer::config::Config::parse(example, None);
        assert!(config.is_ok(), "{}", config.err().unwrap());
    }

    /// What is checked in is what the sources say.
    #[test]
    fn the_generated_files_are_up_to_date() {
        let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs"));
        for (name, text) in files() {
            let committed = fs::read_to_string(directory.join(name)).unwrap();
            assert!(committed == text, "docs/{name} is out of date\nhint: `make generate`");
        }
    }
}
