//! One decision record for each event: a line of JSON, with the same keys every time.
//!
//! It holds what was verified, configured, or said by API Gateway itself, and the route. Never a
//! token, and never a claim of a token whose signature does not hold.

mod key_set;
mod level;
mod metric;
#[cfg(feature = "dynamodb")]
mod revocation;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, Fault};
use crate::io::{Clock, Edges, Log, StandardOutput, SystemClock, rfc3339};
use crate::request::Request;
use crate::response::Decision;
use crate::verify::Principal;
pub use level::Level;
use metric::Directive;

/// Writes the decision records.
#[derive(Clone)]
pub struct Telemetry {
    level: Level,
    edges: Edges,
}

/// A decision under way.
pub struct Timer {
    started: Duration,
}

/// The record. An absent value has no key.
#[derive(Serialize)]
struct Record<'a> {
    timestamp: String,
    level: Level,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a str>,
    duration_us: u128,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_exceeded: Option<u8>,
    #[serde(rename = "_aws", skip_serializing_if = "Option::is_none")]
    directive: Option<Directive>,
}

impl Telemetry {
    /// Records of this level and above go to the log.
    #[must_use]
    pub fn new(level: Level, edges: Edges) -> Self {
        Self { level, edges }
    }

    /// Starts the clock of a decision.
    #[must_use]
    pub fn start(&self) -> Timer {
        Timer { started: self.edges.clock.elapsed() }
    }

    /// Records what came of a request.
    pub fn record(
        &self,
        timer: &Timer,
        invocation: &str,
        request: &Request,
        outcome: &Result<Decision, Error>,
    ) {
        let mut record = self.blank(timer, invocation);
        record.kind = Some(request.kind.name());
        record.method = request.arn.method();
        let route = printable(request.route.as_deref().unwrap_or_else(|| request.arn.path()));
        record.route = Some(&route);
        record.api_request_id = request.request_id.as_deref();
        match outcome {
            Ok(decision) => {
                record.issuer = decision.principal().map(Principal::issuer);
                record.principal = Some(decision.principal_id());
                record.key_id = decision.principal().and_then(Principal::key_id);
                record.rule = decision.rule();
                if let Some(reason) = decision.reason() {
                    record.refused(reason.code().name(), reason.to_string());
                }
            }
            Err(Error::Rejection(rejection)) => {
                record.issuer = rejection.issuer.as_ref();
                record.key_id = rejection.key_id.as_deref();
                record.refused(rejection.reason.code().name(), rejection.reason.to_string());
                if rejection.reason.is_a_limit() {
                    record.level = Level::Error;
                    record.limit_exceeded = Some(1);
                    record.directive = Some(Directive::limit_exceeded(self.edges.clock.now()));
                }
            }
            Err(Error::Fault(fault)) => record.failed(fault),
        }
        self.write(record.level, &record);
    }

    /// Records an event that could not be read.
    pub fn record_malformed(&self, timer: &Timer, invocation: &str, fault: &Fault) {
        let mut record = self.blank(timer, invocation);
        record.failed(fault);
        self.write(record.level, &record);
    }

    fn blank<'a>(&self, timer: &Timer, invocation: &'a str) -> Record<'a> {
        Record {
            timestamp: rfc3339(self.edges.clock.now()),
            level: Level::Info,
            message: "request allowed",
            kind: None,
            method: None,
            route: None,
            decision: "allow",
            reason: None,
            detail: None,
            rule: None,
            issuer: None,
            principal: None,
            key_id: None,
            duration_us: self.edges.clock.elapsed().saturating_sub(timer.started).as_micros(),
            request_id: invocation,
            api_request_id: None,
            limit_exceeded: None,
            directive: None,
        }
    }

    fn write(&self, level: Level, record: &impl Serialize) {
        if level < self.level {
            return;
        }
        // Nothing in a record can fail to serialize; if it did, the decision stands all the same.
        if let Ok(line) = serde_json::to_string(record) {
            self.edges.log.line(&in_ascii(line));
        }
    }
}

impl Record<'_> {
    fn refused(&mut self, code: &'static str, detail: String) {
        (self.level, self.message, self.decision) = (Level::Warn, "request refused", "deny");
        (self.reason, self.detail) = (Some(code), Some(detail));
    }

    fn failed(&mut self, fault: &Fault) {
        (self.level, self.message, self.decision) = (Level::Error, "no decision", "fault");
        (self.reason, self.detail) = (Some(fault.code().name()), Some(fault.to_string()));
    }
}

/// The route without what could play tricks on a terminal or a reader: it may be the client's path.
fn printable(route: &str) -> Cow<'_, str> {
    if route.bytes().fold(true, |is_plain, byte| is_plain & (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(route);
    }
    let plain = |letter: char| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' };
    Cow::Owned(route.chars().map(plain).collect())
}

/// The same JSON in visible ASCII. A name of the caller's, or a key ID, may turn the direction of a line,
/// or look like another.
fn in_ascii(json: String) -> String {
    // All bytes at once, and only what this does not pass letter by letter.
    if json.bytes().fold(true, |is_visible, byte| is_visible & (byte <= b'~')) {
        return json;
    }
    let mut line = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter <= '~' {
            line.push(letter);
        } else {
            let mut units = [0; 2];
            line.extend(letter.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    line
}

/// Tells why the function cannot start: one line, with every problem in it.
pub fn log_start_failure(log: &dyn Log, error: &dyn std::error::Error) {
    let line = serde_json::json!({
        "timestamp": rfc3339(SystemClock::start().now()),
        "level": Level::Fatal,
        "message": "the function cannot start",
        "reason": "start_failed",
        "detail": error.to_string(),
    });
    log.line(&line.to_string());
}

/// Makes a panic tell where it happened and nothing else: its message may quote what it stumbled on.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        let line =
            serde_json::json!({ "level": Level::Error, "message": "panic", "reason": "bug", "at": at });
        StandardOutput::open().line(&line.to_string());
    }));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Rule Z8.
    #[test]
    fn a_line_is_visible_ascii_and_says_the_same() {
        let value = json!({"principal": "\u{202e}nimda \u{2028}é\u{7f}\u{1f600}\n\"", "plain": "a~ "});
        let line = in_ascii(value.to_string());
        assert!(line.chars().all(|letter| (' '..='~').contains(&letter)), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
        assert_eq!(in_ascii("{\"a\":\"é\"}".into()), "{\"a\":\"\\u00e9\"}");
    }
}
