//! IAM by the crate `iam-rs`: what a policy means to somebody else.

use iam_rs::{Arn, Decision, IAMPolicy, IAMRequest, Principal, PrincipalId, evaluate_policy};

/// Whether the policy lets the ARN be invoked.
pub(crate) fn allows(policy: &IAMPolicy, arn: &str) -> bool {
    // iam-rs 0.8.0 takes a `*` of the text for the `*` of a pattern, and goes on behind both: `a/*` then
    // fails to match `a/*/b`. To a pattern any letter that it does not hold is as good.
    let arn = &arn.replace('*', "\u{2217}");
    let caller = Principal::Service(PrincipalId::String("apigateway.amazonaws.com".into()));
    let request = IAMRequest::new(caller, "execute-api:Invoke", Arn::parse(arn).unwrap());
    match evaluate_policy(policy, &request).unwrap() {
        Decision::Allow => true,
        Decision::Deny | Decision::NotApplicable => false,
    }
}
