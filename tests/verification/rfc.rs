//! The examples of the RFCs. `vectors.json` holds them as they are printed, by RFC and section.
//!
//! A digit that went wrong must not hide behind a refusal: the signature of every example is checked by
//! the signature library alone, too, and every refused one stands beside one that is allowed.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPairComponents;
use aws_lc_rs::signature::{
    self, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use lambda_authorizer::error::Reason;
use lambda_authorizer::jwks::{Algorithm, KeyProblem, KeySearch, KeySet, KeySetError};
use lambda_authorizer::verify::{AudienceCheck, Expectations, Presence, Profile, verify};
use serde_json::{Value, json};

use crate::{decode, encode, key, keys_of, parts, with};

static VECTORS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("vectors.json")).unwrap());

fn vector(rfc: &str, section: &str, member: &str) -> &'static Value {
    let found = &VECTORS[rfc][section][member];
    assert!(!found.is_null(), "{rfc}, {section} has no {member}");
    found
}

fn text(rfc: &str, section: &str, member: &str) -> &'static str {
    vector(rfc, section, member).as_str().unwrap()
}

/// The `exp` of the claims set that RFC 7515, RFC 7519 and RFC 7520 share.
const EXPIRY: f64 = 1_300_819_380.0;

fn of_one_key(jwk: &Value) -> KeySet {
    keys_of(&json!({"keys": [jwk]}))
}

/// The claims sets of the RFCs name neither subject nor audience.
fn expectations(issuer: &str) -> Expectations {
    let mut expectations = Expectations::new(Profile::AccessToken, issuer, AudienceCheck::Unchecked);
    expectations.subject = Presence::Optional;
    expectations
}

fn verdict(token: &str, keys: &KeySet, issuer: &str) -> &'static str {
    crate::verdict(token, keys, &expectations(issuer), EXPIRY - 1.0)
}

/// What is wrong with the form of a token.
fn problem(token: &str, keys: &KeySet) -> &'static str {
    match verify(token, keys, &expectations("joe"), EXPIRY - 1.0).map_err(|rejection| rejection.reason) {
        Err(Reason::TokenMalformed { problem }) => problem,
        other => panic!("{other:?}"),
    }
}

/// Whether the signature holds, by the JWK and the signature library alone.
fn holds(token: &str, jwk: &Value) -> bool {
    let [header, payload, signature] = parts(token);
    let message = format!("{header}.{payload}");
    let (message, signature) = (message.as_bytes(), decode(signature));
    let member = |name: &str| decode(jwk[name].as_str().unwrap());
    let plain = |algorithm: &'static dyn VerificationAlgorithm, key: Vec<u8>| {
        UnparsedPublicKey::new(algorithm, key).verify(message, &signature).is_ok()
    };
    let rsa = |parameters| {
        let key = RsaPublicKeyComponents { n: member("n"), e: member("e") };
        key.verify(parameters, message, &signature).is_ok()
    };
    let point = || [vec![4], member("x"), member("y")].concat();
    match member_of_header(token, "alg").as_str().unwrap() {
        "RS256" => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        "PS256" => rsa(&signature::RSA_PSS_2048_8192_SHA256),
        "PS384" => rsa(&signature::RSA_PSS_2048_8192_SHA384),
        "ES256" => plain(&signature::ECDSA_P256_SHA256_FIXED, point()),
        "ES512" => plain(&signature::ECDSA_P521_SHA512_FIXED, point()),
        "EdDSA" => plain(&signature::ED25519, member("x")),
        other => panic!("no such algorithm: {other}"),
    }
}

/// Whether the signature holds by the key that our set finds for the token.
fn holds_by_our_key(token: &str, keys: &KeySet) -> bool {
    let [header, payload, signature] = parts(token);
    let message = format!("{header}.{payload}");
    let algorithm: Algorithm = member_of_header(token, "alg").as_str().unwrap().parse().unwrap();
    let id = member_of_header(token, "kid");
    let KeySearch::Found(key) = keys.find(id.as_str(), algorithm) else { panic!("no key for {token}") };
    let ready = key.public().ready_for(algorithm).unwrap();
    ready.verify_sig(message.as_bytes(), &decode(signature)).is_ok()
}

