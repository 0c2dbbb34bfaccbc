//! What the routes of the API and those of the rules have in common, and what either side lacks.

use super::Proof;
use crate::check::Finding;
use crate::check::api::{Api, ApiRoute, Note};
use crate::check::relevance;
use crate::rules::{Effect, Requirement, Rule};

const UNMATCHED_HINT: &str =
    "compare method and path with the description; leave out what the API no longer has";

/// What the description leaves open may be a route that is not among those that are looked at.
pub(super) fn unread(api: &Api) -> Vec<Finding> {
    let gaps = api.notes.iter().filter(|note| note.is_gap);
    let finding = |note: &Note| {
        Finding::warning("description_unread", &note.place, &note.message)
            .hint("write it out in the description, or check it by hand")
    };
    gaps.map(finding).collect()
}

/// Whether the rule says for every route of it what it is: one that denies some callers does not.
fn is_about_everybody(rule: &Rule) -> bool {
    match rule.effect {
        Effect::Allow => true,
        Effect::Deny => Requirement::Authenticated.implies(&rule.requirement),
    }
}

impl Proof<'_> {
    pub(super) fn unruled(&self, route: &ApiRoute) -> Option<Finding> {
        // `$default` of an HTTP API is two.
        let is_same = |other: &&ApiRoute| (&other.api, &other.place) == (&route.api, &route.place);
        let all: Vec<&ApiRoute> = self.api.routes.iter().filter(is_same).collect();
        let is_named = |pattern| all.iter().any(|route| relevance::overlaps(pattern, route));
        let mut meant = self.rules().as_slice().iter().filter(|rule| is_about_everybody(rule));
        (!meant.any(|rule| rule.routes.iter().any(is_named))).then(|| {
            Finding::warning("route_unruled", &route.place, "no rule opens it: everybody is refused").hint(
                "open it by a rule; where it is meant, close it by one with `effect = \"deny\"` and `requires = \"authenticated\"`",
            )
        })
    }

    pub(super) fn unmatched(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        for (position, rule) in self.rules().as_slice().iter().enumerate() {
            let is_of_api = |pattern| self.api.routes.iter().any(|route| relevance::overlaps(pattern, route));
            let missing: Vec<_> =
                rule.routes.iter().enumerate().filter(|(_, pattern)| !is_of_api(pattern)).collect();
            if missing.len() == rule.routes.len() && missing.len() > 1 {
                let message = format!("no route of the API is one of the rule `{}`", rule.name);
                found.push(
                    Finding::warning("rule_unmatched", format!("rule[{position}]"), message)
                        .hint(UNMATCHED_HINT),
                );
                continue;
            }
            found.extend(missing.into_iter().map(|(number, pattern)| {
                let place = format!("rule[{position}].routes[{number}]");
                let message =
                    format!("the API has no route that `{pattern}` of the rule `{}` names", rule.name);
                Finding::warning("rule_unmatched", place, message).hint(UNMATCHED_HINT)
            }));
        }
        found
    }

    /// A route without an authorizer, that is not public by the rules.
    pub(super) fn unauthorized(&self, route: &ApiRoute) -> Option<Finding> {
        // A browser sends no credential with a preflight.
        let is_preflight = route.path.is_some() && route.methods.names().eq(["OPTIONS"]);
        if is_preflight || self.is_public(route) {
            return None;
        }
        let message = "it has no authorizer: API Gateway lets everybody in, whatever the rules say";
        let finding = Finding::warning("route_unauthorized", &route.place, message);
        Some(
            finding
                .hint("give it the authorizer; or say in a rule that it is public: `requires = \"anyone\"`"),
        )
    }
}
