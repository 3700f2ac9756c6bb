//! What the status page shows of the past: readings of the last day, and the last events. Kept only where a page is
//! written.

use serde::{Deserialize, Serialize};

use crate::model::Event;
use crate::text::excerpt;

/// The length of a day, in seconds: older samples are dropped.
pub const DAY: u64 = 24 * 60 * 60;

/// A sample is of so many seconds, which begin at a multiple of them.
pub const SLOT: u64 = 5 * 60;

/// The most samples: those of a day.
const MOST_SAMPLES: usize = 288;

/// The most events that are kept.
pub const MOST_RECENT: usize = 20;

/// The most characters that are kept of a text of an event; the journal has more.
const MAX_TEXT: usize = 400;

/// What the status page shows of the past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageMemory {
    /// Readings, oldest first; at most one for each five minutes of the last day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
    /// The last events that are no readings, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<Event>,
}

impl PageMemory {
    /// Adds the reading of a pass, into the sample of its five minutes where there is one, and drops what is older than a
    /// day. A sample of the future is of a clock that was wrong.
    pub fn add(&mut self, reading: Sample) {
        self.forget(reading.at);
        match self.samples.last_mut() {
            Some(last) if last.at / SLOT == reading.at / SLOT => last.merge(reading),
            _ => self.samples.push(reading),
        }
        let surplus = self.samples.len().saturating_sub(MOST_SAMPLES);
        self.samples.drain(..surplus);
    }

    /// Drops the samples that are no longer, or not yet, of the last day.
    pub fn forget(&mut self, now: u64) {
        self.samples.retain(|sample| sample.at <= now && now - sample.at < DAY);
    }

    /// Keeps an event, unless it is a reading.
    pub fn note(&mut self, event: &Event) {
        if event.event.is_reading() {
            return;
        }
        let mut event = event.clone();
        let texts = [&mut event.because, &mut event.error, &mut event.sentence];
        for text in texts.into_iter().flatten() {
            *text = excerpt(text, MAX_TEXT);
        }
        event.facts.clear();
        self.recent.push(event);
        let surplus = self.recent.len().saturating_sub(MOST_RECENT);
        self.recent.drain(..surplus);
    }
}

/// One reading, or those of five minutes. Written as a list of numbers, in the order of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<u64>", into = "Vec<u64>")]
pub struct Sample {
    /// When the last pass of it looked, in seconds since 1970.
    pub at: u64,
    /// Items that wait: the most that a pass saw.
    pub waiting: u64,
    /// The age of the oldest, in seconds: the most that a pass saw.
    pub oldest: u64,
    /// Items that get nothing: the most that a pass saw.
    pub unserved: u64,
    /// Servers that boot.
    pub booting: u64,
    /// Servers that work.
    pub busy: u64,
    /// Servers that are idle.
    pub idle: u64,
    /// Servers that take no work.
    pub off: u64,
    /// Servers that joined since the sample before.
    pub joined: u64,
    /// The median of their boot times, in seconds; of several passes the mean of their medians.
    pub boot: u64,
    /// Items that left the queue since the sample before.
    pub served: u64,
    /// The median of how long these waited, in seconds; of several passes the mean of their medians.
    pub wait: u64,
}

impl Sample {
    /// Adds the reading of a later pass. Of the queue the peak is kept, which would be gone before anybody looks; the
    /// servers are those of the later pass, since peaks of different passes do not add up.
    fn merge(&mut self, later: Self) {
        *self = Self {
            waiting: self.waiting.max(later.waiting),
            oldest: self.oldest.max(later.oldest),
            unserved: self.unserved.max(later.unserved),
            joined: self.joined.saturating_add(later.joined),
            boot: mean((self.joined, self.boot), (later.joined, later.boot)),
            served: self.served.saturating_add(later.served),
            wait: mean((self.served, self.wait), (later.served, later.wait)),
            ..later
        };
    }
}

/// Returns the mean of two values, each of so many things; of nothing it is 0.
fn mean((one, first): (u64, u64), (other, second): (u64, u64)) -> u64 {
    let sum = (u128::from(one) * u128::from(first)).saturating_add(u128::from(other) * u128::from(second));
    let all = u128::from(one) + u128::from(other);
    u64::try_from(sum.checked_div(all).unwrap_or(0)).unwrap_or(u64::MAX)
}

