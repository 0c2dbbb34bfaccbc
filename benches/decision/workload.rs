//! The cases: each a piece of the work of one decision, and the raw verification of the same token's signature, by the same
//! library, as its floor.

use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_authorizer::config::Config;
use lambda_authorizer::event::Event as AuthorizerEvent;
use lambda_authorizer::io::{
    Clock, Connector, Document, Edges, Effort, Fetch, FetchFuture, Log, Session, SystemChance, UnixTime,
};
use lambda_authorizer::jwks::{Algorithm, JwksCache, KeyServer, KeySet, KeySetEvent, KeySetSource, Observe};
use lambda_authorizer::request::Request;
use lambda_authorizer::verify::{AudienceCheck, Expectations, Presented, Profile, Verifiers, verify};
use lambda_authorizer::{Authorizer, Level};
use serde_json::Value;
use url::Url;

use crate::fixtures::{self, Fixture, ISSUER, NOW};

/// One piece of work.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The case that this one is measured against.
    pub(crate) floor: Option<String>,
    /// The most that it may cost, as a multiple of its floor.
    pub(crate) bound: Option<f64>,
    /// Makes all that the work needs, and gives the work.
    pub(crate) prepare: Box<dyn Fn() -> Work>,
}

impl Case {
    /// Whether it does without what its floor does.
    pub(crate) fn is_cheaper(&self) -> bool {
        self.name.ends_with("seen before") || self.name.starts_with("decode/")
    }

    /// Whether its bound is known not to be kept. docs/performance.md says what stands in the way.
    pub(crate) fn is_beyond(&self) -> bool {
        ["token/RS256, seen before"].contains(&self.name.as_str())
    }
}

/// Done once in each call.
pub(crate) type Work = Box<dyn FnMut()>;

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    let of_tokens = |group: &str, bound: fn(&str) -> Option<f64>, prepare: fn(&Fixture) -> Work| {
        let case = |name: &'static str| Case {
            name: format!("{group}/{name}"),
            floor: (group != RAW).then(|| format!("{RAW}/{name}")),
            bound: bound(name),
            prepare: Box::new(move || prepare(&fixtures::named(name))),
        };
        fixtures::NAMES.iter().map(|name| case(name)).collect::<Vec<_>>()
    };
    let none = |_: &str| None;
    let mut cases = of_tokens(RAW, none, raw);
    cases.extend(of_tokens("token", token_bound, token));
    cases.extend(of_tokens("jsonwebtoken", none, jsonwebtoken));
    // It has no P-521.
    cases.retain(|case| case.name != "jsonwebtoken/ES512");
    cases.extend(handlers());
    cases
}

const RAW: &str = "raw";

fn token_bound(name: &str) -> Option<f64> {
    match name {
        "RS256" => Some(1.12),
        "ES256" => Some(1.05),
        _ => None,
    }
}

fn handlers() -> Vec<Case> {
    let (token, request): (Event, Event) = (fixtures::token_event, fixtures::request_event);
    let (none, rules): (Rules, Rules) = (String::new, fixtures::rules);
    let case = |name: &str, bound, prepare| Case {
        name: name.to_owned(),
        floor: Some("raw/RS256".to_owned()),
        bound,
        prepare,
    };
    let decoding = |event: Event| -> Box<dyn Fn() -> Work> {
        Box::new(move || Box::new(decode(event(&fixtures::named("RS256").token))))
    };
    let handling = |rules: Rules, cache: &'static str, event: Event| -> Box<dyn Fn() -> Work> {
        Box::new(move || {
            let fixture = fixtures::named("RS256");
            handler(&fixture, &rules(), cache, event(&fixture.token))
        })
    };
    vec![
        case(
            "token/RS256, seen before",
            Some(1.0 / 12.0),
            Box::new(|| seen_before(&fixtures::named("RS256"))),
        ),
        case("decode/TOKEN", None, decoding(token)),
        case("decode/REQUEST", None, decoding(request)),
        case("handler/TOKEN", Some(1.25), handling(none, UNCACHED, token)),
        case("handler/REQUEST", Some(1.45), handling(none, UNCACHED, request)),
        case("handler/TOKEN, 200 rules", Some(1.5), handling(rules, UNCACHED, token)),
        case("handler/REQUEST, 200 rules", Some(1.7), handling(rules, UNCACHED, request)),
        case("handler/TOKEN, seen before", None, handling(none, CACHED, token)),
        case("handler/REQUEST, seen before", None, handling(none, CACHED, request)),
    ]
}

