mod claims;

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
fn a_route_that_a_rule_names_twice_is_told() {
    let twice = one("route_twice", "rule[0].routes[1]");
    assert_eq!(found(&[("r", "['GET /a/{id}', 'GET /a/{name}/']", READ, "")]), twice);
    assert_eq!(found(&[("r", "['GET /a/{id}', 'GET /b/{id}', 'PUT /a/{id}']", READ, "")]), []);
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
