//! The callers: one scenario for every file in `events/`, with the recipe of its token and what must come
//! of it under the configuration that lies beside it, `events/authorizer.toml`.
//!
//! ```
//! use authorizer_cli::scenario::{Keys, Lifetime, SCENARIOS};
//!
//! let keys = Keys::generate()?;
//! for scenario in SCENARIOS {
//!     let token = scenario.token(&keys, "https://issuer.example/", Lifetime::Short)?;
//!     let event: serde_json::Value = serde_json::from_str(&scenario.event(token.as_deref()))?;
//!     assert!(event["methodArn"].is_string() || event["routeArn"].is_string());
//! }
//! # Ok::<(), authorizer_cli::Error>(())
//! ```

use std::sync::Arc;

use serde_json::json;

use crate::gateway::EventKind;
use crate::issuer::{AUDIENCE, unix_time};
use crate::signing::{Algorithm, SigningError, SigningKey};

/// A sample event and what is expected of it.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The file's name in `events/`.
    pub file: &'static str,
    /// The kind of event in it.
    pub kind: EventKind,
    /// The token that the caller presents, if any.
    pub token: Option<TokenRecipe>,
    /// The status that the client gets, which tells the decision too.
    pub status: u16,
    /// The code of the reason; `None` when the caller is allowed.
    pub reason: Option<&'static str>,
    method: &'static str,
    shape: &'static str,
}

/// How a token is made.
#[derive(Clone, Copy, Debug)]
pub struct TokenRecipe {
    algorithm: Algorithm,
    issuer: Issuer,
    signer: Signer,
    audience: &'static str,
    scope: &'static str,
    expired: bool,
}

/// How long a token is valid.
#[derive(Clone, Copy, Debug)]
pub enum Lifetime {
    /// To the year 2100, for files that are kept. An expired one ended in 2025.
    Long,
    /// Five minutes from now. An expired one ended an hour ago.
    Short,
}

/// The keys of the issuer, and those of a forger who gave theirs the same names.
#[derive(Debug)]
pub struct Keys {
    issuer: [Arc<SigningKey>; 2],
    forger: [Arc<SigningKey>; 2],
}

/// The `iss` of the second issuer in `events/authorizer.toml`, whose key server refuses connections.
pub const UNREACHABLE_ISSUER: &str = "https://unreachable.development.invalid/";

/// All scenarios, in the order in which the table shows them.
pub const SCENARIOS: &[Scenario] = &[
    REST_TOKEN,
    REST_REQUEST,
    HTTP_1,
    HTTP_2,
    WEBSOCKET,
    Scenario {
        file: "websocket-browser.json",
        token: Some(TokenRecipe { algorithm: Algorithm::ES256, ..READER }),
        shape: include_str!("shapes/websocket-browser.json"),
        ..WEBSOCKET
    },
    Scenario {
        file: "rest-token-expired.json",
        token: Some(TokenRecipe { expired: true, ..READER }),
        status: 401,
        reason: Some("token_expired"),
        ..REST_TOKEN
    },
    Scenario {
        file: "rest-token-wrong-audience.json",
        token: Some(TokenRecipe { audience: "billing-api", ..READER }),
        status: 401,
        reason: Some("audience_mismatch"),
        ..REST_TOKEN
    },
    Scenario {
        file: "rest-request-forged.json",
        token: Some(TokenRecipe { signer: Signer::Forger, ..READER }),
        status: 401,
        reason: Some("signature_invalid"),
        ..REST_REQUEST
    },
    Scenario {
        file: "rest-request-no-token.json",
        token: None,
        status: 401,
        reason: Some("credential_missing"),
        ..REST_REQUEST
    },
    Scenario {
        file: "http-2.0-insufficient-scope.json",
        method: "POST",
        status: 403,
        reason: Some("insufficient_scope"),
        ..HTTP_2
    },
    Scenario {
        file: "http-2.0-expired.json",
        token: Some(TokenRecipe { expired: true, ..READER }),
        // Not 401: on an HTTP API no answer of a function leads there.
        status: 403,
        reason: Some("token_expired"),
        ..HTTP_2
    },
    Scenario {
        file: "rest-token-unreachable-issuer.json",
        token: Some(TokenRecipe { issuer: Issuer::Unreachable, ..READER }),
        status: 500,
        reason: Some("key_set_unavailable"),
        ..REST_TOKEN
    },
];

