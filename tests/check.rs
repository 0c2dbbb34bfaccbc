//! `lambda-authorizer --check`: what it prints, and what it ends with.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::Command;

/// A directory of files of one test's own.
struct Files(PathBuf);

impl Files {
    fn of(test: &str) -> Self {
        let directory =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_dir_all(&self.0);
    }
}

/// What the function ends with, what it prints, and what it complains of.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_lambda-authorizer")).args(arguments).env_clear().output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

const CONFIGURATION: &str = "
[[issuer]]
url = 'https://login.example.com/'
audience = 'orders-api'

[[rule]]
name = 'read orders'
routes = ['GET /orders']
requires = { scope = 'orders:read' }

[[rule]]
name = 'reports'
routes = ['GET /reports', '$connect']
requires = 'authenticated'

[[rule]]
name = 'health'
routes = ['GET /health']
requires = 'anyone'
";

#[test]
fn a_configuration_without_faults_is_none() {
    let files = Files::of("right");
    // A public route that API Gateway lets through to us.
    let gateway = "[gateway]\ncache_seconds = 0\nidentity_sources = ['$context.identity.sourceIp']\n";
    let configuration = files.write("authorizer.toml", &format!("{CONFIGURATION}{gateway}"));
    let (status, printed, complained) = run(&["--check", &configuration]);
    assert_eq!((status, complained.as_str()), (0, ""));
    let (size, summary) = printed.split_once('\n').unwrap();
    assert!(
        size.starts_with(
            "note[policy_size]: rule: the largest policy of one caller has 7 resources, which take "
        ),
        "{size}"
    );
    assert_eq!(summary, "0 errors, 0 warnings\n");
}

#[test]
fn every_problem_of_a_configuration_is_printed() {
    let files = Files::of("wrong");
    let configuration =
        files.write("authorizer.toml", "[[issuer]]\nurl = 'http://a.example/'\naudiance = 'x'");
    let (status, printed, complained) = run(&["--check", &configuration]);
    assert_eq!((status, complained.as_str()), (1, ""));
    for part in [
        "error[configuration]: issuer[0].url: ",
        "error[configuration]: issuer[0].audiance: ",
        "hint: ",
        " errors, 0 warnings\n",
    ] {
        assert!(printed.contains(part), "{part} is not in {printed}");
    }
}

/// The repository's own template, and rules for it.
#[test]
fn an_api_is_checked_with_its_description() {
    let files = Files::of("api");
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml");
    let right = files.write("right.toml", CONFIGURATION);
    let (status, printed, _) = run(&["--check", &right, "--api", template]);
    assert_eq!(status, 0, "{printed}");
    assert!(
        printed.starts_with(
            "note[description_default]: parameter `AuthorizerCacheSeconds`: its default, `300`, "
        ),
        "{printed}"
    );
    assert!(printed.ends_with("\n0 errors, 0 warnings\n"), "{printed}");

    let forgotten = files.write("forgotten.toml", &CONFIGURATION.replace("GET /reports", "GET /report"));
    let (status, printed, _) = run(&["--check", &forgotten, "--api", template]);
    assert_eq!(status, 0, "{printed}");
    for part in [
        "warning[route_unruled]: GET /reports of `RestApi`: ",
        "warning[rule_unmatched]: rule[1].routes[0]: ",
        "\n  hint: ",
        "\n0 errors, 2 warnings\n",
    ] {
        assert!(printed.contains(part), "{part} is not in {printed}");
    }

    let simple = "\n[gateway]\ncache_seconds = 0\n[response]\nhttp_api = 'simple'\n";
    let wrong = files.write("wrong.toml", &format!("{CONFIGURATION}{simple}"));
    let (status, printed, _) = run(&["--check", &wrong, "--api", template]);
    assert_eq!(status, 1, "{printed}");
    assert!(printed.contains("error[answer_kind_differs]: authorizer `LambdaAuthorizer`: "), "{printed}");
}

