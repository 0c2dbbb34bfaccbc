//! Any text as an API key: one has a single form, of which no letter can be another, and what begins like a key is meant
//! as one.

#![no_main]

use lambda_authorizer::verify::ApiKey;
use libfuzzer_sys::fuzz_target;

const PREFIX: &str = "orders";

fuzz_target!(init: check_seed(), |bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(ApiKey::is_meant(&text, PREFIX), text.starts_with("orders_"));
    if let Some(key) = ApiKey::parse(&text, PREFIX) {
        let (id, secret) = ApiKey::LENGTHS;
        assert_eq!((key.id().len(), text.len()), (id, "orders_".len() + id + "_".len() + secret + CHECKSUM));
        let secret = &text["orders_".len() + id + 1..][..secret];
        assert_eq!(ApiKey::assemble(PREFIX, key.id(), secret).as_deref(), Some(&*text));
    }
    // Behind the checksum, where the fuzzer would not come by itself.
    let (id, secret) = text.split_once('_').unwrap_or((&text, ""));
    if let Some(made) = ApiKey::assemble(PREFIX, id, secret) {
        let key = ApiKey::parse(&made, PREFIX).expect("a key that was made");
        assert_eq!(key.id(), id);
        for place in 0..made.len() {
            let letter = if made.as_bytes()[place] == b'A' { "B" } else { "A" };
            let changed = [&made[..place], letter, &made[place + 1..]].concat();
            assert!(ApiKey::parse(&changed, PREFIX).is_none(), "{changed}");
        }
    }
});

const CHECKSUM: usize = 6;

/// Far from a key, nothing of interest would be found.
fn check_seed() {
    let seeds = include_str!("../seeds/api_key.txt");
    assert!(seeds.lines().any(|seed| ApiKey::parse(seed, PREFIX).is_some()), "seeds/api_key.txt has no key");
}
