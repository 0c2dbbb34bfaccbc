//! What one decision costs, beside the raw verification of its signature: docs/performance.md.
//!
//! ```sh
//! make decision                                            # both of these, into docs/performance.md
//! make instructions                                        # fails where they are more than recorded, or than may be
//! cargo bench --profile counted --bench decision           # times, by criterion
//! cargo bench … -- instructions [PREFIX]                   # instructions, by valgrind
//! cargo bench … -- record                                  # records them
//! cargo bench … -- fixtures                                # new tokens and keys: record the instructions then
//! ```

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a program for the desk: its faults are to end it"
)]

mod fixtures;
mod instructions;
#[path = "../page/mod.rs"]
mod page;
mod recorded;
mod times;
mod workload;

use std::collections::BTreeMap;
use std::process::ExitCode;

use workload::{Case, cases};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/performance.md");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => println!("{}", times_table(&times::measure(&cases()))),
        ["write"] => {
            let page = std::fs::read_to_string(PAGE).unwrap();
            let counts = instructions::count("");
            let page = page::with_figures(&page, "instructions", &instructions_table(&counts));
            let page = page::with_figures(&page, "times", &times_table(&times::measure(&cases())));
            std::fs::write(PAGE, page).unwrap();
        }
        ["instructions"] => println!("{}", instructions_table(&instructions::count(""))),
        ["instructions", prefix] => println!("{}", instructions_table(&instructions::count(prefix))),
        ["record"] => recorded::write(&instructions::count("")),
        ["check"] => return check(),
        ["repeat", name, times] => instructions::repeat(name, times.parse().unwrap()),
        ["fixtures"] => fixtures::generate(),
        _ => {
            eprintln!("error: unknown arguments `{}`", arguments.join(" "));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn check() -> ExitCode {
    let counts = instructions::count("");
    println!("{}", instructions_table(&counts));
    assert!(recorded::can_fail(&cases(), &counts));
    // Other processors have other instructions: there, only the bounds are held.
    let is_recorded = cfg!(target_arch = "x86_64");
    let recorded = if is_recorded { recorded::read() } else { counts.clone() };
    let problems = recorded::problems(&cases(), &recorded, &counts);
    for problem in &problems {
        eprintln!("error: {problem}");
    }
    if problems.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "hint: if it is meant, or comes with another compiler, `cargo bench --profile counted --bench decision -- record`"
    );
    ExitCode::FAILURE
}

fn instructions_table(counts: &instructions::Counts) -> String {
    let counts = counts.iter().map(|(name, count)| (name.clone(), *count as f64)).collect();
    table("instructions", &counts, |count| format!("{count:.0}"))
}

fn times_table(medians: &BTreeMap<String, f64>) -> String {
    table("µs", medians, |nanoseconds| format!("{:.2}", nanoseconds / 1000.0))
}

/// In the order of the cases. The floors of signatures stand beside what is measured by them.
fn table(unit: &str, values: &BTreeMap<String, f64>, shown: fn(f64) -> String) -> String {
    let mut text = format!("| | {unit} | of its floor | at most |\n|---|---|---|---|\n");
    for Case { name, floor, bound, .. } in cases() {
        let Some(value) = values.get(&name) else { continue };
        let ratio = floor.and_then(|floor| Some(value / values.get(&floor)?));
        let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.3}"));
        let bound = bound.map_or(String::new(), |bound| format!("{bound}"));
        text += &format!("| {name} | {} | {ratio} | {bound} |\n", shown(*value));
    }
    text
}
