//! What rules open and close, and what comes of it in API Gateway's cache: public routes, addresses, denials, claims in
//! routes, stages and APIs.

use authorizer_cli::gateway::EventKind::{self, Http1, Http2, RestRequest, RestToken, WebSocket};
use authorizer_cli::issuer::unix_time;
use serde_json::{Value, json};

use crate::answers::{at, is_denied_by_name};
use crate::process::{Function, Settings};
use crate::support::{KINDS, arn_of, event};

const WITH_PATHS: [EventKind; 4] = [RestToken, RestRequest, Http1, Http2];

/// The same event, without any credential.
pub(crate) fn without_credential(mut event: Value) -> Value {
    for name in ["headers", "multiValueHeaders", "queryStringParameters", "authorizationToken"] {
        if let Some(member) = event.get_mut(name) {
            *member = if member.is_string() { json!("") } else { json!({}) };
        }
    }
    event
}

const PUBLIC: &str = "
    [[rule]]
    name = 'catalogue'
    routes = ['GET /products', 'GET /products/{id}', '$connect']
    requires = 'anyone'
    [[rule]]
    name = 'reviews'
    routes = ['POST /products/{id}/reviews']
    requires = 'authenticated'
";

/// A caller without a credential has a policy, too: a refusal does not close the public routes from the cache.
#[tokio::test]
async fn a_public_route_is_open_to_whoever_asks() {
    let function = Function::start(Settings { sections: PUBLIC, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in WITH_PATHS {
        let nobody = |method, path| without_credential(at(kind, "", method, path));
        let what = kind.to_string();
        let public = function.ask(&nobody("GET", "/products/7")).await;
        public.is_allowed(&what);
        assert_eq!(
            (&public.record["rule"], &public.record["principal"]),
            (&json!("catalogue"), &json!("anonymous"))
        );
        assert_eq!((public.record.get("issuer"), public.record.get("key_id")), (None, None), "{what}");
        assert_eq!(public.json()["principalId"], "anonymous", "{what}");

        for (method, path) in [("POST", "/products/7/reviews"), ("GET", "/products/7/reviews"), ("GET", "/")]
        {
            let refused = function.ask(&nobody(method, path)).await;
            let logged = (&refused.record["decision"], &refused.record["reason"]);
            assert_eq!(logged, (&json!("deny"), &json!("credential_missing")), "{what}, {method} {path}");
            assert_eq!(refused.status(), 403, "{what}, {method} {path}");
            assert_eq!(refused.status_from_cache(&nobody("GET", "/products/7")), 200, "{what}");
            assert_eq!(public.status_from_cache(&nobody(method, path)), 403, "{what}, {method} {path}");
        }
        for (method, path) in [("GET", "/products/7"), ("POST", "/products/7/reviews")] {
            function.ask(&at(kind, &token, method, path)).await.is_allowed(&what);
        }
    }
    let connect = function.ask(&without_credential(event(WebSocket, ""))).await;
    connect.is_allowed("$connect");
    assert_eq!(connect.json().get("context"), None, "there is no token that could end");
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule Z2: what is sent must hold. Otherwise an expired token would be a stranger's licence, and its owner would not learn
/// of it.
#[tokio::test]
async fn a_bad_credential_is_not_taken_for_none() {
    let function = Function::start(Settings { sections: PUBLIC, ..Settings::default() }).await;
    let expired = function.issuer.mint(&json!({"exp": unix_time() - 60})).unwrap();
    let forged = format!("{}AAAA", function.issuer.mint(&json!({})).unwrap());
    for kind in WITH_PATHS {
        let what = kind.to_string();
        for (reason, token) in [
            ("token_expired", expired.as_str()),
            ("token_malformed", "x"),
            ("signature_invalid", forged.as_str()),
            ("credential_malformed", ""),
        ] {
            function.ask(&at(kind, token, "GET", "/products/7")).await.is_refused(reason, &what);
        }
        let nobody = without_credential(at(kind, "", "GET", "/products/7"));
        function.ask(&nobody).await.is_allowed(&what);
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// 401 asks for a login, where one would help: it is not cached, and closes nothing.
#[tokio::test]
async fn whoever_has_no_credential_is_asked_for_one_where_the_configuration_says_so() {
    let sections = format!("[response]\nrefusal = 'unauthorized'\n{PUBLIC}");
    let function = Function::start(Settings { sections: &sections, ..Settings::default() }).await;
    let expired = function.issuer.mint(&json!({"exp": unix_time() - 60})).unwrap();
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in WITH_PATHS {
        let what = kind.to_string();
        let nobody = |method, path| without_credential(at(kind, "", method, path));
        function.ask(&nobody("GET", "/products")).await.is_allowed(&what);
        let refused = function.ask(&nobody("POST", "/products/7/reviews")).await;
        let bad = function.ask(&at(kind, &expired, "GET", "/products")).await;
        if matches!(kind, RestToken | RestRequest) {
            refused.is_unauthorized("credential_missing", &what);
            bad.is_unauthorized("token_expired", &what);
        } else {
            assert_eq!((refused.status(), &refused.record["reason"]), (403, &json!("credential_missing")));
            assert_eq!(refused.status_from_cache(&nobody("GET", "/products")), 200, "{what}");
            bad.is_refused("token_expired", &what);
        }
        let known = function.ask(&at(kind, &token, "DELETE", "/products/7")).await;
        is_denied_by_name(&known, "route_not_allowed", &what);
    }
    function.ends_without_a_trace_of_tokens().await;
}

const OFFICE: &str = "
    [gateway]
    identity_sources = ['$request.header.Authorization', '$context.identity.sourceIp']
    [[rule]]
    name = 'everywhere'
    routes = ['GET /orders', '$connect']
    requires = 'authenticated'
    [[rule]]
    name = 'in the office'
    routes = ['POST /orders']
    requires = { source_ip = ['203.0.113.0/24', '2001:db8::/32'] , scope = 'orders:read' }
    [[rule]]
    name = 'not from there'
    effect = 'deny'
    routes = ['GET /orders']
    requires = { source_ip = '198.51.100.0/24' }
";

/// Rule Z4: what the event does not tell decides nothing in the caller's favour.
#[tokio::test]
async fn an_address_counts_where_the_event_tells_it() {
    let function = Function::start(Settings { sections: OFFICE, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    let from = |kind, address: Value, method| {
        let mut event = at(kind, &token, method, "/orders");
        let client = if kind == Http2 { "http" } else { "identity" };
        event["requestContext"][client]["sourceIp"] = address;
        event
    };
    for kind in [RestRequest, Http1, Http2] {
        for (address, may_post, may_get) in [
            (json!("203.0.113.7"), true, true),
            (json!("203.0.114.7"), false, true),
            (json!("2001:db8::7"), true, true),
            (json!("2001:db9::7"), false, true),
            (json!("::ffff:203.0.113.7"), true, true),
            (json!("198.51.100.7"), false, false),
            (json!("test-invoke-source-ip"), false, false),
            (json!(""), false, false),
            (Value::Null, false, false),
        ] {
            let what = format!("{kind} from {address}");
            for (method, may, reason) in
                [("POST", may_post, "insufficient_scope"), ("GET", may_get, "route_denied")]
            {
                let answer = function.ask(&from(kind, address.clone(), method)).await;
                if may {
                    answer.is_allowed(&what);
                } else {
                    assert_eq!((answer.status(), &answer.record["reason"]), (403, &json!(reason)), "{what}");
                }
            }
        }
    }
    // A header is whatever its sender makes it, and a TOKEN event has no address.
    let mut posted = from(RestRequest, json!("192.0.2.7"), "POST");
    posted["headers"]["X-Forwarded-For"] = json!("203.0.113.7");
    is_denied_by_name(&function.ask(&posted).await, "insufficient_scope", "a header");
    let posted = function.ask(&at(RestToken, &token, "POST", "/orders")).await;
    assert_eq!((posted.status(), &posted.record["reason"]), (403, &json!("insufficient_scope")));
    let got = function.ask(&at(RestToken, &token, "GET", "/orders")).await;
    assert_eq!((got.status(), &got.record["reason"]), (403, &json!("route_denied")));
    function.ask(&event(WebSocket, &token)).await.is_allowed("$connect");
    function.ends_without_a_trace_of_tokens().await;
}

const DENIALS: &str = "
    [[rule]]
    name = 'orders'
    routes = ['ANY /orders', 'ANY /orders/**', '$connect']
    requires = 'authenticated'
    [[rule]]
    name = 'suspended'
    effect = 'deny'
    routes = ['ANY /**', '$connect']
    requires = { claim = 'status', equals = 'suspended' }
    [[rule]]
    name = 'closed books'
    effect = 'deny'
    routes = ['DELETE /orders/{id}/invoices/**']
    requires = 'anyone'
";

#[tokio::test]
async fn a_rule_that_denies_wins() {
    let function = Function::start(Settings { sections: DENIALS, ..Settings::default() }).await;
    let mint = |claims: Value| function.issuer.mint(&claims).unwrap();
    let active = mint(json!({"status": "active"}));
    for kind in WITH_PATHS {
        let what = kind.to_string();
        for (method, path) in
            [("GET", "/orders/7"), ("GET", "/orders/7/invoices/1"), ("DELETE", "/orders/7/invoices")]
        {
            function.ask(&at(kind, &active, method, path)).await.is_allowed(&what);
        }
        let closed = function.ask(&at(kind, &active, "DELETE", "/orders/7/invoices/1")).await;
        is_denied_by_name(&closed, "route_denied", &what);
        assert!(closed.record["detail"].as_str().unwrap().contains("closed books"), "{}", closed.record);
        assert_eq!(closed.status_from_cache(&at(kind, &active, "GET", "/orders/7")), 200, "{what}");
    }
    // A status of another type cannot be compared: that denies.
    for status in [json!("suspended"), json!(["suspended"]), json!(0), json!(true), json!({})] {
        let token = mint(json!({"status": status}));
        for kind in KINDS {
            let answer = function.ask(&event(kind, &token)).await;
            is_denied_by_name(&answer, "route_denied", &format!("{kind}, {status}"));
            assert!(answer.record["detail"].as_str().unwrap().contains("suspended"), "{}", answer.record);
        }
    }
    for status in [json!("Suspended"), json!("not suspended"), json!(""), json!(null)] {
        let token = mint(json!({"status": status}));
        for kind in KINDS {
            function.ask(&event(kind, &token)).await.is_allowed(&format!("{kind}, {status}"));
        }
    }
    function.ends_without_a_trace_of_tokens().await;
}

const OWNERS: &str = "
    [[rule]]
    name = 'own data'
    routes = ['GET /users/{claims.sub}', 'ANY /users/{claims.sub}/**']
    requires = 'authenticated'
    [[rule]]
    name = 'tenants'
    routes = ['GET /tenants/{claims.org.tenants}/**']
    requires = 'authenticated'
";

/// Rule Z3: to each what is theirs, and nothing to whoever would be everybody.
#[tokio::test]
async fn a_route_with_a_claim_is_open_to_its_owner() {
    let function = Function::start(Settings { sections: OWNERS, ..Settings::default() }).await;
    let cases = [
        (json!({}), "/users/user-7f1c/x", None),
        (json!({}), "/users/user-9a0b/x", Some("route_of_another")),
        (json!({}), "/users/user-7f1c/../user-9a0b/x", Some("route_not_allowed")),
        (json!({}), "/users/user-7f1c%2F..%2Fuser-9a0b/x", Some("route_not_allowed")),
        (json!({"sub": "auth0|5f7c"}), "/users/auth0|5f7c/x", None),
        (json!({"sub": "auth0|5f7c"}), "/users/auth0%7C5f7c/x", None),
        (json!({"sub": "auth0|5f7c"}), "/users/auth0%7c5f7d/x", Some("route_of_another")),
        (json!({"sub": "*"}), "/users/*/x", Some("route_claim_unusable")),
        (json!({"sub": "user-????"}), "/users/user-7f1c/x", Some("route_claim_unusable")),
        (json!({"sub": "${aws:username}"}), "/users/user-7f1c/x", Some("route_claim_unusable")),
        (json!({"sub": "x/../user-7f1c"}), "/users/user-7f1c/x", Some("route_claim_unusable")),
        (json!({"sub": "user%2D7f1c"}), "/users/user-7f1c/x", Some("route_claim_unusable")),
        (json!({"org": {"tenants": ["acme", "globex"]}}), "/tenants/globex/x", None),
        (json!({"org": {"tenants": ["acme", "*"]}}), "/tenants/acme/x", None),
        (json!({"org": {"tenants": ["acme", "*"]}}), "/tenants/globex/x", Some("route_of_another")),
        (json!({"org": {"tenants": "acme"}}), "/tenants/acme/x", None),
        (json!({"org": {"tenants": 17}}), "/tenants/17/x", None),
        (json!({"org": {"tenants": {"acme": true}}}), "/tenants/acme/x", Some("route_claim_unusable")),
        (json!({"org": {"tenants": []}}), "/tenants/acme/x", Some("route_claim_unusable")),
        (json!({"org": {}}), "/tenants/acme/x", Some("route_claim_unusable")),
    ];
    for (claims, path, reason) in &cases {
        let token = function.issuer.mint(claims).unwrap();
        for kind in WITH_PATHS {
            let what = format!("{kind}, {claims}, {path}");
            let answer = function.ask(&at(kind, &token, "GET", path)).await;
            let Some(reason) = reason else {
                answer.is_allowed(&what);
                continue;
            };
            assert_eq!((answer.status(), &answer.record["reason"]), (403, &json!(reason)), "{what}");
            let detail = answer.record["detail"].as_str().unwrap();
            let claim = if path.starts_with("/users") { "sub" } else { "org.tenants" };
            assert!(
                !reason.starts_with("route_") || *reason == "route_not_allowed" || detail.contains(claim)
            );
            // What is theirs stays open, and what is others' closed, whatever was asked first.
            for (_, other, is_closed) in cases.iter().filter(|(others, ..)| others == claims) {
                let status = answer.status_from_cache(&at(kind, &token, "GET", other));
                assert_eq!(status == 200, is_closed.is_none(), "{what}, and then {other}");
            }
        }
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// A stage or an API that a rule is not for is another place: a policy of one says nothing of the other.
#[tokio::test]
async fn a_rule_is_for_its_stages_and_apis() {
    let sections = "
        [[rule]]
        name = 'everywhere'
        routes = ['GET /orders']
        requires = 'authenticated'
        [[rule]]
        name = 'staging'
        routes = ['POST /orders']
        requires = 'authenticated'
        stages = ['dev', 'staging']
        [[rule]]
        name = 'one API'
        routes = ['DELETE /orders']
        requires = 'authenticated'
        apis = ['a1b2c3d4e5']
    ";
    let function = Function::start(Settings { sections, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in WITH_PATHS {
        let of = |place: &str, method: &str| {
            let mut event = event(kind, &token);
            *arn_of(&mut event) =
                json!(format!("arn:aws:execute-api:us-east-1:123456789012:{place}/{method}/orders"));
            event
        };
        for (place, may_post, may_delete) in [
            ("a1b2c3d4e5/dev", true, true),
            ("a1b2c3d4e5/staging", true, true),
            ("a1b2c3d4e5/prod", false, true),
            ("a1b2c3d4e5/dev2", false, true),
            ("z9y8x7w6v5/dev", true, false),
            ("z9y8x7w6v5/prod", false, false),
        ] {
            for (method, may) in [("GET", true), ("POST", may_post), ("DELETE", may_delete)] {
                let what = format!("{kind}, {method} at {place}");
                let answer = function.ask(&of(place, method)).await;
                if may {
                    answer.is_allowed(&what);
                } else {
                    is_denied_by_name(&answer, "insufficient_scope", &what);
                }
                let elsewhere = of("z9y8x7w6v5/test", method);
                assert_eq!(answer.status_from_cache(&elsewhere), 403, "{what}, and then elsewhere");
            }
        }
    }
    function.ends_without_a_trace_of_tokens().await;
}
