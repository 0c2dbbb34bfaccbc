//! The tokens of the usual providers under the profile of each; beside them their nearest neighbours, which
//! are something else.

use lambda_authorizer::jwks::Algorithm;
use lambda_authorizer::verify::{AudienceClaim, Presence, Profile};
use serde_json::json;

use crate::samples::*;
use crate::{KEY_SET, NOW, encode, verdict};

/// What it is, the token, and the verdict on it where the typical token of the profile is expected.
pub(crate) type Case = (&'static str, Sample, &'static str);

pub(crate) fn are_told_apart(profile: Profile, cases: Vec<Case>) {
    let expectations = typical(profile).expectations(profile);
    for (what, sample, expected) in cases {
        let found = verdict(&sample.token(), &KEY_SET, &expectations, NOW);
        assert_eq!(found, expected, "{profile:?}, {what}: {}", sample.claims);
    }
}

/// What every profile tells apart alike: who issued the token, for whom, how it is signed and typed.
pub(crate) fn has_these_algorithms_and_types(
    profile: Profile,
    algorithms: &[Algorithm],
    types: &[Option<&str>],
) {
    use Algorithm::{ES256, Ed25519, RS256};
    let typical = typical(profile);
    let expectations = typical.expectations(profile);
    let verdict = |sample: &Sample| verdict(&sample.token(), &KEY_SET, &expectations, NOW);
    assert_eq!(verdict(&typical), "allowed", "{profile:?}");
    for algorithm in Algorithm::ALL {
        let expected = if algorithms.contains(&algorithm) { "allowed" } else { "algorithm_not_allowed" };
        assert_eq!(verdict(&typical.signed_with(algorithm)), expected, "{profile:?} {algorithm:?}");
    }
    for media_type in [
        None,
        Some("JWT"),
        Some("application/jwt"),
        Some("at+jwt"),
        Some("application/AT+JWT"),
        Some("application/okta-internal-at+jwt"),
        Some("logout+jwt"),
        Some("dpop+jwt"),
        Some("secevent+jwt"),
        Some("token-introspection+jwt"),
        Some("oauth-authz-req+jwt"),
        Some("JWS"),
        Some(""),
    ] {
        let expected = if types.contains(&media_type) { "allowed" } else { "token_type_unexpected" };
        let typed = typical.header(json!({"typ": media_type}));
        assert_eq!(verdict(&typed), expected, "{profile:?} {media_type:?}");
    }
    for (changes, expected) in [
        (json!({"iss": format!("{}x", typical.issuer())}), "issuer_unknown"),
        (json!({"iss": null}), "claim_missing"),
        (json!({"exp": NOW - 31.0}), "token_expired"),
        (json!({"exp": null}), "claim_missing"),
        (json!({"nbf": NOW + 31.0}), "token_not_yet_valid"),
        (json!({"sub": null}), "claim_missing"),
        (json!({"sub": ""}), "claim_invalid"),
        (json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}), "token_sender_constrained"),
    ] {
        assert_eq!(verdict(&typical.claims(changes.clone())), expected, "{profile:?} {changes}");
    }
    // A key of another kind under the key's ID, and nobody's key.
    let [signer, header] = [typical.algorithm, if typical.algorithm == RS256 { ES256 } else { Ed25519 }];
    let crossed = json!({"alg": signer.name(), "kid": header.name()});
    assert_eq!(verdict(&typical.header(crossed)), "key_mismatch", "{profile:?}");
    assert_eq!(verdict(&typical.header(json!({"kid": "other"}))), "key_not_found", "{profile:?}");
}

pub(crate) const NOT_NAMED: [Option<&str>; 3] = [None, Some("JWT"), Some("application/jwt")];
pub(crate) const ACCESS: [Option<&str>; 5] =
    [None, Some("JWT"), Some("application/jwt"), Some("at+jwt"), Some("application/AT+JWT")];

