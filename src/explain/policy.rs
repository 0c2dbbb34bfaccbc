//! What a caller's policy says, why, and what else it opens while it is cached.

use serde::Serialize;

use crate::arn::{ArnPattern, MethodArn};
use crate::policy::{Compiler, Direction, Effect, Policy};
use crate::rules::{Caller, ODD_PATHS, RoutePattern, Rule, Ruling, Segment, Shape, Standing};

/// A caller's policy.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PolicyPart {
    /// Its statements.
    pub statements: Vec<StatementPart>,
    /// What it says of other routes, when API Gateway replays it.
    pub routes: Vec<OtherRoute>,
    /// Where it differs from the rules, because IAM cannot say what they say.
    pub differences: Vec<String>,
}

/// One statement.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StatementPart {
    /// `Allow` or `Deny`.
    pub effect: &'static str,
    /// Its resources.
    pub resources: Vec<ResourcePart>,
}

/// One resource, and where it comes from.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ResourcePart {
    /// As it stands in the policy.
    pub resource: String,
    /// The rules whose routes it names.
    pub rules: Vec<String>,
    /// Why it is there, where no rule says so.
    pub note: Option<&'static str>,
    /// Whether every policy with wildcards has it: a Deny of `//`, `.`, `..` and their likes.
    pub is_odd: bool,
}

/// A route that a policy is to be looked at for.
#[derive(Clone, Debug)]
pub struct AskedRoute {
    /// The name to show.
    pub name: String,
    /// A request for it with each of its methods, beside the method's name.
    pub examples: Vec<(String, MethodArn)>,
    /// Which segments of its path are parameters, counted from 0: where a rule names the caller's own value, that is tried,
    /// too.
    pub parameters: Vec<usize>,
}

/// What a policy says of another route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OtherRoute {
    /// The route.
    pub route: String,
    /// Whether the cached policy allows it.
    pub allowed: bool,
    /// Whether it does so for the caller's own value of a parameter only.
    pub own: bool,
    /// The rule that says so.
    pub rule: Option<String>,
}

impl PolicyPart {
    /// What it decides, where API Gateway is not told the policy itself.
    pub(super) fn untold(self) -> Self {
        Self { statements: Vec::new(), differences: Vec::new(), ..self }
    }
}

pub(super) fn explain(
    compiler: &Compiler,
    caller: &Caller<'_>,
    arn: &MethodArn,
    others: &[AskedRoute],
) -> Option<PolicyPart> {
    let standing = compiler.rules().standing(caller, arn);
    let policy = compiler.compile(&standing, arn).ok()?;
    let look = |name: String, arn: &MethodArn| other(compiler, &standing, &policy, name, arn);
    let routes = match others {
        [] => of_rules(compiler, &standing, arn).iter().map(|(name, arn)| look(name.clone(), arn)).collect(),
        others => others.iter().flat_map(|asked| of_asked(compiler, &standing, asked, &look)).collect(),
    };
    Some(PolicyPart {
        statements: statements(compiler, &standing, &policy, arn),
        routes,
        differences: compiler
            .inexact(&standing)
            .iter()
            .map(|inexact| {
                let others: Vec<_> = inexact.because_of.iter().map(|path| format!("`{path}`")).collect();
                let because = if others.is_empty() {
                    String::new()
                } else {
                    format!(", because of {}", others.join(", "))
                };
                match inexact.direction {
                    Direction::Opens => {
                        format!("`{} {}` also opens deeper paths{because}", inexact.methods, inexact.path)
                    }
                    Direction::Closes => format!(
                        "what closes `{} {}` also closes others{because}",
                        inexact.methods, inexact.path
                    ),
                }
            })
            .collect(),
    })
}

fn other(
    compiler: &Compiler,
    standing: &Standing<'_>,
    policy: &Policy,
    route: String,
    arn: &MethodArn,
) -> OtherRoute {
    let rule = match compiler.rules().ruling(standing, arn) {
        Ruling::Allowed(rule) => Some(rule.name.clone()),
        Ruling::Unruled | Ruling::Refused(_) => None,
    };
    OtherRoute { route, allowed: policy.evaluate(arn) == Effect::Allow, own: false, rule }
}

/// One line where it is the same for all methods, and else one for each.
fn of_asked(
    compiler: &Compiler,
    standing: &Standing<'_>,
    asked: &AskedRoute,
    look: &impl Fn(String, &MethodArn) -> OtherRoute,
) -> Vec<OtherRoute> {
    let line = |arn: &MethodArn| {
        let of_anybody = look(asked.name.clone(), arn);
        if of_anybody.allowed {
            return of_anybody;
        }
        let own = own(compiler, standing, asked, arn).into_iter().map(|arn| look(asked.name.clone(), &arn));
        match own.into_iter().find(|other| other.allowed) {
            Some(allowed) => OtherRoute { own: true, ..allowed },
            None => of_anybody,
        }
    };
    let lines: Vec<(&String, OtherRoute)> =
        asked.examples.iter().map(|(method, arn)| (method, line(arn))).collect();
    match lines.as_slice() {
        [(_, first), rest @ ..] if rest.iter().all(|(_, other)| other == first) => vec![first.clone()],
        _ => lines
            .into_iter()
            .map(|(method, other)| OtherRoute { route: format!("{method}, of {}", asked.name), ..other })
            .collect(),
    }
}

