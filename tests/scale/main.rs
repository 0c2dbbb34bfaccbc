//! What docs/scale.md says, held with a few hundred environments: the bounds of this project, and the trouble
//! of the policies beside it, without which a bound that nobody can break would prove nothing.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads the page, and its numbers are small"
)]

#[path = "../../benches/scale/simulation/mod.rs"]
mod simulation;
#[path = "../../benches/scale/tables.rs"]
mod tables;

use simulation::policies::{COOLDOWN, FOR_EVER, FROZEN, OURS, PENALTY, TIME_ALONE, WITH_FILE};
use simulation::policy::Policy;
use simulation::scenario::{Outage, Rotation, Scenario, WARM};
use simulation::tally::Tally;
use simulation::world::run;

const ENVIRONMENTS: u32 = 200;

const COOLDOWN_SECONDS: f64 = 10.0;

const LIFETIME_SECONDS: f64 = 600.0;

fn environments() -> u64 {
    ENVIRONMENTS.into()
}

#[test]
fn a_simulation_is_the_same_every_time() {
    let scenario = Scenario::attack(ENVIRONMENTS / 10);
    assert_eq!(run(&scenario, &OURS), run(&scenario, &OURS));
    assert_ne!(run(&scenario, &OURS), run(&scenario, &COOLDOWN));
}

/// A start costs one fetch and a wait, or, with the keys in the package, no wait.
#[test]
fn a_wave_of_starts_is_one_fetch_for_each() {
    let scenario = Scenario::wave(ENVIRONMENTS);
    let plain = run(&scenario, &OURS);
    assert_eq!((plain.fetched(), plain.delayed(), plain.failed()), (environments(), environments(), 0));
    let with_file = run(&scenario, &WITH_FILE);
    assert_eq!((with_file.delayed(), with_file.failed()), (0, 0));
    assert_eq!(run(&scenario, &FOR_EVER).delayed(), environments());
}

/// The most fetches in a minute, of the minutes after the first half hour, and the mean.
fn minutes(scenario: &Scenario, policy: &Policy) -> (u64, u64) {
    let tally = run(scenario, policy);
    let from = 1800.0;
    let minutes = ((scenario.end - from) / 60.0) as u64;
    let begin = |minute: u64| from + minute as f64 * 60.0;
    let most =
        (0..minutes).map(|minute| tally.fetched_within(begin(minute), begin(minute + 1))).max().unwrap();
    (most, tally.fetched_within(from, scenario.end) / minutes)
}

/// Environments that started together do not come back together: no minute has twice the mean. Where the end of
/// a key set is the same for all, a minute has several times the mean, two hours later as well.
#[test]
fn refreshes_are_spread_over_time() {
    let scenario = Scenario::steady(ENVIRONMENTS);
    for policy in [OURS, FROZEN] {
        let (most, mean) = minutes(&scenario, &policy);
        assert!(most < 2 * mean, "{}: {most} in a minute, {mean} on the average", policy.name);
    }
    let (most, mean) = minutes(&scenario, &COOLDOWN);
    assert!(most > 3 * mean, "{most} in a minute, {mean} on the average");
}

/// Nobody waits for a refresh, however rare the requests are; what it is worth to stay awake for it shows where
/// the function does not.
#[test]
fn nobody_waits_for_a_refresh() {
    let scenario = Scenario::sparse(ENVIRONMENTS, 20.0);
    let (frozen, awake) = (run(&scenario, &FROZEN), run(&scenario, &OURS));
    assert_eq!(awake.delayed(), 0);
    assert!(frozen.delayed() > environments(), "{} delayed", frozen.delayed());
    assert!(frozen.fetched() > awake.fetched() * 3 / 2, "{} and {}", frozen.fetched(), awake.fetched());
}

/// When the last honest caller was refused or failed, in seconds since the new key was used.
fn harmed_for(scenario: &Scenario, tally: &Tally) -> f64 {
    tally.last_harm().map_or(0.0, |last| last - scenario.rotation.unwrap().used_at)
}

/// Rule K7.
#[test]
fn a_rotation_with_overlap_harms_nobody_and_a_sudden_one_for_a_cool_down() {
    let overlap = Scenario::rotation(ENVIRONMENTS, LIFETIME_SECONDS);
    let tally = run(&overlap, &OURS);
    assert_eq!((tally.refused(), tally.failed()), (0, 0));
    let sudden = Scenario::rotation(ENVIRONMENTS, 0.0);
    let tally = run(&sudden, &OURS);
    assert!(harmed_for(&sudden, &tally) <= COOLDOWN_SECONDS + 1.0);
    assert_eq!(tally.failed(), 0);
    let tally = run(&sudden, &TIME_ALONE);
    assert!(harmed_for(&sudden, &tally) > 10.0 * COOLDOWN_SECONDS);
    assert!(tally.refused() > environments());
}

/// Rules K5 and K7.
#[test]
fn invented_keys_cost_one_fetch_in_a_cool_down_in_each_environment() {
    let scenario = Scenario::attack(ENVIRONMENTS / 2);
    let (from, to) = scenario.attack.unwrap();
    let bound = f64::from(ENVIRONMENTS / 2) * (1.0 + (to - from) / COOLDOWN_SECONDS);
    let tally = run(&scenario, &OURS);
    assert!(tally.fetched() as f64 <= bound, "{} fetches", tally.fetched());
    assert!(harmed_for(&scenario, &tally) <= COOLDOWN_SECONDS + 1.0);
    assert_eq!(tally.failed(), 0);
    let tally = run(&scenario, &FOR_EVER);
    assert!(tally.fetched() as f64 > 3.0 * bound, "{} fetches", tally.fetched());
}

