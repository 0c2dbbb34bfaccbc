//! The claims of a token, as plain data: nothing here says that they can be trusted.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde_json::{Map, Value};

/// The members of a claims set (RFC 7519, section 4). A clone is the same set, and costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Claims(Arc<Members>);

/// No name is there twice. They are few, and looked through: the lengths of the names settle most comparisons.
type Members = Vec<(Cow<'static, str>, Value)>;

impl Claims {
    /// The value of a top-level claim.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(own, _)| is_same(own, name)).map(|(_, value)| value)
    }

    /// As a JSON object, for a person to look at.
    #[must_use]
    pub fn to_json(&self) -> Value {
        Value::Object(self.0.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
    }

    /// From members none of which is there twice.
    pub(crate) fn from_members(members: Vec<(Cow<'_, str>, Value)>) -> Self {
        let kept = |name: Cow<'_, str>| match common_name(&name) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(name.into_owned()),
        };
        Self(Arc::new(members.into_iter().map(|(name, value)| (kept(name), value)).collect()))
    }

    /// The value at a path; `None` where a step is missing or `null`.
    ///
    /// ```
    /// use lambda_authorizer::claims::{ClaimPath, Claims};
    /// use serde_json::json;
    ///
    /// let members = json!({"realm_access": {"roles": ["admin"]}});
    /// let claims = Claims::from(members.as_object().cloned().unwrap_or_default());
    /// let path: ClaimPath = "realm_access.roles.0".parse()?;
    /// assert_eq!(claims.at(&path), Some(&json!("admin")));
    /// # Ok::<(), lambda_authorizer::claims::ClaimPathError>(())
    /// ```
    #[must_use]
    pub fn at(&self, path: &ClaimPath) -> Option<&Value> {
        let (first, rest) = path.0.split_first()?;
        let found = rest.iter().try_fold(self.named(first)?, |value, step| match value {
            Value::Object(members) => members.get(step),
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })?;
        (!found.is_null()).then_some(found)
    }

    /// Whether there is nothing at the path: a step is missing or `null`. Where a step leads into a text, or a name into
    /// a list, the claim has another shape than expected, and nobody knows what it would say.
    #[must_use]
    pub fn lacks(&self, path: &ClaimPath) -> bool {
        let Some((first, rest)) = path.0.split_first() else { return false };
        let mut found = self.named(first);
        for step in rest {
            found = match (found, step.parse::<usize>()) {
                (Some(Value::Object(members)), _) => members.get(step),
                (Some(Value::Array(items)), Ok(position)) => items.get(position),
                (None | Some(Value::Null), _) => return true,
                (Some(Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::String(_)), _) => {
                    return false;
                }
            };
        }
        found.is_none_or(Value::is_null)
    }

    /// Whether the claim at the path is this text, or an array that holds it: a role, a group, a
    /// permission. Compared whole and exactly; a claim of another type holds nothing.
    #[must_use]
    pub fn holds(&self, path: &ClaimPath, text: &str) -> bool {
        match self.at(path) {
            Some(Value::String(found)) => found == text,
            Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(text)),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => false,
        }
    }

    /// Whether this very scope is one of [`scopes`](Self::scopes).
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        let holds = |claim: &Value| match claim {
            Value::String(text) => !scope.is_empty() && text.split(' ').any(|held| held == scope),
            Value::Array(items) => items.iter().any(|item| item.as_str() == Some(scope)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        };
        [self.named("scope"), self.named("scp")].into_iter().flatten().any(holds)
    }

    /// The scopes that the token carries: `scope` and `scp`, each separated by spaces (RFC 6749, section
    /// 3.3) or an array of strings. A claim of another type holds none.
    #[must_use]
    pub fn scopes(&self) -> Scopes<'_> {
        let mut scopes = Vec::new();
        for claim in [self.named("scope"), self.named("scp")].into_iter().flatten() {
            match claim {
                Value::String(text) => scopes.extend(text.split(' ').filter(|scope| !scope.is_empty())),
                Value::Array(items) => scopes.extend(items.iter().filter_map(Value::as_str)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
            }
        }
        Scopes(scopes)
    }
}

impl From<Map<String, Value>> for Claims {
    fn from(members: Map<String, Value>) -> Self {
        Self::from_members(members.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect())
    }
}

/// Whatever the order.
impl PartialEq for Claims {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().all(|(name, value)| other.named(name).is_some_and(|other| other == value))
    }
}

/// The names that nearly every token has, which need not be copied.
fn common_name(name: &str) -> Option<&'static str> {
    const NAMES: [&str; 15] = [
        "iss",
        "aud",
        "sub",
        "exp",
        "iat",
        "nbf",
        "jti",
        "azp",
        "scp",
        "scope",
        "groups",
        "client_id",
        "auth_time",
        "token_use",
        "email",
    ];
    NAMES.into_iter().find(|known| is_same(known, name))
}

/// Many names have three letters: the first one tells more than the length.
fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().next() == other.bytes().next() && one == other
}

/// The scopes of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes<'a>(Vec<&'a str>);

impl Scopes<'_> {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().copied()
    }

    /// Whether this very scope is there: no prefixes, no folding of case.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(&scope)
    }
}

