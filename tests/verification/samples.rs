//! The tokens of the usual providers, as their documentation shows them.

use lambda_authorizer::jwks::Algorithm;
use lambda_authorizer::verify::{AudienceCheck, Expectations, Profile};
use serde_json::{Value, json};

use crate::{NOW, key, with};

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
    pub(crate) fn header(&self, changes: Value) -> Self {
        Self { header: with(&self.header, &changes), ..self.clone() }
    }

    pub(crate) fn claims(&self, changes: Value) -> Self {
        Self { claims: with(&self.claims, &changes), ..self.clone() }
    }

    pub(crate) fn signed_with(&self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self.clone() }
    }

    pub(crate) fn token(&self) -> String {
        let own = json!({"alg": self.algorithm.name(), "kid": self.algorithm.name()});
        key(self.algorithm).sign(&with(&own, &self.header), &self.claims).unwrap()
    }

    pub(crate) fn issuer(&self) -> &str {
        self.claims["iss"].as_str().unwrap()
    }

    /// What the profile asks of a token of this issuer for this audience.
    pub(crate) fn expectations(&self, profile: Profile) -> Expectations {
        let audience = AudienceCheck::OneOf(vec!["somebody-else".into(), self.audience.into()]);
        Expectations::new(profile, self.issuer(), audience)
    }
}

pub(crate) fn jwt() -> Value {
    json!({"typ": "JWT"})
}

/// RS256, by a key ID, as nearly everybody has it.
pub(crate) fn sample(header: Value, audience: &'static str, claims: Value) -> Sample {
    let times = json!({"iat": NOW - 60.0, "exp": NOW + 3540.0});
    Sample { algorithm: Algorithm::RS256, header, claims: with(&times, &claims), audience }
}

/// A user's access token of Cognito.
pub(crate) fn cognito_access() -> Sample {
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

pub(crate) fn cognito_id() -> Sample {
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

pub(crate) fn auth0() -> Sample {
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
pub(crate) fn auth0_rfc9068() -> Sample {
    let dialect = json!({"azp": null, "client_id": "my_client_id", "jti": "73WakrfVbNJBaAmhQtEeDv"});
    auth0().header(json!({"typ": "at+jwt"})).claims(dialect)
}

pub(crate) fn auth0_id() -> Sample {
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

pub(crate) fn okta() -> Sample {
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

pub(crate) fn okta_id() -> Sample {
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
pub(crate) fn entra_v2() -> Sample {
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

pub(crate) fn entra_v2_application() -> Sample {
    entra_v2().claims(json!({
        "scp": null, "name": null, "preferred_username": null, "azpacr": "1", "idtyp": "app",
        "roles": ["Orders.Read.All"], "sub": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
    }))
}

pub(crate) fn entra_v1() -> Sample {
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

pub(crate) fn entra_v1_application() -> Sample {
    entra_v1().claims(json!({
        "scp": null, "name": null, "upn": null, "unique_name": null, "amr": null, "appidacr": "1",
        "idp": "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/", "roles": ["Orders.Read.All"],
    }))
}

/// The client of an ID token may be the very API: one registration for both.
pub(crate) fn entra_id() -> Sample {
    entra_v2().claims(json!({"azp": null, "azpacr": null, "scp": null, "nonce": "12345"}))
}

/// From version 25 on.
pub(crate) fn keycloak() -> Sample {
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
pub(crate) fn keycloak_23() -> Sample {
    let session = "5ec7f6a5-e3a5-4d35-9bb3-9f51a6ad5ea0";
    keycloak().claims(json!({"nonce": "c1c0b6a2-7d0b-4ed0-94a7-6f1f6ca2ae2e", "session_state": session}))
}

pub(crate) fn keycloak_id() -> Sample {
    let mut sample = keycloak().claims(json!({
        "typ": "ID", "aud": "orders-web", "nonce": "c1c0b6a2", "at_hash": "cpqKfdQA5eH891Ff5oJr_Q",
        "scope": null, "realm_access": null, "resource_access": null, "allowed-origins": null,
    }));
    sample.audience = "orders-web";
    sample
}

pub(crate) fn google() -> Sample {
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
pub(crate) fn google_service_account() -> Sample {
    let mut sample = google().claims(json!({
        "azp": "113774264463038321964", "sub": "113774264463038321964", "aud": "https://api.example.com",
        "email": "worker@project.iam.gserviceaccount.com", "hd": null, "at_hash": null, "nonce": null,
    }));
    sample.audience = "https://api.example.com";
    sample
}

pub(crate) fn firebase() -> Sample {
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

pub(crate) fn aws_iam() -> Sample {
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
pub(crate) fn rfc9068() -> Sample {
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
pub(crate) fn id_token() -> Sample {
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
