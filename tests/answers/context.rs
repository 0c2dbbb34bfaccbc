//! What of the claims the backend gets: rule Z5 and the limits of API Gateway.

use authorizer_cli::gateway::EventKind::{Http1, Http2, RestRequest, RestToken, WebSocket};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_authorizer::error::{Error, Reason};
use serde_json::{Value, json};

use crate::answer;
use crate::library::{NOW, authorizer, config, decide, machine_claims, sign, token};
use crate::support::{KINDS, arn_of, event};

const CONTEXT: &str = "
    [response.context]
    text = 'text'
    whole = 'whole'
    broken = 'broken'
    flag = 'flag'
    nested = 'org.\"https://example.com/tenant\".id'
    item = 'roles.1'
    roles = 'roles'
    org = 'org'
    nothing = 'nothing'
    absent = 'absent'
    inside = 'text.inside'
    far = 'roles.9'
";

fn claims() -> Value {
    json!({
        "text": "a \"b\" \\ ü ,;=",
        "whole": 3,
        "broken": 1.5,
        "flag": false,
        "roles": ["admin", "user"],
        "org": {"https://example.com/tenant": {"id": "acme"}},
        "nothing": null,
    })
}

#[test]
fn claims_arrive_in_the_types_that_the_kind_allows() {
    let authorizer = authorizer(CONTEXT);
    for kind in KINDS {
        let answer = answer(&authorizer, &event(kind, &token(&claims()))).unwrap();
        let mut context = answer["context"].as_object().unwrap().clone();
        let [roles, org] = ["roles", "org"].map(|key| context.remove(key).unwrap());
        assert_eq!(context.remove("exp").is_some(), kind == WebSocket, "{kind}");
        let expected = json!({
            "text": "a \"b\" \\ ü ,;=", "whole": 3, "broken": 1.5, "flag": false, "nested": "acme", "item": "user",
        });
        assert_eq!(Value::Object(context.clone()), expected, "{kind}");
        if kind == Http2 {
            assert_eq!((&roles, &org), (&claims()["roles"], &claims()["org"]));
            continue;
        }
        assert!(context.values().all(|value| value.is_string() || value.is_number() || value.is_boolean()));
        for (encoded, expected) in [(roles, &claims()["roles"]), (org, &claims()["org"])] {
            let json = URL_SAFE_NO_PAD.decode(encoded.as_str().unwrap()).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), *expected, "{kind}");
        }
    }
}

/// A context with nothing in it is left out, as `null` and `{}` are for API Gateway to guess about. A connection outlives
/// its token, so that a WebSocket backend is always told when that ends.
#[test]
fn without_its_claims_there_is_no_context() {
    let authorizer = authorizer(CONTEXT);
    for kind in KINDS {
        let answer = answer(&authorizer, &event(kind, &token(&json!({})))).unwrap();
        let expected = (kind == WebSocket).then(|| json!({"exp": NOW + 300}));
        assert_eq!(answer.get("context"), expected.as_ref(), "{kind}");
    }
}

/// Claims go where the configuration puts them, under names that cannot be taken for API Gateway's own.
#[test]
fn reserved_and_unspeakable_keys_are_refused_by_the_configuration() {
    for key in [
        "claims",
        "principalId",
        "integrationLatency",
        "error",
        "status",
        "requestId",
        "property",
        "jwt",
        "lambda",
        "iam",
        "'a-b'",
        "'a.b'",
        "'a b'",
        "'1a'",
        "'_a'",
        "'é'",
        "''",
    ] {
        let error = config(&format!("[response.context]\n{key} = 'sub'")).err();
        let error = error.unwrap_or_else(|| panic!("`{key}` is accepted"));
        let [problem] = error.problems() else { panic!("{error}") };
        assert_eq!(problem.path, format!("response.context.{}", key.trim_matches('\'')));
        if !key.contains('\'') {
            assert!(config(&format!("[response]\nreason_key = '{key}'")).is_err(), "{key}");
        }
    }
    for key in ["Claims", "a", "aB_9", "sub", "tenant_id"] {
        assert!(config(&format!("[response.context]\n{key} = 'sub'")).is_ok(), "{key}");
    }
    let twice = "[response]\nreason_key = 'why'\n[response.context]\nwhy = 'sub'";
    assert!(config(twice).is_err(), "a claim could pass for a reason");
}

/// 8 KB to the byte: an answer is whole or it is not given.
#[test]
fn an_answer_is_refused_rather_than_shortened() {
    let authorizer = authorizer("[response.context]\nnote = 'note'");
    for kind in KINDS {
        let ask = |length: usize| event(kind, &token(&json!({"note": "x".repeat(length)})));
        let base = answer(&authorizer, &ask(1000)).unwrap().to_string().len() - 1000;
        let largest = answer(&authorizer, &ask(8192 - base)).unwrap();
        assert_eq!(largest.to_string().len(), 8192, "{kind}");
        assert_eq!(largest["context"]["note"].as_str().unwrap().len(), 8192 - base, "{kind}");
        match decide(&authorizer, &ask(8193 - base)) {
            Err(Error::Rejection(rejection)) => {
                assert_eq!(rejection.reason, Reason::AnswerTooLarge { bytes: 8193 }, "{kind}");
            }
            other => panic!("{kind}: {other:?}"),
        }
        let refused = answer(&authorizer, &ask(9000)).unwrap();
        assert_eq!((&refused["principalId"], refused.get("context")), (&json!("anonymous"), None), "{kind}");
    }
}

