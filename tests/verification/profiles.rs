//! The tokens of the usual providers, as their documentation shows them, under the profile of each; beside
//! them their nearest neighbours, which are something else.

use lambda_authorizer::jwks::Algorithm;
use lambda_authorizer::verify::{AudienceCheck, AudienceClaim, Expectations, Presence, Profile};
use serde_json::{Value, json};

use crate::{KEY_SET, NOW, encode, key, verdict, with};

/// A token that is not signed yet, and the API that it is meant for.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) algorithm: Algorithm,
    /// Beside `alg` and `kid`.
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) audience: &'static str,
}

impl Sample {
    fn header(&self, changes: Value) -> Self {
        Self { header: with(&self.header, &changes), ..self.clone() }
    }

    fn claims(&self, changes: Value) -> Self {
        Self { claims: with(&self.claims, &changes), ..self.clone() }
    }

    fn signed_with(&self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self.clone() }
    }

    fn token(&self) -> String {
        let own = json!({"alg": self.algorithm.name(), "kid": self.algorithm.name()});
        key(self.algorithm).sign(&with(&own, &self.header), &self.claims).unwrap()
    }

    fn issuer(&self) -> &str {
        self.claims["iss"].as_str().unwrap()
    }

    /// What the profile asks of a token of this issuer for this audience.
    pub(crate) fn expectations(&self, profile: Profile) -> Expectations {
        let audience = AudienceCheck::OneOf(vec!["somebody-else".into(), self.audience.into()]);
        Expectations::new(profile, self.issuer(), audience)
    }
}

fn jwt() -> Value {
    json!({"typ": "JWT"})
}

/// RS256, by a key ID, as nearly everybody has it.
fn sample(header: Value, audience: &'static str, claims: Value) -> Sample {
    let times = json!({"iat": NOW - 60.0, "exp": NOW + 3540.0});
    Sample { algorithm: Algorithm::RS256, header, claims: with(&times, &claims), audience }
}

/// A user's access token of Cognito.
fn cognito_access() -> Sample {
    sample(
        json!({}),
        "1example23456789",
        json!({
            "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "device_key": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "cognito:groups": ["testgroup"],
            "iss": "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example",
            "version": 2,
            "client_id": "1example23456789",
            "origin_jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "event_id": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "token_use": "access",
            "scope": "phone openid profile resourceserver.1/appclient2 email",
            "auth_time": NOW - 60.0,
            "jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "username": "my-test-user",
        }),
    )
}

fn cognito_id() -> Sample {
    sample(
        json!({}),
        "1example23456789",
        json!({
            "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "cognito:groups": ["test-group-a", "test-group-b"],
            "email_verified": true,
            "cognito:preferred_role": "arn:aws:iam::111122223333:role/my-test-role",
            "iss": "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example",
            "cognito:username": "my-test-user",
            "nonce": "abcdefg",
            "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
            "origin_jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "cognito:roles": ["arn:aws:iam::111122223333:role/my-test-role"],
            "aud": "1example23456789",
            "identities": [{"userId": "amzn1.account.EXAMPLE", "providerName": "LoginWithAmazon", "primary": "true"}],
            "event_id": "64f513be-32db-42b0-b78e-b02127b4f463",
            "token_use": "id",
            "auth_time": NOW - 60.0,
            "jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "email": "my-test-user@example.com",
        }),
    )
}

fn auth0() -> Sample {
    sample(
        jwt(),
        "https://example.com/health-api",
        json!({
            "iss": "https://my-domain.auth0.com/",
            "sub": "auth0|123456",
            "aud": ["https://example.com/health-api", "https://my-domain.auth0.com/userinfo"],
            "azp": "my_client_id",
            "scope": "openid profile read:patients read:admin",
            "permissions": ["read:patients"],
            "https://example.com/roles": ["doctor"],
        }),
    )
}

/// The other dialect of Auth0, by RFC 9068.
fn auth0_rfc9068() -> Sample {
    let dialect = json!({"azp": null, "client_id": "my_client_id", "jti": "73WakrfVbNJBaAmhQtEeDv"});
    auth0().header(json!({"typ": "at+jwt"})).claims(dialect)
}

