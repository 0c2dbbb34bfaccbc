//! Opaque tokens of a provider without introspection: OpenID Connect Core 1.0, section 5.3.

use super::introspection::Setting;
use super::*;
use crate::credential::CredentialKind;
use crate::io::FetchError;

fn setting() -> Setting {
    let setting = Setting::with(
        |settings| {
            settings.endpoint = Endpoint::UserInfo;
            settings.expectations = Expectations::new(Profile::AccessToken, ISSUER, AudienceCheck::Unchecked);
            settings.expectations.expiry = Presence::Optional;
            settings.negative_lifetime = 0.0;
        },
        None,
    );
    setting.answers(r#"{"sub": "me", "email": "me@example.com"}"#);
    setting
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_provider_takes_is_its_users() {
    let setting = setting();
    let principal = setting.verify("2YotnFZFEjr1zCsicMWpAA", 0.0).await.unwrap();
    assert_eq!(principal.credential_kind(), &CredentialKind::Opaque);
    assert_eq!(principal.claims().named("email"), Some(&json!("me@example.com")));
    let asked = setting.server.last();
    assert_eq!((asked.form, asked.accept), (None, "application/json"));
    assert_eq!(asked.authorization.as_deref(), Some("Bearer 2YotnFZFEjr1zCsicMWpAA"));
    assert!(setting.verify("2YotnFZFEjr1zCsicMWpAA", 59.0).await.is_ok());
    assert_eq!(setting.server.asked(), 1);
    setting.server.answers(401, "application/json", "");
    assert_eq!(setting.verify("2YotnFZFEjr1zCsicMWpAA", 60.0).await, Err("token_inactive"));
}

/// What is not the provider's plain word is nobody's.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_none_is_a_fault() {
    for (status, media_type, body) in [
        (200, "application/jwt", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9."),
        (200, "application/json", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9."),
        (200, "application/json", "{}"),
        (200, "application/json", r#"{"email": "me@example.com"}"#),
        (200, "application/json", r#"{"sub": "me", "sub": "you"}"#),
        (200, "text/html", "<html>"),
        (400, "application/json", r#"{"sub": "me"}"#),
        (403, "application/json", r#"{"sub": "me"}"#),
    ] {
        let setting = setting();
        setting.server.answers(status, media_type, body);
        assert_eq!(setting.verify("opaque", 0.0).await, Err("userinfo_unavailable"), "{status} {body}");
        setting.answers(r#"{"sub": "me"}"#);
        assert!(setting.verify("opaque", 1.0).await.is_ok());
    }
    let setting = setting();
    setting.server.fails(FetchError::Transport("refused".into()));
    assert_eq!(setting.verify("opaque", 0.0).await, Err("userinfo_unavailable"));
    setting.answers(r#"{"sub": ""}"#);
    assert_eq!(setting.verify("opaque", 2.0).await, Err("claim_invalid"));
}

/// What no header can hold is not carried on: the server would fail on it, and everybody wait.
#[tokio::test(start_paused = true)]
async fn a_token_that_no_header_can_hold_is_not_asked_about() {
    let setting = setting();
    for token in ["a\u{1}b", "\u{e9}", "a\u{7f}"] {
        assert_eq!(setting.verify(token, 0.0).await, Err("token_malformed"), "{token:?}");
    }
    assert_eq!(setting.server.asked(), 0);
    assert!(setting.verify("a-b", 0.0).await.is_ok());
}
