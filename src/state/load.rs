//! What is remembered of the load of a template: how many nodes it asked for, and the bursts that came.
//!
//! What is learned of it is decided in `plan::learn`. Both lists are written as text, since a pass reads and writes them
//! each time: at most 2 KB of JSON for each template.

use std::fmt::Write as _;
use std::str::Chars;

use serde::{Deserialize, Serialize};

/// The most bytes of the text of a load curve: at a pass each 15 s this is two hours of a load that changes in each. What
/// does not fit is forgotten, the oldest first, so that what is left is as it was.
const LONGEST_CURVE: usize = 1400;

/// The most bursts that are remembered: four days of nine hourly ones, or weeks of one each night and others by day.
const MOST_BURSTS: usize = 40;

/// The most bytes of their text. It holds all of them but where they are years apart.
const LONGEST_BURSTS: usize = 560;

/// What is remembered of the load of one template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadMemory {
    /// When the load was last counted, in seconds since 1970.
    pub at: i64,
    /// How many nodes it asked for.
    #[serde(default, skip_serializing_if = "LoadCurve::is_empty")]
    pub curve: LoadCurve,
    /// The bursts that came; none where no rhythm is learned.
    #[serde(default, skip_serializing_if = "Bursts::is_empty")]
    pub bursts: Bursts,
}

/// How many nodes a template asked for, as a list of the times at which that changed.
///
/// As text: `1772452800=3 60+1-1 120? 600=2` is 3 nodes from that second on, 4 a minute later, 3 another minute later (a
/// time that is left out is as long as the one before it), unknown after two more, and 2 again ten minutes later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct LoadCurve(Vec<LoadStep>);

/// From a time on, a template asked for so many nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadStep {
    /// Since when, in seconds since 1970.
    pub at: i64,
    /// How many nodes; `None`: nobody looked.
    pub nodes: Option<u32>,
}

impl LoadCurve {
    /// Returns whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns its steps, oldest first; each is later than the one before it.
    pub fn steps(&self) -> &[LoadStep] {
        &self.0
    }

    /// Returns the most nodes that were asked for between two times; `None` where some of it is unknown.
    pub fn most_between(&self, from: i64, until: i64) -> Option<u32> {
        let first = self.0.partition_point(|step| step.at <= from).checked_sub(1)?;
        let end = self.0.partition_point(|step| step.at <= until);
        let mut most = 0;
        for step in &self.0[first..end.max(first)] {
            most = most.max(step.nodes?);
        }
        Some(most)
    }

    /// Adds what is asked for from a time on, later than all before.
    pub fn push(&mut self, step: LoadStep) {
        let last = self.0.last();
        let is_news = last.map_or(step.nodes.is_some(), |last| last.nodes != step.nodes);
        if is_news && last.is_none_or(|last| last.at < step.at) {
            self.0.push(step);
        }
    }

    /// Makes unknown what was asked for since a time.
    pub fn unknown_since(&mut self, at: i64) {
        self.0.retain(|step| step.at < at);
        self.push(LoadStep { at, nodes: None });
    }

    /// Forgets what was before a time, and what has no place.
    pub fn forget_before(&mut self, time: i64) {
        let old = self.0.partition_point(|step| step.at <= time);
        self.0.drain(..old.saturating_sub(1));
        while self.text().len() > LONGEST_CURVE {
            // Several at once: it is written anew for each look at its length.
            self.0.drain(..self.0.len().div_ceil(20));
        }
        let unknown = self.0.iter().take_while(|step| step.nodes.is_none()).count();
        self.0.drain(..unknown);
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let (mut at, mut gap, mut nodes) = (0, None, None);
        for step in &self.0 {
            let next = step.at - at;
            if gap != Some(next) {
                let blank = if text.is_empty() { "" } else { " " };
                let _ = write!(text, "{blank}{next}");
            }
            let _ = match (nodes, step.nodes) {
                (_, None) => write!(text, "?"),
                (None, Some(new)) => write!(text, "={new}"),
                (Some(old), Some(new)) => write!(text, "{:+}", i64::from(new) - i64::from(old)),
            };
            (at, gap, nodes) = (step.at, Some(next), step.nodes);
        }
        text
    }

