//! The Lambda function: loads its configuration, and answers events until Lambda stops it.

use std::cell::Cell;
use std::process::ExitCode;
use std::time::Duration;

use lambda_authorizer::config::{Config, Environment};
use lambda_authorizer::event::Event;
use lambda_authorizer::io::{Edges, StandardOutput};
use lambda_authorizer::{Authorizer, Level, telemetry};
use lambda_runtime::tower::util::ThenLayer;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;

// One thread: Lambda hands over one event at a time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::quiet_panics();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            telemetry::log_start_failure(&StandardOutput, error.as_ref());
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let authorizer = &authorizer()?;
    authorizer.prefetch().await;
    let deadline = &Cell::new(None);
    let answer = async |event: LambdaEvent<Box<RawValue>>| {
        deadline.set(Some(Duration::from_millis(event.context.deadline).as_secs_f64()));
        let invocation_id = &event.context.request_id;
        let event = Event { payload: event.payload.get(), invocation_id, deadline: deadline.get() };
        authorizer.authorize(event).await.map_err(|failure| Diagnostic {
            error_type: failure.error_type().to_owned(),
            error_message: failure.error_message().to_owned(),
        })
    };
    let linger = async |posted| {
        authorizer.linger(deadline.get()).await;
        posted
    };
    // A layer is around the service that posts the answer, and before the next event is asked for.
    Runtime::new(service_fn(answer)).layer(ThenLayer::new(linger)).run().await
}

fn authorizer() -> Result<Authorizer, lambda_runtime::Error> {
    let environment = environment();
    let level = Level::named(environment.variables.get("AWS_LAMBDA_LOG_LEVEL").map(String::as_str));
    Ok(Authorizer::new(Config::load(&environment)?, level, Edges::of_this_machine()))
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
