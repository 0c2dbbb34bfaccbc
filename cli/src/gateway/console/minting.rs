//! Tokens of the development issuer, whole and broken.

use std::sync::Arc;

use lambda_authorizer::jwks::Algorithm;
use serde_json::{Map, Value};

use super::text;
use crate::Error;
use crate::issuer::{AUDIENCE, DevelopmentIssuer};
use crate::mint::{Broken, Mint};
use crate::signing::SigningKey;

pub(super) fn mint(issuer: &DevelopmentIssuer, question: &Value) -> Result<String, Error> {
    let claims = match question.get("claims") {
        None | Some(Value::Null) => Map::new(),
        Some(given) => given.as_object().cloned().ok_or("`claims` is no JSON object")?,
    };
    let broken = text(question, "broken")?.map(broken).transpose()?;
    let mint = Mint {
        issuer: issuer.url().to_owned(),
        audience: vec![AUDIENCE.to_owned()],
        subject: "user-7f1c".to_owned(),
        expires_in: 3600,
        claims,
        broken,
    };
    mint.token(key(issuer, text(question, "algorithm")?)?.as_ref())
}

fn broken(name: &str) -> Result<Broken, Error> {
    Broken::ALL.into_iter().find(|known| known.name() == name).ok_or_else(|| {
        let names = Broken::ALL.map(Broken::name).join(", ");
        format!("`{name}` is no way to break a token; there are {names}").into()
    })
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
