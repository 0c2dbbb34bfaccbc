use super::*;
use serde_json::json;

fn parse(document: serde_json::Value) -> Api {
    Api::parse(&document.to_string()).unwrap()
}

fn header(name: &str) -> Option<Vec<String>> {
    Some(vec![format!("$request.header.{name}")])
}

/// The repository's own: a REST, an HTTP and a WebSocket API.
#[cfg(feature = "api")]
#[test]
fn our_own_template_has_three_apis() {
    let api = Api::parse(include_str!("../../../../template.yaml")).unwrap();
    assert_eq!(
        routes(&api),
        [
            ("$connect of `WebSocketApi`", Some("WebSocketAuthorizer")),
            ("GET /health of `RestApi`", None),
            ("GET /orders of `HttpApi`", Some("LambdaAuthorizer")),
            ("GET /orders of `RestApi`", Some("TokenAuthorizer")),
            ("GET /reports of `RestApi`", Some("RequestAuthorizer")),
        ]
    );
    let authorization = || header("authorization");
    assert_eq!(authorizer(&api, "TokenAuthorizer"), (AuthorizerKind::RestToken, Some(300), authorization()));
    assert_eq!(
        authorizer(&api, "RequestAuthorizer"),
        (AuthorizerKind::RestRequest, Some(300), authorization())
    );
    assert_eq!(
        authorizer(&api, "LambdaAuthorizer"),
        (AuthorizerKind::HttpPolicy, Some(300), authorization())
    );
    assert_eq!(
        authorizer(&api, "WebSocketAuthorizer"),
        (AuthorizerKind::WebSocket, Some(0), Some(Vec::new()))
    );
    assert_eq!(gaps(&api), [""; 0]);
    let notes: Vec<_> = api.notes.iter().map(|note| note.place.as_str()).collect();
    assert_eq!(notes, ["parameter `AuthorizerCacheSeconds`"]);
}

#[test]
fn an_event_has_the_default_authorizer_its_own_or_none() {
    let event = |path: &str, auth: serde_json::Value| json!({"Type": "Api", "Properties": {"RestApiId": {"Ref": "Rest"}, "Path": path, "Method": "get", "Auth": auth}});
    let api = parse(json!({
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Rest": {"Type": "AWS::Serverless::Api", "Properties": {"Auth": {
                "DefaultAuthorizer": "token",
                "Authorizers": {
                    "token": {"FunctionArn": "x"},
                    "request": {"FunctionArn": "x", "FunctionPayloadType": "REQUEST", "Identity": {
                        "Headers": ["Authorization"], "QueryStrings": ["tenant"], "StageVariables": ["env"],
                        "Context": ["identity.sourceIp"], "ReauthorizeEvery": 0}},
                    "pool": {"UserPoolArn": "x"},
                },
            }}},
            "Function": {"Type": "AWS::Serverless::Function", "Properties": {"Events": {
                "A": event("/default", json!({})),
                "B": event("/own", json!({"Authorizer": "request"})),
                "C": event("/none", json!({"Authorizer": "NONE"})),
                "D": event("/iam", json!({"Authorizer": "AWS_IAM"})),
                "E": event("/unknown", json!({"Authorizer": {"Ref": "Nothing"}})),
                "F": {"Type": "Schedule", "Properties": {}},
                "G": event("/no/{proxy+}/path", json!({})),
            }}},
        },
    }));
    assert_eq!(
        routes(&api),
        [
            ("GET /default", Some("token")),
            ("GET /iam", Some("AWS_IAM")),
            ("GET /none", None),
            ("GET /own", Some("request")),
            ("GET /unknown", Some("(unknown)")),
        ]
    );
    assert_eq!(authorizer(&api, "token"), (AuthorizerKind::RestToken, Some(300), header("authorization")));
    let sources = [
        "$request.header.authorization",
        "$request.querystring.tenant",
        "$stageVariables.env",
        "$context.identity.sourceIp",
    ];
    let sources = sources.map(str::to_owned).to_vec();
    assert_eq!(authorizer(&api, "request"), (AuthorizerKind::RestRequest, Some(0), Some(sources)));
    assert_eq!(authorizer(&api, "pool").0, AuthorizerKind::Other);
    assert_eq!(gaps(&api).len(), 2, "{:?}", api.notes);
}

