//! Names and passwords, and the table in which they are looked up.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::api_keys::{PATIENCE, Setting};
use super::*;
use crate::credential::CredentialKind;
use crate::error::Error;
use crate::verify::basic::{ITERATIONS, password_hash};

fn credential(text: &str) -> String {
    STANDARD.encode(text)
}

/// With as few iterations as there may be.
fn user(password: &str, changes: Value) -> Value {
    let item = json!({
        "salt": {"S": URL_SAFE_NO_PAD.encode(b"salt of this user")},
        "iterations": {"N": ITERATIONS.start().to_string()},
        "hash": {"S": URL_SAFE_NO_PAD.encode(password_hash(password, b"salt of this user", *ITERATIONS.start()))},
        "scopes": {"SS": ["orders:read"]},
    });
    with(item, changes)
}

async fn verify(setting: &Setting, text: &str, later: f64) -> Result<Principal, &'static str> {
    let presented = Presented::basic(text);
    let verified = setting.verifiers.verify(presented, NOW + later, PATIENCE).await;
    let explained = setting.verifiers.explain(presented, NOW + later);
    match verified {
        Ok(principal) => {
            assert_eq!(explained.refusal(), None, "{explained:#?}");
            Ok(principal)
        }
        Err(Error::Rejection(rejection)) => {
            assert!(!rejection.to_string().contains("horse"), "{rejection}");
            Err(rejection.reason.code().name())
        }
        Err(Error::Fault(fault)) => Err(fault.code().name()),
    }
}

const PASSWORD: &str = "correct horse: battery";

#[tokio::test]
async fn a_name_and_its_password_stand_for_the_user() {
    let setting = Setting::new();
    setting.has("user#alice", user(PASSWORD, json!({"attributes": {"M": {"tenant": {"S": "t1"}}}})));
    // A password may hold a colon, and a name may not.
    let principal = verify(&setting, &credential("alice:correct horse: battery"), 0.0).await.unwrap();
    assert_eq!((&**principal.issuer(), principal.credential_kind()), ("basic", &CredentialKind::Basic));
    let claims = json!({"sub": "alice", "scope": "orders:read", "tenant": "t1"});
    assert_eq!(principal.claims().to_json(), claims);
    setting.has("user#älice", user("pass wörd that is long", json!({"owner": {"S": "acme"}})));
    let principal = verify(&setting, &credential("älice:pass wörd that is long"), 0.0).await.unwrap();
    assert_eq!(principal.claims().named("sub"), Some(&json!("acme")));
}

/// Rule F2: one spelling, and nobody is asked about any other.
#[tokio::test]
async fn a_name_and_a_password_have_one_form() {
    let setting = Setting::new();
    let whole = credential("alice:correct horse");
    for wrong in [
        credential("alice"),
        credential(":correct horse"),
        credential("alice:correct\u{0} horse"),
        credential("al\nice:correct horse"),
        credential("alice:\u{85}horse"),
        credential(&format!("{}:correct horse", "a".repeat(257))),
        credential(&format!("alice:{}", "a".repeat(1600))),
        STANDARD.encode(b"alice:\xff\xfe horse"),
        whole.trim_end_matches('=').to_owned(),
        format!("{whole}="),
        whole.replace('Y', "-"),
        URL_SAFE_NO_PAD.encode("alice:correct horse"),
        "alice:correct".to_owned(),
        "====".to_owned(),
        // Spare bits: another spelling of the same bytes.
        "YWxpY2U6Yh==".to_owned(),
    ] {
        assert_eq!(verify(&setting, &wrong, 0.0).await, Err("credential_malformed"), "{wrong}");
    }
    assert_eq!(setting.asked(), 0);
    assert_eq!(verify(&setting, &whole, 0.0).await, Err("user_unknown"));
    assert_eq!(verify(&setting, "YWxpY2U6Yg==", 0.0).await, Err("user_unknown"));
    assert_eq!(setting.asked(), 2);
}

/// Who guesses learns nothing: a name that nobody has is hashed as often as one that somebody has.
#[tokio::test]
async fn a_wrong_password_and_a_name_that_nobody_has_are_the_same() {
    let setting = Setting::new();
    setting.has("user#alice", user(PASSWORD, json!({"disabled": {"BOOL": true}})));
    let mut took = Vec::new();
    for guess in ["alice:correct horse guess", "bob:correct horse guess"] {
        let began = tokio::time::Instant::now();
        assert_eq!(verify(&setting, &credential(guess), 0.0).await, Err("user_unknown"), "{guess}");
        took.push(began.elapsed());
    }
    // A hash takes milliseconds; without one it would be done in microseconds.
    assert!(took[1] > took[0] / 4 && took[0] > took[1] / 4, "{took:?}");
    assert_eq!(
        verify(&setting, &credential("alice:correct horse: battery"), 0.0).await,
        Err("user_disabled")
    );
    // Nothing is stored as what stands for nobody.
    assert_ne!(password_hash("", &[0; 32], *ITERATIONS.start()), [0; 32]);
}

