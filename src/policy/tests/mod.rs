mod case;
mod exhaustive;
mod property;

use super::*;
use crate::arn::ArnPattern;
use crate::error::Reason;
use crate::rules::{Caller, ODD_PATHS, Requirement, Rule, Rules, Ruling};
use crate::verify::Principal;
use serde_json::{Value, json};

const STAGE: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/dev/";

fn arn(tail: &str) -> MethodArn {
    format!("{STAGE}{tail}").parse().unwrap()
}

fn principal(claims: Value) -> Principal {
    Principal::for_tests(claims.as_object().unwrap().clone().into())
}

fn rules(rules: &[(&[&str], &[&str])]) -> Rules {
    let all = |scopes: &[&str]| scopes.iter().map(|scope| Requirement::Scope((*scope).to_owned())).collect();
    Rules::new(rules.iter().map(|(routes, scopes)| rule(routes, Requirement::All(all(scopes)))).collect())
}

/// A rule that allows these routes.
pub(crate) fn rule(routes: &[&str], requirement: Requirement) -> Rule {
    Rule {
        name: "a rule".into(),
        effect: Effect::Allow,
        routes: routes.iter().map(|route| route.parse().unwrap()).collect(),
        requirement,
        stages: Vec::new(),
        apis: Vec::new(),
        context: Vec::new(),
        usage_identifier_key: None,
    }
}

fn compile(rules: &Rules, principal: &Principal, arn: &MethodArn) -> Policy {
    let compiler = Compiler::new(rules.clone());
    let caller = Caller { principal: Some(principal), ..Caller::default() };
    compiler.compile(&compiler.rules().standing(&caller, arn), arn).unwrap()
}

/// What a policy says, without the part before the stage; of the Deny only what is not the list of odd paths.
fn said(routes: &[&str], claims: Value) -> (Vec<String>, Vec<String>) {
    let compiler = Compiler::new(Rules::new(vec![rule(routes, Requirement::Authenticated)]));
    let principal = principal(claims);
    let caller = Caller { principal: Some(&principal), ..Caller::default() };
    let standing = compiler.rules().standing(&caller, &arn("GET/"));
    let policy = compiler.granted(&standing, STAGE).unwrap();
    let of = |effect: Effect| {
        let statements = policy.statements().iter().filter(|statement| statement.effect == effect);
        let texts = statements.flat_map(|statement| statement.resources.iter()).map(ArnPattern::as_str);
        let texts = texts.map(|text| text.strip_prefix(STAGE).unwrap_or(text).to_owned());
        texts.filter(|text| !ODD_PATHS.contains(&text.as_str())).collect::<Vec<_>>()
    };
    (of(Effect::Allow), of(Effect::Deny))
}

/// As few resources as say it.
#[test]
fn a_policy_is_short() {
    let u1 = json!({"sub": "u1", "teams": ["a", "b"]});
    for (routes, allowed, denied) in [
        (&["GET /orders"][..], &["GET/orders", "GET/orders/"][..], &[][..]),
        (&["GET /orders", "GET /orders/**"], &["GET/orders", "GET/orders/*"], &[]),
        (&["GET /orders", "GET /orders/{id}"], &["GET/orders", "GET/orders/*"], &["GET/orders/*/?*"]),
        (&["GET /orders/{id}", "GET /orders/**"], &["GET/orders/?*"], &[]),
        (&["GET /a/{id}/b"], &["GET/a/*/b", "GET/a/*/b/"], &["GET/a/*/*/?*"]),
        (&["GET /a/{id}/b", "GET /a/{id}"], &["GET/a/*/b", "GET/a/*/b/", "GET/a/?*"], &["GET/a/*/*/?*"]),
        (&["GET /me", "PUT /me"], &["???/me", "???/me/"], &[]),
        (&["POST /me", "HEAD /me"], &["????/me", "????/me/"], &[]),
        (&["ANY /me"], &["*/me", "*/me/"], &["*/*/me", "*/*/me/"]),
        (&["ANY /me/**"], &["???/me/?*", "????/me/?*", "DELETE/me/?*", "OPTIONS/me/?*", "PATCH/me/?*"], &[]),
        (&["ANY /**"], &["*"], &["$connect"]),
        (&["ANY /**", "GET /orders/{id}", "$connect"], &["*"], &[]),
        (&["GET /**"], &["GET", "GET/*"], &[]),
        (&["GET /"], &["GET", "GET/", "GET//"], &[]),
        (&["GET /users/{claims.sub}"], &["GET/users/u1", "GET/users/u1/"], &[]),
        (&["GET /t/{claims.teams}/**"], &["GET/t/a/?*", "GET/t/b/?*"], &[]),
        (&["GET /t/{claims.none}/**", "GET /x"], &["GET/x", "GET/x/"], &[]),
    ] {
        let said = said(routes, u1.clone());
        assert_eq!(
            (said.0, said.1),
            (
                allowed.iter().map(|text| (*text).to_owned()).collect(),
                denied.iter().map(|text| (*text).to_owned()).collect()
            ),
            "{routes:?}"
        );
    }
}

