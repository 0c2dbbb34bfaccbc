//! The proof that the policy that API Gateway caches decides as the rules do: for every caller that the rules tell
//! apart, and every route of the API that one of the function's authorizers decides about.

mod coverage;

use std::collections::{BTreeMap, BTreeSet};

use super::api::{Api, ApiRoute, Authorizer, AuthorizerKind};
use super::callers::{self, Caller, Callers};
use super::finding::Finding;
use super::instances::{Instance, Instances, Texts};
use super::relevance;
use super::supposed::{self, Choices, bound};
use crate::arn::MethodArn;
use crate::claims::ClaimPath;
use crate::config::Config;
use crate::credential::CredentialKind;
use crate::policy::{Compiler, Policy};
use crate::rules::{Bindings, Effect, Rule, Rules, Ruling, Standing};

/// What it takes to prove something of a route.
pub(super) struct Proof<'a> {
    api: &'a Api,
    compiler: Compiler,
    instances: Instances<'a>,
    issuers: Vec<&'a str>,
    kinds: Vec<CredentialKind>,
    /// The claims without which no token is taken.
    always_there: Vec<&'a ClaimPath>,
}

/// One difference between a policy and the rules.
struct Difference {
    is_open: bool,
    shown: String,
    caller: Caller,
    /// Whether the caller has a claim that may not stand in a policy, and a route is bound to it.
    has_unsafe: bool,
    /// The claims that the caller has not, of those to which routes are bound.
    lacking: Vec<String>,
    culprit: Option<String>,
}

/// What was found of a route.
#[derive(Default)]
struct Outcome {
    opened: Option<Difference>,
    closed: Option<Difference>,
    uncompiled: Option<String>,
}

/// Of so many combinations of claims all are tried, of few callers, or so many of many.
const MOST_SUPPOSED: usize = 256;
const LEAST_SUPPOSED: usize = 24;

/// Of so many other routes it is tried what becomes of this one when they are asked for first.
const MOST_ASKED: usize = 2;

/// What is to be said of the routes of the API.
pub(super) fn findings(config: &Config, api: &Api) -> Vec<Finding> {
    let mut found = coverage::unread(api);
    // Whoever is verified may invoke every route of the stage, and the policy says that exactly.
    let proof = Proof::new(config, api);
    if config.compiler.rules().is_silent() {
        let open = api.routes.iter().filter(|route| route.authorizer.is_none());
        found.extend(open.filter_map(|route| proof.unauthorized(route)));
        return found;
    }
    found.extend(proof.unmatched());
    // What bears on them, and how they are cached, is the same for the routes of a group.
    let mut groups: BTreeMap<(&str, &str, Vec<usize>), Vec<&ApiRoute>> = BTreeMap::new();
    for route in &api.routes {
        match api.authorizer(route) {
            None if route.authorizer.is_none() => found.extend(proof.unauthorized(route)),
            Some(authorizer) if authorizer.kind.is_lambda() => {
                found.extend(proof.unruled(route));
                let relevant = relevance::relevant(config.compiler.rules(), route);
                groups.entry((&authorizer.api, &authorizer.name, relevant)).or_default().push(route);
            }
            None | Some(_) => {}
        }
    }
    for ((_, _, relevant), routes) in groups {
        let authorizer = routes.first().and_then(|route| api.authorizer(route));
        found.extend(
            authorizer.map(|authorizer| proof.group(&relevant, authorizer, &routes)).unwrap_or_default(),
        );
    }
    found.sort();
    found.dedup();
    found
}

impl<'a> Proof<'a> {
    pub(super) fn new(config: &'a Config, api: &'a Api) -> Self {
        let instances = Instances::new(api, config.compiler.rules());
        let is_always_there = |claim: &&&ClaimPath| supposed::is_always_there(claim, config);
        Self {
            api,
            compiler: config.compiler.clone(),
            always_there: instances.claims.iter().filter(is_always_there).copied().collect(),
            instances,
            issuers: config.issuer_names(),
            kinds: config.credential_kinds(),
        }
    }

