//! Any bytes as the header of a token whose signature holds: accepted exactly when they say once, and in
//! so many words, what a header has to say.

#![no_main]

use lambda_authorizer_fuzz::{CLAIMS, KEYS, expected, sign, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &[u8]| {
    let token = sign(header, CLAIMS.as_bytes());
    let verified = verify(&token, &KEYS);
    let expected = expected::size(&token) && expected::header(header);
    assert_eq!(verified.is_ok(), expected, "{:?}", verified.err());
});
