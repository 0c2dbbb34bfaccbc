//! The events beside those of live calls, and as the crate `aws_lambda_events` reads them.

use std::collections::BTreeSet;
use std::path::Path;

use authorizer_cli::gateway::{GatewayOptions, LocalGateway};
use aws_lambda_events::apigw::{
    ApiGatewayCustomAuthorizerRequest, ApiGatewayCustomAuthorizerRequestTypeRequest,
    ApiGatewayV2CustomAuthorizerV1Request, ApiGatewayV2CustomAuthorizerV2Request,
};
use lambda_authorizer::event::Event;
use lambda_authorizer::request::Request;
use serde_json::{Value, json};

use crate::support::{described, gateway, last, options, send};

/// The names on the way to each value of an event; of maps that the client fills, the map alone.
fn shape(event: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    walk(event, String::new(), &mut names);
    names
}

fn walk(value: &Value, place: String, names: &mut BTreeSet<String>) {
    let is_the_clients = ["headers", "Parameters", "Headers", "cookies", "identitySource", "stageVariables"]
        .iter()
        .any(|name| place.ends_with(name));
    match value.as_object().filter(|_| !is_the_clients) {
        Some(members) => {
            for (name, member) in members {
                walk(member, format!("{place}/{name}"), names);
            }
        }
        None => {
            names.insert(place);
        }
    }
}

fn contract(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/events/contract-{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

const FIELDS: [&str; 4] =
    ["Authorization: token-of-a-caller", "Accept: */*", "User-Agent: curl/8.6.0", "X-Tenant: 7"];

async fn event(kind: &str, line: &str, fields: &[&str]) -> Value {
    let gateway = gateway(kind).await;
    send(&gateway, line, fields).await;
    let event = last(&gateway)["event"].clone();
    // The function reads it, too.
    let text = event.to_string();
    Request::try_from(Event { payload: &text, invocation_id: "1", deadline: None }).unwrap();
    event
}

#[tokio::test]
async fn events_have_the_members_of_live_calls() {
    for (kind, name) in [
        ("rest-token", "rest-token"),
        ("rest-request", "rest-request-captured"),
        ("http-1.0", "http-1.0-captured"),
    ] {
        let own = event(kind, "GET /orders/7", &FIELDS).await;
        assert_eq!(shape(&own), shape(&contract(name)), "{kind}");
    }
    // The live call was to the root, which has no parameters.
    let mut expected = shape(&contract("http-2.0-captured"));
    assert_eq!(shape(&event("http-2.0", "GET /orders", &FIELDS).await), expected);
    expected.insert("/pathParameters".to_owned());
    assert_eq!(shape(&event("http-2.0", "GET /orders/7", &FIELDS).await), expected);

    let handshake = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "User-Agent: a",
    ];
    let own = event("websocket", "GET /?a=1", &handshake).await;
    assert_eq!(shape(&own), shape(&contract("websocket")));
    assert_eq!(own["headers"]["Connection"], "upgrade");
    assert!(own["methodArn"].as_str().unwrap().ends_with("/dev/$connect"));
}

#[tokio::test]
async fn a_rest_event_says_what_the_client_sent() {
    let fields =
        ["authorization: a", "accept: x", "Accept: y", "X-Own: é", "Cookie: b=c", "Connection: close"];
    let event = event("rest-request", "GET /orders/7%20?a=1&a=2&b=%20", &fields).await;
    let arn = event["methodArn"].as_str().unwrap();
    assert!(arn.ends_with("/dev/GET/orders/7%20"), "{arn}");
    for (member, expected) in [
        ("type", json!("REQUEST")),
        ("resource", json!("/orders/{id}")),
        ("path", json!("/orders/7%20")),
        ("httpMethod", json!("GET")),
        ("queryStringParameters", json!({"a": "2", "b": " "})),
        ("multiValueQueryStringParameters", json!({"a": ["1", "2"], "b": [" "]})),
        ("pathParameters", json!({"id": "7%20"})),
        ("stageVariables", json!({})),
    ] {
        assert_eq!(event[member], expected, "{member}");
    }
    assert_eq!(event.get("version"), None);
    // Two spellings stay two.
    assert_eq!((&event["headers"]["accept"], &event["headers"]["Accept"]), (&json!("x"), &json!("y")));
    assert_eq!(event["multiValueHeaders"]["X-Own"], json!(["é"]));
    assert_eq!(event["headers"]["X-Forwarded-For"], "127.0.0.1");
    assert_eq!(event["headers"].get("Connection"), None);
    let context = &event["requestContext"];
    assert_eq!((&context["path"], &context["stage"]), (&json!("/dev/orders/7%20"), &json!("dev")));
    assert_eq!(context["identity"]["sourceIp"], "127.0.0.1");
    assert_eq!(context["identity"]["user"], json!(null));
}

#[tokio::test]
async fn an_http_event_of_format_2_says_what_the_client_sent() {
    let options = GatewayOptions {
        stage: Some("dev".into()),
        source_ip: Some("203.0.113.7".parse().unwrap()),
        ..options("http-2.0")
    };
    let gateway = LocalGateway::start(&options).await.unwrap();
    let fields =
        ["Authorization: a", "X-Own: 1", "x-own: 2", "Cookie: a=1; b=2", "X-Forwarded-For: 192.0.2.1"];
    send(&gateway, "GET /orders?a=1&a=2", &fields).await;
    let event = last(&gateway)["event"].clone();
    assert!(event["routeArn"].as_str().unwrap().ends_with("/dev/GET/orders"));
    for (member, expected) in [
        ("version", json!("2.0")),
        ("routeKey", json!("GET /orders")),
        ("rawPath", json!("/dev/orders")),
        ("rawQueryString", json!("a=1&a=2")),
        ("queryStringParameters", json!({"a": "1,2"})),
        ("cookies", json!(["(redacted)", "(redacted)"])),
    ] {
        assert_eq!(event[member], expected, "{member}");
    }
    let headers = &event["headers"];
    assert_eq!((&headers["x-own"], headers.get("cookie")), (&json!("1,2"), None));
    assert_eq!(headers["x-forwarded-for"], "192.0.2.1, 203.0.113.7");
    assert_eq!(event["requestContext"]["http"]["path"], "/dev/orders");
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "203.0.113.7");
    assert_eq!(event["requestContext"]["routeKey"], "GET /orders");
}

