//! What holds of every token: a change of any kind refuses it.

use lambda_authorizer::jwks::Algorithm;
use lambda_authorizer::verify::{AudienceCheck, Expectations, Profile, verify};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use crate::{KEY_SET, NOW, decode, encode, key, parts, verdict, with};

pub(crate) const ISSUER: &str = "https://a.example/";

fn expectations() -> Expectations {
    Expectations::new(Profile::AccessToken, ISSUER, AudienceCheck::OneOf(vec!["api".into()]))
}

/// As short as they come: what is done to every bit of a token is done often.
fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "api", "sub": "é/~~~???", "exp": 1_800_000_300})
}

fn token(algorithm: Algorithm) -> String {
    let token = key(algorithm).token(&claims()).unwrap();
    assert_eq!(verdict(&token, &KEY_SET, &expectations(), NOW), "allowed");
    token
}

fn is_refused(token: &str, what: &dyn std::fmt::Display) {
    let verified = verify(token, &KEY_SET, &expectations(), NOW);
    assert!(verified.is_err(), "{what}: {token}");
}

/// Refused for its form, before any key is looked for.
fn is_malformed(token: &str, what: &dyn std::fmt::Display) {
    assert_eq!(verdict(token, &KEY_SET, &expectations(), NOW), "token_malformed", "{what}: {token}");
}

/// The algorithms that are fast enough for every bit, and how many bits are left out of the others' tokens.
fn strides() -> impl Iterator<Item = (Algorithm, usize)> {
    use Algorithm::{ES256, Ed25519, RS256};
    let stride = |algorithm| if [ES256, Ed25519, RS256].contains(&algorithm) { 1 } else { 23 };
    Algorithm::ALL.into_iter().map(move |algorithm| (algorithm, stride(algorithm)))
}

/// Rule A6.
#[test]
fn no_bit_of_a_token_can_be_changed() {
    for (algorithm, stride) in strides() {
        let token = token(algorithm);
        for bit in (0..token.len() * 8).step_by(stride) {
            let mut bytes = token.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            // Without its first bit, no byte of a token is a text: nothing that is would be asked about.
            match String::from_utf8(bytes) {
                Ok(changed) => is_refused(&changed, &format!("{algorithm:?}, bit {bit}")),
                Err(_) => assert_eq!(bit % 8, 7),
            }
        }
    }
}

/// Rules A5 and A6: the same behind the encoding, which no change of a letter reaches bit by bit.
#[test]
fn no_bit_of_what_is_signed_can_be_changed() {
    for (algorithm, stride) in strides() {
        let token = token(algorithm);
        for (position, part) in parts(&token).into_iter().enumerate() {
            let decoded = decode(part);
            for bit in (0..decoded.len() * 8).step_by(stride) {
                let mut bytes = decoded.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let mut parts = parts(&token).map(str::to_owned);
                parts[position] = encode(bytes);
                is_refused(&parts.join("."), &format!("{algorithm:?}, part {position}, bit {bit}"));
            }
        }
    }
}

/// Rule F2: a token has one spelling.
#[test]
fn no_letter_can_be_added_left_out_or_written_otherwise() {
    let good = token(Algorithm::Ed25519);
    let letters = [
        "A", "=", "==", ".", " ", "\n", "\r\n", "\t", "\0", "\u{b}", "\u{7f}", "\u{a0}", "\u{200b}",
        "\u{feff}", "é", "%20", "%00", "\\", "\"", "'", ",", ";", "+", "/", "\u{ff0e}",
    ];
    for position in 0..=good.len() {
        let (before, after) = good.split_at(position);
        for letter in letters {
            is_refused(&format!("{before}{letter}{after}"), &format!("{letter:?} at {position}"));
        }
        let mut rest = after.chars();
        if let Some(left_out) = rest.next() {
            let rest = rest.as_str();
            is_refused(&format!("{before}{rest}"), &format!("without {position}"));
            is_refused(&format!("{before}{left_out}{after}"), &format!("{position} twice"));
            is_refused(&format!("{before}%{:02X}{rest}", u32::from(left_out)), &"percent-encoded");
            is_refused(&format!("{before}\\u{:04x}{rest}", u32::from(left_out)), &"escaped");
            is_refused(&format!("{before}{}{rest}", swapped_case(left_out)), &"the other case");
        }
        // Truncated, from either end.
        if position < good.len() {
            is_refused(before, &"the end is missing");
        }
        if position > 0 {
            is_refused(after, &"the start is missing");
        }
    }
}

