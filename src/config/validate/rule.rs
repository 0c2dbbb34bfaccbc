//! The rules, and what API Gateway's cache has to know for them.

use std::collections::BTreeSet;

use super::Check;
use crate::config::gateway::{Gateway, IdentityExpression};
use crate::config::raw::{
    CredentialName, EffectName, GatewaySettings, RequirementSettings, RequirementTable, RequirementWord,
    RuleSettings,
};
use crate::config::values::{OneOrMore, PlainValue, PlainValues};
use crate::credential::{CredentialKind, IdentitySources};
use crate::policy::{Compiler, LARGEST_POLICY};
use crate::response::{Answers, HttpApi};
use crate::rules::{
    AddressRange, ApiKey, ContextKey, Effect, Parameter, Requirement, RoutePattern, Rule, Rules, Test,
};

impl Check<'_> {
    pub(super) fn rules(&mut self, settings: Vec<RuleSettings>, issuers: &[String]) -> Rules {
        let mut rules: Vec<Rule> = Vec::new();
        for (position, settings) in settings.into_iter().enumerate() {
            let path = format!("rule[{position}]");
            if let Some(rule) = self.rule(&path, settings, issuers) {
                rules.push(rule);
                self.rule_positions.push(position);
            }
        }
        Rules::new(rules)
    }

    fn rule(&mut self, path: &str, settings: RuleSettings, issuers: &[String]) -> Option<Rule> {
        let says_something = !settings.context.is_empty() || settings.usage_identifier_key.is_some();
        if settings.routes.is_empty() && !says_something {
            self.problem_with_hint(format!("{path}.routes"), "it is missing", "such as `[\"GET /orders\"]`");
        }
        let effect = match settings.effect {
            EffectName::Allow => Effect::Allow,
            EffectName::Deny => Effect::Deny,
        };
        if effect == Effect::Deny && says_something {
            let message = "a rule that denies tells backends nothing, and has no API key";
            self.problem_with_hint(format!("{path}.effect"), message, "put that into a rule that allows");
        }
        let mut routes: Vec<RoutePattern> = Vec::new();
        for (position, route) in settings.routes.iter().enumerate() {
            routes.extend(self.parsed::<RoutePattern>(format!("{path}.routes[{position}]"), route));
        }
        let requires = format!("{path}.requires");
        let requirement = match settings.requires {
            Some(settings) => self.requirement(&requires, settings, issuers),
            None => {
                self.problem_with_hint(requires, "it is missing", REQUIREMENT_HINT);
                None
            }
        };
        self.not_empty(&format!("{path}.stages"), settings.stages.as_deref());
        self.not_empty(&format!("{path}.apis"), settings.apis.as_deref());
        let mut context: Vec<(ContextKey, serde_json::Value)> = Vec::new();
        for (key, value) in settings.context {
            let path = format!("{path}.context.{key}");
            let value = value.into_json();
            if value.as_str().is_some_and(|text| text.contains(char::is_control)) {
                self.problem(&path, "it holds a control character");
            }
            context.extend(self.parsed(path, &key).map(|key| (key, value)));
        }
        let key = settings.usage_identifier_key;
        if key.as_ref().is_some_and(|key| key.is_empty() || key.contains(char::is_control)) {
            self.problem(format!("{path}.usage_identifier_key"), "it is empty, or holds a control character");
        }
        let is_empty = settings.name.as_deref() == Some("");
        let name = settings.name.filter(|name| !name.is_empty());
        if name.is_none() {
            self.problem(format!("{path}.name"), if is_empty { "it is empty" } else { "it is missing" });
        }
        Some(Rule {
            name: name?,
            effect,
            routes,
            requirement: requirement?,
            stages: settings.stages.unwrap_or_default(),
            apis: settings.apis.unwrap_or_default(),
            context,
            usage_identifier_key: key.map(ApiKey::new),
        })
    }

    fn requirement(
        &mut self,
        path: &str,
        settings: RequirementSettings,
        issuers: &[String],
    ) -> Option<Requirement> {
        let mut table = match settings {
            RequirementSettings::Word(RequirementWord::Authenticated) => {
                return Some(Requirement::Authenticated);
            }
            RequirementSettings::Word(RequirementWord::Anyone) => return Some(Requirement::Anyone),
            RequirementSettings::Table(table) => *table,
        };
        let problems = self.problems.len();
        let mut all = Vec::new();
        let parameters = self.parameters(path, &mut table);
        let RequirementTable { scope, claim, equals, one_of, contains, prefix, .. } = table;
        all.extend(scope.map(|scopes| self.scopes(&format!("{path}.scope"), scopes)).unwrap_or_default());
        all.extend(self.claim_tests(path, claim, ClaimTests { equals, one_of, contains, prefix }));
        if let Some(listed) = table.issuer {
            let listed = listed.into_vec();
            self.not_empty(&format!("{path}.issuer"), Some(&listed));
            for issuer in listed.iter().filter(|issuer| !issuers.contains(issuer)) {
                let message = format!("`{issuer}` is the `url` of no `[[issuer]]`");
                self.problem_with_hint(format!("{path}.issuer"), message, "a slash at the end counts");
            }
            all.push(Requirement::Any(listed.into_iter().map(Requirement::Issuer).collect()));
        }
        if table.credential == Some(CredentialName::Opaque) && !self.has_opaque_tokens {
            let hint = "add an `[introspection]`";
            self.problem_with_hint(format!("{path}.credential"), "nobody has an opaque token here", hint);
        }
        if table.credential == Some(CredentialName::ClientCredentials) && !self.has_client_credentials {
            let message = "nobody's ID and secret are exchanged here";
            let hint = "add a `[client_credentials]`";
            self.problem_with_hint(format!("{path}.credential"), message, hint);
        }
        if table.credential == Some(CredentialName::ApiKey) && !self.has_api_keys {
            let hint = "add `[api_keys]`";
            self.problem_with_hint(format!("{path}.credential"), "nobody has an API key here", hint);
        }
        if table.credential == Some(CredentialName::Basic) && !self.has_basic {
            let hint = "add `[basic]`";
            self.problem_with_hint(
                format!("{path}.credential"),
                "nobody has a name and a password here",
                hint,
            );
        }
        if table.credential == Some(CredentialName::Saml) && !self.has_saml {
            let hint = "add `[saml]`";
            self.problem_with_hint(format!("{path}.credential"), "nobody has an assertion here", hint);
        }
        if let Some(CredentialName::Custom(kind)) = &table.credential
            && !self.custom.contains(kind)
        {
            let message = format!("`{kind}` is no kind of credential");
            let others = self.custom.iter().map(|kind| format!(", `{kind}`")).collect::<String>();
            let hint =
                format!("one of `jwt`, `opaque`, `client_credentials`, `api_key`, `basic`, `saml`{others}");
            self.problem_with_hint(format!("{path}.credential"), message, &hint);
        }
        all.extend(table.credential.map(|name| {
            Requirement::Credential(match name {
                CredentialName::Jwt => CredentialKind::Jwt,
                CredentialName::Opaque => CredentialKind::Opaque,
                CredentialName::ClientCredentials => CredentialKind::ClientCredentials,
                CredentialName::ApiKey => CredentialKind::ApiKey,
                CredentialName::Basic => CredentialKind::Basic,
                CredentialName::Saml => CredentialKind::Saml,
                CredentialName::Custom(kind) => CredentialKind::Custom(kind.into()),
            })
        }));
        if let Some(ranges) = table.source_ip {
            let path = format!("{path}.source_ip");
            let ranges = ranges.into_vec();
            self.not_empty(&path, Some(&ranges));
            let mut parsed: Vec<AddressRange> = Vec::new();
            for range in &ranges {
                parsed.extend(self.parsed::<AddressRange>(path.clone(), range));
            }
            all.push(Requirement::SourceIp(parsed));
        }
        all.extend(parameters);
        for (name, several, combine) in [
            ("all", table.all, Requirement::All as fn(Vec<Requirement>) -> Requirement),
            ("any", table.any, Requirement::Any),
        ] {
            self.not_empty(&format!("{path}.{name}"), several.as_deref());
            let Some(several) = several else { continue };
            let mut parts = Vec::new();
            for (position, part) in several.into_iter().enumerate() {
                parts.extend(self.requirement(&format!("{path}.{name}[{position}]"), part, issuers));
            }
            all.push(combine(parts));
        }
        if let Some(not) = table.not {
            all.extend(
                self.requirement(&format!("{path}.not"), not, issuers)
                    .map(|not| Requirement::Not(Box::new(not))),
            );
        }
        if all.is_empty() && self.problems.len() == problems {
            self.problem_with_hint(path, "it asks for nothing", REQUIREMENT_HINT);
        }
        match (all.len(), all.pop()) {
            (_, None) => None,
            (1, only) => only,
            (_, last) => {
                all.extend(last);
                Some(Requirement::All(all))
            }
        }
    }

    /// RFC 6749, section 3.3: a scope with a space in it would never be found in a token.
    fn scopes(&mut self, path: &str, scopes: OneOrMore) -> Vec<Requirement> {
        let scopes = scopes.into_vec();
        if scopes.is_empty()
            || scopes.iter().any(|scope| scope.is_empty() || scope.contains(char::is_whitespace))
        {
            let message = "it is empty, or a scope in it is, or holds white space";
            self.problem_with_hint(path, message, "list several scopes one by one");
        }
        scopes.into_iter().map(Requirement::Scope).collect()
    }

    fn claim_tests(&mut self, path: &str, claim: Option<String>, tests: ClaimTests) -> Vec<Requirement> {
        const HINT: &str = "`{ claim = \"…\", equals = \"…\" }`, or `one_of`, `contains` or `prefix`";
        let members = [
            tests.equals.is_some(),
            tests.one_of.is_some(),
            tests.contains.is_some(),
            tests.prefix.is_some(),
        ];
        match (claim.is_some(), members.into_iter().filter(|is_there| *is_there).count()) {
            (false, 0) => return Vec::new(),
            (true, 1) => {}
            (true, 0) => self.problem_with_hint(path, "nothing is asked of the claim", HINT),
            (true, _) => self.problem_with_hint(path, "a claim has one comparison", "`all` takes several"),
            (false, _) => self.problem_with_hint(path, "there is a comparison without a `claim`", HINT),
        }
        let json = |values: Vec<PlainValue>| values.into_iter().map(PlainValue::into_json).collect();
        self.not_empty(&format!("{path}.one_of"), tests.one_of.as_deref());
        let mut all = Vec::new();
        all.extend(tests.equals.map(|value| Test::OneOf(json(vec![value]))));
        all.extend(tests.one_of.map(|values| Test::OneOf(json(values))));
        let contained = tests.contains.map(PlainValues::into_vec);
        self.not_empty(&format!("{path}.contains"), contained.as_deref());
        all.extend(contained.into_iter().flatten().map(Test::Contains));
        if tests.prefix.as_deref() == Some("") {
            self.problem(format!("{path}.prefix"), "it is empty: every string starts so");
        }
        all.extend(tests.prefix.map(Test::Prefix));
        let claim = claim.and_then(|claim| self.claim_path(format!("{path}.claim"), &claim));
        claim
            .iter()
            .flat_map(|claim| all.iter().map(|test| Requirement::Claim(claim.clone(), test.clone())))
            .collect()
    }

    /// A policy that is too large for some caller is not found out in production.
    pub(super) fn compiler(&mut self, rules: Rules) -> Compiler {
        let compiler = Compiler::new(rules);
        if let Some(largest) = compiler.too_large() {
            let rules = compiler.rules().as_slice();
            let names = largest.rules.iter().filter_map(|position| rules.get(*position)).take(3);
            let names: Vec<_> = names.map(|rule| format!("`{}`", rule.name)).collect();
            let message = format!(
                "a caller whom {} rules are for, {} among them, would get a policy of {} bytes, and {LARGEST_POLICY} is what API Gateway's 8 KB leave for it",
                largest.rules.len(),
                names.join(", "),
                largest.bytes,
            );
            self.problem_with_hint(
                "rule",
                message,
                "fewer routes for one caller, or `**`; `ANY` only where every method is meant",
            );
        }
        compiler
    }

    pub(super) fn gateway(&mut self, settings: GatewaySettings) -> Gateway {
        let cache_seconds = settings
            .cache_seconds
            .map(|seconds| self.number("gateway.cache_seconds", Some(seconds), 0, 0, 3600));
        self.not_empty("gateway.identity_sources", settings.identity_sources.as_deref());
        let identity_sources = settings.identity_sources.map(|sources| {
            let mut parsed: Vec<IdentityExpression> = Vec::new();
            for (position, source) in sources.iter().enumerate() {
                let path = format!("gateway.identity_sources[{position}]");
                parsed.extend(self.parsed::<IdentityExpression>(path, source));
            }
            parsed
        });
        Gateway { cache_seconds, identity_sources }
    }

    /// What a decision depends on must be what API Gateway tells cached answers apart by.
    pub(super) fn caching(
        &mut self,
        gateway: &Gateway,
        rules: &Rules,
        sources: &IdentitySources,
        answers: &Answers,
    ) {
        const HINT: &str = "make it one, and list it in `gateway.identity_sources`; or `gateway.cache_seconds = 0`, there and in API Gateway";
        for (position, rule) in self.rule_positions.clone().into_iter().zip(rules.as_slice()) {
            let looks_at_address = |leaf: &&Requirement| matches!(leaf, Requirement::SourceIp(_));
            let looks = rule.requirement.leaves().iter().any(looks_at_address);
            let place = format!("rule[{position}].requires.source_ip");
            let is_readable = !self.problems.iter().any(|problem| problem.path == place);
            if looks && is_readable && !gateway.tells_apart(&IdentityExpression::source_ip()) {
                let message = "an answer that depends on the caller's address is replayed for other addresses, unless `$context.identity.sourceIp` is an identity source";
                self.problem_with_hint(place, message, HINT);
            }
            let leaves = rule.requirement.leaves().into_iter();
            let parameters: BTreeSet<&Parameter> = leaves.filter_map(Requirement::parameter).collect();
            for parameter in parameters.into_iter().filter(|own| !gateway.tells_parameter_apart(own)) {
                let place = format!("rule[{position}].requires.{}", member(parameter));
                let source = IdentityExpression::of_parameter(parameter).into_iter().next();
                let source = source.map(|source| source.to_string()).unwrap_or_default();
                let message = format!(
                    "an answer that depends on the {parameter} is replayed for other requests, unless `{source}` is an identity source"
                );
                self.problem_with_hint(place, message, HINT);
            }
        }
        if answers.http_api == HttpApi::Simple && !rules.is_silent() {
            let is_bound = rules
                .as_slice()
                .iter()
                .flat_map(|rule| &rule.routes)
                .any(|route| route.claims().next().is_some());
            if is_bound && gateway.may_cache() {
                let message = "a simple answer is replayed for every path of a route, and the rules tell paths apart by claims";
                self.problem_with_hint(
                    "response.http_api",
                    message,
                    "`\"policy\"`; or `gateway.cache_seconds = 0`, there and in API Gateway",
                );
            } else if !gateway.tells_apart(&IdentityExpression::route_key()) {
                let message =
                    "a simple answer is replayed for every route of the API, and the rules tell routes apart";
                self.problem_with_hint("response.http_api", message, "`\"policy\"`; or `gateway.cache_seconds = 0`, there and in API Gateway; or `$context.routeKey` as an identity source");
            }
        }
        let is_told = |sources: &&Vec<IdentityExpression>| gateway.may_cache() && !sources.is_empty();
        let Some(told_apart) = gateway.identity_sources.as_ref().filter(is_told) else {
            return;
        };
        for source in sources.as_slice() {
            let Some(expression) = IdentityExpression::of(&source.location) else { continue };
            if !told_apart.contains(&expression) {
                let message = format!(
                    "a credential is read from `{expression}`, which is not listed: an answer for one caller would be replayed for another"
                );
                self.problem_with_hint("gateway.identity_sources", message, HINT);
            }
        }
    }
}

const REQUIREMENT_HINT: &str = "`\"authenticated\"`, `{ scope = \"…\" }`, or `{ claim = \"…\", contains = \"…\" }`; docs/rules.md has the others";

/// Where a requirement of the parameter is written.
fn member(parameter: &Parameter) -> &'static str {
    match parameter {
        Parameter::Header(_) => "header",
        Parameter::Query(_) => "query",
        Parameter::StageVariable(_) => "stage_variable",
        Parameter::ClientCertificate(_) => "client_certificate",
    }
}

struct ClaimTests {
    equals: Option<PlainValue>,
    one_of: Option<Vec<PlainValue>>,
    contains: Option<PlainValues>,
    prefix: Option<String>,
}
