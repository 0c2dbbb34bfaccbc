//! AWS-LC gathers CPU-jitter entropy at its first use unless it was built without: 25 ms of CPU in
//! every cold start, 370 ms on a 128 MB function. `.cargo/config.toml` turns it off; this notices
//! when it comes back.

#![cfg(target_os = "linux")]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads /proc, and fails by panicking"
)]

/// CPU time, not wall time: a busy machine does not matter. The only test of its process, because
/// only the first use costs.
#[test]
fn the_first_random_number_costs_no_jitter_entropy() {
    let before = cpu_nanoseconds();
    aws_lc_rs::rand::fill(&mut [0; 32]).unwrap();
    let milliseconds = (cpu_nanoseconds() - before) / 1_000_000;
    assert!(milliseconds < 10, "the first random number took {milliseconds} ms of CPU");
}

fn cpu_nanoseconds() -> u64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    statistics.split(' ').next().unwrap().parse().unwrap()
}
