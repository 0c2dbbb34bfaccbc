//! What befalls the deny list, as a line of JSON of its own.

use super::{Level, Telemetry};
use crate::error::Code;
use crate::io::rfc3339;
use crate::verify::ObserveRevocation;

impl ObserveRevocation for Telemetry {
    fn unchecked(&self, cause: &str) {
        let record = serde_json::json!({
            "timestamp": rfc3339(self.edges.clock.now()),
            "level": Level::Error,
            "message": "let in without a look at what is revoked",
            "reason": Code::TableUnavailable.name(),
            "detail": cause,
        });
        self.write(Level::Error, &record);
    }
}
