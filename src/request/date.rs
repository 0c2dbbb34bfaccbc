//! Times as OpenSSL writes them, and API Gateway with it.

use crate::io::UnixTime;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `May 28 12:30:02 2019 GMT`, with a space or two before a day of one digit. `None` for every other form: nobody
/// documents another time zone, and one that is overlooked would shift an end by hours.
pub(super) fn openssl(text: &str) -> Option<UnixTime> {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let month = words.next()?;
    let month = MONTHS.iter().zip(1..).find_map(|(name, number)| (*name == month).then_some(number))?;
    let day = number(words.next()?, 1..=2)?;
    let mut time = words.next()?.split(':').map(|part| number(part, 2..=2));
    let [hour, minute, second] = [time.next()??, time.next()??, time.next()??];
    let year = number(words.next()?, 4..=4)?;
    let is_whole = words.next() == Some("GMT") && words.next().is_none() && time.next().is_none();
    let is_time = hour < 24 && minute < 60 && second < 60;
    let is_day = (1..=days_of(month, year)).contains(&day);
    (is_whole && is_time && is_day).then(|| {
        let of_day = hour * 3600 + minute * 60 + second;
        UnixTime::from(days_since_1970(year, month, day)) * 86_400.0 + UnixTime::from(of_day)
    })
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i32> {
    let is_number = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

fn days_of(month: i32, year: i32) -> i32 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Of the Gregorian calendar. The year is counted from March, so that the leap day is its last.
fn days_since_1970(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + year * 365 + year / 4 - year / 100 + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::rfc3339;

    #[test]
    fn a_time_is_what_openssl_writes() {
        for (text, expected) in [
            ("Jan  1 00:00:00 1970 GMT", "1970-01-01T00:00:00.000Z"),
            ("May 28 12:30:02 2019 GMT", "2019-05-28T12:30:02.000Z"),
            ("Aug  5 09:36:04 2021 GMT", "2021-08-05T09:36:04.000Z"),
            ("Aug 5 09:36:04 2021 GMT", "2021-08-05T09:36:04.000Z"),
            ("Feb 29 23:59:59 2024 GMT", "2024-02-29T23:59:59.000Z"),
            ("Mar  1 00:00:00 2100 GMT", "2100-03-01T00:00:00.000Z"),
            ("Dec 31 23:59:59 9999 GMT", "9999-12-31T23:59:59.000Z"),
            ("Dec 31 23:59:59 1969 GMT", "1969-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(rfc3339(openssl(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn every_other_form_is_none() {
        for text in [
            "",
            "GMT",
            "May 28 12:30:02 2019",
            "May 28 12:30:02 2019 UTC",
            "May 28 12:30:02 2019 GMT+02",
            "May 28 12:30:02 2019 GMT x",
            "May 28 12:30:02 19 GMT",
            "May 28 12:30:02 20190 GMT",
            "may 28 12:30:02 2019 GMT",
            "Mai 28 12:30:02 2019 GMT",
            "28 May 12:30:02 2019 GMT",
            "May 32 12:30:02 2019 GMT",
            "May  0 12:30:02 2019 GMT",
            "Feb 29 12:30:02 2019 GMT",
            "Feb 29 12:30:02 2100 GMT",
            "May 28 24:00:00 2019 GMT",
            "May 28 12:60:02 2019 GMT",
            "May 28 12:30:60 2019 GMT",
            "May 28 12:30 2019 GMT",
            "May 28 12:30:02:05 2019 GMT",
            "May 28 1:30:02 2019 GMT",
            "May +8 12:30:02 2019 GMT",
            "May 28 12:30:02 -019 GMT",
            "May\u{a0}28 12:30:02 2019 GMT",
            "2019-05-28T12:30:02Z",
            "190528123002Z",
        ] {
            assert_eq!(openssl(text), None, "{text}");
        }
    }
}