#[test]
fn profiles_have_the_algorithms_and_types_of_their_providers() {
    use Algorithm::{ES384, PS256, RS256, RS512};
    for profile in Profile::ALL {
        let (algorithms, types) = match profile {
            Profile::AccessToken => (&Algorithm::ALL[..], &ACCESS[..]),
            Profile::IdToken => (&Algorithm::ALL[..], &NOT_NAMED[..]),
            Profile::Rfc9068 => (&Algorithm::ALL[..], &ACCESS[3..]),
            Profile::CognitoAccess | Profile::CognitoId => (&[RS256][..], &NOT_NAMED[..]),
            Profile::Auth0 => (&[RS256, RS512, PS256][..], &ACCESS[..]),
            Profile::Okta | Profile::Entra => (&[RS256][..], &ACCESS[..]),
            Profile::Keycloak => (&Algorithm::ALL[..], &ACCESS[..]),
            Profile::Google | Profile::Firebase => (&[RS256][..], &NOT_NAMED[..]),
            Profile::AwsIam => (&[RS256, ES384][..], &NOT_NAMED[..]),
        };
        has_these_algorithms_and_types(profile, algorithms, types);
    }
}

#[test]
fn access_tokens_of_any_issuer() {
    let access = typical(Profile::AccessToken);
    let other = |changes| access.claims(changes);
    are_told_apart(
        Profile::AccessToken,
        vec![
            ("an access token", access.clone(), "allowed"),
            (
                "nothing but what is asked for",
                other(json!({"iat": null, "jti": null, "client_id": null, "scope": null})),
                "allowed",
            ),
            ("an ID token of a request", other(json!({"nonce": "n"})), "token_type_unexpected"),
            ("an ID token beside an access token", other(json!({"at_hash": "h"})), "token_type_unexpected"),
            ("an ID token beside a code", other(json!({"c_hash": "h"})), "token_type_unexpected"),
            ("an ID token beside a state", other(json!({"s_hash": "h"})), "token_type_unexpected"),
            (
                "a logout token of OpenID Connect",
                other(json!({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}})),
                "token_type_unexpected",
            ),
            (
                "a refresh token of Cognito's kind",
                other(json!({"token_use": "refresh"})),
                "token_type_unexpected",
            ),
            ("an ID token of Cognito's kind", other(json!({"token_use": "id"})), "token_type_unexpected"),
            ("an access token of Cognito's kind", other(json!({"token_use": "access"})), "allowed"),
            ("an ID token of Keycloak's kind", other(json!({"typ": "ID"})), "token_type_unexpected"),
            ("a refresh token", other(json!({"typ": "Refresh"})), "token_type_unexpected"),
            ("an offline token", other(json!({"typ": "Offline"})), "token_type_unexpected"),
            ("a logout token", other(json!({"typ": "Logout"})), "token_type_unexpected"),
            ("an access token of Keycloak's kind", other(json!({"typ": "Bearer"})), "allowed"),
            ("for another API", other(json!({"aud": "https://other.example.com/"})), "audience_mismatch"),
            ("for the client", other(json!({"aud": "s6BhdRkqt3"})), "audience_mismatch"),
            ("for nobody", other(json!({"aud": null})), "claim_missing"),
        ],
    );
}

#[test]
fn access_tokens_of_rfc_9068() {
    let access = rfc9068();
    let other = |changes| access.claims(changes);
    are_told_apart(
        Profile::Rfc9068,
        vec![
            ("an access token", access.clone(), "allowed"),
            ("of a service", other(json!({"sub": "s6BhdRkqt3", "scope": null})), "allowed"),
            ("of an older kind", access.header(jwt()), "token_type_unexpected"),
            ("with a nonce, as some issuers have it", other(json!({"nonce": "n"})), "allowed"),
            ("without a client", other(json!({"client_id": null})), "claim_missing"),
            ("without an ID", other(json!({"jti": null})), "claim_missing"),
            ("without a date", other(json!({"iat": null})), "claim_missing"),
            ("an ID that is a number", other(json!({"jti": 5})), "claim_invalid"),
            ("for another API", other(json!({"aud": ["https://other.example.com/"]})), "audience_mismatch"),
        ],
    );
}

