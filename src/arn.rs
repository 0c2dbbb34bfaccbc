//! What is invoked: [`MethodArn`], and the [`ArnPattern`]s of a policy that match it.
//!
//! Grammar: "Resource format of permissions for executing API in API Gateway", and the events of
//! the "Input to a Lambda authorizer" pages.

use std::fmt;
use std::str::FromStr;

/// The ARN of the method, or of the WebSocket route, that a caller asks to invoke.
///
/// API, stage and method are API Gateway's own words. The path is the client's: it may hold any
/// character, a `*` or `${` included, and is data to match against, never text for a policy.
///
/// ```
/// use lambda_authorizer::arn::MethodArn;
///
/// let arn: MethodArn = "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/pets/42".parse()?;
/// assert_eq!((arn.method(), arn.path()), (Some("GET"), "/pets/42"));
/// assert_eq!((arn.api(), arn.stage()), ("abc", "prod"));
/// assert_eq!(arn.stage_prefix(), "arn:aws:execute-api:us-east-1:123456789012:abc/prod/");
/// # Ok::<(), lambda_authorizer::arn::ArnError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodArn {
    /// The whole of it, the root in its one spelling. Its parts begin here:
    text: String,
    api: usize,
    stage: usize,
    /// What follows the stage: a method, or `$connect`.
    target: usize,
    /// With its slash; `None` for `$connect`.
    path: Option<usize>,
}

/// The WebSocket route that an authorizer can be attached to.
const CONNECT: &str = "$connect";

impl MethodArn {
    /// The text, with the root in its one spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `GET`, `POST`, ...; `None` for a WebSocket route.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.path.map(|path| self.part(self.target, path))
    }

    /// The path with its leading slash and the client's own values, not decoded; `$connect` for a
    /// WebSocket route.
    #[must_use]
    pub fn path(&self) -> &str {
        self.part(self.path.unwrap_or(self.target), self.text.len())
    }

    /// The ARN up to and with the slash behind the stage: the safe part, from which every resource
    /// of a policy is built.
    #[must_use]
    pub fn stage_prefix(&self) -> &str {
        self.part(0, self.target)
    }

    /// The ID of the API.
    #[must_use]
    pub fn api(&self) -> &str {
        self.part(self.api, self.stage - 1)
    }

    /// The name of the stage.
    #[must_use]
    pub fn stage(&self) -> &str {
        self.part(self.stage, self.target - 1)
    }

    /// Whether this names the `$connect` route of a WebSocket API.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.path.is_none()
    }

    fn part(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }
}

impl FromStr for MethodArn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        // The path may hold colons: never split further than the six parts of an ARN.
        let mut parts = text.splitn(6, ':');
        let (Some("arn"), Some(partition), Some("execute-api"), Some(region), Some(account), Some(resource)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ArnError::NotExecuteApi);
        };
        let mut segments = resource.splitn(4, '/');
        let (Some(api), Some(stage), Some(method)) = (segments.next(), segments.next(), segments.next())
        else {
            return Err(ArnError::Incomplete);
        };
        if ![partition, region, account, api].into_iter().all(is_plain) || !is_stage(stage) {
            return Err(ArnError::UnsafeCharacter);
        }
        let api_at = text.len() - resource.len();
        let stage_at = api_at + api.len() + 1;
        let target = stage_at + stage.len() + 1;
        let (text, path) = match (method, segments.next()) {
            (CONNECT, None) => (text.to_owned(), None),
            (method, path) if !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                let path_at = target + method.len();
                // Some gateways send the root as `//`, or drop its slash.
                let text = match (path, text.get(..path_at)) {
                    (None | Some("" | "/"), Some(start)) => format!("{start}/"),
                    _ => text.to_owned(),
                };
                (text, Some(path_at))
            }
            _ => return Err(ArnError::NoMethod),
        };
        Ok(Self { text, api: api_at, stage: stage_at, target, path })
    }
}

impl fmt::Display for MethodArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Why a text is no ARN of an API method. It never quotes the text, which holds the client's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    /// Another service's ARN, or no ARN at all.
    #[error("not an `arn:…:execute-api:…` ARN")]
    NotExecuteApi,
    /// API, stage or method is missing.
    #[error("the ARN lacks its API, stage or method")]
    Incomplete,
    /// The API Gateway's own part holds something that would have a meaning in a policy.
    #[error("the ARN holds an unexpected character before its method")]
    UnsafeCharacter,
    /// Neither a method in capitals nor `$connect`.
    #[error("the ARN names no method and no `$connect`")]
    NoMethod,
}

