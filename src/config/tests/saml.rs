//! `[saml]`, as it is written.

use std::path::Path;

use super::paths;
use crate::config::{Config, ConfigError};
use crate::credential::CredentialKind;
use crate::jwks::KeySetSource;
use crate::rules::Requirement;

const SAML: &str = "[saml]\nissuer = 'https://idp.example.com/metadata'\naudience = 'orders-api'\nrecipient = 'https://api.example.com/saml'\n";
const URL: &str = "metadata_url = 'https://idp.example.com/metadata'\n";
const FILE: &str = "metadata_file = 'idp-metadata.xml'\n";
const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/package");

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Some(Path::new(PACKAGE)))
}

fn problems(text: &str) -> Vec<String> {
    let error = parse(text).err().expect("it is refused");
    paths(&error).into_iter().map(str::to_owned).collect()
}

#[test]
fn assertions_need_no_issuer_of_jwts_and_stand_beside_one() {
    let alone = parse(&format!("{SAML}{URL}")).unwrap();
    assert_eq!(alone.credential_kinds(), [CredentialKind::Saml]);
    assert_eq!(alone.issuer_names(), ["https://idp.example.com/metadata"]);
    let saml = alone.saml.unwrap();
    assert!(matches!(saml.source, KeySetSource::Document(..)));
    assert_eq!(saml.settings.recipients, ["https://api.example.com/saml"]);
    assert!(!saml.settings.is_used_once && saml.settings.valid_until.is_none());
    let issuer = "[[issuer]]\nurl = 'https://id.example.com/'\naudience = 'a'\n";
    let both = parse(&format!("{issuer}{SAML}{FILE}")).unwrap();
    assert_eq!(both.credential_kinds(), [CredentialKind::Jwt, CredentialKind::Saml]);
    assert!(matches!(both.saml.unwrap().source, KeySetSource::Fixed(_)));
}

#[test]
fn rules_may_ask_for_assertions_by_their_issuer_and_by_their_kind() {
    let rule = "[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = { credential = 'saml', issuer = 'https://idp.example.com/metadata' }\n";
    let config = parse(&format!("{SAML}{URL}{rule}")).unwrap();
    let Requirement::All(all) = &config.compiler.rules().as_slice()[0].requirement else {
        panic!("two requirements")
    };
    assert!(all.contains(&Requirement::Credential(CredentialKind::Saml)));
    let issuer = "[[issuer]]\nurl = 'https://idp.example.com/metadata'\naudience = 'a'\n";
    assert_eq!(problems(&format!("{issuer}{rule}")), ["rule[0].requires.credential"]);
}

#[test]
fn what_is_missing_of_saml_or_makes_no_sense_is_told() {
    assert_eq!(problems("[saml]\n"), ["saml.audience", "saml.recipient", "saml.issuer", "saml.metadata_url"]);
    assert_eq!(problems(SAML), ["saml.metadata_url"]);
    assert_eq!(problems(&format!("{SAML}{URL}{FILE}")), ["saml.metadata_file"]);
    let good = format!("{SAML}{URL}");
    for (from, to, path) in [
        // RFC 7522, section 3, point 2.
        ("'orders-api'", "'unchecked'", "saml.audience"),
        ("'orders-api'", "[]", "saml.audience"),
        ("'https://api.example.com/saml'", "[]", "saml.recipient"),
        ("'https://api.example.com/saml'", "' https://api.example.com/saml'", "saml.recipient"),
        ("issuer = 'https", "issuer = ' https", "saml.issuer"),
        ("metadata_url = 'https", "metadata_url = 'http", "saml.metadata_url"),
        (URL, "metadata_file = 'absent.xml'\n", "saml.metadata_file"),
        (URL, "metadata_file = 'client-key.json'\n", "saml.metadata_file"),
        (
            "issuer = 'https://idp.example.com/metadata'",
            "issuer = 'https://other.example.com/'\nmetadata_file = 'idp-metadata.xml'\n#",
            "saml.metadata_file",
        ),
        (URL, &format!("{FILE}proxy = 'http://proxy.example:3128'\n"), "saml.proxy"),
        (URL, &format!("{URL}leeway_seconds = 301\n"), "saml.leeway_seconds"),
        (URL, &format!("{URL}max_age_seconds = 0\n"), "saml.max_age_seconds"),
        (URL, &format!("{URL}attributes = {{ sub = 'uid' }}\n"), "saml.attributes.sub"),
        (URL, &format!("{URL}attributes = {{ exp = 'uid' }}\n"), "saml.attributes.exp"),
        (URL, &format!("{URL}attributes = {{ cnf = 'uid' }}\n"), "saml.attributes.cnf"),
        (URL, &format!("{URL}attributes = {{ groups = '' }}\n"), "saml.attributes.groups"),
        (URL, &format!("{URL}replays = 'refused'\n"), "saml.replays"),
        (URL, &format!("{URL}replays = 'refused'\n[gateway]\ncache_seconds = 300\n"), "saml.replays"),
        (URL, &format!("{URL}signature = 'unchecked'\n"), "saml.signature"),
    ] {
        let text = good.replacen(from, to, 1);
        let text = if to.ends_with('#') { text.replace(URL, "") } else { text };
        assert_eq!(problems(&text), [path], "{to}");
    }
    for more in [
        "",
        "attributes = { groups = 'http://schemas.xmlsoap.org/claims/Group', scope = 'rights' }\n",
        "replays = 'accepted'\n",
        "replays = 'refused'\n[gateway]\ncache_seconds = 0\n",
        "required_values = { name_id_format = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent' }\n",
    ] {
        assert!(parse(&format!("{good}{more}")).is_ok(), "{more}");
    }
    let issuer = "[[issuer]]\nurl = 'https://idp.example.com/metadata'\naudience = 'a'\n";
    assert_eq!(problems(&format!("{issuer}{good}")), ["saml.issuer"]);
}
