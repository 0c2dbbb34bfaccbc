//! The Lambda function: loads its configuration, and answers events until Lambda stops it.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_authorizer::config::{Config, Environment};
use lambda_authorizer::event::Event;
use lambda_authorizer::io::{Edges, HttpClient, StandardOutput, SystemClock};
use lambda_authorizer::{Authorizer, Level, telemetry};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;

// One thread: Lambda hands over one event at a time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::quiet_panics();
    let started = async {
        let authorizer = &authorizer()?;
        let answer = async |event: LambdaEvent<Box<RawValue>>| {
            let event = Event { payload: event.payload.get(), invocation_id: &event.context.request_id };
            authorizer.authorize(event).await.map_err(|failure| Diagnostic {
                error_type: failure.error_type().to_owned(),
                error_message: failure.error_message().to_owned(),
            })
        };
        lambda_runtime::run(service_fn(answer)).await
    };
    match started.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            telemetry::log_start_failure(&StandardOutput, error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn authorizer() -> Result<Authorizer, lambda_runtime::Error> {
    let environment = environment();
    let level = Level::named(environment.variables.get("AWS_LAMBDA_LOG_LEVEL").map(String::as_str));
    let config = Config::load(&environment)?;
    let edges = Edges {
        clock: Arc::new(SystemClock::start()),
        fetch: Arc::new(HttpClient::new(config.timeout)?),
        log: Arc::new(StandardOutput),
    };
    Ok(Authorizer::new(config, level, edges))
}

#[expect(clippy::disallowed_methods, reason = "this is the environment's edge")]
fn environment() -> Environment {
    // A variable that is not Unicode is none of ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let executable = std::env::current_exe().ok();
    Environment {
        variables: variables.collect(),
        directory: executable.and_then(|path| path.parent().map(Into::into)),
    }
}
