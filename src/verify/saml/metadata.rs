//! The keys of an identity provider, from its metadata (SAML 2.0 metadata, section 2).

use std::sync::Arc;

use super::assertion::time;
use super::xml::{Element, Problem, Xml, base64};
use crate::io::{UnixTime, rfc3339};
use crate::jwks::{Key, KeySet, ReadKeys, UnusableKey};

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

/// Deeper than any metadata, and no danger to a stack.
const DEPTH: u32 = 32;

/// The keys with which the entity of this ID signs assertions, as the document has them at this time.
///
/// # Errors
///
/// When it is no metadata of the entity, holds no key that can be used, or is too old.
pub fn read_metadata(document: &[u8], entity_id: &str, now: UnixTime) -> Result<ReadKeys, String> {
    let keys = read(document, entity_id)?;
    match keys.valid_until.filter(|end| *end <= now) {
        Some(end) => Err(format!("the metadata was valid until {}", rfc3339(end))),
        None => Ok(keys),
    }
}

/// The same, of whatever age.
pub(crate) fn read(document: &[u8], entity_id: &str) -> Result<ReadKeys, String> {
    let text = str::from_utf8(document).map_err(|_| "the metadata is not UTF-8".to_owned())?;
    let malformed = |problem: Problem| format!("the metadata cannot be read: {problem}");
    let xml = Xml::parse(text.trim_start_matches('\u{feff}'), DEPTH).map_err(malformed)?;
    let root = xml.root().map_err(malformed)?;
    let mut entities = Vec::new();
    find(root, entity_id, &Limits::default(), &mut entities).map_err(malformed)?;
    // Of two, nobody says which is the right one.
    let [(entity, limits)] = entities.as_slice() else {
        return Err(format!("the metadata describes `{entity_id}` {} times", entities.len()));
    };
    let mut limits = *limits;
    let (mut keys, mut unusable) = (Vec::new(), Vec::new());
    for role in entity.named(METADATA, "IDPSSODescriptor").filter(speaks_saml_2) {
        limits = limits.and(role).map_err(malformed)?;
        for descriptor in role.named(METADATA, "KeyDescriptor") {
            if descriptor.attribute("use").is_some_and(|purpose| purpose != "signing") {
                continue;
            }
            let all = descriptor.all();
            for certificate in all.iter().filter(|element| element.is(DSIG, "X509Certificate")) {
                let der = certificate.text().map_err(malformed)?;
                let der = base64(&der).ok_or("a certificate of the metadata is not Base64")?;
                match Key::of_certificate(&der) {
                    Ok(key) => keys.push(key),
                    Err(problem) => unusable.push(UnusableKey { id: None, problem }),
                }
            }
        }
    }
    if keys.is_empty() && unusable.is_empty() {
        return Err(format!("the metadata has no certificate with which `{entity_id}` signs assertions"));
    }
    let keys = KeySet::of(keys, unusable).map_err(|error| error.to_string())?;
    Ok(ReadKeys { keys: Arc::new(keys), fresh_for: limits.fresh_for, valid_until: limits.valid_until })
}

/// How long something holds: no longer than what is around it.
#[derive(Clone, Copy, Default)]
struct Limits {
    fresh_for: Option<f64>,
    valid_until: Option<UnixTime>,
}

impl Limits {
    fn and(self, element: Element<'_>) -> Result<Self, Problem> {
        let sooner =
            |one: Option<f64>, other: Option<f64>| [one, other].into_iter().flatten().reduce(f64::min);
        let own = element.attribute("cacheDuration");
        let own = own.map(|text| duration(text).ok_or("a `cacheDuration` in it is none")).transpose()?;
        Ok(Self {
            fresh_for: sooner(self.fresh_for, own),
            valid_until: sooner(self.valid_until, time(element, "validUntil")?),
        })
    }
}

/// Every descriptor of the entity, within however many groups.
fn find<'x>(
    element: Element<'x>,
    entity_id: &str,
    limits: &Limits,
    found: &mut Vec<(Element<'x>, Limits)>,
) -> Result<(), Problem> {
    if element.is(METADATA, "EntityDescriptor") {
        if element.attribute("entityID") == Some(entity_id) {
            found.push((element, limits.and(element)?));
        }
    } else if element.is(METADATA, "EntitiesDescriptor") {
        let limits = limits.and(element)?;
        for child in element.children() {
            find(child, entity_id, &limits, found)?;
        }
    }
    Ok(())
}

fn speaks_saml_2(role: &Element<'_>) -> bool {
    let protocols = role.attribute("protocolSupportEnumeration").unwrap_or_default();
    protocols.split_ascii_whitespace().any(|protocol| protocol == PROTOCOL)
}

/// `xs:duration`, in seconds. A month has 28 days at least.
fn duration(text: &str) -> Option<f64> {
    let (date, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text.strip_prefix('P')?, None),
    };
    if date.is_empty() && time.is_none() || time == Some("") {
        return None;
    }
    let days = [('Y', 365.0 * 86_400.0), ('M', 28.0 * 86_400.0), ('D', 86_400.0)];
    let hours = [('H', 3600.0), ('M', 60.0), ('S', 1.0)];
    Some(amounts(date, &days)? + amounts(time.unwrap_or_default(), &hours)?)
}

