//! Any text as an event, the accepted token in the places of its marker: nothing is allowed without the
//! token, the answer says what was decided, and so does the log, which keeps the secret.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use lambda_authorizer::event::Event;
use lambda_authorizer::policy::Effect;
use lambda_authorizer::request::{EventKind, Request};
use lambda_authorizer_fuzz::{MARKER, Subject, TOKEN, answer, at_once, expected, json};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let payload = String::from_utf8_lossy(bytes).replace(MARKER, &TOKEN);
    let event = Event { payload: &payload, invocation_id: "1", deadline: None };
    for (subject, has_rules) in &*SUBJECTS {
        let answer = at_once(subject.authorizer.authorize(event));
        let log = subject.logged().join("\n");
        assert!(log.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        let record = json::object(log.as_bytes(), usize::MAX).expect("one line of JSON");
        let Ok(request) = Request::try_from(event) else {
            assert!(answer.is_err() && record["decision"] == "fault");
            continue;
        };
        let decision = at_once(subject.authorizer.decide(&request, Duration::ZERO));
        // What is not used may be what a `Value` cannot hold: `1e999`.
        let Ok(members) = serde_json::from_str::<Value>(&payload) else { continue };
        let arn = ["methodArn", "routeArn"].map(|name| members[name].as_str().unwrap_or_default()).concat();
        let carries_token = || json::strings(&members).iter().any(|text| text.contains(&*TOKEN));
        assert!(decision.is_err() || carries_token());
        let allowed = decision.as_ref().is_ok_and(|decision| decision.effect() == Effect::Allow);
        assert_eq!(allowed, decision.is_ok() && (!has_rules || expected::is_open(&arn)));
        assert_eq!(allowed, record["decision"] == "allow");
        match answer {
            Ok(answer) => {
                let answer: Value = serde_json::from_str(answer.as_str()).expect("JSON");
                assert!(request.kind == EventKind::Http2 || answer::is_flat(&answer["context"]));
                // In so many words, whichever spelling of the root is compared: as it came, and as we write it.
                for arn in [&arn, &request.arn.to_string()] {
                    assert_eq!(answer::verdict(&answer, arn), Some(allowed));
                }
            }
            Err(_) => assert!(decision.is_err()),
        }
        let places = [Some(arn), request.route, request.request_id];
        let told = |place: Option<String>| place.is_some_and(|place| place.contains(&*SECRET));
        assert!(!log.contains(&*SECRET) || places.into_iter().any(told));
    }
});

/// With rules and without, with either refusal, and with either shape of an HTTP API's answer.
static SUBJECTS: LazyLock<[(Subject, bool); 2]> = LazyLock::new(|| {
    let sections = format!(
        "identity_source = [
            {{ from = 'authorization_token' }},
            {{ from = 'header', name = 'X-Token', scheme = 'none' }},
            {{ from = 'query', name = 'token' }},
            {{ from = 'cookie', name = 'token' }},
            {{ from = 'websocket_protocol' }},
        ]
        [gateway]
        cache_seconds = 0
        [client_certificate]
        required = false
        context = {{ bank = 'subject.O', serial = 'serial' }}
        [response]
        refusal = 'unauthorized'
        http_api = 'simple'
        reason_key = 'reason'
        context = {{ org = 'org', tenant = 'org.tenant_id' }}
        {}",
        expected::RULES,
    );
    [(Subject::new(""), false), (Subject::new(&sections), true)]
});

/// What of the token must not be told: its signature.
static SECRET: LazyLock<String> = LazyLock::new(|| TOKEN.rsplit('.').next().unwrap_or_default().to_owned());
