//! Random cases: rules, who asks, and for what.

use std::net::IpAddr;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::claims::ClaimPath;
use crate::credential::CredentialKind;
use crate::rules::{Effect, Parameter, Requirement, RoutePattern, Rule, Segment, Shape, Test};

/// What one case is made of.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) rules: Vec<Rule>,
    /// `None` for a caller without a credential.
    pub(super) claims: Option<Value>,
    pub(super) source_ip: Option<IpAddr>,
    /// The members of the event that rules look at.
    pub(super) parameters: Value,
    pub(super) stage: &'static str,
    /// What is asked for: each makes a policy, and is replayed from those of the others.
    pub(super) asked: Vec<String>,
    /// What is only replayed.
    pub(super) others: Vec<String>,
}

/// The API of all cases.
pub(super) const API: &str = "a1b2c3d4e5";

/// Few words, so that rules, routes and values meet.
const WORDS: [&str; 4] = ["a", "b", "GET", "u1"];

/// Wildcards stand in the rules, and values like the rules' words in the requests.
fn route() -> impl Strategy<Value = RoutePattern> {
    let method = prop_oneof![
        4 => select(vec!["GET", "POST", "DELETE"]),
        1 => select(vec!["PUT", "HEAD", "PATCH", "OPTIONS"]),
        2 => Just("ANY")
    ];
    let segment = prop_oneof![
        5 => select(WORDS.to_vec()),
        4 => Just("{id}"),
        2 => Just("{claims.sub}"),
        1 => Just("{claims.teams}"),
    ];
    let end = prop_oneof![4 => Just(""), 1 => Just("/"), 2 => Just("/**")];
    let depth = prop_oneof![8 => 0..4_usize, 1 => 4..7_usize];
    let segments = depth.prop_flat_map(move |depth| prop::collection::vec(segment.clone(), depth));
    let path = (method, segments, end).prop_map(|(method, segments, end)| {
        let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        let path = format!("{path}{end}");
        format!("{method} {}", if path.is_empty() { "/" } else { &path }).parse().unwrap()
    });
    prop_oneof![15 => path, 1 => Just("$connect".parse().unwrap())]
}

fn leaf() -> impl Strategy<Value = Requirement> {
    let ranges = |text: &str| Requirement::SourceIp(vec![text.parse().unwrap()]);
    prop_oneof![
        2 => Just(Requirement::Authenticated),
        2 => Just(Requirement::Anyone),
        5 => select(vec!["r", "w", "x"]).prop_map(|scope| Requirement::Scope(scope.into())),
        1 => Just(Requirement::Claim(ClaimPath::of(["teams"]), Test::Contains(json!("a")))),
        1 => Just(Requirement::Claim(ClaimPath::of(["sub"]), Test::OneOf(vec![json!("u1"), json!("b")]))),
        1 => Just(Requirement::Claim(ClaimPath::of(["teams"]), Test::Prefix("b".into()))),
        1 => Just(ranges("10.0.0.0/8")),
        1 => Just(ranges("2001:db8::/32")),
        1 => select(vec!["https://issuer.example/", "https://other.example/"])
            .prop_map(|issuer| Requirement::Issuer(issuer.into())),
        1 => Just(Requirement::Credential(CredentialKind::Jwt)),
        2 => (parameter(), test()).prop_map(|(parameter, test)| Requirement::Parameter(parameter, test)),
    ]
}

fn parameter() -> impl Strategy<Value = Parameter> {
    select(vec![
        Parameter::header("X-Tier"),
        Parameter::Query("tier".into()),
        Parameter::StageVariable("tier".into()),
        Parameter::ClientCertificate("subject.O".parse().unwrap()),
    ])
}

fn test() -> impl Strategy<Value = Test> {
    select(vec![Test::OneOf(vec![json!("a"), json!("b")]), Test::Prefix("u".into())])
}

