//! [`Compiler`]: from the rules, and one caller, to the [`Policy`] of that caller.

use super::glob::{Glob, Piece};
use super::inexact::{self, Inexact};
use super::plan::{Closer, PathPlan, Plan, PlannedRoute, Spill};
use super::resources::{self, LARGEST_REFUSAL, Resources};
use super::verbs::Verbs;
use super::{Policy, Statement};
use crate::arn::MethodArn;
use crate::error::Reason;
use crate::rules::{Bindings, Effect, Methods, ODD_PATHS, ODD_ROOT, Rules, Ruling, Standing};

/// Makes policies of rules. What does not depend on the caller is worked out once, here.
#[derive(Clone, Debug)]
pub struct Compiler {
    rules: Rules,
    plan: Plan,
}

impl Compiler {
    /// A compiler of these rules.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { plan: Plan::new(&rules), rules }
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What the rules grant one who stands to them so, on the stage of `arn`; everything on that stage where
    /// there are no rules. When they do not grant `arn` itself, the policy denies it in so many words, and stays right
    /// for every other route on which API Gateway replays it.
    ///
    /// # Errors
    ///
    /// Why API Gateway would not take the policy. It is never shortened: that would be another policy.
    pub fn compile(&self, standing: &Standing<'_>, arn: &MethodArn) -> Result<Policy, Reason> {
        self.decide(standing, arn).map(|(policy, _)| policy)
    }

    /// As [`compile`](Self::compile), with what the rules say of `arn`.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn decide(&self, standing: &Standing<'_>, arn: &MethodArn) -> Result<(Policy, Ruling<'_>), Reason> {
        let ruling = self.rules.ruling(standing, arn);
        let policy = match ruling {
            Ruling::Unruled => Policy::of_stage(arn),
            Ruling::Allowed(_) => self.granted(standing, arn.stage_prefix())?,
            Ruling::Refused(_) => self.granted(standing, arn.stage_prefix())?.refusing(arn),
        };
        Ok((policy, ruling))
    }

    /// Where the policy of one who stands to the rules so differs from the rules, because IAM cannot say what they say.
    #[must_use]
    pub fn inexact(&self, standing: &Standing<'_>) -> Vec<Inexact<'_>> {
        inexact::of(&self.plan, &Draft::new(&self.plan, &self.rules, standing), &standing.bindings)
    }

    pub(super) fn granted<'a>(
        &'a self,
        standing: &Standing<'_>,
        stage_prefix: &'a str,
    ) -> Result<Policy, Reason> {
        let mut allowed = Resources::new(stage_prefix);
        let mut denied = Resources::new(stage_prefix);
        self.write(standing, &mut allowed, &mut denied)?;
        if allowed.is_empty() {
            return Ok(Policy::deny_everything());
        }
        resources::check_size(&[&allowed, &denied])?;
        let mut statements = vec![Statement { effect: Effect::Allow, resources: allowed.into_list() }];
        if !denied.is_empty() {
            statements.push(Statement { effect: Effect::Deny, resources: denied.into_list() });
        }
        Ok(Policy { statements, room: LARGEST_REFUSAL })
    }

    /// Writes the resources of both statements.
    pub(super) fn write<'a>(
        &'a self,
        standing: &Standing<'_>,
        allowed: &mut Resources<'a>,
        denied: &mut Resources<'a>,
    ) -> Result<(), Reason> {
        let draft = Draft::new(&self.plan, &self.rules, standing);
        let mut has_wildcards = false;
        let opens_connect = draft.opens_connect && !draft.closes_connect;
        let mut opens_everything = false;
        for (position, path) in draft.opened() {
            let kept = draft.kept(position);
            if kept.is_empty() {
                continue;
            }
            if let Some(closer) = draft.closes_any_method(kept, path.behind_others.as_ref()) {
                allowed.add_any_method(&path.wording, &standing.bindings)?;
                denied.add_any_method(&closer.wording, &standing.bindings)?;
                continue;
            }
            has_wildcards |= path.wording.glob.has_wildcards();
            opens_everything |= allowed.add(&path.wording, kept, &standing.bindings)?;
            if matches!(path.wording.glob.0.as_slice(), [Piece::Capture]) {
                denied.add_odd_root(kept.without(draft.root()))?;
            }
            if let Some(spill) = &path.spill {
                draft.close(kept, spill, |closer, methods| {
                    denied.add(&closer.wording, methods, &standing.bindings).map(drop)
                })?;
            }
        }
        for (position, path) in draft.closed() {
            let methods = draft.denied_of_open(position);
            denied.add_superset(&path.wording, methods, &standing.bindings)?;
        }
        match (opens_connect, opens_everything) {
            (true, false) => allowed.push(Verbs::CONNECT, "")?,
            (false, true) => denied.push(Verbs::CONNECT, "")?,
            (true, true) | (false, false) => {}
        }
        let is_opened = |odd: &&str| has_wildcards || (*odd == ODD_ROOT && allowed.has_four_letter_window());
        let odd = ODD_PATHS.into_iter().filter(is_opened);
        denied.add_any_method_first(odd.map(|odd| odd.strip_prefix('*').unwrap_or(odd)))?;
        allowed.finish();
        denied.finish();
        Ok(())
    }
}

