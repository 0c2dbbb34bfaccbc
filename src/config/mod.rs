//! The configuration: a file or the environment becomes a [`Config`] that is right, or a
//! [`ConfigError`] that tells everything that is wrong with it.

mod draft;
mod environment;
mod gateway;
mod problem;
mod raw;
mod reader;
mod tree;
mod validate;
mod values;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::credential::{CredentialKind, IdentitySources};
use crate::io::Connector;
use crate::jwks::{KeySetFile, KeySetSource, Timing};
use crate::policy::Compiler;
use crate::response::Answers;
use crate::rules::ContextKey;
#[cfg(feature = "dynamodb")]
use crate::verify::DatabaseSettings;
#[cfg(feature = "saml")]
use crate::verify::SamlSettings;
use crate::verify::{
    ClientCertificates, ClientCredentialsSettings, Expectations, IntrospectionSettings, Profile,
    TokenCacheLimits, TokenExchangeSettings,
};

pub(crate) use draft::Draft;
pub use environment::Environment;
pub use gateway::{Gateway, IdentityExpression, IdentityExpressionError};
pub use problem::{ConfigError, Problem};
pub use raw::ENVIRONMENT_VARIABLES;
#[cfg(feature = "schema")]
pub use raw::schema;

/// A configuration that was checked. Only this module makes one.
#[non_exhaustive]
pub struct Config {
    /// Loopback key servers over plain http are allowed, and Lambda itself is not.
    pub development: bool,
    /// The issuers, each with its own keys.
    pub issuers: Vec<Issuer>,
    /// How an authorization server is asked about tokens.
    pub introspection: Option<IntrospectionSettings>,
    /// What the certificates of clients must be like; `None` where they may be anything.
    pub client_certificates: Option<ClientCertificates>,
    /// The keys with which its answers are signed; `None` where they are not to be.
    pub answer_keys: Option<AnswerKeys>,
    /// How the IDs and secrets of clients are exchanged for access tokens.
    pub client_credentials: Option<ClientCredentialsSettings>,
    /// How the tokens of callers are exchanged for those of a backend, and under which key of the context it finds them.
    pub token_exchange: Option<(ContextKey, TokenExchangeSettings)>,
    /// What is looked up in a DynamoDB table.
    #[cfg(feature = "dynamodb")]
    pub database: Option<DatabaseSettings>,
    /// What SAML assertions must be like.
    #[cfg(feature = "saml")]
    pub saml: Option<Saml>,
    /// Kinds of credential that code of one's own verifies.
    pub custom: Vec<CustomKind>,
    /// Where credentials are looked for.
    pub identity_sources: IdentitySources,
    /// Who may call what, and the policies that say so.
    pub compiler: Compiler,
    /// How API Gateway is set up, as far as the operator says.
    pub gateway: Gateway,
    /// How answers are made up.
    pub answers: Answers,
    /// When key sets are fetched, and how long they are kept.
    pub timing: Timing,
    /// How long the function waits for key sets that no request waits for.
    pub waits: Waits,
    /// How many tokens are remembered whose signatures held, and for how long.
    pub token_cache: TokenCacheLimits,
}

/// How long the function waits for key sets that no request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// At its start. Without time nothing is fetched then.
    pub init: Duration,
    /// Behind an answer, before it asks for the next event.
    pub linger: Duration,
}

/// A kind of credential that code of one's own verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CustomKind {
    /// What the code and rules call it.
    pub name: Arc<str>,
    /// Who vouches for its callers.
    pub issuer: Arc<str>,
    /// Whether its verifier may look at the request, and not at the credential alone.
    pub looks_at_request: bool,
}

/// Where the keys are with which an authorization server signs its answers (RFC 9701).
pub enum AnswerKeys {
    /// They are those of the issuer of its name.
    OfIssuer,
    /// In a key set of its own.
    Own {
        /// Where that is.
        url: Url,
        /// How its server is reached.
        connector: Box<Connector>,
    },
}

/// The identity provider whose SAML assertions are taken.
#[cfg(feature = "saml")]
pub struct Saml {
    /// What its assertions must be like.
    pub settings: SamlSettings,
    /// Where its keys come from.
    pub source: KeySetSource,
    /// How its server is reached.
    pub connector: Connector,
}

/// One issuer of tokens.
#[non_exhaustive]
pub struct Issuer {
    /// The kind of token that its callers send.
    pub profile: Profile,
    /// What its tokens must be like.
    pub expectations: Expectations,
    /// Where its keys come from.
    pub source: KeySetSource,
    /// The keys that the package brings for the start.
    pub initial: Option<KeySetFile>,
    /// How its servers are reached.
    pub connector: Connector,
}

