//! API keys, and the table in which they are looked up.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::credential::CredentialKind;
use crate::error::Error;
use crate::io::{
    Answer, AwsEnvironment, Connector, DynamoDbSettings, Edges, ExchangeFuture, FetchError, Line, Message,
    RawAnswer,
};
use crate::verify::api_keys::ApiKeySettings;
use crate::verify::basic::{BasicSettings, ITERATIONS};
use crate::verify::database::DatabaseSettings;

pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// A table, in DynamoDB's JSON, by the keys of its items.
#[derive(Default)]
struct Server {
    items: Mutex<BTreeMap<String, Value>>,
    failure: Mutex<Option<Result<RawAnswer, FetchError>>>,
    delay: Mutex<Duration>,
    asked: Mutex<Vec<String>>,
    questions: AtomicUsize,
}

impl Answer for Server {
    fn answer(&self, message: Message) -> ExchangeFuture<'_> {
        Box::pin(async move {
            let input: Value = serde_json::from_str(&message.body.unwrap()).unwrap();
            let key_of = |key: &Value| key["pk"]["S"].as_str().unwrap().to_owned();
            let keys: Vec<String> = match input["RequestItems"]["keys"]["Keys"].as_array() {
                Some(keys) => keys.iter().map(key_of).collect(),
                None => {
                    assert_eq!(input["TableName"], "keys");
                    vec![key_of(&input["Key"])]
                }
            };
            self.asked.lock().unwrap().extend(keys.clone());
            self.questions.fetch_add(1, Ordering::Relaxed);
            let delay = *self.delay.lock().unwrap();
            tokio::time::sleep(delay).await;
            if let Some(failure) = self.failure.lock().unwrap().clone() {
                return failure;
            }
            let items = self.items.lock().unwrap();
            let found = |key: &String| {
                let item = items.get(key)?;
                Some(with(item.clone(), json!({ "pk": { "S": key } })))
            };
            let found: Vec<Value> = keys.iter().filter_map(found).collect();
            let body = match (input.get("RequestItems"), found.as_slice()) {
                (Some(_), _) => json!({ "Responses": { "keys": found }, "UnprocessedKeys": {} }),
                (None, [item]) => json!({ "Item": item }),
                (None, _) => json!({}),
            };
            Ok(RawAnswer { status: 200, body: body.to_string().into_bytes() })
        })
    }
}

pub(super) struct Setting {
    server: Arc<Server>,
    /// How often a credential was let in without a look at what is revoked.
    pub(super) unchecked: Arc<AtomicUsize>,
    pub(super) verifiers: Verifiers,
}

struct Observer(Arc<AtomicUsize>);

impl ObserveRevocation for Observer {
    fn unchecked(&self, _: &str) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

const PEPPER: &[u8] = b"correct horse battery staple of thirty";

impl Setting {
    pub(super) fn new() -> Self {
        Self::with(|_| {}, None)
    }

    pub(super) fn with(change: impl Fn(&mut ApiKeySettings), issuer: Option<&Signer>) -> Self {
        Self::made(change, None, issuer)
    }

    pub(super) fn revoking(allows_on_outage: bool, issuer: Option<&Signer>) -> Self {
        Self::made(|_| {}, Some(RevocationSettings { lifetime: 60.0, entries: 64, allows_on_outage }), issuer)
    }

    fn made(
        change: impl Fn(&mut ApiKeySettings),
        revocation: Option<RevocationSettings>,
        issuer: Option<&Signer>,
    ) -> Self {
        let server = Arc::new(Server::default());
        let unchecked = Arc::new(AtomicUsize::new(0));
        let observer = Arc::new(Observer(Arc::clone(&unchecked)));
        let edges = Edges { fetch: Arc::new(Line(Arc::clone(&server))), ..Edges::of_this_machine() };
        let mut api_keys = ApiKeySettings {
            issuer: "api-keys".into(),
            prefix: "orders".into(),
            pepper: None,
            lifetime: 60.0,
            negative_lifetime: 10.0,
            entries: 4,
        };
        change(&mut api_keys);
        let settings = DatabaseSettings {
            table: "keys".into(),
            is_consistent: false,
            dynamodb: DynamoDbSettings {
                region: Some("eu-central-1".into()),
                endpoint: None,
                connector: Connector::default(),
                timeout: Duration::from_secs(2),
            },
            api_keys: Some(api_keys),
            basic: Some(BasicSettings {
                issuer: "basic".into(),
                iterations: *ITERATIONS.start(),
                lifetime: 60.0,
                negative_lifetime: 10.0,
                failures: 3,
                pause: 30.0,
                entries: 8,
            }),
            revocation,
            has_proofs: false,
        };
        let environment = AwsEnvironment::of(|name| {
            matches!(name, "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY").then(|| "A".to_owned())
        });
        let limits = TokenCacheLimits { entries: 8, bytes: 100_000, lifetime: 300.0 };
        let verifiers = match issuer {
            None => Verifiers::new(Vec::new(), limits),
            Some(issuer) => waiting::verifiers_of(issuer, Duration::ZERO, expectations(), limits),
        };
        Self { server, unchecked, verifiers: verifiers.looking_up(settings, &environment, edges, observer) }
    }

