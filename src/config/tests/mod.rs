mod custom;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod gateway;
#[cfg(feature = "introspection")]
mod introspection;
mod keys;
#[cfg(all(feature = "introspection", feature = "oauth"))]
mod oauth;
mod parameters;
#[cfg(feature = "possession")]
mod possession;
mod rules;
#[cfg(feature = "saml")]
mod saml;

use super::*;
use crate::claims::ClaimPath;
use crate::jwks::Algorithm;
use crate::response::{HttpApi, Refusal};
use crate::verify::{AudienceCheck, AudienceClaim, ClaimRule, Presence, TokenTypes};
use serde_json::{Value, json};

const ISSUER: &str = "[[issuer]]\nurl = \"https://login.example.com/\"\naudience = [\"orders-api\"]\n";

fn paths(error: &ConfigError) -> Vec<&str> {
    error.problems().iter().map(|problem| problem.path.as_str()).collect()
}

fn problems(toml: &str) -> ConfigError {
    Config::parse(toml, None).err().expect("the configuration has problems")
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Environment { variables: variables.iter().map(owned).collect(), directory: None }
}

#[test]
fn an_issuer_and_an_audience_are_enough() {
    let config = Config::parse(ISSUER, None).unwrap();
    let issuer = &config.issuers[0];
    assert_eq!(&*issuer.expectations.issuer, "https://login.example.com/");
    assert_eq!(issuer.expectations.audience, AudienceCheck::OneOf(vec!["orders-api".into()]));
    assert_eq!(issuer.expectations.algorithms, Algorithm::ALL);
    assert!((issuer.expectations.leeway - 30.0).abs() < f64::EPSILON);
    assert!(matches!(issuer.source, KeySetSource::Discovery));
    assert!(config.compiler.rules().is_silent() && !config.development);
    assert_eq!((config.answers.refusal, config.answers.http_api), (Refusal::Deny, HttpApi::Policy));
}

#[test]
fn all_problems_are_told_at_once() {
    let error = problems(
        r#"
        colour = "blue"
        [[issuer]]
        url = "http://login.example.com/"
        audiance = "orders-api"
        algorithms = ["HS256"]
        leeway_seconds = 3600
        [[issuer]]
        audience = []
        [[identity_source]]
        from = "header"
        [[identity_source]]
        from = "body"
        [[rule]]
        name = "read"
        routes = ["GET orders", "GET /a/{proxy+}"]
        requires = { scope = "a b" }
        [[rule]]
        routes = ["GET /orders"]
        requires = "nothing"
        [response]
        principal_id = []
        [response.context]
        principalId = "sub"
        "a-b" = "sub"
        ok = "a..b"
        [key_set]
        lifetime_seconds = 1
        "#,
    );
    let mut found = paths(&error);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "colour",
            "identity_source[0].name",
            "identity_source[1].from",
            "issuer[0].algorithms[0]",
            "issuer[0].audiance",
            "issuer[0].audience",
            "issuer[0].leeway_seconds",
            "issuer[0].url",
            "issuer[1].audience",
            "issuer[1].url",
            "key_set.lifetime_seconds",
            "response.context.a-b",
            "response.context.ok",
            "response.context.principalId",
            "response.principal_id",
            "rule[0].requires.scope",
            "rule[0].routes[0]",
            "rule[0].routes[1]",
            "rule[1].name",
            "rule[1].requires",
        ]
    );
    let typo = error.problems().iter().find(|problem| problem.path == "issuer[0].audiance").unwrap();
    assert!(typo.hint.as_ref().unwrap().contains("`audience`"), "{typo}");
}

#[test]
fn a_syntax_error_names_its_line() {
    let error = problems("[[issuer]]\nurl = 'a'\naudience = [\n");
    assert_eq!(paths(&error).len(), 1);
    assert!(error.problems()[0].path.starts_with("line "), "{error}");
}

#[test]
fn the_places_in_a_list_are_those_of_the_text() {
    let toml = format!(
        "{ISSUER}algorithms = ['HS256', 'none', 'RS256']\n
        [[rule]]\nname = 'a'\nroutes = [5, 'GET orders', 6, 'GET /orders', 'PUT orders']\nrequires = 'authenticated'"
    );
    let error = problems(&toml);
    let mut found = paths(&error);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "issuer[0].algorithms[0]",
            "issuer[0].algorithms[1]",
            "rule[0].routes[0]",
            "rule[0].routes[1]",
            "rule[0].routes[2]",
            "rule[0].routes[4]",
        ]
    );
}

