//! [`Glob`]: a path as an IAM policy can name it. IAM's `*` crosses slashes, so that a wildcard is one segment
//! *or more*, and a policy names more than a rule does. What more, and what a Deny of it would hit, is decided here,
//! segment by segment.

use crate::claims::ClaimPath;
use crate::rules::{PathPattern, Segment};

/// Paths that a policy can name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Glob(pub(super) Vec<Piece>);

/// What stands between two slashes of a policy's resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    /// This very text.
    Literal(String),
    /// A value of the caller's.
    Claim(ClaimPath),
    /// `*`: one segment or more, where one is meant.
    Capture,
    /// `*`: one segment or more, as is meant.
    Rest,
}

/// Which paths of a pattern count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instances {
    /// Every one.
    All,
    /// Those whose wildcards and claims are like no other text in the rules.
    Fresh,
}

impl Glob {
    /// The closest that a policy comes to the pattern.
    pub(super) fn of(pattern: &PathPattern) -> Self {
        let mut pieces: Vec<_> = pattern.segments.iter().map(piece).collect();
        if pattern.is_open {
            // With nothing but wildcards up to the open end, a segment too many is one of that end.
            pieces
                .iter_mut()
                .rev()
                .take_while(|piece| **piece == Piece::Capture)
                .for_each(|piece| *piece = Piece::Rest);
            pieces.push(Piece::Rest);
        }
        Self(pieces)
    }

    /// The patterns of what each wildcard names beside its one segment, when these (by their positions among the
    /// captures) take up to `most` segments too many together. `None` where there are too many to count.
    pub(super) fn excess(
        pattern: &PathPattern,
        stretchable: &[usize],
        most: usize,
    ) -> Option<Vec<PathPattern>> {
        let mut all = vec![(0, PathPattern { segments: Vec::new(), is_open: pattern.is_open })];
        let mut capture = 0;
        for segment in &pattern.segments {
            let is_stretchable = *segment == Segment::Any && stretchable.contains(&capture);
            capture += usize::from(*segment == Segment::Any);
            let lengthened = |(taken, path): (usize, PathPattern)| {
                let spare = if is_stretchable { most - taken } else { 0 };
                (0..=spare).map(move |more| {
                    let mut path = path.clone();
                    path.segments.extend(std::iter::repeat_n(segment.clone(), more + 1));
                    (taken + more, path)
                })
            };
            all = all.into_iter().flat_map(lengthened).take(MOST_EXCESS + 1).collect();
            if all.len() > MOST_EXCESS {
                return None;
            }
        }
        Some(all.into_iter().filter(|(taken, _)| *taken > 0).map(|(_, path)| path).collect())
    }

    /// The same for whatever caller: each claim is a wildcard.
    pub(super) fn for_everybody(pattern: &PathPattern) -> Self {
        let Self(pieces) = Self::of(pattern);
        let widened = |piece| match piece {
            Piece::Claim(_) => Piece::Capture,
            Piece::Literal(_) | Piece::Capture | Piece::Rest => piece,
        };
        Self(pieces.into_iter().map(widened).collect())
    }

    /// Every path with the literal start of the pattern and more than `depth` segments.
    pub(super) fn deeper_than(pattern: &PathPattern, depth: usize) -> Self {
        let mut pieces: Vec<_> =
            pattern.segments.iter().map(piece).take_while(|piece| *piece != Piece::Capture).collect();
        pieces.resize(depth + 1, Piece::Rest);
        Self(pieces)
    }

    /// The pattern behind one segment or more: what `*` for the method would open beside it. `None` for a pattern with
    /// wildcards of its own, and for the root.
    pub(super) fn behind_others(pattern: &PathPattern) -> Option<Self> {
        let Self(mut pieces) = Self::of(pattern);
        let has_wildcards = pieces.iter().any(|piece| matches!(piece, Piece::Capture | Piece::Rest));
        (!has_wildcards && !pieces.is_empty()).then(|| {
            pieces.insert(0, Piece::Rest);
            Self(pieces)
        })
    }

    /// Each way in which a wildcard of the pattern may have taken a segment too many.
    pub(super) fn stretched(pattern: &PathPattern) -> Vec<Self> {
        let Self(pieces) = Self::of(pattern);
        let captures = pieces.iter().enumerate().filter(|(_, piece)| **piece == Piece::Capture);
        let doubled = |(position, _)| {
            let mut doubled = pieces.clone();
            doubled.insert(position, Piece::Capture);
            Self(doubled)
        };
        captures.map(doubled).collect()
    }

    /// Whether one of the pattern's paths is among these.
    pub(super) fn meets(&self, pattern: &PathPattern, instances: Instances) -> bool {
        // `/**` is the whole API, the root included.
        if pattern.segments.is_empty() && matches!(self.0.as_slice(), [] | [Piece::Rest]) {
            return true;
        }
        meet(&self.0, &pattern.segments, &Meeting { is_open: pattern.is_open, instances, is_stretched: true })
    }

