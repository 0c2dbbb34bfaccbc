//! What a policy means: by our own evaluation, by the crate `iam-rs`, and by the rules it was made of.

use authorizer_cli::gateway::EventKind::{RestToken, WebSocket};
use iam_rs::IAMPolicy;
use lambda_authorizer::Authorizer;
use lambda_authorizer::arn::MethodArn;
use lambda_authorizer::error::{Error, Reason};
use lambda_authorizer::policy::{Effect, Policy};
use lambda_authorizer::rules::{ODD_PATHS, RoutePattern};
use serde_json::{Value, json};

use crate::answer;
use crate::iam;
use crate::library::{authorizer, decide, token};
use crate::support::event;

/// The caller's policy after they asked for this ARN: as we hold it, and as API Gateway gets it.
pub(crate) struct Issued {
    pub(crate) policy: Policy,
    document: IAMPolicy,
    pub(crate) json: Value,
}

impl Issued {
    pub(crate) fn asking(authorizer: &Authorizer, token: &str, arn: &str) -> Self {
        let event = asking(token, arn);
        let policy = decide(authorizer, &event).unwrap().policy().clone();
        let json = answer(authorizer, &event).unwrap()["policyDocument"].take();
        Self { policy, document: serde_json::from_value(json.clone()).unwrap(), json }
    }

    /// Whether the caller's rules are more than a policy can hold.
    pub(crate) fn is_too_large(authorizer: &Authorizer, token: &str, arn: &str) -> bool {
        match decide(authorizer, &asking(token, arn)) {
            Err(Error::Rejection(rejection)) => matches!(rejection.reason, Reason::PolicyTooLarge { .. }),
            Err(Error::Fault(_)) | Ok(_) => false,
        }
    }

    /// Whether the policy allows the ARN. Both evaluators say the same.
    pub(crate) fn allows(&self, arn: &str) -> bool {
        let theirs = self.allows_by_iam(arn);
        // An ARN that we cannot parse is one that we cannot be asked about.
        if let Ok(parsed) = arn.parse::<MethodArn>() {
            let ours = self.policy.evaluate(&parsed) == Effect::Allow;
            assert_eq!(ours, theirs, "ours and theirs on {arn}: {}", self.json);
        }
        theirs
    }

    fn allows_by_iam(&self, arn: &str) -> bool {
        iam::allows(&self.document, arn)
    }
}

/// The event of a caller who asks for this ARN.
fn asking(token: &str, arn: &str) -> Value {
    let is_connect = arn.split('/').nth(2) == Some("$connect");
    let mut event = event(if is_connect { WebSocket } else { RestToken }, token);
    event["methodArn"] = json!(arn);
    event
}

const STAGE: &str = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev";

/// Other places than [`STAGE`].
const ELSEWHERE: [&str; 10] = [
    "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod",
    "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev2",
    "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/de",
    "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/DEV",
    "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/$default",
    "arn:aws:execute-api:us-east-1:123456789012:z9y8x7w6v5/dev",
    "arn:aws:execute-api:us-east-1:210987654321:a1b2c3d4e5/dev",
    "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/dev",
    "arn:aws-cn:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev",
    "arn:aws:execute-api:us-east-1:123456789012:other/dev/GET/a1b2c3d4e5/dev",
];

const RULES: &str = "
    [[rule]]
    name = 'read orders'
    routes = ['GET /orders', 'GET /orders/**', '$connect']
    requires = { scope = 'orders:read' }
    [[rule]]
    name = 'write orders'
    routes = ['POST /orders', 'DELETE /orders/**']
    requires = { scope = ['orders:read', 'orders:write'] }
    [[rule]]
    name = 'own profile'
    routes = ['ANY /me', 'GET /']
    requires = 'authenticated'
";

