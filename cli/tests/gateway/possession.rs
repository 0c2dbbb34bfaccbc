//! Tokens that are bound to a key of the client, and the other kinds of credentials for which the development issuer is asked.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use authorizer_cli::certificate::ClientCertificate;
use authorizer_cli::gateway::{GatewayOptions, LocalGateway};
use authorizer_cli::issuer::Client;
use authorizer_cli::signing::{Algorithm, SigningKey};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use crate::support::{Answer, last, options, send, send_to};

/// `shop:s3cret`.
const BASIC: &str = "Authorization: Basic c2hvcDpzM2NyZXQ=";

const GOOD: &str = "grant_type=client_credentials&scope=orders%3Aread";

/// Where nothing listens: a configuration names it before the gateway is there.
fn free() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// A gateway and its issuer, with these settings of the issuer and these sections; `{issuer}` is the issuer's URL.
async fn gateway(
    name: &str,
    own: &str,
    sections: &str,
    change: impl Fn(&mut GatewayOptions),
) -> LocalGateway {
    let [listen, issuer] = [free(), free()];
    let text = format!(
        "development = true\n[[issuer]]\nurl = 'http://{issuer}/'\naudience = 'orders-api'\n{own}\n\
         [gateway]\ncache_seconds = 0\n[dpop]\nurl = 'http://{listen}'\n{}",
        sections.replace("{issuer}", &format!("http://{issuer}/"))
    );
    let config = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.toml"));
    std::fs::write(&config, text).unwrap();
    let mut options = GatewayOptions {
        listen,
        issuer: Some(issuer),
        client: Some(Client { id: "shop".into(), secret: "s3cret".into() }),
        config: Some(config),
        cache_seconds: Some(0),
        ..options("rest-request")
    };
    change(&mut options);
    LocalGateway::start(&options).await.unwrap()
}

async fn post(gateway: &LocalGateway, path: &str, form: &str, fields: &[&str]) -> Answer {
    let address = gateway.issuer().unwrap().url();
    let address = address.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let fields = [&["Content-Type: application/x-www-form-urlencoded", BASIC][..], fields].concat();
    send_to(address, &format!("POST {path}"), &fields, form).await
}

/// Status, and the reason that the authorizer gave.
async fn asked(gateway: &LocalGateway, fields: &[&str]) -> (u16, Value) {
    let status = send(gateway, "GET /orders", fields).await.status;
    (status, last(gateway)["reason"].clone())
}

#[tokio::test]
async fn a_client_with_a_key_gets_a_token_that_needs_its_proof() {
    let gateway = gateway("dpop", "proof_of_possession = ['dpop']", "", |_| {}).await;
    let client = SigningKey::generate(Algorithm::ES256, "client").unwrap();
    let url = format!("{}token", gateway.issuer().unwrap().url());
    let proof = client.dpop_proof("POST", &url, "", &json!({"ath": null})).unwrap();
    let answer = post(&gateway, "/token", GOOD, &[&format!("DPoP: {proof}")]).await.json();
    assert_eq!(answer["token_type"], "DPoP");
    let token = answer["access_token"].as_str().unwrap();
    let told = post(&gateway, "/introspect", &format!("token={token}"), &[]).await.json();
    assert_eq!((&told["token_type"], &told["cnf"]["jkt"]), (&json!("DPoP"), &json!(client.thumbprint())));

    let own = format!("http://{}/orders", gateway.addresses()[0].1);
    let with_proof = async |key: &SigningKey, method: &str, url: &str| {
        let proof = key.dpop_proof(method, url, token, &json!({})).unwrap();
        let fields = [format!("Authorization: DPoP {token}"), format!("DPoP: {proof}")];
        let fields = fields.each_ref().map(String::as_str);
        (asked(&gateway, &fields).await, asked(&gateway, &fields).await.1)
    };
    let (first, again) = with_proof(&client, "GET", &own).await;
    assert_eq!((first, again), ((200, Value::Null), json!("dpop_proof_replayed")));
    let thief = SigningKey::generate(Algorithm::ES256, "thief").unwrap();
    for (key, method, url) in
        [(&client, "POST", own.clone()), (&client, "GET", format!("{own}/7")), (&thief, "GET", own.clone())]
    {
        assert_eq!(with_proof(key, method, &url).await.0, (403, json!("dpop_proof_invalid")), "{url}");
    }
    let bearer = format!("Authorization: Bearer {token}");
    assert_eq!(asked(&gateway, &[&bearer]).await, (403, json!("token_sender_constrained")));
}

