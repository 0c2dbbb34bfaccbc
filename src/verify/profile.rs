//! [`Profile`]: what the tokens of the usual issuers are like.

use serde::Deserialize;

use super::expectations::{AudienceClaim, ClaimRule, Presence, TokenTypes};
use crate::claims::ClaimPath;
use crate::jwks::Algorithm;

/// The kind of token that an issuer's callers send. It sets what distinguishes this kind from the
/// others that the same issuer signs with the same keys.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// An access token of any issuer. Refused is what tells that it is another kind of token: the
    /// claims `nonce`, `at_hash`, `c_hash` and `s_hash`, which only ID tokens have, and `events`,
    /// which logout tokens and security events have; a `token_use` other than `access`; and a
    /// `typ`, `tokenName` or `token_type` that names an ID, refresh, offline or logout token.
    #[default]
    AccessToken,
    /// An ID token of any issuer (OpenID Connect Core 1.0): `iat` is required; refused are `events`,
    /// a `token_use` other than `id`, and the claim `typ` where it names another kind of token.
    IdToken,
    /// An access token as RFC 9068 has it: the header's `typ` is `at+jwt`; `client_id`, `iat` and
    /// `jti` are required.
    Rfc9068,
    /// An access token of an Amazon Cognito user pool: `token_use` is `access`, RS256, and the
    /// `audience` is an app client, in `client_id`.
    CognitoAccess,
    /// An ID token of an Amazon Cognito user pool: `token_use` is `id`, RS256, and the `audience` is
    /// an app client, in `aud`.
    CognitoId,
    /// An access token of Auth0, in either of its formats: `azp` or `client_id` is required; RS256,
    /// RS512 or PS256.
    Auth0,
    /// An access token of an Okta custom authorization server: `cid` and `scp` are required; RS256.
    Okta,
    /// An access token of Microsoft Entra ID for an API of yours, version 1.0 or 2.0: `azp` or
    /// `appid`, and `scp` or `roles`, are required; RS256.
    Entra,
    /// An access token of Keycloak: the claim `typ` is `Bearer`.
    Keycloak,
    /// An ID token of Google: RS256; `iat` is required.
    Google,
    /// An ID token of Firebase Authentication or Google Identity Platform: RS256; `auth_time` and
    /// `iat` have passed, and `firebase.sign_in_provider` is there.
    Firebase,
    /// A token of AWS IAM outbound identity federation (`sts:GetWebIdentityToken`): ES384 or RS256;
    /// `iat`, `jti` and the AWS account are required.
    AwsIam,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 12] = [
        Self::AccessToken,
        Self::IdToken,
        Self::Rfc9068,
        Self::CognitoAccess,
        Self::CognitoId,
        Self::Auth0,
        Self::Okta,
        Self::Entra,
        Self::Keycloak,
        Self::Google,
        Self::Firebase,
        Self::AwsIam,
    ];

    /// Whether its tokens carry scopes: ID tokens tell who somebody is, not what a client may do.
    #[must_use]
    pub fn has_scopes(self) -> bool {
        match self {
            Self::AccessToken
            | Self::Rfc9068
            | Self::CognitoAccess
            | Self::Auth0
            | Self::Okta
            | Self::Entra
            | Self::Keycloak => true,
            Self::IdToken | Self::CognitoId | Self::Google | Self::Firebase | Self::AwsIam => false,
        }
    }

    pub(super) fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::AccessToken | Self::IdToken | Self::Rfc9068 | Self::Keycloak => &Algorithm::ALL,
            Self::CognitoAccess
            | Self::CognitoId
            | Self::Okta
            | Self::Entra
            | Self::Google
            | Self::Firebase => &[Algorithm::RS256],
            Self::Auth0 => &[Algorithm::RS256, Algorithm::RS512, Algorithm::PS256],
            Self::AwsIam => &[Algorithm::ES384, Algorithm::RS256],
        }
    }

    pub(super) fn types(self) -> TokenTypes {
        match self {
            Self::AccessToken | Self::Auth0 | Self::Okta | Self::Entra | Self::Keycloak => {
                TokenTypes::new(&["jwt", "at+jwt"], true)
            }
            Self::Rfc9068 => TokenTypes::new(&["at+jwt"], false),
            Self::IdToken
            | Self::CognitoAccess
            | Self::CognitoId
            | Self::Google
            | Self::Firebase
            | Self::AwsIam => TokenTypes::new(&["jwt"], true),
        }
    }

    pub(super) fn audience_claim(self) -> AudienceClaim {
        match self {
            Self::CognitoAccess => AudienceClaim::ClientId,
            Self::AccessToken
            | Self::IdToken
            | Self::Rfc9068
            | Self::CognitoId
            | Self::Auth0
            | Self::Okta
            | Self::Entra
            | Self::Keycloak
            | Self::Google
            | Self::Firebase
            | Self::AwsIam => AudienceClaim::Aud,
        }
    }

    pub(super) fn issued_at(self) -> Presence {
        match self {
            Self::IdToken | Self::Rfc9068 | Self::Google | Self::Firebase | Self::AwsIam => {
                Presence::Required
            }
            Self::AccessToken
            | Self::CognitoAccess
            | Self::CognitoId
            | Self::Auth0
            | Self::Okta
            | Self::Entra
            | Self::Keycloak => Presence::Optional,
        }
    }

    pub(super) fn claims(self) -> Vec<ClaimRule> {
        match self {
            Self::AccessToken => {
                let mut rules = no_id_token();
                rules.push(kind_if_there("token_use", "access"));
                rules.push(not_kind("typ", &["ID", "Refresh", "Offline", "Logout"]));
                rules.push(not_kind("tokenName", &["id_token", "refresh_token"]));
                rules.push(not_kind("token_type", &["id", "id_token", "refresh", "refresh_token"]));
                rules
            }
            Self::IdToken => vec![
                no_event(),
                kind_if_there("token_use", "id"),
                not_kind("typ", &["Bearer", "Refresh", "Offline", "Logout"]),
            ],
            // Some issuers have a `nonce` in these, too: `typ` says more.
            Self::Rfc9068 => vec![no_event(), text(&["client_id"]), text(&["jti"])],
            Self::CognitoAccess => vec![kind("token_use", "access"), text(&["client_id"])],
            Self::CognitoId => vec![kind("token_use", "id")],
            Self::Auth0 => {
                let mut rules = no_id_token();
                rules.push(text(&["azp", "client_id"]));
                rules
            }
            Self::Okta => vec![no_event(), text(&["cid"]), present(&["scp"])],
            Self::Entra => vec![no_event(), text(&["azp", "appid"]), present(&["scp", "roles"])],
            // Before version 24 its access tokens had the ID token's `nonce`.
            Self::Keycloak => vec![kind("typ", "Bearer")],
            Self::Google => Vec::new(),
            Self::Firebase => vec![
                ClaimRule::Past(ClaimPath::of(["iat"])),
                ClaimRule::Past(ClaimPath::of(["auth_time"])),
                ClaimRule::Text(vec![ClaimPath::of(["firebase", "sign_in_provider"])]),
            ],
            Self::AwsIam => vec![
                text(&["jti"]),
                ClaimRule::Text(vec![ClaimPath::of(["https://sts.amazonaws.com/", "aws_account"])]),
            ],
        }
    }
}