    /// Whether every path of a pattern as long as this, segment by segment.
    pub(super) fn names_all(&self, pattern: &PathPattern) -> bool {
        let Self(own) = self;
        let Self(other) = Self::of(pattern);
        let is_wild = |piece: &Piece| matches!(piece, Piece::Capture | Piece::Rest);
        own.len() == other.len() && own.iter().zip(&other).all(|(own, other)| is_wild(own) || own == other)
    }

    /// Whether one of the pattern's paths is among these only because a wildcard took a segment too many.
    pub(super) fn spills_onto(&self, pattern: &PathPattern) -> bool {
        let meeting = Meeting { is_open: pattern.is_open, instances: Instances::All, is_stretched: false };
        meet(&self.0, &pattern.segments, &meeting)
    }
}

const MOST_EXCESS: usize = 1000;

fn piece(segment: &Segment) -> Piece {
    match segment {
        Segment::Literal(text) => Piece::Literal(text.clone()),
        Segment::Any => Piece::Capture,
        Segment::Claim(claim) => Piece::Claim(claim.clone()),
    }
}

#[derive(Clone, Copy)]
struct Meeting {
    /// Whether one segment or more follow those of the pattern.
    is_open: bool,
    instances: Instances,
    /// Whether a capture has taken more than one segment, or need not.
    is_stretched: bool,
}

fn meet(pieces: &[Piece], segments: &[Segment], meeting: &Meeting) -> bool {
    let stretched = Meeting { is_stretched: true, ..*meeting };
    let Some((piece, pieces)) = pieces.split_first() else {
        return segments.is_empty() && !meeting.is_open && meeting.is_stretched;
    };
    let Some((segment, rest)) = segments.split_first() else {
        // The rest of the pattern's path is whatever it is, and of any length.
        let takes = |piece: &Piece| matches!(piece, Piece::Capture | Piece::Rest);
        let is_stretched =
            meeting.is_stretched || pieces.iter().chain([piece]).any(|piece| *piece == Piece::Capture);
        let is_met = meeting.instances == Instances::All || pieces.iter().chain([piece]).all(takes);
        return meeting.is_open && is_stretched && is_met;
    };
    match piece {
        // Taken by itself, with what follows, or as the last but not the only one of several.
        Piece::Capture | Piece::Rest => {
            let more = if *piece == Piece::Capture { &stretched } else { meeting };
            meet(pieces, rest, meeting) || takes_more(pieces, rest, more)
        }
        Piece::Literal(_) | Piece::Claim(_) => {
            is_alike(piece, segment, meeting.instances) && meet(pieces, rest, meeting)
        }
    }
}

/// A wildcard that has taken a segment takes another one.
fn takes_more(pieces: &[Piece], segments: &[Segment], meeting: &Meeting) -> bool {
    match segments.split_first() {
        Some((_, rest)) => meet(pieces, rest, meeting) || takes_more(pieces, rest, meeting),
        // Of the open end it takes all but what the pieces behind it take, which may be all of it.
        None => meeting.is_open && open_end_meets(pieces, meeting),
    }
}

/// Whether pieces can match the end of an open pattern, of which a wildcard may have had a part.
fn open_end_meets(pieces: &[Piece], meeting: &Meeting) -> bool {
    let takes = |piece: &Piece| matches!(piece, Piece::Capture | Piece::Rest);
    meeting.is_stretched && (meeting.instances == Instances::All || pieces.iter().all(takes))
}

