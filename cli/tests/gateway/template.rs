//! The project's own template: three APIs, each at its own port.

use std::path::Path;

use authorizer_cli::gateway::{GatewayOptions, LocalGateway};
use serde_json::json;

use crate::support::{options, reader, send_to};

#[tokio::test]
async fn the_projects_own_template_is_served() {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let options = GatewayOptions { api: Some(template), ..options("rest-request") };
    let gateway = LocalGateway::start(&options).await.unwrap();
    let names: Vec<&str> = gateway.addresses().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["RestApi", "HttpApi", "WebSocketApi"]);
    let [rest, http] = [gateway.addresses()[0].1, gateway.addresses()[1].1];
    let token = reader(&gateway);

    let without = send_to(rest, "GET /orders", &[], "").await;
    assert_eq!((without.status, without.body.as_str()), (401, r#"{"message":"Unauthorized"}"#));
    assert!(without.header("www-authenticate").unwrap().starts_with("Bearer realm="));
    assert_eq!(without.header("access-control-allow-origin"), Some("*"));
    // The validation expression: the function is not asked.
    assert_eq!(send_to(rest, "GET /orders", &["Authorization: Basic YTpi"], "").await.status, 401);
    assert_eq!(gateway.requests().pop().unwrap()["reason"], "validation_failed");
    let allowed = send_to(rest, "GET /orders", &[&token], "").await;
    assert_eq!((allowed.status, &allowed.json()["stage"]), (200, &json!("dev")));
    let denied = send_to(rest, "GET /reports", &[&token], "").await;
    assert_eq!((denied.status, denied.body.as_str()), (403, r#"{"message":"Forbidden"}"#));
    let health = send_to(rest, "GET /health", &[], "").await;
    assert_eq!((health.status, health.body.as_str()), (200, r#"{"status":"ok"}"#));

    let allowed = send_to(http, "GET /orders", &[&token], "").await;
    assert_eq!((allowed.status, &allowed.json()["stage"]), (200, &json!("$default")));
    assert_eq!(send_to(http, "GET /nowhere", &[&token], "").await.status, 404);
}