    /// Two paths of the route, with their methods, of which some caller may invoke the first and not the second: an odd
    /// one only where there is no other.
    pub(super) fn uneven(&self, route: &ApiRoute) -> Option<(Instance, Instance)> {
        let instances = self.instances.of(route);
        let asked = Instances::unnamed()?;
        let relevant = relevance::relevant(self.rules(), route);
        let (callers, texts) = (self.callers(&relevant), self.instances.texts(&relevant));
        let mut odd = None;
        for caller in &callers.all {
            for bindings in self.bindings(caller, &texts, MOST_SUPPOSED).0 {
                let standing = Standing { rules: caller.rules(), bindings };
                let Ok(policy) = self.compiler.compile(&standing, &asked) else { continue };
                let may = |instance: &&Instance| self.may(&policy, &standing, &instance.arn);
                let (open, mut closed): (Vec<_>, Vec<_>) = instances.iter().partition(may);
                closed.sort_by_key(|instance| instance.is_odd);
                match (open.first(), closed.first()) {
                    (Some(open), Some(closed)) if closed.is_odd => {
                        odd.get_or_insert_with(|| ((*open).clone(), (*closed).clone()));
                    }
                    (Some(open), Some(closed)) => return Some(((*open).clone(), (*closed).clone())),
                    (None, _) | (_, None) => {}
                }
            }
        }
        odd
    }

    fn rules(&self) -> &Rules {
        self.compiler.rules()
    }

    fn callers(&self, relevant: &[usize]) -> Callers {
        callers::callers(self.rules().as_slice(), relevant, &self.issuers, &self.kinds)
    }

    /// What becomes of the very request that is asked for: it is denied in so many words where the rules refuse it.
    fn may(&self, policy: &Policy, standing: &Standing<'_>, arn: &MethodArn) -> bool {
        matches!(self.rules().ruling(standing, arn), Ruling::Allowed(_))
            && policy.evaluate(arn) == Effect::Allow
    }

    /// What a caller may have for the claims that routes are bound to: something, nothing, what may not stand in a
    /// policy, and what the routes have as a text; for all claims alike, and for each by itself. Whether these are all.
    fn bindings(&self, caller: &Caller, texts: &Texts<'_>, most: usize) -> (Vec<Bindings<'a>>, bool) {
        let with = |text: &dyn Fn(&ClaimPath) -> Option<String>, has_unsafe: bool| {
            let bound = |claim: &'a ClaimPath| (claim, bound(text(claim).as_deref(), has_unsafe));
            Bindings::supposed(self.instances.claims.iter().map(|claim| bound(claim)).collect())
        };
        let (own, none) = (|claim: &ClaimPath| Some(self.instances.own(claim)), |_: &ClaimPath| None);
        // Bound to a claim or not, a rule that is not for the caller makes no difference.
        let applying = self.rules().as_slice().iter().zip(&caller.applies).filter(|(_, applies)| **applies);
        let claims: BTreeSet<&ClaimPath> =
            applying.flat_map(|(rule, _)| &rule.routes).flat_map(|route| route.claims()).collect();
        if !caller.has_credential || claims.is_empty() {
            return (vec![with(&none, false)], true);
        }
        let mut bindings = vec![with(&own, false), with(&none, false), with(&none, true), with(&own, true)];
        let called_alike = texts.all.iter().map(|text| with(&|_| Some((*text).to_owned()), false));
        bindings.extend(called_alike);
        if claims.len() < 2 {
            return (bindings, texts.is_complete);
        }
        let own_claims = self.instances.claims.iter().filter(|claim| claims.contains(**claim));
        let choices: Vec<_> = own_claims.map(|claim| self.choices(claim, texts)).collect();
        let (varied, is_complete) = supposed::varied(&choices, most);
        bindings.extend(varied);
        (bindings, is_complete && texts.is_complete)
    }

