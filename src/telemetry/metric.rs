//! What CloudWatch makes a metric of: a refusal by a limit, which is the operator's to mend and nobody else's.
//!
//! "Specification: Embedded metric format", CloudWatch user guide.

use serde::Serialize;

use crate::io::UnixTime;

/// The name of the metric, and of its member of the record.
const NAME: &str = "limit_exceeded";

/// What tells CloudWatch to count the record, by its `reason`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Directive {
    timestamp: u64,
    cloud_watch_metrics: [Metrics; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metrics {
    namespace: &'static str,
    dimensions: [[&'static str; 1]; 1],
    metrics: [Metric; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}

impl Directive {
    /// The metric `limit_exceeded`, with the dimension `reason`.
    pub(super) fn limit_exceeded(now: UnixTime) -> Self {
        let metrics = Metrics {
            namespace: "lambda-authorizer",
            dimensions: [["reason"]],
            metrics: [Metric { name: NAME, unit: "Count" }],
        };
        Self { timestamp: milliseconds(now), cloud_watch_metrics: [metrics] }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time before 1970 is 1970")]
fn milliseconds(now: UnixTime) -> u64 {
    (now * 1000.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_directive_is_as_cloudwatch_specifies_it() {
        let expected = json!({
            "Timestamp": 1_800_000_000_500_u64,
            "CloudWatchMetrics": [{
                "Namespace": "lambda-authorizer",
                "Dimensions": [["reason"]],
                "Metrics": [{"Name": "limit_exceeded", "Unit": "Count"}],
            }],
        });
        assert_eq!(serde_json::to_value(Directive::limit_exceeded(1_800_000_000.5)).unwrap(), expected);
    }
}