#[test]
fn access_tokens_of_cognito() {
    let access = cognito_access();
    let other = |changes| access.claims(changes);
    let machine = json!({
        "sub": "1example23456789", "username": null, "device_key": null, "cognito:groups": null,
        "event_id": null, "origin_jti": null, "scope": "orders/read",
    });
    are_told_apart(
        Profile::CognitoAccess,
        vec![
            ("an access token", access.clone(), "allowed"),
            ("of a machine", other(machine), "allowed"),
            ("bound to a resource", other(json!({"aud": "https://api.example.com"})), "allowed"),
            ("the ID token", cognito_id(), "token_type_unexpected"),
            ("of a client of another name", other(json!({"client_id": "other"})), "audience_mismatch"),
            (
                "whose `aud` is the client",
                other(json!({"client_id": "other", "aud": "1example23456789"})),
                "audience_mismatch",
            ),
            ("of no client", other(json!({"client_id": null})), "claim_missing"),
            ("of a client among others", other(json!({"client_id": ["1example23456789"]})), "claim_invalid"),
            ("of no kind", other(json!({"token_use": null})), "claim_missing"),
            ("of another kind", other(json!({"token_use": "refresh"})), "token_type_unexpected"),
            ("of both kinds", other(json!({"token_use": ["access", "id"]})), "token_type_unexpected"),
            (
                "of another pool",
                other(json!({"iss": "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_other"})),
                "issuer_unknown",
            ),
        ],
    );
}

