//! Any bytes as the claims of a token whose signature holds: accepted exactly when they say once, and in
//! so many words, what claims have to say; and then the principal has these claims and no others.

#![no_main]

use lambda_authorizer::verify::Profile;
use lambda_authorizer_fuzz::{HEADER, KEYS, expected, json, sign, verify, verify_as};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|claims: &[u8]| {
    let token = sign(HEADER.as_bytes(), claims);
    let verified = verify(&token, &KEYS);
    let expected = expected::size(&token) && expected::claims(claims);
    assert_eq!(verified.is_ok(), expected, "{:?}", verified.err());
    if let Ok(principal) = verified {
        let members = json::object(claims, usize::MAX).expect("it was one just now");
        assert!(members.iter().all(|(name, value)| principal.claims().named(name) == Some(value)));
    }
    // One of the others, by something that the fuzzer chooses.
    let profile = Profile::ALL[claims.len() % Profile::ALL.len()];
    let audience = if profile == Profile::CognitoAccess { "client_id" } else { "aud" };
    if verify_as(profile, &token, &KEYS).is_ok() {
        assert!(expected::whoever_sends_them(claims, audience), "{profile:?}");
    }
});
