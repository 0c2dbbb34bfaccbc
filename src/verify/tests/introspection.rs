//! Tokens about which an authorization server is asked: RFC 7662.

use std::time::Duration;

use super::provider::{Line, PATIENCE, Server};
use super::*;
use crate::credential::CredentialKind;
use crate::error::Error;
use crate::io::{Connector, Edges, FetchError};

pub(super) struct Setting {
    pub(super) server: Arc<Server>,
    pub(super) verifiers: Verifiers,
}

impl Setting {
    fn new() -> Self {
        Self::with(|_| {}, None)
    }

    /// With an issuer of JWTs beside it, if there is one.
    pub(super) fn with(change: impl Fn(&mut IntrospectionSettings), issuer: Option<&Signer>) -> Self {
        Self::signed_by(change, issuer, None)
    }

    /// With a server that signs its answers, if there is one.
    pub(super) fn signed_by(
        change: impl Fn(&mut IntrospectionSettings),
        issuer: Option<&Signer>,
        signer: Option<&Signer>,
    ) -> Self {
        let server = Server::answering(&active(json!({})));
        let mut expectations =
            Expectations::new(Profile::AccessToken, ISSUER, AudienceCheck::OneOf(vec!["api".into()]));
        expectations.expiry = Presence::Optional;
        let mut settings = IntrospectionSettings {
            expectations,
            url: "https://issuer.example/introspect".parse().unwrap(),
            connector: Connector::default(),
            endpoint: Endpoint::Introspection {
                authentication: ClientAuthentication::Post { id: "me & you".into(), secret: "s".into() },
                signed: None,
            },
            timeout: Duration::from_secs(2),
            lifetime: 60.0,
            negative_lifetime: 10.0,
            entries: 8,
        };
        change(&mut settings);
        let keys = signer.map(|signer| waiting::cache_of(signer, Duration::ZERO));
        let edges = Edges { fetch: Arc::new(Line(Arc::clone(&server))), ..Edges::of_this_machine() };
        let limits = TokenCacheLimits { entries: 8, bytes: 100_000, lifetime: 300.0 };
        let verifiers = match issuer {
            None => Verifiers::new(Vec::new(), limits),
            Some(issuer) => {
                let mut expectations = super::expectations();
                expectations.is_introspected = true;
                waiting::verifiers_of(issuer, Duration::ZERO, expectations, limits)
            }
        };
        Self { server, verifiers: verifiers.asking(settings, keys, edges) }
    }

    pub(super) fn answers(&self, body: &str) {
        self.server.answers(200, "application/json", body);
    }

    fn fails(&self, error: FetchError) {
        self.server.fails(error);
    }

    fn asked(&self) -> usize {
        self.server.asked()
    }

    pub(super) async fn verify(&self, token: &str, later: f64) -> Result<Principal, &'static str> {
        let presented = Presented::bearer(token);
        let verified = self.verifiers.verify(presented, NOW + later, PATIENCE).await;
        let explained = self.verifiers.explain(presented, NOW + later);
        match verified {
            Ok(principal) => {
                assert_eq!(explained.refusal(), None, "{explained:#?}");
                Ok(principal)
            }
            Err(Error::Rejection(rejection)) => {
                let is_kept = explained.checks.iter().any(|checked| checked.verdict != Verdict::Open);
                assert!(!is_kept || explained.refusal() == Some(&rejection.reason), "{explained:#?}");
                Err(rejection.reason.code().name())
            }
            Err(Error::Fault(fault)) => Err(fault.code().name()),
        }
    }
}

pub(super) fn active(changes: Value) -> String {
    with(json!({"active": true, "sub": "me", "aud": "api", "scope": "orders:read"}), changes).to_string()
}

#[tokio::test(start_paused = true)]
async fn an_active_token_stands_for_what_the_server_says() {
    let setting = Setting::new();
    let principal = setting.verify("2YotnFZFEjr1zCsicMWpAA", 0.0).await.unwrap();
    assert_eq!(&**principal.issuer(), ISSUER);
    assert_eq!(principal.credential_kind(), &CredentialKind::Opaque);
    assert!(principal.claims().has_scope("orders:read") && principal.key_id().is_none());
    assert_eq!(
        setting.server.last().form.as_deref(),
        Some(
            "token=2YotnFZFEjr1zCsicMWpAA&token_type_hint=access_token&client_id=me+%26+you&client_secret=s"
        )
    );
    for changes in [
        json!({"aud": ["web", "api"], "iss": ISSUER, "exp": NOW + 1.0, "nbf": NOW, "iat": NOW}),
        json!({"token_type": "Bearer", "username": "me", "client_id": "web", "jti": "1"}),
        json!({"exp": null}),
    ] {
        let setting = Setting::new();
        setting.answers(&active(changes.clone()));
        assert!(setting.verify("opaque", 0.0).await.is_ok(), "{changes}");
    }
}

