//! [`Resources`]: the resources of a statement, as text that API Gateway takes.

use std::collections::BTreeSet;

use super::glob::{Glob, Piece};
use crate::arn::ArnPattern;
use crate::error::Reason;
use crate::rules::{Bindings, Methods};

/// The resources of one statement, each once and in order.
pub(super) struct Resources<'a> {
    stage_prefix: &'a str,
    /// What stands behind the stage.
    texts: BTreeSet<String>,
    bytes: usize,
    limit: usize,
    has_four_letter_window: bool,
}

/// API Gateway takes no longer `Resource`.
pub(super) const LONGEST_RESOURCE: usize = 512;

/// API Gateway's limit for WebSocket APIs, the only one that is published; kept for all.
pub const LARGEST_ANSWER: usize = 8 * 1024;

/// What the Deny of a route that is asked for adds to a policy at most.
pub const LARGEST_REFUSAL: usize = 2 * (LONGEST_RESOURCE + AROUND_A_RESOURCE) + AROUND_A_REFUSAL;

/// A statement of its own, and a comma before it.
pub(super) const AROUND_A_REFUSAL: usize = 61;

/// What the resources of a policy may take.
pub const LARGEST_POLICY: usize = LARGEST_ANSWER - LARGEST_REFUSAL;

/// A resource takes quotes and a comma beside its text.
pub(super) const AROUND_A_RESOURCE: usize = 3;

impl<'a> Resources<'a> {
    pub(super) fn new(stage_prefix: &'a str) -> Self {
        Self {
            stage_prefix,
            texts: BTreeSet::new(),
            bytes: 0,
            limit: LARGEST_POLICY,
            has_four_letter_window: false,
        }
    }

    /// For finding out how large a policy would be.
    pub(super) fn without_limit(stage_prefix: &'a str) -> Self {
        Self { limit: usize::MAX, ..Self::new(stage_prefix) }
    }

    /// How many there are, and how much of an answer they take.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.texts.len(), self.bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Whether a resource holds `????/…`, which is also `GET//…`.
    pub(super) fn has_four_letter_window(&self) -> bool {
        self.has_four_letter_window
    }

    /// Adds the paths with these methods. Whether that includes `$connect`.
    pub(super) fn add(
        &mut self,
        glob: &Glob,
        methods: Methods,
        bindings: &Bindings<'_>,
    ) -> Result<bool, Reason> {
        self.add_with(glob, methods, bindings, false)
    }

    /// Adds the paths with whatever method.
    pub(super) fn add_any_method(&mut self, glob: &Glob, bindings: &Bindings<'_>) -> Result<(), Reason> {
        paths(&glob.0, bindings, false)?.iter().try_for_each(|path| self.push(format!("{WILDCARD}{path}")))
    }

    /// As [`add`](Self::add), with a wildcard for values that may not stand in a policy.
    pub(super) fn add_superset(
        &mut self,
        glob: &Glob,
        methods: Methods,
        bindings: &Bindings<'_>,
    ) -> Result<(), Reason> {
        self.add_with(glob, methods, bindings, true).map(drop)
    }

    /// Adds `GET//`, as some gateways spell the root, which is also what `GET/?*` names for `/{id}`.
    pub(super) fn add_odd_root(&mut self, methods: Methods) -> Result<(), Reason> {
        self.add_texts(windows(methods).into_iter(), &["//"])
    }

    /// Adds what stands behind the stage.
    pub(super) fn push(&mut self, text: impl Into<String>) -> Result<(), Reason> {
        let text = text.into();
        let length = self.stage_prefix.len() + text.len();
        if length > LONGEST_RESOURCE {
            return Err(Reason::ResourceTooLong { length, limit: LONGEST_RESOURCE });
        }
        if self.texts.insert(text) {
            self.bytes += length + AROUND_A_RESOURCE;
        }
        // Before all are made: a caller with many values would have thousands. Merging them saves half at the most.
        match self.bytes > self.limit.saturating_mul(2) {
            true => Err(Reason::PolicyTooLarge { limit: LARGEST_POLICY }),
            false => Ok(()),
        }
    }

    /// Makes one resource of `…/` and `…/?*`: a path with a slash at its end, and all that is below it.
    pub(super) fn merge(&mut self) {
        let is_below = |text: &&String| text.ends_with("/?*");
        for text in self.texts.iter().filter(is_below).cloned().collect::<Vec<_>>() {
            let Some(path) = text.strip_suffix("?*") else { continue };
            if self.texts.remove(path) {
                self.texts.remove(&text);
                self.texts.insert(format!("{path}*"));
                self.bytes -= self.stage_prefix.len() + path.len() + AROUND_A_RESOURCE + 1;
            }
        }
    }

