//! The gateway's door: connections in, answers out.

use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use axum::body::{Body, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, FromRequestParts as _, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use lambda_authorizer::Authorizer;
use lambda_authorizer::check::Protocol;
use serde_json::Value;

use super::api::LocalApi;
use super::backend::{Backend, echo};
use super::event::{Routed, forwarded};
use super::history::History;
use super::listener::Connection;
use super::pipeline::{Decided, Pipeline, route_of};
use super::request::{ClientRequest, Headers, random_id, random_uuid};
use super::responses::{Refusal, respond};
use super::route::Route;
use super::websocket;
use crate::issuer::DevelopmentIssuer;

/// What all listeners share.
pub(super) struct Gatehouse {
    pub(super) apis: Vec<Arc<LocalApi>>,
    pub(super) pipeline: Pipeline,
    pub(super) backend: Backend,
    pub(super) history: History,
    /// The client's address in every event, in the place of the real one.
    pub(super) source_ip: Option<IpAddr>,
    /// `clientCert` of every event.
    pub(super) certificate: Option<Value>,
    /// What the console explains with: the library with the function's configuration, or why there is none.
    pub(super) explainer: Result<Arc<Authorizer>, String>,
    /// What is to be said at the start of the API and the configuration.
    pub(super) warnings: Vec<String>,
}

/// One listener: one API.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) house: Arc<Gatehouse>,
    pub(super) api: Arc<LocalApi>,
    /// The development issuer, as long as there is one.
    pub(super) issuer: Weak<DevelopmentIssuer>,
}

/// API Gateway's own limit.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// Answers a request for the API.
pub(super) async fn handle(
    State(door): State<Door>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let upgrade = match door.api.protocol {
        Protocol::WebSocket => WebSocketUpgrade::from_request_parts(&mut parts, &()).await.ok(),
        Protocol::Rest | Protocol::Http => None,
    };
    let mut client = door.client_request(&connection, &parts);
    if door.api.protocol == Protocol::WebSocket && upgrade.is_none() {
        return Refusal::NoUpgrade.response(&door.api, &client.id, &serde_json::Map::new());
    }
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return Refusal::TooLarge.response(&door.api, &client.id, &serde_json::Map::new());
    };
    client.body = body;
    let route = route_of(&door.api, &client);
    let decided = door.house.pipeline.decide(door.house.history.next(), &door.api, &client, route).await;
    door.answer(client, route, decided, upgrade).await
}

/// One request a connection, so that the listener knows whose spelling it has.
pub(super) fn closing(mut response: Response) -> Response {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl Door {
    fn client_request(&self, connection: &Connection, parts: &Parts) -> ClientRequest {
        let source_ip = self.house.source_ip.unwrap_or_else(|| connection.peer.ip().to_canonical());
        let headers: Headers = connection.spelled(&parts.headers);
        ClientRequest {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: forwarded(&headers, self.api.protocol, &source_ip.to_string()),
            body: axum::body::Bytes::new(),
            source_ip,
            certificate: self.house.certificate.clone(),
            received_at: SystemTime::now(),
            id: match self.api.protocol {
                Protocol::Rest => random_uuid(),
                Protocol::Http | Protocol::WebSocket => random_id(),
            },
        }
    }

    async fn answer(
        &self,
        client: ClientRequest,
        route: Option<&Route>,
        mut decided: Decided,
        upgrade: Option<WebSocketUpgrade>,
    ) -> Response {
        let response = match (decided.refusal, route) {
            (None, Some(route)) => match upgrade {
                Some(upgrade) => {
                    let context = std::mem::take(&mut decided.request_context);
                    websocket::accept(upgrade, &client, context, decided.authorizer.clone())
                }
                None => self.backend(&client, route, &mut decided).await,
            },
            (refusal, _) => self.refused(refusal.unwrap_or(Refusal::NoRoute), &client, &decided),
        };
        let status = response.status().as_u16();
        self.house.history.add(decided.trail.record(&self.api, &client, status));
        eprintln!("{}", decided.trail.line(&client, status));
        response
    }

    fn refused(&self, refusal: Refusal, client: &ClientRequest, decided: &Decided) -> Response {
        refusal.response(&self.api, &client.id, &decided.context)
    }

    async fn backend(&self, client: &ClientRequest, route: &Route, decided: &mut Decided) -> Response {
        if let Some(mock) = &route.mock {
            return respond(mock.status, mock.body.clone(), &[]);
        }
        let parameters = route.parameters(&client.path);
        let routed = Routed { api: &self.api, route, parameters: &parameters, request: client };
        match &self.house.backend {
            Backend::Echo => echo(&routed, &decided.authorizer),
            Backend::Proxy(proxy) => match proxy.pass(&routed, &decided.authorizer).await {
                Ok(response) => response,
                Err(error) => {
                    decided.trail.backend_failed(error.to_string());
                    self.refused(Refusal::BackendFailed, client, decided)
                }
            },
        }
    }
}

/// A JSON document of the gateway's own.
pub(super) fn document(value: &Value) -> Response<Body> {
    respond(200, value.to_string(), &[("cache-control", "no-store"), ("x-content-type-options", "nosniff")])
}
