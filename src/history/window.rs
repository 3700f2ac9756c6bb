//! A span of time that a report is of, and the days in it.

use jiff::Timestamp;

/// Milliseconds of a day. Days are those of UTC, which all have as many.
const DAY: i64 = 86_400_000;

/// From one point in time to another, in milliseconds since 1970; the second is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub since: i64,
    /// Its end.
    pub until: i64,
}

impl Window {
    /// Makes one of bounds that may be missing; what is later than `now` has not been.
    pub fn new(since: Option<Timestamp>, until: Option<Timestamp>, now: Timestamp) -> Self {
        let now = now.as_millisecond();
        let until = until.map_or(now.saturating_add(1), Timestamp::as_millisecond);
        Self {
            since: since.map_or(i64::MIN, Timestamp::as_millisecond),
            until: until.min(now.saturating_add(1)),
        }
    }

    /// Returns whether a point in time is in it.
    pub fn has(self, at: i64) -> bool {
        self.since <= at && at < self.until
    }

    /// Returns the part of a span that is in it.
    pub fn part(self, begin: i64, end: i64) -> Option<(i64, i64)> {
        let part = (begin.max(self.since), end.min(self.until));
        (part.0 < part.1).then_some(part)
    }
}

/// Returns the day of a point in time, in days since 1970.
pub fn day_of(at: i64) -> i64 {
    at.div_euclid(DAY)
}

/// Writes a day, as in `2026-03-02`.
pub fn day_name(day: i64) -> String {
    let at = Timestamp::from_millisecond(day.saturating_mul(DAY)).unwrap_or_default();
    at.strftime("%Y-%m-%d").to_string()
}

/// Splits a span at each midnight of UTC; each part comes with its day.
pub fn days(begin: i64, end: i64) -> impl Iterator<Item = (i64, (i64, i64))> {
    let last = day_of(end.saturating_sub(1));
    (day_of(begin)..=last).map(move |day| {
        let midnight = day.saturating_mul(DAY);
        (day, (begin.max(midnight), end.min(midnight.saturating_add(DAY))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_split_at_midnight_exactly() {
        let split = |begin, end| days(begin, end).collect::<Vec<_>>();
        assert_eq!(split(DAY - 1, DAY + 1), [(0, (DAY - 1, DAY)), (1, (DAY, DAY + 1))]);
        assert_eq!(split(0, DAY), [(0, (0, DAY))], "midnight is of the next day");
        assert_eq!(split(-1, 1), [(-1, (-1, 0)), (0, (0, 1))]);
        assert_eq!(split(5, 5), [(0, (5, 5))]);
        assert_eq!(day_name(day_of(1_772_431_200_000)), "2026-03-02");
        assert_eq!(day_name(-1), "1969-12-31");
    }

    #[test]
    fn what_is_later_than_now_is_not_in_a_window() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let window = Window::new(None, Some(at(900)), at(100));
        assert!(window.has(100_000) && !window.has(100_001), "{window:?}");
        let window = Window::new(Some(at(10)), Some(at(20)), at(100));
        assert_eq!(window.part(0, 15_000), Some((10_000, 15_000)));
        assert_eq!(window.part(20_000, 30_000), None);
        assert!(!window.has(20_000) && window.has(10_000));
    }
}