    /// Reads the text; `None` where it is none.
    fn parse(text: &str) -> Option<Self> {
        let mut steps: Vec<LoadStep> = Vec::new();
        let (mut at, mut gap, mut nodes) = (0_i64, None, None);
        let mut rest = text.chars();
        while !rest.as_str().is_empty() {
            let blank = rest.as_str().strip_prefix(' ');
            rest = blank.unwrap_or(rest.as_str()).chars();
            gap = number(&mut rest).or(gap);
            at = at.checked_add(gap.filter(|gap| *gap > 0)?)?;
            let sign = rest.next()?;
            nodes = match (sign, nodes) {
                ('?', _) => None,
                ('=', _) => Some(u32::try_from(number(&mut rest)?).ok()?),
                ('+', Some(old)) => Some(u32::try_from(i64::from(old).checked_add(number(&mut rest)?)?).ok()?),
                ('-', Some(old)) => Some(u32::try_from(i64::from(old).checked_sub(number(&mut rest)?)?).ok()?),
                _ => return None,
            };
            steps.push(LoadStep { at, nodes });
        }
        Some(Self(steps))
    }
}

impl From<LoadCurve> for String {
    fn from(curve: LoadCurve) -> Self {
        curve.text()
    }
}

impl From<String> for LoadCurve {
    /// What cannot be read is learned anew.
    fn from(text: String) -> Self {
        Self::parse(&text).unwrap_or_default()
    }
}

/// Takes the number at the beginning of a text; `None` where there is none.
fn number(rest: &mut Chars<'_>) -> Option<i64> {
    let text = rest.as_str();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..end].parse().ok()?;
    *rest = text[end..].chars();
    Some(number)
}

/// The bursts of a template, oldest first.
///
/// As text: `1772452800:40 3600:38` is a burst of 40 nodes in that second, and one of 38 an hour later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct Bursts(Vec<Burst>);

/// So many nodes more were asked for, all at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// When a pass first saw it, in seconds since 1970.
    pub at: i64,
    /// How many nodes.
    pub nodes: u32,
}

impl Bursts {
    /// Returns whether there was none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns them, oldest first; each is later than the one before it.
    pub fn list(&self) -> &[Burst] {
        &self.0
    }

    /// Returns the last one, to add what came after the pass that saw it first.
    pub fn last_mut(&mut self) -> Option<&mut Burst> {
        self.0.last_mut()
    }

    /// Adds one, later than all before. Where there are too many, the smallest of the older half goes: a large one that comes
    /// each day is not forgotten for the small ones of the day.
    pub fn push(&mut self, burst: Burst) {
        if self.0.last().is_some_and(|last| last.at >= burst.at) {
            return;
        }
        self.0.push(burst);
        while self.0.len() > MOST_BURSTS || self.text().len() > LONGEST_BURSTS {
            let older = self.0[..self.0.len() / 2].iter().enumerate();
            let smallest = older.min_by_key(|(place, burst)| (burst.nodes, *place));
            self.0.remove(smallest.map_or(0, |(place, _)| place));
        }
    }

    /// Forgets those before a time.
    pub fn forget_before(&mut self, time: i64) {
        self.0.retain(|burst| burst.at >= time);
    }

    fn text(&self) -> String {
        let mut at = 0;
        let words = self.0.iter().map(|burst| {
            let gap = burst.at - at;
            at = burst.at;
            format!("{gap}:{}", burst.nodes)
        });
        words.collect::<Vec<String>>().join(" ")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut bursts = Self::default();
        let mut at = 0_i64;
        for word in text.split_ascii_whitespace() {
            let (gap, nodes) = word.split_once(':')?;
            let gap: i64 = gap.parse().ok()?;
            at = at.checked_add(gap)?;
            let nodes = nodes.parse().ok()?;
            bursts.push(Burst { at, nodes });
        }
        Some(bursts)
    }
}

