//! What the documentation says is so.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads the documents, and fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::Path;

use lambda_authorizer::config::Config;
use lambda_authorizer::error::Code;

const DOCUMENTS: [&str; 24] = [
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/api-keys.md",
    "docs/aws.md",
    "docs/basic.md",
    "docs/certificates.md",
    "docs/configuration.md",
    "docs/console.md",
    "docs/design.md",
    "docs/extending.md",
    "docs/gateway.md",
    "docs/introspection.md",
    "docs/oauth.md",
    "docs/operations.md",
    "docs/performance.md",
    "docs/possession.md",
    "docs/reasons.md",
    "docs/revocation.md",
    "docs/rules.md",
    "docs/saml.md",
    "docs/scale.md",
    "docs/threats.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

/// What the documents call a reason is one: `docs/reasons.md` is made from the codes themselves.
#[test]
fn every_reason_named_is_one() {
    let known: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    let reasons = read("docs/reasons.md");
    for code in &known {
        assert!(reasons.contains(&format!("| `{code}` |")), "docs/reasons.md does not explain `{code}`");
    }
    let prefixes = [
        "token_",
        "claim_",
        "key_",
        "credential_",
        "audience_",
        "issuer_",
        "signature_",
        "route_",
        "policy_",
        "resource_",
        "saml_",
    ];
    let settings = [
        "key_id",
        "key_ops",
        "key_set",
        "credential_source",
        "audience_claim",
        "token_cache",
        "token_endpoint",
        "token_exchange",
        "token_introspection",
        "token_use",
        "token_type",
    ];
    let findings = findings();
    for name in DOCUMENTS {
        for word in read(name).split('`').skip(1).step_by(2) {
            let is_code = prefixes.iter().any(|prefix| word.starts_with(prefix))
                && word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
            let is_known = known.contains(&word) || settings.contains(&word) || findings.contains(word);
            assert!(!is_code || is_known, "{name} names `{word}`");
        }
    }
}

/// The codes of the findings, as the sources of the check have them.
fn findings() -> BTreeSet<String> {
    let sources = sources(&root().join("src/check"));
    let made = ["Finding::error(", "Finding::warning(", "Finding::note(", "self.error(", "Self::error("];
    let calls = made.into_iter().flat_map(|call| sources.split(call).skip(1));
    let first = calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    first.map(str::to_owned).collect()
}

#[test]
fn every_finding_is_explained() {
    let rules = read("docs/rules.md");
    let page = rules.split("## What the check says").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|line| line.split(" | ").next());
    let explained: BTreeSet<String> =
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect();
    assert_eq!(explained, findings());
}

/// `docs/threats.md` names tests that exist, and has one for each rule.
#[test]
fn every_threat_has_its_test() {
    let threats = read("docs/threats.md");
    let sources: String = ["src", "tests"].map(|folder| sources(&root().join(folder))).concat();
    let (mut rules, mut tests) = (BTreeSet::new(), BTreeSet::new());
    for line in threats.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, rule, held_by] = cells.as_slice() else { panic!("{line}") };
        rules.extend(rule.split(", ").map(str::to_owned));
        let named = held_by.split('`').skip(1).step_by(2).filter(|name| !name.contains('.'));
        for name in named {
            let is_there = ["fn ", "def "].iter().any(|kind| sources.contains(&format!("{kind}{name}(")));
            assert!(is_there, "docs/threats.md names the test `{name}`");
            tests.insert(name.to_owned());
        }
    }
    let numbers = [('F', 5), ('A', 10), ('C', 9), ('Z', 9), ('K', 11)];
    for (letter, last) in numbers {
        for number in 1..=last {
            assert!(
                rules.contains(&format!("{letter}{number}")),
                "docs/threats.md has no rule {letter}{number}"
            );
        }
    }
    assert!(tests.len() > 60, "{} tests", tests.len());
}

/// Every source file below the folder, one after the other.
fn sources(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs" | "py") => std::fs::read_to_string(&path).unwrap(),
            _ if path.is_dir() => sources(&path),
            _ => String::new(),
        })
        .collect()
}

#[test]
fn the_function_of_ones_own_is_shown_as_it_runs() {
    let page = read("docs/extending.md");
    let shown = page.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(shown, read("examples/custom_verifier.rs"));
}

/// Of the examples that are about something else.
const ISSUER: &str = "[[issuer]]\nurl = \"https://login.example.com/\"\naudience = \"orders-api\"\n";

/// The files that the configurations name.
const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/package");

#[test]
fn every_configuration_shown_is_one() {
    let mut shown = 0;
    for document in DOCUMENTS.map(read) {
        for example in document.split("```toml\n").skip(1) {
            let example = example.split("```").next().unwrap();
            let has_issuer = example.contains("[[issuer]]");
            let toml = if has_issuer { example.to_owned() } else { format!("{ISSUER}{example}") };
            let config = Config::parse(&toml, Some(Path::new(PACKAGE)));
            assert!(config.is_ok(), "{}\n{toml}", config.err().unwrap());
            shown += 1;
        }
    }
    assert!(shown >= 2, "the documents show {shown} configurations");
}

/// As GitHub makes it of a heading.
fn anchor_of(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}

#[test]
fn links_lead_to_places() {
    for name in DOCUMENTS {
        let directory = Path::new(name).parent().unwrap();
        for link in read(name).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let is_local = !link.contains("://") && !link.starts_with('#');
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = root().join(directory).join(file);
            assert!(!is_local || path.exists(), "{name} links to `{link}`");
            if is_local && !anchor.is_empty() {
                let text = std::fs::read_to_string(path).unwrap();
                let headings = text.lines().filter(|line| line.starts_with('#')).map(anchor_of);
                assert!(headings.into_iter().any(|heading| heading == anchor), "{name} links to `{link}`");
            }
        }
    }
}
