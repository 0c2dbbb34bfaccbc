//! What an answer's header says about time: `Cache-Control`, `Age`, `Retry-After` (RFC 9110 and 9111).

/// How long an answer stays fresh, in seconds: `max-age` less `Age`, and not at all with `no-store` or
/// `no-cache`. `None` where `Cache-Control` says nothing of the kind. Of several `max-age` the least counts.
pub(super) fn fresh_for(cache_control: &[&str], age: Option<&str>) -> Option<f64> {
    let directives = cache_control.iter().flat_map(|value| value.split(',')).map(str::trim);
    let times = directives.filter_map(|directive| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => Some(0.0),
            // What cannot be read counts as over (RFC 9111, section 4.2.1).
            "max-age" => Some(seconds(value.trim().trim_matches('"')).unwrap_or(0.0)),
            _ => None,
        }
    });
    let age = age.and_then(|age| seconds(age.trim())).unwrap_or(0.0);
    times.reduce(f64::min).map(|time| (time - age).max(0.0))
}

/// The seconds of a `Retry-After`. A date is passed over: it is hardly ever sent, and our own pause does.
pub(super) fn delay(retry_after: &str) -> Option<f64> {
    seconds(retry_after.trim())
}

/// Whole seconds, as many as anybody may mean.
fn seconds(digits: &str) -> Option<f64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| f64::from(digits.parse::<u32>().unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_fresh_as_long_as_it_says() {
        for (cache_control, age, expected) in [
            (&[][..], None, None),
            (&["public"][..], None, None),
            (&["public, max-age=600, must-revalidate"], None, Some(600.0)),
            (&["Max-Age = 600"], None, Some(600.0)),
            (&["max-age=\"600\""], None, Some(600.0)),
            (&["max-age=600"], Some("100"), Some(500.0)),
            (&["max-age=600"], Some("1000"), Some(0.0)),
            (&["max-age=600"], Some("soon"), Some(600.0)),
            (&["max-age=600", "max-age=60"], None, Some(60.0)),
            (&["max-age=600, no-store"], None, Some(0.0)),
            (&["no-cache"], None, Some(0.0)),
            (&["max-age=soon"], None, Some(0.0)),
            (&["max-age=-1"], None, Some(0.0)),
            (&["max-age"], None, Some(0.0)),
            (&["max-age=99999999999999999999"], None, Some(f64::from(u32::MAX))),
            (&["s-maxage=600, x-max-age=5"], None, None),
            (&[",,=,"], Some(""), None),
        ] {
            assert_eq!(fresh_for(cache_control, age), expected, "{cache_control:?} {age:?}");
        }
    }

    #[test]
    fn a_delay_is_a_number_of_seconds() {
        assert_eq!(delay(" 120 "), Some(120.0));
        for other in ["", "-1", "1.5", "Fri, 31 Dec 1999 23:59:59 GMT"] {
            assert_eq!(delay(other), None, "{other}");
        }
    }
}
