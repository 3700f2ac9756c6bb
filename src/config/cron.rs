//! The cron windows of a warm pool: reading five fields, and whether a moment lies in them.

use std::ops::RangeInclusive;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::template::{CronWindow, MinReady, ReadyWindow};
use crate::text::{plural, quoted};

/// Five fields, each as the set of values that it matches.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cron {
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
}

/// A set of small numbers, and whether it was written as `*` (which matters for the two fields of days).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    bits: u64,
    any: bool,
}

impl Field {
    fn has(self, number: i8) -> bool {
        u32::try_from(number).is_ok_and(|n| self.bits >> n & 1 == 1)
    }
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl CronWindow {
    /// Says what is wrong with the expression, and what to do; `None` for a good one.
    pub fn cron_fault(cron: &str) -> Option<String> {
        Cron::parse(cron).err()
    }

    /// Returns whether a time zone of that name is known.
    pub fn knows_timezone(name: &str) -> bool {
        TimeZone::get(name).is_ok()
    }

    /// Returns whether the window is open. The expression and the zone were checked with the configuration; a bad one
    /// is never open.
    pub fn is_open(&self, now: Timestamp) -> bool {
        match (Cron::parse(&self.cron), TimeZone::get(&self.timezone)) {
            (Ok(cron), Ok(zone)) => cron.matches(&now.to_zoned(zone)),
            _ => false,
        }
    }
}

impl MinReady {
    /// Returns how many nodes are to be ready at a moment, whatever was learned.
    pub fn at(&self, now: Timestamp) -> u32 {
        let open = self.windows().iter().filter(|ready| ready.window.is_open(now));
        open.map(|ready| ready.ready).max().unwrap_or(self.always())
    }

    /// Returns the most nodes that are to be ready at any time, whatever was learned.
    pub fn most(&self) -> u32 {
        let ready = self.windows().iter().map(|ready| ready.ready);
        ready.max().unwrap_or(self.always())
    }

    /// Returns how often a node of the spare is to be used that is learned (`auto`); `None` where none is.
    pub fn spare_used_every(&self) -> Option<SignedDuration> {
        match self {
            Self::Learned(learned) => learned.auto,
            Self::Always(_) | Self::Windows(_) => None,
        }
    }

    /// Returns whether a spare is learned (`auto`).
    pub fn is_auto(&self) -> bool {
        self.spare_used_every().is_some()
    }

    /// Returns whether bursts are learned that come again (`rhythm`).
    pub fn is_rhythmic(&self) -> bool {
        matches!(self, Self::Learned(learned) if learned.rhythm)
    }

    /// Returns whether nodes may have to be ready at a moment, by what was learned or without it.
    pub fn may_be_open(&self, now: Timestamp) -> bool {
        self.is_auto() || self.is_rhythmic() || self.at(now) > 0
    }

    fn always(&self) -> u32 {
        match self {
            Self::Always(ready) => *ready,
            Self::Windows(_) | Self::Learned(_) => 0,
        }
    }

    fn windows(&self) -> &[ReadyWindow] {
        match self {
            Self::Always(_) => &[],
            Self::Windows(windows) => windows,
            Self::Learned(learned) => &learned.windows,
        }
    }
}

impl Cron {
    fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            let what = format!("has {} instead of five", plural(fields.len(), "field"));
            return Err(format!(
                "{what}; write minute hour day month weekday, like `* 8-18 * * mon-fri`"
            ));
        };
        let mut weekday = field(weekday, "weekday", 0..=7, &WEEKDAYS, 0)?;
        // Sunday is 0 and 7.
        weekday.bits |= weekday.bits >> 7 & 1;
        Ok(Self {
            minute: field(minute, "minute", 0..=59, &[], 0)?,
            hour: field(hour, "hour", 0..=23, &[], 0)?,
            day: field(day, "day", 1..=31, &[], 0)?,
            month: field(month, "month", 1..=12, &MONTHS, 1)?,
            weekday,
        })
    }

    fn matches(&self, now: &jiff::Zoned) -> bool {
        let day = self.day.has(now.day());
        let weekday = self.weekday.has(now.weekday().to_sunday_zero_offset());
        // As in cron: where both are restricted, one of the two is enough.
        let date = if self.day.any || self.weekday.any {
            day && weekday
        } else {
            day || weekday
        };
        self.minute.has(now.minute()) && self.hour.has(now.hour()) && self.month.has(now.month()) && date
    }
}

