//! Distinguished names in their string form (RFC 4514).

use std::borrow::Cow;
use std::fmt;

use super::Ambiguous;

/// The type of an attribute, by whatever name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttributeType(Cow<'static, str>);

impl AttributeType {
    /// `O`, `organizationName` or `2.5.4.10`; `None` for a name that is not known.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let number = number(text)?;
        let known = TYPES.iter().map(|(known, _)| *known).find(|known| *known == number);
        Some(Self(known.map_or_else(|| number.to_owned().into(), Cow::Borrowed)))
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = TYPES.iter().find(|(number, _)| *number == self.0);
        formatter.write_str(known.and_then(|(_, names)| names.first()).unwrap_or(&&*self.0))
    }
}

/// The attributes that certificates have, by number (RFC 4519, RFC 5280, ETSI EN 319 412-1, the Baseline Requirements), with
/// the names that libraries write for them.
const TYPES: [(&str, &[&str]); 30] = [
    ("2.5.4.3", &["CN", "commonName"]),
    ("2.5.4.4", &["SN", "surname"]),
    ("2.5.4.5", &["serialNumber"]),
    ("2.5.4.6", &["C", "countryName"]),
    ("2.5.4.7", &["L", "localityName"]),
    ("2.5.4.8", &["ST", "S", "stateOrProvinceName"]),
    ("2.5.4.9", &["street", "streetAddress"]),
    ("2.5.4.10", &["O", "organizationName"]),
    ("2.5.4.11", &["OU", "organizationalUnitName"]),
    ("2.5.4.12", &["title", "T"]),
    ("2.5.4.13", &["description"]),
    ("2.5.4.15", &["businessCategory"]),
    ("2.5.4.16", &["postalAddress"]),
    ("2.5.4.17", &["postalCode"]),
    ("2.5.4.18", &["postOfficeBox"]),
    ("2.5.4.20", &["telephoneNumber"]),
    ("2.5.4.41", &["name"]),
    ("2.5.4.42", &["GN", "givenName"]),
    ("2.5.4.43", &["initials"]),
    ("2.5.4.44", &["generationQualifier", "generation"]),
    ("2.5.4.45", &["x500UniqueIdentifier"]),
    ("2.5.4.46", &["dnQualifier", "DNQ"]),
    ("2.5.4.65", &["pseudonym"]),
    ("2.5.4.97", &["organizationIdentifier"]),
    ("0.9.2342.19200300.100.1.1", &["UID", "userId"]),
    ("0.9.2342.19200300.100.1.25", &["DC", "domainComponent"]),
    ("1.2.840.113549.1.9.1", &["emailAddress", "E"]),
    ("1.3.6.1.4.1.311.60.2.1.1", &["jurisdictionL", "jurisdictionLocalityName"]),
    ("1.3.6.1.4.1.311.60.2.1.2", &["jurisdictionST", "jurisdictionStateOrProvinceName"]),
    ("1.3.6.1.4.1.311.60.2.1.3", &["jurisdictionC", "jurisdictionCountryName"]),
];

/// The only attribute of this type.
///
/// # Errors
///
/// [`Ambiguous`] when there are several, or the name cannot be read: what is not understood may hide one.
pub(super) fn attribute(name: &str, wanted: &AttributeType) -> Result<Option<String>, Ambiguous> {
    let all = attributes(name).ok_or(Ambiguous)?;
    let mut own = all.into_iter().filter(|(number, _)| *number == wanted.0).map(|(_, value)| value);
    let found = own.next();
    if own.next().is_some() { Err(Ambiguous) } else { Ok(found) }
}

/// The attributes, in their order, those of one RDN after another: each is the subject's, whichever stand together. `None`
/// for what is no name by RFC 4514, section 3, or has an attribute that nobody knows by its name; blanks behind a separator are
/// taken, as section 2.4 of its predecessor (RFC 2253) had it.
fn attributes(name: &str) -> Option<Vec<(&str, String)>> {
    let mut found = Vec::new();
    let mut rest = Some(name);
    while let Some(text) = rest {
        let (kind, behind) = text.split_once('=')?;
        let (value, others) = value(behind)?;
        found.push((number(kind.trim_start_matches(' '))?, value));
        rest = others;
    }
    Some(found)
}

/// The number of a type, of which a known name may stand in its place.
fn number(text: &str) -> Option<&str> {
    let plain = ["OID.", "oid."].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    let is_arc = |arc: &str| {
        let is_number = !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit());
        is_number && (arc == "0" || !arc.starts_with('0'))
    };
    if plain.contains('.') && plain.split('.').all(is_arc) {
        return Some(plain);
    }
    let is_named = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(text));
    TYPES.iter().find(|(_, names)| is_named(names)).map(|(number, _)| *number)
}

