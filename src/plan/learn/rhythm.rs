//! The rhythm of `min_ready: {rhythm: true}`: bursts that come again and again after the same time.
//!
//! A rhythm is a time, its period, after which a burst followed another one, at least twice in a row. Some do so by chance
//! where bursts are frequent, so a rhythm counts only if chance would hardly show as much. The next burst is expected one
//! period after the last one that kept to it: one that does not come is the last that is waited for.

use jiff::Timestamp;

use crate::config::Template;
use crate::plan::clock::usual_gap;
use crate::plan::learn::lead::lead;
use crate::state::{Burst, State};

/// A job that starts with the minute starts somewhere within it, as seconds.
const JITTER: i64 = 60;

/// A burst is at most so much of a period early or late.
const MOST_OF_PERIOD: i64 = 8;

/// Bursts that come more often keep their nodes busy.
const SHORTEST: i64 = 4 * 60;

/// What comes once a week, and not to the minute.
const LONGEST: i64 = 8 * 24 * 60 * 60;

/// So many bursts in a row are looked at.
const MOST_HITS: usize = 8;

/// Fewer show no rhythm.
const LEAST_HITS: usize = 3;

/// More in a row that did not come end a rhythm: jobs that run on workdays have two.
const MOST_MISSED: i64 = 2;

/// How many rhythms chance may show among as many bursts, about. Measured on a trace without any rhythm: at 0.1 they cost
/// 1.6 % more server-hours, at this less than 0.3 %.
const CHANCE: f64 = 0.02;

/// How many of the last bursts say when and how large the next one is.
const RECENT: usize = 4;

/// How many times the slack the next burst is expected later than one period after the last one, at most: the oldest of
/// the recent hits is that many hits and slots before it.
#[expect(clippy::cast_possible_wrap, reason = "a few")]
const MOST_OFF: i64 = (RECENT as i64 - 1) * (MOST_MISSED + 2) + 1;

/// A burst that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The earliest and the latest second since 1970 at which a pass sees it.
    pub early: i64,
    pub late: i64,
    /// How many nodes it needs.
    pub nodes: u32,
    /// After how many seconds bursts come.
    pub period: i64,
    /// How many bursts came so.
    pub times: usize,
    /// How early or late it may be beside that, in seconds.
    slack: i64,
    /// From when on nodes are made ready for it, and until when it is waited for.
    pub from: i64,
    pub until: i64,
}

/// Returns the bursts that a template still waits for; none where its boots are not known.
pub fn expected(template: &Template, state: &State, now: Timestamp) -> Vec<Expected> {
    let known = || {
        let memory = state.loads.get(&template.name)?;
        Some((memory.bursts.list(), lead(state, &template.name)?, usual_gap(state)?))
    };
    let known = known().filter(|_| template.min_ready.is_rhythmic());
    known.map_or_else(Vec::new, |(bursts, lead, gap)| {
        still_to_come(bursts, (lead, gap), now.as_second())
    })
}

/// Returns the bursts that are waited for after these ones; all as seconds.
fn still_to_come(bursts: &[Burst], (lead, gap): (i64, i64), now: i64) -> Vec<Expected> {
    let mut found = Vec::new();
    for last in 0..bursts.len() {
        for first in &bursts[..last] {
            for periods in [2, 3] {
                let period = (bursts[last].at - first.at) / periods;
                if (SHORTEST..=LONGEST).contains(&period) && latest(bursts[last].at, period, gap) >= now {
                    found.extend(next(&bursts[..=last], period, (lead, gap)));
                }
            }
        }
    }
    found.retain(|next| next.until >= now && !has_come(next, bursts));
    found
}

/// Returns until when a burst after such a period is waited for at most: most of what follows an old one is long over, and
/// need not be reckoned.
///
/// Each hit is off by a slack from the one before it, and so is the period that all of them show from this one.
fn latest(last: i64, period: i64, gap: i64) -> i64 {
    last + period + MOST_OFF * slack(period, gap) + 2 * gap
}

fn slack(period: i64, gap: i64) -> i64 {
    (JITTER + gap).min(period / MOST_OF_PERIOD)
}

