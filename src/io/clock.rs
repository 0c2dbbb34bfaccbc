//! The time of day, and elapsed time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970, with fractions, as in a `NumericDate` (RFC 7519, section 2).
pub type UnixTime = f64;

/// The time as RFC 3339 writes it, in UTC and with milliseconds. Lambda files log lines with any other
/// timestamp under its own time, and under the level `INFO`.
///
/// ```
/// use lambda_authorizer::io::rfc3339;
///
/// assert_eq!(rfc3339(951_782_400.25), "2000-02-29T00:00:00.250Z");
/// ```
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float that is out of range becomes the nearest integer"
)]
pub fn rfc3339(time: UnixTime) -> String {
    let milliseconds = (time * 1000.0) as i64;
    let seconds = milliseconds.div_euclid(1000);
    let (year, month, day) = date(seconds.div_euclid(86_400));
    let [hour, minute, second] =
        [(3600, 24), (60, 60), (1, 60)].map(|(unit, of)| seconds.div_euclid(unit).rem_euclid(of));
    let millisecond = milliseconds.rem_euclid(1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
}

/// The day of the Gregorian calendar, from days since 1970. The year is counted from March, so that
/// the leap day is its last.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let is_next_year = i64::from(month >= 10);
    (era * 400 + year + is_next_year, month + 3 - 12 * is_next_year, day - (153 * month + 2) / 5 + 1)
}

/// The time that is written so, in UTC; `None` for anything else, other time zones included.
#[cfg(any(feature = "dynamodb", feature = "saml"))]
pub(crate) fn parse_rfc3339(text: &str) -> Option<UnixTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let numbers = |text: &str, separator: char| -> Option<[i64; 3]> {
        let is_number = |part: &&str| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<i64> =
            text.split(separator).filter(is_number).map_while(|part| part.parse().ok()).collect();
        parts.try_into().ok()
    };
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let is_date = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let is_time =
        hour < 24 && minute < 60 && second <= 60 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    // As in `date`: the year is counted from March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
    // Within those years, a number of seconds that 32 bits and a factor hold.
    let whole =
        f64::from(u32::try_from(seconds / 60).ok()?) * 60.0 + f64::from(u8::try_from(seconds % 60).ok()?);
    (is_date && is_time).then_some(whole)
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> UnixTime;

    /// The time since some fixed moment: for durations. It may stand still while Lambda freezes us.
    fn elapsed(&self) -> Duration;
}

/// The clock of the machine.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// A clock whose [`Clock::elapsed`] starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock's edge")]
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock's edge")]
    fn now(&self) -> UnixTime {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dates from `date -u -d @…`.
    #[test]
    fn times_are_written_as_in_rfc_3339() {
        for (time, expected) in [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (951_868_799.999, "2000-02-29T23:59:59.999Z"),
            (951_868_800.0, "2000-03-01T00:00:00.000Z"),
            (1_709_164_800.5, "2024-02-29T00:00:00.500Z"),
            (1_735_689_599.0, "2024-12-31T23:59:59.000Z"),
            (1_795_232_065.51, "2026-11-21T03:34:25.510Z"),
            (4_107_542_400.0, "2100-03-01T00:00:00.000Z"),
            (-1.0, "1969-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(rfc3339(time), expected);
        }
    }

    #[cfg(any(feature = "dynamodb", feature = "saml"))]
    #[test]
    fn times_are_read_as_they_are_written() {
        for time in [0.0, 951_868_799.0, 951_868_800.0, 1_709_164_800.0, 1_735_689_599.0, 4_107_542_400.0] {
            assert_eq!(parse_rfc3339(&rfc3339(time)), Some(time));
        }
        assert_eq!(parse_rfc3339("2024-02-29T00:00:00Z"), Some(1_709_164_800.0));
        for other in [
            "",
            "Z",
            "2024-02-29",
            "2024-02-29T00:00:00",
            "2024-02-29T00:00:00+01:00",
            "2024-13-01T00:00:00Z",
            "2024-02-29T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "2024-02-29T00:00Z",
            "2024-02-29T00:00:00.xZ",
            "2024-2-9T00:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(other), None, "{other}");
        }
    }
}
