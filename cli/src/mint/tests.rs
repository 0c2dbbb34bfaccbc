use super::*;
use crate::signing::Algorithm;

const ISSUER: &str = "https://issuer.development.invalid/";

fn mint(broken: Option<Broken>) -> Mint {
    Mint {
        issuer: ISSUER.to_owned(),
        audience: vec!["orders-api".to_owned()],
        subject: "user-7f1c".to_owned(),
        expires_in: 300,
        claims: Map::new(),
        broken,
    }
}

fn claims_of(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_name_that_somebody_may_own_is_refused() {
    for issuer in [
        "http://127.0.0.1:8080/",
        "http://127.8.0.1",
        "http://[::1]:8080/",
        "http://localhost:3000/realms/orders",
        "https://issuer.localhost/",
        ISSUER,
        "https://ISSUER.Test./",
    ] {
        assert!(refuse_others(issuer).is_ok(), "{issuer}");
    }
    for issuer in [
        "",
        "issuer",
        "https://login.example.com/",
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a",
        "https://localhost.example.com/",
        "https://login.example.com@issuer.test/",
        "https://login.example.com\\@issuer.test/",
        "https://192.168.0.1/",
        "https://0.0.0.0/",
        "https://mytest/",
        "https://login.example.com#.test",
        "https://login.example.com?.test",
        "urn:issuer.test",
        "ftp://issuer.test/",
    ] {
        let error = refuse_others(issuer).map_err(|error| error.to_string());
        let is_whole =
            |error: &String| error.contains(&format!("`{issuer}` may be a real")) && error.contains("hint: ");
        assert!(error.as_ref().is_err_and(is_whole), "{issuer}: {error:?}");
    }
}

#[test]
fn a_real_issuer_does_not_get_in_as_a_claim() {
    let key = SigningKey::generate(Algorithm::ES256, "k").unwrap();
    for (issuer, is_allowed) in [
        (json!("https://login.example.com/"), false),
        (json!(["https://login.example.com/"]), false),
        (json!("http://127.0.0.1/"), true),
        (json!(null), true),
    ] {
        for broken in [None, Some(Broken::Expired)] {
            let mut mint = mint(broken);
            mint.claims.insert("iss".to_owned(), issuer.clone());
            assert_eq!(mint.token(&key).is_ok(), is_allowed, "{issuer}");
        }
    }
}

#[test]
fn claims_are_added_replaced_and_taken_away() {
    let key = SigningKey::generate(Algorithm::EdDSA, "k").unwrap();
    let mut mint = mint(None);
    mint.audience.push("web".to_owned());
    for (name, value) in [("scope", json!("a b")), ("sub", json!(null)), ("org", json!({"tier": "gold"}))] {
        mint.claims.insert(name.to_owned(), value);
    }
    let claims = claims_of(&mint.token(&key).unwrap());
    assert_eq!(claims["aud"], json!(["orders-api", "web"]));
    assert_eq!(claims["org"]["tier"], "gold");
    assert!(claims.get("sub").is_none());
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 300);
}
