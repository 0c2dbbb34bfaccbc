//! The walls of the house (docs/design.md): a module imports only from those above it.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads the sources, and fails by panicking"
)]

use std::path::{Path, PathBuf};

/// From the ground up.
const MODULES: [&str; 18] = [
    "arn",
    "claims",
    "io",
    "error",
    "request",
    "event",
    "credential",
    "jwks",
    "verify",
    "rules",
    "policy",
    "response",
    "telemetry",
    "config",
    "check",
    "authorizer",
    "function",
    "explain",
];

/// What the function never does is left out of it by the linker.
#[test]
fn the_function_neither_checks_nor_explains() {
    for file in ["main.rs", "function.rs", "authorizer.rs"] {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).join(file);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.contains("check::") && !text.contains("explain"), "{file}");
    }
}

#[test]
fn a_module_imports_only_from_modules_above_it() {
    let mut wrong = Vec::new();
    for file in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let relative = file.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
        let module = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = module.strip_suffix(".rs").unwrap_or(module);
        // The crate's root, and the binary's own.
        if ["lib", "main", "check_command"].contains(&module) {
            continue;
        }
        let found = violations(module, &std::fs::read_to_string(&file).unwrap());
        wrong.extend(found.into_iter().map(|import| format!("{}: crate::{import}", relative.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_import_from_below_is_noticed() {
    assert_eq!(
        violations("policy", "use crate::rules::Rules;\nuse crate::response::Response;"),
        ["response"]
    );
    assert_eq!(violations("policy", "let x = crate::config::load();"), ["config"]);
    assert_eq!(violations("policy", "use crate::{arn::MethodArn, authorizer::Authorizer};"), ["{"]);
    assert_eq!(violations("nonsense", ""), ["nonsense"]);
}

/// What the source imports and may not. A group of modules in braces is refused, so that none hides
/// in one; so is a module that is not in the list.
fn violations(module: &str, source: &str) -> Vec<String> {
    let place = |name: &str| MODULES.iter().position(|known| *known == name);
    let Some(own) = place(module) else { return vec![module.to_owned()] };
    let code = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code = code.collect::<Vec<_>>().join("\n");
    let imports = code.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
        let name = rest.split_at(end.unwrap_or(rest.len())).0;
        if name.is_empty() { rest.chars().take(1).collect() } else { name.to_owned() }
    });
    imports.filter(|import| place(import).is_none_or(|place| place > own)).collect()
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
