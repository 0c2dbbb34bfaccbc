//! Times of each case, by criterion.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use criterion::Criterion;
use serde_json::Value;

use crate::workload::Case;

/// The median of each case in nanoseconds, by its name.
pub(crate) fn measure(cases: &[Case]) -> BTreeMap<String, f64> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("criterion");
    // Twice: what else the machine does in one half minute is not taken for the cost of a case.
    let mut medians: BTreeMap<String, f64> = BTreeMap::new();
    for _ in 0..2 {
        // A new one for each pass: to one alone, the second pass would be other cases.
        let mut criterion = Criterion::default()
            .output_directory(&directory)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_millis(1500))
            .sample_size(50)
            .without_plots();
        for case in cases {
            let mut work = (case.prepare)();
            let id = case.name.replace(['/', ',', ' '], "_");
            criterion.bench_function(&id, |bencher| bencher.iter(&mut work));
            let estimates = std::fs::read_to_string(directory.join(&id).join("new/estimates.json")).unwrap();
            let estimates: Value = serde_json::from_str(&estimates).unwrap();
            let median = estimates["median"]["point_estimate"].as_f64().unwrap();
            let least = medians.entry(case.name.clone()).or_insert(median);
            *least = least.min(median);
        }
    }
    medians
}
