//! A token that was verified before: what is asked of it again, and what it is not remembered for.

use std::sync::Mutex;
use std::time::Duration;

use url::Url;

use super::super::verified_tokens::{TokenCacheLimits, VerifiedTokens};
use super::waiting::Silence;
use super::*;
use crate::error::Error;
use crate::io::{Clock, Connector, Document, Edges, Effort, Fetch, FetchFuture, Session};
use crate::jwks::{JwksCache, KeyServer, KeySetSource, Timing};

const LIMITS: TokenCacheLimits = TokenCacheLimits { entries: 64, bytes: 100_000, lifetime: 300.0 };

/// A clock and a key server that are set by hand.
#[derive(Clone)]
struct World(Arc<Mutex<(UnixTime, Value)>>);

impl Clock for World {
    fn now(&self) -> UnixTime {
        self.0.lock().unwrap().0
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

impl Fetch for World {
    fn session(&self, _: &Connector, _: Effort) -> Arc<dyn Session> {
        Arc::new(self.clone())
    }
}

impl Session for World {
    fn get<'a>(&'a self, _: &'a Url) -> FetchFuture<'a> {
        let body = self.0.lock().unwrap().1.to_string().into_bytes();
        Box::pin(std::future::ready(Ok(Document { body, fresh_for: None })))
    }
}

struct Setting {
    world: World,
    verifiers: Verifiers,
}

impl Setting {
    fn new(signer: &Signer, expectations: Expectations, limits: TokenCacheLimits) -> Self {
        let world = World(Arc::new(Mutex::new((NOW, json!({ "keys": [signer.jwk()] })))));
        let edges = Edges {
            clock: Arc::new(world.clone()),
            fetch: Arc::new(world.clone()),
            ..Edges::of_this_machine()
        };
        let server = KeyServer {
            issuer: ISSUER.into(),
            source: KeySetSource::Url(Url::parse("https://keys.example/").unwrap()),
            connector: Connector::default(),
            loopback: false,
        };
        let timing = Timing {
            timeout: Duration::from_secs(3),
            lifetime: 600.0,
            shortest_lifetime: 300.0,
            stale: 3600.0,
            cooldown: 10.0,
            initial_age: 86_400.0,
        };
        let cache = JwksCache::new(server, None, timing, edges, Arc::new(Silence));
        Self { world, verifiers: Verifiers::new(vec![(expectations, cache)], limits) }
    }

    fn has_keys(&self, keys: &Value) {
        self.world.0.lock().unwrap().1 = json!({ "keys": keys });
    }

    /// What comes of the token so many seconds later, and whether it is remembered then.
    async fn verify(&self, token: &str, later: f64) -> (Result<Principal, &'static str>, bool) {
        self.world.0.lock().unwrap().0 = NOW + later;
        let presented = Presented::bearer(token);
        let verified = self.verifiers.verify(presented, NOW + later, Duration::from_secs(3)).await;
        let verified = verified.map_err(|error| match error {
            Error::Rejection(rejection) => rejection.reason.code().name(),
            Error::Fault(fault) => fault.code().name(),
        });
        (verified, self.verifiers.remembers(token, NOW + later))
    }
}

fn lasting(seconds: f64) -> Value {
    with(claims(), json!({"exp": NOW + seconds}))
}

#[tokio::test]
async fn a_token_that_comes_again_is_the_same_principal() {
    let signer = Signer::new();
    let setting = Setting::new(&signer, expectations(), LIMITS);
    for header in [header(), with(header(), json!({"kid": null}))] {
        let token = signer.sign(&header, &claims());
        assert!(!setting.verifiers.remembers(&token, NOW));
        let (first, is_remembered) = setting.verify(&token, 0.0).await;
        assert!(is_remembered);
        assert_eq!(setting.verify(&token, 1.0).await.0, first);
        assert!(first.is_ok());
    }
}

/// Nothing else is found by the digest of a token: a remembered token lends its signature to no other.
#[tokio::test]
async fn another_token_is_verified_by_itself() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let setting = Setting::new(&signer, expectations(), LIMITS);
    let token = signer.sign(&header(), &claims());
    assert!(setting.verify(&token, 0.0).await.1);
    // The last letter holds bits that are no part of the signature.
    for place in 0..token.len() - 1 {
        let mut other = token.clone().into_bytes();
        other[place] = if other[place] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert!(!setting.verifiers.remembers(&other, NOW));
        assert!(setting.verify(&other, 0.0).await.0.is_err(), "{other}");
    }
    let forged = stranger.sign(&header(), &claims());
    assert_eq!(setting.verify(&forged, 0.0).await, (Err("signature_invalid"), false));
    assert!(setting.verify(&token, 0.0).await.0.is_ok());
}

/// Rules C3 to C5, for a remembered token, too.
#[tokio::test]
async fn what_depends_on_the_time_is_checked_each_time() {
    let signer = Signer::new();
    let leeway = expectations().leeway;
    let mut young = expectations();
    young.max_age = Some(100.0);
    for (expectations, claims, later, expected) in [
        (expectations(), lasting(60.0), 59.0, (None, true)),
        // Within the leeway it is good, but no longer remembered.
        (expectations(), lasting(60.0), 61.0, (None, false)),
        (expectations(), lasting(60.0), 61.0 + leeway, (Some("token_expired"), false)),
        (young.clone(), with(lasting(200.0), json!({"iat": NOW})), 90.0, (None, true)),
        (young, with(lasting(200.0), json!({"iat": NOW})), 101.0 + leeway, (Some("token_too_old"), true)),
        // A clock that was set back.
        (
            expectations(),
            with(lasting(60.0), json!({"nbf": NOW})),
            -2.0 - leeway,
            (Some("token_not_yet_valid"), false),
        ),
    ] {
        let setting = Setting::new(&signer, expectations, LIMITS);
        let token = signer.sign(&header(), &claims);
        assert!(setting.verify(&token, 0.0).await.1);
        let (verified, is_remembered) = setting.verify(&token, later).await;
        assert_eq!((verified.err(), is_remembered), expected, "{claims} {later} s later");
    }
}

/// Rule K8: with its key goes the token, whenever it was verified.
#[tokio::test]
async fn a_token_ends_with_its_key() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let other_name = with(stranger.jwk(), json!({"kid": "two"}));
    let limits = TokenCacheLimits { lifetime: 86_400.0, ..LIMITS };
    for (keys, expected) in [
        (json!([signer.jwk(), other_name]), None),
        (json!([other_name]), Some("key_not_found")),
        // Another key by the same name.
        (json!([stranger.jwk()]), Some("signature_invalid")),
        (json!([with(signer.jwk(), json!({"use": "enc"})), other_name]), Some("key_not_found")),
    ] {
        let setting = Setting::new(&signer, expectations(), limits);
        let token = signer.sign(&header(), &lasting(7200.0));
        assert!(setting.verify(&token, 0.0).await.1);
        setting.has_keys(&keys);
        // While the key set is fresh, nobody knows; then a request waits for the next one.
        assert!(setting.verify(&token, 290.0).await.0.is_ok());
        assert_eq!(setting.verify(&token, 601.0).await.0.err(), expected, "{keys}");
    }
}

