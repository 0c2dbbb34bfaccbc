//! Names and passwords, put to the built binary in every kind of event.

use authorizer_cli::runtime_api::RuntimeApi;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lambda_authorizer::verify::password_hash;
use serde_json::{Value, json};

use crate::key_server::{Answer, KeyServer};
use crate::process::{Function, LOUD};
use crate::support::{KINDS, event};

const PASSWORD: &str = "ThisIsThePasswordThatNobodyMayWrite";

/// What some server or other takes for the very same name and password (RFC 7617; RFC 4648, section 3).
fn encoding_tricks() -> Vec<(String, &'static str)> {
    let pair = format!("alice:{PASSWORD}");
    let encoded = STANDARD.encode(&pair);
    vec![
        (STANDARD.encode(format!("alice:{PASSWORD}\0")), "a NUL behind it"),
        (STANDARD.encode(format!("alice\0:{PASSWORD}")), "a NUL in the name"),
        (STANDARD.encode(format!("alice:{PASSWORD}\r\n")), "a line's end behind it"),
        (STANDARD.encode([b"alice\xff:", PASSWORD.as_bytes()].concat()), "no UTF-8"),
        (STANDARD.encode([b"\xc1\xa1lice:", PASSWORD.as_bytes()].concat()), "an overlong `a`"),
        (STANDARD.encode(format!("alice{PASSWORD}")), "no colon"),
        (STANDARD.encode(format!(":{PASSWORD}")), "no name"),
        (pair, "not encoded"),
        (encoded.trim_end_matches('=').to_owned(), "no padding"),
        (format!("{encoded}="), "more padding"),
        (URL_SAFE_NO_PAD.encode(format!("alice:{PASSWORD}\u{ff}?>")), "the other alphabet"),
        (with_spare_bits(&encoded), "spare bits"),
        (STANDARD.encode(&encoded), "encoded twice"),
    ]
}

/// Another last letter before the padding, which decoders that do not look at spare bits take for the same.
fn with_spare_bits(encoded: &str) -> String {
    let digits = encoded.trim_end_matches('=');
    assert!(digits.len() < encoded.len(), "without padding there are no spare bits");
    let (rest, last) = digits.split_at(digits.len() - 1);
    let next = char::from(last.as_bytes()[0] + 1);
    format!("{rest}{next}{}", &encoded[digits.len()..])
}

#[tokio::test]
async fn a_name_and_a_password_are_taken_by_every_kind_of_api() {
    let server = KeyServer::start([]).await;
    let configuration = format!(
        "development = true\n[dynamodb]\ntable = 'authorizer'\nendpoint = '{}'\n[basic]\niterations = 100000\n",
        server.keys_url()
    );
    let own = [
        ("AUTHORIZER_CONFIG", configuration.as_str()),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let function = Function::spawn(server, own.into_iter().chain(LOUD), RuntimeApi::TIME_LIMIT).await;
    let item = json!({ "Item": {
        "pk": {"S": "user#alice"}, "iterations": {"N": "100000"}, "salt": {"S": URL_SAFE_NO_PAD.encode(b"salt")},
        "hash": {"S": URL_SAFE_NO_PAD.encode(password_hash(PASSWORD, b"salt", 100_000))},
    }});
    function.issuer.always(&Answer::ok(item.to_string()));
    let by = |kind, pair: &str| -> Value {
        let text = event(kind, &STANDARD.encode(pair)).to_string().replace("Bearer ", "Basic ");
        serde_json::from_str(&text).unwrap()
    };
    for kind in KINDS {
        let answer = function.ask(&by(kind, &format!("alice:{PASSWORD}"))).await;
        answer.is_allowed("a name and a password");
        assert_eq!(answer.record["principal"], "alice");
        function.ask(&by(kind, "alice:another")).await.is_refused("user_unknown", "another password");
        function.ask(&by(kind, "alice")).await.is_refused("credential_malformed", "no password");
        for (wrong, what) in encoding_tricks() {
            let text = event(kind, &wrong).to_string().replace("Bearer ", "Basic ");
            let event = serde_json::from_str(&text).unwrap();
            function.ask(&event).await.is_refused("credential_malformed", what);
        }
        let as_token = event(kind, &STANDARD.encode(format!("alice:{PASSWORD}")));
        function.ask(&as_token).await.is_refused("token_malformed", "as a token");
    }
    assert_eq!(function.issuer.requests(), 2, "what is known is not looked up");
    let ended = function.process.stop().await;
    assert_eq!((ended.status.unwrap().code(), ended.stderr.as_str()), (None, ""));
    assert!(!ended.stdout.contains(PASSWORD) && !ended.stdout.contains(&STANDARD.encode(PASSWORD)[..20]));
}
