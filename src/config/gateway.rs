//! [`Gateway`]: how API Gateway's authorizer is set up, as far as a cached answer depends on it.

use std::fmt;
use std::str::FromStr;

use crate::credential::Location;
use crate::request::CertificateField;
use crate::rules::Parameter;

/// How an authorizer of API Gateway is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gateway {
    /// How long an answer is kept, in seconds; `None` where nobody says.
    pub cache_seconds: Option<u32>,
    /// What tells one cached answer from another; `None` where nobody says.
    pub identity_sources: Option<Vec<IdentityExpression>>,
}

impl Gateway {
    /// Whether an answer may be kept and replayed.
    #[must_use]
    pub fn may_cache(&self) -> bool {
        self.cache_seconds != Some(0)
    }

    /// Whether answers for different values of this are kept apart, or none is kept.
    #[must_use]
    pub fn tells_apart(&self, expression: &IdentityExpression) -> bool {
        !self.may_cache()
            || self.identity_sources.as_ref().is_some_and(|sources| sources.contains(expression))
    }

    /// Whether answers for different values of the parameter are kept apart, or none is kept.
    #[must_use]
    pub fn tells_parameter_apart(&self, parameter: &Parameter) -> bool {
        IdentityExpression::of_parameter(parameter).iter().any(|expression| self.tells_apart(expression))
    }
}

/// An identity source in API Gateway's words, whichever kind of API they are meant for:
/// `method.request.header.Authorization`, `$request.header.authorization` and
/// `route.request.header.Authorization` are one.
///
/// ```
/// use lambda_authorizer::config::IdentityExpression;
///
/// let rest: IdentityExpression = "method.request.header.Authorization".parse()?;
/// let http: IdentityExpression = "$request.header.authorization".parse()?;
/// assert_eq!(rest, http);
/// # Ok::<(), lambda_authorizer::config::IdentityExpressionError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdentityExpression(String);

impl IdentityExpression {
    /// Where a credential is looked for. `None` for a TOKEN event's token, which is its authorizer's only identity
    /// source, and for a WebSocket's subprotocol: such APIs have no cache.
    #[must_use]
    pub fn of(location: &Location) -> Option<Self> {
        match location {
            Location::Header(name) => Some(Self::header(name)),
            Location::Query(name) => Some(Self::query(name)),
            Location::Cookie(_) => Some(Self::header("cookie")),
            Location::AuthorizationToken | Location::WebSocketProtocol { .. } => None,
        }
    }

    /// A header of the request.
    #[must_use]
    pub fn header(name: &str) -> Self {
        Self(format!("request.header.{}", name.to_ascii_lowercase()))
    }

    /// A query parameter.
    #[must_use]
    pub fn query(name: &str) -> Self {
        Self(format!("request.querystring.{name}"))
    }

    /// The client's address.
    #[must_use]
    pub fn source_ip() -> Self {
        Self("context.identity.sourceIp".to_owned())
    }

    /// The certificate by which API Gateway has verified the client, all of it.
    #[must_use]
    pub fn client_certificate() -> Self {
        Self("context.identity.clientCert.clientCertPem".to_owned())
    }

    /// Each of those by which answers for different values of the parameter are kept apart, the closest first.
    #[must_use]
    pub fn of_parameter(parameter: &Parameter) -> Vec<Self> {
        let of_certificate = |member: &str| {
            vec![Self(format!("context.identity.clientCert.{member}")), Self::client_certificate()]
        };
        match parameter {
            Parameter::Header(name) => vec![Self::header(name)],
            Parameter::Query(name) => vec![Self::query(name)],
            Parameter::StageVariable(name) => vec![Self(format!("stageVariables.{name}"))],
            Parameter::ClientCertificate(
                CertificateField::Subject | CertificateField::SubjectAttribute(_),
            ) => of_certificate("subjectDN"),
            Parameter::ClientCertificate(CertificateField::Issuer | CertificateField::IssuerAttribute(_)) => {
                of_certificate("issuerDN")
            }
            Parameter::ClientCertificate(CertificateField::SerialNumber) => of_certificate("serialNumber"),
        }
    }

    /// The route of an HTTP API.
    #[must_use]
    pub fn route_key() -> Self {
        Self("context.routeKey".to_owned())
    }
}

impl FromStr for IdentityExpression {
    type Err = IdentityExpressionError;

    fn from_str(text: &str) -> Result<Self, IdentityExpressionError> {
        let text = text.trim();
        let text = text.strip_prefix('$').unwrap_or(text);
        let text = ["method.", "route."].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
        let is_whole = |rest: &str| !rest.is_empty() && !rest.contains(char::is_whitespace);
        if let Some(name) = text.strip_prefix("request.header.").filter(|name| is_whole(name)) {
            return Ok(Self::header(name));
        }
        let known = ["request.querystring.", "context.", "stageVariables."];
        match known.iter().any(|prefix| text.strip_prefix(prefix).is_some_and(is_whole)) {
            true => Ok(Self(text.to_owned())),
            false => Err(IdentityExpressionError),
        }
    }
}

impl fmt::Display for IdentityExpression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "${}", self.0)
    }
}

/// A text is no [`IdentityExpression`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an identity source is such as `$request.header.Authorization`, `$request.querystring.token`, `$context.identity.sourceIp` or `$stageVariables.name`"
)]
pub struct IdentityExpressionError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_every_kind_of_api_are_read() {
        for (text, expected) in [
            ("method.request.header.Authorization", "$request.header.authorization"),
            ("route.request.header.Authorization", "$request.header.authorization"),
            ("$request.header.AUTHORIZATION", "$request.header.authorization"),
            ("method.request.querystring.Token", "$request.querystring.Token"),
            ("context.identity.sourceIp", "$context.identity.sourceIp"),
            ("$context.routeKey", "$context.routeKey"),
            ("$stageVariables.tenant", "$stageVariables.tenant"),
        ] {
            assert_eq!(text.parse::<IdentityExpression>().unwrap().to_string(), expected);
        }
        for text in
            ["", "Authorization", "$request.path.id", "$request.header.", "context.", "$request.header.a b"]
        {
            assert!(text.parse::<IdentityExpression>().is_err(), "{text}");
        }
    }
}
