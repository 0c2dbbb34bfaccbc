//! Figures on a page of the documentation: each table stands between two marks.

/// The page with this text between the marks of this name.
pub(crate) fn with_figures(page: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- figures: {name} -->\n"), "<!-- end -->");
    let Some((before, rest)) = page.split_once(&begin) else { panic!("the page has no figures: {name}") };
    let Some((_, after)) = rest.split_once(end) else { panic!("the figures have no end: {name}") };
    format!("{before}{begin}\n{text}\n{end}{after}")
}
