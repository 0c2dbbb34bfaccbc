//! Any bytes as a SAML assertion, and as metadata: nothing is accepted but what the provider signed, and of that everything.

#![no_main]

use lambda_authorizer::verify::read_metadata;
use lambda_authorizer_fuzz::NOW;
use lambda_authorizer_fuzz::assertions::{CLAIMS, ENTITY, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| {
    if let Some(claims) = verify(document) {
        assert_eq!(claims, *CLAIMS);
    }
    if let Ok(read) = read_metadata(document, ENTITY, NOW) {
        assert!(!read.keys.keys().is_empty() && read.valid_until.is_none_or(|end| end > NOW));
    }
});
