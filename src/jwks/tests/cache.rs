//! The cache over time.

use std::sync::Arc;

use super::super::*;
use super::ISSUER;
use super::harness::{Behaviour, EXPIRED, Found, STALE, Setting, TIMING, TOO_OLD, key_set};
use crate::io::FetchError;

/// Rule K8: a key that was removed is gone with the lifetime, without anybody's waiting before.
#[tokio::test]
async fn a_key_set_is_fetched_ahead_of_its_end() {
    let setting = Setting::new();
    setting.serves(&["a"]);
    for time in [0.0, 1.0, STALE - 1.0] {
        setting.at(time);
        assert_eq!(setting.finds("a").await, Found::Key);
    }
    assert_eq!(setting.asked(), 1);
    setting.serves(&["b"]);
    setting.at(STALE);
    assert_eq!(setting.finds("a").await, Found::Key, "the answer does not wait");
    setting.settles().await;
    assert_eq!(setting.asked(), 2);
    assert_eq!(setting.finds("a").await, Found::NoKey, "fetched behind the answer");
    assert_eq!(setting.finds("b").await, Found::Key);
    assert_eq!(setting.diary(), ["fetched", "fetched"]);
}

/// Rule K8: an hour without requests is no hour more for a removed key.
#[tokio::test]
async fn a_removed_key_is_gone_with_the_lifetime() {
    let setting = Setting::new();
    setting.serves(&["a"]);
    assert_eq!(setting.finds("a").await, Found::Key);
    setting.serves(&["b"]);
    setting.at(EXPIRED);
    assert_eq!(setting.finds("a").await, Found::NoKey);
    assert_eq!(setting.asked(), 2);
}

/// Rule K8: what the issuer says counts within the bounds.
#[tokio::test]
async fn the_lifetime_is_the_issuers_within_bounds() {
    for (fresh_for, lifetime) in [
        (None, 600.0),
        (Some(0.0), 300.0),
        (Some(15.0), 300.0),
        (Some(400.0), 400.0),
        (Some(86_400.0), 600.0),
    ] {
        let setting = Setting::new();
        setting.serves_for(fresh_for, &["a"]);
        assert_eq!(setting.finds("a").await, Found::Key);
        setting.serves(&["b"]);
        setting.at(lifetime * 0.7 - 1.0);
        assert_eq!(setting.finds("a").await, Found::Key);
        assert_eq!(setting.asked(), 1, "{fresh_for:?}: too soon");
        setting.at(lifetime);
        assert_eq!(setting.finds("a").await, Found::NoKey, "{fresh_for:?}: too late");
    }
}

/// Rules K5 and K7: counted on time alone, and a real rotation heals within the cool-down.
#[tokio::test]
async fn unknown_keys_cost_one_fetch_in_a_cool_down() {
    let setting = Setting::new();
    setting.serves(&["a"]);
    assert_eq!(setting.finds("a").await, Found::Key);
    for number in 0..100 {
        assert_eq!(setting.finds(&format!("unknown-{number}")).await, Found::NoKey);
    }
    assert_eq!(setting.asked(), 1, "the key set was just fetched");
    setting.at(10.0);
    setting.serves(&["a", "b"]);
    assert_eq!(setting.finds("unknown").await, Found::NoKey);
    assert_eq!(setting.finds("b").await, Found::Key, "found by what the unknown key asked for");
    assert_eq!(setting.asked(), 2);
}

/// Rules K5 and K9: a cool-down is one after a failure, too, and a token of an unknown key then a fault.
#[tokio::test]
async fn unknown_keys_in_an_outage_cost_one_fetch_in_a_cool_down() {
    let setting = Setting::new();
    setting.serves(&["a"]);
    assert_eq!(setting.finds("a").await, Found::Key);
    for second in 10..1010 {
        setting.at(f64::from(second) * 0.1 + 10.0);
        assert_eq!(setting.finds("unknown").await, Found::Fault);
        assert_eq!(setting.finds("a").await, Found::Key);
    }
    assert_eq!(setting.asked(), 1 + 10, "in a hundred seconds");
}