fn auth0_id() -> Sample {
    sample(
        jwt(),
        "my_client_id",
        json!({
            "nickname": "jane",
            "name": "jane@example.com",
            "updated_at": "2026-11-26T12:00:00.000Z",
            "email": "jane@example.com",
            "email_verified": false,
            "iss": "https://my-domain.auth0.com/",
            "aud": "my_client_id",
            "sub": "auth0|123456",
            "sid": "UoUaPxJo_Sj5B-jF8qj0mfxmXmPbIhKc",
            "nonce": "Nd9mrUyWn5Vg",
        }),
    )
}

fn okta() -> Sample {
    sample(
        json!({}),
        "api://default",
        json!({
            "ver": 1,
            "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
            "iss": "https://dev-1234.okta.com/oauth2/default",
            "aud": "api://default",
            "cid": "nmdP1fcyvdVO11AL7ECm",
            "uid": "00ujmkLgagxeRrAg20g3",
            "scp": ["openid", "orders:read"],
            "auth_time": NOW - 60.0,
            "sub": "john.doe@example.com",
        }),
    )
}

fn okta_id() -> Sample {
    sample(
        json!({}),
        "nmdP1fcyvdVO11AL7ECm",
        json!({
            "ver": 1,
            "sub": "00ujmkLgagxeRrAg20g3",
            "iss": "https://dev-1234.okta.com/oauth2/default",
            "aud": "nmdP1fcyvdVO11AL7ECm",
            "jti": "ID.4eAWJOCMB3SX8XewDfVR",
            "auth_time": NOW - 60.0,
            "amr": ["pwd"],
            "idp": "00ok1u7AsAkrwdZL3z0g3",
            "preferred_username": "john.doe@example.com",
            "at_hash": "cpqKfdQA5eH891Ff5oJr_Q",
        }),
    )
}

/// A user's token of Entra, version 2.0, for an API registered on its own.
fn entra_v2() -> Sample {
    sample(
        jwt(),
        "6e74172b-be56-4843-9ff4-e66a39bb12e3",
        json!({
            "aud": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
            "iss": "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
            "nbf": NOW - 60.0,
            "aio": "AXQAi/8IAAAAtAaZLo3ChMif6KOnttRB7eBq4/DccQzjcJGxPYy/C3jDaNGxXd6wNIIVGRghNRnwJ1lOcAnNZcjvkoyrFxCttv33140RioOFJ4bCCGVuoCag1uOTT22222gHwLPYQ/uf79QX+0KIijdrmp69RctzmQ==",
            "azp": "6e74172b-be56-4843-9ff4-e66a39bb0000",
            "azpacr": "0",
            "name": "Abe Lincoln",
            "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
            "preferred_username": "abeli@microsoft.com",
            "rh": "I",
            "scp": "access_as_user",
            "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
            "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47",
            "uti": "fqiBqXLPj0eQa82S-IYFAA",
            "ver": "2.0",
        }),
    )
}

fn entra_v2_application() -> Sample {
    entra_v2().claims(json!({
        "scp": null, "name": null, "preferred_username": null, "azpacr": "1", "idtyp": "app",
        "roles": ["Orders.Read.All"], "sub": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
    }))
}

fn entra_v1() -> Sample {
    let mut sample = entra_v2().claims(json!({
        "aud": "api://6e74172b-be56-4843-9ff4-e66a39bb12e3",
        "iss": "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/",
        "ver": "1.0", "azp": null, "azpacr": null, "appid": "6e74172b-be56-4843-9ff4-e66a39bb0000",
        "appidacr": "0", "acr": "1", "amr": ["pwd"], "ipaddr": "131.107.222.22", "scp": "access_as_user",
        "unique_name": "abeli@microsoft.com", "upn": "abeli@microsoft.com",
    }));
    sample.audience = "api://6e74172b-be56-4843-9ff4-e66a39bb12e3";
    sample.header(json!({"x5t": "i6lGk3FZzxRcUb2C3nEQ7syHJlY"}))
}

fn entra_v1_application() -> Sample {
    entra_v1().claims(json!({
        "scp": null, "name": null, "upn": null, "unique_name": null, "amr": null, "appidacr": "1",
        "idp": "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/", "roles": ["Orders.Read.All"],
    }))
}