/// Rule Z4: the policy does not depend on the route that was asked for, and covers one stage.
#[test]
fn without_rules_the_policy_is_the_stage_and_nothing_else() {
    let nobody = principal(json!({}));
    let policy = compile(&Rules::default(), &nobody, &arn("GET/orders"));
    assert_eq!(policy, compile(&Rules::default(), &nobody, &arn("DELETE/x/*")));
    for (text, expected) in [
        ("abc/dev/POST/a/b", Effect::Allow),
        ("abc/dev/$connect", Effect::Allow),
        ("abc/prod/GET/a", Effect::Deny),
        ("abd/dev/GET/a", Effect::Deny),
        ("abc/dev2/GET/a", Effect::Deny),
    ] {
        let arn: MethodArn = format!("arn:aws:execute-api:us-east-1:123456789012:{text}").parse().unwrap();
        assert_eq!(policy.evaluate(&arn), expected, "{text}");
    }
}

#[test]
fn a_rule_grants_its_routes_to_those_who_meet_it() {
    let rules = rules(&[
        (&["GET /orders", "GET /orders/**"], &["orders:read"]),
        (&["ANY /orders"], &["orders:read", "orders:write"]),
        (&["GET /me"], &[]),
    ]);
    let reader = principal(json!({"scope": "orders:read"}));
    let policy = compile(&rules, &reader, &arn("GET/orders"));
    for (tail, expected) in [
        ("GET/orders", Effect::Allow),
        ("GET/orders/", Effect::Allow),
        ("GET/orders/7/items", Effect::Allow),
        ("GET/orders/../admin", Effect::Deny),
        ("GET/orders/7//items", Effect::Deny),
        ("POST/orders", Effect::Deny),
        ("GET/me", Effect::Allow),
        ("GET/admin", Effect::Deny),
        ("$connect", Effect::Deny),
    ] {
        assert_eq!(policy.evaluate(&arn(tail)), expected, "{tail}");
    }
}

/// Contract 4.7, row 3: silence beside a resource policy that allows is an Allow.
#[test]
fn a_refused_request_is_denied_in_so_many_words_and_the_other_routes_stay() {
    let rules = rules(&[(&["GET /orders"], &[])]);
    let policy = compile(&rules, &principal(json!({})), &arn("POST/orders"));
    assert!(policy.says(Effect::Deny, &arn("POST/orders").to_string()));
    assert_eq!(policy.evaluate(&arn("GET/orders")), Effect::Allow);
}

/// As it was asked for, and in the other spellings, which a gateway may compare with instead.
#[test]
fn a_refused_root_is_denied_in_every_spelling() {
    let rules = rules(&[(&["GET /orders"], &[])]);
    let prefix = arn("GET/").stage_prefix().to_owned();
    for asked in ["GET", "GET/", "GET//"] {
        let policy = compile(&rules, &principal(json!({})), &arn(asked));
        for spelling in ["GET", "GET/", "GET//"] {
            assert!(policy.says(Effect::Deny, &format!("{prefix}{spelling}")), "{asked} {spelling}");
        }
        for other in ["POST/", "GET/orders", "GET/order", "GET///"] {
            assert!(!policy.says(Effect::Deny, &format!("{prefix}{other}")), "{asked} {other}");
        }
        assert_eq!(policy.evaluate(&arn("GET/orders")), Effect::Allow);
    }
}

