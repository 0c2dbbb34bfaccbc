//! Fetches that are slow, frozen, late, or end in a bug.

use std::sync::Arc;

use tokio::sync::Notify;

use super::harness::{Behaviour, EXPIRED, Found, STALE, Setting, TIMING, document};
use crate::io::FetchError;

/// Rule K10: what a freeze cut off is begun anew, waited for, and not the issuer's failure.
#[tokio::test(start_paused = true)]
async fn a_fetch_that_was_frozen_is_begun_anew() {
    let setting = Setting::new();
    setting.serves(&["a"]);
    assert_eq!(setting.finds("a").await, Found::Key);
    setting.at(STALE);
    setting.does(Behaviour::Hangs);
    assert_eq!(setting.finds("a").await, Found::Key);
    setting.settles().await;
    assert_eq!(setting.asked(), 2, "under way when the process is frozen");
    setting.at(STALE + 60.0);
    setting.serves(&["b"]);
    assert_eq!(setting.finds("b").await, Found::Key);
    assert_eq!(setting.asked(), 3);
    assert_eq!(setting.diary(), ["fetched", "fetched"], "no failure");
}

/// Rules K8 and K9: an issuer that is back is noticed where every fetch behind an answer is frozen, too, and
/// what it has removed is gone.
#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_back_is_noticed_between_freezes() {
    let setting = Setting::new();
    setting.serves(&["a"]);
    assert_eq!(setting.finds("a").await, Found::Key);
    setting.at(EXPIRED);
    assert_eq!(setting.finds("a").await, Found::Key, "the issuer is down");
    assert_eq!(setting.diary(), ["fetched", "failed, served"]);
    setting.at(EXPIRED + 100.0);
    setting.does(Behaviour::Hangs);
    assert_eq!(setting.finds("a").await, Found::Key, "nobody waits for an issuer that fails");
    setting.settles().await;
    assert_eq!(setting.asked(), 3, "under way when the process is frozen");
    setting.at(EXPIRED + 200.0);
    setting.serves(&["b"]);
    assert_eq!(setting.finds("a").await, Found::NoKey);
    assert_eq!(setting.asked(), 4);
}

/// A request waits as long as it may and no longer; the fetch goes on, and the next one has it.
#[tokio::test(start_paused = true)]
async fn a_request_has_time_left_to_be_answered() {
    let setting = Setting::new();
    setting.does(Behaviour::Hangs);
    let before = tokio::time::Instant::now();
    let patience = std::time::Duration::from_millis(700);
    assert!(setting.cache.keys(Some("a"), patience).await.is_err());
    assert_eq!(before.elapsed(), patience);
    assert!(setting.cache.keys(Some("a"), std::time::Duration::ZERO).await.is_err());
    assert_eq!(setting.asked(), 1);
}

/// Rule K2: a fetch ends before the request that waits for it. Otherwise a freeze would hide each failure, and
/// every request of an outage would wait anew.
#[tokio::test]
async fn a_fetch_ends_before_the_request_that_waits_for_it() {
    for (patience, limit) in [(30_000, 3000), (3100, 3000), (2700, 2600), (700, 600), (200, 3000), (0, 3000)]
    {
        let setting = Setting::new();
        let patience = std::time::Duration::from_millis(patience);
        assert!(setting.cache.keys(Some("a"), patience).await.is_err());
        setting.settles().await;
        assert_eq!((setting.limit().as_millis(), setting.asked()), (limit, 1), "{patience:?}");
        setting.serves(&["a"]);
        setting.at(10.0);
        assert_eq!(setting.finds("a").await, Found::Key);
        setting.at(10.0 + STALE);
        assert!(setting.cache.keys(Some("a"), patience).await.is_ok());
        setting.settles().await;
        assert_eq!((setting.limit(), setting.asked()), (TIMING.timeout, 3), "nobody waits");
    }
}

/// Rule Z1: a bug is a fault, and no refusal.
#[tokio::test]
async fn a_fetch_that_panics_is_a_fault() {
    let setting = Setting::new();
    setting.serves(&["a"]);
    assert_eq!(setting.finds("a").await, Found::Key);
    setting.at(10.0);
    setting.does(Behaviour::Panics);
    assert_eq!(setting.finds("b").await, Found::Fault);
    assert_eq!(setting.finds("a").await, Found::Key);
    setting.at(15.0);
    setting.serves(&["b"]);
    assert_eq!(setting.finds("b").await, Found::Key);
}

