//! How the plan writes times and texts from elsewhere into its sentences.

use jiff::{SignedDuration, Timestamp};

use crate::text::excerpt;

/// Writes a length of time for people, in whole seconds.
pub fn span(length: SignedDuration) -> String {
    format!("{:#}", SignedDuration::from_secs(length.as_secs()))
}

/// Writes a point in time for people, in whole seconds.
pub fn moment(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// Makes a text of Jenkins or of a cloud fit for a sentence: nothing hidden, not too long.
pub fn shown(text: &str) -> String {
    excerpt(text, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_whole_seconds() {
        assert_eq!(span(SignedDuration::from_millis(2_461_900)), "41m 1s");
        assert_eq!(
            moment(Timestamp::from_millisecond(1_500).unwrap()),
            "1970-01-01T00:00:01Z"
        );
    }

    #[test]
    fn text_from_elsewhere_stays_on_its_line() {
        assert_eq!(shown("a\u{1b}[31m\nb\u{a0}"), "a\\u{1b}[31m\\nb\\u{a0}");
        assert_eq!(shown(&"x".repeat(500)), format!("{}\u{2026}", "x".repeat(200)));
        assert_eq!(shown(&"x".repeat(200)).len(), 200);
    }
}