#[test]
fn an_api_that_sam_makes_has_its_authorizers_from_the_globals() {
    let api = parse(json!({
        "Globals": {"HttpApi": {"Auth": {
            "DefaultAuthorizer": "lambda",
            "Authorizers": {"lambda": {"FunctionArn": "x", "AuthorizerPayloadFormatVersion": 2.0,
                "EnableSimpleResponses": true, "Identity": {"Headers": ["Authorization"], "ReauthorizeEvery": "60"}}},
        }}},
        "Resources": {"Function": {"Type": "AWS::Serverless::Function", "Properties": {"Events": {
            "A": {"Type": "HttpApi", "Properties": {"Path": "/orders/{id}", "Method": "ANY"}},
            "B": {"Type": "HttpApi"},
        }}}},
    }));
    assert_eq!(
        routes(&api),
        [("$default", Some("lambda")), ("$default", Some("lambda")), ("ANY /orders/{id}", Some("lambda")),]
    );
    assert_eq!(authorizer(&api, "lambda"), (AuthorizerKind::HttpSimple, Some(60), header("authorization")));
}

/// SAM gives them the default authorizer unless told otherwise.
#[test]
fn preflights_are_routes_where_they_have_an_authorizer() {
    for (setting, expected) in [(json!(null), 2), (json!(true), 2), (json!(false), 1)] {
        let api = parse(json!({"Resources": {
            "Rest": {"Type": "AWS::Serverless::Api", "Properties": {
                "Cors": "'*'",
                "Auth": {"DefaultAuthorizer": "a", "AddDefaultAuthorizerToCorsPreflight": setting,
                    "Authorizers": {"a": {"FunctionArn": "x"}}},
                "DefinitionBody": {"openapi": "3.0.1", "paths": {"/orders": {"get": {}}}},
            }},
        }}));
        assert_eq!(routes(&api).len(), expected, "{setting}: {:?}", routes(&api));
        assert_eq!(routes(&api)[0], ("GET /orders", Some("a")));
    }
}

#[test]
fn cloudformation_resources_are_routes_by_their_parents() {
    let method = |resource: serde_json::Value, method: &str, auth: serde_json::Value| {
        let mut properties =
            json!({"RestApiId": {"Ref": "Rest"}, "ResourceId": resource, "HttpMethod": method});
        properties.as_object_mut().unwrap().extend(auth.as_object().unwrap().clone());
        json!({"Type": "AWS::ApiGateway::Method", "Properties": properties})
    };
    let resource = |parent: serde_json::Value, part: &str| json!({"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "Rest"}, "ParentId": parent, "PathPart": part}});
    let custom = || json!({"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": "Authorizer"}});
    let api = parse(json!({"Resources": {
        "Rest": {"Type": "AWS::ApiGateway::RestApi"},
        "Orders": resource(json!({"Fn::GetAtt": ["Rest", "RootResourceId"]}), "orders"),
        "Order": resource(json!({"Ref": "Orders"}), "{id}"),
        "Round": resource(json!({"Ref": "About"}), "round"),
        "About": resource(json!({"Ref": "Round"}), "about"),
        "Authorizer": {"Type": "AWS::ApiGateway::Authorizer", "Properties": {"RestApiId": {"Ref": "Rest"},
            "Type": "REQUEST", "IdentitySource": "method.request.header.Authorization", "AuthorizerResultTtlInSeconds": "5"}},
        "A": method(json!({"Ref": "Order"}), "GET", custom()),
        "B": method(json!({"Fn::GetAtt": "Rest.RootResourceId"}), "ANY", json!({"AuthorizationType": "NONE"})),
        "C": method(json!({"Ref": "Orders"}), "POST", json!({"AuthorizationType": "AWS_IAM"})),
        "D": method(json!({"Ref": "Round"}), "GET", custom()),
        "E": method(json!({"Fn::ImportValue": "x"}), "GET", custom()),
        "F": method(json!({"Ref": "Order"}), "PUT", json!({"AuthorizationType": "CUSTOM", "AuthorizerId": {"Fn::ImportValue": "x"}})),
    }}));
    assert_eq!(
        routes(&api),
        [
            ("ANY /", None),
            ("GET /orders/{id}", Some("Authorizer")),
            ("POST /orders", Some("AWS_IAM")),
            ("PUT /orders/{id}", Some("(unknown)")),
        ]
    );
    assert_eq!(
        authorizer(&api, "Authorizer"),
        (AuthorizerKind::RestRequest, Some(5), header("authorization"))
    );
    assert_eq!(
        gaps(&api),
        [
            "Resources.D.Properties: its path and method cannot be told",
            "Resources.E.Properties: its path and method cannot be told",
            "PUT /orders/{id} of `Rest`: which authorizer it has cannot be told; it is taken for this function's",
        ]
    );
}

#[test]
fn routes_of_the_second_version_are_of_http_or_websocket_apis() {
    let route = |api: &str, key: &str, auth: serde_json::Value| {
        let mut properties = json!({"ApiId": {"Ref": api}, "RouteKey": key});
        properties.as_object_mut().unwrap().extend(auth.as_object().unwrap().clone());
        json!({"Type": "AWS::ApiGatewayV2::Route", "Properties": properties})
    };
    let by = |name: &str| json!({"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": name}});
    let api = parse(json!({"Resources": {
        "Http": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "HTTP"}},
        "Socket": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "WEBSOCKET"}},
        "One": {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {"ApiId": {"Ref": "Http"}, "AuthorizerType": "REQUEST",
            "AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": true,
            "IdentitySource": ["$request.header.Authorization", "$context.routeKey"], "AuthorizerResultTtlInSeconds": 300}},
        "Two": {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {"ApiId": {"Ref": "Socket"}, "AuthorizerType": "REQUEST",
            "IdentitySource": ["route.request.header.Authorization"]}},
        "Three": {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {"ApiId": {"Ref": "Http"}, "AuthorizerType": "JWT"}},
        "A": route("Http", "GET /orders/{id}", by("One")),
        "B": route("Http", "$default", json!({})),
        "C": route("Http", "POST /x", json!({"AuthorizationType": "JWT", "AuthorizerId": {"Ref": "Three"}})),
        "D": route("Socket", "$connect", by("Two")),
        "E": route("Socket", "sendMessage", json!({})),
        "F": route("Socket", "$default", json!({})),
    }}));
    assert_eq!(
        routes(&api),
        [
            ("$connect of `Socket`", Some("Two")),
            ("$default of `Http`", None),
            ("$default of `Http`", None),
            ("GET /orders/{id} of `Http`", Some("One")),
            ("POST /x of `Http`", Some("Three")),
        ]
    );
    assert_eq!(authorizer(&api, "One").0, AuthorizerKind::HttpSimple);
    assert_eq!(authorizer(&api, "Two"), (AuthorizerKind::WebSocket, Some(0), header("authorization")));
    assert_eq!(authorizer(&api, "Three").0, AuthorizerKind::Other);
    assert_eq!(gaps(&api), [""; 0]);
}

