//! What an ended pass writes into the memory for the journal, the metrics and the page, beside what the plan noted.

mod sample;

use crate::config::Config;
use crate::plan::Context;
use crate::report::view::Saw;
use crate::state::State;

/// A pass that has ended, before its memory is saved.
pub struct Record<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The pass and its time.
    pub context: &'a Context,
    /// Its exit code.
    pub exit: u8,
    /// How long it took.
    pub seconds: f64,
    /// What it saw and did; `None` where it saw nothing.
    pub saw: Option<&'a Saw<'a>>,
}

/// Writes down what is known only when a pass ends.
pub fn record(state: &mut State, pass: &Record<'_>) {
    sample::record(state, pass);
    if pass.config.outputs.journal.is_none() {
        state.events.pending.clear();
    }
}
