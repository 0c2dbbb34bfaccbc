mod property;

use super::*;
use crate::check::Severity;
use serde_json::{Value, json};

fn config(rules: &str) -> Config {
    let issuer = "[[issuer]]\nurl = \"https://login.example.com/\"\naudience = \"orders-api\"\n";
    Config::parse(&format!("{issuer}{rules}"), None).unwrap()
}

/// A REST API with these routes, all of them behind one authorizer but those that begin with `-`.
fn api(routes: &[&str], seconds: u32) -> Api {
    let mut paths = json!({});
    for route in routes {
        let (route, security) = match route.strip_prefix('-') {
            Some(route) => (route, json!([])),
            None => (*route, json!([{"lambda": []}])),
        };
        let (method, path) = route.split_once(' ').unwrap();
        let method = if method == "ANY" { "x-amazon-apigateway-any-method" } else { &method.to_lowercase() };
        paths[path][method] = json!({ "security": security });
    }
    let authorizer = json!({"type": "request", "identitySource": "method.request.header.Authorization",
        "authorizerResultTtlInSeconds": seconds});
    let schemes: Value = json!({"lambda": {"x-amazon-apigateway-authorizer": authorizer}});
    let document = json!({"openapi": "3.0.1", "paths": paths, "components": {"securitySchemes": schemes}});
    Api::parse(&document.to_string()).unwrap()
}

const ORDERS: [&str; 4] =
    ["GET /orders", "GET /orders/{id}", "GET /orders/{id}/items", "POST /orders/{id}/refund"];

fn codes(found: &[Finding]) -> Vec<(&str, &str)> {
    found.iter().map(|finding| (finding.code, finding.place.as_str())).collect()
}

fn found(rules: &str, routes: &[&str]) -> Vec<Finding> {
    findings(&config(rules), &api(routes, 300))
}

const READ: &str = "
[[rule]]
name = 'read'
routes = ['GET /orders', 'GET /orders/{id}']
requires = { scope = 'read' }
";

const NOTES: &str = "
[[rule]]
name = 'notes'
routes = ['GET /orders/{id}/notes']
requires = { scope = 'notes' }
";

const REFUND: &str = "
[[rule]]
name = 'refund'
routes = ['POST /orders/{id}/refund']
requires = { scope = 'refund' }
";

#[test]
fn rules_that_a_policy_can_say_are_proved() {
    let items =
        "[[rule]]\nname = 'items'\nroutes = ['GET /orders/{id}/items']\nrequires = { scope = 'items' }";
    assert_eq!(codes(&found(&[READ, REFUND, items].concat(), &ORDERS)), []);
}

/// A rule that closes everything to some callers is not about the route that somebody forgot.
#[test]
fn a_route_that_is_closed_to_some_and_open_to_nobody_is_told() {
    let deny = |requires: &str| {
        format!("[[rule]]\nname = 'no'\neffect = 'deny'\nroutes = ['ANY /**']\nrequires = {requires}\n")
    };
    let routes = ["GET /orders", "GET /orders/{id}", "GET /reports"];
    let some = [READ, &deny("{ claim = 'suspended', equals = true }")].concat();
    assert_eq!(codes(&found(&some, &routes)), [("route_unruled", "GET /reports")]);
    let reports = deny("'authenticated'").replace("ANY /**", "GET /reports");
    assert_eq!(codes(&found(&[READ, &reports].concat(), &routes)), []);
}

