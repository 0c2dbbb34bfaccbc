//! A function that takes tickets beside tokens: `ticket~SUBJECT~EXPIRY~MAC`, where MAC is HMAC-SHA-256 of what stands before it,
//! in base64url. Everything else is the function as it is deployed. docs/extending.md goes through it.

use std::process::ExitCode;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, verify};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_authorizer::claims::Claims;
use lambda_authorizer::error::{CustomCode, Error};
use lambda_authorizer::verify::{Asked, CredentialVerifier, Identity, Presented, Verification};
use lambda_authorizer::{Function, Setup};
use serde_json::json;

fn main() -> ExitCode {
    Function::new().verifying("ticket", Tickets::new).run()
}

struct Tickets(Key);

const FORGED: CustomCode = CustomCode::new("ticket_forged");
const EXPIRED: CustomCode = CustomCode::new("ticket_expired");

impl Tickets {
    fn new(setup: &Setup<'_>) -> Result<Self, &'static str> {
        let secret = setup.environment.variables.get("TICKET_SECRET").filter(|secret| secret.len() >= 32);
        let secret = secret.ok_or("`TICKET_SECRET` is not there, or shorter than 32 characters")?;
        Ok(Self(Key::new(HMAC_SHA256, secret.as_bytes())))
    }

    fn identity(&self, ticket: &str, now: f64) -> Result<Identity, Error> {
        let parts = ticket
            .rsplit_once('~')
            .and_then(|(signed, mac)| Some((signed, URL_SAFE_NO_PAD.decode(mac).ok()?)));
        let (signed, _) = parts
            .filter(|(signed, mac)| verify(&self.0, signed.as_bytes(), mac).is_ok())
            .ok_or_else(|| FORGED.refusal("the ticket is not signed with our secret"))?;
        let [_, subject, expiry] = signed.split('~').collect::<Vec<_>>()[..] else {
            return Err(FORGED.refusal("the ticket is signed, and has not four parts"));
        };
        match expiry.parse::<u32>().map(f64::from) {
            Ok(expiry) if now < expiry => {
                let claims = serde_json::Map::from_iter([
                    ("sub".into(), json!(subject)),
                    ("exp".into(), json!(expiry)),
                ]);
                Ok(Identity { key_id: None, claims: Claims::from(claims) })
            }
            _ => Err(EXPIRED.refusal(format!("the ticket of `{subject}` ended at {expiry}"))),
        }
    }
}

impl CredentialVerifier for Tickets {
    fn is_meant(&self, presented: &Presented<'_>) -> bool {
        presented.token().starts_with("ticket~")
    }

    fn verify<'a>(&'a self, asked: Asked<'a>) -> Verification<'a> {
        Box::pin(async move { self.identity(asked.presented.token(), asked.now) })
    }
}
