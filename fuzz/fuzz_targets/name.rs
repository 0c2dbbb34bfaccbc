//! Any text in the values of a distinguished name, escaped as RFC 4514 has it: each is read as it was written, and no
//! value makes an attribute of its own. And any text as a name: what is read of it stands in it.

#![no_main]

use std::sync::LazyLock;

use lambda_authorizer::request::{CertificateField, ClientCertificate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut values = text.split('\n');
    let organization = values.next().unwrap_or_default();
    let mut name = format!("O={}", escaped(organization));
    for (place, value) in values.enumerate() {
        name.push_str(if place % 2 == 0 { ",CN=" } else { "+OU=" });
        name.push_str(&escaped(value));
    }
    assert_eq!(field(&name), Ok(Some(organization.to_owned())), "{name}");
    if let Ok(Some(_)) = field(&text) {
        let text = text.to_ascii_lowercase();
        assert!(["o=", "organizationname=", "2.5.4.10="].iter().any(|kind| text.contains(kind)));
    }
});

/// The organization in this name, or that it cannot be read.
fn field(name: &str) -> Result<Option<String>, ()> {
    static ORGANIZATION: LazyLock<CertificateField> = LazyLock::new(|| "subject.O".parse().expect("a field"));
    let certificate = ClientCertificate { subject: Some(name.to_owned()), ..ClientCertificate::default() };
    let found = certificate.field(&ORGANIZATION).map_err(|_| ())?;
    Ok(found.map(|found| found.into_owned()))
}

/// Every byte but letters and digits by its number, which RFC 4514, section 2.4, allows for all of them.
fn escaped(value: &str) -> String {
    let one = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
        byte => format!("\\{byte:02x}"),
    };
    value.bytes().map(one).collect()
}