/// `*` takes slashes, and what would close it would close a route that the caller may.
#[test]
fn a_route_that_a_wildcard_opens_is_an_error_until_a_rule_names_it() {
    let routes = ["GET /orders", "GET /orders/{id}", "GET /orders/{id}/notes", "GET /orders/{id}/items"];
    let rules = [READ, NOTES].concat();
    let opened = found(&rules, &routes);
    assert_eq!(
        codes(&opened),
        [("route_opened", "GET /orders/{id}/items"), ("route_unruled", "GET /orders/{id}/items"),]
    );
    let finding = &opened[0];
    assert_eq!(finding.severity, Severity::Error);
    for part in ["`GET /orders/any-1/items`", "`read`, `notes`", "the rule `read` opens it"] {
        assert!(finding.message.contains(part), "{part} is not in {finding}");
    }
    for effect in ["allow", "deny"] {
        let named = format!(
            "{rules}\n[[rule]]\nname = 'items'\neffect = '{effect}'\nroutes = ['GET /orders/{{id}}/items']\nrequires = {}",
            if effect == "allow" { "{ scope = 'items' }" } else { "'authenticated'" },
        );
        assert_eq!(codes(&found(&named, &routes)), [], "{effect}");
    }
    // A policy that is not kept decides about nothing else.
    let uncached = findings(&config(&rules), &api(&routes, 0));
    assert_eq!(codes(&uncached), [("route_unruled", "GET /orders/{id}/items")]);
}

/// What keeps `/orders/1/2/audit` closed takes `/orders/1/notes/audit` with it.
#[test]
fn a_route_that_is_closed_with_another_is_an_error() {
    let routes = ["GET /orders/{id}", "GET /orders/{id}/notes/{note}", "GET /orders/{id}/{what}/audit"];
    let rules = |audit: &str| {
        format!(
            "
            [[rule]]
            name = 'read'
            routes = ['GET /orders/{{id}}']
            requires = {{ scope = 'read' }}
            [[rule]]
            name = 'notes'
            routes = ['GET /orders/{{id}}/notes/{{note}}']
            requires = {{ scope = 'notes' }}
            [[rule]]
            name = 'audit'
            routes = ['GET /orders/{{id}}/{audit}/audit']
            requires = {{ scope = 'audit' }}"
        )
    };
    let closed = found(&rules("{what}"), &routes);
    assert_eq!(codes(&closed), [("route_closed", "GET /orders/{id}/notes/{note}")]);
    assert!(closed[0].message.contains("`GET /orders/any-1/notes/audit`"), "{}", closed[0]);
    let apart = ["GET /orders/{id}", "GET /orders/{id}/notes/{note}", "GET /orders/{id}/log/audit"];
    assert_eq!(codes(&found(&rules("log"), &apart)), []);
}

#[test]
fn requirements_that_exclude_one_another_open_nothing_together() {
    let routes = ["GET /orders/{id}", "GET /orders/{id}/notes", "GET /orders/{id}/items"];
    let rules = |first: &str, second: &str| {
        format!(
            "
            [[rule]]
            name = 'read'
            routes = ['GET /orders/{{id}}']
            requires = {first}
            [[rule]]
            name = 'notes'
            routes = ['GET /orders/{{id}}/notes']
            requires = {second}"
        )
    };
    let plan = |name: &str| format!("{{ claim = 'plan', equals = '{name}' }}");
    let unruled = ("route_unruled", "GET /orders/{id}/items");
    let opened = ("route_opened", "GET /orders/{id}/items");
    assert_eq!(codes(&found(&rules(&plan("gold"), &plan("silver")), &routes)), [unruled]);
    assert_eq!(codes(&found(&rules(&plan("gold"), &plan("gold")), &routes)), [opened, unruled]);
    assert_eq!(codes(&found(&rules(&plan("gold"), "'authenticated'"), &routes)), [opened, unruled]);
}

#[test]
fn a_claim_in_a_route_is_the_callers_own() {
    let rules = "
        [[rule]]
        name = 'own'
        routes = ['ANY /users/{claims.sub}/**', 'GET /users/me']
        requires = 'authenticated'
        [[rule]]
        name = 'admin'
        routes = ['ANY /users/**']
        requires = { scope = 'admin' }
    ";
    let routes = ["ANY /users/{id}", "ANY /users/{id}/{proxy+}", "DELETE /users/{id}/account"];
    assert_eq!(codes(&found(rules, &routes)), []);
    // A claim that may not stand in a policy is a wildcard where it is denied, and takes what is deeper.
    let locked = "[[rule]]\nname = 'locked'\neffect = 'deny'\nroutes = ['DELETE /users/{claims.sub}/account']\nrequires = 'authenticated'";
    let closed = found(&format!("{rules}{locked}"), &routes);
    assert_eq!(codes(&closed), [("route_closed", "ANY /users/{id}/{proxy+}")]);
    assert!(closed[0].message.contains("may not stand in a policy"), "{}", closed[0]);
}