/// What a real authorization server refuses, so that nobody finds out there.
#[tokio::test]
async fn a_proof_that_does_not_hold_gets_no_token() {
    let gateway = gateway("dpop-wrong", "proof_of_possession = ['dpop']", "", |_| {}).await;
    let client = SigningKey::generate(Algorithm::EdDSA, "client").unwrap();
    let url = format!("{}token", gateway.issuer().unwrap().url());
    let proof = |changes: &Value| client.dpop_proof("POST", &url, "", changes).unwrap();
    let good = proof(&json!({"ath": null}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    let other = SigningKey::generate(Algorithm::EdDSA, "other").unwrap();
    let stolen = other.dpop_proof("POST", &url, "", &json!({})).unwrap();
    for wrong in [
        "no-jwt".to_owned(),
        proof(&json!({"htm": "GET"})),
        proof(&json!({"htu": format!("{url}/more")})),
        proof(&json!({"iat": 1})),
        proof(&json!({"jti": null})),
        format!("{signed}.{}", stolen.rsplit_once('.').unwrap().1),
        client.sign(&json!({"typ": "JWT", "alg": "EdDSA", "jwk": client.public_jwk()}), &json!({})).unwrap(),
    ] {
        let answer = post(&gateway, "/token", GOOD, &[&format!("DPoP: {wrong}")]).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_dpop_proof")), "{wrong}");
    }
    let field = format!("DPoP: {good}");
    assert_eq!(post(&gateway, "/token", GOOD, &[&field, &field]).await.status, 400, "two");
    assert_eq!(post(&gateway, "/token", GOOD, &[&field]).await.status, 200);
}

/// `--client-certificate` stands for mutual TLS, in each kind of event that has it.
#[tokio::test]
async fn a_certificate_is_handed_to_the_authorizer() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = |name: &str| {
        let path = directory.join(format!("gateway-{name}.pem"));
        let signed = CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap();
        std::fs::write(&path, pem::encode(&pem::Pem::new("CERTIFICATE", signed.der().to_vec()))).unwrap();
        path
    };
    let [own, other] = [file("own"), file("other")];
    let bound = ClientCertificate::read(&own).unwrap().thumbprint().to_owned();
    let kinds = ["rest-request", "http-1.0", "http-2.0"];
    for (kind, certificate, expected) in kinds
        .iter()
        .flat_map(|kind| {
            [
                (kind, Some(&own), (200, Value::Null)),
                (kind, Some(&other), (403, json!("client_certificate_mismatch"))),
                (kind, None, (403, json!("client_certificate_missing"))),
            ]
        })
        .collect::<Vec<_>>()
    {
        let gateway = gateway(&format!("mtls-{kind}"), "proof_of_possession = ['mutual_tls']", "", |own| {
            own.kind = options(kind).kind;
            own.client_certificate = certificate.cloned();
        })
        .await;
        let claims = json!({"sub": "shop", "scope": "orders:read", "cnf": {"x5t#S256": bound}});
        let token = gateway.issuer().unwrap().mint(&claims).unwrap();
        let found = asked(&gateway, &[&format!("Authorization: Bearer {token}")]).await;
        assert_eq!(found, expected, "{kind} {certificate:?}");
    }
}

/// RFC 7662 and RFC 7009: the authorizer asks the issuer about a JWT that may have been revoked.
#[tokio::test]
async fn a_token_that_is_revoked_is_refused() {
    let sections = "[introspection]\nissuer = '{issuer}'\nurl = '{issuer}introspect'\nclient_id = 'shop'\n\
                    client_secret = 's3cret'\naudience = 'orders-api'\nlifetime_seconds = 0\nnegative_lifetime_seconds = 0\n";
    let gateway = gateway("revoked", "introspection = 'required'", sections, |_| {}).await;
    let answer = post(&gateway, "/token", GOOD, &[]).await.json();
    let token = answer["access_token"].as_str().unwrap();
    let field = format!("Authorization: Bearer {token}");
    assert_eq!(asked(&gateway, &[&field]).await, (200, Value::Null));
    for _ in 0..2 {
        assert_eq!(post(&gateway, "/revoke", &format!("token={token}"), &[]).await.status, 200);
    }
    assert_eq!(asked(&gateway, &[&field]).await, (403, json!("token_inactive")));
}

/// RFC 6749: what comes as `Basic` is exchanged at the issuer's token endpoint.
#[tokio::test]
async fn an_id_and_a_secret_are_exchanged_at_the_issuer() {
    let sections = "[client_credentials]\nissuer = '{issuer}'\ntoken_endpoint = '{issuer}token'\n";
    let gateway = gateway("basic", "", sections, |_| {}).await;
    assert_eq!(asked(&gateway, &[BASIC]).await, (200, Value::Null));
    assert_eq!(last(&gateway)["principal"], "shop");
    let wrong = "Authorization: Basic c2hvcDp3cm9uZw==";
    assert_eq!(asked(&gateway, &[wrong]).await, (403, json!("client_refused")));
}
