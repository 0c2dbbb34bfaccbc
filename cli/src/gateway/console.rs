//! The console: a page that shows decisions, at `/_console`, and the two paths that it asks.
//!
//! `POST /_explain` takes `api` (a name of `/_api`; without it the API that is asked), `method` and `path` (with the
//! query; without them the first route behind the authorizer), `token` (sent as `Authorization: Bearer`) and `headers`,
//! an array of pairs. It answers with `status`, which the client would get of an echo backend; `request`, as in
//! [`history`](super::history); `explanation`, of the library, or null where the authorizer is not asked; and `routes`:
//! what a cached copy of the answer opens, route by route (see `routes.rs`), and `explained_by`: `function`, or `library`
//! where the function is a binary, which cannot explain itself: it is this tool's library with the same configuration.
//! Nothing is cached or kept.
//!
//! `POST /_mint` takes `claims` (which replace those of an ordinary token; null takes one away), `algorithm` and `broken`
//! (as `authorizer mint --broken`), and answers with `token`.
//!
//! Both want `content-type: application/json`, which a page of another website cannot send without being asked for its
//! origin first, and a client on this machine: whoever may mint may do everything.

mod explaining;
mod minting;
mod routes;

pub(super) use explaining::Explaining;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_authorizer::check::Protocol;
use serde_json::{Map, Value, json};

use super::api::LocalApi;
use super::event::forwarded;
use super::listener::Connection;
use super::pipeline::{Decided, route_of};
use super::request::{ClientRequest, Headers, random_uuid};
use super::responses::respond;
use super::route::Route;
use super::server::{Door, document};
use crate::Error;

/// A token, its headers and claims: nobody sends more.
const LARGEST_QUESTION: usize = 256 * 1024;

/// The page in one document, so that the browser asks for nothing else.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    include_str!("console/index.html").replace("{style}", STYLE).replace("{script}", SCRIPT)
});

const STYLE: &str = include_str!("console/style.css");
const SCRIPT: &str = concat!(
    include_str!("console/elements.js"),
    include_str!("console/decision.js"),
    include_str!("console/script.js")
);

/// Only the page's own script and style, by what they are; and no text can become HTML (`require-trusted-types-for`).
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

