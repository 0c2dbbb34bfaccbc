//! [`Inexact`]: where a policy differs from the rules, because IAM cannot say what they say.

use super::compiler::Draft;
use super::glob::{Glob, Instances, Piece};
use super::plan::{Closer, PathPlan, Plan, Spill};
use super::resources::{Resources, Wording};
use crate::arn::{ArnPattern, MethodArn};
use crate::rules::{Bindings, Methods, PathPattern};

/// One difference between a policy and the rules that it was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inexact<'a> {
    /// Whether the policy opens what no rule allows, or closes what one allows.
    pub direction: Direction,
    /// The methods with which it does.
    pub methods: Methods,
    /// The path whose wildcards are to blame.
    pub path: &'a PathPattern,
    /// The open paths that stand in the way of an exact policy, or that are closed in part.
    pub because_of: Vec<&'a PathPattern>,
    /// What stands behind the stage in the resources.
    patterns: Vec<String>,
}

/// To which side a policy differs from the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It opens deeper paths than the path's, which no rule names.
    Opens,
    /// It closes paths that happen to be called like the path, or that are deeper than it.
    Closes,
}

impl Inexact<'_> {
    /// Whether the route may be open although no rule allows it.
    #[must_use]
    pub fn opens(&self, arn: &MethodArn) -> bool {
        self.direction == Direction::Opens && self.is_about(arn)
    }

    /// Whether the route may be closed although a rule allows it.
    #[must_use]
    pub fn closes(&self, arn: &MethodArn) -> bool {
        self.direction == Direction::Closes && self.is_about(arn)
    }

    fn is_about(&self, arn: &MethodArn) -> bool {
        let target = arn.as_str().strip_prefix(arn.stage_prefix()).unwrap_or(arn.as_str());
        self.patterns.iter().any(|pattern| ArnPattern::new(pattern).matches(target))
    }
}

pub(super) fn of<'a>(plan: &'a Plan, draft: &Draft<'_>, bindings: &Bindings<'_>) -> Vec<Inexact<'a>> {
    let mut found = Vec::new();
    for (position, path) in plan.paths.iter().enumerate() {
        let kept = draft.kept(position);
        if let Some(spill) = path.spill.as_ref().filter(|_| !kept.is_empty()) {
            let gap = draft.gap(kept, spill);
            let opened = opened(plan, draft, path, spill, gap);
            if !opened.is_empty() {
                let in_the_way = spill.by_depth.first().into_iter().chain(&spill.by_wildcard);
                let mut because_of: Vec<_> =
                    in_the_way.flat_map(|closer| open_of(plan, draft, &closer.hits, opened)).collect();
                because_of.sort_unstable();
                because_of.dedup();
                let patterns = patterns(&path.wording, opened, bindings);
                found.push(Inexact {
                    direction: Direction::Opens,
                    methods: opened,
                    path: &path.pattern,
                    because_of,
                    patterns,
                });
            }
            for (position, closer, methods) in draft.named_closers(gap, spill) {
                let Some(named) = plan.paths.get(position) else { continue };
                let is_hit = |open: &PathPattern| closer.wording.glob.meets(open, Instances::All);
                let closed = (&closer.wording, methods);
                found.extend(closing(plan, draft, &named.pattern, closed, bindings, is_hit));
            }
        }
        // A value that may not stand in a policy is a wildcard there.
        let is_wild = |piece: &Piece| matches!(piece, Piece::Claim(claim) if bindings.of(claim).has_unsafe);
        let widened = path.wording.glob.0.iter().any(is_wild).then(|| Glob::for_everybody(&path.pattern));
        let closed = widened.as_ref().unwrap_or(&path.wording.glob);
        // That the path is closed is meant; what its wildcards close beyond it is not.
        let is_hit = |open: &PathPattern| closed.spills_onto(open);
        let denied = draft.denied_of_open(position);
        found.extend(closing(plan, draft, &path.pattern, (&path.wording, denied), bindings, is_hit));
    }
    found.sort_by(|left, right| (left.path, left.methods).cmp(&(right.path, right.methods)));
    found.dedup();
    found
}

