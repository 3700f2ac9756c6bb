//! The spare of `min_ready: auto`: how far the load rises while a server boots.
//!
//! With n the nodes asked for, x(t) is the most of n over the next lead, less n(t). The spare is the greatest h for which
//! x >= h in at least lead / 40 min of the time: a node that is used once in 40 minutes is worth keeping. `used_every` sets
//! another time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::SignedDuration;

use crate::config::Template;
use crate::plan::learn::lead::{HISTORY, lead};
use crate::plan::rows::Spare;
use crate::state::{LoadMemory, LoadStep, State};
use crate::text::{plural, span};

/// Returns the spare of a template; `None` where none is learned.
pub fn spare(template: &Template, state: &State) -> Option<Spare> {
    let used_every = template.min_ready.spare_used_every()?.as_secs();
    let (nodes, because) = learned(template, used_every, state);
    Some(Spare { nodes, because })
}

/// Returns the most that a template may have as a spare.
fn most(template: &Template) -> u32 {
    (template.max / 4).max(1)
}

fn learned(template: &Template, used_every: i64, state: &State) -> (u32, String) {
    let Some(lead) = lead(state, &template.name) else {
        return (
            0,
            "nothing is learned before the first of its servers joined".to_owned(),
        );
    };
    let rises = state
        .loads
        .get(&template.name)
        .map_or_else(BTreeMap::new, |memory| rises(memory, lead));
    let seen: i64 = rises.values().sum();
    if seen == 0 {
        let lead = seconds(lead);
        return (0, format!("nothing is learned before its load was watched for {lead}"));
    }
    let needed = Needed { lead, used_every };
    let (rise, share) = greatest(&rises, needed, seen);
    (rise.min(most(template)), because(template, rise, (share, seen, needed)))
}

/// For which share of the time the load is to rise within a lead: `lead / used_every`, both in seconds.
#[derive(Clone, Copy)]
struct Needed {
    lead: i64,
    used_every: i64,
}

/// Says why a spare is as large as it is; with the seconds for which the load was to rise so far, those that were seen, and
/// what is needed.
fn because(template: &Template, rise: u32, (share, total, needed): (i64, i64, Needed)) -> String {
    let within = seconds(needed.lead);
    let (percent, needed) = (percent_of(share, total), percent_of(needed.lead, needed.used_every));
    let seen = seconds(total);
    let mut text = format!(
        "the load rose by {} or more within {within}, a boot and the gap to the next pass, for {percent} of the last \
         {seen}; {needed} {}",
        plural(rise.max(1), "node"),
        if rise == 0 { "are needed" } else { "are enough" },
    );
    if rise > most(template) {
        let quarter = if template.max < 4 { "" } else { ", a quarter of max" };
        let _ = write!(text, "; at most {}{quarter}", most(template));
    }
    text
}

fn seconds(seconds: i64) -> String {
    span(SignedDuration::from_secs(seconds))
}

