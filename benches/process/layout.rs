//! `make layout`: which functions of the deployed binary lie together. Those that a start executes come first, then those
//! of a decision, then those of a fetch over TLS: the kernel maps a binary in pieces of 64 KB around what is touched, and
//! everything else is in pieces that nobody touches.
//!
//! A function is named without its hash, which changes with every version: the name may be that of several instances of a
//! generic function. Where most of them are not executed, they come last, so that they do not thin the others out.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use authorizer_cli::signing::{Algorithm, SigningKey, key_set};

use crate::key_servers::KeyServers;
use crate::options::Options;
use crate::process::Process;
use crate::runtime_api::RuntimeApi;
use crate::subjects::{Kind, Subject, Way};
use crate::tokens::{AUDIENCE, ISSUER, forged, request_event, token, token_event};

/// Algorithms whose verification is not the same code.
const ALGORITHMS: [Algorithm; 4] = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];

/// A configuration in which each part has something to do.
const RULES: &str = r#"
[[rule]]
name     = "read orders"
routes   = ["GET /orders", "GET /orders/**"]
requires = { scope = "orders:read" }

[[rule]]
name     = "own profile"
routes   = ["ANY /users/{claims.sub}/**"]
requires = { all = [{ claim = "groups", contains = "customers" }, { claim = "tenant", equals = "northwind-logistics-europe" }] }

[response]
reason_key = "reason"

[response.context]
tenant = "tenant"
"#;

/// The linker script.
pub(crate) fn script(options: &Options, servers: &mut KeyServers, directory: &Path) -> String {
    let keys = ALGORITHMS.map(|algorithm| SigningKey::generate(algorithm, format!("{algorithm:?}")).unwrap());
    let key_set = key_set(&keys);
    servers.publish("/layout", &key_set);
    fs::write(directory.join("layout.json"), key_set.to_string()).unwrap();
    let of_package = "jwks_file = \"layout.json\"\n".to_owned();
    let over_tls = format!("jwks_uri = \"{}/layout\"\nca_file = \"authority.pem\"\n", servers.tls);
    let events = events(&keys);
    let mut functions = Functions::of(&options.traced);
    for (name, source, events) in [
        ("a start", &of_package, &[][..]),
        ("a decision", &of_package, &events),
        ("a fetch over TLS", &over_tls, &events),
    ] {
        let configuration = directory.join("layout.toml");
        let issuer = format!("[[issuer]]\nurl = \"{ISSUER}\"\naudience = \"{AUDIENCE}\"\n{source}");
        fs::write(&configuration, issuer + RULES).unwrap();
        let trace = directory.join("layout.trace");
        functions.add(name, &executed(&traced(options, &configuration, &trace), events, &trace));
    }
    functions.script()
}

/// What callers send, and what attackers do. The second time a token is one that was seen before.
fn events(keys: &[SigningKey]) -> Vec<Vec<u8>> {
    let allowed = keys.iter().enumerate().map(|(number, key)| token(key, number, 3600));
    let tokens: Vec<String> = allowed.collect();
    let refused = [token(&keys[0], 9, -3600), forged(&tokens[0]), "none".to_owned()];
    let all = || tokens.iter().chain(&refused);
    all().map(|token| token_event(token)).chain(all().map(|token| request_event(token))).collect()
}

/// The function, executed by valgrind.
fn traced(options: &Options, configuration: &Path, trace: &Path) -> Subject {
    let flags = ["--tool=callgrind", "--demangle=no", "--compress-strings=no"];
    let output = format!("--callgrind-out-file={}", trace.display());
    Subject {
        kind: Kind::Static,
        way: Way::Package,
        name: "the traced function".to_owned(),
        program: "valgrind".into(),
        arguments: flags.into_iter().map(Into::into).chain([output.into(), options.traced.clone()]).collect(),
        environment: vec![("AUTHORIZER_CONFIG_FILE", configuration.display().to_string())],
    }
}

