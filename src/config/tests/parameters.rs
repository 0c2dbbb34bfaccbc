//! Parameters of the request in rules, and clients' certificates, as they are configured.

use super::{ISSUER, paths};
use crate::config::{Config, ConfigError};
use crate::request::CertificateField;
use crate::rules::{Parameter, Requirement, Test};
use serde_json::json;

const NO_CACHE: &str = "[gateway]\ncache_seconds = 0\n";

fn parse(sections: &str) -> Result<Config, ConfigError> {
    Config::parse(&format!("{ISSUER}{sections}"), None)
}

fn rule(requires: &str) -> String {
    format!("[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = {requires}\n")
}

fn problems(sections: &str) -> Vec<String> {
    let error = parse(sections).err().expect("it is refused");
    paths(&error).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_parameter_is_what_is_written() {
    let one_of = |values: &[&str]| Test::OneOf(values.iter().map(|value| json!(value)).collect());
    let organization = || Parameter::ClientCertificate("subject.O".parse().unwrap());
    for (requires, parameter, test) in [
        ("header = { name = 'X-Tier', equals = 'a' }", Parameter::header("x-tier"), one_of(&["a"])),
        (
            "query = { name = 'Tier', one_of = ['a', 'b'] }",
            Parameter::Query("Tier".into()),
            one_of(&["a", "b"]),
        ),
        ("query = { name = 'a b', prefix = 'a' }", Parameter::Query("a b".into()), Test::Prefix("a".into())),
        (
            "stage_variable = { name = 'Tier', equals = 'a,b' }",
            Parameter::StageVariable("Tier".into()),
            one_of(&["a,b"]),
        ),
        (
            "client_certificate = { field = 'subject.O', equals = 'Bank, Inc.' }",
            organization(),
            one_of(&["Bank, Inc."]),
        ),
        (
            "client_certificate = { field = 'serial', prefix = 'a1:' }",
            Parameter::ClientCertificate(CertificateField::SerialNumber),
            Test::Prefix("a1:".into()),
        ),
    ] {
        let config = parse(&format!("{NO_CACHE}{}", rule(&format!("{{ {requires} }}")))).unwrap();
        let found = &config.compiler.rules().as_slice()[0].requirement;
        assert_eq!(*found, Requirement::Parameter(parameter, test), "{requires}");
    }
}

#[test]
fn a_parameter_that_says_nothing_or_too_much_is_told() {
    for (requires, path) in [
        ("header = {}", "header"),
        ("header = { name = 'x' }", "header"),
        ("header = { equals = 'a' }", "header.name"),
        ("header = { name = '', equals = 'a' }", "header.name"),
        ("header = { name = 'X Tier', equals = 'a' }", "header.name"),
        ("header = { name = 'X-Tier:', equals = 'a' }", "header.name"),
        ("header = { name = 'x', equals = '' }", "header"),
        ("header = { name = 'x', one_of = [] }", "header.one_of"),
        ("header = { name = 'x', prefix = '' }", "header"),
        ("header = { name = 'x', equals = 'a,b' }", "header"),
        ("query = { name = 'x', one_of = ['a', 'b,c'] }", "query"),
        ("query = { name = 'x', equals = 'a', prefix = 'a' }", "query"),
        ("header = { name = 'x', equals = 5 }", "header.equals"),
        ("header = { name = 'x', contains = 'a' }", "header.contains"),
        ("stage_variable = { name = '', equals = 'a' }", "stage_variable.name"),
        ("client_certificate = { equals = 'a' }", "client_certificate.field"),
        ("client_certificate = { field = 'san', equals = 'a' }", "client_certificate.field"),
        ("client_certificate = { field = 'subject.Organisation', equals = 'a' }", "client_certificate.field"),
        ("client_certificate = { field = 'subject.O' }", "client_certificate"),
        ("client_certificate = { name = 'subject.O', equals = 'a' }", "client_certificate.name"),
    ] {
        let found = problems(&format!("{NO_CACHE}{}", rule(&format!("{{ {requires} }}"))));
        assert!(found.contains(&format!("rule[0].requires.{path}")), "{requires}: {found:?}");
    }
}

/// Rule Z4: what a decision depends on must be what tells cached answers apart.
#[test]
fn a_parameter_that_no_cache_tells_apart_is_refused() {
    let by = |sources: &str| {
        format!("[gateway]\nidentity_sources = ['$request.header.Authorization', {sources}]\n")
    };
    let pem = "'$context.identity.clientCert.clientCertPem'";
    for (requires, member, own, other) in [
        (
            "header = { name = 'X-Tier', equals = 'a' }",
            "header",
            vec!["'$request.header.X-TIER'"],
            "'$request.header.X-Tier2'",
        ),
        (
            "query = { name = 'tier', equals = 'a' }",
            "query",
            vec!["'$request.querystring.tier'"],
            "'$request.querystring.Tier'",
        ),
        (
            "query = { name = 'tier', equals = 'a' }",
            "query",
            vec!["'method.request.querystring.tier'"],
            "'$request.header.tier'",
        ),
        (
            "stage_variable = { name = 'tier', equals = 'a' }",
            "stage_variable",
            vec!["'$stageVariables.tier'"],
            "'$context.stage'",
        ),
        (
            "client_certificate = { field = 'subject.O', equals = 'a' }",
            "client_certificate",
            vec!["'$context.identity.clientCert.subjectDN'", pem],
            "'$context.identity.clientCert.issuerDN'",
        ),
        (
            "client_certificate = { field = 'issuer', equals = 'a' }",
            "client_certificate",
            vec!["'$context.identity.clientCert.issuerDN'", pem],
            "'$context.identity.clientCert.subjectDN'",
        ),
        (
            "client_certificate = { field = 'serial', equals = 'a' }",
            "client_certificate",
            vec!["'$context.identity.clientCert.serialNumber'", pem],
            "'$context.identity.sourceIp'",
        ),
    ] {
        for requires in [
            format!("{{ {requires} }}"),
            format!("{{ any = ['authenticated', {{ not = {{ {requires} }} }}] }}"),
        ] {
            let rule = rule(&requires);
            let refused = [format!("rule[0].requires.{member}")];
            assert!(parse(&format!("{rule}{NO_CACHE}")).is_ok(), "{requires}");
            for sections in [String::new(), "[gateway]\ncache_seconds = 300\n".into(), by(""), by(other)] {
                assert_eq!(problems(&format!("{rule}{sections}")), refused, "{requires} {sections}");
            }
            for own in &own {
                assert!(parse(&format!("{rule}{}", by(own))).is_ok(), "{requires} {own}");
            }
        }
    }
    // The same one twice is told once.
    let twice = rule(
        "{ any = [{ query = { name = 'a', equals = 'b' } }, { query = { name = 'a', equals = 'c' } }] }",
    );
    assert_eq!(problems(&twice), ["rule[0].requires.query"]);
}

const CERTIFICATES: &str = "[client_certificate]\n";

#[test]
fn certificates_are_checked_as_is_written() {
    assert!(parse("").unwrap().client_certificates.is_none());
    let plain = parse(&format!("{NO_CACHE}{CERTIFICATES}")).unwrap();
    let certificates = plain.client_certificates.unwrap();
    assert_eq!((certificates.is_required, certificates.issuers, certificates.leeway), (true, None, 30.0));
    let settings = "required = false\nissuers = ['CN=a', 'CN=b']\nleeway_seconds = 0\ncontext = { tpp = 'subject.2.5.4.97' }";
    let config = parse(&format!("{NO_CACHE}{CERTIFICATES}{settings}")).unwrap();
    let certificates = config.client_certificates.unwrap();
    assert!(!certificates.is_required);
    assert_eq!((certificates.issuers.unwrap().len(), certificates.leeway), (2, 0.0));
    let [(key, field)] = config.answers.certificate_context.as_slice() else { panic!("one key") };
    assert_eq!((key.to_string(), field.to_string()), ("tpp".into(), "subject.organizationIdentifier".into()));
}

#[test]
fn certificates_need_an_authorizer_that_tells_them_apart() {
    let by = |sources: &str| {
        format!("[gateway]\nidentity_sources = ['$request.header.Authorization', {sources}]\n")
    };
    let pem = by("'context.identity.clientCert.clientCertPem'");
    for sections in [NO_CACHE, &*pem] {
        assert!(parse(&format!("{sections}{CERTIFICATES}")).is_ok(), "{sections}");
    }
    let subject = by("'$context.identity.clientCert.subjectDN'");
    for sections in ["", "[gateway]\ncache_seconds = 1\n", &*subject] {
        assert_eq!(problems(&format!("{sections}{CERTIFICATES}")), ["client_certificate"], "{sections}");
    }
}

#[test]
fn settings_of_certificates_that_make_no_sense_are_told() {
    for (settings, path) in [
        ("issuers = []", "client_certificate.issuers"),
        ("issuers = ['']", "client_certificate.issuers"),
        ("issuers = 'CN=a'", "client_certificate.issuers"),
        ("leeway_seconds = 301", "client_certificate.leeway_seconds"),
        ("required = 'yes'", "client_certificate.required"),
        ("subject = 'CN=a'", "client_certificate.subject"),
        ("context = { tpp = 'subject.Organisation' }", "client_certificate.context.tpp"),
        ("context = { tpp = 'validity' }", "client_certificate.context.tpp"),
        ("context = { principalId = 'subject' }", "client_certificate.context.principalId"),
        ("context = { tpp = 'subject' }\n[response.context]\ntpp = 'sub'", "client_certificate.context.tpp"),
        ("context = { tpp = 'subject' }\n[response]\nreason_key = 'tpp'", "client_certificate.context.tpp"),
        (
            "context = { tpp = 'subject' }\n[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = 'authenticated'\ncontext = { tpp = 'x' }",
            "client_certificate.context.tpp",
        ),
    ] {
        assert_eq!(problems(&format!("{NO_CACHE}{CERTIFICATES}{settings}")), [path], "{settings}");
    }
}