#[test]
fn a_refused_route_is_denied_with_and_without_a_slash_at_its_end() {
    let rules = rules(&[(&["GET /orders"], &[])]);
    for asked in ["POST/orders", "POST/orders/"] {
        let policy = compile(&rules, &principal(json!({})), &arn(asked));
        for spelling in ["POST/orders", "POST/orders/"] {
            assert!(policy.says(Effect::Deny, &arn(spelling).to_string()), "{asked} {spelling}");
        }
    }
}

#[test]
fn a_refused_path_with_two_slashes_at_its_end_leaves_the_route_with_one() {
    let rules = rules(&[(&["GET /orders"], &[])]);
    for asked in ["GET/orders//", "GET/orders///"] {
        let policy = compile(&rules, &principal(json!({})), &arn(asked));
        assert!(policy.says(Effect::Deny, &arn(asked).to_string()), "{asked}");
        for granted in ["GET/orders", "GET/orders/"] {
            assert_eq!(policy.evaluate(&arn(granted)), Effect::Allow, "{asked} {granted}");
        }
    }
}

/// `????/a` is `HEAD/a` and `POST/a`, and also `GET//a`.
#[test]
fn a_window_of_four_letters_opens_no_odd_path() {
    let policy = compile(&rules(&[(&["ANY /a"], &[])]), &principal(json!({})), &arn("GET/a"));
    for (tail, expected) in [
        ("HEAD/a", Effect::Allow),
        ("POST/a", Effect::Allow),
        ("PUT/a", Effect::Allow),
        ("GET//a", Effect::Deny),
        ("PUT//a", Effect::Deny),
    ] {
        assert_eq!(policy.evaluate(&arn(tail)), expected, "{tail}");
    }
}

/// Rule Z3: a wildcard of the client's reaches no policy, and the routes that are granted stay.
#[test]
fn an_odd_path_is_denied_and_does_not_enter_the_policy() {
    let rules = rules(&[(&["GET /orders"], &[])]);
    let long = format!("GET/{}", "a".repeat(1500));
    for tail in ["GET/*", "GET/a?b", "GET/${aws:username}", "GET/caf\u{e9}\u{1}\"", &long] {
        let policy = compile(&rules, &principal(json!({})), &arn(tail));
        assert!(policy.says(Effect::Deny, &arn(tail).to_string()), "{tail}");
        assert_eq!(policy.evaluate(&arn("GET/orders")), Effect::Allow, "{tail}");
        for resource in policy.statements().iter().flat_map(|statement| statement.resources.iter()) {
            let text = resource.as_str();
            assert!(text.is_ascii() && text.len() <= 512 && !text.contains(['{', '"']), "{text}");
            assert!(!text.contains('*') || text.len() == 512, "{text}");
        }
    }
}

/// A path that a wider open one contains is open, as far as the wider one is: its Deny would close what a rule opens by
/// all its wildcards. That others' paths of it are opened, IAM cannot avoid; it is reported.
#[test]
fn a_named_path_that_an_open_one_contains_is_not_closed() {
    let rules = vec![
        rule(&["GET /{claims.sub}/a/{claims.team}"], Requirement::Scope("r".into())),
        rule(&["GET /{id}/{id}", "GET /{id}/{id}/{claims.team}"], Requirement::Authenticated),
    ];
    let compiler = Compiler::new(Rules::new(rules));
    let principal = principal(json!({"sub": "u1", "team": "t1"}));
    let caller = Caller { principal: Some(&principal), ..Caller::default() };
    let standing = compiler.rules().standing(&caller, &arn("GET/"));
    let policy = compiler.granted(&standing, STAGE).unwrap();
    let reported = compiler.inexact(&standing);
    for (tail, effect, is_reported) in [
        ("GET/x/a/t1", Effect::Allow, false),
        ("GET/x/a", Effect::Allow, false),
        ("GET/x/a/t2", Effect::Allow, true),
        ("GET/x/a/t1/y", Effect::Deny, false),
    ] {
        assert_eq!(policy.evaluate(&arn(tail)), effect, "{tail}");
        let opens = reported.iter().any(|report| report.opens(&arn(tail)));
        let is_granted = matches!(compiler.rules().ruling(&standing, &arn(tail)), Ruling::Allowed(_));
        assert_eq!(opens && !is_granted && effect == Effect::Allow, is_reported, "{tail}");
    }
}

