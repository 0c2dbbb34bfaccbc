//! An API that takes the assertions of one identity provider, whose private key exists nowhere any more: it has signed one.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use lambda_authorizer::io::{Connector, Edges};
use lambda_authorizer::jwks::{JwksCache, KeyServer, KeySetEvent, KeySetSource, Observe, Timing};
use lambda_authorizer::verify::{
    AudienceCheck, Expectations, Presented, SamlSettings, TokenCacheLimits, Verifiers, read_metadata,
};
use serde_json::Value;

use crate::{NOW, at_once, encode};

/// The entity ID of the provider.
pub const ENTITY: &str = "https://idp.fuzz.invalid/";

/// What it says of itself.
pub const METADATA: &str = include_str!("../seeds/saml/metadata.xml");

/// The one assertion that it has signed.
pub const ASSERTION: &str = include_str!("../seeds/saml/assertion.xml");

struct Silence;

impl Observe for Silence {
    fn key_set(&self, _: &str, _: KeySetEvent<'_>) {}
}

static VERIFIERS: LazyLock<Verifiers> = LazyLock::new(|| {
    let settings = SamlSettings {
        expectations: Expectations::of_assertions(ENTITY, AudienceCheck::OneOf(vec!["orders-api".into()])),
        recipients: vec!["https://api.fuzz.invalid/saml".into()],
        attributes: vec![("groups".into(), "groups".into()), ("mail".into(), "mail".into())],
        is_used_once: false,
        valid_until: None,
    };
    let keys = read_metadata(METADATA.as_bytes(), ENTITY, NOW).expect("metadata of the provider").keys;
    let server = KeyServer {
        issuer: ENTITY.into(),
        source: KeySetSource::Fixed(keys),
        connector: Connector::default(),
        loopback: false,
    };
    let timing = Timing {
        timeout: Duration::from_secs(1),
        lifetime: 600.0,
        shortest_lifetime: 60.0,
        stale: 0.0,
        cooldown: 10.0,
        initial_age: 0.0,
    };
    let cache = JwksCache::new(server, None, timing, Edges::of_this_machine(), Arc::new(Silence));
    let limits = TokenCacheLimits { entries: 0, bytes: 0, lifetime: 0.0 };
    Verifiers::new(Vec::new(), limits).taking_assertions(settings, cache)
});

/// The claims of the document, where it is taken.
pub fn verify(document: &[u8]) -> Option<Value> {
    let text = encode(document);
    let verified = at_once(VERIFIERS.verify(Presented::bearer(&text), NOW, Duration::from_secs(1)));
    verified.ok().map(|principal| principal.claims().to_json())
}

/// Those of the assertion that was signed.
pub static CLAIMS: LazyLock<Value> =
    LazyLock::new(|| verify(ASSERTION.trim_end().as_bytes()).expect("the assertion of the provider"));
