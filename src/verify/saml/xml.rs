//! XML, bounded and without anything that is not there to be read: no document types, no entities, no processing instructions.

use uppsala::{Document, NodeId, NodeKind, Parser};

/// A document. It holds nothing but elements, text and comments.
pub(super) struct Xml<'a>(Document<'a>);

/// An element of it.
#[derive(Clone, Copy)]
pub(super) struct Element<'x> {
    document: &'x Document<'x>,
    node: NodeId,
}

/// What is wrong with a document.
pub(super) type Problem = &'static str;

impl<'a> Xml<'a> {
    /// Reads a document whose elements are nested so deeply at the most. What could make it larger than it is, or lead out of
    /// it, is looked for before it is parsed.
    pub(super) fn parse(text: &'a str, depth: u32) -> Result<Self, Problem> {
        // XML has them in capitals; whatever is like them is not well-formed, or stands in a comment.
        if text.contains("<!DOCTYPE") || text.contains("<!ENTITY") {
            return Err("it has a document type");
        }
        let declared = text.strip_prefix("<?xml").filter(|rest| rest.starts_with([' ', '\t', '\r', '\n']));
        if declared.unwrap_or(text).contains("<?") {
            return Err("it has a processing instruction");
        }
        let parser = Parser::new().with_forbid_dtd(true).with_forbid_entities(true).with_max_depth(depth);
        let document = parser.parse(text).map_err(|_| "it is not XML, or nested too deeply")?;
        let encoding =
            document.xml_declaration.as_ref().and_then(|declaration| declaration.encoding.as_deref());
        if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("UTF-8")) {
            return Err("its encoding is not UTF-8");
        }
        Ok(Self(document))
    }

    /// The element around everything.
    pub(super) fn root(&self) -> Result<Element<'_>, Problem> {
        let node = self.0.document_element().ok_or("it has no element")?;
        Ok(Element { document: &self.0, node })
    }
}

impl<'x> Element<'x> {
    pub(super) fn document(&self) -> &'x Document<'x> {
        self.document
    }

    pub(super) fn node(&self) -> NodeId {
        self.node
    }

    /// Whether it has this name, in this namespace.
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        self.document.element(self.node).is_some_and(|element| element.matches_name_ns(namespace, name))
    }

    /// Its attribute of this name, in no namespace.
    pub(super) fn attribute(&self, name: &str) -> Option<&'x str> {
        let attributes = &self.document.element(self.node)?.attributes;
        let named = |attribute: &&uppsala::Attribute<'_>| {
            attribute.name.namespace_uri.is_none() && attribute.name.local_name == name
        };
        attributes.iter().find(named).map(|attribute| &*attribute.value)
    }

    /// The same, which must be there.
    pub(super) fn needed(&self, name: &str, problem: Problem) -> Result<&'x str, Problem> {
        self.attribute(name).filter(|value| !value.is_empty()).ok_or(problem)
    }

    /// The values of whatever may be an ID.
    pub(super) fn ids(&self) -> impl Iterator<Item = &'x str> {
        let attributes = self.document.element(self.node).into_iter().flat_map(|element| &element.attributes);
        let is_id =
            |attribute: &&uppsala::Attribute<'_>| attribute.name.local_name.eq_ignore_ascii_case("id");
        attributes.filter(is_id).map(|attribute| &*attribute.value)
    }

    /// The elements in it.
    pub(super) fn children(&self) -> impl Iterator<Item = Self> + use<'x> {
        let document = self.document;
        let of = move |node| document.element(node).map(|_| Self { document, node });
        document.children_iter(self.node).filter_map(of)
    }

    /// Those of them that have this name.
    pub(super) fn named(&self, namespace: &'x str, name: &'x str) -> impl Iterator<Item = Self> + use<'x> {
        self.children().filter(move |child| child.is(namespace, name))
    }

    /// The one that has it, where there is one.
    pub(super) fn only(
        &self,
        namespace: &'x str,
        name: &'x str,
        problem: Problem,
    ) -> Result<Option<Self>, Problem> {
        let mut named = self.named(namespace, name);
        match (named.next(), named.next()) {
            (only, None) => Ok(only),
            (_, Some(_)) => Err(problem),
        }
    }

    /// It, and every element below it.
    pub(super) fn all(&self) -> Vec<Self> {
        let mut all = vec![*self];
        let mut next = 0;
        while let Some(element) = all.get(next).copied() {
            all.extend(element.children());
            next += 1;
        }
        all
    }

    /// Its text, whole. A comment in the midst of it would hide a part of it from those who read the first piece only.
    pub(super) fn text(&self) -> Result<String, Problem> {
        let mut whole = String::new();
        for node in self.document.children_iter(self.node) {
            match self.document.node_kind(node) {
                Some(NodeKind::Text(text) | NodeKind::CData(text)) => whole.push_str(text),
                _ => return Err("there is something else in a text"),
            }
        }
        Ok(whole)
    }

    /// Whether there is nothing in it but elements, and white space between them.
    pub(super) fn holds_elements_alone(&self) -> bool {
        self.document.children_iter(self.node).all(|node| match self.document.node_kind(node) {
            Some(NodeKind::Element(_)) => true,
            Some(NodeKind::Text(text)) => text.bytes().all(is_white_space),
            _ => false,
        })
    }
}

