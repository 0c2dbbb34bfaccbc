//! A public key in the forms in which verifiers have taken it for something else.

use authorizer_cli::signing::SigningKey;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const INTEGER: u8 = 2;
const BIT_STRING: u8 = 3;
const NULL: u8 = 5;
const OBJECT_ID: u8 = 6;
const UTF8_STRING: u8 = 12;
const UTC_TIME: u8 = 23;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const PRIME_256_V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const ECDSA_WITH_SHA_256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ED_25519: &[u8] = &[0x2b, 0x65, 0x70];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];

/// The forms of a key of the algorithms RS256, ES256 or EdDSA, each with its name.
pub(crate) fn forms(key: &SigningKey) -> Vec<(&'static str, Vec<u8>)> {
    let jwk = key.public_jwk();
    let der = spki(&jwk);
    let pem_text = pem("PUBLIC KEY", &der);
    let mut bare = jwk.clone();
    for name in ["alg", "kid", "use"] {
        bare.as_object_mut().unwrap().remove(name);
    }
    let mut forms = vec![
        ("PEM", pem_text.clone().into()),
        ("PEM without its last line feed", pem_text.trim_end().into()),
        ("PEM with CR LF", pem_text.replace('\n', "\r\n").into()),
        ("PEM in one line", pem_text.replace('\n', "").into()),
        ("PEM behind a line feed", format!("\n{pem_text}").into()),
        ("PEM behind spaces", format!("  {pem_text}").into()),
        ("PEM behind a byte order mark", format!("\u{feff}{pem_text}").into()),
        ("PEM behind a comment", format!("# the key\n{pem_text}").into()),
        ("PEM behind a NUL", format!("\0{pem_text}").into()),
        ("DER", der.clone()),
        ("DER in base64", STANDARD.encode(&der).into()),
        ("a JWK", jwk.to_string().into()),
        ("a JWK of the required members", bare.to_string().into()),
        ("a JWK with spaces", serde_json::to_string_pretty(&jwk).unwrap().into()),
        ("a JWK set", json!({"keys": [jwk]}).to_string().into()),
        ("OpenSSH", ssh(&jwk).into()),
        ("the key ID", key.kid().into()),
    ];
    if jwk["kty"] == "RSA" {
        let pkcs1 = pkcs1(&jwk);
        forms.extend([
            ("PKCS#1 PEM", pem("RSA PUBLIC KEY", &pkcs1).into()),
            ("PKCS#1 PEM behind a line feed", format!("\n{}", pem("RSA PUBLIC KEY", &pkcs1)).into()),
            ("PKCS#1 DER", pkcs1),
            ("the modulus", member(&jwk, "n")),
        ]);
    }
    if jwk["crv"] == "P-256" {
        let certificate = certificate(key);
        forms.extend([
            ("the point", point(&jwk)),
            ("a certificate as PEM", pem("CERTIFICATE", &certificate).into()),
            ("a certificate as DER", certificate),
        ]);
    }
    forms
}

/// RFC 7468.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A self-signed certificate of a P-256 key (RFC 5280, section 4.1), valid until 2049.
pub(crate) fn certificate(key: &SigningKey) -> Vec<u8> {
    let name = tlv(UTF8_STRING, b"login.example.com");
    let name = sequence(&[&tlv(SET, &sequence(&[&tlv(OBJECT_ID, COMMON_NAME), &name]))]);
    let validity = sequence(&[&tlv(UTC_TIME, b"200101000000Z"), &tlv(UTC_TIME, b"491231235959Z")]);
    let algorithm = sequence(&[&tlv(OBJECT_ID, ECDSA_WITH_SHA_256)]);
    let body =
        sequence(&[&tlv(INTEGER, &[1]), &algorithm, &name, &validity, &name, &spki(&key.public_jwk())]);
    let signature = ecdsa_der(&key.signature(&body).unwrap());
    sequence(&[&body, &algorithm, &bit_string(&signature)])
}

/// The ASN.1 form of an ECDSA signature, for one of r and s at full length (RFC 3279, section 2.2.3).
pub(crate) fn ecdsa_der(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    sequence(&[&integer(r), &integer(s)])
}

/// RFC 5280, section 4.1.2.7.
fn spki(jwk: &Value) -> Vec<u8> {
    let (algorithm, key) = match jwk["kty"].as_str().unwrap() {
        "RSA" => (sequence(&[&tlv(OBJECT_ID, RSA_ENCRYPTION), &tlv(NULL, &[])]), pkcs1(jwk)),
        "EC" => (sequence(&[&tlv(OBJECT_ID, EC_PUBLIC_KEY), &tlv(OBJECT_ID, PRIME_256_V1)]), point(jwk)),
        _ => (sequence(&[&tlv(OBJECT_ID, ED_25519)]), member(jwk, "x")),
    };
    sequence(&[&algorithm, &bit_string(&key)])
}

/// RFC 8017, appendix A.1.1.
fn pkcs1(jwk: &Value) -> Vec<u8> {
    sequence(&[&integer(&member(jwk, "n")), &integer(&member(jwk, "e"))])
}

/// SEC 1, section 2.3.3.
fn point(jwk: &Value) -> Vec<u8> {
    [vec![4], member(jwk, "x"), member(jwk, "y")].concat()
}

/// A line of `authorized_keys` (RFC 4253, section 6.6; RFC 5656, section 3.1; RFC 8709, section 4).
fn ssh(jwk: &Value) -> String {
    let (name, fields) = match jwk["kty"].as_str().unwrap() {
        "RSA" => ("ssh-rsa", vec![unsigned(&member(jwk, "e")), unsigned(&member(jwk, "n"))]),
        "EC" => ("ecdsa-sha2-nistp256", vec![b"nistp256".to_vec(), point(jwk)]),
        _ => ("ssh-ed25519", vec![member(jwk, "x")]),
    };
    let fields = [vec![name.as_bytes().to_vec()], fields].concat();
    let fields: Vec<_> = fields
        .iter()
        .map(|field| [&u32::try_from(field.len()).unwrap().to_be_bytes(), &field[..]].concat())
        .collect();
    format!("{name} {}", STANDARD.encode(fields.concat()))
}

fn member(jwk: &Value, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = match length {
        [0, short @ ..=0x7f] => vec![short],
        [0, long] => vec![0x81, long],
        [first, second] => vec![0x82, first, second],
    };
    [&[tag], &length[..], content].concat()
}

fn sequence(items: &[&[u8]]) -> Vec<u8> {
    tlv(SEQUENCE, &items.concat())
}

fn bit_string(content: &[u8]) -> Vec<u8> {
    tlv(BIT_STRING, &[&[0], content].concat())
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    tlv(INTEGER, &unsigned(bytes))
}

/// As short as it can be, and never with its first bit set, which would be a sign.
fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let sign: &[u8] = if bytes[start] >= 0x80 { &[0] } else { &[] };
    [sign, &bytes[start..]].concat()
}
