//! The programs that are measured, and the ways in which they get their keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::key_servers::KeyServers;
use crate::options::Options;
use crate::tokens::{AUDIENCE, ISSUER};

/// A program with all that it needs to be started.
pub(crate) struct Subject {
    pub(crate) kind: Kind,
    pub(crate) way: Way,
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<PathBuf>,
    pub(crate) environment: Vec<(&'static str, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Noop,
    /// Built as the function is deployed: the least that a start can be.
    NoopStatic,
    Template,
    Static,
    Glibc,
    NodeNoop,
    Node,
    Python,
}

/// Where the keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Nowhere,
    Package,
    Plain,
    Tls,
    TlsAtFirstRequest,
}

/// What is there to be measured, and what is not.
pub(crate) struct Subjects {
    pub(crate) subjects: Vec<Subject>,
    /// The names of what is missing, each with the reason.
    pub(crate) missing: Vec<(Kind, String)>,
}

impl Subject {
    /// Whether it looks at tokens at all.
    pub(crate) fn verifies(&self) -> bool {
        !matches!(self.kind, Kind::Noop | Kind::NoopStatic | Kind::Template | Kind::NodeNoop)
    }

    /// Has a program that was built here read from the disk when it is started next, as on Lambda. Since it was linked it
    /// lies in memory in the pieces in which it was written, and the kernel maps it in those.
    pub(crate) fn forget(&self) {
        if matches!(self.kind, Kind::NodeNoop | Kind::Node | Kind::Python) {
            return;
        }
        let mut file = std::ffi::OsString::from("of=");
        file.push(&self.program);
        let arguments = ["oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"];
        let status = Command::new("dd").arg(file).args(arguments).status().unwrap();
        assert!(status.success(), "{} stays in memory", self.program.display());
    }

    pub(crate) fn with_environment(&self, environment: Vec<(&'static str, String)>) -> Self {
        Self {
            name: self.name.clone(),
            program: self.program.clone(),
            arguments: self.arguments.clone(),
            environment,
            ..*self
        }
    }

    /// Told that it may be handed several events at once, if it is this function.
    pub(crate) fn concurrent(&self) -> Self {
        let is_ours = matches!(self.kind, Kind::Static | Kind::Glibc);
        let limit = is_ours.then(|| ("AWS_LAMBDA_MAX_CONCURRENCY", LARGEST_CONCURRENCY.to_string()));
        self.with_environment(self.environment.iter().cloned().chain(limit).collect())
    }
}

/// The most events that are measured at once.
const LARGEST_CONCURRENCY: u32 = 64;

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Noop => "no-op",
            Kind::NoopStatic => "no-op, static",
            Kind::Template => "no-op, as `cargo lambda new` has it",
            Kind::Static => "this function, static",
            Kind::Glibc => "this function, glibc",
            Kind::NodeNoop => "Node, no-op",
            Kind::Node => "Node, aws-jwt-verify",
            Kind::Python => "Python, PyJWT",
        }
    }
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::Nowhere => "",
            Way::Package => "keys in the package",
            Way::Plain => "keys over plain http",
            Way::Tls => "keys over TLS",
            Way::TlsAtFirstRequest => "keys over TLS at the first request",
        }
    }
}

