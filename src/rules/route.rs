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

/// The methods that `ANY` stands for in API Gateway.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// What an open-ended pattern's resource matches and the pattern does not: paths with empty, `.` or
/// `..` segments, which a backend may take for another route (contract 4.2).
pub const ODD_PATHS: [&str; 5] = ["*//*", "*/./*", "*/.", "*/../*", "*/.."];

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
                (true, path) => resources.push(format!("{method}{path}/*")),
                (false, "") => resources.push(format!("{method}/")),
                (false, path) => resources.extend([format!("{method}{path}"), format!("{method}{path}/")]),
            }
        }
        resources
    }
}

/// `//`, `/./` or `/../`: what a backend may take for another path than API Gateway did. A slash at
/// the end is none.
fn has_odd_segment(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    !path.is_empty() && path.split('/').any(|segment| matches!(segment, "" | "." | ".."))
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
    /// `//`, `/./` or `/../`.
    #[error("a path has no empty segments, `.` or `..`")]
    Segment,
    /// A wildcard that an IAM policy cannot say exactly.
    #[error("the only wildcard of a path is `/**` at its end")]
    Wildcard,
}
