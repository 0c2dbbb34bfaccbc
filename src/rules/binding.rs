//! [`Bindings`]: a caller's values for the claims that routes are bound to.

use std::fmt::Write as _;

use serde_json::Value;

use crate::claims::{ClaimPath, Claims};

/// A claim's value that may stand in a policy: letters, digits and `-._~@:,=+|`, and neither `.` nor `..`.
/// Only [`SafeText::new`] makes one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SafeText {
    text: String,
    /// As `encodeURIComponent` writes it, where that is something else.
    encoded: Option<String>,
}

impl SafeText {
    /// `None` for what would be a wildcard, a variable or another segment in a policy, for `%`, which
    /// somebody might decode into another caller's value, for `;`, at which some servers cut a segment off, and for more
    /// than 128 characters.
    ///
    /// ```
    /// use lambda_authorizer::rules::SafeText;
    ///
    /// assert!(SafeText::new("auth0|5f7c8ec7").is_some());
    /// assert!(["", "..", "a/b", "*", "${aws:username}", "%61dmin", "a;b"].into_iter().all(|text| SafeText::new(text).is_none()));
    /// ```
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@:,=+|".contains(&byte);
        let is_whole = (1..=LONGEST_VALUE).contains(&text.len()) && !matches!(text, "." | "..");
        (is_whole && text.bytes().all(is_safe))
            .then(|| Self { text: text.to_owned(), encoded: encoded(text) })
    }

    /// The value as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How the value may be spelled in a path: as it is, and as `encodeURIComponent` writes it, where that
    /// differs. Nobody documents which of the two is in an event.
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.as_str()).chain(self.encoded.as_deref())
    }
}

fn encoded(text: &str) -> Option<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~".contains(letter);
    if text.chars().all(is_plain) {
        return None;
    }
    let mut encoded = String::new();
    for letter in text.chars() {
        if is_plain(letter) {
            encoded.push(letter);
        } else {
            let _always_written = write!(encoded, "%{:02X}", u32::from(letter));
        }
    }
    Some(encoded)
}

const LONGEST_VALUE: usize = 128;

/// What a caller has for one claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// The values that may stand in a policy, in their order, each once.
    pub values: Vec<SafeText>,
    /// Whether there is something else.
    pub has_unsafe: bool,
}

impl Bound {
    fn new(claim: Option<&Value>) -> Self {
        let mut bound = Self::default();
        match claim {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => items.iter().for_each(|item| bound.add(item)),
            Some(value) => bound.add(value),
        }
        bound
    }

    fn add(&mut self, value: &Value) {
        let text = match value {
            Value::String(text) => SafeText::new(text),
            Value::Number(number) if number.is_i64() || number.is_u64() => SafeText::new(&number.to_string()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        };
        match text {
            None => self.has_unsafe = true,
            Some(text) if self.values.contains(&text) => {}
            Some(text) => self.values.push(text),
        }
    }

    pub(super) fn holds(&self, segment: &str) -> bool {
        self.values.iter().any(|value| value.spellings().any(|spelling| spelling == segment))
    }

    pub(super) fn may_hold(&self, segment: &str) -> bool {
        self.has_unsafe || self.holds(segment)
    }
}

/// What a caller has for each of the claims that the rules' routes are bound to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings<'a>(Vec<(&'a ClaimPath, Bound)>);

impl<'a> Bindings<'a> {
    /// What these claims are in `claims`; nothing, where there are none.
    #[must_use]
    pub fn new(paths: impl Iterator<Item = &'a ClaimPath>, claims: Option<&Claims>) -> Self {
        Self(paths.map(|path| (path, Bound::new(claims.and_then(|claims| claims.at(path))))).collect())
    }

    /// For a caller who has the same value for each of these claims.
    #[must_use]
    pub fn uniform(paths: impl Iterator<Item = &'a ClaimPath>, value: Option<&SafeText>) -> Self {
        let bound = Bound { values: value.into_iter().cloned().collect(), has_unsafe: false };
        Self::supposed(paths.map(|path| (path, bound.clone())).collect())
    }

    /// Of a caller who has this for each of the claims, whoever that may be: for what is said of every caller.
    #[must_use]
    pub fn supposed(bound: Vec<(&'a ClaimPath, Bound)>) -> Self {
        Self(bound)
    }

    /// What the caller has for this claim.
    #[must_use]
    pub fn of(&self, claim: &ClaimPath) -> &Bound {
        const NOTHING: &Bound = &Bound { values: Vec::new(), has_unsafe: false };
        self.0.iter().find(|(path, _)| *path == claim).map_or(NOTHING, |(_, bound)| bound)
    }

    /// Every claim, and what the caller has for it.
    pub fn iter(&self) -> impl Iterator<Item = (&ClaimPath, &Bound)> {
        self.0.iter().map(|(path, bound)| (*path, bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_harmless_text_is_safe() {
        for text in ["u1", "auth0|5f", "a@b.example", "2021-08-01T00:00:00Z", "~x_y", "a,b=d+e", "..."] {
            assert_eq!(SafeText::new(text).as_ref().map(SafeText::as_str), Some(text), "{text}");
        }
        let long = "x".repeat(129);
        for text in [
            "", ".", "..", "*", "?", "a*", "${*}", "$", "{x}", "a/b", "a\\b", "a b", "a\nb", "é", "\"", "'",
            "%", "%61", "a;b", "a#b", "a&b", "<", &long,
        ] {
            assert_eq!(SafeText::new(text), None, "{text}");
        }
    }

    #[test]
    fn a_value_has_the_spellings_that_a_path_may_have() {
        for (text, expected) in [
            ("user-7f1c", &["user-7f1c"][..]),
            ("auth0|5f", &["auth0|5f", "auth0%7C5f"]),
            ("a@b.example", &["a@b.example", "a%40b.example"]),
        ] {
            assert_eq!(SafeText::new(text).unwrap().spellings().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_list_is_each_of_its_items() {
        for (value, values, has_unsafe) in [
            (json!("a"), &["a"][..], false),
            (json!(7), &["7"], false),
            (json!(["a", "b", "a"]), &["a", "b"], false),
            (json!(["a", "*"]), &["a"], true),
            (json!(["a", ["b"]]), &["a"], true),
            (json!([]), &[], false),
            (json!(1.5), &[], true),
            (json!(true), &[], true),
            (json!({"a": "b"}), &[], true),
            (json!(null), &[], false),
        ] {
            let bound = Bound::new(Some(&value));
            let found: Vec<_> = bound.values.iter().map(SafeText::as_str).collect();
            assert_eq!((found.as_slice(), bound.has_unsafe), (values, has_unsafe), "{value}");
        }
    }
}
