//! The property that holds the design together: for every caller and every route, the rules, our own
//! evaluation of the policy, and an evaluator of others agree.

use lambda_authorizer::arn::MethodArn;
use lambda_authorizer::rules::RoutePattern;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

use crate::library::{authorizer, token};
use crate::policy::Issued;

const STAGE: &str = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/$default";

const SCOPES: [&str; 3] = ["a", "b", "c"];

/// A rule: its routes, and the scopes that it asks for; none stands for `authenticated`.
#[derive(Clone, Debug)]
struct Rule {
    routes: Vec<String>,
    scopes: Vec<&'static str>,
}

impl Rule {
    fn toml(&self) -> String {
        let requires = match self.scopes.as_slice() {
            [] => "'authenticated'".to_owned(),
            scopes => format!("{{ scope = {scopes:?} }}"),
        };
        format!("[[rule]]\nname = 'rule'\nroutes = {:?}\nrequires = {requires}\n", self.routes)
    }

    fn allows(&self, scopes: &[&str], arn: &MethodArn) -> bool {
        self.scopes.iter().all(|scope| scopes.contains(scope))
            && self.routes.iter().any(|route| route.parse::<RoutePattern>().unwrap().names(arn))
    }
}

/// Few words, so that rules and requests meet.
fn route() -> impl Strategy<Value = String> {
    let method = select(vec!["GET", "POST", "ANY"]);
    let segments = prop::collection::vec(select(vec!["x", "y", "GET", "x:y", "..."]), 0..3);
    let end = select(vec!["", "/", "/**"]);
    let path = (method, segments, end).prop_map(|(method, segments, end)| {
        let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        let path = format!("{path}{end}");
        format!("{method} {}", if path.is_empty() { "/" } else { &path })
    });
    prop_oneof![15 => path, 1 => Just("$connect".to_owned())]
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let rule = (prop::collection::vec(route(), 1..4), subsequence(SCOPES.to_vec(), 0..=2));
    prop::collection::vec(rule.prop_map(|(routes, scopes)| Rule { routes, scopes }), 1..4)
}

/// A method and a path as a client may send it, odd ones included, or `$connect`.
fn request() -> impl Strategy<Value = (Option<&'static str>, String)> {
    let method = select(vec!["GET", "POST", "PUT", "HEAD"]);
    let odd =
        vec!["", ".", "..", "*", "?", "${x}", "${*}", "%2F", "%2e%2e", "é", "$connect", "y,z", "\u{7f}"];
    let segment = prop_oneof![3 => select(vec!["x", "y", "GET", "x:y", "..."]), 1 => select(odd)];
    let end = prop_oneof![6 => Just(""), 1 => Just("/"), 1 => Just("//")];
    let path = (prop::collection::vec(segment, 0..5), end).prop_map(|(segments, end)| {
        let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        let path = format!("{path}{end}");
        // The root has spellings of its own: `policy::the_root_is_one_route_in_every_spelling`.
        if path.bytes().all(|byte| byte == b'/') { "/".to_owned() } else { path }
    });
    prop_oneof![
        15 => (method, path).prop_map(|(method, path)| (Some(method), path)),
        1 => Just((None, "$connect".to_owned())),
    ]
}

fn arn((method, path): &(Option<&str>, String)) -> String {
    match method {
        Some(method) => format!("{STAGE}/{method}{path}"),
        None => format!("{STAGE}/{path}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn policy_rules_and_iam_agree(
        rules in rules(),
        held in subsequence(SCOPES.to_vec(), 0..=3),
        asked in request(),
        others in prop::collection::vec(request(), 8),
    ) {
        let sections = rules.iter().map(Rule::toml).collect::<String>();
        // Few of these are more than an answer can hold.
        prop_assume!(crate::library::config(&sections).is_ok());
        let authorizer = authorizer(&sections);
        let token = token(&json!({"scope": held.join(" ")}));
        prop_assume!(!Issued::is_too_large(&authorizer, &token, &arn(&asked)));
        let issued = Issued::asking(&authorizer, &token, &arn(&asked));
        let granted = |request: &(Option<&str>, String)| {
            let arn: MethodArn = arn(request).parse().unwrap();
            rules.iter().any(|rule| rule.allows(&held, &arn))
        };
        prop_assert_eq!(issued.allows(&arn(&asked)), granted(&asked), "{}: {}", arn(&asked), issued.json);
        // Any other character is a `?` in the Deny: it may cover a granted route of the same length.
        let is_plain = asked.1.chars().all(|letter| letter.is_ascii_alphanumeric() || "._~:@,;=+/%-$".contains(letter));
        for other in &others {
            let allowed = issued.allows(&arn(other));
            prop_assert!(!allowed || granted(other), "{} opened {}", arn(&asked), arn(other));
            if is_plain || granted(&asked) {
                prop_assert_eq!(allowed, granted(other), "{} after {}", arn(other), arn(&asked));
            }
        }
    }
}