/// Rule K8.
#[test]
fn a_key_that_was_taken_back_is_gone_with_the_lifetime_everywhere() {
    let scenario = Scenario::revocation(ENVIRONMENTS);
    let last = run(&scenario, &OURS).last_theft.unwrap();
    assert!(last > WARM && last <= WARM + LIFETIME_SECONDS, "{last}");
    for policy in [FOR_EVER, PENALTY] {
        let last = run(&scenario, &policy).last_theft.unwrap();
        assert!(last > scenario.end - 10.0, "{}: {last}", policy.name);
    }
}

/// Rule K9: known keys work on, environments that start in the outage have those of the package, the provider is
/// asked less than by who asks for each request, and all is well within a cool-down of its end.
#[test]
fn an_hours_outage_harms_nobody_who_has_keys() {
    for outage in [Outage::Refuses, Outage::Hangs] {
        let scenario = Scenario::outage(ENVIRONMENTS / 2, outage);
        let ((from, to), _) = scenario.outage.unwrap();
        let with_file = run(&scenario, &WITH_FILE);
        assert_eq!((with_file.failed(), with_file.refused()), (0, 0), "{outage:?}");
        let nobody_starts = Scenario { replaced: None, ..scenario.clone() };
        let known = run(&nobody_starts, &OURS);
        assert_eq!((known.failed(), known.refused()), (0, 0), "{outage:?}");
        // Two tries for each, and half a minute between two fetches.
        let bound = environments() / 2 * 2 * (to - from) as u64 / 30;
        for tally in [&with_file, &known] {
            let fetches = tally.fetched_within(from, to);
            assert!(fetches < bound, "{outage:?}: {fetches} fetches");
        }
        let plain = run(&scenario, &OURS);
        assert!(plain.failed() > 0 && plain.failed() < plain.requests / 3, "{outage:?}: {}", plain.failed());
        assert!(plain.last_harm().unwrap() <= to + COOLDOWN_SECONDS + 5.0, "{outage:?}");
        let others = run(&nobody_starts, &COOLDOWN);
        assert!(others.failed() > others.requests / 2, "{outage:?}: {} failed", others.failed());
    }
}

/// Rules K8 and K9: environments that hear of the provider only between freezes notice that it is back, and ask
/// no more for a key that it has taken back meanwhile.
#[test]
fn a_key_that_was_taken_back_in_an_outage_is_gone_after_it() {
    let (removed_at, back_at) = (WARM + 1800.0, WARM + 2400.0);
    let rotation = Rotation { published_at: 0.0, used_at: 0.0, removed_at, stolen: 1.0 };
    let scenario = Scenario {
        rotation: Some(rotation),
        outage: Some(((WARM, back_at), Outage::Refuses)),
        end: back_at + 1200.0,
        ..Scenario::sparse(ENVIRONMENTS, 20.0)
    };
    for policy in [OURS, FROZEN] {
        let last = run(&scenario, &policy).last_theft.unwrap();
        let longest_pause = 60.0;
        let three_requests = 3.0 * 2.0 * scenario.gap;
        assert!(
            last > removed_at && last < back_at + longest_pause + three_requests,
            "{}: {last}",
            policy.name
        );
    }
    let last = run(&scenario, &FOR_EVER).last_theft.unwrap();
    assert!(last > scenario.end - 10.0, "{last}");
}

/// Rule K9: environments that have waited out an outage do not come back together.
#[test]
fn a_provider_that_is_back_is_not_overrun() {
    let scenario = Scenario::outage(ENVIRONMENTS, Outage::Refuses);
    let ((from, to), _) = scenario.outage.unwrap();
    for policy in [OURS, WITH_FILE] {
        let tally = run(&scenario, &policy);
        let (after, during) = (tally.peak_within(to, to + 60.0), tally.peak_within(from, to));
        assert!(after <= during, "{}: {after} after, {during} during the outage", policy.name);
    }
}

/// `make scale` writes the numbers; the tables themselves are those of the program.
#[test]
fn every_table_is_on_the_page() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scale.md")).unwrap();
    for table in tables::tables(ENVIRONMENTS / 2) {
        let begin = format!("<!-- {} -->\n\n| {} |\n", table.mark, table.heads.join(" | "));
        let (_, text) = page.split_once(&begin).unwrap_or_else(|| panic!("{}", table.mark));
        let (text, _) = text.split_once("\n<!-- end -->").unwrap();
        let labels: Vec<_> = text.lines().skip(1).map(|line| line.split(" | ").next().unwrap()).collect();
        let expected: Vec<_> = table.rows.iter().map(|row| format!("| {}", row.label)).collect();
        assert_eq!(labels, expected, "{}", table.mark);
        let first = table.rows.first().unwrap();
        let cells = (table.cells)(&first.scenario, &run(&first.scenario, &first.policy));
        assert_eq!(cells.len() + 1, table.heads.len(), "{}", table.mark);
    }
}
