//! Tokens that no issuer makes, signed by an issuer's keys all the same.

use authorizer_cli::issuer::DevelopmentIssuer;
use authorizer_cli::signing::SigningKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The header of an ordinary token with these members in it; `null` stays `null`.
pub(crate) fn header(issuer: &DevelopmentIssuer, members: Value) -> Value {
    let mut header = issuer.keys()[0].header();
    for (name, value) in members.as_object().unwrap() {
        header[name] = value.clone();
    }
    header
}

/// A token of the issuer's first key with these header members.
pub(crate) fn with_header(issuer: &DevelopmentIssuer, members: Value) -> String {
    issuer.keys()[0].sign(&header(issuer, members), &issuer.claims()).unwrap()
}

/// A token of the issuer's first key whose claims are this text.
pub(crate) fn with_payload(issuer: &DevelopmentIssuer, payload: &str) -> String {
    issuer.keys()[0].sign_text(&header(issuer, json!({})).to_string(), payload).unwrap()
}

/// The claims of an ordinary token, with one member replaced by what only JSON text can say.
pub(crate) fn payload_with(issuer: &DevelopmentIssuer, name: &str, text: &str) -> String {
    let mut claims = issuer.claims();
    claims[name] = json!("HERE");
    claims.to_string().replace("\"HERE\"", text)
}

/// Signs parts as they are, whatever they are.
pub(crate) fn signed(key: &SigningKey, header: &str, payload: &str) -> String {
    let message = format!("{header}.{payload}");
    let signature = key.signature(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Header, claims and signature.
pub(crate) fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

/// Sets bits that no byte is made of: a lenient decoder does not see the difference.
pub(crate) fn with_spare_bits(part: &str) -> String {
    assert_ne!(part.len() % 4, 0, "there are no spare bits");
    let (rest, last) = part.split_at(part.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = alphabet.find(last).unwrap() + 1;
    format!("{rest}{}", &alphabet[next..=next])
}
