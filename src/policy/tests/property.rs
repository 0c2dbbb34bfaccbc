//! The property that holds the design together: for every caller and every route, what the rules say, what the policy
//! says in our evaluation, and what it says in an evaluator that is not ours are one; for the route that was asked for,
//! and for every other one that API Gateway decides by the same policy.

use iam_rs::{Arn, Decision, IAMPolicy, IAMRequest, Principal as IamPrincipal, PrincipalId, evaluate_policy};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::claims::ClaimPath;
use crate::rules::{RoutePattern, Ruling, Shape, Test};

const PREFIX: &str = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/";

/// Other places than [`PREFIX`] with the stage `dev`.
const ELSEWHERE: [&str; 6] = [
    "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/",
    "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev2/",
    "arn:aws:execute-api:us-east-1:123456789012:z9y8x7w6v5/dev/",
    "arn:aws:execute-api:us-east-1:210987654321:a1b2c3d4e5/dev/",
    "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/dev/",
    "arn:aws-cn:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/",
];

/// What one case is made of: an API, its rules, who asks, and for what.
#[derive(Clone, Debug)]
struct Case {
    rules: Vec<Rule>,
    claims: Value,
    asked: String,
    others: Vec<String>,
}

/// Few words, so that rules, routes and values meet.
const WORDS: [&str; 4] = ["a", "b", "GET", "u1"];

fn route() -> impl Strategy<Value = RoutePattern> {
    let method = prop_oneof![3 => select(vec!["GET", "POST", "DELETE"]), 2 => Just("ANY")];
    let segment = prop_oneof![
        5 => select(WORDS.to_vec()),
        4 => Just("{id}"),
        2 => Just("{claims.sub}"),
        1 => Just("{claims.teams}"),
    ];
    let end = prop_oneof![4 => Just(""), 1 => Just("/"), 2 => Just("/**")];
    let path = (method, prop::collection::vec(segment, 0..4), end).prop_map(|(method, segments, end)| {
        let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        let path = format!("{path}{end}");
        format!("{method} {}", if path.is_empty() { "/" } else { &path }).parse().unwrap()
    });
    prop_oneof![15 => path, 1 => Just("$connect".parse().unwrap())]
}

fn leaf() -> impl Strategy<Value = Requirement> {
    prop_oneof![
        2 => Just(Requirement::Authenticated),
        1 => Just(Requirement::Anyone),
        5 => select(vec!["r", "w", "x"]).prop_map(|scope| Requirement::Scope(scope.into())),
        1 => Just(Requirement::Claim(ClaimPath::of(["teams"]), Test::Contains(json!("a")))),
        1 => Just(Requirement::Claim(ClaimPath::of(["sub"]), Test::OneOf(vec![json!("u1"), json!("b")]))),
        1 => Just(Requirement::Claim(ClaimPath::of(["teams"]), Test::Prefix("b".into()))),
    ]
}

fn requirement() -> impl Strategy<Value = Requirement> {
    leaf().prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(Requirement::All),
            prop::collection::vec(inner.clone(), 1..3).prop_map(Requirement::Any),
            inner.prop_map(|inner| Requirement::Not(Box::new(inner))),
        ]
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let effect = prop_oneof![5 => Just(Effect::Allow), 1 => Just(Effect::Deny)];
    let stages =
        prop_oneof![6 => Just(vec![]), 1 => Just(vec!["dev".to_owned()]), 1 => Just(vec!["prod".to_owned()])];
    (prop::collection::vec(route(), 1..4), effect, requirement(), stages).prop_map(
        |(routes, effect, requirement, stages)| Rule {
            name: "rule".into(),
            effect,
            routes,
            requirement,
            stages,
            apis: Vec::new(),
            context: Vec::new(),
            usage_identifier_key: None,
        },
    )
}