/// Rules C1 to C9 hold of answers as of claims.
#[tokio::test(start_paused = true)]
async fn an_answer_is_checked_like_any_claims() {
    for (answer, expected) in [
        (r#"{"active": false}"#.to_owned(), "token_inactive"),
        (json!({"active": false, "sub": "me", "aud": "api"}).to_string(), "token_inactive"),
        (active(json!({"exp": NOW - 31.0})), "token_expired"),
        (active(json!({"exp": "never"})), "claim_invalid"),
        (active(json!({"nbf": NOW + 31.0})), "token_not_yet_valid"),
        (active(json!({"aud": "web"})), "audience_mismatch"),
        (active(json!({"aud": null})), "claim_missing"),
        (active(json!({"aud": {"api": true}})), "claim_invalid"),
        (active(json!({"iss": "https://other.example/"})), "issuer_unknown"),
        (active(json!({"iss": 7})), "issuer_unknown"),
        (active(json!({"sub": null})), "claim_missing"),
        (active(json!({"sub": ""})), "claim_invalid"),
        (active(json!({"token_type": "refresh_token"})), "token_type_unexpected"),
        (active(json!({"typ": "Refresh"})), "token_type_unexpected"),
        (
            active(json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}})),
            "token_sender_constrained",
        ),
    ] {
        let setting = Setting::new();
        setting.answers(&answer);
        assert_eq!(setting.verify("opaque", 0.0).await, Err(expected), "{answer}");
        setting.answers(&active(json!({})));
        assert!(setting.verify("another", 0.0).await.is_ok());
    }
}