    pub(super) fn stores(&self, text: &str, pepper: Option<&[u8]>, changes: Value) {
        let key = ApiKey::parse(text, "orders").unwrap();
        let item = with(
            json!({
                "pk": {"S": format!("key#{}", key.id())},
                "salt": {"S": URL_SAFE_NO_PAD.encode(b"salt")},
                "hash": {"S": URL_SAFE_NO_PAD.encode(key.hash(b"salt", pepper))},
                "owner": {"S": "acme"},
                "scopes": {"SS": ["orders:read", "orders:write"]},
            }),
            changes,
        );
        self.server.items.lock().unwrap().insert(format!("key#{}", key.id()), item);
    }

    pub(super) fn has(&self, key: &str, item: Value) {
        self.server.items.lock().unwrap().insert(key.to_owned(), item);
    }

    pub(super) fn fails(&self, failure: Option<Result<RawAnswer, FetchError>>) {
        *self.server.failure.lock().unwrap() = failure;
    }

    /// In how many messages.
    pub(super) fn questions(&self) -> usize {
        self.server.questions.load(Ordering::Relaxed)
    }

    pub(super) fn asked(&self) -> usize {
        self.server.asked.lock().unwrap().len()
    }

    pub(super) async fn verify(&self, token: &str, later: f64) -> Result<Principal, &'static str> {
        let presented = Presented::bearer(token);
        let verified = self.verifiers.verify(presented, NOW + later, PATIENCE).await;
        let explained = self.verifiers.explain(presented, NOW + later);
        match verified {
            Ok(principal) => {
                assert_eq!(explained.refusal(), None, "{explained:#?}");
                Ok(principal)
            }
            Err(Error::Rejection(rejection)) => {
                assert!(!rejection.reason.to_string().contains(token), "{rejection}");
                let is_known = explained.checks.iter().all(|checked| checked.verdict != Verdict::Open);
                assert!(!is_known || explained.refusal() == Some(&rejection.reason), "{explained:#?}");
                Err(rejection.reason.code().name())
            }
            Err(Error::Fault(fault)) => Err(fault.code().name()),
        }
    }
}

/// A key whose ID and whose secret are made of these letters.
pub(super) fn key(id: char, secret: char) -> String {
    ApiKey::assemble("orders", &id.to_string().repeat(16), &secret.to_string().repeat(43)).unwrap()
}

pub(super) fn error(status: u16, name: &str) -> Option<Result<RawAnswer, FetchError>> {
    let body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}")}).to_string();
    Some(Ok(RawAnswer { status, body: body.into_bytes() }))
}

#[tokio::test(start_paused = true)]
async fn a_key_stands_for_its_owner_and_what_its_item_says() {
    let setting = Setting::new();
    setting.stores(&key('a', 's'), None, json!({}));
    let principal = setting.verify(&key('a', 's'), 0.0).await.unwrap();
    assert_eq!((&**principal.issuer(), principal.key_id()), ("api-keys", Some("aaaaaaaaaaaaaaaa")));
    assert_eq!(principal.credential_kind(), &CredentialKind::ApiKey);
    let claims = json!({"sub": "acme", "client_id": "aaaaaaaaaaaaaaaa", "scope": "orders:read orders:write"});
    assert_eq!(principal.claims().to_json(), claims);
    let more = json!({
        "expires_at": {"N": (NOW + 90.0).to_string()}, "created_at": {"N": NOW.to_string()},
        "usage_plan_key": {"S": "plan-key"}, "disabled": {"BOOL": false}, "scopes": {"NULL": true},
        "attributes": {"M": {"tenant": {"S": "t1"}, "roles": {"L": [{"S": "admin"}]}}},
    });
    setting.stores(&key('b', 's'), None, more);
    let principal = setting.verify(&key('b', 's'), 0.0).await.unwrap();
    let found = principal.claims().to_json();
    let claims = json!({
        "sub": "acme", "client_id": "bbbbbbbbbbbbbbbb", "usage_plan_key": "plan-key", "tenant": "t1", "roles": ["admin"],
        "exp": found["exp"], "iat": found["iat"],
    });
    assert_eq!(found, claims);
    assert_eq!((found["exp"].as_f64(), found["iat"].as_f64()), (Some(NOW + 90.0), Some(NOW)));
    assert_eq!(*setting.server.asked.lock().unwrap(), ["key#aaaaaaaaaaaaaaaa", "key#bbbbbbbbbbbbbbbb"]);
}