/// White space of XML, and nothing else that looks like it.
pub(super) fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// What is in Base64, and may be broken into lines.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let packed: Vec<u8> = text.bytes().filter(|byte| !is_white_space(*byte)).collect();
    base64::engine::general_purpose::STANDARD.decode(packed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_no_type_no_entities_and_no_instructions() {
        for text in
            ["<a/>", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>&lt;&#65;</a>", "<a><!-- b --></a>"]
        {
            assert!(Xml::parse(text, 8).is_ok(), "{text}");
        }
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><a>&c;</a>";
        for (text, expected) in [
            (bomb, "it has a document type"),
            ("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "it has a document type"),
            (
                "<!DOCTYPE a [<!ENTITY b SYSTEM \"http://evil.example/\">]><a>&b;</a>",
                "it has a document type",
            ),
            ("<!DOCTYPE a [<!ENTITY % b \"\">%b;]><a/>", "it has a document type"),
            ("<?xml-stylesheet href=\"http://evil.example/\"?><a/>", "it has a processing instruction"),
            ("<?xml version=\"1.0\"?><?b?><a/>", "it has a processing instruction"),
            ("<a><?b?></a>", "it has a processing instruction"),
            ("<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>", "its encoding is not UTF-8"),
            ("<!doctype a><a/>", "it is not XML, or nested too deeply"),
            ("<a>&b;</a>", "it is not XML, or nested too deeply"),
            ("<a b=\"&b;\"/>", "it is not XML, or nested too deeply"),
            ("<a b='1' b='2'/>", "it is not XML, or nested too deeply"),
            ("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", "it is not XML, or nested too deeply"),
            ("<p:a/>", "it is not XML, or nested too deeply"),
            ("<a/><a/>", "it is not XML, or nested too deeply"),
            ("<a>", "it is not XML, or nested too deeply"),
            ("", "it is not XML, or nested too deeply"),
            ("a", "it is not XML, or nested too deeply"),
        ] {
            assert_eq!(Xml::parse(text, 8).err(), Some(expected), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(Xml::parse(&nested(8), 8).is_ok());
        for depth in [9, 10_000] {
            assert!(Xml::parse(&nested(depth), 8).is_err(), "{depth}");
        }
    }

    #[test]
    fn a_text_is_the_whole_text_or_none() {
        let text = |text: &str| Xml::parse(text, 8).unwrap().root().unwrap().text();
        assert_eq!(text("<a>x<![CDATA[<y>]]>&amp;z</a>").unwrap(), "x<y>&z");
        assert_eq!(text("<a/>").unwrap(), "");
        for other in ["<a>admin<!-- -->@evil</a>", "<a>admin<b/>@evil</a>", "<a><b>admin</b></a>"] {
            assert!(text(other).is_err(), "{other}");
        }
    }
}
