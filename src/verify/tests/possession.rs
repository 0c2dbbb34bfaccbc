//! Tokens that are bound to a key of the client: rule C9, RFC 9449 and RFC 8705.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::engine::general_purpose::STANDARD;
use rcgen::generate_simple_self_signed;

use super::*;
use crate::credential::IdentitySources;
use crate::error::Error;
use crate::event::Event;
use crate::jwks::thumbprint;
use crate::request::Request;

const URL: &str = "https://api.example.com/v1/orders/7";

/// A certificate of this client, in PEM form as API Gateway has it.
fn certificate() -> String {
    let signed = generate_simple_self_signed(["client.example.com".to_owned()]).unwrap();
    let lines = STANDARD.encode(signed.cert.der());
    let lines: Vec<&str> = lines.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn sha256(text: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text))
}

/// An issuer, a client with a key and a certificate, and a token that is bound to what `cnf` says.
pub(super) struct Setting {
    pub(super) issuer: Signer,
    client: Signer,
    certificate: String,
    pub(super) expectations: Expectations,
}

impl Setting {
    pub(super) fn new() -> Self {
        let certificate = self::certificate();
        let mut expectations = expectations();
        let algorithms = vec![Algorithm::ES256, Algorithm::EdDSA];
        let dpop = Some(Arc::new(DpopProofs { algorithms, lifetime: 60.0, url: None }));
        expectations.possession = ProofOfPossession { dpop, mutual_tls: true, is_required: false };
        Self { issuer: Signer::new(), client: Signer::new(), certificate, expectations }
    }

    fn token(&self, confirmation: Value) -> String {
        self.issuer.sign(&header(), &with(claims(), json!({ "cnf": confirmation })))
    }

    pub(super) fn key_thumbprint(&self) -> String {
        thumbprint(self.client.jwk().as_object().unwrap()).unwrap()
    }

    fn certificate_thumbprint(&self) -> String {
        let lines = self.certificate.lines().filter(|line| !line.starts_with("--"));
        let der = STANDARD.decode(lines.collect::<String>()).unwrap();
        sha256(&der)
    }

    pub(super) fn dpop_bound(&self) -> String {
        self.token(json!({"jkt": self.key_thumbprint()}))
    }

    fn certificate_bound(&self) -> String {
        self.token(json!({"x5t#S256": self.certificate_thumbprint()}))
    }

    /// A proof with other parameters and claims than it should have.
    pub(super) fn proof(&self, token: &str, header: Value, claims: Value) -> String {
        let mut jwk = self.client.jwk();
        jwk.as_object_mut().unwrap().remove("kid");
        let usual = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk});
        let body = json!({
            "jti": "e1j3V_bKic8-LAEB", "htm": "GET", "htu": URL, "iat": NOW - 5.0, "ath": sha256(token.as_bytes()),
        });
        self.client.sign(&with(usual, header), &with(body, claims))
    }

    /// The reason, which the explanation names, too.
    fn check(&self, token: &str, request: &Request) -> Result<(), Reason> {
        let credential = IdentitySources::default().extract(request)?;
        assert_eq!(credential.expose(), token);
        let (presented, keys) = (Presented::new(&credential, request), self.issuer.keys());
        let admitted = Admitted::new(Token::parse(token)?, &self.expectations)?;
        let verified =
            admitted.verify(&keys, &presented, NOW).map(drop).map_err(|rejection| rejection.reason);
        let explained = explain(presented, Some(&keys), &self.expectations, NOW);
        assert_eq!(verified.as_ref().err(), explained.refusal(), "{explained:#?}");
        verified
    }

    fn code(&self, token: &str, request: &Request) -> &'static str {
        self.check(token, request).map_or_else(|reason| reason.code().name(), |()| "passed")
    }

    fn with_proof(&self, token: &str, header: Value, claims: Value) -> Result<(), Reason> {
        self.check(token, &request(&format!("DPoP {token}"), &[&self.proof(token, header, claims)], None))
    }
}

/// A REST REQUEST event of an API behind a custom domain, whose base path is `/v1`.
fn event(authorization: &str, proofs: &[&str], certificate: Option<&str>) -> Value {
    json!({
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:eu-central-1:123456789012:abc/prod/GET/orders/7",
        "resource": "/orders/{id}",
        "path": "/orders/7",
        "httpMethod": "GET",
        "headers": {"authorization": authorization, "Host": "api.example.com"},
        "multiValueHeaders": {"DPoP": proofs},
        "requestContext": {"path": "/v1/orders/7", "identity": {"clientCert": certificate.map(|pem| json!({"clientCertPem": pem}))}},
    })
}