/// A problem of form is not told with problems that are none.
#[test]
fn files_are_found_although_something_else_is_wrong() {
    let toml = "colour = 1\n[[issuer]]\nurl = 'https://a.example/'\naudience = 'a'\njwks_file = 'jwks.json'";
    let events = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/events"));
    assert_eq!(paths(&Config::parse(toml, Some(events)).err().unwrap()), ["colour"]);
}

#[test]
fn no_issuer_is_no_configuration() {
    assert_eq!(paths(&problems("")), ["issuer"]);
}

/// Leaving the audience out is a mistake, not a way to switch the check off.
#[test]
fn the_audience_check_is_only_left_out_in_writing() {
    assert_eq!(paths(&problems("[[issuer]]\nurl = 'https://a.example/'")), ["issuer[0].audience"]);
    let config =
        Config::parse("[[issuer]]\nurl = 'https://a.example/'\naudience = 'unchecked'", None).unwrap();
    assert_eq!(config.issuers[0].expectations.audience, AudienceCheck::Unchecked);
    let list =
        Config::parse("[[issuer]]\nurl = 'https://a.example/'\naudience = ['unchecked']", None).unwrap();
    assert_eq!(list.issuers[0].expectations.audience, AudienceCheck::OneOf(vec!["unchecked".into()]));
}

#[test]
fn an_empty_list_of_algorithms_is_not_every_algorithm() {
    assert_eq!(paths(&problems(&format!("{ISSUER}algorithms = []"))), ["issuer[0].algorithms"]);
    let variables = [("AUTHORIZER_ISSUER", "https://a.example/"), ("AUTHORIZER_AUDIENCE", "a")];
    let commas = environment(&[variables[0], variables[1], ("AUTHORIZER_ALGORITHMS", ",")]);
    assert_eq!(paths(&Config::load(&commas).err().unwrap()), ["issuer[0].algorithms"]);
}

#[test]
fn a_cool_down_does_not_extend_the_lifetime() {
    let toml = format!("{ISSUER}[key_set]\nlifetime_seconds = 60\ncooldown_seconds = 61");
    assert_eq!(paths(&problems(&toml)), ["key_set.cooldown_seconds"]);
    assert!(Config::parse(&toml.replace("61", "60"), None).is_ok());
}

