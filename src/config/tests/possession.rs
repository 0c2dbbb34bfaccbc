//! Proofs of possession, as they are configured.

use super::paths;
use crate::config::{Config, ConfigError};
use crate::jwks::Algorithm;

const NO_CACHE: &str = "[gateway]\ncache_seconds = 0\n";

fn parse(issuer: &str, sections: &str) -> Result<Config, ConfigError> {
    let known = "[[issuer]]\nurl = 'https://login.example.com/'\naudience = 'orders-api'\n";
    Config::parse(&format!("{known}{issuer}\n{sections}"), None)
}

fn problems(issuer: &str, sections: &str) -> Vec<String> {
    let error = parse(issuer, sections).err().expect("it is refused");
    paths(&error).into_iter().map(str::to_owned).collect()
}

#[test]
fn no_proof_is_taken_unless_it_is_asked_for() {
    let possession = |issuer: &str, sections: &str| {
        parse(issuer, sections).unwrap().issuers.swap_remove(0).expectations.possession
    };
    let none = possession("", "[dpop]\nlifetime_seconds = 10");
    assert!(none.dpop.is_none() && !none.mutual_tls && !none.is_required);
    let by_key = possession("proof_of_possession = ['dpop']", NO_CACHE);
    let proofs = by_key.dpop.unwrap();
    assert!(!by_key.mutual_tls && !by_key.is_required);
    assert_eq!((proofs.lifetime, &proofs.url), (60.0, &None));
    assert_eq!(proofs.algorithms, Algorithm::ALL);
    let both = "proof_of_possession = ['mutual_tls', 'dpop']\nunbound_tokens = 'refused'";
    let dpop = "[dpop]\nalgorithms = ['ES256']\nlifetime_seconds = 5\nurl = 'https://api.example.com/v1'\n";
    let both = possession(both, &format!("{NO_CACHE}{dpop}"));
    let proofs = both.dpop.unwrap();
    assert!(both.mutual_tls && both.is_required);
    assert_eq!((proofs.lifetime, proofs.algorithms.as_slice()), (5.0, &[Algorithm::ES256][..]));
    assert_eq!(proofs.url.as_ref().unwrap().as_str(), "https://api.example.com/v1");
}

/// Rule Z1: a cached answer asks nobody for a proof.
#[test]
fn proofs_need_an_authorizer_that_does_not_cache() {
    for name in ["dpop", "mutual_tls"] {
        let issuer = format!("proof_of_possession = ['{name}']");
        assert!(parse(&issuer, NO_CACHE).is_ok());
        for sections in ["", "[gateway]\ncache_seconds = 1\n"] {
            assert_eq!(problems(&issuer, sections), ["issuer[0].proof_of_possession"], "{sections}");
        }
    }
}

#[test]
fn settings_that_make_no_sense_are_told() {
    for (issuer, sections, path) in [
        ("proof_of_possession = []", "", "issuer[0].proof_of_possession"),
        ("unbound_tokens = 'refused'", "", "issuer[0].unbound_tokens"),
        ("", "[dpop]\nalgorithms = []", "dpop.algorithms"),
        ("", "[dpop]\nlifetime_seconds = 0", "dpop.lifetime_seconds"),
        ("", "[dpop]\nlifetime_seconds = 301", "dpop.lifetime_seconds"),
        ("", "[dpop]\nurl = 'api.example.com'", "dpop.url"),
        ("", "[dpop]\nurl = 'http://api.example.com'", "dpop.url"),
        ("", "[dpop]\nurl = 'http://127.0.0.1:9700'", "dpop.url"),
        ("", "[dpop]\nurl = 'https://api.example.com/?a=b'", "dpop.url"),
        ("", "[dpop]\nurl = 'https://user@api.example.com/'", "dpop.url"),
    ] {
        assert_eq!(problems(issuer, &format!("{NO_CACHE}{sections}")), [path], "{issuer} {sections}");
    }
    // A gateway on the developer's own machine.
    for (url, is_taken) in [("http://127.0.0.1:9700", true), ("http://api.example.com", false)] {
        let text = format!(
            "development = true\n{NO_CACHE}[dpop]\nurl = '{url}'\n[[issuer]]\nurl = 'https://a.example/'\naudience = 'a'"
        );
        assert_eq!(Config::parse(&text, None).is_ok(), is_taken, "{url}");
    }
    for written in ["proof_of_possession = ['tls']", "proof_of_possession = 'dpop'", "unbound_tokens = 'no'"]
    {
        assert!(parse(written, NO_CACHE).is_err(), "{written}");
    }
}
