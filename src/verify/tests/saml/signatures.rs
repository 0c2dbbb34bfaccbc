//! The signature itself: its form, its algorithms, its keys.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_assertion_that_is_not_signed_by_the_provider_is_refused() {
    let setting = Setting::new();
    let signed = setting.sign(ASSERTION);
    assert_eq!(setting.verify(ASSERTION).await, Err("saml_unsigned"));
    let stranger = Provider::new();
    assert_eq!(setting.verify(&stranger.sign(ASSERTION)).await, Err("signature_invalid"));
    for (from, to) in [
        ("alice@example.com", "admin@example.com"),
        ("clerks", "root"),
        ("1970-01-12T13:51:40Z", "1970-01-13T13:51:40Z"),
        ("<saml:AttributeStatement>", "<saml:AttributeStatement> "),
        ("IssueInstant=", "Injected=\"1\" IssueInstant="),
        ("<saml:NameID>", "<saml:NameID xmlns=\"urn:x\" Format=\"a\">"),
    ] {
        assert_eq!(setting.verify(&signed.replacen(from, to, 1)).await, Err("signature_invalid"), "{to}");
    }
    let value = signed.split("<ds:SignatureValue>").nth(1).unwrap().split('<').next().unwrap();
    let forged = signed.replace(value, &STANDARD.encode([0; 64]));
    assert_eq!(setting.verify(&forged).await, Err("signature_invalid"));
    let none = signed.replace(value, "");
    assert_eq!(setting.verify(&none).await, Err("signature_invalid"));
    assert!(setting.verify(&signed).await.is_ok());
}

/// A key that the document brings is the attacker's.
#[tokio::test(start_paused = true)]
async fn a_key_in_the_signature_is_never_used() {
    let (setting, attacker) = (Setting::new(), Provider::new());
    let with_key = |provider: &Provider, of: &Provider| {
        let certificate = STANDARD.encode(&of.certificate);
        let hint = format!(
            "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
        );
        provider.sign(ASSERTION).replacen("</ds:Signature>", &hint, 1)
    };
    assert_eq!(setting.verify(&with_key(&attacker, &attacker)).await, Err("signature_invalid"));
    assert_eq!(setting.verify(&with_key(&attacker, &setting.provider)).await, Err("signature_invalid"));
    // It is not even a hint: the keys of the metadata are tried.
    assert!(setting.verify(&with_key(&setting.provider, &attacker)).await.is_ok());
    assert!(setting.verify(&with_key(&setting.provider, &setting.provider)).await.is_ok());
}