/// A wrong secret and an ID that nobody has are the same to the caller, and cost the same; who has no secret learns nothing of a key.
#[tokio::test(start_paused = true)]
async fn a_key_with_another_secret_is_as_unknown_as_one_that_does_not_exist() {
    let setting = Setting::new();
    setting.stores(&key('a', 's'), None, json!({"disabled": {"BOOL": true}, "expires_at": {"N": "1"}}));
    for guess in [key('a', 't'), key('b', 's')] {
        assert_eq!(setting.verify(&guess, 0.0).await, Err("api_key_unknown"), "{guess}");
    }
    assert_eq!(setting.asked(), 2);
    let refused = async |token: &str| {
        let refused = setting.verifiers.verify(Presented::bearer(token), NOW, PATIENCE).await;
        let Err(Error::Rejection(rejection)) = refused else { panic!("refused") };
        (rejection.reason.to_string(), rejection.key_id)
    };
    let (detail, id) = refused(&key('a', 't')).await;
    assert_eq!(
        (detail.as_str(), id.as_deref()),
        ("there is an API key of this ID, with another secret", Some("aaaaaaaaaaaaaaaa"))
    );
    let (detail, id) = refused(&key('b', 's')).await;
    assert_eq!((detail.as_str(), id), ("there is no API key of this ID", None));
    setting.stores(&key('c', 's'), None, json!({}));
    assert!(setting.verify(&key('c', 's'), 0.0).await.is_ok());
}

