//! [`Resources`]: the resources of a statement, as text that API Gateway takes.

use super::glob::{Glob, Piece};
use crate::arn::ArnPattern;
use crate::error::Reason;
use crate::rules::{Bindings, Methods, SafeText};

/// The resources of one statement.
pub(super) struct Resources<'a> {
    stage_prefix: &'a str,
    /// Whole, so that they need not be written again; each once and in order, when they are [`finished`](Self::finish).
    texts: Vec<String>,
    /// What they take in an answer.
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
            texts: Vec::new(),
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
        Expansion { bindings, is_superset: false }.each(&glob.0, |path| self.push(WILDCARD, path))
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
        windows(methods).try_for_each(|method| self.push(method, "//"))
    }

    /// Adds what stands behind the stage, in two parts.
    pub(super) fn push(&mut self, method: &str, path: &str) -> Result<(), Reason> {
        let length = self.stage_prefix.len() + method.len() + path.len();
        if length > LONGEST_RESOURCE {
            return Err(Reason::ResourceTooLong { length, limit: LONGEST_RESOURCE });
        }
        let mut text = String::with_capacity(length);
        text.extend([self.stage_prefix, method, path]);
        self.texts.push(text);
        self.bytes += length + AROUND_A_RESOURCE;
        // Before all are made: a caller with many values would have thousands. Merging them saves half at the most.
        let most = self.limit.saturating_mul(2);
        if self.bytes > most {
            self.put_in_order();
        }
        match self.bytes > most {
            true => Err(Reason::PolicyTooLarge { limit: LARGEST_POLICY }),
            false => Ok(()),
        }
    }

    /// Each once and in order; and one resource of `…/` and `…/?*`: a path with a slash at its end, and all that is below
    /// it.
    pub(super) fn finish(&mut self) {
        self.put_in_order();
        let is_there = |path: &&str| path.ends_with('/') && has(&self.texts, path);
        let paths_with_all_below =
            self.texts.iter().filter_map(|text| text.strip_suffix("?*")).filter(is_there);
        let mut merged: Vec<String> = paths_with_all_below.map(str::to_owned).collect();
        if merged.is_empty() {
            return;
        }
        merged.sort_unstable();
        let is_merged = |text: &str| has(&merged, text.strip_suffix("?*").unwrap_or(text));
        self.texts.retain(|text| !is_merged(text));
        self.texts.extend(merged.into_iter().map(|path| path + WILDCARD));
        self.put_in_order();
    }

    /// Of finished resources.
    pub(super) fn into_patterns(self) -> Vec<ArnPattern> {
        self.texts.into_iter().map(ArnPattern::new).collect()
    }

    fn put_in_order(&mut self) {
        // They begin alike.
        let start = self.stage_prefix.len();
        self.texts.sort_unstable_by(|one, other| one.get(start..).cmp(&other.get(start..)));
        self.texts.dedup();
        self.bytes = self.texts.iter().map(|text| text.len() + AROUND_A_RESOURCE).sum();
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
            [] => self.add_each(methods.names(), ["", "/", "//"])?,
            [Piece::Rest] if methods == Methods::ANY => {
                self.push("", WILDCARD)?;
                return Ok(true);
            }
            [Piece::Rest] => self.add_each(methods.names(), ["", "/*"])?,
            pieces => {
                self.has_four_letter_window |= windows(methods).any(|window| window == FOUR_LETTERS.1);
                Expansion { bindings, is_superset }
                    .each(pieces, |path| windows(methods).try_for_each(|method| self.push(method, path)))?;
            }
        }
        Ok(false)
    }

    fn add_each<const COUNT: usize>(
        &mut self,
        mut methods: impl Iterator<Item = &'static str>,
        paths: [&str; COUNT],
    ) -> Result<(), Reason> {
        methods.try_for_each(|method| paths.iter().try_for_each(|path| self.push(method, path)))
    }
}

fn has(sorted: &[String], text: &str) -> bool {
    sorted.binary_search_by(|other| other.as_str().cmp(text)).is_ok()
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

fn windows(methods: Methods) -> impl Iterator<Item = &'static str> {
    let both = [THREE_LETTERS, FOUR_LETTERS].map(|(names, window)| {
        let is_whole = names.iter().all(|name| methods.includes(name));
        (if is_whole { names } else { &[] }, is_whole.then_some(window))
    });
    let [(three, _), (four, _)] = both;
    let alone = methods.names().filter(move |name| !three.contains(name) && !four.contains(name));
    alone.chain(both.into_iter().filter_map(|(_, window)| window))
}

/// Of what a path's texts are made.
struct Expansion<'a> {
    bindings: &'a Bindings<'a>,
    /// Whether a value that may not stand in a policy is a wildcard.
    is_superset: bool,
}

impl Expansion<'_> {
    /// Calls `add` with each text of a path, one for each spelling of each value, with and without a slash at its end.
    fn each(&self, pieces: &[Piece], add: impl FnMut(&str) -> Result<(), Reason>) -> Result<(), Reason> {
        let mut count = 1;
        for piece in pieces {
            let Piece::Claim(claim) = piece else { continue };
            let values = self.bindings.of(claim).values.len();
            if values > MOST_VALUES {
                let claim = claim.to_string();
                return Err(Reason::RouteClaimTooLong { claim, count: values, limit: MOST_VALUES });
            }
            count *= self.texts(piece).count();
            if count > MOST_PATHS {
                return Err(Reason::PolicyTooLarge { limit: LARGEST_POLICY });
            }
        }
        self.extend(pieces, &mut String::with_capacity(LONGEST_RESOURCE), &mut { add })
    }

    fn extend(
        &self,
        pieces: &[Piece],
        path: &mut String,
        add: &mut impl FnMut(&str) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        let Some((piece, rest)) = pieces.split_first() else { return end(path, add) };
        let length = path.len();
        for text in self.texts(piece) {
            path.push('/');
            path.push_str(text);
            self.extend(rest, path, add)?;
            path.truncate(length);
        }
        Ok(())
    }

    fn texts<'b>(&'b self, piece: &'b Piece) -> impl Iterator<Item = &'b str> {
        let (alone, values) = match piece {
            Piece::Literal(text) => (Some(text.as_str()), &[][..]),
            Piece::Capture | Piece::Rest => (Some(WILDCARD), &[][..]),
            Piece::Claim(claim) => match self.bindings.of(claim) {
                bound if self.is_superset && bound.has_unsafe => (Some(WILDCARD), &[][..]),
                bound => (None, bound.values.as_slice()),
            },
        };
        alone.into_iter().chain(values.iter().flat_map(SafeText::spellings))
    }
}

fn end(path: &mut String, add: &mut impl FnMut(&str) -> Result<(), Reason>) -> Result<(), Reason> {
    // No slash at the end is a segment; one behind it is within the wildcard.
    if path.ends_with(WILDCARD) {
        path.insert(path.len() - WILDCARD.len(), '?');
        return add(path);
    }
    add(path)?;
    path.push('/');
    add(path)
}

/// The most values of a claim that a policy is made of.
pub(super) const MOST_VALUES: usize = 32;

const WILDCARD: &str = "*";

/// Of the shortest resources, an answer holds fewer.
const MOST_PATHS: usize = LARGEST_POLICY / 16;
