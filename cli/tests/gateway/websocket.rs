//! WebSocket APIs: `$connect` decides, and its context comes with every message.

use authorizer_cli::gateway::{GatewayOptions, LocalGateway};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::{address, bearer, faked, gateway, last, options, reader, send};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The socket, or the status of the refusal.
async fn connect(gateway: &LocalGateway, path: &str, fields: &[&str]) -> Result<Socket, u16> {
    let mut request = format!("ws://{}{path}", address(gateway)).into_client_request().unwrap();
    for field in fields {
        let (name, value) = field.split_once(": ").unwrap();
        let name: tokio_tungstenite::tungstenite::http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn status(gateway: &LocalGateway, path: &str, fields: &[&str]) -> u16 {
    connect(gateway, path, fields).await.err().unwrap_or(101)
}

#[tokio::test]
async fn a_token_decides_about_the_connection() {
    let gateway = gateway("websocket").await;
    let token = reader(&gateway);
    assert_eq!(status(&gateway, "/", &[]).await, 401);
    assert_eq!(last(&gateway)["reason"], "credential_missing");
    assert_eq!(status(&gateway, "/", &["Authorization: Bearer broken"]).await, 401);
    let other = bearer(&gateway, json!({"scope": "none"}));
    assert_eq!(status(&gateway, "/", &[&other]).await, 403);
    assert_eq!(status(&gateway, "/elsewhere", &[&token]).await, 403);
    assert_eq!(status(&gateway, "/dev", &[&token]).await, 101);
    let record = last(&gateway);
    assert_eq!((&record["status"], &record["kind"]), (&json!(101), &json!("websocket")));
    assert_eq!((&record["route"], &record["cache"]), (&json!("$connect"), &json!("off")));
    assert!(record["arn"].as_str().unwrap().ends_with("/dev/$connect"), "{record}");
    let asked = gateway.requests().len();
    assert_eq!(send(&gateway, "GET /", &[&token]).await.status, 426);
    assert_eq!(gateway.requests().len(), asked);
}

#[tokio::test]
async fn messages_come_back_with_the_context_of_the_connection() {
    let gateway = gateway("websocket").await;
    let token = reader(&gateway);
    let mut socket = connect(&gateway, "/", &[&token]).await.unwrap();
    let mut connections = Vec::new();
    for text in ["one", "two"] {
        socket.send(Message::text(text)).await.unwrap();
        let answer = socket.next().await.unwrap().unwrap();
        let answer: Value = serde_json::from_str(answer.to_text().unwrap()).unwrap();
        assert_eq!((&answer["body"], &answer["route"]), (&json!(text), &json!("$default")));
        let context = &answer["authorizer"];
        assert_eq!((&context["principalId"], &context["client"]), (&json!("reader"), &json!("shop")));
        // A connection outlives its token: the backend is told until when it holds, as text.
        assert!(context["exp"].as_str().unwrap().parse::<u64>().is_ok());
        connections.push(answer["connection_id"].clone());
    }
    assert!(connections[0].is_string() && connections[0] == connections[1]);
}

#[tokio::test]
async fn a_source_that_is_listed_must_be_there() {
    let options = GatewayOptions {
        identity_sources: vec!["route.request.querystring.token".into()],
        ..options("websocket")
    };
    let gateway = LocalGateway::start(&options).await.unwrap();
    let token = reader(&gateway);
    assert_eq!(status(&gateway, "/", &[&token]).await, 401);
    assert_eq!(last(&gateway)["reason"], "identity_source_missing");
    assert_eq!(status(&gateway, "/?token=x", &[&token]).await, 101);
}

#[tokio::test]
async fn an_error_and_a_malformed_answer_refuse_the_connection() {
    for (name, value, expected) in
        [("ERROR", "Unauthorized", 401), ("ERROR", "another", 500), ("ANSWER", r#"{"statusCode":401}"#, 500)]
    {
        let gateway = faked("websocket", &[(name, value)]).await;
        assert_eq!(status(&gateway, "/", &[]).await, expected, "{value}");
    }
    let gateway = faked("websocket", &[]).await;
    assert_eq!(status(&gateway, "/", &[]).await, 101);
}
