//! [`RoutePattern`]: the routes that a rule names.

use std::fmt;
use std::str::FromStr;

/// A method, or `ANY`, and a path: `GET /orders` is that path, with or without a slash at its end,
/// and `ANY /orders/**` is everything below it. `$connect` is the WebSocket route.
///
/// What a pattern names can be said exactly by the wildcards of an IAM policy, whose `*` crosses
/// slashes. Hence no wildcard inside a path.
///
/// ```
/// use lambda_authorizer::rules::RoutePattern;
///
/// let route: RoutePattern = "GET /orders/**".parse()?;
/// assert!(route.matches(Some("GET"), "/orders/7/items"));
/// assert!(!route.matches(Some("GET"), "/orders"));
/// # Ok::<(), lambda_authorizer::rules::RouteError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePattern(Shape);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Connect,
    Path {
        /// `None` is `ANY`.
        method: Option<&'static str>,
        /// Without a slash at its end; empty for the root.
        path: String,
        /// Everything below the path, and not the path itself.
        below: bool,
    },
}

/// With the longest ARN prefix, a stage of 128 characters and a method, below 512.
const LONGEST_PATH: usize = 256;

/// The methods that `ANY` stands for in API Gateway.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// What an open-ended pattern's resource matches and the pattern does not: paths with empty, `.` or
/// `..` segments, which a backend may take for another route (contract 4.2).
///
/// `GET//` is not among them: some gateways spell the root so.
pub const ODD_PATHS: [&str; 6] = ["*//?*", "*/?*//", "*/./*", "*/.", "*/../*", "*/.."];

impl RoutePattern {
    /// Whether the pattern names this route.
    #[must_use]
    pub fn matches(&self, method: Option<&str>, path: &str) -> bool {
        match (&self.0, method) {
            (Shape::Connect, None) => true,
            (Shape::Path { method: wanted, path: prefix, below }, Some(method)) => {
                let method_fits = match wanted {
                    Some(wanted) => *wanted == method,
                    None => METHODS.contains(&method),
                };
                let rest = path.strip_prefix(prefix.as_str());
                let path_fits = rest.is_some_and(|rest| match below {
                    true => rest.strip_prefix('/').is_some_and(|rest| !has_odd_segment(rest)),
                    false => rest.is_empty() || rest == "/",
                });
                method_fits && path_fits
            }
            (Shape::Connect, Some(_)) | (Shape::Path { .. }, None) => false,
        }
    }

    /// Whether the pattern ends in `/**`.
    #[must_use]
    pub fn is_open_ended(&self) -> bool {
        matches!(&self.0, Shape::Path { below: true, .. })
    }

    /// What stands behind the stage in the policy's resources, so that they match the very routes
    /// that [`matches`](Self::matches) does, and for an open-ended pattern those of [`ODD_PATHS`].
    #[must_use]
    pub fn resources(&self) -> Vec<String> {
        let Shape::Path { method, path, below } = &self.0 else { return vec!["$connect".to_owned()] };
        let methods = match method {
            Some(method) => std::slice::from_ref(method),
            None => METHODS.as_slice(),
        };
        let mut resources = Vec::new();
        for method in methods {
            match (below, path.as_str()) {
                // The root has three spellings, of which `GET/` is today's.
                (true, "") => resources.extend([(*method).to_owned(), format!("{method}/*")]),
                (false, "") => resources.extend(["", "/", "//"].map(|root| format!("{method}{root}"))),
                (true, path) => resources.push(format!("{method}{path}/*")),
                (false, path) => resources.extend([format!("{method}{path}"), format!("{method}{path}/")]),
            }
        }
        resources
    }
}

/// `//`, `/./` or `/../` in what follows a slash: what a backend may take for another path than API
/// Gateway did. One slash at the end is none.
fn has_odd_segment(rest: &str) -> bool {
    let segments = rest.strip_suffix('/').unwrap_or(rest);
    !rest.is_empty() && segments.split('/').any(|segment| matches!(segment, "" | "." | ".."))
}

