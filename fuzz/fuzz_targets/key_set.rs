//! Any bytes as a key set: the keys that can be used are those that a search finds, whatever else the set
//! holds, and none of them vouches for a signature that nobody had to have a private key for.

#![no_main]

use lambda_authorizer::jwks::{Algorithm, Key, KeySearch, KeySet, KeySetError, KeySetFile};
use lambda_authorizer_fuzz::{ISSUER, JWK, TOKEN, expected, verify, without_a_key};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let members = expected::members(bytes);
    match KeySet::parse(bytes) {
        Err(KeySetError::NotAKeySet) => assert!(members.is_none()),
        Err(KeySetError::TooManyKeys) => assert!(members.is_some_and(|members| members.len() > 100)),
        Err(KeySetError::NoUsableKey { count, .. }) => {
            let members = members.expect("an array of keys");
            assert_eq!(members.len(), count);
            assert!(members.iter().all(|member| Key::parse(member).is_err()));
        }
        Ok(set) => {
            let members = members.expect("an array of keys");
            let keys: Vec<Key> = members.iter().filter_map(|member| Key::parse(member).ok()).collect();
            assert_eq!(keys.len() + set.unusable().len(), members.len());
            keys.iter().for_each(|key| is_found(key, &set));
            // What was fetched is the same from a file of the package.
            let text = KeySetFile::text(ISSUER, 1_800_000_000, bytes).expect("a key set");
            let file = KeySetFile::parse(text.as_bytes(), ISSUER).expect("the file of this issuer");
            assert_eq!(file.keys.unusable(), set.unusable());
            assert!(file.keys.keys().iter().zip(&keys).all(|(one, other)| one.is_same_key(other)));
            assert_eq!(file.keys.keys().len(), keys.len());
            for forged in keys.iter().take(4).flat_map(without_a_key) {
                assert!(verify(&forged, &set).is_err(), "forged: {forged}");
            }
        }
    }
    // Rule K4: a good key is found beside whatever members, unless one of them claims its ID.
    if let Some(mut members) = expected::items(bytes).filter(|members| members.len() < 100) {
        let good = Key::parse(&JWK).expect("a key");
        let claims_its_id = |key: Key| key.id() == good.id() && !key.is_same_key(&good);
        if !members.iter().filter_map(|member| Key::parse(member).ok()).any(claims_its_id) {
            members.push(JWK.clone());
            let document = format!(r#"{{"keys":[{}]}}"#, members.join(","));
            let set = KeySet::parse(document.as_bytes()).expect("it has a good key");
            assert_eq!(verify(&TOKEN, &set).map(drop), Ok(()));
        }
    }
});

/// By its ID and without one, with every algorithm that it fits and no other, this key or several.
fn is_found(key: &Key, set: &KeySet) {
    assert!(set.has(key.id()) && Algorithm::ALL.iter().any(|algorithm| key.fits(*algorithm)));
    for algorithm in Algorithm::ALL {
        match set.find(key.id(), algorithm) {
            KeySearch::Found(found) => {
                assert!(found.fits(algorithm) && key.id().is_none_or(|id| found.id() == Some(id)));
                assert!(!key.fits(algorithm) || found.is_same_key(key));
            }
            KeySearch::Ambiguous => {}
            KeySearch::NotFound | KeySearch::Mismatch => assert!(!key.fits(algorithm)),
        }
    }
}
