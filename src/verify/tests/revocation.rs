//! Credentials that hold, and are revoked.

use std::sync::atomic::Ordering;

use super::api_keys::{Setting, error, key};
use super::*;
use crate::verify::RevokedBy;

const ID: &str = "jwt-7";

fn token(issuer: &Signer, changes: Value) -> String {
    issuer
        .sign(&header(), &with(claims(), with(json!({"jti": ID, "iat": NOW - 10.0, "azp": "shop"}), changes)))
}

fn setting(issuer: &Signer, allows_on_outage: bool) -> Setting {
    Setting::revoking(allows_on_outage, Some(issuer))
}

/// Each by itself; the neighbour is the same token before it.
#[tokio::test(start_paused = true)]
async fn a_token_is_revoked_by_its_id_its_subject_its_client_or_its_issuer() {
    let issuer = Signer::new();
    for (key, item, is_revoked) in [
        ("revoked#jti#https://issuer.example/#jwt-7", json!({}), true),
        ("revoked#jti#https://issuer.example/#jwt-8", json!({}), false),
        ("revoked#jti#https://other.example/#jwt-7", json!({}), false),
        ("revoked#sub#https://issuer.example/#me", json!({}), true),
        ("revoked#sub#https://issuer.example/#Me", json!({}), false),
        ("revoked#sub#https://issuer.example/#jwt-7", json!({}), false),
        (
            "revoked#sub#https://issuer.example/#me",
            json!({"issued_before": {"N": (NOW - 9.0).to_string()}}),
            true,
        ),
        (
            "revoked#sub#https://issuer.example/#me",
            json!({"issued_before": {"N": (NOW - 10.0).to_string()}}),
            false,
        ),
        ("revoked#client#https://issuer.example/#shop", json!({}), true),
        ("revoked#client#https://issuer.example/#me", json!({}), false),
        ("revoked#issuer#https://issuer.example/", json!({"issued_before": {"N": NOW.to_string()}}), true),
        ("revoked#issuer#https://issuer.example/", json!({"issued_before": {"N": "1"}}), false),
        // What cannot be read was meant to revoke.
        ("revoked#sub#https://issuer.example/#me", json!({"issued_before": {"S": "yesterday"}}), true),
    ] {
        let setting = setting(&issuer, false);
        let token = token(&issuer, json!({}));
        assert!(setting.verify(&token, 0.0).await.is_ok());
        setting.has(key, item.clone());
        let expected = if is_revoked { Err("token_revoked") } else { Ok(()) };
        assert_eq!(setting.verify(&token, 59.9).await.map(drop), Ok(()), "{key}: within the delay");
        assert_eq!(setting.verify(&token, 60.0).await.map(drop), expected, "{key} {item}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_does_not_say_when_it_was_issued_may_be_as_old_as_any() {
    let issuer = Signer::new();
    let setting = setting(&issuer, false);
    setting.has("revoked#sub#https://issuer.example/#me", json!({"issued_before": {"N": "1"}}));
    assert_eq!(setting.verify(&token(&issuer, json!({"iat": null})), 0.0).await, Err("token_revoked"));
    assert!(setting.verify(&token(&issuer, json!({})), 0.0).await.is_ok());
}

/// What one token has made known serves the next one; everything that is unknown is asked for at once.
#[tokio::test(start_paused = true)]
async fn only_what_is_unknown_is_asked_for() {
    let issuer = Signer::new();
    let setting = setting(&issuer, false);
    assert!(setting.verify(&token(&issuer, json!({})), 0.0).await.is_ok());
    assert_eq!((setting.asked(), setting.questions()), (4, 1));
    assert!(setting.verify(&token(&issuer, json!({})), 1.0).await.is_ok());
    assert_eq!((setting.asked(), setting.questions()), (4, 1));
    assert!(setting.verify(&token(&issuer, json!({"jti": "jwt-8"})), 2.0).await.is_ok());
    assert_eq!((setting.asked(), setting.questions()), (5, 2));
    // What does not hold is not asked about.
    let expired = token(&issuer, json!({"exp": 1, "jti": "jwt-9"}));
    assert_eq!(setting.verify(&expired, 3.0).await, Err("token_expired"));
    assert_eq!(setting.asked(), 5);
    // No claim, no key; several clients are each one.
    let bare = token(&issuer, json!({"jti": null, "azp": null}));
    let many = token(&issuer, json!({"jti": null, "client_id": "a", "azp": "b", "cid": "a"}));
    assert!(setting.verify(&bare, 61.0).await.is_ok());
    assert_eq!(setting.asked(), 7);
    assert!(setting.verify(&many, 61.0).await.is_ok());
    assert_eq!(setting.asked(), 9);
    // Nothing can be stored under a longer key.
    assert!(setting.verify(&token(&issuer, json!({"jti": "x".repeat(2100)})), 62.0).await.is_ok());
}

/// Rule K4, and the choice to do without it.
#[tokio::test(start_paused = true)]
async fn a_deny_list_that_cannot_be_asked_is_a_fault_unless_the_configuration_says_otherwise() {
    let issuer = Signer::new();
    for (allows, expected) in [(false, Err("table_unavailable")), (true, Ok(()))] {
        let setting = setting(&issuer, allows);
        setting.fails(error(400, "AccessDeniedException"));
        assert_eq!(setting.verify(&token(&issuer, json!({})), 0.0).await.map(drop), expected);
        assert_eq!(setting.unchecked.load(Ordering::Relaxed), usize::from(allows), "it is told");
        setting.fails(None);
        setting.has("revoked#sub#https://issuer.example/#me", json!({}));
        let revoked = setting.verify(&token(&issuer, json!({})), 1.0).await;
        assert_eq!(revoked, Err("token_revoked"), "as soon as it can be asked");
        let forged = Signer::new();
        setting.fails(error(400, "AccessDeniedException"));
        assert_eq!(setting.verify(&token(&forged, json!({})), 2.0).await, Err("signature_invalid"));
    }
}

/// Other kinds of credentials are revoked by the same names.
#[tokio::test(start_paused = true)]
async fn an_api_key_is_revoked_like_a_token() {
    let setting = Setting::revoking(false, None);
    setting.stores(&key('a', 's'), None, json!({"created_at": {"N": (NOW - 5.0).to_string()}}));
    assert!(setting.verify(&key('a', 's'), 0.0).await.is_ok());
    setting.has("revoked#sub#api-keys#acme", json!({"issued_before": {"N": NOW.to_string()}}));
    assert_eq!(setting.verify(&key('a', 's'), 60.0).await, Err("token_revoked"));
}

/// No name of one thing is that of another.
#[test]
fn keys_of_revocations_tell_everything_apart() {
    let keys = [
        RevokedBy::Subject.key("https://a.example/", "b#c"),
        RevokedBy::Subject.key("https://a.example/#b", "c"),
        RevokedBy::Subject.key("https://a.example/%23b", "c"),
        RevokedBy::Subject.key("https://a.example/", "b%23c"),
        RevokedBy::Client.key("https://a.example/", "b#c"),
        RevokedBy::Jti.key("https://a.example/", "b#c"),
        RevokedBy::Issuer.key("https://a.example/", ""),
        RevokedBy::Issuer.key("https://a.example/#b#c", ""),
    ];
    let mut all = keys.to_vec();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), keys.len());
}
