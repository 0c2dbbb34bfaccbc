//! Members that may be absent, `null` or empty, and members that nobody knows.

use lambda_authorizer::request::EventKind::{self, Http1, Http2, RestToken};
use serde_json::{Map, Value, json};

use crate::library::{authorizer, request};
use crate::support::arn_of;
use crate::{samples, see};

/// What stands for a member that has nothing to say.
fn nothings(value: &Value) -> Vec<Option<Value>> {
    let mut nothings = vec![None, Some(Value::Null)];
    match value {
        Value::Object(_) | Value::Array(_) => nothings.extend([Some(json!({})), Some(json!([]))]),
        Value::String(_) => nothings.push(Some(json!(""))),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    nothings
}

fn set(members: &mut Value, name: &str, value: Option<Value>) {
    let members = members.as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
}

/// What makes an event the event that it is.
fn is_essential(kind: EventKind, name: &str) -> bool {
    let is_versioned = matches!(kind, Http1 | Http2);
    match name {
        "type" | "methodArn" | "routeArn" | "headers" => true,
        "version" => is_versioned,
        "authorizationToken" => kind == RestToken,
        _ => false,
    }
}

#[test]
fn a_member_that_is_absent_null_or_empty_changes_nothing() {
    let authorizer = authorizer("");
    let mut changes = 0;
    for (name, event) in samples() {
        let whole = see(&authorizer, &event);
        assert!(whole.verdict.is_ok(), "{name}");
        let mut is_same = |what: String, changed: &Value| {
            assert_eq!(see(&authorizer, changed), whole, "{name}, {what}");
            changes += 1;
        };
        for (member, value) in event.as_object().unwrap() {
            if is_essential(whole.kind, member) {
                continue;
            }
            for nothing in nothings(value) {
                // An array is no context, not even an empty one.
                if member == "requestContext" && nothing == Some(json!([])) {
                    continue;
                }
                let mut changed = event.clone();
                set(&mut changed, member, nothing.clone());
                is_same(format!("{member} = {nothing:?}"), &changed);
            }
        }
        let context = event["requestContext"].as_object().cloned().unwrap_or_default();
        for (member, value) in &context {
            for nothing in nothings(value) {
                let mut changed = event.clone();
                set(&mut changed["requestContext"], member, nothing.clone());
                is_same(format!("requestContext.{member} = {nothing:?}"), &changed);
            }
        }
    }
    assert!(changes > 1000, "{changes}");
}

/// A member that API Gateway leaves out where there is nothing may also be there, and empty.
#[test]
fn a_member_that_is_there_and_empty_changes_nothing() {
    let authorizer = authorizer("");
    for (name, event) in samples() {
        let whole = see(&authorizer, &event);
        for member in [
            "headers",
            "multiValueHeaders",
            "queryStringParameters",
            "multiValueQueryStringParameters",
            "pathParameters",
            "stageVariables",
            "cookies",
            "identitySource",
            "body",
            "isBase64Encoded",
        ] {
            if event.get(member).is_some() {
                continue;
            }
            for nothing in [json!(null), json!({}), json!([])] {
                let mut changed = event.clone();
                changed[member] = nothing;
                assert_eq!(see(&authorizer, &changed), whole, "{name}, {member} = {}", changed[member]);
            }
        }
    }
}

/// The credential may be in either map of headers; in none of them, it is missing.
#[test]
fn headers_that_are_absent_null_or_empty_are_no_headers() {
    let authorizer = authorizer("");
    for (name, event) in samples() {
        let whole = see(&authorizer, &event);
        for (one, other) in [("headers", "multiValueHeaders"), ("multiValueHeaders", "headers")] {
            for nothing in nothings(&json!({})) {
                let mut changed = event.clone();
                set(&mut changed, one, nothing.clone());
                if changed[other]["Authorization"].is_null() && whole.kind != RestToken {
                    see(&authorizer, &changed).is(whole.kind, &whole.route, Err("credential_missing"), &name);
                } else {
                    assert_eq!(see(&authorizer, &changed), whole, "{name}, {one} = {nothing:?}");
                }
            }
        }
    }
}

/// Puts a member that nobody knows into every object of the event.
fn with_unknown_members(value: &mut Value, name: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                with_unknown_members(member, name);
            }
            let unknown = match name {
                "headers" | "queryStringParameters" => json!("x"),
                "multiValueHeaders" | "multiValueQueryStringParameters" => json!(["x", "y"]),
                _ => json!({"type": "TOKEN", "methodArn": [1, {"headers": null}], "version": 2}),
            };
            members.insert("x-unknown".to_owned(), unknown);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| with_unknown_members(item, "")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn unknown_members_are_ignored_wherever_they_are() {
    let authorizer = authorizer("");
    for (name, event) in samples() {
        let mut changed = event.clone();
        with_unknown_members(&mut changed, "");
        assert_eq!(see(&authorizer, &changed), see(&authorizer, &event), "{name}");
    }
}

/// An empty object is no event, and so is every other that lacks what makes it one.
#[test]
fn essential_members_are_required() {
    assert!(request(&Value::Object(Map::new())).is_err());
    for (name, event) in samples() {
        for nothing in [json!(null), json!(""), json!({}), json!([])] {
            let mut changed = event.clone();
            *arn_of(&mut changed) = nothing.clone();
            assert!(request(&changed).is_err(), "{name}, ARN = {nothing}");
            changed.clone_from(&event);
            changed["type"] = nothing.clone();
            assert!(request(&changed).is_err(), "{name}, type = {nothing}");
        }
        for member in ["type", "methodArn", "routeArn"] {
            let mut changed = event.clone();
            if changed.as_object_mut().unwrap().remove(member).is_some() {
                assert!(request(&changed).is_err(), "{name} without {member}");
            }
        }
    }
}
