//! The spare of `min_ready: auto`: how far the load rises while a server boots.
//!
//! With n the nodes asked for, x(t) is the most of n over the next lead, less n(t). The spare is the greatest h for which
//! x >= h in at least lead / 40 min of the time: a node that is used once in 40 minutes is worth keeping.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::config::Template;
use crate::plan::learn::load::{HISTORY, lead};
use crate::plan::rows::Spare;
use crate::state::{LoadMemory, LoadStep, State};
use crate::text::{plural, span};

/// A spare node is to be used once in so many seconds.
const WORTH: i64 = 40 * 60;

/// Returns the spare of a template; `None` where none is learned.
pub fn spare(template: &Template, state: &State) -> Option<Spare> {
    template.min_ready.is_auto().then(|| {
        let (nodes, because) = learned(template, state);
        Spare { nodes, because }
    })
}

/// Returns the most that a template may have as a spare.
fn most(template: &Template) -> u32 {
    (template.max / 4).max(1)
}

fn learned(template: &Template, state: &State) -> (u32, String) {
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
    let (rise, share) = greatest(&rises, lead, seen);
    (rise.min(most(template)), because(template, rise, (share, seen, lead)))
}

/// Says why a spare is as large as it is; with the seconds for which the load was to rise so far, those that were seen, and
/// those of a lead.
fn because(template: &Template, rise: u32, (share, total, lead): (i64, i64, i64)) -> String {
    let within = seconds(lead);
    let (percent, needed) = (of_1000(share, total), of_1000(lead, WORTH));
    let seen = seconds(total);
    let mut text = format!(
        "within {within} (a boot and the gap to the next pass) the load was to rise by {} or more for {percent} of the \
         last {seen}, {needed} {}",
        plural(rise.max(1), "node"),
        if rise == 0 { "are needed" } else { "are enough" },
    );
    if rise > most(template) {
        text.push_str(&format!("; at most {}, a quarter of max", most(template)));
    }
    text
}

fn seconds(seconds: i64) -> String {
    span(SignedDuration::from_secs(seconds))
}

/// Writes a part of a whole in percent, rounded down to a tenth.
fn of_1000(part: i64, whole: i64) -> String {
    let tenths = i128::from(part) * 1000 / i128::from(whole.max(1));
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// Returns the greatest rise that comes often enough, and for how many seconds it was to come; of one node where none does.
fn greatest(rises: &BTreeMap<u32, i64>, lead: i64, seen: i64) -> (u32, i64) {
    let mut share = 0;
    for (rise, seconds) in rises.iter().rev().filter(|(rise, _)| **rise > 0) {
        share += seconds;
        if i128::from(share) * i128::from(WORTH) >= i128::from(lead) * i128::from(seen) {
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
