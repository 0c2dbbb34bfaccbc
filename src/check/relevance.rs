//! How the routes of an API stand to those of the rules: which are the same, and which bear on one another.

use super::api::{ApiRoute, ApiSegment};
use crate::rules::{Methods, PathPattern, RoutePattern, Rules, Segment, Shape};

/// Whether some path is both the rule's and the route's.
pub(super) fn overlaps(pattern: &RoutePattern, route: &ApiRoute) -> bool {
    match (pattern.shape(), &route.path) {
        (Shape::Connect, path) => path.is_none(),
        (Shape::Path(..), None) => false,
        (Shape::Path(methods, pattern), Some(path)) => {
            let is_greedy = path.last() == Some(&ApiSegment::Greedy);
            let fixed = path.len() - usize::from(is_greedy);
            let least = pattern.segments.len() + usize::from(pattern.is_open && !pattern.segments.is_empty());
            let has_length = match (pattern.is_open, is_greedy) {
                (false, false) => least == fixed,
                (true, false) => least <= fixed,
                (false, true) => least > fixed,
                (true, true) => true,
            };
            let is_alike = |(segment, own): (&Segment, &ApiSegment)| match (segment, own) {
                (Segment::Literal(text), ApiSegment::Literal(own)) => text == own,
                _ => true,
            };
            !methods.and(route.methods).is_empty()
                && has_length
                && pattern.segments.iter().zip(path).all(is_alike)
        }
    }
}

/// The rules, by position, that can make a difference to the route: those whose paths begin as it does, and those that
/// stand in the way of what closes the wildcards of such a rule.
pub(super) fn relevant(rules: &Rules, route: &ApiRoute) -> Vec<usize> {
    let all: Vec<(usize, &RoutePattern)> = rules
        .as_slice()
        .iter()
        .enumerate()
        .flat_map(|(position, rule)| rule.routes.iter().map(move |route| (position, route)))
        .collect();
    let mut is_relevant: Vec<bool> = all.iter().map(|(_, pattern)| may_concern(pattern, route)).collect();
    loop {
        let wild: Vec<_> = all
            .iter()
            .zip(&is_relevant)
            .filter(|(_, is)| **is)
            .filter_map(|((_, pattern), _)| wild(pattern))
            .collect();
        let next: Vec<bool> = all
            .iter()
            .zip(&is_relevant)
            .map(|((_, pattern), is)| *is || wild.iter().any(|other| may_meet(pattern, *other)))
            .collect();
        if next == is_relevant {
            break;
        }
        is_relevant = next;
    }
    let mut found: Vec<usize> =
        all.iter().zip(&is_relevant).filter(|(_, is)| **is).map(|((position, _), _)| *position).collect();
    found.dedup();
    found
}

fn may_concern(pattern: &RoutePattern, route: &ApiRoute) -> bool {
    match (pattern.shape(), &route.path) {
        (Shape::Connect, path) => path.is_none(),
        // A policy for the whole API is one for `$connect`, too.
        (Shape::Path(_, path), None) => path.is_open && path.segments.is_empty(),
        (Shape::Path(methods, path), Some(own)) => {
            let own: Vec<&str> = own
                .iter()
                .map_while(|segment| match segment {
                    ApiSegment::Literal(text) => Some(text.as_str()),
                    ApiSegment::Parameter | ApiSegment::Greedy => None,
                })
                .collect();
            !methods.and(route.methods).is_empty() && is_one_start(&start(path), &own)
        }
    }
}

/// The path of a pattern whose wildcards a policy may stretch.
fn wild(pattern: &RoutePattern) -> Option<(Methods, &PathPattern)> {
    match pattern.shape() {
        Shape::Path(methods, path) => path.segments.contains(&Segment::Any).then_some((*methods, path)),
        Shape::Connect => None,
    }
}

/// Whether the paths of both begin alike, as far as they are literal, and they have a method in common.
pub(super) fn are_alike(one: &RoutePattern, other: &RoutePattern) -> bool {
    match other.shape() {
        Shape::Path(methods, path) => may_meet(one, (*methods, path)),
        Shape::Connect => false,
    }
}

fn may_meet(pattern: &RoutePattern, (methods, path): (Methods, &PathPattern)) -> bool {
    match pattern.shape() {
        Shape::Path(own, pattern) => {
            !own.and(methods).is_empty() && is_one_start(&start(pattern), &start(path))
        }
        Shape::Connect => false,
    }
}

/// What stands before the first segment that may be anything.
fn start(path: &PathPattern) -> Vec<&str> {
    let mut texts = Vec::new();
    for segment in &path.segments {
        match segment {
            Segment::Literal(text) => texts.push(text.as_str()),
            Segment::Any | Segment::Claim(_) => break,
        }
    }
    texts
}

/// Whether one is the start of the other.
fn is_one_start(left: &[&str], right: &[&str]) -> bool {
    left.iter().zip(right).all(|(left, right)| left == right)
}
