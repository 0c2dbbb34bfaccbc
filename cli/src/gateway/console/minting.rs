//! Tokens of the development issuer, whole and broken.

use std::sync::Arc;

use lambda_authorizer::jwks::Algorithm;
use serde_json::{Map, Value};

use super::text;
use crate::Error;
use crate::issuer::{DevelopmentIssuer, unix_time};
use crate::signing::SigningKey;

const FLAWS: [&str; 4] = ["expired", "not_yet_valid", "wrong_audience", "forged"];

pub(super) fn mint(issuer: &DevelopmentIssuer, question: &Value) -> Result<String, Error> {
    let mut claims = issuer.claims();
    let given = match question.get("claims") {
        None | Some(Value::Null) => &Map::new(),
        Some(given) => given.as_object().ok_or("`claims` is no JSON object")?,
    };
    // What this issuer signs says so: a development token never has another's name.
    if given.get("iss").is_some_and(|named| named != issuer.url()) {
        return Err(format!("the development issuer is `{}`, and mints for no other", issuer.url()).into());
    }
    if let Value::Object(claims) = &mut claims {
        for (name, value) in given {
            if value.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
    }
    let flaw = text(question, "flaw")?;
    if let Some(unknown) = flaw.filter(|flaw| !FLAWS.contains(flaw)) {
        return Err(format!("`{unknown}` is no flaw; there are {}", FLAWS.join(", ")).into());
    }
    let now = unix_time();
    let spoilt: &[(&str, Value)] = match flaw {
        Some("expired") => &[("iat", (now - 7200).into()), ("exp", (now - 3600).into())],
        Some("not_yet_valid") => &[("nbf", (now + 3600).into()), ("exp", (now + 7200).into())],
        Some("wrong_audience") => &[("aud", "another-api".into())],
        Some(_) | None => &[],
    };
    if let Value::Object(claims) = &mut claims {
        claims.extend(spoilt.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
    let key = key(issuer, text(question, "algorithm")?)?;
    match flaw {
        Some("forged") => Ok(SigningKey::generate(key.algorithm(), key.kid())?.token(&claims)?),
        Some(_) | None => Ok(key.token(&claims)?),
    }
}

/// The issuer's key of this algorithm, which is made when it is first asked for; without any, the first.
fn key(issuer: &DevelopmentIssuer, algorithm: Option<&str>) -> Result<Arc<SigningKey>, Error> {
    let mut keys = issuer.keys();
    let Some(name) = algorithm else {
        return Ok(keys.first().cloned().ok_or("the issuer has no key to sign with")?);
    };
    let algorithm: Algorithm = name.parse().map_err(|_| {
        let names = Algorithm::ALL.map(Algorithm::name).join(", ");
        format!("`{name}` is no algorithm; there are {names}")
    })?;
    if let Some(known) = keys.iter().find(|key| key.algorithm() == algorithm) {
        return Ok(Arc::clone(known));
    }
    let kid = format!("development-{}", keys.len() + 1);
    let made = Arc::new(SigningKey::generate(algorithm, kid)?);
    keys.push(Arc::clone(&made));
    issuer.replace_keys(keys);
    Ok(made)
}
