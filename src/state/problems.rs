//! The problems that are open, and what was said of each; and what problems are derived from that no single pass sees.
//!
//! Which problems there are, and when one is over, is decided in `plan::problems`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::State;
use crate::model::{Problem, ProblemKind, ProviderName, problem_key};

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
    /// What changes from pass to pass: counts, ages, ids, the words of a service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, Value>,
    /// The provider whose lists show whether it lasts; `None`: those of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// The digest of the template that it is about: another configuration ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// What had been read when it was seen: a pass that reads less tells nothing of it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub read: BTreeSet<String>,
    /// When it began.
    pub since: Timestamp,
    /// When a pass last saw it.
    pub seen: Timestamp,
    /// When it ended: it is kept for a while, and goes on as the same if it begins again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Whether it ended before and began again soon after.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// What was last said of it where cron mails it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

/// What was last said of a problem, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// The sentence; `None`: that it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
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
            ended: self.ended,
            facts: self.facts.clone(),
        }
    }
}

/// How the servers of a template fare at a placement, as long as none of it has joined there since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateRecord {
    /// The digest of the template.
    pub config: String,
    /// How many servers in a row never joined or went to ERROR.
    #[serde(default)]
    pub failed: u32,
    /// Since when each request for one was refused, for another reason than a quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_since: Option<Timestamp>,
    /// What was last said of a server that failed, or of a request.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// An action that fails in each pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailingAction {
    /// What it is done to: a server, a Jenkins node, an address, a volume.
    pub name: String,
    /// What is done, in a word.
    pub action: String,
    /// Whether it makes something; else it takes something away, or out of use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub makes: bool,
    /// The provider, if it is done there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// When it failed first.
    pub since: Timestamp,
    /// When it failed last.
    pub last: Timestamp,
    /// The last error.
    pub error: String,
}

/// What `notify` was not told yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyMemory {
    /// What it did not take yet, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Notice>,
    /// When a pass last began to call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<Timestamp>,
    /// Why the last call failed; `None`: it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

impl NotifyMemory {
    /// Returns whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// That a problem began or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// Whether it ended.
    pub ended: bool,
    /// The problem.
    pub problem: Problem,
}

impl State {
    /// Returns a state that has the problems of this one and nothing else.
    #[must_use]
    pub fn problems_only(&self) -> Self {
        Self {
            problems: self.problems.clone(),
            notify: self.notify.clone(),
            ..Self::default()
        }
    }

    /// Returns the problems that are open, errors first, then the oldest first.
    pub fn open_problems(&self) -> Vec<Problem> {
        let open = self.problems.values().filter(|problem| problem.ended.is_none());
        let mut rows: Vec<Problem> = open.map(ProblemMemory::row).collect();
        rows.sort_by(|a, b| {
            let order = |row: &Problem| (std::cmp::Reverse(row.severity), row.since);
            order(a).cmp(&order(b)).then_with(|| a.key.cmp(&b.key))
        });
        rows
    }
}
