//! The development issuer: tokens for a client's secret, and what they are.

use authorizer_cli::gateway::{GatewayOptions, LocalGateway};
use authorizer_cli::issuer::Client;
use serde_json::json;

use crate::support::{Answer, options, send, send_to};

async fn gateway() -> LocalGateway {
    let client = Client { id: "shop".into(), secret: "s3cret".into() };
    LocalGateway::start(&GatewayOptions { client: Some(client), ..options("rest-request") }).await.unwrap()
}

async fn post(gateway: &LocalGateway, path: &str, form: &str, fields: &[&str]) -> Answer {
    let address = gateway.issuer().unwrap().url();
    let address = address.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let fields = [&["Content-Type: application/x-www-form-urlencoded"][..], fields].concat();
    send_to(address, &format!("POST {path}"), &fields, form).await
}

/// `shop:s3cret`.
const BASIC: &str = "Authorization: Basic c2hvcDpzM2NyZXQ=";

#[tokio::test]
async fn a_client_gets_a_token_that_opens_what_its_scope_does() {
    let gateway = gateway().await;
    let form = "grant_type=client_credentials&scope=orders%3Aread&tenant=7";
    let answer = post(&gateway, "/token", form, &[BASIC]).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let answer = answer.json();
    assert_eq!((&answer["token_type"], &answer["scope"]), (&json!("Bearer"), &json!("orders:read")));
    let token = answer["access_token"].as_str().unwrap().to_owned();
    let shown = send(&gateway, "GET /orders", &[&format!("Authorization: Bearer {token}")]).await;
    assert_eq!(shown.json()["authorizer"], json!({"principalId": "shop", "client": "shop", "tenant": "7"}));

    let told = post(&gateway, "/introspect", &format!("token={token}"), &[BASIC]).await.json();
    assert_eq!((&told["active"], &told["sub"], &told["tenant"]), (&json!(true), &json!("shop"), &json!("7")));
    let unknown = post(&gateway, "/introspect", "token=unknown", &[BASIC]).await.json();
    assert_eq!(unknown, json!({"active": false}));
}

#[tokio::test]
async fn a_token_may_come_alone_and_with_any_claims() {
    let gateway = gateway().await;
    let claims = "claims=%7B%22sub%22%3A%22ada%22%2C%22exp%22%3A1%7D";
    let form = format!("grant_type=client_credentials&client_id=shop&client_secret=s3cret&{claims}");
    let answer = post(&gateway, "/token", &form, &["Accept: application/jwt"]).await;
    assert_eq!(answer.body.split('.').count(), 3);
    let field = format!("Authorization: Bearer {}", answer.body);
    assert_eq!(send(&gateway, "GET /orders", &[&field]).await.status, 401);
    assert_eq!(crate::support::last(&gateway)["reason"], "token_expired");
    let told = post(&gateway, "/introspect", &format!("token={}", answer.body), &[BASIC]).await.json();
    assert_eq!(told, json!({"active": false}));
}

#[tokio::test]
async fn nobody_else_gets_one() {
    let gateway = gateway().await;
    let good = "grant_type=client_credentials";
    for (form, fields, status, error) in [
        (good, &[][..], 401, "invalid_client"),
        (good, &["Authorization: Basic c2hvcDp3cm9uZw=="], 401, "invalid_client"),
        ("grant_type=password", &[BASIC], 400, "unsupported_grant_type"),
        ("grant_type=client_credentials&claims=1", &[BASIC], 400, "invalid_request"),
        (
            "grant_type=client_credentials&iss=https%3A%2F%2Flogin.example.com%2F",
            &[BASIC],
            400,
            "invalid_request",
        ),
        (good, &[BASIC, "Host: evil.example"], 403, "invalid_request"),
        (good, &[BASIC, "Origin: https://evil.example"], 403, "invalid_request"),
    ] {
        let answer = post(&gateway, "/token", form, fields).await;
        assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{form} {fields:?}");
    }
    assert_eq!(post(&gateway, "/token", good, &[BASIC]).await.status, 200);
}

#[tokio::test]
async fn discovery_names_the_endpoints() {
    let gateway = gateway().await;
    let url = gateway.issuer().unwrap().url();
    let address = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let discovery = send_to(address, "GET /.well-known/openid-configuration", &[], "").await.json();
    assert_eq!(discovery["token_endpoint"], format!("{url}token"));
    assert_eq!(discovery["introspection_endpoint"], format!("{url}introspect"));
    assert_eq!(discovery["revocation_endpoint"], format!("{url}revoke"));
    assert!(discovery["dpop_signing_alg_values_supported"].as_array().unwrap().contains(&json!("ES256")));
}
