//! [`CustomCode`]: the stable codes of verifiers in code of one's own.

use super::{Code, Error, Fault, Reason};

/// A code for the log, the metric and, where configured, the context of the answer.
///
/// ```
/// use lambda_authorizer::error::{CustomCode, Error};
///
/// const EXPIRED: CustomCode = CustomCode::new("ticket_expired");
///
/// assert!(matches!(EXPIRED.refusal("it expired yesterday"), Error::Rejection(_)));
/// ```
///
/// One that is no word, or that the function has itself, does not compile as a constant:
///
/// ```compile_fail,E0080
/// use lambda_authorizer::error::CustomCode;
///
/// const EXPIRED: CustomCode = CustomCode::new("token_expired");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CustomCode(&'static str);

impl CustomCode {
    /// A code of this name: lower-case letters and `_`.
    ///
    /// # Panics
    ///
    /// If it is something else, or the name of another code. Make it a constant, and the compiler tells.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        assert!(is_word(name.as_bytes()), "a code is of lower-case letters and `_`");
        assert!(!is_taken(name.as_bytes(), Code::ALL), "the function has a code of this name");
        Self(name)
    }

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// A refusal of the credential. `detail` goes to the log, and must not hold the credential, or a part of it that nobody
    /// vouches for.
    #[must_use]
    pub fn refusal(self, detail: impl Into<String>) -> Error {
        Reason::Custom { code: self, detail: detail.into() }.into()
    }

    /// Why nothing can be said of the credential. API Gateway answers 500, and keeps nothing.
    #[must_use]
    pub fn fault(self, cause: impl Into<String>) -> Error {
        Fault::Custom { code: self, cause: cause.into() }.into()
    }
}

const fn is_word(name: &[u8]) -> bool {
    let mut rest = name;
    while let [letter, others @ ..] = rest {
        if !(letter.is_ascii_lowercase() || *letter == b'_') {
            return false;
        }
        rest = others;
    }
    !name.is_empty()
}

const fn is_taken(name: &[u8], codes: &[Code]) -> bool {
    let mut rest = codes;
    while let [code, others @ ..] = rest {
        if is_same(name, code.name().as_bytes()) {
            return true;
        }
        rest = others;
    }
    false
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let (mut one, mut other) = (one, other);
    while let ([first, after @ ..], [second, behind @ ..]) = (one, other) {
        if *first != *second {
            return false;
        }
        (one, other) = (after, behind);
    }
    one.is_empty() && other.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_ones_own_is_a_word_that_nobody_else_has() {
        for (name, is_one) in [
            ("ticket_expired", true),
            ("token_expire", true),
            ("token_expired_", true),
            ("token_expired", false),
            ("answer_unwritable", false),
            ("", false),
            ("Ticket", false),
            ("ticket expired", false),
            ("ticket\n", false),
        ] {
            assert_eq!(is_word(name.as_bytes()) && !is_taken(name.as_bytes(), Code::ALL), is_one, "{name}");
        }
    }

    #[test]
    fn it_is_told_as_any_other() {
        const LATE: CustomCode = CustomCode::new("ticket_late");
        let Error::Rejection(rejection) = LATE.refusal("by a day") else { unreachable!("a refusal") };
        assert_eq!(
            (rejection.reason.code().name(), rejection.to_string()),
            ("ticket_late", "by a day".into())
        );
        assert!(rejection.reason.is_of_the_credential());
        let Error::Fault(fault) = LATE.fault("the clock is gone") else { unreachable!("a fault") };
        assert_eq!(fault.code().name(), "ticket_late");
    }
}
