//! [`Plan`]: what can be known of the rules' paths before any caller asks: which cover which, which wildcards
//! open more than they say, and which Deny would close that without closing what somebody may be allowed.

use std::collections::BTreeMap;

use super::glob::{Glob, Instances};
use crate::rules::{Effect, Methods, PathPattern, Rules, Shape};

/// The paths of all rules, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) paths: Vec<PathPlan>,
    /// For each rule, its routes.
    pub(super) routes: Vec<Vec<PlannedRoute>>,
}

/// A route of a rule.
#[derive(Clone, Copy, Debug)]
pub(super) enum PlannedRoute {
    /// `$connect`.
    Connect,
    /// A path of the plan, by its position.
    Path(usize, Methods),
}

/// One path, and how it stands to the others, by their positions.
#[derive(Clone, Debug)]
pub(super) struct PathPlan {
    pub(super) pattern: PathPattern,
    /// The methods with which some rule that allows names it.
    pub(super) named: Methods,
    /// What a policy names for it.
    pub(super) glob: Glob,
    /// The paths that contain it, without itself.
    pub(super) covered_by: Vec<usize>,
    /// What else its wildcards open; `None` where they do not.
    pub(super) spill: Option<Spill>,
    /// For a path without wildcards: what `*` for its method opens beside it.
    pub(super) behind_others: Option<Closer>,
    /// For a path that a rule denies: the paths of which a policy would open some of it.
    pub(super) opened_by: Vec<usize>,
}

/// What a path's wildcards open beside it.
#[derive(Clone, Debug)]
pub(super) struct Spill {
    /// From the best on: closes all, or all from some depth on.
    pub(super) by_depth: Vec<Closer>,
    /// Together they close all.
    pub(super) by_wildcard: Vec<Closer>,
    /// Named paths among it, each with what closes it.
    pub(super) named: Vec<(usize, Closer)>,
}

/// A Deny that closes a gap, and the paths that it would hit.
#[derive(Clone, Debug)]
pub(super) struct Closer {
    pub(super) glob: Glob,
    pub(super) hits: Vec<usize>,
}

impl Plan {
    pub(super) fn new(rules: &Rules) -> Self {
        let mut plan = Self::default();
        let mut positions: BTreeMap<&PathPattern, usize> = BTreeMap::new();
        let mut denied = Vec::new();
        for rule in rules.as_slice() {
            let mut routes = Vec::new();
            for route in &rule.routes {
                let Shape::Path(methods, pattern) = route.shape() else {
                    routes.push(PlannedRoute::Connect);
                    continue;
                };
                let position = *positions.entry(pattern).or_insert_with(|| {
                    plan.paths.push(PathPlan::new(pattern));
                    plan.paths.len() - 1
                });
                match (rule.effect, plan.paths.get_mut(position)) {
                    (Effect::Allow, Some(path)) => path.named = path.named.or(*methods),
                    (Effect::Deny, _) => denied.push(position),
                    (Effect::Allow, None) => {}
                }
                routes.push(PlannedRoute::Path(position, *methods));
            }
            plan.routes.push(routes);
        }
        let relations: Vec<_> = plan
            .paths
            .iter()
            .enumerate()
            .map(|(position, path)| plan.related(path, denied.contains(&position)))
            .collect();
        for (path, related) in plan.paths.iter_mut().zip(relations) {
            *path = related;
        }
        plan
    }

    fn related(&self, own: &PathPlan, is_denied: bool) -> PathPlan {
        let which = |relation: &dyn Fn(&PathPlan) -> bool| -> Vec<usize> {
            self.paths
                .iter()
                .enumerate()
                .filter(|(_, other)| relation(other))
                .map(|(other, _)| other)
                .collect()
        };
        let covered_by = which(&|other| other.pattern != own.pattern && other.pattern.covers(&own.pattern));
        let opened_by = match is_denied {
            true => which(&|other| other.glob.meets(&own.pattern, Instances::All)),
            false => Vec::new(),
        };
        let closer = |glob: Glob, instances| {
            let hits = which(&|other| glob.meets(&other.pattern, instances));
            Closer { glob, hits }
        };
        let stretched = Glob::stretched(&own.pattern);
        let spill = (!stretched.is_empty()).then(|| {
            Spill {
                by_depth: self.by_depth(own, |glob| closer(glob, Instances::All)),
                by_wildcard: stretched.into_iter().map(|glob| closer(glob, Instances::All)).collect(),
                // A route that is named and not allowed stays closed, even where that closes one that happens to
                // be called alike.
                named: which(&|other| !other.named.is_empty() && own.glob.spills_onto(&other.pattern))
                    .into_iter()
                    .filter_map(|other| Some((other, self.paths.get(other)?)))
                    .map(|(other, path)| {
                        (other, closer(Glob::for_everybody(&path.pattern), Instances::Fresh))
                    })
                    .collect(),
            }
        });
        let behind_others = Glob::behind_others(&own.pattern).map(|glob| closer(glob, Instances::All));
        PathPlan { covered_by, spill, behind_others, opened_by, ..own.clone() }
    }

    fn by_depth(&self, own: &PathPlan, closer: impl Fn(Glob) -> Closer) -> Vec<Closer> {
        if own.pattern.is_open {
            return Vec::new();
        }
        let deepest = self.paths.iter().map(|path| path.pattern.segments.len()).max().unwrap_or_default();
        let mut closers = Vec::new();
        for depth in own.pattern.segments.len()..=deepest {
            let next = closer(Glob::deeper_than(&own.pattern, depth));
            let is_free = next.hits.is_empty();
            closers.push(next);
            if is_free {
                break;
            }
        }
        closers
    }
}

impl PathPlan {
    fn new(pattern: &PathPattern) -> Self {
        Self {
            pattern: pattern.clone(),
            named: Methods::NONE,
            glob: Glob::of(pattern),
            covered_by: Vec::new(),
            spill: None,
            behind_others: None,
            opened_by: Vec::new(),
        }
    }
}
