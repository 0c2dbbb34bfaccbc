//! [`Methods`]: a set of the methods that API Gateway routes.

use std::fmt;

/// Some of the seven methods of API Gateway.
///
/// ```
/// use lambda_authorizer::rules::Methods;
///
/// assert!(Methods::ANY.includes("PATCH"));
/// assert!(!Methods::ANY.includes("PROPFIND"));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Methods(u8);

/// What `ANY` stands for in API Gateway, in the order of the bits.
const NAMES: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

impl Methods {
    /// No method.
    pub const NONE: Self = Self(0);
    /// All of them: `ANY`.
    pub const ANY: Self = Self(0b111_1111);

    /// The method of this name, in capitals.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().position(|known| *known == name).map(|bit| Self(1 << bit))
    }

    /// Whether the method of this name is in the set.
    #[must_use]
    pub fn includes(self, name: &str) -> bool {
        Self::named(name).is_some_and(|method| self.and(method) == method)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// What either set holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both sets hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What only this set holds.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// A bit for each method, in the order of the names.
    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    /// Its methods, each as a set of its own.
    pub fn each(self) -> impl Iterator<Item = Self> {
        self.names().filter_map(Self::named)
    }

    /// The names, in alphabetical order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let is_held = move |bit: &usize| self.0 & (1 << bit) != 0;
        NAMES.into_iter().enumerate().filter(move |(bit, _)| is_held(bit)).map(|(_, name)| name)
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ANY {
            return formatter.write_str("ANY");
        }
        formatter.write_str(&self.names().collect::<Vec<_>>().join("|"))
    }
}

impl fmt::Debug for Methods {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Methods({self})")
    }
}
