//! What an ended pass writes into the memory for the journal, the metrics and the page, beside what the plan noted.

mod counted;
mod ended;
mod quota;
mod reading;
mod sample;

pub use ended::Record;

use crate::state::State;

/// Writes down what is known only when a pass ends.
pub fn record(state: &mut State, pass: &Record<'_>) {
    quota::remember(state, pass);
    counted::count(state, pass);
    reading::note(state, pass);
    sample::record(state, pass);
}
