//! ID tokens, where the profile says that they are meant; beside them what they are not.

use lambda_authorizer::verify::Profile;
use serde_json::json;

use crate::profiles::*;
use crate::samples::*;
use crate::{KEY_SET, NOW, encode, verdict};

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