/// All programs that the options name, prepared in this directory.
pub(crate) fn subjects(
    options: &Options,
    directory: &Path,
    servers: &KeyServers,
    key_set: &Value,
) -> Subjects {
    fs::write(directory.join("keys.json"), key_set.to_string()).unwrap();
    let mut found = Subjects { subjects: Vec::new(), missing: Vec::new() };
    let authority = servers.authority.display().to_string();
    let by_url = |way| match way {
        Way::Plain => ("JWKS_URI", format!("{}/keys", servers.plain)),
        Way::Tls | Way::TlsAtFirstRequest => ("JWKS_URI", format!("{}/keys", servers.tls)),
        Way::Nowhere | Way::Package => ("JWKS_FILE", directory.join("keys.json").display().to_string()),
    };
    let peer = |way| vec![("ISSUER", ISSUER.to_owned()), ("AUDIENCE", AUDIENCE.to_owned()), by_url(way)];
    found.add(Kind::Noop, &options.noop.join("noop"), &[], |_| Vec::new(), &[Way::Nowhere]);
    found.add(Kind::NoopStatic, &options.static_noop, &[], |_| Vec::new(), &[Way::Nowhere]);
    found.add(Kind::Template, &options.noop.join("template"), &[], |_| Vec::new(), &[Way::Nowhere]);
    for (kind, program) in [(Kind::Static, &options.artefact), (Kind::Glibc, &options.glibc)] {
        let environment = |way| {
            vec![("AUTHORIZER_CONFIG_FILE", configuration(directory, way, servers).display().to_string())]
        };
        let ways = [Way::Package, Way::Plain, Way::Tls, Way::TlsAtFirstRequest];
        found.add(kind, program, &[], environment, &ways);
    }
    let peers = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/process/peers"));
    let (node, python) = (peers.join("node/function.cjs"), peers.join("python/function.py"));
    let modules = options.node_modules.display().to_string();
    let node_environment = |way| {
        let tls = [("NODE_PATH", modules.clone()), ("NODE_EXTRA_CA_CERTS", authority.clone())];
        peer(way).into_iter().chain(tls).collect()
    };
    found.add(Kind::NodeNoop, &options.node, &[&node], |_| Vec::new(), &[Way::Nowhere]);
    if options.node_modules.join("aws-jwt-verify").is_dir() {
        found.add(Kind::Node, &options.node, &[&node], node_environment, &[Way::Package, Way::Tls]);
    } else {
        found.missing.push((Kind::Node, "aws-jwt-verify is not installed".to_owned()));
    }
    let python_environment =
        |way| peer(way).into_iter().chain([("SSL_CERT_FILE", authority.clone())]).collect();
    if succeeds(&options.python, &["-c", "import jwt, cryptography"]) {
        let ways = [Way::Package, Way::Plain, Way::Tls];
        found.add(Kind::Python, &options.python, &[&python], python_environment, &ways);
    } else {
        found.missing.push((Kind::Python, "no Python with PyJWT".to_owned()));
    }
    for (kind, reason) in &found.missing {
        eprintln!("not measured: {}: {reason}", kind.name());
    }
    found
}

impl Subjects {
    fn add(
        &mut self,
        kind: Kind,
        program: &Path,
        arguments: &[&PathBuf],
        environment: impl Fn(Way) -> Vec<(&'static str, String)>,
        ways: &[Way],
    ) {
        if !program.is_file() {
            self.missing.push((kind, "the program is not there".to_owned()));
            return;
        }
        self.subjects.extend(ways.iter().map(|way| {
            Subject {
                kind,
                way: *way,
                name: [kind.name(), way.name()]
                    .into_iter()
                    .filter(|name| !name.is_empty())
                    .collect::<Vec<_>>()
                    .join(", "),
                program: program.to_owned(),
                arguments: arguments.iter().copied().cloned().collect(),
                environment: environment(*way),
            }
        }));
    }
}

/// Writes the function's configuration for this way.
fn configuration(directory: &Path, way: Way, servers: &KeyServers) -> PathBuf {
    let issuer = format!("[[issuer]]\nurl = \"{ISSUER}\"\naudience = \"{AUDIENCE}\"\n");
    let (plain, tls) = (&servers.plain, &servers.tls);
    let over_tls = format!("jwks_uri = \"{tls}/keys\"\nca_file = \"authority.pem\"\n");
    let text = match way {
        Way::Nowhere | Way::Package => format!("{issuer}jwks_file = \"keys.json\"\n"),
        Way::Plain => format!("development = true\n{issuer}jwks_uri = \"{plain}/keys\"\n"),
        Way::Tls => format!("{issuer}{over_tls}"),
        Way::TlsAtFirstRequest => format!("{issuer}{over_tls}[key_set]\ninit_milliseconds = 0\n"),
    };
    let path = directory.join(format!("{way:?}.toml"));
    fs::write(&path, text).unwrap();
    path
}

fn succeeds(program: &Path, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}