    fn choices(&self, claim: &'a ClaimPath, texts: &Texts<'_>) -> Choices<'a> {
        let own = self.instances.own(claim);
        let mut bounds = vec![bound(Some(&own), false), bound(Some(&own), true)];
        if !self.always_there.contains(&claim) {
            bounds.extend([bound(None, false), bound(None, true)]);
        }
        bounds.extend(texts.of(claim).map(|text| bound(Some(text), false)));
        (claim, bounds)
    }

    /// The routes whose callers are the same.
    fn group(&self, relevant: &[usize], authorizer: &Authorizer, routes: &[&ApiRoute]) -> Vec<Finding> {
        // A simple answer is no policy: whether it may be cached is a matter of the set-up.
        let is_replayed = authorizer.gateway.may_cache() && authorizer.kind != AuthorizerKind::HttpSimple;
        let asked = self.asked(authorizer, is_replayed);
        let (callers, texts) = (self.callers(relevant), self.instances.texts(relevant));
        let looked_at: Vec<(Vec<Instance>, &ApiRoute)> =
            routes.iter().map(|route| (self.instances.of(route), *route)).collect();
        let mut outcomes: Vec<Outcome> = routes.iter().map(|_| Outcome::default()).collect();
        let most = (MOST_SUPPOSED * 16).checked_div(callers.all.len()).unwrap_or_default();
        let mut is_varied = true;
        for caller in &callers.all {
            let (supposed, is_whole) =
                self.bindings(caller, &texts, most.clamp(LEAST_SUPPOSED, MOST_SUPPOSED));
            is_varied &= is_whole;
            for bindings in supposed {
                let standing = Standing { rules: caller.rules(), bindings };
                let allowed: Vec<Vec<bool>> =
                    looked_at.iter().map(|(instances, _)| self.allowed(instances, &standing)).collect();
                for asked in &asked {
                    match self.compiler.compile(&standing, asked) {
                        Ok(policy) => {
                            let case =
                                Case { proof: self, caller, standing: &standing, policy: &policy, asked };
                            let routes = looked_at.iter().zip(&allowed).zip(&mut outcomes);
                            for (((instances, _), allowed), outcome) in routes {
                                case.compare(instances.iter().zip(allowed), is_replayed, outcome);
                            }
                        }
                        Err(reason) => outcomes.iter_mut().for_each(|outcome| {
                            outcome.uncompiled.get_or_insert_with(|| reason.to_string());
                        }),
                    }
                }
            }
        }
        let found = routes.iter().zip(outcomes);
        found
            .flat_map(|(route, outcome)| self.told(route, outcome, (callers.is_complete, is_varied)))
            .collect()
    }

    /// Which of them the rules allow.
    fn allowed(&self, instances: &[Instance], standing: &Standing<'_>) -> Vec<bool> {
        let is_allowed = |arn| matches!(self.rules().ruling(standing, arn), Ruling::Allowed(_));
        instances.iter().map(|instance| is_allowed(&instance.arn)).collect()
    }

    /// What API Gateway may have asked for before: something that nobody names, and other routes.
    fn asked(&self, authorizer: &Authorizer, is_replayed: bool) -> Vec<MethodArn> {
        let routes = self
            .api
            .routes
            .iter()
            .filter(|route| self.api.authorizer(route).is_some_and(|own| own == authorizer));
        let first = |route: &ApiRoute| self.instances.of(route).into_iter().next();
        let others = routes.filter_map(first).map(|instance| instance.arn);
        Instances::unnamed()
            .into_iter()
            .chain(others.take(if is_replayed { MOST_ASKED } else { 0 }))
            .collect()
    }

    fn told(
        &self,
        route: &ApiRoute,
        outcome: Outcome,
        (is_complete, is_varied): (bool, bool),
    ) -> Vec<Finding> {
        let mut found = Vec::new();
        for difference in [outcome.opened, outcome.closed].into_iter().flatten() {
            found.push(self.difference(route, &difference));
        }
        if let Some(reason) = outcome.uncompiled {
            let message = format!("there is a caller who has no policy, and gets in nowhere: {reason}");
            let finding = Finding::warning("route_unproven", &route.place, message);
            found.push(finding.hint("shorter paths, or fewer routes for one caller"));
        } else if !is_complete {
            let message = "too many requirements bear on it to try all their combinations; every caller who meets up to three was tried";
            let finding = Finding::warning("route_unproven", &route.place, message);
            found.push(
                finding.hint(
                    "rules whose paths begin alike bear on one another: begin them with different texts",
                ),
            );
        } else if !is_varied {
            let message = "too many claims in routes, or texts that they may be called like, bear on it to try all their combinations; each claim was tried by itself, as far as that goes";
            let finding = Finding::note("route_unproven", &route.place, message);
            found.push(finding.hint("routes that are bound to claims bear on those whose paths begin alike"));
        }
        found
    }

    fn difference(&self, route: &ApiRoute, difference: &Difference) -> Finding {
        let Difference { is_open, shown, caller, has_unsafe, lacking, culprit } = difference;
        let who = match (self.applying(caller).as_slice(), caller.has_credential) {
            ([], true) => "a caller for whom no rule is".to_owned(),
            ([], false) => "a caller without a credential".to_owned(),
            ([only], _) => format!("a caller for whom only the rule `{only}` is"),
            (several, _) => format!("a caller for whom the rules `{}` are", several.join("`, `")),
        };
        let who = match has_unsafe {
            true => format!("{who}, and whose claim, to which a route is bound, may not stand in a policy"),
            false => who,
        };
        let who = match lacking.as_slice() {
            [] => who,
            claims => format!("{who}, and who has no {}", claims.join(" and no ")),
        };
        let by = culprit.as_ref().map(|name| format!("the rule `{name}`"));
        if *is_open {
            let by = by.unwrap_or_else(|| "these rules together".to_owned());
            let message = format!(
                "`{shown}` is open to {who}, and the rules refuse it: {by} opens it in the cached policy, where `*` takes slashes, too"
            );
            return Finding::error("route_opened", &route.place, message).hint(
                "name the route in a rule, and whoever that rule is not for is denied it; or take other texts before the `{…}`",
            );
        }
        let by = by.unwrap_or_else(|| "what is denied to keep other routes closed".to_owned());
        let message = format!(
            "`{shown}` is closed to {who}, and the rules allow it: {by} closes it in the policy as well"
        );
        Finding::error("route_closed", &route.place, message).hint(
            "let the paths that are to be told apart differ in a text of their own, not only behind a `{…}`",
        )
    }

    fn applying(&self, caller: &Caller) -> Vec<&str> {
        let rules = self.rules().as_slice().iter().zip(&caller.applies);
        rules
            .filter(|(rule, applies)| **applies && !rule.routes.is_empty())
            .map(|(rule, _)| rule.name.as_str())
            .collect()
    }

    /// Whether the rules open all of the route to callers without a credential.
    pub(super) fn is_public(&self, route: &ApiRoute) -> bool {
        let open = self.open_to_nobody(route);
        !open.is_empty() && open.into_iter().all(|is_open| is_open)
    }

    /// Whether the rules open some of it to them.
    pub(super) fn is_public_in_part(&self, route: &ApiRoute) -> bool {
        self.open_to_nobody(route).into_iter().any(|is_open| is_open)
    }

    /// Of each path of the route whether the rules open it to callers without a credential.
    fn open_to_nobody(&self, route: &ApiRoute) -> Vec<bool> {
        let nobody = callers::nobody(self.rules().as_slice());
        let standing = Standing { rules: nobody.rules(), bindings: Bindings::default() };
        let is_open =
            |instance: &Instance| matches!(self.rules().ruling(&standing, &instance.arn), Ruling::Allowed(_));
        let instances = self.instances.of(route);
        instances.iter().filter(|instance| !instance.is_odd).map(is_open).collect()
    }
}

