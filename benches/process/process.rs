//! Processes as Lambda starts them: with a clean environment and an event that waits, and with no more of a processor
//! than they are given. What they use is read from `/proc`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::runtime_api::RuntimeApi;
use crate::subjects::Subject;

/// A process that is ended when it is dropped.
pub(crate) struct Process {
    child: Child,
    started_at: Instant,
    /// What was used in this process before the program was.
    cpu_before: Duration,
}

impl Process {
    /// Starts the program, in the group if there is one.
    pub(crate) fn start(subject: &Subject, api: &RuntimeApi, group: Option<&Group>, is_shown: bool) -> Self {
        let mut command = match group {
            None => Command::new(&subject.program),
            Some(group) => {
                let mut shell = Command::new("/bin/sh");
                // Everything is ready before the clock runs: what it measures is the `exec`.
                shell.args(["-c", r#"echo $$ >"$0"; read -r _; exec "$@" </dev/null"#]);
                shell.arg(group.processes()).arg(&subject.program);
                shell
            }
        };
        let output = || if is_shown { Stdio::inherit() } else { Stdio::null() };
        command
            .args(&subject.arguments)
            .env_clear()
            .envs(lambda_environment(api))
            .envs(subject.environment.iter().map(|(name, value)| (name, value)))
            .stdin(if group.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(output())
            .stderr(output());
        let mut started_at = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", subject.name));
        let mut cpu_before = Duration::ZERO;
        if let Some(group) = group {
            group.wait_for(child.id());
            cpu_before = cpu_time(child.id());
            let mut pipe = child.stdin.take().unwrap();
            started_at = Instant::now();
            pipe.write_all(b"\n").unwrap();
        }
        api.watch(child.id());
        Self { child, started_at, cpu_before }
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(mut self) {
        let _status = self.child.wait();
    }

    pub(crate) fn since_start(&self, moment: Instant) -> Duration {
        moment - self.started_at
    }

    /// What of this processor time was used since the program was started.
    pub(crate) fn own(&self, cpu: Duration) -> Duration {
        cpu - self.cpu_before
    }

    /// The processor time of all its threads.
    pub(crate) fn cpu(&self) -> Duration {
        self.own(cpu_time(self.child.id()))
    }

    /// Resident memory in KB, by its name in `/proc/…/status`: `VmHWM` is the most there was.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _already_gone = self.child.kill();
        let _status = self.child.wait();
    }
}

/// User and system time of all threads. `stat` counts in steps of 10 ms, `schedstat` in nanoseconds.
pub(crate) fn cpu_time(process: u32) -> Duration {
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else { return Duration::ZERO };
    let of_task = |path: PathBuf| -> Option<u64> {
        fs::read_to_string(path.join("schedstat")).ok()?.split(' ').next()?.parse().ok()
    };
    Duration::from_nanos(tasks.flatten().filter_map(|task| of_task(task.path())).sum())
}

/// A control group with a part of one processor, in periods of 20 ms as on Lambda.
pub(crate) struct Group {
    directory: PathBuf,
}

impl Group {
    /// A group of this percentage, or why there is none.
    pub(crate) fn new(percent: u32) -> Result<Self, String> {
        const PERIOD: u32 = 20_000;
        let quota = PERIOD / 100 * percent;
        let name = format!("lambda-authorizer-{}", std::process::id());
        let first = Path::new("/sys/fs/cgroup/cpu");
        let second = Path::new("/sys/fs/cgroup");
        let (directory, settings) = if first.join("cpu.cfs_quota_us").exists() {
            let settings =
                [("cpu.cfs_period_us", PERIOD.to_string()), ("cpu.cfs_quota_us", quota.to_string())];
            (first.join(name), settings.to_vec())
        } else if fs::read_to_string(second.join("cgroup.subtree_control"))
            .is_ok_and(|controllers| controllers.split_whitespace().any(|name| name == "cpu"))
        {
            (second.join(name), vec![("cpu.max", format!("{quota} {PERIOD}"))])
        } else {
            return Err("this machine has no `cpu` controller for control groups".to_owned());
        };
        let fault = |error: std::io::Error| format!("no control group can be made here: {error}");
        fs::create_dir(&directory).map_err(fault)?;
        let group = Self { directory };
        for (setting, value) in settings {
            fs::write(group.directory.join(setting), value).map_err(fault)?;
        }
        Ok(group)
    }

    fn processes(&self) -> PathBuf {
        self.directory.join("cgroup.procs")
    }

    /// Waits until the process has come in, and has come to rest.
    fn wait_for(&self, process: u32) {
        let process = process.to_string();
        let deadline = Instant::now() + Duration::from_secs(10);
        while !fs::read_to_string(self.processes()).unwrap().lines().any(|line| line == process) {
            assert!(Instant::now() < deadline, "the process does not come into its control group");
            std::thread::sleep(Duration::from_millis(1));
        }
        // Two periods: it begins with a full one.
        std::thread::sleep(Duration::from_millis(40));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The last process may still be leaving.
        for _ in 0..100 {
            if fs::remove_dir(&self.directory).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// What Lambda sets, but for what would let a `development` configuration be refused.
fn lambda_environment(api: &RuntimeApi) -> Vec<(&'static str, String)> {
    let variables = [
        ("AWS_DEFAULT_REGION", "eu-central-1"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_NAME", "authorizer"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/authorizer"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/29/[$LATEST]5c1a3e0c8f2b4d6e9a7b1c3d5e7f9a0b"),
        ("AWS_REGION", "eu-central-1"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
        ("_X_AMZN_TRACE_ID", "Root=1-645150f9-573ffa3016d1eb004e4d4c18;Sampled=0"),
    ];
    let own = ("AWS_LAMBDA_RUNTIME_API", api.address());
    variables.map(|(name, value)| (name, value.to_owned())).into_iter().chain([own]).collect()
}
