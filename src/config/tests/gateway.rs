//! How API Gateway is set up, and the rules that depend on it.

use super::{ISSUER, paths};
use crate::config::Config;

/// The one setting that is wrong, if any.
fn problem(sections: &str) -> Option<String> {
    let error = Config::parse(&format!("{ISSUER}{sections}"), None).err()?;
    let mut paths = paths(&error);
    assert_eq!(paths.len(), 1, "{sections}: {error}");
    paths.pop().map(str::to_owned)
}

/// Rule Z4: what a decision depends on must be what tells cached answers apart.
#[test]
fn a_cache_that_would_replay_an_answer_for_others_is_refused() {
    let address = "[[rule]]\nname = 'r'\nroutes = ['GET /a']\nrequires = { source_ip = '10.0.0.0/8' }\n";
    let hidden = "[[rule]]\nname = 'r'\nroutes = ['GET /a']\nrequires = { any = ['authenticated', { not = { source_ip = '10.0.0.0/8' } }] }\n";
    let simple = "[response]\nhttp_api = 'simple'\n";
    let routes = "[[rule]]\nname = 'r'\nroutes = ['GET /a']\nrequires = 'authenticated'\n";
    let claims = "[[rule]]\nname = 'r'\nroutes = ['GET /{claims.sub}']\nrequires = 'authenticated'\n";
    let callers = "[[rule]]\nname = 'r'\nrequires = { scope = 'gold' }\ncontext = { plan = 'gold' }\n";
    let cookie = "[[identity_source]]\nfrom = 'cookie'\nname = 'session'\n";
    let off = "[gateway]\ncache_seconds = 0\n";
    let long = "[gateway]\ncache_seconds = 300\n";
    let by = |sources: &str| format!("[gateway]\nidentity_sources = [{sources}]\n");
    let header = by("'$request.header.Authorization'");
    let with_address = by("'method.request.header.Authorization', 'context.identity.sourceIp'");
    let with_route = by("'$request.header.Authorization', '$context.routeKey'");
    let with_cookie = by("'$request.header.Cookie'");
    let (source_ip, http_api) = (Some("rule[0].requires.source_ip"), Some("response.http_api"));
    for (sections, expected) in [
        (vec![address], source_ip),
        (vec![hidden], source_ip),
        (vec![address, long], source_ip),
        (vec![address, &header], source_ip),
        (vec![address, off], None),
        (vec![address, &with_address], None),
        (vec![hidden, &with_address], None),
        (vec![simple], None),
        (vec![simple, callers], None),
        (vec![simple, routes], http_api),
        (vec![simple, routes, long], http_api),
        (vec![simple, routes, &header], http_api),
        (vec![simple, routes, off], None),
        (vec![simple, routes, &with_route], None),
        (vec![simple, claims, &with_route], http_api),
        (vec![simple, claims, off], None),
        (vec![routes], None),
        (vec![claims, &header], None),
        (vec![cookie], None),
        (vec![cookie, &header], Some("gateway.identity_sources")),
        (vec![cookie, &with_cookie], None),
        (vec![cookie, &header.replace("[gateway]", off)], None),
    ] {
        assert_eq!(problem(&sections.concat()).as_deref(), expected, "{sections:?}");
    }
}

#[test]
fn what_is_said_of_api_gateway_is_checked() {
    for (sections, expected) in [
        ("cache_seconds = 3600", None),
        ("cache_seconds = 3601", Some("gateway.cache_seconds")),
        ("identity_sources = []", Some("gateway.identity_sources")),
        ("identity_sources = ['$request.header.Authorization', 'x']", Some("gateway.identity_sources[1]")),
        ("ttl = 5", Some("gateway.ttl")),
    ] {
        assert_eq!(problem(&format!("[gateway]\n{sections}")).as_deref(), expected, "{sections}");
    }
}
