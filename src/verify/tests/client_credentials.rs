//! Clients that hold an ID and a secret, which are exchanged for a token: RFC 6749, section 4.4.

use std::time::Duration;

use base64::engine::general_purpose::STANDARD;

use super::provider::{Line, PATIENCE, Server};
use super::*;
use crate::claims::ClaimPath;
use crate::credential::{Credential, CredentialKind, IdentitySources};
use crate::error::Error;
use crate::io::{Connector, Edges, FetchError};
use crate::request::{EventKind, Parameters, Request, RequestUrl};

/// An issuer whose token endpoint is a [`Server`].
struct Setting {
    issuer: Signer,
    server: Arc<Server>,
    verifiers: Verifiers,
}

const ENDPOINT: &str = "https://issuer.example/token";

impl Setting {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl Fn(&mut ClientCredentialsSettings)) -> Self {
        let (issuer, server) = (Signer::new(), Server::answering("{}"));
        let mut settings = ClientCredentialsSettings {
            issuer: ISSUER.into(),
            endpoint: endpoint(),
            in_form: false,
            parameters: vec![("scope", "orders:read".into())],
            client_claim: None,
            lifetime: 300.0,
            negative_lifetime: 10.0,
            entries: 8,
        };
        change(&mut settings);
        let edges = Edges { fetch: Arc::new(Line(Arc::clone(&server))), ..Edges::of_this_machine() };
        let limits = TokenCacheLimits { entries: 8, bytes: 100_000, lifetime: 300.0 };
        let verifiers = waiting::verifiers_of(&issuer, Duration::ZERO, expectations(), limits);
        let setting = Self { issuer, server, verifiers: verifiers.exchanging(settings, edges) };
        setting.gives(json!({}), json!({}));
        setting
    }

    /// The endpoint gives a token with these claims in an answer with these members.
    fn gives(&self, claims: Value, members: Value) {
        let usual = with(super::claims(), json!({"sub": "shop", "client_id": "shop", "exp": NOW + 600.0}));
        let token = self.issuer.sign(&header(), &with(usual, claims));
        let answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": 600});
        self.server.answers(200, "application/json", &with(answer, members).to_string());
    }

    async fn verify(&self, credential: &str, later: f64) -> Result<Principal, &'static str> {
        let (credential, request) = presented(credential);
        let presented = Presented::new(&credential, &request);
        let verified = self.verifiers.verify(presented, NOW + later, PATIENCE).await;
        let explained = self.verifiers.explain(presented, NOW + later);
        assert!(!format!("{explained:?}").contains("of-the-shop"), "{explained:?}");
        match verified {
            Ok(principal) => {
                assert_eq!(explained.refusal(), None, "{explained:#?}");
                Ok(principal)
            }
            Err(Error::Rejection(rejection)) => {
                let open = explained.checks.iter().any(|checked| checked.verdict == Verdict::Open);
                assert!(open || explained.refusal() == Some(&rejection.reason), "{explained:#?}");
                Err(rejection.reason.code().name())
            }
            Err(Error::Fault(fault)) => Err(fault.code().name()),
        }
    }

    async fn shop(&self, later: f64) -> Result<Principal, &'static str> {
        self.verify(&basic("shop:of-the-shop"), later).await
    }
}

pub(super) fn endpoint() -> TokenEndpoint {
    let connector = Connector::default();
    TokenEndpoint { url: ENDPOINT.parse().unwrap(), connector, timeout: Duration::from_secs(2) }
}

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

/// A credential as an event has it.
pub(super) fn presented(authorization: &str) -> (Credential, Request) {
    let request = Request {
        kind: EventKind::RestRequest,
        arn: "arn:aws:execute-api:r:1:api/stage/GET/".parse().unwrap(),
        route: None,
        request_id: None,
        source_ip: None,
        stage_variables: Default::default(),
        client_certificate: None,
        url: RequestUrl::default(),
        authorization_token: None,
        headers: Parameters::new(vec![("Authorization".into(), authorization.into())]),
        query: Parameters::default(),
        cookies: Parameters::default(),
    };
    let credential = IdentitySources::default().taking_basic().extract(&request).unwrap();
    (credential, request)
}

#[tokio::test(start_paused = true)]
async fn an_id_and_a_secret_get_the_rights_of_their_token() {
    let setting = Setting::new();
    let principal = setting.shop(0.0).await.unwrap();
    assert_eq!(principal.credential_kind(), &CredentialKind::ClientCredentials);
    assert_eq!((&**principal.issuer(), principal.key_id()), (ISSUER, Some("one")));
    let asked = setting.server.last();
    assert_eq!(asked.url, ENDPOINT);
    assert_eq!(asked.form.as_deref(), Some("grant_type=client_credentials&scope=orders%3Aread"));
    assert_eq!(asked.authorization, Some(basic("shop:of-the-shop")), "as it came");
    let posting = Setting::with(|settings| settings.in_form = true);
    posting.gives(json!({"client_id": "a b"}), json!({}));
    assert!(posting.verify(&basic("a+b:p%3Aq:r"), 0.0).await.is_ok());
    let asked = posting.server.last();
    assert_eq!(asked.authorization, None);
    assert_eq!(asked.field("client_id").as_deref(), Some("a b"));
    assert_eq!(asked.field("client_secret").as_deref(), Some("p:q:r"), "decoded as a form is");
}

