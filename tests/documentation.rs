//! What the documentation says is so.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads the documents, and fails by panicking"
)]

use std::path::Path;

use lambda_authorizer::config::Config;
use lambda_authorizer::error::Code;

const DOCUMENTS: [&str; 8] = [
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/configuration.md",
    "docs/design.md",
    "docs/operations.md",
    "docs/reasons.md",
];

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// What the documents call a reason is one: `docs/reasons.md` is made from the codes themselves.
#[test]
fn every_reason_named_is_one() {
    let known: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    let reasons = read("docs/reasons.md");
    for code in &known {
        assert!(reasons.contains(&format!("| `{code}` |")), "docs/reasons.md does not explain `{code}`");
    }
    let prefixes = ["token_", "claim_", "key_", "credential_", "audience_", "issuer_", "signature_"];
    let settings = ["key_id", "key_ops", "key_set", "credential_source", "audience_claim", "token_use"];
    for name in DOCUMENTS {
        for word in read(name).split('`').skip(1).step_by(2) {
            let is_code = prefixes.iter().any(|prefix| word.starts_with(prefix))
                && word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
            assert!(!is_code || known.contains(&word) || settings.contains(&word), "{name} names `{word}`");
        }
    }
}

#[test]
fn every_configuration_shown_is_one() {
    let mut shown = 0;
    for document in DOCUMENTS.map(read) {
        for example in document.split("```toml\n").skip(1) {
            let toml = example.split("```").next().unwrap();
            let config = Config::parse(toml, None);
            assert!(config.is_ok(), "{}\n{toml}", config.err().unwrap());
            shown += 1;
        }
    }
    assert!(shown >= 2, "the documents show {shown} configurations");
}

#[test]
fn links_lead_to_files() {
    for name in DOCUMENTS {
        let directory = Path::new(name).parent().unwrap();
        for link in read(name).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let is_local = !link.contains("://") && !link.starts_with('#');
            let path =
                Path::new(env!("CARGO_MANIFEST_DIR")).join(directory).join(link.split('#').next().unwrap());
            assert!(!is_local || path.exists(), "{name} links to `{link}`");
        }
    }
}