/// Met, unmet, absent, and what cannot be told.
fn parameters() -> impl Strategy<Value = Value> {
    let values = vec![json!("a"), json!("u1"), json!("x"), json!("a,b"), json!(""), json!(null)];
    let value = || select(values.clone());
    let subject = select(vec![json!("O=a"), json!(r"CN=x\,O=a"), json!("O=a,O=b"), json!("a"), json!(null)]);
    (value(), value(), value(), value(), subject).prop_map(|(header, other, query, variable, subject)| {
        json!({
            "headers": {"X-Tier": header}, "multiValueHeaders": {"X-Tier": [other]},
            "queryStringParameters": {"tier": query}, "stageVariables": {"tier": variable},
            "requestContext": {"identity": {"clientCert": {"subjectDN": subject}}},
        })
    })
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

/// Several methods of one path are several routes, as they are written.
fn routes() -> impl Strategy<Value = Vec<RoutePattern>> {
    let with_another = (route(), prop::option::weighted(0.3, select(vec!["GET", "PUT", "POST", "HEAD"])));
    prop::collection::vec(with_another, 1..4).prop_map(|routes| {
        let both = |(route, method): (RoutePattern, Option<&str>)| {
            let another = match (route.shape(), method) {
                (Shape::Path(_, path), Some(method)) => Some(format!("{method} {path}").parse().unwrap()),
                (Shape::Path(..), None) | (Shape::Connect, _) => None,
            };
            std::iter::once(route).chain(another)
        };
        routes.into_iter().flat_map(both).collect()
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let effect = prop_oneof![5 => Just(Effect::Allow), 1 => Just(Effect::Deny)];
    let listed = |names: Vec<&'static str>| {
        prop_oneof![
            8 => Just(Vec::new()),
            1 => subsequence(names, 1..=2)
                .prop_map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>()),
        ]
    };
    let (stages, apis) = (listed(vec!["dev", "prod", "$default"]), listed(vec![API, "z9y8x7w6v5"]));
    (routes(), effect, requirement(), stages, apis).prop_map(|(routes, effect, requirement, stages, apis)| {
        Rule {
            name: "rule".into(),
            effect,
            routes,
            requirement,
            stages,
            apis,
            context: Vec::new(),
            usage_identifier_key: None,
        }
    })
}

fn claims() -> impl Strategy<Value = Option<Value>> {
    let sub = select(vec![
        json!("u1"),
        json!("a"),
        json!("x|y"),
        json!("*"),
        json!("a/b"),
        json!("%61"),
        json!(7),
        json!(true),
        json!(null),
    ]);
    let many: Vec<String> = (0..20).map(|number| format!("v{number}")).collect();
    let too_many: Vec<String> = (0..40).map(|number| format!("v{number}")).collect();
    let teams = select(vec![
        json!(["a", "b"]),
        json!("b"),
        json!([]),
        json!(["?", "t@x"]),
        json!({"a": 1}),
        json!(null),
        json!(many),
        json!(too_many),
    ]);
    let scopes = subsequence(vec!["r", "w", "x"], 0..=3).prop_map(|scopes| json!(scopes.join(" ")));
    let claims = (sub, teams, scopes)
        .prop_map(|(sub, teams, scope)| json!({"sub": sub, "teams": teams, "scope": scope}));
    prop::option::weighted(0.85, claims)
}

/// A request's path as a client may send it: the words of the rules, values, and odd ones.
fn tail() -> impl Strategy<Value = String> {
    let method = select(vec!["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"]);
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
    let value = select(vec!["u1", "7", "x|y", "x%7Cy", "x%7cy", "t@x", "t%40x", "v3", "fresh", "GET", "a"]);
    let segment = prop_oneof![4 => select(WORDS.to_vec()), 3 => value, 1 => odd];
    let end = prop_oneof![8 => Just(""), 2 => Just("/"), 1 => Just("//")];
    let path = (method, prop::collection::vec(segment, 0..8), end).prop_map(|(method, segments, end)| {
        let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        let path = format!("{path}{end}");
        // The spellings of the root are looked at with every policy.
        let path = if path.bytes().all(|byte| byte == b'/') { "/" } else { &path };
        format!("{method}{path}")
    });
    let long = select(vec!["GET/a/", "GET/b/a/", "POST/"]).prop_map(|start| {
        let length = 1600 - "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/".len() - start.len();
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
            Segment::Literal(text) => text.clone(),
            Segment::Any => pick(&["7", "a", "u1", "fresh"], 5 + position as u32),
            Segment::Claim(_) => pick(&["u1", "a", "b", "x|y", "x%7Cy", "t@x", "v7"], 7 + position as u32),
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

/// A random case; some of its routes are named by its rules.
pub(super) fn case() -> impl Strategy<Value = Case> {
    let rules = prop::collection::vec(rule(), 1..7);
    let source_ip = select(vec![
        None,
        Some("10.1.2.3".parse().unwrap()),
        Some("192.0.2.1".parse().unwrap()),
        Some("2001:db8::7".parse().unwrap()),
    ]);
    let stage = prop_oneof![4 => Just("dev"), 1 => Just("$default")];
    let tails = prop::collection::vec(tail(), 6);
    let seeds = prop::collection::vec(any::<u32>(), 6);
    (rules, claims(), source_ip, parameters(), stage, tails, seeds).prop_map(
        |(rules, claims, source_ip, parameters, stage, mut others, seeds)| {
            let routes: Vec<&RoutePattern> = rules.iter().flat_map(|rule| &rule.routes).collect();
            others.extend(seeds.iter().map(|seed| instance(routes[*seed as usize % routes.len()], *seed)));
            let asked = vec![others.remove(0), others.pop().unwrap()];
            Case { rules, claims, source_ip, parameters, stage, asked, others }
        },
    )
}

/// A template of an API: `/orders/{id}`, whatever the rules say of it.
fn template() -> impl Strategy<Value = Vec<&'static str>> {
    let segment = prop_oneof![3 => select(WORDS.to_vec()), 2 => Just("{}")];
    let end = prop_oneof![5 => Just(None), 1 => Just(Some("{proxy+}"))];
    (prop::collection::vec(segment, 0..5), end).prop_map(|(mut template, end)| {
        template.extend(end);
        template
    })
}

/// A case with an API: all instances of all its templates are replayed.
pub(super) fn case_with_api() -> impl Strategy<Value = Case> {
    (case(), prop::collection::vec(template(), 1..4)).prop_map(|(case, templates)| {
        let mut others = Vec::new();
        for template in templates {
            let paths = instances(&template);
            others.extend(["GET", "POST"].iter().flat_map(|method| {
                paths.iter().map(move |path| format!("{method}{}", if path.is_empty() { "/" } else { path }))
            }));
        }
        Case { others, ..case }
    })
}

fn instances(template: &[&str]) -> Vec<String> {
    let mut paths = vec![String::new()];
    for segment in template {
        let texts: &[&str] = match *segment {
            "{}" => &["a", "u1", "7"],
            "{proxy+}" => &["7", "a/b", "u1/7/a"],
            literal => &[literal],
        };
        paths =
            paths.iter().flat_map(|path| texts.iter().map(move |text| format!("{path}/{text}"))).collect();
    }
    paths
}
