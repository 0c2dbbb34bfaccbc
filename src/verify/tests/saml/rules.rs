//! What an assertion must say: RFC 7522, section 3.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_assertion_stands_for_whom_it_names() {
    let setting = Setting::new();
    let principal = setting.verify(&setting.sign(ASSERTION)).await.unwrap();
    assert_eq!((&**principal.issuer(), principal.credential_kind()), (ENTITY, &CredentialKind::Saml));
    assert_eq!(principal.key_id().unwrap().len(), 43);
    let expected = json!({
        "iss": ENTITY, "sub": "alice@example.com", "aud": ["orders-api"], "jti": "_a1",
        "iat": 1_000_000, "nbf": 1_000_000, "exp": 1_000_300, "auth_time": 999_960,
        "acr": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
        "groups": ["clerks", "admins"], "email": "alice@example.com",
    });
    assert_eq!(principal.claims().to_json(), expected);
    assert_eq!(setting.fetches(), 1);
}

/// RFC 7522, section 3: who, for whom, where, and when.
#[tokio::test(start_paused = true)]
async fn an_assertion_for_others_or_of_others_is_refused() {
    let setting = Setting::new();
    let data = r#"<saml:SubjectConfirmationData NotOnOrAfter="1970-01-12T13:51:40Z" Recipient="https://api.example.com/saml"></saml:SubjectConfirmationData>"#;
    let other_audience = RESTRICTION.replace("orders-api", "other");
    for (from, to, expected) in [
        // Point 1.
        ("<saml:Issuer>https://idp.example.com/<", "<saml:Issuer>https://idp.example.com<", "issuer_unknown"),
        (
            "<saml:Issuer>",
            "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">",
            "saml_malformed",
        ),
        // Point 2.
        ("orders-api", "orders-api2", "audience_mismatch"),
        ("orders-api", " orders-api", "audience_mismatch"),
        (RESTRICTION, "", "claim_missing"),
        (RESTRICTION, &format!("{RESTRICTION}{other_audience}"), "audience_mismatch"),
        (
            RESTRICTION,
            &format!("{RESTRICTION}<saml:AudienceRestriction></saml:AudienceRestriction>"),
            "audience_mismatch",
        ),
        // Point 3.
        ("<saml:NameID>alice@example.com</saml:NameID>", "", "claim_missing"),
        ("<saml:NameID>alice@example.com</saml:NameID>", "<saml:NameID></saml:NameID>", "claim_invalid"),
        (
            "<saml:NameID>alice@example.com</saml:NameID>",
            "<saml:NameID>a</saml:NameID><saml:NameID>b</saml:NameID>",
            "saml_malformed",
        ),
        (
            "<saml:NameID>alice@example.com</saml:NameID>",
            "<saml:NameID>a<b></b></saml:NameID>",
            "saml_malformed",
        ),
        (
            "<saml:NameID>alice@example.com</saml:NameID>",
            "<saml:EncryptedID></saml:EncryptedID>",
            "saml_malformed",
        ),
        // Points 4 and 5.
        (data, "", "saml_unconfirmed"),
        ("cm:bearer", "cm:holder-of-key", "saml_unconfirmed"),
        ("cm:bearer", "cm:sender-vouches", "saml_unconfirmed"),
        (" Recipient=\"https://api.example.com/saml\"", "", "saml_unconfirmed"),
        ("https://api.example.com/saml\"", "https://api.example.com/saml/\"", "saml_unconfirmed"),
        ("https://api.example.com/saml\"", "https://api.example.com\"", "saml_unconfirmed"),
        (" NotOnOrAfter=\"1970-01-12T13:51:40Z\"", "", "saml_unconfirmed"),
        (
            "<saml:SubjectConfirmationData ",
            "<saml:SubjectConfirmationData NotBefore=\"1970-01-12T13:46:40Z\" ",
            "saml_unconfirmed",
        ),
        (
            "<saml:SubjectConfirmationData ",
            "<saml:SubjectConfirmationData Address=\"192.0.2.1\" ",
            "saml_unconfirmed",
        ),
        // Conditions (SAML 2.0 core, section 2.5.1).
        (CONDITIONS, &format!("{CONDITIONS}<saml:OneTimeUse></saml:OneTimeUse>"), "saml_condition_unmet"),
        (CONDITIONS, &format!("{CONDITIONS}<saml:Condition></saml:Condition>"), "saml_condition_unmet"),
        (CONDITIONS, &format!("{CONDITIONS}<other xmlns=\"urn:x\"></other>"), "saml_condition_unmet"),
        // The form.
        ("Version=\"2.0\"", "Version=\"2.1\"", "saml_malformed"),
        ("IssueInstant=\"1970-01-12T13:46:40Z\"", "IssueInstant=\"yesterday\"", "saml_malformed"),
        (
            "IssueInstant=\"1970-01-12T13:46:40Z\"",
            "IssueInstant=\"1970-01-12T13:46:40+01:00\"",
            "saml_malformed",
        ),
        (" IssueInstant=\"1970-01-12T13:46:40Z\"", "", "saml_malformed"),
    ] {
        let changed = ASSERTION.replacen(from, to, 1);
        assert_ne!(changed, ASSERTION, "{from}");
        assert_eq!(setting.verify(&setting.sign(&changed)).await.err(), Some(expected), "{from} {to}");
        assert!(setting.verify(&setting.sign(ASSERTION)).await.is_ok());
    }
    // What stands beside what is asked for.
    for (from, to) in [
        (RESTRICTION, RESTRICTION.replace("<saml:Audience>", "<saml:Audience>other</saml:Audience><saml:Audience>")),
        (RESTRICTION, RESTRICTION.repeat(2)),
        (CONDITIONS, format!("{CONDITIONS}<saml:ProxyRestriction></saml:ProxyRestriction>")),
        ("<saml:SubjectConfirmation ", "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:holder-of-key\"></saml:SubjectConfirmation><saml:SubjectConfirmation ".to_owned()),
        ("<saml:Issuer>", "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:entity\">".to_owned()),
        ("<saml:SubjectConfirmationData ", "<saml:SubjectConfirmationData InResponseTo=\"_q1\" ".to_owned()),
    ] {
        let changed = ASSERTION.replacen(from, &to, 1);
        assert!(setting.verify(&setting.sign(&changed)).await.is_ok(), "{to}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_assertion_holds_within_its_times() {
    let setting = Setting::new();
    let signed = setting.sign(ASSERTION);
    for (later, expected) in [
        (-31.0, Some("token_not_yet_valid")),
        (-30.0, None),
        (0.0, None),
        (329.0, None),
        (330.0, Some("token_expired")),
    ] {
        assert_eq!(setting.at(NOW + later, &signed).await.err(), expected, "{later}");
    }
    // The first of the ends counts, whichever it is.
    for (from, to) in [
        ("NotOnOrAfter=\"1970-01-12T13:56:40Z\"", "NotOnOrAfter=\"1970-01-12T13:47:40Z\""),
        ("NotOnOrAfter=\"1970-01-12T13:51:40Z\"", "NotOnOrAfter=\"1970-01-12T13:47:40Z\""),
        (
            "<saml:AuthnStatement AuthnInstant=\"1970-01-12T13:46:00Z\"",
            "<saml:AuthnStatement AuthnInstant=\"1970-01-12T13:46:00Z\" SessionNotOnOrAfter=\"1970-01-12T13:47:40Z\"",
        ),
    ] {
        let signed = setting.sign(&ASSERTION.replacen(from, to, 1));
        assert!(setting.at(NOW + 89.0, &signed).await.is_ok(), "{to}");
        assert_eq!(setting.at(NOW + 90.0, &signed).await, Err("token_expired"), "{to}");
    }
    let aged = Setting::with(|settings| settings.expectations.max_age = Some(60.0));
    let signed = aged.sign(ASSERTION);
    assert!(aged.at(NOW + 89.0, &signed).await.is_ok());
    assert_eq!(aged.at(NOW + 90.0, &signed).await, Err("token_too_old"));
}

/// The address of a confirmation is the client's, as far as the event tells that.
#[tokio::test(start_paused = true)]
async fn a_confirmation_for_one_address_is_taken_from_there() {
    let setting = Setting::new();
    let bound = ASSERTION.replacen(
        "<saml:SubjectConfirmationData ",
        "<saml:SubjectConfirmationData Address=\"192.0.2.1\" ",
        1,
    );
    let text = URL_SAFE_NO_PAD.encode(setting.sign(&bound));
    for (address, is_taken) in [("192.0.2.1", true), ("192.0.2.10", false), ("", false)] {
        let event = json!({
            "type": "REQUEST", "methodArn": "arn:aws:execute-api:us-east-1:123456789012:abc/dev/GET/orders",
            "headers": {"Authorization": format!("Bearer {text}")},
            "requestContext": {"identity": {"sourceIp": address}},
        });
        let event = event.to_string();
        let request: Request =
            Event { payload: &event, invocation_id: "1", deadline: None }.try_into().unwrap();
        let credential = crate::credential::IdentitySources::default().extract(&request).unwrap();
        let verified = setting.present(Presented::new(&credential, &request)).await;
        assert_eq!(verified.err(), (!is_taken).then_some("saml_unconfirmed"), "{address}");
    }
}

/// RFC 7522, section 3, point 8; and SAML 2.0 core, section 2.5.1.5.
#[tokio::test(start_paused = true)]
async fn an_assertion_is_used_once_where_replays_are_refused() {
    let once = Setting::with(|settings| settings.is_used_once = true);
    let (signed, other) = (once.sign(ASSERTION), once.sign(ASSERTION));
    let one_time = once.sign(&ASSERTION.replacen(
        CONDITIONS,
        &format!("{CONDITIONS}<saml:OneTimeUse></saml:OneTimeUse>"),
        1,
    ));
    // What is refused is not used up.
    assert_eq!(once.at(NOW - 60.0, &signed).await, Err("token_not_yet_valid"));
    assert!(once.at(NOW, &signed).await.is_ok());
    // Signed anew, it is the same assertion by its ID.
    for again in [&signed, &other, &one_time] {
        assert_eq!(once.verify(again).await, Err("saml_replayed"));
    }
    assert_eq!(once.at(NOW + 330.0, &signed).await, Err("token_expired"));
    let fresh = Setting::with(|settings| settings.is_used_once = true);
    let one_time = fresh.sign(&ASSERTION.replacen(
        CONDITIONS,
        &format!("{CONDITIONS}<saml:OneTimeUse></saml:OneTimeUse>"),
        1,
    ));
    assert!(fresh.verify(&one_time).await.is_ok());
    let accepted = Setting::new();
    let signed = accepted.sign(ASSERTION);
    for _ in 0..3 {
        assert!(accepted.verify(&signed).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn attributes_are_claims_where_the_configuration_says_so() {
    let setting = Setting::with(|settings| settings.attributes.push(("department".into(), "dept".into())));
    let principal = setting.verify(&setting.sign(ASSERTION)).await.unwrap();
    assert_eq!(principal.claims().named("department"), None);
    assert_eq!(principal.claims().named("mail"), None);
    // One that is there twice has the values of both.
    let twice = ASSERTION.replace("Name=\"mail\"", "Name=\"urn:oid:groups\"");
    let principal = setting.verify(&setting.sign(&twice)).await.unwrap();
    assert_eq!(principal.claims().named("groups"), Some(&json!(["clerks", "admins", "alice@example.com"])));
    // A value that is no text is not left out in silence: a rule that denies by it would be passed.
    let structured = ASSERTION.replacen("clerks", "<b>clerks</b>", 1);
    assert_eq!(setting.verify(&setting.sign(&structured)).await, Err("claim_invalid"));
    let unasked = ASSERTION.replacen("Name=\"urn:oid:groups\"", "Name=\"urn:oid:other\"", 1).replacen(
        "clerks",
        "<b>clerks</b>",
        1,
    );
    assert!(setting.verify(&setting.sign(&unasked)).await.is_ok());
}

/// Whoever says DPoP is not to get by with what needs no proof.
#[tokio::test(start_paused = true)]
async fn an_assertion_is_a_bearers() {
    let setting = Setting::new();
    let text = URL_SAFE_NO_PAD.encode(setting.sign(ASSERTION));
    for (scheme, expected) in [("Bearer", None), ("DPoP", Some("token_unbound"))] {
        let event = json!({
            "type": "REQUEST", "methodArn": "arn:aws:execute-api:us-east-1:123456789012:abc/dev/GET/orders",
            "headers": {"Authorization": format!("{scheme} {text}")},
        });
        let event = event.to_string();
        let request: Request =
            Event { payload: &event, invocation_id: "1", deadline: None }.try_into().unwrap();
        let credential = crate::credential::IdentitySources::default().extract(&request).unwrap();
        assert_eq!(setting.present(Presented::new(&credential, &request)).await.err(), expected, "{scheme}");
    }
}

/// What the log states as a fact: the issuer and the key, once the signature holds.
#[tokio::test(start_paused = true)]
async fn a_rejection_of_an_assertion_names_the_issuer_only_behind_a_good_signature() {
    let setting = Setting::new();
    for (xml, is_named) in [
        (setting.sign(&ASSERTION.replace("orders-api", "other")), true),
        (Provider::new().sign(ASSERTION), false),
    ] {
        let text = URL_SAFE_NO_PAD.encode(xml);
        let verified = setting.verifiers.verify(Presented::bearer(&text), NOW, PATIENCE).await;
        let Err(Error::Rejection(rejection)) = verified else { panic!("it is refused") };
        assert_eq!(rejection.issuer.as_deref(), is_named.then_some(ENTITY));
        assert_eq!(rejection.key_id.is_some(), is_named);
    }
}
