//! The commands as they are typed.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use authorizer_cli::scenario::SCENARIOS;

fn authorizer(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_authorizer")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn committed_events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// An empty directory of this test's own.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _not_there = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn without_tokens(text: &str) -> String {
    authorizer_cli::scenario::replace_tokens(text, "TOKEN").unwrap_or_else(|| text.to_owned())
}

#[test]
fn help_names_every_command() {
    let help = authorizer(&["--help"]);
    assert!(help.status.success());
    assert_eq!(help.stdout, authorizer(&[]).stdout);
    for word in ["keys", "gateway", "completions", "--help", "--version", "NO_COLOR", "denied, 3 "] {
        assert!(text(&help.stdout).contains(word), "{word}");
    }
    // They are this repository's own.
    for word in ["demo", "events", "generate"] {
        assert!(!text(&help.stdout).contains(&format!("  {word} ")), "{word}");
        assert!(authorizer(&[word, "--help"]).status.success(), "{word}");
    }
}

#[test]
fn misuse_is_explained() {
    for (arguments, told) in [
        (&["dmeo"][..], "error: unrecognized subcommand `dmeo`\nhint: a similar subcommand exists: `demo`\n"),
        (
            &["demo"],
            "error: the following required arguments were not provided:\n  --function <PATH>\nhint: `authorizer --help` ",
        ),
        (
            &["events", "--directry", "x"],
            "error: unexpected argument `--directry` found\nhint: a similar argument exists: `--directory`\n",
        ),
        (&["completions", "basj"], "error: invalid value `basj` for `<SHELL>`"),
    ] {
        let output = authorizer(arguments);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(3), ""), "{arguments:?}");
        assert!(text(&output.stderr).starts_with(told), "{}", text(&output.stderr));
    }
}

#[test]
fn a_shell_completes_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let output = authorizer(&["completions", shell]);
        assert!(output.status.success(), "{shell}");
        for word in ["keys", "fetch", "jwks-uri", "demo"] {
            assert!(text(&output.stdout).contains(word), "{shell}: {word}");
        }
    }
    // As a shell completes it.
    let asked = "source <(\"$0\" completions bash); COMP_WORDS=(authorizer check --op); COMP_CWORD=2; \
                 _authorizer authorizer --op check; echo \"${COMPREPLY[@]}\"";
    let bash = Command::new("bash").args(["-c", asked, env!("CARGO_BIN_EXE_authorizer")]).output().unwrap();
    assert_eq!(text(&bash.stdout), "--openapi\n", "{}", text(&bash.stderr));
}

#[test]
fn events_are_made_again_as_they_are_committed_but_for_keys() {
    let directory = directory("events-again");
    let output = authorizer(&["events", "--directory", directory.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for scenario in SCENARIOS {
        let made = fs::read_to_string(directory.join(scenario.file)).unwrap();
        let committed = fs::read_to_string(committed_events().join(scenario.file)).unwrap();
        assert_eq!(without_tokens(&made), without_tokens(&committed), "{}", scenario.file);
    }
    let keys = fs::read_to_string(directory.join("jwks.json")).unwrap();
    assert!(!keys.contains("\"d\""));
}

#[test]
fn the_demo_names_what_is_not_as_expected() {
    let function = Path::new(env!("CARGO_BIN_EXE_authorizer")).with_file_name("examples/allow_everything");
    assert!(function.exists(), "hint: `cargo build -p authorizer-cli --examples`");
    let directory = directory("events-odd");
    for entry in fs::read_dir(committed_events()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, directory.join(path.file_name().unwrap())).unwrap();
    }
    fs::rename(directory.join("http-1.0.json"), directory.join("http-1.1.json")).unwrap();

    let (function, events) = (function.to_str().unwrap(), directory.to_str().unwrap());
    let output = authorizer(&["demo", "--function", function, "--events", events]);
    assert_eq!(output.status.code(), Some(1));
    let (table, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(table.ends_with("\n12 events, 5 as expected\n"), "{table}");
    assert!(table.starts_with("event "), "{table}");
    assert!(!table.contains('\x1b'));
    for difference in [
        "error: `http-1.0.json`: the file is missing\n",
        "error: `http-1.1.json`: no scenario tells what to expect\n",
        "error: `rest-token-expired`: allow (200) instead of deny (401), reason `none` instead of \
         `token_expired`\n",
    ] {
        assert!(errors.contains(difference), "{errors}");
    }
}

#[test]
fn a_function_that_cannot_start_is_reported_with_what_it_said() {
    let events = committed_events();
    let events = events.to_str().unwrap();
    let missing = authorizer(&["demo", "--function", "no/such/function", "--events", events]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("error: cannot start `no/such/function`"));
    assert!(text(&missing.stderr).contains("hint: "));
    let ends = authorizer(&["demo", "--function", env!("CARGO_BIN_EXE_authorizer"), "--events", events]);
    assert_eq!(ends.status.code(), Some(1));
    assert!(text(&ends.stderr).contains("having said:\nThe developer's tool"), "{}", text(&ends.stderr));
}
