//! REST APIs: TOKEN and REQUEST.

use authorizer_cli::gateway::{GatewayOptions, LocalGateway};
use serde_json::json;

use crate::support::{bearer, described, gateway, last, options, reader, send};

#[tokio::test]
async fn a_token_decides_between_401_403_and_200() {
    for kind in ["rest-token", "rest-request"] {
        let gateway = gateway(kind).await;
        let token = reader(&gateway);

        let without = send(&gateway, "GET /orders", &[]).await;
        assert_eq!((without.status, without.body.as_str()), (401, r#"{"message":"Unauthorized"}"#), "{kind}");
        assert_eq!(without.header("x-amzn-errortype"), Some("UnauthorizedException"));

        let broken = send(&gateway, "GET /orders", &["Authorization: Bearer broken"]).await;
        assert_eq!((broken.status, broken.body.as_str()), (401, r#"{"message":"Unauthorized"}"#), "{kind}");
        assert_eq!(last(&gateway)["reason"], "token_malformed");

        let forbidden = send(&gateway, "GET /reports", &[&token]).await;
        let denied = r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#;
        assert_eq!((forbidden.status, forbidden.body.as_str()), (403, denied), "{kind}");
        assert_eq!(forbidden.header("x-amzn-errortype"), Some("AccessDeniedException"));

        let allowed = send(&gateway, "GET /orders/7?a=1", &[&token]).await;
        assert_eq!(allowed.status, 200, "{kind}: {}", allowed.body);
        let shown = allowed.json();
        assert_eq!(shown["authorizer"], json!({"principalId": "reader", "client": "shop"}), "{kind}");
        assert_eq!(
            (&shown["method"], &shown["path"], &shown["query"]),
            (&json!("GET"), &json!("/orders/7"), &json!("a=1"))
        );
        assert_eq!(shown["path_parameters"], json!({"id": "7"}));
    }
}

#[tokio::test]
async fn an_unknown_route_says_missing_authentication_token() {
    let gateway = gateway("rest-request").await;
    let token = reader(&gateway);
    for line in ["GET /nowhere", "DELETE /orders", "GET /orders/7/items", "GET //orders"] {
        let answer = send(&gateway, line, &[&token]).await;
        let expected = r#"{"message":"Missing Authentication Token"}"#;
        assert_eq!((answer.status, answer.body.as_str()), (403, expected), "{line}");
        assert_eq!(last(&gateway)["reason"], "no_route");
    }
    assert_eq!(send(&gateway, "GET /orders/", &[&token]).await.status, 200);
}

#[tokio::test]
async fn a_validation_expression_must_match_the_whole_token() {
    let options =
        GatewayOptions { validation: Some("Bearer [-._A-Za-z0-9]+".into()), ..options("rest-token") };
    let gateway = LocalGateway::start(&options).await.unwrap();
    let token = reader(&gateway);
    assert_eq!(send(&gateway, "GET /orders", &[&token]).await.status, 200);
    for field in [format!("{token} x"), "Authorization: Basic YTpi".to_owned(), format!("{token}\u{e9}")] {
        let answer = send(&gateway, "GET /orders", &[&field]).await;
        assert_eq!((answer.status, answer.body.as_str()), (401, r#"{"message":"Unauthorized"}"#));
        let record = last(&gateway);
        assert_eq!((&record["reason"], &record["event"]), (&json!("validation_failed"), &json!(null)));
    }
}

#[tokio::test]
async fn every_identity_source_must_be_there() {
    let options = GatewayOptions {
        identity_sources: vec![
            "method.request.header.Authorization".into(),
            "method.request.querystring.tenant".into(),
            "context.identity.sourceIp".into(),
        ],
        ..options("rest-request")
    };
    let gateway = LocalGateway::start(&options).await.unwrap();
    let token = reader(&gateway);
    assert_eq!(send(&gateway, "GET /orders?tenant=7", &[&token]).await.status, 200);
    for (line, fields) in [
        ("GET /orders", &[token.as_str()][..]),
        ("GET /orders?tenant=", &[&token]),
        ("GET /orders?Tenant=7", &[&token]),
        ("GET /orders?tenant=7", &[]),
        ("GET /orders?tenant=7", &["Authorization: "]),
    ] {
        assert_eq!(send(&gateway, line, fields).await.status, 401, "{line} {fields:?}");
        let record = last(&gateway);
        assert_eq!((&record["reason"], &record["event"]), (&json!("identity_source_missing"), &json!(null)));
    }
}

#[tokio::test]
async fn a_path_is_judged_as_the_client_wrote_it() {
    let gateway = gateway("rest-request").await;
    let token = bearer(&gateway, json!({"sub": "a%20b"}));
    for (line, status) in [
        ("GET /users/reader", 200),
        ("GET /users/other", 403),
        ("GET /users/re%61der", 403),
        ("GET /users/%72eader", 403),
    ] {
        let own = reader(&gateway);
        assert_eq!(send(&gateway, line, &[&own]).await.status, status, "{line}");
    }
    assert_eq!(send(&gateway, "GET /users/reader", &[&token]).await.status, 403);
    let long = format!("GET /orders/{}", "x".repeat(1600));
    let own = reader(&gateway);
    assert_eq!(send(&gateway, &long, &[&own]).await.status, 414);
}

/// What a client writes into its path is data, to the gateway as to the policy.
#[tokio::test]
async fn an_odd_path_is_refused_or_allowed_and_never_a_failure() {
    let gateway = gateway("rest-request").await;
    let own = reader(&gateway);
    for (path, status) in [
        ("/orders/a*b", 200),
        ("/orders/*", 200),
        ("/orders/a:b", 200),
        ("/orders/${aws:SourceIp}", 200),
        ("/orders/%2A", 200),
        ("/orders/'a'", 200),
        ("/orders/%", 200),
        ("/orders/..", 403),
        ("/orders/%2e", 403),
        ("/orders/a%2Fb", 403),
        ("/users/*", 403),
        ("/users/rea?er", 403),
        ("/users/${*}", 403),
        ("/*", 403),
        ("*", 403),
    ] {
        assert_eq!(send(&gateway, &format!("GET {path}"), &[&own]).await.status, status, "{path}");
    }
    // Of two requests in one, the second is not read: nobody answers it in the name of the first.
    let two = format!("GET /orders HTTP/1.1\r\nHost: a\r\n{own}\r\n\r\nGET /reports");
    let answer = send(&gateway, &two, &[]).await;
    assert_eq!((answer.status, answer.body.matches("HTTP/1.1").count()), (200, 0));
}

#[tokio::test]
async fn gateway_responses_have_the_headers_and_bodies_of_the_description() {
    let description = json!({
        "openapi": "3.0.1",
        "paths": {"/orders": {"get": {}}, "/reports": {"get": {}}},
        "security": [{"token": []}],
        "components": {"securitySchemes": {"token": {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "x-amazon-apigateway-authorizer": {"type": "token"},
        }}},
        "x-amazon-apigateway-gateway-responses": {
            "UNAUTHORIZED": {
                "responseParameters": {"gatewayresponse.header.WWW-Authenticate": "'Bearer'"},
                "responseTemplates": {"application/json": "{\"error\":$context.error.messageString}"},
            },
            "ACCESS_DENIED": {"statusCode": 404},
            "DEFAULT_4XX": {"responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}},
        },
    });
    let gateway = described("responses", &description, None).await;
    let without = send(&gateway, "GET /orders", &[]).await;
    assert_eq!((without.status, without.body.as_str()), (401, r#"{"error":"Unauthorized"}"#));
    assert_eq!(without.header("www-authenticate"), Some("Bearer"));
    assert_eq!(without.header("access-control-allow-origin"), None);
    let token = reader(&gateway);
    assert_eq!(send(&gateway, "GET /reports", &[&token]).await.status, 404);
    let unknown = send(&gateway, "GET /unknown", &[]).await;
    assert_eq!((unknown.status, unknown.header("access-control-allow-origin")), (403, Some("*")));
}

/// Contract 3.1: without identity sources nothing is cached, and the function hears of callers without a credential.
#[tokio::test]
async fn without_identity_sources_the_authorizer_is_always_asked() {
    let description = json!({"Resources": {
        "Api": {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "dev", "Auth": {
            "DefaultAuthorizer": "Own",
            "Authorizers": {"Own": {"FunctionArn": "arn", "FunctionPayloadType": "REQUEST",
                "Identity": {"ReauthorizeEvery": 0}}},
        }}},
        "Function": {"Type": "AWS::Serverless::Function", "Properties": {"Events": {
            "A": {"Type": "Api", "Properties": {"RestApiId": {"Ref": "Api"}, "Path": "/orders", "Method": "get"}}}}},
    }});
    let gateway = described("sourceless", &description, None).await;
    let without = send(&gateway, "GET /orders", &[]).await;
    assert_eq!((without.status, without.body.as_str()), (401, r#"{"message":"Unauthorized"}"#));
    assert_eq!(
        (&last(&gateway)["reason"], &last(&gateway)["cache"]),
        (&json!("credential_missing"), &json!("off"))
    );
    let token = reader(&gateway);
    assert_eq!(send(&gateway, "GET /orders", &[&token]).await.status, 200);
}
