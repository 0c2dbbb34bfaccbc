//! [`Resources`]: the resources of a statement, as text that API Gateway takes.

use std::borrow::Cow;

use super::glob::{Glob, Piece};
use super::list::ResourceList;
use super::verbs::Verbs;
use crate::error::Reason;
use crate::rules::{Bindings, Methods, SafeText};

/// The resources of one statement.
pub(super) struct Resources<'a> {
    stage_prefix: &'a str,
    /// Each once and in order, when they are [`finished`](Self::finish).
    tails: Vec<Tail<'a>>,
    /// Whether they already are: the plan has its paths in order, so that few policies need to be sorted.
    is_in_order: bool,
    /// What they take in an answer.
    bytes: usize,
    limit: usize,
    has_four_letter_window: bool,
}

/// The resources of one path: what stands behind the stage, each method before the path.
struct Tail<'a> {
    path: Cow<'a, str>,
    verbs: Verbs,
    /// How many resources they are, and what they take in an answer.
    size: (usize, usize),
}

impl<'a> Tail<'a> {
    fn new(stage_prefix: &str, verbs: Verbs, path: Cow<'a, str>) -> Self {
        let (count, letters) = verbs.size();
        let bytes = letters + count * (stage_prefix.len() + path.len() + AROUND_A_RESOURCE);
        Self { path, verbs, size: (count, bytes) }
    }

    /// With other verbs.
    fn set(&mut self, stage_prefix: &str, verbs: Verbs) {
        *self = Self::new(stage_prefix, verbs, std::mem::take(&mut self.path));
    }
}

/// A glob, and its texts where they are the same for every caller.
#[derive(Clone, Debug)]
pub(super) struct Wording {
    pub(super) glob: Glob,
    /// `None` where a claim is in them.
    texts: Option<Vec<String>>,
}

impl Wording {
    pub(super) fn new(glob: Glob) -> Self {
        let is_claim = |piece: &Piece| matches!(piece, Piece::Claim(_));
        let texts = (!glob.0.iter().any(is_claim)).then(|| {
            let mut texts = Vec::with_capacity(2);
            let mut path: String = glob.0.iter().flat_map(|piece| ["/", text(piece)]).collect();
            let _never_refused = end(&mut path, &mut |text| {
                texts.push(text.to_owned());
                Ok(())
            });
            texts
        });
        Self { glob, texts }
    }

    /// Whether it depends on the caller.
    pub(super) fn is_bound(&self) -> bool {
        self.texts.is_none()
    }
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
            tails: Vec::with_capacity(USUAL_COUNT),
            is_in_order: true,
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
        (self.tails.iter().map(|tail| tail.size.0).sum(), self.bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tails.is_empty()
    }

    /// Whether a resource holds `????/…`, which is also `GET//…`.
    pub(super) fn has_four_letter_window(&self) -> bool {
        self.has_four_letter_window
    }

    /// Adds the paths with these methods. Whether that includes `$connect`.
    pub(super) fn add(
        &mut self,
        wording: &'a Wording,
        methods: Methods,
        bindings: &Bindings<'_>,
    ) -> Result<bool, Reason> {
        self.add_with(wording, methods, bindings, false)
    }

    /// Adds the paths with whatever method.
    pub(super) fn add_any_method(
        &mut self,
        wording: &'a Wording,
        bindings: &Bindings<'_>,
    ) -> Result<(), Reason> {
        self.add_texts(wording, Verbs::WILDCARD, &Expansion { bindings, is_superset: false })
    }

    /// Adds these paths with whatever method, before the others.
    pub(super) fn add_any_method_first(
        &mut self,
        mut paths: impl Iterator<Item = &'static str>,
    ) -> Result<(), Reason> {
        let mut others = std::mem::replace(&mut self.tails, Vec::with_capacity(USUAL_COUNT));
        let others_are_in_order = std::mem::replace(&mut self.is_in_order, true);
        paths.try_for_each(|path| self.push(Verbs::WILDCARD, path))?;
        let ends = self.tails.last().zip(others.first());
        self.is_in_order &= others_are_in_order && ends.is_none_or(|(last, first)| last.path < first.path);
        self.tails.append(&mut others);
        Ok(())
    }

    /// As [`add`](Self::add), with a wildcard for values that may not stand in a policy.
    pub(super) fn add_superset(
        &mut self,
        wording: &'a Wording,
        methods: Methods,
        bindings: &Bindings<'_>,
    ) -> Result<(), Reason> {
        self.add_with(wording, methods, bindings, true).map(drop)
    }

    /// Adds `GET//`, as some gateways spell the root, which is also what `GET/?*` names for `/{id}`.
    pub(super) fn add_odd_root(&mut self, methods: Methods) -> Result<(), Reason> {
        self.push(Verbs::windows(methods), "//")
    }

