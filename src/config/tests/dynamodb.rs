//! `[dynamodb]`, `[api_keys]` and `[basic]`, as they are written.

use super::paths;
use crate::config::{Config, ConfigError, Environment};
use crate::credential::{CredentialKind, Scheme};
use crate::rules::Requirement;

const TABLE: &str = "[dynamodb]\ntable = 'keys'\n[api_keys]\nprefix = 'orders'\n";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, None)
}

fn problems(text: &str) -> Vec<String> {
    let error = parse(text).err().expect("it is refused");
    assert!(!error.to_string().contains("correct horse"), "{error}");
    paths(&error).into_iter().map(str::to_owned).collect()
}

#[test]
fn api_keys_need_no_issuer_of_jwts_and_stand_beside_one() {
    let alone = parse(TABLE).unwrap();
    assert_eq!(alone.credential_kinds(), [CredentialKind::ApiKey]);
    assert_eq!(alone.issuer_names(), ["api-keys"]);
    let database = alone.database.unwrap();
    assert_eq!((database.table.as_str(), database.is_consistent), ("keys", false));
    let keys = database.api_keys.unwrap();
    assert_eq!((keys.lifetime, keys.negative_lifetime, keys.entries), (60.0, 10.0, 256));
    assert!(keys.pepper.is_none());
    let issuer = "[[issuer]]\nurl = 'https://id.example.com/'\naudience = 'a'\n";
    let pepper = "pepper = 'correct horse battery staple of thirty'\n";
    let both = parse(&format!("{issuer}{TABLE}{pepper}")).unwrap();
    assert_eq!(both.credential_kinds(), [CredentialKind::Jwt, CredentialKind::ApiKey]);
    assert!(both.database.unwrap().api_keys.unwrap().pepper.is_some());
}

#[test]
fn rules_may_ask_for_api_keys_by_their_issuer_and_by_their_kind() {
    let rule = "[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = { credential = 'api_key', issuer = 'api-keys' }\n";
    let config = parse(&format!("{TABLE}{rule}")).unwrap();
    let Requirement::All(all) = &config.compiler.rules().as_slice()[0].requirement else {
        panic!("two requirements")
    };
    assert!(all.contains(&Requirement::Credential(CredentialKind::ApiKey)));
    // Nobody has an API key where none can be looked up.
    let issuer = "[[issuer]]\nurl = 'api-keys'\njwks_uri = 'https://id.example.com/'\naudience = 'a'\n";
    assert_eq!(problems(&format!("{issuer}{rule}")), ["rule[0].requires.credential"]);
}

#[test]
fn what_is_missing_of_a_table_or_makes_no_sense_is_told() {
    assert_eq!(problems("[dynamodb]\n[api_keys]\n"), ["api_keys.prefix", "dynamodb.table"]);
    assert_eq!(problems("[api_keys]\nprefix = 'orders'\n"), ["api_keys"]);
    assert_eq!(problems("[dynamodb]\ntable = 'keys'\n"), ["dynamodb", "issuer"]);
    for (from, to, path) in [
        ("'keys'", "'k'", "dynamodb.table"),
        ("'keys'", "'key table'", "dynamodb.table"),
        ("'keys'", "'arn:aws:s3:eu-central-1:123456789012:table/keys'", "dynamodb.table"),
        ("'keys'", "'keys'\nregion = 'evil.example.com/'", "dynamodb.region"),
        ("'keys'", "'keys'\nendpoint = 'http://dynamodb.example.com/'", "dynamodb.endpoint"),
        ("'keys'", "'keys'\nendpoint = 'http://127.0.0.1:8000/'", "dynamodb.endpoint"),
        ("'keys'", "'keys'\ntimeout_milliseconds = 50", "dynamodb.timeout_milliseconds"),
        ("'keys'", "'keys'\nconsistent_reads = true", "dynamodb.consistent_reads"),
        ("'orders'", "'Orders'", "api_keys.prefix"),
        ("'orders'", "'o'", "api_keys.prefix"),
        ("'orders'", "'1orders'", "api_keys.prefix"),
        ("'orders'", "'orders-api'", "api_keys.prefix"),
        ("'orders'", "'orders'\nlifetime_seconds = 3601", "api_keys.lifetime_seconds"),
        ("'orders'", "'orders'\nissuer = ' a'", "api_keys.issuer"),
        ("'orders'", "'orders'\npepper = 'correct horse'", "api_keys.pepper"),
        ("'orders'", "'orders'\npepper = ['correct horse']", "api_keys.pepper"),
    ] {
        assert_eq!(problems(&TABLE.replace(from, to)), [path], "{to}");
    }
    for (from, to) in [
        ("'keys'", "'arn:aws:dynamodb:eu-central-1:123456789012:table/keys'"),
        (
            "'keys'",
            "'keys'\nregion = 'eu-central-1'\nendpoint = 'https://vpce-1.dynamodb.eu-central-1.vpce.amazonaws.com/'",
        ),
        ("[dynamodb]", "development = true\n[dynamodb]\nendpoint = 'http://127.0.0.1:8000/'"),
        ("'orders'", "'orders_live'\nlifetime_seconds = 0\nissuer = 'partners'"),
    ] {
        assert!(parse(&TABLE.replace(from, to)).is_ok(), "{to}");
    }
    let issuer = "[[issuer]]\nurl = 'https://id.example.com/'\naudience = 'a'\n";
    let same = TABLE.replace("'orders'", "'orders'\nissuer = 'https://id.example.com/'");
    assert_eq!(problems(&format!("{issuer}{same}")), ["api_keys.issuer"]);
}

