use super::*;
use serde_json::json;

fn parse(document: serde_json::Value) -> Api {
    Api::parse(&document.to_string()).unwrap()
}

#[test]
fn a_rest_document_has_its_routes_and_their_authorizers() {
    let api = parse(json!({
        "openapi": "3.0.1",
        "security": [{"token": []}],
        "paths": {
            "/orders": {"get": {}, "post": {"security": [{"request": []}, {"api_key": []}]}, "parameters": []},
            "/orders/{id}": {"x-amazon-apigateway-any-method": {}, "delete": {"security": [{"sigv4": []}]}},
            "/files/{proxy+}": {"x-amazon-apigateway-any-method": {"security": [{"pool": []}]}},
            "/health": {"get": {"security": []}, "head": {"security": [{"api_key": []}]}},
            "/own": {"get": {"x-amazon-apigateway-auth": {"type": "AWS_IAM"}}},
        },
        "components": {"securitySchemes": {
            "token": {"type": "apiKey", "name": "X-Token", "in": "header", "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": "arn:…"}},
            "request": {"type": "apiKey", "x-amazon-apigateway-authorizer": {"type": "request",
                "identitySource": "method.request.header.Authorization, context.identity.sourceIp",
                "authorizerResultTtlInSeconds": 60}},
            "pool": {"type": "apiKey", "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools"}},
            "sigv4": {"type": "apiKey", "x-amazon-apigateway-authtype": "awsSigv4"},
            "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
        }},
    }));
    assert_eq!(
        routes(&api),
        [
            ("ANY /files/{proxy+}", Some("pool")),
            ("ANY /orders/{id}", Some("token")),
            ("DELETE /orders/{id}", Some("sigv4")),
            ("GET /health", None),
            ("GET /orders", Some("token")),
            ("GET /own", Some("AWS_IAM")),
            ("HEAD /health", None),
            ("POST /orders", Some("request")),
        ]
    );
    let any = api.routes.iter().find(|route| route.place == "ANY /orders/{id}").unwrap();
    assert!(any.methods.includes("GET") && !any.methods.includes("DELETE"));
    let header = |name: &str| format!("$request.header.{name}");
    assert_eq!(
        authorizer(&api, "token"),
        (AuthorizerKind::RestToken, Some(300), Some(vec![header("x-token")]))
    );
    let sources = vec![header("authorization"), "$context.identity.sourceIp".to_owned()];
    assert_eq!(authorizer(&api, "request"), (AuthorizerKind::RestRequest, Some(60), Some(sources)));
    for name in ["pool", "sigv4", "AWS_IAM"] {
        assert_eq!(authorizer(&api, name).0, AuthorizerKind::Other, "{name}");
    }
    assert_eq!(gaps(&api), [""; 0]);
}

#[test]
fn an_http_document_is_told_by_its_extensions() {
    for (version, is_simple, ttl, expected) in [
        ("2.0", true, json!(300), (AuthorizerKind::HttpSimple, Some(300))),
        ("2.0", false, json!(0), (AuthorizerKind::HttpPolicy, Some(0))),
        ("1.0", false, json!(null), (AuthorizerKind::HttpVersion1, None)),
    ] {
        let api = parse(json!({
            "openapi": "3.0.1",
            "paths": {
                "/$default": {"x-amazon-apigateway-any-method": {"security": [{"lambda": []}]}},
                "/orders": {"get": {"security": [{"jwt": ["orders:read"]}]}},
            },
            "components": {"securitySchemes": {
                "lambda": {"x-amazon-apigateway-authorizer": {
                    "type": "request", "identitySource": "$request.header.Authorization",
                    "authorizerPayloadFormatVersion": version, "enableSimpleResponses": is_simple,
                    "authorizerResultTtlInSeconds": ttl,
                }},
                "jwt": {"type": "oauth2", "x-amazon-apigateway-authorizer": {"type": "jwt"}},
            }},
        }));
        let (kind, ttl, sources) = authorizer(&api, "lambda");
        assert_eq!((kind, ttl), expected);
        assert_eq!(sources.unwrap(), ["$request.header.authorization"]);
        let default: Vec<_> = api.routes.iter().filter(|route| route.place == "ANY /$default").collect();
        let paths: Vec<_> = default.iter().map(|route| route.path.clone().unwrap()).collect();
        assert_eq!(paths, [vec![], vec![ApiSegment::Greedy]]);
        assert_eq!(authorizer(&api, "jwt").0, AuthorizerKind::Other);
    }
}

