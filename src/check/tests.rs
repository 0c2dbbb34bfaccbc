use super::*;
use crate::config::Config;

const ISSUER: &str = "[[issuer]]\nurl = 'https://login.example.com/'\naudience = 'orders-api'\n";

/// The codes and places that are found in these rules: name, routes, requirement, and what else a rule has.
fn found(rules: &[(&str, &str, &str, &str)]) -> Vec<(&'static str, String)> {
    let rule = |(name, routes, requires, more): &(&str, &str, &str, &str)| {
        format!("[[rule]]\nname = '{name}'\nroutes = {routes}\nrequires = {requires}\n{more}\n")
    };
    of(&rules.iter().map(rule).collect::<String>())
}

fn of(sections: &str) -> Vec<(&'static str, String)> {
    in_text(&format!("{ISSUER}{sections}"))
}

fn in_text(toml: &str) -> Vec<(&'static str, String)> {
    let config = Config::parse(toml, None).unwrap();
    check(&config, None).into_iter().map(|finding| (finding.code, finding.place)).collect()
}

fn one(code: &'static str, place: &str) -> Vec<(&'static str, String)> {
    vec![(code, place.to_owned())]
}

const READ: &str = "{ scope = 'read' }";
const ADMIN: &str = "{ scope = 'admin' }";

#[test]
fn ordinary_rules_have_no_findings() {
    for rules in [
        &[][..],
        &[("read", "['GET /orders', 'GET /orders/{id}']", READ, "")],
        &[
            ("read", "['GET /orders', 'GET /orders/**', '$connect']", READ, ""),
            ("write", "['POST /orders', 'DELETE /orders/{id}']", "{ scope = 'write' }", ""),
            ("own", "['ANY /users/{claims.sub}/**']", "'authenticated'", ""),
            ("admin", "['ANY /**']", ADMIN, ""),
            ("blocked", "['ANY /**']", "{ claim = 'sub', one_of = ['u1', 'u2'] }", "effect = 'deny'"),
        ],
    ] {
        assert_eq!(found(rules), [], "{rules:?}");
    }
}

#[test]
fn a_rule_that_changes_nothing_is_told() {
    let wide = ("wide", "['GET /orders/**']", "'authenticated'", "");
    let narrow = ("narrow", "['GET /orders/{id}']", READ, "");
    assert_eq!(found(&[wide, narrow]), one("rule_shadowed", "rule[1] `narrow`"));
    assert_eq!(found(&[narrow, wide]), one("rule_shadowed", "rule[0] `narrow`"));
    // It opens more, to fewer, or says something of its callers.
    let wider = ("wide", "['GET /orders/**']", ADMIN, "");
    assert_eq!(found(&[wider, narrow]), []);
    assert_eq!(found(&[wide, ("narrow", "['POST /orders/{id}']", READ, "")]), []);
    assert_eq!(found(&[wide, ("narrow", "['GET /orders/{id}']", READ, "context = { plan = 'gold' }")]), []);
    assert_eq!(found(&[("wide", "['GET /orders/**']", "'authenticated'", "stages = ['dev']"), narrow]), []);
    let twins = [("one", "['GET /a']", READ, ""), ("two", "['GET /a']", READ, "")];
    assert_eq!(found(&twins), one("rule_shadowed", "rule[1] `two`"));
}

#[test]
fn a_rule_for_nobody_is_told() {
    let gold_and_silver =
        "{ all = [{ claim = 'tier', equals = 'gold' }, { claim = 'tier', equals = 'silver' }] }";
    assert_eq!(
        found(&[("both", "['GET /a']", gold_and_silver, "")]),
        one("rule_unreachable", "rule[0] `both`")
    );
    let either = "{ claim = 'tier', one_of = ['gold', 'silver'] }";
    assert_eq!(found(&[("either", "['GET /a']", either, "")]), []);
    let closed = ("closed", "['ANY /a/**']", "'authenticated'", "effect = 'deny'");
    assert_eq!(
        found(&[("open", "['GET /a/b']", READ, ""), closed]),
        one("rule_unreachable", "rule[0] `open`")
    );
    assert_eq!(found(&[("open", "['GET /a/b', 'GET /b']", READ, ""), closed]), []);
    assert_eq!(found(&[closed]), one("nothing_open", "rule"));
    // Nor is said of it what it would do beside a third one.
    let wide = ("wide", "['GET /a/**']", "'authenticated'", "");
    let unreachable = vec![
        ("rule_unreachable", "rule[0] `open`".to_owned()),
        ("rule_unreachable", "rule[1] `wide`".to_owned()),
    ];
    assert_eq!(found(&[("open", "['GET /a/b']", READ, ""), wide, closed]), unreachable);
    assert_eq!(found(&[("open", "['GET /a/b']", READ, ""), wide]), one("rule_shadowed", "rule[0] `open`"));
}