/// The sum of the amounts, each with its unit, in this order.
fn amounts(text: &str, units: &[(char, f64)]) -> Option<f64> {
    let (mut rest, mut sum) = (text, 0.0);
    for (unit, seconds) in units {
        let Some((amount, after)) = rest.split_once(*unit) else { continue };
        let is_number =
            !amount.is_empty() && amount.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let amount: f64 = if is_number { amount.parse().ok()? } else { return None };
        (rest, sum) = (after, sum + amount * seconds);
    }
    rest.is_empty().then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rcgen::{CertificateParams, KeyPair};

    const ENTITY: &str = "https://idp.example.com/";

    fn certificate() -> String {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        STANDARD.encode(certificate.der())
    }

    fn key(purpose: &str) -> String {
        let certificate = certificate();
        format!(
            "<md:KeyDescriptor{purpose}><ds:KeyInfo xmlns:ds='{DSIG}'><ds:X509Data><ds:X509Certificate>\n{certificate}\n\
             </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        )
    }

    fn entity(attributes: &str, keys: &str) -> String {
        format!(
            "<md:EntityDescriptor xmlns:md='{METADATA}' entityID='{ENTITY}'{attributes}>\
             <md:IDPSSODescriptor protocolSupportEnumeration='{PROTOCOL}'>{keys}</md:IDPSSODescriptor>\
             </md:EntityDescriptor>"
        )
    }

    fn count(document: &str) -> Result<usize, String> {
        read_metadata(document.as_bytes(), ENTITY, 1_000_000.0).map(|read| read.keys.keys().len())
    }

    #[test]
    fn keys_are_those_with_which_the_provider_signs() {
        let [signing, encryption, both] = [" use='signing'", " use='encryption'", ""].map(key);
        assert_eq!(count(&entity("", &[&*signing, &encryption, &both].concat())), Ok(2));
        for (keys, expected) in [
            (encryption.as_str(), "no certificate"),
            ("", "no certificate"),
            (&signing.replace("\n", "!"), "not Base64"),
            (&signing.replace("MII", "AAA"), "none of the 1 keys"),
        ] {
            let error = count(&entity("", keys)).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        // One that cannot be used does not cost the others.
        assert_eq!(count(&entity("", &[&*both, &signing.replace("MII", "AAA")].concat())), Ok(1));
        let of_saml_1 = entity("", &signing).replace(PROTOCOL, "urn:oasis:names:tc:SAML:1.1:protocol");
        assert!(count(&of_saml_1).is_err());
        let of_service = entity("", &signing).replace("IDPSSODescriptor", "SPSSODescriptor");
        assert!(count(&of_service).is_err());
    }

    /// One entity's keys vouch for nobody else's assertions.
    #[test]
    fn keys_are_those_of_the_entity_alone_and_of_one_description() {
        let own = entity("", &key(""));
        let other = entity("", &key("")).replace(ENTITY, "https://other.example.com/");
        let group = |text: &str| {
            format!("<md:EntitiesDescriptor xmlns:md='{METADATA}'>{text}</md:EntitiesDescriptor>")
        };
        assert_eq!(count(&group(&[&*own, &other].concat())), Ok(1));
        assert_eq!(count(&group(&group(&own))), Ok(1));
        for none in
            [other.clone(), group(&other), group(""), group(&[&*own, &own].concat()), "<a/>".to_owned()]
        {
            assert!(count(&none).unwrap_err().contains("times"), "{none}");
        }
        for wrong in [format!("<!DOCTYPE a []>{own}"), own.replace("</md:E", "</md:F"), String::new()] {
            assert!(count(&wrong).unwrap_err().contains("cannot be read"), "{wrong}");
        }
    }

    #[test]
    fn the_sooner_end_counts_and_one_that_has_passed_is_told() {
        let (keys, group) = (key(""), |attributes: &str, text: &str| {
            format!("<md:EntitiesDescriptor xmlns:md='{METADATA}'{attributes}>{text}</md:EntitiesDescriptor>")
        });
        let read = |document: &str| read_metadata(document.as_bytes(), ENTITY, 1_000_000.0);
        let document = group(
            " validUntil='1970-01-13T00:00:00Z' cacheDuration='PT1H'",
            &entity(" validUntil='1970-02-01T00:00:00Z' cacheDuration='P1DT30M'", &keys),
        );
        let found = read(&document).unwrap();
        assert_eq!((found.valid_until, found.fresh_for), (Some(1_036_800.0), Some(3600.0)));
        let none = read(&entity("", &keys)).unwrap();
        assert_eq!((none.valid_until, none.fresh_for), (None, None));
        for attributes in [" validUntil='1970-01-12T00:00:00Z'", " validUntil='soon'", " cacheDuration='1h'"]
        {
            assert!(read(&entity(attributes, &keys)).is_err(), "{attributes}");
            assert!(read(&group(attributes, &entity("", &keys))).is_err(), "{attributes}");
        }
    }

    #[test]
    fn durations_are_those_of_xml_schema() {
        for (text, seconds) in [
            ("PT1H", 3600.0),
            ("P1D", 86_400.0),
            ("PT0S", 0.0),
            ("P1Y2M3DT4H5M6.5S", 31_536_000.0 + 4_838_400.0 + 259_200.0 + 14_706.5),
            ("PT604800S", 604_800.0),
        ] {
            assert_eq!(duration(text), Some(seconds), "{text}");
        }
        for other in
            ["", "P", "PT", "P1", "1D", "-P1D", "P1H", "PT1D", "PTS", "P1DT", "PT1M1H", "PT1H ", "PT+1H"]
        {
            assert_eq!(duration(other), None, "{other}");
        }
    }
}
