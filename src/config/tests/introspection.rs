//! `[introspection]`, as it is written.

use super::paths;
use crate::config::{Config, ConfigError};
use crate::credential::CredentialKind;
use crate::rules::Requirement;
use crate::verify::Presence;

const TABLE: &str = "[introspection]\nurl = 'https://login.example.com/introspect'\nissuer = 'https://login.example.com/'\naudience = 'orders-api'\nclient_id = 'orders'\nclient_secret = 'correct horse'\n";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, None)
}

fn problems(text: &str) -> Vec<String> {
    let error = parse(text).err().expect("it is refused");
    assert!(!error.to_string().contains("correct horse"), "{error}");
    paths(&error).into_iter().map(str::to_owned).collect()
}

#[test]
fn it_needs_no_issuer_of_jwts_and_stands_beside_one() {
    let alone = parse(TABLE).unwrap();
    assert_eq!(alone.credential_kinds(), [CredentialKind::Opaque]);
    assert_eq!(alone.issuer_names(), ["https://login.example.com/"]);
    let settings = alone.introspection.unwrap();
    assert_eq!((settings.lifetime, settings.negative_lifetime, settings.entries), (60.0, 10.0, 256));
    assert_eq!(settings.expectations.expiry, Presence::Optional);
    // RFC 6749, section 2.3.1: encoded as in a form first.
    assert!(settings.form.is_empty());
    let headers = settings.connector.headers_for(&settings.url);
    assert_eq!(headers.get("authorization").unwrap(), "Basic b3JkZXJzOmNvcnJlY3QraG9yc2U=");
    let elsewhere = "https://evil.example.com/".parse().unwrap();
    assert!(settings.connector.headers_for(&elsewhere).is_empty());
    let issuer = "[[issuer]]\nurl = 'https://id.example.com/'\naudience = 'a'\nintrospection = 'required'\n";
    let both = parse(&format!("{issuer}{TABLE}client_authentication = 'post'\n")).unwrap();
    assert_eq!(both.credential_kinds(), [CredentialKind::Jwt, CredentialKind::Opaque]);
    assert!(both.issuers[0].expectations.is_introspected);
    let settings = both.introspection.unwrap();
    let secret = [("client_id", "orders".to_owned()), ("client_secret", "correct horse".to_owned())];
    assert_eq!(settings.form, secret);
    assert!(settings.connector.headers_for(&settings.url).is_empty());
}

#[test]
fn rules_may_ask_for_it_by_its_issuer_and_by_its_kind() {
    let rule = "[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = { credential = 'opaque', issuer = 'https://login.example.com/' }\n";
    let config = parse(&format!("{TABLE}{rule}")).unwrap();
    let Requirement::All(all) = &config.compiler.rules().as_slice()[0].requirement else {
        panic!("two requirements")
    };
    assert!(all.contains(&Requirement::Credential(CredentialKind::Opaque)));
}

#[test]
fn what_is_missing_or_makes_no_sense_is_told() {
    let names = ["audience", "url", "issuer", "client_id", "client_secret"];
    let all: Vec<String> = names.iter().map(|name| format!("introspection.{name}")).collect();
    assert_eq!(problems("[introspection]\n"), all);
    for (from, to, path) in [
        ("https://login.example.com/introspect", "http://login.example.com/introspect", "introspection.url"),
        ("https://login.example.com/introspect", "https://a:b@login.example.com/", "introspection.url"),
        ("client_id = 'orders'", "client_id = ''", "introspection.client_id"),
        ("audience = 'orders-api'", "audience = []", "introspection.audience"),
        ("[introspection]", "[introspection]\nlifetime_seconds = 3601", "introspection.lifetime_seconds"),
        (
            "[introspection]",
            "[introspection]\nproof_of_possession = ['dpop']",
            "introspection.proof_of_possession",
        ),
        ("[introspection]", "[introspection]\nsubject = 'optional'", "response.principal_id"),
    ] {
        assert_eq!(problems(&TABLE.replace(from, to)), [path], "{to}");
    }
    let alone = "[[issuer]]\nurl = 'https://id.example.com/'\naudience = 'a'\nintrospection = 'required'\n";
    assert_eq!(problems(alone), ["issuer[0].introspection"]);
    // Nobody has an opaque token where nobody can be asked.
    let issuer = "[[issuer]]\nurl = 'https://id.example.com/'\naudience = 'a'\n";
    let rule =
        |kind| format!("[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = {{ credential = '{kind}' }}\n");
    assert_eq!(problems(&format!("{issuer}{}", rule("opaque"))), ["rule[0].requires.credential"]);
    assert!(parse(&format!("{issuer}{}", rule("jwt"))).is_ok());
    let wrong = TABLE.replace("'correct horse'", "['correct horse']");
    assert!(!parse(&wrong).err().unwrap().to_string().contains("correct horse"));
}