/// Rule K10: so is one that the end of a freeze makes fail, and not one that is only slow.
#[tokio::test(start_paused = true)]
async fn a_failure_that_a_freeze_made_is_none() {
    for (seconds, diary) in [(3.9, &["failed"][..]), (4.0, &["failed"]), (4.1, &[]), (3600.0, &[])] {
        let setting = Setting::new();
        let told = Arc::new(Notify::new());
        let broken = FetchError::TimedOut(TIMING.timeout);
        setting.does(Behaviour::Late(Arc::clone(&told), Err(broken)));
        setting.cache.prefetch();
        setting.settles().await;
        setting.at(seconds);
        told.notify_one();
        setting.settles().await;
        assert_eq!(setting.diary(), diary, "{seconds}");
        // After a failure there is a pause, after a freeze there is none.
        setting.serves(&["a"]);
        let expected = if diary.is_empty() { Found::Key } else { Found::Fault };
        assert_eq!(setting.finds("a").await, expected, "{seconds}");
    }
}

/// No freeze comes twice in a row: the request that follows one waits, and is not frozen. An issuer that keeps the
/// process so busy that its timers are late is one that fails.
#[tokio::test(start_paused = true)]
async fn what_is_cut_off_twice_has_failed() {
    let setting = Setting::new();
    for (time, diary) in [(100.0, &[][..]), (200.0, &["failed"])] {
        let told = Arc::new(Notify::new());
        setting.does(Behaviour::Late(Arc::clone(&told), Err(FetchError::TimedOut(TIMING.timeout))));
        setting.cache.prefetch();
        setting.settles().await;
        setting.at(time);
        told.notify_one();
        setting.settles().await;
        assert_eq!(setting.diary(), diary);
    }
}

/// A fetch that is within its time is joined, and none is begun beside it.
#[tokio::test(start_paused = true)]
async fn a_fetch_that_is_only_slow_is_not_given_up() {
    for (seconds, asked) in [(3.9, 1), (4.0, 1), (4.1, 2)] {
        let setting = Setting::new();
        setting.does(Behaviour::Hangs);
        setting.cache.prefetch();
        setting.settles().await;
        setting.at(seconds);
        setting.serves(&["a"]);
        let found = setting.finds("a").await;
        assert_eq!(setting.asked(), asked, "{seconds}");
        assert_eq!(found == Found::Key, asked == 2, "{seconds}");
    }
}

/// Rule K10: a newer key set is not overwritten by an older one that comes late.
#[tokio::test(start_paused = true)]
async fn a_newer_key_set_is_not_overwritten_by_an_older_one() {
    let setting = Setting::new();
    let told = Arc::new(Notify::new());
    setting.does(Behaviour::Late(Arc::clone(&told), Ok(document(None, &["old"]))));
    setting.cache.prefetch();
    setting.settles().await;
    setting.at(3600.0);
    setting.serves(&["new"]);
    assert_eq!(setting.finds("new").await, Found::Key);
    told.notify_one();
    setting.settles().await;
    assert_eq!(setting.finds("new").await, Found::Key);
    assert_eq!(setting.finds("old").await, Found::NoKey);
    assert_eq!((setting.asked(), setting.diary()), (2, vec!["fetched"]));
}

/// The same, where nothing but the answer was late: it counts, as old as it is.
#[tokio::test(start_paused = true)]
async fn a_late_answer_counts_as_old_as_it_is() {
    let setting = Setting::new();
    let told = Arc::new(Notify::new());
    setting.does(Behaviour::Late(Arc::clone(&told), Ok(document(None, &["a"]))));
    setting.cache.prefetch();
    setting.settles().await;
    setting.at(STALE);
    told.notify_one();
    setting.settles().await;
    setting.serves(&["b"]);
    assert_eq!(setting.finds("a").await, Found::Key, "stale from the start");
    setting.settles().await;
    assert_eq!(setting.finds("a").await, Found::NoKey);
}
