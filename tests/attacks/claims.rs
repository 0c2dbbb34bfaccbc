//! The claims: values of a type that a comparison does not expect, and tokens that are good for something
//! else.

use authorizer_cli::issuer::{DevelopmentIssuer, unix_time};
use authorizer_cli::signing::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::forgery::{header, payload_with, with_payload};
use crate::process::{Function, Settings};
use crate::support::{KINDS, event};
use crate::{are_refused, attacker, function_with, nobody_came};

/// Tokens of the issuer with one claim as in this JSON text, each beside the neighbour.
fn with_values<const N: usize>(
    issuer: &DevelopmentIssuer,
    claim: &str,
    values: [&str; N],
    neighbour: &str,
) -> [(String, String, String); N] {
    let token = |value: &str| with_payload(issuer, &payload_with(issuer, claim, value));
    values.map(|value| (format!("{claim}: {value}"), token(value), token(neighbour)))
}

/// Rule C2. CVE-2020-26160: an audience of a type that the comparison does not expect compares as nothing,
/// and nothing is not checked.
#[tokio::test]
async fn an_audience_of_another_type_is_refused() {
    let function = Function::start(Settings::default()).await;
    let issuer = &function.issuer;
    let invalid = [
        "null",
        "true",
        "5",
        "{}",
        r#"{"orders-api": true}"#,
        r#"{"0": "orders-api", "length": 1}"#,
        r#"[["orders-api"]]"#,
        r#"["orders-api", 5]"#,
        r#"["orders-api", null]"#,
        "[null]",
        "[{}]",
    ];
    are_refused(&function, "claim_invalid", with_values(issuer, "aud", invalid, r#"["orders-api"]"#)).await;
    let others = [
        "[]",
        r#""""#,
        r#"[""]"#,
        r#""*""#,
        r#"["*"]"#,
        r#""orders-api ""#,
        r#""orders""#,
        r#""orders-api-2""#,
        r#""Orders-API""#,
        r#""billing-api orders-api""#,
        r#""billing-api,orders-api""#,
        r#"["billing-api"]"#,
        r#""orders-api\u0000""#,
        r#""orders\u002dapi\u200b""#,
    ];
    are_refused(&function, "audience_mismatch", with_values(issuer, "aud", others, r#""orders-api""#)).await;
    let absent = issuer.mint(&json!({"aud": null})).unwrap();
    let stand_ins =
        issuer.mint(&json!({"aud": null, "client_id": "orders-api", "azp": "orders-api"})).unwrap();
    let neighbour = issuer.mint(&json!({"client_id": "x", "azp": "x"})).unwrap();
    let cases = [("absent", absent, neighbour.clone()), ("stood in for", stand_ins, neighbour)];
    are_refused(&function, "claim_missing", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules C3 and C4. CVE-2026-25537: a time of another type reads as a time that is not there.
#[tokio::test]
async fn a_time_of_another_type_is_refused() {
    let function = Function::start(Settings::default()).await;
    let issuer = &function.issuer;
    let values = [
        "null",
        "true",
        "false",
        "[]",
        "{}",
        r#""""#,
        r#""0""#,
        r#""99999999999""#,
        r#""2099-01-01T00:00:00Z""#,
        r#""never""#,
        "[99999999999]",
        r#"{"$date": 99999999999}"#,
    ];
    for (claim, neighbour) in [("exp", "99999999999"), ("nbf", "0"), ("iat", "0")] {
        are_refused(&function, "claim_invalid", with_values(issuer, claim, values, neighbour)).await;
    }
    let absent = issuer.mint(&json!({"exp": null})).unwrap();
    let misspelt = issuer.mint(&json!({"exp": null, "Exp": 99_999_999_999_u64})).unwrap();
    let neighbour = issuer.mint(&json!({"Exp": 0})).unwrap();
    let cases = [("absent", absent, neighbour.clone()), ("another case", misspelt, neighbour)];
    are_refused(&function, "claim_missing", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule C3. Numbers that wrap, overflow or lose their sign in 32 or 64 bits, and those that are milliseconds:
/// a token that lives for ever.
#[tokio::test]
async fn a_time_beyond_all_time_is_refused() {
    let function = Function::start(Settings::default()).await;
    let issuer = &function.issuer;
    let absurd = [
        "-1",
        "-99999999999",
        "-9223372036854775808",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "340282366920938463463374607431768211456",
        "1e300",
        "-1e300",
        "253402300800",
        "4102444800000",
    ];
    for (claim, neighbour) in [("exp", "253402300799"), ("nbf", "0"), ("iat", "0")] {
        are_refused(&function, "claim_invalid", with_values(issuer, claim, absurd, neighbour)).await;
    }
    let no_numbers =
        ["1e400", "-1e400", "NaN", "Infinity", "+99999999999", "0x7fffffff", "099999999999", "1_000", ".5"];
    are_refused(&function, "token_malformed", with_values(issuer, "exp", no_numbers, "99999999999.5")).await;
    let past = ["0", "-0", "-0.0", "0.0", "1e-300", "1", "4294967295e-1", "2147483648e-3"];
    are_refused(&function, "token_expired", with_values(issuer, "exp", past, "4294967296")).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules C3 to C5. The leeway is what the configuration says and no more, to the second, on either side.
#[tokio::test]
async fn a_token_is_not_used_beyond_the_leeway() {
    for (leeway, issuer) in [(30, ""), (0, "leeway_seconds = 0"), (300, "leeway_seconds = 300")] {
        let function = Function::start(Settings { issuer, ..Settings::default() }).await;
        let issuer = &function.issuer;
        let now = unix_time();
        let minted = |claims: Value| issuer.mint(&claims).unwrap();
        let expired = [
            (
                "at the last second",
                minted(json!({"exp": now - leeway})),
                minted(json!({"exp": now - leeway + 20})),
            ),
            ("half a second later", minted(json!({"exp": (now - leeway) as f64 - 0.5})), minted(json!({}))),
        ];
        are_refused(&function, "token_expired", expired).await;
        let early = minted(json!({"nbf": now + leeway + 20}));
        let cases = [("too early", early, minted(json!({"nbf": now + leeway})))];
        are_refused(&function, "token_not_yet_valid", cases).await;
        function.ends_without_a_trace_of_tokens().await;
    }
}

/// Rule C4. A token that claims to be from the future would stay young for ever; one that does not say when
/// it is from has no age.
#[tokio::test]
async fn a_token_from_the_future_is_not_young() {
    let limits = "max_age_seconds = 600\nmax_lifetime_seconds = 900";
    let function = Function::start(Settings { issuer: limits, ..Settings::default() }).await;
    let issuer = &function.issuer;
    let now = unix_time();
    let neighbour = issuer.mint(&json!({})).unwrap();
    for (reason, claims) in [
        ("token_not_yet_valid", json!({"iat": now + 3600, "exp": now + 3700})),
        ("token_too_old", json!({"iat": now - 700})),
        ("token_lifetime_too_long", json!({"exp": now + 1000})),
        ("claim_missing", json!({"iat": null})),
        ("claim_invalid", json!({"iat": now.to_string()})),
        ("claim_invalid", json!({"iat": -1})),
    ] {
        let attack = issuer.mint(&claims).unwrap();
        are_refused(&function, reason, [(claims, attack, neighbour.clone())]).await;
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule C1. CVE-2025-30144: a list of issuers of which one is right, and another is asked for the keys.
/// CVE-2024-53861: a part of the name. And names that only look alike. Nobody is asked for keys by `iss`.
#[tokio::test]
async fn an_issuer_by_another_name_is_refused() {
    let attacker = attacker("first").await;
    let function = Function::start(Settings::default()).await;
    let issuer = &function.issuer;
    let url = issuer.url();
    let (bare, theirs) = (url.trim_end_matches('/'), attacker.url());
    let authority = bare.trim_start_matches("http://");
    let neighbour = json!(url).to_string();
    let invalid = [
        json!([url]),
        json!([url, theirs]),
        json!([theirs, url]),
        json!([[url]]),
        json!({"0": url}),
        json!({(url): true}),
        json!(null),
        json!(true),
        json!(0),
    ]
    .map(|iss| iss.to_string());
    let cases = with_values(issuer, "iss", invalid.each_ref().map(String::as_str), &neighbour);
    are_refused(&function, "claim_invalid", cases).await;

    let names = [
        bare.to_owned(),
        format!("{url}/"),
        format!("{url} "),
        format!(" {url}"),
        format!("{url}\0"),
        format!("{url}#"),
        format!("{url}?"),
        format!("{url}."),
        format!("{url}..//"),
        format!("{url}../evil"),
        format!("{url}@evil.example/"),
        format!("{url} {theirs}"),
        format!("{theirs} {url}"),
        format!("{url},{theirs}"),
        format!("{theirs}?{url}"),
        format!("http://evil.example/{url}"),
        format!("http://x@{authority}/"),
        format!("https://{authority}/"),
        format!("HTTP://{authority}/"),
        format!("//{authority}/"),
        format!("{authority}/"),
        url.replace("127.0.0.1", "127.0.0.1.evil.example"),
        url.replace("127.0.0.1", "localhost"),
        url.replace("127.0.0.1", "127.1"),
        url.replace("127.0.0.1", "１27.0.0.1"),
        url.replace("127", "%3127"),
        url[..url.len() - 3].to_owned(),
        url[7..].to_owned(),
        "http".to_owned(),
        "/".to_owned(),
        "*".to_owned(),
        ".*".to_owned(),
        String::new(),
        theirs.to_owned(),
    ];
    let good = issuer.mint(&json!({})).unwrap();
    let by_issuer =
        names.clone().map(|iss| (iss.clone(), issuer.mint(&json!({"iss": iss})).unwrap(), good.clone()));
    are_refused(&function, "issuer_unknown", by_issuer).await;
    let by_forger =
        names.map(|iss| (iss.clone(), attacker.mint(&json!({"iss": iss})).unwrap(), good.clone()));
    are_refused(&function, "issuer_unknown", by_forger).await;
    nobody_came(&attacker);
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A10 and RFC 8725, section 3.8: of two issuers that are trusted, neither signs for the other, not even
/// where both call their keys the same.
#[tokio::test]
async fn a_trusted_issuer_does_not_sign_for_another() {
    let alike = SigningKey::generate(Algorithm::ES256, "first").unwrap();
    let own = SigningKey::generate(Algorithm::ES256, "own").unwrap();
    let other = DevelopmentIssuer::start([alike, own]).await.unwrap();
    let second = format!("[[issuer]]\nurl = '{}'\naudience = 'orders-api'", other.url());
    let function = Function::start(Settings { sections: &second, ..Settings::default() }).await;
    let issuer = &function.issuer;
    let (ours, theirs) = (issuer.mint(&json!({})).unwrap(), other.mint(&json!({})).unwrap());
    let as_ours = json!({"iss": issuer.url()});
    let cases = [
        ("their key of our name", other.mint(&as_ours).unwrap(), theirs.clone()),
        ("our key of their name", issuer.mint(&json!({"iss": other.url()})).unwrap(), ours.clone()),
        (
            "their key in the header",
            {
                let mut header = other.keys()[0].header();
                (header["jwk"], header["iss"]) = (other.keys()[0].public_jwk(), json!(other.url()));
                other.keys()[0].sign(&header, &issuer.claims()).unwrap()
            },
            theirs.clone(),
        ),
    ];
    are_refused(&function, "signature_invalid", cases).await;
    let cases = [
        ("a key that only they have", other.keys()[1].token(&issuer.claims()).unwrap(), theirs),
        ("a key that only we have", issuer.keys()[1].token(&other.claims()).unwrap(), ours),
    ];
    are_refused(&function, "key_not_found", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule C7. OpenID Connect's cross-use of tokens (RFC 8725, section 2.8): what the same issuer signs with the
/// same key for another purpose is no access token, though it names this audience.
#[tokio::test]
async fn a_token_for_another_purpose_is_no_access_token() {
    let function = Function::start(Settings::default()).await;
    let issuer = &function.issuer;
    let neighbour = issuer.mint(&json!({"token_use": "access", "typ": "Bearer", "sid": "1"})).unwrap();
    let by_claim = [
        ("an ID token of a code flow", json!({"nonce": "n-0S6_WzA2Mj"})),
        ("an ID token with an access token", json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"})),
        ("an ID token with a code", json!({"c_hash": "LDktKdoQak3Pk0cnXxCltA"})),
        ("an ID token of Cognito's", json!({"token_use": "id"})),
        ("an ID token of Keycloak's", json!({"typ": "ID"})),
        ("a refresh token of Keycloak's", json!({"typ": "Refresh"})),
        ("a refresh token of ForgeRock's", json!({"tokenName": "refresh_token"})),
        ("an ID token of ForgeRock's", json!({"tokenName": "id_token"})),
        ("a refresh token by its type", json!({"token_type": "refresh"})),
        ("an offline token of Keycloak's", json!({"typ": "Offline"})),
        ("a logout token of Keycloak's", json!({"typ": "Logout"})),
    ];
    let by_claim = by_claim.map(|(what, claims)| (what, issuer.mint(&claims).unwrap(), neighbour.clone()));
    are_refused(&function, "token_type_unexpected", by_claim).await;
    let types = [
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "id_token+jwt",
        "refresh+jwt",
        "client-authentication+jwt",
        "oauth-authz-req+jwt",
        "token-introspection+jwt",
        "entity-statement+jwt",
        "kb+jwt",
        "dc+sd-jwt",
        "vc+jwt",
        "passport",
        "JWE",
        "JOSE",
        "JOSE+JSON",
        "jwt ",
        "at+jwt;x",
        "application/application/jwt",
        "text/jwt",
        "",
    ];
    let by_type = |typ: &str| {
        let key = &issuer.keys()[0];
        key.sign(&header(issuer, json!({"typ": typ})), &issuer.claims()).unwrap()
    };
    let types = types.map(|typ| (typ, by_type(typ), by_type("application/at+jwt")));
    are_refused(&function, "token_type_unexpected", types).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule C9. RFC 9449, section 7.1, and RFC 8705, section 3: a token that is bound to a key proves nothing in
/// the hands of whoever stole it.
#[tokio::test]
async fn a_stolen_token_that_is_bound_to_a_key_is_refused() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let bindings = [
        r#"{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
        r#"{"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}"#,
        r#"{"jwk": {}}"#,
        r#"{"kid": "x"}"#,
        r#"{"x5t": "x"}"#,
        "{}",
        "[]",
        r#""""#,
        "false",
        "null",
    ];
    let neighbour = issuer.mint(&json!({"Cnf": {"jkt": "x"}})).unwrap();
    let cases =
        with_values(issuer, "cnf", bindings, "{}").map(|(what, attack, _)| (what, attack, neighbour.clone()));
    are_refused(&function, "token_sender_constrained", cases).await;
    // Nor does it become any better under its own scheme, without the proof.
    let mut bound = event(KINDS[0], "x");
    let attack = with_payload(issuer, &payload_with(issuer, "cnf", bindings[0]));
    bound["authorizationToken"] = json!(format!("DPoP {attack}"));
    function.ask(&bound).await.is_refused("token_sender_constrained", "DPoP");
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule C6. A subject of another type becomes another one where it is turned into text: `["admin"]` and
/// `admin`, `1` and `"1"`.
#[tokio::test]
async fn a_subject_of_another_type_is_refused() {
    let function = Function::start(Settings::default()).await;
    let issuer = &function.issuer;
    let subjects =
        ["null", "0", "1", "true", "{}", "[]", r#"["admin"]"#, r#"{"toString": "admin"}"#, r#""""#];
    are_refused(&function, "claim_invalid", with_values(issuer, "sub", subjects, r#""1""#)).await;
    for claim in ["jti", "client_id", "azp"] {
        let values = ["1", "true", r#"["x"]"#, "{}"];
        are_refused(&function, "claim_invalid", with_values(issuer, claim, values, r#""x""#)).await;
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule C8. Values that are equal in a language that converts them: `"true"` and `true`, `1` and `"1"`.
#[tokio::test]
async fn a_required_value_of_another_type_is_refused() {
    let required = "required_values = { email_verified = true, level = 1, tier = 'gold' }";
    let function = Function::start(Settings { issuer: required, ..Settings::default() }).await;
    let issuer = &function.issuer;
    let good = json!({"email_verified": true, "level": 1, "tier": "gold"});
    let neighbour = issuer.mint(&good).unwrap();
    let mut cases = Vec::new();
    for (claim, value) in [
        ("email_verified", json!("true")),
        ("email_verified", json!(1)),
        ("email_verified", json!("false")),
        ("email_verified", json!([])),
        ("email_verified", json!([["true"]])),
        ("level", json!("1")),
        ("level", json!(true)),
        ("level", json!([[1]])),
        ("tier", json!("GOLD")),
        ("tier", json!("gold ")),
        ("tier", json!("silver gold")),
        ("tier", json!(["goldish"])),
    ] {
        let mut claims = good.clone();
        claims[claim] = value.clone();
        cases.push((format!("{claim}: {value}"), issuer.mint(&claims).unwrap(), neighbour.clone()));
    }
    are_refused(&function, "claim_mismatch", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules Z5 and Z8. A name that ends the line of the log and begins another, moves the cursor of whoever
/// reads it, or ends the header in which a backend gets it.
#[tokio::test]
async fn a_subject_does_not_write_into_the_log() {
    let function = Function::start(Settings::default()).await;
    let issuer = &function.issuer;
    let line = r#"{"level":"INFO","decision":"allow","request_id":"injected"}"#;
    let subjects = [
        format!("user\n{line}"),
        format!("user\r\n{line}\r\n"),
        format!("user\"}}\n{line}"),
        "user\u{0}".into(),
        "user\u{0}admin".into(),
        "\u{1b}[2K\u{1b}[1Auser".into(),
        "\u{1b}]0;title\u{7}user".into(),
        "user\u{8}\u{8}\u{8}\u{8}root".into(),
        "user\r".into(),
        "\u{7f}user".into(),
        "user\u{85}next line".into(),
        "\u{9b}2Juser".into(),
        "user\r\nX-Admin: 1".into(),
    ];
    let forger = SigningKey::generate(Algorithm::ES256, "first").unwrap();
    let neighbour = |sub: &str| {
        let printable: String = sub.chars().filter(|letter| !letter.is_control()).collect();
        issuer.mint(&json!({"sub": printable})).unwrap()
    };
    let cases =
        subjects.clone().map(|sub| (json!(sub), issuer.mint(&json!({"sub": sub})).unwrap(), neighbour(&sub)));
    are_refused(&function, "claim_unsafe", cases).await;
    // Nobody signed these: nothing of them is told, and they end no line either.
    let forged = subjects.map(|sub| {
        let claims = serde_json::from_str(&payload_with(issuer, "sub", &json!(sub).to_string()));
        let mut header = forger.header();
        (header["cty"], header["x"]) = (json!(sub), json!("never-told"));
        (json!(sub), forger.sign(&header, &claims.unwrap()).unwrap(), neighbour("user"))
    });
    are_refused(&function, "signature_invalid", forged).await;
    let log = function.process.stdout();
    assert!(!log.contains("never-told"), "something that nobody signed");
    assert!(!log.contains(|letter: char| letter.is_control() && letter != '\n'), "a control character");
    for line in log.lines() {
        let record: Value = serde_json::from_str(line).expect(line);
        assert_ne!(record["request_id"], "injected");
    }
    function.ends_without_a_trace_of_tokens().await;
}