/// Where in the claims a value lies: names, and positions in arrays, joined by dots. A name that
/// holds a dot stands in double quotes: `"https://example.com/claims".tenant`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// The path of these steps, whatever they hold.
    #[must_use]
    pub fn of<const STEPS: usize>(steps: [&str; STEPS]) -> Self {
        Self(steps.map(str::to_owned).into())
    }
}

impl FromStr for ClaimPath {
    type Err = ClaimPathError;

    fn from_str(text: &str) -> Result<Self, ClaimPathError> {
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            let (step, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or(ClaimPathError::UnclosedQuote)?,
                None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
            };
            if step.is_empty() || (!rest.starts_with('"') && step.contains('"')) {
                return Err(ClaimPathError::EmptyOrQuoted);
            }
            steps.push(step.to_owned());
            match after.strip_prefix('.') {
                Some(following) => rest = following,
                None if after.is_empty() => return Ok(Self(steps)),
                None => return Err(ClaimPathError::EmptyOrQuoted),
            }
        }
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            let dot = if position == 0 { "" } else { "." };
            let quote = if step.contains('.') { "\"" } else { "" };
            write!(formatter, "{dot}{quote}{step}{quote}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ClaimPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ClaimPath({self})")
    }
}

/// Why a text is no [`ClaimPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimPathError {
    /// A name that starts with `"` does not end.
    #[error("a quoted name is not closed")]
    UnclosedQuote,
    /// Nothing between two dots, or a quote within a name.
    #[error("a name is empty, or holds a quote")]
    EmptyOrQuoted,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(value: Value) -> Claims {
        value.as_object().unwrap().clone().into()
    }

    #[test]
    fn paths_reach_nested_claims_and_items() {
        let claims = claims(json!({"a": {"b": [1, {"c": true}]}, "https://e.x/t": {"id": "7"}, "n": null}));
        for (path, expected) in [
            ("a.b.0", Some(json!(1))),
            ("a.b.1.c", Some(json!(true))),
            ("\"https://e.x/t\".id", Some(json!("7"))),
            ("a.b.2", None),
            ("a.b.c", None),
            ("a.x", None),
            ("n", None),
            ("n.x", None),
        ] {
            let path: ClaimPath = path.parse().unwrap();
            assert_eq!(claims.at(&path), expected.as_ref(), "{path}");
            assert_eq!(path.to_string().parse::<ClaimPath>().unwrap(), path);
        }
    }

    #[test]
    fn what_is_missing_is_told_from_what_has_another_shape() {
        let claims = claims(json!({"a": {"b": ["x"], "n": null}, "text": "x", "n": null}));
        for (path, lacks) in [
            ("z", true),
            ("n", true),
            ("n.x", true),
            ("a.z", true),
            ("a.n", true),
            ("a.n.x", true),
            ("a.b.1", true),
            ("a.b.0", false),
            ("a.b.x", false),
            ("text.x", false),
            ("text.0", false),
        ] {
            assert_eq!(claims.lacks(&path.parse().unwrap()), lacks, "{path}");
        }
    }

    #[test]
    fn a_path_with_an_empty_or_half_quoted_name_is_refused() {
        for text in ["", ".", "a.", ".a", "a..b", "\"a", "\"a\"b", "a\"b", "\"\""] {
            assert!(text.parse::<ClaimPath>().is_err(), "{text}");
        }
    }

    /// Rule C8: roles, groups and permissions, too.
    #[test]
    fn values_of_a_claim_are_compared_whole() {
        let claims = claims(json!({
            "realm_access": {"roles": ["clerk", 5, ["nested"]]}, "cognito:groups": ["admins"],
            "tier": "gold", "text": "clerk admins", "number": 5, "object": {"clerk": true},
        }));
        for (path, text, expected) in [
            ("realm_access.roles", "clerk", true),
            ("realm_access.roles", "Clerk", false),
            ("realm_access.roles", "cler", false),
            ("realm_access.roles", "5", false),
            ("realm_access.roles", "nested", false),
            ("realm_access.roles.0", "clerk", true),
            ("realm_access", "roles", false),
            ("cognito:groups", "admins", true),
            ("tier", "gold", true),
            ("text", "clerk", false),
            ("number", "5", false),
            ("object", "clerk", false),
            ("absent", "", false),
        ] {
            assert_eq!(claims.holds(&path.parse().unwrap(), text), expected, "{path} {text}");
        }
    }

    /// Rule C8: exact match, and a claim of a wrong type holds no scope.
    #[test]
    fn scopes_are_compared_whole() {
        let both = claims(json!({"scope": "orders:read  profile", "scp": ["orders:write", 5]}));
        for (scope, expected) in
            [("orders:read", true), ("profile", true), ("orders:write", true), ("orders", false), ("", false)]
        {
            assert_eq!(both.scopes().contains(scope), expected, "{scope}");
            assert_eq!(both.has_scope(scope), expected, "{scope}");
        }
        for wrong in [json!({"scope": {"a": 1}}), json!({"scope": 5}), json!({"scp": null}), json!({})] {
            assert_eq!(claims(wrong).scopes(), Scopes(vec![]));
        }
    }
}
