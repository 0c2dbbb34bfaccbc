//! SAML assertions: RFC 7522, and the attacks on XML signatures. Whatever is signed here is written in its canonical form, so that
//! no canonicalization of ours is on the side of the signer.

mod attacks;
mod keys;
mod rules;
mod signatures;

use std::sync::Mutex;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair as CertificateKey};
use url::Url;

use super::provider::PATIENCE;
use super::waiting::Silence;
use super::*;
use crate::credential::CredentialKind;
use crate::error::Error;
use crate::event::Event;
use crate::io::{
    Chance, Clock, Connector, Document, Edges, Effort, Fetch, FetchError, FetchFuture, Session, rfc3339,
};
use crate::jwks::{JwksCache, KeyServer, KeySetSource, Timing};
use crate::request::Request;
use crate::verify::saml::is_assertion;

const ENTITY: &str = "https://idp.example.com/";
const RECIPIENT: &str = "https://api.example.com/saml";

/// A good assertion, but for its signature. The time is a million seconds after 1970.
const ASSERTION: &str = concat!(
    r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1" IssueInstant="1970-01-12T13:46:40Z" Version="2.0">"#,
    "<saml:Issuer>https://idp.example.com/</saml:Issuer>",
    "<saml:Subject><saml:NameID>alice@example.com</saml:NameID>",
    r#"<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">"#,
    r#"<saml:SubjectConfirmationData NotOnOrAfter="1970-01-12T13:51:40Z" Recipient="https://api.example.com/saml"></saml:SubjectConfirmationData>"#,
    "</saml:SubjectConfirmation></saml:Subject>",
    r#"<saml:Conditions NotBefore="1970-01-12T13:46:40Z" NotOnOrAfter="1970-01-12T13:56:40Z">"#,
    "<saml:AudienceRestriction><saml:Audience>orders-api</saml:Audience></saml:AudienceRestriction></saml:Conditions>",
    r#"<saml:AuthnStatement AuthnInstant="1970-01-12T13:46:00Z"><saml:AuthnContext>"#,
    "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>",
    "</saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>",
    r#"<saml:Attribute Name="urn:oid:groups"><saml:AttributeValue>clerks</saml:AttributeValue><saml:AttributeValue>admins</saml:AttributeValue></saml:Attribute>"#,
    r#"<saml:Attribute Name="mail"><saml:AttributeValue>alice@example.com</saml:AttributeValue></saml:Attribute>"#,
    "</saml:AttributeStatement></saml:Assertion>",
);

const CONDITIONS: &str =
    r#"<saml:Conditions NotBefore="1970-01-12T13:46:40Z" NotOnOrAfter="1970-01-12T13:56:40Z">"#;
const RESTRICTION: &str =
    "<saml:AudienceRestriction><saml:Audience>orders-api</saml:Audience></saml:AudienceRestriction>";
const SIGNATURE_METHOD: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const TRANSFORMS: &str = concat!(
    r#"<ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>"#,
    r#"<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>"#,
);
const DSIG: &str = r#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#""#;

/// An identity provider.
struct Provider {
    key: EcdsaKeyPair,
    certificate: Vec<u8>,
}

impl Provider {
    fn new() -> Self {
        let key = CertificateKey::generate().unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap().der().to_vec();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.serialize_der()).unwrap();
        Self { key, certificate }
    }

    fn metadata(&self, attributes: &str) -> String {
        let certificate = STANDARD.encode(&self.certificate);
        format!(
            "<EntityDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' entityID='{ENTITY}'{attributes}>\
             <IDPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'>\
             <KeyDescriptor use='signing'><KeyInfo xmlns='http://www.w3.org/2000/09/xmldsig#'><X509Data><X509Certificate>\
             {certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor></IDPSSODescriptor></EntityDescriptor>"
        )
    }

    /// The signature of these canonical bytes, for this ID.
    fn signature(&self, canonical: &str, id: &str) -> String {
        self.signature_with(canonical, id, |info| info)
    }

    /// The same, with another `SignedInfo`.
    fn signature_with(&self, canonical: &str, id: &str, change: impl Fn(String) -> String) -> String {
        let info = change(signed_info(canonical, id));
        let value = self.key.sign(&SystemRandom::new(), info.as_bytes()).unwrap();
        signature_of(&info, value.as_ref(), "")
    }

    /// The assertion with its signature.
    fn sign(&self, assertion: &str) -> String {
        enveloped(assertion, &self.signature(assertion, "_a1"))
    }

    fn sign_with(&self, assertion: &str, change: impl Fn(String) -> String) -> String {
        enveloped(assertion, &self.signature_with(assertion, "_a1", change))
    }
}