/// The client of an ID token may be the very API: one registration for both.
fn entra_id() -> Sample {
    entra_v2().claims(json!({"azp": null, "azpacr": null, "scp": null, "nonce": "12345"}))
}

/// From version 25 on.
fn keycloak() -> Sample {
    sample(
        jwt(),
        "orders-api",
        json!({
            "auth_time": NOW - 60.0,
            "jti": "onrtac:8a3ab1e2-1f2d-4b0a-8e61-4c1ed6d0e0a9",
            "iss": "https://id.example.com/realms/orders",
            "aud": ["orders-api", "account"],
            "sub": "f1888f4d-5172-4359-be0c-af338505d86c",
            "typ": "Bearer",
            "azp": "orders-web",
            "sid": "5ec7f6a5-e3a5-4d35-9bb3-9f51a6ad5ea0",
            "acr": "1",
            "allowed-origins": ["https://orders.example.com"],
            "realm_access": {"roles": ["clerk", "offline_access"]},
            "resource_access": {"account": {"roles": ["manage-account"]}},
            "scope": "openid profile email",
            "email_verified": true,
            "preferred_username": "jane",
        }),
    )
}

/// Before version 24.
fn keycloak_23() -> Sample {
    let session = "5ec7f6a5-e3a5-4d35-9bb3-9f51a6ad5ea0";
    keycloak().claims(json!({"nonce": "c1c0b6a2-7d0b-4ed0-94a7-6f1f6ca2ae2e", "session_state": session}))
}

fn keycloak_id() -> Sample {
    let mut sample = keycloak().claims(json!({
        "typ": "ID", "aud": "orders-web", "nonce": "c1c0b6a2", "at_hash": "cpqKfdQA5eH891Ff5oJr_Q",
        "scope": null, "realm_access": null, "resource_access": null, "allowed-origins": null,
    }));
    sample.audience = "orders-web";
    sample
}

fn google() -> Sample {
    sample(
        jwt(),
        "1234987819200.apps.googleusercontent.com",
        json!({
            "iss": "https://accounts.google.com",
            "azp": "1234987819200.apps.googleusercontent.com",
            "aud": "1234987819200.apps.googleusercontent.com",
            "sub": "10769150350006150715113082367",
            "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q",
            "hd": "example.com",
            "email": "jsmith@example.com",
            "email_verified": true,
            "nonce": "0394852-3190485-2490358",
        }),
    )
}

/// What a service account has for calling a service.
fn google_service_account() -> Sample {
    let mut sample = google().claims(json!({
        "azp": "113774264463038321964", "sub": "113774264463038321964", "aud": "https://api.example.com",
        "email": "worker@project.iam.gserviceaccount.com", "hd": null, "at_hash": null, "nonce": null,
    }));
    sample.audience = "https://api.example.com";
    sample
}

fn firebase() -> Sample {
    sample(
        jwt(),
        "my-project",
        json!({
            "name": "Jane",
            "iss": "https://securetoken.google.com/my-project",
            "aud": "my-project",
            "auth_time": NOW - 600.0,
            "user_id": "gRVc8xWQ0NbPkN7WzVqpKO3XjVh1",
            "sub": "gRVc8xWQ0NbPkN7WzVqpKO3XjVh1",
            "email": "jane@example.com",
            "email_verified": true,
            "firebase": {"identities": {"email": ["jane@example.com"]}, "sign_in_provider": "password"},
        }),
    )
}

fn aws_iam() -> Sample {
    let claims = json!({
        "iss": "https://abc123-def456-ghi789-jkl012.tokens.sts.global.api.aws",
        "aud": "https://api.example.com",
        "sub": "arn:aws:iam::123456789012:role/DataProcessingRole",
        "jti": "xyz123-def456-ghi789-jkl012",
        "https://sts.amazonaws.com/": {
            "aws_account": "123456789012",
            "source_region": "us-east-1",
            "org_id": "o-abc1234567",
            "ou_path": "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/ou-ab12-22222222/",
            "principal_tags": {"environment": "production", "cost-center": "engineering"},
            "lambda_source_function_arn": "arn:aws:lambda:us-east-1:123456789012:function:process-data",
            "request_tags": {"job-id": "job-2024-001"},
        },
    });
    sample(jwt(), "https://api.example.com", claims).signed_with(Algorithm::ES384)
}