#[tokio::test]
async fn a_token_is_remembered_no_longer_than_is_set() {
    let signer = Signer::new();
    let setting = Setting::new(&signer, expectations(), LIMITS);
    let token = signer.sign(&header(), &lasting(7200.0));
    assert!(setting.verify(&token, 0.0).await.1);
    for (later, is_remembered) in [(1.0, true), (299.0, true), (300.0, false), (-0.5, true), (-5.0, false)] {
        assert_eq!(setting.verifiers.remembers(&token, NOW + later), is_remembered, "{later} s later");
    }
}

#[tokio::test]
async fn a_refused_token_is_not_remembered() {
    let signer = Signer::new();
    let setting = Setting::new(&signer, expectations(), LIMITS);
    for changes in [
        json!({"exp": 1}),
        json!({"aud": "other"}),
        json!({"sub": null}),
        json!({"iss": "https://other.example/"}),
    ] {
        let token = signer.sign(&header(), &with(claims(), changes));
        let (verified, is_remembered) = setting.verify(&token, 0.0).await;
        assert!(verified.is_err() && !is_remembered, "{token}");
    }
}

#[tokio::test]
async fn it_is_off_where_the_configuration_says_so() {
    let signer = Signer::new();
    for limits in [TokenCacheLimits { entries: 0, ..LIMITS }, TokenCacheLimits { bytes: 0, ..LIMITS }] {
        let setting = Setting::new(&signer, expectations(), limits);
        let (verified, is_remembered) = setting.verify(&signer.sign(&header(), &claims()), 0.0).await;
        assert!(verified.is_ok() && !is_remembered);
    }
}

/// A caller with many tokens takes no more memory than is set.
#[tokio::test]
async fn there_are_no_more_entries_and_bytes_than_are_set() {
    let signer = Signer::new();
    let limits = TokenCacheLimits { entries: 16, bytes: 1_000_000, lifetime: 300.0 };
    let of_few_bytes = TokenCacheLimits { entries: 1600, bytes: 20_000, lifetime: 300.0 };
    for limits in [limits, of_few_bytes] {
        let setting = Setting::new(&signer, expectations(), limits);
        for number in 0..200 {
            let token = signer.sign(&header(), &with(claims(), json!({"jti": number.to_string()})));
            assert!(setting.verify(&token, 0.0).await.0.is_ok());
            let (entries, bytes) = setting.verifiers.remembered();
            assert!((1..=limits.entries).contains(&entries), "{entries} entries");
            assert!(bytes <= limits.bytes, "{bytes} bytes");
        }
    }
    assert!(VerifiedTokens::new(limits).is_some());
}
