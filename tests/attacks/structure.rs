//! The form of the token: what two parsers read differently, and what keeps one busy.

use authorizer_cli::signing::{Algorithm, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::forgery::{header, parts, payload_with, signed, with_payload};
use crate::header::peak_memory;
use crate::support::{KINDS, event};
use crate::{are_refused, function_with};

/// Rule F1. CVE-2022-39227, Tervoort's polyglots: a text that is a compact token for one parser and a JSON
/// serialization for the other, which verifies the one and returns the claims of the other.
/// GHSA-jc38-x7x8-2xc8: a header that is not protected.
#[tokio::test]
async fn a_polyglot_is_refused() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let neighbour = issuer.mint(&json!({})).unwrap();
    let [head, payload, signature] = parts(&neighbour);
    let forged = URL_SAFE_NO_PAD.encode(payload_with(issuer, "sub", r#""admin""#));
    let flattened = json!({"protected": head, "payload": payload, "signature": signature});
    let mut ambiguous = Vec::new();
    for (what, attack) in [
        ("flattened", flattened.to_string()),
        (
            "general",
            json!({"payload": payload, "signatures": [{"protected": head, "signature": signature}]})
                .to_string(),
        ),
        ("an unprotected header", {
            let mut unprotected = flattened.clone();
            unprotected["header"] = json!({"alg": "none"});
            unprotected.to_string()
        }),
        ("compact at its start", {
            let rest = format!(r#","protected":"{head}","payload":"{payload}","signature":"{signature}"}}"#);
            format!(r#"{{"{head}.{forged}.{signature}":"x"{rest}"#)
        }),
        ("compact at its end", format!(r#"{{"payload":"{payload}","x":"{head}.{forged}.{signature}"}}"#)),
        (
            "compact in its middle",
            format!(r#"{head}.{forged}.{{"payload":"{payload}","signature":"{signature}"}}"#),
        ),
    ] {
        ambiguous.push((what, attack, neighbour.clone()));
    }
    // No parser of tokens sees them: a comma joins the values of a header.
    are_refused(&function, "credential_ambiguous", ambiguous).await;
    let malformed = [
        ("one member", format!(r#"{{"{head}.{forged}.{signature}":1}}"#)),
        ("an object", "{}".to_owned()),
        ("quotes", format!("\"{neighbour}\"")),
        ("an array", format!("[\"{neighbour}\"]")),
        ("JSON for a header", format!(r#"{{"alg":"ES256"}}.{payload}.{signature}"#)),
        ("JSON for claims", signed(&issuer.keys()[0], head, r#"{"sub":"admin"}"#)),
    ];
    let malformed = malformed.map(|(what, attack)| (what, attack, neighbour.clone()));
    are_refused(&function, "token_malformed", malformed).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules F1 and F4. CVE-2025-30204: every dot costs a parser that splits at all of them. CVE-2019-12995 and
/// what else made verifiers stumble.
#[tokio::test]
async fn parts_without_end_are_refused_at_no_cost() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let neighbour = issuer.mint(&json!({})).unwrap();
    let long = issuer.mint(&json!({"text": "x".repeat(11_000)})).unwrap();
    for _ in 0..5 {
        function.ask(&event(KINDS[0], &long)).await.is_allowed("as long");
    }
    let before = peak_memory(&function);
    let [head, payload, signature] = parts(&neighbour);
    let malformed = [
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        ".....".to_owned(),
        "null".to_owned(),
        "undefined".to_owned(),
        "a.b.c".to_owned(),
        format!("{head}.."),
        format!(".{payload}.{signature}"),
        format!("{neighbour}."),
        format!(".{neighbour}"),
        format!("{head}.{payload}..{signature}"),
        format!("{neighbour}.{neighbour}"),
        ".".repeat(16_000),
        format!("{head}{}", ".".repeat(15_000)),
        "a.".repeat(8_000),
    ];
    let malformed = malformed.map(|attack| (attack.len(), attack, neighbour.clone()));
    are_refused(&function, "token_malformed", malformed).await;
    let large = [".".repeat(17_000), "a".repeat(100_000), format!("{neighbour}{}", "A".repeat(1_000_000))];
    let large = large.map(|attack| (attack.len(), attack, neighbour.clone()));
    are_refused(&function, "token_too_large", large).await;
    let grown = peak_memory(&function).saturating_sub(before);
    // The event of a megabyte is held several times.
    assert!(grown < 16 * 1024, "the function grew by {grown} KB");
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule F3. RFC 7519, section 4, and RFC 8725, section 2.4: of two members of a name, one parser takes the
/// first and another the last. Names that differ are two names, however alike.
#[tokio::test]
async fn a_member_that_is_there_twice_is_refused() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let key = &issuer.keys()[0];
    let claims = issuer.claims().to_string();
    let header = header(issuer, json!({})).to_string();
    let in_claims = |member: &str| with_payload(issuer, &claims.replacen('{', &format!("{{{member},"), 1));
    let in_header = |member: &str| {
        let header = header.replacen('{', &format!("{{{member},"), 1);
        key.sign_text(&header, &claims).unwrap()
    };
    let mut cases = Vec::new();
    for (twice, once) in [
        (r#""sub":"admin""#, r#""Sub":"admin""#),
        (r#""sub":null"#, r#""sub ":null"#),
        (r#""\u0073ub":"admin""#, r#""\u0053ub":"admin""#),
        (r#""iss":"https://evil.example/""#, r#""ISS":"https://evil.example/""#),
        (r#""aud":"billing-api""#, r#""Aud":"billing-api""#),
        (r#""exp":0"#, r#""EXP":0"#),
        (r#""scope":"orders:write""#, r#""Scope":"orders:write""#),
        (r#""x":{"a":1,"a":1}"#, r#""x":{"a":1,"A":1}"#),
        (r#""x":[[{"a":1,"\u0061":2}]]"#, r#""x":[[{"a":1},{"a":2}]]"#),
    ] {
        cases.push((twice, in_claims(twice), in_claims(once)));
    }
    for (twice, once) in [
        (r#""alg":"none""#, r#""ALG":"none""#),
        (r#""alg":"ES256""#, r#""Alg":"ES256""#),
        (r#""kid":"first""#, r#""Kid":"first""#),
        (r#""typ":"JWT""#, r#""TYP":"JWT""#),
        (r#""x":{"crit":1,"crit":2}"#, r#""x":{"crit":1}"#),
    ] {
        cases.push((twice, in_header(twice), in_header(once)));
    }
    are_refused(&function, "token_malformed", cases).await;
    let answer = function.ask(&event(KINDS[1], &in_claims(r#""Sub":"admin""#))).await;
    assert_eq!(answer.json()["principalId"], "user-7f1c");
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules F3 and F4. What is nested overflows the stack of a parser that calls itself. Nobody needs a key for
/// this attack: the token is parsed before it is verified.
#[tokio::test]
async fn nesting_without_end_is_refused() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let claims = issuer.claims().to_string();
    let text = header(issuer, json!({})).to_string();
    let forger = SigningKey::generate(Algorithm::ES256, "key").unwrap();
    let nested = |object: &str, open: &str, close: &str, levels: usize| {
        let value = format!("{}1{}", open.repeat(levels), close.repeat(levels));
        object.replacen('{', &format!(r#"{{"x":{value},"#), 1)
    };
    let shallow = |object: &str| nested(object, "[", "]", 31);
    let by_issuer = |header: &str, claims: &str| issuer.keys()[0].sign_text(header, claims).unwrap();
    let mut cases = Vec::new();
    for levels in [32, 127, 128, 129, 1000, 5000] {
        let deep = |object: &str| nested(object, "[", "]", levels);
        cases.push((
            levels,
            forger.sign_text(&text, &deep(&claims)).unwrap(),
            by_issuer(&text, &shallow(&claims)),
        ));
        cases.push((
            levels,
            forger.sign_text(&deep(&text), &claims).unwrap(),
            by_issuer(&shallow(&text), &claims),
        ));
        let deep = nested(&claims, r#"{"a":"#, "}", levels.min(1500));
        cases.push((levels, forger.sign_text(&text, &deep).unwrap(), by_issuer(&text, &shallow(&claims))));
    }
    let neighbour = issuer.mint(&json!({})).unwrap();
    for unfinished in
        ["[".repeat(10_000), r#"{"a":"#.repeat(2000), format!(r#"{{"x":{}"#, "[".repeat(10_000))]
    {
        let attack = forger.sign_text(&text, &unfinished).unwrap();
        cases.push((unfinished.len(), attack, neighbour.clone()));
        let attack = forger.sign_text(&unfinished, &claims).unwrap();
        cases.push((unfinished.len(), attack, neighbour.clone()));
    }
    are_refused(&function, "token_malformed", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules F3 and F4. Members and digits without end, and numbers beyond all numbers: the size of a token bounds
/// them, and as many as fit are read without ado.
#[tokio::test]
async fn members_and_digits_without_end_are_read_in_no_time() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let claims = issuer.claims();
    let digits = "9".repeat(9000);
    let zeros = "0".repeat(9000);
    let members: Value = (0..900).map(|number| (format!("m{number}"), json!(number))).collect();
    let with =
        |text: &str| with_payload(issuer, &claims.to_string().replacen('{', &format!(r#"{{"x":{text},"#), 1));
    let infinite = [
        ("digits", with(&digits), with(&format!("0.{digits}"))),
        ("an exponent", with("1e400"), with("1e-400")),
        ("zeros before the exponent", with(&format!("1{zeros}")), with(&format!("0.{zeros}1"))),
        ("leading zeros", with(&format!("{zeros}1")), with("1")),
        ("a hexadecimal number", with("0x10"), with("16")),
        ("infinity", with("Infinity"), with("\"Infinity\"")),
    ];
    are_refused(&function, "token_malformed", infinite).await;
    let token = with(&members.to_string());
    let answer = function.ask(&event(KINDS[0], &token)).await;
    answer.is_allowed("900 members");
    let microseconds = answer.record["duration_us"].as_u64().unwrap();
    assert!(microseconds < 2_000_000, "{microseconds} µs");
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule F3. Text that is no Unicode is read as one thing by one parser and as another by the next.
#[tokio::test]
async fn text_that_is_no_unicode_is_refused() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let key = &issuer.keys()[0];
    let text = |sub: &str| with_payload(issuer, &payload_with(issuer, "sub", sub));
    let bytes = |sub: &[u8]| {
        let claims = payload_with(issuer, "sub", "\"HERE\"");
        let (start, end) = claims.split_once("HERE").unwrap();
        let claims = [start.as_bytes(), sub, end.as_bytes()].concat();
        signed(key, parts(&issuer.mint(&json!({})).unwrap())[0], &URL_SAFE_NO_PAD.encode(claims))
    };
    let cases = [
        ("half a surrogate", text(r#""admin\ud800""#), text(r#""admin\ud83d\ude00""#)),
        ("the other half", text(r#""\udc00admin""#), text(r#""admin\u00e9""#)),
        ("two first halves", text(r#""\ud800\ud800""#), text(r#""\ud83d\ude00""#)),
        ("Latin-1", bytes(b"adm\xefn"), bytes("admïn".as_bytes())),
        ("an overlong letter", bytes(b"\xc1\xa1dmin"), bytes(b"admin")),
        ("an overlong NUL", bytes(b"admin\xc0\x80"), bytes(b"admin")),
        ("a surrogate in UTF-8", bytes(b"\xed\xa0\x80"), bytes("\u{10000}".as_bytes())),
        ("beyond Unicode", bytes(b"\xf4\x90\x80\x80"), bytes("\u{10ffff}".as_bytes())),
        ("a raw line feed", bytes(b"a\nb"), bytes(b"a b")),
        ("a raw NUL", bytes(b"a\0b"), bytes(b"a b")),
    ];
    are_refused(&function, "token_malformed", cases).await;
    let utf_16 = [issuer.claims().to_string()].map(|text| {
        let words: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let head = parts(&issuer.mint(&json!({})).unwrap())[0].to_owned();
        ("UTF-16", signed(key, &head, &URL_SAFE_NO_PAD.encode(words)), issuer.mint(&json!({})).unwrap())
    });
    are_refused(&function, "token_malformed", utf_16).await;
    function.ends_without_a_trace_of_tokens().await;
}
