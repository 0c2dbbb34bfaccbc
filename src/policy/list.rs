//! [`ResourceList`]: the resources of one statement, written as an answer holds them.

use std::ops::Range;

use crate::arn::{ArnPattern, matches};

/// The resources of a statement, each once and in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceList {
    /// `"…","…"`: what they are made of holds no letter that JSON would escape.
    json: String,
    /// Where each stands in it.
    places: Vec<Range<usize>>,
    /// So much of each is what all begin with. There is no wildcard in it.
    alike: usize,
}

impl ResourceList {
    /// Resources that begin so, each of what then follows, in two parts. They are to be in order.
    pub(super) fn new<'a>(
        start: &str,
        (count, bytes): (usize, usize),
        ends: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        // The stage of AWS's own sample events is a wildcard.
        let alike = start.bytes().position(|byte| byte == b'*').unwrap_or(start.len());
        let mut list = Self { json: String::with_capacity(bytes), places: Vec::with_capacity(count), alike };
        let (first, next) = (["\"", start].concat(), [",\"", start].concat());
        for (method, path) in ends {
            list.json.push_str(if list.places.is_empty() { &first } else { &next });
            let begin = list.json.len() - start.len();
            list.json.push_str(method);
            list.json.push_str(path);
            list.places.push(begin..list.json.len());
            list.json.push('"');
        }
        list
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = ArnPattern<'_>> {
        self.places.iter().map(|place| ArnPattern::new(self.json.get(place.clone()).unwrap_or_default()))
    }

    /// As an array of an answer holds them, without its brackets.
    pub(crate) fn as_json(&self) -> &str {
        &self.json
    }

    /// Whether one of them matches the whole of `text`.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (json, text) = (self.json.as_bytes(), text.as_bytes());
        let start = |place: &Range<usize>| json.get(place.start..place.start + self.alike);
        let Some(rest) = self.places.first().and_then(start).and_then(|start| text.strip_prefix(start))
        else {
            return false;
        };
        let mut ends = self.places.iter().filter_map(|place| json.get(place.start + self.alike..place.end));
        ends.any(|end| matches(end, rest))
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
            ends in prop::collection::vec("[ab/*?]{0,4}", 1..4),
            text in "(a/)?(\\$default/|x/|\\*/)?[ab/é]{0,5}",
        ) {
            let bytes = ends.iter().map(|end| start.len() + end.len() + 3).sum();
            let list = ResourceList::new(start, (ends.len(), bytes), ends.iter().map(|end| ("", end.as_str())));
            let wholes: Vec<String> = ends.iter().map(|end| format!("{start}{end}")).collect();
            let expected = wholes.iter().any(|whole| ArnPattern::new(whole).matches(&text));
            prop_assert_eq!(list.matches(&text), expected);
            prop_assert_eq!(list.iter().map(ArnPattern::as_str).collect::<Vec<_>>(), wholes.iter().map(String::as_str).collect::<Vec<_>>());
            let json: Vec<String> = serde_json::from_str(&format!("[{}]", list.as_json())).unwrap();
            prop_assert_eq!(json, wholes);
        }
    }
}