#[test]
fn with_nothing_granted_everything_is_denied() {
    let rules = rules(&[(&["GET /orders"], &["orders:read"])]);
    let policy = compile(&rules, &principal(json!({"scope": "orders"})), &arn("GET/orders"));
    assert_eq!(policy, Policy::deny_everything());
    assert!(policy.denies_everything());
}

/// A claim of which a caller has too many values closes nothing for those whom its routes are not for.
#[test]
fn too_many_values_of_a_claim_matter_where_the_claim_does() {
    let groups: Vec<String> = (0..33).map(|number| format!("g{number}")).collect();
    let rules = rules(&[(&["GET /groups/{claims.groups}"], &["groups"]), (&["GET /orders"], &[])]);
    let compiler = Compiler::new(rules);
    let asked = arn("GET/orders");
    let compiled = |scope: &str, groups: &[String]| {
        let principal = principal(json!({"scope": scope, "groups": groups}));
        let caller = Caller { principal: Some(&principal), ..Caller::default() };
        compiler.compile(&compiler.rules().standing(&caller, &asked), &asked)
    };
    assert_eq!(compiled("", &groups).unwrap().evaluate(&asked), Effect::Allow);
    assert_eq!(compiled("groups", &groups[1..]).unwrap().evaluate(&asked), Effect::Allow);
    let claim = "groups".to_owned();
    assert_eq!(compiled("groups", &groups), Err(Reason::RouteClaimTooLong { claim, count: 33, limit: 32 }));
}

/// Some gateways spell the root `GET//`, which is a `/{id}` to a wildcard.
#[test]
fn a_wildcard_opens_the_root_in_no_spelling() {
    for (routes, expected) in [(&["GET /{id}"][..], Effect::Deny), (&["GET /{id}", "GET /"], Effect::Allow)] {
        let policy = compile(&rules(&[(routes, &[])]), &principal(json!({})), &arn("GET/orders"));
        for spelling in ["GET", "GET/", "GET//"] {
            let text = format!("{STAGE}{spelling}");
            let allows = policy.says(Effect::Allow, &text) && !policy.says(Effect::Deny, &text);
            assert_eq!(allows, expected == Effect::Allow, "{routes:?} {spelling}");
        }
    }
}

/// An address is no credential: a public rule beside this one does not make it public, too.
#[test]
fn a_rule_is_for_callers_without_a_credential_only_where_it_says_so() {
    let office = || Requirement::SourceIp(vec!["10.0.0.0/8".parse().unwrap()]);
    for (requirement, expected) in [
        (Requirement::Anyone, Effect::Allow),
        (office(), Effect::Deny),
        (Requirement::Not(Box::new(Requirement::Authenticated)), Effect::Deny),
        (Requirement::All(vec![Requirement::Anyone, office()]), Effect::Allow),
        (Requirement::Any(vec![Requirement::Authenticated, office()]), Effect::Deny),
    ] {
        let mut with_public: Vec<Rule> =
            rules(&[(&["GET /health"], &[]), (&["GET /office"], &[])]).as_slice().to_vec();
        with_public[0].requirement = Requirement::Anyone;
        with_public[1].requirement = requirement.clone();
        let compiler = Compiler::new(Rules::new(with_public));
        let caller =
            Caller { principal: None, source_ip: Some("10.1.2.3".parse().unwrap()), ..Caller::default() };
        let asked = arn("GET/health");
        let policy = compiler.compile(&compiler.rules().standing(&caller, &asked), &asked).unwrap();
        assert_eq!(policy.evaluate(&asked), Effect::Allow);
        assert_eq!(policy.evaluate(&arn("GET/office")), expected, "{requirement:?}");
    }
}
