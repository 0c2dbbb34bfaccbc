//! The stable codes of refusals and faults, each with its cause and what to do about it. The page
//! docs/reasons.md is made of this table.

use std::fmt;

use serde::{Serialize, Serializer};

use super::CustomCode;

/// What the caller gets for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The credential is refused: 403, or 401 where the configuration says so.
    RefusedCredential,
    /// The credential holds, and this is refused all the same: 403.
    RefusedRequest,
    /// Nothing could be decided: 500, which API Gateway does not cache.
    Fault,
}

const CUSTOM_CAUSE: &str =
    "The code is one of a verifier that was added to the function. `detail` says what is wrong.";
const CUSTOM_ACTION: &str = "Ask whoever has written that verifier.";

/// Declares the codes in one place: what has a code has a cause and an action.
macro_rules! codes {
    ($($variant:ident = $name:literal, $outcome:ident, $cause:literal, $action:literal;)+) => {
        /// Why a request was not allowed, as a word that does not change between versions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $cause] $variant,)+
            /// A verifier in code of one's own refuses the credential.
            CustomRefusal(CustomCode),
            /// A verifier in code of one's own cannot say anything.
            CustomFault(CustomCode),
        }

        impl Code {
            /// Every code but those of verifiers in code of one's own, in the order of the stages.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::CustomRefusal(code) | Self::CustomFault(code) => code.name(),
                }
            }

            /// What the caller gets.
            #[must_use]
            pub const fn outcome(self) -> Outcome {
                match self {
                    $(Self::$variant => Outcome::$outcome,)+
                    Self::CustomRefusal(_) => Outcome::RefusedCredential,
                    Self::CustomFault(_) => Outcome::Fault,
                }
            }

            /// What causes it, for the operator.
            #[must_use]
            pub const fn cause(self) -> &'static str {
                match self {
                    $(Self::$variant => $cause,)+
                    Self::CustomRefusal(_) | Self::CustomFault(_) => CUSTOM_CAUSE,
                }
            }

            /// What to do about it.
            #[must_use]
            pub const fn action(self) -> &'static str {
                match self {
                    $(Self::$variant => $action,)+
                    Self::CustomRefusal(_) | Self::CustomFault(_) => CUSTOM_ACTION,
                }
            }
        }
    };
}

