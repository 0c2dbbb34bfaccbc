//! Tokens that are bound to a key of the client, put to the built binary in every kind of event.

use authorizer_cli::gateway::EventKind;
use authorizer_cli::signing::{Algorithm, SigningKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::process::{Function, Settings};
use crate::support::event;

const SETTINGS: Settings<'_> = Settings {
    issuer: "proof_of_possession = ['dpop', 'mutual_tls']\nunbound_tokens = 'refused'",
    key_set: "",
    sections: "[gateway]\ncache_seconds = 0\n",
};

/// The kinds of event that show more than a token, each with the URL that its sample event is of.
const KINDS: [(EventKind, &str); 4] = [
    (EventKind::RestRequest, "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/dev/orders/1042"),
    (EventKind::Http1, "https://hvi0slqerb.execute-api.us-east-1.amazonaws.com/orders/1042"),
    (EventKind::Http2, "https://f6g7h8i9j0.execute-api.us-east-1.amazonaws.com/dev/orders"),
    (EventKind::WebSocket, "wss://k1l2m3n4o5.execute-api.us-east-1.amazonaws.com/dev"),
];

/// The event with the token as `DPoP`, and this proof.
fn with_proof(kind: EventKind, token: &str, proof: &str) -> Value {
    let text = event(kind, token).to_string().replace("Bearer ", "DPoP ");
    let mut event: Value = serde_json::from_str(&text).unwrap();
    event["headers"]["DPoP"] = json!(proof);
    event
}

/// Rule C9: with a proof of its key, and with none but that.
#[tokio::test]
async fn a_bound_token_is_taken_with_its_proof_by_every_kind_of_api() {
    let function = Function::start(SETTINGS).await;
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256] {
        let client = SigningKey::generate(algorithm, "client").unwrap();
        let token = function.issuer.mint(&json!({"cnf": {"jkt": client.thumbprint()}})).unwrap();
        for (kind, url) in KINDS {
            let proof = |changes: &Value| client.dpop_proof("GET", url, &token, changes).unwrap();
            let first = with_proof(kind, &token, &proof(&json!({})));
            function.ask(&first).await.is_allowed("with its proof");
            function.ask(&first).await.is_refused("dpop_proof_replayed", "the same once more");
            let stale = with_proof(kind, &token, &proof(&json!({"iat": 1})));
            function.ask(&stale).await.is_refused("dpop_proof_invalid", "an old proof");
            let elsewhere = with_proof(kind, &token, &proof(&json!({"htu": format!("{url}/1")})));
            function.ask(&elsewhere).await.is_refused("dpop_proof_invalid", "of another URL");
            let method = with_proof(kind, &token, &proof(&json!({"htm": "DELETE"})));
            function.ask(&method).await.is_refused("dpop_proof_invalid", "of another method");
            let bearer = event(kind, &token);
            function.ask(&bearer).await.is_refused("token_sender_constrained", "without a proof");
            let thief = SigningKey::generate(algorithm, "thief").unwrap();
            let stolen = thief.dpop_proof("GET", url, &token, &json!({})).unwrap();
            let stolen = with_proof(kind, &token, &stolen);
            function.ask(&stolen).await.is_refused("dpop_proof_invalid", "of another key");
            function.ask(&with_proof(kind, &token, &proof(&json!({})))).await.is_allowed("another proof");
        }
    }
    assert_certificates_count(&function).await;
    let unbound = event(EventKind::RestRequest, &function.issuer.mint(&json!({})).unwrap());
    function.ask(&unbound).await.is_refused("token_unbound", "bound to nothing");
    function.ends_without_a_trace_of_tokens().await;
}

/// RFC 8705: the client's own certificate, another one, none.
async fn assert_certificates_count(function: &Function) {
    let [own, other] = [(); 2].map(|()| {
        let signed = rcgen::generate_simple_self_signed(["client.example.com".to_owned()]).unwrap();
        let lines = STANDARD.encode(signed.cert.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n");
        (pem, URL_SAFE_NO_PAD.encode(digest(&SHA256, signed.cert.der())))
    });
    let token = function.issuer.mint(&json!({"cnf": {"x5t#S256": own.1}})).unwrap();
    for (kind, place) in [
        (EventKind::RestRequest, "identity"),
        (EventKind::Http1, "identity"),
        (EventKind::Http2, "authentication"),
    ] {
        let with = |pem: &str| {
            let mut event = event(kind, &token);
            event["requestContext"][place]["clientCert"] = json!({ "clientCertPem": pem });
            event
        };
        function.ask(&with(&own.0)).await.is_allowed("with its certificate");
        function.ask(&with(&other.0)).await.is_refused("client_certificate_mismatch", "another one");
        function.ask(&event(kind, &token)).await.is_refused("client_certificate_missing", "none");
    }
}
