//! What is verified, at large: the examples of the RFCs, properties of all tokens, every algorithm with
//! every key and every claim with every type, and the tokens of the usual providers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a member that is missing is `null` to a test")]

mod cross;
mod id_tokens;
mod oracle;
mod profiles;
mod properties;
mod rfc;
mod samples;
mod shapes;

use std::sync::LazyLock;
use std::thread;

use authorizer_cli::signing::{Algorithm, SigningKey, key_set};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_authorizer::jwks::KeySet;
use lambda_authorizer::verify::{Expectations, Presented, explain, verify};
use serde_json::Value;

/// The time, in seconds since 1970.
const NOW: f64 = 1_800_000_000.0;

/// One key for each algorithm, whose ID is the algorithm's name. RSA keys take their time to be made.
static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    thread::scope(|scope| {
        let makers = Algorithm::ALL
            .map(|algorithm| scope.spawn(move || SigningKey::generate(algorithm, algorithm.name()).unwrap()));
        makers.into_iter().map(|maker| maker.join().unwrap()).collect()
    })
});

/// The set of all [`KEYS`].
static KEY_SET: LazyLock<KeySet> = LazyLock::new(|| keys_of(&key_set(&*KEYS)));

fn key(algorithm: Algorithm) -> &'static SigningKey {
    KEYS.iter().find(|key| key.algorithm() == algorithm).unwrap()
}

fn keys_of(document: &Value) -> KeySet {
    KeySet::parse(document.to_string().as_bytes()).unwrap_or_else(|problem| panic!("{problem}: {document}"))
}

/// `allowed`, or the code of the refusal. The explanation, which looks at everything, comes to the same.
fn verdict(token: &str, keys: &KeySet, expectations: &Expectations, now: f64) -> &'static str {
    let explained = explain(Presented::bearer(token), Some(keys), expectations, now);
    let refusal = explained.refusal().map(|reason| reason.code().name());
    let verified =
        verify(token, keys, expectations, now).err().map(|rejection| rejection.reason.code().name());
    assert_eq!(verified, refusal, "{explained:#?}");
    verified.unwrap_or("allowed")
}

/// The members with these changes; `null` takes a member away.
fn with(members: &Value, changes: &Value) -> Value {
    let mut members = members.clone();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.as_object_mut().unwrap().remove(name);
        } else {
            members[name] = value.clone();
        }
    }
    members
}

fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
