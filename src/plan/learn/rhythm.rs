//! The rhythm of `min_ready: {rhythm: true}`: bursts that come again and again after the same time.
//!
//! A rhythm is a time, its period, after which a burst followed another one, at least twice in a row. Some do so by chance
//! where bursts are frequent, so a rhythm counts only if chance would hardly show as much. The next burst is expected one
//! period after the last one that kept to it: one that does not come is the last that is waited for.

use jiff::Timestamp;

use crate::config::Template;
use crate::plan::clock::usual_gap;
use crate::plan::learn::load::lead;
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

/// How likely so many bursts keep to some period by chance, at most. Measured on traces without any rhythm: at one in ten
/// they cost a hundredth more server-hours, at this nothing.
const CHANCE: f64 = 0.01;

/// How many of the last bursts say when and how large the next one is.
const RECENT: usize = 4;

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

/// Returns the bursts that are still waited for, with a template that learns a rhythm and whose boots are known.
pub fn expected(template: &Template, state: &State, now: Timestamp) -> Vec<Expected> {
    let known = || {
        let memory = state.loads.get(&template.name)?;
        Some((memory.bursts.list(), lead(state, &template.name)?, usual_gap(state)?))
    };
    let Some((bursts, lead, gap)) = known().filter(|_| template.min_ready.is_rhythmic()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for last in 0..bursts.len() {
        for first in 0..last {
            for periods in [2, 3] {
                let period = (bursts[last].at - bursts[first].at) / periods;
                if (SHORTEST..=LONGEST).contains(&period) {
                    found.extend(next(&bursts[..=last], period, (lead, gap)));
                }
            }
        }
    }
    found.retain(|next| next.until >= now.as_second() && !has_come(next, bursts));
    found
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
    let slack = (JITTER + gap).min(period / MOST_OF_PERIOD);
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
        nodes: sizes[(sizes.len() - 1) / 2],
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