/// Which paths are open for one caller, and with which methods, by position.
pub(super) struct Draft<'a> {
    plan: &'a Plan,
    /// What rules that apply open, and none that applies closes altogether.
    pub(super) open: Vec<Methods>,
    pub(super) denied: Vec<Methods>,
    /// The positions that are not empty in them, in order: of many paths, few are a caller's.
    opened: Vec<usize>,
    closed: Vec<usize>,
    opens_connect: bool,
    closes_connect: bool,
}

impl<'a> Draft<'a> {
    fn new(plan: &'a Plan, rules: &Rules, standing: &Standing<'_>) -> Self {
        let nothing = vec![Methods::NONE; plan.paths.len()];
        let mut draft = Self {
            plan,
            open: nothing.clone(),
            denied: nothing,
            opened: Vec::with_capacity(standing.rules.len()),
            closed: Vec::new(),
            opens_connect: false,
            closes_connect: false,
        };
        let of_rule =
            |position: &usize| Some((plan.routes.get(*position)?, rules.as_slice().get(*position)?.effect));
        for (routes, effect) in standing.rules.iter().filter_map(of_rule) {
            for route in routes {
                match (effect, *route) {
                    (Effect::Allow, PlannedRoute::Connect) => draft.opens_connect = true,
                    (Effect::Deny, PlannedRoute::Connect) => draft.closes_connect = true,
                    (Effect::Allow, PlannedRoute::Path(position, methods)) => {
                        draft.opens(position, methods, &standing.bindings)
                    }
                    (Effect::Deny, PlannedRoute::Path(position, methods)) => draft.closes(position, methods),
                }
            }
        }
        for positions in [&mut draft.opened, &mut draft.closed] {
            positions.sort_unstable();
            positions.dedup();
        }
        if draft.closed.is_empty() {
            return draft;
        }
        for (position, path) in paths_at(plan, &draft.opened) {
            let closing =
                |closed: &(usize, &PathPlan)| closed.1.pattern.covers_for(&path.pattern, &standing.bindings);
            let closed = paths_at(plan, &draft.closed).filter(closing);
            let methods = closed.fold(Methods::NONE, |all, (closed, _)| all.or(of(&draft.denied, closed)));
            if let Some(open) = draft.open.get_mut(position) {
                *open = open.without(methods);
            }
        }
        draft
    }

    fn opened(&self) -> impl Iterator<Item = (usize, &'a PathPlan)> {
        paths_at(self.plan, &self.opened)
    }

    fn closed(&self) -> impl Iterator<Item = (usize, &'a PathPlan)> {
        paths_at(self.plan, &self.closed)
    }

    fn closes(&mut self, position: usize, methods: Methods) {
        if let Some(denied) = self.denied.get_mut(position) {
            *denied = denied.or(methods);
            self.closed.push(position);
        }
    }

    /// A path that is bound to a claim opens nothing for a caller without it.
    fn opens(&mut self, position: usize, methods: Methods, bindings: &Bindings<'_>) {
        let Some(path) = self.plan.paths.get(position) else { return };
        let is_bound = |piece: &Piece| match piece {
            Piece::Claim(claim) => !bindings.of(claim).values.is_empty(),
            Piece::Literal(_) | Piece::Capture | Piece::Rest => true,
        };
        let has_values = || !path.wording.is_bound() || path.wording.glob.0.iter().all(is_bound);
        if let Some(open) = self.open.get_mut(position).filter(|_| has_values()) {
            *open = open.or(methods);
            self.opened.push(position);
        }
    }