codes! {
    CredentialMissing = "credential_missing", RefusedCredential,
        "No identity source of the configuration holds anything.",
        "Compare `identity_source` with what the client sends.";
    CredentialAmbiguous = "credential_ambiguous", RefusedCredential,
        "One identity source holds several values, or is spelled in several ways.",
        "Find out who adds the second one: a client, a proxy, an attacker.";
    CredentialMalformed = "credential_malformed", RefusedCredential,
        "The value does not have the scheme that its identity source asks for.",
        "Let the client send `Bearer` and the token; with `[client_credentials]` `Basic`, and ID and secret, each encoded as in a form, in Base64 (docs/oauth.md). `scheme = \"none\"` takes bare tokens.";
    TokenTooLarge = "token_too_large", RefusedCredential,
        "The token is longer than 16 KB, which API Gateway would not let through either.",
        "Nothing that API Gateway sends is that long: find out who invokes the function.";
    TokenMalformed = "token_malformed", RefusedCredential,
        "The token is not three parts of strict base64url with a JSON object as header and as claims. `detail` names the part.",
        "Look at the token: an opaque one, or one that was damaged on its way.";
    TokenEncrypted = "token_encrypted", RefusedCredential,
        "The token is a JWE. Encrypted tokens are not decrypted here.",
        "Let the issuer sign the access tokens of this API and not encrypt them.";
    TokenUnsigned = "token_unsigned", RefusedCredential,
        "The token has no signature.",
        "`alg: none` is never accepted. Where the issuer sends such tokens, let it sign them; otherwise somebody tries.";
    TokenNested = "token_nested", RefusedCredential,
        "The header's `cty` says that the token holds another token.",
        "Let the issuer issue plain signed tokens.";
    TokenCompressed = "token_compressed", RefusedCredential,
        "The header has a `zip`, which nothing that is only signed may have, `NONE` (of ForgeRock's client-side tokens) included.",
        "Let the issuer issue plain signed tokens.";
    PayloadUnencoded = "payload_unencoded", RefusedCredential,
        "The header has a `b64` (RFC 7797), which tokens may not use.",
        "Let the issuer issue plain signed tokens.";
    CriticalHeaderUnsupported = "critical_header_unsupported", RefusedCredential,
        "The header has a `crit`: it asks for an extension, and none is implemented.",
        "Let the issuer leave the extension out for this API.";
    TokenTypeUnexpected = "token_type_unexpected", RefusedCredential,
        "By its header or by a claim, which `detail` names, the token is of another kind than the issuer's `profile` takes, such as an ID token.",
        "Let the client send its access token. Where it does, choose the profile that fits.";
    IssuerUnknown = "issuer_unknown", RefusedCredential,
        "`iss` is the `url` of no configured issuer; or the `Issuer` of a SAML assertion is not that of `[saml]`.",
        "Compare both to the letter; mind the slash at the end.";
    AlgorithmNotAllowed = "algorithm_not_allowed", RefusedCredential,
        "`alg` is none of the algorithms that the configuration, or the profile, allows for the issuer.",
        "Compare the token's header with `algorithms`. `none` and the HMAC algorithms cannot be allowed.";
    KeyIdMissing = "key_id_missing", RefusedCredential,
        "The token names no key, and the configuration asks for one.",
        "Let the issuer set `kid`, or leave `key_id = \"required\"` out.";
    KeyNotFound = "key_not_found", RefusedCredential,
        "The issuer's current key set has no usable key with the token's `kid`, or, for a token without one, none of its algorithm.",
        "A token from before a rotation, or of another tenant. Where the set has the key and it cannot be used, `detail` says why: ask the issuer.";
    KeyMismatch = "key_mismatch", RefusedCredential,
        "The key with the token's `kid` is of another type than the token's algorithm, or is reserved for another one.",
        "The issuer's key set contradicts its tokens: ask the issuer. Otherwise somebody tries to confuse algorithms.";
    KeyAmbiguous = "key_ambiguous", RefusedCredential,
        "Several different keys fit the token, so none is chosen.",
        "Ask the issuer for distinct key IDs, in its keys and in its tokens.";
    SignatureInvalid = "signature_invalid", RefusedCredential,
        "The signature was not made by the issuer's key over these very bytes.",
        "A forged or damaged token, or one of another instance of the issuer that shares its name.";
    ClaimMissing = "claim_missing", RefusedCredential,
        "A claim that the profile or the configuration asks for is not there, or empty. `detail` names it.",
        "Let the issuer add the claim, or choose the profile that fits its tokens.";
    ClaimInvalid = "claim_invalid", RefusedCredential,
        "A claim is of another JSON type than it must be, or its value is absurd. `detail` names it.",
        "Let the issuer write the claim as RFC 7519 says: times are numbers of seconds, not text, not milliseconds.";
    ClaimMismatch = "claim_mismatch", RefusedCredential,
        "A claim has none of the values that the configuration requires. `detail` names it.",
        "A caller that is not meant; otherwise correct `required_values`.";
    AudienceMismatch = "audience_mismatch", RefusedCredential,
        "The token is meant for others: `detail` tells for whom.",
        "Let the client ask for a token for this API, or add its audience to `audience`.";
    TokenExpired = "token_expired", RefusedCredential,
        "`exp` has passed, by more than `leeway_seconds`.",
        "The client gets a new token. Where new ones are refused, too, compare the clocks.";
    TokenNotYetValid = "token_not_yet_valid", RefusedCredential,
        "`nbf` has not come yet, or, where the age of tokens is limited, `iat` lies in the future.",
        "Compare the clocks, and raise `leeway_seconds` where they cannot be set right.";
    TokenTooOld = "token_too_old", RefusedCredential,
        "The token was issued longer ago than `max_age_seconds`.",
        "The client gets a new token.";
    TokenLifetimeTooLong = "token_lifetime_too_long", RefusedCredential,
        "From `iat` to `exp` is longer than `max_lifetime_seconds`.",
        "Let the issuer issue shorter tokens for this API.";
    TokenSenderConstrained = "token_sender_constrained", RefusedCredential,
        "`cnf` binds the token to a key of the client, and it came without a proof of that key, or with one that the issuer's `proof_of_possession` does not take.",
        "Let the client send a DPoP proof, or come by mutual TLS, and take that (docs/possession.md). Otherwise let the issuer issue bearer tokens for this API.";
    TokenUnbound = "token_unbound", RefusedCredential,
        "The token is bound to no key, where `unbound_tokens = \"refused\"`, or `DPoP` before the token, asks for one that is.",
        "Let the client ask the issuer for a bound token, or send this one as `Bearer` where those are taken.";
    DpopProofMissing = "dpop_proof_missing", RefusedCredential,
        "The token came as `DPoP`, and the request has no header `DPoP`. A TOKEN event has none ever.",
        "Let the client send a proof; on REST APIs use a REQUEST authorizer.";
    DpopProofInvalid = "dpop_proof_invalid", RefusedCredential,
        "The DPoP proof is malformed, or of another method, URL, time, token or key. `detail` says which.",
        "Compare `htu` with the URL that the client asks for, and the clocks; behind a proxy set `dpop.url`.";
    DpopProofReplayed = "dpop_proof_replayed", RefusedCredential,
        "This process, or with `dpop.replays = \"table\"` any, has taken the same proof before.",
        "Let the client make a proof for each request. Otherwise somebody repeats a request that was overheard.";
    ClientCertificateMissing = "client_certificate_missing", RefusedCredential,
        "The token is bound to a certificate, or `[client_certificate]` asks for one, and the event holds none.",
        "Mutual TLS needs a custom domain with a truststore, and an event that tells the certificate: REQUEST, not TOKEN.";
    ClientCertificateMismatch = "client_certificate_mismatch", RefusedCredential,
        "The token is bound to another certificate than the one with which the client came.",
        "A client that has renewed its certificate gets a new token. Otherwise somebody has stolen this one.";
    ClientCertificateUntrusted = "client_certificate_untrusted", RefusedRequest,
        "The issuer of the client's certificate is none of `client_certificate.issuers`.",
        "Compare it with `issuerDN` of the event, to the letter. A client that is not meant, otherwise.";
    ClientCertificateExpired = "client_certificate_expired", RefusedRequest,
        "The client's certificate has expired, by more than `client_certificate.leeway_seconds`.",
        "The client gets a new certificate.";
    ClientCertificateNotYetValid = "client_certificate_not_yet_valid", RefusedRequest,
        "The client's certificate is not valid yet.",
        "Compare the clocks, and raise `client_certificate.leeway_seconds` where they cannot be set right.";
    ClientCertificateUnreadable = "client_certificate_unreadable", RefusedRequest,
        "What is needed of the client's certificate stands in the event in an unknown form, more than once, or not at all. `detail` names it.",
        "Look at the certificate's names and times (docs/certificates.md). An attribute that comes twice cannot be passed on.";
    TokenInactive = "token_inactive", RefusedCredential,
        "The authorization server says that the token is not active: unknown, expired, revoked, or for another API.",
        "The client gets a new token.";
    ClientRefused = "client_refused", RefusedCredential,
        "The provider's token endpoint does not take the client's ID and secret, or gives this client no token.",
        "Compare the client with what the provider knows of it: its secret, its grant types, its access to this API. Many with one ID are somebody who guesses.";
    TokenExchangeRefused = "token_exchange_refused", RefusedCredential,
        "The caller's token holds, and the token endpoint gives no token for the backend for it: `invalid_request`, `invalid_grant` or `access_denied`.",
        "The client gets a new token. Where none is taken, look at what the provider lets the function's client exchange.";
    ApiKeyMalformed = "api_key_malformed", RefusedCredential,
        "The value begins like an API key and does not have the form of one: something is missing, or its checksum is wrong. Nothing was looked up.",
        "Let the client send the key whole, as it was made. Otherwise somebody makes keys up.";
    ApiKeyUnknown = "api_key_unknown", RefusedCredential,
        "There is no such API key. `detail` says whether there is one of its ID with another secret; the caller does not learn that.",
        "A key that was deleted, or one of another table. With a `pepper`, keys that were made with another, or without one, are unknown, too.";
    ApiKeyDisabled = "api_key_disabled", RefusedCredential,
        "The API key's item says `disabled`.",
        "Nothing, where it was meant; otherwise `authorizer keys enable`.";
    ApiKeyExpired = "api_key_expired", RefusedCredential,
        "The API key's `expires_at` has passed.",
        "Make a new key for its owner.";
    UserUnknown = "user_unknown", RefusedCredential,
        "Nobody has this name and this password. `detail` says whether somebody has the name; the caller does not learn that.",
        "Let the client send what is in the table, or write it anew: `authorizer keys create-user --replace`.";
    UserDisabled = "user_disabled", RefusedCredential,
        "The user's item says `disabled`.",
        "Nothing, where it was meant; otherwise `authorizer keys enable --user`.";
    UserExpired = "user_expired", RefusedCredential,
        "The user's `expires_at` has passed.",
        "Write the user anew, where he is to stay.";
    SamlMalformed = "saml_malformed", RefusedCredential,
        "The value begins like a SAML assertion in base64url, and is none that is read here. `detail` says what is wrong with it.",
        "Let the client send the assertion itself, signed, and not the response around it: base64url, without padding (docs/saml.md).";
    SamlUnsigned = "saml_unsigned", RefusedCredential,
        "The SAML assertion has no signature. One around the whole response is not its own.",
        "Let the identity provider sign assertions, for this API at least.";
    SamlSignatureUnsupported = "saml_signature_unsupported", RefusedCredential,
        "The signature of the SAML assertion is not of the one form that is taken: one reference, to the assertion by its ID, with exclusive canonicalization and SHA-256 or better. `detail` says what is different.",
        "Let the identity provider sign with RSA or ECDSA and SHA-256. Otherwise somebody tries to have another element read than the one that is signed.";
    SamlUnconfirmed = "saml_unconfirmed", RefusedCredential,
        "The SAML assertion has no subject confirmation by which a bearer may present it here. `detail` says what does not hold of the one that came nearest.",
        "Compare its `Recipient` with `recipient` of `[saml]`, to the letter. Otherwise it was made for somebody else.";
    SamlConditionUnmet = "saml_condition_unmet", RefusedCredential,
        "The SAML assertion holds under a condition that is not known here, or only once, where `replays` are accepted.",
        "For `OneTimeUse`, set `replays = \"refused\"` in `[saml]`, and `gateway.cache_seconds = 0`.";
    SamlReplayed = "saml_replayed", RefusedCredential,
        "`replays` of `[saml]` are refused, and this process has taken the assertion before.",
        "Let the client get an assertion for each request, or accept replays. Otherwise somebody repeats one that was overheard.";
    TokenRevoked = "token_revoked", RefusedCredential,
        "The credential holds, and the deny list of `[revocation]` has its ID, its subject, its client or its issuer. `detail` says which.",
        "The client gets a new credential, where only what was issued before is revoked. `authorizer revoke --undo` takes an entry back.";
    ClaimUnsafe = "claim_unsafe", RefusedRequest,
        "A claim that is passed on to the backend holds a control character.",
        "Clean the claim at the issuer, or do not pass it on.";
    AnswerTooLarge = "answer_too_large", RefusedRequest,
        "The answer for this caller would be longer than the 8 KB that API Gateway takes.",
        "Pass fewer or smaller claims on.";
    PolicyTooLarge = "policy_too_large", RefusedRequest,
        "What the rules grant this caller does not fit into a policy that API Gateway takes.",
        "Fewer routes for one caller, `**`, or `ANY`; `authorizer check` tells the largest size with usual values, and how many values of a claim fit.";
    ResourceTooLong = "resource_too_long", RefusedRequest,
        "A route with this caller's claims in it is longer than the 512 characters of a resource.",
        "Bind routes to shorter claims, such as IDs.";
    RouteClaimTooLong = "route_claim_too_long", RefusedRequest,
        "A claim that routes are bound to has too many values: each makes resources of a policy.",
        "Bind the route to a claim with fewer values, or leave the choice to the backend.";
    RouteNotAllowed = "route_not_allowed", RefusedRequest,
        "No rule names the route.",
        "Add a rule for it.";
    InsufficientScope = "insufficient_scope", RefusedRequest,
        "Rules name the route, and the token carries none of the scopes or values that they ask for.",
        "Let the client ask for the scope, or the issuer grant the role.";
    RouteDenied = "route_denied", RefusedRequest,
        "A rule with `effect = \"deny\"` is for this caller and names the route.",
        "`detail` names the rule.";
    RouteOfAnother = "route_of_another", RefusedRequest,
        "The route belongs to whoever has another value of the claim that it is bound to.",
        "Nothing, where callers are to see what is theirs only.";
    RouteClaimUnusable = "route_claim_unusable", RefusedRequest,
        "The route is bound to a claim that the caller does not have, or that holds what may not stand in a policy.",
        "Let the issuer put the claim into its tokens: letters, digits and `-._~@:,=+|`, at most 128.";
    RouteNotExpressible = "route_not_expressible", RefusedRequest,
        "A rule allows the route, and an IAM policy cannot tell it from one that is not allowed.",
        "`authorizer check` names the routes that stand in each other's way.";
    EventMalformed = "event_malformed", Fault,
        "The event is none that API Gateway sends, or contradicts itself.",
        "Find out who else invokes the function.";
    KeySetUnavailable = "key_set_unavailable", Fault,
        "The issuer's keys cannot be fetched, and none that still serve are in memory. `detail` says what failed.",
        "Look at the issuer, and at the function's way to it: network, status, deadline, document.";
    IntrospectionUnavailable = "introspection_unavailable", Fault,
        "The authorization server cannot be asked whether a token is active, or its answer is none (RFC 7662, RFC 9701). `detail` says what failed.",
        "Look at the server, at the function's way to it, and at `client_id` and its secret or key: status 401 is about those, and with a key 400, too.";
    UserinfoUnavailable = "userinfo_unavailable", Fault,
        "The provider's UserInfo endpoint cannot be asked whose a token is, or its answer is none. `detail` says what failed.",
        "Look at the provider, and at the function's way to it: network, status, deadline. A signed answer is not read.";
    ClientCredentialsUnavailable = "client_credentials_unavailable", Fault,
        "The provider's token endpoint gives no token for a client's ID and secret, nor refuses them; or a token that is not of that client. `detail` says what failed.",
        "Look at the provider, at the function's way to it, and at `scope`, `audience`, `resource` and `client_claim` of `[client_credentials]`.";
    TokenExchangeUnavailable = "token_exchange_unavailable", Fault,
        "The token endpoint gives no token for the backend that can be used. `detail` says what failed.",
        "Look at the provider, at the function's way to it, and at `[token_exchange]`: its client, what it asks for, how long the tokens live.";
    TableUnavailable = "table_unavailable", Fault,
        "The DynamoDB table cannot be asked, or an item in it is not as it should be. `detail` says what failed.",
        "Look at `detail`: the table's name and region, the function's right to `dynamodb:GetItem` on it (`PutItem` for proofs), its capacity, the network, the item.";
    BasicThrottled = "basic_throttled", Fault,
        "In this process the name has failed `failures` times in a row, and its password is not looked at for `pause_seconds`. Whoever is known from before is let in all the same. Nobody is refused: API Gateway would keep that, for a password that may be right.",
        "Somebody guesses, or a client has an old password: find out which by the addresses in API Gateway's access log.";
    AnswerUnwritable = "answer_unwritable", Fault,
        "The answer could not be written as JSON.",
        "This is a bug: please report it.";
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_words_of_their_own() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        for name in &names {
            assert!(name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'), "{name}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn causes_and_actions_are_sentences() {
        for code in Code::ALL {
            for text in [code.cause(), code.action()] {
                assert!(text.ends_with('.') && text.len() > 15, "{code}: {text}");
            }
        }
    }
}
