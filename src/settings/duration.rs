//! Durations and sizes as people write them: `40m`, `1h 30m`, `2d`; `64 MiB`.

use jiff::SignedDuration;

use super::complaint::Complaint;

/// Ten years: longer is a slip of the pen.
pub const MOST_SECONDS: i64 = 10 * 365 * 24 * 3600;
/// The units of durations in seconds, with their names in lower case.
pub const UNITS: [(i64, &[&str]); 5] = [
    (1, &["s", "sec", "secs", "second", "seconds"]),
    (60, &["m", "min", "mins", "minute", "minutes"]),
    (3600, &["h", "hr", "hrs", "hour", "hours"]),
    (24 * 3600, &["d", "day", "days"]),
    (7 * 24 * 3600, &["w", "week", "weeks"]),
];
/// The units of sizes in bytes, with their names in lower case.
pub const SIZE_UNITS: [(u64, &[&str]); 4] = [
    (1, &["", "b"]),
    (1 << 10, &["k", "kb", "kib"]),
    (1 << 20, &["m", "mb", "mib"]),
    (1 << 30, &["g", "gb", "gib"]),
];
/// What to do about a duration that has the form of one.
const EXAMPLES: &str = "write it like 40m or 1h 30m";

/// Reads a duration: numbers with units, or a bare number of seconds.
pub fn parse(text: &str) -> Result<SignedDuration, Complaint> {
    let text = text.trim();
    if text.starts_with('-') {
        return Err(Complaint::rule("must not be negative", EXAMPLES));
    }
    let seconds = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().ok()
    } else {
        sum(text)?
    };
    match seconds {
        Some(seconds) if seconds <= MOST_SECONDS => Ok(SignedDuration::from_secs(seconds)),
        _ => Err(Complaint::new("is longer than ten years", EXAMPLES)),
    }
}

/// Adds the parts up; `None`: too large for a number.
fn sum(text: &str) -> Result<Option<i64>, Complaint> {
    let bad = || {
        Complaint::new(
            "is not a duration",
            "write it like 40m, 1h 30m, 2d, or a whole number of seconds",
        )
    };
    let mut rest = text;
    let mut seconds = Some(0_i64);
    while !rest.is_empty() {
        let (number, tail) = split_while(rest, |c| c.is_ascii_digit());
        let (unit, tail) = split_while(tail.trim_start(), |c| c.is_ascii_alphabetic());
        if number.is_empty() || unit.is_empty() {
            return Err(bad());
        }
        let scale = unit_seconds(unit).ok_or_else(bad)?;
        let part = number.parse::<i64>().ok().and_then(|n| n.checked_mul(scale));
        seconds = seconds.zip(part).and_then(|(sum, part)| sum.checked_add(part));
        rest = tail.trim_start();
    }
    if text.is_empty() { Err(bad()) } else { Ok(seconds) }
}

fn unit_seconds(unit: &str) -> Option<i64> {
    of_unit(&UNITS, unit)
}

/// Returns what a unit means, in upper or lower case.
fn of_unit<T: Copy>(units: &[(T, &[&str])], unit: &str) -> Option<T> {
    let unit = unit.to_ascii_lowercase();
    let found = units.iter().find(|(_, names)| names.contains(&unit.as_str()));
    found.map(|(scale, _)| *scale)
}

/// Reads a number of bytes: bare, or with `KiB`, `MiB`, `GiB` (`K`, `M`, `G` mean the same).
pub fn parse_size(text: &str) -> Result<u64, Complaint> {
    let bad = || Complaint::new("is not a size", "write it like 256MiB, or a whole number of bytes");
    let (number, unit) = split_while(text.trim(), |c| c.is_ascii_digit());
    let scale = of_unit(&SIZE_UNITS, unit.trim_start()).ok_or_else(bad)?;
    number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(scale))
        .filter(|n| i64::try_from(*n).is_ok())
        .ok_or_else(bad)
}

/// Writes a number of bytes as [`parse_size`] reads it.
pub fn show_size(bytes: u64) -> String {
    for (unit, scale) in [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes > 0 && bytes.is_multiple_of(scale) {
            return format!("{}{unit}", bytes / scale);
        }
    }
    bytes.to_string()
}

/// Digits behind the point of a decimal number.
const DECIMALS: usize = 6;

/// Reads a decimal number from 0 on, like `0.085`, as a number of millionths.
pub fn parse_decimal(text: &str) -> Result<i64, Complaint> {
    let advice = "write it like 0.085, with at most six digits behind the point";
    let bad = || Complaint::new("is not a number", advice);
    let text = text.trim();
    if text.starts_with('-') {
        return Err(Complaint::rule("must not be negative", advice));
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && part.is_empty()) || part.len() > DECIMALS || !digits(whole) || !digits(part) {
        return Err(bad());
    }
    let padded = format!("{whole}{part:0<DECIMALS$}");
    padded.parse().map_err(|_| bad())
}

fn split_while(text: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !wanted(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use crate::text::{decimal, span};

    use super::*;

    #[test]
    fn decimals_are_read_and_written() {
        let check = |text, wanted: Option<i64>| assert_eq!(parse_decimal(text).ok(), wanted, "{text}");
        check("0.085", Some(85_000));
        check("1", Some(1_000_000));
        check(".5", Some(500_000));
        check("1234.000001", Some(1_234_000_001));
        for bad in [
            "",
            ".",
            "-1",
            "1,5",
            "0.0000001",
            "1e3",
            "99999999999999",
            "0x1",
            "1 EUR",
        ] {
            check(bad, None);
        }
        for text in ["0.085", "1", "0", "0.5", "12.000001", "100"] {
            assert_eq!(decimal(parse_decimal(text).unwrap().unsigned_abs().into()), text);
        }
    }

    #[test]
    fn durations_are_read() {
        let check = |text, wanted: Option<i64>| assert_eq!(parse(text).ok().map(|d| d.as_secs()), wanted, "{text}");
        check("40m", Some(2400));
        check("1h 30m", Some(5400));
        check("1h30m", Some(5400));
        check("2d", Some(172_800));
        check("2 days", Some(172_800));
        check("1w", Some(604_800));
        check("0", Some(0));
        check("60", Some(60));
        check("-5", None);
        check("-5m", None);
        check("", None);
        check("soon", None);
        check("5x", None);
        check("m", None);
        check("1.5h", None);
        check("9999999999999999999999", None);
        check("9999999999999999999999h", None);
        check("11000d", None);
        check("9223372036854775807w", None);
    }

    #[test]
    fn sizes_are_read() {
        let check = |text, wanted| assert_eq!(parse_size(text).ok(), wanted, "{text}");
        check("1024", Some(1024));
        check("256MiB", Some(256 << 20));
        check("1 G", Some(1 << 30));
        check("-1", None);
        check("1.5M", None);
        check("99999999999999G", None);
    }

    #[test]
    fn a_printed_duration_reads_back() {
        for seconds in [0, 1, 60, 2400, 5400, 90_061] {
            let duration = SignedDuration::from_secs(seconds);
            assert_eq!(parse(&span(duration)), Ok(duration));
        }
        assert_eq!(span(SignedDuration::from_mins(90)), "1h 30m");
        for (bytes, shown) in [(0, "0"), (1000, "1000"), (64 << 10, "64KiB"), (256 << 20, "256MiB")] {
            assert_eq!(show_size(bytes), shown);
            assert_eq!(parse_size(shown), Ok(bytes));
        }
    }
}
