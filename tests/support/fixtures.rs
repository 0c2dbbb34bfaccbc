//! The sample events and answers that come with the crate `aws_lambda_events`.

use std::process::Command;

use serde_json::Value;

/// The fixtures of Lambda authorizers, by name. That there are some is part of every test.
#[expect(clippy::disallowed_methods, reason = "they are files of a dependency")]
pub(crate) fn aws_fixtures() -> Vec<(String, Value)> {
    let mut fixtures = Vec::new();
    for entry in std::fs::read_dir(format!("{}/src/fixtures", package_directory())).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let is_ours = ["example-apigw-custom-auth-", "example-apigw-v2-custom-authorizer-"]
            .iter()
            .any(|start| name.starts_with(start));
        if is_ours {
            fixtures.push((name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()));
        }
    }
    assert!(!fixtures.is_empty(), "the crate has no fixtures any more");
    fixtures.sort_by(|(first, _), (second, _)| first.cmp(second));
    fixtures
}

/// Where cargo keeps the source of the crate.
fn package_directory() -> String {
    let cargo = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO"))
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let version = cargo(&["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // Without the filter, cargo asks for the packages of every platform, which nobody has downloaded.
    let arguments = ["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", host];
    let metadata: Value = serde_json::from_str(&cargo(&arguments)).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "aws_lambda_events").unwrap();
    package["manifest_path"].as_str().unwrap().strip_suffix("/Cargo.toml").unwrap().to_owned()
}
