//! The keys of an issuer: [`KeySet`], read from a JWK Set (RFC 7517), and [`JwksCache`], which has
//! the current one. The cache is the library's only state.

mod algorithm;
mod cache;
mod discovery;
mod edwards;
mod key;
mod key_set;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use cache::{JwksCache, KeySetSource, Lifetimes};
pub(crate) use discovery::is_safe;
pub use key::{Key, KeyProblem, PublicKey};
pub use key_set::{KeySearch, KeySet, KeySetError, UnusableKey};

#[cfg(test)]
mod tests;
