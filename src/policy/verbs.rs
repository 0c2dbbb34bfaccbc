//! [`Verbs`]: what stands for methods in resources.

use crate::rules::Methods;

/// What stands before the path in some resources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verbs(u16);

/// In the order of their bits and of their letters, so that resources that are written by them are in order: what
/// follows begins with a slash, or is behind `*`. The methods are as [`Methods`] has them.
const TEXTS: [&str; 11] =
    ["$connect", "*", "???", "????", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
const METHODS: u32 = 4;

impl Verbs {
    /// Not a method, but the WebSocket route.
    pub(super) const CONNECT: Self = Self(1 << 0);
    /// Whatever the method. As `*` crosses slashes, a part of the path as well.
    pub(super) const WILDCARD: Self = Self(1 << 1);
    /// The two methods of three letters in one resource, and those of four. Behind the fifth letter of a longer window a
    /// path could begin, and `????/…` is also `GET//…`, an odd path.
    const THREE_LETTERS: Self = Self(1 << 2);
    pub(super) const FOUR_LETTERS: Self = Self(1 << 3);

    /// No text is longer.
    pub(super) const LONGEST: usize = 8;

    /// Each method by its name.
    pub(super) fn names(methods: Methods) -> Self {
        Self(u16::from(methods.bits()) << METHODS)
    }

    /// The methods in as few as say them.
    pub(super) fn windows(methods: Methods) -> Self {
        const PAIRS: [([usize; 2], Verbs); 2] =
            [([5, 10], Verbs::THREE_LETTERS), ([6, 9], Verbs::FOUR_LETTERS)];
        PAIRS.into_iter().fold(Self::names(methods), |verbs, ([one, other], window)| {
            let both = Self(1 << one | 1 << other);
            if verbs.and(both) == both { verbs.without(both).or(window) } else { verbs }
        })
    }

    pub(super) fn is_empty(self) -> bool {
        self == Self::default()
    }

    pub(super) fn includes(self, other: Self) -> bool {
        self.and(other) == other
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Each, and its text, in their order.
    pub(super) fn all() -> impl Iterator<Item = (Self, &'static str)> {
        TEXTS.iter().enumerate().map(|(bit, text)| (Self(1 << bit), *text))
    }

    /// The text of each, in their order.
    pub(super) fn each(self) -> impl Iterator<Item = &'static str> {
        let mut rest = self.0;
        // Without any bits the lowest is behind all texts.
        std::iter::from_fn(move || {
            let text = TEXTS.get(usize::try_from(rest.trailing_zeros()).ok()?)?;
            rest &= rest - 1;
            Some(*text)
        })
    }

    /// How many there are, and how many letters they have together.
    pub(super) fn size(self) -> (usize, usize) {
        self.each().fold((0, 0), |(count, letters), text| (count + 1, letters + text.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_in_order_and_mean_their_methods() {
        assert!(TEXTS.is_sorted() && TEXTS.iter().all(|text| text.len() <= Verbs::LONGEST));
        for methods in (0..128_u8).map(|bits| {
            let held = Methods::ANY.each().filter(|method| method.bits() & bits != 0);
            held.fold(Methods::NONE, Methods::or)
        }) {
            let texts = |verbs: Verbs| verbs.each().collect::<Vec<_>>();
            assert_eq!(texts(Verbs::names(methods)), methods.names().collect::<Vec<_>>());
            let windows = texts(Verbs::windows(methods));
            let is_named = |name: &str| match name.len() {
                3 => windows.contains(&"???") || windows.contains(&name),
                4 => windows.contains(&"????") || windows.contains(&name),
                _ => windows.contains(&name),
            };
            for name in Methods::ANY.names() {
                assert_eq!(is_named(name), methods.includes(name), "{methods} {name}");
            }
            assert_eq!(Verbs::windows(methods).size(), (windows.len(), windows.concat().len()));
        }
    }
}
