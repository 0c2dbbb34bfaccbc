//! The tokens, keys and events that are measured. They lie in files, so that every run verifies the same signatures:
//! the work of an elliptic curve depends on its numbers.

use authorizer_cli::signing::{Algorithm, SigningKey, key_set};
use serde_json::{Value, json};

/// In seconds since 1970; all tokens are valid at it.
pub(crate) const NOW: f64 = 1_800_000_000.0;

pub(crate) const ISSUER: &str = "https://login.example.com/";

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/decision/tokens.json");

/// One algorithm's key set, and a token of it.
pub(crate) struct Fixture {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_set: String,
    pub(crate) token: String,
}

/// RSA with 4096 bits is beside the others: its verification is dearer, and its tokens are longer.
pub(crate) const NAMES: [&str; 8] =
    ["RS256", "RS256-4096", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"];

/// The one of this name.
pub(crate) fn named(name: &str) -> Fixture {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(PATH).unwrap()).unwrap();
    Fixture::read(name, &file[name])
}

/// Makes the file anew, with keys that nobody keeps.
pub(crate) fn generate() {
    let entry = |name: &str| {
        let algorithm = algorithm(name);
        let key = match name {
            "RS256-4096" => long_key(algorithm),
            _ => SigningKey::generate(algorithm, KEY_ID).unwrap(),
        };
        json!({ "key_set": key_set([&key]), "token": token(&key) })
    };
    let file: serde_json::Map<_, _> = NAMES.iter().map(|name| ((*name).to_owned(), entry(name))).collect();
    std::fs::write(PATH, serde_json::to_string_pretty(&file).unwrap() + "\n").unwrap();
}

const KEY_ID: &str = "9d1f4c53-6a4e-4f0b-8f57-2b8c7e1d0a66";

fn long_key(algorithm: Algorithm) -> SigningKey {
    use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};

    let pair = KeyPair::generate(KeySize::Rsa4096).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    SigningKey::from_pkcs8(der.as_ref(), Some(algorithm), KEY_ID).unwrap()
}

fn algorithm(name: &str) -> Algorithm {
    name.split('-').next().unwrap().parse().unwrap()
}

/// An access token as an identity provider writes it for a person: 1.3 kB with the signature of RS256.
fn token(key: &SigningKey) -> String {
    let header = json!({ "alg": key.algorithm().name(), "kid": key.kid(), "typ": "at+jwt" });
    let claims = json!({
        "iss": ISSUER,
        "aud": ["orders-api", "https://login.example.com/userinfo"],
        "sub": "6f1c2b9e-4d0f-4b43-9a3c-5b8f7e21c0d4",
        "client_id": "7v3k9q2m5x8b1n4c6z0p",
        "azp": "7v3k9q2m5x8b1n4c6z0p",
        "jti": "0b9e8d7c-1f2a-4c3b-8d4e-5f6a7b8c9d0e",
        "iat": NOW - 60.0,
        "nbf": NOW - 60.0,
        "exp": NOW + 3540.0,
        "auth_time": NOW - 120.0,
        "scope": "openid profile email orders:read orders:write",
        "groups": ["operators", "warehouse-north"],
        "realm_access": { "roles": ["buyer", "approver"] },
        "tenant": { "id": "acme", "tier": "gold" },
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "email_verified": true,
    });
    key.sign_text(&header.to_string(), &integers(&claims)).unwrap()
}

/// Times without a fraction, as identity providers write them.
fn integers(claims: &Value) -> String {
    claims.to_string().replace(".0,", ",").replace(".0}", "}")
}

impl Fixture {
    fn read(name: &str, entry: &Value) -> Self {
        Self {
            algorithm: algorithm(name),
            key_set: entry["key_set"].to_string(),
            token: entry["token"].as_str().unwrap().to_owned(),
        }
    }
}

const ARN: &str = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/service-1/things/7f1c";

/// A REST API's TOKEN event.
pub(crate) fn token_event(token: &str) -> String {
    json!({ "type": "TOKEN", "authorizationToken": format!("Bearer {token}"), "methodArn": ARN }).to_string()
}

/// A REST API's REQUEST event as a browser causes it, of 4 kB and more: the token alone is in it twice.
pub(crate) fn request_event(token: &str) -> String {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("Accept", "application/json"),
        ("Accept-Encoding", "gzip, deflate, br"),
        ("Authorization", bearer.as_str()),
        ("Host", "api.example.com"),
        ("Origin", "https://app.example.com"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("X-Amzn-Trace-Id", "Root=1-645150f9-573ffa3016d1eb004e4d4c18"),
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ];
    let single: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let multiple: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    json!({
        "type": "REQUEST",
        "methodArn": ARN,
        "resource": "/service-1/things/{id}",
        "path": "/service-1/things/7f1c",
        "httpMethod": "GET",
        "headers": single,
        "multiValueHeaders": multiple,
        "queryStringParameters": { "expand": "lines" },
        "multiValueQueryStringParameters": { "expand": ["lines"] },
        "pathParameters": { "id": "7f1c" },
        "stageVariables": {},
        "requestContext": {
            "path": "/prod/service-1/things/7f1c",
            "accountId": "123456789012",
            "resourceId": "05c7jb",
            "stage": "prod",
            "requestId": "67cc80d0-4d5b-4b90-97a1-d8328bf7cb95",
            "identity": { "sourceIp": "203.0.113.7", "userAgent": "Mozilla/5.0" },
            "resourcePath": "/service-1/things/{id}",
            "httpMethod": "GET",
            "apiId": "a1b2c3d4e5",
        },
    })
    .to_string()
}

/// Two hundred rules, of which the caller of the tokens meets twenty: by scopes, groups and roles, and with what belongs to
/// the caller.
pub(crate) fn rules() -> String {
    let rule = |number: usize| {
        let (route, requires) = match number {
            0..8 => {
                (format!("GET /service-{number}/things/{{id}}"), "{ scope = \"orders:read\" }".to_owned())
            }
            8..12 => (format!("POST /service-{number}/things"), "{ scope = \"orders:write\" }".to_owned()),
            12..14 => (
                format!("DELETE /service-{number}/things/{{id}}"),
                "{ claim = \"groups\", contains = \"warehouse-north\" }".to_owned(),
            ),
            14..16 => (
                format!("ANY /service-{number}/users/{{claims.sub}}/**"),
                "{ claim = \"groups\", contains = \"operators\" }".to_owned(),
            ),
            16..20 => (
                format!("PUT /service-{number}/admin"),
                "{ claim = \"realm_access.roles\", contains = \"approver\" }".to_owned(),
            ),
            // A caller has one tenant: of these rules one is met at the most.
            _ => (
                format!("ANY /service-{number}/things/{{id}}"),
                format!("{{ claim = \"tenant.id\", equals = \"tenant-{number}\" }}"),
            ),
        };
        format!("[[rule]]\nname = \"rule {number}\"\nroutes = [\"{route}\"]\nrequires = {requires}\n")
    };
    (0..200).map(rule).collect::<Vec<_>>().join("\n")
}
