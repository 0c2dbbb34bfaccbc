//! [`ClientCertificates`]: what the certificate of a client must be like. That the client has its key, and that an authority of
//! the truststore vouches for it, API Gateway has verified (mutual TLS).

use super::explain::{Checked, Verdict};
use crate::error::Reason;
use crate::io::{UnixTime, rfc3339};
use crate::request::{ClientCertificate, Request};

/// What the certificate must be like with which a client comes.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientCertificates {
    /// Whether a client without one is refused.
    pub is_required: bool,
    /// The issuers whose certificates are taken, as the event names them; `None` for every one that API Gateway trusts.
    pub issuers: Option<Vec<String>>,
    /// How far the issuers' clocks and ours may differ, in seconds.
    pub leeway: f64,
}

impl ClientCertificates {
    /// Whether the request may come with the certificate that it has, or with none.
    ///
    /// # Errors
    ///
    /// Why it may not.
    pub fn check(&self, request: &Request, now: UnixTime) -> Result<(), Reason> {
        let Some(certificate) = self.shown(request)? else { return Ok(()) };
        self.issuer(certificate)?;
        self.validity(certificate, now)
    }

    /// Each check, whether or not an earlier one has failed.
    pub(crate) fn explain(&self, request: &Request, now: UnixTime) -> Vec<Checked> {
        let checked =
            |name: &str, expected: String, found: Option<String>, outcome: Option<Result<(), Reason>>| {
                let verdict = match outcome {
                    Some(Ok(())) => Verdict::Passed,
                    Some(Err(reason)) => Verdict::Failed(reason),
                    None => Verdict::Open,
                };
                Checked { name: name.to_owned(), expected, found, verdict }
            };
        let shown = request.client_certificate.as_deref();
        let presence = if self.is_required { "there" } else { "there, or not" };
        let subject = shown.and_then(|certificate| certificate.subject.clone());
        let issuers = match &self.issuers {
            Some(issuers) => {
                issuers.iter().map(|issuer| format!("`{issuer}`")).collect::<Vec<_>>().join(" or ")
            }
            None => "any of the truststore".to_owned(),
        };
        let times = shown.and_then(ClientCertificate::validity);
        let times = times.map(|(from, until)| format!("{} to {}", rfc3339(from), rfc3339(until)));
        vec![
            checked("certificate", presence.to_owned(), subject, Some(self.shown(request).map(|_| ()))),
            checked(
                "issuer",
                issuers,
                shown.and_then(|certificate| certificate.issuer.clone()),
                shown.map(|certificate| self.issuer(certificate)),
            ),
            checked(
                "validity",
                format!("valid at {}", rfc3339(now)),
                times,
                shown.map(|certificate| self.validity(certificate, now)),
            ),
        ]
    }

