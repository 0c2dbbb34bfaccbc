//! What API Gateway reads in an answer: an IAM policy evaluated as IAM does, or a plain yes or no.

use serde_json::Value;

/// What the answer says about the invocation of `arn`: `None` when it is silent. Fails for an answer that
/// API Gateway would not take.
pub fn verdict(answer: &Value, arn: &str) -> Option<bool> {
    if let Some(authorized) = answer.get("isAuthorized") {
        return authorized.as_bool();
    }
    assert!(answer["principalId"].as_str().is_some_and(|principal| !principal.is_empty()));
    let statements = answer["policyDocument"]["Statement"].as_array().expect("statements");
    let says = |effect: &str| {
        statements.iter().filter(|statement| statement["Effect"] == effect).any(|statement| {
            let resources = statement["Resource"].as_array().expect("resources");
            resources.iter().any(|resource| matches(resource.as_str().expect("a resource"), arn))
        })
    };
    if says("Deny") { Some(false) } else { says("Allow").then_some(true) }
}

/// Whether the context holds nothing that API Gateway takes from HTTP APIs of payload format 2.0 only.
pub fn is_flat(context: &Value) -> bool {
    let is_scalar = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    context.is_null() || context.as_object().is_some_and(|members| members.values().all(is_scalar))
}

/// `*` is any run of characters, `?` is one.
fn matches(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // For each start of the text: whether the pattern that was read so far matches it.
    let mut fits = vec![false; text.len() + 1];
    fits[0] = true;
    for letter in pattern.chars() {
        if letter == '*' {
            let first = fits.iter().position(|fit| *fit).unwrap_or(fits.len());
            fits[first..].fill(true);
        } else {
            for end in (1..fits.len()).rev() {
                fits[end] = fits[end - 1] && (letter == '?' || letter == text[end - 1]);
            }
            fits[0] = false;
        }
    }
    fits[text.len()]
}
