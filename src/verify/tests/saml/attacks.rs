//! What is not what it looks like: signature wrapping, comments, entities, sizes.

use super::*;

/// What is not written in its canonical form is signed in it all the same.
#[tokio::test(start_paused = true)]
async fn an_assertion_may_be_written_otherwise_than_it_is_signed() {
    let setting = Setting::new();
    let signed = setting.sign(ASSERTION);
    for (from, to) in [
        ("<saml:NameID>alice", "<saml:NameID\n>&#97;lice"),
        ("<saml:NameID>alice", "<saml:NameID>al<!-- -->ice"),
        ("<saml:NameID>alice", "<saml:NameID><![CDATA[alice]]>"),
        (r#"></saml:SubjectConfirmationData>"#, "/>"),
        (r#"ID="_a1" "#, r#"Version = '2.0' ID="_a1" "#),
        (
            "<saml:Assertion ",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<saml:Assertion xmlns:unused=\"urn:u\" ",
        ),
    ] {
        let other = signed.replacen(from, to, 1);
        let other = if from.starts_with("ID") { other.replacen(r#" Version="2.0""#, "", 1) } else { other };
        assert_ne!(other, signed);
        let principal = setting.verify(&other).await.unwrap();
        assert_eq!(principal.claims().named("sub"), Some(&json!("alice@example.com")), "{to}");
    }
}

/// CVE-2017-11427 and others: of a name with a comment in it, some read the part before the comment. It is the whole name here,
/// which is what was signed.
#[tokio::test(start_paused = true)]
async fn a_comment_does_not_cut_a_name_short() {
    let setting = Setting::new();
    let signed = setting.sign(&ASSERTION.replacen("alice@example.com", "admin@example.com.evil.example", 1));
    let cut = signed.replacen("admin@example.com", "admin@example.com<!---->", 1);
    let principal = setting.verify(&cut).await.unwrap();
    assert_eq!(principal.claims().named("sub"), Some(&json!("admin@example.com.evil.example")));
    // With comments in what is signed, too: a reference by ID alone leaves them out.
    let with_comments = |info: String| info.replace(EXCLUSIVE, &format!("{EXCLUSIVE}WithComments"));
    let text = ASSERTION.replacen("alice@example.com", "admin@example.com.evil.example", 1);
    let signed = setting.provider.sign_with(&text, with_comments);
    let principal = setting.verify(&signed.replacen("admin@", "admin@<!-- -->", 1)).await.unwrap();
    assert_eq!(principal.claims().named("sub"), Some(&json!("admin@example.com.evil.example")));
}

/// Somorovsky et al., "On Breaking SAML: Be Whoever You Want to Be", 2012: what is signed is moved to where it is not read, and
/// what is not signed takes its place.
#[tokio::test(start_paused = true)]
async fn the_eight_forms_of_signature_wrapping_are_refused() {
    let setting = Setting::new();
    let signed = setting.sign(ASSERTION);
    let signature = setting.provider.signature(ASSERTION, "_a1");
    let with = |part: &str| signature.replacen("</ds:Signature>", &format!("{part}</ds:Signature>"), 1);
    let object = |part: &str| with(&format!("<ds:Object>{part}</ds:Object>"));
    let forms = [
        // 1: the signed one within the signature that it no longer envelops.
        enveloped(&evil(), &with(ASSERTION)),
        // 2: beside the signature.
        enveloped(&evil(), &format!("{ASSERTION}{signature}")),
        // 3: beside the forged one.
        message(&format!("{}{signed}", evil())),
        // 4: within the forged one.
        enveloped(&evil(), &signed),
        // 5: the forged one has the signature, and the signed one follows.
        message(&format!("{}{ASSERTION}", enveloped(&evil(), &signature))),
        // 6: the signed one within the signature of the forged one, in a message.
        message(&enveloped(&evil(), &with(ASSERTION))),
        // 7: the forged one in an extension, which no schema looks into.
        message(&format!("<samlp:Extensions>{}</samlp:Extensions>{signed}", evil())),
        // 8: the signed one in an object of the signature.
        enveloped(&evil(), &object(ASSERTION)),
    ];
    for (number, form) in forms.iter().enumerate() {
        for form in [form.clone(), form.replace("_evil", "_a1")] {
            let refused = setting.verify(&form).await.unwrap_err();
            assert!(refused.starts_with("saml_"), "{}: {refused}", number + 1);
        }
        assert!(setting.verify(&signed).await.is_ok());
    }
    // The same, for whoever signs something himself, and refers to what the provider has signed.
    let own = enveloped(&evil(), &setting.provider.signature(ASSERTION, "_a1"));
    assert_eq!(setting.verify(&own).await, Err("saml_signature_unsupported"));
    let renamed = own.replace("_evil", "_a1");
    assert_eq!(setting.verify(&renamed).await, Err("signature_invalid"));
    assert!(setting.verify(&setting.sign(&evil().replace("_evil", "_a1"))).await.is_ok());
}

/// Nothing around an assertion is read, and nothing within it that is not of its one form.
#[tokio::test(start_paused = true)]
async fn a_message_around_an_assertion_and_an_assertion_within_are_refused() {
    let setting = Setting::new();
    let signed = setting.sign(ASSERTION);
    let advice = ASSERTION.replacen(
        "</saml:Conditions>",
        &format!(
            "</saml:Conditions><saml:Advice>{}</saml:Advice>",
            evil().replacen(" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"", "", 1)
        ),
        1,
    );
    for xml in
        [message(&signed), setting.sign(&advice), format!("<a>{signed}</a>"), format!("{signed}{signed}")]
    {
        assert_eq!(setting.verify(&xml).await, Err("saml_malformed"), "{xml}");
    }
    for xml in [
        signed.replace("SAML:2.0:assertion", "SAML:1.0:assertion"),
        signed.replace("saml:Assertion", "saml:Response"),
        signed.replace("xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"", "xmlns:saml=\"urn:x\""),
    ] {
        assert_eq!(setting.verify(&xml).await, Err("saml_malformed"), "{xml}");
    }
    assert!(setting.verify(&signed).await.is_ok());
}

/// Each ID names one element, whoever would look for it.
#[tokio::test(start_paused = true)]
async fn an_id_that_is_there_twice_is_refused() {
    let setting = Setting::new();
    for attribute in ["ID", "Id", "id", "xml:id"] {
        let twice = |id: &str| {
            let attribute = format!("<saml:AuthnContextClassRef {attribute}=\"{id}\">");
            ASSERTION.replacen("<saml:AuthnContextClassRef>", &attribute, 1)
        };
        assert_eq!(setting.verify(&setting.sign(&twice("_a1"))).await, Err("saml_malformed"), "{attribute}");
        assert!(setting.verify(&setting.sign(&twice("_b2"))).await.is_ok(), "{attribute}");
    }
    let nameless = ASSERTION.replacen(" ID=\"_a1\"", "", 1);
    assert_eq!(setting.verify(&setting.sign(&nameless)).await, Err("saml_malformed"));
}

#[tokio::test(start_paused = true)]
async fn document_types_and_entities_are_refused_before_anything_is_parsed() {
    let setting = Setting::new();
    let signed = setting.sign(ASSERTION);
    let mut bomb = "<!ENTITY a0 \"lol\">".to_owned();
    for number in 1..30 {
        bomb.push_str(&format!("<!ENTITY a{number} \"&a{};&a{};\">", number - 1, number - 1));
    }
    for before in [
        format!("<!DOCTYPE a [{bomb}]>"),
        "<!DOCTYPE a SYSTEM \"http://evil.example/\">".to_owned(),
        "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>".to_owned(),
        "<!DOCTYPE a [<!ATTLIST saml:Assertion ID ID #IMPLIED>]>".to_owned(),
        "<?xml-stylesheet href=\"http://evil.example/\"?>".to_owned(),
    ] {
        for xml in
            [format!("{before}{signed}"), format!("{before}{}", signed.replacen("alice@", "&a29;&e;", 1))]
        {
            assert_eq!(setting.verify(&xml).await, Err("saml_malformed"), "{before}");
        }
    }
    assert_eq!(setting.verify(&signed.replacen("alice@", "&e;", 1)).await, Err("saml_malformed"));
    assert!(setting.verify(&signed).await.is_ok());
    assert_eq!(setting.fetches(), 1, "what cannot pass costs no fetch");
}

/// Rule F4.
#[tokio::test(start_paused = true)]
async fn size_and_depth_are_bounded() {
    let setting = Setting::new();
    let padded = |count: usize| ASSERTION.replacen("clerks", &"c".repeat(count), 1);
    assert!(setting.verify(&setting.sign(&padded(8000))).await.is_ok());
    assert_eq!(setting.verify(&setting.sign(&padded(12_000))).await, Err("token_too_large"));
    let nested = |depth: usize| {
        let value = format!("{}x{}", "<a>".repeat(depth), "</a>".repeat(depth));
        let attribute = format!(
            "<saml:Attribute Name=\"b\"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>"
        );
        ASSERTION.replacen("</saml:AttributeStatement>", &attribute, 1)
    };
    assert!(setting.verify(&setting.sign(&nested(20))).await.is_ok());
    assert_eq!(setting.verify(&setting.sign(&nested(21))).await, Err("saml_malformed"));
    assert_eq!(setting.verify(&setting.sign(&nested(1000))).await, Err("saml_malformed"));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_base64url_of_xml_is_refused() {
    let setting = Setting::new();
    let good = URL_SAFE_NO_PAD.encode(setting.sign(ASSERTION));
    assert!(setting.present(Presented::bearer(&good)).await.is_ok());
    for (text, expected) in [
        (format!("{good}="), "saml_malformed"),
        (format!("{good} "), "saml_malformed"),
        (format!("{}+", good), "saml_malformed"),
        (URL_SAFE_NO_PAD.encode("<"), "saml_malformed"),
        (URL_SAFE_NO_PAD.encode(b"<a>\xff</a>"), "saml_malformed"),
        // What does not begin like XML is no assertion, and nobody here takes it.
        (URL_SAFE_NO_PAD.encode(" <a/>"), "token_malformed"),
        (URL_SAFE_NO_PAD.encode("{}"), "token_malformed"),
        (format!("{good}.{good}.{good}"), "token_malformed"),
    ] {
        let verified = setting.verifiers.verify(Presented::bearer(&text), NOW, PATIENCE).await;
        let Err(Error::Rejection(rejection)) = verified else { panic!("{text}") };
        assert_eq!(rejection.reason.code().name(), expected, "{text}");
    }
}

/// Each kind of credential has a form of its own, and is never tried as another.
#[test]
fn nothing_else_begins_like_an_assertion() {
    let signer = Signer::new();
    assert!(!is_assertion(&signer.sign(&header(), &claims())));
    for (text, expected) in [
        (URL_SAFE_NO_PAD.encode(ASSERTION), true),
        (URL_SAFE_NO_PAD.encode("<?xml version='1.0'?>"), true),
        (URL_SAFE_NO_PAD.encode("{\"alg\":\"ES256\"}"), false),
        (URL_SAFE_NO_PAD.encode("=<"), false),
        ("orders_abc".to_owned(), false),
        ("P".to_owned(), false),
        ("PQ".to_owned(), false),
        ("PA.a.b".to_owned(), false),
        (String::new(), false),
    ] {
        assert_eq!(is_assertion(&text), expected, "{text}");
    }
}

/// One that does not hold is not asked about, and what has another form is not looked at as an assertion.
#[tokio::test(start_paused = true)]
async fn an_assertion_is_never_tried_as_an_opaque_token() {
    let introspection::Setting { server, verifiers } = introspection::Setting::with(|_| {}, None);
    let Setting { provider, verifiers, .. } = Setting::beside(verifiers, |_| {}, "");
    for (xml, expected) in [(ASSERTION.to_owned(), Some("saml_unsigned")), (provider.sign(ASSERTION), None)] {
        let text = URL_SAFE_NO_PAD.encode(xml);
        let verified = verifiers.verify(Presented::bearer(&text), NOW, PATIENCE).await;
        let code = verified.err().map(|error| match error {
            Error::Rejection(rejection) => rejection.reason.code().name(),
            Error::Fault(fault) => fault.code().name(),
        });
        assert_eq!((code, server.asked()), (expected, 0));
    }
    assert!(verifiers.verify(Presented::bearer("opaque"), NOW, PATIENCE).await.is_ok());
    assert_eq!(server.asked(), 1);
}
