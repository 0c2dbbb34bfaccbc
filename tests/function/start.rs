//! How the function starts, or tells why it does not.

use std::path::Path;
use std::time::Duration;

use authorizer_cli::function::{Ended, FunctionProcess};
use authorizer_cli::runtime_api::{Outcome, RuntimeApi};
use lambda_authorizer::jwks::KeySetFile;
use serde_json::{Value, json};

use crate::process::{BINARY, Function};
use crate::trouble::Package;

async fn refuses_to_start<const N: usize>(environment: [(&str, &str); N]) -> (Ended, Value) {
    does_not_start(Path::new(BINARY), environment).await
}

/// Starts a function; it must end by itself.
pub(crate) async fn does_not_start<const N: usize>(
    binary: &Path,
    environment: [(&str, &str); N],
) -> (Ended, Value) {
    let api = RuntimeApi::start().await.unwrap();
    let function = FunctionProcess::spawn(binary, environment, &api).unwrap();
    let ended = function.wait(Duration::from_secs(10)).await;
    assert_eq!(ended.status.unwrap().code(), Some(1), "{environment:?}");
    let line = ended.stdout.lines().next().expect("no line in the log");
    let record: Value = serde_json::from_str(line).unwrap();
    assert_eq!(record["level"], "FATAL", "{environment:?}");
    (ended, record)
}

#[tokio::test]
async fn every_problem_of_a_configuration_is_told_at_once() {
    let configuration = "
        [[issuer]]
        url = 'http://login.example.com/'
        audiance = 'orders-api'
        [[rule]]
        name = 'read'
        routes = ['GET /orders/*', 'FETCH /orders']
        requires = 'nothing'
        [response.context]
        claims = 'sub'
        [key_set]
        cooldown_seconds = 0
    ";
    let (_, record) = refuses_to_start([("AUTHORIZER_CONFIG", configuration)]).await;
    let detail = record["detail"].as_str().unwrap();
    for path in [
        "issuer[0].url",
        "issuer[0].audiance",
        "rule[0].routes[0]",
        "rule[0].routes[1]",
        "rule[0].requires",
        "response.context.claims",
        "key_set.cooldown_seconds",
        "hint: ",
    ] {
        assert!(detail.contains(path), "{path} is not in {detail}");
    }
}

#[tokio::test]
async fn an_environment_that_says_nothing_clear_is_refused() {
    let (issuer, audience) = ("https://login.example.com/", "orders-api");
    for (environment, expected) in [
        ([("", ""), ("", "")], "configuration"),
        ([("AUTHORIZER_ISSUER", issuer), ("", "")], "AUTHORIZER_AUDIENCE"),
        ([("AUTHORIZER_AUDIENCE", audience), ("", "")], "AUTHORIZER_ISSUER"),
        ([("AUTHORIZER_ISSUER", issuer), ("AUTHORIZER_AUDIENCES", audience)], "AUTHORIZER_AUDIENCES"),
        ([("AUTHORIZER_ISSUER", "http://127.0.0.1:1/"), ("AUTHORIZER_AUDIENCE", audience)], "https"),
        ([("AUTHORIZER_CONFIG", "x = 1"), ("AUTHORIZER_CONFIG_FILE", "x")], "AUTHORIZER_CONFIG_FILE"),
        ([("AUTHORIZER_CONFIG_FILE", "no/such/file.toml"), ("", "")], "no/such/file.toml"),
    ] {
        let environment =
            environment.map(|(name, value)| (if name.is_empty() { "UNUSED" } else { name }, value));
        let (_, record) = refuses_to_start(environment).await;
        assert!(record["detail"].as_str().unwrap().contains(expected), "{expected}: {record}");
    }
}

