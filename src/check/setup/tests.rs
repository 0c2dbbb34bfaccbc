use super::*;
use crate::check::Severity;
use serde_json::{Value, json};

const RULE: &str =
    "[[rule]]\nname = 'read'\nroutes = ['GET /orders', 'GET /orders/{id}']\nrequires = { scope = 'read' }\n";

fn config(sections: &str) -> Config {
    let issuer = "[[issuer]]\nurl = \"https://login.example.com/\"\naudience = \"orders-api\"\n";
    Config::parse(&format!("{issuer}{sections}"), None).unwrap()
}

/// An API of two routes, whose authorizer has these members.
fn api(authorizer: Value) -> Api {
    let get = || json!({"get": {"security": [{"lambda": []}]}});
    let document = json!({
        "openapi": "3.0.1",
        "paths": {"/orders": get(), "/orders/{id}": get()},
        "components": {"securitySchemes": {"lambda": {"x-amazon-apigateway-authorizer": authorizer}}},
    });
    Api::parse(&document.to_string()).unwrap()
}

fn http(sources: &str, seconds: u32, is_simple: bool) -> Api {
    api(json!({"type": "request", "identitySource": sources, "authorizerResultTtlInSeconds": seconds,
        "authorizerPayloadFormatVersion": "2.0", "enableSimpleResponses": is_simple}))
}

fn rest(kind: &str, sources: &str, seconds: u32) -> Api {
    api(json!({"type": kind, "identitySource": sources, "authorizerResultTtlInSeconds": seconds}))
}

fn codes(sections: &str, api: &Api) -> Vec<(&'static str, String)> {
    findings(&config(sections), api).into_iter().map(|finding| (finding.code, finding.place)).collect()
}

