//! A gateway on free ports, and a client that writes its requests by hand.

use std::net::SocketAddr;
use std::path::PathBuf;

use authorizer_cli::gateway::{GatewayOptions, LocalGateway, api};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a client got.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

pub(crate) fn options(kind: &str) -> GatewayOptions {
    GatewayOptions {
        kind: api::KINDS.iter().find(|(name, _)| *name == kind).unwrap().1,
        listen: "127.0.0.1:0".parse().unwrap(),
        issuer: Some("127.0.0.1:0".parse().unwrap()),
        ..GatewayOptions::default()
    }
}

/// A gateway with the built-in rules, in process.
pub(crate) async fn gateway(kind: &str) -> LocalGateway {
    LocalGateway::start(&options(kind)).await.unwrap()
}

/// A gateway in front of the fake function of the examples, with this in its environment.
pub(crate) async fn faked(kind: &str, environment: &[(&str, &str)]) -> LocalGateway {
    let function =
        PathBuf::from(env!("CARGO_BIN_EXE_authorizer")).with_file_name("examples/allow_everything");
    assert!(function.exists(), "hint: `cargo build -p authorizer-cli --examples`");
    let mut options = GatewayOptions { function: Some(function), issuer: None, ..options(kind) };
    options.environment = vec![("AUTHORIZER_TEST".to_owned(), "1".to_owned())];
    options
        .environment
        .extend(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    LocalGateway::start(&options).await.unwrap()
}

/// A gateway for a description.
pub(crate) async fn described(name: &str, description: &Value, config: Option<&str>) -> LocalGateway {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.json"));
    std::fs::write(&path, description.to_string()).unwrap();
    let config = config.map(|text| {
        let path = path.with_extension("toml");
        std::fs::write(&path, text).unwrap();
        path
    });
    LocalGateway::start(&GatewayOptions { api: Some(path), config, ..options("rest-request") }).await.unwrap()
}

pub(crate) fn address(gateway: &LocalGateway) -> SocketAddr {
    gateway.addresses()[0].1
}

/// A bearer token of the gateway's own issuer, with these claims.
pub(crate) fn bearer(gateway: &LocalGateway, claims: Value) -> String {
    format!("Authorization: Bearer {}", gateway.issuer().unwrap().mint(&claims).unwrap())
}

/// Who may read orders.
pub(crate) fn reader(gateway: &LocalGateway) -> String {
    bearer(gateway, json!({"sub": "reader", "scope": "orders:read", "client_id": "shop"}))
}

/// Sends `GET /path` with these header fields, spelled as they are.
pub(crate) async fn send(gateway: &LocalGateway, line: &str, fields: &[&str]) -> Answer {
    send_to(address(gateway), line, fields, "").await
}

pub(crate) async fn send_to(address: SocketAddr, line: &str, fields: &[&str], body: &str) -> Answer {
    let mut head = format!("{line} HTTP/1.1\r\n");
    if !fields.iter().any(|field| field.to_ascii_lowercase().starts_with("host:")) {
        head += &format!("Host: {address}\r\n");
    }
    if !body.is_empty() {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    for field in fields {
        head += &format!("{field}\r\n");
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {line}: {text}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// The record of the last request.
pub(crate) fn last(gateway: &LocalGateway) -> Value {
    gateway.requests().pop().unwrap()
}