/// A resource of an IAM policy: `*` stands for any run of characters, `/` included, `?` for one.
///
/// ```
/// use lambda_authorizer::arn::ArnPattern;
///
/// assert!(ArnPattern::new("api/dev/GET/pets/*").matches("api/dev/GET/pets/1/owner"));
/// assert!(!ArnPattern::new("api/dev/GET/pets/*").matches("api/dev/GET/pets"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArnPattern<'a>(&'a str);

impl<'a> ArnPattern<'a> {
    /// The pattern that is written as `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The text as it stands in the policy document.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether the whole of `text` matches, as IAM compares resources.
    #[must_use]
    pub fn matches(self, text: &str) -> bool {
        matches(self.0.as_bytes(), text.as_bytes())
    }
}

/// As [`ArnPattern::matches`], of two texts without a start that they have in common.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Most resources differ before their first wildcard, within a few letters.
    let is_alike = |(expected, found): &(&u8, &u8)| expected == found && !matches!(expected, b'*' | b'?');
    let alike = pattern.iter().zip(text).take_while(is_alike).count();
    match (pattern.get(alike..), text.get(alike..)) {
        (Some(pattern), Some(text)) => matches_from_wildcard(pattern, text),
        _ => false,
    }
}

fn matches_from_wildcard(mut pattern: &[u8], mut text: &[u8]) -> bool {
    // Where to resume when the text after the latest `*` turns out not to match.
    let mut retry = None;
    loop {
        match (pattern.split_first(), text.split_first()) {
            (Some((b'*', after)), _) => {
                let Some(resume) = from_first_of(after, text) else { return false };
                (pattern, text) = (after, resume);
                retry = Some((after, resume));
            }
            (Some((expected, after)), Some((found, rest))) if expected == found => {
                (pattern, text) = (after, rest);
            }
            (Some((b'?', after)), Some(_)) => (pattern, text) = (after, behind_letter(text)),
            (None, None) => return true,
            _ => {
                let Some((after, taken)) = retry.filter(|(_, taken)| !taken.is_empty()) else { return false };
                let Some(resume) = from_first_of(after, behind_letter(taken)) else { return false };
                (pattern, text) = (after, resume);
                retry = Some((after, resume));
            }
        }
    }
}

/// From where what follows a `*` may match: all before it is the wildcard's. `None` where it cannot.
fn from_first_of<'a>(pattern: &[u8], text: &'a [u8]) -> Option<&'a [u8]> {
    match pattern.first() {
        // Nothing follows, so that all of it is.
        None => Some(&[]),
        Some(b'*' | b'?') => Some(text),
        Some(first) => text.get(memchr::memchr(*first, text)?..),
    }
}

/// `?` is a letter, of however many bytes.
fn behind_letter(text: &[u8]) -> &[u8] {
    let continues = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    let length = 1 + text.iter().skip(1).take_while(continues).count();
    text.get(length..).unwrap_or_default()
}