/// Rules in a file that a variable pushes aside would silently be no rules.
#[test]
fn a_file_beside_the_binary_is_not_pushed_aside() {
    let directory = std::env::temp_dir().join(format!("lambda-authorizer-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("authorizer.toml");
    std::fs::write(&file, ISSUER).unwrap();
    let beside = |variables: &[(&str, &str)]| {
        let environment = Environment { directory: Some(directory.clone()), ..environment(variables) };
        Config::load(&environment).err().map(|error| error.problems()[0].path.clone())
    };
    assert_eq!(beside(&[]), None);
    assert_eq!(beside(&[("AUTHORIZER_JWKS_URI", "")]), None);
    assert_eq!(beside(&[("AUTHORIZER_CONFIG_FILE", file.to_str().unwrap())]), None);
    assert_eq!(beside(&[("AUTHORIZER_CONFIG", ISSUER)]).as_deref(), Some("AUTHORIZER_CONFIG"));
    let variables = [("AUTHORIZER_ISSUER", "https://a.example/"), ("AUTHORIZER_AUDIENCE", "a")];
    assert_eq!(beside(&variables).as_deref(), Some("AUTHORIZER_ISSUER"));
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn the_environment_alone_configures_one_issuer() {
    let config = Config::load(&environment(&[
        ("AUTHORIZER_ISSUER", "https://login.example.com/"),
        ("AUTHORIZER_AUDIENCE", "orders-api, web"),
        ("AUTHORIZER_ALGORITHMS", "RS256,ES256"),
        ("AUTHORIZER_JWKS_URI", ""),
        ("PATH", "/bin"),
    ]))
    .unwrap();
    let expectations = &config.issuers[0].expectations;
    assert_eq!(expectations.audience, AudienceCheck::OneOf(vec!["orders-api".into(), "web".into()]));
    assert_eq!(expectations.algorithms, [Algorithm::RS256, Algorithm::ES256]);
    assert!(matches!(config.issuers[0].source, KeySetSource::Discovery));
}

#[test]
fn what_is_wrong_with_the_environment_is_told() {
    for (variables, expected) in [
        (&[][..], &["configuration"][..]),
        (&[("AUTHORIZER_ISSUER", "https://a.example/")], &["AUTHORIZER_AUDIENCE"]),
        (&[("AUTHORIZER_AUDIENCE", "a")], &["AUTHORIZER_ISSUER"]),
        (&[("AUTHORIZER_ISSUR", "https://a.example/")], &["AUTHORIZER_ISSUR"]),
        (
            &[("AUTHORIZER_CONFIG", ISSUER), ("AUTHORIZER_ISSUER", "https://b.example/")],
            &["AUTHORIZER_CONFIG"],
        ),
        (&[("AUTHORIZER_CONFIG", ISSUER), ("AUTHORIZER_CONFIG_FILE", "a.toml")], &["AUTHORIZER_CONFIG"]),
        (&[("AUTHORIZER_CONFIG_FILE", "missing.toml")], &["missing.toml"]),
        (
            &[
                ("AUTHORIZER_ISSUER", "https://a.example/"),
                ("AUTHORIZER_AUDIENCE", "a"),
                ("AUTHORIZER_ALGORITHMS", "HS256,none"),
            ],
            &["AUTHORIZER_ALGORITHMS", "AUTHORIZER_ALGORITHMS"],
        ),
    ] {
        let error = Config::load(&environment(variables)).err().expect("a problem");
        assert_eq!(paths(&error), expected, "{variables:?}");
    }
}

#[test]
fn a_development_configuration_does_not_start_on_lambda() {
    let toml = format!("development = true\n{ISSUER}");
    let here = environment(&[("AUTHORIZER_CONFIG", &toml)]);
    assert!(Config::load(&here).is_ok());
    let lambda =
        environment(&[("AUTHORIZER_CONFIG", &toml), ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")]);
    assert_eq!(paths(&Config::load(&lambda).err().unwrap()), ["development"]);
    let deployed =
        environment(&[("AUTHORIZER_CONFIG", ISSUER), ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")]);
    assert!(Config::load(&deployed).is_ok());
}

#[test]
fn an_issuer_is_what_its_profile_says_unless_a_setting_says_otherwise() {
    let expectations = |settings: &str| {
        let mut config = Config::parse(&format!("{ISSUER}{settings}"), None).unwrap();
        config.issuers.remove(0).expectations
    };
    let plain = expectations("");
    assert_eq!((plain.audience_claim, plain.subject), (AudienceClaim::Aud, Presence::Required));
    assert_eq!((plain.max_age, plain.max_lifetime, plain.key_id), (None, None, Presence::Optional));

    let cognito = expectations("profile = 'cognito_access'");
    assert_eq!(
        (cognito.algorithms.as_slice(), cognito.audience_claim),
        (&[Algorithm::RS256][..], AudienceClaim::ClientId)
    );
    let adjusted = expectations(
        "profile = 'cognito_access'
        algorithms = ['RS512']
        audience_claim = 'aud'
        types = ['AT+JWT', 'application/secevent+jwt']
        key_id = 'required'
        subject = 'optional'
        max_age_seconds = 3600
        max_lifetime_seconds = 86400
        required_claims = ['jti', '\"https://example.com/\".tenant']
        required_values = { email_verified = true, level = [1, 2], 'org.tier' = 'gold' }
        [response]
        principal_id = ['sub', 'client_id']",
    );
    assert_eq!(
        (adjusted.algorithms.as_slice(), adjusted.audience_claim),
        (&[Algorithm::RS512][..], AudienceClaim::Aud)
    );
    assert_eq!(
        adjusted.types,
        TokenTypes { named: vec!["at+jwt".into(), "secevent+jwt".into()], unnamed: false }
    );
    assert_eq!((adjusted.key_id, adjusted.subject), (Presence::Required, Presence::Optional));
    assert_eq!((adjusted.max_age, adjusted.max_lifetime), (Some(3600.0), Some(86_400.0)));
    let value = |claim: &str, values: Value| ClaimRule::Value {
        claim: claim.parse().unwrap(),
        values: values.as_array().unwrap().clone(),
    };
    let added = [
        ClaimRule::Present(vec![ClaimPath::of(["jti"])]),
        ClaimRule::Present(vec![ClaimPath::of(["https://example.com/", "tenant"])]),
        value("email_verified", json!([true])),
        value("level", json!([1, 2])),
        value("org.tier", json!(["gold"])),
    ];
    // What the profile asks is asked all the same.
    assert_eq!(adjusted.claims(), [cognito.claims(), &added[..]].concat());
}

#[test]
fn what_cannot_be_asked_of_a_token_is_told() {
    let error = problems(
        "[[issuer]]
        url = 'https://login.example.com/'
        audience = 'orders-api'
        profile = 'cognito'
        key_id = 'sometimes'
        types = []
        max_age_seconds = 0
        max_lifetime_seconds = 100000000
        required_claims = ['a..b']
        required_values = { a = [], b = 1.5, 'c.' = 'd' }",
    );
    assert_eq!(
        paths(&error),
        [
            "issuer[0].key_id",
            "issuer[0].profile",
            "issuer[0].required_values.b",
            "issuer[0].required_claims[0]",
            "issuer[0].required_values.a",
            "issuer[0].required_values.c.",
            "issuer[0].max_age_seconds",
            "issuer[0].max_lifetime_seconds",
            "issuer[0].types",
        ],
        "{error}"
    );
    let profile = &error.problems()[1].message;
    assert!(profile.contains("cognito_access") && profile.contains("keycloak"), "{profile}");
}

#[test]
fn a_rule_asks_for_a_scope_or_for_values_of_a_claim() {
    let rule = |requires: &str| {
        let rule = format!("[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = {requires}");
        Config::parse(&format!("{ISSUER}{rule}"), None)
    };
    for requires in [
        "{ scope = 'a' }",
        "{ claim = 'realm_access.roles', contains = 'clerk' }",
        "{ claim = 'cognito:groups', contains = ['a', 'b'] }",
        "{ scope = 'a', claim = 'b', contains = 'c' }",
    ] {
        assert!(rule(requires).is_ok(), "{requires}");
    }
    for (requires, path) in [
        ("{}", "rule[0].requires"),
        ("{ claim = 'a' }", "rule[0].requires"),
        ("{ contains = 'a' }", "rule[0].requires"),
        ("{ claim = 'a', equals = 'b', contains = 'c' }", "rule[0].requires"),
        ("{ claim = '', contains = 'c' }", "rule[0].requires.claim"),
        ("{ claim = 'b', contains = [] }", "rule[0].requires.contains"),
    ] {
        let error = rule(requires).err().expect("it is refused");
        assert_eq!(paths(&error), [path], "{requires}");
    }
}

#[test]
fn the_environment_names_a_profile() {
    let variables = |profile| {
        environment(&[
            ("AUTHORIZER_ISSUER", "https://login.example.com/"),
            ("AUTHORIZER_AUDIENCE", "orders-api"),
            ("AUTHORIZER_PROFILE", profile),
        ])
    };
    let config = Config::load(&variables("cognito_access")).unwrap();
    assert_eq!(config.issuers[0].expectations.audience_claim, AudienceClaim::ClientId);
    assert!(Config::load(&variables("")).is_ok());
    let error = Config::load(&variables("Cognito")).err().expect("there is no such profile");
    assert_eq!(paths(&error), ["AUTHORIZER_PROFILE"]);
}

/// What can never match, or does nothing, is a mistake.
#[test]
fn what_would_silently_do_nothing_is_told() {
    let issuer = |settings: &str| {
        let url = if settings.contains("url =") { "" } else { "url = 'https://login.example.com/'" };
        let audience = if settings.contains("audience =") { "" } else { "audience = 'orders-api'" };
        Config::parse(&format!("[[issuer]]\n{url}\n{audience}\n{settings}"), None)
    };
    for (allowed, refused, path) in [
        (
            "audience_claim = 'azp'",
            "audience = 'unchecked'\naudience_claim = 'azp'",
            "issuer[0].audience_claim",
        ),
        ("audience = ['api']", "audience = [' api']", "issuer[0].audience"),
        ("audience = 'a b'", "audience = ''", "issuer[0].audience"),
        ("url = 'https://a.example'", "url = ' https://a.example'", "issuer[0].url"),
        ("types = ['at+jwt']", "types = ['at+jwt ']", "issuer[0].types"),
        ("types = ['application/at+jwt']", "types = ['application/']", "issuer[0].types"),
        (
            "required_claims = ['\"https://e.com/tier\"']",
            "required_claims = ['https://e.com/tier']",
            "issuer[0].required_claims[0]",
        ),
        (
            "[response.context]\ntier = '\"https://e.com/tier\"'",
            "[response.context]\ntier = 'https://e.com/tier'",
            "response.context.tier",
        ),
        (
            "subject = 'optional'\n[response]\nprincipal_id = ['sub', 'client_id']",
            "subject = 'optional'",
            "response.principal_id",
        ),
    ] {
        assert!(issuer(allowed).is_ok(), "{}", issuer(allowed).err().expect("it is refused"));
        assert_eq!(paths(&issuer(refused).err().expect("it is a mistake")), [path], "{refused}");
    }
    let error = issuer("url = 'login.example.com'").err().expect("keys are nowhere");
    assert_eq!(error.problems()[0].hint.as_deref(), Some("`jwks_uri` says where the keys are"));
    assert!(issuer("url = 'login.example.com'\njwks_uri = 'https://login.example.com/keys'").is_ok());
}
