//! A DynamoDB that says what a test wants: retries, errors, items.

use std::sync::{Arc, Mutex};

use super::*;
use crate::io::{Answer, ExchangeFuture, Line};

/// Answers one after another, the last one for ever; and what it was asked.
struct Server {
    answers: Mutex<Vec<Result<RawAnswer, FetchError>>>,
    asked: Mutex<Vec<Message>>,
    delay: Duration,
}

impl Answer for Server {
    fn answer(&self, message: Message) -> ExchangeFuture<'_> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(message);
            tokio::time::sleep(self.delay).await;
            let mut answers = self.answers.lock().unwrap();
            if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
        })
    }
}

fn error(status: u16, name: &str) -> Result<RawAnswer, FetchError> {
    let body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "a b c"});
    Ok(RawAnswer { status, body: body.to_string().into_bytes() })
}

fn ok(body: &str) -> Result<RawAnswer, FetchError> {
    Ok(RawAnswer { status: 200, body: body.as_bytes().to_vec() })
}

fn broken() -> Result<RawAnswer, FetchError> {
    Err(FetchError::Transport("refused".to_owned()))
}

fn dynamodb(answers: Vec<Result<RawAnswer, FetchError>>, delay: Duration) -> (Arc<Server>, DynamoDb) {
    let server = Arc::new(Server { answers: Mutex::new(answers), asked: Mutex::default(), delay });
    let edges = Edges { fetch: Arc::new(Line(Arc::clone(&server))), ..Edges::of_this_machine() };
    let settings = DynamoDbSettings {
        region: None,
        endpoint: None,
        connector: Connector::default(),
        timeout: Duration::from_secs(2),
    };
    let variables =
        [("AWS_REGION", "eu-central-1"), ("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let environment = AwsEnvironment::of(|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    });
    (server, DynamoDb::new(settings, &environment, edges))
}

const PATIENCE: Duration = Duration::from_secs(8);

async fn item(dynamodb: &DynamoDb) -> Result<Option<Item>, DynamoDbError> {
    dynamodb.item(("keys", &json!({"pk": {"S": "key#1"}})), true, PATIENCE).await
}

#[tokio::test(start_paused = true)]
async fn an_item_is_asked_for_by_a_signed_request() {
    let (server, dynamodb) = dynamodb(vec![ok(r#"{"Item":{"pk":{"S":"key#1"}}}"#)], Duration::ZERO);
    assert_eq!(item(&dynamodb).await.unwrap().unwrap().get("pk"), Some(&json!("key#1")));
    let asked = server.asked.lock().unwrap();
    let [message] = asked.as_slice() else { panic!("once") };
    assert_eq!(message.url.as_str(), "https://dynamodb.eu-central-1.amazonaws.com/");
    let value = |name: &str| message.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    assert_eq!(value("x-amz-target").unwrap(), "DynamoDB_20120810.GetItem");
    assert!(value("authorization").unwrap().contains("/eu-central-1/dynamodb/aws4_request"));
    let body: Value = serde_json::from_str(message.body.as_ref().unwrap()).unwrap();
    assert_eq!(body, json!({"TableName": "keys", "Key": {"pk": {"S": "key#1"}}, "ConsistentRead": true}));
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_and_nothing_else() {
    let good = || ok("{}");
    for (failure, attempts) in [
        (error(400, "ProvisionedThroughputExceededException"), 3),
        (error(400, "ThrottlingException"), 3),
        (error(400, "RequestLimitExceeded"), 3),
        (error(500, "InternalServerError"), 3),
        (Ok(RawAnswer { status: 503, body: b"<html>".to_vec() }), 3),
        (broken(), 3),
        (error(400, "ExpiredTokenException"), 3),
        (error(400, "ResourceNotFoundException"), 1),
        (error(400, "AccessDeniedException"), 1),
        (error(400, "UnrecognizedClientException"), 1),
        (error(400, "InvalidSignatureException"), 1),
        (error(400, "ValidationException"), 1),
        (ok("[]"), 1),
        (Err(FetchError::TooLarge(1)), 1),
    ] {
        let answers = vec![failure.clone(), failure.clone(), good()];
        let (server, dynamodb) = dynamodb(answers, Duration::ZERO);
        let found = item(&dynamodb).await;
        assert_eq!(server.asked.lock().unwrap().len(), attempts, "{failure:?}");
        assert_eq!(found.is_ok(), attempts == 3, "{failure:?}: {found:?}");
    }
}

/// A table in trouble is not asked without end, and nobody waits longer than the configuration says.
#[tokio::test(start_paused = true)]
async fn attempts_have_an_end_and_are_spread_by_chance() {
    let throttled = || error(400, "ThrottlingException");
    let (server, throttling) = dynamodb(vec![throttled()], Duration::ZERO);
    let began = Instant::now();
    let found = item(&throttling).await;
    assert_eq!(found, Err(DynamoDbError::Throttled("ThrottlingException".to_owned())));
    assert_eq!(server.asked.lock().unwrap().len(), 4);
    assert!(began.elapsed() <= Duration::from_millis(50 + 100 + 200));
    let mut waited = Vec::new();
    for _ in 0..8 {
        let began = Instant::now();
        let _throttled = item(&throttling).await;
        waited.push(began.elapsed());
    }
    assert!(waited.iter().any(|time| *time != waited[0]), "always the same pauses: {waited:?}");
    let (server, slow) = dynamodb(vec![broken()], Duration::from_millis(900));
    let began = Instant::now();
    assert!(item(&slow).await.is_err());
    assert!(server.asked.lock().unwrap().len() <= 3);
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn an_error_says_what_is_wrong_and_quotes_nothing() {
    for (answer, expected) in [
        (error(400, "ResourceNotFoundException"), "there is no such table"),
        (error(400, "AccessDeniedException"), "the function may not do this: access is denied"),
        (error(400, "ExpiredTokenException"), "the credentials are refused: ExpiredTokenException"),
        (error(400, "ThrottlingException"), "the requests are throttled: ThrottlingException"),
        (error(400, "a b\n<c>"), "the server answered with status 400: abc"),
        (Ok(RawAnswer { status: 502, body: b"secret".to_vec() }), "the server answered with status 502: "),
        (ok("secret"), "the answer is none of DynamoDB's"),
        (ok(r#"{"Item": "secret"}"#), "the answer is none of DynamoDB's"),
        (ok(r#"{"Item": {"pk": "secret"}}"#), "the answer is none of DynamoDB's"),
        (ok(r#"{"Item": {"pk": {"S": 5}}}"#), "the answer is none of DynamoDB's"),
        (ok(r#"{"Item": {"pk": {"N": "five"}}}"#), "the answer is none of DynamoDB's"),
        (ok(r#"{"Item": {"pk": {"S": "a", "N": "1"}}}"#), "the answer is none of DynamoDB's"),
        (ok(r#"{"Item": {"pk": {}}}"#), "the answer is none of DynamoDB's"),
        (ok(r#"{"Item": {"pk": {"X": "a"}}}"#), "the answer is none of DynamoDB's"),
        (broken(), "the request failed: refused"),
    ] {
        let (_, dynamodb) = dynamodb(vec![answer.clone()], Duration::ZERO);
        assert_eq!(item(&dynamodb).await.unwrap_err().to_string(), expected, "{answer:?}");
    }
    let (_, none) = dynamodb(vec![ok("{}")], Duration::ZERO);
    assert_eq!(item(&none).await, Ok(None));
}

#[test]
fn attributes_of_every_type_are_plain() {
    let item = Item::of(json!({
        "text": {"S": "a"}, "number": {"N": "-1.5"}, "large": {"N": "1800000000"}, "truth": {"BOOL": true},
        "nothing": {"NULL": true}, "texts": {"SS": ["a", "b"]}, "numbers": {"NS": ["1", "2"]},
        "bytes": {"B": "AAE="}, "list": {"L": [{"S": "a"}, {"M": {"b": {"BOOL": false}}}]},
        "map": {"M": {"a": {"N": "7"}}},
    }))
    .unwrap();
    for (name, expected) in [
        ("text", json!("a")),
        ("number", json!(-1.5)),
        ("large", json!(1_800_000_000)),
        ("truth", json!(true)),
        ("texts", json!(["a", "b"])),
        ("numbers", json!([1, 2])),
        ("bytes", json!("AAE=")),
        ("list", json!(["a", {"b": false}])),
        ("map", json!({"a": 7})),
    ] {
        assert_eq!(item.get(name), Some(&expected), "{name}");
    }
    assert_eq!((item.get("nothing"), item.get("other")), (None, None));
}

/// A region goes into the name of a host.
#[tokio::test(start_paused = true)]
async fn a_region_is_a_word() {
    for (region, is_one) in [
        ("eu-central-1", true),
        ("us-gov-west-1", true),
        ("", false),
        ("evil.example.com/", false),
        ("EU", false),
    ] {
        assert_eq!(is_region(region), is_one, "{region}");
    }
    assert_eq!(endpoint("cn-north-1").unwrap().as_str(), "https://dynamodb.cn-north-1.amazonaws.com.cn/");
}

/// The condition that does not hold is an answer, which is not asked for again.
#[tokio::test(start_paused = true)]
async fn an_item_is_written_where_its_condition_holds() {
    let lost = || Err(FetchError::Transport("reset".to_owned()));
    let exists = || error(400, "ConditionalCheckFailedException");
    for (answers, attempts, expected) in [
        (vec![ok("{}")], 1, Ok(true)),
        (vec![exists()], 1, Ok(false)),
        (vec![lost(), ok("{}")], 2, Ok(true)),
        (vec![lost(), exists()], 2, Ok(false)),
        (vec![error(400, "AccessDeniedException")], 1, Err(DynamoDbError::AccessDenied)),
    ] {
        let (server, dynamodb) = dynamodb(answers, Duration::ZERO);
        let (item, values) = (json!({"pk": {"S": "a"}}), json!({":b": {"S": "c"}}));
        let written = dynamodb.put(("keys", &item), ("b = :b", &values), PATIENCE).await;
        assert_eq!(written, expected);
        let asked = server.asked.lock().unwrap();
        assert_eq!(asked.len(), attempts);
        for message in asked.iter() {
            let target = ("x-amz-target".to_owned(), "DynamoDB_20120810.PutItem".to_owned());
            assert!(message.headers.contains(&target));
            let body: Value = serde_json::from_str(message.body.as_ref().unwrap()).unwrap();
            let expected = json!({
                "TableName": "keys", "Item": item, "ConditionExpression": "b = :b", "ExpressionAttributeValues": values,
            });
            assert_eq!(body, expected);
        }
    }
}

/// What DynamoDB has not looked at is not absent.
#[tokio::test(start_paused = true)]
async fn keys_that_are_left_out_are_asked_for_again() {
    let keys = || ["a", "b"].map(|key| json!({"pk": {"S": key}})).to_vec();
    let items = |items: &[&str], left: &[&str]| {
        let items: Vec<_> = items.iter().map(|key| json!({"pk": {"S": key}})).collect();
        let left: Vec<_> = left.iter().map(|key| json!({"pk": {"S": key}})).collect();
        let unprocessed = if left.is_empty() { json!({}) } else { json!({"keys": {"Keys": left}}) };
        ok(&json!({"Responses": {"keys": items}, "UnprocessedKeys": unprocessed}).to_string())
    };
    let (server, batch) = dynamodb(vec![items(&["a"], &["b"]), items(&["b"], &[])], Duration::ZERO);
    let found = batch.items(("keys", keys()), true, PATIENCE).await.unwrap();
    assert_eq!(found.iter().map(|item| item.get("pk").unwrap()).collect::<Vec<_>>(), ["a", "b"]);
    let bodies: Vec<Value> = server
        .asked
        .lock()
        .unwrap()
        .iter()
        .map(|message| serde_json::from_str(message.body.as_ref().unwrap()).unwrap())
        .collect();
    let asked = |keys: &[&str]| {
        let keys: Vec<_> = keys.iter().map(|key| json!({"pk": {"S": key}})).collect();
        json!({"RequestItems": {"keys": {"Keys": keys, "ConsistentRead": true}}})
    };
    assert_eq!(bodies, [asked(&["a", "b"]), asked(&["b"])]);
    let (server, batch) = dynamodb(vec![items(&[], &["a", "b"])], Duration::ZERO);
    let found = batch.items(("keys", keys()), true, PATIENCE).await;
    assert_eq!(found, Err(DynamoDbError::Throttled("UnprocessedKeys".to_owned())));
    assert_eq!(server.asked.lock().unwrap().len(), 4);
    let none = batch.items(("keys", Vec::new()), true, PATIENCE).await;
    assert_eq!(none, Ok(Vec::new()));
    for wrong in [
        "{}",
        r#"{"Responses": []}"#,
        r#"{"Responses": {"keys": {}}}"#,
        r#"{"Responses": {"keys": [{"pk": "a"}]}}"#,
        r#"{"Responses": {}, "UnprocessedKeys": []}"#,
        r#"{"Responses": {}, "UnprocessedKeys": {"keys": []}}"#,
        r#"{"Responses": {}, "UnprocessedKeys": {"keys": {"Keys": 5}}}"#,
    ] {
        let (_, batch) = dynamodb(vec![ok(wrong)], Duration::ZERO);
        let found = batch.items(("keys", keys()), true, PATIENCE).await;
        assert_eq!(found, Err(DynamoDbError::Malformed), "{wrong}");
    }
}
