//! The function as it is deployed: the built binary between a Lambda Runtime API and an issuer, and what
//! may be asked of it. All three are on loopback.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use authorizer_cli::function::FunctionProcess;
use authorizer_cli::gateway::Gateway;
use authorizer_cli::issuer::DevelopmentIssuer;
use authorizer_cli::runtime_api::{Invocation, Outcome, RuntimeApi};
use authorizer_cli::signing::{Algorithm, SigningKey};
use serde_json::{Value, json};

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_lambda-authorizer");

/// A running function, beside its issuer or its issuers.
pub(crate) struct Function<I = DevelopmentIssuer> {
    pub(crate) issuer: I,
    pub(crate) process: FunctionProcess,
    api: RuntimeApi,
    payloads: Mutex<Vec<String>>,
}

/// The parts of a configuration that a test may care about, as TOML.
#[derive(Clone, Copy, Default)]
pub(crate) struct Settings<'a> {
    /// Of the `[[issuer]]`, beside its URL and audience.
    pub(crate) issuer: &'a str,
    /// Of `[key_set]`.
    pub(crate) key_set: &'a str,
    /// Rules, `[response]`, and other sections.
    pub(crate) sections: &'a str,
}

/// Longer than anything takes on a machine that has other things to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// An event and what became of it.
pub(crate) struct Answer {
    event: Value,
    outcome: Outcome,
    /// The line in the log.
    pub(crate) record: Value,
}

/// Everything that the function could ever say.
pub(crate) const LOUD: [(&str, &str); 2] = [("AWS_LAMBDA_LOG_LEVEL", "TRACE"), ("RUST_LOG", "trace")];

impl Function {
    /// A function whose issuer is found by discovery.
    pub(crate) async fn start(settings: Settings<'_>) -> Self {
        Self::start_with(settings, LOUD).await
    }

    pub(crate) async fn start_with<const N: usize>(
        settings: Settings<'_>,
        environment: [(&str, &str); N],
    ) -> Self {
        let issuer = DevelopmentIssuer::start(keys()).await.unwrap();
        let configuration = settings.toml(issuer.url());
        let environment = [("AUTHORIZER_CONFIG", configuration.as_str())].into_iter().chain(environment);
        Self::spawn(issuer, environment, RuntimeApi::TIME_LIMIT).await
    }
}

impl<I> Function<I> {
    /// A function in this environment, each of whose events may take so long.
    pub(crate) async fn spawn<'a>(
        issuer: I,
        environment: impl IntoIterator<Item = (&'a str, &'a str)>,
        limit: Duration,
    ) -> Self {
        Self::spawn_other(Path::new(BINARY), issuer, environment, limit).await
    }

    /// The same of another binary than the one that is deployed.
    pub(crate) async fn spawn_other<'a>(
        binary: &Path,
        issuer: I,
        environment: impl IntoIterator<Item = (&'a str, &'a str)>,
        limit: Duration,
    ) -> Self {
        let api = RuntimeApi::with_time_limit(limit).await.unwrap();
        let process = FunctionProcess::spawn(binary, environment, &api).unwrap();
        Self { issuer, process, api, payloads: Mutex::default() }
    }

    /// Puts an event to the function.
    pub(crate) async fn ask(&self, event: &Value) -> Answer {
        let invocation = self.invoke(event.to_string()).await;
        let record = self.process.log_record(&invocation.request_id).await.expect("no line in the log");
        Answer { event: event.clone(), outcome: invocation.outcome, record }
    }

    /// Puts bytes to the function that may be no event.
    pub(crate) async fn invoke(&self, payload: impl Into<Vec<u8>>) -> Invocation {
        let payload = payload.into();
        self.payloads.lock().unwrap().push(String::from_utf8_lossy(&payload).into_owned());
        self.api.invoke(payload).await
    }

    /// Asks until the answer is an allow; until then it may be a fault, never a refusal.
    pub(crate) async fn recovers(&self, event: &Value, what: &str) {
        let started = Instant::now();
        loop {
            let answer = self.ask(event).await;
            if answer.status() == 200 {
                return answer.is_allowed(what);
            }
            answer.is_a_fault("key_set_unavailable", what);
            assert!(started.elapsed() < PATIENCE, "{what}: no recovery");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Rule Z8 and "panic-free", for the whole run: stops the function, which must still have been
    /// alive, and looks at everything that it wrote.
    pub(crate) async fn ends_without_a_trace_of_tokens(self) {
        let ended = self.process.stop().await;
        assert_eq!(ended.status.unwrap().code(), None, "it had ended by itself");
        assert_eq!(ended.stderr, "");
        for line in ended.stdout.lines() {
            let record: Value = serde_json::from_str(line).expect("a line that is not JSON");
            assert_ne!(record["message"], "panic", "{line}");
        }
        assert!(!ended.stdout.contains("eyJ"), "the start of a token");
        for payload in self.payloads.lock().unwrap().iter() {
            for part in
                payload.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_".contains(letter)))
            {
                assert!(part.len() < 40 || !ended.stdout.contains(part), "a part of a token: {part}");
            }
        }
    }
}

/// Keys of several kinds, two of them of the same. The first signs what the issuer mints.
pub(crate) fn keys() -> [SigningKey; 4] {
    [
        (Algorithm::ES256, "first"),
        (Algorithm::ES256, "second"),
        (Algorithm::ES384, "third"),
        (Algorithm::EdDSA, "fourth"),
    ]
    .map(|(algorithm, kid)| SigningKey::generate(algorithm, kid).unwrap())
}

impl Settings<'_> {
    /// The configuration, with the issuer of this URL.
    pub(crate) fn toml(self, url: &str) -> String {
        let Self { issuer, key_set, sections } = self;
        format!(
            "development = true\n[[issuer]]\nurl = '{url}'\naudience = 'orders-api'\n{issuer}\n\
             {sections}\n[key_set]\n{key_set}\n"
        )
    }
}