#[test]
fn routes_and_rules_that_do_not_meet_are_told() {
    let routes = ["GET /orders", "GET /orders/{id}", "ANY /files/{proxy+}"];
    let rules = format!(
        "{READ}
        [[rule]]
        name = 'old'
        routes = ['GET /order', 'POST /orders']
        requires = 'authenticated'
        [[rule]]
        name = 'files'
        routes = ['GET /files/{{name}}', 'GET /file/{{name}}', 'PUT /files']
        requires = 'authenticated'
        "
    );
    assert_eq!(
        codes(&found(&rules, &routes)),
        [
            ("rule_unmatched", "rule[1]"),
            ("rule_unmatched", "rule[2].routes[1]"),
            ("rule_unmatched", "rule[2].routes[2]"),
        ]
    );
    assert_eq!(codes(&found(READ, &routes)), [("route_unruled", "ANY /files/{proxy+}")]);
}

#[test]
fn a_route_without_an_authorizer_is_public_by_the_rules_or_told() {
    let routes = ["GET /orders", "GET /orders/{id}", "-GET /health/{part}", "-OPTIONS /orders"];
    let public = |requires: &str| {
        format!("{READ}\n[[rule]]\nname = 'health'\nroutes = ['GET /health/**']\nrequires = {requires}")
    };
    let told = ("route_unauthorized", "GET /health/{part}");
    assert_eq!(codes(&found("", &routes)), [told]);
    assert_eq!(codes(&found(READ, &routes)), [told]);
    assert_eq!(codes(&found(&public("'authenticated'"), &routes)), [told]);
    assert_eq!(codes(&found(&public("{ any = ['anyone', { scope = 'x' }] }"), &routes)), []);
    assert_eq!(codes(&found(&public("'anyone'"), &routes)), []);
}

#[test]
fn what_cannot_be_tried_is_not_said_to_be_proved() {
    let rules = |count: usize| -> String {
        let rule = |number: usize| {
            format!(
                "[[rule]]\nname = 'r{number}'\nroutes = ['GET /orders/{{id}}/r{number}']\nrequires = {{ scope = 's{number}' }}\n"
            )
        };
        (0..count).map(rule).collect()
    };
    let routes: Vec<String> = (0..11).map(|number| format!("GET /orders/{{id}}/r{number}")).collect();
    let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
    assert_eq!(codes(&found(&rules(4), &routes[..4])), []);
    let unproven = found(&rules(11), &routes);
    assert!(unproven.iter().all(|finding| finding.code == "route_unproven"), "{unproven:?}");
    assert_eq!(unproven.len(), 11);
    // Requirements of other paths do not count.
    let others = rules(11).replace("/orders/{id}/", "/orders/");
    let routes: Vec<String> = routes.iter().map(|route| route.replace("/{id}", "")).collect();
    let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
    assert_eq!(codes(&found(&others, &routes)), []);
}

#[test]
fn gaps_of_a_description_are_told() {
    let document = json!({"openapi": "3.0.1", "paths": {"/orders": {"$ref": "x", "get": {"security": []}}}});
    let found = findings(&config(READ), &Api::parse(&document.to_string()).unwrap());
    assert!(codes(&found).contains(&("description_unread", "paths./orders.$ref")), "{found:?}");
}

