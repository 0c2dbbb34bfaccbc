//! Any bytes as the claims of a DPoP proof whose signature holds: taken exactly when they say once, and in so many
//! words, what a proof of this request has to say.

#![no_main]

use lambda_authorizer_fuzz::{expected, possession};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: check_seed(), |claims: &[u8]| {
    let proof = possession::proof(claims);
    let refusal = possession::refusal(&proof);
    let expected = proof.len() <= 8 * 1024 && expected::proof(claims, &possession::ATH);
    assert_eq!(refusal.is_none(), expected, "{refusal:?}");
});

/// Far from a proof that is taken, nothing of interest would be found.
fn check_seed() {
    let seeds = include_str!("../seeds/dpop.txt");
    let is_taken = |seed: &str| possession::refusal(&possession::proof(seed.as_bytes())).is_none();
    assert!(seeds.lines().any(is_taken), "seeds/dpop.txt has no proof with the `ath` {}", *possession::ATH);
}