/// The claims that tie an ID token to a request, an access token, a code or a state (OpenID Connect
/// Core 1.0, sections 2 and 3.3.2.11; FAPI 1.0, part 2).
fn no_id_token() -> Vec<ClaimRule> {
    let marks = ["nonce", "at_hash", "c_hash", "s_hash"];
    let mut rules = vec![no_event()];
    rules.extend(marks.map(|claim| ClaimRule::Absent(ClaimPath::of([claim]))));
    rules
}

/// The claim of a security event, which a logout token is (RFC 8417, section 2.2).
fn no_event() -> ClaimRule {
    ClaimRule::Absent(ClaimPath::of(["events"]))
}

fn present(claims: &[&str]) -> ClaimRule {
    ClaimRule::Present(claims.iter().map(|claim| ClaimPath::of([*claim])).collect())
}

fn text(claims: &[&str]) -> ClaimRule {
    ClaimRule::Text(claims.iter().map(|claim| ClaimPath::of([*claim])).collect())
}

fn kind(claim: &str, kind: &'static str) -> ClaimRule {
    ClaimRule::Kind { claim: ClaimPath::of([claim]), kind }
}

fn kind_if_there(claim: &str, kind: &'static str) -> ClaimRule {
    ClaimRule::KindIfThere { claim: ClaimPath::of([claim]), kind }
}

fn not_kind(claim: &str, kinds: &'static [&'static str]) -> ClaimRule {
    ClaimRule::NotKind { claim: ClaimPath::of([claim]), kinds }
}