/// What the bearer of `orders:read` may do under [`RULES`].
const ROUTES: [(&str, bool); 46] = [
    ("GET/", true),
    ("POST/", false),
    ("GET/orders", true),
    ("GET/orders/", true),
    ("GET/orders/7", true),
    ("GET/orders/7/", true),
    ("GET/orders/7/items/3", true),
    ("GET/orders/a:b:c", true),
    ("GET/orders/2021-08-01T00:00:00Z/y", true),
    ("GET/orders/a%2Bb", true),
    ("GET/orders/a%2Fb", false),
    ("GET/orders/a%2fb", false),
    ("GET/orders/%2E%2E/me", false),
    ("GET/orders/7%2e", false),
    ("GET/orders/é", true),
    ("GET/orders/*", true),
    ("GET/orders/?", true),
    ("GET/orders/${*}", true),
    ("GET/orders/${aws:username}", true),
    ("GET/orders/GET/me", true),
    ("GET/orders//7", false),
    ("GET/orders/7//", false),
    ("GET/orders/../me", false),
    ("GET/orders/..", false),
    ("GET/orders/./7", false),
    ("GET/orders/.", false),
    ("GET/orders/...", true),
    ("GET/ordersx", false),
    ("GET/order", false),
    ("GET/Orders", false),
    ("GET/orders%2F7", false),
    ("GET//orders", false),
    ("GET/x/orders", false),
    ("GET/*", false),
    ("GET/?", false),
    ("GET/${*}", false),
    ("GET/orders*", false),
    ("POST/orders", false),
    ("POST/orders/7", false),
    ("DELETE/orders/7", false),
    ("POST/GET/orders/7", false),
    ("PUT/me", true),
    ("OPTIONS/me/", true),
    ("GET/me/7", false),
    ("TRACE/me", false),
    ("$connect", true),
];

/// All of [`ROUTES`], and an ARN as long as API Gateway's longest.
fn routes() -> Vec<(String, bool)> {
    let mut routes: Vec<_> = ROUTES.map(|(tail, expected)| (format!("{STAGE}/{tail}"), expected)).into();
    for (tail, expected) in [("GET/orders/", true), ("GET/other/", false), ("POST/orders/", false)] {
        let start = format!("{STAGE}/{tail}");
        routes.push((format!("{start}{}", "x".repeat(1600 - start.len())), expected));
    }
    routes
}

#[test]
fn without_rules_a_policy_is_the_stage_and_nothing_else() {
    let authorizer = authorizer("");
    let token = token(&json!({}));
    for (asked, _) in routes() {
        let issued = Issued::asking(&authorizer, &token, &asked);
        assert!(routes().iter().all(|(arn, _)| issued.allows(arn)), "after {asked}");
        for elsewhere in ELSEWHERE {
            for tail in ["GET/orders", "GET/", "$connect", "GET/dev/GET/orders", "GET/*"] {
                assert!(!issued.allows(&format!("{elsewhere}/{tail}")), "{elsewhere}/{tail} after {asked}");
            }
        }
    }
}

#[test]
fn with_rules_a_policy_is_what_they_grant() {
    let authorizer = authorizer(RULES);
    let token = token(&json!({}));
    for (arn, expected) in routes() {
        assert_eq!(Issued::asking(&authorizer, &token, &arn).allows(&arn), expected, "{arn}");
        for elsewhere in ELSEWHERE {
            let arn = arn.replace(STAGE, elsewhere);
            let issued = Issued::asking(&authorizer, &token, &format!("{STAGE}/GET/orders"));
            assert!(!issued.allows(&arn), "{arn}");
        }
    }
}

/// Rule Z4: API Gateway keeps the policy of one route and evaluates it on others, with the same outcome
/// as if it had asked; or, where the route asked for had a wildcard in it, with a stricter one.
#[test]
fn a_cached_policy_decides_as_a_fresh_one() {
    let authorizer = authorizer(RULES);
    let token = token(&json!({}));
    for (asked, is_granted) in routes() {
        let issued = Issued::asking(&authorizer, &token, &asked);
        let is_plain = !asked.contains(['*', '?', '{', '}']) && asked.len() <= 512;
        for (arn, expected) in routes() {
            let allowed = issued.allows(&arn);
            assert!(!allowed || expected, "{asked} opened {arn}");
            if is_granted || is_plain {
                assert_eq!(allowed, expected, "{arn} after {asked}");
            }
        }
    }
}

/// Old APIs send the root as `//`, emulators without its slash (contract 4.2).
#[test]
fn the_root_is_one_route_in_every_spelling() {
    let token = token(&json!({}));
    for sections in ["", RULES] {
        let authorizer = authorizer(sections);
        for tail in ["GET/", "GET//", "GET"] {
            let arn = format!("{STAGE}/{tail}");
            assert!(Issued::asking(&authorizer, &token, &arn).allows(&arn), "{tail}");
        }
    }
}

