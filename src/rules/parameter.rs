//! [`Parameter`]: what a rule may ask of the request itself, beside the caller's credential.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::requirement::{Test, Verdict};
use crate::request::{Ambiguous, CertificateField, EventKind, Request, without_white_space};

/// A parameter of the request. API Gateway keeps answers apart by some of them, its identity sources; nothing else may decide
/// as long as it keeps any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parameter {
    /// A header, by its name in lower case.
    Header(String),
    /// A query parameter, as API Gateway decodes it.
    Query(String),
    /// A variable of the API's stage.
    StageVariable(String),
    /// A field of the certificate by which API Gateway has verified the client.
    ClientCertificate(CertificateField),
}

impl Parameter {
    /// A header, whatever the case of its name.
    #[must_use]
    pub fn header(name: &str) -> Self {
        Self::Header(name.to_ascii_lowercase())
    }

    /// Whether it is what the client says, and nobody vouches for.
    #[must_use]
    pub fn is_of_client(&self) -> bool {
        match self {
            Self::Header(_) | Self::Query(_) => true,
            Self::StageVariable(_) | Self::ClientCertificate(_) => false,
        }
    }

    /// How the request stands the test. What the event does not tell, or tells in two ways, is neither met nor unmet.
    pub(super) fn verdict(&self, test: &Test, request: Option<&Request>) -> Verdict {
        match request.filter(|request| request.kind != EventKind::RestToken).map(|request| self.of(request)) {
            None | Some(Err(Ambiguous)) => Verdict::Unknown,
            Some(Ok(None)) => Verdict::Unmet,
            Some(Ok(Some(value))) => test.verdict(&Value::from(value)),
        }
    }

    fn of<'a>(&self, request: &'a Request) -> Result<Option<Cow<'a, str>>, Ambiguous> {
        match self {
            Self::Header(name) => only(request.headers.header(name)?.map(without_white_space)),
            Self::Query(name) => only(request.query.exact(name)?),
            Self::StageVariable(name) => Ok(request.stage_variables.named(name)?.map(Cow::from)),
            Self::ClientCertificate(field) => match &request.client_certificate {
                Some(certificate) => certificate.field(field),
                // Nobody documents that a connection's event would tell.
                None if request.kind == EventKind::WebSocket => Err(Ambiguous),
                None => Ok(None),
            },
        }
    }
}

