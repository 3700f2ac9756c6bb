//! What an ended pass writes into the memory for the journal, the metrics and the page, beside what the plan noted.

mod ended;
mod reading;

pub use ended::Record;

use crate::state::State;

/// Writes down what is known only when a pass ends.
pub fn record(state: &mut State, pass: &Record<'_>) {
    reading::note(state, pass);
}
