//! [`Request`]: the one shape that every stage behind the event sees, whatever API it came through.

mod certificate;
mod date;
mod name;
mod stage_variables;

use std::fmt;
use std::net::IpAddr;

use crate::arn::MethodArn;
pub use certificate::{CertificateField, CertificateFieldError, ClientCertificate};
pub use name::AttributeType;
pub use stage_variables::StageVariables;

/// What a caller asks for, and where a credential may be found.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// The kind of API and of event.
    pub kind: EventKind,
    /// What is to be invoked.
    pub arn: MethodArn,
    /// The route as it was configured (`/pets/{id}`, `GET /pets/{id}`), where the event names it.
    pub route: Option<String>,
    /// API Gateway's ID of the request, where the event has it.
    pub request_id: Option<String>,
    /// The client's address as API Gateway saw it, where the event tells: a TOKEN event does not.
    pub source_ip: Option<IpAddr>,
    /// The certificate that the client has shown to API Gateway (mutual TLS). Few have one.
    pub client_certificate: Option<Box<ClientCertificate>>,
    /// The variables of the API's stage.
    pub stage_variables: StageVariables,
    /// The URL by which the client reached the API, as far as the event tells. It authorizes nothing: the stage, or a
    /// custom domain's base path, is in it.
    pub url: RequestUrl,
    /// The TOKEN event's `authorizationToken`.
    pub authorization_token: Option<String>,
    /// The headers, in the client's spelling.
    pub headers: Parameters,
    /// The query parameters.
    pub query: Parameters,
    /// The cookies.
    pub cookies: Parameters,
}

/// Headers, query and cookies hold credentials: they do not show.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Request").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The parts of the URL that a client asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestUrl {
    /// The host: the API's own domain name, or a custom one.
    pub host: Option<String>,
    /// The path.
    pub path: Option<String>,
}

/// The five kinds of authorizer event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A REST API's TOKEN authorizer.
    RestToken,
    /// A REST API's REQUEST authorizer.
    RestRequest,
    /// An HTTP API, payload format 1.0.
    Http1,
    /// An HTTP API, payload format 2.0.
    Http2,
    /// A WebSocket API's `$connect` route.
    WebSocket,
}

impl EventKind {
    /// The name in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RestToken => "rest_token",
            Self::RestRequest => "rest_request",
            Self::Http1 => "http_1.0",
            Self::Http2 => "http_2.0",
            Self::WebSocket => "websocket",
        }
    }
}

/// Named values of a request, as API Gateway hands them over: one value for each name, and, for
/// some kinds of event, all of them once more.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    pub(crate) single: Vec<(String, String)>,
    pub(crate) multiple: Vec<(String, Vec<String>)>,
}

/// The text without the optional white space around it (RFC 9110, section 5.6.3): space and tab, and
/// none of the many that Unicode knows.
pub(crate) fn without_white_space(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The values of one name disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

impl Parameters {
    /// Parameters with one value for each name.
    #[must_use]
    pub fn new(single: Vec<(String, String)>) -> Self {
        Self { single, multiple: Vec::new() }
    }

    /// The only value of the header `name`, whose case does not matter.
    ///
    /// # Errors
    ///
    /// [`Ambiguous`] when there are several values, or several spellings of the name: one of them
    /// would be checked here and another used behind us.
    pub fn header(&self, name: &str) -> Result<Option<&str>, Ambiguous> {
        self.only(|candidate| candidate.eq_ignore_ascii_case(name))
    }

    /// The only value of the query parameter or cookie `name`.
    ///
    /// # Errors
    ///
    /// [`Ambiguous`] when there are several values.
    pub fn exact(&self, name: &str) -> Result<Option<&str>, Ambiguous> {
        self.only(|candidate| candidate == name)
    }

    fn only(&self, is_named: impl Fn(&str) -> bool) -> Result<Option<&str>, Ambiguous> {
        let single = self.single.iter().filter(|(name, _)| is_named(name));
        let mut found: Option<(&str, &str)> = None;
        for (name, value) in single {
            if found.is_some() {
                return Err(Ambiguous);
            }
            found = Some((name, value));
        }
        // The second list repeats the first: it may confirm what was found, or stand in for it.
        let mut listed: Option<&str> = None;
        for (name, values) in self.multiple.iter().filter(|(name, _)| is_named(name)) {
            let [value] = values.as_slice() else {
                if values.is_empty() {
                    continue;
                }
                return Err(Ambiguous);
            };
            if listed.is_some() || found.is_some_and(|found| found != (name, value)) {
                return Err(Ambiguous);
            }
            listed = Some(value);
        }
        Ok(found.map(|(_, value)| value).or(listed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(single: &[(&str, &str)], multiple: &[(&str, &[&str])]) -> Parameters {
        let owned = |text: &&str| (*text).to_owned();
        Parameters {
            single: single.iter().map(|(name, value)| (owned(name), owned(value))).collect(),
            multiple: multiple
                .iter()
                .map(|(name, values)| (owned(name), values.iter().map(owned).collect()))
                .collect(),
        }
    }

    #[test]
    fn one_value_is_found_whatever_the_case_of_a_header() {
        for (single, multiple) in [
            (&[("authorization", "a")][..], &[][..]),
            (&[("AUTHORIZATION", "a"), ("x", "b")], &[("AUTHORIZATION", &["a"][..])]),
            (&[], &[("Authorization", &["a"])]),
            (&[("Authorization", "a")], &[("Authorization", &[])]),
        ] {
            assert_eq!(parameters(single, multiple).header("Authorization"), Ok(Some("a")));
        }
        assert_eq!(parameters(&[], &[]).header("Authorization"), Ok(None));
        assert_eq!(parameters(&[("token", "a")], &[]).exact("Token"), Ok(None));
    }

    /// Rule Z2: `headers`, `multiValueHeaders` and other spellings agree, or nobody is let in.
    #[test]
    fn several_values_or_spellings_are_ambiguous() {
        for (single, multiple) in [
            (&[("authorization", "a"), ("Authorization", "a")][..], &[][..]),
            (&[("Authorization", "a"), ("Authorization", "b")], &[]),
            (&[("Authorization", "b")], &[("Authorization", &["a", "b"][..])]),
            (&[("Authorization", "a")], &[("Authorization", &["a", "a"])]),
            (&[("Authorization", "a")], &[("Authorization", &["b"])]),
            (&[("Authorization", "a")], &[("authorization", &["a"])]),
            (&[], &[("Authorization", &["a"]), ("authorization", &["a"])]),
        ] {
            assert_eq!(parameters(single, multiple).header("Authorization"), Err(Ambiguous));
        }
    }
}
