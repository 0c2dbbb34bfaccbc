//! What a local gateway is to be.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use lambda_authorizer::check::AuthorizerKind;

use super::api::KINDS;
use crate::issuer::Client;

/// What a gateway is to be.
#[derive(Clone, Debug)]
pub struct GatewayOptions {
    /// The description of the API.
    pub api: Option<PathBuf>,
    /// Routes, in the place of a description.
    pub routes: Vec<String>,
    /// The kind of the authorizer of these routes.
    pub kind: AuthorizerKind,
    /// Its identity sources; none is the `Authorization` header.
    pub identity_sources: Vec<String>,
    /// Its validation expression.
    pub validation: Option<String>,
    /// How long answers are kept.
    pub cache_seconds: Option<u32>,
    /// The stage.
    pub stage: Option<String>,
    /// The configuration of the authorizer.
    pub config: Option<PathBuf>,
    /// The binary, in the place of the library.
    pub function: Option<PathBuf>,
    /// The backend, in the place of the built-in one.
    pub backend: Option<String>,
    /// The address of the development issuer, where one is wanted beside a configuration.
    pub issuer: Option<SocketAddr>,
    /// The client of the development issuer.
    pub client: Option<Client>,
    /// The address of the first API; each of the others has the next port.
    pub listen: SocketAddr,
    /// The client's address in events.
    pub source_ip: Option<IpAddr>,
    /// The certificate of every client, as if it had come by mutual TLS.
    pub client_certificate: Option<PathBuf>,
    /// How many requests are kept.
    pub history: usize,
    /// The variables of the environment that configure the authorizer.
    pub environment: Vec<(String, String)>,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            api: None,
            routes: Vec::new(),
            kind: AuthorizerKind::RestRequest,
            identity_sources: Vec::new(),
            validation: None,
            cache_seconds: None,
            stage: None,
            config: None,
            function: None,
            backend: None,
            issuer: None,
            client: None,
            listen: (Ipv4Addr::LOCALHOST, 9700).into(),
            source_ip: None,
            client_certificate: None,
            history: 200,
            environment: Vec::new(),
        }
    }
}

/// The kind of authorizer of this name, as in `--kind`.
///
/// # Errors
///
/// The names that there are.
pub fn kind(name: &str) -> Result<AuthorizerKind, String> {
    let known = KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
    let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
    known.ok_or_else(|| format!("`{name}` is no kind of authorizer; there are {}", names.join(", ")))
}
