//! [`ResourceList`]: the resources of one statement.

use std::ops::Range;

use serde::{Serialize, Serializer};

use crate::arn::{ArnPattern, matches};

/// The resources of a statement, each once and in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceList {
    /// One behind the other.
    text: String,
    /// Where each stands in it.
    places: Vec<Range<usize>>,
    /// So much of each is what all begin with. There is no wildcard in it.
    alike: usize,
}

impl ResourceList {
    /// A list for so many resources, of so many letters together, all of which begin so.
    pub(super) fn new(start: &str, count: usize, letters: usize) -> Self {
        // The stage of AWS's own sample events is a wildcard.
        let alike = start.bytes().position(|byte| byte == b'*').unwrap_or(start.len());
        Self { text: String::with_capacity(letters), places: Vec::with_capacity(count), alike }
    }

    /// Adds the resource that these make together. They are to come in order, and to begin as all do.
    pub(super) fn push(&mut self, parts: [&str; 3]) {
        let begin = self.text.len();
        for part in parts {
            self.text.push_str(part);
        }
        self.places.push(begin..self.text.len());
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
        serializer.collect_seq(self.iter().map(ArnPattern::as_str))
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
            let mut list = ResourceList::new(start, 0, 0);
            for end in &ends {
                list.push([start, "", end]);
            }
            let wholes: Vec<String> = ends.iter().map(|end| format!("{start}{end}")).collect();
            let expected = wholes.iter().any(|whole| ArnPattern::new(whole).matches(&text));
            prop_assert_eq!(list.matches(&text), expected);
            prop_assert_eq!(list.iter().map(ArnPattern::as_str).collect::<Vec<_>>(), wholes.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(serde_json::to_value(&list).unwrap(), serde_json::json!(wholes));
        }
    }
}