/// Rules K8 and K9: an outage is no refusal, known keys work on, and not for ever.
#[tokio::test]
async fn an_outage_is_a_fault_and_known_keys_work_on() {
    let setting = Setting::new();
    assert_eq!(setting.finds("a").await, Found::Fault, "nothing was ever fetched");
    assert_eq!(setting.finds("a").await, Found::Fault);
    assert_eq!(setting.asked(), 1, "a pause after the failure");
    setting.at(1.0);
    assert_eq!(setting.finds("a").await, Found::Fault);
    assert_eq!(setting.asked(), 2, "which is short");
    setting.at(10.0);
    setting.serves(&["a"]);
    assert_eq!(setting.finds("a").await, Found::Key);
    let fetched_at = 10.0;
    setting.at(fetched_at + EXPIRED);
    assert_eq!(setting.finds("a").await, Found::Key, "the issuer is down");
    assert_eq!(setting.finds("b").await, Found::Fault, "nobody can say whether there is a key b");
    setting.at(fetched_at + TOO_OLD - 1.0);
    assert_eq!(setting.finds("a").await, Found::Key);
    setting.settles().await;
    setting.at(fetched_at + TOO_OLD);
    assert_eq!(setting.finds("a").await, Found::Fault, "too old to be trusted");
    setting.serves(&["a"]);
    setting.at(fetched_at + TOO_OLD + 10.0);
    assert_eq!(setting.finds("a").await, Found::Key, "an issuer that is back is noticed in seconds");
    let last = setting.diary().split_off(setting.diary().len() - 2);
    assert_eq!(last, ["failed, served", "fetched"]);
}

/// Rule K8: a failure excuses nobody from asking for long.
#[tokio::test]
async fn an_old_failure_is_no_outage() {
    for (seconds, found) in [(119.0, Found::Key), (120.0, Found::NoKey)] {
        let setting = Setting::new();
        setting.serves(&["a"]);
        assert_eq!(setting.finds("a").await, Found::Key);
        setting.at(EXPIRED);
        assert_eq!(setting.finds("b").await, Found::Fault, "the issuer is down");
        setting.serves(&["b"]);
        setting.at(EXPIRED + seconds);
        assert_eq!(setting.finds("a").await, found, "{seconds}");
    }
}

/// Rule K9: the pauses grow, and an hour's outage does not.
#[tokio::test]
async fn an_issuer_that_fails_is_asked_less_and_less() {
    let setting = Setting::new();
    setting.serves(&["a"]);
    assert_eq!(setting.finds("a").await, Found::Key);
    let mut asked_at = Vec::new();
    for second in 0..3000 {
        let asked = setting.asked();
        setting.at(STALE + f64::from(second));
        assert_eq!(setting.finds("a").await, Found::Key, "{second}");
        setting.settles().await;
        if setting.asked() > asked {
            asked_at.push(second);
        }
    }
    // Three quarters of 1, 2, 4, … 32, 60 seconds, in whole seconds.
    assert_eq!(asked_at[..9], [0, 1, 3, 6, 12, 24, 48, 93, 138]);
    assert_eq!(asked_at.len(), 8 + (3000 - 93) / 45);
}

