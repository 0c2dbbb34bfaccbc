//! What is answered: its shape, by AWS's own types; its context, by kind of event; and what its policy
//! means, by an evaluator that this project did not write.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a member that is missing is `null` to a test")]

mod context;
#[path = "../support/fixtures.rs"]
mod fixtures;
#[path = "../support/iam.rs"]
mod iam;
#[path = "../support/library.rs"]
mod library;
mod policy;
mod random;
mod shapes;
#[path = "../support/mod.rs"]
mod support;

use lambda_authorizer::Authorizer;
use lambda_authorizer::event::Event;
use lambda_authorizer::response::Failure;
use serde_json::Value;

/// What API Gateway is sent.
fn answer(authorizer: &Authorizer, event: &Value) -> Result<Value, Failure> {
    let event = Event { payload: &event.to_string(), invocation_id: "1", deadline: None };
    let response = library::at_once(authorizer.authorize(event))?;
    Ok(serde_json::from_str(response.as_str()).unwrap())
}
