//! The cases of `docs/rules.md`, read as strictly as a configuration: what is no case is no test either.

use serde_json::Value;

/// One worked case: the rules, and what comes of them.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) title: String,
    pub(crate) toml: String,
    pub(crate) rows: Vec<Row>,
}

/// A row of a case's table.
#[derive(Debug)]
pub(crate) struct Row {
    /// The caller's claims; `None` for a caller without a credential.
    pub(crate) caller: Option<Value>,
    /// A method and a path, or `$connect`.
    pub(crate) request: String,
    /// `allow`, or the code of a reason.
    pub(crate) answer: String,
}

/// The cases: the sections with a number, one after another.
pub(crate) fn cases(page: &str) -> Result<Vec<Case>, String> {
    let sections = page.split("\n### ").skip(1).map(|rest| rest.split("\n## ").next().unwrap_or(rest));
    sections.enumerate().map(|(position, section)| case(position + 1, section)).collect()
}

fn case(number: usize, section: &str) -> Result<Case, String> {
    let (title, body) = section.split_once('\n').unwrap_or((section, ""));
    let of = |problem: &str| format!("`{title}`: {problem}");
    if !title.starts_with(&format!("{number}. ")) {
        return Err(of("it is out of order"));
    }
    let blocks: Vec<&str> = body.split("```").collect();
    let [_, block, behind] = blocks.as_slice() else { return Err(of("it has not one block of rules")) };
    let toml = block.strip_prefix("toml\n").ok_or_else(|| of("its block is no TOML"))?;
    let mut lines = behind.lines().skip_while(|line| !line.starts_with('|'));
    if lines.next() != Some("| caller | request | answer |") || lines.next() != Some("|---|---|---|") {
        return Err(of("it has no table of callers"));
    }
    let mut rows = Vec::new();
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        rows.push(row(line).ok_or_else(|| of(&format!("this is no row: {line}")))?);
    }
    if lines.any(|line| line.contains('|')) {
        return Err(of("something is behind the table that nobody reads"));
    }
    let has = |wanted: bool| rows.iter().any(|row| (row.answer == "allow") == wanted);
    if !has(true) || !has(false) {
        return Err(of("it does not both allow and refuse"));
    }
    Ok(Case { title: title.to_owned(), toml: toml.to_owned(), rows })
}

fn row(line: &str) -> Option<Row> {
    // A bar within a cell is written `\|`.
    let line = line.replace(r"\|", "\u{1}");
    let cells: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
    let [caller, request, answer] = cells.as_slice() else { return None };
    let quoted = |cell: &str| {
        let text = cell.strip_prefix('`')?.strip_suffix('`')?.replace('\u{1}', "|");
        (!text.is_empty() && !text.contains('`')).then_some(text)
    };
    let caller = match quoted(caller)?.as_str() {
        "nobody" => None,
        claims => Some(serde_json::from_str(claims).ok().filter(Value::is_object)?),
    };
    Some(Row { caller, request: quoted(request)?, answer: quoted(answer)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Rules\n\n### 1. A title\n\nText.\n\n```toml\n[[rule]]\n```\n\n| caller | request | answer |\n|---|---|---|\n\
                        | `{\"a\": \"b\\|c\"}` | `GET /b\\|c` | `allow` |\n| `nobody` | `$connect` | `credential_missing` |\n\nText.\n";

    #[test]
    fn a_case_is_read_to_its_end() {
        let cases = cases(GOOD).unwrap();
        let [case] = cases.as_slice() else { panic!("{cases:?}") };
        assert_eq!((case.title.as_str(), case.toml.as_str()), ("1. A title", "[[rule]]\n"));
        let [first, second] = case.rows.as_slice() else { panic!("{case:?}") };
        assert_eq!(first.caller.as_ref().unwrap()["a"], "b|c");
        assert_eq!((first.request.as_str(), first.answer.as_str()), ("GET /b|c", "allow"));
        assert_eq!((second.caller.is_none(), second.request.as_str()), (true, "$connect"));
    }

    /// What this passed over would look tested.
    #[test]
    fn what_is_no_case_is_noticed() {
        for (part, instead, expected) in [
            ("### 1. A title", "### A title", "out of order"),
            ("### 1. A title", "### 2. A title", "out of order"),
            ("```toml\n[[rule]]\n```\n", "", "not one block"),
            ("```toml", "```text", "no TOML"),
            ("Text.\n\n```toml", "```toml\n```\n\n```toml", "not one block"),
            ("| caller | request | answer |", "| who | request | answer |", "no table"),
            ("| `{\"a\": \"b\\|c\"}` | `GET /b\\|c` | `allow` |\n", "", "both allow and refuse"),
            ("| `nobody` | `$connect` | `credential_missing` |\n", "", "both allow and refuse"),
            ("`{\"a\": \"b\\|c\"}`", "`{a: b}`", "no row"),
            ("`{\"a\": \"b\\|c\"}`", "somebody", "no row"),
            ("| `nobody` | `$connect` |", "| `nobody` |", "no row"),
            ("`$connect`", "$connect", "no row"),
            ("\n\nText.\n", "\n\n| `nobody` | `GET /` | `allow` |\n", "nobody reads"),
        ] {
            let position = GOOD.rfind(part).unwrap();
            let page = format!("{}{instead}{}", &GOOD[..position], &GOOD[position + part.len()..]);
            let problem = cases(&page).expect_err(part);
            assert!(problem.contains(expected), "{part}: {problem}");
        }
    }
}
