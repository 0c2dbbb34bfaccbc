//! The Lambda function: loads its configuration, and answers events until Lambda stops it.

use std::process::ExitCode;
use std::time::Duration;

use lambda_authorizer::config::{Config, Environment};
use lambda_authorizer::event::Event;
use lambda_authorizer::io::{Edges, StandardOutput};
use lambda_authorizer::{Authorizer, Level, telemetry};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;

// One thread: Lambda hands over one event at a time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::quiet_panics();
    let started = async {
        let (authorizer, budget) = &authorizer()?;
        authorizer.prefetch(*budget).await;
        let answer = async |event: LambdaEvent<Box<RawValue>>| {
            let deadline = Duration::from_millis(event.context.deadline).as_secs_f64();
            let event = Event {
                payload: event.payload.get(),
                invocation_id: &event.context.request_id,
                deadline: Some(deadline),
            };
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

/// With the time that its start may take.
fn authorizer() -> Result<(Authorizer, Duration), lambda_runtime::Error> {
    let environment = environment();
    let level = Level::named(environment.variables.get("AWS_LAMBDA_LOG_LEVEL").map(String::as_str));
    let config = Config::load(&environment)?;
    let budget = config.init;
    Ok((Authorizer::new(config, level, Edges::of_this_machine()), budget))
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
