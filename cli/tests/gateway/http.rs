//! HTTP APIs: payload formats 1.0 and 2.0, policies and simple responses.

use authorizer_cli::gateway::{GatewayOptions, LocalGateway};
use serde_json::json;

use crate::support::{described, gateway, last, options, reader, send};

#[tokio::test]
async fn a_token_decides_between_401_403_and_200() {
    for (kind, context) in [
        ("http-1.0", json!({"principalId": "reader", "client": "shop"})),
        ("http-2.0", json!({"lambda": {"client": "shop"}})),
    ] {
        let gateway = gateway(kind).await;
        let token = reader(&gateway);
        let without = send(&gateway, "GET /orders", &[]).await;
        assert_eq!((without.status, without.body.as_str()), (401, r#"{"message":"Unauthorized"}"#), "{kind}");
        // Contract 8, no. 1: there is no 401 that an authorizer could ask for.
        let broken = send(&gateway, "GET /orders", &["Authorization: Bearer broken"]).await;
        assert_eq!((broken.status, broken.body.as_str()), (403, r#"{"message":"Forbidden"}"#), "{kind}");
        let forbidden = send(&gateway, "GET /reports", &[&token]).await;
        assert_eq!(
            (forbidden.status, forbidden.body.as_str()),
            (403, r#"{"message":"Forbidden"}"#),
            "{kind}"
        );
        let allowed = send(&gateway, "GET /orders/7", &[&token]).await;
        assert_eq!((allowed.status, &allowed.json()["authorizer"]), (200, &context), "{kind}");
        let unknown = send(&gateway, "GET /nowhere", &[&token]).await;
        assert_eq!((unknown.status, unknown.body.as_str()), (404, r#"{"message":"Not Found"}"#), "{kind}");
    }
}

#[tokio::test]
async fn a_simple_response_decides_between_401_403_and_200() {
    let gateway = gateway("http-2.0-simple").await;
    let token = reader(&gateway);
    for (line, fields, status) in [
        ("GET /orders", &[][..], 401),
        ("GET /orders", &["Authorization: Bearer broken"], 403),
        ("GET /reports", &[&token], 403),
        ("GET /orders", &[&token], 200),
    ] {
        assert_eq!(send(&gateway, line, fields).await.status, status, "{line} {fields:?}");
    }
    assert_eq!(
        (&last(&gateway)["cache"], &last(&gateway)["kind"]),
        (&json!("off"), &json!("http-2.0-simple"))
    );
    assert_eq!(last(&gateway)["context"], json!({"lambda": {"client": "shop"}}));
}

const SIMPLE: &str = "
development = true
[[issuer]]
url = \"{issuer}\"
audience = \"orders-api\"
[response]
http_api = \"simple\"
";

#[tokio::test]
async fn a_simple_response_is_cached_for_all_routes() {
    // No rules: what is told apart here is the caller.
    let issuer = crate::support::gateway("http-2.0").await;
    let url = issuer.issuer().unwrap().url();
    let config = SIMPLE.replace("{issuer}", url);
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("simple.toml");
    std::fs::write(&path, config).unwrap();
    let options = GatewayOptions { config: Some(path), issuer: None, ..options("http-2.0-simple") };
    let gateway = LocalGateway::start(&options).await.unwrap();
    let token = reader(&issuer);
    assert_eq!(send(&gateway, "GET /orders", &[&token]).await.status, 200);
    assert_eq!(last(&gateway)["cache"], "miss");
    assert_eq!(last(&gateway)["policy"], json!(null));
    assert_eq!(send(&gateway, "GET /reports", &[&token]).await.status, 200);
    assert_eq!(last(&gateway)["cache"], "hit");
    let broken = ["Authorization: Bearer broken"];
    assert_eq!(send(&gateway, "GET /orders", &broken).await.status, 403);
    assert_eq!(send(&gateway, "GET /reports", &broken).await.status, 403);
    assert_eq!(last(&gateway)["cache"], "hit");
}

#[tokio::test]
async fn the_route_key_as_a_source_keeps_routes_apart() {
    let options = GatewayOptions {
        identity_sources: vec!["$request.header.Authorization".into(), "$context.routeKey".into()],
        ..options("http-2.0")
    };
    let gateway = LocalGateway::start(&options).await.unwrap();
    let token = reader(&gateway);
    for (line, cache) in [("GET /orders/7", "miss"), ("GET /orders/8", "hit"), ("GET /orders", "miss")] {
        assert_eq!(send(&gateway, line, &[&token]).await.status, 200);
        assert_eq!(last(&gateway)["cache"], cache, "{line}");
    }
    // Of the gateway's own making, and no secret.
    assert_eq!(last(&gateway)["event"]["routeKey"], "GET /orders");
}

#[tokio::test]
async fn an_http_api_looks_on_for_a_route_with_the_method() {
    let route = |auth: &str, key: &str| {
        json!({"Type": "AWS::ApiGatewayV2::Route", "Properties": {
            "ApiId": {"Ref": "Api"}, "RouteKey": key, "AuthorizationType": auth, "AuthorizerId": {"Ref": "Own"}}})
    };
    let description = json!({"Resources": {
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "HTTP"}},
        "Stage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "live"}},
        "Own": {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {
            "ApiId": {"Ref": "Api"}, "AuthorizerPayloadFormatVersion": "2.0",
            "IdentitySource": ["$request.header.Authorization"]}},
        "One": route("CUSTOM", "POST /orders"),
        "Rest": route("NONE", "$default"),
        "Iam": route("AWS_IAM", "GET /iam"),
    }});
    let gateway = described("http", &description, None).await;
    let open = send(&gateway, "GET /orders", &[]).await;
    assert_eq!((open.status, &open.json()["route"]), (200, &json!("$default")));
    assert_eq!(open.json()["stage"], "live");
    assert_eq!(open.json()["authorizer"], json!(null));
    assert_eq!(send(&gateway, "POST /orders", &[]).await.status, 401);
    // It is none of a Lambda authorizer's: refused.
    assert_eq!(send(&gateway, "GET /iam", &[]).await.status, 403);
    assert_eq!(last(&gateway)["reason"], "not_a_lambda_authorizer");
}