/// The value up to the first separator that is not escaped, and what stands behind that.
fn value(text: &str) -> Option<(String, Option<&str>)> {
    let mut is_escaped = false;
    let end = text.char_indices().find(|(_, letter)| {
        let ends = !is_escaped && matches!(letter, ',' | '+');
        is_escaped = !is_escaped && *letter == '\\';
        ends
    });
    let (own, behind) = match end {
        Some((end, _)) => (text.get(..end)?, Some(text.get(end + 1..)?)),
        None => (text, None),
    };
    let value = match own.strip_prefix('#') {
        Some(encoded) => of_ber(encoded)?,
        None => unescaped(own)?,
    };
    Some((value, behind))
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut letters = text.chars();
    let mut ends_in_blank = false;
    while let Some(letter) = letters.next() {
        ends_in_blank = letter == ' ';
        match letter {
            '\\' => bytes.push(escaped(&mut letters)?),
            '"' | ';' | '<' | '>' | '\0' => return None,
            letter => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    if text.starts_with(' ') || ends_in_blank {
        return None;
    }
    String::from_utf8(bytes).ok()
}

/// What a backslash makes of what follows it: a special character stands for itself, two hexadecimal digits for a byte.
fn escaped(letters: &mut std::str::Chars<'_>) -> Option<u8> {
    let letter = letters.next()?;
    if matches!(letter, '"' | '+' | ',' | ';' | '<' | '>' | ' ' | '#' | '=' | '\\') {
        return u8::try_from(letter).ok();
    }
    let (high, low) = (letter.to_digit(16)?, letters.next()?.to_digit(16)?);
    u8::try_from(high * 16 + low).ok()
}

/// A string in BER, in hexadecimal digits (RFC 4514, section 2.4): how libraries write attributes that they have no name for.
fn of_ber(encoded: &str) -> Option<String> {
    const UTF8_STRING: u8 = 0x0c;
    const PRINTABLE_STRING: u8 = 0x13;
    const IA5_STRING: u8 = 0x16;
    let mut letters = encoded.chars();
    let mut bytes = Vec::with_capacity(encoded.len() / 2);
    while let Some(high) = letters.next() {
        bytes.push(u8::try_from(high.to_digit(16)? * 16 + letters.next()?.to_digit(16)?).ok()?);
    }
    let (length, content) = match bytes.as_slice() {
        [_, 0x81, length, content @ ..] => (usize::from(*length), content),
        [_, 0x82, high, low, content @ ..] => (usize::from(*high) * 256 + usize::from(*low), content),
        [_, length @ 0..=0x7f, content @ ..] => (usize::from(*length), content),
        _ => return None,
    };
    let is_text = match *bytes.first()? {
        UTF8_STRING => true,
        PRINTABLE_STRING | IA5_STRING => content.is_ascii(),
        _ => false,
    };
    if !is_text || length != content.len() {
        return None;
    }
    String::from_utf8(content.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(name: &str) -> Option<Vec<(String, String)>> {
        let named =
            |(number, value): (&str, String)| (AttributeType::new(number).unwrap().to_string(), value);
        attributes(name).map(|all| all.into_iter().map(named).collect())
    }

    #[test]
    fn a_name_is_its_attributes() {
        for (name, expected) in [
            ("CN=a", &[("CN", "a")][..]),
            ("C=US,ST=Washington,O=Example", &[("C", "US"), ("ST", "Washington"), ("O", "Example")]),
            ("O=Bank, CN=a", &[("O", "Bank"), ("CN", "a")]),
            (
                "OU=Sales+CN=J.  Smith,DC=example,DC=net",
                &[("OU", "Sales"), ("CN", "J.  Smith"), ("DC", "example"), ("DC", "net")],
            ),
            (r#"CN=James \"Jim\" Smith\, III"#, &[("CN", "James \"Jim\" Smith, III")]),
            (r"CN=Before\0dAfter", &[("CN", "Before\rAfter")]),
            (r"SN=Lu\C4\8Di\C4\87", &[("SN", "Lučić")]),
            ("SN=Lučić", &[("SN", "Lučić")]),
            (r"CN=\ a\ ", &[("CN", " a ")]),
            (r"CN=\#a", &[("CN", "#a")]),
            (r"CN=a\\,O=b", &[("CN", r"a\"), ("O", "b")]),
            ("CN=a=b", &[("CN", "a=b")]),
            ("CN=", &[("CN", "")]),
            ("CN=,O=", &[("CN", ""), ("O", "")]),
            ("2.5.4.97=PSDDE-BAFIN-123456", &[("organizationIdentifier", "PSDDE-BAFIN-123456")]),
            ("OID.2.5.4.97=a", &[("organizationIdentifier", "a")]),
            ("2.5.4.97=#0c0450534444", &[("organizationIdentifier", "PSDD")]),
            ("2.5.4.97=#130450534444+1.2.3=x", &[("organizationIdentifier", "PSDD"), ("1.2.3", "x")]),
            ("2.5.4.97=#0C810450534444", &[("organizationIdentifier", "PSDD")]),
            ("2.5.4.97=#0C82000450534444", &[("organizationIdentifier", "PSDD")]),
        ] {
            let expected: Vec<_> =
                expected.iter().map(|(kind, value)| ((*kind).to_owned(), (*value).to_owned())).collect();
            assert_eq!(read(name), Some(expected), "{name}");
        }
    }

    /// An attribute is what its authority has put into the certificate, not what another one's text looks like.
    #[test]
    fn an_escaped_comma_makes_no_attribute() {
        let organization = AttributeType::new("O").unwrap();
        for (name, expected) in [
            (r"CN=a,O=Bank", Ok(Some("Bank"))),
            (r"CN=a\,O=Bank", Ok(None)),
            (r"CN=a\2CO=Bank", Ok(None)),
            (r"CN=a\+O=Bank", Ok(None)),
            (r"CN=a+O=Bank", Ok(Some("Bank"))),
            (r"CN=a\\,O=Bank", Ok(Some("Bank"))),
            (r"CN=a\\\,O=Bank", Ok(None)),
            (r"O=Thief,CN=a\,O=Bank", Ok(Some("Thief"))),
            (r"O=Thief,CN=a,O=Bank", Err(Ambiguous)),
            (r"O=Bank,O=Bank", Err(Ambiguous)),
            (r"O=Bank,2.5.4.10=Thief", Err(Ambiguous)),
            (r"O=Bank+organizationName=Thief", Err(Ambiguous)),
            (r#"CN="a,O=Bank""#, Err(Ambiguous)),
            (r"CN=a;O=Bank", Err(Ambiguous)),
            (r"CN=a\nO=Bank", Err(Ambiguous)),
        ] {
            let found = attribute(name, &organization);
            assert_eq!(found, expected.map(|text| text.map(str::to_owned)), "{name}");
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        for name in [
            "",
            " ",
            ",",
            "www.example.com",
            "Example issuer",
            "CN",
            "=a",
            "CN=a,",
            ",CN=a",
            "CN=a,,O=b",
            "CN =a",
            "CN= a",
            "CN=a ",
            "CN=a ,O=b",
            "CN=a\\",
            r"CN=a\zz",
            r"CN=a\4",
            r"CN=\ff",
            "CN=a<b",
            "CN=a\0",
            "CN=\"a\"",
            "CN=a;O=b",
            "Unheard=a",
            "2.5.4.03=a",
            "2.5.4.=a",
            "2=a",
            "2.5.4.97=#",
            "2.5.4.97=#0",
            "2.5.4.97=#0c",
            "2.5.4.97=#0c0550534444",
            "2.5.4.97=#0c0350534444",
            "2.5.4.97=#0c0450534444 ",
            "2.5.4.97=#040450534444",
            "2.5.4.97=#0c02ffff",
            "2.5.4.97=#1302c3a9",
            "2.5.4.97=#0cff50534444",
            "/C=US/CN=a",
        ] {
            assert_eq!(read(name), None, "{name}");
        }
    }

    fn written(value: &str) -> String {
        let special =
            |letter: char| matches!(letter, '"' | '+' | ',' | ';' | '<' | '>' | ' ' | '#' | '=' | '\\');
        let mut text = String::new();
        for letter in value.chars() {
            match letter {
                '\0' => text.push_str("\\00"),
                letter if special(letter) => text.extend(['\\', letter]),
                letter => text.push(letter),
            }
        }
        text
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(values in prop::collection::vec(".{0,12}", 1..5)) {
            let name: Vec<_> = values.iter().map(|value| format!("CN={}", written(value))).collect();
            let read: Vec<_> = attributes(&name.join(",")).unwrap().into_iter().map(|(_, value)| value).collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn no_text_is_too_odd(name in ".{0,64}") {
            let _ = attributes(&name);
        }
    }
}