#[test]
fn a_parameter_is_its_default_or_unknown() {
    for (parameter, expected, notes) in [
        (json!({"Type": "Number", "Default": 60}), Some(60), 1),
        (json!({"Type": "String", "Default": "0"}), Some(0), 1),
        (json!({"Type": "Number"}), None, 1),
        (json!({"Type": "AWS::SSM::Parameter::Value<String>", "Default": "60"}), None, 1),
    ] {
        let api = parse(json!({
            "Parameters": {"Ttl": parameter},
            "Resources": {"Authorizer": {"Type": "AWS::ApiGateway::Authorizer", "Properties": {"RestApiId": {"Ref": "Rest"},
                "Type": "TOKEN", "IdentitySource": {"Fn::Sub": "method.request.header.X"},
                "AuthorizerResultTtlInSeconds": {"Ref": "Ttl"}}}},
        }));
        assert_eq!(
            authorizer(&api, "Authorizer"),
            (AuthorizerKind::RestToken, expected, header("x")),
            "{parameter}"
        );
        assert_eq!(api.notes.len(), notes);
        assert_eq!(api.notes[0].is_gap, expected.is_none());
    }
}

#[test]
fn sam_has_websocket_apis_of_its_own() {
    let api = parse(json!({"Resources": {"Socket": {"Type": "AWS::Serverless::WebSocketApi", "Properties": {
        "Auth": {"AuthType": "CUSTOM", "AuthArn": "x", "Name": "authz", "IdentitySource": ["route.request.header.Authorization"]},
        "Routes": {"$connect": {}},
    }}}}));
    assert_eq!(routes(&api), [("$connect", Some("authz"))]);
    assert_eq!(authorizer(&api, "authz"), (AuthorizerKind::WebSocket, Some(0), header("authorization")));
}

/// An authorizer of another stack's has no name here; what kind it is the route says.
#[test]
fn a_route_of_a_user_pools_is_not_this_functions() {
    let route = |key: &str, kind: &str| {
        json!({"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "Http"}, "RouteKey": key,
            "AuthorizationType": kind, "AuthorizerId": "abc"}})
    };
    let api = parse(json!({"Resources": {
        "Http": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "HTTP"}},
        "A": route("GET /a", "JWT"),
        "B": route("GET /b", "CUSTOM"),
    }}));
    assert_eq!(routes(&api), [("GET /a", Some("JWT")), ("GET /b", Some("(unknown)"))]);
    let kind = |name: &str| authorizer(&api, name).0;
    assert_eq!((kind("JWT"), kind("(unknown)")), (AuthorizerKind::Other, AuthorizerKind::HttpPolicy));
    assert_eq!(
        gaps(&api),
        ["GET /b of `Http`: which authorizer it has cannot be told; it is taken for this function's"]
    );
}
