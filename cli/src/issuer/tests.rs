use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::signing::Algorithm;

async fn issuer() -> DevelopmentIssuer {
    let key = SigningKey::generate(Algorithm::ES256, "key-1").unwrap();
    DevelopmentIssuer::start([key]).await.unwrap()
}

async fn get(issuer: &DevelopmentIssuer, path: &str) -> io::Result<String> {
    let address = issuer.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn body(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn discovery_leads_to_the_keys() {
    let issuer = issuer().await;
    let discovery = body(&get(&issuer, DISCOVERY_PATH).await.unwrap());
    assert_eq!(discovery["issuer"], issuer.url());
    assert_eq!(discovery["jwks_uri"], issuer.jwks_uri());
    let keys = body(&get(&issuer, KEYS_PATH).await.unwrap());
    assert_eq!(keys["keys"][0]["kid"], "key-1");
    assert_eq!((issuer.requests(DISCOVERY_PATH), issuer.requests(KEYS_PATH)), (1, 1));
}

#[tokio::test]
async fn rotation_replaces_what_is_published_and_what_signs() {
    let issuer = issuer().await;
    issuer.replace_keys([SigningKey::generate(Algorithm::EdDSA, "key-2").unwrap()]);
    let keys = body(&get(&issuer, KEYS_PATH).await.unwrap());
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert_eq!(keys["keys"][0]["kid"], "key-2");
    let header = issuer.mint(&json!({})).unwrap();
    let header = URL_SAFE_NO_PAD.decode(header.split('.').next().unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&header).unwrap()["kid"], "key-2");
}

#[tokio::test]
async fn claims_can_be_replaced_added_and_taken_away() {
    let issuer = issuer().await;
    let token = issuer.mint(&json!({"aud": ["a", "b"], "exp": null, "level": 3})).unwrap();
    let claims = claims(&token);
    assert_eq!(claims["aud"], json!(["a", "b"]));
    assert_eq!(claims["level"], 3);
    assert_eq!(claims["iss"], issuer.url());
    assert!(claims.get("exp").is_none());
    assert_eq!(issuer.mint(&json!([])).unwrap_err(), MintError::NotAnObject);
}

#[tokio::test]
async fn troubles_are_as_ordered_and_end() {
    let issuer = issuer().await;
    issuer.behave(Behaviour::Status(503));
    assert!(get(&issuer, KEYS_PATH).await.unwrap().starts_with("HTTP/1.1 503 "));
    issuer.behave(Behaviour::Close);
    assert!(get(&issuer, KEYS_PATH).await.unwrap_or_default().is_empty());
    issuer.behave(Behaviour::Hang);
    assert!(tokio::time::timeout(Duration::from_millis(50), get(&issuer, KEYS_PATH)).await.is_err());
    issuer.behave(Behaviour::Answer);
    issuer.publish(KEYS_PATH, "not json");
    assert!(get(&issuer, KEYS_PATH).await.unwrap().ends_with("\r\n\r\nnot json"));
    assert_eq!(issuer.requests(KEYS_PATH), 3);
}

#[tokio::test]
async fn a_dropped_issuer_refuses_connections() {
    let issuer = issuer().await;
    let address = issuer.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    drop(issuer);
    tokio::task::yield_now().await;
    assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}