#[test]
fn two_variables_are_a_table_of_api_keys() {
    let load = |more: &[(&str, &str)]| {
        let issuer = [("AUTHORIZER_ISSUER", "https://id.example.com/"), ("AUTHORIZER_AUDIENCE", "a")];
        let variables = issuer.iter().chain(more);
        let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Config::load(&Environment { variables, directory: None })
    };
    let both = [("AUTHORIZER_API_KEY_TABLE", "keys"), ("AUTHORIZER_API_KEY_PREFIX", "orders")];
    assert_eq!(load(&both).unwrap().credential_kinds(), [CredentialKind::Jwt, CredentialKind::ApiKey]);
    assert_eq!(paths(&load(&both[..1]).err().unwrap()), ["api_keys.prefix"]);
    assert_eq!(paths(&load(&both[1..]).err().unwrap()), ["api_keys"]);
    let empty = [("AUTHORIZER_API_KEY_TABLE", ""), ("AUTHORIZER_API_KEY_PREFIX", "")];
    assert_eq!(load(&empty).unwrap().credential_kinds(), [CredentialKind::Jwt]);
}

const BASIC: &str = "[dynamodb]\ntable = 'keys'\n[basic]\n";

#[test]
fn names_and_passwords_need_a_place_that_takes_them() {
    let alone = parse(BASIC).unwrap();
    assert_eq!(
        (alone.credential_kinds(), alone.issuer_names()),
        (vec![CredentialKind::Basic], vec!["basic"])
    );
    let schemes = |config: &Config| -> Vec<Scheme> {
        config.identity_sources.as_slice().iter().map(|source| source.scheme).collect()
    };
    assert_eq!(schemes(&alone), [Scheme::BearerOrBasic, Scheme::BearerOrBasic, Scheme::None]);
    let basic = alone.database.unwrap().basic.unwrap();
    assert_eq!((basic.iterations, basic.lifetime, basic.negative_lifetime), (600_000, 300.0, 10.0));
    assert_eq!((basic.failures, basic.pause, basic.entries), (5, 30.0, 256));
    assert_eq!(schemes(&parse(TABLE).unwrap()), [Scheme::Bearer, Scheme::Bearer, Scheme::None]);
    let source = |scheme: &str| {
        format!("[[identity_source]]\nfrom = 'header'\nname = 'Authorization'\nscheme = '{scheme}'\n")
    };
    for scheme in ["Basic", "Bearer or Basic"] {
        assert!(parse(&format!("{BASIC}{}", source(scheme))).is_ok(), "{scheme}");
        assert_eq!(problems(&format!("{TABLE}{}", source(scheme))), ["identity_source"], "{scheme}");
    }
    for scheme in ["Bearer", "none"] {
        assert_eq!(problems(&format!("{BASIC}{}", source(scheme))), ["identity_source"], "{scheme}");
    }
    for (setting, path) in [
        ("iterations = 99999", "basic.iterations"),
        ("iterations = 2000001", "basic.iterations"),
        ("lifetime_seconds = 3601", "basic.lifetime_seconds"),
        ("failures = 0", "basic.failures"),
        ("pause_seconds = 0", "basic.pause_seconds"),
        ("issuer = 'api-keys'\n[api_keys]\nprefix = 'orders'", "basic.issuer"),
    ] {
        assert_eq!(problems(&format!("{BASIC}{setting}\n")), [path], "{setting}");
    }
    assert_eq!(problems("[basic]\n"), ["basic"]);
    // Nobody could tell a client's ID from a user's name.
    let issuer = "[[issuer]]\nurl = 'https://id.example.com/'\naudience = 'a'\n";
    let clients = "[client_credentials]\nissuer = 'https://id.example.com/'\ntoken_endpoint = 'https://id.example.com/token'\n";
    assert!(parse(&format!("{issuer}{clients}")).is_ok());
    assert_eq!(problems(&format!("{issuer}{clients}{BASIC}")), ["basic"]);
    let rule = "[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = { credential = 'basic' }\n";
    assert!(parse(&format!("{BASIC}{rule}")).is_ok());
    assert_eq!(problems(&format!("{TABLE}{rule}")), ["rule[0].requires.credential"]);
}