fn parsed(event: &Value) -> Request {
    Event { payload: &event.to_string(), invocation_id: "1", deadline: None }.try_into().unwrap()
}

pub(super) fn request(authorization: &str, proofs: &[&str], certificate: Option<&str>) -> Request {
    parsed(&event(authorization, proofs, certificate))
}

#[test]
fn a_bound_token_is_taken_with_a_proof_of_its_key() {
    let setting = Setting::new();
    let token = setting.dpop_bound();
    assert_eq!(setting.with_proof(&token, json!({}), json!({})), Ok(()));
    for claims in [
        json!({"iat": NOW + 29.0}),
        json!({"iat": NOW - 89.0}),
        json!({"nonce": "whatever", "exp": 1}),
        json!({"htu": "https://API.example.com:443/v1/orders/%37?page=2#top"}),
    ] {
        assert_eq!(setting.with_proof(&token, json!({}), claims.clone()), Ok(()), "{claims}");
    }
    assert_eq!(setting.with_proof(&token, json!({"typ": "application/DPoP+JWT"}), json!({})), Ok(()));
}

/// RFC 9449, section 4.3, point by point; and section 11.
#[test]
fn a_proof_of_something_else_is_refused() {
    let setting = Setting::new();
    let token = setting.dpop_bound();
    let other = Signer::new().jwk();
    for (header, claims, problem) in [
        (json!({"typ": "JWT"}), json!({}), "its `typ` is not `dpop+jwt`"),
        (json!({"typ": null}), json!({}), "its `typ` is not `dpop+jwt`"),
        (json!({"alg": "none"}), json!({}), "its algorithm is not allowed"),
        (json!({"alg": "HS256"}), json!({}), "its algorithm is not allowed"),
        (json!({"alg": "ES384"}), json!({}), "its algorithm is not allowed"),
        (json!({"alg": "EdDSA"}), json!({}), "its signature is not of the key in its header"),
        (json!({"jwk": null}), json!({}), "its header holds no public key that can be used"),
        (json!({"jwk": "key"}), json!({}), "its header holds no public key that can be used"),
        (
            json!({"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}),
            json!({}),
            "its header holds no public key that can be used",
        ),
        (
            json!({"jwk": with(setting.client.jwk(), json!({"d": "AA"}))}),
            json!({}),
            "its header holds a private key",
        ),
        (json!({"jwk": {"kty": "oct", "k": "AA"}}), json!({}), "its header holds a private key"),
        (json!({"jwk": other}), json!({}), "its signature is not of the key in its header"),
        (json!({"crit": ["b64"]}), json!({}), "it is not a signed JWT"),
        (json!({}), json!({"htm": "POST"}), "`htm` is not the method of this request"),
        (json!({}), json!({"htm": "get"}), "`htm` is not the method of this request"),
        (json!({}), json!({"htm": null}), "`htm` is not the method of this request"),
        (json!({}), json!({"iat": null}), "it has no `iat`"),
        (json!({}), json!({"iat": "now"}), "it has no `iat`"),
        (json!({}), json!({"iat": NOW - 90.0}), "`iat` is too long ago, or in the future"),
        (json!({}), json!({"iat": NOW + 31.0}), "`iat` is too long ago, or in the future"),
        (json!({}), json!({"ath": null}), "`ath` is not the digest of this token"),
        (json!({}), json!({"ath": sha256(b"another token")}), "`ath` is not the digest of this token"),
        (json!({}), json!({"jti": null}), "it has no usable `jti`"),
        (json!({}), json!({"jti": ""}), "it has no usable `jti`"),
        (json!({}), json!({"jti": "x".repeat(257)}), "it has no usable `jti`"),
    ] {
        let found = setting.with_proof(&token, header.clone(), claims.clone());
        assert_eq!(found, Err(Reason::DpopProofInvalid { problem }), "{header} {claims}");
    }
    for url in [
        "https://api.example.com/v1/orders/8",
        "https://api.example.com/v1/orders/7/",
        "https://api.example.com/orders/7",
        "https://api.example.com/v2/orders/7",
        "https://evil.example.com/v1/orders/7",
        "https://api.example.com.evil.example/v1/orders/7",
        "https://api.example.com@evil.example/v1/orders/7",
        "https://user@api.example.com/v1/orders/7",
        "https://api.example.com:8443/v1/orders/7",
        "http://api.example.com/v1/orders/7",
        "wss://api.example.com/v1/orders/7",
        "https://api.example.com/v1/orders%2F7",
        "/v1/orders/7",
        "",
    ] {
        let problem = "`htu` is not the URL of this request";
        let found = setting.with_proof(&token, json!({}), json!({ "htu": url }));
        assert_eq!(found, Err(Reason::DpopProofInvalid { problem }), "{url}");
    }
}

#[test]
fn a_token_is_worth_nothing_without_the_key_that_it_is_bound_to() {
    let setting = Setting::new();
    let (bound, unbound) = (setting.dpop_bound(), setting.issuer.sign(&header(), &claims()));
    let of_another = setting.token(json!({"jkt": sha256(b"another key")}));
    let proof = |token: &str| setting.proof(token, json!({}), json!({}));
    for (token, scheme, proofs, expected) in [
        (&bound, "DPoP", vec![proof(&bound)], "passed"),
        (&bound, "dpop", vec![proof(&bound)], "passed"),
        (&bound, "DPoP", vec![], "dpop_proof_missing"),
        (&bound, "DPoP", vec![proof(&bound), proof(&bound)], "dpop_proof_invalid"),
        (&bound, "DPoP", vec!["x".repeat(9000)], "dpop_proof_invalid"),
        // The downgrade: a thief of the token alone.
        (&bound, "Bearer", vec![], "token_sender_constrained"),
        (&bound, "Bearer", vec![proof(&bound)], "token_sender_constrained"),
        (&of_another, "DPoP", vec![proof(&of_another)], "dpop_proof_invalid"),
        (&unbound, "DPoP", vec![proof(&unbound)], "token_unbound"),
        (&unbound, "Bearer", vec![], "passed"),
    ] {
        let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
        let request = request(&format!("{scheme} {token}"), &proofs, None);
        assert_eq!(setting.code(token, &request), expected, "{scheme} {proofs:?}");
    }
    // A TOKEN event has no other header.
    let arn = "arn:aws:execute-api:eu-central-1:123456789012:abc/prod/GET/orders/7";
    let token_event =
        json!({"type": "TOKEN", "authorizationToken": format!("DPoP {bound}"), "methodArn": arn});
    assert_eq!(setting.code(&bound, &parsed(&token_event)), "dpop_proof_missing");
}

#[test]
fn a_certificate_bound_token_needs_its_certificate() {
    let setting = Setting::new();
    let token = setting.certificate_bound();
    let other = certificate();
    let bearer = format!("Bearer {token}");
    for (certificate, expected) in [
        (Some(setting.certificate.as_str()), "passed"),
        (Some(&*other), "client_certificate_mismatch"),
        (
            Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "client_certificate_mismatch",
        ),
        (Some("no certificate"), "client_certificate_mismatch"),
        (Some(""), "client_certificate_missing"),
        (None, "client_certificate_missing"),
    ] {
        assert_eq!(setting.code(&token, &request(&bearer, &[], certificate)), expected, "{certificate:?}");
    }
    // Where payload format 2.0 has it.
    let mut http = json!({
        "version": "2.0", "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:eu-central-1:123456789012:abc/$default/GET/orders/7",
        "routeKey": "GET /orders/{id}", "rawPath": "/orders/7", "headers": {"authorization": bearer},
        "requestContext": {"authentication": {"clientCert": {"clientCertPem": setting.certificate}}},
    });
    assert_eq!(setting.code(&token, &parsed(&http)), "passed");
    http["requestContext"]["authentication"] = json!(null);
    assert_eq!(setting.code(&token, &parsed(&http)), "client_certificate_missing");
    // To both, and one of them is not enough.
    let both =
        setting.token(json!({"jkt": setting.key_thumbprint(), "x5t#S256": setting.certificate_thumbprint()}));
    let proof = setting.proof(&both, json!({}), json!({}));
    let own = Some(setting.certificate.as_str());
    for (scheme, proofs, certificate, expected) in [
        ("DPoP", &[&*proof][..], own, "passed"),
        ("DPoP", &[&*proof], None, "client_certificate_missing"),
        ("DPoP", &[], own, "dpop_proof_missing"),
        ("Bearer", &[], own, "token_sender_constrained"),
    ] {
        let request = request(&format!("{scheme} {both}"), proofs, certificate);
        assert_eq!(setting.code(&both, &request), expected);
    }
}

/// What is not configured is not checked, and so refused; and so is a way to bind a token that nobody here knows.
#[test]
fn a_binding_that_is_not_checked_is_refused() {
    let mut setting = Setting::new();
    let (by_key, by_certificate) = (setting.dpop_bound(), setting.certificate_bound());
    let unbound = setting.issuer.sign(&header(), &claims());
    let certificate = Some(setting.certificate.clone());
    let shown = |setting: &Setting, token: &str, scheme: &str| {
        let proof = setting.proof(token, json!({}), json!({}));
        setting.code(token, &request(&format!("{scheme} {token}"), &[&proof], certificate.as_deref()))
    };
    for confirmation in [
        json!({}),
        json!(null),
        json!("jkt"),
        json!([]),
        json!({"jkt": 1}),
        json!({"x5t#S256": null}),
        json!({"jwk": setting.client.jwk()}),
        json!({"jkt": setting.key_thumbprint(), "kid": "one"}),
    ] {
        let claims =
            json!({"iss": ISSUER, "aud": "api", "sub": "me", "exp": NOW + 60.0, "cnf": confirmation});
        let token = setting.issuer.sign(&header(), &claims);
        assert_eq!(shown(&setting, &token, "DPoP"), "token_sender_constrained", "{confirmation}");
    }
    let all = setting.expectations.possession.clone();
    setting.expectations.possession = ProofOfPossession { dpop: None, ..all.clone() };
    assert_eq!(shown(&setting, &by_key, "DPoP"), "token_sender_constrained");
    assert_eq!(shown(&setting, &by_certificate, "Bearer"), "passed");
    setting.expectations.possession = ProofOfPossession { mutual_tls: false, ..all.clone() };
    assert_eq!(shown(&setting, &by_key, "DPoP"), "passed");
    assert_eq!(shown(&setting, &by_certificate, "Bearer"), "token_sender_constrained");
    setting.expectations.possession = ProofOfPossession { is_required: true, ..all };
    assert_eq!(shown(&setting, &unbound, "Bearer"), "token_unbound");
    assert_eq!(shown(&setting, &by_certificate, "Bearer"), "passed");
}

/// The URL is what the client asked for: with the stage, or with the base path of a custom domain.
#[test]
fn the_url_of_a_proof_is_that_of_every_kind_of_event() {
    let mut setting = Setting::new();
    let token = setting.dpop_bound();
    let authorization = format!("DPoP {token}");
    let own = "abc.execute-api.eu-central-1.amazonaws.com";
    let arn =
        |stage: &str, tail: &str| format!("arn:aws:execute-api:eu-central-1:123456789012:abc/{stage}/{tail}");
    let headers = |proof: &str| json!({"authorization": authorization, "dpop": proof, "Host": own});
    let rest = |proof: &str| {
        json!({
            "type": "REQUEST", "methodArn": arn("prod", "GET/orders/7"), "path": "/orders/7", "httpMethod": "GET",
            "headers": headers(proof), "requestContext": {"path": "/prod/orders/7"},
        })
    };
    let http_1 = |proof: &str| {
        json!({
            "version": "1.0", "type": "REQUEST", "methodArn": arn("$default", "GET/orders/7"), "path": "/orders/7",
            "httpMethod": "GET", "headers": headers(proof),
            "requestContext": {"domainName": own, "path": "/orders/7"},
        })
    };
    let http_2 = |proof: &str| {
        json!({
            "version": "2.0", "type": "REQUEST", "routeArn": arn("dev", "GET/orders/7"), "rawPath": "/dev/orders/7",
            "headers": headers(proof),
            "requestContext": {"domainName": own, "http": {"method": "GET", "path": "/dev/orders/7"}},
        })
    };
    let websocket = |proof: &str| {
        json!({
            "type": "REQUEST", "methodArn": arn("live", "$connect"), "headers": headers(proof),
            "requestContext": {"domainName": own, "stage": "live", "eventType": "CONNECT", "connectionId": "c"},
        })
    };
    let code = |setting: &Setting, event: &dyn Fn(&str) -> Value, url: &str| {
        let proof = setting.proof(&token, json!({}), json!({ "htu": url }));
        setting.code(&token, &parsed(&event(&proof)))
    };
    let at = |scheme: &str, path: &str| format!("{scheme}://{own}{path}");
    type Events<'a> = [(&'a dyn Fn(&str) -> Value, String, String); 4];
    let events: Events<'_> = [
        (&rest, at("https", "/prod/orders/7"), at("https", "/orders/7")),
        (&http_1, at("https", "/orders/7"), at("https", "/$default/orders/7")),
        (&http_2, at("https", "/dev/orders/7"), at("https", "/orders/7")),
        (&websocket, at("wss", "/live"), at("wss", "/dev")),
    ];
    for (event, right, wrong) in &events {
        assert_eq!(code(&setting, event, right), "passed", "{right}");
        assert_eq!(code(&setting, event, wrong), "dpop_proof_invalid", "{wrong}");
    }
    assert_eq!(code(&setting, &websocket, &at("https", "/live")), "passed");
    // Behind a proxy, as the configuration says; and nothing else then.
    let proofs = (**setting.expectations.possession.dpop.as_ref().unwrap()).clone();
    let url = Some("https://api.example.com/shop/".parse().unwrap());
    setting.expectations.possession.dpop = Some(Arc::new(DpopProofs { url, ..proofs }));
    for (event, of_event, _) in &events[..3] {
        assert_eq!(code(&setting, event, "https://api.example.com/shop/orders/7"), "passed");
        assert_eq!(code(&setting, event, of_event), "dpop_proof_invalid");
    }
    assert_eq!(code(&setting, &websocket, "wss://api.example.com/shop/"), "passed");
}

