//! DPoP proofs that several processes are shown, which share a table.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use super::possession::Setting;
use super::*;
use crate::credential::IdentitySources;
use crate::error::Error;
use crate::io::{
    Answer, AwsEnvironment, Connector, DynamoDbSettings, Edges, ExchangeFuture, FetchError, Line, Message,
    RawAnswer,
};
use crate::verify::database::DatabaseSettings;

/// A table that understands the one request that is made of it.
#[derive(Default)]
struct Server {
    /// Who has used up what, and until when that is kept.
    items: Mutex<BTreeMap<String, (String, u64)>>,
    /// What becomes of the next requests, the first one first: it is done as usual where there is nothing.
    mishaps: Mutex<Vec<Mishap>>,
    asked: Mutex<usize>,
}

#[derive(Clone, Copy)]
enum Mishap {
    /// It is done, and the answer does not arrive.
    AnswerLost,
    /// Nothing is done.
    Denied,
}

impl Answer for Server {
    fn answer(&self, message: Message) -> ExchangeFuture<'_> {
        let input: Value = serde_json::from_str(&message.body.unwrap()).unwrap();
        let answer = self.put(&input);
        Box::pin(async move { answer })
    }
}

impl Server {
    fn put(&self, input: &Value) -> Result<RawAnswer, FetchError> {
        *self.asked.lock().unwrap() += 1;
        let error = |name: &str| {
            let body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}")}).to_string();
            Ok(RawAnswer { status: 400, body: body.into_bytes() })
        };
        let mut mishaps = self.mishaps.lock().unwrap();
        let mishap = (!mishaps.is_empty()).then(|| mishaps.remove(0));
        if let Some(Mishap::Denied) = mishap {
            return error("AccessDeniedException");
        }
        let condition = "attribute_not_exists(pk) OR used_by = :request";
        assert_eq!((&input["TableName"], &input["ConditionExpression"]), (&json!("keys"), &json!(condition)));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (key, request) = (text(&input["Item"]["pk"]["S"]), text(&input["Item"]["used_by"]["S"]));
        assert_eq!(input["ExpressionAttributeValues"][":request"]["S"], request);
        let mut items = self.items.lock().unwrap();
        if items.get(&key).is_some_and(|(other, _)| *other != request) {
            return error("ConditionalCheckFailedException");
        }
        items.insert(key, (request, text(&input["Item"]["delete_at"]["N"]).parse().unwrap()));
        match mishap {
            Some(Mishap::AnswerLost) => Err(FetchError::Transport("reset".to_owned())),
            Some(Mishap::Denied) | None => Ok(RawAnswer { status: 200, body: b"{}".to_vec() }),
        }
    }

    fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

struct Silence;

impl ObserveRevocation for Silence {
    fn unchecked(&self, _: &str) {}
}

/// A process with this issuer. It is asked for the table of the server, where there is one.
fn process(setting: &Setting, server: Option<&Arc<Server>>) -> Verifiers {
    let limits = TokenCacheLimits { entries: 8, bytes: 100_000, lifetime: 300.0 };
    let expectations = setting.expectations.clone();
    let verifiers = waiting::verifiers_of(&setting.issuer, Duration::ZERO, expectations, limits);
    let Some(server) = server else { return verifiers };
    let settings = DatabaseSettings {
        table: "keys".into(),
        is_consistent: false,
        dynamodb: DynamoDbSettings {
            region: Some("eu-central-1".into()),
            endpoint: None,
            connector: Connector::default(),
            timeout: Duration::from_secs(2),
        },
        api_keys: None,
        basic: None,
        revocation: None,
        has_proofs: true,
    };
    let environment = AwsEnvironment::of(|name| {
        matches!(name, "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY").then(|| "A".to_owned())
    });
    let edges = Edges { fetch: Arc::new(Line(Arc::clone(server))), ..Edges::of_this_machine() };
    verifiers.looking_up(settings, &environment, edges, Arc::new(Silence))
}

/// The code of the refusal or of the fault, or `passed`.
async fn code(process: &Verifiers, (token, proof): (&str, &str), later: f64) -> &'static str {
    let request = possession::request(&format!("DPoP {token}"), &[proof], None);
    let credential = IdentitySources::default().extract(&request).unwrap();
    let presented = Presented::new(&credential, &request);
    match process.verify(presented, NOW + later, Duration::from_secs(3)).await {
        Ok(_) => "passed",
        Err(Error::Rejection(rejection)) => rejection.reason.code().name(),
        Err(Error::Fault(fault)) => fault.code().name(),
    }
}

fn proof(setting: &Setting, token: &str, id: &str) -> String {
    setting.proof(token, json!({}), json!({ "jti": id }))
}