fn header_of(token: &str) -> Value {
    serde_json::from_slice(&decode(token.split('.').next().unwrap())).unwrap()
}

fn member_of_header(token: &str, name: &str) -> Value {
    header_of(token)[name].clone()
}

/// Whether the HMAC holds, by the signature library alone.
fn hmac_holds(token: &str) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let secret = hmac::Key::new(hmac::HMAC_SHA256, &decode(text("RFC 7515", "A.1", "secret")));
    hmac::verify(&secret, message.as_bytes(), &decode(signature)).is_ok()
}

/// An example whose payload is no claims set: its signature holds, by the key as we read it, too; it is
/// refused for its payload alone.
fn is_a_good_signature_of_no_claims(token: &str, jwk: &Value) {
    let keys = of_one_key(jwk);
    assert!(holds(token, jwk), "the example is not intact: {token}");
    assert!(holds_by_our_key(token, &keys), "{token}");
    assert_eq!(problem(token, &keys), "the claims are not a JSON object", "{token}");
}

/// A token of the shared claims set, signed by whatever makes signatures.
fn signed(header: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let claims = json!({"iss": "joe", "exp": EXPIRY});
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = sign(message.as_bytes());
    format!("{message}.{}", encode(signature))
}

fn rsa_sign(private: &Value, message: &[u8]) -> Vec<u8> {
    let member = |name: &str| decode(private[name].as_str().unwrap());
    let pair = RsaKeyPair::from_components(&KeyPairComponents {
        public_key: RsaPublicKeyComponents { n: member("n"), e: member("e") },
        d: member("d"),
        p: member("p"),
        q: member("q"),
        dP: member("dp"),
        dQ: member("dq"),
        qInv: member("qi"),
    });
    let pair = pair.unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
    signature
}

/// RFC 7515, appendices A.2 and A.3, and the signed part of RFC 7520, section 6: the claims sets that are
/// signed by a public key.
#[test]
fn signed_claims_sets_of_the_rfcs_are_allowed_until_they_expire() {
    for (rfc, section, token, issuer) in [
        ("RFC 7515", "A.2", "token", "joe"),
        ("RFC 7515", "A.3", "token", "joe"),
        ("RFC 7520", "6", "inner", "hobbiton.example"),
    ] {
        let (jwk, token) = (vector(rfc, section, "key"), text(rfc, section, token));
        let keys = of_one_key(jwk);
        assert!(holds(token, jwk), "{rfc} {section}");
        let principal = verify(token, &keys, &expectations(issuer), EXPIRY - 1.0).unwrap();
        assert_eq!(principal.claims().named("http://example.com/is_root"), Some(&json!(true)));
        for (now, expected) in [(EXPIRY + 29.0, "allowed"), (EXPIRY + 30.0, "token_expired")] {
            assert_eq!(crate::verdict(token, &keys, &expectations(issuer), now), expected, "{section}");
        }
        assert_eq!(verdict(token, &keys, "jo"), "issuer_unknown");
        let other = of_one_key(&key(Algorithm::ES256).public_jwk());
        let expected = if section == "A.3" { "signature_invalid" } else { "key_not_found" };
        assert_eq!(verdict(token, &other, issuer), expected, "{section}");
    }
}

/// RFC 7515, appendices A.1 and A.5; RFC 7519, sections 3.1 and 6.1, are the same two tokens.
#[test]
fn what_no_public_key_signed_is_refused() {
    let keys = of_one_key(vector("RFC 7515", "A.2", "key"));
    let hmac = text("RFC 7515", "A.1", "token");
    assert!(hmac_holds(hmac));
    assert_eq!(header_of(hmac), json!({"typ": "JWT", "alg": "HS256"}));
    assert_eq!(verdict(hmac, &keys, "joe"), "algorithm_not_allowed");
    let unsecured = text("RFC 7515", "A.5", "token");
    assert_eq!(header_of(unsecured), json!({"alg": "none"}));
    assert_eq!(parts(unsecured)[1], parts(text("RFC 7515", "A.2", "token"))[1]);
    assert_eq!(verdict(unsecured, &keys, "joe"), "token_unsigned");
    // The same with the signature of the other: what is left to refuse is the algorithm.
    let borrowed = format!("{unsecured}{}", parts(text("RFC 7515", "A.2", "token"))[2]);
    assert_eq!(verdict(&borrowed, &keys, "joe"), "algorithm_not_allowed");
    assert_eq!(verdict(text("RFC 7515", "A.2", "token"), &keys, "joe"), "allowed");
}

