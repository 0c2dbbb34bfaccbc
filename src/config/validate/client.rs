//! The settings by which the function proves to an authorization server which client it is.

use super::Check;
use crate::config::raw::ClientAuthenticationName;
use crate::jwks::Algorithm;
use crate::verify::{ClientAuthentication, ClientKey, ClientKeyError};

/// As they are written, in whichever section.
pub(super) struct ClientSettings {
    pub(super) id: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) authentication: Option<ClientAuthenticationName>,
    pub(super) key_file: Option<String>,
    pub(super) key_id: Option<String>,
    pub(super) key_algorithm: Option<Algorithm>,
    pub(super) assertion_audience: Option<String>,
}

impl Check<'_> {
    /// How it proves itself in the section, to the server of this name.
    pub(super) fn client(
        &mut self,
        section: &str,
        settings: ClientSettings,
        issuer: Option<&str>,
    ) -> Option<ClientAuthentication> {
        let name = settings.authentication.unwrap_or(ClientAuthenticationName::Basic);
        self.unused_by(section, name, &settings);
        let id = self.given(section, "client_id", settings.id);
        if name == ClientAuthenticationName::PrivateKeyJwt {
            let file = self.given(section, "client_key_file", settings.key_file);
            let key = file
                .and_then(|file| self.client_key(section, &file, settings.key_algorithm, settings.key_id));
            let audience = settings.assertion_audience.or_else(|| issuer.map(str::to_owned))?;
            self.exact(&format!("{section}.client_assertion_audience"), &audience);
            let (id, key) = id.zip(key)?;
            return Some(ClientAuthentication::PrivateKeyJwt { id, audience, key: Box::new(key) });
        }
        let (id, secret) = id.zip(self.given(section, "client_secret", settings.secret))?;
        Some(match name {
            ClientAuthenticationName::Post => ClientAuthentication::Post { id, secret },
            ClientAuthenticationName::Basic | ClientAuthenticationName::PrivateKeyJwt => {
                ClientAuthentication::basic(&id, &secret)
            }
        })
    }

    /// The value; a problem where there is none.
    pub(super) fn given(&mut self, section: &str, name: &str, value: Option<String>) -> Option<String> {
        let value = value.filter(|value| !value.is_empty());
        if value.is_none() {
            self.problem(format!("{section}.{name}"), "it is missing");
        }
        value
    }

    /// What is set and would not be used was meant for something.
    fn unused_by(&mut self, section: &str, name: ClientAuthenticationName, settings: &ClientSettings) {
        let is_key = name == ClientAuthenticationName::PrivateKeyJwt;
        let of_key = [
            ("client_key_file", settings.key_file.is_some()),
            ("client_key_id", settings.key_id.is_some()),
            ("client_key_algorithm", settings.key_algorithm.is_some()),
            ("client_assertion_audience", settings.assertion_audience.is_some()),
        ];
        let unused = match is_key {
            true => vec![("client_secret", settings.secret.is_some())],
            false => of_key.to_vec(),
        };
        for (setting, _) in unused.into_iter().filter(|(_, is_set)| *is_set) {
            let hint = "`client_authentication` is `basic`, `post` (a secret) or `private_key_jwt` (a key)";
            let message = "it is not used by this `client_authentication`";
            self.problem_with_hint(format!("{section}.{setting}"), message, hint);
        }
    }

    fn client_key(
        &mut self,
        section: &str,
        file: &str,
        algorithm: Option<Algorithm>,
        id: Option<String>,
    ) -> Option<ClientKey> {
        let path = format!("{section}.client_key_file");
        let text = self.file(&path, file)?;
        let hint = |error| match error {
            ClientKeyError::NotAKey => {
                "`openssl pkcs8 -topk8 -nocrypt` makes PKCS #8 of other forms (`-----BEGIN PRIVATE KEY-----`)"
            }
            ClientKeyError::AlgorithmMismatch => "leave `client_key_algorithm` out for the usual one",
        };
        ClientKey::parse(&text, algorithm, id)
            .map_err(|error| self.problem_with_hint(path, format!("`{file}`: {error}"), hint(error)))
            .ok()
    }
}