fn is_plain(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// `*` is the stage of AWS's own sample events; no live request carries it, and no client chooses
/// the stage's text.
fn is_stage(stage: &str) -> bool {
    is_plain(stage) || stage == "$default" || stage == "*"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_shape_of_the_contract_parses_and_prints() {
        for text in [
            "arn:aws:execute-api:us-west-2:123456789012:ymy8tbxw7b/dev/GET/",
            "arn:aws:execute-api:us-west-2:123456789012:ymy8tbxw7b/dev/GET/pets/42",
            "arn:aws-cn:execute-api:cn-north-1:123456789012:abc/prod/POST/a/b/c",
            "arn:aws:execute-api:us-east-1:123456789012:hvi0slqerb/$default/GET/api/v1/project/7f1c",
            "arn:aws:execute-api:us-east-1:123456789012:abcdef123/default/$connect",
            "arn:aws:execute-api:eu-central-1:123456789012:yyyy/lab/GET/x/2021-08-01T00:00:00Z/y",
            "arn:aws:execute-api:us-west-2:123456789012:ymy8tbxw7b/*/GET/",
            "arn:aws:execute-api:us-east-1:random-account-id:random-api-id/dev/GET/files/*/${a}?",
        ] {
            let arn: MethodArn = text.parse().unwrap();
            assert_eq!(arn.to_string(), text);
        }
    }

    #[test]
    fn the_root_has_one_spelling() {
        for tail in ["GET", "GET/", "GET//"] {
            let arn: MethodArn = format!("arn:aws:execute-api:r:1:a/s/{tail}").parse().unwrap();
            assert_eq!(arn.to_string(), "arn:aws:execute-api:r:1:a/s/GET/");
        }
    }

    #[test]
    fn what_is_no_method_arn_is_refused() {
        for (text, expected) in [
            ("", ArnError::NotExecuteApi),
            ("arn:aws:lambda:us-east-1:1:function:f", ArnError::NotExecuteApi),
            ("arn:aws:execute-api:us-east-1:1:api", ArnError::Incomplete),
            ("arn:aws:execute-api:us-east-1:1:api/stage", ArnError::Incomplete),
            ("arn:aws:execute-api:us-east-1:1:api/stage/", ArnError::NoMethod),
            ("arn:aws:execute-api:us-east-1:1:api/stage/get/", ArnError::NoMethod),
            ("arn:aws:execute-api:us-east-1:1:api/stage/*/", ArnError::NoMethod),
            ("arn:aws:execute-api:us-east-1:1:api/stage/$connect/x", ArnError::NoMethod),
            ("arn:aws:execute-api:us-east-1:1:api/stage/$disconnect", ArnError::NoMethod),
            ("arn:aws:execute-api:us-east-1:1:*/stage/GET/", ArnError::UnsafeCharacter),
            ("arn:aws:execute-api:us-east-1:1:api/st*/GET/", ArnError::UnsafeCharacter),
            ("arn:*:execute-api:us-east-1:1:api/stage/GET/", ArnError::UnsafeCharacter),
            ("arn::execute-api:us-east-1:1:api/stage/GET/", ArnError::UnsafeCharacter),
        ] {
            assert_eq!(text.parse::<MethodArn>(), Err(expected), "{text}");
        }
    }

    /// The table of the contract, section 4.3.
    #[test]
    fn wildcards_match_as_in_iam() {
        for (pattern, text, expected) in [
            ("api/dev/*", "api/dev/GET/pets/1", true),
            ("api/dev/*", "api/dev/$connect", true),
            ("api/dev/*/*", "api/dev/$connect", false),
            ("api/dev/GET/pets", "api/dev/GET/pets/", false),
            ("api/dev/GET/pets/*", "api/dev/GET/pets", false),
            ("api/dev/GET/pets/*", "api/dev/GET/pets/", true),
            ("api/dev/GET/pets/*", "api/dev/GET/pets/1/a/b", true),
            ("api/*/GET/pets", "api/dev/POST/x/GET/pets", true),
            ("api/dev/GET/pets/?", "api/dev/GET/pets/10", false),
            ("api/dev/GET/pets/?", "api/dev/GET/pets//", true),
            ("api/dev/GET/pets/?", "api/dev/GET/pets/é", true),
            ("api/dev/get/pets", "api/dev/GET/pets", false),
            ("api/$default/GET/a", "api/$default/GET/a", true),
            ("*", "anything", true),
            ("*", "", true),
            ("**a", "ba", true),
            ("", "a", false),
        ] {
            assert_eq!(ArnPattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    /// The obvious matcher, exponential and right.
    fn oracle(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => (0..=text.len()).any(|skip| oracle(rest, &text[skip..])),
            (Some(('?', rest)), Some((_, tail))) => oracle(rest, tail),
            (Some((expected, rest)), Some((found, tail))) => expected == found && oracle(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn the_matcher_agrees_with_the_obvious_one(pattern in "[ab/*?]{0,8}", text in "[ab/é]{0,10}") {
            let (p, t): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(ArnPattern::new(&pattern).matches(&text), oracle(&p, &t));
        }

        #[test]
        fn any_text_parses_or_is_refused_and_what_parses_prints_itself(path in "\\PC{0,40}") {
            let text = format!("arn:aws:execute-api:r:1:a/s/GET/{path}");
            let arn: MethodArn = text.parse().unwrap();
            if path != "/" {
                prop_assert_eq!(arn.to_string(), text);
            }
        }
    }
}