/// An empty segment at the end is an empty segment.
#[test]
fn what_a_route_matches_is_what_its_policy_allows() {
    let token = token(&json!({}));
    for below in ["", "/x", "/x/y"] {
        let route = format!("GET {below}/**");
        let authorizer =
            authorizer(&format!("[[rule]]\nname = 'r'\nroutes = ['{route}']\nrequires = 'authenticated'"));
        let route: RoutePattern = route.parse().unwrap();
        for end in [
            "/", "/1", "/1/", "//", "///", "//1", "/1//", "/1///", "/.", "/./", "/..", "/../", "/1/.",
            "/1/../",
        ] {
            let path = format!("{below}{end}");
            if path.bytes().all(|byte| byte == b'/') {
                continue;
            }
            let arn = format!("{STAGE}/GET{path}");
            let allows = Issued::asking(&authorizer, &token, &arn).allows(&arn);
            assert_eq!(allows, route.names(&arn.parse().unwrap()), "{route} and {path}");
        }
    }
}

/// Decision 4: beside a resource policy that allows, silence lets the call through.
#[test]
fn what_is_not_allowed_is_denied_in_so_many_words() {
    let authorizer = authorizer(RULES);
    for claims in [json!({}), json!({"scope": ""}), json!({"scope": "orders:write"})] {
        let token = token(&claims);
        for (arn, _) in routes() {
            let mut issued = Issued::asking(&authorizer, &token, &arn);
            if issued.allows(&arn) {
                continue;
            }
            // With the Denies gone, only what is explicit is missed.
            let everything = json!({"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": ["*"]});
            issued.json["Statement"].as_array_mut().unwrap().push(everything);
            issued.document = serde_json::from_value(issued.json.clone()).unwrap();
            assert!(!issued.allows_by_iam(&arn), "no explicit Deny for {arn}: {}", issued.json);
        }
    }
}

/// In an Allow, all the methods of three letters, or of four, and one segment or more at the end; in a Deny
/// everything, the odd paths, and each `?` for a letter of the client's.
fn has_only_our_wildcards(effect: Effect, resource: &str) -> bool {
    match effect {
        Effect::Allow => {
            let path = ["???/", "????/"].iter().find_map(|methods| resource.strip_prefix(methods));
            let path = path.unwrap_or(resource);
            let path = ["/?*", "*"].iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
            !path.contains(['*', '?'])
        }
        Effect::Deny => resource == "*" || ODD_PATHS.contains(&resource) || !resource.contains('*'),
    }
}

/// Rule Z3: the client's text never becomes a wildcard, and no resource is too long for API Gateway.
#[test]
fn resources_are_short_and_their_wildcards_are_ours() {
    let long = format!(
        "[[rule]]\nname = 'long'\nroutes = ['ANY /{}/**']\nrequires = 'authenticated'",
        "x".repeat(240)
    );
    let prefix =
        format!("arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:a1b2c3d4e5/{}", "s".repeat(128));
    for sections in ["", RULES, &long] {
        let authorizer = authorizer(sections);
        for (arn, _) in routes() {
            for arn in [arn.replace(STAGE, &prefix), arn] {
                let issued = Issued::asking(&authorizer, &token(&json!({})), &arn);
                let resources = issued.policy.statements().iter().flat_map(|statement| {
                    statement.resources.iter().map(|resource| (statement.effect, resource.as_str()))
                });
                for (effect, resource) in resources {
                    assert!(resource.len() <= 512, "{} characters after {arn}", resource.len());
                    assert!(!resource.contains('{') && resource.is_ascii(), "{resource}");
                    assert!(
                        !resource.ends_with("/orders/*") || !arn.ends_with("DELETE/orders/*"),
                        "{resource}"
                    );
                    let stage = if arn.starts_with(&prefix) { &prefix } else { STAGE };
                    let behind_the_stage = resource.strip_prefix(&format!("{stage}/")).unwrap_or(resource);
                    let is_cut_off = effect == Effect::Deny && resource.len() == 512;
                    assert!(is_cut_off || has_only_our_wildcards(effect, behind_the_stage), "{resource}");
                }
            }
        }
    }
    for length in [257, 600, 5000] {
        let route = format!(
            "[[rule]]\nname = 'x'\nroutes = ['GET /{}']\nrequires = 'authenticated'",
            "x".repeat(length)
        );
        assert!(crate::library::config(&route).is_err(), "a path of {length}");
    }
}
