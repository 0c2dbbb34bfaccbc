//! The paths that an API's route stands for, as far as the rules may tell them apart.

use std::collections::BTreeSet;

use super::api::{Api, ApiRoute, ApiSegment};
use super::relevance::relevant;
use crate::arn::MethodArn;
use crate::claims::ClaimPath;
use crate::rules::{PathPattern, RoutePattern, Rules, Segment};

/// Paths of the routes of an API.
pub(super) struct Instances<'a> {
    api: &'a Api,
    rules: &'a Rules,
    /// The claims that the rules' routes are bound to.
    pub(super) claims: Vec<&'a ClaimPath>,
}

/// Texts that a caller may be called like.
pub(super) struct Texts<'a> {
    /// As many as are tried.
    pub(super) all: Vec<&'a str>,
    /// Those that stand where a route is bound to the claim.
    of_claims: Vec<(&'a ClaimPath, &'a str)>,
    /// Whether all that stand in such a place are tried.
    pub(super) is_complete: bool,
}

impl<'a> Texts<'a> {
    /// Those that stand in the place of the claim.
    pub(super) fn of(&self, claim: &ClaimPath) -> impl Iterator<Item = &'a str> {
        let own = self.of_claims.iter().filter(move |(of, text)| *of == claim && self.all.contains(text));
        own.map(|(_, text)| *text)
    }
}

/// One path of a route, with one method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instance {
    pub(super) arn: MethodArn,
    /// `GET /orders/any-1`, or `$connect`.
    pub(super) shown: String,
    /// Whether some backends read another path in it, so that no rule matches it.
    pub(super) is_odd: bool,
}

/// What nobody has named.
const FRESH: &str = "any";

/// What some backends read as two segments, or as another path. No rule matches it.
const ODD: &str = "any%2Fany";

/// The most values of a path's parameters of which all combinations are tried.
const MOST_COMBINED: usize = 64;

/// The most texts that callers are called like.
const MOST_TEXTS: usize = 12;

const STAGE: &str = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/stage/";

impl<'a> Instances<'a> {
    pub(super) fn new(api: &'a Api, rules: &'a Rules) -> Self {
        let mut claims: Vec<&ClaimPath> = Vec::new();
        for claim in patterns(rules).flat_map(RoutePattern::claims) {
            if !claims.contains(&claim) {
                claims.push(claim);
            }
        }
        Self { api, rules, claims }
    }

