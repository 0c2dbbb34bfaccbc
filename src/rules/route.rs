//! [`RoutePattern`]: the routes that a rule names.

use std::fmt;
use std::str::FromStr;

use super::binding::Bindings;
use super::method::Methods;
use super::path::Asked;
use super::pattern::{PathPattern, Segment};
use crate::arn::MethodArn;
use crate::claims::{ClaimPath, ClaimPathError};

/// A method, or `ANY`, and a path; or `$connect`, the WebSocket route.
///
/// | segment | stands for |
/// |---|---|
/// | `orders` | itself |
/// | `{id}` | one segment, whatever it is |
/// | `{claims.sub}` | the caller's own claim; of a list, each of its items |
/// | `**`, at the end | all that is below, at any depth; `/**` is the whole API |
///
/// A slash at the end makes no difference, neither here nor in a request.
///
/// ```
/// use lambda_authorizer::rules::RoutePattern;
///
/// let route: RoutePattern = "GET /orders/{id}".parse()?;
/// let arn = |tail| format!("arn:aws:execute-api:us-east-1:123456789012:abc/prod/{tail}");
/// assert!(route.names(&arn("GET/orders/7").parse()?));
/// assert!(!route.names(&arn("GET/orders/7/items").parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RoutePattern {
    text: String,
    shape: Shape,
}

/// What a pattern names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `$connect`.
    Connect,
    /// A path, with these methods.
    Path(Methods, PathPattern),
}

/// With the longest ARN prefix, a stage of 128 characters and a method, below 512.
pub(super) const LONGEST_PATH: usize = 256;

impl RoutePattern {
    /// What it names.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Whether it names the route for some caller, whatever the claims.
    #[must_use]
    pub fn names(&self, arn: &MethodArn) -> bool {
        self.is_named(&Asked::new(arn))
    }

    /// Whether it names the route for the caller whose claims these are, in a rule that allows.
    #[must_use]
    pub fn is_open_to(&self, arn: &MethodArn, bindings: &Bindings<'_>) -> bool {
        self.matches(&Asked::new(arn), bindings)
    }

    /// Whether it may name the route for the caller whose claims these are, in a rule that denies: a value that no policy
    /// can hold is every value.
    #[must_use]
    pub fn is_closed_to(&self, arn: &MethodArn, bindings: &Bindings<'_>) -> bool {
        self.may_match(&Asked::new(arn), bindings)
    }

    pub(super) fn is_named(&self, asked: &Asked<'_>) -> bool {
        self.fits(asked, |_, _| true)
    }

    /// Whether it names the route for the caller whose claims these are.
    pub(super) fn matches(&self, asked: &Asked<'_>, bindings: &Bindings<'_>) -> bool {
        self.fits(asked, |claim, segment| bindings.of(claim).holds(segment))
    }

    /// As [`matches`](Self::matches), for a rule that denies: a value that no policy can hold is every value.
    pub(super) fn may_match(&self, asked: &Asked<'_>, bindings: &Bindings<'_>) -> bool {
        self.fits(asked, |claim, segment| bindings.of(claim).may_hold(segment))
    }

    /// Whether every route of the other pattern is one of this, for every caller.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (&self.shape, &other.shape) {
            (Shape::Connect, Shape::Connect) => true,
            (Shape::Path(methods, path), Shape::Path(other_methods, other_path)) => {
                other_methods.without(*methods).is_empty() && path.covers(other_path)
            }
            (Shape::Connect, Shape::Path(..)) | (Shape::Path(..), Shape::Connect) => false,
        }
    }

    /// The path; `None` for `$connect`.
    #[must_use]
    pub fn path(&self) -> Option<&PathPattern> {
        match &self.shape {
            Shape::Connect => None,
            Shape::Path(_, path) => Some(path),
        }
    }

    /// The claims that it is bound to.
    pub fn claims(&self) -> impl Iterator<Item = &ClaimPath> {
        let segments = self.path().map_or(&[][..], |path| &path.segments);
        segments.iter().filter_map(|segment| match segment {
            Segment::Claim(claim) => Some(claim),
            Segment::Literal(_) | Segment::Any => None,
        })
    }

    /// The text that its first segment is, for every caller.
    pub(super) fn first_literal(&self) -> Option<&str> {
        match self.path()?.segments.first()? {
            Segment::Literal(text) => Some(text),
            Segment::Any | Segment::Claim(_) => None,
        }
    }

    fn fits(&self, asked: &Asked<'_>, holds: impl Fn(&ClaimPath, &str) -> bool) -> bool {
        match (&self.shape, asked) {
            (Shape::Connect, Asked::Connect) => true,
            (Shape::Path(methods, path), Asked::Path(method, asked)) => {
                methods.and(*method) == *method && path.fits(asked, holds)
            }
            (Shape::Connect, Asked::Path(..) | Asked::Nothing)
            | (Shape::Path(..), Asked::Connect | Asked::Nothing) => false,
        }
    }
}

