//! A tree, for a person at a terminal.

use std::fmt::Write as _;

use crate::table::{GREEN, RED, YELLOW};

/// A line, and what hangs below it.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    mark: Mark,
    text: String,
    branches: Vec<Tree>,
}

/// What a line says at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// Nobody knows, or nobody looked.
    Open,
    /// It says nothing of the kind.
    None,
}

impl Tree {
    pub(crate) fn new(mark: Mark, text: impl Into<String>) -> Self {
        Self { mark, text: text.into(), branches: Vec::new() }
    }

    pub(crate) fn heading(text: impl Into<String>) -> Self {
        Self::new(Mark::None, text)
    }

    pub(crate) fn with(mut self, branches: impl IntoIterator<Item = Tree>) -> Self {
        self.branches.extend(branches);
        self
    }

    pub(crate) fn render(&self, colour: bool) -> String {
        let mut text = String::new();
        self.write(&mut text, "", "", colour);
        text
    }

    fn write(&self, text: &mut String, first: &str, rest: &str, colour: bool) {
        let _always_written = writeln!(text, "{first}{}{}", self.mark.render(colour), self.text);
        let last = self.branches.len().saturating_sub(1);
        for (position, branch) in self.branches.iter().enumerate() {
            let (own, below) = if position == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            branch.write(text, &format!("{rest}{own}"), &format!("{rest}{below}"), colour);
        }
    }
}

impl Mark {
    fn render(self, colour: bool) -> String {
        let (sign, code) = match self {
            Self::Yes => ("✓", GREEN),
            Self::No => ("✗", RED),
            Self::Open => ("·", YELLOW),
            Self::None => return String::new(),
        };
        if colour { format!("\u{1b}[{code}m{sign}\u{1b}[0m ") } else { format!("{sign} ") }
    }
}

/// Texts in columns, two spaces between them, none at the end.
pub(crate) fn columns<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| {
            format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count()) + 2))
        });
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
