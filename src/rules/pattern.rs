//! [`PathPattern`]: the path of a route that a rule names.

use std::fmt;
use std::str::FromStr;

use super::binding::Bindings;
use super::path::{RequestPath, has_encoded_structure};
use super::route::{LONGEST_PATH, RouteError};
use crate::claims::ClaimPath;

/// The path of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathPattern {
    /// What stands between the slashes.
    pub segments: Vec<Segment>,
    /// Whether it ends in `**`.
    pub is_open: bool,
}

/// One segment of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// This very text.
    Literal(String),
    /// `{id}`: any one segment.
    Any,
    /// `{claims.sub}`: a value of the caller's.
    Claim(ClaimPath),
}

impl PathPattern {
    /// Whether every path of the other pattern is one of this, for every caller.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.covers_by(other, |own, other| own == other)
    }

    /// As [`covers`](Self::covers), for the caller whose claims these are, and for a rule that denies: a value that no
    /// policy can hold is every value.
    #[must_use]
    pub fn covers_for(&self, other: &Self, bindings: &Bindings<'_>) -> bool {
        self.covers_by(other, |own, other| {
            let may_hold = |text: &str| match own {
                Segment::Literal(own) => own == text,
                Segment::Any => true,
                Segment::Claim(claim) => bindings.of(claim).may_hold(text),
            };
            match other {
                Segment::Literal(text) => may_hold(text),
                Segment::Any => matches!(own, Segment::Claim(claim) if bindings.of(claim).has_unsafe),
                Segment::Claim(claim) => {
                    bindings.of(claim).values.iter().all(|value| may_hold(value.as_str()))
                }
            }
        })
    }

    fn covers_by(&self, other: &Self, is_alike: impl Fn(&Segment, &Segment) -> bool) -> bool {
        let is_long_enough = match (self.is_open, other.is_open) {
            (false, false) => self.segments.len() == other.segments.len(),
            (false, true) => false,
            (true, false) => other.segments.len() > self.segments.len() || self.segments.is_empty(),
            (true, true) => other.segments.len() >= self.segments.len(),
        };
        let covers = |(own, other): (&Segment, &Segment)| *own == Segment::Any || is_alike(own, other);
        is_long_enough && self.segments.iter().zip(&other.segments).all(covers)
    }

    pub(super) fn fits(&self, asked: &RequestPath<'_>, holds: impl Fn(&ClaimPath, &str) -> bool) -> bool {
        let segments = asked.segments();
        let fits_in_length = match self.is_open {
            true => segments.len() > self.segments.len() || self.segments.is_empty(),
            false => segments.len() == self.segments.len(),
        };
        fits_in_length
            && self.segments.iter().zip(segments).all(|(pattern, segment)| match pattern {
                Segment::Literal(text) => text == segment,
                Segment::Any => true,
                Segment::Claim(claim) => holds(claim, segment),
            })
    }
}

impl FromStr for PathPattern {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, RouteError> {
        let Some(path) = text.strip_prefix('/') else { return Err(RouteError::Form) };
        if text.len() > LONGEST_PATH {
            return Err(RouteError::TooLong);
        }
        if path.is_empty() {
            return Ok(Self { segments: Vec::new(), is_open: false });
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let (path, is_open) = match path.strip_suffix("**") {
            Some("") => return Ok(Self { segments: Vec::new(), is_open: true }),
            Some(path) => (path.strip_suffix('/').ok_or(RouteError::Wildcard)?, true),
            None => (path, false),
        };
        let segments = segments(path).map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { segments, is_open })
    }
}

/// Splits at the slashes outside of quotes: the path of a claim may hold some.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    path.split(move |letter| {
        is_quoted ^= letter == '"';
        letter == '/' && !is_quoted
    })
}

impl FromStr for Segment {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, RouteError> {
        if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return match name.strip_prefix("claims.") {
                Some(claim) => Ok(Self::Claim(claim.parse().map_err(RouteError::Claim)?)),
                None if name.ends_with('+') => Err(RouteError::Greedy),
                None if !name.is_empty() && name.bytes().all(is_word) => Ok(Self::Any),
                None if name.contains('.') => Err(RouteError::Name),
                None => Err(RouteError::Wildcard),
            };
        }
        if matches!(text, "" | "." | "..") || has_encoded_structure(text) {
            return Err(RouteError::Segment);
        }
        if text.contains(['{', '}', '*', '?', '$']) {
            return Err(RouteError::Wildcard);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')) {
            return Err(RouteError::Form);
        }
        Ok(Self::Literal(text.to_owned()))
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

impl fmt::Display for PathPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(formatter, "/{text}")?,
                Segment::Any => formatter.write_str("/{any}")?,
                Segment::Claim(claim) => write!(formatter, "/{{claims.{claim}}}")?,
            }
        }
        match (self.is_open, self.segments.is_empty()) {
            (true, _) => formatter.write_str("/**"),
            (false, true) => formatter.write_str("/"),
            (false, false) => Ok(()),
        }
    }
}