    /// The texts of these rules' routes, by position, and of the API's, that a caller may be called like.
    pub(super) fn texts(&self, relevant: &[usize]) -> Texts<'a> {
        let mut texts = Texts { all: Vec::new(), of_claims: Vec::new(), is_complete: true };
        let rules = relevant.iter().filter_map(|position| self.rules.as_slice().get(*position));
        let patterns: Vec<_> = rules.flat_map(|rule| &rule.routes).filter_map(RoutePattern::path).collect();
        for pattern in &patterns {
            for (position, segment) in pattern.segments.iter().enumerate() {
                let Segment::Claim(claim) = segment else { continue };
                let start = pattern.segments.get(..position).unwrap_or_default();
                let of_rules = patterns.iter().filter_map(|other| literal_behind(start, &other.segments));
                let of_api = self
                    .api
                    .routes
                    .iter()
                    .filter_map(|route| api_literal_behind(start, route.path.as_ref()?));
                for text in of_rules.chain(of_api) {
                    let of_claim = (claim, text);
                    if !texts.of_claims.contains(&of_claim) {
                        texts.of_claims.push(of_claim);
                    }
                }
            }
        }
        if self.claims.is_empty() || !patterns.iter().any(|path| path.segments.iter().any(is_claim)) {
            return texts;
        }
        let of_patterns = patterns.iter().flat_map(|path| &path.segments).filter_map(literal);
        for text in texts.of_claims.iter().map(|(_, text)| *text).chain(of_patterns) {
            if !texts.all.contains(&text) {
                texts.all.push(text);
            }
        }
        let at_claims: BTreeSet<&str> = texts.of_claims.iter().map(|(_, text)| *text).collect();
        texts.is_complete = at_claims.len() <= MOST_TEXTS;
        texts.all.truncate(MOST_TEXTS);
        texts
    }

    /// What a caller has for a claim, as the text of a segment.
    pub(super) fn own(&self, claim: &ClaimPath) -> String {
        let position = self.claims.iter().position(|other| *other == claim).unwrap_or_default();
        format!("own-{position}")
    }

    /// A request that neither a rule nor a route names.
    pub(super) fn unnamed() -> Option<MethodArn> {
        instance("GET", &["nobody", "names", "this"].map(str::to_owned)).map(|instance| instance.arn)
    }

    /// The paths of the route with each of its methods, but those that are another route's.
    pub(super) fn of(&self, route: &ApiRoute) -> Vec<Instance> {
        let Some(path) = &route.path else {
            let arn = format!("{STAGE}$connect").parse().ok();
            return arn
                .into_iter()
                .map(|arn| Instance { arn, shown: "$connect".to_owned(), is_odd: false })
                .collect();
        };
        let paths = self.paths(route, path);
        let mut instances = Vec::new();
        for method in route.methods.names() {
            let own = paths.iter().filter(|path| !self.is_of_another(route, method, path));
            instances.extend(own.filter_map(|path| instance(method, path)));
        }
        instances
    }

    fn paths(&self, route: &ApiRoute, path: &[ApiSegment]) -> Vec<Vec<String>> {
        let called_alike = self.texts(&relevant(self.rules, route)).all;
        let fixed: Vec<Vec<String>> = path
            .iter()
            .take_while(|segment| **segment != ApiSegment::Greedy)
            .enumerate()
            .map(|(position, segment)| match segment {
                ApiSegment::Literal(text) => vec![text.clone()],
                ApiSegment::Parameter | ApiSegment::Greedy => self.candidates(route, position, &called_alike),
            })
            .collect();
        let is_greedy = path.last() == Some(&ApiSegment::Greedy);
        let tails = if is_greedy { fresh_tails(fixed.len()) } else { vec![Vec::new()] };
        let starts = combined(&fixed);
        let mut paths: Vec<Vec<String>> = starts
            .iter()
            .flat_map(|start| tails.iter().map(|tail| [start.as_slice(), tail].concat()))
            .collect();
        for other in self
            .others(route)
            .into_iter()
            .chain(patterns(self.rules).filter_map(RoutePattern::path).flat_map(|path| self.stretched(path)))
        {
            let Some(start) = aligned(path, &fixed, &other) else { continue };
            match is_greedy {
                true => paths
                    .extend(tails_like(&other, fixed.len()).map(|tail| [start.as_slice(), &tail].concat())),
                false => paths.push(start),
            }
        }
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// What may stand in the place of a parameter.
    fn candidates(&self, route: &ApiRoute, position: usize, called_alike: &[&str]) -> Vec<String> {
        let mut texts = vec![fresh(position), ODD.to_owned()];
        texts.extend(self.claims.iter().map(|claim| self.own(claim)));
        texts.extend(
            self.others(route).into_iter().filter_map(|other| other.into_iter().nth(position)).flatten(),
        );
        texts.extend(called_alike.iter().map(|text| (*text).to_owned()));
        let mut unique: Vec<String> = Vec::new();
        for text in texts {
            if !unique.contains(&text) {
                unique.push(text);
            }
        }
        unique
    }

    /// The paths of the rules, and of the API's other routes: `None` for a segment that may be anything.
    fn others(&self, route: &ApiRoute) -> Vec<Vec<Option<String>>> {
        let of_rules = patterns(self.rules).filter_map(RoutePattern::path).map(|path| self.texts_of(path));
        let of_api = self.api.routes.iter().filter(|other| other.api == route.api).filter_map(|other| {
            let text = |segment: &ApiSegment| match segment {
                ApiSegment::Literal(text) => Some(text.clone()),
                ApiSegment::Parameter | ApiSegment::Greedy => None,
            };
            Some(other.path.as_ref()?.iter().map(text).collect())
        });
        let mut others: Vec<_> = of_rules.chain(of_api).collect();
        others.sort_unstable();
        others.dedup();
        others
    }

    fn texts_of(&self, path: &PathPattern) -> Vec<Option<String>> {
        let text = |segment: &Segment| match segment {
            Segment::Literal(text) => Some(text.clone()),
            Segment::Claim(claim) => Some(self.own(claim)),
            Segment::Any => None,
        };
        path.segments.iter().map(text).chain(path.is_open.then_some(None)).collect()
    }

    /// What a policy may take for a path of a rule's: each segment that is no literal may be several.
    fn stretched(&self, path: &PathPattern) -> Vec<Vec<Option<String>>> {
        let texts = self.texts_of(path);
        let mut paths = Vec::new();
        let wild =
            path.segments.iter().enumerate().filter(|(_, segment)| !matches!(segment, Segment::Literal(_)));
        for (position, _) in wild {
            let (before, after) = texts.split_at(position);
            let behind = after.get(1..).unwrap_or_default();
            let own = after.get(..1).unwrap_or_default();
            paths.push([before, &[None], behind].concat());
            paths.push([before, &[None], after].concat());
            paths.push([before, &[None, None], after].concat());
            paths.push([before, own, &[None], behind].concat());
            paths.push([before, &[None, None], behind].concat());
        }
        paths
    }

    /// Whether API Gateway takes the path for another route, whichever of its documented orders it goes by: by
    /// segments, or whole paths before greedy ones.
    pub(super) fn is_of_another(&self, route: &ApiRoute, method: &str, path: &[String]) -> bool {
        let own = rank(route);
        let others = self.api.routes.iter().filter(|other| other.api == route.api);
        others.filter(|other| is_of(other, path) && other.methods.includes(method)).any(|other| {
            let rank = rank(other);
            rank < own && (own.contains(&GREEDY) || !rank.contains(&GREEDY))
        })
    }
}

