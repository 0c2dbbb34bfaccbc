//! Whether API Gateway's authorizers are set up so that the configuration works with them, and their cache is safe.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::api::{Api, ApiRoute, Authorizer, AuthorizerKind};
use super::finding::Finding;
use super::proof::Proof;
use crate::config::{Config, IdentityExpression};
use crate::credential::Location;
use crate::response::HttpApi;
use crate::rules::{Parameter, Requirement};

/// The longest that API Gateway keeps an answer, in seconds.
const LONGEST_LIFETIME: u32 = 3600;

/// What is to be said of the authorizers of the API.
pub(super) fn findings(config: &Config, api: &Api) -> Vec<Finding> {
    let proof = Proof::new(config, api);
    let mut found = Vec::new();
    for authorizer in api.authorizers.iter().filter(|authorizer| authorizer.kind.is_lambda()) {
        let setup = Setup { config, authorizer, place: format!("authorizer `{}`", authorizer.name) };
        let own = |route: &&ApiRoute| api.authorizer(route).is_some_and(|own| own == authorizer);
        let routes: Vec<&ApiRoute> = api.routes.iter().filter(own).collect();
        found.extend(setup.simple(&proof, &routes));
        found.extend(setup.credentials());
        found.extend(setup.unreachable());
        found.extend(setup.demanded());
        found.extend(setup.lifetime());
        found.extend(setup.addresses());
        found.extend(setup.parameters());
        found.extend(setup.certificates());
        found.extend(setup.gateway());
        found.extend(setup.answers());
        found.extend(setup.public(&proof, &routes));
    }
    found
}

/// An authorizer, and the configuration of the function behind it.
struct Setup<'a> {
    config: &'a Config,
    authorizer: &'a Authorizer,
    place: String,
}

