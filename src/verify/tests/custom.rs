//! A kind of credential that code of one's own verifies, among the others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::error::{CustomCode, Error};
use crate::event::Event;
use crate::request::Request;

const NAMELESS: CustomCode = CustomCode::new("guest_nameless");

/// `guest~NAME`, by the name.
#[derive(Default)]
struct Guests {
    asked: AtomicUsize,
    requests: AtomicUsize,
}

impl CredentialVerifier for Guests {
    fn is_meant(&self, presented: &Presented<'_>) -> bool {
        presented.token().starts_with("guest~")
    }

    fn verify<'a>(&'a self, asked: Asked<'a>) -> Verification<'a> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.requests.fetch_add(usize::from(asked.presented.request().is_some()), Ordering::Relaxed);
        Box::pin(async move {
            let name = asked.presented.token().strip_prefix("guest~").filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| NAMELESS.refusal("there is no name"))?;
            if name.contains('.') {
                let principal = asked.tokens.verify(name, asked.now, asked.patience).await?;
                return Ok(Identity { key_id: None, claims: principal.claims().clone() });
            }
            let claims = serde_json::Map::from_iter([("sub".to_owned(), name.into())]);
            Ok(Identity { key_id: Some("the list".into()), claims: Claims::from(claims) })
        })
    }
}

fn verifiers(guests: &Arc<Guests>, looks_at_request: bool) -> Verifiers {
    let limits = TokenCacheLimits { entries: 0, bytes: 0, lifetime: 1.0 };
    let kind = CredentialKind::Custom("guest".into());
    Verifiers::new(Vec::new(), limits).extended(kind, "guests".into(), guests.clone(), looks_at_request)
}

async fn verify(verifiers: &Verifiers, presented: Presented<'_>) -> Result<Principal, Reason> {
    match verifiers.verify(presented, NOW, Duration::from_secs(1)).await {
        Ok(principal) => Ok(principal),
        Err(Error::Rejection(rejection)) => Err(rejection.reason),
        Err(Error::Fault(fault)) => panic!("{fault}"),
    }
}

/// Kind and issuer are those of the configuration, whatever the verifier says.
#[tokio::test]
async fn it_makes_a_principal_of_its_own_kind_and_issuer() {
    let guests = Arc::new(Guests::default());
    let verifiers = verifiers(&guests, false);
    let principal = verify(&verifiers, Presented::bearer("guest~alice")).await.unwrap();
    assert_eq!((&**principal.issuer(), principal.credential_kind().name()), ("guests", "guest"));
    assert_eq!(
        (principal.key_id(), principal.claims().named("sub")),
        (Some("the list"), Some(&json!("alice")))
    );
    let refused = verify(&verifiers, Presented::bearer("guest~")).await.unwrap_err();
    assert_eq!(
        (refused.code().name(), refused.to_string()),
        ("guest_nameless", "there is no name".to_owned())
    );
    let unknown = verifiers.explain(Presented::bearer("guest~"), NOW);
    assert_eq!((unknown.checks.len(), unknown.refusal()), (1, None));
}

/// Each kind is tried only when its own form is present. A token that a credential stands for is a token.
#[tokio::test]
async fn what_has_another_form_is_never_shown_to_it() {
    let guests = Arc::new(Guests::default());
    let verifiers = verifiers(&guests, false);
    for other in ["Guest~alice", "guest", "a.b.c", "opaque"] {
        let refused = verify(&verifiers, Presented::bearer(other)).await.unwrap_err();
        assert_eq!(refused.code().name(), "token_malformed", "{other}");
    }
    assert_eq!(guests.asked.load(Ordering::Relaxed), 0);
    for (token, reason) in [("guest~guest~a.", "token_malformed"), ("guest~a.b.c", "token_malformed")] {
        assert_eq!(verify(&verifiers, Presented::bearer(token)).await.unwrap_err().code().name(), reason);
    }
    assert_eq!(guests.asked.load(Ordering::Relaxed), 2);
}

/// Rule Z4: answers are kept by the credential, so that nothing else may be looked at, unless the configuration says so.
#[tokio::test]
async fn it_sees_the_request_where_the_configuration_says_so() {
    for (scheme, looks_at_request, requests, refusal) in [
        ("Bearer", false, 0, None),
        ("Bearer", true, 1, None),
        // RFC 9449, section 7.1: without the request no proof can be looked at.
        ("DPoP", false, 0, Some(Reason::TokenUnbound)),
        ("DPoP", true, 1, None),
    ] {
        let payload = format!(
            r#"{{"type": "TOKEN", "authorizationToken": "{scheme} guest~alice",
                "methodArn": "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/orders"}}"#
        );
        let event = Event { payload: &payload, invocation_id: "1", deadline: None };
        let request = Request::try_from(event).unwrap();
        let credential = crate::credential::IdentitySources::default().extract(&request).unwrap();
        let presented = Presented::new(&credential, &request);
        let guests = Arc::new(Guests::default());
        let verified = verify(&verifiers(&guests, looks_at_request), presented).await;
        assert_eq!(verified.err(), refusal, "{scheme}");
        assert_eq!(guests.requests.load(Ordering::Relaxed), requests, "{scheme}, {looks_at_request}");
    }
}
