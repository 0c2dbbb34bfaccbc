//! `make scale`: runs the simulation of docs/scale.md with 10,000 environments, prints its tables, and writes
//! them to that page. With `--check` it fails instead if they are others than those on the page.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a program for the desk: its faults are to end it"
)]

mod simulation;
mod tables;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use simulation::world;
use tables::{Table, tables};

const ENVIRONMENTS: u32 = 10_000;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scale.md");

fn main() -> ExitCode {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let tables = tables(ENVIRONMENTS);
    let texts = texts(&tables);
    let mut new_page = page.clone();
    for (table, text) in tables.iter().zip(&texts) {
        println!("{}\n\n{text}", table.mark);
        new_page = with_table(&new_page, table.mark, text);
    }
    if std::env::args().any(|argument| argument == "--check") {
        let is_same = new_page == page;
        if !is_same {
            eprintln!("error: docs/scale.md is out of date\nhint: make scale");
        }
        return if is_same { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    std::fs::write(PAGE, new_page).unwrap();
    ExitCode::SUCCESS
}

/// The tables in Markdown. Their simulations run on all processors.
fn texts(tables: &[Table]) -> Vec<String> {
    let rows: Vec<_> =
        tables.iter().flat_map(|table| table.rows.iter().map(move |row| (table, row))).collect();
    let (next, lines) = (AtomicUsize::new(0), Mutex::new(vec![String::new(); rows.len()]));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let place = next.fetch_add(1, Ordering::Relaxed)
                    && let Some((table, row)) = rows.get(place)
                {
                    let tally = world::run(&row.scenario, &row.policy);
                    let cells = (table.cells)(&row.scenario, &tally).join(" | ");
                    lines.lock().unwrap()[place] = format!("| {} | {cells} |\n", row.label);
                    eprintln!("{}: {}", table.mark, row.label);
                }
            });
        }
    });
    let mut lines = lines.into_inner().unwrap().into_iter();
    let text = |table: &Table| {
        let heads = table.heads.join(" | ");
        let rule = "---|---:".to_owned() + &"|---:".repeat(table.heads.len() - 2);
        let rows: String = lines.by_ref().take(table.rows.len()).collect();
        format!("| {heads} |\n|{rule}|\n{rows}")
    };
    tables.iter().map(text).collect()
}

/// The page with this text between the marks of this name.
fn with_table(page: &str, mark: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {mark} -->\n"), "<!-- end -->");
    let (before, rest) = page.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    format!("{before}{begin}\n{text}\n{end}{after}")
}