/// Another letter, where the letter has no case.
fn swapped_case(letter: char) -> char {
    match letter {
        'a'..='z' => letter.to_ascii_uppercase(),
        'A'..='Z' => letter.to_ascii_lowercase(),
        _ => '!',
    }
}

/// Rule F2 for every algorithm, whose signatures are of several lengths: padding, the standard alphabet, and
/// bits that no byte is made of.
#[test]
fn each_part_has_one_encoding() {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for algorithm in Algorithm::ALL {
        let (mut odd_ends, mut other_alphabet) = (0, 0);
        let token = token(algorithm);
        for position in 0..3 {
            let replaced = |part: String| {
                let mut parts = parts(&token).map(str::to_owned);
                parts[position] = part;
                parts.join(".")
            };
            let part = parts(&token)[position];
            for padding in ["=", "==", "===", "===="] {
                is_malformed(&replaced(format!("{part}{padding}")), &"padded");
                is_malformed(&replaced(format!("{padding}{part}")), &"padded in front");
            }
            let standard = part.replace('-', "+").replace('_', "/");
            if standard != part {
                is_malformed(&replaced(standard), &"the standard alphabet");
                other_alphabet += 1;
            }
            let (rest, last) = part.split_at(part.len() - 1);
            let spare_bits = [0, 0, 4, 2][part.len() % 4];
            let last = ALPHABET.find(last).unwrap();
            assert_eq!(last % (1 << spare_bits), 0, "our own encoder is canonical");
            for spare in 1..1 << spare_bits {
                let end = ALPHABET.chars().nth(last + spare).unwrap();
                is_malformed(&replaced(format!("{rest}{end}")), &"spare bits");
                odd_ends += 1;
            }
            // The decoded bytes, in other alphabets.
            let bytes = decode(part);
            is_refused(&replaced(bytes.iter().map(|byte| format!("{byte:02x}")).collect()), &"hexadecimal");
            is_refused(&replaced(String::from_utf8_lossy(&bytes).into_owned()), &"not encoded");
            is_refused(&replaced(encode(part)), &"encoded twice");
            is_refused(&replaced(String::new()), &"empty");
        }
        assert!(odd_ends > 0, "{algorithm:?}");
        // Of three `~`, and of three `?`, one is written as `-`, or `_`.
        assert!(other_alphabet > 0, "{algorithm:?}");
    }
}

/// Rule A6: what the JSON means is not what was signed, its letters are.
#[test]
fn json_cannot_be_written_otherwise() {
    for algorithm in [Algorithm::Ed25519, Algorithm::ES256, Algorithm::RS256] {
        let token = token(algorithm);
        let [header, payload, signature] = parts(&token);
        for position in 0..2 {
            let text = String::from_utf8(decode([header, payload][position])).unwrap();
            let value: Value = serde_json::from_str(&text).unwrap();
            let members: Vec<_> = value.as_object().unwrap().iter().collect();
            let written = |members: &[(&String, &Value)]| {
                let written = members.iter().map(|(name, value)| format!("{}:{value}", json!(name)));
                format!("{{{}}}", written.collect::<Vec<_>>().join(","))
            };
            assert_eq!(written(&members), text);
            let reversed: Vec<_> = members.iter().rev().copied().collect();
            let mut spellings = vec![
                serde_json::to_string_pretty(&value).unwrap(),
                format!(" {text}"),
                format!("{text}\n"),
                format!("{text}\0"),
                format!("\u{feff}{text}"),
                format!("{text}{text}"),
                format!("[{text}]"),
                text.replace(':', ": "),
                text.replace(',', ",\r\n "),
                text.replace('/', "\\/").replace("typ", "\\u0074yp"),
                written(&reversed),
                text.replacen('{', "{\"x\":1,", 1),
                text.replacen('}', ",\"x\":1}", 1),
                text.replace("1800000300", "1800000300.0").replace("JWT", "jwt"),
                text.replace("1800000300", "18000003e2").replace("JWT", "at+jwt"),
                text.replace("\"api\"", "[\"api\"]").replace("JWT", "application/JWT"),
            ];
            // Each letter of each text, escaped.
            for (start, letter) in text.char_indices().filter(|(_, letter)| letter.is_alphanumeric()) {
                let (before, after) = text.split_at(start);
                let after = after.strip_prefix(letter).unwrap();
                spellings.push(format!("{before}\\u{:04x}{after}", u32::from(letter)));
            }
            for spelling in spellings {
                assert_ne!(spelling, text);
                let mut parts = [header, payload, signature].map(str::to_owned);
                parts[position] = encode(&spelling);
                is_refused(&parts.join("."), &spelling);
            }
        }
    }
}