impl Answer {
    /// What the client gets, as far as a policy answer decides it.
    pub(crate) fn status(&self) -> u16 {
        self.status_from_cache(&self.event)
    }

    /// What the client of an event gets that API Gateway answers with this, as it does out of its cache.
    pub(crate) fn status_from_cache(&self, other: &Value) -> u16 {
        Gateway::default().status(other, &self.outcome)
    }

    pub(crate) fn is_allowed(&self, what: &str) {
        assert_eq!(self.status(), 200, "{what}: {} {:?}", self.record, self.outcome);
        assert_eq!(self.record["decision"], "allow", "{what}");
        assert_eq!(self.record.get("reason"), None, "{what}");
    }

    /// Rule Z7: an explicit Deny on everything, for nobody, with nothing of the token in it.
    pub(crate) fn is_refused(&self, reason: &str, what: &str) {
        self.is_logged_as("deny", reason, what);
        assert_eq!(self.record.get("principal"), None, "{what}");
        let everything = json!({"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": ["*"]});
        let expected = json!({
            "principalId": "anonymous",
            "policyDocument": {"Version": "2012-10-17", "Statement": [everything]},
        });
        assert_eq!(self.json(), expected, "{what}");
        assert_eq!(self.status(), 403, "{what}");
    }

    /// The error that API Gateway turns into 401, to the letter.
    pub(crate) fn is_unauthorized(&self, reason: &str, what: &str) {
        self.is_logged_as("deny", reason, what);
        let error = self.outcome.error().unwrap_or_else(|| panic!("{what}: {:?}", self.outcome));
        assert_eq!(error.message, "Unauthorized", "{what}");
        assert_eq!(self.status(), 401, "{what}");
    }

    /// Rule Z6: an error that is no 401, and no answer that API Gateway would cache.
    pub(crate) fn is_a_fault(&self, code: &str, what: &str) {
        self.is_logged_as("fault", code, what);
        is_internal_error(&self.outcome, code, what);
        assert_eq!(self.status(), 500, "{what}");
    }

    /// The answer that was posted.
    pub(crate) fn json(&self) -> Value {
        self.outcome.response().unwrap_or_else(|| panic!("no answer: {:?}", self.outcome))
    }

    fn is_logged_as(&self, decision: &str, reason: &str, what: &str) {
        let logged = (&self.record["decision"], &self.record["reason"]);
        assert_eq!(logged, (&json!(decision), &json!(reason)), "{what}: {}", self.record);
    }
}

/// The error that says nothing to the client, and the fault's code to whoever reads the invocation.
pub(crate) fn is_internal_error(outcome: &Outcome, code: &str, what: &str) {
    let error = outcome.error().unwrap_or_else(|| panic!("{what}: {outcome:?}"));
    assert_eq!((error.message.as_str(), error.error_type.as_str()), ("InternalError", code), "{what}");
}
