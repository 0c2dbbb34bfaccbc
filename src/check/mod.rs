//! The check of a configuration before it is deployed: what it says that nobody meant, what IAM cannot say, and what API
//! Gateway will do with it. All at once, as [`Finding`]s.
//!
//! Given the API's own description, an [`Api`], it also proves, route by route, that the policy that API Gateway caches
//! decides as the rules do.

mod api;
mod callers;
mod claims;
mod exactness;
mod finding;
mod findings;
mod gateway;
mod instances;
mod kinds;
mod matrix;
mod proof;
mod relevance;
mod report;
mod rules;
mod setup;
mod supposed;

pub use api::{
    Api, ApiError, ApiRoute, ApiSegment, Authorizer, AuthorizerKind, GatewayResponse, Mock, Note, Protocol,
    Settings,
};
pub use finding::{Finding, Severity};
pub use matrix::{Guard, MatrixRow, NamingRule, matrix};
pub use report::Report;

use crate::config::Config;

/// Everything that is found in a configuration that is right by itself, the errors first; of an API, too, where its
/// description is there. [`Report`] is for the text of a configuration that may be wrong.
///
/// ```
/// use lambda_authorizer::check::check;
/// use lambda_authorizer::config::Config;
///
/// let config = Config::parse(
///     r#"
///     [[issuer]]
///     url = "https://login.example.com/"
///     audience = "orders-api"
///     [[rule]]
///     name = "read orders"
///     routes = ["GET /orders", "GET /orders/{id}", "GET /orders/{id}/items"]
///     requires = { scope = "orders:read" }
///     "#,
///     None,
/// )?;
/// let codes: Vec<_> = check(&config, None).into_iter().map(|finding| finding.code).collect();
/// assert_eq!(codes, ["opens_more"]);
/// # Ok::<(), lambda_authorizer::config::ConfigError>(())
/// ```
#[must_use]
pub fn check(config: &Config, api: Option<&Api>) -> Vec<Finding> {
    findings::of(config, api, &|_| true)
}

#[cfg(test)]
mod tests;
