//! `[client_credentials]`, `[token_exchange]` and `[userinfo]`, as they are written.

use super::paths;
use crate::config::{Config, ConfigError};
use crate::credential::{CredentialKind, Scheme};
use crate::verify::{AudienceCheck, Endpoint};

const ISSUER: &str = "[[issuer]]\nurl = 'https://login.example.com/'\naudience = 'orders-api'\n";
const CLIENTS: &str = "[client_credentials]\ntoken_endpoint = 'https://login.example.com/token'\nissuer = 'https://login.example.com/'\n";
const EXCHANGE: &str = "[token_exchange]\ntoken_endpoint = 'https://login.example.com/token'\nissuer = 'https://login.example.com/'\nclient_id = 'a'\nclient_secret = 'correct horse'\naudience = 'backend'\ncontext_key = 'token'\n";
const CACHE: &str = "[gateway]\ncache_seconds = 300\n";
const USERINFO: &str = "[userinfo]\nurl = 'https://login.example.com/me'\nissuer = 'https://login.example.com/'\naudience = 'unchecked'\n";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, None)
}

fn problems(text: &str) -> Vec<String> {
    let error = parse(text).err().expect("it is refused");
    assert!(!error.to_string().contains("correct horse"), "{error}");
    paths(&error).into_iter().map(str::to_owned).collect()
}

#[test]
fn basic_is_taken_where_something_becomes_of_it() {
    let schemes = |config: &Config| -> Vec<Scheme> {
        config.identity_sources.as_slice().iter().map(|source| source.scheme).collect()
    };
    let without = parse(ISSUER).unwrap();
    assert_eq!(schemes(&without), [Scheme::Bearer, Scheme::Bearer, Scheme::None]);
    let config =
        parse(&format!("{ISSUER}{CLIENTS}scope = ['a', 'b']\nresource = 'https://api.example.com/'\n"))
            .unwrap();
    assert_eq!(schemes(&config), [Scheme::BearerOrBasic, Scheme::BearerOrBasic, Scheme::None]);
    assert_eq!(config.credential_kinds(), [CredentialKind::Jwt, CredentialKind::ClientCredentials]);
    let settings = config.client_credentials.unwrap();
    assert_eq!(
        settings.parameters,
        [("resource", "https://api.example.com/".to_owned()), ("scope", "a b".to_owned())]
    );
    assert_eq!((settings.lifetime, settings.negative_lifetime, settings.entries), (300.0, 10.0, 256));
    let source = |scheme| {
        format!("[[identity_source]]\nfrom = 'header'\nname = 'Authorization'\nscheme = '{scheme}'\n")
    };
    for (scheme, expected) in [("Basic", Scheme::Basic), ("Bearer or Basic", Scheme::BearerOrBasic)] {
        let config = parse(&format!("{ISSUER}{CLIENTS}{}", source(scheme))).unwrap();
        assert_eq!(schemes(&config), [expected]);
        assert_eq!(problems(&format!("{ISSUER}{}", source(scheme))), ["identity_source"]);
    }
    assert_eq!(problems(&format!("{ISSUER}{CLIENTS}{}", source("Bearer"))), ["identity_source"]);
}

#[test]
fn client_credentials_that_make_no_sense_are_told() {
    let text = |more: &str| format!("{ISSUER}{CLIENTS}{more}\n");
    assert_eq!(
        problems(&format!("{ISSUER}[client_credentials]\n")),
        ["client_credentials.token_endpoint", "client_credentials.issuer"]
    );
    for (more, path) in [
        ("lifetime_seconds = 3601", "client_credentials.lifetime_seconds"),
        ("scope = 'a b'", "client_credentials.scope"),
        ("scope = []", "client_credentials.scope"),
        ("resource = 'orders'", "client_credentials.resource"),
        ("resource = 'https://a.example/#b'", "client_credentials.resource"),
        ("client_claim = ''", "client_credentials.client_claim"),
    ] {
        assert_eq!(problems(&text(more)), [path], "{more}");
    }
    let plain = text("").replace("https://login.example.com/token", "http://login.example.com/token");
    assert_eq!(problems(&plain), ["client_credentials.token_endpoint"]);
    let other =
        text("").replace("issuer = 'https://login.example.com/'", "issuer = 'https://login.example.com'");
    assert_eq!(problems(&other), ["client_credentials.issuer"]);
    let rule =
        "[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = { credential = 'client_credentials' }\n";
    assert!(parse(&text(rule)).is_ok());
    assert_eq!(problems(&format!("{ISSUER}{rule}")), ["rule[0].requires.credential"]);
}