    fn shown<'a>(&self, request: &'a Request) -> Result<Option<&'a ClientCertificate>, Reason> {
        match &request.client_certificate {
            None if self.is_required => Err(Reason::ClientCertificateMissing),
            shown => Ok(shown.as_deref()),
        }
    }

    /// Exactly: two spellings of one name are two names, and a name that begins or ends like another is another.
    fn issuer(&self, certificate: &ClientCertificate) -> Result<(), Reason> {
        let Some(issuers) = &self.issuers else { return Ok(()) };
        match &certificate.issuer {
            Some(issuer) if issuers.contains(issuer) => Ok(()),
            Some(_) | None => Err(Reason::ClientCertificateUntrusted),
        }
    }

    fn validity(&self, certificate: &ClientCertificate, now: UnixTime) -> Result<(), Reason> {
        let unreadable = || Reason::ClientCertificateUnreadable { field: "validity".to_owned() };
        let (valid_from, expired_at) = certificate.validity().ok_or_else(unreadable)?;
        if now < valid_from - self.leeway {
            return Err(Reason::ClientCertificateNotYetValid { valid_from, now });
        }
        // RFC 5280, section 4.1.2.5: the end is a part of it.
        if now > expired_at + self.leeway {
            return Err(Reason::ClientCertificateExpired { expired_at, now });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use serde_json::{Value, json};

    const ISSUER: &str = "C=DE,O=Trust Centre,CN=QWAC CA";

    fn request(certificate: &Value) -> Request {
        let event = json!({
            "type": "REQUEST", "methodArn": "arn:aws:execute-api:us-east-1:123456789012:abc/dev/GET/orders",
            "requestContext": {"identity": {"clientCert": certificate}},
        });
        Event { payload: &event.to_string(), invocation_id: "1", deadline: None }.try_into().unwrap()
    }

    fn certificate(changes: Value) -> Value {
        let mut certificate = json!({
            "subjectDN": "O=Bank", "issuerDN": ISSUER, "serialNumber": "1",
            "validity": {"notBefore": "May 28 12:30:02 2019 GMT", "notAfter": "Aug  5 09:36:04 2021 GMT"},
        });
        certificate.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        certificate
    }

    /// Both ways of looking, which must agree.
    fn code(expected: &ClientCertificates, certificate: &Value, now: UnixTime) -> &'static str {
        let request = request(certificate);
        let explained = expected.explain(&request, now);
        let first = explained.into_iter().find_map(|checked| match checked.verdict {
            Verdict::Failed(reason) => Some(reason),
            Verdict::Passed | Verdict::Open => None,
        });
        let refused = expected.check(&request, now).err();
        assert_eq!(refused, first);
        refused.map_or("allow", |reason| reason.code().name())
    }

    const NOT_BEFORE: f64 = 1_559_046_602.0;
    const NOT_AFTER: f64 = 1_628_156_164.0;

    fn strict() -> ClientCertificates {
        ClientCertificates { is_required: true, issuers: Some(vec![ISSUER.into()]), leeway: 30.0 }
    }

    #[test]
    fn a_certificate_is_needed_where_it_is_required() {
        let optional = ClientCertificates { is_required: false, ..strict() };
        for nothing in [json!(null), json!({}), json!({"subjectDN": "", "validity": null})] {
            assert_eq!(code(&strict(), &nothing, NOT_AFTER), "client_certificate_missing", "{nothing}");
            assert_eq!(code(&optional, &nothing, NOT_AFTER), "allow", "{nothing}");
        }
        for expected in [strict(), optional] {
            assert_eq!(code(&expected, &certificate(json!({})), NOT_AFTER), "allow");
            let untrusted = certificate(json!({"issuerDN": "CN=other"}));
            assert_eq!(code(&expected, &untrusted, NOT_AFTER), "client_certificate_untrusted");
        }
    }

    #[test]
    fn an_issuer_is_taken_by_its_whole_name() {
        for issuer in [
            json!("C=DE,O=Trust Centre,CN=QWAC CA 2"),
            json!("O=Trust Centre,CN=QWAC CA"),
            json!("CN=QWAC CA,O=Trust Centre,C=DE"),
            json!("C=DE, O=Trust Centre, CN=QWAC CA"),
            json!("c=DE,O=Trust Centre,CN=QWAC CA"),
            json!(r"CN=C\=DE\,O\=Trust Centre\,CN\=QWAC CA"),
            json!(""),
            json!(null),
        ] {
            let other = certificate(json!({"issuerDN": issuer}));
            assert_eq!(code(&strict(), &other, NOT_AFTER), "client_certificate_untrusted", "{issuer}");
            let any = ClientCertificates { issuers: None, ..strict() };
            assert_eq!(code(&any, &other, NOT_AFTER), "allow", "{issuer}");
        }
        assert_eq!(code(&strict(), &certificate(json!({})), NOT_AFTER), "allow");
    }

    #[test]
    fn a_certificate_holds_within_its_validity() {
        for (now, expected) in [
            (NOT_BEFORE - 31.0, "client_certificate_not_yet_valid"),
            (NOT_BEFORE - 30.0, "allow"),
            (NOT_BEFORE, "allow"),
            (NOT_AFTER, "allow"),
            (NOT_AFTER + 30.0, "allow"),
            (NOT_AFTER + 31.0, "client_certificate_expired"),
        ] {
            assert_eq!(code(&strict(), &certificate(json!({})), now), expected, "{now}");
        }
        let times = |from: Value, until: Value| json!({"validity": {"notBefore": from, "notAfter": until}});
        let (from, until) = (json!("May 28 12:30:02 2019 GMT"), json!("Aug  5 09:36:04 2021 GMT"));
        for validity in [
            json!({"validity": null}),
            json!({"validity": {}}),
            times(json!(null), until.clone()),
            times(from.clone(), json!("")),
            times(from.clone(), json!("20210805093604Z")),
            times(from.clone(), json!("Aug  5 09:36:04 2021 CET")),
            times(json!("never"), until.clone()),
        ] {
            let odd = certificate(validity.clone());
            assert_eq!(code(&strict(), &odd, NOT_BEFORE), "client_certificate_unreadable", "{validity}");
        }
        assert_eq!(code(&strict(), &certificate(times(from, until)), NOT_BEFORE), "allow");
    }
}
