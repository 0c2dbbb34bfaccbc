//! The signature: values that prove nothing, forms that are not its own, and bytes that it was not made for.

use authorizer_cli::issuer::KEYS_PATH;
use authorizer_cli::signing::{Algorithm, SigningKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::encodings::ecdsa_der;
use crate::forgery::{parts, payload_with, signed, with_payload, with_spare_bits};
use crate::process::{Function, Settings};
use crate::support::event;
use crate::{are_refused, function_with};

/// The number of points of each curve.
const ORDERS: [(Algorithm, &str, &str); 3] = [
    (Algorithm::ES256, "p256", "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
    (
        Algorithm::ES384,
        "p384",
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    ),
    (
        Algorithm::ES512,
        "p521",
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa\
         51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    ),
];

/// The token with these bytes for its signature.
fn with_signature(token: &str, signature: &[u8]) -> String {
    let [header, claims, _] = parts(token);
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn signature_of(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(parts(token)[2]).unwrap()
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Rule A5. CVE-2022-21449, "psychic signatures": with r or s of 0, or of what is 0 modulo the order of the
/// curve, the equation holds for every message and every key.
#[tokio::test]
async fn psychic_signatures_are_refused() {
    let function = function_with(ORDERS.map(|(algorithm, kid, _)| (algorithm, kid))).await;
    let claims = function.issuer.claims();
    let mut cases = Vec::new();
    for (key, (_, _, order)) in function.issuer.keys().iter().zip(ORDERS) {
        let neighbour = key.token(&claims).unwrap();
        let order = from_hex(order);
        let zero = vec![0; order.len()];
        let (mut one, mut above) = (zero.clone(), order.clone());
        *one.last_mut().unwrap() = 1;
        *above.last_mut().unwrap() += 1;
        let signature = signature_of(&neighbour);
        let (r, s) = signature.split_at(order.len());
        for (what, first, second) in [
            ("0, 0", &zero[..], &zero[..]),
            ("0, 1", &zero, &one),
            ("1, 0", &one, &zero),
            ("1, 1", &one, &one),
            ("n, n", &order, &order),
            ("n, 1", &order, &one),
            ("n + 1, n + 1", &above, &above),
            ("r, 0", r, &zero),
            ("0, s", &zero, s),
            ("r, n", r, &order),
            ("n, s", &order, s),
            ("s, r", s, r),
        ] {
            let attack = with_signature(&neighbour, &[first, second].concat());
            cases.push((format!("{}: {what}", key.kid()), attack, neighbour.clone()));
        }
    }
    are_refused(&function, "signature_invalid", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A5. One signature, one form: neither ASN.1 nor another length, and for P-521, whose numbers leave
/// room for it, no s above the order of the curve.
#[tokio::test]
async fn a_signature_in_another_form_is_refused() {
    let function = function_with([
        (Algorithm::ES256, "p256"),
        (Algorithm::ES512, "p521"),
        (Algorithm::RS256, "rsa"),
        (Algorithm::PS256, "pss"),
        (Algorithm::EdDSA, "edwards"),
    ])
    .await;
    let claims = function.issuer.claims();
    let mut cases = Vec::new();
    for key in function.issuer.keys() {
        let neighbour = key.token(&claims).unwrap();
        let signature = signature_of(&neighbour);
        let (first, second) = signature.split_at(signature.len() / 2);
        let mut forms = vec![
            ("a zero before it", [&[0], &signature[..]].concat()),
            ("a zero behind it", [&signature[..], &[0]].concat()),
            ("a zero before each half", [&[0], first, &[0], second].concat()),
            ("twice", signature.repeat(2)),
            ("its first half", first.to_vec()),
            ("one byte", vec![signature[0]]),
            ("all bits", vec![0xff; signature.len()]),
            ("no bits", vec![0; signature.len()]),
            ("as base64 in base64", parts(&neighbour)[2].as_bytes().to_vec()),
        ];
        if key.kid().starts_with('p') && key.kid() != "pss" {
            forms.push(("ASN.1", ecdsa_der(&signature)));
        }
        if key.kid() == "p521" {
            forms.push(("s + n", [first, &plus(second, &from_hex(ORDERS[2].2))[..]].concat()));
        }
        for (what, form) in forms {
            cases.push((
                format!("{}: {what}", key.kid()),
                with_signature(&neighbour, &form),
                neighbour.clone(),
            ));
        }
    }
    are_refused(&function, "signature_invalid", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// The sum of two numbers of one length, highest byte first.
fn plus(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<u8> = Vec::new();
    for (a, b) in first.iter().zip(second).rev() {
        let digit = u16::from(*a) + u16::from(*b) + carry;
        sum.push(digit.to_le_bytes()[0]);
        carry = digit >> 8;
    }
    sum.reverse();
    sum
}

/// The order of the subgroup of Ed25519, highest byte first.
const EDWARDS_ORDER: &str = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";

/// Rule A5. CVE-2020-36843: adding the order of the group to S gives a second signature of the same message,
/// which is none.
#[tokio::test]
async fn a_malleable_edwards_signature_is_refused() {
    let function = function_with([(Algorithm::EdDSA, "edwards")]).await;
    let neighbour = function.issuer.mint(&json!({})).unwrap();
    let signature = signature_of(&neighbour);
    let (r, s) = signature.split_at(32);
    let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
    let shifted = reversed(&plus(&reversed(s), &from_hex(EDWARDS_ORDER)));
    let identity = [&[1], &[0; 31][..]].concat();
    let cases = [
        ("S + L", [r, &shifted].concat()),
        ("S of 0", [r, &[0; 32]].concat()),
        ("R of no order, S of 0", [&identity[..], &[0; 32]].concat()),
        ("another sign of R", {
            let mut other = signature.clone();
            other[31] ^= 0x80;
            other
        }),
    ];
    let cases = cases.map(|(what, bytes)| (what, with_signature(&neighbour, &bytes), neighbour.clone()));
    are_refused(&function, "signature_invalid", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A4. A published key of small order verifies R of the same order and S of 0 for one message in eight
/// at the least, and the neutral element for every message: it is no key.
#[tokio::test]
async fn a_key_that_verifies_everything_is_not_used() {
    let function = function_with([(Algorithm::EdDSA, "edwards")]).await;
    let key = &function.issuer.keys()[0];
    let identity = [&[1], &[0; 31][..]].concat();
    let mut weak = key.public_jwk();
    (weak["x"], weak["kid"]) = (json!(URL_SAFE_NO_PAD.encode(&identity)), json!("weak"));
    function.issuer.publish(KEYS_PATH, json!({"keys": [weak, key.public_jwk()]}).to_string());
    let claims = function.issuer.claims();
    let mut header = key.header();
    header["kid"] = json!("weak");
    let unsigned = key.sign(&header, &claims).unwrap();
    let attack = with_signature(&unsigned, &[&identity[..], &[0; 32]].concat());
    are_refused(&function, "key_not_found", [("neutral", attack, key.token(&claims).unwrap())]).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A5. CVE-2006-4339: where the public exponent is 3, a cube root makes a signature whose padding looks
/// right at its start. Whoever compares it whole sees what stands behind the hash.
#[tokio::test]
async fn a_cube_root_is_no_signature() {
    let function = function_with([(Algorithm::RS256, "rsa")]).await;
    let key = &function.issuer.keys()[0];
    let mut cube = key.public_jwk();
    (cube["e"], cube["kid"]) = (json!("Aw"), json!("cube"));
    function.issuer.publish(KEYS_PATH, json!({"keys": [cube, key.public_jwk()]}).to_string());
    let claims = function.issuer.claims();
    let mut header = key.header();
    header["kid"] = json!("cube");
    let unsigned = key.sign(&header, &claims).unwrap();
    let [head, payload, _] = parts(&unsigned);

    // RFC 8017, section 9.2, with eight bytes of padding instead of 202.
    let sha_256 = from_hex("3031300d060960864801650304020105000420");
    let hash = digest(&SHA256, format!("{head}.{payload}").as_bytes());
    let start = [&[0, 1], &[0xff; 8][..], &[0], &sha_256, hash.as_ref()].concat();
    let mut highest = start.clone();
    highest.resize(256, 0xff);
    let root = cube_root(&highest);
    assert!(padded(&times(&times(&root, &root), &root)).starts_with(&start), "no lax verifier would take it");

    let attack = with_signature(&unsigned, &padded(&root));
    let neighbour = key.token(&claims).unwrap();
    let mut cases = vec![("a forged padding".to_owned(), attack, neighbour.clone())];
    for number in [0, 1, 2] {
        let mut small = vec![0; 256];
        small[255] = number;
        cases.push((format!("{number}"), with_signature(&unsigned, &small), neighbour.clone()));
    }
    are_refused(&function, "signature_invalid", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// The largest number whose cube is not above this one. Lowest byte first; what is given is highest first.
fn cube_root(number: &[u8]) -> Vec<u8> {
    let mut root = vec![0; number.len() / 3 + 1];
    for bit in (0..root.len() * 8).rev() {
        root[bit / 8] |= 1 << (bit % 8);
        let cube = times(&times(&root, &root), &root);
        let (low, high) = cube.split_at(number.len());
        if high.iter().any(|byte| *byte != 0) || low.iter().rev().gt(number) {
            root[bit / 8] &= !(1 << (bit % 8));
        }
    }
    root
}

/// Lowest byte first.
fn times(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut product = vec![0; first.len() + second.len()];
    for (shift, a) in first.iter().enumerate() {
        let mut carry = 0;
        for (position, b) in second.iter().chain(&[0]).enumerate() {
            let Some(digit) = product.get_mut(shift + position) else { break };
            carry += u32::from(*digit) + u32::from(*a) * u32::from(*b);
            *digit = carry.to_le_bytes()[0];
            carry >>= 8;
        }
    }
    product
}

/// 2048 bits, highest byte first.
fn padded(number: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = number.iter().copied().chain([0; 256]).take(256).collect();
    bytes.reverse();
    bytes
}

/// Rules F1 and A5. CVE-2020-28042: of an empty signature, every byte is the expected one.
#[tokio::test]
async fn an_empty_signature_is_refused() {
    let kids = [(Algorithm::ES256, "ec"), (Algorithm::RS256, "rsa"), (Algorithm::EdDSA, "edwards")];
    let function = function_with(kids).await;
    let claims = function.issuer.claims();
    let (mut empty, mut absent, mut short) = (Vec::new(), Vec::new(), Vec::new());
    for key in function.issuer.keys() {
        let neighbour = key.token(&claims).unwrap();
        let [head, payload, _] = parts(&neighbour);
        empty.push((key.kid().to_owned(), format!("{head}.{payload}."), neighbour.clone()));
        absent.push((key.kid().to_owned(), format!("{head}.{payload}"), neighbour.clone()));
        absent.push((key.kid().to_owned(), format!("{head}.{payload}.="), neighbour.clone()));
        short.push((key.kid().to_owned(), format!("{head}.{payload}.AA"), neighbour));
    }
    are_refused(&function, "token_unsigned", empty).await;
    are_refused(&function, "token_malformed", absent).await;
    are_refused(&function, "signature_invalid", short).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule F2. CVE-2022-25898: a decoder that skips what is no base64url gives one signature many spellings,
/// and with them a token that was withdrawn another name.
#[tokio::test]
async fn a_signature_has_one_spelling() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    // Of the standard alphabet's two letters at least one must be in it, to be spelled otherwise.
    let neighbour = loop {
        let token = function.issuer.mint(&json!({})).unwrap();
        if parts(&token)[2].contains(['-', '_']) {
            break token;
        }
    };
    let [head, payload, signature] = parts(&neighbour);
    let (start, end) = signature.split_at(10);
    let malformed = [
        ("the standard alphabet", STANDARD_NO_PAD.encode(signature_of(&neighbour))),
        ("padding", format!("{signature}==")),
        ("spare bits", with_spare_bits(signature)),
        ("an escape", format!("{start}%41{end}")),
        ("a letter of no alphabet", format!("{start}é{end}")),
        ("an exclamation mark", format!("{start}!{end}")),
        ("a number sign", format!("{signature}#")),
        ("a NUL", format!("{start}\0{end}")),
        ("a NUL at the end", format!("{signature}\0")),
        ("a zero-width space", format!("{start}\u{200b}{end}")),
        ("a byte order mark", format!("{signature}\u{feff}")),
    ];
    let token = |(what, signature)| (what, format!("{head}.{payload}.{signature}"), neighbour.clone());
    are_refused(&function, "token_malformed", malformed.map(token)).await;
    let with_spaces = [
        ("a space", format!("{start} {end}")),
        ("a line feed", format!("{start}\n{end}")),
        ("a tabulator", format!("{start}\t{end}")),
        ("a space of another kind", format!("{start}\u{a0}{end}")),
    ];
    are_refused(&function, "credential_malformed", with_spaces.map(token)).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rule A6. The signature of one token does not vouch for another, however alike: GHSA-rp9m-7r4c-75qg
/// remembered the first under a name that the second had, too.
#[tokio::test]
async fn a_signature_is_not_good_for_another_token() {
    let function = function_with([(Algorithm::ES256, "key")]).await;
    let issuer = &function.issuer;
    let claims = issuer.claims();
    let neighbour = issuer.keys()[0].token(&claims).unwrap();
    let [head, payload, signature] = parts(&neighbour);
    let other = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let promoted = payload_with(issuer, "sub", r#""admin""#);
    let spaced = claims.to_string().replacen(':', ": ", 1);
    let widened = payload_with(issuer, "scope", r#""orders:read orders:write""#);
    for payload in [&promoted, &spaced, &widened] {
        let whole = with_payload(issuer, payload);
        function.ask(&event(crate::support::KINDS[1], &whole)).await.is_allowed("signed properly");
    }
    let reordered = json!({"typ": "JWT", "kid": "key", "alg": "ES256"}).to_string().replace(',', ", ");
    let cases = [
        ("another subject", format!("{head}.{}.{signature}", other(&promoted))),
        ("more scopes", format!("{head}.{}.{signature}", other(&widened))),
        ("a space more", format!("{head}.{}.{signature}", other(&spaced))),
        ("a header with spaces", format!("{}.{payload}.{signature}", other(&reordered))),
        ("the signature of the claims alone", {
            let alone = issuer.keys()[0].signature(payload.as_bytes()).unwrap();
            with_signature(&neighbour, &alone)
        }),
        ("the signature of what is encoded", {
            let decoded = format!("{}{claims}", issuer.keys()[0].header());
            with_signature(&neighbour, &issuer.keys()[0].signature(decoded.as_bytes()).unwrap())
        }),
        ("a signature that moved a dot", {
            let all = signed(&issuer.keys()[0], &format!("{head}{payload}"), payload);
            format!("{head}.{payload}.{}", parts(&all)[2])
        }),
    ];
    let cases = cases.map(|(what, attack)| (what, attack, neighbour.clone()));
    are_refused(&function, "signature_invalid", cases).await;
    function.ends_without_a_trace_of_tokens().await;
}

/// Rules A5 and Z8. CVE-2020-15240: a token that anybody signed, under the ID of a key that is known.
/// CVE-2019-7644: the refusal tells the forger nothing, least of all the signature that would have done.
#[tokio::test]
async fn the_forger_of_a_signature_learns_nothing() {
    let settings = Settings { sections: "[response]\nrefusal = 'unauthorized'", ..Settings::default() };
    let function = Function::start(settings).await;
    function.issuer.replace_keys([SigningKey::generate(Algorithm::EdDSA, "key").unwrap()]);
    let key = &function.issuer.keys()[0];
    let forger = SigningKey::generate(Algorithm::EdDSA, "key").unwrap();
    let claims: Value = function.issuer.claims();
    let kind = crate::support::KINDS[1];
    let forged = function.ask(&event(kind, &forger.token(&claims).unwrap())).await;
    forged.is_unauthorized("signature_invalid", "another key");
    // Ed25519 has one signature for each message: this is the one, and the log is searched for it.
    function.ask(&event(kind, &key.token(&claims).unwrap())).await.is_allowed("the issuer's key");
    function.ends_without_a_trace_of_tokens().await;
}
