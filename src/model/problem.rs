//! A problem: what an operator should know, from its beginning to its end.
//!
//! Which problems there are is derived by the planner and by the pass, what is open is remembered in the state.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How much a problem matters. `status --check` ends with 1 for a warning and with 2 for an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// mita goes on by itself, with less than was asked for.
    Warning,
    /// Something stands still until a person acts.
    Error,
}

/// What a problem is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// A pass could not read Jenkins.
    JenkinsUnreadable,
    /// A pass could not read a provider.
    ProviderUnreadable,
    /// What a template names is missing or ambiguous at its provider.
    NotOffered,
    /// Servers of a template never join or are refused at a placement.
    CreateFailing,
    /// A whole placement is held back.
    PlacementHeld,
    /// Items wait and no server was asked for them.
    Unserved,
    /// Items wait behind a maximum.
    AtMax,
    /// Without any agent Jenkins hides the labels that items wait for.
    HiddenLabels,
    /// The guard held removals back.
    GuardHeld,
    /// An older image is used, since servers of the newest never joined.
    RolledBack,
    /// Which node belongs to which server cannot be told.
    LinkUnsure,
    /// A server is dead and stays, since its node is busy or a person's.
    DeadServer,
    /// A server is still there long after the first DELETE.
    DeleteStuck,
    /// Jenkins refused a removal for want of a permission.
    RemovalRefused,
    /// Nodes of a template differ from it in a label.
    LabelDrift,
    /// A drained node is still busy after a day.
    RefreshStuck,
    /// Something of a reply could not be read and was left alone.
    OddData,
    /// A secret or a connection is not protected.
    Insecure,
    /// A pause without an end is old.
    PausedForLong,
    /// The file of the pauses cannot be read.
    PausesUnreadable,
    /// A file that mita leaves for others could not be written.
    CannotWrite,
    /// The command of `notify` failed.
    NotifyFailed,
    /// A pass came to `limits.pass_deadline` and left actions undone.
    Unfinished,
}

impl ProblemKind {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::JenkinsUnreadable,
        Self::ProviderUnreadable,
        Self::NotOffered,
        Self::CreateFailing,
        Self::PlacementHeld,
        Self::Unserved,
        Self::AtMax,
        Self::HiddenLabels,
        Self::GuardHeld,
        Self::RolledBack,
        Self::LinkUnsure,
        Self::DeadServer,
        Self::DeleteStuck,
        Self::RemovalRefused,
        Self::LabelDrift,
        Self::RefreshStuck,
        Self::OddData,
        Self::Insecure,
        Self::PausedForLong,
        Self::PausesUnreadable,
        Self::CannotWrite,
        Self::NotifyFailed,
        Self::Unfinished,
    ];

    /// Returns the word of its key, as in `provider-unreadable`.
    pub fn word(self) -> &'static str {
        match self {
            Self::JenkinsUnreadable => "jenkins-unreadable",
            Self::ProviderUnreadable => "provider-unreadable",
            Self::NotOffered => "not-offered",
            Self::CreateFailing => "create-failing",
            Self::PlacementHeld => "placement-held",
            Self::Unserved => "unserved",
            Self::AtMax => "at-max",
            Self::HiddenLabels => "hidden-labels",
            Self::GuardHeld => "guard-held",
            Self::RolledBack => "rolled-back",
            Self::LinkUnsure => "link-unsure",
            Self::DeadServer => "dead-server",
            Self::DeleteStuck => "delete-stuck",
            Self::RemovalRefused => "removal-refused",
            Self::LabelDrift => "label-drift",
            Self::RefreshStuck => "refresh-stuck",
            Self::OddData => "odd-data",
            Self::Insecure => "insecure",
            Self::PausedForLong => "paused-for-long",
            Self::PausesUnreadable => "pauses-unreadable",
            Self::CannotWrite => "cannot-write",
            Self::NotifyFailed => "notify-failed",
            Self::Unfinished => "unfinished",
        }
    }

    /// Returns how much a problem of this kind matters.
    pub fn severity(self) -> Severity {
        match self {
            Self::JenkinsUnreadable
            | Self::ProviderUnreadable
            | Self::NotOffered
            | Self::CreateFailing
            | Self::GuardHeld
            | Self::DeadServer
            | Self::DeleteStuck
            | Self::RemovalRefused
            | Self::PausesUnreadable => Severity::Error,
            Self::PlacementHeld
            | Self::Unserved
            | Self::AtMax
            | Self::HiddenLabels
            | Self::RolledBack
            | Self::LinkUnsure
            | Self::LabelDrift
            | Self::RefreshStuck
            | Self::OddData
            | Self::Insecure
            | Self::PausedForLong
            | Self::CannotWrite
            | Self::NotifyFailed
            | Self::Unfinished => Severity::Warning,
        }
    }
}

/// An open problem, as every report shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `kind/subject`, or the kind alone where it has no subject.
    pub key: String,
    /// What it is of.
    pub kind: ProblemKind,
    /// What it is about: a template, a provider, a label, a server; may be empty.
    pub subject: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong and what to do, without ids, times and counts that change from pass to pass.
    pub sentence: String,
    /// When it began.
    pub since: Timestamp,
    /// When a pass last saw it.
    pub seen: Timestamp,
    /// When it ended; `None` as long as it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// What changes from pass to pass: counts, ages, ids, the words of a service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, Value>,
}

/// Returns the key of a problem.
pub fn problem_key(kind: ProblemKind, subject: &str) -> String {
    if subject.is_empty() {
        kind.word().to_owned()
    } else {
        format!("{}/{subject}", kind.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_as_its_word() {
        for kind in ProblemKind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.word()));
        }
        assert_eq!(problem_key(ProblemKind::GuardHeld, ""), "guard-held");
        assert_eq!(problem_key(ProblemKind::AtMax, "small"), "at-max/small");
    }
}
