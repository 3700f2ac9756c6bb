//! The least number of idle nodes to spare over the last passes: a minimum over a window that slides.
//!
//! `surplus` says what is counted. A count that no later one undercuts is kept, so that the first that is kept is the least.

use jiff::{SignedDuration, Timestamp};

use crate::state::SurplusMemory;

/// A window has at least so many passes, however far apart they are.
const PASSES: usize = 3;

/// How many counts are kept.
const MOST: usize = 64;

/// What one pass saw of a template.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// When.
    pub at: Timestamp,
    /// How many idle nodes were to spare.
    pub spare: u32,
    /// How many nodes take work.
    pub nodes: u32,
    /// How many of these did not in the last pass.
    pub joined: u32,
}

/// Adds the count of a pass to those of the last `grace`.
pub fn add(before: Option<SurplusMemory>, count: Count, grace: SignedDuration) -> SurplusMemory {
    let at = count.at.as_second();
    let mut memory = before.unwrap_or(SurplusMemory {
        since: at,
        passes: Vec::new(),
        nodes: count.nodes,
        least: Vec::new(),
    });
    subtract(&mut memory, count);
    memory.passes.push(at);
    memory.passes.drain(..memory.passes.len().saturating_sub(PASSES));
    let undercut = memory.least.partition_point(|&(_, spare)| spare < count.spare);
    memory.least.truncate(undercut);
    memory.least.push((at, count.spare));
    let from = begin(&memory, at, grace);
    let past = memory.least.partition_point(|&(then, _)| then < from);
    memory.least.drain(..past);
    // A longer grace must not count on passes that were dropped.
    memory.since = memory.since.max(from);
    shorten(&mut memory.least);
    memory
}

/// Returns the least number of idle nodes to spare at every pass of the last `grace`, those that went since not counted;
/// 0 as long as not all of that time was observed.
pub fn least(memory: &SurplusMemory, now: Timestamp, grace: SignedDuration) -> u32 {
    let is_whole = memory.passes.len() == PASSES && memory.since <= begin(memory, now.as_second(), grace);
    let first = memory.least.first().filter(|_| is_whole);
    first.map_or(0, |&(_, spare)| spare)
}

/// Returns the least number of idle nodes to spare as far as passes counted, and for how long they did; `None` where there
/// is nothing to say.
pub fn so_far(memory: &SurplusMemory, now: Timestamp) -> Option<(u32, SignedDuration)> {
    let length = SignedDuration::from_secs(now.as_second() - memory.since);
    let (_, spare) = memory.least.first().filter(|(_, spare)| *spare > 0)?;
    length.is_positive().then_some((*spare, length))
}

/// Returns when the window begins: `grace` ago, or with the third last pass.
fn begin(memory: &SurplusMemory, now: i64, grace: SignedDuration) -> i64 {
    let begin = now.saturating_sub(grace.as_secs());
    memory.passes.first().map_or(begin, |&first| begin.min(first))
}

/// Subtracts what went since the last pass: with the same load on fewer nodes, fewer would have been idle.
fn subtract(memory: &mut SurplusMemory, count: Count) {
    let gone = memory.nodes.saturating_add(count.joined).saturating_sub(count.nodes);
    memory.nodes = count.nodes;
    for (_, spare) in &mut memory.least {
        *spare = spare.saturating_sub(gone);
    }
    memory.least.dedup_by(|later, earlier| {
        let same = later.1 == earlier.1;
        if same {
            *earlier = *later;
        }
        same
    });
}