/// RFC 9449, section 11.1, for all processes together; the neighbour is two that share nothing.
#[tokio::test(start_paused = true)]
async fn a_proof_is_taken_once_by_all_processes_that_share_a_table() {
    let setting = Setting::new();
    let token = setting.dpop_bound();
    let server = Arc::new(Server::default());
    let first = proof(&setting, &token, "first");
    for (server, expected) in [(None, "passed"), (Some(&server), "dpop_proof_replayed")] {
        let [one, other] = [process(&setting, server), process(&setting, server)];
        assert_eq!(code(&one, (&token, &first), 0.0).await, "passed");
        assert_eq!(code(&other, (&token, &first), 0.0).await, expected);
        assert_eq!(code(&one, (&token, &first), 0.0).await, "dpop_proof_replayed");
        assert_eq!(code(&other, (&token, &proof(&setting, &token, "second")), 0.0).await, "passed");
    }
    let items = server.items.lock().unwrap();
    assert_eq!(items.len(), 2);
    for (key, (_, delete_at)) in items.iter() {
        assert!(key.strip_prefix("dpop#").is_some_and(|digest| digest.len() == 43), "{key}");
        let too_old = NOW as u64 - 5 + 60 + 30;
        assert!((too_old..=too_old + 600).contains(delete_at), "{delete_at}");
    }
}

/// Whoever has stolen a proof without its token, or a token without its key, uses up nothing, and fills no table.
#[tokio::test(start_paused = true)]
async fn only_a_proof_that_holds_is_written_down() {
    let setting = Setting::new();
    let server = Arc::new(Server::default());
    let process = process(&setting, Some(&server));
    let token = setting.dpop_bound();
    let right = proof(&setting, &token, "first");
    let forged =
        Signer::new().sign(&header(), &with(claims(), json!({"cnf": {"jkt": setting.key_thumbprint()}})));
    let expired = setting.issuer.sign(
        &header(),
        &with(claims(), json!({"exp": NOW - 100.0, "cnf": {"jkt": setting.key_thumbprint()}})),
    );
    let of_another_key = Setting::new();
    for (token, proof, expected) in [
        (
            &token,
            setting.proof(&token, json!({}), json!({"jti": "first", "htm": "POST"})),
            "dpop_proof_invalid",
        ),
        (&token, proof(&of_another_key, &token, "first"), "dpop_proof_invalid"),
        (&forged, proof(&setting, &forged, "first"), "signature_invalid"),
        (&expired, proof(&setting, &expired, "first"), "token_expired"),
    ] {
        assert_eq!(code(&process, (token, &proof), 0.0).await, expected);
    }
    assert_eq!(server.asked(), 0);
    assert_eq!(code(&process, (&token, &right), 0.0).await, "passed");
    assert_eq!(server.asked(), 1);
}

/// An answer that is lost costs nobody the proof that he has made.
#[tokio::test(start_paused = true)]
async fn a_request_is_no_replay_of_itself() {
    let setting = Setting::new();
    let token = setting.dpop_bound();
    let server = Arc::new(Server::default());
    let [one, other] = [process(&setting, Some(&server)), process(&setting, Some(&server))];
    *server.mishaps.lock().unwrap() = vec![Mishap::AnswerLost; 2];
    let first = proof(&setting, &token, "first");
    assert_eq!(code(&one, (&token, &first), 0.0).await, "passed");
    assert_eq!(server.asked(), 3);
    assert_eq!(code(&other, (&token, &first), 0.0).await, "dpop_proof_replayed");
}

/// Rule K4. What a fault has kept from being decided may be sent again; a table in trouble holds up nobody for long.
#[tokio::test(start_paused = true)]
async fn a_table_that_cannot_be_written_to_is_a_fault_and_leaves_the_proof_as_it_was() {
    let setting = Setting::new();
    let token = setting.dpop_bound();
    let server = Arc::new(Server::default());
    let process = process(&setting, Some(&server));
    *server.mishaps.lock().unwrap() = vec![Mishap::Denied];
    let first = proof(&setting, &token, "first");
    assert_eq!(code(&process, (&token, &first), 0.0).await, "table_unavailable");
    assert_eq!(code(&process, (&token, &first), 0.9).await, "table_unavailable", "it is not asked");
    assert_eq!(server.asked(), 1);
    assert_eq!(code(&process, (&token, &first), 1.0).await, "passed");
    assert_eq!(code(&process, (&token, &first), 1.0).await, "dpop_proof_replayed");
    // What needs no proof does not need the table.
    *server.mishaps.lock().unwrap() = vec![Mishap::Denied];
    let bearer = setting.issuer.sign(&header(), &claims());
    let verified = process.verify(Presented::bearer(&bearer), NOW, Duration::from_secs(3)).await;
    assert!(verified.is_ok());
}
