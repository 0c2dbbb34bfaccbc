//! [`Plan`]: what can be known of the rules' paths before any caller asks: which cover which, which wildcards
//! open more than they say, and which Deny would close that without closing what somebody may be allowed.

use std::collections::{BTreeMap, BTreeSet};

use super::glob::{Glob, Instances, Piece};
use super::resources::Wording;
use crate::rules::{Effect, Methods, PathPattern, RoutePattern, Rules, Segment, Shape};

/// The paths of all rules, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// In order, so that the resources of a policy come nearly in theirs.
    pub(super) paths: Vec<PathPlan>,
    /// For each rule, its routes.
    pub(super) routes: Vec<Vec<PlannedRoute>>,
    /// The most segments that one of the paths has.
    pub(super) deepest: usize,
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
    pub(super) wording: Wording,
    /// The paths that contain it, without itself.
    pub(super) covered_by: Vec<usize>,
    /// What else its wildcards open; `None` where they do not.
    pub(super) spill: Option<Spill>,
    /// For a path without wildcards that is named with every method: what `*` for its method opens beside it.
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
    pub(super) wording: Wording,
    pub(super) hits: Vec<usize>,
}

impl Plan {
    pub(super) fn new(rules: &Rules) -> Self {
        let routes = rules.as_slice().iter().flat_map(|rule| &rule.routes);
        let patterns: BTreeSet<&PathPattern> = routes.filter_map(RoutePattern::path).collect();
        let positions: BTreeMap<_, _> = patterns.iter().copied().zip(0..).collect();
        let paths = patterns.into_iter().map(PathPlan::new).collect();
        let mut plan = Self { paths, ..Self::default() };
        let mut denied = BTreeSet::new();
        for rule in rules.as_slice() {
            let mut routes = Vec::new();
            for route in &rule.routes {
                let Shape::Path(methods, pattern) = route.shape() else {
                    routes.push(PlannedRoute::Connect);
                    continue;
                };
                let Some(position) = positions.get(pattern).copied() else { continue };
                match (rule.effect, plan.paths.get_mut(position)) {
                    (Effect::Allow, Some(path)) => path.named = path.named.or(*methods),
                    (Effect::Deny, _) => {
                        denied.insert(position);
                    }
                    (Effect::Allow, None) => {}
                }
                routes.push(PlannedRoute::Path(position, *methods));
            }
            plan.routes.push(routes);
        }
        plan.deepest = plan.paths.iter().map(|path| path.pattern.segments.len()).max().unwrap_or_default();
        let neighbours = Neighbours::new(&plan.paths);
        let relations: Vec<_> = plan
            .paths
            .iter()
            .enumerate()
            .map(|(position, path)| plan.related(path, denied.contains(&position), &neighbours))
            .collect();
        for (path, related) in plan.paths.iter_mut().zip(relations) {
            *path = related;
        }
        plan
    }

    fn related(&self, own: &PathPlan, is_denied: bool, neighbours: &Neighbours) -> PathPlan {
        let which = |start: Start<'_>, relation: &dyn Fn(&PathPlan) -> bool| -> Vec<usize> {
            let is_related = |other: &usize| self.paths.get(*other).is_some_and(relation);
            neighbours.of(start).filter(is_related).collect()
        };
        let start = Start::of(&own.pattern);
        let covered_by =
            which(start, &|other| other.pattern != own.pattern && other.pattern.covers(&own.pattern));
        let opened_by = match is_denied {
            true => which(start, &|other| other.wording.glob.meets(&own.pattern, Instances::All)),
            false => Vec::new(),
        };
        let closer = |glob: Glob, instances| {
            let hits = which(Start::of_glob(&glob), &|other| glob.meets(&other.pattern, instances));
            Closer { wording: Wording::new(glob), hits }
        };
        let stretched = Glob::stretched(&own.pattern);
        let spill = (!stretched.is_empty()).then(|| {
            Spill {
                by_depth: self.by_depth(own, |glob| closer(glob, Instances::All)),
                by_wildcard: stretched.into_iter().map(|glob| closer(glob, Instances::All)).collect(),
                // A route that is named and not allowed stays closed, even where that closes one that happens to
                // be called alike.
                named: which(start, &|other| {
                    !other.named.is_empty() && own.wording.glob.spills_onto(&other.pattern)
                })
                .into_iter()
                .filter_map(|other| Some((other, self.paths.get(other)?)))
                .map(|(other, path)| (other, closer(Glob::for_everybody(&path.pattern), Instances::Fresh)))
                .collect(),
            }
        });
        let behind_others = Some(&own.pattern)
            .filter(|_| own.named == Methods::ANY)
            .and_then(Glob::behind_others)
            .map(|glob| closer(glob, Instances::All));
        PathPlan { covered_by, spill, behind_others, opened_by, ..own.clone() }
    }

    fn by_depth(&self, own: &PathPlan, closer: impl Fn(Glob) -> Closer) -> Vec<Closer> {
        if own.pattern.is_open {
            return Vec::new();
        }
        let mut closers = Vec::new();
        for depth in own.pattern.segments.len()..=self.deepest {
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
            wording: Wording::new(Glob::of(pattern)),
            covered_by: Vec::new(),
            spill: None,
            behind_others: None,
            opened_by: Vec::new(),
        }
    }
}

/// How a path begins: paths that begin with different texts have nothing to do with each other, which spares comparing each
/// with each.
#[derive(Clone, Copy)]
enum Start<'a> {
    Literal(&'a str),
    Anything,
}

impl<'a> Start<'a> {
    fn of(pattern: &'a PathPattern) -> Self {
        match pattern.segments.first() {
            Some(Segment::Literal(text)) => Self::Literal(text),
            Some(Segment::Any | Segment::Claim(_)) | None => Self::Anything,
        }
    }

    fn of_glob(Glob(pieces): &'a Glob) -> Self {
        match pieces.first() {
            Some(Piece::Literal(text)) => Self::Literal(text),
            Some(Piece::Claim(_) | Piece::Capture | Piece::Rest) | None => Self::Anything,
        }
    }
}

/// The positions of paths, by how they begin.
struct Neighbours {
    by_literal: BTreeMap<String, Vec<usize>>,
    others: Vec<usize>,
    count: usize,
}

impl Neighbours {
    fn new(paths: &[PathPlan]) -> Self {
        let mut neighbours = Self { by_literal: BTreeMap::new(), others: Vec::new(), count: paths.len() };
        for (position, path) in paths.iter().enumerate() {
            match Start::of(&path.pattern) {
                Start::Literal(text) => {
                    neighbours.by_literal.entry(text.to_owned()).or_default().push(position)
                }
                Start::Anything => neighbours.others.push(position),
            }
        }
        neighbours
    }

    /// Those that may have a path in common with one that begins so.
    fn of(&self, start: Start<'_>) -> impl Iterator<Item = usize> {
        let (literal, others, all) = match start {
            Start::Literal(text) => {
                (self.by_literal.get(text).map_or(&[][..], Vec::as_slice), self.others.as_slice(), 0..0)
            }
            Start::Anything => (&[][..], &[][..], 0..self.count),
        };
        literal.iter().chain(others).copied().chain(all)
    }
}
