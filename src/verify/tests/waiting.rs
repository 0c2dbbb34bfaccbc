//! A token that waits for keys, and for newer ones.

use std::time::Duration;

use url::Url;

use super::*;
use crate::io::{Connector, Document, Edges, Effort, Fetch, FetchFuture, Session};
use crate::jwks::{JwksCache, KeyServer, KeySetEvent, KeySetSource, Observe, Timing};

/// Answers with this key set after this time.
#[derive(Clone)]
struct Slow(Arc<str>, Duration);

impl Fetch for Slow {
    fn session(&self, _: &Connector, _: Effort) -> Arc<dyn Session> {
        Arc::new(self.clone())
    }
}

impl Session for Slow {
    fn get<'a>(&'a self, _: &'a Url) -> FetchFuture<'a> {
        Box::pin(async {
            tokio::time::sleep(self.1).await;
            Ok(Document { body: self.0.as_bytes().to_vec(), fresh_for: None })
        })
    }
}

pub(super) struct Silence;

impl Observe for Silence {
    fn key_set(&self, _: &str, _: KeySetEvent<'_>) {}
}

fn verifiers(signer: &Signer, delay: Duration) -> Verifiers {
    let limits = TokenCacheLimits { entries: 0, bytes: 0, lifetime: 0.0 };
    verifiers_of(signer, delay, expectations(), limits)
}

pub(super) fn verifiers_of(
    signer: &Signer,
    delay: Duration,
    expectations: Expectations,
    limits: TokenCacheLimits,
) -> Verifiers {
    Verifiers::new(vec![(expectations, cache_of(signer, delay))], limits)
}

/// The keys of this issuer, which come after this time.
pub(super) fn cache_of(signer: &Signer, delay: Duration) -> JwksCache {
    let keys = json!({ "keys": [signer.jwk()] }).to_string();
    let edges = Edges { fetch: Arc::new(Slow(keys.into(), delay)), ..Edges::of_this_machine() };
    let server = KeyServer {
        issuer: ISSUER.into(),
        source: KeySetSource::Url(Url::parse("https://keys.example/").unwrap()),
        connector: Connector::default(),
        loopback: false,
    };
    // No cool-down: the second search is allowed at once.
    let timing = Timing {
        timeout: Duration::from_secs(3),
        lifetime: 600.0,
        shortest_lifetime: 300.0,
        stale: 3600.0,
        cooldown: 0.0,
        initial_age: 86_400.0,
    };
    JwksCache::new(server, None, timing, edges, Arc::new(Silence))
}

/// Rule K2: the search for newer keys has what the wait for the first ones left. A function that is out of time
/// is killed, and its keys with it.
#[tokio::test(start_paused = true)]
async fn a_token_without_a_key_id_waits_no_longer_than_any() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let patience = Duration::from_secs(3);
    for (signs, delay, waited) in [(&signer, 2000, 2000), (&stranger, 1000, 2000), (&stranger, 2000, 3000)] {
        let verifiers = verifiers(&signer, Duration::from_millis(delay));
        let token = signs.sign(&with(header(), json!({"kid": null})), &claims());
        let began = tokio::time::Instant::now();
        let verified = verifiers.verify(Presented::bearer(&token), NOW, patience).await;
        assert_eq!(verified.is_ok(), std::ptr::eq(signs, &signer));
        assert_eq!(began.elapsed().as_millis(), waited, "an answer after {delay} ms");
    }
}

/// Rule K6: where newer keys would not change the answer, none are asked for.
#[tokio::test(start_paused = true)]
async fn a_token_that_newer_keys_would_not_mend_waits_for_none() {
    let (signer, stranger, delay) = (Signer::new(), Signer::new(), Duration::from_millis(1000));
    let nameless = with(header(), json!({"kid": null}));
    for (token, fetches) in [
        (stranger.sign(&nameless, &claims()), 2),
        (stranger.sign(&header(), &claims()), 1),
        (signer.sign(&nameless, &with(claims(), json!({"exp": 1}))), 1),
    ] {
        let verifiers = verifiers(&signer, delay);
        let began = tokio::time::Instant::now();
        assert!(verifiers.verify(Presented::bearer(&token), NOW, delay * 5).await.is_err());
        assert_eq!(began.elapsed(), delay * fetches, "{token}");
    }
}

/// Rules K2 and K9: what no request needs yet is waited for within the time that there is for it, and behind answers
/// only once.
#[tokio::test(start_paused = true)]
async fn a_fetch_that_no_request_needs_is_waited_for_within_its_time() {
    for (delay, lingers) in [(500, [0, 0]), (2000, [1000, 0]), (4000, [1500, 0])] {
        let verifiers = verifiers(&Signer::new(), Duration::from_millis(delay));
        let began = tokio::time::Instant::now();
        verifiers.prefetch(Duration::from_millis(1000)).await;
        assert_eq!(began.elapsed(), Duration::from_millis(delay.min(1000)), "at the start, of {delay} ms");
        // An answer behind which there is no time left takes nothing from the next.
        verifiers.linger(Duration::ZERO).await;
        for linger in lingers {
            let began = tokio::time::Instant::now();
            verifiers.linger(Duration::from_millis(1500)).await;
            assert_eq!(began.elapsed(), Duration::from_millis(linger), "behind an answer, of {delay} ms");
        }
    }
}
