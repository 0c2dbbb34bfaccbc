//! Requirements, in words for a person.

use std::fmt;

use serde_json::Value;

use super::{Requirement, Test};

/// What a caller must have, such as `` scope `orders:read` and (scope `a` or scope `b`) ``.
impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => formatter.write_str("anyone"),
            Self::Authenticated => formatter.write_str("authenticated"),
            Self::Scope(scope) => write!(formatter, "scope `{scope}`"),
            Self::Claim(claim, test) => write!(formatter, "claim `{claim}` {}", comparison(test)),
            Self::Issuer(issuer) => write!(formatter, "issuer `{issuer}`"),
            Self::Credential(kind) => write!(formatter, "credential `{}`", kind.name()),
            Self::SourceIp(ranges) => {
                let ranges: Vec<_> = ranges.iter().map(|range| format!("`{range}`")).collect();
                write!(formatter, "address in {}", ranges.join(" or "))
            }
            Self::Parameter(parameter, test) => write!(formatter, "{parameter} {}", comparison(test)),
            Self::All(all) => formatter.write_str(&joined(all, " and ")),
            Self::Any(any) => formatter.write_str(&joined(any, " or ")),
            Self::Not(not) => write!(formatter, "not {}", part(not)),
        }
    }
}

fn comparison(test: &Test) -> String {
    match test {
        Test::OneOf(values) => {
            format!("is {}", values.iter().map(value).collect::<Vec<_>>().join(" or "))
        }
        Test::Contains(contained) => format!("contains {}", value(contained)),
        Test::Prefix(prefix) => format!("starts with `{prefix}`"),
    }
}

/// A text stands in quotes where it would read as something else.
fn value(value: &Value) -> String {
    match value.as_str() {
        Some(text) if serde_json::from_str::<Value>(text).is_err() => format!("`{text}`"),
        Some(_) | None => format!("`{value}`"),
    }
}

fn joined(parts: &[Requirement], word: &str) -> String {
    parts.iter().map(part).collect::<Vec<_>>().join(word)
}

fn part(part: &Requirement) -> String {
    let is_combined =
        matches!(part, Requirement::All(several) | Requirement::Any(several) if several.len() > 1);
    if is_combined { format!("({part})") } else { part.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Parameter;
    use serde_json::json;

    #[test]
    fn a_requirement_reads_as_it_is_meant() {
        let scope = |name: &str| Requirement::Scope(name.into());
        let claim = |path: &str, test| Requirement::Claim(path.parse().unwrap(), test);
        let group = |name: &str| claim("g", Test::Contains(json!(name)));
        let not = |requirement| Requirement::Not(Box::new(requirement));
        let five = claim("t", Test::OneOf(vec![json!(5)]));
        let texts = claim("t", Test::OneOf(vec![json!("5"), json!("x")]));
        for (requirement, expected) in [
            (Requirement::Authenticated, "authenticated"),
            (scope("a"), "scope `a`"),
            (Requirement::All(vec![scope("a"), scope("b")]), "scope `a` and scope `b`"),
            (
                Requirement::All(vec![scope("a"), Requirement::Any(vec![five, texts])]),
                "scope `a` and (claim `t` is `5` or claim `t` is `\"5\"` or `x`)",
            ),
            (not(claim("n", Test::Prefix("p".into()))), "not claim `n` starts with `p`"),
            (
                not(Requirement::All(vec![group("a"), group("b")])),
                "not (claim `g` contains `a` and claim `g` contains `b`)",
            ),
            (Requirement::Issuer("https://login.example.com/".into()), "issuer `https://login.example.com/`"),
            (
                Requirement::Parameter(Parameter::header("X-Tier"), Test::Prefix("g".into())),
                "header `x-tier` starts with `g`",
            ),
            (
                Requirement::SourceIp(vec!["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()]),
                "address in `10.0.0.0/8` or `::1/128`",
            ),
        ] {
            assert_eq!(requirement.to_string(), expected);
        }
    }
}
