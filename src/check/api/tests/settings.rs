use serde_json::json;

use super::*;

fn parse(document: serde_json::Value) -> Api {
    Api::parse(&document.to_string()).unwrap()
}

fn settings<'a>(api: &'a Api, name: &str) -> &'a Settings {
    api.settings.iter().find(|settings| settings.api == name).unwrap()
}

fn keys(api: &Api) -> Vec<&str> {
    api.routes.iter().map(|route| route.key.as_str()).collect()
}

#[test]
fn a_route_has_its_key_whatever_its_methods_are() {
    let api = parse(json!({"openapi": "3.0.1", "x-amazon-apigateway-cors": {}, "paths": {
        "/a/{id}": {"get": {}, "x-amazon-apigateway-any-method": {}},
        "/$default": {"x-amazon-apigateway-any-method": {}},
    }}));
    // `$default` is two paths.
    assert_eq!(keys(&api), ["$default", "$default", "GET /a/{id}", "ANY /a/{id}"]);
    assert_eq!(settings(&api, "openapi").protocol, Protocol::Http);
    let api = parse(json!({"openapi": "3.0.1", "paths": {"/a": {"get": {}}}}));
    assert_eq!(settings(&api, "openapi").protocol, Protocol::Rest);
}

#[test]
fn the_stage_is_that_of_the_api_or_of_a_resource_beside_it() {
    let api = parse(json!({
        "Parameters": {"Stage": {"Type": "String", "Default": "live"}},
        "Resources": {
            "Own": {"Type": "AWS::Serverless::Api", "Properties": {
                "StageName": {"Ref": "Stage"}, "Variables": {"tenant": 7, "other": {"Ref": "Unknown"}}}},
            "Socket": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "WEBSOCKET"}},
            "SocketStage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {
                "ApiId": {"Ref": "Socket"}, "StageName": "dev", "StageVariables": {"a": "b"}}},
            "Bare": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "HTTP"}},
            "Connect": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {
                "ApiId": {"Ref": "Socket"}, "RouteKey": "$connect"}},
            "Function": {"Type": "AWS::Serverless::Function", "Properties": {"Events": {
                "A": {"Type": "HttpApi"}}}},
        },
    }));
    let of = |name| {
        let settings = settings(&api, name);
        (settings.protocol, settings.stage.as_deref(), settings.stage_variables.len())
    };
    assert_eq!(of("Own"), (Protocol::Rest, Some("live"), 1));
    assert_eq!(of("Socket"), (Protocol::WebSocket, Some("dev"), 1));
    assert_eq!(of("Bare"), (Protocol::Http, None, 0));
    assert_eq!(of("ServerlessHttpApi"), (Protocol::Http, None, 0));
}

#[test]
fn gateway_responses_are_the_same_in_each_spelling() {
    let plain = json!({
        "statusCode": 401,
        "responseParameters": {
            "gatewayresponse.header.WWW-Authenticate": "'Bearer'",
            "gatewayresponse.header.Origin": "method.request.header.Origin",
        },
        "responseTemplates": {"application/json": "{}"},
    });
    let document = parse(json!({
        "openapi": "3.0.1", "paths": {"/a": {"get": {}}},
        "x-amazon-apigateway-gateway-responses": {"UNAUTHORIZED": plain},
    }));
    let sam = parse(json!({"Resources": {"Api": {"Type": "AWS::Serverless::Api", "Properties": {
        "DefinitionBody": {"paths": {"/a": {"get": {}}}},
        "GatewayResponses": {"UNAUTHORIZED": {
            "StatusCode": "401",
            "ResponseParameters": {"Headers": {"WWW-Authenticate": "'Bearer'", "Origin": "method.request.header.Origin"}},
            "ResponseTemplates": {"application/json": "{}"},
        }},
    }}}}));
    let cloudformation = parse(json!({"Resources": {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": {"paths": {"/a": {"get": {}}}}}},
        "Response": {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": {
            "RestApiId": {"Ref": "Api"}, "ResponseType": "UNAUTHORIZED", "StatusCode": "401",
            "ResponseParameters": {"gatewayresponse.header.WWW-Authenticate": "'Bearer'"},
            "ResponseTemplates": {"application/json": "{}"},
        }},
    }}));
    for (api, name) in [(document, "openapi"), (sam, "Api"), (cloudformation, "Api")] {
        let [response] = settings(&api, name).responses.as_slice() else { panic!("{api:?}") };
        assert_eq!((response.kind.as_str(), response.status), ("UNAUTHORIZED", Some(401)));
        assert_eq!(response.headers, [("WWW-Authenticate".to_owned(), "Bearer".to_owned())]);
        assert_eq!(response.template.as_deref(), Some("{}"));
    }
}

#[test]
fn a_mock_is_told_from_a_backend() {
    let api = parse(json!({"openapi": "3.0.1", "paths": {
        "/mock": {"get": {"x-amazon-apigateway-integration": {"type": "MOCK", "responses": {"default": {
            "statusCode": "202", "responseTemplates": {"application/json": "{}"}}}}}},
        "/real": {"get": {"x-amazon-apigateway-integration": {"type": "aws_proxy"}}},
    }}));
    let mocks: Vec<_> = api.routes.iter().map(|route| route.mock.clone()).collect();
    assert_eq!(mocks, [Some(Mock { status: 202, body: "{}".to_owned() }), None]);
}

#[test]
fn the_validation_expression_is_read_in_each_spelling() {
    let openapi =
        parse(json!({"openapi": "3.0.1", "paths": {"/a": {"get": {}}}, "components": {"securitySchemes": {
        "own": {"name": "Authorization", "x-amazon-apigateway-authorizer": {
            "type": "token", "identityValidationExpression": "^x$"}}}}}));
    let sam = parse(json!({"Resources": {"Api": {"Type": "AWS::Serverless::Api", "Properties": {"Auth": {
        "Authorizers": {"own": {"FunctionArn": "arn", "Identity": {"ValidationExpression": "^x$"}}}}}}}}));
    let cloudformation =
        parse(json!({"Resources": {"own": {"Type": "AWS::ApiGateway::Authorizer", "Properties": {
        "RestApiId": "api", "Type": "TOKEN", "IdentityValidationExpression": "^x$"}}}}));
    for api in [openapi, sam, cloudformation] {
        let expressions: Vec<_> = api.authorizers.iter().map(|own| own.validation.as_deref()).collect();
        assert_eq!(expressions, [Some("^x$")]);
    }
}
