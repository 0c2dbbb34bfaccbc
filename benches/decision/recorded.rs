//! The instructions that were recorded, beside those that are counted now.

use crate::instructions::Counts;
use crate::workload::Case;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/decision/instructions.txt");

/// What may be added to one's own work before the check fails.
const RISE: f64 = 1.05;

/// Writes the counts, one case on a line.
pub(crate) fn write(counts: &Counts) {
    let lines: String = counts.iter().map(|(name, count)| format!("{count:>9} {name}\n")).collect();
    std::fs::write(PATH, lines).unwrap();
}

/// The recorded counts.
pub(crate) fn read() -> Counts {
    let text = std::fs::read_to_string(PATH).unwrap();
    let pairs = text.lines().map(|line| line.trim_start().split_once(' ').unwrap());
    pairs.map(|(count, name)| (name.to_owned(), count.parse().unwrap())).collect()
}

/// What is wrong with the counts: more own work than was recorded, or more than may be.
pub(crate) fn problems(cases: &[Case], recorded: &Counts, counts: &Counts) -> Vec<String> {
    let mut problems = Vec::new();
    for case in cases {
        let Some(floor) = &case.floor else { continue };
        match case.own(recorded).zip(case.own(counts)) {
            Some((before, now)) if now > before * RISE => {
                problems
                    .push(format!("`{}` takes {now:.0} instructions, {before:.0} are recorded", case.name));
            }
            Some(_) => {}
            None => problems.push(format!("`{}` is not recorded, or not counted", case.name)),
        }
        if let Some(((bound, count), floor)) = case.bound.zip(counts.get(&case.name)).zip(counts.get(floor)) {
            let ratio = *count as f64 / *floor as f64;
            if (ratio > bound) != case.is_beyond() {
                let name = &case.name;
                problems.push(match case.is_beyond() {
                    true => format!(
                        "`{name}` takes {ratio:.3} times its floor, and is said to take more than {bound}"
                    ),
                    false => format!("`{name}` takes {ratio:.3} times its floor, more than {bound}"),
                });
            }
        }
    }
    problems
}

/// Whether a record of a tenth less would be noticed in each case: a check that cannot fail holds nothing.
pub(crate) fn can_fail(cases: &[Case], counts: &Counts) -> bool {
    cases.iter().filter(|case| case.floor.is_some()).all(|case| {
        let mut less = counts.clone();
        if let (Some(count), Some(own)) = (less.get_mut(&case.name), case.own(counts)) {
            *count -= (own * 0.1) as u64;
        }
        let noticed = problems(cases, &less, counts);
        noticed.iter().any(|problem| problem.starts_with(&format!("`{}` takes", case.name)))
    })
}

impl Case {
    /// Own work is what a case takes beyond its floor, which is counted in the same run: what the signature library does on
    /// this machine is not looked at. A case that does without its floor's work has its own alone.
    fn own(&self, counts: &Counts) -> Option<f64> {
        let count = *counts.get(&self.name)? as f64;
        let floor = *counts.get(self.floor.as_ref()?)? as f64;
        Some(if self.is_cheaper() { count } else { count - floor })
    }
}
