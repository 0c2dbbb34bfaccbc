//! A real process behind the Runtime API: what it is given, what is seen of it, how it ends.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::path::PathBuf;
use std::time::Duration;

use authorizer_cli::function::FunctionProcess;
use authorizer_cli::runtime_api::{Outcome, RuntimeApi};

fn example() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_BIN_EXE_authorizer")).with_file_name("examples/allow_everything");
    assert!(path.exists(), "hint: `cargo build -p authorizer-cli --examples`");
    path
}

async fn start(behaviour: &str) -> (RuntimeApi, FunctionProcess) {
    start_within(RuntimeApi::TIME_LIMIT, behaviour).await
}

async fn start_within(limit: Duration, behaviour: &str) -> (RuntimeApi, FunctionProcess) {
    let api = RuntimeApi::with_time_limit(limit).await.unwrap();
    let function = FunctionProcess::spawn(example(), [("BEHAVIOUR", behaviour)], &api).unwrap();
    (api, function)
}

#[tokio::test]
async fn answers_and_output_are_kept() {
    let (api, function) = start("").await;
    let first = api.invoke("{}").await;
    let second = api.invoke("{}").await;
    assert_ne!(first.request_id, second.request_id);
    assert_eq!(second.outcome.response().unwrap()["principalId"], "anyone");
    for invocation in [first, second] {
        assert_eq!(function.log_record(&invocation.request_id).await.unwrap()["decision"], "allow");
    }
    let ended = function.stop().await;
    assert_eq!(ended.stderr, "behaviour ``\n");
    assert_eq!(ended.stdout.lines().count(), 3);
    assert_eq!(ended.status.unwrap().code(), None);
    assert!(matches!(api.invoke("{}").await.outcome, Outcome::Exited(None)));
}

#[tokio::test]
async fn the_environment_is_lambdas_and_what_is_passed() {
    let (api, function) = start("").await;
    api.invoke("{}").await;
    let stdout = function.stop().await.stdout;
    let environment = stdout.lines().next().unwrap();
    for name in ["RUNTIME_API", "FUNCTION_NAME", "FUNCTION_MEMORY_SIZE", "FUNCTION_VERSION"] {
        assert!(environment.contains(&format!("AWS_LAMBDA_{name}")), "{environment}");
    }
    assert!(environment.contains("BEHAVIOUR"));
    assert!(!environment.contains("PATH") && !environment.contains("CARGO"), "{environment}");
}

#[tokio::test]
async fn an_exit_is_an_outcome() {
    let (api, function) = start("exit").await;
    assert_eq!(api.invoke("{}").await.outcome, Outcome::Exited(Some(7)));
    let ended = function.wait(Duration::from_secs(5)).await;
    assert_eq!(ended.status.unwrap().code(), Some(7));
    assert_eq!(ended.stderr, "behaviour `exit`\n");
}

#[tokio::test]
async fn an_init_error_is_more_than_the_exit_that_follows() {
    let (api, function) = start("init_error").await;
    function.wait(Duration::from_secs(5)).await;
    let outcome = api.invoke("{}").await.outcome;
    assert!(matches!(&outcome, Outcome::InitError(error) if error.message == "cannot start"), "{outcome:?}");
}

#[tokio::test]
async fn a_hanging_function_costs_no_more_than_the_limit() {
    let (api, function) = start_within(Duration::from_millis(200), "hang").await;
    assert_eq!(api.invoke("{}").await.outcome, Outcome::TimedOut);
    assert_eq!(function.wait(Duration::from_millis(50)).await.status.unwrap().code(), None);
}

#[tokio::test]
async fn the_next_function_serves_the_same_runtime_api() {
    let (api, function) = start("exit").await;
    function.wait(Duration::from_secs(5)).await;
    let function = FunctionProcess::spawn(example(), [("", ""); 0], &api).unwrap();
    assert!(api.invoke("{}").await.outcome.response().is_some());
    drop(function);
    assert_eq!(api.invoke("{}").await.outcome, Outcome::Exited(None));
}
