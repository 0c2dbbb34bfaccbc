//! The Lambda function: loads its configuration, and answers events until Lambda stops it.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lambda_authorizer::config::{Config, Environment};
use lambda_authorizer::event::Event;
use lambda_authorizer::io::{Edges, StandardOutput};
use lambda_authorizer::{Authorizer, Level, telemetry};
use lambda_runtime::tower::util::ThenLayer;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;

fn main() -> ExitCode {
    telemetry::quiet_panics();
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            telemetry::log_start_failure(&StandardOutput::open(), error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), lambda_runtime::Error> {
    let environment = environment();
    let level = Level::named(environment.variables.get("AWS_LAMBDA_LOG_LEVEL").map(String::as_str));
    let config = Config::load(&environment)?;
    // Lambda hands over one event at a time, for which one thread is enough; a Managed Instance says how many.
    let runtime = match environment.concurrency() {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        _ => tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
    };
    runtime.block_on(run(config, level, environment.concurrency()))
}

async fn run(config: Config, level: Level, concurrency: u32) -> Result<(), lambda_runtime::Error> {
    let authorizer = Arc::new(Authorizer::new(config, level, Edges::of_this_machine()));
    authorizer.prefetch().await;
    let (answering, lingering) = (Arc::clone(&authorizer), authorizer);
    let answer = move |event: LambdaEvent<Box<RawValue>>| {
        let authorizer = Arc::clone(&answering);
        async move {
            let deadline = Some(Duration::from_millis(event.context.deadline).as_secs_f64());
            let invocation_id = &event.context.request_id;
            let event = Event { payload: event.payload.get(), invocation_id, deadline };
            authorizer.authorize(event).await.map_err(|failure| Diagnostic {
                error_type: failure.error_type().to_owned(),
                error_message: failure.error_message().to_owned(),
            })
        }
    };
    let linger = move |posted| {
        let authorizer = Arc::clone(&lingering);
        async move {
            // Where several events are answered side by side, the process is not frozen between them.
            if concurrency == 1 {
                authorizer.linger().await;
            }
            posted
        }
    };
    // A layer is around the service that posts the answer, and before the next event is asked for.
    Runtime::new(service_fn(answer)).layer(ThenLayer::new(linger)).run_concurrent().await
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
