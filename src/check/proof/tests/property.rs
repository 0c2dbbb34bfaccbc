//! What the proof does not report does not happen: callers and paths that it does not know.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config as Cases, RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::check::ApiSegment;
use crate::check::instances::is_of;
use crate::claims::ClaimPath;
use crate::rules::{Caller as Asking, Methods, Requirement, RoutePattern, Segment, Shape, Test};
use crate::verify::Principal;

#[derive(Clone, Debug)]
struct Sample {
    rules: Vec<Rule>,
    extra: Vec<RoutePattern>,
    callers: Vec<Value>,
    paths: Vec<Vec<String>>,
}

const PREFIX: &str = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/stage/";

fn pattern() -> impl Strategy<Value = RoutePattern> {
    let method = prop_oneof![3 => Just("GET"), 1 => Just("POST"), 1 => Just("ANY")];
    let segment = prop_oneof![5 => select(vec!["a", "b"]), 4 => Just("{id}"), 1 => Just("{claims.sub}")];
    let end = prop_oneof![5 => Just(""), 1 => Just("/**")];
    (method, prop::collection::vec(segment, 1..4), end)
        .prop_map(|(method, segments, end)| format!("{method} /{}{end}", segments.join("/")).parse().unwrap())
}

fn requirement() -> impl Strategy<Value = Requirement> {
    let leaf = prop_oneof![
        1 => Just(Requirement::Authenticated),
        1 => Just(Requirement::Anyone),
        4 => select(vec!["r", "w"]).prop_map(|scope| Requirement::Scope(scope.into())),
        1 => select(vec!["x", "y"]).prop_map(|value| Requirement::Claim(ClaimPath::of(["c"]), Test::Contains(json!(value)))),
        1 => select(vec!["x", "y"]).prop_map(|value| Requirement::Claim(ClaimPath::of(["c"]), Test::OneOf(vec![json!(value)]))),
    ];
    leaf.prop_recursive(1, 3, 2, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(Requirement::All),
            prop::collection::vec(inner.clone(), 1..3).prop_map(Requirement::Any),
            inner.prop_map(|inner| Requirement::Not(Box::new(inner))),
        ]
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let effect = prop_oneof![4 => Just(Effect::Allow), 1 => Just(Effect::Deny)];
    let stages = prop_oneof![6 => Just(vec![]), 1 => Just(vec!["stage".to_owned()]), 1 => Just(vec!["other".to_owned()])];
    let routes = prop::collection::vec(pattern(), 1..3);
    (routes, effect, requirement(), stages).prop_map(|(routes, effect, requirement, stages)| Rule {
        name: "rule".into(),
        effect,
        routes,
        requirement,
        stages,
        apis: Vec::new(),
        context: Vec::new(),
        usage_identifier_key: None,
    })
}

fn caller() -> impl Strategy<Value = Value> {
    let claim = select(vec![
        json!("x"),
        json!("y"),
        json!(["x"]),
        json!(["x", "y"]),
        json!({}),
        json!(5),
        json!(null),
    ]);
    let sub =
        select(vec![json!("u1"), json!("a"), json!("*"), json!(["u1", "b"]), json!(["u1", {}]), json!(null)]);
    let scope = prop_oneof![
        4 => subsequence(vec!["r", "w"], 0..=2).prop_map(|scopes| json!(scopes.join(" "))),
        1 => Just(json!(["r", 5])),
    ];
    (claim, sub, scope).prop_map(|(claim, sub, scope)| json!({"c": claim, "sub": sub, "scope": scope}))
}

fn sample() -> impl Strategy<Value = Sample> {
    let path = prop::collection::vec(select(vec!["a", "b", "u1", "z", "z%2Fa"]), 1..5)
        .prop_map(|path| path.into_iter().map(str::to_owned).collect());
    let callers = prop::collection::vec(caller(), 8);
    let rules = prop::collection::vec(rule(), 1..5);
    (rules, prop::collection::vec(pattern(), 0..3), callers, prop::collection::vec(path, 12))
        .prop_map(|(rules, extra, callers, paths)| Sample { rules, extra, callers, paths })
}

