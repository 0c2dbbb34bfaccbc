//! [`UserPass`]: what HTTP's Basic authentication carries (RFC 7617).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::Reason;

/// A user ID and a password, both unverified, the password secret.
#[derive(Clone, PartialEq, Eq)]
pub struct UserPass {
    /// All before the first colon.
    pub user: String,
    /// All behind it; it may hold more of them.
    pub password: String,
}

impl UserPass {
    /// Reads what stands behind the scheme: Base64 in its one spelling, of UTF-8 without control characters.
    ///
    /// # Errors
    ///
    /// [`Reason::CredentialMalformed`]: a server that is laxer would see somebody else in it.
    pub fn decode(encoded: &str) -> Result<Self, Reason> {
        let bytes = STANDARD.decode(encoded).map_err(|_| Reason::CredentialMalformed)?;
        let text = String::from_utf8(bytes).map_err(|_| Reason::CredentialMalformed)?;
        let (user, password) = text.split_once(':').ok_or(Reason::CredentialMalformed)?;
        match text.contains(char::is_control) {
            true => Err(Reason::CredentialMalformed),
            false => Ok(Self { user: user.to_owned(), password: password.to_owned() }),
        }
    }
}

impl fmt::Debug for UserPass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UserPass(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Option<(String, String)> {
        UserPass::decode(text).ok().map(|UserPass { user, password }| (user, password))
    }

    /// RFC 7617, section 2: the examples, and the first of several colons.
    #[test]
    fn the_first_colon_divides_user_and_password() {
        for (encoded, user, password) in [
            ("QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"),
            ("dGVzdDoxMjPCow==", "test", "123\u{a3}"),
            ("YTpiOmM=", "a", "b:c"),
            ("YTo=", "a", ""),
            ("OmE=", "", "a"),
        ] {
            assert_eq!(decode(encoded), Some((user.into(), password.into())), "{encoded}");
        }
    }

    /// Two spellings of one credential would be two, to API Gateway's cache and to ours.
    #[test]
    fn a_credential_has_one_spelling() {
        assert!(decode("YTpiYw==").is_some());
        for encoded in [
            "",
            "YTpiYw",
            "YTpiYw=",
            "YTpiYw===",
            "YTpiYx==",
            "YTpi Yw==",
            " YTpiYw==",
            "YTpiYw==\n",
            "YTpi-w==",
            "YTpi_w==",
            "YTpiYw==YTpiYw==",
            "a:bc",
            "%59TpiYw==",
        ] {
            assert_eq!(decode(encoded), None, "{encoded:?}");
        }
    }

    #[test]
    fn what_is_no_text_or_would_end_a_line_is_refused() {
        for bytes in [
            &b"ab"[..],
            b"a:\xff",
            b"a:\xc0\xaf",
            b"a:b\r\nX: y",
            b"a\0:b",
            b"a:b\x7f",
            "a:\u{85}".as_bytes(),
        ] {
            assert_eq!(decode(&STANDARD.encode(bytes)), None, "{bytes:?}");
        }
    }

    /// Rule Z8.
    #[test]
    fn neither_is_shown() {
        let shown = format!("{:?}", UserPass { user: "alice".into(), password: "secret".into() });
        assert_eq!(shown, "UserPass(…)");
    }
}
