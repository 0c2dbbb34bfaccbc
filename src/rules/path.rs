//! [`RequestPath`]: the path of a request, if everybody reads the same path in it.

use super::method::Methods;
use crate::arn::MethodArn;

/// What a request is for, taken apart once for all patterns.
#[derive(Debug)]
pub(super) enum Asked<'a> {
    /// `$connect`.
    Connect,
    /// A path, and its method.
    Path(Methods, RequestPath<'a>),
    /// What no pattern names.
    Nothing,
}

impl<'a> Asked<'a> {
    pub(super) fn new(arn: &'a MethodArn) -> Self {
        let Some(method) = arn.method() else { return Self::Connect };
        match (Methods::named(method), RequestPath::parse(arn.path())) {
            (Some(method), Some(path)) => Self::Path(method, path),
            (None, _) | (_, None) => Self::Nothing,
        }
    }
}

/// The segments of a path that API Gateway, a proxy and a backend take apart alike.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestPath<'a>(Vec<&'a str>);

impl<'a> RequestPath<'a> {
    /// Takes the path apart; a slash at its end does not count. `None` for an empty segment, `.` and
    /// `..`, and for a slash or a dot that is encoded: some backends read another path there.
    pub(super) fn parse(path: &'a str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        if path.is_empty() {
            return Some(Self(Vec::new()));
        }
        let segments: Vec<_> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
        let is_odd = |segment: &&str| matches!(*segment, "" | "." | "..") || has_encoded_structure(segment);
        (!segments.iter().any(is_odd)).then_some(Self(segments))
    }

    pub(super) fn segments(&self) -> &[&'a str] {
        &self.0
    }
}

/// `%2F` is a slash and `%2E` a dot for whoever decodes a path before taking it apart.
pub(super) fn has_encoded_structure(segment: &str) -> bool {
    segment.as_bytes().windows(3).any(|letters| matches!(letters, [b'%', b'2', b'F' | b'f' | b'E' | b'e']))
}

/// What wildcards of a policy match and those of a rule do not: the paths that
/// no rule names, as what stands behind the stage in a resource.
///
/// `GET//` is not among them: some gateways spell the root so. They are in order.
pub const ODD_PATHS: [&str; 10] =
    ["*%2E*", "*%2F*", "*%2e*", "*%2f*", "*/.", "*/..", "*/../*", "*/./*", ODD_ROOT, "*/?*//"];

/// Of them, the one that begins like the root in its odd spelling.
pub const ODD_ROOT: &str = "*//?*";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arn::ArnPattern;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_odd_is_what_the_patterns_match(path in "(/[a.%2FE]{0,4}){0,4}/{0,2}") {
            let path = format!("/{}", path.strip_prefix('/').unwrap_or(&path));
            prop_assume!(path != "//");
            let is_denied = ODD_PATHS.iter().any(|odd| ArnPattern::new(odd).matches(&format!("GET{path}")));
            prop_assert_eq!(RequestPath::parse(&path).is_none(), is_denied, "{}", path);
        }
    }
}
