//! What is said of claims that no caller has, always has, or has in another type: by profile, and by kind of credential.

use super::*;

#[test]
fn what_no_token_of_the_profile_has_is_told() {
    let id_tokens = "[[issuer]]\nurl = 'https://id.example/'\naudience = 'app'\nprofile = 'google'\n";
    let rule = |requires: &str| format!("[[rule]]\nname = 'r'\nroutes = ['GET /a']\nrequires = {requires}");
    for (issuers, requires, is_told) in [
        (ISSUER.to_owned(), "{ scope = 'a' }", false),
        (id_tokens.to_owned(), "{ scope = 'a' }", true),
        (id_tokens.to_owned(), "{ claim = 'hd', equals = 'example.com' }", false),
        (id_tokens.to_owned(), "{ claim = 'scope', contains = 'a' }", true),
        (format!("{ISSUER}{id_tokens}"), "{ scope = 'a' }", false),
        (format!("{ISSUER}{id_tokens}"), "{ scope = 'a', issuer = 'https://id.example/' }", true),
        (format!("{ISSUER}{id_tokens}"), "{ scope = 'a', issuer = 'https://login.example.com/' }", false),
        (ISSUER.to_owned(), "{ claim = 'nonce', prefix = 'a' }", true),
        (ISSUER.to_owned(), "{ claim = 'token_use', equals = 'id' }", true),
        (ISSUER.to_owned(), "{ claim = 'token_use', equals = 'access' }", false),
    ] {
        let expected = if is_told { one("claim_never_there", "rule[0] `r`") } else { vec![] };
        assert_eq!(in_text(&format!("{issuers}{}", rule(requires))), expected, "{requires}");
    }
}

#[test]
fn a_comparison_with_another_type_than_the_profiles_is_told() {
    let issuer = |profile: &str| {
        format!("[[issuer]]\nurl = 'https://id.example/'\naudience = 'app'\nprofile = '{profile}'\n")
    };
    let found = |issuers: &str, requires: &str, more: &str| {
        in_text(&format!("{issuers}[[rule]]\nname = 'r'\nroutes = ['GET /a']\nrequires = {requires}\n{more}"))
    };
    let told = one("claim_of_other_type", "rule[0] `r`");
    for (profile, claim, wrong, right) in [
        ("cognito_access", "cognito:groups", "equals = 'admin'", "contains = 'admin'"),
        ("cognito_id", "cognito:groups", "one_of = ['admin', 'staff']", "contains = ['admin', 'staff']"),
        ("cognito_id", "cognito:roles", "prefix = 'arn:'", "contains = 'arn:aws:iam::1:role/r'"),
        ("keycloak", "realm_access.roles", "equals = 'admin'", "contains = 'admin'"),
        ("entra", "roles", "equals = 'Reader'", "contains = 'Reader'"),
        ("auth0", "permissions", "prefix = 'read:'", "contains = 'read:orders'"),
        ("okta", "scp", "equals = 'a'", "contains = 'a'"),
        ("firebase", "email_verified", "equals = 'true'", "equals = true"),
        ("rfc9068", "client_id", "equals = 5", "equals = '5'"),
        ("rfc9068", "sub", "contains = 5", "contains = '5'"),
        ("access_token", "exp", "equals = '2026'", "equals = 2026"),
        ("access_token", "iat", "prefix = '20'", "one_of = ['2026', 2026]"),
    ] {
        let requirement = |test: &str| format!("{{ claim = '{claim}', {test} }}");
        assert_eq!(found(&issuer(profile), &requirement(wrong), ""), told, "{profile} {claim} {wrong}");
        assert_eq!(found(&issuer(profile), &requirement(right), ""), [], "{profile} {claim} {right}");
    }
    let groups = "{ claim = 'cognito:groups', equals = 'admin' }";
    // Another issuer may give a text.
    assert_eq!(found(&issuer("access_token"), groups, ""), []);
    assert_eq!(found(&format!("{ISSUER}{}", issuer("cognito_id")), groups, ""), []);
    let contrary = format!("{{ not = {groups} }}");
    assert_eq!(found(&issuer("cognito_id"), &contrary, ""), told);
    let denying = found(&issuer("cognito_id"), groups, "effect = 'deny'");
    assert!(denying.contains(&told[0]), "{denying:?}");
}

