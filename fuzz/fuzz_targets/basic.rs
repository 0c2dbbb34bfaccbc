//! Any text as what stands behind `Basic`: taken exactly when it is the one spelling of a name, a colon and a password.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_authorizer::credential::UserPass;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    check(&String::from_utf8_lossy(bytes));
    // Behind the encoding, where the fuzzer would not come by itself.
    check(&STANDARD.encode(bytes));
});

fn check(text: &str) {
    match (UserPass::decode(text).ok(), expected(text)) {
        (Some(found), Some((user, password))) => {
            assert_eq!((found.user, found.password), (user, password));
        }
        (None, None) => {}
        (found, expected) => panic!("{} where {} is right", found.is_some(), expected.is_some()),
    }
}

/// RFC 7617, section 2, and RFC 4648, section 3.5: no other text says the same.
fn expected(text: &str) -> Option<(String, String)> {
    let bytes = STANDARD.decode(text).ok()?;
    if STANDARD.encode(&bytes) != text {
        return None;
    }
    let pair = String::from_utf8(bytes).ok()?;
    let colon = pair.find(':')?;
    let is_plain = pair.chars().all(|letter| !letter.is_control());
    is_plain.then(|| (pair[..colon].to_owned(), pair[colon + 1..].to_owned()))
}
