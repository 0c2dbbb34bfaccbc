//! The known attacks on verifiers of tokens, against the built binary: each is refused for its own reason,
//! beside its neighbour, which differs from it in nothing else and is allowed.
//!
//! A test names the rule that it holds, as those of `tests/function` do, and the vulnerabilities of others
//! that it would have found. What a random mutation finds is not here; what somebody once thought of is.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a member that is missing is `null` to a test"
)]
#![expect(clippy::disallowed_methods, reason = "a test takes the time itself")]

mod algorithm;
mod claims;
mod credential;
mod encodings;
#[path = "../support/forgery.rs"]
mod forgery;
mod header;
#[path = "../support/process.rs"]
mod process;
mod signature;
mod structure;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod support;

use std::fmt::Display;

use authorizer_cli::issuer::{DISCOVERY_PATH, DevelopmentIssuer, KEYS_PATH};
use authorizer_cli::signing::{Algorithm, SigningKey};

use process::{Function, Settings};
use support::{KINDS, event};

/// A function of the default configuration whose issuer has these keys, in this order.
async fn function_with<const N: usize>(keys: [(Algorithm, &str); N]) -> Function {
    let function = Function::start(Settings::default()).await;
    function.issuer.replace_keys(keys.map(|(algorithm, kid)| SigningKey::generate(algorithm, kid).unwrap()));
    function
}

/// What the attack is, its token, and its neighbour. The neighbour comes first: what is remembered of it
/// must not help the attack. The cases take turns in the kinds of event.
async fn are_refused<W: Display>(
    function: &Function,
    reason: &str,
    cases: impl IntoIterator<Item = (W, String, String)>,
) {
    let mut latest = String::new();
    for ((what, attack, neighbour), kind) in cases.into_iter().zip(KINDS.into_iter().cycle()) {
        let what = format!("{kind}, {what}");
        if neighbour != latest {
            function.ask(&event(kind, &neighbour)).await.is_allowed(&what);
            latest = neighbour;
        }
        function.ask(&event(kind, &attack)).await.is_refused(reason, &what);
    }
    // And it is still there.
    function.ask(&event(KINDS[0], &latest)).await.is_allowed("afterwards");
}

/// A server of the attacker's, which has all that a verifier could ask for: a key set, a discovery document
/// and a certificate, with a key of this ID.
async fn attacker(kid: &str) -> DevelopmentIssuer {
    let attacker = DevelopmentIssuer::start([SigningKey::generate(Algorithm::ES256, kid).unwrap()]);
    let attacker = attacker.await.unwrap();
    attacker.publish(
        CERTIFICATE_PATH,
        encodings::pem("CERTIFICATE", &encodings::certificate(&attacker.keys()[0])),
    );
    attacker
}

const CERTIFICATE_PATH: &str = "/chain.pem";

/// Rule A8: nothing that a token names is ever fetched.
fn nobody_came(attacker: &DevelopmentIssuer) {
    for path in [KEYS_PATH, DISCOVERY_PATH, CERTIFICATE_PATH, "/"] {
        assert_eq!(attacker.requests(path), 0, "{path}");
    }
}
