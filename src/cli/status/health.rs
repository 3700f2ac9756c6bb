//! Whether passes go on as they should: how the last one ended, whether one is overdue, and the verdict of
//! `status --check`. Pure.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::error::{EXIT_BLIND, EXIT_DONE, EXIT_PARTLY, EXIT_UNUSABLE};
use crate::lock::Held;
use crate::model::{Problem, Severity};
use crate::plan::{LEAST_GAP, overdue_after, usual_gap};
use crate::state::{LastPass, State};
use crate::text::{age, plural, printable};

/// A pass ends at its deadline, and the request in flight some time later.
const AFTER_DEADLINE: SignedDuration = SignedDuration::from_mins(2);

/// The most characters of the line.
const MAX_LINE: usize = 400;

/// What is known of the passes.
#[derive(Clone, Copy, Debug)]
pub struct Passes<'s> {
    pub state: &'s State,
    pub now: Timestamp,
    /// The lock, where a pass holds it.
    pub running: Option<Held>,
    /// `limits.pass_deadline`.
    pub deadline: SignedDuration,
}

/// How the last pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// With its exit code.
    Ended,
    /// It runs.
    Running,
    /// It was killed, or its machine went down.
    CutOff,
}

impl<'s> Passes<'s> {
    /// Returns the last pass.
    pub fn last(&self) -> Option<&'s LastPass> {
        self.state.latest_pass()
    }

    /// Returns whether the state does not tell if a pass runs: the last one did not end, or is overdue.
    pub fn is_in_doubt(&self) -> bool {
        self.last().is_none_or(|last| last.exit.is_none()) || self.is_overdue()
    }

    /// Returns how the last pass ended; `None` without one.
    pub fn ending(&self) -> Option<Ending> {
        let last = self.last()?;
        Some(match (last.exit, self.running) {
            (Some(_), _) => Ending::Ended,
            (None, Some(_)) => Ending::Running,
            (None, None) => Ending::CutOff,
        })
    }

    /// Returns the exit code that counts: that of the last pass, or of the one before as long as it runs.
    pub fn exit(&self) -> Option<u8> {
        let last = self.last()?;
        last.exit.or(last.exit_before.filter(|_| self.running.is_some()))
    }

    /// Returns the seconds since the last pass.
    pub fn age(&self) -> Option<i64> {
        let last = self.last()?;
        Some(self.now.duration_since(last.at).as_secs().max(0))
    }

    /// Returns the seconds that usually are between two passes.
    pub fn usual_gap(&self) -> Option<i64> {
        usual_gap(self.state).map(|gap| gap.max(LEAST_GAP))
    }

    /// Returns whether no pass was made for long, and none runs.
    pub fn is_overdue(&self) -> bool {
        let most = overdue_after(self.state);
        self.running.is_none() && self.age().is_some_and(|age| age > most)
    }

    /// Returns for how many seconds a pass has run that should have ended.
    pub fn hangs(&self) -> Option<i64> {
        let last = self.last().filter(|last| last.exit.is_none());
        let began = self.running?.since.or(last.map(|last| last.at))?;
        let length = self.now.duration_since(began);
        (length > self.deadline.saturating_add(AFTER_DEADLINE)).then_some(length.as_secs())
    }

    /// Returns the sentences that are to be looked at, with how much each matters.
    fn complaints(&self) -> Vec<(Severity, String)> {
        let mut found = Vec::new();
        if self.ending().is_none() && self.running.is_none() {
            found.push((Severity::Error, "no pass was ever made".to_owned()));
        }
        if let Some(length) = self.hangs() {
            let text = format!("a pass has been running for {} (limits.pass_deadline)", age(length));
            found.push((Severity::Error, text));
        }
        let ago = age(self.age().unwrap_or_default());
        if self.is_overdue() {
            let usual = self.usual_gap();
            let usual = usual.map_or_else(String::new, |gap| format!(", usually one every {}", age(gap)));
            found.push((Severity::Error, format!("no pass for {ago}{usual}")));
        }
        if self.ending() == Some(Ending::CutOff) {
            found.push((Severity::Error, format!("the last pass was cut off, {ago} ago")));
        }
        match self.exit() {
            Some(EXIT_DONE) | None => {}
            Some(exit) => found.push((
                severity_of(exit),
                format!("the last pass ended with {}", exit_words(exit)),
            )),
        }
        found
    }

    /// Judges the passes and the problems that are open.
    pub fn verdict(&self) -> Verdict {
        let problems = self.state.open_problems();
        let complaints = self.complaints();
        let worst = problems.iter().map(|problem| problem.severity);
        let worst = worst.chain(complaints.iter().map(|(severity, _)| *severity)).max();
        let mut parts: Vec<String> = complaints.into_iter().map(|(_, text)| text).collect();
        parts.extend(problem_words(&problems));
        if parts.is_empty() {
            parts.push(self.all_is_well());
        }
        Verdict {
            level: match worst {
                None => Level::Ok,
                Some(Severity::Warning) => Level::Warning,
                Some(Severity::Error) => Level::Critical,
            },
            text: parts.join("; "),
            problems,
        }
    }

    fn all_is_well(&self) -> String {
        let ago = age(self.age().unwrap_or_default());
        match (self.ending(), self.running) {
            (Some(Ending::Ended), _) => format!("last pass {ago} ago, no problems"),
            (Some(_), _) => format!("a pass has been running for {ago}, no problems"),
            (None, _) => "the first pass is running".to_owned(),
        }
    }
}

fn severity_of(exit: u8) -> Severity {
    if matches!(exit, EXIT_UNUSABLE | EXIT_BLIND) {
        Severity::Error
    } else {
        Severity::Warning
    }
}

/// Says what an exit code means.
pub fn exit_words(exit: u8) -> String {
    let meaning = match exit {
        EXIT_PARTLY => " (something failed or was left undone)",
        EXIT_UNUSABLE => " (configuration or state file unusable)",
        EXIT_BLIND => " (could not observe)",
        _ => "",
    };
    format!("exit {exit}{meaning}")
}

/// Counts problems, and says the first one: errors come first.
fn problem_words(problems: &[Problem]) -> Option<String> {
    let first = problems.first()?;
    Some(format!("{}: {}", problem_counts(problems), first.sentence))
}

/// Counts problems by how much they matter: `1 error, 2 warnings`; empty without any.
pub fn problem_counts(problems: &[Problem]) -> String {
    let count = |wanted| problems.iter().filter(|problem| problem.severity == wanted).count();
    let counts = [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    let counts: Vec<String> = counts.map(|(number, noun)| plural(number, noun)).collect();
    counts.join(", ")
}

/// The states of a service that Nagios knows; the exit code is the place in this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Ok,
    Warning,
    Critical,
    Unknown,
}

impl Level {
    /// Returns the exit code of a plugin of Nagios.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Returns the one line of a plugin. Behind `|` Nagios expects figures, so there is none.
    pub fn line(self, text: &str) -> String {
        let text = printable(&text.replace('|', "/"), MAX_LINE);
        format!("MITA {}: {text}", self.word())
    }
}

/// What `status --check` says.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub level: Level,
    /// All that is to be looked at, or that there is nothing.
    pub text: String,
    /// The problems that are open.
    pub problems: Vec<Problem>,
}