/// An API with the routes of the rules, and some that no rule names, behind one authorizer that caches.
fn api_of(sample: &Sample) -> Api {
    let mut api = api(&["GET /a"], 300);
    let named = api.routes.remove(0);
    for pattern in sample.rules.iter().flat_map(|rule| &rule.routes).chain(&sample.extra) {
        let Shape::Path(methods, path) = pattern.shape() else { continue };
        let segment = |segment: &Segment| match segment {
            Segment::Literal(text) => ApiSegment::Literal(text.clone()),
            Segment::Any | Segment::Claim(_) => ApiSegment::Parameter,
        };
        let segments = path.segments.iter().map(segment).chain(path.is_open.then_some(ApiSegment::Greedy));
        let path: Vec<_> = segments.collect();
        let known = api.routes.iter().filter(|route| route.path.as_ref() == Some(&path));
        let methods = known.fold(*methods, |methods, route| methods.without(route.methods));
        if methods != Methods::NONE {
            let place = format!("{methods} {path:?}");
            api.routes.push(ApiRoute { methods, path: Some(path), place, ..named.clone() });
        }
    }
    api
}

/// What happens against the rules, as the proof would say it.
fn happens(sample: &Sample, rules: &Rules, api: &Api) -> Vec<(&'static str, Vec<String>)> {
    let compiler = Compiler::new(rules.clone());
    let instances = Instances::new(api, rules);
    let arn = |method: &str, path: &[String]| -> MethodArn {
        format!("{PREFIX}{method}/{}", path.join("/")).parse().unwrap()
    };
    let principals: Vec<Principal> = sample
        .callers
        .iter()
        .map(|claims| Principal::for_tests(claims.as_object().unwrap().clone().into()))
        .collect();
    let mut found = Vec::new();
    for principal in principals.iter().map(Some).chain([None]) {
        let asked = arn("GET", &sample.paths[0]);
        let standing = rules.standing(&Asking { principal, ..Asking::default() }, &asked);
        let policy = compiler.compile(&standing, &asked).unwrap();
        for path in sample.paths.get(1..).unwrap() {
            for method in ["GET", "POST", "PUT"] {
                let arn = arn(method, path);
                let is_allowed = matches!(rules.ruling(&standing, &arn), Ruling::Allowed(_));
                let code = match (is_allowed, policy.evaluate(&arn) == Effect::Allow) {
                    (true, false) => "route_closed",
                    (false, true) => "route_opened",
                    (true, true) | (false, false) => continue,
                };
                let of =
                    api.routes.iter().filter(|route| route.methods.includes(method) && is_of(route, path));
                let own = of.filter(|route| !instances.is_of_another(route, method, path));
                let places: Vec<_> = own.map(|route| route.place.clone()).collect();
                if !places.is_empty() {
                    found.push((code, places));
                }
            }
        }
    }
    found
}

#[test]
fn what_is_not_reported_does_not_happen() {
    let cases = Cases { cases: 300, failure_persistence: None, ..Cases::default() };
    // The same cases each time: how many of them differ is counted.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let happened = std::cell::Cell::new(0);
    let outcome = TestRunner::new_with_rng(cases, rng).run(&sample(), |sample| {
        let mut config = config("");
        config.compiler = Compiler::new(Rules::new(sample.rules.clone()));
        let api = api_of(&sample);
        let found = findings(&config, &api);
        prop_assert!(found.iter().all(|finding| finding.code != "route_unproven"));
        for (code, places) in happens(&sample, config.compiler.rules(), &api) {
            let is_reported =
                |place: &String| found.iter().any(|finding| (finding.code, &finding.place) == (code, place));
            happened.set(happened.get() + 1);
            prop_assert!(places.iter().any(is_reported), "{code} {places:?}: {found:#?}");
        }
        Ok(())
    });
    outcome.unwrap();
    // Otherwise it would be about nothing.
    assert!(happened.get() > 30, "{happened:?}");
}
