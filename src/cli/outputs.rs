//! Writes what an ended pass leaves for others: the journal, the metrics, the page. None of it makes a pass fail.

use std::path::Path;

use crate::config::Config;
use crate::disk::{self, Readers};
use crate::journal;
use crate::model::{ProblemKind, problem_key};
use crate::plan::problems::{Evidence, Finding};
use crate::report::view::PassView;
use crate::report::{metrics, page};
use crate::state::{EventMemory, State};

/// Drops the events that the journal has already.
pub fn settle(config: &Config, events: &mut EventMemory) {
    if let Some(path) = &config.outputs.journal {
        journal::settle(path, events);
    }
}

/// Forgets the events that no journal takes.
pub fn forget(config: &Config, events: &mut EventMemory) {
    if config.outputs.journal.is_none() {
        *events = EventMemory::default();
    }
}

/// Writes metrics and page, and returns what became of them.
pub fn leave(view: &PassView<'_>) -> Evidence {
    let mut evidence = Evidence::default();
    let outputs = &view.config.outputs;
    if let Some(path) = &outputs.metrics_file {
        let written = disk::write_for(Readers::Everybody, path, metrics::text(view).as_bytes());
        judge(&mut evidence, "metrics_file", path, written);
    }
    if let Some(path) = &outputs.status_page {
        let written = disk::write_for(Readers::Everybody, path, page::html(view).as_bytes());
        judge(&mut evidence, "status_page", path, written);
    }
    evidence
}

/// Appends the events of a state that is saved to the journal, and adds what became of it.
pub fn append(config: &Config, state: &State, evidence: &mut Evidence) {
    let outputs = &config.outputs;
    if let Some(path) = &outputs.journal {
        let written = journal::append(path, outputs.journal_max, &state.events.pending);
        judge(evidence, "journal", path, written);
    }
}

/// Returns whether this changes what is remembered: something cannot be written, or can be again.
pub fn is_news(unwritten: &Evidence, state: &State) -> bool {
    let is_open = |key: &String| state.problems.get(key).is_some_and(|problem| problem.ended.is_none());
    !unwritten.found.is_empty() || unwritten.over.iter().any(is_open)
}

fn judge(evidence: &mut Evidence, key: &str, path: &Path, written: std::io::Result<()>) {
    match written {
        Ok(()) => drop(evidence.over.insert(problem_key(ProblemKind::CannotWrite, key))),
        Err(error) => {
            let sentence = format!(
                "{}: cannot be written, which stops nothing else; its folder must be there, writable, and have room ({key})",
                path.display()
            );
            let finding = Finding::new(ProblemKind::CannotWrite, key, sentence);
            evidence.add(finding.fact("reason", error.to_string()));
        }
    }
}
