//! Tokens of callers that are exchanged for those of a backend: RFC 8693.

use std::time::Duration;

use super::client_credentials::{endpoint, presented};
use super::provider::{Line, PATIENCE, Server};
use super::*;
use crate::error::Error;
use crate::io::{Edges, FetchError};

struct Setting {
    server: Arc<Server>,
    exchange: TokenExchange,
}

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

impl Setting {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl Fn(&mut TokenExchangeSettings)) -> Self {
        let server = Server::answering(&answer(json!({})));
        let mut settings = TokenExchangeSettings {
            issuer: ISSUER.into(),
            endpoint: endpoint(),
            authentication: ClientAuthentication::basic("authorizer", "of-the-authorizer"),
            subject_token_type: ACCESS_TOKEN.into(),
            requested_token_type: Some(ACCESS_TOKEN.into()),
            parameters: vec![("audience", "backend".into()), ("scope", "stock:read".into())],
            least_remaining: 300.0,
            lifetime: 3600.0,
            negative_lifetime: 10.0,
            entries: 8,
        };
        change(&mut settings);
        let edges = Edges { fetch: Arc::new(Line(Arc::clone(&server))), ..Edges::of_this_machine() };
        Self { server, exchange: TokenExchange::new(settings, edges) }
    }

    fn answers(&self, members: Value) {
        self.server.answers(200, "application/json", &answer(members));
    }

    async fn exchange(&self, token: &str, later: f64) -> Result<String, &'static str> {
        let (credential, _) = presented(&format!("Bearer {token}"));
        let exchanged = self.exchange.exchange(&principal(), &credential, NOW + later, PATIENCE).await;
        exchanged.map(|token| token.to_string()).map_err(|error| match error {
            Error::Rejection(rejection) => rejection.reason.code().name(),
            Error::Fault(fault) => fault.code().name(),
        })
    }
}

fn principal() -> Principal {
    let claims: Claims = json!({"sub": "me"}).as_object().unwrap().clone().into();
    Principal { issuer: ISSUER.into(), ..Principal::for_tests(claims) }
}

fn answer(members: Value) -> String {
    let usual = json!({
        "access_token": "of-the-backend", "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 900,
    });
    with(usual, members).to_string()
}

#[tokio::test(start_paused = true)]
async fn a_token_is_exchanged_for_one_with_fewer_rights() {
    let setting = Setting::new();
    assert_eq!(setting.exchange("a.b.c", 0.0).await.as_deref(), Ok("of-the-backend"));
    let asked = setting.server.last();
    let expected = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=a.b.c\
        &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
        &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
        &audience=backend&scope=stock%3Aread";
    assert_eq!(asked.form.as_deref(), Some(expected));
    assert!(asked.authorization.unwrap().starts_with("Basic "));
}

/// Whose tokens are of another issuer must not be shown to this one, and a secret is no token.
#[test]
fn only_tokens_of_the_issuer_are_shown_to_its_endpoint() {
    let setting = Setting::new();
    let is_for = |principal: &Principal, text: &str| setting.exchange.is_for(principal, &presented(text).0);
    assert!(is_for(&principal(), "Bearer a.b.c"));
    assert!(is_for(&principal(), "DPoP a.b.c"));
    assert!(!is_for(&principal(), "Basic YTpi"));
    let other = Principal { issuer: "https://other.example/".into(), ..principal() };
    assert!(!is_for(&other, "Bearer a.b.c"));
}

/// API Gateway keeps the answer for `least_remaining` at the most: the token in it lives longer.
#[tokio::test(start_paused = true)]
async fn no_token_that_is_put_into_an_answer_has_less_left_than_the_answer_may_be_kept() {
    let setting = Setting::new();
    for (later, asked) in [(0.0, 1), (599.9, 1), (600.0, 2)] {
        assert!(setting.exchange("a.b.c", later).await.is_ok());
        assert_eq!(setting.server.asked(), asked, "{later}");
    }
    assert!(setting.exchange("d.e.f", 0.0).await.is_ok());
    assert_eq!(setting.server.asked(), 3, "another token is another's");
    for (expires_in, expected) in [(json!(300), true), (json!(299), false), (Value::Null, false)] {
        let setting = Setting::new();
        setting.answers(json!({"expires_in": expires_in}));
        assert_eq!(setting.exchange("a.b.c", 0.0).await.is_ok(), expected, "{expires_in}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_told_from_an_exchange_that_fails() {
    for (status, code, expected) in [
        (400, "invalid_request", "token_exchange_refused"),
        (400, "invalid_grant", "token_exchange_refused"),
        (403, "access_denied", "token_exchange_refused"),
        (400, "invalid_target", "token_exchange_unavailable"),
        (400, "invalid_scope", "token_exchange_unavailable"),
        (401, "invalid_client", "token_exchange_unavailable"),
        (400, "unauthorized_client", "token_exchange_unavailable"),
    ] {
        let setting = Setting::new();
        setting.server.answers(status, "application/json", &json!({"error": code}).to_string());
        assert_eq!(setting.exchange("a.b.c", 0.0).await, Err(expected), "{status} {code}");
        setting.answers(json!({}));
        assert!(setting.exchange("a.b.c", 10.0).await.is_ok());
    }
    for members in [
        json!({"access_token": "a.b.c"}),
        json!({"access_token": "a\u{1b}b"}),
        json!({"issued_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}),
        json!({"issued_token_type": null}),
        json!({"token_type": "DPoP"}),
        json!({"access_token": null}),
    ] {
        let setting = Setting::new();
        setting.answers(members.clone());
        assert_eq!(setting.exchange("a.b.c", 0.0).await, Err("token_exchange_unavailable"), "{members}");
    }
    let setting = Setting::new();
    setting.server.fails(FetchError::Transport("refused".into()));
    assert_eq!(setting.exchange("a.b.c", 0.0).await, Err("token_exchange_unavailable"));
    assert_eq!(setting.exchange("d.e.f", 0.9).await, Err("token_exchange_unavailable"));
    assert_eq!(setting.server.asked(), 1, "it rests for a moment");
    setting.server.is_slow_by(Duration::from_secs(60));
    setting.answers(json!({}));
    assert_eq!(setting.exchange("a.b.c", 2.0).await, Err("token_exchange_unavailable"));
}
