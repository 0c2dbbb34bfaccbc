//! `authorizer gateway`: an API Gateway on this machine, in front of the real authorizer.
//!
//! ```text
//! client ──▶ server ──▶ route ──▶ identity ──▶ cache ──▶ authorizer ──▶ answer (policy) ──▶ backend
//!                         │           │          ▲           │              │                  │
//!                         └───────────┴── responses (401, 403, 404, 500) ───┘            echo, or yours
//! ```
//!
//! What it does and what it does not is in `docs/gateway.md`. [`Gateway`] is API Gateway's judgement of an answer by
//! itself, for tests that have events.

mod answer;
pub mod api;
mod authorizer;
mod backend;
mod cache;
mod console;
mod event;
pub mod history;
mod identity;
mod listed;
mod listener;
pub mod management;
mod options;
mod pipeline;
mod request;
mod responses;
mod route;
mod server;
mod setup;
mod websocket;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use answer::{Decision, EventKind, Gateway};
use listener::{Connection, SpellingListener};
use management::Overview;
pub use options::{GatewayOptions, kind};
use server::{Door, Gatehouse};

use crate::Error;
use crate::issuer::DevelopmentIssuer;

/// A gateway that runs. Once dropped, its ports refuse connections.
pub struct LocalGateway {
    addresses: Vec<(String, SocketAddr)>,
    issuer: Option<Arc<DevelopmentIssuer>>,
    servers: Vec<JoinHandle<()>>,
    house: Arc<Gatehouse>,
}

impl LocalGateway {
    /// Starts a gateway.
    ///
    /// # Errors
    ///
    /// What is wrong with the description or the configuration, or a port that is taken.
    pub async fn start(options: &GatewayOptions) -> Result<Self, Error> {
        let (house, issuer) = setup::gatehouse(options).await?;
        let (house, issuer) = (Arc::new(house), issuer.map(Arc::new));
        let mut listeners = Vec::new();
        for (place, api) in house.apis.iter().enumerate() {
            let mut address = options.listen;
            if address.port() != 0 {
                let port = u16::try_from(place).ok().and_then(|place| address.port().checked_add(place));
                address.set_port(port.ok_or("there are not enough ports for all APIs")?);
            }
            let listener = TcpListener::bind(address).await.map_err(|error| {
                format!("cannot listen on `{address}`: {error}\nhint: choose another with `--listen`")
            })?;
            listeners.push((Arc::clone(api), listener.local_addr()?, listener));
        }
        let overview = overview(&listeners, issuer.as_deref());
        let addresses = listeners.iter().map(|(api, address, _)| (api.name.clone(), *address)).collect();
        let issuing = issuer.as_ref().map(Arc::downgrade).unwrap_or_default();
        let serve = |(api, _, listener)| {
            let door = Door { house: Arc::clone(&house), api, issuer: issuing.clone() };
            let app = router(door, overview.clone());
            tokio::spawn(async move {
                let service = app.into_make_service_with_connect_info::<Connection>();
                let _never_ends = axum::serve(SpellingListener(listener), service).await;
            })
        };
        let servers = listeners.into_iter().map(serve).collect();
        Ok(Self { addresses, issuer, servers, house })
    }

    /// The APIs with the addresses that they are served on.
    #[must_use]
    pub fn addresses(&self) -> &[(String, SocketAddr)] {
        &self.addresses
    }

    /// The development issuer, where there is one.
    #[must_use]
    pub fn issuer(&self) -> Option<&DevelopmentIssuer> {
        self.issuer.as_deref()
    }

    /// The last requests, as `/_requests` has them.
    #[must_use]
    pub fn requests(&self) -> Vec<Value> {
        self.house.history.records()
    }

    /// What a person is told at the start.
    #[must_use]
    pub fn greeting(&self) -> String {
        setup::greeting(&self.house, &self.addresses, self.issuer.as_deref())
    }
}

impl Drop for LocalGateway {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
    }
}

/// A JSON object with these members, too.
fn with<const N: usize>(mut object: Value, members: [(&str, Value); N]) -> Value {
    if let Value::Object(map) = &mut object {
        map.extend(members.map(|(name, value)| (name.to_owned(), value)));
    }
    object
}

fn overview(
    listeners: &[(Arc<api::LocalApi>, SocketAddr, TcpListener)],
    issuer: Option<&DevelopmentIssuer>,
) -> Overview {
    let apis: Vec<Value> = listeners
        .iter()
        .map(|(api, address, _)| with(api.json(), [("url", format!("http://{address}").into())]))
        .collect();
    Overview(json!({"apis": apis, "issuer": issuer.map(DevelopmentIssuer::url)}))
}

fn router(door: Door, overview: Overview) -> Router {
    Router::new()
        .route("/_api", get(async move || server::document(&overview.0)))
        .route("/_requests", get(management::requests))
        .route("/_requests/stream", get(management::stream))
        .route("/_console", get(console::page))
        .route("/_explain", post(console::explain))
        .route("/_mint", post(console::mint))
        .fallback(server::handle)
        .layer(from_fn(management::guard))
        .with_state(door)
}
