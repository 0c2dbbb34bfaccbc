//! The built binary over a Lambda Runtime API, its keys over a socket: what is posted, what is logged.
//!
//! A test that holds a rule of a safe validator names it: F (form of a token), A (algorithms, keys
//! and signatures), C (claims), Z (the authorizer's own), K (key sets).

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a member that is missing is `null` to a test"
)]
#![expect(clippy::disallowed_methods, reason = "a test takes the time itself")]

mod answers;
mod api_keys;
mod basic;
mod callers;
mod concurrency;
mod credentials;
mod custom;
mod faults;
mod flood;
#[path = "../support/forgery.rs"]
mod forgery;
mod freezes;
#[path = "../support/key_server.rs"]
mod key_server;
mod keys;
mod linger;
mod malformed;
mod oauth;
mod parameters;
mod possession;
mod prefetch;
#[path = "../support/process.rs"]
mod process;
mod remembered;
mod rules;
mod sizes;
mod start;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
#[path = "../support/trouble.rs"]
mod trouble;