/// RFC 9068, section 3.
fn rfc9068() -> Sample {
    sample(
        json!({"typ": "at+jwt"}),
        "https://rs.example.com/",
        json!({
            "iss": "https://authorization-server.example.com/",
            "sub": "5ba552d67",
            "aud": "https://rs.example.com/",
            "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
            "client_id": "s6BhdRkqt3",
            "scope": "openid profile reademail",
        }),
    )
}

/// OpenID Connect Core 1.0, section 2.
fn id_token() -> Sample {
    sample(
        jwt(),
        "s6BhdRkqt3",
        json!({
            "iss": "https://server.example.com",
            "sub": "24400320",
            "aud": "s6BhdRkqt3",
            "nonce": "n-0S6_WzA2Mj",
            "auth_time": NOW - 60.0,
            "acr": "urn:mace:incommon:iap:silver",
            "at_hash": "MTIzNDU2Nzg5MDEyMzQ1Ng",
        }),
    )
}

/// A token of the kind that the profile takes.
pub(crate) fn typical(profile: Profile) -> Sample {
    match profile {
        Profile::AccessToken => rfc9068().header(jwt()),
        Profile::IdToken => id_token(),
        Profile::Rfc9068 => rfc9068(),
        Profile::CognitoAccess => cognito_access(),
        Profile::CognitoId => cognito_id(),
        Profile::Auth0 => auth0(),
        Profile::Okta => okta(),
        Profile::Entra => entra_v2(),
        Profile::Keycloak => keycloak(),
        Profile::Google => google(),
        Profile::Firebase => firebase(),
        Profile::AwsIam => aws_iam(),
    }
}

/// What it is, the token, and the verdict on it where the typical token of the profile is expected.
type Case = (&'static str, Sample, &'static str);

fn are_told_apart(profile: Profile, cases: Vec<Case>) {
    let expectations = typical(profile).expectations(profile);
    for (what, sample, expected) in cases {
        let found = verdict(&sample.token(), &KEY_SET, &expectations, NOW);
        assert_eq!(found, expected, "{profile:?}, {what}: {}", sample.claims);
    }
}

