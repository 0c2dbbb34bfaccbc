//! A small world, whole: every set of up to three rules over few paths, against every path there is.

use super::*;
use crate::rules::{RoutePattern, Ruling};

/// How a rule stands to the caller.
#[derive(Clone, Copy, Debug)]
enum Stand {
    Opens,
    /// It is for others.
    Names,
    Denies,
}

/// Every path of so many segments at most, of these.
fn paths(segments: &[&str], longest: usize) -> Vec<String> {
    let mut paths = vec![String::new()];
    let mut last = paths.clone();
    for _ in 0..longest {
        last =
            last.iter().flat_map(|path| segments.iter().map(move |text| format!("{path}/{text}"))).collect();
        paths.extend(last.clone());
    }
    paths
}

fn patterns(segments: &[&str], longest: usize) -> Vec<RoutePattern> {
    let closed = paths(segments, longest);
    let open = closed.iter().map(|path| format!("{path}/**"));
    let all = closed.iter().map(|path| if path.is_empty() { "/".to_owned() } else { path.clone() });
    all.chain(open).map(|path| format!("GET {path}").parse().unwrap()).collect()
}

#[derive(Debug, Default)]
struct Seen {
    sets: usize,
    over_matched: usize,
    under_matched: usize,
    reports: usize,
    /// Reports of something that is no difference on any path.
    idle: usize,
}

struct World {
    principal: Principal,
    arns: Vec<MethodArn>,
}

impl World {
    fn check(&self, set: &[(&RoutePattern, Stand)], seen: &mut Seen) {
        let rule = |(route, stand): &(&RoutePattern, Stand)| Rule {
            name: "rule".into(),
            effect: if matches!(stand, Stand::Denies) { Effect::Deny } else { Effect::Allow },
            routes: vec![(*route).clone()],
            requirement: match stand {
                Stand::Opens | Stand::Denies => Requirement::Authenticated,
                Stand::Names => Requirement::Scope("none".into()),
            },
            stages: Vec::new(),
            apis: Vec::new(),
            context: Vec::new(),
            usage_identifier_key: None,
        };
        let compiler = Compiler::new(Rules::new(set.iter().map(rule).collect()));
        let caller = Caller { principal: Some(&self.principal), ..Caller::default() };
        let standing = compiler.rules().standing(&caller, &self.arns[0]);
        // A route that is asked for and refused would be closed; this one is nowhere.
        let policy = compiler.compile(&standing, &arn("PUT/nowhere")).unwrap();
        let reports = compiler.inexact(&standing);
        let mut is_witnessed = vec![false; reports.len()];
        seen.sets += 1;
        for arn in &self.arns {
            let is_granted = matches!(compiler.rules().ruling(&standing, arn), Ruling::Allowed(_));
            let is_allowed = policy.evaluate(arn) == Effect::Allow;
            if is_granted == is_allowed {
                continue;
            }
            let mut is_reported = false;
            for (report, is_witnessed) in reports.iter().zip(&mut is_witnessed) {
                if if is_allowed { report.opens(arn) } else { report.closes(arn) } {
                    (*is_witnessed, is_reported) = (true, true);
                }
            }
            assert!(is_reported, "{arn}: granted {is_granted}, allowed {is_allowed}; {set:?}: {policy:#?}");
            seen.over_matched += usize::from(is_allowed);
            seen.under_matched += usize::from(is_granted);
        }
        seen.reports += reports.len();
        seen.idle += is_witnessed.iter().filter(|is_witnessed| !**is_witnessed).count();
    }

    /// Every set of `size` patterns, each standing to the caller in every way.
    fn check_sets<'a>(
        &self,
        patterns: &'a [RoutePattern],
        size: usize,
        set: &mut Vec<(&'a RoutePattern, Stand)>,
        seen: &mut Seen,
    ) {
        if size == 0 {
            return self.check(set, seen);
        }
        for (position, pattern) in patterns.iter().enumerate() {
            for stand in [Stand::Opens, Stand::Names, Stand::Denies] {
                set.push((pattern, stand));
                self.check_sets(&patterns[position + 1..], size - 1, set, seen);
                set.pop();
            }
        }
    }
}

fn check_world(patterns: &[RoutePattern], sizes: std::ops::RangeInclusive<usize>) -> Seen {
    let arns = paths(&["a", "b"], 5)
        .iter()
        .map(|path| arn(&format!("GET{}", if path.is_empty() { "/" } else { path })))
        .collect();
    let world = World { principal: principal(json!({"sub": "b"})), arns };
    let mut seen = Seen::default();
    for size in sizes {
        world.check_sets(patterns, size, &mut Vec::new(), &mut seen);
    }
    println!("{seen:?}");
    seen
}

#[test]
fn three_rules_over_short_paths_are_exact_or_reported() {
    let seen = check_world(&patterns(&["a", "{id}"], 2), 1..=3);
    assert!(seen.sets > 10_000 && seen.over_matched > 0 && seen.under_matched > 0, "{seen:?}");
    assert!(seen.idle * 10 < seen.reports, "{seen:?}");
}

#[test]
fn two_rules_over_longer_paths_with_claims_are_exact_or_reported() {
    let seen = check_world(&patterns(&["a", "{id}", "{claims.sub}"], 3), 1..=2);
    assert!(seen.sets > 10_000 && seen.over_matched > 0 && seen.under_matched > 0, "{seen:?}");
}
