//! What the `authorizer` command and the integration tests of `lambda-authorizer` are made of: everything
//! around the function that AWS and an identity provider supply in production, on loopback.
//!
//! ```text
//! DevelopmentIssuer ──keys──▶ FunctionProcess ◀──events── RuntimeApi ──Outcome──▶ Gateway ──▶ status
//!        ▲                    (the real binary)               ▲
//!    SigningKey ───────────────tokens──────────────────▶ scenario
//! ```
//!
//! | module | stands in for |
//! |---|---|
//! | [`signing`] | the identity provider's private keys |
//! | [`issuer`] | the identity provider: discovery document and key set over HTTP |
//! | [`runtime_api`] | the Lambda service, as the function sees it |
//! | [`function`] | the sandbox in which the function runs |
//! | [`gateway`] | API Gateway: `authorizer gateway`, and the status that comes of an answer |
//! | [`scenario`] | the callers: every sample event with its token and its expected outcome |
//! | [`events`] | `authorizer events`: writes the sample events |
//! | [`keys`] | `authorizer keys fetch`: writes an issuer's key set to a file |
//! | [`api_keys`] | `authorizer keys create`: makes an API key, and writes its hash into a table |
//! | [`key_list`] | `authorizer keys list`: who has a key, and until when |
//! | [`database`] | the DynamoDB table of a configuration, to be made and written to |
//! | [`local`] | a configuration from this machine, and events to put to it |
//! | [`request_line`] | `authorizer explain --request`: the event of a request in one line |
//! | [`explanation`] | `authorizer explain`: a decision as a tree |
//! | [`demo`] | `authorizer demo`: puts the sample events to a function |
//! | [`check`] | `authorizer check`: what is to be said of a configuration, and its rules route by route |
//! | [`certificate`] | mutual TLS: what API Gateway tells of a client's certificate |
//! | [`mint`] | `authorizer mint`: tokens of a development issuer, and broken ones |
//! | [`reasons`] | what the codes of reasons mean |
//! | [`generate`] | `authorizer generate`: writes the files that are made from the sources |
//! | [`commands`] | the commands as they are typed: arguments, help, and what they end with |
//!
//! But for [`keys`], [`api_keys`], [`key_list`] and [`database`], nothing here is for production: private keys live in memory and tokens are made for
//! whoever asks.

pub mod api_keys;
pub mod certificate;
pub mod check;
pub mod commands;
pub mod database;
pub mod demo;
pub mod events;
pub mod explanation;
pub mod function;
pub mod gateway;
pub mod generate;
pub mod issuer;
pub mod key_list;
pub mod keys;
pub mod local;
mod loopback;
pub mod mint;
pub mod reasons;
pub mod request_line;
pub mod runtime_api;
pub mod scenario;
pub mod signing;
mod table;
mod tree;

/// What the commands fail with: a message for a person, with its `hint:` where there is a next step.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A client that takes no proxy from the environment and follows no redirects.
fn http_client() -> Result<reqwest::Client, Error> {
    let _installed_before = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Ok(reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?)
}