impl Setup<'_> {
    fn error(&self, code: &'static str, message: impl Into<String>, hint: &str) -> Finding {
        Finding::error(code, &self.place, message).hint(hint)
    }

    fn has_source(&self, expression: &IdentityExpression) -> bool {
        self.authorizer.gateway.identity_sources.as_ref().is_some_and(|sources| sources.contains(expression))
    }

    /// A simple answer says yes or no to one request, and is replayed on others.
    fn simple(&self, proof: &Proof<'_>, routes: &[&ApiRoute]) -> Vec<Finding> {
        let gateway = &self.authorizer.gateway;
        if self.authorizer.kind != AuthorizerKind::HttpSimple
            || !gateway.may_cache()
            || self.config.compiler.rules().is_silent()
        {
            return Vec::new();
        }
        if !gateway.tells_apart(&IdentityExpression::route_key()) {
            let message = "a simple answer is replayed on every route of the API while it is cached, and the rules tell routes apart";
            let hint =
                "`EnableSimpleResponses: false`; or no cache; or `$context.routeKey` as an identity source";
            return vec![self.error("simple_cached", message, hint)];
        }
        routes.iter().filter_map(|route| uneven(route, proof)).collect()
    }

    /// Otherwise one caller would be answered with another one's policy.
    fn credentials(&self) -> Vec<Finding> {
        let gateway = &self.authorizer.gateway;
        let is_http_or_request = match self.authorizer.kind {
            AuthorizerKind::RestRequest
            | AuthorizerKind::HttpVersion1
            | AuthorizerKind::HttpPolicy
            | AuthorizerKind::HttpSimple => true,
            // Its token is its only identity source; and there is no cache.
            AuthorizerKind::RestToken | AuthorizerKind::WebSocket | AuthorizerKind::Other => false,
        };
        // Where the sources cannot be told, the description says so.
        if !is_http_or_request || !gateway.may_cache() || gateway.identity_sources.is_none() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for source in self.config.identity_sources.as_slice() {
            let Some(expression) = IdentityExpression::of(&source.location) else { continue };
            if !gateway.tells_apart(&expression) {
                let message = format!(
                    "a credential is read from `{expression}`, which is no identity source: while it is cached, an answer for one caller is replayed for another"
                );
                let hint = "make it an identity source, or take it out of the configuration's `[[identity_source]]`; or no cache";
                found.push(self.error("credential_not_in_cache_key", message, hint));
            }
        }
        found
    }

    /// Its events have none of the places where a credential is looked for.
    fn unreachable(&self) -> Option<Finding> {
        let is_there = |location: &Location| match (location, self.authorizer.kind) {
            (Location::AuthorizationToken, kind) => kind == AuthorizerKind::RestToken,
            (_, AuthorizerKind::RestToken) => false,
            (Location::WebSocketProtocol { .. }, kind) => kind == AuthorizerKind::WebSocket,
            (Location::Header(_) | Location::Query(_) | Location::Cookie(_), _) => true,
        };
        let mut sources = self.config.identity_sources.as_slice().iter();
        (!sources.any(|source| is_there(&source.location))).then(|| {
            let message =
                "its events have none of the places where the configuration looks for a credential: every caller is refused";
            let hint = "`[[identity_source]]`: `authorization_token` for a TOKEN authorizer, `header` and others elsewhere";
            self.error("credential_unreachable", message, hint)
        })
    }

    /// API Gateway answers 401 by itself to a connection that lacks an identity source, and a browser sends no
    /// `Authorization` with one.
    fn demanded(&self) -> Option<Finding> {
        let expression = IdentityExpression::header("authorization");
        if self.authorizer.kind != AuthorizerKind::WebSocket || !self.has_source(&expression) {
            return None;
        }
        let locations = || self.config.identity_sources.as_slice().iter().map(|source| &source.location);
        let has_header =
            locations().any(|location| IdentityExpression::of(location).as_ref() == Some(&expression));
        let has_protocol = locations().any(|location| matches!(location, Location::WebSocketProtocol { .. }));
        let hint = "`route.request.header.Sec-WebSocket-Protocol` as its identity source, or none at all";
        match (has_header, has_protocol) {
            (true, false) => None,
            (true, true) => {
                let message = format!(
                    "`{expression}` is its identity source: API Gateway answers 401 by itself to who sends the credential in `Sec-WebSocket-Protocol` alone, as browsers do"
                );
                let finding = Finding::warning("credential_refused_by_gateway", &self.place, message);
                Some(finding.hint(hint))
            }
            (false, _) => {
                let message = format!(
                    "`{expression}` is its identity source, and the configuration reads no credential there: API Gateway answers 401 by itself to who sends the credential where it is read"
                );
                Some(self.error("credential_refused_by_gateway", message, hint))
            }
        }
    }

    fn lifetime(&self) -> Option<Finding> {
        let seconds = self.authorizer.gateway.cache_seconds.filter(|seconds| *seconds > LONGEST_LIFETIME)?;
        let message = format!(
            "it caches for {seconds} s, and API Gateway takes no more than {LONGEST_LIFETIME}: it cannot be deployed"
        );
        Some(self.error("cache_too_long", message, "0 is no cache; API Gateway's own is 300"))
    }

    fn addresses(&self) -> Option<Finding> {
        let looks = |requirement: &Requirement| {
            requirement.leaves().iter().any(|leaf| matches!(leaf, Requirement::SourceIp(_)))
        };
        let rule = self.config.compiler.rules().as_slice().iter().find(|rule| looks(&rule.requirement))?;
        let name = &rule.name;
        if self.authorizer.kind == AuthorizerKind::RestToken {
            let message = format!(
                "a TOKEN authorizer is not told the caller's address, which the rule `{name}` looks at: it allows nobody, or denies everybody"
            );
            return Some(self.error("address_unknown", message, "a REQUEST authorizer is told it"));
        }
        if self.authorizer.gateway.tells_apart(&IdentityExpression::source_ip()) {
            return None;
        }
        let message = format!(
            "the rule `{name}` looks at the caller's address, which is no identity source: while it is cached, an answer for one address is replayed for others"
        );
        let hint = "`$context.identity.sourceIp` as an identity source; or no cache";
        Some(self.error("address_not_in_cache_key", message, hint))
    }

    /// Each parameter that a rule looks at, once.
    fn parameters(&self) -> Vec<Finding> {
        let rules = self.config.compiler.rules().as_slice().iter();
        let leaves =
            rules.flat_map(|rule| rule.requirement.leaves().into_iter().map(move |leaf| (rule, leaf)));
        let mut looked_at: BTreeMap<&Parameter, &str> = BTreeMap::new();
        for (rule, leaf) in leaves {
            if let Some(parameter) = leaf.parameter() {
                looked_at.entry(parameter).or_insert(&rule.name);
            }
        }
        let finding = |(parameter, name): (&Parameter, &str)| {
            if self.authorizer.kind == AuthorizerKind::RestToken {
                let message = format!(
                    "a TOKEN authorizer is not told the {parameter}, which the rule `{name}` looks at: it allows nobody, or denies everybody"
                );
                return Some(self.error("parameter_unknown", message, "a REQUEST authorizer is told it"));
            }
            if self.authorizer.gateway.tells_parameter_apart(parameter) {
                return None;
            }
            let source = IdentityExpression::of_parameter(parameter).into_iter().next()?;
            let message = format!(
                "the rule `{name}` looks at the {parameter}, which is no identity source: while it is cached, an answer to one request is replayed for others"
            );
            let hint = format!("`{source}` as an identity source; or no cache");
            Some(self.error("parameter_not_in_cache_key", message, &hint))
        };
        looked_at.into_iter().filter_map(finding).collect()
    }

    /// `[client_certificate]` looks at what a TOKEN event lacks, and at what a cache must tell apart.
    fn certificates(&self) -> Option<Finding> {
        let certificates = self.config.client_certificates.as_ref()?;
        if self.authorizer.kind == AuthorizerKind::RestToken {
            let message = if certificates.is_required {
                "a TOKEN authorizer is not told the client's certificate, which `[client_certificate]` requires: every caller is refused"
            } else {
                "a TOKEN authorizer is not told the client's certificate: `[client_certificate]` looks at none"
            };
            return Some(self.error("certificate_unknown", message, "a REQUEST authorizer is told it"));
        }
        let whole = IdentityExpression::client_certificate();
        (!self.authorizer.gateway.tells_apart(&whole)).then(|| {
            let message = "`[client_certificate]` looks at the client's certificate, which is no identity source: while it is cached, an answer for one certificate is replayed for others, and for clients without any";
            self.error("certificate_not_in_cache_key", message, "no cache; or the certificate as an identity source")
        })
    }

    /// What `[gateway]` says, and rules may rely on.
    fn gateway(&self) -> Vec<Finding> {
        // A WebSocket API has neither.
        if self.authorizer.kind == AuthorizerKind::WebSocket {
            return Vec::new();
        }
        let (said, found) = (&self.config.gateway, &self.authorizer.gateway);
        let mut findings = Vec::new();
        let hint = "the same number in both";
        match (said.cache_seconds, found.cache_seconds) {
            (Some(said), Some(found)) => {
                let message = format!("it caches for {found} s, and `gateway.cache_seconds` is {said}");
                match found.cmp(&said) {
                    Ordering::Greater => findings.push(self.error("gateway_differs", message, hint)),
                    Ordering::Less => {
                        findings.push(Finding::warning("gateway_differs", &self.place, message).hint(hint));
                    }
                    Ordering::Equal => {}
                }
            }
            (Some(0), None) => {
                let message =
                    "`gateway.cache_seconds` is 0, and the description does not say so of it: it may cache";
                findings.push(self.error("gateway_differs", message, hint));
            }
            (Some(_) | None, _) => {}
        }
        for source in said.identity_sources.iter().flatten() {
            if found.identity_sources.is_some() && found.may_cache() && !self.has_source(source) {
                let message = format!(
                    "`{source}` is listed in `gateway.identity_sources`, and is none of its identity sources"
                );
                findings.push(self.error("gateway_differs", message, "the same list in both"));
            }
        }
        findings
    }

    /// API Gateway takes the other kind of answer for none, and fails.
    fn answers(&self) -> Option<Finding> {
        let (expected, other) = match (self.authorizer.kind, self.config.answers.http_api) {
            (AuthorizerKind::HttpPolicy, HttpApi::Simple) => ("policies", "simple"),
            (AuthorizerKind::HttpSimple, HttpApi::Policy) => ("simple responses", "policy"),
            _ => return None,
        };
        let message = format!(
            "it expects {expected}, and `response.http_api` is `{other}`: every request would be a 500"
        );
        Some(self.error(
            "answer_kind_differs",
            message,
            "change `EnableSimpleResponses`, or `response.http_api`",
        ))
    }

    /// API Gateway answers by itself where an identity source is missing.
    fn public(&self, proof: &Proof<'_>, routes: &[&ApiRoute]) -> Vec<Finding> {
        let is_of_client = |source: &&IdentityExpression| source.to_string().starts_with("$request.");
        let sources = self.authorizer.gateway.identity_sources.iter().flatten();
        let Some(source) = sources.into_iter().find(is_of_client) else { return Vec::new() };
        let is_silent = self.config.compiler.rules().is_silent();
        let public = routes.iter().filter(|route| !is_silent && proof.is_public_in_part(route));
        let told = public.map(|route| {
            let message = format!(
                "the rules make {} public, and API Gateway answers 401 to whoever sends no `{source}`, without asking the {}",
                if proof.is_public(route) { "it" } else { "some of it" },
                self.place
            );
            Finding::warning("public_refused_by_gateway", &route.place, message)
                .hint("give the route no authorizer; or one without identity sources, and without a cache")
        });
        told.collect()
    }
}

/// A route key whose paths are not all decided about alike.
fn uneven(route: &ApiRoute, proof: &Proof<'_>) -> Option<Finding> {
    const HINT: &str = "`EnableSimpleResponses: false`, or no cache";
    let (open, closed) = proof.uneven(route)?;
    // The rules refuse it because some backends read another path in it.
    if closed.is_odd {
        let message = format!(
            "a simple answer is replayed on every path of the route while it is cached: on such as `{}`, too, which the rules refuse to everybody",
            closed.shown
        );
        return Some(Finding::warning("simple_cached", &route.place, message).hint(HINT));
    }
    let message = format!(
        "a simple answer is replayed on every path of the route while it is cached, and some caller may `{}` and not `{}`",
        open.shown, closed.shown
    );
    Some(Finding::error("simple_cached", &route.place, message).hint(HINT))
}

#[cfg(test)]
mod tests;