fn claims() -> impl Strategy<Value = Value> {
    let sub =
        select(vec![json!("u1"), json!("a"), json!("x|y"), json!("*"), json!("a/b"), json!(7), json!(null)]);
    let teams = select(vec![
        json!(["a", "b"]),
        json!("b"),
        json!([]),
        json!(["?", "t@x"]),
        json!({"a": 1}),
        json!(null),
    ]);
    let scopes = subsequence(vec!["r", "w", "x"], 0..=3).prop_map(|scopes| json!(scopes.join(" ")));
    (sub, teams, scopes).prop_map(|(sub, teams, scope)| json!({"sub": sub, "teams": teams, "scope": scope}))
}

/// A request's path as a client may send it: the words of the rules, values, and odd ones.
fn tail() -> impl Strategy<Value = String> {
    let method = select(vec!["GET", "POST", "DELETE", "PUT", "PATCH"]);
    let odd = select(vec![
        "",
        ".",
        "..",
        "*",
        "?",
        "${*}",
        "${aws:username}",
        "a%2Fb",
        "%2e%2e",
        "%2E",
        "é",
        "$connect",
        "y,z",
        "...",
        "a b",
    ]);
    let value = select(vec!["u1", "7", "x|y", "x%7Cy", "t@x", "t%40x", "fresh", "GET", "a", "b"]);
    let segment = prop_oneof![4 => select(WORDS.to_vec()), 3 => value, 1 => odd];
    let end = prop_oneof![8 => Just(""), 2 => Just("/"), 1 => Just("//")];
    let path = (method, prop::collection::vec(segment, 0..6), end).prop_map(|(method, segments, end)| {
        let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        // The root has spellings of its own: `a_refused_root_is_denied_in_every_spelling`.
        let path = format!("{path}{end}");
        let path = if path.bytes().all(|byte| byte == b'/') { "/" } else { &path };
        format!("{method}{path}")
    });
    let long = (select(vec!["GET/a/", "GET/b/a/", "POST/"])).prop_map(|start| {
        let length = 1600 - PREFIX.len() - "dev/".len() - start.len();
        format!("{start}{}", "x".repeat(length))
    });
    prop_oneof![30 => path, 1 => long, 2 => Just("$connect".to_owned())]
}

/// A path that a route of the rules names, so that what is allowed is asked for, too.
fn instance(route: &RoutePattern, seed: u32) -> String {
    let Shape::Path(methods, path) = route.shape() else { return "$connect".to_owned() };
    let pick = |from: &[&str], by: u32| from[(seed.rotate_left(by) as usize) % from.len()].to_owned();
    let mut text = pick(&methods.names().collect::<Vec<_>>(), 3);
    for (position, segment) in path.segments.iter().enumerate() {
        let segment = match segment {
            crate::rules::Segment::Literal(text) => text.clone(),
            crate::rules::Segment::Any => pick(&["7", "a", "u1", "fresh"], 5 + position as u32),
            crate::rules::Segment::Claim(_) => {
                pick(&["u1", "a", "b", "x|y", "x%7Cy", "t@x"], 7 + position as u32)
            }
        };
        text = format!("{text}/{segment}");
    }
    if path.is_open {
        text.push_str(&pick(&["/7", "/a/b", "/7/a/u1", "/GET"], 11));
    } else if path.segments.is_empty() || seed.is_multiple_of(5) {
        text.push('/');
    }
    text
}

fn case() -> impl Strategy<Value = Case> {
    let rules = prop::collection::vec(rule(), 1..6);
    (rules, claims(), prop::collection::vec(tail(), 6), prop::collection::vec(any::<u32>(), 6)).prop_map(
        |(rules, claims, mut others, seeds)| {
            let routes: Vec<&RoutePattern> = rules.iter().flat_map(|rule| &rule.routes).collect();
            others.extend(seeds.iter().map(|seed| instance(routes[*seed as usize % routes.len()], *seed)));
            let asked = others.swap_remove(seeds[0] as usize % others.len());
            Case { rules, claims, asked, others }
        },
    )
}