fn is_alike(piece: &Piece, segment: &Segment, instances: Instances) -> bool {
    let is_possible = instances == Instances::All;
    match (piece, segment) {
        (Piece::Capture | Piece::Rest, _) => true,
        (Piece::Literal(text), Segment::Literal(other)) => text == other,
        (Piece::Claim(claim), Segment::Claim(other)) => claim == other || is_possible,
        (Piece::Literal(_), Segment::Any | Segment::Claim(_))
        | (Piece::Claim(_), Segment::Literal(_) | Segment::Any) => is_possible,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn pattern(text: &str) -> PathPattern {
        text.parse().unwrap()
    }

    #[test]
    fn what_a_wildcard_spills_onto() {
        for (own, other, spills) in [
            ("/o/{id}", "/o/{id}/items", true),
            ("/o/{id}", "/o/{id}", false),
            ("/o/{id}", "/o/x", false),
            ("/o/{id}", "/p/{id}/items", false),
            ("/o/{id}", "/o/**", true),
            ("/o/{id}", "/**", true),
            ("/o/{id}/x", "/o/{id}/y/x", true),
            ("/o/{id}/x", "/o/{id}/y", false),
            ("/o/{id}/x", "/o/{id}/{other}", false),
            ("/o/{id}/x", "/o/{id}/{other}/{third}", true),
            ("/o/{id}/x/**", "/o/{id}/x/y/z", false),
            ("/o/{id}/x/**", "/o/{id}/y/x/z", true),
            ("/o/**", "/o/a/b", false),
            ("/o/{claims.sub}", "/o/{id}/items", false),
            ("/{a}/{b}", "/x/y/z", true),
        ] {
            assert_eq!(Glob::of(&pattern(own)).spills_onto(&pattern(other)), spills, "{own} onto {other}");
        }
    }

    #[test]
    fn fresh_paths_are_like_no_text() {
        for (own, other, all, fresh) in [
            ("/o/{id}/audit", "/o/{id}/notes/{note}", true, false),
            ("/o/{id}/audit", "/o/{id}/{what}/{note}", true, false),
            ("/o/{a}/{b}", "/o/{id}/items", true, true),
            ("/o/{id}/audit", "/o/**", true, false),
            ("/o/{id}/**", "/o/**", true, true),
            ("/o/{claims.sub}", "/o/{claims.sub}", true, true),
            ("/o/{claims.sub}", "/o/{claims.team}", true, false),
            ("/o/{claims.sub}", "/o/x", true, false),
            ("/o/x", "/o/y", false, false),
        ] {
            let (glob, other_pattern) = (Glob::of(&pattern(own)), pattern(other));
            assert_eq!(glob.meets(&other_pattern, Instances::All), all, "{own} {other}");
            assert_eq!(glob.meets(&other_pattern, Instances::Fresh), fresh, "{own} {other}");
        }
    }

    #[test]
    fn a_pattern_covers_what_is_always_its_own() {
        for (outer, inner, expected) in [
            ("/o/{id}", "/o/x", true),
            ("/o/x", "/o/{id}", false),
            ("/o/{id}", "/o/{claims.sub}", true),
            ("/o/{claims.sub}", "/o/{claims.sub}", true),
            ("/o/{claims.sub}", "/o/{claims.team}", false),
            ("/o/**", "/o/{id}", true),
            ("/o/**", "/o", false),
            ("/o/**", "/o/{id}/**", true),
            ("/o/{id}/**", "/o/**", false),
            ("/**", "/", true),
            ("/**", "/**", true),
            ("/o/{id}", "/o/**", false),
        ] {
            assert_eq!(pattern(outer).covers(&pattern(inner)), expected, "{outer} {inner}");
        }
    }

    fn any_pattern() -> impl Strategy<Value = PathPattern> {
        let segments = prop::collection::vec(select(vec!["a", "b", "{id}"]), 0..4);
        (segments, any::<bool>()).prop_map(|(segments, is_open)| {
            let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
            let path = if is_open { format!("{path}/**") } else { path };
            pattern(if path.is_empty() { "/" } else { &path })
        })
    }

    /// Every path of up to six segments over two texts.
    fn all_paths() -> Vec<Vec<&'static str>> {
        let mut paths: Vec<Vec<&str>> = vec![Vec::new()];
        let mut longest = paths.clone();
        for _ in 0..6 {
            let longer = |path: &Vec<&'static str>| ["a", "b"].map(|end| [path.as_slice(), &[end]].concat());
            longest = longest.iter().flat_map(longer).collect();
            paths.extend(longest.clone());
        }
        paths
    }

    fn is_named(pattern: &PathPattern, path: &[&str]) -> bool {
        let length = match pattern.is_open {
            true => path.len() > pattern.segments.len() || pattern.segments.is_empty(),
            false => path.len() == pattern.segments.len(),
        };
        length
            && pattern.segments.iter().zip(path).all(|(segment, text)| match segment {
                Segment::Literal(literal) => literal == text,
                Segment::Any | Segment::Claim(_) => true,
            })
    }

    fn is_matched(pieces: &[Piece], path: &[&str]) -> bool {
        match (pieces.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((Piece::Literal(text), pieces)), Some((first, path))) => {
                text == first && is_matched(pieces, path)
            }
            (Some((_, rest)), Some((_, path))) => is_matched(rest, path) || is_matched(pieces, path),
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Against every path there is.
        #[test]
        fn relations_are_those_of_the_paths(own in any_pattern(), other in any_pattern()) {
            let glob = Glob::of(&own);
            let paths = all_paths();
            // The root is never a matter of a wildcard.
            let matched = |path: &&Vec<&str>| !path.is_empty() && is_matched(&glob.0, path);
            let meets = paths.iter().filter(|path| !path.is_empty() && is_named(&other, path)).any(|path| matched(&path));
            let is_root = |pattern: &PathPattern| pattern.segments.is_empty() && !pattern.is_open;
            if !is_root(&own) && !is_root(&other) {
                prop_assert_eq!(glob.meets(&other, Instances::All), meets);
            }
            let covered = paths.iter().filter(|path| is_named(&other, path)).all(|path| is_named(&own, path));
            if own.covers(&other) {
                prop_assert!(covered);
            }
            let spilled = paths.iter().filter(|path| is_named(&other, path) && !is_named(&own, path)).any(|path| matched(&path));
            if spilled {
                prop_assert!(glob.spills_onto(&other), "{} onto {}", own, other);
            }
        }
    }
}
