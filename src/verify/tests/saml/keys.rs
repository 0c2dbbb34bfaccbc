//! The keys of the provider, from its metadata: rotation, outages, and how long they hold.

use super::*;

/// A new certificate in the metadata is found when an assertion comes that needs it, and the old one is gone with it.
#[tokio::test(start_paused = true)]
async fn keys_follow_the_metadata() {
    let mut setting = Setting::new();
    let old = setting.sign(ASSERTION);
    assert!(setting.verify(&old).await.is_ok());
    let rotated = Provider::new();
    *setting.server.0.lock().unwrap() = Ok(rotated.metadata(""));
    let new = rotated.sign(ASSERTION);
    assert_eq!(setting.at(NOW + 5.0, &new).await, Err("signature_invalid"), "it was asked just now");
    assert!(setting.at(NOW + 11.0, &new).await.is_ok());
    assert_eq!(setting.verify(&old).await, Err("signature_invalid"));
    assert_eq!(setting.fetches(), 2);
    setting.provider = rotated;
    assert!(setting.verify(&setting.sign(ASSERTION)).await.is_ok());
}

/// An outage of the identity provider is no refusal, and costs nobody anything for whom the keys are known.
#[tokio::test(start_paused = true)]
async fn a_metadata_server_that_is_down_is_a_fault_and_held_keys_go_on() {
    let down = || Err(FetchError::Status { status: 503, retry_after: None });
    let setting = Setting::new();
    let signed = setting.sign(ASSERTION);
    *setting.server.0.lock().unwrap() = down();
    assert_eq!(setting.verify(&signed).await, Err("key_set_unavailable"));
    let setting = Setting::new();
    let signed = setting.sign(ASSERTION);
    assert!(setting.verify(&signed).await.is_ok());
    *setting.server.0.lock().unwrap() = down();
    // Past the lifetime of the keys, within the time for which an outage is bridged.
    let later = ASSERTION.replace("1970-01-12T13:5", "1970-01-12T14:5");
    let late = setting.sign(&later);
    assert!(setting.at(NOW + 1200.0, &late).await.is_ok());
    // Nobody knows whether an unknown key is the provider's newest.
    let stranger = Provider::new().sign(&later);
    assert_eq!(setting.at(NOW + 1300.0, &stranger).await, Err("key_set_unavailable"));
    for broken in ["", "<a/>", "<!DOCTYPE a><a/>"] {
        let setting = Setting::new();
        *setting.server.0.lock().unwrap() = Ok(broken.to_owned());
        assert_eq!(setting.verify(&setting.sign(ASSERTION)).await, Err("key_set_unavailable"), "{broken}");
    }
}

/// Beyond `validUntil` no key is used, whatever becomes of the server; and `cacheDuration` is heeded.
#[tokio::test(start_paused = true)]
async fn metadata_is_used_until_its_end_and_fetched_after_its_duration() {
    let later = ASSERTION.replace("1970-01-12T13:5", "1970-01-12T14:5");
    let end = rfc3339(NOW + 900.0);
    let setting = Setting::fetching(|_| {}, &format!(" validUntil='{end}'"));
    let signed = setting.sign(&later);
    assert!(setting.verify(&signed).await.is_ok());
    *setting.server.0.lock().unwrap() = Err(FetchError::Status { status: 503, retry_after: None });
    assert!(setting.at(NOW + 899.0, &signed).await.is_ok());
    assert_eq!(setting.at(NOW + 901.0, &signed).await, Err("key_set_unavailable"));
    *setting.server.0.lock().unwrap() = Ok(setting.provider.metadata(&format!(" validUntil='{end}'")));
    assert_eq!(
        setting.at(NOW + 1000.0, &signed).await,
        Err("key_set_unavailable"),
        "it is still the old one"
    );
    *setting.server.0.lock().unwrap() = Ok(setting.provider.metadata(""));
    assert!(setting.at(NOW + 1100.0, &signed).await.is_ok());

    let setting = Setting::fetching(|_| {}, " cacheDuration='PT2M'");
    let signed = setting.sign(&later);
    assert!(setting.verify(&signed).await.is_ok());
    assert!(setting.at(NOW + 121.0, &signed).await.is_ok());
    assert_eq!(setting.fetches(), 2);
    let setting = Setting::new();
    let signed = setting.sign(&later);
    assert!(setting.verify(&signed).await.is_ok());
    assert!(setting.at(NOW + 121.0, &signed).await.is_ok());
    assert_eq!(setting.fetches(), 1);
    // Of a file, too.
    let setting = Setting::with(|settings| settings.valid_until = Some(NOW + 60.0));
    let signed = setting.sign(ASSERTION);
    assert!(setting.at(NOW + 59.0, &signed).await.is_ok());
    let verified = setting
        .verifiers
        .verify(Presented::bearer(&URL_SAFE_NO_PAD.encode(&signed)), NOW + 60.0, PATIENCE)
        .await;
    assert!(matches!(verified, Err(Error::Fault(_))));
}
