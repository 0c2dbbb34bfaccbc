//! The tables of docs/scale.md: which simulations they show, and what of them.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "the numbers are small"
)]

use crate::simulation::policies::{COOLDOWN, FROZEN, OTHERS, OURS, WITH_FILE, ours};
use crate::simulation::policy::{Ours, Policy};
use crate::simulation::scenario::{Outage, Scenario, Seconds, WARM};
use crate::simulation::tally::Tally;

/// A table, and the simulations that are its rows.
pub(crate) struct Table {
    /// It stands between the marks of this name.
    pub(crate) mark: &'static str,
    pub(crate) heads: &'static [&'static str],
    pub(crate) rows: Vec<Row>,
    pub(crate) cells: fn(&Scenario, &Tally) -> Vec<String>,
}

pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) scenario: Scenario,
    pub(crate) policy: Policy,
}

const LOAD: &[&str] = &["policy", "fetches", "peak/s", "delayed", "mean", "99 %", "failed"];
const STEADY: &[&str] =
    &["policy", "fetches", "peak/s", "mean/s", "delayed", "mean", "99 %", "over two hours"];
const SPARSE: &[&str] =
    &["a request every, and policy", "fetches of an environment", "delayed", "of a thousand"];
const ROTATION: &[&str] =
    &["policy", "fetches", "peak/s", "delayed", "mean", "99 %", "failed", "refused", "until"];
const OUTAGE: &[&str] = &[
    "policy",
    "fetches/s",
    "of them retries/s",
    "peak/s",
    "delayed",
    "mean",
    "99 %",
    "failed",
    "peak/s after",
    "failed after",
];
const REVOCATION: &[&str] = &["policy", "last accepted after"];
const KNOBS: &[&str] = &["settings", "fetches/s", "delayed of a thousand"];

/// All of them, for so many environments.
pub(crate) fn tables(environments: u32) -> Vec<Table> {
    let usual = [OURS, FROZEN];
    let all = [OURS, WITH_FILE, FROZEN];
    let table = |mark, heads, policies: &[Policy], scenario: Scenario, cells| Table {
        mark,
        heads,
        rows: policies
            .iter()
            .chain(&OTHERS)
            .map(|policy| row(policy.name.to_owned(), &scenario, *policy))
            .collect(),
        cells,
    };
    vec![
        table("wave", LOAD, &all, Scenario::wave(environments), load),
        table("steady", STEADY, &usual, Scenario::steady(environments), steady),
        Table { mark: "sparse", heads: SPARSE, rows: sparse(environments / 10), cells: sparse_cells },
        table("overlap", ROTATION, &usual, Scenario::rotation(environments, 600.0), rotation),
        table("sudden", ROTATION, &usual, Scenario::rotation(environments, 0.0), rotation),
        table("attack", ROTATION, &usual, Scenario::attack(environments), rotation),
        table("refuses", OUTAGE, &all, Scenario::outage(environments, Outage::Refuses), outage),
        table("hangs", OUTAGE, &all, Scenario::outage(environments, Outage::Hangs), outage),
        table("revocation", REVOCATION, &usual, Scenario::revocation(environments), revocation),
        Table { mark: "lifetime", heads: KNOBS, rows: lifetimes(environments / 10), cells: knobs },
        Table { mark: "cooldown", heads: KNOBS, rows: cooldowns(environments / 10), cells: knobs },
    ]
}

fn row(label: String, scenario: &Scenario, policy: Policy) -> Row {
    Row { label, scenario: scenario.clone(), policy }
}

fn sparse(environments: u32) -> Vec<Row> {
    let gaps = [(0.1, "0.1 s"), (1.0, "1 s"), (5.0, "5 s"), (20.0, "20 s"), (60.0, "60 s")];
    let rows = gaps.iter().flat_map(|(gap, every)| {
        // The busy ones are few: they are many requests.
        let environments = if *gap < 1.0 { environments / 10 } else { environments };
        let scenario = Scenario::sparse(environments, *gap);
        [OURS, FROZEN, COOLDOWN].map(|policy| row(format!("{every}: {}", policy.name), &scenario, policy))
    });
    rows.collect()
}

fn lifetimes(environments: u32) -> Vec<Row> {
    let settings = [
        ("`lifetime_seconds = 300`", 300.0),
        ("`lifetime_seconds = 600`", 600.0),
        ("`lifetime_seconds = 3600`", 3600.0),
    ];
    let rows = settings.map(|(name, lifetime)| {
        let policy = ours(name, Ours { lifetime, ..Ours::DEFAULT });
        row(name.to_owned(), &Scenario::steady(environments), policy)
    });
    rows.into()
}

