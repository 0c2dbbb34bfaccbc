//! Stage 5: who may call what.
//!
//! A rule sees the principal and the route and nothing else: the answer is cached per credential and
//! replayed on other routes, so nothing else may matter.

mod route;

use crate::arn::MethodArn;
use crate::claims::{ClaimPath, Claims};
use crate::verify::Principal;
pub use route::{ODD_PATHS, RouteError, RoutePattern};

/// The configured rules. Without any, a verified caller may invoke the whole stage; with any, what
/// no rule allows is denied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(Vec<Rule>);

/// One rule: these routes for callers who meet this requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What the operator calls it.
    pub name: String,
    /// The routes that it opens.
    pub routes: Vec<RoutePattern>,
    /// To whom.
    pub requirement: Requirement,
}

/// What a caller must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// A verified credential.
    Authenticated,
    /// All of these scopes.
    Scopes(Vec<String>),
    /// A claim, such as roles, groups or permissions, with all of these values.
    Values {
        /// Where the claim is: a string, or an array of strings.
        claim: ClaimPath,
        /// What it must be, or hold.
        values: Vec<String>,
    },
}

impl Rules {
    /// These rules.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The routes that the principal may invoke.
    pub fn granted_to<'a>(&'a self, principal: &'a Principal) -> impl Iterator<Item = &'a RoutePattern> {
        self.0
            .iter()
            .filter(|rule| rule.requirement.is_met_by(principal.claims()))
            .flat_map(|rule| &rule.routes)
    }

    /// The first rule that grants the route to the principal.
    #[must_use]
    pub fn granting(&self, principal: &Principal, arn: &MethodArn) -> Option<&Rule> {
        self.naming(arn).find(|rule| rule.requirement.is_met_by(principal.claims()))
    }

    /// The rules that name the route, for whomever.
    pub fn naming(&self, arn: &MethodArn) -> impl Iterator<Item = &Rule> {
        let (method, path) = (arn.method(), arn.path());
        self.0.iter().filter(move |rule| rule.routes.iter().any(|route| route.matches(method, path)))
    }
}

impl Requirement {
    fn is_met_by(&self, claims: &Claims) -> bool {
        match self {
            Self::Authenticated => true,
            Self::Scopes(required) => {
                let scopes = claims.scopes();
                required.iter().all(|scope| scopes.contains(scope))
            }
            Self::Values { claim, values } => values.iter().all(|value| claims.holds(claim, value)),
        }
    }
}