const GREEDY: u8 = 2;

/// How special each segment of a route is, from the most special on.
fn rank(route: &ApiRoute) -> Vec<u8> {
    let segments = route.path.iter().flatten();
    segments
        .map(|segment| match segment {
            ApiSegment::Literal(_) => 0,
            ApiSegment::Parameter => 1,
            ApiSegment::Greedy => GREEDY,
        })
        .collect()
}

fn instance(method: &str, path: &[String]) -> Option<Instance> {
    let path = format!("/{}", path.join("/"));
    let arn = format!("{STAGE}{method}{path}").parse().ok()?;
    let is_odd = path.contains(ODD);
    Some(Instance { arn, shown: format!("{method} {path}"), is_odd })
}

fn is_claim(segment: &Segment) -> bool {
    matches!(segment, Segment::Claim(_))
}

fn literal(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Literal(text) => Some(text),
        Segment::Any | Segment::Claim(_) => None,
    }
}

/// The text that a path has behind such a start.
fn literal_behind<'b>(start: &[Segment], path: &'b [Segment]) -> Option<&'b str> {
    let is_alike = |(one, other): (&Segment, &Segment)| match (literal(one), literal(other)) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => true,
    };
    let is_behind = path.iter().zip(start).all(is_alike);
    path.get(start.len()).filter(|_| is_behind).and_then(literal)
}

