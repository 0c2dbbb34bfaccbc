//! What an answer tells about its caller beside yes and no, and where it ends: context, API keys, simple answers, sizes.

use authorizer_cli::gateway::EventKind::{Http1, Http2, RestRequest, RestToken, WebSocket};
use serde_json::{Value, json};

use crate::answers::{at, is_denied_by_name};
use crate::process::{Function, Settings};
use crate::rules::without_credential;
use crate::support::{KINDS, event};

const PLANS: &str = "
    [response]
    reason_key = 'why'
    context = { tenant = 'tenant' }
    [[rule]]
    name = 'gold'
    requires = { claim = 'tier', equals = 'gold' }
    context = { plan = 'gold', limit = 100 }
    [[rule]]
    name = 'orders'
    routes = ['GET /orders/**', '$connect']
    requires = { scope = 'orders:read' }
    context = { plan = 'basic', is_reader = true }
    [[rule]]
    name = 'everybody else'
    requires = 'authenticated'
    context = { plan = 'none', limit = 1 }
    [[rule]]
    name = 'anybody at all'
    requires = 'anyone'
    context = { banner = 'hello' }
";

/// The answer is cached for all routes: what it tells is the caller's, whichever of them was asked for.
#[tokio::test]
async fn the_context_of_rules_is_the_callers_and_the_first_counts() {
    let function = Function::start(Settings { sections: PLANS, ..Settings::default() }).await;
    for (claims, context) in [
        (
            json!({"tier": "gold"}),
            json!({"plan": "gold", "limit": 100, "is_reader": true, "banner": "hello"}),
        ),
        (json!({"tier": "Gold"}), json!({"plan": "basic", "limit": 1, "is_reader": true, "banner": "hello"})),
        (
            json!({"tenant": "acme"}),
            json!({"plan": "basic", "limit": 1, "is_reader": true, "banner": "hello", "tenant": "acme"}),
        ),
    ] {
        let token = function.issuer.mint(&claims).unwrap();
        for kind in [RestToken, RestRequest, Http1, Http2] {
            let what = format!("{kind}, {claims}");
            let allowed = function.ask(&at(kind, &token, "GET", "/orders/7")).await;
            allowed.is_allowed(&what);
            assert_eq!(allowed.json()["context"], context, "{what}");
            let refused = function.ask(&at(kind, &token, "POST", "/orders/7")).await;
            is_denied_by_name(&refused, "route_not_allowed", &what);
            assert_eq!(refused.json()["context"], context, "{what}: it is replayed where the caller may");
        }
        let mut told = function.ask(&event(WebSocket, &token)).await.json()["context"].take();
        assert!(told.as_object_mut().unwrap().remove("exp").is_some());
        assert_eq!(told, context, "{claims}");
    }
    let stranger = function.issuer.mint(&json!({"scope": "x", "tier": "gold"})).unwrap();
    let refused = function.ask(&at(RestToken, &stranger, "GET", "/orders/7")).await;
    let expected = json!({"plan": "gold", "limit": 100, "banner": "hello", "why": "insufficient_scope"});
    assert_eq!(refused.json()["context"], expected, "with nothing open, the reason is that of all routes");
    let nobody = function.ask(&without_credential(at(RestRequest, "", "GET", "/orders/7"))).await;
    assert_eq!(nobody.json()["context"], json!({"why": "credential_missing"}));
    function.ends_without_a_trace_of_tokens().await;
}

/// A connection outlives its token; of the other kinds each request is asked about, or cached for a time that is known.
#[tokio::test]
async fn only_a_websocket_backend_is_told_when_the_token_ends() {
    let own = "[[rule]]\nname = 'r'\nrequires = 'authenticated'\ncontext = { exp = 'ours' }";
    for (sections, is_ours) in [("", false), (own, true), ("[response.context]\nexp = 'sub'", false)] {
        let function = Function::start(Settings { sections, ..Settings::default() }).await;
        let expiry = authorizer_cli::issuer::unix_time() + 77;
        let token = function.issuer.mint(&json!({"exp": expiry})).unwrap();
        for kind in KINDS {
            let answer = function.ask(&event(kind, &token)).await;
            answer.is_allowed(&kind.to_string());
            let expected = match (is_ours, sections.is_empty(), kind == WebSocket) {
                (true, ..) => json!("ours"),
                (false, false, _) => json!("user-7f1c"),
                (false, true, true) => json!(expiry),
                (false, true, false) => Value::Null,
            };
            assert_eq!(answer.json()["context"]["exp"], expected, "{kind}, {sections}");
        }
        function.ends_without_a_trace_of_tokens().await;
    }
}