impl FromStr for RoutePattern {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, RouteError> {
        if text == "$connect" {
            return Ok(Self(Shape::Connect));
        }
        let (method, path) = text.split_once(' ').ok_or(RouteError::Form)?;
        let method = match METHODS.into_iter().find(|known| *known == method) {
            None if method != "ANY" => return Err(RouteError::Method),
            known => known,
        };
        if !path.starts_with('/') {
            return Err(RouteError::Form);
        }
        if path.len() > LONGEST_PATH {
            return Err(RouteError::TooLong);
        }
        let (path, below) = match path.strip_suffix("/**") {
            Some(path) => (path, true),
            None => (path.strip_suffix('/').unwrap_or(path), false),
        };
        let is_odd = path.strip_prefix('/').is_some_and(|path| path.is_empty() || has_odd_segment(path));
        if is_odd || path.ends_with('/') {
            return Err(RouteError::Segment);
        }
        if path.contains(['{', '}', '*', '?', '$']) {
            return Err(RouteError::Wildcard);
        }
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(RouteError::Form);
        }
        Ok(Self(Shape::Path { method, path: path.to_owned(), below }))
    }
}

impl fmt::Display for RoutePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Shape::Connect => formatter.write_str("$connect"),
            Shape::Path { method, path, below } => {
                let tail = match (below, path.as_str()) {
                    (true, _) => "/**",
                    (false, "") => "/",
                    (false, _) => "",
                };
                write!(formatter, "{} {path}{tail}", method.unwrap_or("ANY"))
            }
        }
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
    /// `//`, `/./` or `/../`.
    #[error("a path has no empty segments, `.` or `..`")]
    Segment,
    /// A wildcard that an IAM policy cannot say exactly.
    #[error("the only wildcard of a path is `/**` at its end")]
    Wildcard,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_its_path_or_what_is_below() {
        for (pattern, method, path, expected) in [
            ("GET /orders", "GET", "/orders", true),
            ("GET /orders", "GET", "/orders/", true),
            ("GET /orders", "POST", "/orders", false),
            ("GET /orders", "GET", "/orders/7", false),
            ("GET /orders", "GET", "/ordersx", false),
            ("GET /orders", "GET", "/Orders", false),
            ("GET /orders/**", "GET", "/orders/7/items", true),
            ("GET /orders/**", "GET", "/orders/", true),
            ("GET /orders/**", "GET", "/orders", false),
            ("GET /orders/**", "GET", "/orders/../admin", false),
            ("GET /orders/**", "GET", "/orders//admin", false),
            ("GET /orders/**", "GET", "/orders/.", false),
            ("GET /orders/**", "GET", "/orders//", false),
            ("ANY /**", "GET", "//", false),
            ("GET /orders/**", "GET", "/orders/7/", true),
            ("ANY /", "PATCH", "/", true),
            ("ANY /", "PATCH", "/x", false),
            ("ANY /**", "DELETE", "/", true),
            ("ANY /**", "DELETE", "/a/b", true),
            ("ANY /**", "PROPFIND", "/a/b", false),
        ] {
            let route: RoutePattern = pattern.parse().unwrap();
            assert_eq!(route.matches(Some(method), path), expected, "{pattern}: {method} {path}");
            assert!(!route.matches(None, "$connect"), "{pattern}");
            assert_eq!(route.to_string(), pattern);
        }
        let connect: RoutePattern = "$connect".parse().unwrap();
        assert!(connect.matches(None, "$connect") && !connect.matches(Some("GET"), "/$connect"));
    }

    #[test]
    fn what_a_policy_could_not_say_exactly_is_no_pattern() {
        let long = format!("GET /{}", "a".repeat(256));
        for (text, expected) in [
            ("/orders", RouteError::Form),
            ("GET orders", RouteError::Form),
            ("GET /a b", RouteError::Form),
            ("GET /caf\u{e9}", RouteError::Form),
            ("get /orders", RouteError::Method),
            ("* /orders", RouteError::Method),
            ("GET /a//b", RouteError::Segment),
            ("GET /a/../b", RouteError::Segment),
            ("GET //", RouteError::Segment),
            ("GET //**", RouteError::Segment),
            ("GET /a/*", RouteError::Wildcard),
            ("GET /a/**/b", RouteError::Wildcard),
            ("GET /orders/{id}", RouteError::Wildcard),
            ("GET /${aws:username}", RouteError::Wildcard),
            (&long, RouteError::TooLong),
        ] {
            assert_eq!(text.parse::<RoutePattern>(), Err(expected), "{text}");
        }
    }
}