/// What a client says of itself opens nothing that it could not have asked for without saying it.
#[test]
fn a_rule_that_only_a_parameter_of_the_clients_opens_is_told() {
    let told = |requires: &str| {
        let rule = format!("[[rule]]\nname = 'r'\nroutes = ['GET /a']\nrequires = {requires}\n");
        let codes = of(&format!("{rule}[gateway]\ncache_seconds = 0\n"));
        codes.iter().any(|(code, _)| *code == "parameter_proves_nothing")
    };
    let header = "header = { name = 'X-Tier', equals = 'a' }";
    let query = "query = { name = 'tier', equals = 'a' }";
    for (requires, expected) in [
        (format!("{{ {header} }}"), true),
        (format!("{{ {query} }}"), true),
        (format!("{{ {header}, {query} }}"), true),
        (format!("{{ any = ['anyone'], {header} }}"), true),
        (format!("{{ not = {{ {header} }} }}"), true),
        (format!("{{ any = [{{ scope = 'x' }}, {{ {header} }}] }}"), true),
        (format!("{{ not = {{ scope = 'x' }}, {header} }}"), true),
        (format!("{{ all = ['authenticated'], {header} }}"), false),
        (format!("{{ scope = 'x', {header} }}"), false),
        (format!("{{ client_certificate = {{ field = 'subject', equals = 'CN=a' }}, {header} }}"), false),
        (format!("{{ stage_variable = {{ name = 'tier', equals = 'a' }}, {header} }}"), false),
        ("{ stage_variable = { name = 'tier', equals = 'a' } }".to_owned(), false),
        ("{ client_certificate = { field = 'subject', equals = 'CN=a' } }".to_owned(), false),
    ] {
        assert_eq!(told(&requires), expected, "{requires}");
    }
}

#[test]
fn a_route_that_a_wildcard_of_others_names_is_told() {
    let export = ("export", "['GET /orders/export']", ADMIN, "");
    let read = ("read", "['GET /orders/{id}']", READ, "");
    assert_eq!(found(&[read, export]), one("route_also_open", "rule[1] `export`"));
    assert_eq!(found(&[("read", "['POST /orders/{id}']", READ, ""), export]), []);
    assert_eq!(
        found(&[("read", "['GET /orders/{id}']", ADMIN, ""), export]).first().map(|first| first.0),
        Some("rule_shadowed")
    );
    // Who may do everything may do this, too.
    assert_eq!(found(&[("all", "['ANY /**']", READ, ""), export]), []);
}

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

/// Two issuers may give the same `sub` to different people.
#[test]
fn routes_that_callers_of_two_issuers_share_are_told() {
    let partners = "[[issuer]]\nurl = 'https://partners.example/'\naudience = 'orders-api'\n";
    let own = |requires: &str| {
        format!("[[rule]]\nname = 'own'\nroutes = ['ANY /users/{{claims.sub}}']\nrequires = {requires}\n")
    };
    let shared = one("claim_of_several_issuers", "rule[0] `own`");
    assert_eq!(in_text(&format!("{ISSUER}{partners}{}", own("'authenticated'"))), shared);
    assert_eq!(
        in_text(&format!("{ISSUER}{partners}{}", own("{ issuer = 'https://partners.example/' }"))),
        []
    );
    assert_eq!(in_text(&format!("{ISSUER}{}", own("'authenticated'"))), []);
}

#[test]
fn what_iam_cannot_say_is_told() {
    let read = ("read", "['GET /orders/{id}', 'GET /orders/{id}/items']", READ, "");
    assert_eq!(found(&[read]), one("opens_more", "GET /orders/{id}"));
    assert_eq!(found(&[("read", "['GET /orders/{id}']", READ, "")]), []);
    assert_eq!(found(&[("read", "['GET /orders/{id}', 'POST /orders/{id}/items']", READ, "")]), []);
    let audit = [
        ("read", "['GET /orders/{id}', 'GET /orders/{id}/notes/{note}']", READ, ""),
        ("audit", "['GET /orders/{id}/audit']", ADMIN, ""),
    ];
    let expected = [
        ("closes_more", "GET /orders/{id}/audit".to_owned()),
        ("opens_more", "GET /orders/{id}".to_owned()),
        ("opens_more", "GET /orders/{id}/audit".to_owned()),
    ];
    assert_eq!(found(&audit), expected);
}