const API_KEYS: &str = "
    [response]
    usage_identifier_key = 'plan.key'
    [[rule]]
    name = 'gold'
    requires = { claim = 'tier', equals = 'gold' }
    usage_identifier_key = 'secret-of-the-gold-plan'
    [[rule]]
    name = 'orders'
    routes = ['GET /orders', 'GET /orders/**', '$connect']
    requires = 'authenticated'
    usage_identifier_key = 'secret-of-the-basic-plan'
";

/// The claim's key, or else the first rule's. It is a secret, which the log does not get.
#[tokio::test]
async fn the_api_key_is_the_claims_or_else_the_rules() {
    let function = Function::start(Settings { sections: API_KEYS, ..Settings::default() }).await;
    for (claims, key) in [
        (json!({}), "secret-of-the-basic-plan"),
        (json!({"tier": "gold"}), "secret-of-the-gold-plan"),
        (json!({"tier": "gold", "plan": {"key": "secret-of-a-claim"}}), "secret-of-a-claim"),
        (json!({"tier": "gold", "plan": {"key": null}}), "secret-of-the-gold-plan"),
        (json!({"tier": "silver", "plan": {}}), "secret-of-the-basic-plan"),
    ] {
        let token = function.issuer.mint(&claims).unwrap();
        for kind in KINDS {
            let answer = function.ask(&event(kind, &token)).await;
            answer.is_allowed(&format!("{kind}, {claims}"));
            let expected = matches!(kind, RestToken | RestRequest).then(|| json!(key));
            assert_eq!(answer.json().get("usageIdentifierKey"), expected.as_ref(), "{kind}, {claims}");
        }
        let refused = function.ask(&at(RestToken, &token, "GET", "/invoices")).await;
        is_denied_by_name(&refused, "route_not_allowed", &claims.to_string());
        assert_eq!(refused.json()["usageIdentifierKey"], key, "it is the caller's, as the context is");
    }
    let odd = function.issuer.mint(&json!({"plan": {"key": ["secret-of-a-list"]}})).unwrap();
    function.ask(&event(RestToken, &odd)).await.is_refused("claim_invalid", "a key that is none");
    function.ask(&event(Http2, &odd)).await.is_allowed("where no key is asked for");
    assert!(!function.process.stdout().contains("secret-of"), "{}", function.process.stdout());
    function.ends_without_a_trace_of_tokens().await;
}

