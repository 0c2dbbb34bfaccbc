//! The signature of an assertion (XML Signature 1.1), in the one form that SAML 2.0 core, section 5.4, asks for: around the very
//! assertion, by its ID, and around all of it but itself.
//!
//! Every wrapping attack (Somorovsky et al., 2012) lives of a signature that holds for one element while another is read.
//! Here no element is looked for by its ID: what is signed must be the root, and what is read afterwards is parsed anew from the
//! very bytes that were digested.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512, digest};
use bergshamra_c14n::{C14nMode, canonicalize_doc};
use bergshamra_xml::NodeSet;

use super::xml::{Element, Problem, Xml, base64};
use super::{ASSERTION, DEPTH};
use crate::error::Reason;
use crate::jwks::{Algorithm, Key, KeySet};

const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const EXCLUSIVE_WITH_COMMENTS: &str = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// RFC 9231, section 2.3. No SHA-1, no HMAC: a public key would be its secret.
const SIGNATURES: [(&str, Algorithm); 9] = [
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", Algorithm::RS256),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", Algorithm::RS384),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", Algorithm::RS512),
    ("http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", Algorithm::PS256),
    ("http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1", Algorithm::PS384),
    ("http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1", Algorithm::PS512),
    ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", Algorithm::ES256),
    ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", Algorithm::ES384),
    ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", Algorithm::ES512),
];

const DIGESTS: [(&str, &digest::Algorithm); 3] = [
    ("http://www.w3.org/2001/04/xmlenc#sha256", &SHA256),
    ("http://www.w3.org/2001/04/xmldsig-more#sha384", &SHA384),
    ("http://www.w3.org/2001/04/xmlenc#sha512", &SHA512),
];

/// An assertion and its signature, as they came. Nothing of it is verified.
pub(super) struct Enveloped {
    algorithm: Algorithm,
    /// `SignedInfo`, canonicalized.
    signed_info: String,
    signature: Vec<u8>,
    /// The assertion without its signature, canonicalized.
    assertion: String,
    digest: (&'static digest::Algorithm, Vec<u8>),
}

/// The bytes of an assertion that somebody with a key of the issuer has signed. Only [`Enveloped::vouched`] makes one.
pub(super) struct SignedAssertion {
    text: String,
    /// The ID of the key.
    pub(super) key_id: Option<Arc<str>>,
}

impl SignedAssertion {
    /// What was signed, parsed anew: there is nothing else in it.
    pub(super) fn xml(&self) -> Result<Xml<'_>, Problem> {
        Xml::parse(&self.text, DEPTH)
    }
}

impl Enveloped {
    /// Takes the document apart. Its root is the assertion, and the signature is that of the root.
    pub(super) fn read(root: Element<'_>) -> Result<Self, Reason> {
        let malformed = |problem| Reason::SamlMalformed { problem };
        if !root.is(ASSERTION, "Assertion") {
            return Err(malformed("its outermost element is no SAML 2.0 assertion"));
        }
        let id = root.needed("ID", "the assertion has no `ID`").map_err(malformed)?;
        let all = root.all();
        let mut ids: Vec<&str> = all.iter().flat_map(Element::ids).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
            return Err(malformed("two elements have the same ID"));
        }
        if all.iter().filter(|element| element.is(ASSERTION, "Assertion")).count() != 1 {
            return Err(malformed("it holds another assertion"));
        }
        let mut signatures = all.iter().filter(|element| element.is(DSIG, "Signature"));
        let own = root.named(DSIG, "Signature").next();
        let signature = match (signatures.next(), signatures.next(), own) {
            (None, ..) => return Err(Reason::SamlUnsigned),
            (Some(_), None, Some(own)) => own,
            _ => return Err(unsupported("there are several, or it is not a child of the assertion")),
        };
        Self::of(root, signature, id).map_err(unsupported)
    }

    fn of(root: Element<'_>, signature: Element<'_>, id: &str) -> Result<Self, Problem> {
        // `KeyInfo` is a hint of the caller's: no key in it is ever used.
        let parts: Vec<_> = signature.children().filter(|part| !part.is(DSIG, "KeyInfo")).collect();
        let [info, value] = *parts else { return Err("it has other parts than SAML allows") };
        if !info.is(DSIG, "SignedInfo") || !value.is(DSIG, "SignatureValue") {
            return Err("it has other parts than SAML allows");
        }
        let is_plain = |element: &Element<'_>| element.holds_elements_alone() || element.text().is_ok();
        if !info.all().iter().all(is_plain) {
            return Err("`SignedInfo` holds text between its elements, or comments");
        }
        let how = Canonicalization::read(info.children().next().ok_or("`SignedInfo` is empty")?)?;
        let signed_info = how.text(info, None)?;
        let SignedInfo { algorithm, transform, digest } = SignedInfo::read(&signed_info, id)?;
        Ok(Self {
            algorithm,
            signature: base64(&value.text()?).ok_or("its value is not Base64")?,
            assertion: transform.text(root, Some(signature))?,
            digest,
            signed_info,
        })
    }

    /// What one of these keys has signed. Each that fits is tried: `KeyInfo` is not asked which it is.
    pub(super) fn vouched(&self, keys: &KeySet) -> Result<SignedAssertion, Reason> {
        let mut fitting = keys.keys().iter().filter(|key| key.fits(self.algorithm)).peekable();
        if fitting.peek().is_none() {
            return Err(Reason::KeyNotFound { unusable: None });
        }
        let has_signed = |key: &&Key| {
            let ready = key.public().ready_for(self.algorithm);
            ready.is_some_and(|ready| ready.verify_sig(self.signed_info.as_bytes(), &self.signature).is_ok())
        };
        let key = fitting.find(has_signed).ok_or(Reason::SignatureInvalid)?;
        let (algorithm, expected) = &self.digest;
        let found = digest(algorithm, self.assertion.as_bytes());
        verify_slices_are_equal(found.as_ref(), expected).map_err(|_| Reason::SignatureInvalid)?;
        Ok(SignedAssertion { text: self.assertion.clone(), key_id: key.shared_id() })
    }

    /// The name of its algorithm.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// What `SignedInfo` says: of what the assertion's digest is, and what signs that.