#[test]
fn a_route_that_is_opened_by_the_cache_is_an_error() {
    let files = Files::of("opened");
    let rules = CONFIGURATION.replace("'GET /orders'", "'GET /orders/{id}', 'GET /orders/{id}/notes'");
    let configuration = files.write("authorizer.toml", &rules);
    let get = r#""get": {"security": [{"lambda": []}]}"#;
    let description = format!(
        r#"{{"openapi": "3.0.1", "paths": {{"/orders/{{id}}": {{{get}}}, "/orders/{{id}}/items": {{{get}}}}},
        "components": {{"securitySchemes": {{"lambda": {{"type": "apiKey", "name": "Authorization", "in": "header",
        "x-amazon-apigateway-authorizer": {{"type": "token"}}}}}}}}}}"#
    );
    let description = files.write("openapi.json", &description);
    let (status, printed, _) = run(&["--check", &configuration, "--api", &description]);
    assert_eq!(status, 1, "{printed}");
    assert!(
        printed.contains("error[route_opened]: GET /orders/{id}/items: `GET /orders/any-1/items` "),
        "{printed}"
    );
}

/// What is wrong between two sections does not hide what is found in either, nor in the API.
#[test]
fn problems_and_findings_are_printed_together() {
    let files = Files::of("together");
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml");
    let rules = CONFIGURATION
        .replace("GET /reports", "GET /report")
        .replace("{ scope = 'orders:read' }", "{ source_ip = '10.0.0.0/8' }");
    let configuration = files.write("authorizer.toml", &rules);
    let (status, printed, _) = run(&["--check", &configuration, "--api", template]);
    assert_eq!(status, 1, "{printed}");
    for part in [
        "error[configuration]: rule[0].requires.source_ip: ",
        "error[address_not_in_cache_key]: authorizer `",
        "warning[rule_unmatched]: rule[1].routes[0]: ",
    ] {
        assert!(printed.contains(part), "{part} is not in {printed}");
    }
    let corrected =
        files.write("corrected.toml", &rules.replace("{ source_ip = '10.0.0.0/8' }", "'authenticated'"));
    let (status, printed, _) = run(&["--check", &corrected, "--api", template]);
    assert!(status == 0 && !printed.contains("error["), "{printed}");
}

#[test]
fn what_cannot_be_done_is_another_failure() {
    let files = Files::of("unusable");
    let configuration = files.write("authorizer.toml", CONFIGURATION);
    let neither = files.write("neither.json", "{\"info\": {}}");
    let broken = files.write("broken.json", "{\"paths\": ");
    for (arguments, expected) in [
        (&["--check"][..], "usage: "),
        (&["--api", &neither], "usage: "),
        (&["--chekc", &configuration], "`--chekc` is no option"),
        (&["--check", &configuration, "more"], "`more` is no option"),
        (&["--check", &configuration, "--check", &configuration], "twice"),
        (&["--check", "no/such/file"], "no/such/file: it cannot be read: "),
        (&["--check", &configuration, "--api", &neither], "neither.json: it is neither an OpenAPI document"),
        (&["--check", &configuration, "--api", &broken], "broken.json: line 1, column 10: "),
    ] {
        let (status, printed, complained) = run(arguments);
        assert_eq!((status, printed.as_str()), (2, ""), "{arguments:?}");
        assert!(complained.contains(expected), "{expected} is not in {complained}");
    }
}

/// A container image's command may be anything; it has always been ignored.
#[test]
fn other_arguments_change_nothing() {
    for arguments in [&[][..], &["handler"], &["handler", "--check"]] {
        let (status, printed, complained) = run(arguments);
        assert_eq!((status, complained.as_str()), (1, ""), "{arguments:?}");
        assert!(
            printed.contains("\"level\":\"FATAL\"") && printed.contains("AUTHORIZER_ISSUER"),
            "{printed}"
        );
    }
}
