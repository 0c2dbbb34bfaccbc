//! The figures as Markdown, and their places on the page.

use std::fmt::Write as _;

use crate::bounds::Verdict;
use crate::soak::Outcome;
use crate::start::{Row, Sample};
use crate::statistics::Spread;
use crate::subjects::Kind;
use crate::throughput::Load;

/// From the start of the process to its first decision, and its memory.
pub(crate) fn start(rows: &[Row], missing: &[(Kind, String)]) -> String {
    let columns: [Column; 4] = [
        ("first poll, ms", |sample| sample.first_poll),
        ("first decision, ms", |sample| sample.first_answer),
        ("processor until then, ms", |sample| sample.cpu),
        ("peak memory, MB", |sample| sample.peak / 1024.0),
    ];
    with_quartiles(rows, missing, &columns)
}

/// One request after the other.
pub(crate) fn warm(rows: &[Row], missing: &[(Kind, String)]) -> String {
    let columns: [Column; 8] = [
        ("fresh tokens, µs", |sample| sample.fresh.median),
        ("99 %", |sample| sample.fresh.longest),
        ("processor, µs", |sample| sample.fresh.cpu),
        ("same token, µs", |sample| sample.repeated.median),
        ("99 %", |sample| sample.repeated.longest),
        ("processor, µs", |sample| sample.repeated.cpu),
        ("REQUEST of 4 KB, µs", |sample| sample.request.median),
        ("processor, µs", |sample| sample.request.cpu),
    ];
    let base = base(rows);
    let lines = rows.iter().map(|row| {
        let cells = columns.map(|(_, value)| {
            let own = row.spread(value).median;
            format!("{own:.0}{}", ratio(own, base.map(|base| base.spread(value).median)))
        });
        format!("| {} | {} |\n", row.subject.name, cells.join(" | "))
    });
    let lines: String = lines.collect();
    format!("{}{lines}{}", head(&columns.map(|(name, _)| name)), absent(missing, columns.len()))
}

/// All of it with a part of a processor.
pub(crate) fn quota(rows: &[Row], missing: &[(Kind, String)]) -> String {
    let columns: [Column; 6] = [
        ("first poll, ms", |sample| sample.first_poll),
        ("first decision, ms", |sample| sample.first_answer),
        ("processor until then, ms", |sample| sample.cpu),
        ("warm, ms", |sample| sample.fresh.median / 1000.0),
        ("warm, 99 %, ms", |sample| sample.fresh.longest / 1000.0),
        ("processor warm, ms", |sample| sample.fresh.cpu / 1000.0),
    ];
    with_quartiles(rows, missing, &columns)
}

/// Several events at once.
pub(crate) fn throughput(loads: &[Load]) -> String {
    let mut text = head(&[
        "in flight",
        "answers in a second",
        "median, µs",
        "99 %, µs",
        "processor of each, µs",
        "peak memory, MB",
    ]);
    for load in loads {
        let _never_fails = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            load.subject.name,
            load.in_flight,
            spread(load.rate),
            spread(load.median),
            spread(load.longest),
            spread(load.cpu),
            spread(Spread {
                low: load.peak.low / 1024.0,
                median: load.peak.median / 1024.0,
                high: load.peak.high / 1024.0
            }),
        );
    }
    text
}

pub(crate) fn soak(outcome: &Outcome, name: &str) -> String {
    let memory: Vec<String> =
        outcome.memory.iter().map(|(events, kilobytes)| format!("{kilobytes} KB after {events}")).collect();
    let events = outcome.memory.last().map_or(0, |(events, _)| *events);
    let rows = [
        ("function", name.to_owned()),
        ("events", events.to_string()),
        ("allowed, and to be allowed", outcome.allowed.to_string()),
        ("refused, and to be refused", outcome.refused.to_string()),
        ("anything else", outcome.wrong.to_string()),
        ("keys", outcome.keys.to_string()),
        ("seconds", format!("{:.0}", outcome.seconds)),
        ("resident memory", memory.join(", ")),
        ("peak memory", format!("{} KB", outcome.peak)),
    ];
    let rows = rows.into_iter().map(|(name, value)| format!("| {name} | {value} |\n"));
    format!("| | |\n|---|---|\n{}", rows.collect::<String>())
}

pub(crate) fn verdicts(verdicts: &[Verdict]) -> String {
    let lines = verdicts.iter().map(|verdict| {
        let (reached, is_kept) = match verdict.reached {
            Some((reached, is_kept)) => (format!("{reached:.2} ×"), if is_kept { "yes" } else { "**no**" }),
            None => ("not measured".to_owned(), "-"),
        };
        format!("| {} | {} | {reached} | {is_kept} |\n", verdict.what, verdict.bound)
    });
    let lines: String = lines.collect();
    format!("| | bound | reached | kept |\n|---|---|---:|---|\n{lines}")
}

/// Its head, and the value of a row.
type Column = (&'static str, fn(&Sample) -> f64);

fn with_quartiles(rows: &[Row], missing: &[(Kind, String)], columns: &[Column]) -> String {
    let base = base(rows);
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut text = head(&names);
    for row in rows {
        let cells = columns.iter().map(|(_, value)| {
            let own = row.spread(value);
            format!("{}{}", spread(own), ratio(own.median, base.map(|base| base.spread(value).median)))
        });
        let cells: Vec<String> = cells.collect();
        let _never_fails = writeln!(text, "| {} | {} |", row.subject.name, cells.join(" | "));
    }
    text + &absent(missing, columns.len())
}

/// What everything is compared with.
fn base<'a>(rows: &'a [Row<'a>]) -> Option<&'a Row<'a>> {
    rows.iter().find(|row| row.subject.kind == Kind::Noop)
}

fn head(names: &[&str]) -> String {
    format!("| | {} |\n|---|{}\n", names.join(" | "), "---:|".repeat(names.len()))
}

/// A line for what was not measured: a figure that is missing is to be seen.
fn absent(missing: &[(Kind, String)], columns: usize) -> String {
    let line = |(kind, reason): &(Kind, String)| {
        format!("| {} | not measured: {reason} |{}\n", kind.name(), " |".repeat(columns - 1))
    };
    missing.iter().map(line).collect()
}

fn spread(spread: Spread) -> String {
    let Spread { low, median, high } = spread;
    let digits = if median < 0.1 {
        3
    } else if median < 100.0 {
        2
    } else {
        0
    };
    format!("{median:.digits$} ({low:.digits$} to {high:.digits$})")
}

fn ratio(own: f64, base: Option<f64>) -> String {
    base.map(|base| own / base).map_or_else(String::new, |ratio| format!(" × {ratio:.2}"))
}