/// A key set in the package is that of the issuer, and says how old it is.
#[tokio::test]
async fn a_key_set_in_the_package_that_cannot_be_used_is_refused() {
    let keys = authorizer_cli::signing::key_set(&crate::process::keys()).to_string();
    let file = |issuer: &str| KeySetFile::text(issuer, 1_795_000_000, keys.as_bytes()).unwrap();
    let (package, issuer) = (Package::new(), "https://login.example.com/");
    let path = package.path("keys.json");
    let configuration =
        format!("[[issuer]]\nurl = '{issuer}'\naudience = 'orders-api'\ninitial_jwks_file = '{path}'");
    let environment = [("AUTHORIZER_CONFIG", configuration.as_str())];
    for (text, expected) in [
        (file("https://login.example.com"), "another issuer, `https://login.example.com`"),
        (keys.clone(), "fetched_at"),
        (file(issuer).replace("1795000000", "\"2026-11-21\""), "fetched_at"),
        (file(issuer).replace("\"kty\"", "\"kind\""), "can be used"),
        (String::new(), "not a JWK Set"),
    ] {
        package.write("keys.json", &text);
        let (_, record) = refuses_to_start(environment).await;
        let detail = record["detail"].as_str().unwrap();
        assert!(detail.contains("issuer[0].initial_jwks_file") && detail.contains(expected), "{detail}");
    }
    package.write("keys.json", &file(issuer));
    let function = Function::spawn((), environment, RuntimeApi::TIME_LIMIT).await;
    function.takes_events().await;
    function.ends_without_a_trace_of_tokens().await;
}

/// The tokens of the development issuer are everyone's.
#[tokio::test]
async fn a_development_configuration_does_not_run_on_lambda() {
    let configuration = "development = true\n[[issuer]]\nurl = 'https://x.invalid/'\naudience = 'a'";
    let environment = [("AUTHORIZER_CONFIG", configuration), ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")];
    let (_, record) = refuses_to_start(environment).await;
    assert!(record["detail"].as_str().unwrap().contains("development"), "{record}");
}

#[tokio::test]
async fn environment_variables_alone_configure_one_issuer() {
    let api = RuntimeApi::start().await.unwrap();
    let environment = [
        ("AUTHORIZER_ISSUER", "https://login.example.com/"),
        ("AUTHORIZER_AUDIENCE", "orders-api, billing-api"),
        ("AUTHORIZER_ALGORITHMS", "RS256,ES256"),
        ("AUTHORIZER_JWKS_URI", ""),
    ];
    let function = FunctionProcess::spawn(BINARY, environment, &api).unwrap();
    let event = crate::support::event(crate::support::KINDS[0], "a.b.c");
    let invocation = api.invoke(event.to_string()).await;
    assert_eq!(invocation.outcome.response().unwrap()["principalId"], "anonymous");
    function.stop().await;
}

/// `authorizer.toml` beside the binary, and the key set beside it, as they are in a package.
#[tokio::test]
async fn a_file_beside_the_binary_configures_it() {
    let directory =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("package-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let bootstrap = directory.join("bootstrap");
    std::fs::hard_link(BINARY, &bootstrap).unwrap();
    let keys = crate::process::keys();
    let set = authorizer_cli::signing::key_set(&keys).to_string();
    std::fs::write(directory.join("jwks.json"), set).unwrap();
    let configuration =
        "[[issuer]]\nurl = 'https://x.invalid/'\naudience = 'unchecked'\njwks_file = 'jwks.json'";
    std::fs::write(directory.join("authorizer.toml"), configuration).unwrap();

    let claims = json!({"iss": "https://x.invalid/", "sub": "user", "exp": 4_102_444_800_u64});
    let event = crate::support::event(crate::support::KINDS[0], &keys[0].token(&claims).unwrap());
    let api = RuntimeApi::start().await.unwrap();
    let function = FunctionProcess::spawn(&bootstrap, [("", ""); 0], &api).unwrap();
    let invocation = api.invoke(event.to_string()).await;
    assert!(matches!(&invocation.outcome, Outcome::Response(_)), "{:?}", invocation.outcome);
    assert_eq!(invocation.outcome.response().unwrap()["principalId"], "user");
    function.stop().await;
    std::fs::remove_dir_all(directory).unwrap();
}