#[tokio::test]
async fn a_disabled_user_one_that_has_expired_and_one_whose_item_is_wrong() {
    for (changes, expected) in [
        (json!({}), Ok(())),
        (json!({"disabled": {"BOOL": true}}), Err("user_disabled")),
        (json!({"expires_at": {"N": NOW.to_string()}}), Err("user_expired")),
        (json!({"expires_at": {"N": (NOW + 1.0).to_string()}}), Ok(())),
        (json!({"disabled": {"S": "true"}}), Err("table_unavailable")),
        (json!({"iterations": {"N": "1000"}}), Err("table_unavailable")),
        (json!({"iterations": {"N": "99999999"}}), Err("table_unavailable")),
        (json!({"iterations": {"S": "100000"}}), Err("table_unavailable")),
        (json!({"iterations": null}), Err("table_unavailable")),
        (json!({"hash": {"S": "AAAA"}}), Err("table_unavailable")),
        (json!({"salt": null}), Err("table_unavailable")),
        (json!({"attributes": {"M": {"sub": {"S": "root"}}}}), Err("table_unavailable")),
    ] {
        let setting = Setting::new();
        setting.has("user#alice", user(PASSWORD, changes.clone()));
        let found = verify(&setting, &credential("alice:correct horse: battery"), 0.0).await;
        assert_eq!(found.map(drop), expected, "{changes}");
    }
}

/// Guessing takes time; whoever was let in a moment ago still is, and so is everybody else.
#[tokio::test]
async fn a_name_that_fails_too_often_is_not_checked_for_a_while() {
    let setting = Setting::new();
    setting.has("user#alice", user(PASSWORD, json!({})));
    setting.has("user#bob", user(PASSWORD, json!({})));
    let right = credential("alice:correct horse: battery");
    assert!(verify(&setting, &right, 0.0).await.is_ok());
    for number in 0..3 {
        let guess = credential(&format!("alice:horse {number}"));
        assert_eq!(verify(&setting, &guess, 1.0).await, Err("user_unknown"));
        assert_eq!(verify(&setting, &guess, 1.0).await, Err("user_unknown"), "known, and not counted again");
    }
    let asked = setting.asked();
    assert_eq!(verify(&setting, &credential("alice:horse 4"), 2.0).await, Err("basic_throttled"));
    assert_eq!(setting.asked(), asked, "nobody was asked");
    assert!(verify(&setting, &right, 3.0).await.is_ok(), "known from before");
    assert!(verify(&setting, &credential("bob:correct horse: battery"), 3.0).await.is_ok());
    assert_eq!(verify(&setting, &credential("alice:horse 4"), 30.9).await, Err("basic_throttled"));
    assert_eq!(verify(&setting, &credential("alice:horse 4"), 31.0).await, Err("user_unknown"));
    // A name that nobody has is counted like any other.
    for number in 0..3 {
        let guess = credential(&format!("nobody:horse {number}"));
        assert_eq!(verify(&setting, &guess, 40.0).await, Err("user_unknown"));
    }
    assert_eq!(verify(&setting, &credential("nobody:horse 4"), 41.0).await, Err("basic_throttled"));
}

#[tokio::test]
async fn a_password_is_used_for_its_time() {
    let setting = Setting::new();
    setting.has("user#alice", user(PASSWORD, json!({})));
    let right = credential("alice:correct horse: battery");
    for (later, asked) in [(0.0, 1), (59.9, 1), (60.0, 2)] {
        assert!(verify(&setting, &right, later).await.is_ok());
        assert_eq!(setting.asked(), asked, "{later}");
    }
    setting.has("user#alice", user("another password of hers", json!({})));
    assert!(verify(&setting, &right, 119.0).await.is_ok());
    assert_eq!(verify(&setting, &right, 120.0).await, Err("user_unknown"));
}

/// Each kind is tried where its form is there: what comes as `Basic` is no token and no key, and the other way round.
#[tokio::test]
async fn a_name_and_a_password_are_never_tried_as_anything_else() {
    let issuer = Signer::new();
    let setting = Setting::with(|_| {}, Some(&issuer));
    let token = issuer.sign(&header(), &claims());
    assert_eq!(verify(&setting, &token, 0.0).await, Err("credential_malformed"));
    assert_eq!(verify(&setting, "orders_", 0.0).await, Err("credential_malformed"));
    let as_token = setting.verify(&credential("alice:correct horse: battery"), 0.0).await;
    assert_eq!(as_token, Err("token_malformed"));
    assert_eq!(setting.asked(), 0);
    assert!(setting.verify(&token, 0.0).await.is_ok());
}

/// API Gateway keeps a refusal under the credential, and would go on with it for minutes behind the pause: also where the
/// password is right, which nobody has looked at.
#[tokio::test]
async fn whoever_is_not_checked_is_not_refused() {
    let setting = Setting::new();
    setting.has("user#alice", user(PASSWORD, json!({})));
    let right = credential("alice:correct horse: battery");
    for number in 0..3 {
        let guess = credential(&format!("alice:horse {number}"));
        assert_eq!(verify(&setting, &guess, 0.0).await, Err("user_unknown"));
    }
    let verified = setting.verifiers.verify(Presented::basic(&right), NOW + 1.0, PATIENCE).await;
    assert!(matches!(verified, Err(Error::Fault(_))), "{verified:?}");
    assert!(verify(&setting, &right, 30.0).await.is_ok());
}

/// A password that nobody waits for to its end has failed.
#[tokio::test]
async fn an_attempt_that_is_given_up_counts() {
    let setting = Setting::new();
    setting.has("user#alice", user(PASSWORD, json!({"iterations": {"N": "400000"}})));
    for number in 0..3 {
        let guess = credential(&format!("alice:horse {number}"));
        let patience = Duration::from_millis(10);
        let given_up = setting.verifiers.verify(Presented::basic(&guess), NOW, patience).await;
        assert!(matches!(given_up, Err(Error::Fault(_))), "{given_up:?}");
    }
    // The pause after a fault is over by then.
    assert_eq!(verify(&setting, &credential("alice:horse 3"), 2.0).await, Err("basic_throttled"));
}
