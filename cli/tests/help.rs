//! The help of every command, and its examples.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use authorizer_cli::commands;

/// The commands that do something, as they are typed.
fn commands() -> Vec<clap::Command> {
    let mut found = Vec::new();
    let mut open = vec![commands::command()];
    while let Some(mut command) = open.pop() {
        command.build();
        let below: Vec<_> = command.get_subcommands().cloned().collect();
        if below.is_empty() {
            found.push(command);
        }
        open.extend(below);
    }
    found
}

/// The lines that a command's help gives as examples.
fn examples(command: &clap::Command) -> Vec<String> {
    let below = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let lines = below.split("Examples:\n").nth(1).unwrap_or_default().lines();
    lines.take_while(|line| line.starts_with("  ")).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn every_command_has_examples_that_are_typed_right() {
    let commands = commands();
    assert!(commands.len() >= 7);
    for command in commands {
        let examples = examples(&command);
        assert!(!examples.is_empty(), "`{}` has no examples", command.get_name());
        for example in examples {
            let typed = commands::command().try_get_matches_from(words(&example));
            assert!(typed.is_ok(), "{example}\n{}", typed.unwrap_err());
        }
    }
}

/// Examples that need what no test has: another host, the function's binary, the repository's own directory, fixed ports.
const ELSEWHERE: [&str; 7] = [
    "authorizer keys",
    "authorizer revoke",
    "authorizer demo",
    "authorizer generate",
    "authorizer events --directory /",
    "authorizer gateway",
    "authorizer invoke events/rest-token.json --endpoint",
];

#[test]
fn the_examples_do_what_they_say() {
    let directory = directory("examples");
    let mut count = 0;
    for command in commands() {
        for example in examples(&command) {
            if ELSEWHERE.iter().any(|elsewhere| example.starts_with(elsewhere)) {
                continue;
            }
            let output = authorizer(&directory, &example);
            let talk = String::from_utf8_lossy(&output.stderr);
            // Denied is an answer, too.
            assert!(matches!(output.status.code(), Some(0 | 2)), "{example}\n{talk}");
            count += 1;
        }
    }
    assert!(count >= 10, "{count} examples were run");
}

/// What docs/tool.md prints, in its order: one command makes what the next one reads.
#[test]
fn the_commands_of_the_page_do_what_they_say() {
    let directory = directory("page");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tool.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = page.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let lines: Vec<&str> =
        blocks.flat_map(str::lines).filter(|line| line.starts_with("authorizer ")).collect();
    let run = |line: &&&str| !ELSEWHERE.iter().any(|elsewhere| line.starts_with(elsewhere));
    let run: Vec<&&str> = lines.iter().filter(run).collect();
    assert!(run.len() >= 9, "{run:?}");
    for line in run {
        let output = authorizer(&directory, line);
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 2)), "{line}\n{talk}");
    }
}

fn authorizer(directory: &Path, line: &str) -> Output {
    let words = words(line);
    let tool = env!("CARGO_BIN_EXE_authorizer");
    Command::new(tool).args(words.iter().skip(1)).current_dir(directory).output().unwrap()
}

/// The words of a line, as a shell takes them apart: single quotes hold them together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in line.chars() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words
}

/// A directory with what the examples name.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _not_there = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::copy(repository.join("template.yaml"), path.join("template.yaml")).unwrap();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check");
    std::fs::create_dir(path.join("events")).unwrap();
    for event in ["rest-token.json", "authorizer.toml", "jwks.json"] {
        std::fs::copy(repository.join("events").join(event), path.join("events").join(event)).unwrap();
    }
    std::fs::write(path.join("token.jwt"), "a.b.c\n").unwrap();
    for name in ["authorizer.toml", "openapi.yaml"] {
        std::fs::copy(tests.join(name), path.join(name)).unwrap();
    }
    path
}