    pub(super) fn into_patterns(self) -> Vec<ArnPattern> {
        self.texts.into_iter().map(|text| ArnPattern::new(format!("{}{text}", self.stage_prefix))).collect()
    }

    fn add_with(
        &mut self,
        glob: &Glob,
        methods: Methods,
        bindings: &Bindings<'_>,
        is_superset: bool,
    ) -> Result<bool, Reason> {
        if methods.is_empty() {
            return Ok(false);
        }
        match glob.0.as_slice() {
            // The root has three spellings, of which `GET/` is today's.
            [] => self.add_texts(methods.names(), &["", "/", "//"])?,
            [Piece::Rest] if methods == Methods::ANY => {
                self.push("*")?;
                return Ok(true);
            }
            [Piece::Rest] => self.add_texts(methods.names(), &["", "/*"])?,
            pieces => {
                let paths = paths(pieces, bindings, is_superset)?;
                let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
                let windows = windows(methods);
                self.has_four_letter_window |= windows.contains(&FOUR_LETTERS.1);
                self.add_texts(windows.into_iter(), &paths)?;
            }
        }
        Ok(false)
    }

    fn add_texts(
        &mut self,
        methods: impl Iterator<Item = &'static str>,
        paths: &[&str],
    ) -> Result<(), Reason> {
        for method in methods {
            for path in paths {
                self.push(format!("{method}{path}"))?;
            }
        }
        Ok(())
    }
}

/// Whether an answer can hold these resources.
pub(super) fn check_size(statements: &[&Resources<'_>]) -> Result<(), Reason> {
    match statements.iter().map(|resources| resources.bytes).sum() {
        0..=LARGEST_POLICY => Ok(()),
        _ => Err(Reason::PolicyTooLarge { limit: LARGEST_POLICY }),
    }
}

/// The two methods of three letters, and those of four, in one resource each. Behind the fifth letter of a longer
/// window a path could begin, and `????/…` is also `GET//…`, an odd path.
const THREE_LETTERS: (&[&str], &str) = (&["GET", "PUT"], "???");
const FOUR_LETTERS: (&[&str], &str) = (&["HEAD", "POST"], "????");

fn windows(methods: Methods) -> Vec<&'static str> {
    let mut texts: Vec<_> = methods.names().collect();
    for (names, window) in [THREE_LETTERS, FOUR_LETTERS] {
        if names.iter().all(|name| texts.contains(name)) {
            texts.retain(|text| !names.contains(text));
            texts.push(window);
        }
    }
    texts
}

/// The texts of a path, one for each spelling of each value, with and without a slash at its end.
fn paths(pieces: &[Piece], bindings: &Bindings<'_>, is_superset: bool) -> Result<Vec<String>, Reason> {
    let mut paths = vec![String::new()];
    for piece in pieces {
        let texts = match piece {
            Piece::Literal(text) => vec![text.clone()],
            Piece::Claim(claim) => {
                let bound = bindings.of(claim);
                if bound.values.len() > MOST_VALUES {
                    let (claim, count) = (claim.to_string(), bound.values.len());
                    return Err(Reason::RouteClaimTooLong { claim, count, limit: MOST_VALUES });
                }
                let mut texts: Vec<_> = bound.values.iter().flat_map(|value| value.spellings()).collect();
                if is_superset && bound.has_unsafe {
                    texts = vec![WILDCARD.to_owned()];
                }
                texts
            }
            Piece::Capture | Piece::Rest => vec![WILDCARD.to_owned()],
        };
        if paths.len() * texts.len() > MOST_PATHS {
            return Err(Reason::PolicyTooLarge { limit: LARGEST_POLICY });
        }
        let longer =
            |path: &String| texts.iter().map(move |text| format!("{path}/{text}")).collect::<Vec<_>>();
        paths = paths.iter().flat_map(longer).collect();
    }
    let ends = |path: String| match path.strip_suffix(WILDCARD) {
        // No slash at the end is a segment; one behind it is within the wildcard.
        Some(start) => vec![format!("{start}?{WILDCARD}")],
        None => vec![format!("{path}/"), path],
    };
    Ok(paths.into_iter().flat_map(ends).collect())
}

/// The most values of a claim that a policy is made of.
pub(super) const MOST_VALUES: usize = 32;

const WILDCARD: &str = "*";

/// Of the shortest resources, an answer holds fewer.
const MOST_PATHS: usize = LARGEST_POLICY / 16;