#[test]
fn what_cannot_be_read_is_noted_and_not_guessed() {
    let api = parse(json!({
        "openapi": "3.0.1",
        "paths": {
            "/a": {"get": {"security": {"Fn::If": ["x", [], []]}}, "$ref": "other.yaml"},
            "/b": {"get": {"security": [{"one": []}, {"two": []}]}},
        },
        "components": {"securitySchemes": {
            "one": {"x-amazon-apigateway-authorizer": {"type": "request", "identitySource": "Authorization",
                "authorizerResultTtlInSeconds": {"Ref": "Ttl"}}},
            "two": {"x-amazon-apigateway-authorizer": {"type": "request", "identitySource": {"Ref": "Source"}}},
        }},
    }));
    assert_eq!(authorizer(&api, "one"), (AuthorizerKind::RestRequest, None, Some(Vec::new())));
    assert_eq!(authorizer(&api, "two"), (AuthorizerKind::RestRequest, Some(300), None));
    assert_eq!(routes(&api), [("GET /a", Some("(unknown)")), ("GET /b", Some("one"))]);
    assert_eq!(
        gaps(&api),
        [
            "authorizer `one`: its identity source `Authorization` cannot be read",
            "authorizer `one`: how long it caches cannot be told; it is taken for one that does",
            "authorizer `two`: its identity sources cannot be told",
            "paths./a.$ref: what it stands for is not in the description",
            "GET /a: which authorizer it has cannot be told; it is taken for this function's",
            "GET /b: it has several authorizers, of which API Gateway takes one; the first is looked at",
        ]
    );
}

#[test]
fn a_shape_that_is_wrong_has_its_place() {
    for (document, place) in [
        (json!({"paths": []}), "paths"),
        (json!({"paths": {"/a": []}}), "paths./a"),
        (json!({"paths": {"a": {}}}), "paths.a"),
        (json!({"paths": {"/{proxy+}/a": {}}}), "paths./{proxy+}/a"),
        (json!({"paths": {"/a{id}": {}}}), "paths./a{id}"),
    ] {
        let error = Api::parse(&document.to_string()).unwrap_err();
        assert!(
            matches!(&error, ApiError::Shape { place: found, .. } if found == place),
            "{document}: {error}"
        );
    }
    for document in [json!({}), json!({"paths": {}}), json!([]), json!(null), json!({"Resources": {}})] {
        assert_eq!(Api::parse(&document.to_string()), Err(ApiError::NoApi), "{document}");
    }
}

/// Nobody says what it is: API Gateway may not even take the description.
#[test]
fn security_of_a_scheme_that_is_not_there_cannot_be_told() {
    let document = |scheme: &str| {
        json!({"openapi": "3.0.1", "paths": {"/a": {"get": {"security": [{scheme: []}]}}},
            "components": {"securitySchemes": {"plain": {"type": "http", "scheme": "basic"}}}})
    };
    let undefined = parse(document("b"));
    assert_eq!(routes(&undefined), [("GET /a", Some("(unknown)"))]);
    assert_eq!(
        gaps(&undefined),
        ["GET /a: which authorizer it has cannot be told; it is taken for this function's"]
    );
    // API Gateway takes no notice of a scheme that is none of its own.
    let plain = parse(document("plain"));
    assert_eq!((routes(&plain), gaps(&plain).len()), (vec![("GET /a", None)], 0));
}
