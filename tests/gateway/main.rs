//! The built binary behind the local API Gateway, as `authorizer gateway --function` runs it.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]
#![expect(clippy::indexing_slicing, reason = "a member that is missing is `null` to a test")]

use std::path::PathBuf;

use authorizer_cli::gateway::{GatewayOptions, LocalGateway, api};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

async fn gateway(kind: &str) -> LocalGateway {
    let options = GatewayOptions {
        kind: api::KINDS.iter().find(|(name, _)| *name == kind).unwrap().1,
        function: Some(PathBuf::from(env!("CARGO_BIN_EXE_lambda-authorizer"))),
        listen: "127.0.0.1:0".parse().unwrap(),
        issuer: Some("127.0.0.1:0".parse().unwrap()),
        ..GatewayOptions::default()
    };
    LocalGateway::start(&options).await.unwrap()
}

fn token(gateway: &LocalGateway) -> String {
    let claims = json!({"sub": "reader", "scope": "orders:read", "client_id": "shop"});
    gateway.issuer().unwrap().mint(&claims).unwrap()
}

async fn get(gateway: &LocalGateway, path: &str, token: Option<&str>) -> (u16, Value) {
    let address = gateway.addresses()[0].1;
    let credential = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{credential}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn the_binary_decides_behind_every_kind_of_api() {
    for (kind, broken, context) in [
        ("rest-token", 401, json!({"principalId": "reader", "client": "shop"})),
        ("rest-request", 401, json!({"principalId": "reader", "client": "shop"})),
        ("http-1.0", 403, json!({"principalId": "reader", "client": "shop"})),
        ("http-2.0", 403, json!({"lambda": {"client": "shop"}})),
    ] {
        let gateway = gateway(kind).await;
        let token = token(&gateway);
        assert_eq!(get(&gateway, "/orders", None).await.0, 401, "{kind}");
        assert_eq!(get(&gateway, "/orders", Some("broken")).await.0, broken, "{kind}");
        let (status, shown) = get(&gateway, "/orders/7", Some(&token)).await;
        assert_eq!((status, &shown["authorizer"]), (200, &context), "{kind}");
        // The policy of the first, from the cache.
        assert_eq!(get(&gateway, "/users/reader", Some(&token)).await.0, 200, "{kind}");
        assert_eq!(get(&gateway, "/reports", Some(&token)).await.0, 403, "{kind}");
        let told = gateway.requests();
        let seen: Vec<_> =
            told.iter().map(|request| (&request["cache"], &request["reason"], &request["rule"])).collect();
        let (miss, hit, null) = (json!("miss"), json!("hit"), json!(null));
        assert_eq!(
            seen,
            [
                (&null, &json!("identity_source_missing"), &null),
                (&miss, &json!("token_malformed"), &null),
                (&miss, &null, &json!("read orders")),
                (&hit, &null, &null),
                (&hit, &json!("not_in_cached_policy"), &null),
            ],
            "{kind}"
        );
    }
}

#[tokio::test]
async fn the_binary_decides_about_connections() {
    let gateway = gateway("websocket").await;
    let url = format!("ws://{}/", gateway.addresses()[0].1);
    let status = async |request| match connect_async(request).await {
        Ok(_) => 101,
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
    };
    assert_eq!(status(url.as_str().into_client_request().unwrap()).await, 401);

    // As a browser does it: a script can set no other header.
    let mut request = url.as_str().into_client_request().unwrap();
    let protocols = format!("access_token, {}", token(&gateway));
    request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
    assert_eq!(status(request).await, 101);

    let mut request = url.as_str().into_client_request().unwrap();
    let credential = format!("Bearer {}", token(&gateway));
    request.headers_mut().insert("authorization", credential.parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap();
    let answer: Value = serde_json::from_str(answer.to_text().unwrap()).unwrap();
    assert_eq!((&answer["body"], &answer["authorizer"]["client"]), (&json!("hello"), &json!("shop")));
}
