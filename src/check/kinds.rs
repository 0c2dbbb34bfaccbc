//! What type a claim has in the tokens of an issuer, as far as its profile makes that certain.

use serde_json::Value;

use crate::claims::ClaimPath;
use crate::config::Issuer;
use crate::rules::Test;
use crate::verify::{ClaimRule, Profile};

/// The type of a claim, wherever it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    Text,
    Number,
    Boolean,
    Object,
}

impl Kind {
    /// Of the claim in every token of the issuer that has it; `None` where it may be one or another.
    pub(super) fn of(claim: &ClaimPath, issuer: &Issuer) -> Option<Self> {
        let written = claim.to_string();
        let is = |names: &[&str]| names.contains(&written.as_str());
        let lists = lists(issuer.profile);
        match () {
            () if is(&["exp", "nbf", "iat"]) => Some(Self::Number),
            () if is(&["iss", "sub"]) => Some(Self::Text),
            () if is(lists) => Some(Self::List),
            () if is(objects(issuer.profile)) => Some(Self::Object),
            () if is(booleans(issuer.profile)) => Some(Self::Boolean),
            () => issuer.expectations.claims().iter().find_map(|rule| required(claim, rule)),
        }
    }

    /// Whether a claim of this type can be compared so. What cannot be compared decides nothing.
    pub(super) fn is_comparable(self, test: &Test) -> bool {
        match test {
            Test::OneOf(values) => values.iter().any(|value| self.is_of(value)),
            Test::Contains(value) => self == Self::List || self.is_of(value),
            Test::Prefix(_) => self == Self::Text,
        }
    }

    /// In a message.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::List => "a list",
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Boolean => "`true` or `false`",
            Self::Object => "an object",
        }
    }

    /// How it can be compared.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::List => "`contains` looks into a list",
            Self::Text => "compare it with a text, in quotes",
            Self::Number => {
                "compare it with a number, without quotes; what is limited in time is not compared in a rule"
            }
            Self::Boolean => "compare it with `true` or `false`, without quotes",
            Self::Object => "name a member of it, such as `realm_access.roles`",
        }
    }

    fn is_of(self, value: &Value) -> bool {
        match value {
            Value::String(_) => self == Self::Text,
            Value::Number(_) => self == Self::Number,
            Value::Bool(_) => self == Self::Boolean,
            Value::Array(_) => self == Self::List,
            Value::Object(_) => self == Self::Object,
            Value::Null => false,
        }
    }
}

/// What the verification asks of the claim tells its type.
fn required(claim: &ClaimPath, rule: &ClaimRule) -> Option<Kind> {
    match rule {
        // Of several, any may be the one that is a text.
        ClaimRule::Text(claims) => (claims.as_slice() == std::slice::from_ref(claim)).then_some(Kind::Text),
        ClaimRule::Past(asked) => (asked == claim).then_some(Kind::Number),
        ClaimRule::Kind { claim: asked, .. }
        | ClaimRule::KindIfThere { claim: asked, .. }
        | ClaimRule::NotKind { claim: asked, .. } => (asked == claim).then_some(Kind::Text),
        ClaimRule::Present(_) | ClaimRule::Value { .. } | ClaimRule::Absent(_) => None,
    }
}

/// The claims that are lists in every token of the profile that has them, as their issuers document them.
fn lists(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::CognitoAccess => &["cognito:groups"],
        Profile::CognitoId => &["cognito:groups", "cognito:roles", "identities"],
        Profile::Auth0 => &["permissions"],
        Profile::Okta => &["scp"],
        Profile::Entra => &["roles", "groups", "wids"],
        Profile::Keycloak => &["realm_access.roles", "allowed-origins"],
        Profile::AccessToken
        | Profile::IdToken
        | Profile::Rfc9068
        | Profile::Google
        | Profile::Firebase
        | Profile::AwsIam => &[],
    }
}

/// The claims that are objects, with what they say in their members.
fn objects(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Keycloak => &["realm_access", "resource_access"],
        Profile::Firebase => &["firebase", "firebase.identities"],
        Profile::AwsIam => &[r#""https://sts.amazonaws.com/""#],
        Profile::AccessToken
        | Profile::IdToken
        | Profile::Rfc9068
        | Profile::CognitoAccess
        | Profile::CognitoId
        | Profile::Auth0
        | Profile::Okta
        | Profile::Entra
        | Profile::Google => &[],
    }
}

/// The claims that are `true` or `false`.
fn booleans(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Google | Profile::Firebase => &["email_verified"],
        Profile::AccessToken
        | Profile::IdToken
        | Profile::Rfc9068
        | Profile::CognitoAccess
        | Profile::CognitoId
        | Profile::Auth0
        | Profile::Okta
        | Profile::Entra
        | Profile::Keycloak
        | Profile::AwsIam => &[],
    }
}
