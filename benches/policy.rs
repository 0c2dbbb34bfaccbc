//! `make policy-cost`: what rules cost, at the start and for each request, and how large a policy they make, beside one
//! verification of a signature. With `--check` it fails where a request's rules cost more than its signature.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a program for the desk: it looks at the clock, and its faults are to end it"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use authorizer_cli::signing::{Algorithm, SigningKey, key_set};
use lambda_authorizer::arn::MethodArn;
use lambda_authorizer::jwks::KeySet;
use lambda_authorizer::policy::{Compiler, Policy};
use lambda_authorizer::rules::{Caller, Effect, Requirement, Rule, Rules, Test};
use lambda_authorizer::verify::{AudienceCheck, Expectations, Principal, Profile, verify};
use serde_json::json;

const NOW: f64 = 1_800_000_000.0;
const ISSUER: &str = "https://login.example.com/";

fn main() {
    let is_check = std::env::args().any(|argument| argument == "--check");
    let es256 = Signed::new(Algorithm::ES256, 10);
    let rs256 = Signed::new(Algorithm::RS256, 10);
    let (ecdsa, rsa) = (time(|| es256.verify()), time(|| rs256.verify()));
    println!("One verification: ES256 {}, RS256 {}.\n", micros(ecdsa), micros(rsa));
    println!(
        "| rules | routes | start | caller meets | allowed | refused | of ES256 | of RS256 | resources | policy, bytes |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for count in [10, 100, 1000] {
        let rules = rules(count);
        let routes: usize = rules.as_slice().iter().map(|rule| rule.routes.len()).sum();
        // As a configuration is read: with a look at the largest policy.
        let start = time(|| {
            let compiler = Compiler::new(rules.clone());
            (compiler.too_large(), compiler)
        });
        let compiler = Compiler::new(rules);
        for met in [10, most(&compiler, count)] {
            let signed = Signed::new(Algorithm::ES256, met);
            let principal = signed.verify();
            let of = |path| time(|| answer(&compiler, &principal, path).unwrap());
            let (allowed, refused) = (of(ALLOWED), of(REFUSED));
            let request = allowed.max(refused);
            let policy = answer(&compiler, &principal, ALLOWED).unwrap();
            let resources: Vec<_> =
                policy.statements().iter().flat_map(|statement| statement.resources.iter()).collect();
            let bytes: usize = resources.iter().map(|resource| resource.as_str().len() + 3).sum();
            println!(
                "| {count} | {routes} | {} | {met} | {} | {} | {} % | {} % | {} | {bytes} |",
                micros(start),
                micros(allowed),
                micros(refused),
                percent(request, ecdsa),
                percent(request, rsa),
                resources.len(),
            );
            if is_check {
                assert!(request < ecdsa, "{count} rules cost {request:?}, a signature {ecdsa:?}");
                assert!(start < Duration::from_millis(200), "{count} rules start in {start:?}");
            }
        }
    }
}

/// What every caller of the table may call, and what none may.
const ALLOWED: &str = "GET/service-1/things/7f1c";
const REFUSED: &str = "GET/service-9/nothing/7f1c";

/// All that a request needs of the rules.
fn answer(compiler: &Compiler, principal: &Principal, path: &str) -> Option<Policy> {
    let arn: MethodArn =
        black_box(format!("arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/{path}"))
            .parse()
            .unwrap();
    let caller = Caller { principal: Some(principal), ..Caller::default() };
    let standing = compiler.rules().standing(&caller, &arn);
    let (policy, ruling) = compiler.decide(&standing, &arn).ok()?;
    black_box(ruling);
    black_box(policy.evaluate(&arn));
    Some(policy)
}

/// As many of the rules as fit in a policy.
fn most(compiler: &Compiler, count: usize) -> usize {
    let fits =
        |met: &usize| answer(compiler, &Signed::new(Algorithm::ES256, *met).verify(), ALLOWED).is_some();
    (10..=count.min(200)).rev().find(fits).unwrap()
}

/// Services with a list, things in it, what belongs to a caller, and what is for roles.
fn rules(count: usize) -> Rules {
    let rule = |number: usize| {
        let service = format!("service-{}", number / 4);
        let scope = || Requirement::Scope(format!("s{number}"));
        let (routes, requirement) = match number % 4 {
            0 => (vec![format!("GET /{service}/things"), format!("GET /{service}/things/{{id}}")], scope()),
            1 => (
                vec![
                    format!("POST /{service}/things"),
                    format!("PUT /{service}/things/{{id}}"),
                    format!("DELETE /{service}/things/{{id}}"),
                ],
                scope(),
            ),
            2 => (vec![format!("ANY /{service}/users/{{claims.sub}}/**")], scope()),
            _ => {
                let roles = "realm_access.roles".parse().unwrap();
                let role = Requirement::Claim(roles, Test::Contains(json!(format!("r{number}"))));
                (vec![format!("ANY /{service}/admin/**")], role)
            }
        };
        Rule {
            name: format!("rule {number}"),
            effect: Effect::Allow,
            routes: routes.iter().map(|route| route.parse().unwrap()).collect(),
            requirement,
            stages: Vec::new(),
            apis: Vec::new(),
            context: Vec::new(),
            usage_identifier_key: None,
        }
    };
    Rules::new((0..count).map(rule).collect())
}

/// A token of a caller who meets the first so many rules.
struct Signed {
    token: String,
    keys: KeySet,
    expectations: Expectations,
}

impl Signed {
    fn new(algorithm: Algorithm, met: usize) -> Self {
        let key = SigningKey::generate(algorithm, "key-1").unwrap();
        let scopes: Vec<String> = (0..met).map(|number| format!("s{number}")).collect();
        let roles: Vec<String> = (0..met).map(|number| format!("r{number}")).collect();
        let claims = json!({
            "iss": ISSUER, "aud": "orders-api", "sub": "user-7f1c", "exp": NOW + 600.0, "iat": NOW,
            "scope": scopes.join(" "), "realm_access": {"roles": roles},
        });
        let audience = AudienceCheck::OneOf(vec!["orders-api".into()]);
        Self {
            token: key.token(&claims).unwrap(),
            keys: KeySet::parse(key_set([&key]).to_string().as_bytes()).unwrap(),
            expectations: Expectations::new(Profile::AccessToken, ISSUER, audience),
        }
    }

    fn verify(&self) -> Principal {
        verify(&self.token, &self.keys, &self.expectations, NOW).unwrap()
    }
}

/// The least of several averages: what else the machine does only adds to it.
fn time<T>(mut work: impl FnMut() -> T) -> Duration {
    let began = Instant::now();
    black_box(work());
    let rounds = (Duration::from_millis(20).as_nanos() / began.elapsed().as_nanos().max(1)).clamp(1, 2000);
    let round = u32::try_from(rounds).unwrap();
    let average = |_| {
        let began = Instant::now();
        (0..round).for_each(|_| drop(black_box(work())));
        began.elapsed() / round
    };
    (0..7).map(average).min().unwrap()
}

fn micros(duration: Duration) -> String {
    format!("{:.1} µs", duration.as_secs_f64() * 1e6)
}

fn percent(part: Duration, whole: Duration) -> u64 {
    u64::try_from(part.as_nanos() * 100 / whole.as_nanos().max(1)).unwrap()
}
