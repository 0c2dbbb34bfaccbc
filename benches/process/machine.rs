//! What the figures were measured on.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::options::Options;

/// One line of Markdown for each fact.
pub(crate) fn facts(options: &Options) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let facts = [
        ("measured", said_by(Path::new("date"), &["-u", "+%-d %B %Y"])),
        ("processor", Some(format!("{}, {cores} cores", processor().unwrap_or_default()))),
        ("kernel", fs::read_to_string("/proc/sys/kernel/osrelease").ok()),
        ("C library", said_by(Path::new("getconf"), &["GNU_LIBC_VERSION"])),
        ("Rust", said_by(Path::new("rustc"), &["--version"])),
        (
            "Node",
            said_by(&options.node, &["--version"])
                .map(|version| format!("{}, aws-jwt-verify {}", version.trim(), aws_jwt_verify(options))),
        ),
        ("Python", said_by(&options.python, &["-c", PYTHON])),
        ("load before", load()),
    ];
    let lines = facts
        .into_iter()
        .map(|(name, fact)| format!("| {name} | {} |\n", fact.as_deref().map_or("none", str::trim)));
    format!("| | |\n|---|---|\n{}", lines.collect::<String>())
}

const PYTHON: &str = "import platform, jwt, cryptography; \
    print(f'{platform.python_version()}, PyJWT {jwt.__version__}, cryptography {cryptography.__version__}')";

fn said_by(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let of = |name| text.lines().find_map(|line| line.strip_prefix(name)?.split(':').nth(1).map(str::trim));
    let name = of("model name")?;
    // A machine that hides the name still tells its generation.
    Some(format!("{name} (family {}, model {})", of("cpu family")?, of("model\t")?))
}

fn aws_jwt_verify(options: &Options) -> String {
    let manifest = fs::read_to_string(options.node_modules.join("aws-jwt-verify/package.json"));
    let manifest = manifest.ok().and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    manifest.and_then(|manifest| Some(manifest["version"].as_str()?.to_owned())).unwrap_or_default()
}

/// What else ran in the last minute, in processors.
fn load() -> Option<String> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next().map(str::to_owned)
}
