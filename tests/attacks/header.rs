//! The header: keys that the token brings, places that it names, and words that change its meaning.

use authorizer_cli::issuer::{DISCOVERY_PATH, DevelopmentIssuer, KEYS_PATH};
use authorizer_cli::signing::{Algorithm, SigningKey, key_set};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::encodings::{certificate, pem};
use crate::forgery::{header, parts, signed, with_header};
use crate::process::{Function, Settings};
use crate::support::{KINDS, event};
use crate::{CERTIFICATE_PATH, are_refused, attacker, function_with, nobody_came};

/// Under the same header, members and all, the forger's signature and the issuer's.
fn by_both(issuer: &DevelopmentIssuer, forger: &SigningKey, members: Value) -> (String, String) {
    let header = header(issuer, members);
    let claims = issuer.claims();
    (forger.sign(&header, &claims).unwrap(), issuer.keys()[0].sign(&header, &claims).unwrap())
}

/// Rule A8. CVE-2018-0114, CVE-2026-27962, CVE-2026-34240: the token brings the key that it is to be verified
/// with. From the issuer the same member is harmless, and means nothing.
#[tokio::test]
async fn a_key_in_the_header_is_not_used() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let forger = SigningKey::generate(Algorithm::ES256, "key").unwrap();
    let jwk = forger.public_jwk();
    let mut cases = Vec::new();
    for (what, members) in [
        ("jwk", json!({"jwk": jwk})),
        ("jwk as text", json!({"jwk": jwk.to_string()})),
        ("jwk in a list", json!({"jwk": [jwk]})),
        ("jwks", json!({"jwks": {"keys": [jwk]}})),
        ("keys", json!({"keys": [jwk]})),
        ("key", json!({"key": jwk, "public_key": pem("PUBLIC KEY", &certificate(&forger))})),
        ("epk", json!({"epk": jwk})),
        ("the members of a key", jwk.clone()),
    ] {
        let (attack, neighbour) = by_both(issuer, &forger, members);
        cases.push((what, attack, neighbour));
    }
    are_refused(&function, "signature_invalid", cases).await;

    // Its own ID finds nothing, and no ID at all only what the issuer has.
    let neighbour = issuer.mint(&json!({})).unwrap();
    let claims = issuer.claims();
    let own = forger.sign(&json!({"alg": "ES256", "kid": "forger", "jwk": jwk}), &claims).unwrap();
    are_refused(&function, "key_not_found", [("its own ID", own, neighbour.clone())]).await;
    let nameless = forger.sign(&json!({"alg": "ES256", "jwk": jwk}), &claims).unwrap();
    are_refused(&function, "signature_invalid", [("no ID", nameless, neighbour)]).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A8. A certificate that nobody but its holder signed, by itself, with its digests, and where it may
