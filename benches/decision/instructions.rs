//! Instructions of each case, counted by valgrind: the same number on a busy machine as on a quiet one.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::workload::cases;

/// What one piece of work takes, by the case's name.
pub(crate) type Counts = BTreeMap<String, u64>;

/// The difference between a few repetitions and more of them is the work alone, without the start of the program.
const FEW: u64 = 4;
const MORE: u64 = 20;

/// Counts the cases whose names start with `prefix`.
pub(crate) fn count(prefix: &str) -> Counts {
    let names: Vec<String> =
        cases().into_iter().map(|case| case.name).filter(|name| name.starts_with(prefix)).collect();
    let (next, counts) = (AtomicUsize::new(0), Mutex::new(Counts::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let count = (total(name, MORE) - total(name, FEW)) / (MORE - FEW);
                    counts.lock().unwrap().insert(name.clone(), count);
                }
            });
        }
    });
    counts.into_inner().unwrap()
}

/// Does the work of a case so many times: what is counted.
pub(crate) fn repeat(name: &str, times: u64) {
    let case = cases().into_iter().find(|case| case.name == name).unwrap();
    let mut work = (case.prepare)();
    for _ in 0..times {
        work();
    }
}

/// The instructions of a whole run.
fn total(name: &str, times: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args(["repeat", name, &times.to_string()])
        // The place of the stack depends on it, and some copies depend on that.
        .env_clear()
        .output()
        .unwrap_or_else(|error| panic!("valgrind: {error}; hint: install it with your package manager"));
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{talk}");
    let collected = talk.lines().find_map(|line| line.split("Collected : ").nth(1));
    collected.and_then(|count| count.trim().parse().ok()).unwrap_or_else(|| panic!("no count: {talk}"))
}
