//! The property that holds the design together: for every caller and every route, what the rules say, what the policy
//! says in our evaluation, and what it says in an evaluator that is not ours are one; for the route that was asked for,
//! and for every other one that API Gateway decides by the same policy.

use std::cell::RefCell;
use std::hash::{BuildHasher as _, RandomState};

use iam_rs::{Arn, Decision, IAMPolicy, IAMRequest, Principal as IamPrincipal, PrincipalId, evaluate_policy};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::case::{API, Case, case, case_with_api};
use super::*;
use crate::event::Event;
use crate::request::Request;
use crate::rules::{PathPattern, RoutePattern, Ruling, Segment, Shape, Standing};

/// Other places than those of the cases.
const ELSEWHERE: [&str; 6] = [
    "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/",
    "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev2/",
    "arn:aws:execute-api:us-east-1:123456789012:z9y8x7w6v5/dev/",
    "arn:aws:execute-api:us-east-1:210987654321:a1b2c3d4e5/dev/",
    "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/dev/",
    "arn:aws-cn:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/",
];

/// How often what was met, so that the test is seen to have met it.
#[derive(Debug, Default)]
struct Tally {
    cases: u32,
    refused: u32,
    policies: u32,
    decisions: u32,
    allowed: u32,
    over_matched: u32,
    under_matched: u32,
}

/// What an answer says in an evaluator that is not ours.
struct Independent(IAMPolicy);

impl Independent {
    fn new(policy: &Policy) -> Self {
        let statements: Vec<Value> = policy
            .statements()
            .iter()
            .map(|statement| {
                let resources: Vec<&str> = statement.resources.iter().map(ArnPattern::as_str).collect();
                json!({"Effect": format!("{:?}", statement.effect), "Action": "execute-api:Invoke", "Resource": resources})
            })
            .collect();
        Self(serde_json::from_value(json!({"Version": "2012-10-17", "Statement": statements})).unwrap())
    }

    fn allows(&self, arn: &str) -> bool {
        // It takes a `*` in the requested ARN for a wildcard, as no pattern of a rule does: any other letter that no
        // pattern holds is as good.
        let arn = &arn.replace('*', "\u{2217}");
        let caller = IamPrincipal::Service(PrincipalId::String("apigateway.amazonaws.com".into()));
        let request = IAMRequest::new(caller, "execute-api:Invoke", Arn::parse(arn).unwrap());
        match evaluate_policy(&self.0, &request).unwrap() {
            Decision::Allow => true,
            Decision::Deny | Decision::NotApplicable => false,
        }
    }
}

fn arn_of(stage: &str, tail: &str) -> MethodArn {
    format!("arn:aws:execute-api:us-east-1:123456789012:{API}/{stage}/{tail}").parse().unwrap()
}

fn request_of(parameters: &Value) -> Request {
    let mut event = json!({"type": "REQUEST", "methodArn": arn_of("dev", "GET/").to_string()});
    event.as_object_mut().unwrap().extend(parameters.as_object().unwrap().clone());
    Event { payload: &event.to_string(), invocation_id: "1", deadline: None }.try_into().unwrap()
}

fn check(case: &Case, tally: &mut Tally) -> Result<(), TestCaseError> {
    let compiler = Compiler::new(Rules::new(case.rules.clone()));
    let principal = case.claims.clone().map(principal);
    let request = request_of(&case.parameters);
    let caller = Caller { principal: principal.as_ref(), source_ip: case.source_ip, request: Some(&request) };
    let arn = |tail: &str| arn_of(case.stage, tail);
    let root = arn("GET/");
    let standing = compiler.rules().standing(&caller, &root);
    let mut reversed = case.rules.clone();
    reversed.reverse();
    let reversed = Compiler::new(Rules::new(reversed));
    tally.cases += 1;
    let mut allowed: Option<Vec<Statement>> = None;
    for (position, asked) in case.asked.iter().enumerate() {
        let asked = arn(asked);
        let policy = compiler.compile(&standing, &asked);
        if position == 0 {
            let again = reversed.compile(&reversed.rules().standing(&caller, &asked), &asked);
            // Of two reasons why there is none, it may be either.
            prop_assert_eq!(policy.as_ref().ok(), again.as_ref().ok(), "the order of the rules matters");
        }
        let Ok(policy) = policy else {
            prop_assert!(allowed.is_none(), "whether there is a policy depends on the route");
            tally.refused += u32::from(position == 0);
            continue;
        };
        tally.policies += 1;
        let allows: Vec<_> = policy
            .statements()
            .iter()
            .filter(|statement| statement.effect == Effect::Allow)
            .cloned()
            .collect();
        prop_assert!(position == 0 || allowed.is_some(), "whether there is a policy depends on the route");
        prop_assert_eq!(
            allowed.get_or_insert_with(|| allows.clone()),
            &allows,
            "{} is let in by itself",
            asked
        );
        check_form(&policy, &asked)?;
        check_root(&policy, &compiler, &standing, case.stage)?;
        let tails = case.asked.iter().chain(&case.others).map(|tail| arn(tail));
        let replayed = Replayed { case, compiler: &compiler, standing: &standing, asked: &asked };
        replayed.check(&policy, tails, tally)?;
    }
    Ok(())
}

