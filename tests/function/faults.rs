//! An issuer in trouble: an error that API Gateway does not cache, never a refusal, and over when it is.

use std::sync::Arc;
use std::time::Duration;

use authorizer_cli::gateway::EventKind;
use authorizer_cli::issuer::{DISCOVERY_PATH, DevelopmentIssuer, KEYS_PATH};
use authorizer_cli::signing::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::key_server::{Answer, End, KeyServer};
use crate::process::{Function, Settings, keys};
use crate::support::{KINDS, event};

/// Fast to fail and fast to try again, and 401 for refusals, so that a fault cannot hide among them.
const IMPATIENT: Settings<'_> = Settings {
    issuer: "",
    key_set: "init_milliseconds = 0\ntimeout_milliseconds = 300\ncooldown_seconds = 1",
    sections: "[response]\nrefusal = 'unauthorized'",
};

const KIND: EventKind = EventKind::RestRequest;

/// What goes wrong with an issuer.
type Trouble = Box<dyn Fn(&KeyServer) + Send + Sync>;

/// Rules Z6, K8 and K9: while the issuer is like this there is no decision without keys, those with known keys
/// are as ever, and soon after there are all of them.
async fn are_faults_until_they_heal(troubles: Vec<(&'static str, Trouble)>) {
    let functions = troubles.into_iter().map(|(what, trouble)| tokio::spawn(does_harm(what, trouble)));
    for function in functions.collect::<Vec<_>>() {
        function.await.unwrap();
    }
}

async fn does_harm(what: &'static str, trouble: Trouble) {
    let function = Function::of(KeyServer::start(keys()).await, IMPATIENT).await;
    let issuer = &function.issuer;
    let known = issuer.token();
    trouble(issuer);
    for kind in KINDS {
        let answer = function.ask(&event(kind, &known)).await;
        answer.is_a_fault("key_set_unavailable", what);
        assert!(answer.record["duration_us"].as_u64().unwrap() < 5_000_000, "{what}: {}", answer.record);
    }
    assert!(issuer.diary().connections > 0, "{what}");
    issuer.heals();
    function.recovers(&event(KIND, &known), what).await;

    trouble(issuer);
    let rotated = issuer.token_under("rotated");
    let answer = function.ask_until_it_asks(&event(KIND, &rotated), what).await;
    answer.is_a_fault("key_set_unavailable", what);
    for kind in KINDS {
        let asked = issuer.diary().connections;
        function.ask(&event(kind, &known)).await.is_allowed(what);
        assert_eq!(issuer.diary().connections, asked, "{what}: a known key waits for nobody");
    }
    issuer.serves([Arc::new(SigningKey::generate(Algorithm::ES256, "rotated").unwrap())]);
    function.recovers(&event(KIND, &issuer.token()), what).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Every request is answered in this way.
fn always(answer: Answer) -> Trouble {
    Box::new(move |issuer| issuer.always(&answer))
}

/// The very keys come, and something is wrong with how they do.
fn keys_come(answer: fn(Answer) -> Answer) -> Trouble {
    Box::new(move |issuer| issuer.answers(KEYS_PATH, answer(Answer::ok(issuer.key_set()))))
}

/// They come behind another head.
fn keys_come_behind(head: &'static str) -> Trouble {
    Box::new(move |issuer| issuer.answers(KEYS_PATH, Answer::raw(format!("{head}{}", issuer.key_set()))))
}

fn publishes(path: &'static str, body: impl Into<Vec<u8>>) -> Trouble {
    let answer = Answer::ok(body.into());
    Box::new(move |issuer| issuer.answers(path, answer.clone()))
}

/// Rules K1 and K2: nothing but a 200 counts, and one deadline is over all.
#[tokio::test]
async fn an_issuer_that_does_not_answer_is_a_fault() {
    let status = |status, lines| always(Answer::status(status, lines, ""));
    are_faults_until_they_heal(vec![
        ("503", status("503 Service Unavailable", "")),
        ("429", status("429 Too Many Requests", "Retry-After: 1\r\n")),
        ("404", status("404 Not Found", "Cache-Control: max-age=86400\r\n")),
        ("204", status("204 No Content", "")),
        ("206", keys_come_behind("HTTP/1.1 206 Partial Content\r\n\r\n")),
        ("401", status("401 Unauthorized", "WWW-Authenticate: Basic\r\n")),
        ("101", always(Answer::raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n").and(End::Stay))),
    ])
    .await;
}

/// Rules K2 and K9.
#[tokio::test]
async fn an_issuer_that_hangs_or_hangs_up_is_a_fault() {
    are_faults_until_they_heal(vec![
        ("silent", always(Answer::silence())),
        ("slow", keys_come(|answer| answer.after(Duration::from_secs(2)))),
        ("half an answer, and silence", keys_come(|answer| answer.cut_to(300).and(End::Stay))),
        ("a closed door", Box::new(KeyServer::turns_away)),
        ("closing", always(Answer::raw(""))),
        ("resetting", always(Answer::raw("").and(End::Reset))),
        ("resetting half-way", keys_come(|answer| answer.cut_to(300).and(End::Reset))),
    ])
    .await;
}

/// Rule K4: what is not whole is not there.
#[tokio::test]
async fn an_answer_that_is_cut_off_or_malformed_is_a_fault() {
    let chunked = |chunks: &str| {
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        let keys =
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let chunks = chunks.replace("KEYS", keys).replace("SIZE", &format!("{:x}", keys.len()));
        let answer = Answer::raw(format!("{head}{chunks}"));
        let trouble: Trouble = Box::new(move |issuer| issuer.answers(KEYS_PATH, answer.clone()));
        trouble
    };
    are_faults_until_they_heal(vec![
        ("too short", keys_come(|answer| answer.cut_to(400))),
        ("no last chunk", chunked("SIZE\r\nKEYS\r\n")),
        ("no chunk size", chunked("zz\r\nKEYS\r\n0\r\n\r\n")),
        ("a chunk size without end", chunked("fffffffffffffffff\r\nKEYS\r\n0\r\n\r\n")),
        ("a chunk that is too long", chunked("2\r\nKEYS\r\n0\r\n\r\n")),
        (
            "two lengths",
            keys_come_behind("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"),
        ),
        ("a negative length", keys_come_behind("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")),
        ("HTTP/0.9", keys_come_behind("")),
        ("a status of four digits", keys_come_behind("HTTP/1.1 2000 OK\r\n\r\n")),
        ("a header line that is none", keys_come_behind("HTTP/1.1 200 OK\r\n\0: x\r\n\r\n")),
        ("HTTP/2", always(Answer::raw(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"))),
        ("a TLS alert", always(Answer::raw(b"\x15\x03\x03\x00\x02\x02\x28"))),
    ])
    .await;
}

/// The neighbours of those: odd, but whole and in time.
#[tokio::test]
async fn an_answer_that_is_odd_but_whole_is_taken() {
    let issuer = KeyServer::start(keys()).await;
    let (set, settings) =
        (issuer.key_set(), Settings { issuer: "", key_set: "init_milliseconds = 0", ..IMPATIENT });
    let chunks: String = set.chars().map(|letter| format!("1;x=y\r\n{letter}\r\n")).collect();
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
    let hints = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    for (what, answer) in [
        ("slow", Answer::ok(&set).after(Duration::from_millis(300))),
        ("byte by byte", Answer::ok(&set).dripping(Duration::ZERO)),
        ("chunks", Answer::raw(format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\nX: y\r\n\r\n"))),
        ("until the end", Answer::raw(format!("{head}\r\n{set}"))),
        ("HTTP/1.0", Answer::raw(format!("HTTP/1.0 200\r\n\r\n{set}"))),
        ("hints before", Answer::raw(format!("{hints}{head}\r\n{set}"))),
        ("another type", Answer::status("200 OK", "Content-Type: text/html\r\nAge: soon\r\n", &set)),
    ] {
        issuer.answers(KEYS_PATH, answer);
        let function = Function::configured((), &settings.toml(issuer.url()), Duration::from_secs(20)).await;
        function.ask(&event(KIND, &issuer.token())).await.is_allowed(what);
        function.ends_without_a_trace_of_tokens().await;
    }
}

/// Rules K3 and K4: what is no key set, or too large to be one, is none.
#[tokio::test]
async fn a_key_set_that_is_none_is_a_fault() {
    let many = vec![
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        101
    ];
    let deep = format!(r#"{{"keys":[{}]}}"#, "[".repeat(140_000));
    let bodies = [
        ("empty", String::new()),
        ("a page", "<!DOCTYPE html><html><body>Bad Gateway</body></html>".into()),
        ("an array", "[]".into()),
        ("null", "null".into()),
        ("no list", "{}".into()),
        ("no array", r#"{"keys":{}}"#.into()),
        ("no keys", r#"{"keys":[]}"#.into()),
        ("no objects", r#"{"keys":["a",5,null,[]]}"#.into()),
        ("a secret", r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#.into()),
        ("101 keys", json!({"keys": many}).to_string()),
        ("deep", deep),
    ];
    let mut troubles: Vec<_> =
        bodies.into_iter().map(|(what, body)| (what, publishes(KEYS_PATH, body))).collect();
    troubles.push(("a byte order mark", keys_come_behind("HTTP/1.1 200 OK\r\n\r\n\u{feff}")));
    troubles.push((
        "200 KB",
        Box::new(|issuer| {
            let body = format!("{}{}", issuer.key_set(), " ".repeat(200_000));
            issuer.answers(KEYS_PATH, Answer::ok(body));
        }),
    ));
    are_faults_until_they_heal(troubles).await;
}

/// Rules K1 and K2: keys that are elsewhere, or on their way for ever, are no keys.
#[tokio::test]
async fn a_key_server_that_redirects_or_drips_is_a_fault() {
    let elsewhere = Arc::new(KeyServer::start(keys()).await);
    let redirects = |status: &'static str| -> Trouble {
        let elsewhere = Arc::clone(&elsewhere);
        Box::new(move |issuer| {
            elsewhere.answers(KEYS_PATH, Answer::ok(issuer.key_set()));
            elsewhere.answers(DISCOVERY_PATH, Answer::ok(issuer.discovery().to_string()));
            for path in [DISCOVERY_PATH, KEYS_PATH] {
                let location = format!("Location: {}{path}\r\n", elsewhere.url().trim_end_matches('/'));
                issuer.answers(path, Answer::status(status, &location, ""));
            }
        })
    };
    are_faults_until_they_heal(vec![
        ("301", redirects("301 Moved Permanently")),
        ("302", redirects("302 Found")),
        ("303", redirects("303 See Other")),
        ("307", redirects("307 Temporary Redirect")),
        ("308", redirects("308 Permanent Redirect")),
        ("dripping", keys_come(|answer| answer.dripping(Duration::from_millis(20)))),
        ("dripping, from the start", always(Answer::ok("{}").dripping(Duration::from_millis(20)))),
    ])
    .await;
    assert_eq!(elsewhere.diary().connections, 0, "a redirect was followed");
}

/// Rules A8 and K1: discovery is believed for its own issuer, and leads to safe places only.
#[tokio::test]
async fn a_discovery_document_of_another_kind_is_a_fault() {
    let says = |name: &'static str, value: fn(&KeyServer) -> Value| -> Trouble {
        Box::new(move |issuer| {
            let mut document = issuer.discovery();
            document[name] = value(issuer);
            issuer.answers(DISCOVERY_PATH, Answer::ok(document.to_string()));
        })
    };
    are_faults_until_they_heal(vec![
        ("another issuer", says("issuer", |_| json!("https://login.example.com/"))),
        ("no slash", says("issuer", |issuer| json!(issuer.url().trim_end_matches('/')))),
        ("no issuer", says("issuer", |_| Value::Null)),
        ("no keys", says("jwks_uri", |_| Value::Null)),
        ("several places", says("jwks_uri", |issuer| json!([issuer.keys_url()]))),
        ("a path", says("jwks_uri", |_| json!("/keys"))),
        ("a file", says("jwks_uri", |_| json!("file:///etc/passwd"))),
        ("plain http", says("jwks_uri", |_| json!("http://192.0.2.1/keys"))),
        (
            "a list",
            Box::new(|issuer| {
                issuer.answers(DISCOVERY_PATH, Answer::ok(json!([issuer.discovery()]).to_string()));
            }),
        ),
        ("a page", publishes(DISCOVERY_PATH, "<html>")),
        ("none", Box::new(|issuer| issuer.answers(DISCOVERY_PATH, Answer::status("404 Not Found", "", "")))),
        ("no answer", Box::new(|issuer| issuer.answers(DISCOVERY_PATH, Answer::silence()))),
    ])
    .await;
}

/// Rule K9: an issuer that asks for time gets it; the next request after that finds it.
#[tokio::test]
async fn an_issuer_that_asks_for_time_is_left_alone() {
    let issuer = KeyServer::start(keys()).await;
    issuer.always(&Answer::status("429 Too Many Requests", "Retry-After: 2\r\n", ""));
    let key_set = "init_milliseconds = 0\ntimeout_milliseconds = 300\ncooldown_seconds = 2";
    let function = Function::of(issuer, Settings { key_set, ..IMPATIENT }).await;
    let caller = event(KIND, &function.issuer.token());
    function.ask(&caller).await.is_a_fault("key_set_unavailable", "too many requests");
    function.issuer.heals();
    function.recovers(&caller, "asked for time").await;
    let requests = function.issuer.diary().requests;
    // Counted from the answer, not from the question.
    assert!(requests[1].at - requests[0].at > Duration::from_secs(2), "nor is a 429 tried once more");
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule K2: the deadline of the invocation is over all deadlines.
#[tokio::test]
async fn a_hanging_issuer_leaves_time_to_answer() {
    let issuer = KeyServer::start(keys()).await;
    issuer.always(&Answer::silence());
    let key_set = "init_milliseconds = 1\ntimeout_milliseconds = 8000\nlinger_milliseconds = 0";
    let configuration = Settings { key_set, ..IMPATIENT }.toml(issuer.url());
    let function = Function::configured(issuer, &configuration, Duration::from_secs(2)).await;
    function.issuer.until("the start", |diary| diary.requests.len() == 1).await;
    function.takes_events().await;
    for kind in [KIND, EventKind::Http2] {
        let answer = function.ask(&event(kind, &function.issuer.token())).await;
        answer.is_a_fault("key_set_unavailable", "before the function is stopped");
        assert_eq!(function.issuer.diary().open, 1, "the fetch goes on");
    }
    assert_eq!(function.issuer.requests(), 1);
    function.ends_without_a_trace_of_tokens().await;
}

#[tokio::test]
async fn a_key_server_that_refuses_connections_is_a_fault_on_every_kind() {
    let function = Function::start(Settings::default()).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    let gone = DevelopmentIssuer::start(keys()).await.unwrap();
    let configuration = format!("jwks_uri = '{}'", gone.jwks_uri());
    drop(gone);
    let settings = Settings { issuer: &configuration, ..IMPATIENT };
    let stranded = Function::start(settings).await;
    let lost = stranded.issuer.mint(&json!({})).unwrap();
    for kind in KINDS {
        function.ask(&event(kind, &token)).await.is_allowed("reachable");
        stranded.ask(&event(kind, &lost)).await.is_a_fault("key_set_unavailable", "refused");
    }
    // What is refused without any key is refused all the same.
    stranded.ask(&event(KIND, "a.b.c")).await.is_unauthorized("token_malformed", "no key needed");
    stranded.ends_without_a_trace_of_tokens().await;
    function.ends_without_a_trace_of_tokens().await;
}
