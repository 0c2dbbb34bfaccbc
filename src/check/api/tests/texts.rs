use super::*;
use proptest::prelude::*;

#[test]
fn json_that_breaks_off_has_its_place() {
    let error = Api::parse("{\n  \"paths\": {\"/a\": }\n}").unwrap_err();
    assert_eq!(error.to_string(), "line 2, column 19: expected value");
}

#[test]
fn json_that_is_nested_deeply_is_refused() {
    let text = format!("{{\"paths\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(Api::parse(&text), Err(ApiError::Syntax { .. })));
}

#[cfg(not(feature = "api"))]
#[test]
fn yaml_needs_a_feature() {
    assert_eq!(Api::parse("openapi: 3.0.1"), Err(ApiError::Yaml));
}

#[cfg(feature = "api")]
mod yaml {
    use super::*;
    use crate::check::api::yaml::read;
    use serde_json::json;

    #[test]
    fn yaml_is_what_json_would_be() {
        for (text, expected) in [
            ("a: 1\nb: '1'\nc: 2.0\nd: \"2.0\"", json!({"a": 1, "b": "1", "c": 2.0, "d": "2.0"})),
            (
                "a: true\nb: yes\nc: ~\nd:\ne: !!str true",
                json!({"a": true, "b": "yes", "c": null, "d": null, "e": "true"}),
            ),
            (
                "a: 0123\nb: -5\nc: 1e3\nd: 2012-10-17",
                json!({"a": "0123", "b": -5, "c": 1000.0, "d": "2012-10-17"}),
            ),
            ("a: &x [1, 2]\nb: *x", json!({"a": [1, 2], "b": [1, 2]})),
            ("200: ok\ntrue: x", json!({"200": "ok", "true": "x"})),
            ("a: >-\n  one\n  two\n", json!({"a": "one two"})),
            ("!Ref A", json!({"Ref": "A"})),
            ("!GetAtt A.Arn", json!({"Fn::GetAtt": "A.Arn"})),
            ("!If [c, !Ref A, !Sub '${B}']", json!({"Fn::If": ["c", {"Ref": "A"}, {"Fn::Sub": "${B}"}]})),
            ("!Sub\n- text\n- {A: 1}", json!({"Fn::Sub": ["text", {"A": 1}]})),
            ("", json!(null)),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_yaml_or_more_than_we_take_says_where() {
        for (text, line) in [
            ("a: 1\nb: [1, 2", 3),
            ("a: 1\na: 2", 2),
            ("a: *nobody", 1),
            ("a: &x\n  b: *x", 2),
            ("a: &x {b: 1}\nc:\n  <<: *x", 3),
            ("a: 1\n---\nb: 2", 2),
            ("[a]: 1", 1),
        ] {
            let found = match read(text) {
                Err(ApiError::Syntax { line, .. } | ApiError::Unsupported { line, .. }) => line,
                other => panic!("{text}: {other:?}"),
            };
            assert_eq!(found, line, "{text}");
        }
    }

    #[test]
    fn a_text_that_begins_like_json_may_be_yaml() {
        assert!(Api::parse("{openapi: 3.0.1, paths: {/a: {get: {}}}}").is_ok());
        let error = Api::parse("{\"paths\": {\"/a\": {\"get\": {},}}").unwrap_err();
        assert!(matches!(error, ApiError::Syntax { line: 1, .. }), "{error}");
    }

    /// Each line names the one before nine times: nine billion nodes in the end.
    #[test]
    fn aliases_of_aliases_are_refused_before_they_take_memory() {
        let mut text = "a0: &a0 [x, x]\n".to_owned();
        for line in 1..12 {
            let aliases = vec![format!("*a{}", line - 1); 9].join(", ");
            text.push_str(&format!("a{line}: &a{line} [{aliases}]\n"));
        }
        assert!(matches!(Api::parse(&text), Err(ApiError::Unsupported { .. })));
        // A few are fine.
        let few = "x: &x {get: {}}\nopenapi: 3.0.1\npaths:\n  /a: *x\n  /b: *x\n";
        assert_eq!(routes(&Api::parse(few).unwrap()), [("GET /a", None), ("GET /b", None)]);
    }

    /// A stack would overflow in whoever walks through the tree.
    #[test]
    fn nesting_is_refused_before_it_takes_the_stack() {
        let mut aliases = "a0: &a0 x\n".to_owned();
        for line in 1..2000 {
            aliases.push_str(&format!("a{line}: &a{line} [[[[*a{}]]]]\n", line - 1));
        }
        let blocks: String = (0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        let dashes = format!("{}x", "- ".repeat(5000));
        for text in ["[".repeat(100_000), "{a: ".repeat(100_000), "!x [".repeat(150), aliases, blocks, dashes]
        {
            let found = read(&text);
            assert!(
                matches!(found, Err(ApiError::Unsupported { .. } | ApiError::Syntax { .. })),
                "{:?}",
                text.get(..20)
            );
        }
        assert!(read(&format!("{}x{}", "[".repeat(99), "]".repeat(99))).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_it_panic(text in "[\\-a-c:!&*\\[\\]{},'\"|>%#?~ \n\t0-9$/.<]{0,60}") {
            let _whatever = Api::parse(&text);
        }

        #[test]
        fn no_change_to_a_template_makes_it_panic(at in 0_usize..16_000, length in 0_usize..20, insert in "[\\-a:!&*\\[{'\"|>? \n]{0,4}") {
            let template = include_str!("../../../../template.yaml");
            let at = at.min(template.len() - 40);
            let text = [template.get(..at), Some(&insert), template.get(at + length..)];
            let text: Option<Vec<&str>> = text.into_iter().collect();
            let _whatever = text.map(|parts| Api::parse(&parts.concat()));
        }
    }
}
