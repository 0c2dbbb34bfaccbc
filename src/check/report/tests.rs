use super::*;

const RULE: &str = "[[rule]]\nname = 'r'\nroutes = ['GET /orders/{id}', 'GET /orders/{id}/items']\nrequires = { scope = 'read' }\n";

const ISSUER: &str = "[[issuer]]\nurl = 'https://login.example.com/'\naudience = 'orders-api'\n";

fn found(toml: &str) -> Vec<(&'static str, String)> {
    let report = Report::of(toml, None, None);
    report.findings.into_iter().map(|finding| (finding.code, finding.place)).collect()
}

fn codes(toml: &str) -> Vec<&'static str> {
    found(toml).into_iter().map(|(code, _)| code).collect()
}

#[test]
fn a_configuration_without_problems_has_findings_only() {
    assert_eq!(codes(&format!("{ISSUER}{RULE}")), ["opens_more", "policy_size"]);
    assert_eq!(codes(ISSUER), [] as [&str; 0]);
}

/// A problem of one part leaves what is found of the others.
#[test]
fn findings_are_told_beside_the_problems_of_other_parts() {
    for (toml, expected) in [
        // Between parts that are each right by themselves: everything is looked at.
        (
            format!("{ISSUER}{}", RULE.replace("{ scope = 'read' }", "{ source_ip = '10.0.0.0/8' }")),
            &["configuration", "opens_more", "policy_size"][..],
        ),
        (
            format!("{ISSUER}{RULE}context = {{ tier = 'a' }}\n[response.context]\ntier = 'tier'\n"),
            &["configuration", "opens_more", "policy_size"],
        ),
        (
            format!("[[issuer]]\nurl = 'http://a.example/'\naudiance = 'x'\n{RULE}"),
            &[
                "configuration",
                "configuration",
                "configuration",
                "opens_more",
                "not_looked_at",
                "policy_size",
            ],
        ),
        (
            format!("{ISSUER}{RULE}[response]\nhttp_api = 'sample'\n"),
            &["configuration", "opens_more", "not_looked_at", "policy_size"],
        ),
        // Of the rules nothing is known then, and of what may have been meant for them.
        (
            format!("{ISSUER}{RULE}[[rule]]\nname = 'other'\n"),
            &["configuration", "configuration", "not_looked_at"],
        ),
        (format!("{ISSUER}{RULE}[[rules]]\n"), &["configuration", "not_looked_at"]),
        ("[[issuer".to_owned(), &["configuration"]),
    ] {
        assert_eq!(codes(&toml), expected, "{toml}");
    }
}

#[test]
fn problems_stand_in_the_order_of_the_configuration() {
    let rules: String =
        (0..11).map(|number| format!("[[rule]]\nname = '{number}'\nroutes = ['GET /{number}']\n")).collect();
    let places: Vec<_> = found(&format!("{ISSUER}{rules}")).into_iter().map(|(_, place)| place).collect();
    let expected: Vec<_> = (0..11).map(|number| format!("rule[{number}].requires")).collect();
    assert_eq!(places.get(..11), Some(expected.as_slice()));
}

/// The validation and the check both see a policy that is too large.
#[test]
fn what_is_told_as_a_problem_is_not_told_again() {
    let routes: Vec<_> = (0..100).map(|number| format!("'GET /r{number}'")).collect();
    let rule =
        format!("[[rule]]\nname = 'r'\nroutes = [{}]\nrequires = 'authenticated'\n", routes.join(", "));
    assert_eq!(
        found(&format!("{ISSUER}{rule}")).into_iter().filter(|(_, place)| place == "rule").count(),
        2,
        "the problem, and the size"
    );
}

#[test]
fn a_report_is_data_for_machines() {
    let report = Report::of(&format!("{ISSUER}{RULE}"), None, None);
    let json = serde_json::to_value(&report.findings).unwrap();
    let first = json.get(0).unwrap();
    assert_eq!(first.get("severity").unwrap(), "warning");
    assert_eq!(first.get("code").unwrap(), "opens_more");
    assert_eq!(first.get("place").unwrap(), "GET /orders/{id}");
    assert!(first.get("message").unwrap().is_string() && first.get("hint").unwrap().is_string());
}