fn cooldowns(environments: u32) -> Vec<Row> {
    let settings = [
        ("`cooldown_seconds = 5`", 5.0),
        ("`cooldown_seconds = 10`", 10.0),
        ("`cooldown_seconds = 30`", 30.0),
        ("`cooldown_seconds = 60`", 60.0),
    ];
    let rows = settings.map(|(name, cooldown)| {
        let policy = ours(name, Ours { cooldown, ..Ours::DEFAULT });
        row(name.to_owned(), &Scenario::attack(environments), policy)
    });
    rows.into()
}

fn delays(tally: &Tally) -> [String; 3] {
    match tally.delayed() {
        0 => ["0".into(), "-".into(), "-".into()],
        delayed => {
            let milliseconds = |time: Seconds| format!("{:.0} ms", time * 1000.0);
            [delayed.to_string(), milliseconds(tally.mean_delay()), milliseconds(tally.longest_delay())]
        }
    }
}

fn load(_: &Scenario, tally: &Tally) -> Vec<String> {
    let fetches = [tally.fetched().to_string(), tally.peak().to_string()];
    [&fetches[..], &delays(tally), &[tally.failed().to_string()]].concat()
}

fn steady(scenario: &Scenario, tally: &Tally) -> Vec<String> {
    let mean = tally.fetched() as f64 / (scenario.end - scenario.counted_from);
    let fetches = [tally.fetched().to_string(), tally.peak().to_string(), format!("{mean:.1}")];
    [&fetches[..], &delays(tally), &[spread(scenario, tally)]].concat()
}

/// A bar for each three minutes; the highest is the most that there was in three minutes.
fn spread(scenario: &Scenario, tally: &Tally) -> String {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let width = 180.0;
    let count = ((scenario.end - scenario.counted_from) / width) as usize;
    let froms = (0..count).map(|place| scenario.counted_from + place as f64 * width);
    let fetches: Vec<u64> = froms.map(|from| tally.fetched_within(from, from + width)).collect();
    let most = fetches.iter().copied().max().unwrap_or(0).max(1);
    let bars: String = fetches.iter().map(|fetches| BARS[(fetches * 8).div_ceil(most) as usize]).collect();
    if tally.fetched() == 0 { "-".to_owned() } else { format!("`{bars}`") }
}

fn sparse_cells(scenario: &Scenario, tally: &Tally) -> Vec<String> {
    let fetches = tally.fetched() as f64 / f64::from(scenario.environments);
    vec![format!("{fetches:.1}"), tally.delayed().to_string(), delayed_of_a_thousand(tally)]
}

fn delayed_of_a_thousand(tally: &Tally) -> String {
    format!("{:.2}", tally.delayed() as f64 / tally.requests.max(1) as f64 * 1000.0)
}

fn rotation(scenario: &Scenario, tally: &Tally) -> Vec<String> {
    let used_at = scenario.rotation.map_or(0.0, |rotation| rotation.used_at);
    let until = tally.last_harm().map_or("-".to_owned(), |last| format!("{:.0} s", last - used_at));
    let mut cells = load(scenario, tally);
    cells.extend([tally.refused().to_string(), until]);
    cells
}

fn outage(scenario: &Scenario, tally: &Tally) -> Vec<String> {
    let (from, to) = scenario.outage.map_or_else(Default::default, |(span, _)| span);
    let in_a_second = |count: u64| format!("{:.1}", count as f64 / (to - from));
    let fetches = [
        in_a_second(tally.fetched_within(from, to)),
        in_a_second(tally.retries),
        tally.peak_within(from, to).to_string(),
    ];
    let failed = [
        tally.failed_within(from, to).to_string(),
        tally.peak_within(to, to + 60.0).to_string(),
        tally.failed_within(to, f64::INFINITY).to_string(),
    ];
    [&fetches[..], &delays(tally), &failed].concat()
}

fn revocation(scenario: &Scenario, tally: &Tally) -> Vec<String> {
    let last = tally.last_theft.map_or(0.0, |last| last - WARM);
    let is_over = last < scenario.end - WARM - 60.0;
    vec![if is_over { format!("{last:.0} s") } else { "still accepted at the end".to_owned() }]
}

fn knobs(scenario: &Scenario, tally: &Tally) -> Vec<String> {
    let mean = tally.fetched() as f64 / (scenario.end - scenario.counted_from);
    // Ten times as many environments.
    vec![format!("{:.0}", mean * 10.0), delayed_of_a_thousand(tally)]
}
