//! Stage 5: who may call what.
//!
//! A rule sees the caller, the route, and what the configuration says is an identity source, and nothing else: the
//! answer is cached for the caller's identity sources and replayed on other routes, so nothing else may matter.

mod address;
mod binding;
mod context_key;
mod index;
mod logic;
mod method;
mod parameter;
mod path;
mod pattern;
mod requirement;
mod route;
mod starts;

use std::fmt;

use serde_json::Value;

use crate::arn::MethodArn;
use crate::claims::ClaimPath;
use crate::error::Reason;
pub use address::{AddressError, AddressRange};
pub use binding::{Bindings, Bound, SafeText};
pub use context_key::{ContextKey, ContextKeyError};
use index::Index;
pub use method::Methods;
pub use parameter::Parameter;
use path::Asked;
pub use path::{ODD_PATHS, ODD_ROOT};
pub use pattern::{PathPattern, Segment};
use requirement::Known;
pub use requirement::{Caller, Requirement, Test, Verdict};
pub use route::{RouteError, RoutePattern, Shape};
use starts::Starts;

/// Of the rules that a caller does not meet, so many are named.
const MOST_NAMES: usize = 3;

/// Yes or no. There is no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The caller may.
    Allow,
    /// The caller may not.
    Deny,
}

/// The configured rules. Without any that names routes, a verified caller may invoke the whole stage; with
/// any, what no rule allows is denied. A rule that denies wins over all that allow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    rules: Vec<Rule>,
    /// The claims that routes are bound to, each once.
    claims: Vec<ClaimPath>,
    index: Index,
    starts: Starts,
    names_routes: bool,
}

/// One rule: these routes for callers who meet this requirement.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What the operator calls it.
    pub name: String,
    /// Whether it opens its routes or closes them.
    pub effect: Effect,
    /// The routes. A rule without any says something about its callers only.
    pub routes: Vec<RoutePattern>,
    /// Which callers it is for.
    pub requirement: Requirement,
    /// The stages that it is for; none for all.
    pub stages: Vec<String>,
    /// The IDs of the APIs that it is for; none for all.
    pub apis: Vec<String>,
    /// What backends are told about its callers, on whatever route.
    pub context: Vec<(ContextKey, Value)>,
    /// The API key that its callers use up.
    pub usage_identifier_key: Option<ApiKey>,
}

/// The value of an API key. It is a secret, and does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// A key of this value.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for the answer.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(…)")
    }
}

/// How one caller stands to the rules on one stage: which are for this caller, and with what values.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing<'a> {
    /// The rules that are for this caller, by position, in their order. One that cannot be decided is when it denies.
    pub rules: Vec<usize>,
    /// The caller's values for the claims that routes are bound to.
    pub bindings: Bindings<'a>,
}

/// What the rules say of one route, and which of them says it.
#[derive(Clone, Debug, PartialEq)]
pub enum Ruling<'a> {
    /// There are no rules, and a verified caller.
    Unruled,
    /// This rule allows it, and none denies it.
    Allowed(&'a Rule),
    /// It is not allowed.
    Refused(Reason),
}

