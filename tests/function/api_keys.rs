//! API keys, put to the built binary, with a DynamoDB on loopback that does what a test wants.

use std::time::{Duration, Instant};

use authorizer_cli::gateway::EventKind;
use authorizer_cli::runtime_api::RuntimeApi;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_authorizer::verify::ApiKey;
use serde_json::{Value, json};

use crate::key_server::{Answer, End, KeyServer};
use crate::process::{Function, LOUD, PATIENCE};
use crate::support::{KINDS, event};

const KEYS: [(&str, &str); 3] = [
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "AKIDOFTHEFUNCTION"),
    ("AWS_SECRET_ACCESS_KEY", "the-function-keeps-this-to-itself"),
];

const SECRET: &str = "ThisIsTheSecretOfTheKeyThatNobodyMayWriteAA";

const PEPPER: &str = "nobody-who-has-the-table-alone-has-this";

fn key(id: &str) -> String {
    ApiKey::assemble("orders", &format!("{id:a<16}"), SECRET).unwrap()
}

/// What DynamoDB answers about a key, hashed here as docs/api-keys.md says it is.
fn item(text: &str, changes: Value) -> Value {
    let mac =
        |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec();
    let hash = mac(&mac(PEPPER.as_bytes(), b"salt"), text.as_bytes());
    let id = text.split('_').nth(1).unwrap();
    let mut item = json!({
        "pk": {"S": format!("key#{id}")}, "owner": {"S": "acme"}, "scopes": {"SS": ["orders:read"]},
        "salt": {"S": URL_SAFE_NO_PAD.encode(b"salt")}, "hash": {"S": URL_SAFE_NO_PAD.encode(hash)},
    });
    for (name, value) in changes.as_object().unwrap() {
        item[name] = value.clone();
    }
    json!({ "Item": item })
}

fn answer(text: &str) -> Answer {
    Answer::ok(item(text, json!({})).to_string())
}

fn error(status: &str, name: &str) -> Answer {
    let body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": SECRET});
    Answer::status(status, "Content-Type: application/x-amz-json-1.0\r\n", body.to_string())
}

/// A function whose table is at the server's usual path.
async fn function(environment: &[(&str, &str)]) -> Function<KeyServer> {
    let server = KeyServer::start([]).await;
    let configuration = format!(
        "development = true\n[dynamodb]\ntable = 'authorizer'\nendpoint = '{}'\ntimeout_milliseconds = 400\n\
         [api_keys]\nprefix = 'orders'\npepper = '{PEPPER}'\nnegative_lifetime_seconds = 0\n",
        server.keys_url()
    );
    let own = [("AUTHORIZER_CONFIG", configuration.as_str())];
    let environment = own.into_iter().chain(environment.iter().copied()).chain(LOUD);
    Function::spawn(server, environment, RuntimeApi::TIME_LIMIT).await
}

/// Rule Z8: of a key its ID may be written, of all else nothing.
async fn ends_without_a_trace_of_secrets(function: Function<KeyServer>) {
    let ended = function.process.stop().await;
    assert_eq!((ended.status.unwrap().code(), ended.stderr.as_str()), (None, ""), "it had ended by itself");
    for secret in
        [SECRET, PEPPER, KEYS[2].1, "AWS4-HMAC", "the-token-of-the-session", "the-token-of-the-function"]
    {
        assert!(!ended.stdout.contains(secret), "{secret}");
    }
}

fn by(text: &str) -> Value {
    event(EventKind::RestRequest, text)
}

#[tokio::test]
async fn a_key_is_taken_by_every_kind_of_api() {
    let function = function(&KEYS).await;
    let text = key("one");
    function.issuer.always(&answer(&text));
    for kind in KINDS {
        let answer = function.ask(&event(kind, &text)).await;
        answer.is_allowed("a key");
        assert_eq!(
            (&answer.record["principal"], &answer.record["key_id"]),
            (&json!("acme"), &json!("oneaaaaaaaaaaaaa"))
        );
    }
    let asked = function.issuer.diary().requests;
    assert_eq!(asked.len(), 1, "what is known is not looked up");
    let head = asked[0].head.to_ascii_lowercase();
    for field in [
        "x-amz-target: dynamodb_20120810.getitem\r\n",
        "content-type: application/x-amz-json-1.0\r\n",
        "authorization: aws4-hmac-sha256 credential=akidofthefunction/",
        "/eu-central-1/dynamodb/aws4_request, signedheaders=",
    ] {
        assert!(head.contains(field), "{head}");
    }
    // RFC 9449, section 7.1: whoever says DPoP is not to get by with what needs no proof.
    let dpop = by(&text).to_string().replace("Bearer ", "DPoP ");
    function.ask(&serde_json::from_str(&dpop).unwrap()).await.is_refused("token_unbound", "as DPoP");
    ends_without_a_trace_of_secrets(function).await;
}