/// Writes a part of a whole in percent, rounded down to a tenth.
fn percent_of(part: i64, whole: i64) -> String {
    let tenths = i128::from(part) * 1000 / i128::from(whole.max(1));
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// Returns the greatest rise that comes often enough, and for how many seconds it was to come; of one node where none does.
fn greatest(rises: &BTreeMap<u32, i64>, needed: Needed, seen: i64) -> (u32, i64) {
    let mut share = 0;
    for (rise, seconds) in rises.iter().rev().filter(|(rise, _)| **rise > 0) {
        share += seconds;
        if i128::from(share) * i128::from(needed.used_every) >= i128::from(needed.lead) * i128::from(seen) {
            return (*rise, share);
        }
    }
    (0, share)
}

/// Returns for how many seconds the load was to rise by so many nodes within a lead: over the last two hours whose lead has
/// passed, without what is unknown.
fn rises(memory: &LoadMemory, lead: i64) -> BTreeMap<u32, i64> {
    let steps = memory.curve.steps();
    let to = memory.at.saturating_sub(lead);
    let Some(begin) = steps.first().map(|first| first.at.max(to.saturating_sub(HISTORY))) else {
        return BTreeMap::new();
    };
    let mut found = BTreeMap::new();
    let bounds = bounds(steps, lead, begin, to);
    for (from, until) in bounds.iter().zip(bounds.iter().skip(1)) {
        if let Some(rise) = rise_at(steps, *from, lead) {
            *found.entry(rise).or_insert(0) += until - from;
        }
    }
    found
}

/// Returns the seconds between which the rise to come is the same, in order.
fn bounds(steps: &[LoadStep], lead: i64, begin: i64, end: i64) -> Vec<i64> {
    let changes = steps.iter().flat_map(|step| [step.at, step.at.saturating_sub(lead)]);
    let mut bounds: Vec<i64> = changes.filter(|at| begin < *at && *at < end).collect();
    if begin < end {
        bounds.extend([begin, end]);
    }
    bounds.sort_unstable();
    bounds.dedup();
    bounds
}

/// Returns how far the load rose in the lead from a second on; `None` where some of it is unknown.
fn rise_at(steps: &[LoadStep], from: i64, lead: i64) -> Option<u32> {
    let first = steps.partition_point(|step| step.at <= from).checked_sub(1)?;
    let end = steps.partition_point(|step| step.at <= from.saturating_add(lead));
    let now = steps[first].nodes?;
    let mut most = now;
    for step in &steps[first..end] {
        most = most.max(step.nodes?);
    }
    Some(most - now)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::LearnedReady;
    use crate::plan::learn::load::Look;

    const START: i64 = 1_800_000_000;

    /// A pass so many seconds after the one before: how many nodes were asked for; `None`: it could not see.
    type Pass = (i64, Option<u32>);

    fn watched(passes: &[Pass], lead: i64) -> LoadMemory {
        let mut memory = LoadMemory::default();
        let (mut now, mut was_away) = (START, false);
        for (gap, nodes) in passes {
            now += gap;
            if let Some(nodes) = nodes {
                let look = Look {
                    now,
                    gap: 60,
                    was_away,
                    is_settling: false,
                };
                look.note(&mut memory, *nodes, HISTORY + lead);
            }
            was_away = nodes.is_none();
        }
        memory
    }

    /// The same by the words of the rule, second by second over all that ever was.
    fn naive(passes: &[Pass], lead: i64) -> BTreeMap<u32, i64> {
        let mut history: Vec<Option<u32>> = Vec::new();
        let mut seen = 0;
        for (number, (gap, nodes)) in passes.iter().enumerate() {
            let last = number.checked_sub(1).and_then(|before| passes[before].1);
            let holds = last.filter(|_| nodes.is_some());
            let gap = usize::try_from(*gap).unwrap();
            history.extend(std::iter::repeat_n(holds, if number == 0 { 0 } else { gap }));
            if nodes.is_some() {
                seen = history.len();
            }
        }
        history.truncate(seen);
        // What the last pass saw holds from its second on.
        history.push(passes.iter().rev().find_map(|(_, nodes)| *nodes));
        let lead = usize::try_from(lead).unwrap();
        let mut found = BTreeMap::new();
        let end = seen.saturating_sub(lead);
        for second in end.saturating_sub(usize::try_from(HISTORY).unwrap())..end {
            let ahead: Option<Vec<u32>> = history[second..=second + lead].iter().copied().collect();
            if let Some(ahead) = ahead {
                *found.entry(ahead.iter().max().unwrap() - ahead[0]).or_insert(0) += 1;
            }
        }
        found
    }

    const FORTY_MINUTES: i64 = LearnedReady::USED_EVERY.as_secs();

    fn check(passes: &[Pass], lead: i64, used_every: i64, expected: u32) {
        let rises = rises(&watched(passes, lead), lead);
        assert_eq!(rises, naive(passes, lead));
        let needed = Needed { lead, used_every };
        assert_eq!(greatest(&rises, needed, rises.values().sum()).0, expected);
    }

    /// Two hours at a pass a minute, with a rise by so many nodes each so many minutes, for ten minutes.
    fn rising(nodes: u32, every: usize) -> Vec<Pass> {
        (0..140)
            .map(|minute| (60, Some(if minute % every < 10 { nodes } else { 0 })))
            .collect()
    }

    #[test]
    fn a_rise_that_comes_once_in_forty_minutes_is_worth_it() {
        check(&rising(5, 20), 150, FORTY_MINUTES, 5);
        check(&rising(5, 35), 150, FORTY_MINUTES, 5);
        check(&rising(5, 60), 150, FORTY_MINUTES, 0);
    }

    #[test]
    fn what_is_worth_it_is_a_matter_of_taste() {
        check(&rising(5, 20), 150, 25 * 60, 5);
        check(&rising(5, 20), 150, 15 * 60, 0);
        check(&rising(5, 60), 150, 75 * 60, 5);
    }

    #[test]
    fn a_constant_load_needs_no_spare() {
        check(&[(60, Some(7)); 140], 150, FORTY_MINUTES, 0);
        check(&[], 150, FORTY_MINUTES, 0);
        check(&[(60, Some(7))], 150, FORTY_MINUTES, 0);
    }

    #[test]
    fn a_boot_of_an_hour_is_never_worth_it() {
        check(&rising(5, 20), 3600, FORTY_MINUTES, 0);
    }

    #[test]
    fn what_nobody_saw_is_no_time() {
        let mut passes = rising(5, 20);
        for pass in &mut passes[30..50] {
            pass.1 = None;
        }
        check(&passes, 150, FORTY_MINUTES, 5);
    }

    fn passes() -> impl Strategy<Value = Vec<Pass>> {
        let nodes = prop::option::weighted(0.95, 0..9_u32);
        prop::collection::vec((10..240_i64, nodes), 0..100)
    }

    proptest! {
        // The reference looks at each second.
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_is_remembered_says_what_the_whole_history_says(passes in passes(), lead in 1..400_i64) {
            let rises = rises(&watched(&passes, lead), lead);
            prop_assert_eq!(rises, naive(&passes, lead));
        }
    }
}