/// How often what was met, so that the test is seen to have met it.
#[derive(Debug, Default)]
struct Tally {
    cases: u32,
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

fn check(case: &Case, tally: &mut Tally) -> Result<(), TestCaseError> {
    let compiler = Compiler::new(Rules::new(case.rules.clone()));
    let principal = principal(case.claims.clone());
    let caller = Caller { principal: Some(&principal), source_ip: None };
    let arn = |tail: &str| -> MethodArn { format!("{PREFIX}dev/{tail}").parse().unwrap() };
    let asked = arn(&case.asked);
    let standing = compiler.rules().standing(&caller, &asked);
    let is_granted = |arn: &MethodArn| {
        matches!(compiler.rules().ruling(&standing, arn), Ruling::Allowed(_) | Ruling::Unruled)
    };
    let Ok(policy) = compiler.compile(&standing, &asked) else { return Ok(()) };
    let independent = Independent::new(&policy);
    let reports = compiler.inexact(&standing);
    tally.cases += 1;

    for tail in std::iter::once(&case.asked).chain(&case.others) {
        let arn = arn(tail);
        let allowed = policy.evaluate(&arn) == Effect::Allow;
        prop_assert_eq!(allowed, independent.allows(&arn.to_string()), "two evaluators differ on {}", arn);
        tally.decisions += 1;
        tally.allowed += u32::from(allowed);
        match (allowed, is_granted(&arn)) {
            (true, true) | (false, false) => {}
            (true, false) => {
                prop_assert!(tail != &case.asked, "{} is asked for and allowed, and no rule allows it", arn);
                prop_assert!(
                    reports.iter().any(|report| report.opens(&arn)),
                    "{} is opened: {:#?}",
                    arn,
                    policy
                );
                tally.over_matched += 1;
            }
            (false, true) => {
                let is_reported = reports.iter().any(|report| report.closes(&arn));
                // What is not plain in the path that was asked for and refused is any character.
                let is_hidden = !is_granted(&asked) && case.asked.contains(['*', '?', '{', ' ', 'é', '|']);
                prop_assert!(is_reported || is_hidden, "{} is closed: {:#?}", arn, policy);
                tally.under_matched += u32::from(is_reported);
            }
        }
        for elsewhere in ELSEWHERE {
            let text = format!("{elsewhere}{tail}");
            prop_assert_eq!(policy.evaluate(&text.parse().unwrap()), Effect::Deny, "{}", text);
        }
    }
    let bytes: usize = policy
        .statements()
        .iter()
        .flat_map(|statement| &statement.resources)
        .map(|resource| resource.as_str().len() + 3)
        .sum();
    prop_assert!(bytes < LARGEST_ANSWER);
    for resource in policy.statements().iter().flat_map(|statement| &statement.resources) {
        let text = resource.as_str();
        prop_assert!(text.len() <= 512 && text.is_ascii() && !text.contains(['{', '"', '\\']), "{}", text);
        prop_assert!(text == "*" || text.starts_with(asked.stage_prefix()), "{}", text);
    }
    let mut reversed = case.rules.clone();
    reversed.reverse();
    let reversed = Compiler::new(Rules::new(reversed));
    let again = reversed.compile(&reversed.rules().standing(&caller, &asked), &asked).unwrap();
    prop_assert_eq!(policy, again, "the order of the rules matters");
    Ok(())
}

#[test]
fn rules_policy_and_an_independent_evaluator_agree() {
    let cases = option_env!("POLICY_CASES").map_or(10_000, |cases| cases.parse().unwrap());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let tally = std::cell::RefCell::new(Tally::default());
    let outcome = TestRunner::new(config).run(&case(), |case| check(&case, &mut tally.borrow_mut()));
    let tally = tally.into_inner();
    println!("{tally:?}");
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
