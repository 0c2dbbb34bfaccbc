//! The console's own paths: the page, the explanations, the tokens; and who may ask for them.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use authorizer_cli::gateway::{GatewayOptions, LocalGateway};
use authorizer_cli::mint::Broken;
use lambda_authorizer::check::AuthorizerKind;
use lambda_authorizer::jwks::Algorithm;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn options() -> GatewayOptions {
    let anywhere: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
    GatewayOptions { listen: anywhere, issuer: Some(anywhere), ..GatewayOptions::default() }
}

async fn gateway() -> LocalGateway {
    LocalGateway::start(&options()).await.unwrap()
}

/// The status, the head in lower case, and the body.
async fn exchange(gateway: &LocalGateway, request: &str, headers: &str, body: &str) -> (u16, String, String) {
    let address = gateway.addresses().first().unwrap().1;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {address}\r\n") };
    let text = format!(
        "{request} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\n\r\n{body}",
        request = request
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

const JSON: &str = "Content-Type: application/json\r\n";

async fn ask(gateway: &LocalGateway, path: &str, question: &Value) -> (u16, Value) {
    let (status, _, body) = exchange(gateway, &format!("POST {path}"), JSON, &question.to_string()).await;
    (status, serde_json::from_str(&body).unwrap())
}

fn reader() -> Value {
    json!({"claims": {"scope": "orders:read"}})
}

async fn mint(gateway: &LocalGateway, question: &Value) -> String {
    let (status, answer) = ask(gateway, "/_mint", question).await;
    assert_eq!(status, 200, "{answer}");
    answer["token"].as_str().unwrap().to_owned()
}

fn opens(answer: &Value) -> Vec<(&str, &str)> {
    let routes = answer["routes"].as_array().unwrap().iter();
    routes.map(|entry| (entry["route"].as_str().unwrap(), entry["opens"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn the_page_is_one_document_that_may_load_nothing_else() {
    let gateway = gateway().await;
    let (status, head, page) = exchange(&gateway, "GET /_console", "", "").await;
    assert_eq!(status, 200);
    for header in [
        "content-type: text/html; charset=utf-8",
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'; script-src 'sha256-",
        "require-trusted-types-for 'script'",
        "frame-ancestors 'none'",
    ] {
        assert!(head.contains(header), "{header}\n{head}");
    }
    assert!(!head.contains("unsafe"));
    assert!(page.starts_with("<!doctype html>") && page.contains("\"use strict\""));
    assert!(!page.contains("{style}") && !page.contains("{script}"));
    for forbidden in
        ["innerHTML", "localStorage", "sessionStorage", "document.cookie", "src=\"", "@import", "url("]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[tokio::test]
async fn what_is_explained_is_what_the_gateway_does() {
    let gateway = gateway().await;
    let token = mint(&gateway, &json!({"claims": {"sub": "user-7", "scope": "orders:read"}})).await;
    for (method, path) in [
        ("GET", "/orders"),
        ("POST", "/orders"),
        ("GET", "/orders/7?page=2"),
        ("GET", "/users/user-7"),
        ("GET", "/users/user-8"),
        ("GET", "/reports"),
        ("GET", "/nowhere"),
    ] {
        for token in [Some(&token), None] {
            let question = json!({"method": method, "path": path, "token": token});
            let (asked, answer) = ask(&gateway, "/_explain", &question).await;
            assert_eq!(asked, 200, "{answer}");
            let header = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
            let (real, _, _) = exchange(&gateway, &format!("{method} {path}"), &header, "").await;
            assert_eq!(answer["status"], real, "{method} {path}");
            // The path of the real request is the last in the history: the questions are not in it.
            let last = gateway.requests().pop().unwrap();
            assert_eq!(last["arn"], answer["request"]["arn"]);
        }
    }
    assert_eq!(gateway.requests().len(), 14);
}

#[tokio::test]
async fn the_routes_say_what_a_cached_policy_opens() {
    let gateway = gateway().await;
    let token = mint(&gateway, &json!({"claims": {"sub": "user-7", "scope": "orders:read"}})).await;
    let (_, reader) = ask(&gateway, "/_explain", &json!({ "token": token })).await;
    assert_eq!(
        opens(&reader),
        [
            ("GET /orders", "all"),
            ("POST /orders", "none"),
            ("GET /orders/{id}", "all"),
            ("GET /reports", "none"),
            ("GET /users/{id}", "own"),
            ("PUT /users/{id}", "own"),
        ]
    );
    assert_eq!(reader["routes"][4]["path"], "/users/user-7");
    assert_eq!(reader["routes"][4]["rule"], "own profile");
    assert_eq!(reader["explanation"]["decision"]["rule"], "read orders");
    let (_, nobody) = ask(&gateway, "/_explain", &json!({})).await;
    assert!(opens(&nobody).iter().all(|(_, opens)| *opens == "none"));
    assert_eq!((&nobody["explanation"], &nobody["status"]), (&Value::Null, &json!(401)));
    assert_eq!(nobody["request"]["reason"], "identity_source_missing");
}

#[tokio::test]
async fn the_event_is_the_one_of_the_apis_kind() {
    for (kind, event) in [
        (AuthorizerKind::RestToken, "rest_token"),
        (AuthorizerKind::RestRequest, "rest_request"),
        (AuthorizerKind::HttpVersion1, "http_1.0"),
        (AuthorizerKind::HttpPolicy, "http_2.0"),
        (AuthorizerKind::WebSocket, "websocket"),
    ] {
        let gateway = LocalGateway::start(&GatewayOptions { kind, ..options() }).await.unwrap();
        let token = mint(&gateway, &reader()).await;
        let (_, answer) = ask(&gateway, "/_explain", &json!({ "token": token })).await;
        let status = if kind == AuthorizerKind::WebSocket { 101 } else { 200 };
        assert_eq!(answer["status"], status, "{answer:#}");
        assert_eq!(answer["explanation"]["event"]["kind"], event);
    }
}

#[tokio::test]
async fn a_token_is_in_no_answer() {
    let gateway = gateway().await;
    let token = mint(&gateway, &reader()).await;
    let (_, answer) = ask(&gateway, "/_explain", &json!({ "token": token, "path": "/orders" })).await;
    let signature = token.rsplit('.').next().unwrap();
    assert!(answer["explanation"]["token"]["claims"].is_object());
    assert!(!answer.to_string().contains(signature));
    let (status, answer) = ask(&gateway, "/_explain", &json!({ "token": format!("{token}\n") })).await;
    assert_eq!(status, 400);
    assert!(!answer.to_string().contains(signature));
}

#[tokio::test]
async fn every_broken_token_is_offered_and_refused_for_its_reason() {
    let gateway = gateway().await;
    let (_, _, page) = exchange(&gateway, "GET /_console", "", "").await;
    for broken in Broken::ALL {
        assert!(page.contains(&format!("<option value=\"{}\">", broken.name())), "{broken:?}");
        let token = mint(&gateway, &json!({ "broken": broken.name() })).await;
        let (_, answer) = ask(&gateway, "/_explain", &json!({ "token": token })).await;
        let code = &answer["explanation"]["decision"]["reason"]["code"];
        assert_eq!(code, broken.reason().name(), "{broken:?}");
        assert_eq!(answer["status"], 401);
    }
    for algorithm in Algorithm::ALL {
        assert!(page.contains(&format!("\"{}\"", algorithm.name())), "{algorithm:?}");
    }
    let token = mint(&gateway, &reader()).await;
    assert_eq!(ask(&gateway, "/_explain", &json!({ "token": token })).await.1["status"], 200);
}

#[tokio::test]
async fn a_key_of_another_algorithm_is_made_once_and_found_by_the_authorizer() {
    let gateway = gateway().await;
    for algorithm in ["ES256", "EdDSA", "EdDSA"] {
        let token =
            mint(&gateway, &json!({"algorithm": algorithm, "claims": {"scope": "orders:read"}})).await;
        let deadline = Instant::now() + Duration::from_secs(20);
        // For a second after a fetch the authorizer does not ask for keys again.
        let answer = loop {
            let (_, answer) = ask(&gateway, "/_explain", &json!({ "token": token })).await;
            if answer["status"] == 200 || Instant::now() > deadline {
                break answer;
            }
        };
        assert_eq!(answer["status"], 200, "{answer:#}");
        assert_eq!(answer["explanation"]["token"]["header"]["alg"], algorithm);
    }
    assert_eq!(gateway.issuer().unwrap().keys().len(), 2);
}

#[tokio::test]
async fn nothing_is_minted_under_another_name_or_without_an_issuer() {
    let gateway = gateway().await;
    let (status, answer) =
        ask(&gateway, "/_mint", &json!({"claims": {"iss": "https://login.example.com/"}})).await;
    assert_eq!(status, 400, "{answer}");
    let own = gateway.issuer().unwrap().url().to_owned();
    let (status, _) = ask(&gateway, "/_mint", &json!({"claims": {"iss": &own}})).await;
    assert_eq!(status, 200);
    let config = format!("development = true\n[[issuer]]\nurl = \"{own}\"\naudience = \"orders-api\"\n");
    let environment = vec![("AUTHORIZER_CONFIG".to_owned(), config)];
    let without = GatewayOptions { issuer: None, environment, ..options() };
    let gateway = LocalGateway::start(&without).await.unwrap();
    let (status, answer) = ask(&gateway, "/_mint", &json!({})).await;
    assert_eq!(status, 404, "{answer}");
}

#[tokio::test]
async fn a_question_that_is_none_is_answered_with_what_is_wrong() {
    let gateway = gateway().await;
    for (question, wrong) in [
        (json!({"api": "other"}), "there is no API `other`"),
        (json!({"path": "/<img src=x onerror=alert(1)>"}), "is no path that a client can send"),
        (json!({"path": "orders"}), "is no path that a client can send"),
        (json!({"method": "GE T"}), "is no method"),
        (json!({"headers": {"x": "y"}}), "is no array of pairs"),
        (json!({"headers": [["x y", "z"]]}), "is no name of a header"),
        (json!({"headers": [["x", "a\r\nb: c"]]}), "is no value of a header"),
        (json!({"token": 7}), "`token` is no string"),
        (json!([]), "is not a JSON object"),
    ] {
        let (status, answer) = ask(&gateway, "/_explain", &question).await;
        assert_eq!(status, 400, "{question}");
        assert!(answer["message"].as_str().unwrap().contains(wrong), "{question}: {answer}");
    }
    for question in [json!({"broken": "odd"}), json!({"algorithm": "none"}), json!({"claims": 7})] {
        assert_eq!(ask(&gateway, "/_mint", &question).await.0, 400, "{question}");
    }
    let given = json!({"headers": [["x-tenant", "7"]], "method": "GET", "path": "/orders"});
    assert_eq!(ask(&gateway, "/_explain", &given).await.0, 200);
}

#[tokio::test]
async fn only_json_of_this_machines_own_pages_is_answered() {
    let gateway = gateway().await;
    let address = gateway.addresses()[0].1;
    let own = format!("{JSON}Origin: http://{address}\r\n");
    for path in ["/_explain", "/_mint"] {
        let request = format!("POST {path}");
        for (headers, status) in [
            (JSON.to_owned(), 200),
            (own.clone(), 200),
            ("Content-Type: application/json; charset=utf-8\r\n".to_owned(), 200),
            (String::new(), 415),
            ("Content-Type: text/plain\r\n".to_owned(), 415),
            ("Content-Type: application/x-www-form-urlencoded\r\n".to_owned(), 415),
            (format!("{JSON}Origin: https://evil.example\r\n"), 403),
            (format!("{JSON}Origin: null\r\n"), 403),
            (format!("{JSON}Host: evil.example\r\n"), 403),
        ] {
            let (found, _, body) = exchange(&gateway, &request, &headers, "{}").await;
            assert_eq!(found, status, "{path} {headers} {body}");
        }
        assert_eq!(exchange(&gateway, &format!("GET {path}"), "", "").await.0, 405);
    }
    assert_eq!(exchange(&gateway, "GET /_console", "Host: evil.example\r\n", "").await.0, 403);
}