fn of_authorizer(codes: &[&'static str]) -> Vec<(&'static str, String)> {
    codes.iter().map(|code| (*code, "authorizer `lambda`".to_owned())).collect()
}

const AUTHORIZATION: &str = "$request.header.Authorization";

#[test]
fn a_simple_answer_is_not_cached_for_routes_that_differ() {
    let sections = |routes: &str| {
        format!(
            "{}\n[gateway]\nidentity_sources = ['{AUTHORIZATION}', '$context.routeKey']\n[response]\nhttp_api = 'simple'",
            RULE.replace("'GET /orders', 'GET /orders/{id}'", routes)
        )
    };
    let with_key = format!("{AUTHORIZATION}, $context.routeKey");
    let severities = |routes: &str, api: &Api| -> Vec<_> {
        let found = findings(&config(&sections(routes)), api);
        found.into_iter().map(|finding| (finding.severity, finding.code, finding.place)).collect()
    };
    let of_order = |severity| vec![(severity, "simple_cached", "GET /orders/{id}".to_owned())];
    assert_eq!(severities("'GET /orders'", &http(&with_key, 300, true)), []);
    // An order whose ID has a slash in it: the rules refuse it.
    let plain = "'GET /orders', 'GET /orders/{id}'";
    assert_eq!(severities(plain, &http(&with_key, 300, true)), of_order(Severity::Warning));
    assert_eq!(severities(plain, &http(&with_key, 0, true)), []);
    assert_eq!(
        codes(&sections(plain), &http(AUTHORIZATION, 300, true)),
        of_authorizer(&["simple_cached", "gateway_differs"])
    );
    // One order is told from another, and the route is the same.
    assert_eq!(severities("'GET /orders/7'", &http(&with_key, 300, true)), of_order(Severity::Error));
    assert_eq!(severities("'GET /orders/7'", &http(&with_key, 0, true)), []);
}

#[test]
fn a_credential_is_read_from_what_answers_are_kept_by() {
    let query = format!(
        "{RULE}[[identity_source]]\nfrom = 'header'\nname = 'Authorization'\n[[identity_source]]\nfrom = 'query'\nname = 'token'\n"
    );
    let both = "method.request.header.Authorization, method.request.querystring.token";
    let one = "method.request.header.authorization";
    assert_eq!(codes(&query, &rest("request", both, 300)), []);
    assert_eq!(codes(&query, &rest("request", one, 0)), []);
    assert_eq!(codes(&query, &rest("request", one, 300)), of_authorizer(&["credential_not_in_cache_key"]));
    assert_eq!(
        codes(&query, &http(AUTHORIZATION, 300, false)),
        of_authorizer(&["credential_not_in_cache_key"])
    );
    assert_eq!(codes(RULE, &rest("request", one, 300)), []);
    assert_eq!(codes(RULE, &rest("token", one, 300)), []);
}

/// Its token is all that a TOKEN authorizer is told, and nobody else is told it.
#[test]
fn a_credential_is_looked_for_where_there_may_be_one() {
    let from = |place: &str| format!("{RULE}[[identity_source]]\nfrom = '{place}'\n");
    let header = from("header") + "name = 'Authorization'\n";
    let sources = "method.request.header.Authorization";
    let unreachable = of_authorizer(&["credential_unreachable"]);
    assert_eq!(codes(&header, &rest("token", sources, 300)), unreachable);
    assert_eq!(codes(&header, &rest("request", sources, 300)), []);
    assert_eq!(codes(&from("authorization_token"), &rest("request", sources, 300)), unreachable);
    assert_eq!(codes(&from("authorization_token"), &rest("token", sources, 300)), []);
    assert_eq!(codes(&from("websocket_protocol"), &http(AUTHORIZATION, 300, false)), unreachable);
}

#[test]
fn an_address_is_looked_at_only_where_it_is_told_and_kept_apart() {
    let rule = RULE.replace("scope = 'read'", "source_ip = '10.0.0.0/8'");
    let kept =
        format!("{rule}[gateway]\nidentity_sources = ['{AUTHORIZATION}', '$context.identity.sourceIp']");
    let uncached = format!("{rule}[gateway]\ncache_seconds = 0");
    let both = "method.request.header.Authorization, context.identity.sourceIp";
    let one = "method.request.header.Authorization";
    assert_eq!(codes(&kept, &rest("request", both, 300)), []);
    assert_eq!(
        codes(&kept, &rest("request", one, 300)),
        of_authorizer(&["address_not_in_cache_key", "gateway_differs"])
    );
    assert_eq!(codes(&uncached, &rest("request", one, 0)), []);
    assert_eq!(codes(&uncached, &rest("token", one, 0)), of_authorizer(&["address_unknown"]));
    assert_eq!(codes(RULE, &rest("token", one, 0)), []);
}

#[test]
fn a_parameter_is_looked_at_only_where_it_is_told_and_kept_apart() {
    let one = "method.request.header.Authorization";
    for (requires, said, found) in [
        (
            "header = { name = 'X-Tier', equals = 'a' }",
            "$request.header.x-tier",
            "method.request.header.X-Tier",
        ),
        (
            "query = { name = 'tier', equals = 'a' }",
            "$request.querystring.tier",
            "method.request.querystring.tier",
        ),
        ("stage_variable = { name = 'tier', equals = 'a' }", "$stageVariables.tier", "stageVariables.tier"),
        (
            "client_certificate = { field = 'subject.O', equals = 'a' }",
            "$context.identity.clientCert.subjectDN",
            "context.identity.clientCert.subjectDN",
        ),
    ] {
        let rule = RULE.replace("scope = 'read'", &format!("scope = 'read', {requires}"));
        let kept = format!("{rule}[gateway]\nidentity_sources = ['{AUTHORIZATION}', '{said}']");
        let uncached = format!("{rule}[gateway]\ncache_seconds = 0");
        assert_eq!(codes(&kept, &rest("request", &format!("{one}, {found}"), 300)), [], "{requires}");
        assert_eq!(
            codes(&kept, &rest("request", one, 300)),
            of_authorizer(&["parameter_not_in_cache_key", "gateway_differs"]),
            "{requires}"
        );
        assert_eq!(codes(&uncached, &rest("request", one, 0)), [], "{requires}");
        assert_eq!(
            codes(&uncached, &rest("token", one, 0)),
            of_authorizer(&["parameter_unknown"]),
            "{requires}"
        );
    }
}

#[test]
fn a_certificate_is_checked_only_where_it_is_told_and_kept_apart() {
    let one = "method.request.header.Authorization";
    let pem = "context.identity.clientCert.clientCertPem";
    let uncached = format!("{RULE}[gateway]\ncache_seconds = 0\n[client_certificate]\n");
    let kept =
        format!("{RULE}[gateway]\nidentity_sources = ['{AUTHORIZATION}', '${pem}']\n[client_certificate]\n");
    assert_eq!(codes(&uncached, &rest("request", one, 0)), []);
    assert_eq!(codes(&uncached, &rest("token", one, 0)), of_authorizer(&["certificate_unknown"]));
    assert_eq!(codes(&kept, &rest("request", &format!("{one}, {pem}"), 300)), []);
    assert_eq!(
        codes(&kept, &rest("request", one, 300)),
        of_authorizer(&["certificate_not_in_cache_key", "gateway_differs"])
    );
}

#[test]
fn what_the_configuration_says_of_api_gateway_is_so() {
    let seconds = |seconds: u32| format!("{RULE}[gateway]\ncache_seconds = {seconds}");
    let one = "method.request.header.Authorization";
    let differs = of_authorizer(&["gateway_differs"]);
    for (said, found, expected) in
        [(300, 300, &[][..]), (0, 0, &[]), (60, 300, &differs), (300, 60, &differs)]
    {
        assert_eq!(codes(&seconds(said), &rest("request", one, found)), expected, "{said} {found}");
    }
    let severity = |said, found| findings(&config(&seconds(said)), &rest("request", one, found))[0].severity;
    assert!(severity(60, 300) == Severity::Error && severity(300, 60) == Severity::Warning);
    // Nobody says how long an HTTP API caches that does not say so.
    let silent = api(
        json!({"type": "request", "identitySource": AUTHORIZATION, "authorizerPayloadFormatVersion": "2.0"}),
    );
    assert_eq!(codes(&seconds(0), &silent), differs);
    assert_eq!(codes(&seconds(300), &silent), []);
    let listed =
        format!("{RULE}[gateway]\nidentity_sources = ['{AUTHORIZATION}', '$request.header.x-tenant']");
    assert_eq!(codes(&listed, &rest("request", one, 300)), differs);
    assert_eq!(codes(&listed, &rest("request", &format!("{one}, method.request.header.X-Tenant"), 300)), []);
}

#[test]
fn an_authorizer_is_answered_as_it_expects() {
    let simple = format!("{RULE}[gateway]\ncache_seconds = 0\n[response]\nhttp_api = 'simple'");
    let policy = format!("{RULE}[gateway]\ncache_seconds = 0");
    let differs = of_authorizer(&["answer_kind_differs"]);
    for (sections, is_simple, expected) in [
        (&simple, true, &[][..]),
        (&simple, false, &differs),
        (&policy, false, &[]),
        (&policy, true, &differs),
    ] {
        assert_eq!(codes(sections, &http(AUTHORIZATION, 0, is_simple)), expected, "{sections} {is_simple}");
    }
    // Payload format 1.0 has no simple responses, and is answered with policies.
    let first =
        api(json!({"type": "request", "identitySource": AUTHORIZATION, "authorizerResultTtlInSeconds": 0,
        "authorizerPayloadFormatVersion": "1.0"}));
    assert_eq!(codes(&simple, &first), []);
    assert_eq!(codes(&simple, &rest("request", "method.request.header.Authorization", 0)), []);
}

#[test]
fn api_gateway_refuses_who_lacks_an_identity_source() {
    let public = RULE.replace("{ scope = 'read' }", "'anyone'");
    let refused: Vec<_> = ["GET /orders", "GET /orders/{id}"]
        .map(|place| ("public_refused_by_gateway", place.to_owned()))
        .into();
    let one = "method.request.header.Authorization";
    assert_eq!(codes(&public, &rest("token", one, 300)), refused);
    assert_eq!(codes(&public, &rest("request", one, 300)), refused);
    assert_eq!(codes(&public, &http(AUTHORIZATION, 300, false)), refused);
    assert_eq!(codes(RULE, &rest("request", one, 300)), []);
    // Without an identity source of the client's there is nothing that could be missing.
    assert_eq!(codes(&public, &rest("request", "", 0)), []);
    assert_eq!(codes(&public, &rest("request", "context.identity.sourceIp", 0)), []);
}

/// Browsers send no `Authorization` with a WebSocket's handshake.
/// What is closed below a public route leaves the rest of it public.
#[test]
fn api_gateway_refuses_who_lacks_an_identity_source_of_a_part() {
    let document = json!({
        "openapi": "3.0.1",
        "paths": {"/public/{proxy+}": {"get": {"security": [{"lambda": []}]}}},
        "components": {"securitySchemes": {"lambda": {"x-amazon-apigateway-authorizer": {
            "type": "request", "identitySource": "method.request.header.Authorization"}}}},
    });
    let api = Api::parse(&document.to_string()).unwrap();
    let rule = |requires: &str| {
        format!("[[rule]]\nname = 'public'\nroutes = ['GET /public/**']\nrequires = {requires}\n")
    };
    let secret = "[[rule]]\nname = 'secret'\neffect = 'deny'\nroutes = ['GET /public/secret/**']\nrequires = 'anyone'\n";
    let told = vec![("public_refused_by_gateway", "GET /public/{proxy+}".to_owned())];
    assert_eq!(codes(&rule("'anyone'"), &api), told);
    assert_eq!(codes(&[&rule("'anyone'"), secret].concat(), &api), told);
    assert_eq!(codes(&[&rule("'authenticated'"), secret].concat(), &api), []);
}

#[test]
fn a_connection_is_not_asked_for_what_its_clients_do_not_send() {
    let document = |sources: &str| {
        let authorizer = format!(
            r#"{{"ApiId": {{"Ref": "Chat"}}, "AuthorizerType": "REQUEST", "IdentitySource": [{sources}]}}"#
        );
        Api::parse(&format!(
            r#"{{"Resources": {{
                "Chat": {{"Type": "AWS::ApiGatewayV2::Api", "Properties": {{"ProtocolType": "WEBSOCKET"}}}},
                "Own": {{"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {authorizer}}}}}}}"#
        ))
        .unwrap()
    };
    let demanded = |sections: &str, sources: &str| {
        let found = findings(&config(sections), &document(sources));
        let told = found.into_iter().filter(|finding| finding.code == "credential_refused_by_gateway");
        told.map(|finding| finding.severity).collect::<Vec<_>>()
    };
    let protocol = "[[identity_source]]\nfrom = 'websocket_protocol'\n";
    let header = "[[identity_source]]\nfrom = 'header'\nname = 'Authorization'\n";
    let authorization = "\"route.request.header.Authorization\"";
    assert_eq!(demanded(protocol, authorization), [Severity::Error]);
    assert_eq!(demanded(protocol, "\"route.request.header.Sec-WebSocket-Protocol\""), []);
    assert_eq!(demanded(protocol, ""), []);
    assert_eq!(demanded(header, authorization), []);
    assert_eq!(demanded(&format!("{header}{protocol}"), authorization), [Severity::Warning]);
}

#[test]
fn a_cache_that_api_gateway_does_not_take_is_an_error() {
    let found = |seconds| codes(RULE, &rest("request", "method.request.header.Authorization", seconds));
    assert_eq!(found(3601), of_authorizer(&["cache_too_long"]));
    assert_eq!(found(3600), []);
}
