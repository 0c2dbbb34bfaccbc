//! The settings of clients' certificates.

use super::Check;
use crate::config::gateway::{Gateway, IdentityExpression};
use crate::config::raw::ClientCertificateSettings;
use crate::request::CertificateField;
use crate::rules::ContextKey;
use crate::verify::ClientCertificates;

/// A context key for each field of a certificate that backends get.
pub(super) type CertificateContext = Vec<(ContextKey, CertificateField)>;

impl Check<'_> {
    pub(super) fn client_certificates(
        &mut self,
        settings: ClientCertificateSettings,
    ) -> (ClientCertificates, CertificateContext) {
        self.not_empty("client_certificate.issuers", settings.issuers.as_deref());
        if settings.issuers.iter().flatten().any(String::is_empty) {
            self.problem("client_certificate.issuers", "a name in it is empty");
        }
        let leeway = self.number("client_certificate.leeway_seconds", settings.leeway_seconds, 30, 0, 300);
        let mut context = Vec::new();
        for (key, field) in &settings.context {
            let path = format!("client_certificate.context.{key}");
            let key = self.parsed::<ContextKey>(path.clone(), key);
            context.extend(key.zip(self.parsed::<CertificateField>(path, field)));
        }
        let certificates = ClientCertificates {
            is_required: settings.required.unwrap_or(true),
            issuers: settings.issuers,
            leeway: leeway.into(),
        };
        (certificates, context)
    }

    /// An answer to a client with a certificate would be replayed for one without.
    pub(super) fn certificate_caching(&mut self, gateway: &Gateway) {
        let whole = IdentityExpression::client_certificate();
        if !gateway.tells_apart(&whole) {
            let message = "an answer for one certificate is replayed for others, and for clients without any";
            let hint = "`gateway.cache_seconds = 0`, there and in API Gateway; or `$context.identity.clientCert.clientCertPem` as an identity source, and in `gateway.identity_sources`";
            self.problem_with_hint("client_certificate", message, hint);
        }
    }
}