    /// The methods with which the root is open.
    fn root(&self) -> Methods {
        let roots = self.opened().filter(|(_, path)| path.pattern.segments.is_empty());
        roots.fold(Methods::NONE, |all, (position, _)| all.or(of(&self.open, position)))
    }

    /// The methods of a path that no wider path opens as well.
    pub(super) fn kept(&self, position: usize) -> Methods {
        match of(&self.open, position) {
            Methods::NONE => Methods::NONE,
            open => open.without(self.covering(&self.open, position)),
        }
    }

    /// The methods of a denied path with which a policy would open some of it.
    pub(super) fn denied_of_open(&self, position: usize) -> Methods {
        let Some(path) = self.plan.paths.get(position) else { return Methods::NONE };
        of(&self.denied, position)
            .without(self.covering(&self.denied, position))
            .and(any_of(&self.open, &path.opened_by))
    }

    fn covering(&self, methods: &[Methods], position: usize) -> Methods {
        self.plan.paths.get(position).map(|path| any_of(methods, &path.covered_by)).unwrap_or_default()
    }

    fn or_covering(&self, methods: &[Methods], position: usize) -> Methods {
        of(methods, position).or(self.covering(methods, position))
    }

    /// The methods with which the closer closes nothing that is open.
    pub(super) fn usable(&self, methods: Methods, closer: &Closer) -> Methods {
        methods.without(any_of(&self.open, &closer.hits))
    }

    /// What makes `*` an exact way to say every method: it crosses slashes, too, and would open the path behind others.
    fn closes_any_method<'b>(&self, kept: Methods, behind_others: Option<&'b Closer>) -> Option<&'b Closer> {
        behind_others.filter(|closer| kept == Methods::ANY && any_of(&self.open, &closer.hits).is_empty())
    }

    /// The methods for which neither depth nor wildcards close all of a spill.
    pub(super) fn gap(&self, kept: Methods, spill: &Spill) -> Methods {
        let by_depth = spill.by_depth.first().map(|best| self.usable(kept, best)).unwrap_or_default();
        let by_wildcard = spill.by_wildcard.iter().fold(kept, |methods, closer| self.usable(methods, closer));
        kept.without(by_depth).without(by_wildcard)
    }

    /// Calls `close` with what closes a spill, as far as that is possible.
    fn close<'b>(
        &self,
        kept: Methods,
        spill: &'b Spill,
        mut close: impl FnMut(&'b Closer, Methods) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        let mut rest = kept;
        for closer in &spill.by_depth {
            let methods = self.usable(rest, closer);
            close(closer, methods)?;
            rest = rest.without(methods);
        }
        let best = spill.by_depth.first().map(|best| self.usable(kept, best)).unwrap_or_default();
        for closer in &spill.by_wildcard {
            close(closer, self.usable(kept.without(best), closer))?;
        }
        let mut named = self.named_closers(self.gap(kept, spill), spill);
        named.try_for_each(|(_, closer, methods)| close(closer, methods))
    }

    /// What closes the named and not open paths of a spill, for the methods with which it has a gap.
    pub(super) fn named_closers<'b>(
        &self,
        gap: Methods,
        spill: &'b Spill,
    ) -> impl Iterator<Item = (usize, &'b Closer, Methods)> {
        let named = if gap.is_empty() { &[] } else { spill.named.as_slice() };
        named.iter().filter_map(move |(position, closer)| {
            let path = self.plan.paths.get(*position)?;
            let closed = path.named.and(gap).without(self.or_covering(&self.open, *position));
            Some((*position, closer, self.usable(closed, closer)))
        })
    }
}

fn paths_at<'a>(plan: &'a Plan, positions: &[usize]) -> impl Iterator<Item = (usize, &'a PathPlan)> {
    positions.iter().filter_map(|position| Some((*position, plan.paths.get(*position)?)))
}

fn of(methods: &[Methods], position: usize) -> Methods {
    methods.get(position).copied().unwrap_or_default()
}

fn any_of(methods: &[Methods], positions: &[usize]) -> Methods {
    positions.iter().fold(Methods::NONE, |all, position| all.or(of(methods, *position)))
}

impl Glob {
    fn has_wildcards(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Capture | Piece::Rest))
    }
}
