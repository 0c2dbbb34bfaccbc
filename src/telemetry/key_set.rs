//! What befalls a key set, as a line of JSON of its own.

use serde::Serialize;

use super::{Level, Telemetry};
use crate::error::Code;
use crate::io::rfc3339;
use crate::jwks::{KeySetEvent, Observe};

/// The record of what befell a key set. An absent value has no key.
#[derive(Serialize)]
struct KeySetRecord<'a> {
    timestamp: String,
    level: Level,
    message: &'static str,
    issuer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lifetime_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unusable_keys: Vec<UnusableRecord<'a>>,
}

/// What a key server sends must not fill the log.
const MOST_UNUSABLE: usize = 10;
const LONGEST_KEY_ID: usize = 200;

#[derive(Serialize)]
struct UnusableRecord<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a str>,
    problem: String,
}

impl Observe for Telemetry {
    fn key_set(&self, issuer: &str, event: KeySetEvent<'_>) {
        let mut record = KeySetRecord {
            timestamp: rfc3339(self.edges.clock.now()),
            level: Level::Info,
            message: "key set fetched",
            issuer,
            reason: None,
            detail: None,
            lifetime_seconds: None,
            keys: None,
            unusable_keys: Vec::new(),
        };
        match event {
            KeySetEvent::Fetched { keys, lifetime } => {
                (record.keys, record.lifetime_seconds) = (Some(keys.keys().len()), Some(lifetime));
                let unusable = keys.unusable().iter().take(MOST_UNUSABLE);
                record.unusable_keys = unusable
                    .map(|key| UnusableRecord {
                        key_id: key.id.as_deref().filter(|id| id.len() <= LONGEST_KEY_ID),
                        problem: key.problem.to_string(),
                    })
                    .collect();
            }
            KeySetEvent::Failed { cause, is_served } => {
                let message = "key set not fetched";
                // With keys that serve nobody is refused yet.
                let level = if is_served { Level::Warn } else { Level::Error };
                (record.level, record.message, record.detail) = (level, message, Some(cause.to_owned()));
                record.reason = Some(Code::KeySetUnavailable.name());
            }
            KeySetEvent::TooOld { age } => {
                (record.level, record.message) = (Level::Warn, "key set of the package not used");
                record.detail = Some(format!("it is {age} seconds old"));
            }
        }
        self.write(record.level, &record);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};

    use super::*;
    use crate::io::{Edges, Log};
    use crate::jwks::KeySet;

    #[derive(Default)]
    struct Lines(Mutex<Vec<Value>>);

    impl Log for Lines {
        fn line(&self, line: &str) {
            assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
            self.0.lock().unwrap().push(serde_json::from_str(line).unwrap());
        }
    }

    fn logged(level: Level, event: KeySetEvent<'_>) -> Option<Value> {
        let lines = Arc::new(Lines::default());
        let edges = Edges { log: lines.clone(), ..Edges::of_this_machine() };
        Telemetry::new(level, edges).key_set("https://issuer.example/", event);
        let mut record = lines.0.lock().unwrap().pop()?;
        assert_eq!(record["issuer"], "https://issuer.example/");
        assert!(record["timestamp"].take().as_str().unwrap().ends_with('Z'));
        Some(record)
    }

    /// Rule K4: a key that is passed over is told, so that somebody may ask the issuer.
    #[test]
    fn a_fetched_key_set_tells_which_keys_are_passed_over() {
        let good =
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let set = json!({"keys": [good, "?", {"kty": "XYZ", "kid": "n\u{202e}\n"}]});
        let keys = KeySet::parse(set.to_string().as_bytes()).unwrap();
        let record = logged(Level::Info, KeySetEvent::Fetched { keys: &keys, lifetime: 300.0 }).unwrap();
        assert_eq!((&record["level"], &record["message"]), (&json!("INFO"), &json!("key set fetched")));
        assert_eq!((&record["keys"], &record["lifetime_seconds"]), (&json!(1), &json!(300.0)));
        let unusable = record["unusable_keys"].as_array().unwrap();
        assert_eq!(unusable.len(), 2);
        assert_eq!((unusable[0].get("key_id"), &unusable[1]["key_id"]), (None, &json!("n\u{202e}\n")));
        assert!(unusable.iter().all(|key| key["problem"].is_string()));
    }

    #[test]
    fn a_hostile_key_set_does_not_fill_the_log() {
        let mut members = vec![json!({"kty": "XYZ", "kid": "k".repeat(5000)}); 50];
        members.push(
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
        );
        let keys = KeySet::parse(json!({ "keys": members }).to_string().as_bytes()).unwrap();
        let record = logged(Level::Info, KeySetEvent::Fetched { keys: &keys, lifetime: 300.0 }).unwrap();
        assert!(record.to_string().len() < 2000, "{record}");
    }

    /// Rule K9: whether requests fail already is the difference between a warning and an error.
    #[test]
    fn a_failure_is_a_warning_while_keys_serve() {
        for (is_served, level) in [(true, "WARN"), (false, "ERROR")] {
            let record = logged(Level::Info, KeySetEvent::Failed { cause: "down", is_served }).unwrap();
            let message = json!("key set not fetched");
            assert_eq!((&record["level"], &record["message"]), (&json!(level), &message));
            assert_eq!(
                (&record["reason"], &record["detail"]),
                (&json!("key_set_unavailable"), &json!("down"))
            );
        }
        assert!(logged(Level::Error, KeySetEvent::Failed { cause: "down", is_served: true }).is_none());
        let too_old = logged(Level::Warn, KeySetEvent::TooOld { age: 5.0 }).unwrap();
        assert_eq!(too_old["message"], "key set of the package not used");
    }
}
