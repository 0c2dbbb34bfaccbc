//! Aligned columns for a person at a terminal.

use std::fmt::Write as _;

/// A cell: its text, how it is aligned, and the SGR code of its colour.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    right: bool,
    colour: Option<&'static str>,
}

pub(crate) const GREEN: &str = "32";
pub(crate) const YELLOW: &str = "33";
pub(crate) const RED: &str = "31";

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), right: false, colour: None }
    }

    pub(crate) fn right(self) -> Self {
        Self { right: true, ..self }
    }

    pub(crate) fn coloured(self, colour: &'static str) -> Self {
        Self { colour: Some(colour), ..self }
    }
}

/// The rows under their headings, two spaces between the columns, no space at the end of a line.
pub(crate) fn render<const N: usize>(headings: [&str; N], rows: &[[Cell; N]], colour: bool) -> String {
    let length = |text: &str| text.chars().count();
    let mut widths = headings.map(length);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = length(&cell.text).max(*width);
        }
    }
    // A heading stands as its column does.
    let mut heading = headings.map(Cell::new);
    for (heading, cell) in heading.iter_mut().zip(rows.first().into_iter().flatten()) {
        heading.right = cell.right;
    }
    let mut table = String::new();
    for row in std::iter::once(&heading).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let padding = " ".repeat(width.saturating_sub(length(&cell.text)));
            let text = match cell.colour {
                Some(code) if colour => format!("\x1b[{code}m{}\x1b[0m", cell.text),
                Some(_) | None => cell.text.clone(),
            };
            let (before, after) =
                if cell.right { (padding, String::new()) } else { (String::new(), padding) };
            let _infallible = write!(line, "{before}{text}{after}  ");
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_with_and_without_colour() {
        let rows = [
            [Cell::new("rest-token"), Cell::new("1.5 ms").right(), Cell::new("allow").coloured(GREEN)],
            [Cell::new("http"), Cell::new("10.5 ms").right(), Cell::new("déni").coloured(RED)],
        ];
        let plain = render(["event", "time", "decision"], &rows, false);
        assert_eq!(
            plain,
            "event          time  decision\nrest-token   1.5 ms  allow\nhttp        10.5 ms  déni\n"
        );
        let coloured = render(["event", "time", "decision"], &rows, true);
        assert!(coloured.contains("\x1b[32mallow\x1b[0m"));
        assert_eq!(
            coloured
                .replace("\x1b[32m", "")
                .replace("\x1b[31m", "")
                .replace("\x1b[0m", "")
                .lines()
                .map(str::trim_end)
                .collect::<Vec<_>>(),
            plain.lines().collect::<Vec<_>>()
        );
    }
}