impl From<Bursts> for String {
    fn from(bursts: Bursts) -> Self {
        bursts.text()
    }
}

impl From<String> for Bursts {
    /// What cannot be read is learned anew.
    fn from(text: String) -> Self {
        Self::parse(&text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The most bytes of JSON that the memory of one template may take.
    const LONGEST: usize = 2048;

    /// The seconds of the years 1970 to 9999, as `Timestamp` knows them.
    const SECONDS: std::ops::Range<i64> = 1..253_402_300_799;

    fn curve(steps: &[(i64, Option<u32>)]) -> LoadCurve {
        let mut curve = LoadCurve::default();
        for (at, nodes) in steps {
            curve.push(LoadStep { at: *at, nodes: *nodes });
        }
        curve
    }

    #[test]
    fn the_text_is_as_documented() {
        let text = r#"{"at":1772453700,"curve":"1772452800=3 60+1-1 120? 600=2","bursts":"1772452800:40 3600:38"}"#;
        let memory: LoadMemory = serde_json::from_str(text).unwrap();
        let start = 1_772_452_800;
        let steps = [(0, Some(3)), (60, Some(4)), (120, Some(3)), (240, None), (840, Some(2))];
        assert_eq!(memory.curve, curve(&steps.map(|(at, nodes)| (start + at, nodes))));
        assert_eq!(memory.bursts.list().len(), 2);
        assert_eq!(serde_json::to_string(&memory).unwrap(), text);
    }

    #[test]
    fn what_cannot_be_read_is_learned_anew() {
        for text in [
            "+1",
            "=1",
            "0=1",
            "5",
            "5=1 6",
            "5=1-2",
            "5=4294967295+1",
            "5=1 9223372036854775807+1",
            "5=é",
        ] {
            assert_eq!(LoadCurve::from(text.to_owned()), LoadCurve::default(), "{text}");
        }
        for text in ["1", "1:", ":1", "1:x", "1:2 9223372036854775807:1"] {
            assert_eq!(Bursts::from(text.to_owned()), Bursts::default(), "{text}");
        }
    }

    #[test]
    fn a_large_burst_outlives_many_small_ones() {
        let mut bursts = Bursts::default();
        for number in 0..200 {
            let nodes = if number % 50 == 0 { 40 } else { 3 };
            bursts.push(Burst { at: number, nodes });
        }
        let large = bursts.list().iter().filter(|burst| burst.nodes == 40);
        assert_eq!((large.count(), bursts.list().len()), (4, MOST_BURSTS));
    }

    #[test]
    fn two_hours_of_a_load_that_changes_in_each_pass_fit_at_a_pass_each_15_s() {
        let steps: Vec<(i64, Option<u32>)> = (0..500)
            .map(|pass| {
                (
                    1_800_000_000 + 15 * pass,
                    Some(40 + u32::try_from(pass * 7 % 13).unwrap()),
                )
            })
            .collect();
        let mut curve = curve(&steps);
        curve.forget_before(0);
        assert_eq!(curve.steps().len(), 500);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn it_is_read_as_it_was_written_and_stays_small(
            steps in prop::collection::vec((SECONDS, prop::option::of(any::<u32>())), 0..1_000),
            bursts in prop::collection::vec((SECONDS, any::<u32>()), 0..60),
        ) {
            let mut steps = steps;
            steps.sort_unstable();
            let mut memory = LoadMemory { at: 253_402_300_798, curve: curve(&steps), bursts: Bursts::default() };
            memory.curve.forget_before(0);
            let mut bursts = bursts;
            bursts.sort_unstable();
            for (at, nodes) in bursts {
                memory.bursts.push(Burst { at, nodes });
            }
            let text = serde_json::to_string(&memory).unwrap();
            prop_assert!(text.len() <= LONGEST, "{}", text.len());
            prop_assert_eq!(serde_json::from_str::<LoadMemory>(&text).unwrap(), memory);
        }
    }
}
