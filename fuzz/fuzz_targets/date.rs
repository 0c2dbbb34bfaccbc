//! Any text as a date of a certificate: what is read, written again, is what was there, but for the number of blanks.

#![no_main]

use lambda_authorizer::io::rfc3339;
use lambda_authorizer::request::ClientCertificate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let certificate = ClientCertificate {
        not_before: Some(text.clone()),
        not_after: Some("Dec 31 23:59:59 2099 GMT".to_owned()),
        ..ClientCertificate::default()
    };
    if let Some((from, until)) = certificate.validity() {
        assert_eq!(until, 4_102_444_799.0);
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
        assert_eq!(words.join(" ").replace(" 0", " "), written(from).replace(" 0", " "));
    }
});

/// `May 28 12:30:02 2019 GMT`.
fn written(time: f64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = rfc3339(time);
    let parts: Vec<&str> = text.split(['-', 'T', '.']).collect();
    let [year, month, day, clock, _] = parts.as_slice() else { panic!("not before the year 0: {text}") };
    let month: usize = month.parse().expect("a number");
    format!("{} {day} {clock} {year} GMT", MONTHS[month - 1])
}