/// What a signature may be made with, and of, is fixed: the document does not choose.
#[tokio::test(start_paused = true)]
async fn a_signature_of_another_form_is_refused() {
    let setting = Setting::new();
    let transform = |algorithm: &str| format!("<ds:Transform Algorithm=\"{algorithm}\"></ds:Transform>");
    let enveloped_transform = transform("http://www.w3.org/2000/09/xmldsig#enveloped-signature");
    let exclusive = transform(EXCLUSIVE);
    let more = |algorithm: &str| {
        TRANSFORMS.replace("</ds:Transforms>", &format!("{}</ds:Transforms>", transform(algorithm)))
    };
    let canonicalization =
        format!("<ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"></ds:CanonicalizationMethod>");
    let method = format!("<ds:SignatureMethod Algorithm=\"{SIGNATURE_METHOD}\"></ds:SignatureMethod>");
    for (from, to) in [
        // SHA-1, MD5, and HMAC, whose secret everybody would know.
        (SIGNATURE_METHOD, "http://www.w3.org/2000/09/xmldsig#rsa-sha1".to_owned()),
        (SIGNATURE_METHOD, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1".to_owned()),
        (SIGNATURE_METHOD, "http://www.w3.org/2000/09/xmldsig#dsa-sha1".to_owned()),
        (SIGNATURE_METHOD, "http://www.w3.org/2001/04/xmldsig-more#rsa-md5".to_owned()),
        (SIGNATURE_METHOD, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256".to_owned()),
        (SIGNATURE_METHOD, String::new()),
        ("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1".to_owned()),
        ("http://www.w3.org/2001/04/xmlenc#sha256", String::new()),
        // What would be read otherwise than it is signed, or looked for elsewhere.
        (TRANSFORMS, more("http://www.w3.org/TR/1999/REC-xslt-19991116")),
        (TRANSFORMS, more("http://www.w3.org/TR/1999/REC-xpath-19991116")),
        (TRANSFORMS, more("http://www.w3.org/2002/06/xmldsig-filter2")),
        (TRANSFORMS, more("http://www.w3.org/2000/09/xmldsig#base64")),
        (TRANSFORMS, more(EXCLUSIVE)),
        (TRANSFORMS, TRANSFORMS.replace(&enveloped_transform, "")),
        (TRANSFORMS, TRANSFORMS.replace(&exclusive, "")),
        (TRANSFORMS, TRANSFORMS.replace(&enveloped_transform, &transform("http://www.w3.org/TR/1999/REC-xslt-19991116"))),
        (TRANSFORMS, TRANSFORMS.replace(EXCLUSIVE, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")),
        (TRANSFORMS, TRANSFORMS.replace(EXCLUSIVE, "http://www.w3.org/2006/12/xml-c14n11")),
        (TRANSFORMS, format!("<ds:Transforms>{exclusive}{enveloped_transform}</ds:Transforms>")),
        (TRANSFORMS, TRANSFORMS.replacen("></ds:Transform>", "><xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\"></xsl:stylesheet></ds:Transform>", 1)),
        (TRANSFORMS, String::new()),
        (&canonicalization, canonicalization.replace(EXCLUSIVE, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")),
        (&canonicalization, String::new()),
        (&method, method.replace("></ds:S", "><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:S")),
        (&method, method.repeat(2)),
        ("URI=\"#_a1\"", "URI=\"\"".to_owned()),
        ("URI=\"#_a1\"", "Id=\"_x\"".to_owned()),
        ("URI=\"#_a1\"", "URI=\"#_other\"".to_owned()),
        ("URI=\"#_a1\"", "URI=\"_a1\"".to_owned()),
        ("URI=\"#_a1\"", "URI=\"#xpointer(id('_a1'))\"".to_owned()),
        ("URI=\"#_a1\"", "URI=\"#xpointer(/)\"".to_owned()),
        ("URI=\"#_a1\"", "URI=\"http://evil.example/#_a1\"".to_owned()),
        ("URI=\"#_a1\"", "URI=\"file:///etc/passwd\"".to_owned()),
        ("<ds:DigestValue>", "<ds:DigestValue>!".to_owned()),
        ("<ds:DigestValue>", "<ds:DigestValue><!-- -->".to_owned()),
        ("</ds:CanonicalizationMethod>", "</ds:CanonicalizationMethod> text ".to_owned()),
    ] {
        let signed = setting.provider.sign_with(ASSERTION, |info| {
            let changed = info.replacen(from, &to, 1);
            assert_ne!(changed, info);
            changed
        });
        assert_eq!(setting.verify(&signed).await, Err("saml_signature_unsupported"), "{to}");
    }
    let signed = setting.sign(ASSERTION);
    let reference = format!(
        "<ds:Reference{}",
        signed.split("<ds:Reference").nth(1).unwrap().split("</ds:SignedInfo>").next().unwrap()
    );
    let signature = setting.provider.signature(ASSERTION, "_a1");
    for other in [
        setting.provider.sign_with(ASSERTION, |info| info.replacen(&reference, &reference.repeat(2), 1)),
        setting.provider.sign_with(ASSERTION, |info| info.replacen(&reference, "", 1)),
        enveloped(ASSERTION, &signature.repeat(2)),
        enveloped(ASSERTION, &format!("<saml:Advice>{signature}</saml:Advice>")),
        enveloped(ASSERTION, &signature.replace("</ds:Signature>", "<ds:Object></ds:Object></ds:Signature>")),
        enveloped(ASSERTION, &signature.replace("<ds:SignatureValue>", "<ds:SignatureValue>!")),
        // CVE-2025-25291 and CVE-2025-25292: two readers of one digest.
        enveloped(ASSERTION, &signature.replace("<ds:DigestValue>", "<ds:DigestValue><!--AAAA-->")),
        enveloped(ASSERTION, &signature.replace("<ds:SignedInfo>", "<ds:SignedInfo>AAAA")),
        enveloped(ASSERTION, &signature.replace("ds:SignatureValue", "ds:Value")),
    ] {
        assert_eq!(setting.verify(&other).await, Err("saml_signature_unsupported"), "{other}");
    }
    assert!(setting.verify(&signed).await.is_ok());
}

/// Who knows the public key knows the secret of an HMAC under it.
#[tokio::test(start_paused = true)]
async fn the_public_key_is_no_secret() {
    let setting = Setting::new();
    let info = signed_info(ASSERTION, "_a1")
        .replace(SIGNATURE_METHOD, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256");
    for secret in [setting.provider.key.public_key().as_ref(), &setting.provider.certificate, b""] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), info.as_bytes());
        let forged = enveloped(ASSERTION, &signature_of(&info, tag.as_ref(), ""));
        assert_eq!(setting.verify(&forged).await, Err("saml_signature_unsupported"));
    }
    assert!(setting.verify(&setting.sign(ASSERTION)).await.is_ok());
}

/// A key of one type does not verify for the algorithms of another.
#[tokio::test(start_paused = true)]
async fn an_algorithm_that_no_key_of_the_provider_fits_is_refused() {
    let setting = Setting::new();
    for name in [
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    ] {
        let signed = setting.provider.sign_with(ASSERTION, |info| info.replace(SIGNATURE_METHOD, name));
        assert_eq!(setting.verify(&signed).await, Err("key_not_found"), "{name}");
    }
    assert!(setting.verify(&setting.sign(ASSERTION)).await.is_ok());
}