/// RFC 7515, appendices A.6 and A.7. Put together as a compact token, what they hold is allowed.
#[test]
fn json_serializations_are_refused() {
    let keys = of_one_key(vector("RFC 7515", "A.3", "key"));
    for (section, signature) in [("A.6", "/signatures/1"), ("A.7", "")] {
        let serialization = text("RFC 7515", section, "serialization");
        let json: Value = serde_json::from_str(serialization).unwrap();
        let signature = json.pointer(signature).unwrap();
        let part = |value: &Value| value.as_str().unwrap().to_owned();
        let parts = [&signature["protected"], &json["payload"], &signature["signature"]].map(part);
        assert_eq!(verdict(&parts.join("."), &keys, "joe"), "allowed", "{section}");
        // `http://example.com/is_root` is encoded: the only dots are those of nothing.
        assert_eq!(problem(serialization, &keys), "it has not three parts", "{section}");
    }
}

/// RFC 7515, appendix A.4. The published private key signs what its public half verifies.
#[test]
fn the_p_521_key_of_rfc_7515_verifies() {
    let jwk = vector("RFC 7515", "A.4", "key");
    is_a_good_signature_of_no_claims(text("RFC 7515", "A.4", "token"), jwk);
    let point = [vec![4], decode(jwk["x"].as_str().unwrap()), decode(jwk["y"].as_str().unwrap())].concat();
    let private = decode(text("RFC 7515", "A.4", "private"));
    let pair =
        EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P521_SHA512_FIXED_SIGNING, &private, &point);
    let pair = pair.unwrap();
    let sign = |message: &[u8]| pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec();
    let keys = of_one_key(jwk);
    assert_eq!(verdict(&signed(&json!({"alg": "ES512"}), sign), &keys, "joe"), "allowed");
    assert_eq!(verdict(&signed(&json!({"alg": "ES256"}), sign), &keys, "joe"), "key_not_found");
}

/// RFC 7515, appendix E, whose example is unsecured besides, and with a signature that holds.
#[test]
fn critical_extensions_are_refused() {
    let keys = of_one_key(&key(Algorithm::ES256).public_jwk());
    let printed = text("RFC 7515", "E", "token");
    let header = header_of(printed);
    let undefined = "http://example.com/UNDEFINED";
    assert_eq!(header, json!({"alg": "none", "crit": [undefined], undefined: true}));
    assert_eq!(printed.split('.').nth(1).map(decode).unwrap(), b"FAIL");
    assert_eq!(verdict(printed, &keys, "joe"), "token_unsigned");
    let header = with(&header, &json!({"alg": "ES256"}));
    let sign = |header: &Value| signed(header, |message| key(Algorithm::ES256).signature(message).unwrap());
    assert_eq!(verdict(&sign(&header), &keys, "joe"), "critical_header_unsupported");
    assert_eq!(verdict(&sign(&with(&header, &json!({"crit": null}))), &keys, "joe"), "allowed");
}

