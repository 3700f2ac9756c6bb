//! Numbers with their nouns, and lengths of time.

use std::fmt::Display;

use jiff::{SignedDuration, Timestamp};

/// Writes a number with its noun, which takes an `s` unless the number is one: `1 server`, `2 servers`.
pub fn plural<N: Copy + Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let s = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{s}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noun_agrees_with_its_number() {
        assert_eq!(
            [plural(0_u64, "item"), plural(1_usize, "item"), plural(2_u32, "item")],
            ["0 items", "1 item", "2 items"]
        );
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
    fn an_age_is_short() {
        let ages = [-5, 0, 59, 61, 3660, 90_000].map(age);
        assert_eq!(ages, ["0s", "0s", "59s", "1m", "1h 01m", "1d 1h"]);
    }
}
