//! [`ResourceList`]: the resources of one statement.

use std::ops::Range;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::arn::{ArnPattern, matches};

/// The resources of a statement, each once and in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceList {
    /// A JSON array of them.
    text: String,
    /// Whether that needs no escapes. It is most of an answer, and is then written as it is, not letter by letter.
    is_plain: bool,
    /// Where each stands in it.
    places: Vec<Range<usize>>,
    /// So much of each is what all begin with. There is no wildcard in it.
    alike: usize,
}

impl ResourceList {
    /// The resources that begin so and end each like one of these, which are to come in order. They are so many, and take
    /// so many letters together with what stands between them.
    pub(super) fn new<'a>(
        start: &str,
        count: usize,
        letters: usize,
        ends: impl Iterator<Item = (&'static str, &'a str)>,
    ) -> Self {
        // The stage of AWS's own sample events is a wildcard.
        let alike = start.bytes().position(|byte| byte == b'*').unwrap_or(start.len());
        let mut places = Vec::with_capacity(count);
        let mut text = String::with_capacity(letters + "[]".len());
        text.push('[');
        let opening = ["\",\"", start].concat();
        ends.for_each(|(verb, path)| {
            let closes_another = if places.is_empty() { "\",".len() } else { 0 };
            text.push_str(opening.get(closes_another..).unwrap_or_default());
            let begin = text.len() - start.len();
            text.push_str(verb);
            text.push_str(path);
            places.push(begin..text.len());
        });
        text.push_str(if places.is_empty() { "]" } else { "\"]" });
        // Every quote is one of those around them, and nothing is behind a backslash. (With a control character it is no
        // JSON, and read as none.)
        let is_plain = memchr::memchr(b'\\', text.as_bytes()).is_none()
            && memchr::memchr_iter(b'"', text.as_bytes()).count() == 2 * places.len();
        Self { text, is_plain, places, alike }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = ArnPattern<'_>> {
        self.places.iter().map(|place| ArnPattern::new(self.text.get(place.clone()).unwrap_or_default()))
    }

    /// Whether one of them matches the whole of `text`.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (own, text) = (self.text.as_bytes(), text.as_bytes());
        let start = |place: &Range<usize>| own.get(place.start..place.start + self.alike);
        let Some(rest) = self.places.first().and_then(start).and_then(|start| text.strip_prefix(start))
        else {
            return false;
        };
        let mut ends = self.places.iter().filter_map(|place| own.get(place.start + self.alike..place.end));
        ends.any(|end| matches(end, rest))
    }
}

/// As the array of a policy document.
impl Serialize for ResourceList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<&RawValue>(&self.text) {
            Ok(array) if self.is_plain => array.serialize(serializer),
            _ => serializer.collect_seq(self.iter().map(ArnPattern::as_str)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// The part that all begin with is compared once, and not where the stage is a wildcard.
        #[test]
        fn together_they_match_what_one_of_them_matches(
            start in prop::sample::select(vec!["", "a/", "a/*/", "a/$default/"]),
            ends in prop::collection::vec("[ab/*?]{0,4}|[\"\\\\\n\u{1}\u{7f}é]{0,2}", 1..4),
            text in "(a/)?(\\$default/|x/|\\*/)?[ab/é]{0,5}",
        ) {
            let list = ResourceList::new(start, 0, 0, ends.iter().map(|end| ("", end.as_str())));
            let wholes: Vec<String> = ends.iter().map(|end| format!("{start}{end}")).collect();
            let expected = wholes.iter().any(|whole| ArnPattern::new(whole).matches(&text));
            prop_assert_eq!(list.matches(&text), expected);
            prop_assert_eq!(list.iter().map(ArnPattern::as_str).collect::<Vec<_>>(), wholes.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(serde_json::to_string(&list).unwrap(), serde_json::to_string(&wholes).unwrap());
        }
    }
}