/// One policy, and the routes that it is replayed on.
struct Replayed<'a> {
    case: &'a Case,
    compiler: &'a Compiler,
    standing: &'a Standing<'a>,
    asked: &'a MethodArn,
}

impl Replayed<'_> {
    fn is_granted(&self, arn: &MethodArn) -> bool {
        matches!(self.compiler.rules().ruling(self.standing, arn), Ruling::Allowed(_) | Ruling::Unruled)
    }

    fn check(
        &self,
        policy: &Policy,
        arns: impl Iterator<Item = MethodArn>,
        tally: &mut Tally,
    ) -> Result<(), TestCaseError> {
        let independent = Independent::new(policy);
        let reports = self.compiler.inexact(self.standing);
        for (position, arn) in arns.enumerate() {
            let allowed = policy.evaluate(&arn) == Effect::Allow;
            prop_assert_eq!(
                allowed,
                independent.allows(&arn.to_string()),
                "two evaluators differ on {}",
                arn
            );
            tally.decisions += 1;
            tally.allowed += u32::from(allowed);
            match (allowed, self.is_granted(&arn)) {
                (true, true) | (false, false) => {}
                (true, false) => {
                    prop_assert!(
                        arn != *self.asked,
                        "{} is asked for and allowed, and no rule allows it",
                        arn
                    );
                    let is_reported = reports.iter().any(|report| report.opens(&arn));
                    prop_assert!(is_reported, "{} is opened: {:#?}", arn, policy);
                    prop_assert!(!self.is_avoidable(&arn), "{} is named, and opened: {:#?}", arn, policy);
                    tally.over_matched += 1;
                }
                (false, true) => {
                    let is_reported = reports.iter().any(|report| report.closes(&arn));
                    // What is not plain in the path that was asked for and refused is any character.
                    let is_hidden =
                        !self.is_granted(self.asked) && self.asked.path().contains(['*', '?', '{', ' ', 'é']);
                    prop_assert!(is_reported || is_hidden, "{} is closed: {:#?}", arn, policy);
                    tally.under_matched += u32::from(is_reported);
                }
            }
            let elsewhere = ELSEWHERE[position % ELSEWHERE.len()];
            let text = arn.to_string().replacen(self.asked.stage_prefix(), elsewhere, 1);
            prop_assert_eq!(policy.evaluate(&text.parse().unwrap()), Effect::Deny, "{}", text);
        }
        Ok(())
    }

    /// A route that a rule names for somebody is closed for everybody else, unless a path that is open contains it, or its
    /// Deny would hit routes that are open whatever they are called.
    fn is_avoidable(&self, arn: &MethodArn) -> bool {
        let rules = || self.compiler.rules().as_slice().iter().filter(|rule| rule.effect == Effect::Allow);
        let routes = || rules().flat_map(|rule| &rule.routes);
        let contains = |wider: &RoutePattern, route: &RoutePattern| match (wider.shape(), route.shape()) {
            (Shape::Path(_, wider), Shape::Path(_, path)) => wider != path && wider.covers(path),
            (Shape::Path(..) | Shape::Connect, _) => false,
        };
        let is_contained = |route: &RoutePattern| {
            routes().any(|wider| contains(wider, route) && !self.fresh_and_open(wider, arn).is_empty())
        };
        let is_named = |route: &&RoutePattern| route.names(arn) && !is_contained(route);
        let names: Vec<String> = routes().filter(is_named).filter_map(text_of).collect();
        let open: Vec<String> = routes().flat_map(|route| self.fresh_and_open(route, arn)).collect();
        names.iter().any(|name| !open.iter().any(|open| ArnPattern::new(name).matches(open)))
    }

    /// Paths of the route that are open for the caller and whose wildcards and claims are like no text in the rules.
    fn fresh_and_open(&self, route: &RoutePattern, arn: &MethodArn) -> Vec<String> {
        let (Shape::Path(_, path), Some(method)) = (route.shape(), arn.method()) else { return Vec::new() };
        let lengths = if path.is_open { 1..8 } else { 0..1 };
        let paths = lengths.map(|length| {
            let end = "/~end".repeat(length);
            (format!("{}{end}", fresh(path, None)), format!("{}{end}", fresh(path, Some(self.case))))
        });
        let is_open = |real: &str| {
            let arn =
                arn_of(self.case.stage, &format!("{method}{}", if real.is_empty() { "/" } else { real }));
            match self.compiler.rules().ruling(self.standing, &arn) {
                Ruling::Allowed(_) | Ruling::Unruled => true,
                // What a Deny closes by the caller's values is not known when it is worked out what may be closed.
                Ruling::Refused(Reason::RouteDenied { .. }) => self.values_matter(route),
                Ruling::Refused(_) => false,
            }
        };
        paths.filter(|(_, real)| is_open(real)).map(|(fresh, _)| fresh).collect()
    }

    /// Whether it takes the caller's values to tell if a Deny covers the route.
    fn values_matter(&self, route: &RoutePattern) -> bool {
        let denying = self.compiler.rules().as_slice().iter().filter(|rule| rule.effect == Effect::Deny);
        denying.flat_map(|rule| &rule.routes).chain([route]).any(|route| route.claims().next().is_some())
    }
}

