//! An [`Explanation`] as a tree that a person reads at a glance.

use lambda_authorizer::explain::{
    AnswerPart, Cached, CheckPart, Explanation, Looked, OtherRoute, PlacePart, PolicyPart, RequirementPart,
    RulePart, StatementPart, TokenPart, Verdict,
};

use crate::tree::{Mark, Tree, columns};

/// The explanation, and the status that the client gets.
#[must_use]
pub fn render(explanation: &Explanation, status: u16, colour: bool) -> String {
    let event = &explanation.event;
    let request = match &event.method {
        Some(method) => format!("{method} {}", event.path),
        None => event.path.clone(),
    };
    let mut branches = vec![
        Tree::heading("credential").with(explanation.credential.iter().map(place)),
        token(explanation.token.as_ref()),
    ];
    branches.extend(certificate(&explanation.client_certificate));
    branches.push(rules(&explanation.rules));
    let told = explanation.policy.as_ref().filter(|part| !part.statements.is_empty());
    branches.extend(told.map(|part| policy(part, &event.arn)));
    branches.extend(while_cached(explanation));
    branches.push(answer(explanation, status));
    let heading = format!("{} event: {request}, on the stage {}", event.kind, event.stage);
    Tree::heading(heading).with(branches).render(colour)
}

fn place(place: &PlacePart) -> Tree {
    let scheme = place.scheme.map(|scheme| format!(", {scheme}")).unwrap_or_default();
    let name = format!("{}{scheme}", place.place);
    match (place.outcome, &place.reason) {
        (Looked::Found, _) => Tree::new(Mark::Yes, format!("{name}: found")),
        (Looked::Empty, _) => Tree::new(Mark::Open, format!("{name}: nothing there")),
        (Looked::NotLooked, _) => Tree::new(Mark::Open, format!("{name}: not looked at")),
        (Looked::Refused, reason) => {
            let why = reason.as_ref().map(|reason| format!(": {}: {}", reason.code, reason.message));
            Tree::new(Mark::No, format!("{name}{}", why.unwrap_or_default()))
        }
    }
}

fn token(token: Option<&TokenPart>) -> Tree {
    let Some(token) = token else { return Tree::heading("token: none") };
    // Of what need not be there and is not, the names are enough.
    let is_absent = |check: &&CheckPart| check.passed == Some(true) && check.found.is_none();
    let (absent, told): (Vec<_>, Vec<_>) = token.checks.iter().partition(is_absent);
    let names: Vec<&str> = absent.iter().map(|check| check.name.as_str()).collect();
    let rest = (!names.is_empty())
        .then(|| Tree::new(Mark::Yes, format!("not there, and need not be: {}", names.join(", "))));
    Tree::heading("token").with(checks(&told)).with(rest)
}

fn certificate(made: &[CheckPart]) -> Option<Tree> {
    let all: Vec<&CheckPart> = made.iter().collect();
    (!all.is_empty()).then(|| Tree::heading("client certificate").with(checks(&all)))
}

fn checks(told: &[&CheckPart]) -> Vec<Tree> {
    let row = |check: &CheckPart| {
        let why = check.reason.as_ref().map(|reason| reason.code.to_owned()).unwrap_or_default();
        let found = check.found.clone().unwrap_or_else(|| "nothing".to_owned());
        let found = if check.passed.is_none() { "not looked at".to_owned() } else { found };
        [check.name.clone(), found, format!("wanted: {}", check.expected), why]
    };
    let rows: Vec<_> = told.iter().map(|check| row(check)).collect();
    told.iter().zip(columns(&rows)).map(|(check, line)| Tree::new(mark(check.passed), line)).collect()
}

fn mark(verdict: Option<bool>) -> Mark {
    match verdict {
        Some(true) => Mark::Yes,
        Some(false) => Mark::No,
        None => Mark::Open,
    }
}

fn rules(rules: &[RulePart]) -> Tree {
    let is_known = rules.iter().any(|rule| rule.applies.is_some());
    match (rules, is_known) {
        ([], _) => Tree::heading("rules: none, so a verified caller may call everything"),
        (rules, true) => Tree::heading("rules").with(rules.iter().map(rule)),
        (rules, false) => {
            Tree::heading(format!("rules: {}, not looked at for want of a verified caller", rules.len()))
        }
    }
}

fn rule(rule: &RulePart) -> Tree {
    let applies = rule.applies == Some(true);
    let matching = rule.routes.iter().find(|route| route.matches_request == Some(true));
    let named = rule.routes.iter().find(|route| route.names_request);
    let (mark, why) = match (applies, matching, named) {
        (true, Some(route), _) if rule.effect == "deny" => {
            (Mark::No, format!("denies this: {}", route.route))
        }
        (true, Some(route), _) => (Mark::Yes, format!("allows this: {}", route.route)),
        (true, None, Some(route)) => {
            (Mark::Open, format!("for this caller; {} is another caller's", route.route))
        }
        (true, None, None) => (Mark::Open, "for this caller, and other routes".to_owned()),
        (false, _, _) if !rule.is_on_stage => (Mark::Open, "for another stage or API".to_owned()),
        (false, _, Some(route)) => {
            (Mark::Open, format!("not for this caller; would {} {}", rule.effect, route.route))
        }
        (false, _, None) => (Mark::Open, "not for this caller, and other routes".to_owned()),
    };
    Tree::new(mark, format!("{}: {why}", rule.name)).with([requirement(&rule.requirement)])
}

