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
        let as_token = event(kind, &STANDARD.encode(format!("alice:{PASSWORD}")));
        function.ask(&as_token).await.is_refused("token_malformed", "as a token");
    }
    assert_eq!(function.issuer.requests(), 2, "what is known is not looked up");
    let ended = function.process.stop().await;
    assert_eq!((ended.status.unwrap().code(), ended.stderr.as_str()), (None, ""));
    assert!(!ended.stdout.contains(PASSWORD) && !ended.stdout.contains(&STANDARD.encode(PASSWORD)[..20]));
}