fn api_literal_behind<'b>(start: &[Segment], path: &'b [ApiSegment]) -> Option<&'b str> {
    let is_alike = |(one, other): (&Segment, &ApiSegment)| match (literal(one), other) {
        (Some(one), ApiSegment::Literal(other)) => one == other,
        (None, _) | (_, ApiSegment::Parameter | ApiSegment::Greedy) => true,
    };
    match path.get(start.len())? {
        ApiSegment::Literal(text) if start.iter().zip(path).all(is_alike) => Some(text),
        ApiSegment::Literal(_) | ApiSegment::Parameter | ApiSegment::Greedy => None,
    }
}

/// The routes of all rules.
pub(super) fn patterns(rules: &Rules) -> impl Iterator<Item = &RoutePattern> {
    rules.as_slice().iter().flat_map(|rule| &rule.routes)
}

/// All combinations, or where they are many, each value once.
fn combined(choices: &[Vec<String>]) -> Vec<Vec<String>> {
    let count = choices.iter().try_fold(1_usize, |product, texts| product.checked_mul(texts.len()));
    if count.is_some_and(|count| count <= MOST_COMBINED) {
        return choices.iter().fold(vec![Vec::new()], |paths: Vec<Vec<String>>, texts| {
            let longer = |path: &Vec<String>| {
                texts
                    .iter()
                    .map(|text| [path.as_slice(), std::slice::from_ref(text)].concat())
                    .collect::<Vec<_>>()
            };
            paths.iter().flat_map(longer).collect()
        });
    }
    let most = choices.iter().map(Vec::len).max().unwrap_or_default();
    let nth = |texts: &Vec<String>, choice| texts.get(choice).or(texts.first()).cloned().unwrap_or_default();
    let together = (0..most).map(|choice| choices.iter().map(|texts| nth(texts, choice)).collect());
    let alone = choices.iter().enumerate().flat_map(|(changed, texts)| {
        (1..texts.len()).map(move |choice| {
            let pick = |(position, texts)| nth(texts, if position == changed { choice } else { 0 });
            choices.iter().enumerate().map(pick).collect()
        })
    });
    together.chain(alone).collect()
}

/// The start of the route with the texts that another path has there.
fn aligned(path: &[ApiSegment], fixed: &[Vec<String>], other: &[Option<String>]) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    for (position, choices) in fixed.iter().enumerate() {
        let theirs = other.get(position).cloned().flatten();
        texts.push(match (path.get(position)?, theirs) {
            (ApiSegment::Parameter, Some(theirs)) => theirs,
            (ApiSegment::Literal(own), Some(theirs)) if *own != theirs => return None,
            _ => choices.first()?.clone(),
        });
    }
    Some(texts)
}

/// What nobody has named, in the place of `{proxy+}`.
fn fresh_tails(start: usize) -> Vec<Vec<String>> {
    let fresh = |length| (start..start + length).map(fresh).collect();
    let mut tails: Vec<Vec<String>> = (1..=3).map(fresh).collect();
    tails.push(vec![ODD.to_owned()]);
    tails
}

/// What stands behind the start of another path, and something below it.
fn tails_like(other: &[Option<String>], start: usize) -> impl Iterator<Item = Vec<String>> {
    let rest = other.iter().enumerate().skip(start);
    let tail: Vec<String> =
        rest.map(|(position, text)| text.clone().unwrap_or_else(|| fresh(position))).collect();
    let below = [tail.as_slice(), &[fresh(other.len().max(start))]].concat();
    [tail, below].into_iter().filter(|tail| !tail.is_empty())
}

fn fresh(position: usize) -> String {
    format!("{FRESH}-{position}")
}

pub(super) fn is_of(route: &ApiRoute, path: &[String]) -> bool {
    let Some(segments) = &route.path else { return false };
    let fits = match segments.last() {
        Some(ApiSegment::Greedy) => path.len() >= segments.len(),
        _ => path.len() == segments.len(),
    };
    fits && segments.iter().zip(path).all(|(segment, text)| match segment {
        ApiSegment::Literal(own) => own == text,
        ApiSegment::Parameter | ApiSegment::Greedy => true,
    })
}