/// RFC 7516, appendices A.1 to A.3; RFC 7519, appendices A.1 and A.2 (a nested token); RFC 7520, section 6
/// (another), each of which was decrypted once. Three of the five parts are no token either.
#[test]
fn encrypted_tokens_are_refused() {
    let keys = of_one_key(vector("RFC 7515", "A.2", "key"));
    for (rfc, section, member, header) in [
        ("RFC 7516", "A.1", "token", json!({"alg": "RSA-OAEP", "enc": "A256GCM"})),
        ("RFC 7516", "A.2", "token", json!({"alg": "RSA1_5", "enc": "A128CBC-HS256"})),
        ("RFC 7516", "A.3", "token", json!({"alg": "A128KW", "enc": "A128CBC-HS256"})),
        ("RFC 7519", "A.1", "token", json!({"alg": "RSA1_5", "enc": "A128CBC-HS256"})),
        ("RFC 7519", "A.2", "token", json!({"alg": "RSA1_5", "enc": "A128CBC-HS256", "cty": "JWT"})),
        ("RFC 7520", "6", "outer", json!({"alg": "RSA-OAEP", "cty": "JWT", "enc": "A128GCM"})),
    ] {
        let token = text(rfc, section, member);
        assert_eq!(header_of(token), header, "{rfc} {section}");
        let parts: Vec<_> = token.split('.').collect();
        let [head, _, _, ciphertext, tag] = parts[..] else { panic!("{rfc} {section}") };
        assert_eq!(decode(tag).len(), 16);
        assert_eq!(verdict(token, &keys, "joe"), "token_encrypted", "{rfc} {section}");
        let three = format!("{head}.{ciphertext}.{tag}");
        assert_eq!(verdict(&three, &keys, "joe"), "token_encrypted", "{rfc} {section}");
    }
    // What the two nested tokens hold is allowed on its own.
    assert_eq!(verdict(text("RFC 7515", "A.2", "token"), &keys, "joe"), "allowed");
}

fn problems(keys: &KeySet) -> Vec<KeyProblem> {
    keys.unusable().iter().map(|key| key.problem.clone()).collect()
}

/// RFC 7517, appendix A.1: the first key is for encryption (rule A3), and would fit otherwise. The private
/// half of the second is in appendix A.2.
#[test]
fn the_key_set_of_rfc_7517_is_read() {
    let document = vector("RFC 7517", "A.1", "set");
    let keys = keys_of(document);
    assert_eq!(problems(&keys), [KeyProblem::NotForSignatures]);
    let token = |kid: &str| {
        let header = json!({"alg": "RS256", "kid": kid});
        signed(&header, |message| rsa_sign(vector("RFC 7517", "A.2", "private"), message))
    };
    assert_eq!(verdict(&token("2011-04-29"), &keys, "joe"), "allowed");
    assert_eq!(verdict(&token("2011-04-30"), &keys, "joe"), "key_not_found");
    assert_eq!(verdict(&token("1"), &keys, "joe"), "key_not_found");
    assert!(matches!(keys.find(Some("2011-04-29"), Algorithm::PS256), KeySearch::Mismatch));

    let mut document = document.clone();
    document["keys"][0]["use"] = json!("sig");
    let keys = keys_of(&document);
    assert!(keys.unusable().is_empty());
    assert!(matches!(keys.find(Some("1"), Algorithm::ES256), KeySearch::Found(_)));
    assert!(matches!(keys.find(Some("1"), Algorithm::RS256), KeySearch::Mismatch));
    assert!(matches!(keys.find(Some("2011-04-29"), Algorithm::RS256), KeySearch::Found(_)));
    assert_eq!(verdict(&token("1"), &keys, "joe"), "key_mismatch");
}

/// RFC 7517, appendix A.3.
#[test]
fn symmetric_keys_are_no_keys() {
    let symmetric = vector("RFC 7517", "A.3", "set");
    let problem = KeySet::parse(symmetric.to_string().as_bytes()).err();
    let unsupported = KeySetError::NoUsableKey { count: 2, first: Some(KeyProblem::Unsupported) };
    assert_eq!(problem, Some(unsupported));
    // Beside a key that is one, they are left out, and the token that one of them made stays refused.
    let mut document = symmetric.clone();
    document["keys"].as_array_mut().unwrap().push(vector("RFC 7515", "A.2", "key").clone());
    let keys = keys_of(&document);
    assert_eq!(problems(&keys), [KeyProblem::Unsupported, KeyProblem::Unsupported]);
    assert_eq!(verdict(text("RFC 7515", "A.1", "token"), &keys, "joe"), "algorithm_not_allowed");
    assert_eq!(verdict(text("RFC 7515", "A.2", "token"), &keys, "joe"), "allowed");
}

/// RFC 7517, appendix B: `x5c` is not read, and does not disturb. That the numbers are intact, the
/// certificate says.
#[test]
fn a_key_with_a_certificate_is_read() {
    use base64::Engine as _;
    let jwk = vector("RFC 7517", "B", "key");
    let keys = of_one_key(jwk);
    assert!(matches!(keys.find(Some("1b94c"), Algorithm::RS256), KeySearch::Found(_)));
    assert!(matches!(keys.find(Some("1b94c"), Algorithm::ES256), KeySearch::Mismatch));
    let certificate = base64::engine::general_purpose::STANDARD.decode(jwk["x5c"][0].as_str().unwrap());
    let modulus = decode(jwk["n"].as_str().unwrap());
    assert!(certificate.unwrap().windows(modulus.len()).any(|window| window == modulus));
}