/// Two patterns are equal when they name the same routes.
impl PartialEq for RoutePattern {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape
    }
}

impl Eq for RoutePattern {}

impl FromStr for RoutePattern {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, RouteError> {
        if text == "$connect" {
            return Ok(Self { text: text.to_owned(), shape: Shape::Connect });
        }
        let (method, path) = text.split_once(' ').ok_or(RouteError::Form)?;
        let methods = match method {
            "ANY" => Methods::ANY,
            method => Methods::named(method).ok_or(RouteError::Method)?,
        };
        Ok(Self { text: text.to_owned(), shape: Shape::Path(methods, path.parse()?) })
    }
}

impl fmt::Display for RoutePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Why a text is no [`RoutePattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Not a method, a space and a path of visible ASCII characters.
    #[error("a route is a method and a path, such as `GET /orders`, or `$connect`")]
    Form,
    /// No method of API Gateway's.
    #[error("the method is not one of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT or ANY")]
    Method,
    /// API Gateway takes resources of 512 characters, the part before the path included.
    #[error("the path is longer than {LONGEST_PATH} characters")]
    TooLong,
    /// `//`, `/./` or `/../`, or such a thing encoded.
    #[error("a path has no empty segments, no `.` or `..`, and no encoded slashes or dots")]
    Segment,
    /// A wildcard that an IAM policy cannot say.
    #[error("a wildcard is a whole segment: `{{id}}` for one, `**` for the rest of the path, at its end")]
    Wildcard,
    /// API Gateway's own way to write it.
    #[error("the rest of a path is written `**`, not `{{proxy+}}`")]
    Greedy,
    /// `{claim.sub}`, which would open to everybody what is meant for one.
    #[error("a name in braces has no dots, but for a claim of the caller's: `{{claims.sub}}`")]
    Name,
    /// `{claims.…}` with no path of a claim.
    #[error("`claims.` is not followed by the path of a claim: {0}")]
    Claim(ClaimPathError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Claims;
    use serde_json::json;

    fn arn(method: &str, path: &str) -> MethodArn {
        format!("arn:aws:execute-api:r:1:a/s/{method}{path}").parse().unwrap()
    }

    #[test]
    fn a_pattern_names_its_path_or_what_is_below() {
        for (pattern, method, path, expected) in [
            ("GET /orders", "GET", "/orders", true),
            ("GET /orders", "GET", "/orders/", true),
            ("GET /orders/", "GET", "/orders", true),
            ("GET /orders", "POST", "/orders", false),
            ("GET /orders", "GET", "/orders/7", false),
            ("GET /orders", "GET", "/ordersx", false),
            ("GET /orders", "GET", "/Orders", false),
            ("GET /orders/**", "GET", "/orders/7/items", true),
            ("GET /orders/**", "GET", "/orders/7/", true),
            ("GET /orders/**", "GET", "/orders", false),
            // It is the route `/orders` for API Gateway.
            ("GET /orders/**", "GET", "/orders/", false),
            ("GET /orders/**", "GET", "/orders/../admin", false),
            ("GET /orders/**", "GET", "/orders//admin", false),
            ("GET /orders/**", "GET", "/orders/.", false),
            ("GET /orders/**", "GET", "/orders//", false),
            ("GET /orders/**", "GET", "/orders/%2e%2e/admin", false),
            ("GET /orders/**", "GET", "/orders/a%2Fb", false),
            ("GET /orders/**", "GET", "/orders/a%20b", true),
            ("GET /orders/**", "GET", "/orders/...", true),
            ("GET /orders/{id}", "GET", "/orders/7", true),
            ("GET /orders/{id}", "GET", "/orders/7/", true),
            ("GET /orders/{id}", "GET", "/orders/", false),
            ("GET /orders/{id}", "GET", "/orders/7/items", false),
            ("GET /orders/{id}", "GET", "/orders/7%2fitems", false),
            ("GET /{a}/x/{b}", "GET", "/1/x/2", true),
            ("GET /{a}/x/{b}", "GET", "/1/y/2", false),
            ("GET /{a}/x/**", "GET", "/1/x/2/3", true),
            ("GET /{a}/x/**", "GET", "/1/2/x/3", false),
            ("ANY /", "PATCH", "/", true),
            ("ANY /", "PATCH", "/x", false),
            ("ANY /**", "DELETE", "/", true),
            ("ANY /**", "DELETE", "/a/b", true),
            ("ANY /**", "PROPFIND", "/a/b", false),
        ] {
            let route: RoutePattern = pattern.parse().unwrap();
            assert_eq!(route.names(&arn(method, path)), expected, "{pattern}: {method} {path}");
            assert!(!route.names(&arn("", "$connect")), "{pattern}");
            assert_eq!(route.to_string(), pattern);
        }
        let connect: RoutePattern = "$connect".parse().unwrap();
        assert!(connect.names(&arn("", "$connect")) && !connect.names(&arn("GET", "/$connect")));
    }

    #[test]
    fn a_claim_in_a_route_is_the_callers_own() {
        let claims: Claims =
            json!({"sub": "u1", "teams": ["red", "blue"], "odd": "*", "https://e.x/c": {"t": 7}})
                .as_object()
                .unwrap()
                .clone()
                .into();
        for (pattern, path, matches, may_match) in [
            ("ANY /users/{claims.sub}", "/users/u1", true, true),
            ("ANY /users/{claims.sub}", "/users/u2", false, false),
            ("ANY /users/{claims.sub}", "/users/u1/x", false, false),
            ("ANY /users/{claims.sub}/**", "/users/u1/x", true, true),
            ("ANY /teams/{claims.teams}", "/teams/blue", true, true),
            ("ANY /teams/{claims.teams}", "/teams/green", false, false),
            ("ANY /t/{claims.\"https://e.x/c\".t}/x", "/t/7/x", true, true),
            ("ANY /t/{claims.odd}", "/t/*", false, true),
            ("ANY /t/{claims.odd}", "/t/x", false, true),
            ("ANY /t/{claims.none}", "/t/x", false, false),
        ] {
            let route: RoutePattern = pattern.parse().unwrap();
            let bindings = Bindings::new(route.claims(), Some(&claims));
            assert!(route.names(&arn("GET", path)) || !matches, "{pattern} {path}");
            let arn = arn("GET", path);
            assert_eq!(route.matches(&Asked::new(&arn), &bindings), matches, "{pattern} {path}");
            assert_eq!(route.may_match(&Asked::new(&arn), &bindings), may_match, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        let long = format!("GET /{}", "a".repeat(256));
        for (text, expected) in [
            ("/orders", RouteError::Form),
            ("GET orders", RouteError::Form),
            ("GET /a b", RouteError::Form),
            ("GET /caf\u{e9}", RouteError::Form),
            ("GET /a\"b", RouteError::Form),
            ("get /orders", RouteError::Method),
            ("* /orders", RouteError::Method),
            ("GET /a//b", RouteError::Segment),
            ("GET /a/../b", RouteError::Segment),
            ("GET //", RouteError::Segment),
            ("GET //**", RouteError::Segment),
            ("GET /a%2Fb", RouteError::Segment),
            ("GET /a/%2e%2e", RouteError::Segment),
            ("GET /a/*", RouteError::Wildcard),
            ("GET /a/x**", RouteError::Wildcard),
            ("GET /a/**/b", RouteError::Wildcard),
            ("GET /a-{id}", RouteError::Wildcard),
            ("GET /{}", RouteError::Wildcard),
            ("GET /${aws:username}", RouteError::Wildcard),
            ("GET /{proxy+}", RouteError::Greedy),
            ("GET /{claim.sub}", RouteError::Name),
            ("GET /{Claims.sub}/**", RouteError::Name),
            ("GET /{claims.}", RouteError::Claim(ClaimPathError::EmptyOrQuoted)),
            (&long, RouteError::TooLong),
        ] {
            assert_eq!(text.parse::<RoutePattern>().map(|route| route.shape), Err(expected), "{text}");
        }
    }
}