#[test]
fn tokens_cannot_be_put_together() {
    let [first, second, third] = [
        token(Algorithm::Ed25519),
        key(Algorithm::Ed25519).token(&with(&claims(), &json!({"sub": "root"}))).unwrap(),
        token(Algorithm::ES256),
    ];
    let originals = [&first, &second, &third];
    let (mut combinations, mut allowed) = (0, 0);
    for header in originals.map(|token| parts(token)[0]) {
        for payload in originals.map(|token| parts(token)[1]) {
            for signature in originals.map(|token| parts(token)[2]) {
                let token = format!("{header}.{payload}.{signature}");
                let is_original = originals.contains(&&token);
                let is_allowed = verify(&token, &KEY_SET, &expectations(), NOW).is_ok();
                assert_eq!(is_allowed, is_original, "{token}");
                combinations += 1;
                allowed += u32::from(is_allowed);
            }
        }
    }
    // Two of the headers are one, and two of the payloads.
    assert_eq!((combinations, allowed), (27, 4 + 2 + 2));
    for between in ["", ".", "..", ",", ", ", " ", "\n", "\0", "&", ";", "=", "|"] {
        for (one, other) in [(&first, &first), (&first, &second), (&second, &third)] {
            is_refused(&format!("{one}{between}{other}"), &between);
            if !between.is_empty() {
                is_refused(&format!("{between}{one}{between}"), &"around");
            }
        }
    }
    for around in
        [("Bearer ", ""), ("bearer ", ""), ("\"", "\""), ("(", ")"), ("access_token=", ""), ("", "?x=1")]
    {
        is_refused(&format!("{}{first}{}", around.0, around.1), &"wrapped");
    }
}

/// How many cases of each property: about as many as run in a second.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Text that gets further and further: any, three parts, JSON in the parts, a header that is one.
fn text() -> impl Strategy<Value = String> {
    let json = prop_oneof![
        Just(json!({"alg": "EdDSA", "kid": "EdDSA"}).to_string()),
        Just(claims().to_string()),
        any_json().prop_map(|value| value.to_string()),
        "\\PC{0,40}",
    ];
    let encoded = json.prop_map(encode);
    let part = prop_oneof![encoded, "[A-Za-z0-9_-]{0,90}", "\\PC{0,10}"];
    prop_oneof![
        1 => any::<String>(),
        1 => "[A-Za-z0-9._=-]{0,200}",
        4 => prop::collection::vec(part, 3).prop_map(|parts| parts.join(".")),
        1 => prop::collection::vec("[A-Za-z0-9_-]{0,90}", 0..7).prop_map(|parts| parts.join(".")),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // What every reader reads alike: the last digit of other fractions is not worth a test.
        any::<i32>().prop_map(|number| json!(f64::from(number) / 8.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let name = prop_oneof!["[a-z_]{1,8}", any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(config(3000))]

    #[test]
    fn nobodys_text_verifies(text in text()) {
        prop_assert!(verify(&text, &KEY_SET, &expectations(), NOW).is_err());
    }
}

proptest! {
    #![proptest_config(config(500))]

    /// What nobody asks about does not matter, and comes out as it went in.
    #[test]
    fn other_claims_do_not_matter(name in "[a-z]{1,6}_", value in any_json()) {
        let mut claims = claims();
        claims[&name] = value;
        let token = key(Algorithm::Ed25519).token(&claims).unwrap();
        let principal = verify(&token, &KEY_SET, &expectations(), NOW);
        let principal = principal.map_err(|rejection| TestCaseError::fail(rejection.to_string()))?;
        prop_assert_eq!(principal.claims().named(&name), Some(&claims[&name]));
        prop_assert_eq!(principal.key_id(), Some("Ed25519"));
    }
}
