//! [`ClientCertificate`]: a certificate in a file, which stands for mutual TLS: what API Gateway would tell of it.

use std::fs;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_authorizer::io::rfc3339;
use serde_json::{Value, json};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::Error;

/// The certificate of a client.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    thumbprint: String,
    member: Value,
}

const TAG: &str = "CERTIFICATE";

impl ClientCertificate {
    /// The first certificate of a PEM file.
    ///
    /// # Errors
    ///
    /// There is none, or it cannot be read.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let shown = file.display();
        let text = fs::read(file).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
        let certificate = || {
            let all = pem::parse_many(&text).ok()?;
            Self::of(all.iter().find(|pem| pem.tag() == TAG)?)
        };
        let hint = "hint: it begins with `-----BEGIN CERTIFICATE-----`";
        certificate().ok_or_else(|| format!("`{shown}` holds no certificate in PEM\n{hint}").into())
    }

    fn of(pem: &pem::Pem) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(pem.contents()).ok()?;
        let line_ending = pem::LineEnding::LF;
        let text = pem::encode_config(pem, pem::EncodeConfig::new().set_line_ending(line_ending));
        let validity = certificate.validity();
        let member = json!({
            "clientCertPem": text,
            "subjectDN": name(certificate.subject())?,
            "issuerDN": name(certificate.issuer())?,
            "serialNumber": certificate.raw_serial_as_string(),
            "validity": { "notBefore": time(validity.not_before), "notAfter": time(validity.not_after) },
        });
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, pem.contents()));
        Some(Self { thumbprint, member })
    }

    /// `x5t#S256`: what a token is bound to it by (RFC 8705, section 3.1).
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// `clientCert`, as events have it.
    #[must_use]
    pub fn member(&self) -> &Value {
        &self.member
    }
}

/// As in AWS's samples: in the order of the certificate, with commas and no blanks. `None` for a value that is no text.
fn name(name: &X509Name<'_>) -> Option<String> {
    let parts = name.iter_rdn().map(|rdn| {
        let attributes = rdn.iter().map(attribute).collect::<Option<Vec<_>>>()?;
        Some(attributes.join("+"))
    });
    Some(parts.collect::<Option<Vec<_>>>()?.join(","))
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    let number = attribute.attr_type().to_id_string();
    let known = SHORT_NAMES.iter().find(|(known, _)| *known == number);
    let kind = known.map_or(number.as_str(), |(_, name)| name);
    Some(format!("{kind}={}", escaped(attribute.as_str().ok()?)))
}

/// Those that openssl writes by their short names and the function knows.
const SHORT_NAMES: [(&str, &str); 12] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.42", "GN"),
    ("2.5.4.97", "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// RFC 4514, section 2.4.
fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut written = String::with_capacity(value.len());
    for (place, letter) in value.chars().enumerate() {
        let is_at_an_end = (letter == ' ' && (place == 0 || place == last)) || (letter == '#' && place == 0);
        if letter == '\0' {
            written.push_str("\\00");
            continue;
        }
        if is_at_an_end || "\"+,;<>\\".contains(letter) {
            written.push('\\');
        }
        written.push(letter);
    }
    written
}

/// `Aug  5 09:36:04 2021 GMT`, as OpenSSL writes it.
fn time(time: ASN1Time) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = rfc3339(time.timestamp() as f64);
    let parts: Vec<&str> = text.split(['-', 'T', '.', 'Z']).collect();
    let [year, month, day, clock, ..] = parts.as_slice() else { return text };
    let month = month.parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?));
    format!("{} {:>2} {clock} {year} GMT", month.unwrap_or(&"Jan"), day.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use lambda_authorizer::event::Event;
    use lambda_authorizer::request::{CertificateField, ClientCertificate as Told, Request};
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(names: &[(DnType, &str)]) -> ClientCertificate {
        let mut params = CertificateParams::default();
        let mut name = DistinguishedName::new();
        for (kind, value) in names {
            name.push(kind.clone(), DnValue::Utf8String((*value).to_owned()));
        }
        params.distinguished_name = name;
        (params.not_before, params.not_after) = (date_time_ymd(2021, 8, 5), date_time_ymd(2031, 12, 25));
        let signed = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        ClientCertificate::of(&pem::Pem::new(TAG, signed.der().to_vec())).unwrap()
    }

    /// As the function reads it in an event.
    fn told(certificate: &ClientCertificate) -> Box<Told> {
        let event = json!({
            "type": "REQUEST", "methodArn": "arn:aws:execute-api:us-east-1:123456789012:a/dev/GET/orders",
            "path": "/orders", "httpMethod": "GET",
            "requestContext": { "identity": { "clientCert": certificate.member() } },
        });
        let event = event.to_string();
        let request = Request::try_from(Event { payload: &event, invocation_id: "1", deadline: None });
        request.unwrap().client_certificate.unwrap()
    }

    #[test]
    fn the_function_reads_what_the_certificate_says() {
        let odd = " a,O=\"Bank\"\\+;<#> ";
        let number = DnType::CustomDnType(vec![2, 5, 4, 97]);
        let certificate = certificate(&[
            (DnType::CountryName, "DE"),
            (DnType::OrganizationName, odd),
            (number, "PSDDE-BAFIN-1"),
            (DnType::CommonName, "#client"),
        ]);
        let told = told(&certificate);
        for (field, expected) in [
            ("subject.O", odd),
            ("subject.C", "DE"),
            ("issuer.CN", "#client"),
            ("subject.organizationIdentifier", "PSDDE-BAFIN-1"),
        ] {
            let field: CertificateField = field.parse().unwrap();
            assert_eq!(told.field(&field).unwrap().as_deref(), Some(expected), "{field}");
        }
        assert!(told.subject.as_deref().unwrap().starts_with("C=DE,O=\\ a\\,"), "{:?}", told.subject);
        assert_eq!(told.not_before.as_deref(), Some("Aug  5 00:00:00 2021 GMT"));
        assert_eq!(told.validity(), Some((1_628_121_600.0, 1_955_923_200.0)));
        assert!(
            told.serial_number.is_some() && told.pem.unwrap().starts_with("-----BEGIN CERTIFICATE-----\n")
        );
        assert_eq!(certificate.thumbprint().len(), 43);
    }
}
