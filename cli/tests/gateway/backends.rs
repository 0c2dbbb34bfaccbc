//! A backend of one's own behind the gateway, and answers that need none.

use authorizer_cli::gateway::{GatewayOptions, LocalGateway};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{described, last, options, reader, send};

#[tokio::test]
async fn a_request_is_passed_on_with_its_context() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/base", listener.local_addr().unwrap());
    let backend = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 64 * 1024];
        let length = stream.read(&mut bytes).await.unwrap();
        let answer =
            "HTTP/1.1 418 Teapot\r\nWWW-Authenticate: Basic\r\nX-Own: 1\r\nContent-Length: 2\r\n\r\nhi";
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    });
    let options = GatewayOptions { backend: Some(url), ..options("http-2.0") };
    let gateway = LocalGateway::start(&options).await.unwrap();
    let token = reader(&gateway);
    let forged = "X-Authorizer-Context: {\"lambda\":{\"client\":\"admin\"}}";
    let answer = send(&gateway, "GET /orders/7%2F8?a=1", &[&token, forged]).await;
    // Odd paths are closed by the rules; the next is not.
    assert_eq!(answer.status, 403);
    let answer = send(&gateway, "GET /orders/7%20?a=1", &[&token, forged]).await;
    assert_eq!((answer.status, answer.body.as_str(), answer.header("x-own")), (418, "hi", Some("1")));
    assert_eq!(answer.header("x-amzn-remapped-www-authenticate"), Some("Basic"));
    let request = backend.await.unwrap();
    assert!(request.starts_with("GET /base/orders/7%20?a=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("x-authorizer-context: {\"lambda\":{\"client\":\"shop\"}}\r\n"), "{request}");
    assert!(!request.contains("admin"), "{request}");
    assert!(request.contains("x-forwarded-for: 127.0.0.1\r\n"), "{request}");
}

#[tokio::test]
async fn a_backend_that_is_not_there_is_no_500_of_the_authorizers() {
    let options = GatewayOptions { backend: Some("http://127.0.0.1:9".into()), ..options("rest-request") };
    let gateway = LocalGateway::start(&options).await.unwrap();
    let token = reader(&gateway);
    assert_eq!(send(&gateway, "GET /orders", &[&token]).await.status, 502);
    let record = last(&gateway);
    assert_eq!((&record["decision"], &record["reason"]), (&json!("allow"), &json!("backend_failed")));
}

#[tokio::test]
async fn a_mock_answers_by_itself() {
    let integration = json!({"type": "mock", "responses": {"default": {
        "statusCode": "202", "responseTemplates": {"application/json": "{\"status\":\"ok\"}"}}}});
    let description = json!({"openapi": "3.0.1", "paths": {"/health": {"get": {
        "x-amazon-apigateway-integration": integration}}}});
    let gateway = described("mock", &description, None).await;
    let answer = send(&gateway, "GET /health", &[]).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, r#"{"status":"ok"}"#));
}