#[test]
fn a_comparison_that_the_configuration_contradicts_is_told() {
    let found = |requires: &str| {
        in_text(&format!(
            "{ISSUER}required_values = {{ tier = ['gold', 'silver'] }}\n[[rule]]\nname = 'r'\nroutes = ['GET /a']\nrequires = {requires}\n"
        ))
    };
    for (requires, is_told) in [
        ("{ claim = 'tier', equals = 'bronze' }", true),
        ("{ claim = 'tier', equals = 'gold' }", false),
        ("{ claim = 'tier', prefix = 'b' }", true),
        ("{ claim = 'tier', prefix = 'g' }", false),
        ("{ claim = 'tier', contains = 'bronze' }", false),
        ("{ claim = 'iss', equals = 'https://other.example/' }", true),
        ("{ claim = 'iss', equals = 'https://login.example.com/' }", false),
    ] {
        let expected = if is_told { one("claim_never_there", "rule[0] `r`") } else { vec![] };
        assert_eq!(found(requires), expected, "{requires}");
    }
}

#[test]
fn few_values_of_a_claim_that_may_be_a_list_are_told() {
    let routes = |claim: &str, count: usize| {
        let routes: Vec<_> =
            (0..count).map(|number| format!("'GET /t/{{claims.{claim}}}/part-{number}'")).collect();
        format!("[{}]", routes.join(", "))
    };
    let limited = one("values_limited", "rule");
    assert_eq!(found(&[("r", &routes("teams", 8), "'authenticated'", "")]), limited);
    assert_eq!(found(&[("r", &routes("teams", 2), "'authenticated'", "")]), []);
    let severity = |issuer: &str, claim: &str| {
        let rule =
            format!("[[rule]]\nname = 'r'\nroutes = {}\nrequires = 'authenticated'\n", routes(claim, 8));
        let config = Config::parse(&format!("{issuer}{rule}"), None).unwrap();
        check(&config, None).first().map(|finding| finding.severity)
    };
    let cognito = ISSUER.to_owned() + "profile = 'cognito_access'\n";
    assert_eq!(severity(&cognito, "cognito:groups"), Some(Severity::Warning));
    assert_eq!(severity(ISSUER, "cognito:groups"), Some(Severity::Note));
    // There is one `sub`.
    assert_eq!(found(&[("r", &routes("sub", 8), "'authenticated'", "")]), []);
}

#[test]
fn why_no_token_has_a_claim_is_told() {
    let message = |more: &str, requires: &str| {
        let rule = format!("[[rule]]\nname = 'r'\nroutes = ['GET /a']\nrequires = {requires}\n");
        let config = Config::parse(&format!("{ISSUER}{more}{rule}"), None).unwrap();
        check(&config, None).remove(0).message
    };
    let by_values = message("required_values = { tier = 'gold' }\n", "{ claim = 'tier', equals = 'bronze' }");
    assert!(by_values.ends_with("which no token has by `required_values`"), "{by_values}");
    let by_profile = message("", "{ claim = 'nonce', prefix = 'a' }");
    assert!(by_profile.ends_with("which no token has by its issuer's `profile`"), "{by_profile}");
}

/// What an opaque token stands for is not known: nothing is said of every token where there may be such.
#[cfg(feature = "introspection")]
#[test]
fn opaque_tokens_may_have_what_no_jwt_has() {
    const ASKED: &str = "[introspection]\nurl = 'https://id.example.com/introspect'\nissuer = 'https://id.example.com/'\naudience = 'a'\nclient_id = 'c'\nclient_secret = 's'\n";
    let issuer = "[[issuer]]\nurl = 'https://accounts.google.com'\naudience = 'a'\nprofile = 'google'\n";
    let rule = |routes: &str, requires: &str| {
        format!("[[rule]]\nname = 'r'\nroutes = ['{routes}']\nrequires = {requires}\n")
    };
    let never = one("claim_never_there", "rule[0] `r`");
    let shared = one("claim_of_several_issuers", "rule[0] `r`");
    let own = "GET /users/{claims.sub}";
    for (issuers, routes, requires, expected) in [
        (&[issuer][..], "GET /r", READ, &never[..]),
        (&[issuer, ASKED], "GET /r", READ, &[]),
        (&[issuer, ASKED], "GET /r", "{ scope = 'read', credential = 'jwt' }", &never),
        (&[ASKED], "GET /r", READ, &[]),
        (&[issuer], own, "'authenticated'", &[]),
        (&[issuer, ASKED], own, "'authenticated'", &shared),
        (&[issuer, ASKED], own, "{ credential = 'opaque' }", &[]),
    ] {
        let found = in_text(&format!("{}{}", issuers.concat(), rule(routes, requires)));
        assert_eq!(found, expected, "{} issuers, {routes} {requires}", issuers.len());
    }
}