#[tokio::test]
async fn stage_variables_are_in_the_event_and_may_be_an_identity_source() {
    let description = json!({"Resources": {
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "HTTP"}},
        "Stage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {
            "ApiId": {"Ref": "Api"}, "StageName": "live", "StageVariables": {"tenant": "7"}}},
        "Own": {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {
            "ApiId": {"Ref": "Api"}, "AuthorizerPayloadFormatVersion": "1.0",
            "IdentitySource": ["$request.header.Authorization", "$stageVariables.tenant"]}},
        "One": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {
            "ApiId": {"Ref": "Api"}, "RouteKey": "GET /orders", "AuthorizationType": "CUSTOM",
            "AuthorizerId": {"Ref": "Own"}}},
    }});
    let gateway = described("variables", &description, None).await;
    send(&gateway, "GET /orders", &["Authorization: caller-1"]).await;
    let event = last(&gateway)["event"].clone();
    assert_eq!(event["stageVariables"], json!({"tenant": "7"}));
    assert_eq!(event["requestContext"]["stage"], "live");
    assert_eq!(event["identitySource"], "(redacted)");
}

#[tokio::test]
async fn an_independent_reader_reads_the_same() {
    let token: ApiGatewayCustomAuthorizerRequest =
        serde_json::from_value(event("rest-token", "GET /orders", &FIELDS).await).unwrap();
    assert!(token.method_arn.unwrap().ends_with("/dev/GET/orders"));

    let rest: ApiGatewayCustomAuthorizerRequestTypeRequest =
        serde_json::from_value(event("rest-request", "GET /orders", &FIELDS).await).unwrap();
    assert_eq!((rest.path.as_deref(), rest.headers["x-tenant"].to_str().unwrap()), (Some("/orders"), "7"));

    let first: ApiGatewayV2CustomAuthorizerV1Request =
        serde_json::from_value(event("http-1.0", "GET /orders/7", &FIELDS).await).unwrap();
    assert_eq!(first.path_parameters["id"], "7");

    let second: ApiGatewayV2CustomAuthorizerV2Request =
        serde_json::from_value(event("http-2.0", "GET /orders/7", &FIELDS).await).unwrap();
    assert_eq!(
        (second.route_key.as_deref(), second.path_parameters["id"].as_str()),
        (Some("GET /orders/{id}"), "7")
    );
}