    /// Adds what stands behind the stage, in two parts.
    pub(super) fn push(&mut self, verbs: Verbs, path: impl Into<Cow<'a, str>>) -> Result<(), Reason> {
        let tail = Tail::new(self.stage_prefix, verbs, path.into());
        let without_verb = self.stage_prefix.len() + tail.path.len();
        let mut lengths = verbs.each().map(|text| without_verb + text.len());
        if without_verb + Verbs::LONGEST > LONGEST_RESOURCE
            && let Some(length) = lengths.find(|length| *length > LONGEST_RESOURCE)
        {
            return Err(Reason::ResourceTooLong { length, limit: LONGEST_RESOURCE });
        }
        if !verbs.is_empty() {
            self.bytes += tail.size.1;
            self.is_in_order &= self.tails.last().is_none_or(|last| last.path < tail.path);
            self.tails.push(tail);
        }
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
        let mut merged = Vec::new();
        for position in 0..self.tails.len() {
            let (before, from) = self.tails.split_at_mut(position);
            let Some(below) = from.first_mut() else { break };
            let Some(path) = below.path.strip_suffix("?*").filter(|path| path.ends_with('/')) else {
                continue;
            };
            // All that stands between them in order begins with the path, too.
            let mut alike = before.iter_mut().rev().take_while(|other| other.path.starts_with(path));
            let Some(itself) = alike.find(|other| other.path == path) else { continue };
            let both = itself.verbs.and(below.verbs);
            if !both.is_empty() {
                merged.push((both, [path, WILDCARD].concat()));
                itself.set(self.stage_prefix, itself.verbs.without(both));
                below.set(self.stage_prefix, below.verbs.without(both));
            }
        }
        for (verbs, path) in merged {
            self.insert(verbs, path);
        }
    }

    /// Adds a path where it belongs, to resources that are in order.
    fn insert(&mut self, verbs: Verbs, path: String) {
        match self.tails.binary_search_by(|tail| (*tail.path).cmp(&path)) {
            Ok(place) => {
                if let Some(tail) = self.tails.get_mut(place) {
                    tail.set(self.stage_prefix, tail.verbs.or(verbs));
                }
            }
            Err(place) => {
                self.tails.insert(place, Tail::new(self.stage_prefix, verbs, Cow::Owned(path)));
            }
        }
        self.bytes = self.tails.iter().map(|tail| tail.size.1).sum();
    }

    /// Of finished resources.
    pub(super) fn into_list(self) -> ResourceList {
        let (count, bytes) = self.size();
        let present = self.tails.iter().fold(Verbs::default(), |all, tail| all.or(tail.verbs));
        let ends = Verbs::all().filter(|(verb, _)| present.includes(*verb)).flat_map(|(verb, text)| {
            let tails = self.tails.iter().filter(move |tail| tail.verbs.includes(verb));
            tails.map(move |tail| (text, &*tail.path))
        });
        ResourceList::new(self.stage_prefix, count, bytes, ends)
    }

    fn put_in_order(&mut self) {
        if self.is_in_order {
            return;
        }
        self.tails.sort_by(|one, other| one.path.cmp(&other.path));
        self.tails.dedup_by(|again, first| {
            let is_alike = again.path == first.path;
            if is_alike {
                first.set(self.stage_prefix, first.verbs.or(again.verbs));
            }
            is_alike
        });
        self.bytes = self.tails.iter().map(|tail| tail.size.1).sum();
        self.is_in_order = true;
    }

    fn add_with(
        &mut self,
        wording: &'a Wording,
        methods: Methods,
        bindings: &Bindings<'_>,
        is_superset: bool,
    ) -> Result<bool, Reason> {
        if methods.is_empty() {
            return Ok(false);
        }
        let names = Verbs::names(methods);
        match wording.glob.0.as_slice() {
            // The root has three spellings, of which `GET/` is today's.
            [] => ["", "/", "//"].into_iter().try_for_each(|path| self.push(names, path))?,
            [Piece::Rest] if methods == Methods::ANY => {
                self.push(Verbs::WILDCARD, "")?;
                return Ok(true);
            }
            [Piece::Rest] => ["", "/*"].into_iter().try_for_each(|path| self.push(names, path))?,
            _ => {
                let windows = Verbs::windows(methods);
                self.has_four_letter_window |= windows.includes(Verbs::FOUR_LETTERS);
                self.add_texts(wording, windows, &Expansion { bindings, is_superset })?;
            }
        }
        Ok(false)
    }

    fn add_texts(
        &mut self,
        wording: &'a Wording,
        verbs: Verbs,
        expansion: &Expansion<'_>,
    ) -> Result<(), Reason> {
        match &wording.texts {
            Some(texts) => texts.iter().try_for_each(|text| self.push(verbs, text)),
            None => expansion.each(&wording.glob.0, |text| self.push(verbs, text.to_owned())),
        }
    }
}

/// Whether an answer can hold these resources.
pub(super) fn check_size(statements: &[&Resources<'_>]) -> Result<(), Reason> {
    match statements.iter().map(|resources| resources.bytes).sum() {
        0..=LARGEST_POLICY => Ok(()),
        _ => Err(Reason::PolicyTooLarge { limit: LARGEST_POLICY }),
    }
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
            Piece::Claim(claim) => match self.bindings.of(claim) {
                bound if self.is_superset && bound.has_unsafe => (Some(WILDCARD), &[][..]),
                bound => (None, bound.values.as_slice()),
            },
            Piece::Literal(_) | Piece::Capture | Piece::Rest => (Some(text(piece)), &[][..]),
        };
        alone.into_iter().chain(values.iter().flat_map(SafeText::spellings))
    }
}

/// What stands for a piece that is no claim.
fn text(piece: &Piece) -> &str {
    match piece {
        Piece::Literal(text) => text,
        Piece::Claim(_) | Piece::Capture | Piece::Rest => WILDCARD,
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

/// So many paths a policy has room for at once; with more it grows.
const USUAL_COUNT: usize = 64;

/// Of the shortest resources, an answer holds fewer.
const MOST_PATHS: usize = LARGEST_POLICY / 16;
