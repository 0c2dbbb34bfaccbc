//! What the codes of reasons mean, and what to do about each: `authorizer explain --reason CODE`.

use lambda_authorizer::error::{Code, Outcome};

/// What the code means, and what to do, on lines for a person. `None` where there is no such code.
///
/// ```
/// use authorizer_cli::reasons;
///
/// assert!(reasons::text("token_expired").is_some_and(|text| text.starts_with("token_expired: ")));
/// assert!(reasons::text("token_expierd").is_none());
/// ```
#[must_use]
pub fn text(code: &str) -> Option<String> {
    let code = Code::ALL.iter().find(|known| known.name() == code)?;
    let outcome = match code.outcome() {
        Outcome::RefusedCredential => "the credential is refused, with 401 or 403",
        Outcome::RefusedRequest => "the credential holds, and the request is refused with 403",
        Outcome::Fault => "nothing could be decided, and the client gets 500",
    };
    Some(format!(
        "{}: {outcome}\n\ncause       {}\nwhat to do  {}\n",
        code.name(),
        code.cause(),
        code.action()
    ))
}

/// The code that a misspelled one was meant to be, where one is near.
///
/// ```
/// use authorizer_cli::reasons;
///
/// assert_eq!(reasons::nearest("token_expierd"), Some("token_expired"));
/// assert_eq!(reasons::nearest("teapot"), None);
/// ```
#[must_use]
pub fn nearest(code: &str) -> Option<&'static str> {
    const FURTHEST: usize = 3;
    let names = Code::ALL.iter().map(|known| known.name());
    let (distance, name) = names.map(|name| (strsim::damerau_levenshtein(code, name), name)).min()?;
    (distance <= FURTHEST).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_text() {
        for code in Code::ALL {
            let text = text(code.name()).unwrap();
            assert!(text.contains(code.cause()) && text.contains(code.action()), "{text}");
        }
        assert_eq!(text("Token_Expired"), None);
    }
}