/// The route with the caller's own values, where a rule that names it asks for them in a parameter.
fn own(compiler: &Compiler, standing: &Standing<'_>, asked: &AskedRoute, arn: &MethodArn) -> Vec<MethodArn> {
    let routes = compiler.rules().as_slice().iter().flat_map(|rule| &rule.routes);
    let filled = |route: &RoutePattern| {
        let Shape::Path(_, path) = route.shape() else { return None };
        let mut segments: Vec<String> =
            arn.path().trim_start_matches('/').split('/').map(str::to_owned).collect();
        for (position, segment) in path.segments.iter().enumerate() {
            let Segment::Claim(claim) = segment else { continue };
            if asked.parameters.contains(&position) {
                let value = standing.bindings.of(claim).values.first()?.as_str().to_owned();
                segments.get_mut(position).map(|segment| *segment = value)?;
            }
        }
        format!("{}{}/{}", arn.stage_prefix(), arn.method()?, segments.join("/")).parse().ok()
    };
    routes.filter(|route| route.claims().next().is_some() && route.names(arn)).filter_map(filled).collect()
}

/// An example of each route that the rules name, once.
fn of_rules(compiler: &Compiler, standing: &Standing<'_>, arn: &MethodArn) -> Vec<(String, MethodArn)> {
    let mut routes: Vec<(String, MethodArn)> = Vec::new();
    for route in compiler.rules().as_slice().iter().flat_map(|rule| &rule.routes) {
        for (method, example) in examples(route, standing, arn.stage_prefix()) {
            let name = match route.shape() {
                Shape::Connect => "$connect".to_owned(),
                Shape::Path(_, path) => format!("{method} {path}"),
            };
            if !routes.iter().any(|(known, _)| *known == name) {
                routes.push((name, example));
            }
        }
    }
    routes
}

/// An ARN for each method of a route, with a value of the caller's own for a claim; none for a caller who has none.
fn examples(
    route: &RoutePattern,
    standing: &Standing<'_>,
    stage_prefix: &str,
) -> Vec<(&'static str, MethodArn)> {
    let Shape::Path(methods, path) = route.shape() else {
        return format!("{stage_prefix}$connect").parse().map(|arn| ("", arn)).into_iter().collect();
    };
    let segment = |(position, segment): (usize, &Segment)| match segment {
        Segment::Literal(text) => Some(format!("/{text}")),
        Segment::Any => Some(format!("/~{position}")),
        Segment::Claim(claim) => {
            standing.bindings.of(claim).values.first().map(|value| format!("/{}", value.as_str()))
        }
    };
    let Some(mut text) = path.segments.iter().enumerate().map(segment).collect::<Option<String>>() else {
        return Vec::new();
    };
    match (path.is_open, text.is_empty()) {
        (true, _) => text.push_str("/~"),
        (false, true) => text.push('/'),
        (false, false) => {}
    }
    let arn = |method: &'static str| Some((method, format!("{stage_prefix}{method}{text}").parse().ok()?));
    methods.names().filter_map(arn).collect()
}

fn statements(
    compiler: &Compiler,
    standing: &Standing<'_>,
    policy: &Policy,
    arn: &MethodArn,
) -> Vec<StatementPart> {
    let applying: Vec<&Rule> = compiler.rules().applying(standing).collect();
    let resource = |effect: Effect, pattern: ArnPattern<'_>| {
        let names = |rule: &&&Rule| {
            let mut examples =
                rule.routes.iter().flat_map(|route| examples(route, standing, arn.stage_prefix()));
            let is_named = |(_, example): (&str, MethodArn)| {
                // A slash at the end makes no other route.
                let text = example.to_string();
                pattern.matches(&text) || pattern.matches(&format!("{text}/"))
            };
            rule.effect == effect && examples.any(is_named)
        };
        let rules: Vec<String> = applying.iter().filter(names).map(|rule| rule.name.clone()).collect();
        let note = rules.is_empty().then(|| note(compiler, pattern, arn, effect));
        let is_odd = effect == Effect::Deny && ODD_PATHS.contains(&behind_stage(pattern, arn));
        ResourcePart { resource: pattern.as_str().to_owned(), rules, note, is_odd }
    };
    let statement = |statement: &crate::policy::Statement| StatementPart {
        effect: match statement.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        },
        resources: statement.resources.iter().map(|pattern| resource(statement.effect, pattern)).collect(),
    };
    policy.statements().iter().map(statement).collect()
}

fn note(compiler: &Compiler, pattern: ArnPattern<'_>, arn: &MethodArn, effect: Effect) -> &'static str {
    let text = behind_stage(pattern, arn);
    match effect {
        Effect::Allow if compiler.rules().is_silent() => {
            "there are no rules: a verified caller may call everything"
        }
        Effect::Allow => "a spelling of a route that a rule allows",
        Effect::Deny if pattern.as_str() == "*" => "nothing is allowed",
        Effect::Deny if ODD_PATHS.contains(&text) => "a path that backends may read as another one",
        Effect::Deny if is_spelling_of(pattern, arn) => "the route that was asked for",
        Effect::Deny => "what `*` opens beyond the segment that it stands for",
    }
}

fn behind_stage<'a>(pattern: ArnPattern<'a>, arn: &MethodArn) -> &'a str {
    pattern.as_str().strip_prefix(arn.stage_prefix()).unwrap_or(pattern.as_str())
}

/// With another number of slashes at its end, it is the same route.
fn is_spelling_of(pattern: ArnPattern<'_>, arn: &MethodArn) -> bool {
    let pattern = ArnPattern::new(pattern.as_str().trim_end_matches('/'));
    !pattern.as_str().contains('*') && pattern.matches(arn.to_string().trim_end_matches('/'))
}
