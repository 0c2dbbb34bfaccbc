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
    stage_prefix: String,
    target: Target,
}

/// What follows the stage.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// A method of a REST or HTTP API; the path starts with its slash.
    Method { method: String, path: String },
    /// The `$connect` route of a WebSocket API.
    Connect,
}

/// The WebSocket route that an authorizer can be attached to.
const CONNECT: &str = "$connect";

impl MethodArn {
    /// `GET`, `POST`, ...; `None` for a WebSocket route.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        match &self.target {
            Target::Method { method, .. } => Some(method),
            Target::Connect => None,
        }
    }

    /// The path with its leading slash and the client's own values, not decoded; `$connect` for a
    /// WebSocket route.
    #[must_use]
    pub fn path(&self) -> &str {
        match &self.target {
            Target::Method { path, .. } => path,
            Target::Connect => CONNECT,
        }
    }

    /// The ARN up to and with the slash behind the stage: the safe part, from which every resource
    /// of a policy is built.
    #[must_use]
    pub fn stage_prefix(&self) -> &str {
        &self.stage_prefix
    }

    /// The ID of the API.
    #[must_use]
    pub fn api(&self) -> &str {
        self.api_and_stage().0
    }

    /// The name of the stage.
    #[must_use]
    pub fn stage(&self) -> &str {
        self.api_and_stage().1
    }

    fn api_and_stage(&self) -> (&str, &str) {
        let resource = self.stage_prefix.rsplit(':').next().unwrap_or_default();
        resource.trim_end_matches('/').split_once('/').unwrap_or_default()
    }

    /// Whether this names the `$connect` route of a WebSocket API.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.target == Target::Connect
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
        let target = match (method, segments.next()) {
            (CONNECT, None) => Target::Connect,
            (method, path) if !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                // Some gateways send the root as `//`, or drop its slash.
                let path = path.filter(|path| *path != "/").unwrap_or_default();
                Target::Method { method: method.to_owned(), path: format!("/{path}") }
            }
            _ => return Err(ArnError::NoMethod),
        };
        Ok(Self {
            stage_prefix: format!("arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/"),
            target,
        })
    }
}

impl fmt::Display for MethodArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Method { method, path } => write!(formatter, "{}{method}{path}", self.stage_prefix),
            Target::Connect => write!(formatter, "{}{CONNECT}", self.stage_prefix),
        }
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArnPattern(String);

impl ArnPattern {
    /// The pattern that is written as `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it stands in the policy document.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `text` matches, as IAM compares resources.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = match behind_common_start(&self.0, text) {
            (pattern, text) if !pattern.starts_with(WILDCARDS) => {
                return pattern.is_empty() && text.is_empty();
            }
            both => both,
        };
        let (mut pattern, mut text) = (pattern.chars(), text.chars());
        // Where to resume when the text after the latest `*` turns out not to match.
        let mut retry = None;
        loop {
            let before = (pattern.clone(), text.clone());
            match (pattern.next(), text.next()) {
                (Some('*'), _) => {
                    text = before.1;
                    retry = Some((pattern.clone(), text.clone()));
                }
                (Some(expected), Some(found)) if expected == '?' || expected == found => {}
                (None, None) => return true,
                _ => {
                    let Some((after_star, mut resume)) = retry else { return false };
                    if resume.next().is_none() {
                        return false;
                    }
                    pattern = after_star.clone();
                    text = resume.clone();
                    retry = Some((after_star, resume));
                }
            }
        }
    }
}

const WILDCARDS: [char; 2] = ['*', '?'];

/// Both without the start that they have in common, up to the first wildcard: the resources of a policy have most of it
/// in common.
fn behind_common_start<'a>(pattern: &'a str, text: &'a str) -> (&'a str, &'a str) {
    const CHUNK: usize = 16;
    // Without a way out of its loops, so that a chunk is compared at once.
    let is_alike = |(pattern, text): &(&[u8; CHUNK], &[u8; CHUNK])| {
        pattern.iter().zip(*text).fold(true, |alike, (pattern, text)| {
            alike & (pattern == text) & (*pattern != b'*') & (*pattern != b'?')
        })
    };
    let (chunks, _) = pattern.as_bytes().as_chunks::<CHUNK>();
    let (others, _) = text.as_bytes().as_chunks::<CHUNK>();
    let mut alike = chunks.iter().zip(others).take_while(is_alike).count() * CHUNK;
    let bytes = pattern.bytes().zip(text.bytes()).skip(alike);
    alike += bytes.take_while(|(pattern, text)| pattern == text && !matches!(pattern, b'*' | b'?')).count();
    // Not within a letter of several bytes.
    while !pattern.is_char_boundary(alike) || !text.is_char_boundary(alike) {
        alike -= 1;
    }
    (pattern.get(alike..).unwrap_or(pattern), text.get(alike..).unwrap_or(text))
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
            prop_assert_eq!(ArnPattern::new(pattern).matches(&text), oracle(&p, &t));
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