/// The methods of a gap with which it opens something that no rule does: what it opens may be open anyway.
fn opened(plan: &Plan, draft: &Draft<'_>, path: &PathPlan, spill: &Spill, gap: Methods) -> Methods {
    let opens = |method: &Methods| {
        let closes = |closer: &Closer| draft.usable(*method, closer) == *method;
        let most = spill.by_depth.iter().position(closes).unwrap_or(plan.deepest + 1);
        let wildcards = spill.by_wildcard.iter().enumerate();
        let stretchable: Vec<usize> =
            wildcards.filter(|(_, closer)| !closes(closer)).map(|(capture, _)| capture).collect();
        let Some(excess) = Glob::excess(&path.pattern, &stretchable, most) else { return true };
        let everything: Vec<usize> = (0..plan.paths.len()).collect();
        let open: Vec<_> = open_of(plan, draft, &everything, *method).collect();
        let denied: Vec<_> = denied_of(plan, draft, *method).collect();
        let named: Vec<_> =
            draft.named_closers(*method, spill).filter(|(.., closed)| closed == method).collect();
        excess.iter().any(|excess| {
            let is_settled = |path: &&PathPattern| **path == *excess || path.covers(excess);
            !open.iter().chain(&denied).any(is_settled)
                && !named.iter().any(|(_, closer, _)| closer.wording.glob.names_all(excess))
        })
    };
    gap.each().filter(opens).fold(Methods::NONE, Methods::or)
}

/// What a Deny closes of open paths.
fn closing<'a>(
    plan: &'a Plan,
    draft: &Draft<'_>,
    path: &'a PathPattern,
    (wording, methods): (&Wording, Methods),
    bindings: &Bindings<'_>,
    is_hit: impl Fn(&PathPattern) -> bool,
) -> Option<Inexact<'a>> {
    if methods.is_empty() {
        return None;
    }
    let everything: Vec<usize> = (0..plan.paths.len()).collect();
    let because_of: Vec<_> =
        open_of(plan, draft, &everything, methods).filter(|open| *open != path && is_hit(open)).collect();
    (!because_of.is_empty()).then(|| {
        let patterns = patterns(wording, methods, bindings);
        Inexact { direction: Direction::Closes, methods, path, because_of, patterns }
    })
}

fn open_of<'a>(
    plan: &'a Plan,
    draft: &Draft<'_>,
    positions: &[usize],
    methods: Methods,
) -> impl Iterator<Item = &'a PathPattern> {
    let is_open =
        |position: &&usize| draft.open.get(**position).is_some_and(|open| !open.and(methods).is_empty());
    let open: Vec<_> =
        positions.iter().filter(is_open).filter_map(|position| plan.paths.get(*position)).collect();
    open.into_iter().map(|path| &path.pattern)
}

/// The paths that rules deny. One that is bound to a claim may still be none at all.
fn denied_of<'a>(
    plan: &'a Plan,
    draft: &Draft<'_>,
    method: Methods,
) -> impl Iterator<Item = &'a PathPattern> {
    let is_denied = |denied: &Methods| denied.and(method) == method;
    let denied: Vec<_> =
        plan.paths.iter().zip(&draft.denied).filter(|(_, denied)| is_denied(denied)).collect();
    denied.into_iter().map(|(path, _)| &path.pattern)
}

/// What stands behind the stage in the resources; where there are too many, everything.
fn patterns(wording: &Wording, methods: Methods, bindings: &Bindings<'_>) -> Vec<String> {
    let mut resources = Resources::new("");
    match resources.add_superset(wording, methods, bindings) {
        Ok(()) => resources.into_list().iter().map(|pattern| pattern.as_str().to_owned()).collect(),
        Err(_) => vec!["*".to_owned()],
    }
}
