//! The gateway's own paths.

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::support::{address, described, gateway, last, reader, send};

#[tokio::test]
async fn requests_are_told_without_their_credentials() {
    let gateway = gateway("http-2.0").await;
    let token = reader(&gateway);
    send(&gateway, "GET /orders?page=2", &[&token, "Cookie: session=secret"]).await;
    send(&gateway, "GET /eyJhbGciOiJub25lIn0.e30.", &[]).await;
    let told = send(&gateway, "GET /_requests", &[]).await;
    assert!(!told.body.contains("eyJ") && !told.body.contains("secret"), "{}", told.body);
    let told = told.json();
    assert_eq!(told.as_array().unwrap().len(), 2);
    assert_eq!(told[1], last(&gateway));
    let first = &told[0];
    for (member, expected) in [
        ("id", json!(1)),
        ("method", json!("GET")),
        ("path", json!("/orders")),
        ("route", json!("GET /orders")),
        ("authorizer", json!("authorizer")),
        ("kind", json!("http-2.0")),
        ("status", json!(200)),
        ("decision", json!("allow")),
        ("cache", json!("miss")),
        ("reason", json!(null)),
        ("rule", json!("read orders")),
        ("principal", json!("reader")),
        ("context", json!({"lambda": {"client": "shop"}})),
    ] {
        assert_eq!(first[member], expected, "{member}");
    }
    assert_eq!(first["event"]["headers"]["authorization"], "(redacted)");
    assert_eq!(first["event"]["queryStringParameters"], json!({"page": "2"}));
    assert_eq!(first["policy"]["Version"], "2012-10-17");
    assert!(first["duration_us"].as_u64().unwrap() > 0);
    assert!(first["time"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn requests_are_streamed_as_they_come() {
    let gateway = gateway("rest-request").await;
    send(&gateway, "GET /orders", &[]).await;
    let address = address(&gateway);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(format!("GET /_requests/stream HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut ids = Vec::new();
    while ids.len() < 2 {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some(data) = line.strip_prefix("data: ") {
            let record: serde_json::Value = serde_json::from_str(data).unwrap();
            ids.push(record["id"].as_u64().unwrap());
            send(&gateway, "GET /orders", &[]).await;
        }
    }
    assert_eq!(ids, [1, 2]);
}

#[tokio::test]
async fn other_websites_are_kept_out_of_the_gateways_own_paths_only() {
    let gateway = gateway("rest-request").await;
    let own = format!("Origin: http://{}", address(&gateway));
    for path in ["GET /_api", "GET /_requests", "GET /_requests/stream?x", "GET /_console"] {
        assert_eq!(send(&gateway, path, &["Host: evil.example"]).await.status, 403, "{path}");
        assert_eq!(send(&gateway, path, &["Origin: https://evil.example"]).await.status, 403, "{path}");
    }
    assert_eq!(send(&gateway, "GET /_api", &[&own]).await.status, 200);
    let token = reader(&gateway);
    // The API itself is open to all that API Gateway lets in.
    assert_eq!(send(&gateway, "GET /orders", &[&token, "Host: evil.example"]).await.status, 200);
}

#[tokio::test]
async fn the_apis_are_told_with_their_authorizers() {
    let description = json!({"Resources": {
        "Rest": {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "prod", "Auth": {
            "DefaultAuthorizer": "Own",
            "Authorizers": {"Own": {"FunctionArn": "arn", "Identity": {
                "ValidationExpression": "Bearer .+", "ReauthorizeEvery": 60}}},
        }}},
        "Http": {"Type": "AWS::Serverless::HttpApi"},
        "Function": {"Type": "AWS::Serverless::Function", "Properties": {"Events": {
            "A": {"Type": "Api", "Properties": {"RestApiId": {"Ref": "Rest"}, "Path": "/a/{id}", "Method": "any"}},
            "B": {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "Http"}}},
        }}},
    }});
    let gateway = described("apis", &description, None).await;
    let told = send(&gateway, "GET /_api", &[]).await.json();
    assert_eq!(told["issuer"], gateway.issuer().unwrap().url());
    let api = &told["apis"][0];
    assert_eq!(
        (&api["name"], &api["protocol"], &api["stage"]),
        (&json!("Rest"), &json!("rest"), &json!("prod"))
    );
    assert_eq!(
        api["routes"],
        json!([{
            "route": "ANY /a/{id}",
            "methods": ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
            "path": "/a/{id}",
            "authorizer": "Own",
            "is_mocked": false,
        }])
    );
    assert_eq!(
        api["authorizers"],
        json!([{
            "name": "Own",
            "kind": "rest-token",
            "identity_sources": ["$request.header.authorization"],
            "cache_seconds": 60,
            "validation": "Bearer .+",
        }])
    );
    let (name, http) = &gateway.addresses()[1];
    assert_eq!(name, "Http");
    let answer = crate::support::send_to(*http, "GET /x", &[], "").await;
    assert_eq!((answer.status, &answer.json()["route"]), (200, &json!("$default")));
}
