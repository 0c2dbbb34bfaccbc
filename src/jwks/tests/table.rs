//! The tables of docs/operations.md, each row of them put to the cache.

use super::harness::{Behaviour, EXPIRED, Found, STALE, Setting, TIMING, TOO_OLD};
use crate::io::UnixTime;

const PAGE: &str = include_str!("../../../docs/operations.md");

/// The rows of the table with this head, cell by cell.
fn rows(head: &str) -> Vec<Vec<&'static str>> {
    let table = PAGE.split_once(head).unwrap_or_else(|| panic!("no table {head}")).1;
    let lines = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// Brings a cache with the key `a` into the state that the first two cells of a row describe.
async fn setting(key_set: &str, issuer: &str) -> Setting {
    let setting = Setting::new();
    let age = match key_set {
        "never fetched" => None,
        "fresh" => Some(STALE - 100.0),
        "stale" => Some(STALE),
        "expired" => Some(EXPIRED),
        "too old" => Some(TOO_OLD),
        _ => panic!("no state: {key_set}"),
    };
    if age.is_some() {
        setting.serves(&["a"]);
        assert_eq!(setting.finds("a").await, Found::Key);
    }
    let now = age.unwrap_or(STALE);
    // A second is three quarters of the pause after one failure, and then some.
    match issuer {
        "not asked yet" | "asked before the cool-down" => setting.at(now),
        "asked within the cool-down" => setting.at(TIMING.cooldown - 1.0),
        "fails, in the pause" => fails_at(&setting, now - 0.5, now).await,
        "fails, within the cool-down" => fails_at(&setting, now - TIMING.cooldown + 0.1, now).await,
        "failed two minutes ago or more" => fails_at(&setting, now - 120.0, now).await,
        "fails, after the pause" | "fails, before the cool-down" => {
            fails_at(&setting, now - TIMING.cooldown, now).await;
        }
        "is being asked" => hangs_at(&setting, now).await,
        "fails, and is being asked" => {
            fails_at(&setting, now - TIMING.cooldown, now).await;
            hangs_at(&setting, now).await;
        }
        "was being asked when the process was frozen" => {
            hangs_at(&setting, now).await;
            setting.at(now + 60.0);
        }
        _ => panic!("no state: {issuer}"),
    }
    setting
}

async fn fails_at(setting: &Setting, time: UnixTime, now: UnixTime) {
    setting.at(time);
    assert_eq!(setting.finds("another").await, Found::Fault);
    setting.at(now);
}

async fn hangs_at(setting: &Setting, now: UnixTime) {
    setting.at(now);
    setting.does(Behaviour::Hangs);
    let searched = tokio::time::timeout(std::time::Duration::from_millis(1), setting.finds("another")).await;
    assert!(searched.is_err());
}

/// What a request does now, in the words of the table.
async fn step(setting: &Setting, id: &str) -> &'static str {
    let before = setting.asked();
    setting.does(Behaviour::Hangs);
    let patience = std::time::Duration::from_secs(1);
    let waited = tokio::time::Instant::now();
    let found = setting.cache.keys(Some(id), patience).await.map(|keys| keys.has(Some(id)));
    let has_waited = waited.elapsed() >= patience;
    setting.settles().await;
    match (has_waited, setting.asked() > before, found) {
        (true, true, _) => "waits for a fetch",
        (true, false, _) => "waits for the fetch",
        (false, true, Ok(true)) => "uses it, fetches behind the answer",
        (false, false, Ok(true)) => "uses it",
        (false, false, Ok(false)) => "`key_not_found`",
        (false, false, Err(_)) => "fault",
        (false, true, _) => "fetches, and does not wait",
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_does_what_the_table_says() {
    let rows = rows("| the key set | the issuer | a key that it has | a key that it lacks |\n");
    assert_eq!(rows.len(), 27);
    for row in rows {
        let [key_set, issuer, has, lacks] = row[..] else { panic!("{row:?}") };
        for (id, expected) in [("a", has), ("b", lacks)] {
            let setting = setting(key_set, issuer).await;
            assert_eq!(step(&setting, id).await, expected, "{key_set}, {issuer}, key {id}");
        }
    }
}

/// What becomes of a request that waits.
async fn outcome(fetch: &str, before: &str, id: &str) -> &'static str {
    let (setting, in_vain) = match before {
        "fresh" => (setting("fresh", "asked before the cool-down").await, "b"),
        "stale" => (setting("stale", "asked before the cool-down").await, "b"),
        "expired" => (setting("expired", "asked before the cool-down").await, "a"),
        "none" => (setting("never fetched", "not asked yet").await, "a"),
        "too old" => (setting("too old", "asked before the cool-down").await, "a"),
        _ => panic!("no key set: {before}"),
    };
    // Somebody who needs what is not there starts the fetch; this request finds it under way.
    match fetch {
        "succeeds" => setting.serves(&["b"]),
        "fails" => {}
        "takes too long" => setting.does(Behaviour::Hangs),
        _ => panic!("no fetch: {fetch}"),
    }
    let (_, found) = tokio::join!(setting.finds(in_vain), setting.finds(id));
    match found {
        Found::Key => "uses it",
        Found::NoKey => "`key_not_found`",
        Found::Fault => "fault",
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_comes_to_what_the_table_says() {
    let rows = rows(
        "| the fetch | the key set before | a key that the answer has | a key that the answer lacks | a key of the key set before |\n",
    );
    assert_eq!(rows.len(), 3);
    for row in rows {
        let [fetches, befores, has, lacks, old] = row[..] else { panic!("{row:?}") };
        let befores = if befores == "any" { "none, fresh, stale, expired, too old" } else { befores };
        let fetches = fetches.replace(", or ", ",");
        for fetch in fetches.split(',') {
            for before in befores.split(", ") {
                let cells = [("b", has), ("c", lacks), ("a", old)];
                for (id, expected) in cells.into_iter().filter(|(_, cell)| *cell != "-") {
                    let found = outcome(fetch, before, id).await;
                    assert_eq!(found, expected, "{fetch}, {before}, key {id}");
                }
            }
        }
    }
}