impl Scenario {
    /// The scenario of a file in `events/`.
    #[must_use]
    pub fn of(file: &str) -> Option<&'static Scenario> {
        SCENARIOS.iter().find(|scenario| scenario.file == file)
    }

    /// The caller's token, as the issuer of this URL would have made it.
    pub fn token(
        &self,
        keys: &Keys,
        issuer: &str,
        lifetime: Lifetime,
    ) -> Result<Option<String>, SigningError> {
        self.token.map(|recipe| recipe.make(keys, issuer, lifetime)).transpose()
    }

    /// The text of the event with this token in it. Without one, what would carry it is not there.
    #[must_use]
    pub fn event(&self, token: Option<&str>) -> String {
        let mut event = String::new();
        for line in self.shape.lines() {
            if token.is_some() || !line.contains("{{token}}") {
                event.push_str(
                    &line.replace("{{token}}", token.unwrap_or_default()).replace("{{method}}", self.method),
                );
                event.push('\n');
            }
        }
        event
    }
}

impl Keys {
    /// Makes the keys of both.
    pub fn generate() -> Result<Self, SigningError> {
        let pair = || -> Result<_, SigningError> {
            Ok([
                Arc::new(SigningKey::generate(Algorithm::RS256, "development-rs256")?),
                Arc::new(SigningKey::generate(Algorithm::ES256, "development-es256")?),
            ])
        };
        Ok(Self { issuer: pair()?, forger: pair()? })
    }

    /// The issuer's keys, to be published.
    #[must_use]
    pub fn issuer(&self) -> &[Arc<SigningKey>] {
        &self.issuer
    }

    fn of(&self, signer: Signer, algorithm: Algorithm) -> &SigningKey {
        let [first, second] = match signer {
            Signer::Issuer => &self.issuer,
            Signer::Forger => &self.forger,
        };
        if second.algorithm() == algorithm { second } else { first }
    }
}

/// Puts a token in the place of every JSON Web Token in a text; `None` when the text has none.
#[must_use]
pub fn replace_tokens(text: &str, token: &str) -> Option<String> {
    // Every header and every payload starts with `{"` in base64url: a token holds the mark twice or more.
    let mut parts = text.split("eyJ");
    let mut replaced = parts.next()?.to_owned();
    let mut found = false;
    let mut inside_token = false;
    for part in parts {
        if !inside_token {
            replaced.push_str(token);
        }
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_.".contains(c));
        replaced.push_str(rest);
        found = true;
        inside_token = rest.is_empty();
    }
    found.then_some(replaced)
}

#[derive(Clone, Copy, Debug)]
enum Issuer {
    Development,
    Unreachable,
}

#[derive(Clone, Copy, Debug)]
enum Signer {
    Issuer,
    Forger,
}

/// A caller who may read orders.
const READER: TokenRecipe = TokenRecipe {
    algorithm: Algorithm::RS256,
    issuer: Issuer::Development,
    signer: Signer::Issuer,
    audience: AUDIENCE,
    scope: "orders:read",
    expired: false,
};

const REST_TOKEN: Scenario = Scenario {
    file: "rest-token.json",
    kind: EventKind::RestToken,
    token: Some(READER),
    status: 200,
    reason: None,
    method: "GET",
    shape: include_str!("shapes/rest-token.json"),
};

const REST_REQUEST: Scenario = Scenario {
    file: "rest-request.json",
    kind: EventKind::RestRequest,
    shape: include_str!("shapes/rest-request.json"),
    ..REST_TOKEN
};

const HTTP_1: Scenario = Scenario {
    file: "http-1.0.json",
    kind: EventKind::Http1,
    shape: include_str!("shapes/http-1.0.json"),
    ..REST_TOKEN
};

const HTTP_2: Scenario = Scenario {
    file: "http-2.0.json",
    kind: EventKind::Http2,
    token: Some(TokenRecipe { algorithm: Algorithm::ES256, ..READER }),
    shape: include_str!("shapes/http-2.0.json"),
    ..REST_TOKEN
};

const WEBSOCKET: Scenario = Scenario {
    file: "websocket.json",
    kind: EventKind::WebSocket,
    shape: include_str!("shapes/websocket.json"),
    ..REST_TOKEN
};

