//! An AWS Lambda authorizer for API Gateway: the caller's token in, an IAM policy out.
//!
//! The function (`src/main.rs`) is configured and deployed as it is; this library is for those who
//! want to program: a function with a kind of credential of one's own ([`Function`], [`CredentialVerifier`](verify::CredentialVerifier),
//! docs/extending.md), or the stages without AWS Lambda. Each stage is a module, and the type it makes is the only way into the next:
//!
//! | stage | module | makes |
//! |---|---|---|
//! | 1 | [`event`] | decodes an authorizer event |
//! | 2 | [`request`] | [`Request`](request::Request) |
//! | 3 | [`credential`] | [`Credential`](credential::Credential) |
//! | 4 | [`verify`] | [`Principal`](verify::Principal) |
//! | 5 | [`rules`] | [`Rules`](rules::Rules) for every principal |
//! | 6 | [`policy`] | [`Policy`](policy::Policy) |
//! | 7 | [`response`] | [`Response`](response::Response) |
//!
//! ```
//! use lambda_authorizer::config::Config;
//! use lambda_authorizer::event::Event;
//! use lambda_authorizer::io::Edges;
//! use lambda_authorizer::{Authorizer, Level};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::parse(
//!     r#"
//!     [[issuer]]
//!     url = "https://login.example.com/"
//!     audience = "orders-api"
//!     "#,
//!     None,
//! )?;
//! let authorizer = Authorizer::new(config, Level::Info, Edges::of_this_machine());
//!
//! let payload = r#"{
//!     "type": "TOKEN",
//!     "authorizationToken": "Bearer not-a-token",
//!     "methodArn": "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/orders"
//! }"#;
//! let answer = authorizer.authorize(Event { payload, invocation_id: "1", deadline: None }).await;
//! assert!(answer.is_ok_and(|answer| answer.as_str().contains(r#""Effect":"Deny""#)));
//! # Ok(())
//! # }
//! ```
//!
//! Cargo features: `introspection`, `oauth` and `possession` (the default) and `dynamodb` are sections of the configuration, which is refused
//! where it needs one that is not there (docs/configuration.md). `schema` and `api` are the tool's.
//!
//! The feature `arbitrary_precision` of `serde_json`, if another crate of yours turns it on, makes every
//! token one whose claims cannot be read: it is refused.
//!
//! What it does not do: issue tokens, decrypt JWE, keep sessions, or stand in the way of requests
//! that API Gateway does not ask it about.

pub mod arn;
pub mod check;
pub mod claims;
pub mod config;
pub mod credential;
pub mod error;
pub mod event;
pub mod explain;
pub mod io;
pub mod jwks;
pub mod policy;
pub mod request;
pub mod response;
pub mod rules;
pub mod telemetry;
pub mod verify;

mod authorizer;
mod function;

pub use authorizer::{Authorizer, CustomVerifier};
pub use function::{Function, Setup};
pub use telemetry::Level;
