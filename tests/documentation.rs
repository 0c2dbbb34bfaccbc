//! What the documentation says is so.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads the documents, and fails by panicking"
)]

use std::path::Path;

use lambda_authorizer::config::Config;

const DOCUMENTS: [&str; 7] = [
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/configuration.md",
    "docs/design.md",
    "docs/operations.md",
];

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn every_reason_code_is_explained() {
    let operations = read("docs/operations.md");
    let source = read("src/error.rs");
    let codes: Vec<&str> = source.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(codes.contains(&"token_expired") && codes.len() > 20, "{codes:?}");
    for code in codes {
        assert!(operations.contains(&format!("`{code}`")), "docs/operations.md does not explain `{code}`");
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