/// RFC 7520, sections 4.1 to 4.3. The RSA key and the P-521 key have one ID.
#[test]
fn the_signatures_of_the_cookbook_hold() {
    for section in ["4.1", "4.2", "4.3"] {
        is_a_good_signature_of_no_claims(
            text("RFC 7520", section, "token"),
            vector("RFC 7520", section, "key"),
        );
    }
    let keys =
        keys_of(&json!({"keys": [vector("RFC 7520", "4.1", "key"), vector("RFC 7520", "4.3", "key")]}));
    for section in ["4.1", "4.2", "4.3"] {
        assert!(holds_by_our_key(text("RFC 7520", section, "token"), &keys), "{section}");
    }
}

/// RFC 7797, section 4: a payload that is not encoded, whether it is there or left out, and section 4.1,
/// which is an ordinary token of no claims.
#[test]
fn payloads_that_are_not_encoded_are_refused() {
    let keys = of_one_key(&key(Algorithm::ES256).public_jwk());
    let encoded = text("RFC 7797", "4.1", "token");
    assert!(hmac_holds(encoded));
    assert_eq!(problem(encoded, &keys), "the claims are not a JSON object");
    let plain = text("RFC 7797", "4.2", "token");
    assert!(hmac_holds(plain));
    assert_eq!(header_of(plain), json!({"alg": "HS256", "b64": false, "crit": ["b64"]}));
    assert_eq!(problem(plain, &keys), "it has not three parts");
    assert_eq!(problem(&plain.replace("$.02", ""), &keys), "it has not three parts");
    assert_eq!(verdict(&plain.replace("$.02", "$02"), &keys, "joe"), "payload_unencoded");

    // Rule A7: with a signature that holds over the payload as it stands.
    let sign = |header: Value, payload: &str| {
        let message = format!("{}.{payload}", encode(header.to_string()));
        format!("{message}.{}", encode(key(Algorithm::ES256).signature(message.as_bytes()).unwrap()))
    };
    let claims = r#"{"iss":"joe","exp":1300819380}"#;
    for (header, payload, expected) in [
        (json!({"alg": "ES256"}), encode(claims), "allowed"),
        (json!({"alg": "ES256", "b64": false, "crit": ["b64"]}), claims.to_owned(), "payload_unencoded"),
        (json!({"alg": "ES256", "b64": false}), claims.to_owned(), "payload_unencoded"),
        (json!({"alg": "ES256", "b64": true, "crit": ["b64"]}), encode(claims), "payload_unencoded"),
        (json!({"alg": "ES256", "b64": true}), encode(claims), "payload_unencoded"),
        (json!({"alg": "ES256"}), claims.to_owned(), "token_malformed"),
    ] {
        assert_eq!(verdict(&sign(header.clone(), &payload), &keys, "joe"), expected, "{header} {payload}");
    }
}