impl Rules {
    /// These rules.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        let mut claims: Vec<ClaimPath> = Vec::new();
        for claim in rules.iter().flat_map(|rule| &rule.routes).flat_map(RoutePattern::claims) {
            if !claims.contains(claim) {
                claims.push(claim.clone());
            }
        }
        let names_routes = rules.iter().any(|rule| !rule.routes.is_empty());
        Self { index: Index::new(&rules), starts: Starts::new(&rules), rules, claims, names_routes }
    }

    /// The rules, in their order.
    #[must_use]
    pub fn as_slice(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether no rule names a route.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        !self.names_routes
    }

    /// Whether there may be a route for callers without a credential.
    #[must_use]
    pub fn has_public(&self) -> bool {
        let opens = |rule: &&Rule| rule.effect == Effect::Allow && !rule.routes.is_empty();
        self.rules.iter().filter(opens).any(Rule::is_public)
    }

    /// How the caller stands to the rules on the stage of `arn`.
    #[must_use]
    pub fn standing(&self, caller: &Caller<'_>, arn: &MethodArn) -> Standing<'_> {
        if self.rules.is_empty() {
            return Standing { rules: Vec::new(), bindings: Bindings::default() };
        }
        let (api, stage) = (arn.api(), arn.stage());
        let known = Known::new(caller);
        let applies = |position: &usize| {
            self.rules.get(*position).is_some_and(|rule| rule.is_on(api, stage) && rule.is_for(&known))
        };
        let mut rules = self.index.candidates(&known);
        rules.retain(applies);
        Standing { rules, bindings: Bindings::new(self.claims.iter(), caller.claims()) }
    }

    /// What the rules themselves say of the route, for one who stands to them so.
    #[must_use]
    pub fn ruling(&self, standing: &Standing<'_>, arn: &MethodArn) -> Ruling<'_> {
        if self.is_silent() {
            return Ruling::Unruled;
        }
        let bindings = &standing.bindings;
        let of = |effect| self.applying(standing).filter(move |rule| rule.effect == effect);
        let asked = Asked::new(arn);
        let closes = |rule: &&Rule| rule.routes.iter().any(|route| route.may_match(&asked, bindings));
        if let Some(rule) = of(Effect::Deny).find(closes) {
            return Ruling::Refused(Reason::RouteDenied { rule: rule.name.clone() });
        }
        let opens = |rule: &&Rule| rule.routes.iter().any(|route| route.matches(&asked, bindings));
        match of(Effect::Allow).find(opens) {
            Some(rule) => Ruling::Allowed(rule),
            None => Ruling::Refused(self.unopened(standing, &asked)),
        }
    }

    /// The rules that are for one who stands to them so.
    pub fn applying<'a>(&'a self, standing: &Standing<'_>) -> impl Iterator<Item = &'a Rule> {
        standing.rules.iter().filter_map(|position| self.rules.get(*position))
    }

    /// Why no rule opens the route: the nearest miss.
    fn unopened(&self, standing: &Standing<'_>, asked: &Asked<'_>) -> Reason {
        let opening = |rule: &&Rule| rule.effect == Effect::Allow;
        let is_named = |route: &&RoutePattern| route.is_named(asked);
        // This caller's rule names the route, for another value of a claim.
        let own = self.applying(standing).filter(opening).find_map(|rule| rule.routes.iter().find(is_named));
        if let Some(claim) = own.and_then(|route| route.claims().next()) {
            let bound = standing.bindings.of(claim);
            let claim = claim.to_string();
            return match bound.values.is_empty() {
                false => Reason::RouteOfAnother { claim },
                true => Reason::RouteClaimUnusable { claim, is_missing: !bound.has_unsafe },
            };
        }
        let candidates = self.starts.candidates(asked);
        let others = candidates.iter().filter_map(|position| self.rules.get(*position));
        let others = others.filter(|rule| rule.routes.iter().any(|route| is_named(&route)));
        let names: Vec<_> = others.take(MOST_NAMES).map(|rule| format!("`{}`", rule.name)).collect();
        match names.is_empty() {
            true => Reason::RouteNotAllowed,
            false => Reason::InsufficientScope { rules: names.join(" or ") },
        }
    }
}

impl Rule {
    /// Whether a route of it has a wildcard for one segment.
    #[must_use]
    pub fn has_wildcards(&self) -> bool {
        let is_wildcard =
            |route: &RoutePattern| route.path().is_some_and(|path| path.segments.contains(&Segment::Any));
        self.routes.iter().any(is_wildcard)
    }

    /// Whether it says that callers without a credential may be meant.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.requirement.leaves().into_iter().any(|leaf| *leaf == Requirement::Anyone)
    }

    /// Whether it is for the API and the stage of `arn`.
    #[must_use]
    pub fn is_on_stage_of(&self, arn: &MethodArn) -> bool {
        self.is_on(arn.api(), arn.stage())
    }

    fn is_on(&self, api: &str, stage: &str) -> bool {
        let includes =
            |list: &[String], value: &str| list.is_empty() || list.iter().any(|listed| listed == value);
        includes(&self.stages, stage) && includes(&self.apis, api)
    }

    fn is_for(&self, known: &Known<'_>) -> bool {
        match self.effect {
            // An address alone opens nothing to callers without a credential, whatever other rules are public.
            Effect::Allow if known.caller.principal.is_none() && !self.is_public() => false,
            Effect::Allow => self.requirement.verdict_of(known) == Verdict::Met,
            Effect::Deny => self.requirement.verdict_to_deny_of(known) != Verdict::Unmet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Principal;
    use serde_json::json;

    fn rule(effect: Effect, route: &str, requirement: Requirement) -> Rule {
        Rule {
            name: route.into(),
            effect,
            routes: vec![route.parse().unwrap()],
            requirement,
            stages: Vec::new(),
            apis: Vec::new(),
            context: Vec::new(),
            usage_identifier_key: None,
        }
    }

    fn allows(rules: Vec<Rule>, claims: &Value, tail: &str) -> bool {
        let principal = Principal::for_tests(claims.as_object().unwrap().clone().into());
        let caller = Caller { principal: Some(&principal), ..Caller::default() };
        let arn = format!("arn:aws:execute-api:us-east-1:123456789012:abc/dev/{tail}").parse().unwrap();
        let rules = Rules::new(rules);
        matches!(rules.ruling(&rules.standing(&caller, &arn), &arn), Ruling::Allowed(_))
    }

    #[test]
    fn a_rule_is_for_its_stages_and_apis() {
        for (stages, apis, expected) in [
            (&[][..], &[][..], true),
            (&["dev", "prod"], &["abc"], true),
            (&["prod"], &[], false),
            (&["de"], &[], false),
            (&[], &["abd"], false),
            (&["dev"], &["abd"], false),
        ] {
            let listed = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let mut rule = rule(Effect::Allow, "GET /orders", Requirement::Authenticated);
            (rule.stages, rule.apis) = (listed(stages), listed(apis));
            assert_eq!(allows(vec![rule], &json!({}), "GET/orders"), expected, "{stages:?} {apis:?}");
        }
    }

    /// What cannot be decided opens nothing, and a Deny closes for it.
    #[test]
    fn a_rule_that_cannot_be_decided_does_not_allow_and_denies() {
        let is_blocked = || {
            let test = Test::OneOf(vec![json!(true)]);
            Requirement::Claim("blocked".parse().unwrap(), test)
        };
        for (blocked, expected) in
            [(json!(false), true), (json!(null), true), (json!(true), false), (json!("no"), false)]
        {
            let claims = json!({ "blocked": blocked });
            let contrary = Requirement::Not(Box::new(is_blocked()));
            let allow = rule(Effect::Allow, "GET /orders", contrary);
            assert_eq!(allows(vec![allow], &claims, "GET/orders"), expected, "{claims}");
            let all = rule(Effect::Allow, "GET /**", Requirement::Authenticated);
            let deny = rule(Effect::Deny, "GET /orders", is_blocked());
            assert_eq!(allows(vec![all, deny], &claims, "GET/orders"), expected, "{claims}");
        }
    }

    /// A value that no policy can hold opens nothing, and a Deny takes it for any.
    #[test]
    fn a_deny_of_a_callers_own_paths_denies_all_where_it_cannot_tell() {
        for (sub, own, other) in [
            (json!("u1"), false, true),
            (json!(["u1", "*"]), false, false),
            (json!("a/b"), false, false),
            (json!(null), true, true),
        ] {
            let claims = json!({ "sub": sub });
            let rules = || {
                vec![
                    rule(Effect::Allow, "GET /**", Requirement::Authenticated),
                    rule(Effect::Deny, "GET /users/{claims.sub}", Requirement::Authenticated),
                ]
            };
            assert_eq!(allows(rules(), &claims, "GET/users/u1"), own, "{claims}");
            assert_eq!(allows(rules(), &claims, "GET/users/u2"), other, "{claims}");
            assert!(allows(rules(), &claims, "GET/users/u1/x"), "{claims}");
        }
    }
}
