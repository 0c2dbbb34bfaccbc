//! [`ClientCertificate`]: what API Gateway tells of the certificate by which it has verified the client (mutual TLS).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::name::{self, AttributeType};
use super::{Ambiguous, date};
use crate::io::UnixTime;

/// `clientCert` of an event: `requestContext.identity` of REST APIs and payload format 1.0 has it, and
/// `requestContext.authentication` of payload format 2.0. Each member as it stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate in PEM form, without those that vouch for it.
    pub pem: Option<String>,
    /// `subjectDN`.
    pub subject: Option<String>,
    /// `issuerDN`.
    pub issuer: Option<String>,
    /// `serialNumber`, in whatever form: AWS shows decimal and hexadecimal ones.
    pub serial_number: Option<String>,
    /// `validity.notBefore`.
    pub not_before: Option<String>,
    /// `validity.notAfter`.
    pub not_after: Option<String>,
}

impl ClientCertificate {
    /// The text of a field; `None` where the certificate has none.
    ///
    /// # Errors
    ///
    /// [`Ambiguous`] when the attribute is there more than once, or the name that holds it cannot be read.
    pub fn field(&self, field: &CertificateField) -> Result<Option<Cow<'_, str>>, Ambiguous> {
        let (name, attribute) = match field {
            CertificateField::Subject => return Ok(self.subject.as_deref().map(Cow::from)),
            CertificateField::Issuer => return Ok(self.issuer.as_deref().map(Cow::from)),
            CertificateField::SerialNumber => return Ok(self.serial_number.as_deref().map(Cow::from)),
            CertificateField::SubjectAttribute(attribute) => (&self.subject, attribute),
            CertificateField::IssuerAttribute(attribute) => (&self.issuer, attribute),
        };
        let Some(name) = name.as_deref() else { return Ok(None) };
        Ok(name::attribute(name, attribute)?.map(Cow::from))
    }

    /// From when until when it is valid; `None` where the event does not tell, or in another form than it is known to.
    #[must_use]
    pub fn validity(&self) -> Option<(UnixTime, UnixTime)> {
        let time = |text: &Option<String>| date::openssl(text.as_deref()?);
        Some((time(&self.not_before)?, time(&self.not_after)?))
    }

    /// Whether it says nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A field of a client's certificate: `subject`, `issuer` or `serial` as a whole, or an attribute of a name, such as
/// `subject.O` or `issuer.2.5.4.97`.
///
/// ```
/// use lambda_authorizer::request::CertificateField;
///
/// let by_name: CertificateField = "subject.organizationIdentifier".parse()?;
/// let by_number: CertificateField = "subject.2.5.4.97".parse()?;
/// assert_eq!(by_name, by_number);
/// # Ok::<(), lambda_authorizer::request::CertificateFieldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CertificateField {
    /// The whole name of who it was issued to.
    Subject,
    /// The whole name of who issued it.
    Issuer,
    /// The number that its issuer gave it.
    SerialNumber,
    /// An attribute of the subject.
    SubjectAttribute(AttributeType),
    /// An attribute of the issuer.
    IssuerAttribute(AttributeType),
}

impl FromStr for CertificateField {
    type Err = CertificateFieldError;

    fn from_str(text: &str) -> Result<Self, CertificateFieldError> {
        let (name, attribute) = match text {
            "subject" => return Ok(Self::Subject),
            "issuer" => return Ok(Self::Issuer),
            "serial" => return Ok(Self::SerialNumber),
            _ => text.split_once('.').ok_or(CertificateFieldError::Form)?,
        };
        let field: fn(AttributeType) -> Self = match name {
            "subject" => Self::SubjectAttribute,
            "issuer" => Self::IssuerAttribute,
            _ => return Err(CertificateFieldError::Form),
        };
        AttributeType::new(attribute).map(field).ok_or(CertificateFieldError::Attribute)
    }
}

impl fmt::Display for CertificateField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject => formatter.write_str("subject"),
            Self::Issuer => formatter.write_str("issuer"),
            Self::SerialNumber => formatter.write_str("serial"),
            Self::SubjectAttribute(attribute) => write!(formatter, "subject.{attribute}"),
            Self::IssuerAttribute(attribute) => write!(formatter, "issuer.{attribute}"),
        }
    }
}

/// Why a text is no [`CertificateField`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFieldError {
    /// It is none of the fields.
    #[error("it is `subject`, `issuer`, `serial`, or an attribute of a name, such as `subject.O`")]
    Form,
    /// The attribute has no name that is known.
    #[error("the attribute is none that is known by name: write its number, such as `subject.2.5.4.97`")]
    Attribute,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_and_written() {
        for (text, written) in [
            ("subject", "subject"),
            ("issuer", "issuer"),
            ("serial", "serial"),
            ("subject.CN", "subject.CN"),
            ("subject.commonName", "subject.CN"),
            ("subject.2.5.4.3", "subject.CN"),
            ("issuer.o", "issuer.O"),
            ("subject.OID.2.5.4.97", "subject.organizationIdentifier"),
            ("subject.1.2.3.4", "subject.1.2.3.4"),
        ] {
            assert_eq!(text.parse::<CertificateField>().unwrap().to_string(), written, "{text}");
        }
        for text in [
            "",
            "Subject",
            "san",
            "serial.CN",
            "validity",
            "subject.",
            "subject.Organisation",
            "subject.2.5.4.03",
        ] {
            assert!(text.parse::<CertificateField>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_field_is_what_the_certificate_has_once() {
        let certificate = ClientCertificate {
            subject: Some("C=DE,O=Bank,OU=a,OU=b,CN=tpp".into()),
            issuer: Some("not a name".into()),
            serial_number: Some("a1:a2".into()),
            ..ClientCertificate::default()
        };
        for (field, expected) in [
            ("subject", Ok(Some("C=DE,O=Bank,OU=a,OU=b,CN=tpp"))),
            ("subject.O", Ok(Some("Bank"))),
            ("subject.L", Ok(None)),
            ("subject.OU", Err(Ambiguous)),
            ("issuer", Ok(Some("not a name"))),
            ("issuer.CN", Err(Ambiguous)),
            ("serial", Ok(Some("a1:a2"))),
        ] {
            let found = certificate.field(&field.parse().unwrap());
            assert_eq!(found, expected.map(|text| text.map(Cow::from)), "{field}");
        }
        let nothing = ClientCertificate::default();
        assert_eq!(nothing.field(&CertificateField::Subject), Ok(None));
        assert_eq!(nothing.field(&"issuer.CN".parse().unwrap()), Ok(None));
    }

    #[test]
    fn a_certificate_is_valid_between_two_times_that_can_be_read() {
        let of = |not_before: &str, not_after: &str| {
            let [not_before, not_after] = [not_before, not_after].map(|text| Some(text.to_owned()));
            ClientCertificate { not_before, not_after, ..ClientCertificate::default() }.validity()
        };
        let expected = Some((1_559_046_602.0, 1_628_156_164.0));
        assert_eq!(of("May 28 12:30:02 2019 GMT", "Aug  5 09:36:04 2021 GMT"), expected);
        assert_eq!(of("May 28 12:30:02 2019 GMT", ""), None);
        assert_eq!(of("2019-05-28T12:30:02Z", "Aug  5 09:36:04 2021 GMT"), None);
        assert_eq!(ClientCertificate::default().validity(), None);
    }
}