/// The neighbour of each is the key that is allowed.
#[tokio::test]
async fn keys_that_do_not_hold_are_refused() {
    let function = function(&KEYS).await;
    let text = key("one");
    let server = &function.issuer;
    for (answer, reason) in [
        (Answer::ok("{}"), "api_key_unknown"),
        (Answer::ok(item(&key("two"), json!({})).to_string()), "api_key_unknown"),
        (Answer::ok(item(&text, json!({"disabled": {"BOOL": true}})).to_string()), "api_key_disabled"),
        (Answer::ok(item(&text, json!({"expires_at": {"N": "1700000000"}})).to_string()), "api_key_expired"),
    ] {
        server.always(&answer);
        let refused = function.ask(&by(&text)).await;
        refused.is_refused(reason, reason);
        assert_eq!(refused.record["issuer"], "api-keys");
    }
    let asked = server.requests();
    for (wrong, reason) in [
        (text[..70].to_owned(), "api_key_malformed"),
        (format!("{text}x"), "api_key_malformed"),
        (text.replace("This", "That"), "api_key_malformed"),
        (text.to_uppercase(), "issuer_or_form"),
        (text.replace("orders_", "invoices_"), "issuer_or_form"),
        (format!("{text},{text}"), "credential_ambiguous"),
        (format!("{text} {text}"), "credential_malformed"),
    ] {
        let reason = if reason == "issuer_or_form" { "token_malformed" } else { reason };
        function.ask(&by(&wrong)).await.is_refused(reason, &wrong);
    }
    assert_eq!(server.requests(), asked, "nothing of this was looked up");
    server.always(&answer(&text));
    function.ask(&by(&text)).await.is_allowed("whole, known, on, and in time");
    ends_without_a_trace_of_secrets(function).await;
}

#[tokio::test]
async fn a_table_that_is_throttled_for_a_moment_is_asked_again() {
    for trouble in [
        error("400 Bad Request", "ThrottlingException"),
        error("400 Bad Request", "ProvisionedThroughputExceededException"),
        error("500 Internal Server Error", "InternalServerError"),
        Answer::status("503 Service Unavailable", "", "<html>"),
        Answer::raw(""),
        Answer::raw("").and(End::Reset),
    ] {
        let function = function(&KEYS).await;
        function.issuer.alternates(vec![trouble.clone(), trouble, answer(&key("one"))]);
        function.ask(&by(&key("one"))).await.is_allowed("the third time");
        assert_eq!(function.issuer.requests(), 3);
        ends_without_a_trace_of_secrets(function).await;
    }
}

