//! What is found, of those parts of a configuration that could be read.

use super::{Api, Finding, claims, exactness, gateway, proof, rules, setup};
use crate::config::Config;

/// What is found where these sections of the configuration were read, the worst first.
pub(super) fn of(config: &Config, api: Option<&Api>, has_read: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    if !has_read("rule") {
        return Vec::new();
    }
    let mut findings = rules::findings(config.compiler.rules());
    findings.extend(gateway::size(config));
    let has_issuers = has_read("issuer");
    if has_issuers {
        findings.extend(claims::findings(config));
        findings.extend(gateway::values(config));
    }
    let has_setup = ["identity_source", "gateway", "response"].into_iter().all(has_read);
    match api {
        Some(api) => {
            if has_issuers {
                findings.extend(proof::findings(config, api));
            }
            if has_issuers && has_setup {
                findings.extend(setup::findings(config, api));
            }
        }
        // What may be, where nobody says what is.
        None => {
            findings.extend(exactness::findings(config));
            if has_setup {
                findings.extend(gateway::findings(config));
            }
        }
    }
    findings.sort();
    findings.dedup();
    findings
}