pub(super) async fn page() -> Response {
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", POLICY.as_str()),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    let mut response = Response::new(Body::from(PAGE.as_str()));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

pub(super) async fn explain(
    State(door): State<Door>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let own = request.headers().clone();
    let question = match question(&connection, request).await {
        Ok(question) => question,
        Err(refusal) => return refusal,
    };
    match explained(&door, &connection, &own, &question).await {
        Ok(answer) => document(&answer),
        Err(error) => misuse(400, &error.to_string()),
    }
}

pub(super) async fn mint(
    State(door): State<Door>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let question = match question(&connection, request).await {
        Ok(question) => question,
        Err(refusal) => return refusal,
    };
    let Some(issuer) = door.issuer.upgrade() else {
        return misuse(
            404,
            "this gateway has no development issuer\nhint: `--issuer 127.0.0.1:9100` starts one",
        );
    };
    match minting::mint(&issuer, &question) {
        Ok(token) => document(&json!({ "token": token })),
        Err(error) => misuse(400, &error.to_string()),
    }
}

/// What is asked for, of a client on this machine.
async fn question(connection: &Connection, request: Request) -> Result<Value, Response> {
    if !connection.peer.ip().to_canonical().is_loopback() {
        return Err(misuse(403, "this is for clients on the same machine"));
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    if !kind.trim().eq_ignore_ascii_case("application/json") {
        return Err(misuse(415, "the question must be JSON\nhint: send `content-type: application/json`"));
    }
    let body = to_bytes(request.into_body(), LARGEST_QUESTION).await;
    let body = body.map_err(|_| misuse(413, "the question is too large"))?;
    let question: Value = serde_json::from_slice(&body)
        .map_err(|error| misuse(400, &format!("the question is not JSON: {error}")))?;
    if question.is_object() { Ok(question) } else { Err(misuse(400, "the question is not a JSON object")) }
}

async fn explained(
    door: &Door,
    connection: &Connection,
    own: &HeaderMap,
    question: &Value,
) -> Result<Value, Error> {
    let authorizer =
        door.house.explainer.clone().map_err(|why| format!("nothing can be explained: {why}"))?;
    let api = match text(question, "api")? {
        Some(name) => {
            door.house.apis.iter().find(|api| api.name == name).ok_or(format!("there is no API `{name}`"))?
        }
        None => &door.api,
    };
    let source_ip = door.house.source_ip.unwrap_or_else(|| connection.peer.ip().to_canonical());
    let (method, target) = asked(api, question)?;
    let headers = headers(own, question)?;
    let client = ClientRequest {
        method: method.to_string(),
        path: target.path().to_owned(),
        query: target.query().unwrap_or_default().to_owned(),
        headers: forwarded(&headers, api.protocol, &source_ip.to_string()),
        body: Bytes::new(),
        source_ip,
        certificate: door.house.certificate.clone(),
        received_at: SystemTime::now(),
        id: random_uuid(),
    };
    let route = route_of(api, &client);
    let pipeline = explaining::pipeline(authorizer, Arc::clone(api), door.house.pipeline.credentials.clone());
    let decided = pipeline.decide(0, api, &client, route).await;
    let status = status(&decided, api, route, &client);
    let made = pipeline.function.explained();
    let (explanation, claims) = match &made {
        Some(explanation) => {
            (serde_json::to_value(explanation)?, explanation.token.as_ref().and_then(|t| t.claims.as_ref()))
        }
        None => (Value::Null, None),
    };
    let policy = made.as_ref().and_then(|explanation| explanation.policy.as_ref());
    Ok(json!({
        "status": status,
        "request": decided.trail.record(api, &client, status),
        "explanation": explanation,
        "routes": routes::opened(api, claims, policy),
        "explained_by": if door.house.pipeline.function.authorizer().is_some() { "function" } else { "library" },
    }))
}

/// What the client would get, where the backend is the one that echoes.
fn status(decided: &Decided, api: &LocalApi, route: Option<&Route>, client: &ClientRequest) -> u16 {
    let mock = route.and_then(|route| route.mock.as_ref());
    match (decided.refusal, mock) {
        (Some(refusal), _) => refusal.response(api, &client.id, &decided.context).status().as_u16(),
        (None, _) if api.protocol == Protocol::WebSocket => 101,
        (None, Some(mock)) => mock.status,
        (None, None) => 200,
    }
}

/// The request that is asked about, as an HTTP client may send it.
fn asked(api: &LocalApi, question: &Value) -> Result<(Method, PathAndQuery), Error> {
    let (method, path) = match (text(question, "method")?, text(question, "path")?) {
        (None, None) => routes::first(api),
        (method, path) => (method.unwrap_or("GET").to_owned(), path.unwrap_or("/").to_owned()),
    };
    let target = path.parse::<PathAndQuery>().ok().filter(|_| path.starts_with('/'));
    let target = target.ok_or_else(|| {
        format!(
            "`{path}` is no path that a client can send\nhint: begin with `/`, and percent-encode the rest"
        )
    })?;
    let method = method
        .parse()
        .map_err(|_| format!("`{method}` is no method\nhint: `GET`, or another in capitals"))?;
    Ok((method, target))
}

/// The client's headers: those of the page's own connection, those that are given, and the token.
fn headers(own: &HeaderMap, question: &Value) -> Result<Headers, Error> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for (name, shown) in [(header::HOST, "Host"), (header::USER_AGENT, "User-Agent")] {
        let value = own.get(name).and_then(|value| value.to_str().ok());
        fields.extend(value.map(|value| (shown.to_owned(), value.to_owned())));
    }
    const FORM: &str = "`headers` is no array of pairs, such as [[\"x-tenant\", \"7\"]]";
    let given = match question.get("headers") {
        None | Some(Value::Null) => &Vec::new(),
        Some(given) => given.as_array().ok_or(FORM)?,
    };
    for pair in given {
        let pair: Option<Vec<&str>> =
            pair.as_array().and_then(|pair| pair.iter().map(Value::as_str).collect());
        match pair.as_deref() {
            Some([name, value]) => fields.push(((*name).to_owned(), (*value).to_owned())),
            Some(_) | None => return Err(FORM.into()),
        }
    }
    if let Some(token) = text(question, "token")? {
        fields.push(("Authorization".to_owned(), format!("Bearer {token}")));
    }
    for (name, value) in &fields {
        if name.parse::<HeaderName>().is_err() {
            return Err(format!("`{name}` is no name of a header").into());
        }
        // The value may be the token.
        if HeaderValue::from_str(value).is_err() {
            return Err(format!("what `{name}` would be is no value of a header").into());
        }
    }
    Ok(Headers::new(fields))
}

fn text<'a>(question: &'a Value, name: &str) -> Result<Option<&'a str>, Error> {
    match question.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` is no string").into()),
    }
}

fn misuse(status: u16, message: &str) -> Response {
    let body = Value::Object(Map::from_iter([("message".to_owned(), message.into())]));
    respond(status, body.to_string(), &[("cache-control", "no-store"), ("x-content-type-options", "nosniff")])
}
