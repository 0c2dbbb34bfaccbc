//! The keys of an issuer: [`KeySet`], read from a JWK Set (RFC 7517), and [`JwksCache`], which has
//! the current one. The cache is the library's only state.

mod algorithm;
mod cache;
#[cfg(feature = "saml")]
mod certificate;
mod current;
mod discovery;
mod edwards;
mod file;
mod key;
mod key_set;
mod rsa;
mod server;
mod state;
mod thumbprint;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use cache::{JwksCache, KeySetEvent, KeySetSource, Observe, Timing};
pub(crate) use discovery::is_safe;
pub use discovery::key_set_url;
pub use file::{KeySetFile, KeySetFileError};
pub(crate) use key::KeyMaterial;
pub use key::{Key, KeyProblem, PublicKey};
pub use key_set::{KeySearch, KeySet, KeySetError, UnusableKey};
pub use rsa::RsaKey;
pub use server::{FetchFailure, KeyServer};
#[cfg(feature = "saml")]
pub use server::{KeyReader, ReadKeys};
pub use thumbprint::thumbprint;

#[cfg(test)]
mod tests;