#[test]
fn public_routes_that_api_gateway_refuses_are_told() {
    let health = "[[rule]]\nname = 'health'\nroutes = ['GET /health']\nrequires = 'anyone'\n";
    let refused = one("public_refused_by_gateway", "rule[0] `health`");
    assert_eq!(of(health), refused);
    let with = |sources: &str| of(&format!("{health}[gateway]\nidentity_sources = [{sources}]\n"));
    assert_eq!(with("'method.request.header.Authorization'"), refused);
    let elsewhere = "[[identity_source]]\nfrom = 'header'\nname = 'Authorization'\n";
    let uncached = format!(
        "{elsewhere}{health}[gateway]\ncache_seconds = 0\nidentity_sources = ['$context.identity.sourceIp']\n"
    );
    assert_eq!(of(&uncached), []);
}

#[test]
fn a_finding_is_readable() {
    let finding = Finding::warning("rule_shadowed", "rule[1] `a`", "it changes nothing").hint("leave it out");
    assert_eq!(
        finding.to_string(),
        "warning[rule_shadowed]: rule[1] `a`: it changes nothing\n  hint: leave it out"
    );
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
fn a_route_that_a_rule_names_twice_is_told() {
    let twice = one("route_twice", "rule[0].routes[1]");
    assert_eq!(found(&[("r", "['GET /a/{id}', 'GET /a/{name}/']", READ, "")]), twice);
    assert_eq!(found(&[("r", "['GET /a/{id}', 'GET /b/{id}', 'PUT /a/{id}']", READ, "")]), []);
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
fn what_iam_cannot_say_is_told_in_the_words_of_the_rules() {
    let toml = format!(
        "{ISSUER}[[rule]]\nname = 'one'\nroutes = ['GET /orders/{{order-id}}']\nrequires = {READ}\n
        [[rule]]\nname = 'items'\nroutes = ['GET /orders/{{id}}/items']\nrequires = {READ}\n"
    );
    let found = check(&Config::parse(&toml, None).unwrap(), None);
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((finding.code, finding.place.as_str()), ("opens_more", "GET /orders/{order-id}"));
    for part in ["wildcards of `one` ", "because `/orders/{id}/items` of `items` must stay open"] {
        assert!(finding.message.contains(part), "{part} is not in {finding}");
    }
}

#[test]
fn every_finding_of_rules_says_what_to_do() {
    let wide = ("wide", "['GET /orders/**', 'GET /orders/**']", "'authenticated'", "");
    let narrow = ("wide", "['GET /orders/{id}']", READ, "");
    let closed = ("closed", "['ANY /a/**']", "'authenticated'", "effect = 'deny'");
    let open = ("open", "['GET /a/b']", READ, "");
    let never = ("never", "['GET /b']", "{ not = 'anyone' }", "");
    let rule = |(name, routes, requires, more): &(&str, &str, &str, &str)| {
        format!("[[rule]]\nname = '{name}'\nroutes = {routes}\nrequires = {requires}\n{more}\n")
    };
    let rules: String = [wide, narrow, closed, open, never].iter().map(rule).collect();
    let found = check(&Config::parse(&format!("{ISSUER}{rules}"), None).unwrap(), None);
    assert!(found.len() >= 5, "{found:?}");
    for finding in found {
        assert!(finding.hint.is_some(), "{finding}");
    }
}

/// One value may take the room of two, and whether it does the rules alone do not tell.
#[test]
fn a_policy_that_is_too_large_for_values_of_two_spellings_is_told() {
    let rule = |count: usize| {
        let routes: Vec<_> = (0..count).map(|part| format!("'ANY /part-{part}/{{claims.sub}}/**'")).collect();
        format!("[[rule]]\nname = 'own'\nroutes = [{}]\nrequires = 'authenticated'\n", routes.join(", "))
    };
    let severity = |issuer: &str, count: usize| {
        let config = Config::parse(&format!("{issuer}{}", rule(count)), None).unwrap();
        let found = check(&config, None);
        found.iter().find(|finding| finding.code == "policy_too_large").map(|finding| finding.severity)
    };
    let auth0 = ISSUER.to_owned() + "profile = 'auth0'\n";
    assert_eq!((severity(ISSUER, 2), severity(&auth0, 2)), (None, None));
    assert_eq!(severity(ISSUER, 7), Some(Severity::Warning));
    assert_eq!(severity(&auth0, 7), Some(Severity::Error));
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

/// Who has one of them has the other.
#[test]
fn a_rule_that_follows_is_not_lacked() {
    let rules = |stock: &str| {
        [
            ("catalogue", "['GET /shop/{shop}/{id}']".to_owned(), "'authenticated'".to_owned()),
            (
                "reviews",
                "['GET /shop/{shop}/{id}/reviews', 'GET /shop/{shop}/{id}/reviews/{r}']".to_owned(),
                stock.to_owned(),
            ),
            ("mine", "['ANY /shop/{claims.shop}/**']".to_owned(), "{ scope = 'owner' }".to_owned()),
        ]
    };
    let closes = |requires: &str| {
        let rules = rules(requires);
        let rules: Vec<_> = rules.iter().map(|(n, r, q)| (*n, r.as_str(), q.as_str(), "")).collect();
        found(&rules).iter().any(|(code, _)| *code == "closes_more")
    };
    assert!(!closes("'authenticated'"));
    assert!(closes("{ scope = 'reviews' }"));
}

const DOCUMENTS: (&str, &str, &str, &str) =
    ("documents", "['GET /docs/{space}/{id}']", "{ scope = 'docs' }", "");
const COMMENTS: (&str, &str, &str, &str) =
    ("comments", "['GET /docs/{space}/{id}/comments']", "{ scope = 'comments' }", "");

#[test]
fn what_a_rule_that_denies_closes_beside_two_others_is_told() {
    let drafts = |requires| ("drafts", "['GET /docs/drafts/{id}']", requires, "effect = 'deny'");
    let guests = drafts("{ claim = 'guest', equals = true }");
    let told = ("closes_more", "GET /docs/drafts/{id}".to_owned());
    assert!(found(&[DOCUMENTS, COMMENTS, guests]).contains(&told));
    assert!(!found(&[DOCUMENTS, guests]).contains(&told));
    let others = ("drafts", "['GET /other/drafts/{id}']", "'authenticated'", "effect = 'deny'");
    assert!(!found(&[DOCUMENTS, COMMENTS, others]).contains(&told));
}

#[test]
fn what_differs_for_a_caller_without_a_claim_is_told() {
    let rules = |claim: &str| {
        let rule = |name: &str, routes: &str| {
            format!("[[rule]]\nname = '{name}'\nroutes = ['{routes}']\nrequires = 'authenticated'\n")
        };
        [
            rule("library", "GET /docs/shared/**"),
            rule("own", "GET /docs/{claims.sub}/{id}"),
            rule("drafts", &format!("GET /docs/{{claims.{claim}}}/{{id}}/draft")),
        ]
        .concat()
    };
    let closes = |claim: &str| {
        let config = Config::parse(&format!("{ISSUER}{}", rules(claim)), None).unwrap();
        check(&config, None).into_iter().find(|finding| finding.code == "closes_more")
    };
    let told = closes("team").unwrap();
    assert!(told.message.contains("a caller without `team`"), "{told}");
    // Every token has it.
    assert_eq!(closes("sub"), None);
}

#[test]
fn what_differs_for_a_value_that_may_not_stand_in_a_policy_is_told() {
    let open = ("open", "['HEAD /{space}/{id}', 'HEAD /b/{id}/c']", "'authenticated'", "");
    let closes = |route| {
        let denied = ("denied", route, "'authenticated'", "effect = 'deny'");
        found(&[open, denied]).iter().any(|(code, _)| *code == "closes_more")
    };
    assert!(closes("['HEAD /b/{claims.t}']"));
    assert!(!closes("['HEAD /b/t']"));
}

#[test]
fn what_was_not_tried_is_told() {
    let is_told = |route| {
        found(&[("many", route, "'authenticated'", "")]).contains(&("not_looked_at", "rule".to_owned()))
    };
    assert!(!is_told("['GET /{id}/{claims.a}/{claims.b}/{claims.c}/{claims.d}']"));
    assert!(is_told("['GET /{id}/{claims.a}/{claims.b}/{claims.c}/{claims.d}/{claims.e}']"));
}

/// What an opaque token stands for is not known: nothing is said of every token where there may be such.
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

/// A claim is always there where everybody who vouches for callers is asked for it.
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