/// One spelling, one meaning: nobody else is seen in it by whoever reads it otherwise.
#[tokio::test(start_paused = true)]
async fn a_credential_that_is_spelled_oddly_is_not_passed_on() {
    let setting = Setting::new();
    for (what, credential) in [
        ("no Base64", "Basic shop:of-the-shop".to_owned()),
        ("no padding", basic("shop:of-the-shop").trim_end_matches('=').to_owned() + "A"),
        ("the other alphabet", "Basic c2hvcDp_".to_owned()),
        ("no colon", basic("shop")),
        ("no ID", basic(":of-the-shop")),
        ("a line", basic("shop:of-the-shop\r\nX-A: b")),
        ("a line, escaped", basic("shop:of%0D%0Athe-shop")),
        ("half an escape", basic("shop:of%2")),
        ("no escape", basic("sh%zzop:of-the-shop")),
        ("no UTF-8, escaped", basic("shop:%ff")),
        ("beyond ASCII", basic("sh\u{f6}p:of-the-shop")),
        ("a NUL", basic("shop%00:of-the-shop")),
    ] {
        assert_eq!(setting.verify(&credential, 0.0).await, Err("credential_malformed"), "{what}");
    }
    assert_eq!(setting.server.asked(), 0, "nobody is asked about these");
    assert!(setting.shop(0.0).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_token_is_used_for_its_time_and_never_beyond_its_end() {
    let setting = Setting::new();
    for (later, asked) in [(0.0, 1), (299.0, 1), (300.0, 2)] {
        assert!(setting.shop(later).await.is_ok());
        assert_eq!(setting.server.asked(), asked, "{later}");
    }
    let short = Setting::new();
    short.gives(json!({"exp": NOW + 60.0}), json!({"expires_in": 60}));
    for (later, asked) in [(0.0, 1), (49.0, 1), (50.0, 2)] {
        assert!(short.shop(later).await.is_ok());
        assert_eq!(short.server.asked(), asked, "shortly before its end: {later}");
    }
    // It has ended before its time: another one is asked for, once.
    let lying = Setting::new();
    lying.gives(json!({"exp": NOW + 10.0}), json!({}));
    assert!(lying.shop(0.0).await.is_ok());
    lying.gives(json!({"exp": NOW + 600.0}), json!({}));
    assert!(lying.shop(100.0).await.is_ok());
    assert_eq!(lying.server.asked(), 2);
    assert!(lying.verify(&basic("shop:another"), 100.0).await.is_ok());
    assert_eq!(lying.server.asked(), 3, "another secret is another credential");
}

/// The endpoint's word, and nobody else's: what is an outage is no refusal.
#[tokio::test(start_paused = true)]
async fn a_client_that_is_refused_is_told_from_an_endpoint_that_fails() {
    for (status, code, expected) in [
        (401, "invalid_client", "client_refused"),
        (400, "invalid_client", "client_refused"),
        (400, "unauthorized_client", "client_refused"),
        (403, "access_denied", "client_refused"),
        (400, "invalid_scope", "client_credentials_unavailable"),
        (400, "unsupported_grant_type", "client_credentials_unavailable"),
        (401, "of-the-shop", "client_credentials_unavailable"),
    ] {
        let setting = Setting::new();
        let body = json!({"error": code, "error_description": "of-the-shop"}).to_string();
        setting.server.answers(status, "application/json", &body);
        assert_eq!(setting.shop(0.0).await, Err(expected), "{status} {code}");
        setting.gives(json!({}), json!({}));
        let remembered = expected == "client_refused";
        assert_eq!(setting.shop(9.9).await.is_err(), remembered, "{status} {code}");
        assert!(setting.shop(10.0).await.is_ok());
    }
    for error in [
        FetchError::Transport("refused".into()),
        FetchError::Status { status: 503, retry_after: None },
        FetchError::Status { status: 429, retry_after: Some(5.0) },
        FetchError::TimedOut(PATIENCE),
    ] {
        let setting = Setting::new();
        assert!(setting.shop(0.0).await.is_ok());
        setting.server.fails(error);
        assert_eq!(setting.verify(&basic("a:b"), 0.0).await, Err("client_credentials_unavailable"));
        assert_eq!(setting.verify(&basic("c:d"), 0.9).await, Err("client_credentials_unavailable"));
        assert_eq!(setting.server.asked(), 2, "it rests for a moment");
        assert!(setting.shop(0.9).await.is_ok(), "who is known is let in meanwhile");
        setting.gives(json!({"client_id": "a"}), json!({}));
        assert!(setting.verify(&basic("a:b"), 1.0).await.is_ok());
    }
}

/// A client who provokes an error would otherwise keep everybody else waiting.
#[tokio::test(start_paused = true)]
async fn an_error_of_one_client_is_not_another_ones() {
    let setting = Setting::new();
    setting.server.answers(400, "application/json", r#"{"error": "invalid_scope"}"#);
    assert_eq!(setting.verify(&basic("poor:x"), 0.0).await, Err("client_credentials_unavailable"));
    setting.gives(json!({}), json!({}));
    assert!(setting.shop(0.0).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_token_is_a_fault() {
    for members in [
        json!({"access_token": null}),
        json!({"access_token": ""}),
        json!({"access_token": 7}),
        json!({"access_token": "a b"}),
        json!({"token_type": null}),
        json!({"token_type": "DPoP"}),
        json!({"expires_in": -1}),
        json!({"expires_in": "soon"}),
    ] {
        let setting = Setting::new();
        setting.gives(json!({}), members.clone());
        assert_eq!(setting.shop(0.0).await, Err("client_credentials_unavailable"), "{members}");
    }
    for members in
        [json!({"expires_in": null}), json!({"expires_in": "600"}), json!({"token_type": "bearer"})]
    {
        let setting = Setting::new();
        setting.gives(json!({}), members.clone());
        assert!(setting.shop(0.0).await.is_ok(), "{members}");
    }
    let setting = Setting::new();
    for body in ["", "[]", "<html>", r#"{"access_token": "a", "access_token": "b", "token_type": "Bearer"}"#]
    {
        setting.server.answers(200, "application/json", body);
        assert_eq!(setting.shop(0.0).await, Err("client_credentials_unavailable"), "{body}");
    }
}

/// The token is checked like any other, and is this client's.
#[tokio::test(start_paused = true)]
async fn a_token_of_somebody_else_is_not_taken() {
    for (claims, expected) in [
        (json!({"aud": "elsewhere"}), "audience_mismatch"),
        (json!({"iss": "https://other.example/"}), "issuer_unknown"),
        (json!({"nonce": "1"}), "token_type_unexpected"),
        (json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}), "token_sender_constrained"),
        (json!({"client_id": "till"}), "client_credentials_unavailable"),
        (json!({"azp": "till"}), "client_credentials_unavailable"),
    ] {
        let setting = Setting::new();
        setting.gives(claims.clone(), json!({}));
        assert_eq!(setting.shop(0.0).await, Err(expected), "{claims}");
    }
    for claims in [json!({"client_id": null}), json!({"client_id": null, "azp": "shop"})] {
        let setting = Setting::new();
        setting.gives(claims.clone(), json!({}));
        assert!(setting.shop(0.0).await.is_ok(), "{claims}");
    }
    let by_subject = Setting::with(|settings| settings.client_claim = Some(ClaimPath::of(["sub"])));
    assert!(by_subject.shop(0.0).await.is_ok());
    by_subject.gives(json!({"sub": "till"}), json!({}));
    assert_eq!(by_subject.verify(&basic("shop:2"), 0.0).await, Err("client_credentials_unavailable"));
    let by_absent = Setting::with(|settings| settings.client_claim = Some(ClaimPath::of(["cid"])));
    assert_eq!(by_absent.shop(0.0).await, Err("client_credentials_unavailable"));
    let elsewhere = Setting::with(|settings| settings.issuer = "https://other.example/".into());
    assert_eq!(elsewhere.shop(0.0).await, Err("client_credentials_unavailable"));
    elsewhere.server.fails(FetchError::TooLarge(0));
    assert_eq!(elsewhere.shop(0.0).await, Err("client_credentials_unavailable"), "it is not kept");
    assert_eq!(elsewhere.server.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_credential_is_exchanged_once_at_a_time() {
    let setting = Setting::new();
    setting.server.is_slow_by(Duration::from_millis(50));
    let (one, two) = tokio::join!(setting.shop(0.0), setting.shop(0.0));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(setting.server.asked(), 1);
}

/// Each kind of credential is tried where its own form is there.
#[tokio::test(start_paused = true)]
async fn a_secret_is_no_token_and_a_token_no_secret() {
    let setting = Setting::new();
    let token = setting.issuer.sign(&header(), &claims());
    assert_eq!(setting.verify(&format!("Basic {token}"), 0.0).await, Err("credential_malformed"));
    assert_eq!(
        setting.verify(&basic("shop:1").replace("Basic", "Bearer"), 0.0).await,
        Err("token_malformed")
    );
    assert_eq!(setting.server.asked(), 0);
    assert!(setting.verify(&format!("Bearer {token}"), 0.0).await.is_ok());
    let none = Verifiers::new(Vec::new(), TokenCacheLimits { entries: 0, bytes: 0, lifetime: 0.0 });
    let (credential, request) = presented(&basic("shop:of-the-shop"));
    let verified = none.verify(Presented::new(&credential, &request), NOW, PATIENCE).await;
    assert!(matches!(verified, Err(Error::Rejection(_))), "nobody exchanges it");
}