/// 401 asks the client for another token; none would help where the configuration does not fit it.
#[test]
fn what_no_other_token_mends_is_no_401() {
    let authorizer = authorizer("[response]\nrefusal = 'unauthorized'\ncontext = { name = 'name' }");
    let refused = |claims: Value| answer(&authorizer, &event(RestToken, &token(&claims)));
    assert_eq!(refused(json!({"name": "a\nb"})).unwrap()["principalId"], "anonymous");
    assert_eq!(refused(json!({"name": ["a\nb"]})).unwrap()["principalId"], "anonymous");
    assert_eq!(refused(json!({"name": "ab"})).unwrap()["principalId"], "user-7f1c");
    assert!(refused(json!({"sub": null})).is_err());
}

/// The same limit where it is a caller's claims that make many resources: the policy is whole or it is not given.
#[test]
fn a_policy_that_would_exceed_the_answer_is_refused() {
    let rule = "
        [[rule]]
        name = 'members'
        routes = ['ANY /tenants/{claims.tenants}/orders/**']
        requires = 'authenticated'
    ";
    let authorizer = authorizer(rule);
    for kind in [RestToken, RestRequest, Http1, Http2] {
        let ask = |count: u32, length: usize| {
            let tenants: Vec<_> = (0..count).map(|number| format!("{number:0length$}")).collect();
            let mut event = event(kind, &token(&json!({"tenants": tenants})));
            let arn = arn_of(&mut event);
            let stage = arn.as_str().unwrap().split('/').take(2).collect::<Vec<_>>().join("/");
            *arn = json!(format!("{stage}/GET/tenants/{:0length$}/orders/1", 0));
            event
        };
        let largest = answer(&authorizer, &ask(8, 8)).unwrap();
        assert_eq!(largest["policyDocument"]["Statement"][0]["Effect"], "Allow", "{kind}");
        assert!(largest.to_string().len() <= 8192, "{kind}");
        for (count, length) in [(16, 8), (32, 8), (8, 128)] {
            match decide(&authorizer, &ask(count, length)) {
                Err(Error::Rejection(rejection)) => {
                    assert!(
                        matches!(rejection.reason, Reason::PolicyTooLarge { .. }),
                        "{kind}: {rejection:?}"
                    );
                }
                other => panic!("{kind}: {other:?}"),
            }
            let refused = answer(&authorizer, &ask(count, length)).unwrap();
            let everything = json!([{"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": ["*"]}]);
            assert_eq!(refused["policyDocument"]["Statement"], everything, "{kind}");
        }
    }
}

#[test]
fn the_usage_plan_key_is_for_rest_apis() {
    let authorizer = authorizer("[response]\nusage_identifier_key = 'plan.key'");
    for kind in KINDS {
        let key = |claims: Value| {
            let answer = answer(&authorizer, &event(kind, &token(&claims))).unwrap();
            assert_eq!(answer["principalId"], "user-7f1c", "{kind}");
            answer.get("usageIdentifierKey").cloned()
        };
        let expected = matches!(kind, RestToken | RestRequest).then(|| json!("k"));
        assert_eq!(key(json!({"plan": {"key": "k"}})), expected, "{kind}");
        assert_eq!(key(json!({"plan": {"key": null}})), None, "{kind}");
        assert_eq!(key(json!({})), None, "{kind}");
    }
    let odd = event(RestToken, &token(&json!({"plan": {"key": 5}})));
    assert_eq!(answer(&authorizer, &odd).unwrap()["principalId"], "anonymous");
}

/// Rule C6: a token without a subject has another principal ID, where the configuration says so.
#[test]
fn a_client_that_is_nobody_is_known_by_its_id() {
    let optional = authorizer("subject = 'optional'\n[response]\nprincipal_id = ['sub', 'client_id']");
    let required = authorizer("[response]\nprincipal_id = ['sub', 'client_id']");
    let mut claims = machine_claims();
    claims["client_id"] = json!("machine");
    let machine = sign(&claims);
    for kind in KINDS {
        let allowed = answer(&optional, &event(kind, &machine)).unwrap();
        assert_eq!(allowed["principalId"], "machine", "{kind}");
        let refused = answer(&required, &event(kind, &machine)).unwrap();
        assert_eq!(refused["principalId"], "anonymous", "{kind}");
    }
}

/// Rule C6: the principal ID is a text that is not empty, from the first claim that is there.
#[test]
fn the_principal_is_the_first_claim_that_is_there() {
    let authorizer = authorizer("[response]\nprincipal_id = ['org.user', 'client_id', 'sub']");
    for (claims, expected) in [
        (json!({}), "user-7f1c"),
        (json!({"client_id": "machine"}), "machine"),
        (json!({"client_id": null}), "user-7f1c"),
        (json!({"org": {"user": 42}, "client_id": "machine"}), "42"),
        (json!({"org": {"user": ""}, "client_id": "machine"}), "anonymous"),
        (json!({"org": {"user": true}}), "anonymous"),
        (json!({"org": {"user": {"id": 1}}}), "anonymous"),
        (json!({"sub": null}), "anonymous"),
    ] {
        for kind in KINDS {
            let answer = answer(&authorizer, &event(kind, &token(&claims))).unwrap();
            assert_eq!(answer["principalId"], expected, "{kind}, {claims}");
        }
    }
}
