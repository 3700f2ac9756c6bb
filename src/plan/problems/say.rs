//! What is said of problems where cron mails it: their beginning, their end, a change, and all that is open once a day.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::model::{Problem, Severity};
use crate::plan::clock::since;
use crate::plan::problems::remember::is_within;
use crate::state::{ProblemMemory, State, Told};
use crate::text::{moment, span};

/// A change, and what begins and ends again and again, is said at most once in this time.
const SAY_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// A line about a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How much the problem matters; `None` for one that ended.
    pub severity: Option<Severity>,
    /// The text.
    pub text: String,
}

/// Returns what is due to be said, and takes it for said. `remind`: how often all that is open is said again; zero: never.
pub fn due(state: &mut State, now: Timestamp, remind: SignedDuration) -> Vec<Line> {
    let mut lines = Vec::new();
    let is_due = |memory: &ProblemMemory| is_reminder_due(memory, now, remind);
    let reminds = state.problems.values().any(is_due);
    for memory in state.problems.values_mut() {
        let line = news(memory, now).or_else(|| reminds.then(|| reminder(memory, now)).flatten());
        if let Some(line) = line {
            let sentence = memory.ended.is_none().then(|| memory.sentence.clone());
            memory.told = Some(Told { at: now, sentence });
            lines.push(line);
        }
    }
    lines
}

/// Returns a line for each problem that is open, for those who look.
pub fn open(state: &State, now: Timestamp) -> Vec<Line> {
    let open = state.problems.values().filter(|memory| memory.ended.is_none());
    open.map(|memory| {
        let text = with_facts(memory);
        let line = if memory.since < now {
            format!("{text} (since {})", moment(memory.since))
        } else {
            text
        };
        warns(memory, line)
    })
    .collect()
}

/// Returns a line for each error that began, for those who want to hear of errors alone.
pub fn begun(began: &[Problem]) -> Vec<Line> {
    let errors = began.iter().filter(|problem| problem.severity == Severity::Error);
    errors
        .map(|problem| Line {
            severity: Some(problem.severity),
            text: text(&problem.sentence, &problem.facts),
        })
        .collect()
}

/// Returns the line for what is new of a problem, if it is to be said now.
fn news(memory: &ProblemMemory, now: Timestamp) -> Option<Line> {
    let is_quiet = |told: &Told| is_within(now, told.at, SAY_EVERY);
    match (&memory.told, memory.ended) {
        (None, None) => Some(warns(memory, with_facts(memory))),
        (None, Some(_)) => None,
        (Some(told), None) => match &told.sentence {
            Some(sentence) if *sentence == memory.sentence => None,
            _ if is_quiet(told) => None,
            Some(_) => Some(warns(memory, with_facts(memory))),
            None => Some(warns(memory, format!("again: {}", with_facts(memory)))),
        },
        (Some(told), Some(ended)) => {
            let is_owed = told.sentence.is_some() && !(memory.again && is_quiet(told));
            is_owed.then(|| Line {
                severity: None,
                text: format!("ended after {}: {}", span(since(ended, memory.since)), memory.sentence),
            })
        }
    }
}

fn is_reminder_due(memory: &ProblemMemory, now: Timestamp, remind: SignedDuration) -> bool {
    let told = memory.told.as_ref();
    let is_old = told.is_some_and(|told| told.sentence.is_some() && !is_within(now, told.at, remind));
    !remind.is_zero() && memory.ended.is_none() && is_old
}

fn reminder(memory: &ProblemMemory, now: Timestamp) -> Option<Line> {
    let is_known = memory.told.as_ref().is_some_and(|told| told.sentence.is_some());
    (is_known && memory.ended.is_none()).then(|| {
        let lasts = span(since(now, memory.since));
        warns(memory, format!("still, for {lasts}: {}", with_facts(memory)))
    })
}

fn warns(memory: &ProblemMemory, text: String) -> Line {
    Line {
        severity: Some(memory.kind.severity()),
        text,
    }
}

/// Returns the sentence with what changes from pass to pass behind it.
fn with_facts(memory: &ProblemMemory) -> String {
    text(&memory.sentence, &memory.facts)
}

fn text(sentence: &str, of: &BTreeMap<String, Value>) -> String {
    if of.is_empty() {
        return sentence.to_owned();
    }
    format!("{sentence} ({})", facts(of))
}

/// Writes facts as people read them: `items: 3, oldest_seconds: 2700`.
pub fn facts(facts: &BTreeMap<String, Value>) -> String {
    let each = facts.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        Value::Number(number) => match (name.strip_suffix("_seconds"), number.as_i64()) {
            (Some(name), Some(seconds)) => format!("{name}: {}", span(SignedDuration::from_secs(seconds))),
            _ => format!("{name}: {number}"),
        },
        other => format!("{name}: {other}"),
    });
    each.collect::<Vec<_>>().join(", ")
}
