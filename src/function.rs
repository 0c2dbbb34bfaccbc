//! [`Function`]: loads its configuration, and answers events until Lambda stops it.

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::tower::util::ThenLayer;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;

use crate::authorizer::{Authorizer, CustomVerifier};
use crate::config::{Config, CustomKind, Environment};
use crate::event::Event;
use crate::io::{Edges, StandardOutput};
use crate::telemetry::{self, Level};
use crate::verify::CredentialVerifier;

/// The Lambda function: its `main` is `Function::new().run()`.
///
/// ```no_run
/// # use lambda_authorizer::error::CustomCode;
/// # use lambda_authorizer::verify::{Asked, CredentialVerifier, Presented, Verification};
/// use lambda_authorizer::{Function, Setup};
///
/// # struct Tickets;
/// # impl CredentialVerifier for Tickets {
/// #     fn is_meant(&self, _: &Presented<'_>) -> bool { false }
/// #     fn verify<'a>(&'a self, _: Asked<'a>) -> Verification<'a> {
/// #         Box::pin(async { Err(CustomCode::new("ticket_forged").refusal("no ticket is taken here")) })
/// #     }
/// # }
/// # impl Tickets { fn new(_: &Setup<'_>) -> Result<Self, String> { Ok(Self) } }
/// fn main() -> std::process::ExitCode {
///     Function::new().verifying("ticket", Tickets::new).run()
/// }
/// ```
#[derive(Default)]
pub struct Function {
    makers: BTreeMap<&'static str, Maker>,
}

type Failure = Box<dyn Error + Send + Sync>;
type Maker = Box<dyn FnOnce(&Setup<'_>) -> Result<Arc<dyn CredentialVerifier>, Failure>>;

/// What a verifier in code of one's own is made of, at the start.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Setup<'a> {
    /// Its `[[custom]]`.
    pub kind: &'a CustomKind,
    /// The environment variables. Names that begin with `AUTHORIZER_` are the configuration's.
    pub environment: &'a Environment,
    /// The clock, the HTTP client and the log that the function uses.
    pub edges: &'a Edges,
}

impl Function {
    /// The function as it is deployed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, which also verifies credentials of this kind, where the configuration has it as a `[[custom]]`. Then `make` is
    /// called, once, at the start; what it cannot do without is why the function does not start.
    #[must_use]
    pub fn verifying<V, E>(
        mut self,
        kind: &'static str,
        make: impl FnOnce(&Setup<'_>) -> Result<V, E> + 'static,
    ) -> Self
    where
        V: CredentialVerifier,
        E: Into<Failure>,
    {
        let make: Maker = Box::new(|setup| Ok(Arc::new(make(setup).map_err(Into::into)?)));
        self.makers.insert(kind, make);
        self
    }

    /// Answers events until Lambda stops it. Comes back where it cannot start; why stands in the log.
    #[must_use]
    pub fn run(self) -> ExitCode {
        telemetry::quiet_panics();
        match self.start() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                telemetry::log_start_failure(&StandardOutput::open(), error.as_ref());
                ExitCode::FAILURE
            }
        }
    }

    fn start(self) -> Result<(), Failure> {
        let environment = environment();
        let level = Level::named(environment.variables.get("AWS_LAMBDA_LOG_LEVEL").map(String::as_str));
        let config = Config::load(&environment)?;
        let edges = Edges::of_this_machine();
        let custom = self.custom(&config, &environment, &edges)?;
        // Lambda hands over one event at a time, for which one thread is enough; a Managed Instance says how many.
        let runtime = match environment.concurrency() {
            1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            _ => tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
        };
        let authorizer = Authorizer::extended(config, level, edges, custom);
        runtime.block_on(answer_events(authorizer, environment.concurrency()))
    }

    /// A verifier for each kind that the configuration has.
    fn custom(
        mut self,
        config: &Config,
        environment: &Environment,
        edges: &Edges,
    ) -> Result<Vec<CustomVerifier>, Failure> {
        config.verified_in_code(&self.makers.keys().copied().collect::<Vec<_>>())?;
        let mut verifiers = Vec::new();
        for kind in &config.custom {
            if let Some((name, make)) = self.makers.remove_entry(&*kind.name) {
                let verifier = make(&Setup { kind, environment, edges });
                verifiers.push((name, verifier.map_err(|error| format!("`{name}`: {error}"))?));
            }
        }
        Ok(verifiers)
    }
}

async fn answer_events(authorizer: Authorizer, concurrency: u32) -> Result<(), Failure> {
    let authorizer = Arc::new(authorizer);
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