impl TokenRecipe {
    fn make(&self, keys: &Keys, issuer: &str, lifetime: Lifetime) -> Result<String, SigningError> {
        let issuer = match self.issuer {
            Issuer::Development => issuer,
            Issuer::Unreachable => UNREACHABLE_ISSUER,
        };
        let (issued_at, expires_at) = lifetime.period(self.expired);
        let claims = json!({
            "iss": issuer,
            "sub": "user-7f1c",
            "aud": self.audience,
            "scope": self.scope,
            "iat": issued_at,
            "exp": expires_at,
            "org": {"tenant_id": "tenant-42"},
        });
        keys.of(self.signer, self.algorithm).token(&claims)
    }
}

impl Lifetime {
    /// `iat` and `exp`.
    fn period(self, expired: bool) -> (u64, u64) {
        const YEAR_2025: u64 = 1_735_689_600;
        const YEAR_2100: u64 = 4_102_444_800;
        match (self, expired) {
            (Lifetime::Long, false) => (YEAR_2025, YEAR_2100),
            (Lifetime::Long, true) => (YEAR_2025, YEAR_2025 + 3600),
            (Lifetime::Short, false) => (unix_time(), unix_time() + 300),
            (Lifetime::Short, true) => (unix_time() - 7200, unix_time() - 3600),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn every_event_is_json_of_its_kind_with_its_token_everywhere() {
        for scenario in SCENARIOS {
            let token = scenario.token.map(|_| "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln");
            let text = scenario.event(token);
            let event: Value = serde_json::from_str(&text).expect(scenario.file);
            assert_eq!(EventKind::of(&event), Some(scenario.kind), "{}", scenario.file);
            assert!(!text.contains("{{"), "{}", scenario.file);
            assert_eq!(text.contains("eyJ"), token.is_some(), "{}", scenario.file);
            assert_eq!(
                token.is_none(),
                !text.to_lowercase().contains("bearer ") && !text.contains("access_token")
            );
        }
    }

    #[test]
    fn the_arn_agrees_with_the_rest_of_the_event() {
        for scenario in SCENARIOS.iter().filter(|scenario| scenario.kind != EventKind::RestToken) {
            let event: Value = serde_json::from_str(&scenario.event(Some("t"))).unwrap();
            let arn = event["methodArn"].as_str().or(event["routeArn"].as_str()).unwrap();
            let tail = arn.splitn(6, ':').last().unwrap();
            let context = &event["requestContext"];
            let path = match scenario.kind {
                EventKind::WebSocket => "$connect".to_owned(),
                EventKind::Http2 => {
                    let (stage, path) =
                        (context["stage"].as_str().unwrap(), event["rawPath"].as_str().unwrap());
                    assert_eq!(context["http"]["path"], path);
                    let method = context["http"]["method"].as_str().unwrap();
                    format!("{method}{}", path.strip_prefix(&format!("/{stage}")).unwrap())
                }
                EventKind::RestToken | EventKind::RestRequest | EventKind::Http1 => {
                    assert_eq!(event["httpMethod"], context["httpMethod"]);
                    format!("{}{}", event["httpMethod"].as_str().unwrap(), event["path"].as_str().unwrap())
                }
            };
            let (api, stage) = (context["apiId"].as_str().unwrap(), context["stage"].as_str().unwrap());
            assert_eq!(tail, format!("{api}/{stage}/{path}"), "{}", scenario.file);
        }
    }

    #[test]
    fn files_are_named_once() {
        let names: BTreeSet<_> = SCENARIOS.iter().map(|scenario| scenario.file).collect();
        assert_eq!(names.len(), SCENARIOS.len());
        assert!(Scenario::of("rest-token.json").is_some());
        assert!(Scenario::of("jwks.json").is_none());
    }

    #[test]
    fn tokens_are_replaced_wherever_they_are() {
        let old = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.AeyJ-_x";
        let text = format!(r#"{{"a": "Bearer {old}", "b": ["access_token, {old}"], "c": "keyboard"}}"#);
        let expected = r#"{"a": "Bearer NEW", "b": ["access_token, NEW"], "c": "keyboard"}"#;
        assert_eq!(replace_tokens(&text, "NEW").unwrap(), expected);
        assert_eq!(replace_tokens(old, "NEW").unwrap(), "NEW");
        assert_eq!(replace_tokens("no token here", "NEW"), None);
    }
}
