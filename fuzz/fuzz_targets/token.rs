//! Any text as a token: nothing is accepted but what the issuer signed, to the last byte.

#![no_main]

use lambda_authorizer_fuzz::{KEYS, TOKEN, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: check_seed(), |bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if verify(&text, &KEYS).is_ok() {
        assert_eq!(text, *TOKEN);
    }
});

/// Far from an accepted token, nothing of interest would be found.
fn check_seed() {
    let seeds = include_str!("../seeds/token.txt");
    assert!(seeds.lines().any(|seed| seed == *TOKEN), "seeds/token.txt lacks {}", *TOKEN);
    assert_eq!(verify(&TOKEN, &KEYS).map(drop), Ok(()));
}
