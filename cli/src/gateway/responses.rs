//! What the client gets where no backend is asked: status, headers and body as API Gateway has them.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use lambda_authorizer::check::{GatewayResponse, Protocol};
use serde_json::{Map, Value};

use super::api::LocalApi;

/// Why a request does not reach its backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No route takes it.
    NoRoute,
    /// The ARN has more than 1600 bytes.
    TooLong,
    /// The body has more than 10 MB.
    TooLarge,
    /// An identity source is missing, or the authorizer said so.
    Unauthorized,
    /// The policy denies it.
    Denied,
    /// Nothing in the policy allows it, or `isAuthorized` is false.
    NotAllowed,
    /// The authorizer failed, or answered something else.
    AuthorizerFailed,
    /// The route has an authorization that is none of a Lambda authorizer's, and is refused.
    NotALambda,
    /// A WebSocket API was asked for something else than a connection.
    NoUpgrade,
    /// The backend cannot be reached.
    BackendFailed,
}

/// What API Gateway itself says: gateway response, status, error type, message.
struct Standard {
    kind: &'static str,
    status: u16,
    error_type: &'static str,
    /// JSON, or `null`.
    message: &'static str,
    member: &'static str,
}

impl Refusal {
    /// The response to the client.
    #[must_use]
    pub(super) fn response(self, api: &LocalApi, request_id: &str, context: &Map<String, Value>) -> Response {
        match api.protocol {
            Protocol::Rest => self.rest(api, request_id, context),
            Protocol::Http => {
                let (status, message) = self.http();
                respond(status, format!(r#"{{"message":"{message}"}}"#), &[("apigw-requestid", request_id)])
            }
            Protocol::WebSocket => {
                let (status, message) = self.websocket();
                respond(status, format!(r#"{{"message":"{message}"}}"#), &[("x-amzn-requestid", request_id)])
            }
        }
    }

    fn rest(self, api: &LocalApi, request_id: &str, context: &Map<String, Value>) -> Response {
        let standard = self.standard();
        let default = if standard.status < 500 { "DEFAULT_4XX" } else { "DEFAULT_5XX" };
        let find = |kind: &str| api.responses.iter().find(|response| response.kind == kind);
        let custom: Option<&GatewayResponse> = find(standard.kind).or_else(|| find(default));
        let status = custom.and_then(|custom| custom.status).unwrap_or(standard.status);
        let body = match custom.and_then(|custom| custom.template.as_deref()) {
            Some(template) => rendered(template, &standard, request_id, context),
            None => format!(r#"{{"{}":{}}}"#, standard.member, standard.message),
        };
        let mut headers = vec![("x-amzn-requestid", request_id), ("x-amzn-errortype", standard.error_type)];
        let own = custom.map(|custom| custom.headers.as_slice()).unwrap_or_default();
        headers.extend(own.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        respond(status, body, &headers)
    }

    /// Contract 3.5 and 3.7.
    fn standard(self) -> Standard {
        let of = |kind, status, error_type, message| Standard {
            kind,
            status,
            error_type,
            message,
            member: "message",
        };
        match self {
            Self::NoRoute | Self::NotALambda | Self::NoUpgrade => of(
                "MISSING_AUTHENTICATION_TOKEN",
                403,
                "MissingAuthenticationTokenException",
                r#""Missing Authentication Token""#,
            ),
            Self::TooLong => of("DEFAULT_4XX", 414, "RequestUriTooLong", r#""Request URI too long""#),
            Self::TooLarge => {
                of("REQUEST_TOO_LARGE", 413, "RequestTooLargeException", r#""Request Too Long""#)
            }
            Self::Unauthorized => of("UNAUTHORIZED", 401, "UnauthorizedException", r#""Unauthorized""#),
            Self::Denied => Standard {
                member: "Message",
                ..of(
                    "ACCESS_DENIED",
                    403,
                    "AccessDeniedException",
                    r#""User is not authorized to access this resource with an explicit deny""#,
                )
            },
            Self::NotAllowed => Standard {
                member: "Message",
                ..of(
                    "ACCESS_DENIED",
                    403,
                    "AccessDeniedException",
                    r#""User is not authorized to access this resource""#,
                )
            },
            Self::AuthorizerFailed => {
                of("AUTHORIZER_CONFIGURATION_ERROR", 500, "AuthorizerConfigurationException", "null")
            }
            Self::BackendFailed => {
                of("INTEGRATION_FAILURE", 502, "InternalServerErrorException", r#""Internal server error""#)
            }
        }
    }

    fn http(self) -> (u16, &'static str) {
        match self {
            Self::NoRoute => (404, "Not Found"),
            Self::TooLong => (414, "Request URI too long"),
            Self::TooLarge => (413, "Request Entity Too Large"),
            Self::Unauthorized => (401, "Unauthorized"),
            Self::Denied | Self::NotAllowed | Self::NotALambda | Self::NoUpgrade => (403, "Forbidden"),
            Self::AuthorizerFailed => (500, "Internal Server Error"),
            Self::BackendFailed => (503, "Service Unavailable"),
        }
    }

    fn websocket(self) -> (u16, &'static str) {
        match self {
            Self::NoRoute | Self::Denied | Self::NotAllowed | Self::NotALambda => (403, "Forbidden"),
            Self::NoUpgrade => (426, "Upgrade Required"),
            Self::TooLong => (414, "Request URI too long"),
            Self::TooLarge => (413, "Request Entity Too Large"),
            Self::Unauthorized => (401, "Unauthorized"),
            Self::AuthorizerFailed => (500, "Internal server error"),
            Self::BackendFailed => (502, "Internal server error"),
        }
    }
}

/// A JSON response.
pub(super) fn respond(status: u16, body: String, headers: &[(&str, &str)]) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// A template with its `$context.…`; a variable that is not known is nothing.
fn rendered(template: &str, standard: &Standard, request_id: &str, context: &Map<String, Value>) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("$context.") {
        text.push_str(before);
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
        let end = after.find(|letter: char| !is_name(letter)).unwrap_or(after.len());
        let (name, behind) = after.split_at(end);
        let value = match name {
            "error.messageString" => standard.message.to_owned(),
            "error.message" => standard.message.trim_matches('"').to_owned(),
            "error.responseType" => standard.kind.to_owned(),
            "requestId" => request_id.to_owned(),
            name => name
                .strip_prefix("authorizer.")
                .and_then(|key| context.get(key))
                .map(as_text)
                .unwrap_or_default(),
        };
        text.push_str(&value);
        rest = behind;
    }
    text + rest
}

/// A value as REST APIs deliver it: a text.
pub(super) fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_has_the_error_and_the_context() {
        let template =
            r#"{"m":$context.error.messageString,"r":"$context.authorizer.reason","x":"$context.nothing"}"#;
        let context = json!({"reason": "token_expired"});
        let text = rendered(template, &Refusal::Unauthorized.standard(), "1", context.as_object().unwrap());
        assert_eq!(text, r#"{"m":"Unauthorized","r":"token_expired","x":""}"#);
    }
}
