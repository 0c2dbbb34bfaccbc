//! What one decision costs, beside the raw verification of its signature.
//!
//! ```sh
//! cargo bench --bench decision                             # times, by criterion
//! cargo bench --bench decision -- instructions [PREFIX]    # instructions, by valgrind
//! cargo bench --bench decision -- fixtures                 # new tokens and keys
//! ```

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a program for the desk: its faults are to end it"
)]

mod fixtures;
mod instructions;
mod workload;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["fixtures"] => fixtures::generate(),
        ["repeat", name, times] => instructions::repeat(name, times.parse().unwrap()),
        ["instructions"] => show(""),
        ["instructions", prefix] => show(prefix),
        _ => {}
    }
}

fn show(prefix: &str) {
    let counts = instructions::count(prefix);
    for case in workload::cases().iter().filter(|case| counts.contains_key(&case.name)) {
        let count = counts[&case.name];
        let floor = case.floor.as_ref().and_then(|floor| counts.get(floor));
        let ratio = floor.map_or(String::new(), |floor| format!("{:.3}", count as f64 / *floor as f64));
        println!(
            "{:32} {count:>10} {ratio:>8} {}",
            case.name,
            case.bound.map_or(String::new(), |b| format!("<= {b}"))
        );
    }
}