/// A 429 with `Retry-After` is heeded, and not for ever.
#[tokio::test]
async fn the_issuers_wish_to_be_left_alone_is_heeded() {
    let too_many = |wish| Behaviour::Fails(FetchError::Status { status: 429, retry_after: Some(wish) });
    for (wish, pause) in [(20.0, 25.0), (86_400.0, 75.0)] {
        let setting = Setting::new();
        setting.serves(&["a"]);
        assert_eq!(setting.finds("a").await, Found::Key);
        setting.does(too_many(wish));
        for (time, asked) in [(0.0, 2), (pause - 1.0, 2), (pause, 3)] {
            setting.at(STALE + time);
            assert_eq!(setting.finds("a").await, Found::Key);
            setting.settles().await;
            assert_eq!(setting.asked(), asked, "{wish}, after {time}");
        }
    }
    // Where requests fail meanwhile, a cool-down and what chance adds: whoever provokes a 429 must not be able
    // to shut everybody out, nor make all come back at once.
    for (wish, pause) in [(4.0, 5.0), (86_400.0, 12.5)] {
        let setting = Setting::new();
        setting.does(too_many(wish));
        assert_eq!(setting.finds("a").await, Found::Fault);
        setting.serves(&["a"]);
        setting.at(pause - 1.0);
        assert_eq!(setting.finds("a").await, Found::Fault);
        setting.at(pause);
        assert_eq!(setting.finds("a").await, Found::Key, "{wish}");
    }
}

/// Rule K9: a second try heals what was nobody's fault, and is one more burden for an issuer that is down.
#[tokio::test]
async fn an_issuer_that_fails_already_is_not_asked_twice_at_once() {
    let setting = Setting::new();
    for time in [0.0, 10.0, 20.0] {
        setting.at(time);
        assert_eq!(setting.finds("a").await, Found::Fault);
    }
    setting.serves(&["a"]);
    setting.at(30.0);
    assert_eq!(setting.finds("a").await, Found::Key);
    setting.at(40.0);
    assert_eq!(setting.finds("b").await, Found::Fault);
    assert_eq!(setting.tries_again(), [true, false, false, false, true]);
}

/// Rule K4: what is no key set does not replace one.
#[tokio::test]
async fn a_bad_answer_does_not_replace_a_good_key_set() {
    let setting = Setting::new();
    setting.serves(&["a"]);
    assert_eq!(setting.finds("a").await, Found::Key);
    setting.at(20.0);
    setting.serves(&[]);
    assert_eq!(setting.finds("b").await, Found::Fault);
    assert_eq!(setting.finds("a").await, Found::Key);
}

/// Rule K11.
#[tokio::test]
async fn simultaneous_requests_share_one_fetch() {
    let setting = Setting::new();
    setting.serves(&["a"]);
    let (one, two, three) = tokio::join!(setting.finds("a"), setting.finds("a"), setting.finds("b"));
    assert_eq!((one, two, three), (Found::Key, Found::Key, Found::NoKey));
    assert_eq!(setting.asked(), 1);
}

/// Rule K10: a clock that was set back does not make keys live longer.
#[tokio::test]
async fn a_clock_that_was_set_back_counts_as_time_passed() {
    let setting = Setting::new();
    setting.at(100_000.0);
    setting.serves(&["a"]);
    assert_eq!(setting.finds("a").await, Found::Key);
    setting.at(50_000.0);
    setting.serves(&["b"]);
    assert_eq!(setting.finds("b").await, Found::Key);
    // Little enough to look like youth.
    setting.at(49_900.0);
    setting.serves(&["c"]);
    assert_eq!(setting.finds("b").await, Found::NoKey);
    setting.at(49_899.5);
    assert_eq!(setting.finds("c").await, Found::Key, "the clock is being adjusted");
    assert_eq!(setting.asked(), 3);
}

/// Rule K10: by less than the keys are old, too; and once it has caught up they are no younger.
#[tokio::test]
async fn a_clock_that_was_set_back_a_little_counts_as_time_passed() {
    let setting = Setting::new();
    setting.at(100_000.0);
    setting.serves(&["a"]);
    assert_eq!(setting.finds("a").await, Found::Key);
    setting.at(100_400.0);
    assert_eq!(setting.finds("a").await, Found::Key);
    setting.at(100_100.0);
    assert_eq!(setting.finds("a").await, Found::Key, "the issuer is down");
    assert_eq!(setting.asked(), 2, "it was asked");
    setting.at(100_400.0);
    setting.serves(&["b"]);
    assert_eq!(setting.finds("a").await, Found::NoKey, "removed in the outage");
}