/// RFC 9449, section 11.1: within one process a proof is taken once, whether or not the token is remembered.
#[tokio::test(start_paused = true)]
async fn a_proof_is_taken_once() {
    let setting = Setting::new();
    let token = setting.dpop_bound();
    for entries in [0, 8] {
        let limits = TokenCacheLimits { entries, bytes: 100_000, lifetime: 300.0 };
        let verifiers =
            waiting::verifiers_of(&setting.issuer, Duration::ZERO, setting.expectations.clone(), limits);
        let code = async |id: &str, claims: Value| {
            let claims = with(json!({ "jti": id }), claims);
            let proof = setting.proof(&token, json!({}), claims);
            let request = request(&format!("DPoP {token}"), &[&proof], None);
            let credential = IdentitySources::default().extract(&request).unwrap();
            let presented = Presented::new(&credential, &request);
            match verifiers.verify(presented, NOW, Duration::from_secs(3)).await {
                Ok(_) => "passed",
                Err(Error::Rejection(rejection)) => rejection.reason.code().name(),
                Err(Error::Fault(fault)) => fault.code().name(),
            }
        };
        // What is refused for another reason is not remembered.
        assert_eq!(code("first", json!({"htm": "POST"})).await, "dpop_proof_invalid");
        assert_eq!(code("first", json!({})).await, "passed");
        assert_eq!(code("first", json!({})).await, "dpop_proof_replayed");
        assert_eq!(code("second", json!({})).await, "passed");
    }
}

