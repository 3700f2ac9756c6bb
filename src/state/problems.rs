//! The problems that are open, and when each was last said.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::State;
use crate::model::{Problem, ProblemKind, problem_key};

/// A problem that is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemMemory {
    /// What it is of.
    pub kind: ProblemKind,
    /// What it is about; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What is wrong and what to do.
    pub sentence: String,
    /// When it began.
    pub since: Timestamp,
    /// When a pass last saw it.
    pub seen: Timestamp,
}

impl ProblemMemory {
    /// Returns it as reports show it.
    pub fn row(&self) -> Problem {
        Problem {
            key: problem_key(self.kind, &self.subject),
            kind: self.kind,
            subject: self.subject.clone(),
            severity: self.kind.severity(),
            sentence: self.sentence.clone(),
            since: self.since,
            seen: self.seen,
        }
    }
}

impl State {
    /// Returns the problems that are open, errors first, then the oldest first.
    pub fn open_problems(&self) -> Vec<Problem> {
        let mut rows: Vec<Problem> = self.problems.values().map(ProblemMemory::row).collect();
        rows.sort_by(|a, b| {
            let order = |row: &Problem| (std::cmp::Reverse(row.severity), row.since);
            order(a).cmp(&order(b)).then_with(|| a.key.cmp(&b.key))
        });
        rows
    }
}
