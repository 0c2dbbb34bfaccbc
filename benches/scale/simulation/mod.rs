//! Ten thousand execution environments and one identity provider, in virtual time: what each policy of
//! fetching keys asks of the provider, and what it does to the callers. docs/scale.md says what is simulated
//! and what is not.
//!
//! The rooms: [`scenario`] says what happens, [`policy`] what an environment does about its keys (the real
//! [`JwksCache`](lambda_authorizer::jwks::JwksCache), and models of other libraries), [`line`] is the network
//! between the two, [`world`] runs it, [`tally`] counts.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a simulation: its numbers are small, and its faults are to end it"
)]

pub(crate) mod edges;
pub(crate) mod environment;
pub(crate) mod line;
pub(crate) mod policies;
pub(crate) mod policy;
pub(crate) mod scenario;
pub(crate) mod tally;
pub(crate) mod world;
