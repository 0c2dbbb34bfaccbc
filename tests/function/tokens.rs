//! Refused tokens, each beside an allowed one that differs from it in nothing else.

use authorizer_cli::issuer::{DevelopmentIssuer, unix_time};
use authorizer_cli::signing::{Algorithm, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::forgery::{header, parts, payload_with, signed, with_header, with_payload, with_spare_bits};
use crate::process::{Function, Settings};
use crate::support::{KINDS, event};

/// What is wrong, the token, and its neighbour.
type Case = (&'static str, String, String);

/// Every kind of event is answered alike: the credential decides, not the way in.
async fn are_told_apart(function: &Function, reason: &str, cases: Vec<Case>) {
    for (what, refused, allowed) in cases {
        for kind in KINDS {
            let what = format!("{kind}, {what}");
            function.ask(&event(kind, &refused)).await.is_refused(reason, &what);
            function.ask(&event(kind, &allowed)).await.is_allowed(&what);
        }
    }
}

/// Rules F1 to F4: a token is three parts of strict base64url, the first two of them JSON objects, and
/// no longer than any that API Gateway lets through.
#[tokio::test]
async fn malformed_tokens_are_refused() {
    let function = Function::start(Settings::default()).await;
    let issuer = &function.issuer;
    let good = issuer.mint(&json!({})).unwrap();
    let [head, payload, signature] = parts(&good);
    let key = &issuer.keys()[0];
    let text = header(issuer, json!({})).to_string();
    let claims = issuer.claims().to_string();
    let encode = |text: &[u8]| URL_SAFE_NO_PAD.encode(text);
    // As long as it takes to leave spare bits.
    let odd = (0..3).map(|length| encode(format!("{}{text}", " ".repeat(length)).as_bytes()));
    let odd = odd.into_iter().find(|part| part.len() % 4 != 0).unwrap();
    let nested =
        |levels| claims.replacen('{', &format!(r#"{{"x":{}{},"#, "[".repeat(levels), "]".repeat(levels)), 1);
    let mut not_utf_8 = text.clone().into_bytes();
    not_utf_8.splice(1..1, *b"\"\xff\":1,");

    let cases = [
        ("one part", head.to_owned()),
        ("two parts", format!("{head}.{payload}")),
        ("four parts", format!("{good}.{signature}")),
        ("six parts", format!("{good}...")),
        ("no header", format!(".{payload}.{signature}")),
        ("no claims", format!("{head}..{signature}")),
        ("a signature with spare bits", format!("{head}.{payload}.{}", with_spare_bits(signature))),
        ("padding of the signature", format!("{good}==")),
        ("padding of the header", signed(key, &format!("{head}="), payload)),
        ("padding of the claims", signed(key, head, &format!("{payload}=="))),
        ("the standard alphabet", signed(key, &format!("{head}+/"), payload)),
        ("spare bits", signed(key, &with_spare_bits(&odd), payload)),
        ("a JSON serialization", json!({"payload": payload}).to_string()),
        ("a header that is an array", key.sign_text(r#"["ES256"]"#, &claims).unwrap()),
        ("a header that is not JSON", key.sign_text(&text[..text.len() - 1], &claims).unwrap()),
        ("a header behind a byte order mark", key.sign_text(&format!("\u{feff}{text}"), &claims).unwrap()),
        ("something behind the header", key.sign_text(&format!("{text}{{}}"), &claims).unwrap()),
        ("a header that is not UTF-8", signed(key, &encode(&not_utf_8), payload)),
        (
            "a header with a double",
            key.sign_text(&text.replacen('{', r#"{"x":1,"x":1,"#, 1), &claims).unwrap(),
        ),
        ("claims with a double", with_payload(issuer, &claims.replacen('{', r#"{"sub":"root","#, 1))),
        ("a double in a claim", with_payload(issuer, &claims.replacen('{', r#"{"x":[{"y":1,"y":1}],"#, 1))),
        ("deep claims", with_payload(issuer, &nested(32))),
        ("two algorithms", key.sign_text(r#"{"alg":"ES256","alg":"ES256"}"#, &claims).unwrap()),
        ("no algorithm", key.sign_text(r#"{"kid":"first"}"#, &claims).unwrap()),
        ("an algorithm that is no text", with_header(issuer, json!({"alg": ["ES256"]}))),
        ("a key ID that is no text", with_header(issuer, json!({"kid": 1}))),
        ("claims that are an array", with_payload(issuer, &format!("[{claims}]"))),
        ("claims that are not JSON", with_payload(issuer, &claims[1..])),
        ("something behind the claims", with_payload(issuer, &format!("{claims}x"))),
        ("a number beyond all numbers", with_payload(issuer, &payload_with(issuer, "exp", "1e400"))),
        ("no number", with_payload(issuer, &payload_with(issuer, "exp", "NaN"))),
    ];
    let mut cases = Vec::from(cases.map(|(what, refused)| (what, refused, good.clone())));
    cases.push(("one level deeper", with_payload(issuer, &nested(32)), with_payload(issuer, &nested(31))));
    are_told_apart(&function, "token_malformed", cases).await;
    let long = |length| issuer.mint(&json!({"text": "x".repeat(length)})).unwrap();
    are_told_apart(&function, "token_too_large", vec![("17 KB", long(12_800), long(11_000))]).await;
    let encrypted = ("five parts", format!("{good}.{signature}.{signature}"), good.clone());
    are_told_apart(&function, "token_encrypted", vec![encrypted]).await;
    let unsigned = ("no signature", format!("{head}.{payload}."), good.clone());
    are_told_apart(&function, "token_unsigned", vec![unsigned]).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules A7 and C7: what would change the meaning of the token is not ignored.
#[tokio::test]
async fn headers_with_a_meaning_that_is_not_implemented_are_refused() {
    let function = Function::start(Settings::default()).await;
    let issuer = &function.issuer;
    let pair = |what, refused, allowed| (what, with_header(issuer, refused), with_header(issuer, allowed));
    let cases = vec![
        pair("a critical extension", json!({"crit": ["x"], "x": 1}), json!({"x": 1})),
        pair("a critical name of our own", json!({"crit": ["exp"]}), json!({"exp": 1})),
        pair("nothing critical", json!({"crit": []}), json!({})),
        pair("a `crit` that is `null`", json!({"crit": null}), json!({})),
        pair("a `crit` that is no list", json!({"crit": "x"}), json!({})),
    ];
    are_told_apart(&function, "critical_header_unsupported", cases).await;
    for (reason, refused) in [
        ("payload_unencoded", json!({"b64": false})),
        ("payload_unencoded", json!({"b64": true, "crit": ["b64"]})),
        ("token_compressed", json!({"zip": "DEF"})),
        ("token_encrypted", json!({"enc": "A256GCM"})),
        ("token_nested", json!({"cty": "JWT"})),
    ] {
        are_told_apart(&function, reason, vec![pair(reason, refused, json!({"cty": "json"}))]).await;
    }
    let cases = vec![
        pair("a DPoP proof", json!({"typ": "dpop+jwt"}), json!({"typ": "at+jwt"})),
        pair("a logout token", json!({"typ": "logout+jwt"}), json!({"typ": "application/at+jwt"})),
        pair("a security event", json!({"typ": "secevent+jwt"}), json!({"typ": "jwt"})),
    ];
    are_told_apart(&function, "token_type_unexpected", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A1: a list of names decides, and neither `none` nor an HMAC is on any list.
#[tokio::test]
async fn only_the_algorithms_of_the_configuration_are_tried() {
    let settings = Settings { issuer: "algorithms = ['ES256', 'ES384']", ..Settings::default() };
    let function = Function::start(settings).await;
    let issuer = &function.issuer;
    let [first, _, third, fourth]: [_; 4] = issuer.keys().try_into().unwrap();
    let claims = issuer.claims();
    let good = first.token(&claims).unwrap();
    let mut cases =
        vec![("EdDSA by a key of the issuer", fourth.token(&claims).unwrap(), third.token(&claims).unwrap())];
    for name in ["none", "None", "NONE", "nOnE", "HS256", "HS512", "es256", "ES256 ", "RS256", "", "ES256K"] {
        cases.push((name, with_header(issuer, json!({"alg": name})), good.clone()));
    }
    are_told_apart(&function, "algorithm_not_allowed", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules A2, A8 and A9: the key is the one of this ID in the issuer's set, and the header brings none.
#[tokio::test]
async fn keys_are_found_by_their_exact_id_and_kind() {
    let function = Function::start(Settings::default()).await;
    let issuer = &function.issuer;
    let [first, _, third, _]: [_; 4] = issuer.keys().try_into().unwrap();
    let claims = issuer.claims();
    let good = first.token(&claims).unwrap();
    let by = |header| first.sign(&header, &claims).unwrap();
    let with_kid = |kid: &str| with_header(issuer, json!({"kid": kid}));

    let mut cases = Vec::new();
    for kid in ["First", "first ", "first/../second", "../../dev/null", "' OR 1=1 --", "", "http://x/"] {
        cases.push((kid, with_kid(kid), good.clone()));
    }
    // One key of the kind is no choice; of a kind that the set lacks, there is none.
    cases.push(("no ID, and no such kind", by(json!({"alg": "RS256"})), third_without_id(&third, &claims)));
    are_told_apart(&function, "key_not_found", cases).await;

    let mismatch = ("the ID of a key for ES384", with_kid("third"), good.clone());
    are_told_apart(&function, "key_mismatch", vec![mismatch]).await;
    let ambiguous = ("no ID, and two of the kind", by(json!({"alg": "ES256"})), good.clone());
    are_told_apart(&function, "key_ambiguous", vec![ambiguous]).await;
    function.ends_without_a_trace_of_tokens().await;
}

fn third_without_id(third: &SigningKey, claims: &Value) -> String {
    third.sign(&json!({"alg": "ES384"}), claims).unwrap()
}

/// Rules A5, A6 and A8: the signature is the issuer's, over these very bytes.
#[tokio::test]
async fn forged_tokens_are_refused() {
    let function = Function::start(Settings::default()).await;
    let issuer = &function.issuer;
    let good = issuer.mint(&json!({})).unwrap();
    let [head, payload, signature] = parts(&good);
    let forger = SigningKey::generate(Algorithm::ES256, "first").unwrap();
    let claims = issuer.claims();
    let mut with_own_key = forger.header();
    with_own_key["jwk"] = forger.public_jwk();
    let mut with_key_server = forger.header();
    with_key_server["jku"] = json!("http://127.0.0.1:9/keys");
    let raw = |bytes: &[u8]| format!("{head}.{payload}.{}", URL_SAFE_NO_PAD.encode(bytes));
    let other_claims = issuer.mint(&json!({"sub": "admin"})).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();

    let cases = [
        ("a forger's key of the same ID", forger.token(&claims).unwrap()),
        ("a key in the header", forger.sign(&with_own_key, &claims).unwrap()),
        ("a key server in the header", forger.sign(&with_key_server, &claims).unwrap()),
        ("other claims", format!("{head}.{}.{signature}", parts(&other_claims)[1])),
        ("nothing but zeros", raw(&[0; 64])),
        ("one byte less", raw(&bytes[..63])),
        ("one byte more", raw(&[&bytes[..], &[0]].concat())),
    ];
    let cases = Vec::from(cases.map(|(what, refused)| (what, refused, good.clone())));
    are_told_apart(&function, "signature_invalid", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A10: one issuer's key does not sign for another.
#[tokio::test]
async fn each_issuer_signs_for_itself_alone() {
    let other = DevelopmentIssuer::start([SigningKey::generate(Algorithm::ES256, "others").unwrap()]);
    let other = other.await.unwrap();
    let second = format!("[[issuer]]\nurl = '{}'\naudience = 'orders-api'", other.url());
    let function = Function::start(Settings { sections: &second, ..Settings::default() }).await;
    let issuer = &function.issuer;
    let ours = issuer.mint(&json!({})).unwrap();
    let theirs = other.mint(&json!({})).unwrap();
    let by_ours_for_them = issuer.mint(&json!({"iss": other.url()})).unwrap();
    let cases = vec![
        ("our key for them", by_ours_for_them, ours.clone()),
        ("their key for us", other.mint(&json!({"iss": issuer.url()})).unwrap(), theirs),
    ];
    are_told_apart(&function, "key_not_found", cases).await;

    let bare = issuer.url().trim_end_matches('/');
    let unknown =
        [("another", "https://evil.example/"), ("no slash", bare), ("a prefix", "http://"), ("", "")];
    let unknown = unknown.map(|(what, url)| (what, issuer.mint(&json!({"iss": url})).unwrap(), ours.clone()));
    are_told_apart(&function, "issuer_unknown", unknown.into()).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules C3 and C4, with the default leeway of 30 seconds.
#[tokio::test]
async fn tokens_are_valid_from_nbf_to_exp() {
    let function = Function::start(Settings::default()).await;
    let issuer = &function.issuer;
    let now = unix_time();
    let minted = |claims| issuer.mint(&claims).unwrap();
    let cases = vec![
        ("a minute ago", minted(json!({"exp": now - 60})), minted(json!({"exp": now - 10}))),
        ("in 1970", minted(json!({"exp": 0})), minted(json!({"exp": 253_402_300_799_u64}))),
        (
            "by a fraction",
            minted(json!({"exp": now as f64 - 30.5})),
            minted(json!({"exp": now as f64 + 0.5})),
        ),
    ];
    are_told_apart(&function, "token_expired", cases).await;
    let cases = vec![
        ("in a minute", minted(json!({"nbf": now + 60})), minted(json!({"nbf": now + 10}))),
        ("in 9999", minted(json!({"nbf": 253_402_300_799_u64})), minted(json!({"nbf": 0}))),
    ];
    are_told_apart(&function, "token_not_yet_valid", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules C1 to C6: what is checked must be there, and of its type.
#[tokio::test]
async fn claims_are_required_and_typed() {
    let function = Function::start(Settings::default()).await;
    let issuer = &function.issuer;
    let minted = |claims| issuer.mint(&claims).unwrap();
    let good = minted(json!({}));

    let pair = |what, refused: Value, allowed: Value| (what, minted(refused), minted(allowed));
    let cases = vec![
        pair(
            "another audience",
            json!({"aud": "billing-api"}),
            json!({"aud": ["billing-api", "orders-api"]}),
        ),
        pair("a longer one", json!({"aud": "orders-api-2"}), json!({"aud": "orders-api"})),
        pair("another case", json!({"aud": ["Orders-API"]}), json!({"aud": ["orders-api"]})),
        pair("no audience", json!({"aud": []}), json!({"aud": ["orders-api", "orders-api"]})),
        pair("the client's ID", json!({"aud": "x", "client_id": "orders-api"}), json!({"client_id": "x"})),
    ];
    are_told_apart(&function, "audience_mismatch", cases).await;

    let missing =
        ["iss", "aud", "exp", "sub"].map(|claim| (claim, minted(json!({claim: null})), good.clone()));
    are_told_apart(&function, "claim_missing", missing.into()).await;

    let null = |claim| with_payload(issuer, &payload_with(issuer, claim, "null"));
    let mut cases = vec![("no issuer", null("iss"), good.clone()), ("no expiry", null("exp"), good.clone())];
    cases.extend([
        pair("a list of issuers", json!({"iss": [issuer.url()]}), json!({})),
        pair("an audience that is a number", json!({"aud": 5}), json!({})),
        pair("a number among audiences", json!({"aud": ["orders-api", 5]}), json!({})),
        pair("an audience that is an object", json!({"aud": {"orders-api": true}}), json!({})),
        pair("an expiry before 1970", json!({"exp": -1}), json!({})),
        pair("an expiry in milliseconds", json!({"exp": 4_102_444_800_000_u64}), json!({})),
        pair("an expiry beyond all time", json!({"exp": 1e300}), json!({})),
        pair("a start in milliseconds", json!({"nbf": 1_000_000_000_000_u64}), json!({})),
        pair("an expiry in quotes", json!({"exp": "4102444800"}), json!({"exp": 4_102_444_800_u64})),
        pair("an expiry that is true", json!({"exp": true}), json!({})),
        pair("a start in quotes", json!({"nbf": "0"}), json!({"nbf": 0})),
        pair("a time of issue in quotes", json!({"iat": "0"}), json!({"iat": 0})),
        pair("an empty subject", json!({"sub": ""}), json!({"sub": " "})),
        pair("a subject that is a list", json!({"sub": ["user"]}), json!({"sub": "user"})),
    ]);
    are_told_apart(&function, "claim_invalid", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules Z5 and Z8: what cannot be handed on safely is not handed on in part.
#[tokio::test]
async fn claims_that_do_not_fit_an_answer_are_refused() {
    let sections = "[response.context]\nnote = 'note'";
    let function = Function::start(Settings { sections, ..Settings::default() }).await;
    let issuer = &function.issuer;
    let pair = |what, refused: Value, allowed: Value| {
        (what, issuer.mint(&refused).unwrap(), issuer.mint(&allowed).unwrap())
    };
    let cases = vec![
        pair("a line feed", json!({"note": "a\nb"}), json!({"note": "a b"})),
        pair("a NUL", json!({"note": "a\u{0}b"}), json!({"note": "a\\u0000b"})),
        pair("an escape sequence", json!({"note": "\u{1b}[2J"}), json!({"note": "[2J"})),
        pair("a subject of two lines", json!({"sub": "user\r\nX-Admin: 1"}), json!({"sub": "user"})),
    ];
    are_told_apart(&function, "claim_unsafe", cases).await;
    let large = |length| json!({"note": "x".repeat(length)});
    are_told_apart(&function, "answer_too_large", vec![pair("8 KB", large(8200), large(7800))]).await;
    // The signature holds: the log says whose token it is. A forged one with the same claims is nobody's.
    let note = json!({"note": "a\nb"});
    let verified = function.ask(&event(KINDS[0], &issuer.mint(&note).unwrap())).await;
    let vouched_for = (&verified.record["issuer"], &verified.record["key_id"]);
    assert_eq!(vouched_for, (&json!(issuer.url()), &json!("first")));
    let mut claims = issuer.claims();
    claims["note"] = note["note"].clone();
    let forger = SigningKey::generate(Algorithm::ES256, "first").unwrap();
    let forged = function.ask(&event(KINDS[0], &forger.token(&claims).unwrap())).await;
    forged.is_refused("signature_invalid", "a forged token");
    assert_eq!((forged.record.get("issuer"), forged.record.get("key_id")), (None, None));
    function.ends_without_a_trace_of_tokens().await;
}
