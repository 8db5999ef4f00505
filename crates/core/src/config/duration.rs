//! Durations as people write them: `500ms`, `30s`, `10m`, `2h`, `1h30m`.

use std::fmt::Write as _;
use std::time::Duration;

/// The units from large to small, in milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// The longest duration: a year of 365 days, beyond which a time limit is a slip of the pen.
const LONGEST: u64 = 365 * 24 * 3_600_000;

/// Returns the duration of a text, or `None` if it is not one, is zero, or is longer than a year.
///
/// Each unit may stand once, from large to small.
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().ok()?;
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let name = &rest[digits..digits + letters];
        let (_, size) = units.find(|(unit, _)| *unit == name)?;
        total = total.checked_add(number.checked_mul(*size)?)?;
        rest = &rest[digits + letters..];
    }
    (1..=LONGEST).contains(&total).then(|| Duration::from_millis(total))
}

/// Returns a duration as [`parse`] reads it, such as `1h30m`; what is below a millisecond is left out.
pub fn text(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, size) in UNITS {
        if rest >= size {
            let _ = write!(text, "{}{unit}", rest / size);
            rest %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, ms: u64) {
        let duration = Duration::from_millis(ms);
        assert_eq!(parse(given), Some(duration), "{given}");
        assert_eq!(text(duration), given);
    }

    #[test]
    fn durations_are_read_and_written() {
        check("500ms", 500);
        check("30s", 30_000);
        check("10m", 600_000);
        check("2h", 7_200_000);
        check("1h30m", 5_400_000);
        check("1h2m3s4ms", 3_723_004);
        assert_eq!(parse("90s"), Some(Duration::from_secs(90)));
        assert_eq!(text(Duration::from_secs(90)), "1m30s");
        assert_eq!(text(Duration::ZERO), "0s");
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "10", "m", "0s", "10 m", "10m ", "1.5h", "-1s", "5m1h", "1s1s", "10x", "1ö"] {
            assert_eq!(parse(text), None, "{text}");
        }
        for text in ["9000h", "99999999999999999999s", "18446744073709551615h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