/// Whether a burst came that is at least half of what was expected.
fn has_come(next: &Expected, bursts: &[Burst]) -> bool {
    let (early, late) = (next.early - next.slack, next.late + next.slack);
    let mut since = bursts.iter().rev().take_while(|burst| burst.at >= early);
    since.any(|burst| burst.at <= late && is_as_large(burst, next.nodes))
}

fn is_as_large(burst: &Burst, nodes: u32) -> bool {
    u64::from(burst.nodes) * 2 >= u64::from(nodes)
}

/// Returns the burst that follows the last one of a list, if that one and those before it keep to a period; all as seconds.
fn next(bursts: &[Burst], period: i64, (lead, gap): (i64, i64)) -> Option<Expected> {
    let slack = slack(period, gap);
    let hits = hits(bursts, period, slack);
    let (last, first) = (hits.first()?, hits.last()?);
    // Over all of them the period is known best.
    let period = (last.at - first.at) / first.slot;
    let recent = &hits[..hits.len().min(RECENT)];
    let times = recent.iter().map(|hit| hit.at + (hit.slot + 1) * period);
    let (early, late) = (times.clone().min()?, times.max()?);
    let mut sizes: Vec<u32> = recent.iter().map(|hit| hit.nodes).collect();
    sizes.sort_unstable();
    Some(Expected {
        early,
        late,
        // A small one that happens to keep to the period does not stand for large ones.
        nodes: sizes[(sizes.len() - 1) / 2].min(last.nodes.saturating_mul(2)),
        period,
        times: hits.len(),
        slack,
        // The jobs come up to a gap before the pass that sees them, and the pass that makes nodes ready a gap too late.
        from: early - lead - gap,
        until: late + 2 * gap,
    })
}

/// A burst that kept to a period.
#[derive(Clone, Copy)]
struct Hit {
    at: i64,
    nodes: u32,
    /// How many periods before the last one.
    slot: i64,
}

/// Returns the bursts that kept to a period, the last one first: as many as are no chance, and none that is much smaller.
fn hits(bursts: &[Burst], period: i64, slack: i64) -> Vec<Hit> {
    let Some((last, before)) = bursts.split_last() else {
        return Vec::new();
    };
    let mut hits = vec![Hit {
        at: last.at,
        nodes: last.nodes,
        slot: 0,
    }];
    let (mut hit, mut counts) = (hits[0], 0);
    for slot in 1.. {
        let wanted = hit.at - (slot - hit.slot) * period;
        let is_over = before.first().is_none_or(|oldest| wanted + slack < oldest.at);
        if is_over || hits.len() == MOST_HITS || slot - hit.slot > MOST_MISSED + 1 {
            break;
        }
        if let Some(found) = nearest(before, wanted, slack, last.nodes) {
            hit = Hit {
                at: found.at,
                nodes: found.nodes,
                slot,
            };
            hits.push(hit);
            if is_rhythm(&hits, bursts, slack) {
                counts = hits.len();
            }
        }
    }
    hits.truncate(counts);
    hits
}

/// Returns the burst that is nearest to a time, if it is near enough and not much smaller than another one.
fn nearest(bursts: &[Burst], wanted: i64, slack: i64, nodes: u32) -> Option<&Burst> {
    let first = bursts.partition_point(|burst| burst.at < wanted - slack);
    let near = bursts[first..].iter().take_while(|burst| burst.at <= wanted + slack);
    near.filter(|burst| is_as_large(burst, nodes))
        .min_by_key(|burst| (burst.at - wanted).abs())
}

/// Whether bursts that kept to a period are a rhythm: few of them did not come, and chance would hardly bring as many.
///
/// A half of the true period is none, as every second burst of it would be missed.
fn is_rhythm(hits: &[Hit], bursts: &[Burst], slack: i64) -> bool {
    let (last, first) = (hits[0], hits[hits.len() - 1]);
    let count = i64::try_from(hits.len()).unwrap_or(i64::MAX);
    if hits.len() < LEAST_HITS || count * 3 < (first.slot + 1) * 2 {
        return false;
    }
    let begin = bursts.partition_point(|burst| burst.at < first.at - slack);
    let alike = bursts[begin..]
        .iter()
        .filter(|burst| is_as_large(burst, last.nodes))
        .count();
    chance(hits, alike, slack) <= CHANCE
}