/// The names of the functions that the process executes with these events.
fn executed(subject: &Subject, events: &[Vec<u8>], trace: &Path) -> HashSet<String> {
    let api = RuntimeApi::start();
    let process = Process::start(subject, &api, None, false);
    api.wait_for_rest();
    for event in events {
        api.put(vec![event.clone()], 1);
        api.answers().unwrap_or_else(|fault| panic!("{}: {fault}", subject.name));
    }
    api.wait_for_rest();
    // Without a Runtime API the function ends by itself, and valgrind writes what it saw.
    drop(api);
    process.wait();
    let text = fs::read_to_string(trace).unwrap();
    // `fn=name`, or `fn=name'2` where it calls itself.
    let names = text.lines().filter_map(|line| line.strip_prefix("fn=")?.split('\'').next());
    names.map(ToOwned::to_owned).collect()
}

/// Without what changes with every version of the compiler and of the crate.
fn pattern(symbol: &str) -> String {
    // The hash of Rust's legacy mangling: `17h`, sixteen digits and `E`, perhaps with more behind it.
    const HASH: &str = "17h";
    match symbol.rfind(HASH) {
        Some(start) if symbol.starts_with("_ZN") && symbol.len() >= start + HASH.len() + 17 => {
            format!("{}{HASH}*", &symbol[..start])
        }
        _ => symbol.to_owned(),
    }
}

/// The functions of each part, each once: where it is executed first.
struct Functions {
    /// The bytes of each, by its whole name.
    sizes: HashMap<String, u64>,
    /// The bytes of all that have the same name but for the hash.
    sizes_alike: HashMap<String, u64>,
    seen: HashSet<String>,
    parts: Vec<(&'static str, Vec<String>)>,
    executed: HashMap<String, u64>,
}

impl Functions {
    /// Of a program that is not stripped.
    fn of(program: &Path) -> Self {
        let output = Command::new("nm").arg("-S").arg(program).output().unwrap();
        let (mut sizes, mut sizes_alike) = (HashMap::new(), HashMap::new());
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            if let [_, size, "t" | "T" | "w" | "W", name] = line.split(' ').collect::<Vec<_>>()[..] {
                let size = u64::from_str_radix(size, 16).unwrap();
                sizes.insert(name.to_owned(), size);
                *sizes_alike.entry(pattern(name)).or_default() += size;
            }
        }
        let (seen, parts, executed) = (HashSet::new(), Vec::new(), HashMap::new());
        Self { sizes, sizes_alike, seen, parts, executed }
    }

    fn add(&mut self, part: &'static str, names: &HashSet<String>) {
        let mut new = Vec::new();
        let mut names: Vec<_> = names.iter().filter(|name| self.sizes.contains_key(*name)).collect();
        names.sort();
        for name in names {
            if self.seen.insert(name.clone()) {
                let pattern = pattern(name);
                let executed = self.executed.entry(pattern.clone()).or_insert_with(|| {
                    new.push(pattern);
                    0
                });
                *executed += self.sizes[name];
            }
        }
        eprintln!("{part}: {} functions", new.len());
        assert!(!new.is_empty(), "nothing is known of {part}: is the traced program stripped?");
        self.parts.push((part, new));
    }

    /// Whether most of what has this name is never executed.
    fn is_thin(&self, pattern: &str) -> bool {
        self.sizes_alike[pattern] > 2 * self.executed[pattern]
    }

    fn script(&self) -> String {
        const HEAD: &str =
            "/* Written by `make layout`: which functions lie together. docs/performance.md says why. */\n";
        let mut script = format!("{HEAD}SECTIONS\n{{\n  .text.warm :\n  {{\n");
        let mut write = |part: &str, names: Vec<&String>| {
            let bytes: u64 = names.iter().map(|name| self.sizes_alike[*name]).sum();
            eprintln!("{part}: {bytes} bytes");
            writeln!(script, "    /* {part} */").unwrap();
            names.iter().for_each(|name| writeln!(script, "    *(.text.{name})").unwrap());
        };
        for (part, names) in &self.parts {
            write(part, names.iter().filter(|name| !self.is_thin(name)).collect());
        }
        let all = self.parts.iter().flat_map(|(_, names)| names);
        write("of several, few are executed", all.filter(|name| self.is_thin(name)).collect());
        script + "  }\n}\nINSERT BEFORE .text;\n"
    }
}