impl Config {
    /// Finds and reads the configuration of a function.
    ///
    /// # Errors
    ///
    /// Every problem at once.
    pub fn load(environment: &Environment) -> Result<Self, ConfigError> {
        let located = environment.locate()?;
        let config = validate::validate(located.raw, located.directory.as_deref()).finish()?;
        if config.development && environment.is_lambda() {
            return Err(problem::deployed_by_mistake().into());
        }
        Ok(config)
    }

    /// Reads a configuration. Files that it names are looked for in `directory`.
    ///
    /// ```
    /// use lambda_authorizer::config::Config;
    ///
    /// let error = Config::parse("[[issuer]]\nurl = 'https://login.example.com/'\naudiance = 'orders'", None)
    ///     .err()
    ///     .expect("two mistakes");
    /// assert_eq!(error.problems().len(), 2);
    /// ```
    ///
    /// # Errors
    ///
    /// Every problem at once.
    pub fn parse(toml: &str, directory: Option<&Path>) -> Result<Self, ConfigError> {
        Self::draft(toml, directory)?.finish()
    }

    /// As [`parse`](Self::parse), with what could be read in spite of what is wrong.
    ///
    /// # Errors
    ///
    /// What stands in the way of reading anything.
    pub(crate) fn draft(toml: &str, directory: Option<&Path>) -> Result<Draft, ConfigError> {
        reader::read(toml)?.draft(directory)
    }

    /// What is asked of the tokens of each who may vouch for a caller.
    pub fn expectations(&self) -> impl Iterator<Item = &Expectations> {
        let introspected = self.introspection.as_ref().map(|settings| &settings.expectations);
        let all = self.issuers.iter().map(|issuer| &issuer.expectations).chain(introspected);
        #[cfg(feature = "saml")]
        let all = all.chain(self.saml.iter().map(|saml| &saml.settings.expectations));
        all
    }

    /// Who may vouch for a caller.
    #[must_use]
    pub fn issuer_names(&self) -> Vec<&str> {
        let known = self.issuers.iter().map(|issuer| &*issuer.expectations.issuer);
        known.chain(self.others().into_iter().map(|(issuer, _)| issuer)).collect()
    }

    /// Who may vouch for callers of whose claims nothing is known before they come, and by which kind of credential.
    #[must_use]
    pub(crate) fn others(&self) -> Vec<(&str, CredentialKind)> {
        let introspected = self.introspection.as_ref().map(|settings| &*settings.expectations.issuer);
        let others = introspected.map(|issuer| (issuer, CredentialKind::Opaque)).into_iter();
        #[cfg(feature = "dynamodb")]
        let others = { others.chain(self.database.iter().flat_map(DatabaseSettings::issuers)) };
        #[cfg(feature = "saml")]
        let others = others
            .chain(self.saml.iter().map(|saml| (&*saml.settings.expectations.issuer, CredentialKind::Saml)));
        let custom =
            self.custom.iter().map(|kind| (&*kind.issuer, CredentialKind::Custom(Arc::clone(&kind.name))));
        others.chain(custom).collect()
    }

    /// Whether each kind that is to be verified in code of one's own is one of these.
    ///
    /// # Errors
    ///
    /// Every kind that nobody verifies.
    pub(crate) fn verified_in_code(&self, kinds: &[&str]) -> Result<(), ConfigError> {
        let is_unknown = |(_, kind): &(usize, &CustomKind)| !kinds.contains(&&*kind.name);
        let unknown = self.custom.iter().enumerate().filter(is_unknown).map(|(position, kind)| {
            let message = format!("the function has no verifier of the kind `{}`", kind.name);
            Problem::new(format!("custom[{position}].kind"), message)
                .hint("add it in code (docs/extending.md), or leave the section out")
        });
        let problems: Vec<Problem> = unknown.collect();
        if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
    }

    /// What callers may present.
    #[must_use]
    pub fn credential_kinds(&self) -> Vec<CredentialKind> {
        let jwt = (!self.issuers.is_empty()).then_some(CredentialKind::Jwt);
        let exchanged = self.client_credentials.is_some().then_some(CredentialKind::ClientCredentials);
        let others = self.others().into_iter().map(|(_, kind)| kind);
        jwt.into_iter().chain(others).chain(exchanged).collect()
    }
}

#[cfg(test)]
mod tests;