type Event = fn(&str) -> String;
type Rules = fn() -> String;

/// Every token is verified, however often it comes.
const UNCACHED: &str = "[token_cache]\nentries = 0";
const CACHED: &str = "";

/// What no verifier can do without: the signature over the two parts, with a key that is ready.
fn raw(fixture: &Fixture) -> Work {
    let key = parsed_key(fixture);
    let (message, signature) = fixture.token.rsplit_once('.').unwrap();
    let (message, signature) = (message.to_owned(), URL_SAFE_NO_PAD.decode(signature).unwrap());
    Box::new(move || key.verify_sig(black_box(message.as_bytes()), black_box(&signature)).unwrap())
}

fn parsed_key(fixture: &Fixture) -> ParsedPublicKey {
    let set: Value = serde_json::from_str(&fixture.key_set).unwrap();
    let member = |name: &str| URL_SAFE_NO_PAD.decode(set["keys"][0][name].as_str().unwrap()).unwrap();
    let rsa = |parameters| {
        RsaPublicKeyComponents { n: member("n"), e: member("e") }.to_parsed_public_key(parameters).unwrap()
    };
    let curve = |parameters: &'static signature::EcdsaVerificationAlgorithm| {
        ParsedPublicKey::new(parameters, [vec![4], member("x"), member("y")].concat()).unwrap()
    };
    match fixture.algorithm {
        Algorithm::RS256 => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => rsa(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => rsa(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => rsa(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 => curve(&signature::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => curve(&signature::ECDSA_P384_SHA384_FIXED),
        Algorithm::ES512 => curve(&signature::ECDSA_P521_SHA512_FIXED),
        Algorithm::EdDSA | Algorithm::Ed25519 => {
            ParsedPublicKey::new(&signature::ED25519, member("x")).unwrap()
        }
    }
}

/// From the bytes of a token to verified claims.
fn token(fixture: &Fixture) -> Work {
    let keys = KeySet::parse(fixture.key_set.as_bytes()).unwrap();
    let audience = AudienceCheck::OneOf(vec!["orders-api".into()]);
    let mut expectations = Expectations::new(Profile::AccessToken, ISSUER, audience);
    expectations.algorithms = vec![fixture.algorithm];
    let token = fixture.token.clone();
    Box::new(move || {
        let principal = verify(black_box(&token), &keys, &expectations, NOW).unwrap();
        black_box(principal);
    })
}

/// From the bytes of a token that was verified before to its claims.
fn seen_before(fixture: &Fixture) -> Work {
    let server = KeyServer {
        issuer: ISSUER.into(),
        source: KeySetSource::Url(KEYS.parse().unwrap()),
        connector: Connector::default(),
        loopback: false,
    };
    let config = config("", CACHED);
    let cache = JwksCache::new(server, None, config.timing, edges(fixture), Arc::new(Silence));
    let audience = AudienceCheck::OneOf(vec!["orders-api".into()]);
    let expectations = Expectations::new(Profile::AccessToken, ISSUER, audience);
    let verifiers = Verifiers::new(vec![(expectations, cache)], config.token_cache);
    runtime().block_on(verifiers.prefetch(Duration::from_secs(1)));
    let token = fixture.token.clone();
    let verify = move || {
        let presented = Presented::bearer(black_box(&token));
        black_box(at_once(verifiers.verify(presented, NOW, Duration::ZERO)).unwrap());
    };
    verify();
    Box::new(verify)
}

struct Silence;

impl Observe for Silence {
    fn key_set(&self, _: &str, _: KeySetEvent<'_>) {}
}

/// The same with `jsonwebtoken`, as its documentation shows it: `exp`, `iss` and `aud` are checked, and the claims are a
/// `Value`.
fn jsonwebtoken(fixture: &Fixture) -> Work {
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&fixture.key_set).unwrap();
    let token = fixture.token.clone();
    let algorithm = jsonwebtoken::decode_header(&token).unwrap().alg;
    let mut validation = jsonwebtoken::Validation::new(algorithm);
    validation.set_audience(&["orders-api"]);
    validation.set_issuer(&[ISSUER]);
    // Its clock is the machine's, ours stands still.
    validation.validate_exp = false;
    let keys: Vec<_> = set
        .keys
        .iter()
        .map(|jwk| (jwk.common.key_id.clone(), jsonwebtoken::DecodingKey::from_jwk(jwk).unwrap()))
        .collect();
    Box::new(move || {
        let token = black_box(&token);
        let header = jsonwebtoken::decode_header(token).unwrap();
        let (_, key) = keys.iter().find(|(id, _)| *id == header.kid).unwrap();
        black_box(jsonwebtoken::decode::<Value>(token, key, &validation).unwrap());
    })
}

fn decode(event: String) -> impl FnMut() {
    move || {
        let event = AuthorizerEvent { payload: black_box(&event), invocation_id: "1", deadline: None };
        black_box(Request::try_from(event).unwrap());
    }
}

/// From the bytes of an event to those of the answer and of the record.
fn handler(fixture: &Fixture, rules: &str, cache: &str, event: String) -> Work {
    let authorizer = authorizer(fixture, rules, cache);
    let answer = move || {
        let event = AuthorizerEvent {
            payload: black_box(&event),
            invocation_id: INVOCATION,
            deadline: Some(NOW + 8.0),
        };
        let answer = at_once(authorizer.authorize(event)).unwrap();
        assert!(answer.as_str().contains("\"Effect\":\"Allow\""), "{}", answer.as_str());
        black_box(answer);
    };
    answer();
    Box::new(answer)
}

const INVOCATION: &str = "67cc80d0-4d5b-4b90-97a1-d8328bf7cb95";

/// With the issuer's keys fetched, as they are when a request comes.
fn authorizer(fixture: &Fixture, rules: &str, cache: &str) -> Authorizer {
    let authorizer = Authorizer::new(config(rules, cache), Level::Info, edges(fixture));
    runtime().block_on(authorizer.prefetch());
    authorizer
}

fn config(rules: &str, cache: &str) -> Config {
    let toml = format!("{cache}\n[[issuer]]\nurl = '{ISSUER}'\naudience = 'orders-api'\n{rules}");
    let mut config = Config::parse(&toml, None).unwrap();
    config.issuers[0].source = KeySetSource::Url(KEYS.parse().unwrap());
    config
}

const KEYS: &str = "https://login.example.com/keys";

fn edges(fixture: &Fixture) -> Edges {
    Edges {
        clock: Arc::new(Still),
        chance: Arc::new(SystemChance),
        fetch: Arc::new(OneDocument(fixture.key_set.clone())),
        log: Arc::new(Swallow),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for something"),
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> UnixTime {
        NOW
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

#[derive(Clone)]
struct OneDocument(String);

impl Fetch for OneDocument {
    fn session(&self, _: &Connector, _: Effort) -> Arc<dyn Session> {
        Arc::new(self.clone())
    }
}

impl Session for OneDocument {
    fn get<'a>(&'a self, _: &'a Url) -> FetchFuture<'a> {
        let document = Document { body: self.0.clone().into_bytes(), fresh_for: None };
        Box::pin(std::future::ready(Ok(document)))
    }
}

/// The line is written, and goes nowhere.
struct Swallow;

impl Log for Swallow {
    fn line(&self, line: &str) {
        black_box(line);
    }
}