/// Returns how many rhythms of as many hits chance shows where so many bursts come at random, about: any two of them are a
/// period, and each other hit is one of them in its slot.
fn chance(hits: &[Hit], alike: usize, slack: i64) -> f64 {
    let (last, first) = (hits[0], hits[hits.len() - 1]);
    let per_second = float(alike - 1) / float(last.at - first.at);
    let in_a_slot = 1.0 - (-2.0 * float(slack) * per_second).exp();
    let mut chance = float(alike);
    for hit in 0..hits.len() - 2 {
        // So many ways there are to place the hits in the slots.
        let slots = float(first.slot - 1) - float(hit);
        chance *= in_a_slot * slots / float(hit + 1);
    }
    chance
}

fn float(count: impl TryInto<u32>) -> f64 {
    f64::from(count.try_into().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 60 * 60;
    const START: i64 = 1_800_000_000;

    /// What is expected in a second after these bursts, at a pass each minute and boots of 90 s: the time at which it is
    /// seen, the nodes, and the period.
    fn after(bursts: &[(i64, u32)], now: i64) -> Vec<(i64, u32, i64)> {
        let bursts: Vec<Burst> = bursts
            .iter()
            .map(|(at, nodes)| Burst {
                at: START + at,
                nodes: *nodes,
            })
            .collect();
        let found = still_to_come(&bursts, (150, 60), START + now);
        let mut found: Vec<_> = found
            .iter()
            .map(|next| (next.early - START, next.nodes, next.period))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn each(period: i64, count: i64, nodes: u32) -> Vec<(i64, u32)> {
        (0..count).map(|number| (number * period, nodes)).collect()
    }

    #[test]
    fn a_burst_each_hour_is_learned_from_four() {
        assert_eq!(after(&each(HOUR, 3, 40), 2 * HOUR), []);
        assert_eq!(after(&each(HOUR, 4, 40), 3 * HOUR), [(4 * HOUR, 40, HOUR)]);
    }

    #[test]
    fn one_each_night_is_learned_from_three() {
        let day = 24 * HOUR;
        assert_eq!(after(&each(day, 2, 40), day), []);
        assert_eq!(after(&each(day, 3, 40), 2 * day), [(3 * day, 40, day)]);
    }

    #[test]
    fn one_that_does_not_come_is_the_last_that_is_waited_for() {
        let bursts = each(HOUR, 6, 40);
        assert_eq!(after(&bursts, 6 * HOUR + 120), [(6 * HOUR, 40, HOUR)]);
        assert_eq!(after(&bursts, 6 * HOUR + 121), []);
        assert_eq!(after(&bursts, 7 * HOUR - 100), []);
        let again = [bursts, vec![(7 * HOUR, 40)]].concat();
        assert_eq!(after(&again, 7 * HOUR)[0], (8 * HOUR, 40, HOUR), "it goes on");
    }

    #[test]
    fn what_came_is_waited_for_no_more() {
        let bursts = each(HOUR, 4, 40);
        let early = [bursts.clone(), vec![(4 * HOUR - 50, 30)]].concat();
        assert!(
            after(&early, 4 * HOUR - 40)
                .iter()
                .all(|(at, _, _)| *at > 4 * HOUR + 120)
        );
        let small = [bursts, vec![(4 * HOUR - 50, 5)]].concat();
        let next = after(&small, 4 * HOUR - 40);
        assert_eq!(next[0], (4 * HOUR, 40, HOUR));
        assert!(next[1..].iter().all(|(_, nodes, _)| *nodes <= 10), "{next:?}");
    }

    #[test]
    fn bursts_that_begin_somewhere_within_a_minute_are_waited_for() {
        let bursts: Vec<(i64, u32)> = [5, 55, 10, 44]
            .iter()
            .zip(0..)
            .map(|(late, hour)| (hour * HOUR + late, 40))
            .collect();
        let bursts: Vec<Burst> = bursts
            .iter()
            .map(|(at, nodes)| Burst {
                at: START + at,
                nodes: *nodes,
            })
            .collect();
        let found = still_to_come(&bursts, (150, 60), START + 3 * HOUR + 60);
        assert!(!found.is_empty());
        for next in found {
            // The jobs come within the minute behind the fourth hour.
            assert!(
                next.from < START + 4 * HOUR - 150 && next.until > START + 4 * HOUR + 120,
                "{next:?}"
            );
            assert_eq!((next.early - next.from, next.until - next.late), (210, 120));
        }
    }

    #[test]
    fn the_size_is_that_of_the_smaller_half() {
        let bursts = [(0, 40), (HOUR, 60), (2 * HOUR, 50), (3 * HOUR, 45)];
        assert_eq!(after(&bursts, 3 * HOUR), [(4 * HOUR, 45, HOUR)]);
    }

    #[test]
    fn two_rhythms_are_both_learned() {
        let mut bursts = Vec::new();
        for hour in 0..8 {
            bursts.extend([(hour * HOUR, 40), (hour * HOUR + 1800, 15)]);
        }
        let found = after(&bursts, 7 * HOUR + 1800);
        assert!(found.contains(&(8 * HOUR, 40, HOUR)), "{found:?}");
    }

    #[test]
    fn chance_shows_few_rhythms() {
        // About two an hour, at times that a simple generator makes.
        let mut seed = 7_u64;
        let mut at = 0;
        let mut bursts = Vec::new();
        let mut found = 0;
        for _ in 0..1_000 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            at += 60 + i64::try_from((seed >> 33) % 3_600).unwrap() / 60 * 60;
            bursts.push((at, 10 + u32::try_from(seed >> 60).unwrap()));
            let last = &bursts[bursts.len().saturating_sub(40)..];
            found += usize::from(!after(last, at).is_empty());
        }
        // One that is expected in a day is so after each burst until then.
        assert!(found <= 150, "{found} of 1000");
    }

    /// The same without leaving out what is over.
    fn with_all(bursts: &[Burst], times: (i64, i64), now: i64) -> Vec<Expected> {
        let pairs = (0..bursts.len()).flat_map(|last| (0..last).map(move |first| (last, first)));
        let all = pairs.flat_map(|(last, first)| {
            [2, 3].into_iter().filter_map(move |periods| {
                let period = (bursts[last].at - bursts[first].at) / periods;
                let is_meant = (SHORTEST..=LONGEST).contains(&period);
                is_meant.then(|| next(&bursts[..=last], period, times)).flatten()
            })
        });
        all.filter(|next| next.until >= now && !has_come(next, bursts))
            .collect()
    }

    proptest! {
        #[test]
        fn what_is_over_is_left_out(
            period in prop_oneof![240..1200_i64, Just(HOUR), Just(24 * HOUR)],
            bursts in prop::collection::vec((-130..130_i64, 0..10_u32, 1..6_u32), 3..40),
            gap in prop_oneof![Just(15_i64), Just(60), Just(300)],
            later in 0..3_i64,
        ) {
            let mut found = Vec::new();
            for ((jitter, missed, size), slot) in bursts.iter().zip(0..) {
                let at = START + slot * period + (*jitter).clamp(-period / 6, period / 6);
                if *missed > 1 {
                    found.push(Burst { at, nodes: 3 * size });
                }
            }
            let last = found.last().map_or(START, |burst| burst.at);
            let now = last + later * period / 2;
            prop_assert_eq!(still_to_come(&found, (150, gap), now), with_all(&found, (150, gap), now));
        }
    }

    #[test]
    fn odd_memories_do_no_harm() {
        let far = 253_402_300_000 - START;
        after(&[(-START + 1, u32::MAX), (0, u32::MAX), (far, u32::MAX)], 0);
        after(&each(1, 40, 1), 40);
        after(&each(SHORTEST, 40, 0), 40);
    }
}
