//! Every output of the commands that need no network, as a person sees it.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use support::assert_snapshot;

fn authorizer(arguments: &[&str]) -> Output {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check");
    Command::new(env!("CARGO_BIN_EXE_authorizer")).args(arguments).current_dir(directory).output().unwrap()
}

/// How it was called, what it ended with, and what it said.
fn shown(arguments: &[&str]) -> String {
    let output = authorizer(arguments);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (printed, told) = (text(output.stdout), text(output.stderr));
    assert!(!printed.contains('\x1b') && !told.contains('\x1b'), "no colours for a file");
    let talk = if told.is_empty() { String::new() } else { format!("--- stderr\n{told}") };
    format!("$ authorizer {}\n{printed}{talk}--- {}\n", arguments.join(" "), output.status.code().unwrap())
}

#[test]
fn the_helps() {
    assert_snapshot("help", &shown(&["--help"]));
    for command in ["check", "mint", "demo", "events", "generate", "completions"] {
        assert_snapshot(&format!("help-{command}"), &shown(&[command, "--help"]));
    }
    assert_snapshot("help-keys-fetch", &shown(&["keys", "fetch", "--help"]));
}

#[test]
fn checks() {
    for (name, arguments) in [
        ("check", &["check"][..]),
        ("check-json", &["check", "--format", "json"]),
        ("check-openapi", &["check", "--openapi", "openapi.yaml"]),
        ("check-openapi-json", &["check", "--api", "openapi.yaml", "--format", "json"]),
        ("check-wrong", &["check", "wrong.toml"]),
        ("check-wrong-json", &["check", "wrong.toml", "--format", "json"]),
        ("check-missing", &["check", "missing.toml"]),
        ("check-no-api", &["check", "--openapi", "authorizer.toml"]),
    ] {
        assert_snapshot(name, &shown(arguments));
    }
}

#[test]
fn what_is_typed_wrongly() {
    for (name, arguments) in [
        ("misuse-command", &["dmeo"][..]),
        ("misuse-option", &["check", "--opneapi", "openapi.yaml"]),
        ("misuse-keys", &["keys"]),
        ("misuse-fetch", &["keys", "fecth"]),
        ("misuse-shell", &["completions", "cmd"]),
        ("misuse-more", &["check", "authorizer.toml", "more.toml"]),
        ("misuse-twice", &["check", "--openapi", "openapi.yaml", "--template", "template.yaml"]),
    ] {
        assert_snapshot(name, &shown(arguments));
    }
}

#[test]
fn what_mint_refuses() {
    for (name, arguments) in [
        (
            "mint-real-issuer",
            &["mint", "--key", "never-made.pem", "--issuer", "https://login.example.com/"][..],
        ),
        ("mint-no-key", &["mint"]),
        ("mint-key-is-none", &["mint", "--key", "openapi.yaml"]),
        ("mint-claim", &["mint", "--key", "never-made.pem", "--claim", "scope"]),
        ("mint-broken", &["mint", "--key", "never-made.pem", "--broken", "expird"]),
    ] {
        assert_snapshot(name, &shown(arguments));
    }
    assert!(!Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/never-made.pem").exists());
}
