//! Numbers with their nouns, and lengths of time.

use std::fmt::Display;

use jiff::{SignedDuration, Timestamp};

/// Writes a number with its noun: `no server`, `1 server`, `2 servers`.
pub fn plural<N: Copy + Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    if number == N::from(0) {
        format!("no {noun}")
    } else if number == N::from(1) {
        format!("1 {noun}")
    } else {
        format!("{number} {}", nouns(noun))
    }
}

/// Returns the verb for a number of things: `is` for one, else `are`.
pub fn are<N: Copy + PartialEq + From<u8>>(number: N) -> &'static str {
    if number == N::from(1) { "is" } else { "are" }
}

/// Returns the plural of a noun: `servers`, `passes`.
fn nouns(noun: &str) -> String {
    let es = if noun.ends_with('s') { "es" } else { "s" };
    format!("{noun}{es}")
}

/// Writes a length of time in whole seconds, as the configuration reads it: `0s`, `40m`, `1h 30m`, `2d 1s`.
pub fn span(length: SignedDuration) -> String {
    let mut left = length.as_secs();
    let mut parts = Vec::new();
    for (unit, scale) in [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] {
        if left / scale > 0 {
            parts.push(format!("{}{unit}", left / scale));
            left %= scale;
        }
    }
    if parts.is_empty() {
        "0s".to_owned()
    } else {
        parts.join(" ")
    }
}

/// Writes a point in time in whole seconds of UTC.
pub fn moment(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// Writes how long it is from `now` until `then`, rounded up to the units that matter: `45s left`, `2m left`, `3h 05m left`.
/// It changes from pass to pass: it is no part of a text that is remembered or compared.
pub fn left(now: Timestamp, then: Timestamp) -> String {
    let length = then.duration_since(now);
    let seconds = length.as_secs() + i64::from(length.subsec_nanos() > 0);
    // What is shown in minutes is not shown as over before it is.
    let shown = if seconds < 60 {
        seconds
    } else {
        (seconds + 59) / 60 * 60
    };
    format!("{} left", age(shown))
}

/// Writes seconds for a table, rounded down to the units that matter: `45s`, `12m`, `3h 05m`, `2d 3h`.
pub fn age(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Writes seconds for a narrow column, exact below an hour: `45s`, `1m25s`, `3h05m`, `2d03h`.
pub fn brief(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Writes a number of millionths as a decimal number, without zeros at its end: `0.085`, `12`.
pub fn decimal(millionths: u128) -> String {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_number_is_exact_and_short() {
        let shown = [0, 120_000, 2_000_000, 1, 10_500_000, 100_000_000].map(decimal);
        assert_eq!(shown, ["0", "0.12", "2", "0.000001", "10.5", "100"]);
        assert_eq!(decimal(u128::MAX), "340282366920938463463374607431768.211455");
    }

    #[test]
    fn a_noun_agrees_with_its_number() {
        assert_eq!(
            [plural(0_u64, "item"), plural(1_usize, "item"), plural(2_u32, "item")],
            ["no item", "1 item", "2 items"]
        );
        assert_eq!(plural(2_u32, "pass"), "2 passes");
    }

    #[test]
    fn a_span_is_exact() {
        let spans = [0, 1, 90, 5400, 86_400, 90_061].map(|seconds| span(SignedDuration::from_secs(seconds)));
        assert_eq!(spans, ["0s", "1s", "1m 30s", "1h 30m", "1d", "1d 1h 1m 1s"]);
        assert_eq!(span(SignedDuration::from_millis(1900)), "1s");
    }

    #[test]
    fn a_moment_has_whole_seconds() {
        let at = Timestamp::from_millisecond(1_500).unwrap();
        assert_eq!(moment(at), "1970-01-01T00:00:01Z");
    }

    #[test]
    fn what_is_left_is_rounded_up() {
        let now = Timestamp::UNIX_EPOCH;
        let check = |milliseconds: i64, wanted: &str| {
            assert_eq!(left(now, Timestamp::from_millisecond(milliseconds).unwrap()), wanted);
        };
        check(-5000, "0s left");
        check(500, "1s left");
        check(59_000, "59s left");
        check(60_000, "1m left");
        check(60_001, "2m left");
        check(90_000, "2m left");
        check(3_599_000, "1h 00m left");
        check(90_000_000, "1d 1h left");
    }

    #[test]
    fn an_age_is_short() {
        let ages = [-5, 0, 59, 61, 3660, 90_000].map(age);
        assert_eq!(ages, ["0s", "0s", "59s", "1m", "1h 01m", "1d 1h"]);
    }
}
