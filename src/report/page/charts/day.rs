//! The time axis: a day that ends now, and which part of it each sample stands for.

use jiff::Timestamp;

use crate::state::{DAY, SLOT, Sample};

/// The width of a chart in its own units of ten seconds.
pub const WIDTH: u64 = DAY / 10;

/// A sample, and the part of the day that it stands for.
pub struct Span<'a> {
    /// Where it begins.
    pub from: u64,
    /// Where it ends.
    pub to: u64,
    /// What passes saw then.
    pub sample: &'a Sample,
}

/// A part of the day in which no pass saw anything.
pub struct Gap {
    /// Where it begins.
    pub from: u64,
    /// Where it ends.
    pub to: u64,
    /// Whether samples are known from before it.
    pub is_within: bool,
}

/// The last day.
pub struct Day<'a> {
    /// When it ends, in seconds since 1970.
    pub end: u64,
    /// Oldest first.
    pub spans: Vec<Span<'a>>,
    /// Oldest first.
    pub gaps: Vec<Gap>,
}

impl<'a> Day<'a> {
    /// Lays samples out. Each stands for the time since the one before; when passes were missing in between, for its own
    /// five minutes alone. `usual` is the time that usually is between two passes, in seconds.
    pub fn new(samples: &'a [Sample], now: Timestamp, usual: i64) -> Self {
        let end = u64::try_from(now.as_second()).unwrap_or(0);
        let usual = u64::try_from(usual).unwrap_or(0);
        let mut day = Self {
            end,
            spans: Vec::new(),
            gaps: Vec::new(),
        };
        let mut before = None;
        for sample in samples
            .iter()
            .filter(|sample| sample.at <= end && end - sample.at < DAY)
        {
            let longest = SLOT + usual.saturating_mul(3);
            let since = before.filter(|before| sample.at - before <= longest);
            let from = since.unwrap_or_else(|| sample.at.saturating_sub(SLOT.max(usual)).max(before.unwrap_or(0)));
            let (from, to) = (day.place(from), day.place(sample.at));
            day.skip_to(from);
            day.spans.push(Span { from, to, sample });
            before = Some(sample.at);
        }
        // Right behind a pass there is no gap yet.
        if day.place(end - (SLOT + usual.saturating_mul(3)).min(end)) > day.reached() {
            day.skip_to(WIDTH);
        }
        day
    }

    /// Returns the place of a time, in seconds since 1970.
    pub fn place(&self, at: u64) -> u64 {
        let begin = self.end.saturating_sub(DAY);
        (at.saturating_sub(begin) / 10).min(WIDTH)
    }

    /// Returns the time of a place, in seconds since 1970.
    pub fn time(&self, place: u64) -> u64 {
        self.end.saturating_sub(DAY) + place * 10
    }

    /// Returns the largest of some value.
    pub fn most(&self, value: impl Fn(&Sample) -> u64) -> u64 {
        self.spans.iter().map(|span| value(span.sample)).max().unwrap_or(0)
    }

    /// Whether no pass of this day saw anything.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Returns the spans in runs without a gap.
    pub fn runs(&self) -> impl Iterator<Item = &[Span<'a>]> {
        self.spans.chunk_by(|one, next| one.to == next.from)
    }

    fn reached(&self) -> u64 {
        self.spans.last().map_or(0, |span| span.to)
    }

    fn skip_to(&mut self, place: u64) {
        let from = self.reached();
        if place > from {
            self.gaps.push(Gap {
                from,
                to: place,
                is_within: !self.spans.is_empty(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 10 * DAY;

    /// Where each of some parts of the day begins and ends.
    type Places = Vec<(u64, u64)>;

    fn layout(ages: &[u64], usual: i64) -> (Places, Places) {
        let sample = |age: &u64| Sample {
            at: NOW - age,
            ..Sample::default()
        };
        let samples: Vec<Sample> = ages.iter().map(sample).collect();
        let now = Timestamp::from_second(i64::try_from(NOW).unwrap()).unwrap();
        let day = Day::new(&samples, now, usual);
        let spans = day.spans.iter().map(|span| (span.from, span.to)).collect();
        (spans, day.gaps.iter().map(|gap| (gap.from, gap.to)).collect())
    }

    #[test]
    fn a_sample_stands_for_the_time_since_the_one_before() {
        let (spans, gaps) = layout(&[600, 300, 0], 60);
        assert_eq!(spans, [(8550, 8580), (8580, 8610), (8610, 8640)]);
        assert_eq!(gaps, [(0, 8550)]);
    }

    #[test]
    fn missing_passes_are_a_gap() {
        let (spans, gaps) = layout(&[7200, 900, 600], 60);
        assert_eq!(spans, [(7890, 7920), (8520, 8550), (8550, 8580)]);
        assert_eq!(gaps, [(0, 7890), (7920, 8520), (8580, 8640)]);
        let (_, gaps) = layout(&[], 60);
        assert_eq!(gaps, [(0, 8640)]);
    }

    #[test]
    fn passes_that_are_far_apart_leave_no_gaps() {
        let (spans, gaps) = layout(&[3600, 1800, 0], 1800);
        assert_eq!(spans, [(8100, 8280), (8280, 8460), (8460, 8640)]);
        assert_eq!(gaps.len(), 1);
    }

    #[test]
    fn samples_beyond_the_day_or_of_the_future_are_left_out() {
        let (spans, _) = layout(&[2 * DAY, DAY - 100], 60);
        assert_eq!(spans, [(0, 10)]);
    }
}