/// What every profile tells apart alike: who issued the token, for whom, how it is signed and typed.
fn has_these_algorithms_and_types(profile: Profile, algorithms: &[Algorithm], types: &[Option<&str>]) {
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

const NOT_NAMED: [Option<&str>; 3] = [None, Some("JWT"), Some("application/jwt")];
const ACCESS: [Option<&str>; 5] =
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
fn id_tokens_of_any_issuer() {
    let id = id_token();
    let other = |changes| id.claims(changes);
    are_told_apart(
        Profile::IdToken,
        vec![
            ("an ID token", id.clone(), "allowed"),
            ("of the code flow", other(json!({"nonce": null, "at_hash": null})), "allowed"),
            ("of Cognito's kind", other(json!({"token_use": "id"})), "allowed"),
            ("of Keycloak's kind", other(json!({"typ": "ID"})), "allowed"),
            ("of no date", other(json!({"iat": null})), "claim_missing"),
            (
                "an access token of Cognito's kind",
                other(json!({"token_use": "access"})),
                "token_type_unexpected",
            ),
            ("an access token of Keycloak's kind", other(json!({"typ": "Bearer"})), "token_type_unexpected"),
            (
                "a logout token of OpenID Connect",
                other(json!({"nonce": null, "events": {}})),
                "token_type_unexpected",
            ),
            ("a refresh token", other(json!({"typ": "Refresh"})), "token_type_unexpected"),
            ("an access token of RFC 9068", id.header(json!({"typ": "at+jwt"})), "token_type_unexpected"),
            ("for another client", other(json!({"aud": "other"})), "audience_mismatch"),
            ("for an API", other(json!({"aud": ["https://api.example.com"]})), "audience_mismatch"),
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

#[test]
fn id_tokens_of_cognito() {
    let id = cognito_id();
    let other = |changes| id.claims(changes);
    are_told_apart(
        Profile::CognitoId,
        vec![
            ("an ID token", id.clone(), "allowed"),
            ("of a sign-in without a browser", other(json!({"nonce": null, "at_hash": null})), "allowed"),
            ("the access token", cognito_access(), "token_type_unexpected"),
            ("of no kind", other(json!({"token_use": null})), "claim_missing"),
            ("for another client", other(json!({"aud": "other"})), "audience_mismatch"),
            (
                "whose client is not its audience",
                other(json!({"aud": "other", "client_id": "1example23456789"})),
                "audience_mismatch",
            ),
            ("for nobody", other(json!({"aud": null})), "claim_missing"),
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
fn id_tokens_of_google() {
    let id = google();
    let other = |changes| id.claims(changes);
    are_told_apart(
        Profile::Google,
        vec![
            ("an ID token", id.clone(), "allowed"),
            (
                "asked for by an app",
                other(json!({"azp": "android.apps.googleusercontent.com", "nonce": null})),
                "allowed",
            ),
            (
                "for another client",
                other(json!({"aud": "other.apps.googleusercontent.com"})),
                "audience_mismatch",
            ),
            (
                "asked for by the client for another",
                other(json!({"aud": "other", "azp": id.audience})),
                "audience_mismatch",
            ),
            ("of no date", other(json!({"iat": null})), "claim_missing"),
            ("of the older name", other(json!({"iss": "accounts.google.com"})), "issuer_unknown"),
            ("of Firebase", firebase(), "issuer_unknown"),
            (
                "signed by a service account",
                other(json!({"iss": "worker@project.iam.gserviceaccount.com"})),
                "issuer_unknown",
            ),
        ],
    );
    let service = google_service_account();
    assert_eq!(verdict(&service.token(), &KEY_SET, &service.expectations(Profile::Google), NOW), "allowed");
}

#[test]
fn id_tokens_of_firebase() {
    let id = firebase();
    let other = |changes| id.claims(changes);
    let anonymous = json!({
        "name": null, "email": null, "email_verified": null, "provider_id": "anonymous",
        "firebase": {"identities": {}, "sign_in_provider": "anonymous"},
    });
    let tenant =
        json!({"firebase": {"identities": {}, "sign_in_provider": "saml.idp", "tenant": "tenant-1"}});
    let custom = json!({
        "iss": "worker@my-project.iam.gserviceaccount.com", "uid": "jane",
        "aud": "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit",
    });
    are_told_apart(
        Profile::Firebase,
        vec![
            ("an ID token", id.clone(), "allowed"),
            ("of a guest", other(anonymous), "allowed"),
            ("of a tenant", other(tenant), "allowed"),
            ("of clocks that differ", other(json!({"iat": NOW + 30.0, "auth_time": NOW + 30.0})), "allowed"),
            (
                "a session cookie",
                other(json!({"iss": "https://session.firebase.google.com/my-project"})),
                "issuer_unknown",
            ),
            ("a custom token", other(custom), "issuer_unknown"),
            (
                "of another project",
                other(json!({"iss": "https://securetoken.google.com/other", "aud": "other"})),
                "issuer_unknown",
            ),
            ("for another project", other(json!({"aud": "other"})), "audience_mismatch"),
            ("of Google", google(), "issuer_unknown"),
            ("issued in the future", other(json!({"iat": NOW + 31.0})), "claim_invalid"),
            ("of a sign-in in the future", other(json!({"auth_time": NOW + 31.0})), "claim_invalid"),
            ("of no sign-in", other(json!({"auth_time": null})), "claim_missing"),
            ("of no date", other(json!({"iat": null})), "claim_missing"),
            ("of no provider", other(json!({"firebase": {"identities": {}}})), "claim_missing"),
            ("of nothing", other(json!({"firebase": null})), "claim_missing"),
        ],
    );
    // The emulator does not sign.
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none","typ":"JWT"}"#), encode(id.claims.to_string()));
    let expectations = id.expectations(Profile::Firebase);
    assert_eq!(verdict(&unsigned, &KEY_SET, &expectations, NOW), "token_unsigned");
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
