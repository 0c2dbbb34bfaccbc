//! The gateway's own paths: `/_api`, `/_requests`, `/_requests/stream`.
//!
//! `GET /_api` answers with an object: `apis`, an array with an object for each API (`name`, `protocol` (`rest`,
//! `http` or `websocket`), `id`, `stage`, `url`, `routes`, `authorizers`), and `issuer`, the URL of the development
//! issuer, or null. Each of `routes` has `route` (its key), `methods`, `path`, `authorizer` (a name or null) and
//! `is_mocked`; each of `authorizers` has `name`, `kind` (as the history has it, or `other`), `identity_sources`,
//! `cache_seconds` and `validation` (an expression or null). The others are described in [`history`](super::history).

use std::convert::Infallible;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, Stream};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::server::{Door, closing, document};
use crate::loopback::is_of_this_machine;

/// What `/_api` answers.
#[derive(Clone)]
pub(super) struct Overview(pub(super) Value);

pub(super) async fn requests(State(door): State<Door>) -> Response {
    document(&door.house.history.records().into())
}

pub(super) async fn stream(State(door): State<Door>) -> Response {
    Sse::new(records(door)).keep_alive(KeepAlive::default()).into_response()
}

fn records(door: Door) -> impl Stream<Item = Result<Event, Infallible>> {
    let (kept, news) = door.house.history.follow();
    stream::unfold((kept.into_iter(), news), |(mut kept, mut news)| async move {
        if let Some(record) = kept.next() {
            return Some((Ok(event(&record)), (kept, news)));
        }
        loop {
            match news.recv().await {
                Ok(record) => return Some((Ok(event(&record)), (kept, news))),
                // Whoever reads too slowly misses some.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    })
}

fn event(record: &Value) -> Event {
    Event::default().id(record.get("id").map(Value::to_string).unwrap_or_default()).data(record.to_string())
}

/// Keeps other websites out: one whose name points here (DNS rebinding) has its own name in `Host`, and a page of
/// one that sends requests here has its own `Origin`.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let response = if path.starts_with("/_") && is_own(path) && !is_of_this_machine(request.headers()) {
        let body =
            json!({"message": "these paths are for this machine: no such `Host` or `Origin`"}).to_string();
        (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    } else {
        next.run(request).await
    };
    closing(response)
}

/// The gateway's own paths, and what is below them.
pub(super) const OWN: [&str; 5] = ["/_api", "/_requests", "/_console", "/_explain", "/_mint"];

fn is_own(path: &str) -> bool {
    OWN.iter().any(|own| path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}
