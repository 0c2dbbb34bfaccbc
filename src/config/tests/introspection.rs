//! `[introspection]`, as it is written.

use super::paths;
use crate::config::{AnswerKeys, Config, ConfigError};
use crate::credential::CredentialKind;
use crate::rules::Requirement;
use crate::verify::{ClientAuthentication, Endpoint, Presence};

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
    let Endpoint::Introspection { authentication: ClientAuthentication::Basic(basic), signed: None } =
        settings.endpoint
    else {
        panic!("it is Basic")
    };
    assert_eq!(basic, "Basic b3JkZXJzOmNvcnJlY3QraG9yc2U=");
    let issuer = "[[issuer]]\nurl = 'https://id.example.com/'\naudience = 'a'\nintrospection = 'required'\n";
    let both = parse(&format!("{issuer}{TABLE}client_authentication = 'post'\n")).unwrap();
    assert_eq!(both.credential_kinds(), [CredentialKind::Jwt, CredentialKind::Opaque]);
    assert!(both.issuers[0].expectations.is_introspected);
    let settings = both.introspection.unwrap();
    let Endpoint::Introspection { authentication: ClientAuthentication::Post { id, secret }, .. } =
        settings.endpoint
    else {
        panic!("it is in the form")
    };
    assert_eq!((id.as_str(), secret.as_str()), ("orders", "correct horse"));
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

/// A key in the place of a secret, and what the server says signed.
#[test]
fn a_client_may_have_a_key_and_a_server_sign() {
    let package = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/package"));
    let table =
        TABLE.replace("client_secret = 'correct horse'\n", "client_authentication = 'private_key_jwt'\n");
    let parse = |more: &str| Config::parse(&format!("{table}{more}"), Some(package));
    let config = parse("client_key_file = 'client-key.json'\nclient_key_id = 'k'\n").unwrap();
    let settings = config.introspection.unwrap();
    let Endpoint::Introspection {
        authentication: ClientAuthentication::PrivateKeyJwt { id, audience, .. },
        ..
    } = settings.endpoint
    else {
        panic!("it is a JWT")
    };
    assert_eq!((id.as_str(), audience.as_str()), ("orders", "https://login.example.com/"));
    let key = "client_key_file = 'client-key.json'\n";
    for (more, path) in [
        ("", "introspection.client_key_file"),
        ("client_key_file = 'none.json'\n", "introspection.client_key_file"),
        ("client_key_file = 'authority.pem'\n", "introspection.client_key_file"),
        (&format!("{key}client_key_algorithm = 'RS256'\n"), "introspection.client_key_file"),
        (&format!("{key}client_secret = 'correct horse'\n"), "introspection.client_secret"),
        (&format!("{key}client_assertion_audience = ' '\n"), "introspection.client_assertion_audience"),
        (&format!("{key}signed_answers = 'required'\n"), "introspection.signed_answers"),
        (&format!("{key}jwks_uri = 'https://a.example/'\n"), "introspection.jwks_uri"),
        (
            &format!("{key}signed_answers = 'accepted'\njwks_uri = 'http://a.example/'\n"),
            "introspection.jwks_uri",
        ),
    ] {
        let error = parse(more).err().unwrap();
        assert_eq!(paths(&error), [path], "{more}");
        assert!(!error.to_string().contains("correct horse"), "{error}");
    }
    assert_eq!(problems(&format!("{TABLE}{key}")), ["introspection.client_key_file"], "it is not used");
    let own = parse(&format!("{key}signed_answers = 'required'\njwks_uri = 'https://a.example/'\n")).unwrap();
    assert!(matches!(own.answer_keys, Some(AnswerKeys::Own { .. })));
    let issuer = "[[issuer]]\nurl = 'https://login.example.com/'\naudience = 'a'\n";
    let shared = parse(&format!("{key}signed_answers = 'accepted'\n{issuer}")).unwrap();
    assert!(matches!(shared.answer_keys, Some(AnswerKeys::OfIssuer)));
}
