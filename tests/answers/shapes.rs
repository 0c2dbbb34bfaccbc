//! The shapes of answers, as the crate `aws_lambda_events` has them.

use authorizer_cli::gateway::EventKind::{Http1, Http2, RestRequest, RestToken, WebSocket};
use aws_lambda_events::apigw::{
    ApiGatewayCustomAuthorizerPolicy, ApiGatewayCustomAuthorizerResponse,
    ApiGatewayV2CustomAuthorizerIamPolicyResponse, ApiGatewayV2CustomAuthorizerSimpleResponse,
};
use aws_lambda_events::iam::IamPolicyEffect;
use serde_json::{Value, json};

use crate::answer;
use crate::fixtures::aws_fixtures;
use crate::library::{NOW, authorizer, token};
use crate::support::{KINDS, arn_of, event};

const FULL: &str = "
    [[rule]]
    name = 'read'
    routes = ['GET /orders', 'GET /orders/**', '$connect']
    requires = { scope = 'orders:read' }
    [response]
    usage_identifier_key = 'api_key'
    [response.context]
    tenant = 'org.tenant'
";

fn caller() -> String {
    token(&json!({"org": {"tenant": "acme"}, "api_key": "key-of-the-plan"}))
}

/// The crate's types have defaults for what is missing, an Allow among them: what is meant is written.
fn is_written_out(answer: &Value) {
    fn has_null(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Array(items) => items.iter().any(has_null),
            Value::Object(members) => members.values().any(has_null),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
    assert!(!has_null(answer), "{answer}");
    if let Some(document) = answer.get("policyDocument") {
        assert_eq!(document["Version"], "2012-10-17");
        for statement in document["Statement"].as_array().unwrap() {
            assert_eq!(statement["Action"], "execute-api:Invoke", "{statement}");
            assert!(["Allow", "Deny"].contains(&statement["Effect"].as_str().unwrap()), "{statement}");
            assert!(!statement["Resource"].as_array().unwrap().is_empty(), "{statement}");
        }
        assert!(!answer["principalId"].as_str().unwrap().is_empty(), "{answer}");
    }
}

/// The effects and resources of a policy, in order.
fn statements(policy: ApiGatewayCustomAuthorizerPolicy) -> Vec<(IamPolicyEffect, Vec<String>)> {
    assert_eq!(policy.version.as_deref(), Some("2012-10-17"));
    let statements = policy.statement.into_iter();
    statements
        .map(|statement| {
            assert_eq!(
                (statement.action.as_slice(), statement.condition),
                (&["execute-api:Invoke".to_owned()][..], None)
            );
            (statement.effect, statement.resource)
        })
        .collect()
}

#[test]
fn an_allow_reads_as_what_it_says() {
    let authorizer = authorizer(FULL);
    for kind in KINDS {
        let mut event = event(kind, &caller());
        let answer = answer(&authorizer, &event).unwrap();
        is_written_out(&answer);
        let arn = arn_of(&mut event).as_str().unwrap();
        let stage = arn.split('/').take(2).collect::<Vec<_>>().join("/");
        let (principal, policy, context) = if kind == Http2 {
            let read: ApiGatewayV2CustomAuthorizerIamPolicyResponse = serde_json::from_value(answer).unwrap();
            (read.principal_id, read.policy_document, read.context)
        } else {
            let read: ApiGatewayCustomAuthorizerResponse = serde_json::from_value(answer).unwrap();
            let key = matches!(kind, RestToken | RestRequest).then(|| "key-of-the-plan".to_owned());
            assert_eq!(read.usage_identifier_key, key, "{kind}");
            (read.principal_id, read.policy_document, read.context)
        };
        assert_eq!(principal.as_deref(), Some("user-7f1c"), "{kind}");
        let expected = match kind {
            WebSocket => json!({"tenant": "acme", "exp": NOW + 300}),
            RestToken | RestRequest | Http1 | Http2 => json!({"tenant": "acme"}),
        };
        assert_eq!(context, expected, "{kind}");
        let statements = statements(policy);
        assert_eq!(statements[0].0, IamPolicyEffect::Allow, "{kind}");
        assert!(statements[0].1.contains(&format!("{stage}/GET/orders/*")), "{kind}: {statements:?}");
        assert!(statements[1..].iter().all(|(effect, _)| *effect == IamPolicyEffect::Deny), "{kind}");
    }
}

/// Rule Z7, as AWS's types see it.
#[test]
fn a_deny_reads_as_what_it_says() {
    let authorizer = authorizer(FULL);
    for kind in KINDS {
        let answer = answer(&authorizer, &event(kind, "x.y.z")).unwrap();
        is_written_out(&answer);
        let read: ApiGatewayCustomAuthorizerResponse = serde_json::from_value(answer).unwrap();
        assert_eq!(read.principal_id.as_deref(), Some("anonymous"), "{kind}");
        assert_eq!((read.context, read.usage_identifier_key), (Value::Null, None), "{kind}");
        assert_eq!(
            statements(read.policy_document),
            [(IamPolicyEffect::Deny, vec!["*".to_owned()])],
            "{kind}"
        );
    }
}

#[test]
fn a_simple_answer_reads_as_what_it_says() {
    let simple = FULL.replace("[response]", "[gateway]\ncache_seconds = 0\n[response]\nhttp_api = 'simple'");
    let authorizer = authorizer(&simple);
    let write = |mut event: Value| {
        event["routeArn"] = json!("arn:aws:execute-api:us-east-1:123456789012:abc/dev/POST/orders");
        event
    };
    for (event, is_authorized, context) in [
        (event(Http2, &caller()), true, json!({"tenant": "acme"})),
        (write(event(Http2, &caller())), false, json!({"tenant": "acme"})),
        (event(Http2, "x.y.z"), false, Value::Null),
    ] {
        let answer = answer(&authorizer, &event).unwrap();
        is_written_out(&answer);
        let read: ApiGatewayV2CustomAuthorizerSimpleResponse = serde_json::from_value(answer).unwrap();
        assert_eq!((read.is_authorized, read.context), (is_authorized, context));
    }
    for kind in [RestToken, RestRequest, Http1, WebSocket] {
        let answer = answer(&authorizer, &event(kind, &caller())).unwrap();
        assert_eq!(answer.get("isAuthorized"), None, "{kind}");
    }
}

/// The names of members and what kind of value they have. A single text stands for an array of texts, as
/// it does in a policy.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members = members.clone();
            members.remove("Condition");
            for (name, member) in &mut members {
                *member = match name.as_str() {
                    "Action" | "Resource" => json!(["text"]),
                    "context" => json!({}),
                    _ => shape(member),
                };
            }
            Value::Object(members)
        }
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(_) => json!("text"),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[test]
fn our_answers_have_the_shape_of_the_fixtures_of_aws() {
    // With one statement, as the fixtures have.
    let authorizer = authorizer(&format!("[response]{}", FULL.split_once("[response]").unwrap().1));
    let ours = answer(&authorizer, &event(RestToken, &caller())).unwrap();
    let fixtures = aws_fixtures();
    let answers: Vec<_> = fixtures.iter().filter(|(name, _)| name.contains("response")).collect();
    assert!(!answers.is_empty(), "the crate has no sample answers any more");
    for (name, theirs) in answers {
        let _: ApiGatewayCustomAuthorizerResponse = serde_json::from_value(theirs.clone()).unwrap();
        assert_eq!(shape(theirs), shape(&ours), "{name}");
    }
}