/// RFC 8037, appendix A.4, and the keys of A.1 and A.2 under both names of RFC 9864, section 2.2.
#[test]
fn ed25519_has_two_names() {
    let jwk = vector("RFC 8037", "A.2", "key");
    is_a_good_signature_of_no_claims(text("RFC 8037", "A.4", "token"), jwk);
    let public = decode(jwk["x"].as_str().unwrap());
    let private = decode(text("RFC 8037", "A.1", "private"));
    let pair = Ed25519KeyPair::from_seed_and_public_key(&private, &public).unwrap();
    let sign = |name: &str| signed(&json!({"alg": name}), |message| pair.sign(message).as_ref().to_vec());
    for (own, name, expected) in [
        (None, "EdDSA", "allowed"),
        (None, "Ed25519", "allowed"),
        (Some("EdDSA"), "EdDSA", "allowed"),
        (Some("EdDSA"), "Ed25519", "allowed"),
        (Some("Ed25519"), "EdDSA", "allowed"),
        (Some("Ed25519"), "Ed25519", "allowed"),
        (None, "Ed448", "algorithm_not_allowed"),
        (None, "eddsa", "algorithm_not_allowed"),
        (None, "ED25519", "algorithm_not_allowed"),
        (None, "ES256", "key_not_found"),
    ] {
        let keys = of_one_key(&with(jwk, &json!({"alg": own})));
        assert_eq!(verdict(&sign(name), &keys, "joe"), expected, "{own:?} {name}");
    }
    // A list that has one name only means that one only.
    let keys = of_one_key(jwk);
    for (listed, name, expected) in [
        (Algorithm::EdDSA, "EdDSA", "allowed"),
        (Algorithm::EdDSA, "Ed25519", "algorithm_not_allowed"),
        (Algorithm::Ed25519, "Ed25519", "allowed"),
        (Algorithm::Ed25519, "EdDSA", "algorithm_not_allowed"),
    ] {
        let mut expectations = expectations("joe");
        expectations.algorithms = vec![listed];
        let found = crate::verdict(&sign(name), &keys, &expectations, EXPIRY - 1.0);
        assert_eq!(found, expected, "{listed:?} {name}");
    }
}

/// RFC 9864, section 2: of the names that it registers for JOSE, `Ed25519` alone is one of ours; those of
/// COSE are none.
#[test]
fn only_one_name_of_rfc_9864_is_known() {
    assert_eq!("Ed25519".parse(), Ok(Algorithm::Ed25519));
    for name in ["Ed448", "ESP256", "ESP384", "ESP512", "ESB256", "ESB320", "ESB384", "ESB512"] {
        assert!(name.parse::<Algorithm>().is_err(), "{name}");
    }
}

/// RFC 9068, section 3, signed by a key of ours; section 2.2 lists what is required, section 4 the types.
#[test]
fn the_access_token_of_rfc_9068_is_allowed_as_a_whole() {
    const ISSUER: &str = "https://authorization-server.example.com/";
    let header = json!({"typ": "at+JWT", "alg": "RS256", "kid": "RjEwOwOA"});
    let claims = json!({
        "iss": ISSUER,
        "sub": "5ba552d67",
        "aud": "https://rs.example.com/",
        "exp": 1_639_528_912,
        "iat": 1_618_354_090,
        "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
        "client_id": "s6BhdRkqt3",
        "scope": "openid profile reademail",
    });
    let jwk = with(&key(Algorithm::RS256).public_jwk(), &json!({"kid": "RjEwOwOA"}));
    let keys = of_one_key(&jwk);
    let audience = |audience: &str| AudienceCheck::OneOf(vec![audience.into()]);
    let expectations = Expectations::new(Profile::Rfc9068, ISSUER, audience("https://rs.example.com/"));
    let verdict = |header: &Value, claims: &Value, expectations: &Expectations| {
        let token = key(Algorithm::RS256).sign(header, claims).unwrap();
        crate::verdict(&token, &keys, expectations, 1_620_000_000.0)
    };
    assert_eq!(verdict(&header, &claims, &expectations), "allowed");
    for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        let without = with(&claims, &json!({claim: null}));
        assert_eq!(verdict(&header, &without, &expectations), "claim_missing", "{claim}");
    }
    assert_eq!(verdict(&header, &with(&claims, &json!({"scope": null})), &expectations), "allowed");
    for (media_type, expected) in [
        (json!("at+jwt"), "allowed"),
        (json!("application/at+jwt"), "allowed"),
        (json!("Application/AT+JWT"), "allowed"),
        (json!("JWT"), "token_type_unexpected"),
        (json!("application/jwt"), "token_type_unexpected"),
        (json!("at"), "token_type_unexpected"),
        (json!("application/application/at+jwt"), "token_type_unexpected"),
        (json!(""), "token_type_unexpected"),
        (json!(null), "token_type_unexpected"),
    ] {
        let header = with(&header, &json!({"typ": media_type}));
        assert_eq!(verdict(&header, &claims, &expectations), expected, "{media_type}");
    }
    let mut other = expectations;
    other.audience = audience("https://rs.example.com");
    assert_eq!(verdict(&header, &claims, &other), "audience_mismatch");
}