/// A token without a key ID may need a newer key set, as one with an unknown ID does.
#[tokio::test]
async fn there_may_be_another_key_set_than_the_known_one() {
    let setting = Setting::new();
    let patience = std::time::Duration::from_secs(5);
    setting.serves(&["a"]);
    let first = setting.cache.keys(None, patience).await.unwrap();
    let same = setting.cache.keys_beyond(&first, patience).await.unwrap();
    assert!(Arc::ptr_eq(&first, &same), "within the cool-down");
    setting.at(10.0);
    setting.serves(&["b"]);
    let second = setting.cache.keys_beyond(&first, patience).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    let again = setting.cache.keys_beyond(&first, patience).await.unwrap();
    assert!(Arc::ptr_eq(&second, &again));
    assert_eq!(setting.asked(), 2);
}

fn file(fetched_at: u32) -> KeySetFile {
    let text = KeySetFile::text(ISSUER, fetched_at, key_set(&["a"]).as_bytes()).unwrap();
    KeySetFile::parse(text.as_bytes(), ISSUER).unwrap()
}

/// The first decision needs no network; the key set is fetched behind it.
#[tokio::test]
async fn a_key_set_of_the_package_serves_the_first_request() {
    let setting = Setting::with(TIMING, Some(file(1000)), 50_000.0);
    setting.cache.prefetch();
    setting.settles().await;
    assert_eq!(setting.asked(), 0, "not at the start");
    setting.serves(&["b"]);
    assert_eq!(setting.finds("a").await, Found::Key);
    assert_eq!(setting.asked(), 0, "not before the answer");
    setting.settles().await;
    assert_eq!(setting.asked(), 1);
    assert_eq!(setting.finds("a").await, Found::NoKey, "removed since");
    assert_eq!(setting.finds("b").await, Found::Key);
}

/// An environment may be made hours before its first request (provisioned concurrency).
#[tokio::test]
async fn a_key_set_of_the_package_waits_for_its_first_request() {
    let setting = Setting::with(TIMING, Some(file(1000)), 50_000.0);
    setting.at(53_600.0);
    assert_eq!(setting.finds("a").await, Found::Key);
    assert_eq!(setting.asked(), 0, "not before the answer");
    setting.settles().await;
    assert_eq!(setting.asked(), 1);
}

/// A new key is no unknown one only because the package does not have it.
#[tokio::test]
async fn a_key_that_the_package_lacks_is_fetched() {
    let setting = Setting::with(TIMING, Some(file(1000)), 50_000.0);
    setting.serves(&["b"]);
    assert_eq!(setting.finds("b").await, Found::Key);
}

/// Rule K8: the package's keys have an end, whatever the issuer does.
#[tokio::test]
async fn a_key_set_of_the_package_has_an_end() {
    let too_old = Setting::with(TIMING, Some(file(1000)), 1000.0 + TIMING.initial_age);
    assert_eq!(too_old.diary(), ["too old"]);
    assert_eq!(too_old.finds("a").await, Found::Fault);
    let young = Setting::with(TIMING, Some(file(50_000)), 50_000.0);
    for (age, found) in [(0.0, Found::Key), (TOO_OLD - 1.0, Found::Key), (TOO_OLD, Found::Fault)] {
        young.at(50_000.0 + age);
        assert_eq!(young.finds("a").await, found, "{age}: the issuer is down");
        young.settles().await;
    }
    let start = 1000.0 + TIMING.initial_age - 100.0;
    let setting = Setting::with(TIMING, Some(file(1000)), start);
    assert_eq!(setting.finds("a").await, Found::Key);
    setting.settles().await;
    setting.at(start + 99.0);
    assert_eq!(setting.finds("a").await, Found::Key, "the issuer is down");
    setting.settles().await;
    setting.at(start + 100.0);
    assert_eq!(setting.finds("a").await, Found::Fault);
}