#[test]
fn a_default_route_has_what_no_other_route_has() {
    let document = json!({
        "openapi": "3.0.1",
        "paths": {
            "/$default": {"x-amazon-apigateway-any-method": {"security": [{"lambda": []}]}},
            "/orders/{id}": {"get": {"security": []}},
        },
        "components": {"securitySchemes": {"lambda": {"x-amazon-apigateway-authorizer": {"type": "request",
            "authorizerPayloadFormatVersion": "2.0", "authorizerResultTtlInSeconds": 300,
            "identitySource": "$request.header.Authorization"}}}},
    });
    let api = Api::parse(&document.to_string()).unwrap();
    let rules = |routes: &str| {
        config(&format!(
            "[[rule]]\nname = 'a'\nroutes = {routes}\nrequires = {{ scope = 'a' }}\n[[rule]]\nname = 'p'\nroutes = ['GET /orders/{{id}}']\nrequires = 'anyone'"
        ))
    };
    assert_eq!(codes(&findings(&rules("['ANY /**']"), &api)), []);
    assert_eq!(codes(&findings(&rules("['ANY /']"), &api)), []);
    assert_eq!(codes(&findings(&rules("['ANY /reports/**']"), &api)), []);
}

/// The repository's own template, with rules for its three APIs.
#[cfg(feature = "api")]
#[test]
fn our_own_template_is_proved() {
    let api = Api::parse(include_str!("../../../../template.yaml")).unwrap();
    let rules = "
        [[rule]]
        name = 'read orders'
        routes = ['GET /orders']
        requires = { scope = 'orders:read' }
        [[rule]]
        name = 'read reports'
        routes = ['GET /reports', '$connect']
        requires = 'authenticated'
    ";
    assert_eq!(codes(&findings(&config(rules), &api)), [("route_unauthorized", "GET /health of `RestApi`")]);
    let health = format!("{rules}\n[[rule]]\nname = 'health'\nroutes = ['GET /health']\nrequires = 'anyone'");
    assert_eq!(codes(&findings(&config(&health), &api)), []);
    let closed = rules.replace(", '$connect'", "");
    let found = findings(&config(&closed), &api);
    assert!(codes(&found).contains(&("route_unruled", "$connect of `WebSocketApi`")), "{found:?}");
}

/// Without the documents there would be nothing to close.
#[test]
fn what_closes_a_route_is_the_rule_that_denies() {
    let rules = "
        [[rule]]
        name = 'documents'
        routes = ['GET /docs/{space}/{id}']
        requires = { scope = 'docs' }
        [[rule]]
        name = 'comments'
        routes = ['GET /docs/{space}/{id}/comments']
        requires = { scope = 'comments' }
        [[rule]]
        name = 'no drafts'
        effect = 'deny'
        routes = ['GET /docs/drafts/{id}']
        requires = { claim = 'guest', equals = true }
    ";
    let found = found(rules, &["GET /docs/{space}/{id}", "GET /docs/{space}/{id}/comments"]);
    assert_eq!(codes(&found), [("route_closed", "GET /docs/{space}/{id}/comments")]);
    assert!(found[0].message.contains("the rule `no drafts` closes it"), "{}", found[0]);
}

/// Who has no team has no drafts, and what keeps those of others closed closes the library's.
#[test]
fn each_claim_is_tried_by_itself() {
    let rules = |claim: &str, route: &str| {
        format!(
            "
            [[rule]]
            name = 'library'
            routes = ['GET /docs/shared/**']
            requires = 'authenticated'
            [[rule]]
            name = 'own'
            routes = ['GET /docs/{{claims.sub}}/{{id}}']
            requires = 'authenticated'
            [[rule]]
            name = 'drafts'
            routes = ['GET /{route}/{{claims.{claim}}}/{{id}}/draft']
            requires = 'authenticated'
            "
        )
    };
    let routes = ["GET /docs/shared/{proxy+}", "GET /docs/{who}/{id}"];
    let found_of = |claim: &str| found(&rules(claim, "docs"), &routes);
    let closed = found_of("team");
    assert_eq!(codes(&closed), [("route_closed", "GET /docs/shared/{proxy+}")]);
    assert!(closed[0].message.contains("/draft` is closed"), "{}", closed[0]);
    assert!(
        closed[0].message.contains("are, and who has no `team`, and the rules allow it"),
        "{}",
        closed[0]
    );
    assert_eq!(codes(&found_of("sub")), []);
    let others = ["GET /docs/shared/{proxy+}", "GET /docs/{who}/{id}", "GET /team/{who}/{id}/draft"];
    assert_eq!(codes(&found(&rules("team", "team"), &others)), []);
}
