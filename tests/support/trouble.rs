//! The function beside an issuer in trouble: how it is started, frozen and looked into.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use authorizer_cli::issuer::unix_time;
use authorizer_cli::runtime_api::RuntimeApi;
use lambda_authorizer::jwks::KeySetFile;
use serde_json::Value;

use crate::key_server::KeyServer;
use crate::process::{Answer, Function, LOUD, PATIENCE, Settings, is_internal_error};

/// A directory beside which a function is started. It goes when the test does.
pub(crate) struct Package(PathBuf);

impl Package {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("package-{}-{number}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    /// With the key set that this issuer has now, fetched so many seconds ago, as `keys.json`.
    pub(crate) fn with_keys_of(issuer: &KeyServer, age: u32) -> Self {
        let fetched_at = u32::try_from(unix_time()).unwrap() - age;
        let package = Self::new();
        package.write(
            "keys.json",
            &KeySetFile::text(issuer.url(), fetched_at, issuer.key_set().as_bytes()).unwrap(),
        );
        package
    }

    /// The setting of an issuer that names `keys.json`.
    pub(crate) fn setting(&self) -> String {
        format!("initial_jwks_file = '{}'", self.path("keys.json"))
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Package {
    fn drop(&mut self) {
        let _test_is_over = std::fs::remove_dir_all(&self.0);
    }
}

impl Function<KeyServer> {
    /// A function of an issuer in trouble, which is found by discovery.
    pub(crate) async fn of(issuer: KeyServer, settings: Settings<'_>) -> Self {
        let configuration = settings.toml(issuer.url());
        Self::configured(issuer, &configuration, RuntimeApi::TIME_LIMIT).await
    }

    /// Asks until the issuer is asked, and that is the answer: whatever pause or cool-down there is, is over
    /// then. Until then it is no allow.
    pub(crate) async fn ask_until_it_asks(&self, event: &Value, what: &str) -> Answer {
        let (started, before) = (Instant::now(), self.issuer.diary().connections);
        loop {
            let answer = self.ask(event).await;
            if self.issuer.diary().connections > before {
                return answer;
            }
            assert_ne!(answer.status(), 200, "{what}");
            assert!(started.elapsed() < PATIENCE, "{what}: the issuer is not asked");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl<I> Function<I> {
    /// A function with this configuration, each of whose events may take so long.
    pub(crate) async fn configured(issuer: I, configuration: &str, limit: Duration) -> Self {
        let environment = [("AUTHORIZER_CONFIG", configuration)].into_iter().chain(LOUD);
        Self::spawn(issuer, environment, limit).await
    }

    /// Waits until it has started, and takes events.
    pub(crate) async fn takes_events(&self) {
        is_internal_error(&self.invoke("{}").await.outcome, "event_malformed", "an event without a type");
    }

    /// Stops the process as Lambda does between events: not a thread of it runs until it is thawed.
    pub(crate) fn freezes(&self) {
        self.signal("-STOP");
        let is_stopped = || self.file("stat").rsplit_once(") ").unwrap().1.starts_with('T');
        let started = Instant::now();
        while !is_stopped() {
            assert!(started.elapsed() < PATIENCE, "it does not stop");
            std::thread::yield_now();
        }
    }

    pub(crate) fn thaws(&self) {
        self.signal("-CONT");
    }

    /// The most memory that the process ever had, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = self.file("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// What befell the key sets, in the log's words.
    pub(crate) fn key_set_events(&self) -> Vec<String> {
        let records = self.process.stdout();
        let records = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let messages = records.map(|record| record["message"].as_str().unwrap().to_owned());
        messages.filter(|message| message.starts_with("key set")).collect()
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// A file of the operating system's about the process.
    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.process.id().unwrap())).unwrap()
    }
}