/// Payload format 2.0 joins several values by commas, and does not tell them from one with a comma in it; to an HTTP server
/// the two are the same header (RFC 9110, section 5.3). So such a text is taken for several, in every kind of event.
fn only(value: Option<&str>) -> Result<Option<Cow<'_, str>>, Ambiguous> {
    match value {
        Some(several) if several.contains(',') => Err(Ambiguous),
        value => Ok(value.map(Cow::from)),
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(formatter, "header `{name}`"),
            Self::Query(name) => write!(formatter, "query parameter `{name}`"),
            Self::StageVariable(name) => write!(formatter, "stage variable `{name}`"),
            Self::ClientCertificate(field) => write!(formatter, "client certificate's `{field}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use serde_json::json;

    const METHOD: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/dev/GET/orders";

    fn request(event: &Value) -> Request {
        let payload = event.to_string();
        Event { payload: &payload, invocation_id: "1", deadline: None }.try_into().unwrap()
    }

    fn is_gold(parameter: &Parameter, event: &Value) -> Verdict {
        parameter.verdict(&Test::OneOf(vec![json!("gold")]), Some(&request(event)))
    }

    fn rest(members: Value) -> Value {
        let mut event = json!({"type": "REQUEST", "methodArn": METHOD});
        event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        event
    }

    /// Rule Z2: where two readers may read two values, nothing is decided by either.
    #[test]
    fn a_header_or_query_parameter_counts_where_it_is_there_once() {
        use Verdict::{Met, Unknown, Unmet};
        for (single, multiple, expected) in [
            (json!({"X-Tier": "gold"}), json!({}), Met),
            (json!({"x-tier": "gold"}), json!({"x-tier": ["gold"]}), Met),
            (json!({"X-Tier": " gold\t"}), json!({}), Met),
            (json!({}), json!({"X-TIER": ["gold"]}), Met),
            (json!({"X-Tier": "Gold"}), json!({}), Unmet),
            (json!({"X-Tier": "%67old"}), json!({}), Unmet),
            (json!({"X-Tier": "gold\u{a0}"}), json!({}), Unmet),
            (json!({"X-Tier": ""}), json!({}), Unmet),
            (json!({"X-Tier": null}), json!({"X-Tier": []}), Unmet),
            (json!({"X-Tier2": "gold"}), json!({}), Unmet),
            (json!({}), json!({}), Unmet),
            (json!({"X-Tier": "gold".repeat(100_000)}), json!({}), Unmet),
            (json!({"X-Tier": "gold", "x-tier": "gold"}), json!({}), Unknown),
            (json!({"X-Tier": "gold", "x-tier": "silver"}), json!({}), Unknown),
            (json!({"X-Tier": "gold"}), json!({"X-Tier": ["silver", "gold"]}), Unknown),
            (json!({"X-Tier": "gold"}), json!({"X-Tier": ["gold", "gold"]}), Unknown),
            (json!({"X-Tier": "gold"}), json!({"X-Tier": ["silver"]}), Unknown),
            (json!({"X-Tier": "gold"}), json!({"x-tier": ["gold"]}), Unknown),
            (json!({"X-Tier": "gold"}), json!({"X-Tier": ["gold"], "x-tier": ["silver"]}), Unknown),
            (json!({"X-Tier": "gold,silver"}), json!({}), Unknown),
            (json!({"X-Tier": "gold, gold"}), json!({"X-Tier": ["gold, gold"]}), Unknown),
            (json!({"X-Tier": "gold,"}), json!({}), Unknown),
        ] {
            let event = rest(json!({"headers": single, "multiValueHeaders": multiple}));
            assert_eq!(is_gold(&Parameter::header("X-tier"), &event), expected, "{event:.200}");
        }
        for (single, multiple, expected) in [
            (json!({"tier": "gold"}), json!({"tier": ["gold"]}), Met),
            (json!({"Tier": "gold"}), json!({}), Unmet),
            (json!({"tier": " gold"}), json!({}), Unmet),
            (json!({"tier": "gold"}), json!({"tier": ["silver", "gold"]}), Unknown),
            (json!({"tier": "silver,gold"}), json!({}), Unknown),
        ] {
            let event =
                rest(json!({"queryStringParameters": single, "multiValueQueryStringParameters": multiple}));
            assert_eq!(is_gold(&Parameter::Query("tier".into()), &event), expected, "{event}");
        }
    }

    #[test]
    fn what_the_event_does_not_tell_is_neither_there_nor_absent() {
        let token = json!({"type": "TOKEN", "methodArn": METHOD, "authorizationToken": "Bearer x"});
        for parameter in [
            Parameter::header("X-Tier"),
            Parameter::Query("tier".into()),
            Parameter::StageVariable("tier".into()),
            Parameter::ClientCertificate(CertificateField::Subject),
        ] {
            assert_eq!(is_gold(&parameter, &token), Verdict::Unknown, "{parameter}");
            assert_eq!(is_gold(&parameter, &rest(json!({}))), Verdict::Unmet, "{parameter}");
            assert_eq!(parameter.verdict(&Test::Prefix("g".into()), None), Verdict::Unknown, "{parameter}");
        }
    }

    /// What API Gateway has verified, in the place where it says so, and nowhere else.
    #[test]
    fn a_certificate_is_what_api_gateway_tells_of_it() {
        let subject = Parameter::ClientCertificate("subject.O".parse().unwrap());
        let shown = |subject: &str| json!({"clientCert": {"subjectDN": subject}});
        for (members, expected) in [
            (json!({"requestContext": {"identity": shown("O=gold,CN=a")}}), Verdict::Met),
            (json!({"requestContext": {"identity": shown("O=silver,CN=a")}}), Verdict::Unmet),
            (json!({"requestContext": {"identity": shown(r"O=silver,CN=a\,O=gold")}}), Verdict::Unmet),
            (json!({"requestContext": {"identity": shown("O=silver,CN=a,O=gold")}}), Verdict::Unknown),
            (json!({"requestContext": {"identity": shown("gold")}}), Verdict::Unknown),
            (json!({"requestContext": {"identity": {"clientCert": null}}}), Verdict::Unmet),
            (json!({"requestContext": {"clientCert": {"subjectDN": "O=gold"}}}), Verdict::Unmet),
            (json!({"clientCert": {"subjectDN": "O=gold"}}), Verdict::Unmet),
            (json!({"headers": {"X-Client-Cert": "O=gold", "X-SSL-Client-S-DN": "O=gold"}}), Verdict::Unmet),
        ] {
            assert_eq!(is_gold(&subject, &rest(members.clone())), expected, "{members}");
        }
        let connect = METHOD.replace("GET/orders", "$connect");
        let websocket = |identity: Value| json!({"type": "REQUEST", "methodArn": connect, "requestContext": {"identity": identity}});
        assert_eq!(is_gold(&subject, &websocket(shown("O=gold"))), Verdict::Met);
        assert_eq!(is_gold(&subject, &websocket(shown("O=silver"))), Verdict::Unmet);
        assert_eq!(
            is_gold(&subject, &websocket(json!({}))),
            Verdict::Unknown,
            "it may be that it is not told"
        );
        let http = json!({"type": "REQUEST", "version": "2.0", "routeArn": METHOD,
            "requestContext": {"authentication": shown("O=gold")}});
        assert_eq!(is_gold(&subject, &http), Verdict::Met);
    }

    #[test]
    fn a_stage_variable_is_the_operators() {
        let tier = Parameter::StageVariable("tier".into());
        for (variables, expected) in [
            (json!({"tier": "gold"}), Verdict::Met),
            (json!({"tier": "silver"}), Verdict::Unmet),
            (json!({"Tier": "gold"}), Verdict::Unmet),
            (json!(null), Verdict::Unmet),
            (json!({"tier": ["gold"]}), Verdict::Unknown),
            (json!("gold"), Verdict::Unknown),
        ] {
            let event = rest(json!({"stageVariables": variables, "headers": {"tier": "gold"}}));
            assert_eq!(is_gold(&tier, &event), expected, "{event}");
        }
    }
}
