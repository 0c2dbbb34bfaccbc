//! The backend behind the API: the built-in one, which shows what it was told, or a server of yours.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::answer::{Answer, EventKind};
use super::event::{HOP_BY_HOP, Routed};
use super::responses::{as_text, respond};
use crate::Error;

/// What answers the requests that may pass.
#[derive(Clone, Debug)]
pub(super) enum Backend {
    /// Answers with what it was asked and told, as JSON.
    Echo,
    /// Passes requests on.
    Proxy(Proxy),
}

/// A server of yours.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    client: reqwest::Client,
    url: String,
}

/// The header in which a server of yours is told the authorizer's context. It is this gateway's own: API Gateway
/// sends to an HTTP server what its mappings say.
pub(super) const CONTEXT_HEADER: &str = "x-authorizer-context";

impl Proxy {
    /// The server at this URL, below which all paths are.
    ///
    /// # Errors
    ///
    /// It is no URL of a server.
    pub(super) fn new(url: &str) -> Result<Self, Error> {
        let parsed = reqwest::Url::parse(url).map_err(|error| format!("`{url}` is no URL: {error}"))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.query().is_some() {
            return Err(format!("`{url}` is no URL of a backend, such as `http://127.0.0.1:8080`").into());
        }
        let client = crate::http_client()?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned() })
    }

    /// Passes a request on. Hop-by-hop headers stay here, and so does a context of the client's own making.
    ///
    /// # Errors
    ///
    /// The server cannot be reached.
    pub(super) async fn pass(&self, routed: &Routed<'_>, authorizer: &Value) -> Result<Response, Error> {
        let request = routed.request;
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        let url = format!("{}{}{query}", self.url, request.path);
        let mut headers = HeaderMap::new();
        let kept = request.headers.iter().filter(|(name, _)| {
            let dropped = HOP_BY_HOP.iter().chain(&["host", "content-length", CONTEXT_HEADER]);
            !dropped.into_iter().any(|other| name.eq_ignore_ascii_case(other))
        });
        for (name, value) in kept {
            headers.append(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
        }
        headers.insert(CONTEXT_HEADER, HeaderValue::from_str(&in_ascii(&authorizer.to_string()))?);
        let method = Method::from_bytes(request.method.as_bytes())?;
        let sent = self.client.request(method, url).headers(headers).body(request.body.clone()).send();
        let answer = sent.await?;
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            let is_dropped = HOP_BY_HOP.contains(&name.as_str()) || name == "content-length";
            // Contract 3.7: a challenge of the backend's is renamed.
            let name =
                if name == "www-authenticate" { "x-amzn-remapped-www-authenticate" } else { name.as_str() };
            if !is_dropped {
                response = response.header(name, value);
            }
        }
        Ok(response.body(Body::from(answer.bytes().await?))?)
    }
}

/// The `authorizer` of the request context, as a backend of this kind of API gets it (contract 2.4).
#[must_use]
pub(super) fn authorizer_context(kind: EventKind, answer: &Answer) -> Value {
    let context = answer.context();
    match kind {
        EventKind::Http2 => json!({"lambda": context}),
        EventKind::RestToken | EventKind::RestRequest | EventKind::WebSocket | EventKind::Http1 => {
            let mut texts: Map<String, Value> =
                context.iter().map(|(key, value)| (key.clone(), as_text(value).into())).collect();
            texts.insert("principalId".into(), answer.principal().unwrap_or_default().into());
            texts.into()
        }
    }
}

/// The answer of the built-in backend.
#[must_use]
pub(super) fn echo(routed: &Routed<'_>, authorizer: &Value) -> Response {
    let request = routed.request;
    let headers: Map<String, Value> = request
        .headers
        .iter()
        .map(|(name, _)| (name.to_owned(), request.headers.joined(name).unwrap_or_default().into()))
        .collect();
    let parameters: Map<String, Value> =
        routed.parameters.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let (body, is_base64) = match std::str::from_utf8(&request.body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (STANDARD.encode(&request.body), true),
    };
    let shown = json!({
        "api": routed.api.name,
        "stage": routed.api.stage,
        "route": routed.route.key,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "path_parameters": parameters,
        "headers": headers,
        "body": body,
        "is_base64": is_base64,
        "authorizer": authorizer,
    });
    respond(StatusCode::OK.as_u16(), format!("{shown:#}\n"), &[("cache-control", "no-store")])
}

/// The same JSON in ASCII, as a header may have it.
fn in_ascii(json: &str) -> String {
    let mut text = String::new();
    for letter in json.chars() {
        if letter.is_ascii() {
            text.push(letter);
        } else {
            text.extend(letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}
