//! The local API Gateway, end to end: real requests over sockets, an authorizer behind it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a member that is missing is `null` to a test")]

mod answers;
mod backends;
mod cache;
mod command;
mod events;
mod http;
mod management;
mod possession;
mod rest;
mod support;
mod template;
mod tokens;
mod walkthrough;
mod websocket;
