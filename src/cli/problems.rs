//! What is said of problems, and to whom; and the problems that no look at the world shows.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Event, ProblemKind, ProblemState};
use crate::plan::Context;
use crate::plan::problems::{self, Changes, Evidence, Finding, Line};
use crate::state::State;

use super::args::Output;
use super::console::Console;
use super::mode::Mode;

/// Who reads what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Somebody to whom cron mails it: what is new, and all once a day.
    Cron,
    /// Somebody who looks on: all that is open, and nothing counts as said.
    Reader,
    /// Somebody who wants to hear of errors alone (`-q`): of each when it begins, and nothing counts as said.
    Quiet,
}

impl Audience {
    /// Returns who reads what a pass says.
    pub fn of(mode: Mode, console: &Console<'_, '_>) -> Self {
        if console.quiet {
            Self::Quiet
        } else if console.io.err_terminal || mode.dry_run || mode.output == Some(Output::Json) {
            Self::Reader
        } else {
            Self::Cron
        }
    }

    /// Returns what is to be said after a change.
    pub fn lines(self, state: &mut State, changes: &Changes, now: Timestamp, remind: SignedDuration) -> Vec<Line> {
        match self {
            Self::Cron => problems::say::due(state, now, remind),
            Self::Reader => problems::say::open(state, now),
            Self::Quiet => problems::say::begun(&changes.began),
        }
    }
}

/// The kinds that the configuration and the state show at any time: those that are not found are over.
const AROUND: [ProblemKind; 2] = [ProblemKind::Insecure, ProblemKind::NotifyFailed];

/// Brings the problems of a state up to date with what a pass found, and with what the configuration and the state show.
pub fn remember(state: &mut State, evidence: Evidence, around: Vec<Finding>, now: Timestamp) -> Changes {
    let evidence = with(evidence, around, state);
    problems::remember(state, evidence, now)
}

/// Notes as events what began and what ended.
pub fn note(state: &mut State, changes: &Changes, context: &Context) {
    for (end, rows) in [
        (ProblemState::End, &changes.ended),
        (ProblemState::Begin, &changes.began),
    ] {
        for row in rows {
            state.note(Event::of_problem(end, row, context.now, &context.pass));
        }
    }
}

/// Adds what the configuration and the state show to what a pass found.
fn with(mut evidence: Evidence, around: Vec<Finding>, state: &State) -> Evidence {
    for (key, problem) in &state.problems {
        if AROUND.contains(&problem.kind) {
            evidence.over.insert(key.clone());
        }
    }
    for finding in around {
        evidence.add(finding);
    }
    if let Some(reason) = &state.notify.failed {
        let sentence = "the command of `notify` failed: what began and ended is offered again for a day";
        let finding = Finding::new(ProblemKind::NotifyFailed, "", sentence);
        evidence.add(finding.fact("reason", reason.as_str()));
    }
    evidence
}