/// An answer that API Gateway keeps must not outlive the token in it.
#[test]
fn an_exchanged_token_outlives_the_answer_that_holds_it() {
    let remaining = "token_exchange.least_remaining_seconds";
    assert!(parse(&format!("{ISSUER}{EXCHANGE}{CACHE}")).is_ok());
    assert_eq!(
        problems(&format!("{ISSUER}{EXCHANGE}")),
        [remaining],
        "it is not said how long answers are kept"
    );
    let longer = CACHE.replace("300", "301");
    assert_eq!(problems(&format!("{ISSUER}{EXCHANGE}{longer}")), [remaining]);
    assert!(parse(&format!("{ISSUER}{EXCHANGE}least_remaining_seconds = 301\n{longer}")).is_ok());
    assert_eq!(problems(&format!("{ISSUER}{EXCHANGE}least_remaining_seconds = 299\n{CACHE}")), [remaining]);
    let none = CACHE.replace("300", "0");
    assert!(parse(&format!("{ISSUER}{EXCHANGE}least_remaining_seconds = 0\n{none}")).is_ok());
}

#[test]
fn a_token_exchange_that_makes_no_sense_is_told() {
    let text = |more: &str| format!("{ISSUER}{EXCHANGE}{CACHE}{more}\n");
    let rule =
        "[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = 'authenticated'\ncontext = { token = 'x' }";
    for (more, path) in [
        ("[response]\ncontext = { token = 'sub' }", "token_exchange.context_key"),
        ("[response]\nreason_key = 'token'", "token_exchange.context_key"),
        (rule, "token_exchange.context_key"),
    ] {
        assert_eq!(problems(&text(more)), [path], "{more}");
    }
    for (from, to, path) in [
        ("audience = 'backend'\n", "", "token_exchange"),
        ("context_key = 'token'", "context_key = 'principalId'", "token_exchange.context_key"),
        ("context_key = 'token'", "context_key = 'exp'", "token_exchange.context_key"),
        ("client_secret = 'correct horse'\n", "", "token_exchange.client_secret"),
    ] {
        let exchange = EXCHANGE.replace(from, to);
        assert_eq!(problems(&format!("{ISSUER}{exchange}{CACHE}")), [path], "{to}");
    }
}

/// What it does not check has to be written, and it takes the place of nothing better.
#[test]
fn userinfo_says_in_writing_that_no_audience_is_checked() {
    let config = parse(USERINFO).unwrap();
    assert_eq!(config.credential_kinds(), [CredentialKind::Opaque]);
    let settings = config.introspection.unwrap();
    assert!(matches!(settings.endpoint, Endpoint::UserInfo));
    assert_eq!(settings.expectations.audience, AudienceCheck::Unchecked);
    for audience in ["audience = 'orders-api'\n", ""] {
        let text = USERINFO.replace("audience = 'unchecked'\n", audience);
        assert_eq!(problems(&text), ["userinfo.audience"], "{audience}");
    }
    let introspection = "[introspection]\nurl = 'https://login.example.com/i'\nissuer = 'https://login.example.com/'\naudience = 'a'\nclient_id = 'c'\nclient_secret = 's'\n";
    assert_eq!(problems(&format!("{USERINFO}{introspection}")), ["userinfo"]);
    let jwt = format!("{ISSUER}introspection = 'required'\n{USERINFO}");
    assert_eq!(problems(&jwt), ["issuer[0].introspection"], "it is no introspection");
}