struct SignedInfo {
    algorithm: Algorithm,
    transform: Canonicalization,
    digest: (&'static digest::Algorithm, Vec<u8>),
}

impl SignedInfo {
    /// Reads the very bytes that are signed, as the assertion's are: a digest that is read elsewhere than it is signed is the
    /// attacker's (CVE-2025-25291).
    fn read(canonical: &str, id: &str) -> Result<Self, Problem> {
        const OTHER: Problem = "`SignedInfo` does not hold one reference alone";
        let xml = Xml::parse(canonical, DEPTH)?;
        let parts: Vec<_> = xml.root()?.children().collect();
        let [_, method, reference] = *parts else { return Err(OTHER) };
        let names = ["CanonicalizationMethod", "SignatureMethod", "Reference"];
        if !parts.iter().zip(names).all(|(part, name)| part.is(DSIG, name)) {
            return Err(OTHER);
        }
        let algorithm = known(method, &SIGNATURES, "its signature algorithm is none that is taken")?;
        let (transform, digest) = Self::reference(reference, id)?;
        Ok(Self { algorithm, transform, digest })
    }

    /// The only reference: of the assertion by its ID, and of all of it but the signature.
    fn reference(
        reference: Element<'_>,
        id: &str,
    ) -> Result<(Canonicalization, (&'static digest::Algorithm, Vec<u8>)), Problem> {
        if reference.attribute("URI").and_then(|uri| uri.strip_prefix('#')) != Some(id) {
            return Err("its reference is not that of the assertion by its ID");
        }
        let parts: Vec<_> = reference.children().collect();
        let [transforms, method, value] = *parts else { return Err("its reference has other parts") };
        let names = ["Transforms", "DigestMethod", "DigestValue"];
        if !parts.iter().zip(names).all(|(part, name)| part.is(DSIG, name)) {
            return Err("its reference has other parts");
        }
        const TRANSFORMS: Problem =
            "its transforms are not the enveloped signature and exclusive canonicalization, in this order";
        let steps: Vec<_> = transforms.children().collect();
        let [enveloped, canonicalization] = *steps else { return Err(TRANSFORMS) };
        let is_enveloped =
            enveloped.attribute("Algorithm") == Some(ENVELOPED) && enveloped.children().next().is_none();
        if !steps.iter().all(|step| step.is(DSIG, "Transform")) || !is_enveloped {
            return Err(TRANSFORMS);
        }
        let canonicalization = Canonicalization::read(canonicalization).map_err(|_| TRANSFORMS)?;
        let digest = known(method, &DIGESTS, "its digest algorithm is none that is taken")?;
        let value = base64(&value.text()?).ok_or("its digest is not Base64")?;
        Ok((canonicalization, (digest, value)))
    }
}

/// How a part of the document becomes bytes.
struct Canonicalization {
    mode: C14nMode,
    prefixes: Vec<String>,
}

impl Canonicalization {
    fn read(method: Element<'_>) -> Result<Self, Problem> {
        const OTHER: Problem = "its canonicalization is not the exclusive one";
        let mode = match method.attribute("Algorithm") {
            Some(EXCLUSIVE) => C14nMode::Exclusive,
            Some(EXCLUSIVE_WITH_COMMENTS) => C14nMode::ExclusiveWithComments,
            Some(_) | None => return Err(OTHER),
        };
        let parameters: Vec<_> = method.children().collect();
        let prefixes = match *parameters {
            [] => Vec::new(),
            [only] if only.is(EXCLUSIVE, "InclusiveNamespaces") && only.children().next().is_none() => {
                let list = only.attribute("PrefixList").unwrap_or_default();
                list.split_ascii_whitespace().map(str::to_owned).collect()
            }
            _ => return Err(OTHER),
        };
        Ok(Self { mode, prefixes })
    }

    /// The element, without this part of it. A reference by ID alone selects no comments (XML Signature, section 4.4.3.2), so that
    /// there are none in what is read.
    fn text(&self, element: Element<'_>, without: Option<Element<'_>>) -> Result<String, Problem> {
        let mut nodes = NodeSet::tree_without_comments(element.node(), element.document());
        if let Some(part) = without {
            let part = NodeSet::tree_with_comments(part.node(), element.document());
            nodes = nodes.subtract(&part);
        }
        let bytes = canonicalize_doc(element.document(), self.mode, Some(&nodes), &self.prefixes);
        bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or("it cannot be canonicalized")
    }
}

/// What the `Algorithm` of an element without parameters stands for.
fn known<T: Copy>(method: Element<'_>, table: &[(&str, T)], problem: Problem) -> Result<T, Problem> {
    let name = method.attribute("Algorithm").filter(|_| method.children().next().is_none());
    table.iter().find(|(known, _)| Some(*known) == name).map(|(_, value)| *value).ok_or(problem)
}

fn unsupported(problem: Problem) -> Reason {
    Reason::SamlSignatureUnsupported { problem }
}