/// A simple answer is the same policy, evaluated at the request.
#[tokio::test]
async fn simple_answers_say_what_policies_say() {
    let rules = "
        [[rule]]
        name = 'read'
        routes = ['GET /orders', 'GET /orders/{id}', 'GET /users/{claims.sub}/**']
        requires = { scope = 'orders:read' }
        [[rule]]
        name = 'write'
        routes = ['POST /orders', 'PUT /orders/{id}/items/{item}']
        requires = { scope = 'orders:write' }
        [[rule]]
        name = 'public'
        routes = ['GET /status']
        requires = 'anyone'
        [[rule]]
        name = 'suspended'
        effect = 'deny'
        routes = ['ANY /orders/**']
        requires = { claim = 'status', equals = 'suspended' }
    ";
    let simple = format!("[gateway]\ncache_seconds = 0\n[response]\nhttp_api = 'simple'\n{rules}");
    let policies = Function::start(Settings { sections: rules, ..Settings::default() }).await;
    let simple = Function::start(Settings { sections: &simple, ..Settings::default() }).await;
    let mut allowed = 0;
    for claims in [
        None,
        Some(json!({})),
        Some(json!({"scope": "orders:read orders:write"})),
        Some(json!({"scope": "orders:write", "status": "suspended"})),
        Some(json!({"sub": "*"})),
    ] {
        for (method, path) in [
            ("GET", "/status"),
            ("GET", "/orders"),
            ("GET", "/orders/7"),
            ("GET", "/orders/7/"),
            ("GET", "/orders/7/items"),
            ("GET", "/orders//7"),
            ("GET", "/orders/%2E%2E"),
            ("POST", "/orders"),
            ("PUT", "/orders/7/items/1"),
            ("PUT", "/orders/7/x/items/1"),
            ("GET", "/users/user-7f1c/x"),
            ("GET", "/users/*/x"),
            ("GET", "/"),
        ] {
            let asking = |function: &Function| match &claims {
                None => without_credential(at(Http2, "", method, path)),
                Some(claims) => at(Http2, &function.issuer.mint(claims).unwrap(), method, path),
            };
            let what = format!("{claims:?}, {method} {path}");
            let policy = policies.ask(&asking(&policies)).await;
            let answer = simple.ask(&asking(&simple)).await;
            assert_eq!(answer.json()["isAuthorized"], policy.status() == 200, "{what}");
            assert_eq!(answer.json().get("policyDocument"), None, "{what}");
            for key in ["decision", "reason", "rule", "principal", "detail"] {
                assert_eq!(answer.record.get(key), policy.record.get(key), "{what}, {key}");
            }
            allowed += usize::from(policy.status() == 200);
        }
    }
    assert!((10..50).contains(&allowed), "{allowed} of 65");
    policies.ends_without_a_trace_of_tokens().await;
    simple.ends_without_a_trace_of_tokens().await;
}

/// What does not fit is refused with a reason of its own: a policy that is cut off would be another policy.
#[tokio::test]
async fn what_no_policy_can_hold_is_refused() {
    let sections = "
        [[rule]]
        name = 'teams'
        routes = ['GET /teams/{claims.teams}']
        requires = 'authenticated'
        [[rule]]
        name = 'deep'
        routes = ['GET /deep/{claims.a}/{claims.a}/{claims.a}/{claims.a}']
        requires = 'authenticated'
    ";
    let function = Function::start(Settings { sections, ..Settings::default() }).await;
    // No longer run of letters: it would be taken for a part of a token when it is found in the log.
    let of_length = |start: String, length: usize| -> String {
        start.chars().chain("team.".chars().cycle()).take(length).collect()
    };
    let teams = |count: usize, length: usize| -> Value {
        let names: Vec<_> = (0..count).map(|number| of_length(format!("{number:04}."), length)).collect();
        json!({"teams": names})
    };
    for (claims, reason) in [
        (teams(32, 4), None),
        (teams(33, 4), Some("route_claim_too_long")),
        (teams(200, 4), Some("route_claim_too_long")),
        (teams(16, 100), None),
        (teams(32, 100), Some("policy_too_large")),
        (json!({"teams": ["1"], "a": of_length(String::new(), 100)}), None),
        (json!({"teams": ["1"], "a": of_length(String::new(), 120)}), Some("resource_too_long")),
    ] {
        let token = function.issuer.mint(&claims).unwrap();
        let first = claims["teams"][0].as_str().unwrap();
        for kind in [RestToken, RestRequest, Http1, Http2] {
            // Whatever is asked for: who has no policy has none for any route.
            for path in [format!("/teams/{first}"), "/other".to_owned()] {
                let answer = function.ask(&at(kind, &token, "GET", &path)).await;
                let what = format!("{kind}, {path}, {} bytes", claims.to_string().len());
                match reason {
                    Some(reason) => answer.is_refused(reason, &what),
                    None if path == "/other" => is_denied_by_name(&answer, "route_not_allowed", &what),
                    None => answer.is_allowed(&what),
                }
            }
        }
    }
    function.ends_without_a_trace_of_tokens().await;
}
