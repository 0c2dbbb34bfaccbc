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
    for command in [
        "check",
        "explain",
        "invoke",
        "gateway",
        "mint",
        "prove",
        "demo",
        "events",
        "generate",
        "completions",
    ] {
        assert_snapshot(&format!("help-{command}"), &shown(&[command, "--help"]));
    }
    assert_snapshot("help-keys-fetch", &shown(&["keys", "fetch", "--help"]));
    assert_snapshot("help-keys-list", &shown(&["keys", "list", "--help"]));
    assert_snapshot("help-keys-create", &shown(&["keys", "create", "--help"]));
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
        ("check-missing-api", &["check", "--openapi", "none.yaml"]),
        ("check-missing-json", &["check", "missing.toml", "--format", "json"]),
        ("check-no-api", &["check", "--openapi", "authorizer.toml"]),
    ] {
        assert_snapshot(name, &shown(arguments));
    }
}

/// The sample events, seen from where the other commands are tried.
const SAMPLES: &str = "../../../events";

/// Without what is another one each time: the time, and how long ago the rest was.
fn timeless(text: &str) -> String {
    let replaced = |text: &str, pattern: &str, with: &str| {
        regex::Regex::new(pattern).unwrap().replace_all(text, with).into_owned()
    };
    let text = replaced(text, r"20[2-9][0-9]-[0-9-]{5}T[0-9:.]+[1-9][0-9:.]*Z", "NOW");
    let text = replaced(&text, r"[0-9]+ days", "N days");
    replaced(&text, r"([^│\s])  +", "$1  ")
}

#[test]
fn explanations() {
    let config = format!("{SAMPLES}/authorizer.toml");
    let of = |event: &str, more: &[&str]| {
        let event = format!("{SAMPLES}/{event}.json");
        timeless(&shown(&[&["explain", event.as_str(), "--config", config.as_str()], more].concat()))
    };
    for event in ["rest-token", "rest-token-expired", "rest-request-forged", "http-2.0-insufficient-scope"] {
        assert_snapshot(&format!("explain-{event}"), &of(event, &[]));
    }
    assert_snapshot("explain-api", &of("rest-token", &["--api", "openapi.yaml"]));
    assert_snapshot("explain-json", &of("rest-token", &["--format", "json"]));
    let none = ["explain", "--request", "GET /orders", "--config", &config];
    assert_snapshot("explain-no-token", &timeless(&shown(&none)));
    let malformed = ["explain", "--request", "GET /orders", "--token", "a.b.c", "--config", &config];
    assert_snapshot("explain-malformed", &timeless(&shown(&malformed)));
    assert_snapshot("explain-reason", &shown(&["explain", "--reason", "token_expired"]));
    assert_snapshot("explain-no-reason", &shown(&["explain", "--reason", "token_expird"]));
    assert_snapshot("explain-nothing", &shown(&["explain"]));
    assert_snapshot(
        "explain-wrong-configuration",
        &shown(&["explain", "--request", "GET /", "--config", "wrong.toml"]),
    );
}

/// Of a token that is explained nothing is shown that could be replayed.
#[test]
fn an_explanation_does_not_hold_the_token() {
    let config = format!("{SAMPLES}/authorizer.toml");
    let event = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/rest-token.json");
    let event: serde_json::Value = serde_json::from_slice(&std::fs::read(event).unwrap()).unwrap();
    let token = event.get("authorizationToken").unwrap().as_str().unwrap();
    let signature = token.rsplit('.').next().unwrap();
    for format in ["text", "json"] {
        let event = format!("{SAMPLES}/rest-token.json");
        let shown = shown(&["explain", &event, "--config", &config, "--format", format]);
        assert!(shown.contains("user-7f1c") && !shown.contains(signature), "{shown}");
    }
}

/// The answer is a bare yes or no; and a token is where the configuration looks for it.
#[test]
fn explanations_for_other_configurations() {
    let of = |config: &str, arguments: &[&str]| {
        timeless(&shown(&[&["explain", "--config", config], arguments].concat()))
    };
    let orders = ["--request", "GET /orders?token=eyJh.eyJi.c&page=2"];
    assert_snapshot("explain-simple", &of("simple.toml", &["--request", "GET /orders"]));
    let http = "../../../events/http-2.0.json";
    assert_snapshot("explain-api-http", &of("own.toml", &[http, "--api", "http.yaml"]));
    assert_snapshot("explain-query", &of("query.toml", &orders));
    assert_snapshot(
        "explain-kind",
        &of("query.toml", &[&orders[..], &["--kind", "rest-token", "--token", "a.b.c"]].concat()),
    );
    assert_snapshot("explain-connect", &of("query.toml", &["--request", "$connect"]));
    assert_snapshot(
        "explain-source-ip",
        &of("query.toml", &[&orders[..], &["--source-ip", "nope"]].concat()),
    );
    assert_snapshot("explain-no-request", &of("query.toml", &["--request", "get /orders?token=eyJh"]));
    assert_snapshot("explain-no-json", &of("query.toml", &["wrong.toml"]));
    assert_snapshot("explain-no-json-json", &of("query.toml", &["wrong.toml", "--format", "json"]));
    assert_snapshot("explain-no-event", &of("query.toml", &["../../../events/jwks.json"]));
    let nowhere = Command::new(env!("CARGO_BIN_EXE_authorizer"))
        .args(["explain", "--request", "GET /"])
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    let told = String::from_utf8(nowhere.stderr).unwrap();
    assert!(told.contains("hint: `--config FILE`") && nowhere.status.code() == Some(3), "{told}");
}

#[test]
fn invocations() {
    let config = format!("{SAMPLES}/authorizer.toml");
    for event in ["rest-token", "rest-token-expired", "http-2.0-insufficient-scope"] {
        let file = format!("{SAMPLES}/{event}.json");
        assert_snapshot(&format!("invoke-{event}"), &shown(&["invoke", &file, "--config", &config]));
    }
    assert_snapshot("invoke-missing", &shown(&["invoke", "missing.json", "--config", &config]));
    let nowhere = ["invoke", &format!("{SAMPLES}/rest-token.json"), "--endpoint", "http://127.0.0.1:1/"];
    assert_snapshot("invoke-nowhere", &shown(&nowhere));
}

#[test]
fn what_is_typed_wrongly() {
    for (name, arguments) in [
        ("misuse-command", &["dmeo"][..]),
        ("misuse-option", &["check", "--opneapi", "openapi.yaml"]),
        ("misuse-json", &["check", "--opneapi", "openapi.yaml", "--format", "json"]),
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
        (
            "mint-claim-of-a-real-issuer",
            &["mint", "--key", "never-made.pem", "--claim", "iss=https://login.example.com/"],
        ),
        ("mint-broken", &["mint", "--key", "never-made.pem", "--broken", "expird"]),
    ] {
        assert_snapshot(name, &shown(arguments));
    }
    assert!(!Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/never-made.pem").exists());
}
