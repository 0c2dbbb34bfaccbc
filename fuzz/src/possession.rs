//! A token that is bound to a key, and the requests with proofs of that key.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::digest::{SHA256, digest};
use lambda_authorizer::credential::IdentitySources;
use lambda_authorizer::error::Code;
use lambda_authorizer::event::Event;
use lambda_authorizer::jwks::{Algorithm, thumbprint};
use lambda_authorizer::request::Request;
use lambda_authorizer::verify::{
    AudienceCheck, DpopProofs, Expectations, Presented, Profile, ProofOfPossession, explain,
};
use serde_json::{Value, json};

use crate::{AUDIENCE, CLAIMS, HEADER, ISSUER, JWK, KEYS, NOW, encode, sign};

/// What is asked for.
pub const URL: &str = "https://api.example.com/v1/orders/7";

/// How long ago a proof may have been made, in seconds.
pub const LIFETIME: f64 = 60.0;

/// The token. The key that it is bound to is the issuer's own, which is as good as any.
static BOUND: LazyLock<String> = LazyLock::new(|| {
    let jwk: Value = serde_json::from_str(&JWK).expect("a JWK");
    let thumbprint = jwk.as_object().and_then(thumbprint).expect("a key that has one");
    let claims = CLAIMS.replacen('{', &format!("{{\"cnf\":{{\"jkt\":\"{thumbprint}\"}},"), 1);
    sign(HEADER.as_bytes(), claims.as_bytes())
});

/// `ath` of the token.
pub static ATH: LazyLock<String> = LazyLock::new(|| encode(digest(&SHA256, BOUND.as_bytes()).as_ref()));

static EXPECTATIONS: LazyLock<Expectations> = LazyLock::new(|| {
    let audience = AudienceCheck::OneOf(vec![AUDIENCE.into()]);
    let mut expectations = Expectations::new(Profile::AccessToken, ISSUER, audience);
    let algorithms = Algorithm::ALL.to_vec();
    expectations.algorithms = algorithms.clone();
    expectations.types.named.push("jwt".into());
    let proofs = DpopProofs { algorithms, lifetime: LIFETIME, url: None };
    expectations.possession = ProofOfPossession { dpop: Some(Arc::new(proofs)), ..Default::default() };
    expectations
});

/// A proof with these claims, whatever they are.
pub fn proof(claims: &[u8]) -> String {
    let header = format!(r#"{{"typ":"dpop+jwt","alg":"EdDSA","jwk":{}}}"#, *JWK);
    sign(header.as_bytes(), claims)
}

/// Why the token is refused with this proof.
pub fn refusal(proof: &str) -> Option<Code> {
    let event = json!({
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:a/prod/GET/orders/7",
        "path": "/orders/7",
        "httpMethod": "GET",
        "headers": {"Authorization": format!("DPoP {}", *BOUND), "DPoP": proof, "Host": "api.example.com"},
        "requestContext": {"path": "/v1/orders/7"},
    })
    .to_string();
    let event = Event { payload: &event, invocation_id: "1", deadline: None };
    let request = Request::try_from(event).expect("an event");
    let credential = IdentitySources::default().extract(&request).expect("a credential");
    let explained = explain(Presented::new(&credential, &request), Some(&KEYS), &EXPECTATIONS, NOW);
    explained.refusal().map(|reason| reason.code())
}