/// What names the route and, as IAM does, more.
fn text_of(route: &RoutePattern) -> Option<String> {
    let Shape::Path(_, path) = route.shape() else { return None };
    let segment = |segment: &Segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Any | Segment::Claim(_) => "/*".to_owned(),
    };
    let text: String = path.segments.iter().map(segment).collect();
    Some(if path.is_open { format!("{text}/*") } else { text })
}

/// The path with values that are like no other text; with the caller's own for claims, where there is one.
fn fresh(path: &PathPattern, case: Option<&Case>) -> String {
    let value = |claim: &str| {
        let value = case?.claims.as_ref()?.get(claim)?;
        let first = value.as_array().map_or(Some(value), |items| items.last())?;
        Some(first.as_str().map_or_else(|| first.to_string(), str::to_owned))
    };
    let segment = |(position, segment): (usize, &Segment)| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Any => format!("/~{position}"),
        Segment::Claim(claim) => format!("/{}", value(&claim.to_string()).unwrap_or_else(|| "~claim".into())),
    };
    path.segments.iter().enumerate().map(segment).collect()
}

fn check_form(policy: &Policy, asked: &MethodArn) -> Result<(), TestCaseError> {
    let resources = || policy.statements().iter().flat_map(|statement| statement.resources.iter());
    prop_assert!(resources().map(|resource| resource.as_str().len() + 3).sum::<usize>() < LARGEST_ANSWER);
    for resource in resources() {
        let text = resource.as_str();
        prop_assert!(text.len() <= 512 && text.is_ascii() && !text.contains(['{', '"', '\\']), "{}", text);
        prop_assert!(text == "*" || text.starts_with(asked.stage_prefix()), "{}", text);
    }
    prop_assert!(policy.statements().iter().all(|statement| statement.resources.iter().next().is_some()));
    Ok(())
}

/// Whichever spelling of the root a gateway compares with.
fn check_root(
    policy: &Policy,
    compiler: &Compiler,
    standing: &Standing<'_>,
    stage: &str,
) -> Result<(), TestCaseError> {
    for method in ["GET", "POST"] {
        let root = arn_of(stage, &format!("{method}/"));
        let is_granted = matches!(compiler.rules().ruling(standing, &root), Ruling::Allowed(_));
        for spelling in ["", "/", "//"] {
            let text = format!("{}{method}{spelling}", root.stage_prefix());
            let allowed = policy.says(Effect::Allow, &text) && !policy.says(Effect::Deny, &text);
            prop_assert!(is_granted || !allowed, "the root is opened as {}: {:#?}", text, policy);
            // A Deny of `/{id}` hits `GET//`, too.
            let is_exact = spelling != "//";
            prop_assert!(
                !is_granted || allowed || !is_exact,
                "the root is closed as {}: {:#?}",
                text,
                policy
            );
        }
    }
    Ok(())
}

/// `POLICY_CASES` asks for another number, `POLICY_SEED` for a run once more.
#[expect(clippy::disallowed_methods, reason = "whoever runs the test chooses how long")]
fn run(default: u32, percent: u32, cases: impl Strategy<Value = Case>) {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let count = number("POLICY_CASES").map_or(default, |count| u32::try_from(count).unwrap());
    let seed = number("POLICY_SEED").unwrap_or_else(|| RandomState::new().hash_one(default));
    let bytes: Vec<u8> = seed.to_le_bytes().into_iter().chain([7; 8]).collect();
    let rng = TestRng::from_seed(RngAlgorithm::XorShift, &bytes);
    let config =
        Config { cases: count, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let tally = RefCell::new(Tally::default());
    let outcome =
        TestRunner::new_with_rng(config, rng).run(&cases, |case| check(&case, &mut tally.borrow_mut()));
    let tally = tally.into_inner();
    println!("seed {seed}: {tally:?}");
    if let Err(error) = outcome {
        panic!("POLICY_SEED={seed}: {error}");
    }
    // What the test is about is met, and what is reported remains an exception.
    assert!(tally.allowed > tally.decisions / 20, "{tally:?}");
    assert!((tally.over_matched + tally.under_matched) * 100 < tally.decisions * percent, "{tally:?}");
    assert!(tally.refused * 10 < tally.cases, "{tally:?}");
}

#[test]
fn random_routes_are_decided_as_the_rules_do_1() {
    run(30_000, 2, case());
}

#[test]
fn random_routes_are_decided_as_the_rules_do_2() {
    run(30_000, 2, case());
}

#[test]
fn random_routes_are_decided_as_the_rules_do_3() {
    run(30_000, 2, case());
}

#[test]
fn every_route_of_an_api_is_decided_as_the_rules_do() {
    run(10_000, 4, case_with_api());
}
