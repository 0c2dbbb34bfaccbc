//! A WebSocket connection behind `$connect`: every message goes to the route `$default`, whose built-in backend
//! sends back what it was told.

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde_json::{Value, json};

use super::request::ClientRequest;

/// Takes the connection. Of the subprotocols that the client offers, the first is taken.
pub(super) fn accept(
    upgrade: WebSocketUpgrade,
    request: &ClientRequest,
    context: Value,
    authorizer: Value,
) -> Response {
    let offered = request.headers.joined("sec-websocket-protocol");
    let first = offered.as_deref().and_then(|offered| offered.split(',').next());
    let first = first.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    upgrade.protocols(first).on_upgrade(|socket| converse(socket, context, authorizer))
}

/// The policy is not asked again: it was judged for `$connect`, and holds as long as the connection (contract 4.6).
/// Its context comes with every message.
async fn converse(mut socket: WebSocket, context: Value, authorizer: Value) {
    while let Some(Ok(message)) = socket.recv().await {
        let body = match message {
            Message::Text(text) => text.as_str().to_owned(),
            Message::Binary(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Close(_) => return,
        };
        let answer = json!({
            "route": "$default",
            "connection_id": context.get("connectionId"),
            "body": body,
            "authorizer": authorizer,
        });
        if socket.send(Message::Text(answer.to_string().into())).await.is_err() {
            return;
        }
    }
}