/// Cognito's refresh tokens, and Auth0's access tokens for nothing but its own `/userinfo`, are encrypted:
/// the latter directly, so that the part of the key is empty.
#[test]
fn opaque_tokens_of_the_providers_are_encrypted_ones() {
    let parts = ["48V1_ALb6US04U3b", "5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4", "XFBoMYUZodetZdvTiFvSkQ"];
    let direct = encode(r#"{"alg":"dir","enc":"A256GCM","iss":"https://my-domain.auth0.com/"}"#);
    let refresh = encode(r#"{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}"#);
    for (profile, token) in [
        (Profile::Auth0, format!("{direct}..{}", parts.join("."))),
        (Profile::CognitoAccess, format!("{refresh}.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZ.{}", parts.join("."))),
    ] {
        let sample = typical(profile);
        assert_eq!(verdict(&token, &KEY_SET, &sample.expectations(profile), NOW), "token_encrypted");
        assert_eq!(verdict(&sample.token(), &KEY_SET, &sample.expectations(profile), NOW), "allowed");
    }
}

#[test]
fn access_tokens_of_auth0() {
    let access = auth0();
    let other = |changes| access.claims(changes);
    let machine = json!({
        "sub": "my_client_id@clients", "gty": "client-credentials", "scope": "read:patients",
        "aud": "https://example.com/health-api",
    });
    are_told_apart(
        Profile::Auth0,
        vec![
            ("an access token", access.clone(), "allowed"),
            ("of a machine", other(machine), "allowed"),
            ("of the other dialect", auth0_rfc9068(), "allowed"),
            ("of a member of an organization", other(json!({"org_id": "org_abcd1234"})), "allowed"),
            ("the ID token", auth0_id(), "token_type_unexpected"),
            ("the ID token of the code flow", auth0_id().claims(json!({"nonce": null})), "claim_missing"),
            (
                "an ID token for the API",
                auth0_id().claims(json!({"nonce": null, "aud": "https://example.com/health-api"})),
                "claim_missing",
            ),
            ("of no client", other(json!({"azp": null})), "claim_missing"),
            (
                "for Auth0's own API",
                other(json!({"aud": "https://my-domain.auth0.com/api/v2/"})),
                "audience_mismatch",
            ),
            ("for the client", other(json!({"aud": "my_client_id"})), "audience_mismatch"),
            ("of another tenant", other(json!({"iss": "https://other.auth0.com/"})), "issuer_unknown"),
        ],
    );
}

#[test]
fn access_tokens_of_okta() {
    let access = okta();
    let other = |changes| access.claims(changes);
    let machine =
        json!({"uid": null, "auth_time": null, "sub": "nmdP1fcyvdVO11AL7ECm", "scp": ["orders:read"]});
    let of_the_organization = json!({"iss": "https://dev-1234.okta.com", "aud": "https://dev-1234.okta.com"});
    are_told_apart(
        Profile::Okta,
        vec![
            ("an access token", access.clone(), "allowed"),
            ("of a machine", other(machine), "allowed"),
            ("the ID token", okta_id(), "claim_missing"),
            (
                "the ID token of a request",
                okta_id().claims(json!({"at_hash": null, "nonce": "n"})),
                "claim_missing",
            ),
            (
                "an ID token for the API",
                okta_id().claims(json!({"at_hash": null, "aud": "api://default"})),
                "claim_missing",
            ),
            ("of the organization's server", other(of_the_organization), "issuer_unknown"),
            (
                "typed as such",
                access.header(json!({"typ": "application/okta-internal-at+jwt"})),
                "token_type_unexpected",
            ),
            ("of no client", other(json!({"cid": null})), "claim_missing"),
            ("without scopes", other(json!({"scp": null})), "claim_missing"),
            ("for another API", other(json!({"aud": "api://other"})), "audience_mismatch"),
        ],
    );
}

/// Version 1.0 has another issuer and another audience.
#[test]
fn access_tokens_of_entra() {
    let access = entra_v2();
    let other = |changes| access.claims(changes);
    are_told_apart(
        Profile::Entra,
        vec![
            ("an access token", access.clone(), "allowed"),
            ("of an application", entra_v2_application(), "allowed"),
            ("of a user with roles", other(json!({"roles": ["Clerk"]})), "allowed"),
            ("the ID token", entra_id(), "claim_missing"),
            ("the ID token of the code flow", entra_id().claims(json!({"nonce": null})), "claim_missing"),
            (
                "an ID token with roles",
                entra_id().claims(json!({"nonce": null, "roles": ["Clerk"]})),
                "claim_missing",
            ),
            // Anybody's application gets one. Without roles it was granted nothing.
            (
                "of an application without roles",
                entra_v2_application().claims(json!({"roles": null})),
                "claim_missing",
            ),
            ("of no client", other(json!({"azp": null})), "claim_missing"),
            (
                "for Microsoft Graph",
                other(json!({"aud": "00000003-0000-0000-c000-000000000000"})),
                "audience_mismatch",
            ),
            (
                "of another tenant",
                other(json!({"iss": "https://login.microsoftonline.com/other/v2.0"})),
                "issuer_unknown",
            ),
            ("of version 1.0", entra_v1(), "issuer_unknown"),
        ],
    );
    let version_1 = entra_v1().expectations(Profile::Entra);
    for (sample, expected) in [
        (entra_v1(), "allowed"),
        (entra_v1_application(), "allowed"),
        (entra_v1().claims(json!({"appid": null})), "claim_missing"),
        (entra_v1().claims(json!({"scp": null})), "claim_missing"),
        (entra_v1().claims(json!({"aud": "https://graph.microsoft.com"})), "audience_mismatch"),
        (entra_v1().claims(json!({"nonce": "12345"})), "allowed"),
        (access, "issuer_unknown"),
    ] {
        assert_eq!(verdict(&sample.token(), &KEY_SET, &version_1, NOW), expected, "{}", sample.claims);
    }
}

#[test]
fn access_tokens_of_keycloak() {
    let access = keycloak();
    let other = |changes| access.claims(changes);
    let service = json!({
        "auth_time": null, "sid": null, "scope": "email profile", "azp": "orders-worker",
        "client_id": "orders-worker", "clientHost": "10.0.0.1", "clientAddress": "10.0.0.1",
        "preferred_username": "service-account-orders-worker",
    });
    let bound = json!({"typ": "DPoP", "cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}});
    are_told_apart(
        Profile::Keycloak,
        vec![
            ("an access token", access.clone(), "allowed"),
            ("before version 24", keycloak_23(), "allowed"),
            ("typed by RFC 9068", access.header(json!({"typ": "at+jwt"})), "allowed"),
            ("of a service", other(service), "allowed"),
            ("the ID token", keycloak_id(), "token_type_unexpected"),
            (
                "an ID token for the API",
                keycloak_id().claims(json!({"aud": "orders-api"})),
                "token_type_unexpected",
            ),
            ("the refresh token", other(json!({"typ": "Refresh"})), "token_type_unexpected"),
            ("the offline token", other(json!({"typ": "Offline"})), "token_type_unexpected"),
            ("a logout token", other(json!({"typ": "Logout"})), "token_type_unexpected"),
            (
                "a registration token",
                other(json!({"typ": "RegistrationAccessToken"})),
                "token_type_unexpected",
            ),
            ("a token of no kind", other(json!({"typ": null})), "claim_missing"),
            ("a token of another case", other(json!({"typ": "bearer"})), "token_type_unexpected"),
            ("bound to a key", other(bound), "token_type_unexpected"),
            (
                "bound to a certificate",
                other(json!({"cnf": {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}})),
                "token_sender_constrained",
            ),
            ("for nothing but the account", other(json!({"aud": "account"})), "audience_mismatch"),
            ("for nobody", other(json!({"aud": null})), "claim_missing"),
            (
                "of another realm",
                other(json!({"iss": "https://id.example.com/realms/master"})),
                "issuer_unknown",
            ),
        ],
    );
    // Since version 25 only the client scope `basic` brings `sub`.
    let light = other(json!({"sub": null, "auth_time": null}));
    let mut expectations = light.expectations(Profile::Keycloak);
    assert_eq!(verdict(&light.token(), &KEY_SET, &expectations, NOW), "claim_missing");
    expectations.subject = Presence::Optional;
    assert_eq!(verdict(&light.token(), &KEY_SET, &expectations, NOW), "allowed");
}

#[test]
fn tokens_of_aws_iam() {
    let token = aws_iam();
    let other = |changes| token.claims(changes);
    let namespace = "https://sts.amazonaws.com/";
    are_told_apart(
        Profile::AwsIam,
        vec![
            ("a token", token.clone(), "allowed"),
            ("by the other algorithm", token.signed_with(Algorithm::RS256), "allowed"),
            ("with the least", other(json!({namespace: {"aws_account": "123456789012"}})), "allowed"),
            (
                "for many",
                other(json!({"aud": ["https://api.example.com", "https://other.example.com"]})),
                "allowed",
            ),
            ("for another service", other(json!({"aud": "https://other.example.com"})), "audience_mismatch"),
            (
                "of another account",
                other(json!({"iss": "https://other.tokens.sts.global.api.aws"})),
                "issuer_unknown",
            ),
            (
                "that names no account",
                other(json!({namespace: {"source_region": "us-east-1"}})),
                "claim_missing",
            ),
            ("of a namespace that is a list", other(json!({namespace: ["aws_account"]})), "claim_missing"),
            ("of nothing of AWS", other(json!({namespace: null})), "claim_missing"),
            ("of no ID", other(json!({"jti": null})), "claim_missing"),
            ("of no date", other(json!({"iat": null})), "claim_missing"),
        ],
    );
}

/// What a token passes for where an issuer has no profile of its own, if its audience is the one that is
/// asked for. Where a kind has no mark, its audience alone tells it: an API's, or a client's.
#[test]
fn kinds_are_told_apart_by_their_marks() {
    let mut combinations = 0;
    for (what, sample, [as_access_token, as_id_token, as_rfc_9068]) in [
        ("cognito access", cognito_access(), [true, false, false]),
        ("cognito id", cognito_id(), [false, true, false]),
        ("auth0", auth0(), [true, true, false]),
        ("auth0, rfc 9068", auth0_rfc9068(), [true, false, true]),
        ("auth0 id", auth0_id(), [false, true, false]),
        ("auth0 id, no nonce", auth0_id().claims(json!({"nonce": null})), [true, true, false]),
        ("okta", okta(), [true, true, false]),
        ("okta id", okta_id(), [false, true, false]),
        ("entra 2", entra_v2(), [true, true, false]),
        ("entra 2, application", entra_v2_application(), [true, true, false]),
        ("entra 1", entra_v1(), [true, true, false]),
        ("entra 1, application", entra_v1_application(), [true, true, false]),
        ("entra id", entra_id(), [false, true, false]),
        ("entra id, no nonce", entra_id().claims(json!({"nonce": null})), [true, true, false]),
        ("keycloak", keycloak(), [true, false, false]),
        ("keycloak 23", keycloak_23(), [false, false, false]),
        ("keycloak id", keycloak_id(), [false, true, false]),
        ("google", google(), [false, true, false]),
        ("google service account", google_service_account(), [true, true, false]),
        ("firebase", firebase(), [true, true, false]),
        ("aws iam", aws_iam(), [true, true, false]),
        ("rfc 9068", rfc9068(), [true, false, true]),
        ("id token", id_token(), [false, true, false]),
    ] {
        for (profile, expected) in [
            (Profile::AccessToken, as_access_token),
            (Profile::IdToken, as_id_token),
            (Profile::Rfc9068, as_rfc_9068),
        ] {
            let mut expectations = sample.expectations(profile);
            if what == "cognito access" {
                expectations.audience_claim = AudienceClaim::ClientId;
            }
            let found = verdict(&sample.token(), &KEY_SET, &expectations, NOW);
            assert_eq!(found == "allowed", expected, "{what} as {profile:?}: {found}");
            combinations += 1;
        }
    }
    assert_eq!(combinations, 69);
}
