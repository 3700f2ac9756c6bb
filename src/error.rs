//! The top error: what ends a command early, its exit code, and how a chain of causes is printed.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use thiserror::Error;

use crate::config::{ConfigError, ConfigProblem};
use crate::lock::LockError;
use crate::model::ProviderName;
use crate::state::file::StateError;

/// Done; also: nothing to do.
pub const EXIT_DONE: u8 = 0;
/// Done, but an action failed or was left undone, a provider could not be read, or the guard held something back.
pub const EXIT_PARTLY: u8 = 1;
/// Wrong usage.
pub const EXIT_USAGE: u8 = 2;
/// The configuration or the state file is unusable.
pub const EXIT_UNUSABLE: u8 = 3;
/// Jenkins, or every provider, could not be observed; nothing was changed.
pub const EXIT_BLIND: u8 = 4;
/// Another pass holds the lock; nothing was changed (`EX_TEMPFAIL` of sysexits.h).
pub const EXIT_LOCKED: u8 = 75;

/// What is wrong, as `-o json` shows it; what has no place has none.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct ErrorRow {
    message: String,
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    path: Option<String>,
}

impl ErrorRow {
    /// Makes the row of something without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// Makes the row of something that is about a key.
    pub fn of_key(message: &str, path: Option<String>) -> Self {
        Self {
            path,
            ..Self::new(message)
        }
    }

    fn of_file(message: String, file: &Path) -> Self {
        Self {
            file: Some(file.display().to_string()),
            ..Self::new(message)
        }
    }

    fn of_problem(problem: &ConfigProblem) -> Self {
        Self {
            message: problem.message.clone(),
            file: problem.file.clone(),
            line: problem.at.map(|(line, _)| line),
            column: problem.at.map(|(_, column)| column),
            path: problem.path.clone(),
        }
    }
}

/// What ends a command before it is done.
#[derive(Debug, Error)]
pub enum Error {
    /// Arguments that do not fit together.
    #[error("{0}")]
    Usage(String),
    /// Problems of the configuration; each is a line of its own.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The state file.
    #[error("state file")]
    State(#[from] StateError),
    /// The lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The lock of a pass that began only just now: cron need not mail it.
    #[error(transparent)]
    Busy(LockError),
    /// A file named on the command line.
    #[error("{what}")]
    File {
        /// Which, and what was to be done with it.
        what: String,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The plan broke a rule: a bug of mita, stopped before it did harm.
    #[error("the plan breaks a rule, so nothing of it was done (please report this): {0}")]
    BrokenPlan(String),
    /// Nothing could be observed.
    #[error("{0}; nothing was changed")]
    Blind(Blind),
    /// A person who was asked did not say yes.
    #[error("nothing was removed: the answer was not yes")]
    Declined,
    /// A signal came before anything was done.
    #[error("a signal asked mita to end; nothing was changed")]
    Stopped,
}

/// What could not be observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blind {
    /// Jenkins, and why.
    Jenkins(String),
    /// Every provider, each with why.
    Providers(BTreeMap<ProviderName, String>),
}

impl fmt::Display for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jenkins(reason) => write!(f, "jenkins: {reason}"),
            Self::Providers(reasons) => {
                let each: Vec<String> = reasons
                    .iter()
                    .map(|(name, reason)| format!("provider {name}: {reason}"))
                    .collect();
                f.write_str(&each.join("; "))
            }
        }
    }
}

impl Error {
    /// Returns the exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => EXIT_USAGE,
            Self::Config(_)
            | Self::State(_)
            | Self::File { .. }
            | Self::Lock(LockError::Unusable { .. } | LockError::NoLock { .. }) => EXIT_UNUSABLE,
            Self::Lock(LockError::Held { .. }) | Self::Busy(_) => EXIT_LOCKED,
            Self::Blind(_) => EXIT_BLIND,
            Self::BrokenPlan(_) | Self::Declined | Self::Stopped => EXIT_PARTLY,
        }
    }
}

impl Error {
    /// Returns what is wrong, one row for each problem.
    pub fn rows(&self) -> Vec<ErrorRow> {
        match self {
            Self::Config(error) => error.problems().iter().map(ErrorRow::of_problem).collect(),
            Self::State(error) => vec![ErrorRow::of_file(chain(self), error.path())],
            Self::Lock(LockError::Held { path, .. } | LockError::Unusable { path, .. })
            | Self::Busy(LockError::Held { path, .. }) => {
                vec![ErrorRow::of_file(chain(self), path)]
            }
            Self::Blind(Blind::Providers(reasons)) => {
                let row =
                    |(name, reason): (&ProviderName, &String)| ErrorRow::new(format!("provider {name}: {reason}"));
                reasons.iter().map(row).collect()
            }
            _ => vec![ErrorRow::new(chain(self))],
        }
    }
}

/// Prints an error with its causes on one line.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some errors have their cause in their text.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_is_a_row() {
        let reasons = ["east", "west"].map(|name| (ProviderName::new(name), "gone".to_owned()));
        let rows = Error::Blind(Blind::Providers(BTreeMap::from(reasons))).rows();
        assert_eq!(rows[1], ErrorRow::new("provider west: gone"));
        let problem = ConfigError::of_file("m.yaml", "is empty; fill it");
        let rows = serde_json::to_value(Error::Config(problem).rows()).unwrap();
        let wanted = r#"[{"message":"is empty; fill it","file":"m.yaml","line":1,"column":1,"path":null}]"#;
        assert_eq!(
            rows.to_string(),
            serde_json::from_str::<serde_json::Value>(wanted).unwrap().to_string()
        );
    }

    #[test]
    fn a_cause_is_told_once() {
        let source = std::io::Error::other("no room");
        let path = "s.json".into();
        let text = chain(&Error::State(StateError::Write { path, source }));
        assert_eq!(
            text,
            "state file: s.json: cannot be written: no room; its folder must be writable and have room"
        );
        let (what, source) = ("cannot read f".to_owned(), std::io::Error::other("gone"));
        assert_eq!(chain(&Error::File { what, source }), "cannot read f: gone");
    }
}