/// However much of a secret somebody has, all but the last letter of it tells no more than nothing of it. Its checksum is right each time.
#[tokio::test(start_paused = true)]
async fn a_secret_cannot_be_guessed_letter_by_letter() {
    let setting = Setting::new();
    setting.stores(&key('a', 's'), None, json!({}));
    let guess = |right: usize, from: usize| {
        let secret: String =
            (0..43).map(|place| if (from..from + right).contains(&place) { 's' } else { 't' }).collect();
        ApiKey::assemble("orders", &"a".repeat(16), &secret).unwrap()
    };
    let refused = async |text: &str| {
        let refused = setting.verifiers.verify(Presented::bearer(text), NOW, PATIENCE).await;
        let Err(Error::Rejection(rejection)) = refused else { panic!("refused") };
        rejection
    };
    let nothing = refused(&guess(0, 0)).await;
    assert_eq!(nothing.reason.code().name(), "api_key_unknown");
    for (right, from) in [(1, 0), (21, 0), (42, 0), (42, 1), (1, 42)] {
        assert_eq!(refused(&guess(right, from)).await, nothing, "{right} from {from}");
    }
    assert!(setting.verify(&guess(43, 0), 0.0).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_disabled_key_and_one_that_has_expired_are_refused() {
    let setting = Setting::new();
    for (id, changes, expected) in [
        ('a', json!({"disabled": {"BOOL": true}}), Err("api_key_disabled")),
        ('b', json!({"disabled": {"BOOL": false}}), Ok(())),
        ('c', json!({"expires_at": {"N": NOW.to_string()}}), Err("api_key_expired")),
        ('d', json!({"expires_at": {"N": (NOW + 0.5).to_string()}}), Ok(())),
        ('e', json!({"disabled": {"BOOL": true}, "expires_at": {"N": "1"}}), Err("api_key_disabled")),
    ] {
        setting.stores(&key(id, 's'), None, changes);
        assert_eq!(setting.verify(&key(id, 's'), 0.0).await.map(drop), expected, "{id}");
        assert_eq!(setting.verify(&key(id, 's'), 0.0).await.map(drop), expected, "{id}");
    }
    assert_eq!(setting.asked(), 5, "of those that are refused it is known, too");
}

/// What was to be disabled, or to end, is not let in because of a typing error.
#[tokio::test(start_paused = true)]
async fn an_item_that_is_not_as_it_should_be_is_a_fault() {
    for changes in [
        json!({"disabled": {"S": "true"}}),
        json!({"disabled": {"N": "1"}}),
        json!({"expires_at": {"S": "2027-01-01"}}),
        json!({"expires_at": {"N": "1800000000000"}}),
        json!({"expires_at": {"N": "-1"}}),
        json!({"created_at": {"S": "today"}}),
        json!({"hash": {"S": ""}}),
        json!({"hash": {"S": "AAAA"}}),
        json!({"hash": {"B": "AAAA="}}),
        json!({"hash": null}),
        json!({"salt": null}),
        json!({"owner": null}),
        json!({"owner": {"S": ""}}),
        json!({"owner": {"L": []}}),
        json!({"scopes": {"S": "orders:read"}}),
        json!({"scopes": {"SS": ["orders:read orders:write"]}}),
        json!({"scopes": {"SS": [""]}}),
        json!({"usage_plan_key": {"N": "5"}}),
        json!({"attributes": {"S": "tenant"}}),
        json!({"attributes": {"M": {"sub": {"S": "root"}}}}),
        json!({"attributes": {"M": {"scope": {"S": "admin"}}}}),
        json!({"attributes": {"M": {"exp": {"N": "1"}}}}),
    ] {
        let setting = Setting::new();
        setting.stores(&key('a', 's'), None, changes.clone());
        setting.stores(&key('b', 's'), None, json!({}));
        assert_eq!(setting.verify(&key('a', 's'), 0.0).await, Err("table_unavailable"), "{changes}");
        assert!(setting.verify(&key('b', 's'), 0.0).await.is_ok(), "nobody else is held up by it");
        setting.stores(&key('a', 's'), None, json!({}));
        assert!(setting.verify(&key('a', 's'), 1.0).await.is_ok(), "{changes}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_pepper_the_table_alone_makes_no_keys() {
    let setting = Setting::with(|settings| settings.pepper = Some(PEPPER.to_vec()), None);
    setting.stores(&key('a', 's'), None, json!({}));
    setting.stores(&key('b', 's'), Some(b"another pepper that is long enough"), json!({}));
    setting.stores(&key('c', 's'), Some(PEPPER), json!({}));
    assert_eq!(setting.verify(&key('a', 's'), 0.0).await, Err("api_key_unknown"));
    assert_eq!(setting.verify(&key('b', 's'), 0.0).await, Err("api_key_unknown"));
    assert!(setting.verify(&key('c', 's'), 0.0).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_key_is_used_for_its_time_and_never_beyond_its_expiry() {
    let setting = Setting::new();
    setting.stores(&key('a', 's'), None, json!({}));
    for (later, asked) in [(0.0, 1), (59.9, 1), (60.0, 2), (119.9, 2), (120.0, 3)] {
        assert!(setting.verify(&key('a', 's'), later).await.is_ok());
        assert_eq!(setting.asked(), asked, "{later}");
    }
    // Disabled: until then it is known, and no longer.
    setting.stores(&key('a', 's'), None, json!({"disabled": {"BOOL": true}}));
    assert!(setting.verify(&key('a', 's'), 179.9).await.is_ok());
    assert_eq!(setting.verify(&key('a', 's'), 180.0).await, Err("api_key_disabled"));
    setting.stores(&key('a', 's'), None, json!({}));
    assert_eq!(setting.verify(&key('a', 's'), 189.9).await, Err("api_key_disabled"));
    assert!(setting.verify(&key('a', 's'), 190.0).await.is_ok());
    // A clock that was set back does not prolong it.
    let setting = Setting::new();
    setting.stores(&key('b', 's'), None, json!({"expires_at": {"N": (NOW + 5.0).to_string()}}));
    for (later, expected) in
        [(0.0, Ok(())), (4.9, Ok(())), (5.0, Err("api_key_expired")), (6.0, Err("api_key_expired"))]
    {
        assert_eq!(setting.verify(&key('b', 's'), later).await.map(drop), expected, "{later}");
    }
    let setting =
        Setting::with(|settings| (settings.lifetime, settings.negative_lifetime) = (0.0, 0.0), None);
    setting.stores(&key('a', 's'), None, json!({}));
    for asked in 1..4 {
        assert!(setting.verify(&key('a', 's'), 0.0).await.is_ok());
        assert_eq!(setting.asked(), asked);
    }
}

/// Rule K4: an outage is no refusal, and holds up no more requests than it must.
#[tokio::test(start_paused = true)]
async fn a_table_that_is_down_is_a_fault_and_what_is_known_still_serves() {
    for failure in [
        error(400, "ResourceNotFoundException"),
        error(400, "AccessDeniedException"),
        error(400, "ThrottlingException"),
        error(500, "InternalServerError"),
        Some(Ok(RawAnswer { status: 200, body: b"<html>".to_vec() })),
        Some(Err(FetchError::Transport("refused".into()))),
        Some(Err(FetchError::TimedOut(PATIENCE))),
    ] {
        let setting = Setting::new();
        setting.stores(&key('a', 's'), None, json!({}));
        setting.stores(&key('b', 's'), None, json!({}));
        assert!(setting.verify(&key('a', 's'), 0.0).await.is_ok());
        setting.fails(failure.clone());
        assert_eq!(setting.verify(&key('b', 's'), 0.0).await, Err("table_unavailable"), "{failure:?}");
        let asked = setting.asked();
        assert_eq!(setting.verify(&key('b', 's'), 0.9).await, Err("table_unavailable"), "{failure:?}");
        assert_eq!(setting.asked(), asked, "it rests for a moment");
        assert!(setting.verify(&key('a', 's'), 30.0).await.is_ok(), "what is known still serves");
        setting.fails(None);
        assert!(setting.verify(&key('b', 's'), 1.0).await.is_ok(), "{failure:?}");
    }
    let setting = Setting::new();
    *setting.server.delay.lock().unwrap() = Duration::from_secs(60);
    let began = tokio::time::Instant::now();
    let patience = Duration::from_millis(700);
    let waited = setting.verifiers.verify(Presented::bearer(&key('a', 's')), NOW, patience).await;
    assert!(matches!(waited, Err(Error::Fault(_))));
    assert_eq!(began.elapsed(), patience);
}

/// Whoever sends keys without end takes no memory without end, and pushes no good key out.
#[tokio::test(start_paused = true)]
async fn unknown_keys_push_no_good_ones_out() {
    let setting = Setting::new();
    setting.stores(&key('a', 's'), None, json!({}));
    assert!(setting.verify(&key('a', 's'), 0.0).await.is_ok());
    for letter in ('0'..='9').chain('A'..='Z') {
        assert_eq!(setting.verify(&key(letter, 's'), 1.0).await, Err("api_key_unknown"));
    }
    let asked = setting.asked();
    assert!(setting.verify(&key('a', 's'), 2.0).await.is_ok());
    assert_eq!(setting.asked(), asked);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_looked_up_once_at_a_time() {
    let setting = Setting::new();
    setting.stores(&key('a', 's'), None, json!({}));
    *setting.server.delay.lock().unwrap() = Duration::from_millis(50);
    let [one, two] = [key('a', 's'), key('a', 's')];
    let (one, two) = tokio::join!(setting.verify(&one, 0.0), setting.verify(&two, 0.0));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(setting.asked(), 1);
}

/// Each kind is tried where its form is there, and never one after another; what is damaged is shown to nobody.
#[tokio::test(start_paused = true)]
async fn a_credential_that_begins_like_a_key_is_one_or_nothing() {
    let issuer = Signer::new();
    let setting = Setting::with(|_| {}, Some(&issuer));
    setting.stores(&key('a', 's'), None, json!({}));
    let token = issuer.sign(&header(), &claims());
    assert_eq!(setting.verify(&token, 0.0).await.unwrap().credential_kind(), &CredentialKind::Jwt);
    let whole = key('a', 's');
    for damaged in
        [whole.split_at(60).0, &format!("{whole}x"), "orders_", "orders_a.b.c", &whole.replace("sss", "ttt")]
    {
        assert_eq!(setting.verify(damaged, 0.0).await, Err("api_key_malformed"), "{damaged}");
    }
    for other in [whole.replace("orders_", "invoices_"), whole.to_uppercase(), "orders".to_owned()] {
        assert_eq!(setting.verify(&other, 0.0).await, Err("token_malformed"), "{other}");
    }
    assert_eq!(setting.asked(), 0, "nobody was asked");
    assert!(setting.verify(&whole, 0.0).await.is_ok());
}