/// be had.
#[tokio::test]
async fn a_certificate_in_the_header_is_not_used() {
    let attacker = attacker("key").await;
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let forger = &attacker.keys()[0];
    let der = certificate(forger);
    let chain = json!([STANDARD.encode(&der)]);
    let encode = |algorithm| URL_SAFE_NO_PAD.encode(digest(algorithm, &der));
    let x5u = format!("{}{}", attacker.url().trim_end_matches('/'), CERTIFICATE_PATH);
    let cases = [
        ("x5c", json!({"x5c": chain})),
        ("x5c as text", json!({"x5c": chain[0]})),
        ("x5c as PEM", json!({"x5c": [pem("CERTIFICATE", &der)]})),
        ("x5t", json!({"x5c": chain, "x5t": encode(&SHA1_FOR_LEGACY_USE_ONLY), "x5t#S256": encode(&SHA256)})),
        ("x5u", json!({"x5u": x5u})),
        ("x5u and x5c", json!({"x5u": x5u, "x5c": chain})),
    ];
    let cases = cases.map(|(what, members)| {
        let (attack, neighbour) = by_both(&function.issuer, forger, members);
        (what, attack, neighbour)
    });
    are_refused(&function, "signature_invalid", cases).await;
    nobody_came(&attacker);
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A8. A URL in the header is followed by nobody, whatever it looks like: neither for the keys of the
/// attacker, nor into the network of the function (`169.254.169.254`).
#[tokio::test]
async fn a_key_server_in_the_header_is_not_asked() {
    let attacker = attacker("key").await;
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let forger = &attacker.keys()[0];
    let [theirs, ours] = [&attacker, issuer].map(|server| server.url().trim_end_matches('/'));
    let authority = theirs.trim_start_matches("http://");
    let mut cases = Vec::new();
    for url in [
        attacker.jwks_uri(),
        format!("{ours}@{authority}{KEYS_PATH}"),
        format!("{theirs}{KEYS_PATH}#{ours}"),
        format!("{theirs}{KEYS_PATH}?{ours}"),
        format!("//{authority}{KEYS_PATH}"),
        "http://169.254.169.254/latest/meta-data/".into(),
        "file:///proc/self/environ".into(),
        format!("data:application/json,{}", key_set([&**forger])),
    ] {
        for name in ["jku", "x5u", "iss", "jwks_uri"] {
            let (attack, neighbour) = by_both(issuer, forger, json!({(name): url}));
            cases.push((format!("{name}: {url}"), attack, neighbour));
        }
    }
    are_refused(&function, "signature_invalid", cases).await;
    // With an ID that only the attacker's set has, the issuer is asked, and nobody else.
    attacker.replace_keys([SigningKey::generate(Algorithm::ES256, "theirs").unwrap()]);
    let forger = &attacker.keys()[0];
    let mut header = forger.header();
    (header["jku"], header["x5u"]) = (json!(attacker.jwks_uri()), json!(attacker.jwks_uri()));
    let attack = forger.sign(&header, &issuer.claims()).unwrap();
    let neighbour = issuer.mint(&json!({})).unwrap();
    are_refused(&function, "key_not_found", [("an ID of theirs", attack, neighbour)]).await;
    nobody_came(&attacker);
    assert_eq!(issuer.requests(DISCOVERY_PATH), 1);
    function.ends_without_a_trace_of_tokens().await;
}

/// What has been written into `kid` to be opened, asked or run.
const INJECTIONS: [&str; 20] = [
    "/dev/null",
    "../../../../../../../dev/null",
    "..\\..\\..\\windows\\win.ini",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/proc/sys/kernel/randomize_va_space",
    "file:///dev/null",
    "' OR '1'='1",
    "x' UNION SELECT 'AA' -- ",
    "1; DROP TABLE keys",
    "key|sleep 10",
    "$(sleep 10)",
    "`sleep 10`",
    "key\0.pem",
    "key\n",
    "{\"$ne\": null}",
    "*",
    "__proto__",
    "constructor",
    "${jndi:ldap://127.0.0.1:9/x}",
    "{{7*7}}",
];

/// Rule A9. A key ID is compared with those of the issuer's set, and nothing else is done with it: where the
/// issuer calls its key so, it is that key's name.
#[tokio::test]
async fn a_key_id_is_a_name_and_nothing_else() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let neighbour = issuer.mint(&json!({})).unwrap();
    let forger = SigningKey::generate(Algorithm::ES256, "key").unwrap();
    let claims = issuer.claims();
    let by_forger = |kid: &str| forger.sign(&header(issuer, json!({"kid": kid})), &claims).unwrap();
    let cases = INJECTIONS.map(|kid| (kid, by_forger(kid), neighbour.clone()));
    are_refused(&function, "key_not_found", cases).await;
    let mut names: Vec<String> = ["", " key", "key ", "KEY", "ke", "key2", "кey", "first,key", "\u{200b}key"]
        .map(str::to_owned)
        .into();
    names.push("key".repeat(2000));
    let cases = names.iter().map(|kid| (kid, with_header(issuer, json!({"kid": kid})), neighbour.clone()));
    are_refused(&function, "key_not_found", cases).await;
    for record in function.process.records() {
        assert!(record["duration_us"].as_u64().unwrap() < 5_000_000, "something slept: {record}");
    }

    let kinds = [json!(null), json!(0), json!(true), json!(["key"]), json!({"key": "key"}), json!([["key"]])];
    let cases = kinds.map(|kid| (kid.clone(), with_header(issuer, json!({"kid": kid})), neighbour.clone()));
    are_refused(&function, "token_malformed", cases).await;
    function.ends_without_a_trace_of_tokens().await;

    let function = function_with(INJECTIONS.map(|kid| (Algorithm::ES256, kid))).await;
    let claims = function.issuer.claims();
    let cases = function.issuer.keys().into_iter().map(|key| {
        let attack = forger.sign(&key.header(), &claims).unwrap();
        (key.kid().to_owned(), attack, key.token(&claims).unwrap())
    });
    are_refused(&function, "signature_invalid", cases.collect::<Vec<_>>()).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A9. A URL for a key ID is no address.
#[tokio::test]
async fn a_key_id_is_no_address() {
    let attacker = attacker("key").await;
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let forger = &attacker.keys()[0];
    let neighbour = function.issuer.mint(&json!({})).unwrap();
    let urls = [attacker.url().to_owned(), attacker.jwks_uri(), format!("{}#key", attacker.jwks_uri())];
    let cases = urls.map(|url| {
        let attack = forger.sign(&header(&function.issuer, json!({"kid": url})), &function.issuer.claims());
        (url, attack.unwrap(), neighbour.clone())
    });
    are_refused(&function, "key_not_found", cases).await;
    nobody_came(&attacker);
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A7. CVE-2025-59420, CVE-2026-32597, CVE-2026-35042 (GHSA-hm7r-c7qw-ghp6): what the token calls
/// critical, a verifier that does not know it must refuse. The extension itself, uncritical, is ignored.
#[tokio::test]
async fn a_critical_extension_is_not_ignored() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let extended = json!({
        "bork": true, "x-custom-policy": "require-mfa", "cnf": {"jkt": "x"}, "exp": 1,
        "http://example.com/policy": "two words",
    });
    let neighbour = with_header(issuer, extended.clone());
    let critical = [
        json!(["bork"]),
        json!(["x-custom-policy"]),
        json!(["cnf"]),
        json!(["exp"]),
        json!(["http://example.com/policy"]),
        json!(["bork", "bork"]),
        json!(["absent"]),
        json!(["alg"]),
        json!(["kid", "typ"]),
        json!(["crit"]),
        json!([""]),
        json!([null]),
        json!([]),
        json!("bork"),
        json!({"bork": true}),
        json!(null),
        json!(false),
    ];
    let cases = critical.map(|crit| {
        let mut members = extended.clone();
        members["crit"] = crit.clone();
        (crit, with_header(issuer, members), neighbour.clone())
    });
    are_refused(&function, "critical_header_unsupported", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules A6 and A7. RFC 7797: where one verifier signs the bytes and another their base64url, one signature
/// stands for two payloads; and a payload that comes from elsewhere is none.
#[tokio::test]
async fn an_unencoded_or_detached_payload_is_refused() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let key = &issuer.keys()[0];
    let neighbour = issuer.mint(&json!({})).unwrap();
    let [head, payload, signature] = parts(&neighbour);
    let claims = issuer.claims().to_string();
    let mut cases = Vec::new();
    for b64 in [json!(false), json!(true), json!(null), json!("false"), json!(0)] {
        let attack = with_header(issuer, json!({"b64": b64}));
        cases.push((format!("b64 of {b64}"), attack, neighbour.clone()));
    }
    let header_text = header(issuer, json!({"b64": false, "crit": ["b64"]})).to_string();
    let unencoded = URL_SAFE_NO_PAD.encode(header_text);
    // The signature of the decoded claims, which come encoded.
    let decoded = signed(key, &unencoded, &claims);
    let attack = format!("{unencoded}.{payload}.{}", decoded.rsplit('.').next().unwrap());
    cases.push(("encoded, and signed as it is not".to_owned(), attack, neighbour.clone()));
    cases.push(("critical".to_owned(), signed(key, &unencoded, payload), neighbour.clone()));
    are_refused(&function, "payload_unencoded", cases).await;

    let detached = [
        ("detached", format!("{head}..{signature}")),
        ("detached and unencoded", {
            let whole = signed(key, &unencoded, payload);
            format!("{unencoded}..{}", parts(&whole)[2])
        }),
        ("detached, and signed as nothing", signed(key, head, "")),
    ];
    let detached = detached.map(|(what, attack)| (what, attack, neighbour.clone()));
    are_refused(&function, "token_malformed", detached).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule F1. CVE-2023-51774 and T. Tervoort's confusion of signing and encrypting: what is encrypted with the
/// public key proves nothing about who did it. CVE-2026-29000: nor does the unsigned token inside.
/// CVE-2019-18848: five parts with nothing in them.
#[tokio::test]
async fn an_encrypted_token_is_refused() {
    let function = function_with([(Algorithm::RS256, "rsa"), (Algorithm::ES256, "ec")]).await;
    let issuer = &function.issuer;
    let neighbour = issuer.mint(&json!({})).unwrap();
    let [head, payload, signature] = parts(&neighbour);
    let mut cases = Vec::new();
    for (alg, enc) in
        [("RSA-OAEP-256", "A256GCM"), ("RSA1_5", "A128CBC-HS256"), ("dir", "A128GCM"), ("RS256", "A256GCM")]
    {
        let header = header(issuer, json!({"alg": alg, "enc": enc, "cty": "JWT"})).to_string();
        let encoded = URL_SAFE_NO_PAD.encode(&header);
        let key = &issuer.keys()[0];
        let five = format!("{encoded}.{signature}.{signature}.{payload}.{signature}");
        cases.push((format!("{alg}, five parts"), five, neighbour.clone()));
        cases.push((
            format!("{alg}, no key"),
            format!("{encoded}..{payload}.{payload}.{payload}"),
            neighbour.clone(),
        ));
        cases.push((format!("{alg}, signed"), signed(key, &encoded, payload), neighbour.clone()));
    }
    for enc in [json!("none"), json!(null), json!(""), json!([])] {
        cases.push((format!("enc of {enc}"), with_header(issuer, json!({"enc": enc})), neighbour.clone()));
    }
    cases.push(("nothing".into(), "....".into(), neighbour.clone()));
    cases.push((
        "a signed token and more".into(),
        format!("{neighbour}.{payload}.{signature}"),
        neighbour.clone(),
    ));
    cases.push(("a header alone".into(), format!("{head}...."), neighbour));
    are_refused(&function, "token_encrypted", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule F4. CVE-2023-52428, CVE-2023-6681, Tervoort's "billion hashes": the token says how often its password
/// is to be hashed. It is answered before anything is.
#[tokio::test]
async fn a_count_of_hashes_is_not_counted_to() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let neighbour = with_header(issuer, json!({"p2s": "c2FsdA", "p2c": 2_147_483_647}));
    let [_, payload, signature] = parts(&neighbour);
    let pbes2 = json!({
        "alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2s": "c2FsdA", "p2c": 9_007_199_254_740_991_u64,
    });
    let encoded = URL_SAFE_NO_PAD.encode(pbes2.to_string());
    let five = format!("{encoded}.{signature}.{signature}.{payload}.{signature}");
    let mut pbes2 = pbes2;
    pbes2.as_object_mut().unwrap().remove("enc");
    let three = with_header(issuer, pbes2);
    for (reason, attack) in [("token_encrypted", &five), ("algorithm_not_allowed", &three)] {
        are_refused(&function, reason, [("p2c", attack.clone(), neighbour.clone())]).await;
        let answer = function.ask(&event(KINDS[0], attack)).await;
        let microseconds = answer.record["duration_us"].as_u64().unwrap();
        assert!(microseconds < 2_000_000, "{microseconds} µs");
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule F4. CVE-2024-28176, CVE-2024-33664, CVE-2024-28102: what is compressed is not inflated.
#[tokio::test]
async fn a_compressed_token_is_not_inflated() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let key = &issuer.keys()[0];
    // RFC 1951, of zeros: 7 KB stand for 7 MB.
    let start = b"\xec\xc1\x01\x01\x00\x00\x00\x80\x90\xfe\xaf\xee\x08\x0a";
    let bomb = URL_SAFE_NO_PAD.encode([&start[..], &[0; 7000]].concat());
    let neighbour = issuer.mint(&json!({"text": bomb})).unwrap();
    let compressed = |enc: Option<&str>| {
        let mut header = header(issuer, json!({"zip": "DEF"}));
        if let Some(enc) = enc {
            (header["alg"], header["enc"]) = (json!("dir"), json!(enc));
        }
        URL_SAFE_NO_PAD.encode(header.to_string())
    };
    let signed = signed(key, &compressed(None), &bomb);
    let encrypted = format!("{}..AA.{bomb}.AA", compressed(Some("A128GCM")));
    assert_eq!(encrypted.split('.').count(), 5);
    for _ in 0..10 {
        function.ask(&event(KINDS[0], &neighbour)).await.is_allowed("the same bytes as a claim");
    }
    let before = peak_memory(&function);
    for _ in 0..10 {
        are_refused(&function, "token_compressed", [("signed", signed.clone(), neighbour.clone())]).await;
        are_refused(&function, "token_encrypted", [("encrypted", encrypted.clone(), neighbour.clone())])
            .await;
    }
    let others = [json!("GZIP"), json!(""), json!(null), json!(["DEF"])];
    let others = others.map(|zip| (zip.clone(), with_header(issuer, json!({"zip": zip})), neighbour.clone()));
    are_refused(&function, "token_compressed", others).await;
    let grown = peak_memory(&function).saturating_sub(before);
    assert!(grown < 2048, "the function grew by {grown} KB");
    function.ends_without_a_trace_of_tokens().await;
}

/// The most memory that the function has had so far, in KB; 0 where nobody keeps a book of it.
pub(crate) fn peak_memory(function: &Function) -> u64 {
    let book = format!("/proc/{}/status", function.process.id().unwrap());
    let Ok(book) = std::fs::read_to_string(book) else { return 0 };
    let line = book.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Rules C7 and F1. A token whose payload is a token: whoever unwraps it verifies the outer signature and
/// believes the inner claims.
#[tokio::test]
async fn a_token_in_a_token_is_refused() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let key = &issuer.keys()[0];
    let neighbour = with_header(issuer, json!({"cty": "json"}));
    let inner = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let inner = format!("{inner}.{}.", URL_SAFE_NO_PAD.encode(json!({"sub": "admin"}).to_string()));
    let mut nested = Vec::new();
    for cty in ["JWT", "jwt", "Jwt", "application/jwt", "APPLICATION/JWT"] {
        nested.push((cty, with_header(issuer, json!({"cty": cty})), neighbour.clone()));
        let outer = key.sign_text(&header(issuer, json!({"cty": cty})).to_string(), &inner).unwrap();
        nested.push((cty, outer, neighbour.clone()));
    }
    are_refused(&function, "token_nested", nested).await;
    let text = key.header().to_string();
    let unnamed = [
        ("a token for claims", key.sign_text(&text, &inner).unwrap()),
        ("a signed one", key.sign_text(&text, &neighbour).unwrap()),
        ("as JSON text", key.sign_text(&text, &json!(neighbour).to_string()).unwrap()),
        ("a type that is no text", with_header(issuer, json!({"cty": ["JWT"]}))),
    ];
    let unnamed = unnamed.map(|(what, attack)| (what, attack, neighbour.clone()));
    are_refused(&function, "token_malformed", unnamed).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules C7 and A1. Claims that are repeated in the header, as encrypted tokens have them (RFC 7519, section
/// 5.3), are nobody's.
#[tokio::test]
async fn claims_in_the_header_do_not_count() {
    let settings = Settings { issuer: "required_claims = ['tenant']", ..Settings::default() };
    let function = Function::start(settings).await;
    let issuer = &function.issuer;
    let claims = json!({"sub": "admin", "tenant": "x", "exp": 4_102_444_800_u64, "aud": "orders-api"});
    let key = &issuer.keys()[0];
    let with = |claims: Value| key.sign(&header(issuer, claims), &issuer.claims()).unwrap();
    let neighbour = issuer.mint(&json!({"tenant": "x"})).unwrap();
    are_refused(&function, "claim_missing", [("in the header", with(claims), neighbour)]).await;
    function.ends_without_a_trace_of_tokens().await;
}
