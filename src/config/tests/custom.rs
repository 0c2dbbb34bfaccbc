//! Kinds of credential that code of one's own verifies.

use super::*;

const TICKETS: &str = "[[custom]]\nkind = 'ticket'\nissuer = 'tickets'\n";

fn ticket() -> CredentialKind {
    CredentialKind::Custom("ticket".into())
}

#[test]
fn a_kind_of_ones_own_is_enough_and_rules_know_it() {
    let alone = Config::parse(TICKETS, None).unwrap();
    assert_eq!((alone.credential_kinds(), alone.issuer_names()), (vec![ticket()], vec!["tickets"]));
    let rule =
        "[[rule]]\nname = 'r'\nroutes = ['GET /a']\nrequires = { credential = 'ticket', issuer = 'tickets' }";
    let both = Config::parse(&format!("{ISSUER}{TICKETS}{rule}"), None).unwrap();
    assert_eq!(both.credential_kinds(), [CredentialKind::Jwt, ticket()]);
    assert!(both.verified_in_code(&["other", "ticket"]).is_ok());
    assert_eq!(paths(&both.verified_in_code(&["tickets"]).unwrap_err()), ["custom[0].kind"]);
    let error = problems(&format!("{ISSUER}{TICKETS}{}", rule.replace("'ticket'", "'tikket'")));
    assert_eq!(paths(&error), ["rule[0].requires.credential"]);
    assert!(
        error
            .to_string()
            .contains("one of `jwt`, `opaque`, `client_credentials`, `api_key`, `basic`, `saml`, `ticket`")
    );
}

/// Rule A10.
#[test]
fn kinds_and_issuers_have_names_of_their_own() {
    for (section, path) in [
        ("kind = 'ticket'", "custom[0].issuer"),
        ("issuer = 'tickets'", "custom[0].kind"),
        ("kind = 'jwt'\nissuer = 'tickets'", "custom[0].kind"),
        ("kind = 'basic'\nissuer = 'tickets'", "custom[0].kind"),
        ("kind = 'client_credentials'\nissuer = 'tickets'", "custom[0].kind"),
        ("kind = 'Ticket'\nissuer = 'tickets'", "custom[0].kind"),
        ("kind = '1ticket'\nissuer = 'tickets'", "custom[0].kind"),
        ("kind = 'ticket'\nissuer = ' tickets'", "custom[0].issuer"),
        ("kind = 'ticket'\nissuer = 'https://login.example.com/'", "custom[0].issuer"),
        ("kind = 'ticket'\nissuer = 'tickets'\nsecret = 'x'", "custom[0].secret"),
        (&format!("kind = 'ticket'\nissuer = 'others'\n{TICKETS}"), "custom[1].kind"),
        (&format!("kind = 'pass'\nissuer = 'tickets'\n{TICKETS}"), "custom[1].issuer"),
    ] {
        assert_eq!(paths(&problems(&format!("{ISSUER}[[custom]]\n{section}"))), [path], "{section}");
    }
    let two = format!("{ISSUER}{TICKETS}[[custom]]\nkind = 'ticket_2'\nissuer = 'others'");
    assert_eq!(Config::parse(&two, None).unwrap().custom.len(), 2);
}

/// Rule Z4: an answer is kept by the credential, and what else it depends on is not looked at.
#[test]
fn who_looks_at_the_request_keeps_no_answer() {
    let looking = format!("{ISSUER}{TICKETS}looks_at_request = true\n");
    assert_eq!(paths(&problems(&looking)), ["custom[0].looks_at_request"]);
    assert_eq!(
        paths(&problems(&format!("{looking}[gateway]\ncache_seconds = 60"))),
        ["custom[0].looks_at_request"]
    );
    let config = Config::parse(&format!("{looking}[gateway]\ncache_seconds = 0"), None).unwrap();
    assert!(config.custom[0].looks_at_request);
}