/// Nor is it of an API key, before it comes.
#[cfg(feature = "dynamodb")]
#[test]
fn api_keys_may_have_what_no_jwt_has() {
    const KEYS: &str = "[dynamodb]\ntable = 'keys'\n[api_keys]\nprefix = 'orders'\n";
    let issuer = "[[issuer]]\nurl = 'https://accounts.google.com'\naudience = 'a'\nprofile = 'google'\n";
    let rule = |requires: &str| format!("[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = {requires}\n");
    let never = one("claim_never_there", "rule[0] `r`");
    for (issuers, requires, expected) in [
        (&[issuer][..], READ, &never[..]),
        (&[issuer, KEYS], READ, &[]),
        (&[issuer, KEYS], "{ scope = 'read', credential = 'jwt' }", &never),
        (&[issuer, KEYS], "{ scope = 'read', credential = 'api_key' }", &[]),
    ] {
        let found = in_text(&format!("{}{}", issuers.concat(), rule(requires)));
        assert_eq!(found, expected, "{} issuers, {requires}", issuers.len());
    }
    let asks = "required_claims = ['tenant']\n";
    for (text, expected) in [(format!("{ISSUER}{asks}"), true), (format!("{ISSUER}{asks}{KEYS}"), false)] {
        let config = Config::parse(&text, None).unwrap();
        let claim = crate::claims::ClaimPath::of(["tenant"]);
        assert_eq!(supposed::is_always_there(&claim, &config), expected, "{text}");
    }
}

/// Nor is it of a SAML assertion, of which only what is asked for is known.
#[cfg(feature = "saml")]
#[test]
fn assertions_may_have_what_no_jwt_has() {
    const SAML: &str = "[saml]\nissuer = 'https://idp.example.com/'\naudience = 'a'\nrecipient = 'https://api.example.com/'\nmetadata_url = 'https://idp.example.com/'\n";
    let issuer = "[[issuer]]\nurl = 'https://accounts.google.com'\naudience = 'a'\nprofile = 'google'\n";
    let rule = |requires: &str| format!("[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = {requires}\n");
    let never = one("claim_never_there", "rule[0] `r`");
    for (issuers, requires, expected) in [
        (&[issuer][..], READ, &never[..]),
        (&[issuer, SAML], READ, &[]),
        (&[issuer, SAML], "{ scope = 'read', credential = 'jwt' }", &never),
        (&[issuer, SAML], "{ scope = 'read', credential = 'saml' }", &[]),
    ] {
        let found = in_text(&format!("{}{}", issuers.concat(), rule(requires)));
        assert_eq!(found, expected, "{} issuers, {requires}", issuers.len());
    }
    let asks = "required_claims = ['tenant']\n";
    for (text, expected) in [
        (format!("{ISSUER}{asks}{SAML}"), false),
        (format!("{ISSUER}{asks}{SAML}{asks}"), true),
        (format!("{SAML}{asks}"), true),
    ] {
        let config = Config::parse(&text, None).unwrap();
        let claim = crate::claims::ClaimPath::of(["tenant"]);
        assert_eq!(supposed::is_always_there(&claim, &config), expected, "{text}");
    }
}

/// A claim is always there where everybody who vouches for callers is asked for it.
#[cfg(feature = "introspection")]
#[test]
fn a_claim_is_always_there_where_opaque_tokens_need_it_too() {
    let asks = "required_claims = ['tenant']\n";
    let asked = |more: &str| {
        format!(
            "[introspection]\nurl = 'https://id.example.com/introspect'\nissuer = 'https://id.example.com/'\naudience = 'a'\nclient_id = 'c'\nclient_secret = 's'\n{more}"
        )
    };
    for (text, expected) in [
        (format!("{ISSUER}{asks}"), true),
        (format!("{ISSUER}{asks}{}", asked(asks)), true),
        (format!("{ISSUER}{asks}{}", asked("")), false),
        (asked(asks), true),
        (asked(""), false),
    ] {
        let config = Config::parse(&text, None).unwrap();
        let claim = crate::claims::ClaimPath::of(["tenant"]);
        assert_eq!(supposed::is_always_there(&claim, &config), expected, "{text}");
    }
}

/// A token that was got for an ID and a secret is one of its issuer's: what is said of those holds of it.
#[cfg(feature = "oauth")]
#[test]
fn client_credentials_have_what_the_tokens_of_their_issuer_have() {
    let issuer = "[[issuer]]\nurl = 'https://accounts.google.com'\naudience = 'a'\nprofile = 'google'\n";
    let clients = "[client_credentials]\ntoken_endpoint = 'https://accounts.google.com/token'\nissuer = 'https://accounts.google.com'\n";
    let rule = |requires: &str| format!("[[rule]]\nname = 'r'\nroutes = ['GET /r']\nrequires = {requires}\n");
    let never = one("claim_never_there", "rule[0] `r`");
    for (requires, expected) in [
        ("{ scope = 'read', credential = 'client_credentials' }", &never[..]),
        ("{ scope = 'read' }", &never),
        ("{ credential = 'client_credentials' }", &[]),
    ] {
        assert_eq!(in_text(&format!("{issuer}{clients}{}", rule(requires))), expected, "{requires}");
    }
}