/// Off by default, and no reason of its own to trust anybody.
#[test]
fn proofs_are_shared_where_the_configuration_says_so() {
    let issuer = "[[issuer]]\nurl = 'https://id.example.com/'\naudience = 'a'\nproof_of_possession = ['dpop']\n\
                  [gateway]\ncache_seconds = 0\n";
    let table = "[dynamodb]\ntable = 'keys'\n";
    let has_proofs = |sections: &str| {
        parse(&format!("{issuer}{sections}")).unwrap().database.is_some_and(|database| database.has_proofs)
    };
    assert!(has_proofs(&format!("{table}[dpop]\nreplays = 'table'\n")));
    assert!(!has_proofs("[dpop]\nreplays = 'process'\n") && !has_proofs(""));
    assert!(!has_proofs(&format!("{table}[api_keys]\nprefix = 'orders'\n")));
    assert_eq!(problems(&format!("{issuer}[dpop]\nreplays = 'table'\n")), ["dpop.replays"]);
    assert_eq!(problems(&format!("{issuer}{table}[dpop]\nreplays = 'process'\n")), ["dynamodb"]);
    assert_eq!(
        problems(&format!("{issuer}{table}[dpop]\nreplays = 'global'\n")),
        ["dpop.replays", "dynamodb"]
    );
}

#[test]
fn what_is_revoked_is_looked_at_where_the_configuration_says_so() {
    let issuer = "[[issuer]]\nurl = 'https://id.example.com/'\naudience = 'a'\n";
    let revocation = |more: &str| format!("{issuer}[dynamodb]\ntable = 'keys'\n[revocation]\n{more}\n");
    let read = |more: &str| parse(&revocation(more)).unwrap().database.unwrap().revocation.unwrap();
    let usual = read("");
    assert_eq!((usual.lifetime, usual.entries, usual.allows_on_outage), (60.0, 1024, false));
    assert!(!read("on_outage = 'fault'").allows_on_outage && read("on_outage = 'allow'").allows_on_outage);
    assert!(parse(TABLE).unwrap().database.unwrap().revocation.is_none(), "off by default");
    for (more, path) in [
        ("lifetime_seconds = 3601", "revocation.lifetime_seconds"),
        ("entries = 100001", "revocation.entries"),
        ("on_outage = 'deny'", "revocation.on_outage"),
    ] {
        assert_eq!(problems(&revocation(more)), [path], "{more}");
    }
    assert_eq!(problems(&format!("{issuer}[revocation]\n")), ["revocation"]);
    // It vouches for nobody.
    assert_eq!(problems("[dynamodb]\ntable = 'keys'\n[revocation]\n"), ["issuer"]);
}