/// Only `true` is true; what cannot be read is nobody's word, and the caller is not to blame.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_none_is_a_fault_and_is_not_kept() {
    for answer in [
        "",
        "{}",
        "[]",
        "true",
        r#"{"active": "true"}"#,
        r#"{"active": 1}"#,
        r#"{"active": null}"#,
        r#"{"Active": true, "sub": "me", "aud": "api"}"#,
        r#"{"active": false, "active": true, "sub": "me", "aud": "api"}"#,
        r#"{"active": true, "sub": "me", "aud": "api"} {}"#,
        "<html>",
    ] {
        let setting = Setting::new();
        setting.answers(answer);
        assert_eq!(setting.verify("opaque", 0.0).await, Err("introspection_unavailable"), "{answer}");
        setting.answers(&active(json!({})));
        assert!(setting.verify("opaque", 1.0).await.is_ok(), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_used_for_its_time_and_never_beyond_the_token() {
    let setting = Setting::new();
    for (later, asked) in [(0.0, 1), (59.9, 1), (60.0, 2), (119.9, 2), (120.0, 3)] {
        assert!(setting.verify("opaque", later).await.is_ok());
        assert_eq!(setting.asked(), asked, "{later}");
    }
    // A clock that was set back does not prolong it.
    assert!(setting.verify("opaque", 0.0).await.is_ok());
    assert_eq!(setting.asked(), 4);
    let setting = Setting::new();
    setting.answers(&active(json!({"exp": NOW + 5.0})));
    for (later, asked) in [(0.0, 1), (4.9, 1), (5.0, 2)] {
        assert!(setting.verify("opaque", later).await.is_ok(), "within the leeway");
        assert_eq!(setting.asked(), asked, "{later}");
    }
    let setting = Setting::new();
    setting.answers(r#"{"active": false}"#);
    for (later, asked) in [(0.0, 1), (9.9, 1), (10.0, 2)] {
        assert_eq!(setting.verify("opaque", later).await, Err("token_inactive"));
        assert_eq!(setting.asked(), asked, "{later}");
    }
    // Revoked: until then it is known, and no longer.
    let setting = Setting::new();
    assert!(setting.verify("opaque", 0.0).await.is_ok());
    setting.answers(r#"{"active": false}"#);
    assert!(setting.verify("opaque", 59.0).await.is_ok());
    assert_eq!(setting.verify("opaque", 60.0).await, Err("token_inactive"));
    let setting =
        Setting::with(|settings| (settings.lifetime, settings.negative_lifetime) = (0.0, 0.0), None);
    for asked in 1..4 {
        assert!(setting.verify("opaque", 0.0).await.is_ok());
        assert_eq!(setting.asked(), asked);
    }
}

/// Rule K4: an outage is no refusal, is not remembered for long, and holds up no more requests than it must.
#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_is_a_fault_and_nobody_waits_for_it_twice() {
    let setting = Setting::new();
    assert!(setting.verify("known", 0.0).await.is_ok());
    for error in [
        FetchError::Transport("refused".into()),
        FetchError::Status { status: 401, retry_after: None },
        FetchError::Status { status: 503, retry_after: Some(5.0) },
        FetchError::TooLarge(1),
        FetchError::TimedOut(PATIENCE),
    ] {
        let setting = Setting::new();
        setting.fails(error.clone());
        assert_eq!(setting.verify("opaque", 0.0).await, Err("introspection_unavailable"), "{error}");
        assert_eq!(setting.verify("another", 0.9).await, Err("introspection_unavailable"));
        assert_eq!(setting.asked(), 1, "it rests for a moment");
        setting.answers(&active(json!({})));
        assert!(setting.verify("opaque", 1.0).await.is_ok());
    }
    setting.fails(FetchError::Transport("refused".into()));
    assert_eq!(setting.verify("unknown", 30.0).await, Err("introspection_unavailable"));
    assert!(setting.verify("known", 30.0).await.is_ok(), "what is known still serves");
    setting.server.is_slow_by(Duration::from_secs(60));
    let began = tokio::time::Instant::now();
    let patience = Duration::from_millis(700);
    let waited = setting.verifiers.verify(Presented::bearer("slow"), NOW + 100.0, patience).await;
    assert!(matches!(waited, Err(Error::Fault(_))));
    assert_eq!(began.elapsed(), patience);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_asked_about_once_at_a_time() {
    let setting = Setting::new();
    setting.server.is_slow_by(Duration::from_millis(50));
    let (one, two, other) = tokio::join!(
        setting.verify("opaque", 0.0),
        setting.verify("opaque", 0.0),
        setting.verify("other", 0.0)
    );
    assert!(one.is_ok() && two.is_ok() && other.is_ok());
    assert_eq!(setting.asked(), 2);
}

/// Each kind is tried where its form is there, and never one after another.
#[tokio::test(start_paused = true)]
async fn a_token_is_a_jwt_or_opaque_and_never_tried_as_both() {
    let issuer = Signer::new();
    let setting = Setting::with(|_| {}, Some(&issuer));
    let token = issuer.sign(&header(), &claims());
    assert_eq!(setting.verify(&token, 0.0).await.unwrap().credential_kind(), &CredentialKind::Jwt);
    let asked = setting.asked();
    let damaged = format!("x{token}");
    for form in ["a.b.c", "..", &damaged, &Signer::new().sign(&header(), &claims())] {
        assert!(setting.verify(form, 0.0).await.is_err(), "{form}");
    }
    assert_eq!(setting.asked(), asked, "what fails as a JWT is not asked about");
    for opaque in ["a", "a.b", "a.b.c.d", "eyJhbGciOiJub25lIn0"] {
        let principal = setting.verify(opaque, 0.0).await.unwrap();
        assert_eq!(principal.credential_kind(), &CredentialKind::Opaque);
    }
    assert_eq!(setting.verify(&"x".repeat(20_000), 0.0).await, Err("token_too_large"));
}

/// A JWT that must not have been revoked: its signature and its claims, and then the server's word.
#[tokio::test(start_paused = true)]
async fn a_jwt_may_need_both() {
    let issuer = Signer::new();
    let token = issuer.sign(&header(), &claims());
    let setting = Setting::with(|_| {}, Some(&issuer));
    assert!(setting.verify(&token, 0.0).await.is_ok());
    let expired = issuer.sign(&header(), &with(claims(), json!({"exp": 1})));
    assert_eq!(setting.verify(&expired, 0.0).await, Err("token_expired"));
    assert_eq!(setting.asked(), 1, "what has expired is not asked about");
    setting.answers(r#"{"active": false}"#);
    let presented = Presented::bearer(&token);
    let revoked = setting.verifiers.verify(presented, NOW + 61.0, PATIENCE).await;
    assert!(matches!(revoked, Err(Error::Rejection(rejection)) if rejection.reason == Reason::TokenInactive));
    setting.fails(FetchError::Transport("refused".into()));
    let unknown = setting.verifiers.verify(presented, NOW + 80.0, PATIENCE).await;
    assert!(matches!(unknown, Err(Error::Fault(_))));
}