impl From<Vec<u64>> for Sample {
    fn from(numbers: Vec<u64>) -> Self {
        let at = |place: usize| numbers.get(place).copied().unwrap_or(0);
        Self {
            at: at(0),
            waiting: at(1),
            oldest: at(2),
            unserved: at(3),
            booting: at(4),
            busy: at(5),
            idle: at(6),
            off: at(7),
            joined: at(8),
            boot: at(9),
            served: at(10),
            wait: at(11),
        }
    }
}

impl From<Sample> for Vec<u64> {
    fn from(sample: Sample) -> Self {
        vec![
            sample.at,
            sample.waiting,
            sample.oldest,
            sample.unserved,
            sample.booting,
            sample.busy,
            sample.idle,
            sample.off,
            sample.joined,
            sample.boot,
            sample.served,
            sample.wait,
        ]
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::EventKind;

    fn reading(at: u64, waiting: u64, busy: u64) -> Sample {
        Sample {
            at,
            waiting,
            busy,
            ..Sample::default()
        }
    }

    #[test]
    fn a_sample_is_of_five_minutes_and_keeps_the_peak_of_the_queue() {
        let mut page = PageMemory::default();
        page.add(reading(600, 9, 1));
        page.add(reading(660, 2, 3));
        assert_eq!(page.samples, [reading(660, 9, 3)]);
        page.add(reading(900, 1, 4));
        assert_eq!(page.samples, [reading(660, 9, 3), reading(900, 1, 4)]);
    }

    #[test]
    fn waits_and_boots_of_one_sample_add_up() {
        let with = |at, joined, boot, served, wait| Sample {
            joined,
            boot,
            served,
            wait,
            ..reading(at, 0, 0)
        };
        let mut page = PageMemory::default();
        page.add(with(600, 0, 0, 0, 0));
        page.add(with(610, 1, 60, 3, 10));
        page.add(with(620, 3, 100, 0, 0));
        assert_eq!(page.samples, [with(620, 4, 90, 3, 10)]);
        assert_eq!(mean((u64::MAX, 7), (u64::MAX, 7)), 7);
    }

    #[test]
    fn a_day_is_kept_and_nothing_of_the_future() {
        let mut page = PageMemory::default();
        for slot in 0..400 {
            page.add(reading(slot * SLOT, slot, 0));
        }
        assert_eq!(page.samples.len(), MOST_SAMPLES);
        assert_eq!(page.samples[0].waiting, 112);
        page.forget(399 * SLOT + DAY - 1);
        assert_eq!(page.samples.len(), 1);
        page.add(reading(5 * SLOT, 7, 0));
        assert_eq!(page.samples, [reading(5 * SLOT, 7, 0)], "the clock went back");
    }

    #[test]
    fn twenty_events_are_kept_without_long_texts_and_readings() {
        let mut page = PageMemory::default();
        for number in 0..30 {
            let mut event = Event::new(EventKind::Failed, Timestamp::UNIX_EPOCH, "p");
            event.n = number;
            event.error = Some("x".repeat(5000));
            page.note(&event);
            page.note(&Event::new(EventKind::Pass, Timestamp::UNIX_EPOCH, "p"));
        }
        let numbers: Vec<u32> = page.recent.iter().map(|event| event.n).collect();
        assert_eq!(numbers, (10..30).collect::<Vec<_>>());
        let longest = page.recent.iter().filter_map(|event| event.error.as_ref());
        assert!(longest.map(|text| text.chars().count()).max().unwrap() <= MAX_TEXT + 1);
    }

    #[test]
    fn a_sample_is_a_list_of_numbers_and_a_shorter_one_is_read() {
        let sample = reading(5, 2, 1);
        let text = serde_json::to_string(&sample).unwrap();
        assert_eq!(text, "[5,2,0,0,0,1,0,0,0,0,0,0]");
        assert_eq!(serde_json::from_str::<Sample>(&text).unwrap(), sample);
        assert_eq!(serde_json::from_str::<Sample>("[5,2]").unwrap(), reading(5, 2, 0));
    }
}
