//! The cache keeps the policy, not the verdict.

use authorizer_cli::gateway::{GatewayOptions, LocalGateway};
use serde_json::{Value, json};

use crate::support::{bearer, faked, gateway, last, options, reader, send};

fn cache(gateway: &LocalGateway) -> Value {
    last(gateway)["cache"].clone()
}

#[tokio::test]
async fn a_policy_is_replayed_on_other_routes_where_it_allows_and_denies() {
    for kind in ["rest-token", "rest-request", "http-1.0", "http-2.0"] {
        let gateway = gateway(kind).await;
        let token = reader(&gateway);
        for (line, status, expected) in [
            ("GET /orders", 200, "miss"),
            ("GET /orders/7", 200, "hit"),
            ("GET /reports", 403, "hit"),
            ("POST /orders", 403, "hit"),
            ("GET /users/reader", 200, "hit"),
            ("GET /users/other", 403, "hit"),
        ] {
            assert_eq!(send(&gateway, line, &[&token]).await.status, status, "{kind} {line}");
            assert_eq!(cache(&gateway), expected, "{kind} {line}");
        }
        assert_eq!(last(&gateway)["cached_from"], 1);
        assert_eq!(last(&gateway)["reason"], "not_in_cached_policy");
        let other = bearer(&gateway, json!({"scope": "orders:write"}));
        assert_eq!(send(&gateway, "POST /orders", &[&other]).await.status, 200, "{kind}");
        assert_eq!(cache(&gateway), "miss");
    }
}

#[tokio::test]
async fn without_seconds_the_authorizer_is_asked_each_time() {
    let options = GatewayOptions { cache_seconds: Some(0), ..options("rest-token") };
    let gateway = LocalGateway::start(&options).await.unwrap();
    let token = reader(&gateway);
    for line in ["GET /orders", "GET /orders", "GET /reports"] {
        send(&gateway, line, &[&token]).await;
        assert_eq!(cache(&gateway), "off", "{line}");
    }
    assert_eq!(last(&gateway)["reason"], "route_not_allowed");
    // Contract 8, no. 3: the source is looked for all the same.
    assert_eq!(send(&gateway, "GET /orders", &[]).await.status, 401);
}

/// Contract 3.4: the pitfall that this gateway is for.
#[tokio::test]
async fn a_policy_for_one_route_refuses_the_next() {
    let answer = json!({"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": [
        {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "{arn}"}]}});
    let gateway = faked("rest-request", &[("ANSWER", &answer.to_string())]).await;
    let token = ["Authorization: Bearer same"];
    assert_eq!(send(&gateway, "GET /orders", &token).await.status, 200);
    let next = send(&gateway, "GET /reports", &token).await;
    let expected = r#"{"Message":"User is not authorized to access this resource"}"#;
    assert_eq!((next.status, next.body.as_str()), (403, expected));
    assert_eq!(send(&gateway, "GET /reports", &["Authorization: Bearer other"]).await.status, 200);
}

#[tokio::test]
async fn errors_are_not_cached_and_refusals_are() {
    let gateway = faked("rest-request", &[("ERROR", "Unauthorized")]).await;
    for _ in 0..2 {
        assert_eq!(send(&gateway, "GET /orders", &["Authorization: x"]).await.status, 401);
        assert_eq!(cache(&gateway), "miss");
    }
    let deny = json!({"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": [
        {"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": "*"}]}});
    let gateway = faked("rest-request", &[("ANSWER", &deny.to_string())]).await;
    for expected in ["miss", "hit"] {
        assert_eq!(send(&gateway, "GET /orders", &["Authorization: x"]).await.status, 403);
        assert_eq!(cache(&gateway), expected);
    }
}