/// What the authorization server says of an opaque token binds it, too; the proof is asked for again with a kept answer.
#[tokio::test(start_paused = true)]
async fn an_opaque_token_may_be_bound_to_a_key() {
    let setting = Setting::new();
    let possession = setting.expectations.possession.clone();
    let change = |settings: &mut IntrospectionSettings| settings.expectations.possession = possession.clone();
    let asked = introspection::Setting::with(change, None);
    asked.answers(&introspection::active(json!({"cnf": {"jkt": setting.key_thumbprint()}})));
    let proof = |token: &str| setting.proof(token, json!({}), json!({}));
    for (scheme, proofs, expected) in [
        ("DPoP", &[&*proof("opaque")][..], "passed"),
        ("DPoP", &[&*proof("opaque")], "dpop_proof_replayed"),
        ("DPoP", &[&*proof("another")], "dpop_proof_invalid"),
        ("DPoP", &[], "dpop_proof_missing"),
        ("Bearer", &[], "token_sender_constrained"),
    ] {
        let request = request(&format!("{scheme} opaque"), proofs, None);
        let credential = IdentitySources::default().extract(&request).unwrap();
        let presented = Presented::new(&credential, &request);
        let code = match asked.verifiers.verify(presented, NOW, Duration::from_secs(3)).await {
            Ok(_) => "passed",
            Err(Error::Rejection(rejection)) => rejection.reason.code().name(),
            Err(Error::Fault(fault)) => fault.code().name(),
        };
        assert_eq!(code, expected, "{scheme} {proofs:?}");
    }
}
