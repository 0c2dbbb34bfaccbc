//! Requirements, in words for a person.

use lambda_authorizer::credential::CredentialKind;
use lambda_authorizer::rules::{Requirement, Test};
use serde_json::Value;

/// What a caller must have, such as `` scope `orders:read` and (scope `a` or scope `b`) ``.
#[must_use]
pub fn requirement(requirement: &Requirement) -> String {
    match requirement {
        Requirement::Anyone => "anyone".to_owned(),
        Requirement::Authenticated => "authenticated".to_owned(),
        Requirement::Scope(scope) => format!("scope `{scope}`"),
        Requirement::Claim(claim, test) => format!("claim `{claim}` {}", comparison(test)),
        Requirement::Issuer(issuer) => format!("issuer `{issuer}`"),
        Requirement::Credential(CredentialKind::Jwt) => "credential `jwt`".to_owned(),
        Requirement::SourceIp(ranges) => {
            let ranges: Vec<_> = ranges.iter().map(|range| format!("`{range}`")).collect();
            format!("address in {}", ranges.join(" or "))
        }
        Requirement::All(all) => joined(all, " and "),
        Requirement::Any(any) => joined(any, " or "),
        Requirement::Not(not) => format!("not {}", part(not)),
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
    if is_combined { format!("({})", requirement(part)) } else { requirement(part) }
}

#[cfg(test)]
mod tests {
    use lambda_authorizer::config::Config;

    use super::*;

    #[test]
    fn a_requirement_reads_as_it_is_meant() {
        for (requires, expected) in [
            ("'authenticated'", "authenticated"),
            ("{ scope = 'a' }", "scope `a`"),
            ("{ scope = ['a', 'b'] }", "scope `a` and scope `b`"),
            (
                "{ scope = 'a', any = [{ claim = 't', equals = 5 }, { claim = 't', one_of = ['5', 'x'] }] }",
                "scope `a` and (claim `t` is `5` or claim `t` is `\"5\"` or `x`)",
            ),
            ("{ not = { claim = 'n', prefix = 'p' } }", "not claim `n` starts with `p`"),
            (
                "{ not = { claim = 'g', contains = ['a', 'b'] } }",
                "not (claim `g` contains `a` and claim `g` contains `b`)",
            ),
            ("{ issuer = 'https://login.example.com/' }", "issuer `https://login.example.com/`"),
            ("{ source_ip = ['10.0.0.0/8', '::1'] }", "address in `10.0.0.0/8` or `::1/128`"),
        ] {
            let toml = format!(
                "[[issuer]]\nurl = 'https://login.example.com/'\naudience = 'a'\n[gateway]\ncache_seconds = 0\n
                [[rule]]\nname = 'r'\nroutes = ['GET /a']\nrequires = {requires}"
            );
            let config = Config::parse(&toml, None).unwrap();
            let rule = config.compiler.rules().as_slice().first().unwrap();
            assert_eq!(requirement(&rule.requirement), expected, "{requires}");
        }
    }
}
