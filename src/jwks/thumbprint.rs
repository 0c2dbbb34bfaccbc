//! [`thumbprint`]: the name of a key that is made of the key (RFC 7638).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// The SHA-256 thumbprint of a public JWK, in base64url; `None` for a kind of key that nothing is verified with here, or
/// one that lacks a member.
#[must_use]
pub fn thumbprint(jwk: &Map<String, Value>) -> Option<String> {
    // RFC 7638, section 3.2: these members and no others, in the order of their names.
    let members: &[&str] = match jwk.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    let member = |name: &&str| {
        let value = jwk.get(*name).filter(|value| value.is_string())?;
        Some(format!("\"{name}\":{value}"))
    };
    let members: Vec<String> = members.iter().map(member).collect::<Option<_>>()?;
    let json = format!("{{{}}}", members.join(","));
    Some(URL_SAFE_NO_PAD.encode(digest(&SHA256, json.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(jwk: &Value) -> Option<String> {
        thumbprint(jwk.as_object().unwrap())
    }

    /// RFC 7638, section 3.1; RFC 8037, appendix A.3; RFC 9449, section 6.1.
    #[test]
    fn they_are_those_of_the_standards() {
        let rsa = json!({
            "kty": "RSA", "alg": "RS256", "kid": "2011-04-29", "e": "AQAB",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        });
        assert_eq!(of(&rsa).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        let edwards =
            json!({"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "crv": "Ed25519", "kty": "OKP"});
        assert_eq!(of(&edwards).unwrap(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let curve = json!({
            "kty": "EC", "crv": "P-256",
            "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        });
        assert_eq!(of(&curve).unwrap(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }

    #[test]
    fn a_key_that_is_not_whole_has_none() {
        for jwk in [
            json!({}),
            json!({"kty": "EC", "crv": "P-256", "x": "a"}),
            json!({"kty": "EC", "crv": "P-256", "x": "a", "y": 1}),
            json!({"kty": "oct", "k": "a"}),
            json!({"kty": ["RSA"], "n": "a", "e": "b"}),
        ] {
            assert_eq!(of(&jwk), None, "{jwk}");
        }
    }
}