fn requirement(part: &RequirementPart) -> Tree {
    let mark = match part.verdict {
        Some("met") => Mark::Yes,
        Some("unmet") => Mark::No,
        Some(_) | None => Mark::Open,
    };
    let doubt = if part.verdict == Some("unknown") { ": cannot be told" } else { "" };
    Tree::new(mark, format!("{}{doubt}", part.text)).with(part.parts.iter().map(requirement))
}

fn policy(part: &PolicyPart, arn: &str) -> Tree {
    let prefix: String = arn.split_inclusive('/').take(2).collect();
    let statement = |statement: &StatementPart| {
        // The paths that every policy denies.
        let (odd, told): (Vec<_>, Vec<_>) = statement.resources.iter().partition(|resource| resource.is_odd);
        let rows: Vec<_> = told
            .iter()
            .map(|resource| {
                let short = resource.resource.strip_prefix(prefix.as_str()).map(|tail| format!("…/{tail}"));
                let why = match resource.note {
                    Some(note) => note.to_owned(),
                    None => resource.rules.join(", "),
                };
                [short.unwrap_or_else(|| resource.resource.clone()), why]
            })
            .collect();
        let odd = (!odd.is_empty()).then(|| {
            Tree::heading(format!("{} resources for paths that backends may read as others", odd.len()))
        });
        Tree::heading(statement.effect).with(columns(&rows).into_iter().map(Tree::heading)).with(odd)
    };
    let differences = part.differences.iter().map(|text| Tree::new(Mark::Open, text.clone()));
    Tree::heading(format!("policy of this caller, for `{}…`", prefix))
        .with(part.statements.iter().map(statement))
        .with(differences)
}

/// What the answer decides besides. A WebSocket API asks once for each connection, and keeps nothing.
fn while_cached(explanation: &Explanation) -> Option<Tree> {
    let policy = explanation.policy.as_ref().filter(|part| !part.routes.is_empty());
    let bare =
        |what: &str| Tree::heading(format!("while API Gateway caches it, this bare yes or no is for {what}"));
    match explanation.cached {
        Cached::Policy => policy.map(|part| others(part, "while API Gateway caches it, it also decides")),
        Cached::AnswerForRoute => Some(bare("every request to this route")),
        Cached::AnswerForApi => Some(bare("every route of the API")),
        Cached::Nothing if explanation.event.method.is_none() => None,
        Cached::Nothing => {
            policy.map(|part| others(part, "nothing is cached; on other routes it would decide"))
        }
    }
}

fn others(part: &PolicyPart, heading: &str) -> Tree {
    let row = |other: &OtherRoute| {
        let rule = other.rule.as_ref().map(|rule| format!("rule: {rule}")).unwrap_or_default();
        let own = if other.own { "own only".to_owned() } else { String::new() };
        [other.route.clone(), own, rule]
    };
    let rows: Vec<_> = part.routes.iter().map(row).collect();
    let lines = part.routes.iter().zip(columns(&rows));
    let mark = |allowed| if allowed { Mark::Yes } else { Mark::No };
    Tree::heading(heading).with(lines.map(|(other, line)| Tree::new(mark(other.allowed), line)))
}

fn answer(explanation: &Explanation, status: u16) -> Tree {
    let decision = &explanation.decision;
    let (mark, verdict) = match decision.verdict {
        Verdict::Allow => (Mark::Yes, "allow"),
        Verdict::Deny => (Mark::No, "deny"),
        Verdict::Error => (Mark::No, "error"),
    };
    let told = match &explanation.answer {
        AnswerPart::Response(answer) => match answer.get("isAuthorized") {
            Some(authorized) => format!("`isAuthorized`: {authorized}"),
            None => "a policy".to_owned(),
        },
        AnswerPart::Failure { error_message, .. } => (*error_message).to_owned(),
    };
    let who = decision.principal_id.as_ref().map(|id| format!(" for `{id}`")).unwrap_or_default();
    let mut branches = vec![Tree::heading(format!("API Gateway is told: {told}; the client gets: {status}"))];
    if let Some(rule) = &decision.rule {
        branches.push(Tree::heading(format!("by the rule: {rule}")));
    }
    if let Some(reason) = &decision.reason {
        branches.push(Tree::heading(format!("{}: {}", reason.code, reason.message)));
        branches.push(Tree::heading(format!("hint: {}", reason.action)));
    }
    Tree::new(mark, format!("{verdict}{who}")).with(branches)
}