/// Rules Z6 and K4: an outage is no refusal, what is known serves meanwhile, and it is over when it is.
#[tokio::test]
async fn a_table_in_trouble_is_a_fault_until_it_heals() {
    let known = key("known");
    let troubles = [
        ("500", error("500 Internal Server Error", "InternalServerError"), "status 500: InternalServerError"),
        ("throttled", error("400 Bad Request", "ThrottlingException"), "throttled"),
        ("denied", error("400 Bad Request", "AccessDeniedException"), "access is denied"),
        ("no table", error("400 Bad Request", "ResourceNotFoundException"), "there is no such table"),
        ("credentials", error("400 Bad Request", "UnrecognizedClientException"), "credentials are refused"),
        ("silent", Answer::silence(), "was not complete after"),
        ("dripping", answer(&known).dripping(Duration::from_millis(50)), "was not complete after"),
        ("half an answer", answer(&known).cut_to(150), "request failed"),
        ("no JSON", Answer::ok("<html>"), "none of DynamoDB's"),
        ("a list", Answer::ok("[]"), "none of DynamoDB's"),
        ("no item", Answer::ok(r#"{"Item": []}"#), "none of DynamoDB's"),
        ("no types", Answer::ok(r#"{"Item": {"pk": "key#known"}}"#), "none of DynamoDB's"),
        ("another status", Answer::status("204 No Content", "", ""), "status 204"),
        ("elsewhere", Answer::status("302 Found", "Location: /\r\n", ""), "status 302"),
        ("compressed", Answer::status("200 OK", "Content-Encoding: gzip\r\n", "{}"), "compressed"),
        ("large", Answer::ok(" ".repeat(200_000)), "more than 150000 bytes"),
    ];
    let functions = troubles.map(|(what, trouble, detail)| tokio::spawn(does_harm(what, trouble, detail)));
    for function in functions {
        function.await.unwrap();
    }
}

async fn does_harm(what: &str, trouble: Answer, detail: &str) {
    let known = key("known");
    let function = function(&KEYS).await;
    let server = &function.issuer;
    server.always(&answer(&known));
    function.ask(&by(&known)).await.is_allowed(what);
    server.always(&trouble);
    let fault = function.ask(&by(&key("other"))).await;
    fault.is_a_fault("table_unavailable", what);
    let told = fault.record["detail"].as_str().unwrap();
    assert!(told.contains(detail), "{what}: {told}");
    // Four hundred milliseconds are allowed; a busy machine takes longer for everything.
    assert!(fault.record["duration_us"].as_u64().unwrap() < 5_000_000, "{what}: {}", fault.record);
    function.ask(&by(&known)).await.is_allowed(what);
    server.always(&answer(&key("other")));
    let began = Instant::now();
    while function.ask(&by(&key("other"))).await.status() != 200 {
        assert!(began.elapsed() < PATIENCE, "{what}: no recovery");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ends_without_a_trace_of_secrets(function).await;
}

#[tokio::test]
async fn a_table_that_cannot_be_reached_is_a_fault() {
    let function = function(&KEYS).await;
    function.issuer.turns_away();
    function.ask(&by(&key("one"))).await.is_a_fault("table_unavailable", "turned away");
    ends_without_a_trace_of_secrets(function).await;
    let without = self::function(&[("AWS_REGION", "eu-central-1")]).await;
    let fault = without.ask(&by(&key("one"))).await;
    fault.is_a_fault("table_unavailable", "no credentials");
    assert!(fault.record["detail"].as_str().unwrap().contains("`AWS_ACCESS_KEY_ID`"), "{}", fault.record);
    assert_eq!(without.issuer.requests(), 0);
    ends_without_a_trace_of_secrets(without).await;
}

/// As Lambda has it with SnapStart, and on Managed Instances.
#[tokio::test]
async fn credentials_may_come_from_an_endpoint() {
    let credentials = KeyServer::start([]).await;
    let answer_of = |expiration: &str| {
        let body = json!({
            "AccessKeyId": "AKIDOFTHEENDPOINT", "SecretAccessKey": KEYS[2].1, "Token": "the-token-of-the-session",
            "Expiration": expiration,
        });
        Answer::ok(body.to_string())
    };
    credentials.always(&answer_of("2100-01-01T00:00:00Z"));
    let url = credentials.keys_url();
    let environment = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "the-token-of-the-function"),
    ];
    let function = function(&environment).await;
    for id in ["one", "two"] {
        function.issuer.always(&answer(&key(id)));
        function.ask(&by(&key(id))).await.is_allowed("signed with them");
    }
    let asked = credentials.diary().requests;
    assert_eq!(asked.len(), 1, "they are kept");
    assert!(asked[0].head.to_ascii_lowercase().contains("authorization: the-token-of-the-function\r\n"));
    let head = function.issuer.diary().requests[0].head.clone();
    assert!(head.contains("Credential=AKIDOFTHEENDPOINT/"), "{head}");
    assert!(head.to_ascii_lowercase().contains("x-amz-security-token: the-token-of-the-session\r\n"));
    // AWS says that they have ended: new ones are asked for, and the request is tried again.
    function
        .issuer
        .alternates(vec![error("400 Bad Request", "ExpiredTokenException"), answer(&key("three"))]);
    function.ask(&by(&key("three"))).await.is_allowed("with new ones");
    assert_eq!(credentials.requests(), 2);
    ends_without_a_trace_of_secrets(function).await;
}
