//! What the functions are asked: access tokens of the size and with the claims of real ones, and events around them.

use std::time::{SystemTime, UNIX_EPOCH};

use authorizer_cli::signing::SigningKey;
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://login.example.com/";
pub(crate) const AUDIENCE: &str = "orders-api";

/// An access token of the caller with this number, which expires in so many seconds.
pub(crate) fn token(key: &SigningKey, number: usize, seconds: i64) -> String {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let expiry = now + seconds;
    let claims = json!({
        "iss": ISSUER,
        "sub": subject(number),
        "aud": [AUDIENCE, "https://login.example.com/userinfo"],
        "iat": expiry - 86_400,
        "nbf": expiry - 86_400,
        "exp": expiry,
        "jti": format!("8e2f5c1a-6b0d-4f7e-9a3c-{number:012x}"),
        "client_id": "5f1c0a7e9b3d4c2f8e6a1b0d",
        "azp": "5f1c0a7e9b3d4c2f8e6a1b0d",
        "scope": "openid profile email orders:read orders:write invoices:read",
        "groups": ["customers", "customers-europe", "orders-clerks", "beta-testers"],
        "realm_access": {"roles": ["clerk", "reader"]},
        "email": format!("caller-{number:08}@customers.example.com"),
        "email_verified": true,
        "name": "Frederike Beispiel",
        "tenant": "northwind-logistics-europe",
        "sid": "d9c3a8b7-4e5f-4a1b-8c2d-7e6f5a4b3c2d",
    });
    key.token(&claims).unwrap()
}

/// Its `sub`.
pub(crate) fn subject(number: usize) -> String {
    format!("auth|7f1c{number:08}")
}

/// The same token with another signature.
pub(crate) fn forged(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    format!("{input}.{other}{}", &signature[1..])
}

/// A REST API's TOKEN event.
pub(crate) fn token_event(token: &str) -> Vec<u8> {
    let event = json!({
        "type": "TOKEN",
        "authorizationToken": format!("Bearer {token}"),
        "methodArn": "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/orders/1042",
    });
    event.to_string().into_bytes()
}

/// A REST API's REQUEST event, the repository's own example with this token.
pub(crate) fn request_event(token: &str) -> Vec<u8> {
    const EVENT: &str = include_str!("../../events/rest-request.json");
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    let header = format!("Bearer {token}");
    event["headers"]["authorization"] = json!(header);
    event["multiValueHeaders"]["authorization"] = json!([header]);
    event.to_string().into_bytes()
}

/// Whether the answer is a policy of nothing but this effect; for whom, where that is to be looked at.
pub(crate) fn is(answer: &[u8], effect: &str, principal: Option<&str>) -> bool {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return false };
    let statements = answer["policyDocument"]["Statement"].as_array().map_or(&[][..], Vec::as_slice);
    !statements.is_empty()
        && statements.iter().all(|statement| statement["Effect"] == effect)
        && principal.is_none_or(|principal| answer["principalId"] == principal)
}

/// Whether the answer is a refusal for this reason, told under the context key `reason`.
pub(crate) fn is_refusal(answer: &[u8], reason: &str) -> bool {
    let told =
        serde_json::from_slice::<Value>(answer).is_ok_and(|answer| answer["context"]["reason"] == reason);
    told && is(answer, "Deny", None)
}