/// In its canonical form, as it stands by itself.
fn signed_info(canonical: &str, id: &str) -> String {
    let digest = STANDARD.encode(digest(&SHA256, canonical.as_bytes()));
    format!(
        "<ds:SignedInfo{DSIG}><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"{SIGNATURE_METHOD}\"></ds:SignatureMethod>\
         <ds:Reference URI=\"#{id}\">{TRANSFORMS}<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
}

fn signature_of(info: &str, value: &[u8], more: &str) -> String {
    // Within the signature the prefix is declared around it.
    let info = info.replacen(DSIG, "", 1);
    let value = STANDARD.encode(value);
    format!("<ds:Signature{DSIG}>{info}<ds:SignatureValue>{value}</ds:SignatureValue>{more}</ds:Signature>")
}

/// The assertion with this in the place of a signature.
fn enveloped(assertion: &str, signature: &str) -> String {
    assertion.replacen("</saml:Issuer>", &format!("</saml:Issuer>{signature}"), 1)
}

/// The forged one: of somebody else, under an ID of its own.
fn evil() -> String {
    ASSERTION.replace("alice@example.com", "admin@example.com").replace("_a1", "_evil")
}

/// A message around assertions.
fn message(content: &str) -> String {
    format!(
        "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_r1\" Version=\"2.0\">{content}</samlp:Response>"
    )
}

/// Answers with what it holds at the time.
struct Server(Arc<Mutex<Result<String, FetchError>>>, Arc<Mutex<usize>>);

impl Clone for Server {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), Arc::clone(&self.1))
    }
}

impl Fetch for Server {
    fn session(&self, _: &Connector, _: Effort) -> Arc<dyn Session> {
        Arc::new(self.clone())
    }
}

impl Session for Server {
    fn get<'a>(&'a self, _: &'a Url) -> FetchFuture<'a> {
        Box::pin(async {
            *self.1.lock().unwrap() += 1;
            let body = self.0.lock().unwrap().clone()?;
            Ok(Document { body: body.into_bytes(), fresh_for: None })
        })
    }
}

/// A clock that is set.
#[derive(Clone)]
struct Set(Arc<Mutex<UnixTime>>);

impl Clock for Set {
    fn now(&self) -> UnixTime {
        *self.0.lock().unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

struct NoChance;

impl Chance for NoChance {
    fn fraction(&self) -> f64 {
        1.0
    }
}

/// An API that takes the provider's assertions.
struct Setting {
    provider: Provider,
    server: Server,
    clock: Set,
    verifiers: Verifiers,
}

impl Setting {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl Fn(&mut SamlSettings)) -> Self {
        Self::fetching(change, "")
    }

    fn fetching(change: impl Fn(&mut SamlSettings), attributes: &str) -> Self {
        let limits = TokenCacheLimits { entries: 8, bytes: 100_000, lifetime: 300.0 };
        Self::beside(Verifiers::new(Vec::new(), limits), change, attributes)
    }

    fn beside(others: Verifiers, change: impl Fn(&mut SamlSettings), attributes: &str) -> Self {
        let provider = Provider::new();
        let mut settings = SamlSettings {
            expectations: Expectations::of_assertions(
                ENTITY,
                AudienceCheck::OneOf(vec!["orders-api".into()]),
            ),
            recipients: vec!["https://other.example.com/".into(), RECIPIENT.into()],
            attributes: vec![("groups".into(), "urn:oid:groups".into()), ("email".into(), "mail".into())],
            is_used_once: false,
            valid_until: None,
        };
        change(&mut settings);
        let metadata = Arc::new(Mutex::new(Ok(provider.metadata(attributes))));
        let server = Server(metadata, Arc::default());
        let clock = Set(Arc::new(Mutex::new(NOW)));
        let edges = Edges {
            fetch: Arc::new(server.clone()),
            clock: Arc::new(clock.clone()),
            chance: Arc::new(NoChance),
            ..Edges::of_this_machine()
        };
        let keys = KeyServer {
            issuer: ENTITY.into(),
            source: KeySetSource::Document(
                "https://idp.example.com/metadata".parse().unwrap(),
                read_metadata,
            ),
            connector: Connector::default(),
            loopback: false,
        };
        let timing = Timing {
            timeout: Duration::from_secs(3),
            lifetime: 600.0,
            shortest_lifetime: 60.0,
            stale: 86_400.0,
            cooldown: 10.0,
            initial_age: 0.0,
        };
        let cache = JwksCache::new(keys, None, timing, edges, Arc::new(Silence));
        let verifiers = others.taking_assertions(settings, cache);
        Self { provider, server, clock, verifiers }
    }

    fn sign(&self, assertion: &str) -> String {
        self.provider.sign(assertion)
    }

    /// What becomes of this XML, by verification and by explanation alike.
    async fn verify(&self, xml: &str) -> Result<Principal, &'static str> {
        self.present(Presented::bearer(&URL_SAFE_NO_PAD.encode(xml))).await
    }

    async fn at(&self, now: UnixTime, xml: &str) -> Result<Principal, &'static str> {
        *self.clock.0.lock().unwrap() = now;
        self.verify(xml).await
    }

    async fn present(&self, presented: Presented<'_>) -> Result<Principal, &'static str> {
        let now = self.clock.now();
        let verified = self.verifiers.verify(presented, now, PATIENCE).await;
        let explained = self.verifiers.explain(presented, now);
        match verified {
            Ok(principal) => {
                assert_eq!(explained.refusal(), None, "{explained:#?}");
                Ok(principal)
            }
            Err(Error::Rejection(rejection)) => {
                let is_remembered = rejection.reason == Reason::SamlReplayed;
                assert!(is_remembered || explained.refusal() == Some(&rejection.reason), "{explained:#?}");
                Err(rejection.reason.code().name())
            }
            Err(Error::Fault(fault)) => Err(fault.code().name()),
        }
    }

    fn fetches(&self) -> usize {
        *self.server.1.lock().unwrap()
    }
}
