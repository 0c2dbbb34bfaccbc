//! Answers about tokens that the server signs: RFC 9701.

use super::introspection::{Setting, active};
use super::*;
use crate::io::FetchError;

const JWT: &str = "application/token-introspection+jwt";

fn answer() -> Value {
    let told: Value = serde_json::from_str(&active(json!({}))).unwrap();
    json!({"iss": ISSUER, "aud": "authorizer", "iat": NOW, "token_introspection": told})
}

fn setting(signer: &Signer, is_required: bool) -> Setting {
    let change = |settings: &mut IntrospectionSettings| {
        settings.negative_lifetime = 0.0;
        settings.endpoint = Endpoint::Introspection {
            authentication: ClientAuthentication::basic("authorizer", "secret"),
            signed: Some(Box::new(SignedAnswers::new(ISSUER, "authorizer", 30.0, is_required))),
        };
    };
    Setting::signed_by(change, None, Some(signer))
}

fn typed() -> Value {
    json!({"alg": "ES256", "kid": "one", "typ": "token-introspection+jwt"})
}

#[tokio::test(start_paused = true)]
async fn a_signed_answer_says_what_its_member_says() {
    let signer = Signer::new();
    let setting = setting(&signer, true);
    for (number, changes) in [
        json!({}),
        json!({"aud": ["authorizer", "web"]}),
        json!({"iat": NOW - 89.0}),
        json!({"exp": NOW + 1.0}),
    ]
    .into_iter()
    .enumerate()
    {
        setting.server.answers(200, JWT, &signer.sign(&typed(), &with(answer(), changes)));
        let principal = setting.verify(&format!("opaque-{number}"), 0.0).await.unwrap();
        assert!(principal.claims().has_scope("orders:read"));
        assert_eq!(principal.claims().named("sub"), Some(&json!("me")));
        assert_eq!(setting.server.last().accept, JWT);
    }
    let inactive = with(answer(), json!({"token_introspection": {"active": false}}));
    setting.server.answers(200, JWT, &signer.sign(&typed(), &inactive));
    assert_eq!(setting.verify("inactive", 0.0).await, Err("token_inactive"));
}

/// Whoever could answer in the server's name would let anybody in: what does not hold is nobody's word, and no refusal either.
#[tokio::test(start_paused = true)]
async fn a_signed_answer_that_does_not_hold_is_a_fault() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let good = signer.sign(&typed(), &answer());
    let sign = |changes: Value| signer.sign(&typed(), &with(answer(), changes));
    let head = |changes: Value| signer.sign(&with(typed(), changes), &answer());
    let unsigned = format!("{}.", good.rsplit_once('.').unwrap().0);
    for (what, body) in [
        ("of another key", stranger.sign(&typed(), &answer())),
        ("unsigned", unsigned),
        ("alg none", head(json!({"alg": "none"}))),
        ("an access token", head(json!({"typ": "at+jwt"}))),
        ("a JWT of any type", head(json!({"typ": "JWT"}))),
        ("of no type", head(json!({"typ": null}))),
        ("of another issuer", sign(json!({"iss": "https://other.example/"}))),
        ("of no issuer", sign(json!({"iss": null}))),
        ("for another client", sign(json!({"aud": "web"}))),
        ("for nobody", sign(json!({"aud": null}))),
        ("old", sign(json!({"iat": NOW - 91.0}))),
        ("of the future", sign(json!({"iat": NOW + 31.0}))),
        ("without a time", sign(json!({"iat": null}))),
        ("over", sign(json!({"exp": NOW - 31.0}))),
        ("active beside it", sign(json!({"token_introspection": null, "active": true, "sub": "me"}))),
        (
            "active as a text",
            sign(json!({"token_introspection": {"active": "true", "sub": "me", "aud": "api"}})),
        ),
        ("a list", sign(json!({"token_introspection": [true]}))),
        ("JSON", active(json!({}))),
        ("nothing", String::new()),
    ] {
        for is_required in [true, false] {
            let setting = setting(&signer, is_required);
            setting.server.answers(200, JWT, &body);
            assert_eq!(setting.verify("opaque", 0.0).await, Err("introspection_unavailable"), "{what}");
            setting.server.answers(200, JWT, &good);
            assert!(setting.verify("opaque", 1.0).await.is_ok(), "{what}: its neighbour");
        }
    }
}

/// An attacker on the way who cannot sign would otherwise just not sign.
#[tokio::test(start_paused = true)]
async fn an_unsigned_answer_is_none_where_a_signed_one_is_required() {
    let signer = Signer::new();
    let [required, accepted] = [true, false].map(|is_required| setting(&signer, is_required));
    for setting in [&required, &accepted] {
        setting.server.answers(200, "application/json", &active(json!({})));
    }
    assert_eq!(required.verify("opaque", 0.0).await, Err("introspection_unavailable"));
    assert!(accepted.verify("opaque", 0.0).await.is_ok());
    assert!(accepted.server.last().accept.contains(JWT), "it is asked for all the same");
    required.server.fails(FetchError::Transport("refused".into()));
    assert_eq!(required.verify("opaque", 2.0).await, Err("introspection_unavailable"));
}
