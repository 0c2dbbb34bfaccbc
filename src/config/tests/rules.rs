//! Rules and what they ask for, as they are written.

use super::{ISSUER, paths};
use crate::config::{Config, ConfigError};
use crate::policy::Effect;
use crate::rules::{Requirement, Test};
use serde_json::json;

fn parse(sections: &str) -> Result<Config, ConfigError> {
    Config::parse(&format!("{ISSUER}{sections}"), None)
}

fn rule(requires: &str, more: &str) -> String {
    format!("[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = {requires}\n{more}\n")
}

fn requirement(requires: &str) -> Requirement {
    parse(&rule(requires, "")).unwrap().compiler.rules().as_slice()[0].requirement.clone()
}

fn problems(sections: &str) -> Vec<String> {
    let error = parse(sections).err().expect("it is refused");
    paths(&error).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_requirement_is_what_is_written() {
    let claim = |test| Requirement::Claim("a".parse().unwrap(), test);
    let scope = |name: &str| Requirement::Scope(name.into());
    for (requires, expected) in [
        ("'authenticated'", Requirement::Authenticated),
        ("'anyone'", Requirement::Anyone),
        ("{ scope = 'x' }", scope("x")),
        ("{ scope = ['x', 'y'] }", Requirement::All(vec![scope("x"), scope("y")])),
        ("{ claim = 'a', equals = 5 }", claim(Test::OneOf(vec![json!(5)]))),
        ("{ claim = 'a', one_of = [true, 'b'] }", claim(Test::OneOf(vec![json!(true), json!("b")]))),
        ("{ claim = 'a', contains = 'b' }", claim(Test::Contains(json!("b")))),
        ("{ claim = 'a', prefix = 'b' }", claim(Test::Prefix("b".into()))),
        (
            "{ issuer = 'https://login.example.com/' }",
            Requirement::Any(vec![Requirement::Issuer("https://login.example.com/".into())]),
        ),
        ("{ not = { scope = 'x' } }", Requirement::Not(Box::new(scope("x")))),
        (
            "{ any = [{ scope = 'x' }, 'authenticated'] }",
            Requirement::Any(vec![scope("x"), Requirement::Authenticated]),
        ),
        (
            "{ scope = 'x', all = [{ claim = 'a', prefix = 'b' }] }",
            Requirement::All(vec![scope("x"), Requirement::All(vec![claim(Test::Prefix("b".into()))])]),
        ),
    ] {
        assert_eq!(requirement(requires), expected, "{requires}");
    }
}

#[test]
fn a_requirement_that_says_nothing_or_too_much_is_told() {
    for (requires, path) in [
        ("{}", "rule[0].requires"),
        ("'nobody'", "rule[0].requires"),
        ("{ claim = 'a' }", "rule[0].requires"),
        ("{ claim = 'a', equals = 1, prefix = 'b' }", "rule[0].requires"),
        ("{ equals = 1 }", "rule[0].requires"),
        ("{ claim = 'a', one_of = [] }", "rule[0].requires.one_of"),
        ("{ claim = 'a', prefix = '' }", "rule[0].requires.prefix"),
        ("{ claim = 'a', equals = [1] }", "rule[0].requires.equals"),
        ("{ claim = 'a', equals = 1.5 }", "rule[0].requires.equals"),
        ("{ scope = 'a b' }", "rule[0].requires.scope"),
        ("{ claim = 'https://example.com/roles', equals = 'x' }", "rule[0].requires.claim"),
        ("{ source_ip = 'office' }", "rule[0].requires.source_ip"),
        ("{ issuer = 'https://login.example.com' }", "rule[0].requires.issuer"),
        ("{ credential = 'saml2' }", "rule[0].requires.credential"),
        ("{ all = [] }", "rule[0].requires.all"),
        ("{ any = [{ scope = '' }] }", "rule[0].requires.any[0].scope"),
        ("{ not = { claim = '', equals = 1 } }", "rule[0].requires.not.claim"),
        ("{ scopes = 'a' }", "rule[0].requires.scopes"),
    ] {
        assert_eq!(problems(&rule(requires, "")), [path], "{requires}");
    }
}

#[test]
fn a_rule_opens_its_routes_unless_it_says_that_it_closes_them() {
    let config =
        parse(&format!("{}{}", rule("'authenticated'", ""), rule("'authenticated'", "effect = 'deny'")))
            .unwrap();
    let effects: Vec<_> = config.compiler.rules().as_slice().iter().map(|rule| rule.effect).collect();
    assert_eq!(effects, [Effect::Allow, Effect::Deny]);
    for (more, path) in [
        ("effect = 'Deny'", "rule[0].effect"),
        ("effect = 'deny'\ncontext = { plan = 'gold' }", "rule[0].effect"),
        ("effect = 'deny'\nusage_identifier_key = 'k'", "rule[0].effect"),
        ("stages = []", "rule[0].stages"),
        ("apis = []", "rule[0].apis"),
        ("context = { principalId = 'x' }", "rule[0].context.principalId"),
        ("context = { plan = \"a\\nb\" }", "rule[0].context.plan"),
        ("usage_identifier_key = ''", "rule[0].usage_identifier_key"),
    ] {
        assert_eq!(problems(&rule("'authenticated'", more)), [path], "{more}");
    }
}

#[test]
fn a_rule_without_routes_says_something_of_its_callers() {
    let without = |more: &str| format!("[[rule]]\nname = 'r'\nrequires = 'authenticated'\n{more}\n");
    assert_eq!(problems(&without("")), ["rule[0].routes"]);
    for more in ["context = { plan = 'gold' }", "usage_identifier_key = 'k'"] {
        let config = parse(&without(more)).unwrap();
        assert!(config.compiler.rules().is_silent(), "{more}");
    }
}

#[test]
fn a_context_key_has_one_meaning() {
    let gold = rule("'authenticated'", "context = { plan = 'gold' }");
    assert!(parse(&gold).is_ok());
    assert_eq!(problems(&format!("{gold}[response.context]\nplan = 'plan'\n")), ["rule[0].context.plan"]);
    assert_eq!(problems(&format!("{gold}[response]\nreason_key = 'plan'\n")), ["rule[0].context.plan"]);
    // The place is that of the text, whatever else is wrong.
    let problems = problems(&format!("{}{gold}[response.context]\nplan = 'plan'\n", rule("{}", "")));
    assert_eq!(problems, ["rule[0].requires", "rule[1].context.plan"]);
}

#[test]
fn an_api_key_is_not_quoted() {
    for value in ["4711_000_815", "{ secret = 'hush-4711' }", "['hush-4711']"] {
        let error = parse(&rule("'authenticated'", &format!("usage_identifier_key = {value}")))
            .err()
            .unwrap()
            .to_string();
        assert!(!error.contains("4711"), "{error}");
    }
    let config = parse(&rule("'authenticated'", "usage_identifier_key = 'hush-4711'")).unwrap();
    assert!(!format!("{:?}", config.compiler).contains("hush"));
}

#[test]
fn a_policy_that_no_answer_holds_is_no_configuration() {
    let rules = |count: usize, requires: fn(usize) -> String| {
        let rule = |number: usize| {
            format!(
                "[[rule]]\nname = 'r{number}'\nroutes = ['GET /resources/{number}']\nrequires = {}\n",
                requires(number)
            )
        };
        (0..count).map(rule).collect::<String>()
    };
    let by_scope = |number: usize| format!("{{ scope = 's{number}' }}");
    assert!(parse(&rules(30, by_scope)).is_ok());
    assert_eq!(problems(&rules(60, by_scope)), ["rule"]);
    // Nobody is on two plans.
    let by_plan = |number: usize| format!("{{ claim = 'plan', equals = 'p{number}' }}");
    assert!(parse(&rules(60, by_plan)).is_ok());
}