/// Reads one field: items with commas between; each `*`, a number, or a range, with an optional `/step`. A range may
/// wrap (`22-6`). Names count from `first`.
fn field(text: &str, name: &str, range: RangeInclusive<u32>, words: &[&str], first: u32) -> Result<Field, String> {
    let (low, high) = (*range.start(), *range.end());
    let bad = |item: &str| {
        let item = quoted(item, 20);
        format!("{item} is no {name}; write *, a number from {low} to {high}, a range like 8-18, or a list")
    };
    let number = |text: &str| -> Option<u32> {
        let word = words
            .iter()
            .zip(first..)
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        let digits = !text.is_empty() && text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
        let number = word
            .map(|(_, number)| number)
            .or_else(|| digits.then(|| text.parse().ok()).flatten());
        number.filter(|number| range.contains(number))
    };
    let mut bits = 0_u64;
    for item in text.split(',') {
        let (span, step) = match item.split_once('/') {
            Some((span, step)) => (span, Some(step)),
            None => (item, None),
        };
        let every = step.map_or(Some(1), |step| step.parse::<usize>().ok().filter(|step| *step > 0));
        let every = every.ok_or_else(|| bad(item))?;
        let (from, to) = match span.split_once('-') {
            _ if span == "*" => (low, high),
            Some((from, to)) => number(from).zip(number(to)).ok_or_else(|| bad(item))?,
            None => {
                let from = number(span).ok_or_else(|| bad(item))?;
                (from, if step.is_some() { high } else { from })
            }
        };
        let numbers: Vec<u32> = if from <= to {
            (from..=to).collect()
        } else {
            (from..=high).chain(low..=to).collect()
        };
        bits |= numbers.iter().step_by(every).fold(0, |bits, number| bits | 1 << number);
    }
    Ok(Field {
        bits,
        any: text.starts_with('*'),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(cron: &str, timezone: &str) -> CronWindow {
        CronWindow {
            cron: cron.to_owned(),
            timezone: timezone.to_owned(),
        }
    }

    #[test]
    fn windows_open_and_close() {
        let check = |cron, zone, now: &str, wanted| {
            assert_eq!(
                window(cron, zone).is_open(now.parse().unwrap()),
                wanted,
                "{cron} {zone} {now}"
            );
        };
        // 2026-01-05 is a Monday; Berlin is an hour ahead in winter, two in summer.
        check("* * * * *", "UTC", "2026-01-05T00:00:00Z", true);
        check("* 8-18 * * mon-fri", "Europe/Berlin", "2026-01-05T06:59:59Z", false);
        check("* 8-18 * * mon-fri", "Europe/Berlin", "2026-01-05T07:00:00Z", true);
        check("* 8-18 * * mon-fri", "Europe/Berlin", "2026-01-05T17:59:59Z", true);
        check("* 8-18 * * mon-fri", "Europe/Berlin", "2026-01-05T18:00:00Z", false);
        check("* 8-18 * * mon-fri", "Europe/Berlin", "2026-07-06T06:00:00Z", true);
        check("* 8-18 * * MON-FRI", "UTC", "2026-01-04T12:00:00Z", false);
        check("* 22-6 * * *", "UTC", "2026-01-05T23:00:00Z", true);
        check("* 22-6 * * *", "UTC", "2026-01-05T06:30:00Z", true);
        check("* 22-6 * * *", "UTC", "2026-01-05T07:00:00Z", false);
        check("*/15 * * * *", "UTC", "2026-01-05T00:30:00Z", true);
        check("*/15 * * * *", "UTC", "2026-01-05T00:31:00Z", false);
        check("* * * * 7", "UTC", "2026-01-04T00:00:00Z", true);
        check("* * * * fri-sun", "UTC", "2026-01-04T00:00:00Z", true);
        check("* * * * fri-sun", "UTC", "2026-01-05T00:00:00Z", false);
        check("* * 13 * fri", "UTC", "2026-01-09T00:00:00Z", true);
        check("* * 13 * fri", "UTC", "2026-01-13T00:00:00Z", true);
        check("* * 13 * *", "UTC", "2026-01-09T00:00:00Z", false);
        check("0,30 5/6 1 jan,7 *", "UTC", "2026-07-01T17:30:00Z", true);
    }

    #[test]
    fn bad_expressions_are_refused() {
        for cron in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "a * * * *",
            "*/0 * * * *",
            "1- * * * *",
            "-1 * * * *",
            "1,, * * * *",
            "+1 * * * *",
            "@hourly",
        ] {
            assert!(CronWindow::cron_fault(cron).is_some(), "{cron}");
        }
        assert!(!CronWindow::knows_timezone("Europe/Berln"));
        assert!(CronWindow::knows_timezone("America/New_York"));
    }

    #[test]
    fn the_largest_open_window_counts() {
        let ready = |cron, ready| ReadyWindow {
            window: window(cron, "UTC"),
            ready,
        };
        let pool = MinReady::Windows(vec![ready("* 8-18 * * *", 2), ready("* 12 * * *", 5)]);
        assert_eq!(pool.at("2026-01-05T09:00:00Z".parse().unwrap()), 2);
        assert_eq!(pool.at("2026-01-05T12:00:00Z".parse().unwrap()), 5);
        assert_eq!(pool.at("2026-01-05T23:00:00Z".parse().unwrap()), 0);
        assert_eq!((pool.most(), MinReady::Always(3).most()), (5, 3));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(cron in "[-*/,0-9a-z ]{0,30}") {
            window(&cron, "UTC").is_open(Timestamp::UNIX_EPOCH);
        }
    }
}