/// Puts two neighbours in one, with the smaller number at the later time, until few enough are left: those that are closest
/// to the one before them, so that none is put off for long. The first is left to end in time.
fn shorten(least: &mut Vec<(i64, u32)>) {
    while least.len() > MOST {
        let threes = least.windows(3).enumerate();
        let Some((before, _)) = threes.min_by_key(|(_, three)| three[2].0 - three[0].0) else {
            return;
        };
        least[before + 1].0 = least[before + 2].0;
        least.remove(before + 2);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The answers to passes, each with its time, idle nodes to spare and nodes that go before it.
    fn answers(passes: &[(i64, u32, u32)], grace: i64) -> Vec<u32> {
        let grace = SignedDuration::from_secs(grace);
        let (mut memory, mut nodes) = (None, 10_000);
        let answer = |&(second, spare, gone): &(i64, u32, u32)| {
            nodes -= gone;
            let count = Count {
                at: at(second),
                spare,
                nodes,
                joined: 0,
            };
            let added = add(memory.take(), count, grace);
            assert!(added.least.len() <= MOST && added.least.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
            let answer = least(&added, at(second), grace);
            memory = Some(added);
            answer
        };
        passes.iter().map(answer).collect()
    }

    /// The same with every pass kept.
    fn naive(passes: &[(i64, u32, u32)], grace: i64) -> Vec<u32> {
        let answer = |last: usize| {
            let third = last.checked_sub(2)?;
            let from = (passes[last].0 - grace).min(passes[third].0);
            let first = passes[..=last].iter().position(|pass| pass.0 >= from)?;
            let left = |place: usize| {
                let gone: u32 = passes[place + 1..=last].iter().map(|pass| pass.2).sum();
                passes[place].1.saturating_sub(gone)
            };
            (passes[0].0 <= from).then(|| (first..=last).map(left).min())?
        };
        (0..passes.len()).map(|last| answer(last).unwrap_or(0)).collect()
    }

    fn passes(count: usize) -> impl Strategy<Value = Vec<(i64, u32, u32)>> {
        let gone = prop_oneof![6 => Just(0), 1 => 0..4_u32];
        let pass = (prop_oneof![4 => 15..90_i64, 1 => 1..2000_i64], 0..30_u32, gone);
        prop::collection::vec(pass, 1..count).prop_map(|passes| {
            let mut now = 1_000_000;
            let later = passes.into_iter().map(|(gap, spare, gone)| {
                now += gap;
                (now, spare, gone)
            });
            later.collect()
        })
    }

    proptest! {
        #[test]
        fn it_is_the_least_of_all_passes(passes in passes(120), grace in 1..3000_i64) {
            prop_assert_eq!(answers(&passes, grace), naive(&passes, grace));
        }
    }

    #[test]
    fn the_whole_span_and_three_passes_are_needed() {
        let each = |gap: i64, count: i64| (0..count).map(|pass| (gap * pass, 4, 0)).collect::<Vec<_>>();
        assert_eq!(answers(&each(60, 5), 180), [0, 0, 0, 4, 4]);
        assert_eq!(answers(&each(60, 4), 60), [0, 0, 4, 4]);
        // Passes that are farther apart than the grace.
        assert_eq!(answers(&each(900, 4), 600), [0, 0, 4, 4]);
    }

    #[test]
    fn many_counts_are_put_together_and_never_raised() {
        let rising: Vec<(i64, u32, u32)> = (0..400).map(|pass| (15 * i64::from(pass), pass, 0)).collect();
        let (found, expected) = (answers(&rising, 3600), naive(&rising, 3600));
        assert!(found.iter().zip(&expected).all(|(found, expected)| found <= expected));
        assert!(found[399] > 100, "{}", found[399]);
    }

    #[test]
    fn a_longer_grace_waits_until_it_is_observed() {
        let grace = SignedDuration::from_mins;
        let mut memory = None;
        let mut pass = |minute: i64, grace| {
            let count = Count {
                at: at(60 * minute),
                spare: if minute < 15 { 1 } else { 3 },
                nodes: 5,
                joined: 0,
            };
            let added = add(memory.take(), count, grace);
            let least = least(&added, count.at, grace);
            memory = Some(added);
            least
        };
        let short: Vec<u32> = (0..30).map(|minute| pass(minute, grace(10))).collect();
        assert_eq!((short[9], short[10], short[24], short[25]), (0, 1, 1, 3));
        // Since minute 19 all counts are known.
        let long: Vec<u32> = (30..60).map(|minute| pass(minute, grace(20))).collect();
        assert_eq!((long[8], long[9]), (0, 3));
    }

    #[test]
    fn what_comes_does_not_hide_what_goes() {
        let grace = SignedDuration::from_mins(1);
        let mut memory = None;
        for (minute, nodes, joined) in [(0, 5, 0), (1, 5, 0), (2, 5, 0), (3, 5, 2)] {
            let count = Count {
                at: at(60 * minute),
                spare: 3,
                nodes,
                joined,
            };
            memory = Some(add(memory, count, grace));
        }
        assert_eq!(least(&memory.unwrap(), at(180), grace), 1);
    }
}