/// One caller's policy, as it was made for one request.
struct Case<'a> {
    proof: &'a Proof<'a>,
    caller: &'a Caller,
    standing: &'a Standing<'a>,
    policy: &'a Policy,
    asked: &'a MethodArn,
}

impl Case<'_> {
    fn compare<'b>(
        &self,
        instances: impl Iterator<Item = (&'b Instance, &'b bool)>,
        is_replayed: bool,
        outcome: &mut Outcome,
    ) {
        for (instance, is_allowed) in instances {
            let is_open = self.policy.evaluate(&instance.arn) == Effect::Allow;
            // Asked for itself, what the rules refuse is denied.
            let slot = match (*is_allowed, is_open) {
                (false, true) if is_replayed => &mut outcome.opened,
                (true, false) => &mut outcome.closed,
                _ => continue,
            };
            if slot.is_none() {
                *slot = Some(Difference {
                    is_open,
                    shown: instance.shown.clone(),
                    caller: self.caller.clone(),
                    has_unsafe: self.standing.bindings.iter().any(|(_, bound)| bound.has_unsafe),
                    lacking: self.lacking(),
                    culprit: self.culprit(instance, is_open),
                });
            }
        }
    }

    fn lacking(&self) -> Vec<String> {
        let routes = self.proof.rules().applying(self.standing).flat_map(|rule| &rule.routes);
        let claims: BTreeSet<&ClaimPath> = routes.flat_map(|route| route.claims()).collect();
        let is_lacking = |claim: &&ClaimPath| {
            let bound = self.standing.bindings.of(claim);
            bound.values.is_empty() && !bound.has_unsafe
        };
        claims.into_iter().filter(is_lacking).map(|claim| format!("`{claim}`")).collect()
    }

    /// The rule without which it would not be so.
    fn culprit(&self, instance: &Instance, is_open: bool) -> Option<String> {
        let differs = |position: &usize| {
            let mut standing = self.standing.clone();
            standing.rules.retain(|other| other != position);
            let policy = self.proof.compiler.compile(&standing, self.asked).ok()?;
            let is_open_without = policy.evaluate(&instance.arn) == Effect::Allow;
            (is_open_without != is_open).then_some(*position)
        };
        let differing = self.standing.rules.iter().filter_map(differs);
        let found: Vec<&Rule> =
            differing.filter_map(|position| self.proof.rules().as_slice().get(position)).collect();
        // Without one that allows there may be nothing to close.
        let closes = |rule: &&&Rule| !is_open && rule.effect == Effect::Deny;
        found.iter().find(closes).or(found.first()).map(|rule| rule.name.clone())
    }
}

#[cfg(test)]
mod tests;
