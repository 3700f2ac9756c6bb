//! Makes of what a pass found, and of the problems that were open, those that are open now.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Problem, ProblemKind, problem_key};
use crate::plan::problems::finding::{Evidence, Finding};
use crate::state::{ProblemMemory, State};

/// A problem that begins again so soon after its end goes on as the same.
pub const SAME_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// An end that nobody heard of is forgotten after this time.
const FORGET_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The most problems of one kind that are open at a time, so that a mail stays short; one more counts the others.
const MOST_OF_A_KIND: usize = 25;

/// The subject of the problem that counts the others of its kind.
const OTHERS: &str = "(others)";

/// What changed in a pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The problems that began.
    pub began: Vec<Problem>,
    /// The problems that ended.
    pub ended: Vec<Problem>,
}

impl Changes {
    /// Returns whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.began.is_empty() && self.ended.is_empty()
    }
}

/// Brings the problems of a state up to date with what a pass found.
pub fn remember(state: &mut State, evidence: Evidence, now: Timestamp) -> Changes {
    let mut changes = Changes::default();
    for (key, memory) in &mut state.problems {
        let is_over = evidence.over.contains(key) && !evidence.found.contains_key(key);
        // What counts others ends where these have room.
        if memory.ended.is_none() && is_over && memory.subject != OTHERS {
            memory.ended = Some(now);
            changes.ended.push(memory.row());
        }
    }
    let mut others: BTreeMap<ProblemKind, u64> = BTreeMap::new();
    let mut found: Vec<(String, Finding)> = Vec::new();
    for (key, finding) in evidence.found {
        let is_open = is_open(state, &key);
        let taken = found
            .iter()
            .filter(|(other, new)| new.kind == finding.kind && !self::is_open(state, other));
        if !is_open && open_of_a_kind(state, &finding) + taken.count() >= MOST_OF_A_KIND {
            *others.entry(finding.kind).or_default() += 1;
        } else {
            found.push((key, finding));
        }
    }
    found.extend(others.into_iter().map(|(kind, count)| {
        let sentence = "there are more problems of this kind than are listed; look at `mita status`";
        let finding = Finding::new(kind, OTHERS, sentence).fact("others", count);
        (problem_key(kind, OTHERS), finding)
    }));
    for (key, finding) in found {
        let is_open = is_open(state, &key);
        let before = state.problems.remove(&key);
        let memory = goes_on(before, finding, now);
        if !is_open {
            changes.began.push(memory.row());
        }
        state.problems.insert(key, memory);
    }
    end_others(state, now, &mut changes);
    state.problems.retain(|_, memory| !is_forgotten(memory, now));
    changes
}

fn is_open(state: &State, key: &str) -> bool {
    state.problems.get(key).is_some_and(|memory| memory.ended.is_none())
}

/// Ends the problems that count others where there is room for them by now.
fn end_others(state: &mut State, now: Timestamp, changes: &mut Changes) {
    let mut counts: BTreeMap<ProblemKind, usize> = BTreeMap::new();
    let listed = |memory: &&ProblemMemory| memory.subject != OTHERS && memory.ended.is_none();
    for memory in state.problems.values().filter(listed) {
        *counts.entry(memory.kind).or_default() += 1;
    }
    for memory in state.problems.values_mut() {
        let is_room = counts.get(&memory.kind).is_none_or(|count| *count < MOST_OF_A_KIND);
        if memory.subject == OTHERS && memory.ended.is_none() && is_room {
            memory.ended = Some(now);
            changes.ended.push(memory.row());
        }
    }
}

fn open_of_a_kind(state: &State, finding: &Finding) -> usize {
    let is_listed = |memory: &ProblemMemory| memory.ended.is_none() && memory.subject != OTHERS;
    let alike = |memory: &&ProblemMemory| memory.kind == finding.kind && is_listed(memory);
    state.problems.values().filter(alike).count()
}

/// Returns the memory of a problem that is found now.
fn goes_on(before: Option<ProblemMemory>, finding: Finding, now: Timestamp) -> ProblemMemory {
    let Finding {
        kind,
        subject,
        sentence,
        facts,
        provider,
        config,
        read,
    } = finding;
    let before = before.filter(|memory| memory.ended.is_none_or(|ended| is_within(now, ended, SAME_WITHIN)));
    let again = before
        .as_ref()
        .is_some_and(|memory| memory.again || memory.ended.is_some());
    ProblemMemory {
        kind,
        subject,
        sentence,
        facts,
        provider,
        config,
        read,
        since: before.as_ref().map_or(now, |memory| memory.since.min(now)),
        seen: now,
        ended: None,
        again,
        told: before.and_then(|memory| memory.told),
    }
}

/// Whether a time is less than a span away, whichever way the clock went.
pub fn is_within(now: Timestamp, then: Timestamp, span: SignedDuration) -> bool {
    now.duration_since(then).abs() < span
}

fn is_forgotten(memory: &ProblemMemory, now: Timestamp) -> bool {
    let Some(ended) = memory.ended else { return false };
    // Whoever heard that it began is to hear that it ended.
    let is_owed = memory.told.as_ref().is_some_and(|told| told.sentence.is_some());
    let kept = if is_owed { FORGET_AFTER } else { SAME_WITHIN };
    !is_within(now, ended, kept)
}
